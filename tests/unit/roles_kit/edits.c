/* Trees are compared member by member, texts from both ends, and what counts is found by following Go's rules. */
#include "roles_kit/edits.h"

#include "base/magic.h"
#include "roles_kit/any_document.h"

#include <string.h>

enum { MANY = 64 };

/* Nodes that stand for one way. n may be more than there is room for: then nothing is said about them. */
struct nodes {
	const struct node *v[MANY];
	size_t n;
};

struct way way_of(struct str written)
{
	struct way w = {.depth = 0};

	do {
		struct str name = str_cut(written, '/', &written);
		bool entry = name.n && name.p[0] == ':';

		w.keys[w.depth++] = (struct edit_key){entry ? (struct str){name.p + 1, name.n - 1} : name, entry};
	} while (written.p && w.depth < WAY_STEPS);
	return w;
}

struct way any_way(struct rng *r, const struct doc *d)
{
	const struct node *n = d->root;
	struct way w = {.depth = 0};

	while (w.depth == 0 || (w.depth < 4 && rng_below(r, 2))) {
		const struct node *m = n && n->kind == NODE_OBJECT && n->count && rng_below(r, 3) ? n->first : NULL;

		for (uint64_t i = m ? rng_below(r, n->count) : 0; i; i--)
			m = m->next;
		w.keys[w.depth++] = (struct edit_key){m ? m->key : any_name(r), rng_below(r, 2)};
		n = m;
	}
	return w;
}

struct str any_value(struct rng *r)
{
	static const char *const values[] = {"\"gemini\"",
					     "null",
					     "[]",
					     "{}",
					     "-1.5",
					     "{\"command\": \"x\"}",
					     "{\n  \"a\": [\n    1,\n    \"\\n\"\n  ],\n  \"b\": {}\n}"};

	return str_of(values[rng_below(r, sizeof(values) / sizeof(values[0]))]);
}

/* ---- what stands for a way ---- */

static bool is_step(const struct node *member, const struct edit_key *key)
{
	return key->entry ? str_eq(member->key, key->name) : node_is_field(member, key->name);
}

static void add(struct nodes *to, const struct node *n)
{
	to->v[to->n++ % MANY] = n;
}

typedef void take_fn(struct nodes *to, const struct node *member, const struct edit_key *key, bool last_step);

static struct nodes follow(const struct node *root, const struct way *w, take_fn *take)
{
	struct nodes here = {.v = {root}, .n = 1};

	for (size_t i = 0; i < w->depth; i++) {
		struct nodes next = {.n = 0};

		for (size_t k = 0; k < here.n && k < MANY; k++)
			for (const struct node *m = here.v[k]->kind == NODE_OBJECT ? here.v[k]->first : NULL; m;
			     m = m->next)
				if (is_step(m, &w->keys[i]))
					take(&next, m, &w->keys[i], i + 1 == w->depth);
		here = next;
		if (here.n > MANY)
			break;
	}
	return here;
}

/* Entries replace each other, null forgets. */
static void take_what_counts(struct nodes *to, const struct node *member, const struct edit_key *key,
			     bool last_step)
{
	if (key->entry || (member->kind == NODE_NULL && !last_step))
		to->n = 0;
	if (member->kind != NODE_NULL || last_step)
		add(to, member);
}

static void take_all(struct nodes *to, const struct node *member, const struct edit_key *key, bool last_step)
{
	if (key->entry && !last_step)
		to->n = 0;
	add(to, member);
}

/* ---- comparing ---- */

static const struct node *next_that_stays(const struct node *n, const struct nodes *gone)
{
	for (; n; n = n->next) {
		bool goes = false;

		for (size_t i = 0; i < gone->n; i++)
			goes |= gone->v[i] == n;
		if (!goes)
			break;
	}
	return n;
}

/* Both without some of their nodes. */
static bool same_without(const struct node *x, const struct nodes *gone, const struct node *y,
			 const struct nodes *come)
{
	const struct node *m = next_that_stays(x->first, gone), *n = next_that_stays(y->first, come);

	if (x->kind != y->kind || !str_eq(x->text, y->text))
		return false;
	for (; m && n; m = next_that_stays(m->next, gone), n = next_that_stays(n->next, come))
		if (!str_eq(m->key, n->key) || !same_without(m, gone, n, come))
			return false;
	return !m && !n;
}

static const struct nodes none;

static bool same(const struct node *x, const struct node *y)
{
	return same_without(x, &none, y, &none);
}

/* The old text is the new one but for one span; *from to *to of the old text were replaced. */
static void one_span(struct str old, struct str new, size_t *from, size_t *to)
{
	size_t head = 0, tail = 0;

	while (head < old.n && head < new.n &&old.p[head] == new.p[head])
		head++;
	while (tail < old.n - head && tail < new.n - head &&old.p[old.n - 1 - tail] == new.p[new.n - 1 - tail])
		tail++;
	*from = head;
	*to = old.n - tail;
}

