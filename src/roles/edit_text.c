/*
 * One change to the text of a document, and every other byte as it was.
 *
 * Where a name stands several times, Go's reader merges fields that are objects, lets the last of other fields
 * count, and replaces entries of maps. So a way through the document is a list of objects that are read as one; a
 * change is made where it counts, and a removal takes every member that would be read. The new text is put together
 * from left to right, from pieces of the old one and what goes between them, and it is read again before it is
 * handed out.
 */
#include "roles/edit.h"

#include "base/vec.h"
#include "roles/style_priv.h"

/* Objects that are read as one, in the order of the text. */
struct layer {
	VEC(const struct node *) nodes;
};

struct edit {
	const struct doc *d;
	const struct edit_key *path;
	size_t depth;
	struct str value;
	struct problem *problem;
	struct buf out;
	uint32_t copied; /* of the old text */
};

/* ---- putting the new text together ---- */

static void copy_up_to(struct edit *e, uint32_t at)
{
	if (at > e->copied)
		buf_add(&e->out, e->d->text.p + e->copied, at - e->copied);
	e->copied = at;
}

static void leave_out(struct edit *e, uint32_t from, uint32_t to)
{
	copy_up_to(e, from);
	e->copied = to;
}

static void put_spaces(struct buf *b, size_t n)
{
	while (n--)
		buf_c(b, ' ');
}

/* The value inside objects for the steps of the path from `level` on, as it would stand at the root. */
static void put_nested(const struct edit *e, size_t level, struct str colon, struct buf *b)
{
	size_t inside = 2 * (e->depth - level);

	for (size_t i = level; i < e->depth; i++) {
		buf_z(b, "{\n");
		put_spaces(b, 2 * (i - level + 1));
		buf_json_text(b, e->path[i].name);
		buf_str_add(b, colon);
	}
	for (size_t i = 0; i < e->value.n; i++) {
		buf_c(b, e->value.p[i]);
		put_spaces(b, e->value.p[i] == '\n' ? inside : 0);
	}
	for (size_t i = e->depth; i-- > level;) {
		buf_c(b, '\n');
		put_spaces(b, 2 * (i - level));
		buf_c(b, '}');
	}
}

static void put_value(struct edit *e, size_t level, const struct style *style)
{
	struct buf nested = BUF_INIT(DOC_MAX_BYTES);

	put_nested(e, level, style->colon, &nested);
	style_put(style, buf_str(&nested), &e->out);
	e->out.failed |= !buf_ok(&nested);
	buf_free(&nested);
}

static void put_member(struct edit *e, size_t level, const struct style *style)
{
	buf_json_text(&e->out, e->path[level].name);
	buf_str_add(&e->out, style->colon);
	put_value(e, level + 1, style);
}

static void put_line(struct edit *e, const struct style *style)
{
	buf_str_add(&e->out, style->newline);
	buf_str_add(&e->out, style->indent);
}

/* As the new last member. */
static void insert_behind(struct edit *e, const struct node *last, size_t level, const struct style *style)
{
	copy_up_to(e, last->to);
	buf_c(&e->out, ',');
	if (style->one_line)
		buf_str_add(&e->out, style->gap);
	else
		put_line(e, style);
	put_member(e, level, style);
}

/* As the only member; what white space stood between the brackets goes. */
static void insert_alone(struct edit *e, const struct node *object, size_t level, struct style style)
{
	struct style inside = style;
	struct buf indent = BUF_INIT(0);

	leave_out(e, object->from + 1, object->to - 1);
	buf_str_add(&indent, style.indent);
	buf_str_add(&indent, style.unit);
	inside.indent = buf_str(&indent);
	if (!style.one_line)
		put_line(e, &inside);
	put_member(e, level, &inside);
	if (!style.one_line)
		put_line(e, &style);
	buf_free(&indent);
}

static void insert(struct edit *e, const struct node *object, size_t level)
{
	struct style style = style_of_new(e->d, object);
	const struct node *last = object->first;

	while (last && last->next)
		last = last->next;
	if (last)
		insert_behind(e, last, level, &style);
	else
		insert_alone(e, object, level, style);
}

static void replace(struct edit *e, const struct node *member, size_t level)
{
	struct style style = style_of_member(e->d, member);

	leave_out(e, member->from, member->to);
	put_value(e, level, &style);
}

/* ---- finding the way ---- */

static bool is_step(const struct node *member, const struct edit_key *key)
{
	return key->entry ? str_eq(member->key, key->name) : node_is_field(member, key->name);
}

/* The members that are read for a key, in order. */
static struct layer members_of(const struct layer *objects, const struct edit_key *key)
{
	struct layer found = {0};

