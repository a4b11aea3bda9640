/*
 * The reader behind the tables. What can be wrong is found here and nowhere else: a type, and a member that is
 * nearly one we know.
 */
#include "roles/shape_priv.h"

#include "base/buf.h"
#include "roles/fill_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- places and faults ---- */

struct origin shape_origin(const struct reading *r, const struct node *n)
{
	struct place at = doc_place(r->doc, n);

	return (struct origin){r->shown, at.line, at.column};
}

struct origin shape_key_origin(const struct reading *r, const struct node *n)
{
	struct place at = doc_key_place(r->doc, n);

	return (struct origin){r->shown, at.line, at.column};
}

static unsigned index_of(const struct node *element)
{
	unsigned i = 0;

	for (const struct node *n = element->parent->first; n != element; n = n->next)
		i++;
	return i;
}

static void add_path(struct buf *b, const struct node *n)
{
	if (!n->parent)
		return;
	add_path(b, n->parent);
	if (n->parent->kind == NODE_ARRAY) {
		buf_fmt(b, "[%u]", index_of(n));
		return;
	}
	if (b->n)
		buf_c(b, '.');
	buf_str_add(b, n->key);
}

struct str shape_path(const struct reading *r, const struct node *n)
{
	struct buf b = BUF_INIT(4096);
	struct str path;

	add_path(&b, n);
	path = arena_str(r->arena, b.n ? buf_str(&b) : STR("the file"));
	buf_free(&b);
	return path;
}

/* Asked before a text is made: a hostile file has a million faults. */
static bool is_full(struct reading *r)
{
	if (r->faults.n < FAULTS_MAX)
		return false;
	r->more_faults++;
	return true;
}

void shape_fault(struct reading *r, struct origin at, enum severity severity, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int length;

	if (is_full(r))
		return;
	va_start(args, fmt);
	length = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CHECK(length >= 0);
	if ((size_t)length >= sizeof(text))
		length = sizeof(text) - 1;
	*VEC_PUSH(&r->faults) = (struct fault){
		.severity = severity, .at = at, .text = arena_str(r->arena, (struct str){text, (size_t)length})};
}

/* ---- types ---- */

static const char *const want_texts[] = {[WANT_ANY] = "",
					 [WANT_TEXT] = "a text",
					 [WANT_BOOL] = "true or false",
					 [WANT_INT] = "a whole number",
					 [WANT_NUMBER] = "a number",
					 [WANT_TEXTS] = "a list of texts",
					 [WANT_TEXT_MAP] = "an object of texts",
					 [WANT_OBJECT] = "an object",
					 [WANT_MAP] = "an object"};

static const char *const kind_texts[] = {
	[NODE_NULL] = "null",     [NODE_BOOL] = "true or false", [NODE_NUMBER] = "a number",
	[NODE_STRING] = "a text", [NODE_ARRAY] = "a list",       [NODE_OBJECT] = "an object"};

static enum node_kind kind_wanted(enum want want)
{
	switch (want) {
	case WANT_TEXT:
		return NODE_STRING;
	case WANT_BOOL:
		return NODE_BOOL;
	case WANT_INT:
	case WANT_NUMBER:
		return NODE_NUMBER;
	case WANT_TEXTS:
		return NODE_ARRAY;
	case WANT_TEXT_MAP:
	case WANT_OBJECT:
	case WANT_MAP:
		return NODE_OBJECT;
	case WANT_ANY:
		break;
	}
	return NODE_NULL;
}

bool shape_is(struct reading *r, const struct node *n, enum want want)
{
	int64_t whole;

	if (want == WANT_ANY)
		return true;
	if (n->kind == kind_wanted(want) && (want != WANT_INT || str_to_i64(n->text, &whole)))
		return true;
	r->refused |= r->own == 0 && n->kind != NODE_NULL; /* null says nothing there, a whole file of it too */
	if (!is_full(r))
		shape_fault(r, shape_origin(r, n), SEVERITY_ERROR, "%.*s must be %s, not %s",
			    STRF(shape_path(r, n)), want_texts[want],
			    n->kind == kind_wanted(want) ? "one with a fraction" : kind_texts[n->kind]);
	return false;
}

struct str shape_text(struct reading *r, const struct node *n)
{
	if (n->kind == NODE_NULL || !shape_is(r, n, WANT_TEXT))
		return (struct str){0};
	return arena_str(r->arena, n->text);
}

/* ---- values ---- */

static void take_texts(struct reading *r, const struct node *n, struct texts *out)
{
	struct texts t = {.v = out ? ARENA_ARRAY(r->arena, struct str, n->count) : NULL, .given = true};

	for (const struct node *e = n->first; e; e = e->next) {
		bool is_text = e->kind == NODE_NULL || shape_is(r, e, WANT_TEXT);

		if (is_text && t.v)
			t.v[t.n++] = e->kind == NODE_NULL ? (struct str){0} : arena_str(r->arena, e->text);
	}
	if (out)
		*out = t;
}

/* Entries are looked for one by one, so their number is bounded. */
static bool is_too_long(struct reading *r, const struct node *n, const struct pairs *out)
{
	if (out->n + n->count <= PAIRS_MAX)
		return false;
	shape_fault(r, shape_origin(r, n), SEVERITY_ERROR, "%.*s has more than %d entries and is left out",
		    STRF(shape_path(r, n)), PAIRS_MAX);
	return true;
}