static size_t newlines(struct str s, bool lone)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n' && !(lone && i && s.p[i - 1] == '\r');
	return n;
}

/* ---- judging ---- */

static bool refused_with_reason(const struct doc *d, const struct way *w, struct str value, const struct problem *p,
				struct arena *a)
{
	bool names = true;
	struct doc v;

	for (size_t i = 0; i < w->depth; i++)
		names = names && str_is_utf8(w->keys[i].name);
	if (p->err == ERR_TOO_LARGE)
		return d->text.n + value.n > DOC_MAX_BYTES / 2;
	return p->err == ERR_INVALID && (!names || doc_parse(STR("v"), value, a, &v, NULL) ||
					 strstr(p->detail, "not an object; correct it first") ||
					 strstr(p->detail, "nested deeper") || strstr(p->detail, "\\u0000"));
}

/* One member came, or one value became another; in between only white space of {} or a null on the way went. */
static const char *judge_span(const struct doc *d, const struct nodes *was, struct str out)
{
	struct str gone;
	size_t from, to;

	one_span(d->text, out, &from, &to);
	if (was->n)
		return was->v[0]->from <= from && to <= was->v[0]->to ? NULL : "bytes outside the value changed";
	gone = (struct str){d->text.p + from, to - from};
	return str_trim(gone).n == 0 || str_eqz(gone, "null") ? NULL : "more than white space went";
}

static const char *judge_read_back(const struct doc *after, const struct way *w, struct str value, struct arena *a)
{
	struct nodes read = follow(after->root, w, take_what_counts);
	struct doc v;

	if (doc_parse(STR("v"), value, a, &v, NULL))
		return "it took a value that is no JSON";
	if (read.n == 0 || read.n > MANY || !same(read.v[read.n - 1], v.root))
		return read.n > MANY ? NULL : "the value is not read back";
	if ((w->keys[w->depth - 1].entry || v.root->kind == NODE_OBJECT || v.root->kind == NODE_NULL) && read.n > 1)
		return "something is merged into the value";
	return NULL;
}

static const char *judge_layout(const struct doc *d, struct str out)
{
	bool one_line = newlines(d->text, false) == 0 && d->root && d->root->count;

	if (one_line && newlines(out, false))
		return "one line became several";
	if (newlines(d->text, false) && !newlines(d->text, true) && newlines(out, true))
		return "line ends are mixed";
	return NULL;
}

/* Of several that stood for the way some may have gone; everything that did not stand for it is still there. */
static const char *judge_others(const struct doc *d, const struct doc *after, const struct way *w)
{
	struct nodes before = follow(d->root, w, take_all), now = follow(after->root, w, take_all);

	return before.n > MANY || same_without(d->root, &before, after->root, &now) ? NULL
										    : "another member changed";
}

static const char *judge_rest(const struct doc *d, const struct doc *after, const struct way *w, struct str value,
			      struct arena *a)
{
	struct nodes was = follow(d->root, w, take_what_counts);
	struct str out = after->text, again;

	if (was.n > 1)
		return judge_others(d, after, w);
	if (edit_set(after, w->keys, w->depth, value, a, &again, NULL) || !str_eq(out, again))
		return "doing it again changes something";
	return str_eq(out, d->text) ? NULL : judge_span(d, &was, out);
}

const char *judge_set(const struct doc *d, const struct way *w, struct str value, struct arena *a, struct str *out)
{
	struct problem p = {0};
	struct doc after;
	const char *wrong;

	*out = (struct str){0};
	if (edit_set(d, w->keys, w->depth, value, a, out, &p)) {
		*out = (struct str){0};
		return refused_with_reason(d, w, value, &p, a) ? NULL : "it was refused without reason";
	}
	if (doc_parse(STR("after"), *out, a, &after, NULL))
		return "the new text cannot be read";
	wrong = judge_read_back(&after, w, value, a);
	if (!wrong && d->root)
		wrong = judge_layout(d, *out);
	return wrong || !d->root || d->root->kind == NODE_NULL ? wrong : judge_rest(d, &after, w, value, a);
}

const char *judge_unset(const struct doc *d, const struct way *w, struct arena *a, struct str *out)
{
	struct nodes gone = follow(d->root, w, take_all);
	struct doc after;
	size_t from, to;

	*out = (struct str){0};
	if (edit_unset(d, w->keys, w->depth, a, out, NULL))
		return "it was refused";
	if (gone.n > MANY)
		return NULL;
	if (gone.n == 0)
		return out->p == d->text.p && out->n == d->text.n ? NULL : "there was none, and the text changed";
	if (doc_parse(STR("after"), *out, a, &after, NULL))
		return "the new text cannot be read";
	if (!same_without(d->root, &gone, after.root, &none))
		return "another member went, or one stayed";
	one_span(d->text, *out, &from, &to);
	return gone.n > 1 || out->n == d->text.n - (to - from) ? NULL : "something was put in";
}