	for (size_t i = 0; i < objects->nodes.n; i++)
		for (const struct node *n = objects->nodes.v[i]->first; n; n = n->next)
			if (is_step(n, key))
				*VEC_PUSH(&found.nodes) = n;
	return found;
}

static const struct node *last_of(const struct layer *layer)
{
	return layer->nodes.n ? layer->nodes.v[layer->nodes.n - 1] : NULL;
}

/* Of a map's equal keys the last one counts, and null forgets what stood before it. */
static void keep_what_counts(struct layer *layer, const struct edit_key *key)
{
	size_t from = key->entry && layer->nodes.n ? layer->nodes.n - 1 : 0, kept = 0;

	for (size_t i = from; i < layer->nodes.n; i++)
		if (layer->nodes.v[i]->kind == NODE_NULL)
			kept = 0;
		else
			layer->nodes.v[kept++] = layer->nodes.v[i];
	layer->nodes.n = kept;
}

/* Also those that do not count: a file with a text in that place is not read at all. */
static enum err check_objects(const struct edit *e, const struct layer *layer)
{
	static const char *const kinds[] = {"null", "true or false", "a number", "a text", "a list", "an object"};

	for (size_t i = 0; i < layer->nodes.n; i++) {
		const struct node *n = layer->nodes.v[i];
		struct place place = doc_place(e->d, n);

		if (n->kind != NODE_OBJECT && n->kind != NODE_NULL)
			return problem_set(
				e->problem, ERR_INVALID, "%.*s:%d:%d: %.*s is %s, not an object; correct it first",
				STRF(e->d->path), place.line, place.column, n->key.n < 80 ? (int)n->key.n : 80,
				n->key.p ? n->key.p : "", kinds[n->kind]);
	}
	return OK;
}

static void step_into(struct layer *layer, struct layer *next)
{
	VEC_FREE(&layer->nodes);
	*layer = *next;
}

/* ---- setting ---- */

/* What would be merged into the new value, or outlast a null. */
static void leave_out_merged(struct edit *e, const struct layer *objects, const struct node *keep);

/* The member at the end of the path, or the first step of it that is missing. */
static void set_here(struct edit *e, const struct layer *objects, size_t level, const struct node *there)
{
	bool last_step = level + 1 == e->depth;

	if (there && last_step && !e->path[level].entry && (e->value.p[0] == '{' || e->value.p[0] == 'n'))
		leave_out_merged(e, objects, there);
	if (there)
		replace(e, there, level + 1);
	else
		insert(e, objects->nodes.v[objects->nodes.n - 1], level); /* an empty layer has ended the way */
}

static enum err set_on_the_way(struct edit *e, struct layer *objects)
{
	for (size_t level = 0;; level++) {
		struct layer found = members_of(objects, &e->path[level]);
		const struct node *there = last_of(&found);
		enum err err = OK;

		if (level + 1 < e->depth) {
			/* In place of a null that forgets something, it would come back: the new one goes behind
			 * it. */
			there = found.nodes.n > 1 && !e->path[level].entry ? NULL : there;
			err = check_objects(e, &found);
			keep_what_counts(&found, &e->path[level]);
		}
		if (err || level + 1 == e->depth || found.nodes.n == 0) {
			VEC_FREE(&found.nodes);
			if (err == OK)
				set_here(e, objects, level, there);
			return err;
		}
		step_into(objects, &found);
	}
}

static enum err set_in_document(struct edit *e)
{
	struct layer objects = {0};
	enum err err;

	*VEC_PUSH(&objects.nodes) = e->d->root;
	err = check_objects(e, &objects);
	if (err == OK)
		err = set_on_the_way(e, &objects);
	VEC_FREE(&objects.nodes);
	return err;
}

/* There is nothing yet, or null stands there, which Go takes for nothing. */
static void set_in_nothing(struct edit *e)
{
	struct style style = style_of_new_file(e->d);

	if (e->d->root)
		leave_out(e, e->d->root->from, e->d->root->to);
	else
		e->copied = (uint32_t)e->d->text.n;
	put_value(e, 0, &style);
	if (!e->d->root)
		buf_c(&e->out, '\n');
}

/* ---- leaving out ---- */

/* Behind the comma that follows a member. */
static uint32_t behind_comma(const struct edit *e, const struct node *member)
{
	uint32_t at = member->to;

	while (e->d->text.p[at] != ',')
		at++;
	return at + 1;
}

/* Members from first to last, neighbours, with one comma each. The white space of those that stay is kept; only
 * when the first on a line goes does the next one take its place. */
static void leave_out_run(struct edit *e, const struct node *before, const struct node *first,
			  const struct node *last)
{
	const struct node *after = last->next;

	if (before && !after)
		leave_out(e, before->to, last->to);
	else if (!after)
		leave_out(e, style_lead(e->d, first), last->to);
	else if (before || style_has_own_line(e->d, after))
		leave_out(e, style_lead(e->d, first), behind_comma(e, last));
	else
		leave_out(e, first->key_from, after->key_from);
}