static void take_text_map(struct reading *r, const struct node *n, struct pairs *out)
{
	if (out && is_too_long(r, n, out))
		return;
	if (out)
		pairs_make_room(out, n->count, r->arena);
	for (const struct node *m = n->first; m; m = m->next) {
		struct str value = shape_text(r, m);

		if (out && (m->kind == NODE_NULL || m->kind == NODE_STRING))
			pairs_put(out, (struct pair){arena_str(r->arena, m->key), value, shape_key_origin(r, m)});
	}
}

static void take_map(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	for (const struct node *m = n->first; m; m = m->next)
		f->take(r, f, m, out);
}

/* What null makes of it: pointers, maps and lists are emptied, the rest stays. */
static void take_null(struct reading *r, const struct field *f, void *to, void *out)
{
	if (f->want == WANT_TEXTS && to)
		*(struct texts *)to = (struct texts){0};
	else if (f->want == WANT_TEXT_MAP && to)
		*(struct pairs *)to = (struct pairs){0};
	else if (f->want == WANT_OBJECT && to)
		memset(to, 0, f->shape->bytes);
	else if ((f->want == WANT_MAP || f->want == WANT_OBJECT) && f->take)
		f->take(r, f, NULL, out);
}

static void take_object(struct reading *r, const struct field *f, const struct node *n, void *to)
{
	shape_take(r, f->shape, n, to);
	if (to)
		*(bool *)((char *)to + f->shape->given_at) = true;
}

static void take_value(struct reading *r, const struct field *f, const struct node *n, void *to, void *out)
{
	switch (f->want) {
	case WANT_TEXT:
		if (to)
			*(struct str *)to = arena_str(r->arena, n->text);
		break;
	case WANT_BOOL:
		if (to)
			*(int *)to = str_eqz(n->text, "true");
		break;
	case WANT_INT:
		if (to)
			CHECK(str_to_i64(n->text, to));
		break;
	case WANT_TEXTS:
		take_texts(r, n, to);
		break;
	case WANT_TEXT_MAP:
		take_text_map(r, n, to);
		break;
	case WANT_OBJECT:
		take_object(r, f, n, to);
		break;
	case WANT_MAP:
		take_map(r, f, n, out);
		break;
	case WANT_ANY:
	case WANT_NUMBER:
		break;
	}
}

static void take_member(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	void *to = out && f->at != NOT_KEPT ? (char *)out + f->at : NULL;

	if (n->kind == NODE_NULL) {
		take_null(r, f, to, out);
		return;
	}
	if (!shape_is(r, n, f->want))
		return;
	if (f->take && f->want != WANT_MAP)
		f->take(r, f, n, out);
	else
		take_value(r, f, n, to, out);
}

/* ---- members ---- */

static const struct field *find_field(const struct shape *s, const struct node *member)
{
	for (size_t i = 0; i < s->count; i++)
		if (node_is_field(member, str_of(s->fields[i].key)))
			return &s->fields[i];
	return NULL;
}

/* Members that nobody knows are nobody's business, unless they look like a slip. "_…" is how people comment. */
static void look_at_unknown(struct reading *r, const struct shape *s, const struct node *m)
{
	struct guess g = guess_for(m->key);

	if (m->key.n == 0 || m->key.p[0] == '_')
		return;
	for (size_t i = 0; i < s->count; i++)
		guess_offer(&g, str_of(s->fields[i].key));
	if (g.nearest.n && !is_full(r))
		shape_fault(r, shape_key_origin(r, m), SEVERITY_WARNING, "unknown key \"%.*s\"; did you mean %.*s?",
			    STRF(shape_path(r, m)), STRF(g.nearest));
}

void shape_take(struct reading *r, const struct shape *s, const struct node *n, void *out)
{
	if (!shape_is(r, n, WANT_OBJECT))
		return;
	for (const struct node *m = n->first; m; m = m->next) {
		const struct field *f = find_field(s, m);

		if (!f) {
			look_at_unknown(r, s, m);
			continue;
		}
		r->own += f->own;
		take_member(r, f, m, out);
		r->own -= f->own;
	}
}

/* ---- copies ---- */

static void keep_texts(struct texts *t, struct arena *a)
{
	struct str *v = ARENA_ARRAY(a, struct str, t->n);

	for (size_t i = 0; v && i < t->n; i++)
		v[i] = arena_str(a, t->v[i]);
	t->n = v ? t->n : 0;
	t->v = v;
}

static void keep_pairs(struct pairs *p, struct arena *a)
{
	pairs_make_room(p, 0, a);
	for (size_t i = 0; i < p->n; i++) {
		p->v[i].key = arena_str(a, p->v[i].key);
		p->v[i].value = arena_str(a, p->v[i].value);
	}
}

void shape_keep(const struct shape *s, void *of, struct arena *a)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];
		void *at;

		if (f->at == NOT_KEPT)
			continue;
		at = (char *)of + f->at;
		if (f->want == WANT_TEXT)
			*(struct str *)at = arena_str(a, *(struct str *)at);
		else if (f->want == WANT_TEXTS)
			keep_texts(at, a);
		else if (f->want == WANT_TEXT_MAP)
			keep_pairs(at, a);
		else if (f->want == WANT_OBJECT)
			shape_keep(f->shape, at, a);
	}
}