/* All members for the key but one. */
static void leave_out_members(struct edit *e, const struct node *object, const struct edit_key *key,
			      const struct node *keep)
{
	const struct node *before = NULL, *first = NULL;

	for (const struct node *n = object->first; n; n = n->next) {
		if (!is_step(n, key) || n == keep) {
			before = n;
			continue;
		}
		first = first ? first : n;
		if (n->next && n->next != keep && is_step(n->next, key))
			continue;
		leave_out_run(e, before, first, n);
		first = NULL;
	}
}

static void leave_out_merged(struct edit *e, const struct layer *objects, const struct node *keep)
{
	for (size_t i = 0; i < objects->nodes.n; i++)
		leave_out_members(e, objects->nodes.v[i], &e->path[e->depth - 1], keep);
}

static void keep_objects(struct layer *layer, const struct edit_key *key)
{
	size_t from = key->entry && layer->nodes.n ? layer->nodes.n - 1 : 0, kept = 0;

	for (size_t i = from; i < layer->nodes.n; i++)
		if (layer->nodes.v[i]->kind == NODE_OBJECT)
			layer->nodes.v[kept++] = layer->nodes.v[i];
	layer->nodes.n = kept;
}

static void unset_in_document(struct edit *e)
{
	struct layer objects = {0}, found;

	*VEC_PUSH(&objects.nodes) = e->d->root;
	for (size_t level = 0; level + 1 < e->depth; level++) {
		found = members_of(&objects, &e->path[level]);
		keep_objects(&found, &e->path[level]);
		step_into(&objects, &found);
	}
	leave_out_merged(e, &objects, NULL);
	VEC_FREE(&objects.nodes);
}

/* ---- both ---- */

static enum err check_path(const struct edit_key *path, size_t depth, struct problem *p)
{
	for (size_t i = 0; i < depth; i++)
		if (!str_is_utf8(path[i].name))
			return problem_set(p, ERR_INVALID,
					   "a name that is not UTF-8 cannot be written into a file");
	return OK;
}

static enum err check_value(const struct edit *e, struct arena *a)
{
	struct problem why = {0};
	struct doc checked;

	return doc_parse(STR("the new value"), e->value, a, &checked, &why)
		       ? problem_set(e->problem, ERR_INVALID, "%s", why.detail)
		       : OK;
}

/* What would not be read is not handed out: nested too deep, too large, a name with a NUL. */
static enum err read_again(const struct edit *e, struct str text, struct arena *a)
{
	struct problem why = {0};
	struct doc again;

	if (doc_parse(e->d->path, text, a, &again, &why))
		return problem_set(e->problem, ERR_INVALID, "this change would spoil the file: %s", why.detail);
	return OK;
}

static enum err finish(struct edit *e, struct arena *a, struct str *out)
{
	enum err err;

	copy_up_to(e, (uint32_t)e->d->text.n);
	*out = arena_str(a, buf_str(&e->out));
	if (!buf_ok(&e->out) || !out->p)
		err = problem_set(e->problem, ERR_TOO_LARGE, "%.*s: would grow too large", STRF(e->d->path));
	else
		err = read_again(e, *out, a);
	return err;
}

enum err edit_set(const struct doc *d, const struct edit_key *path, size_t depth, struct str value, struct arena *a,
		  struct str *out, struct problem *p)
{
	struct edit e = {.d = d,
			 .path = path,
			 .depth = depth,
			 .value = str_trim(value),
			 .problem = p,
			 .out = BUF_INIT(DOC_MAX_BYTES)};
	enum err err = check_path(path, depth, p);

	CHECK(depth > 0);
	if (err == OK)
		err = check_value(&e, a);
	if (err == OK && (!d->root || d->root->kind == NODE_NULL))
		set_in_nothing(&e);
	else if (err == OK)
		err = set_in_document(&e);
	if (err == OK)
		err = finish(&e, a, out);
	buf_free(&e.out);
	return err;
}

enum err edit_unset(const struct doc *d, const struct edit_key *path, size_t depth, struct arena *a,
		    struct str *out, struct problem *p)
{
	struct edit e = {.d = d, .path = path, .depth = depth, .problem = p, .out = BUF_INIT(DOC_MAX_BYTES)};
	enum err err = OK;

	CHECK(depth > 0);
	*out = d->text;
	if (!d->root || d->root->kind != NODE_OBJECT)
		return OK;
	unset_in_document(&e);
	if (e.copied)
		err = finish(&e, a, out);
	buf_free(&e.out);
	return err;
}
