/*
 * A file of a town: doc_parse() and jansson agree whether it is JSON and what stands in it, what is wrong has a
 * place in it, and every value's bytes are that value.
 */
#include "base/magic.h"
#include "roles/doc.h"
#ifdef HAS_JANSSON
#include "tests/unit/roles_kit/doc_oracle.h"
#endif

#include <string.h>

enum { ARENA_MAX = 256 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_problem(const struct doc *d, const struct problem *p)
{
	size_t line_start = 0;

	CHECK(p->err == ERR_MALFORMED && str_is_utf8(str_of(p->detail)) &&
	      strstr(p->detail, "f.json:") == p->detail);
	for (int line = 1; line < p->line; line++) {
		const char *end = memchr(d->text.p + line_start, '\n', d->text.n - line_start);

		CHECK(end);
		line_start = (size_t)(end - d->text.p) + 1;
	}
	CHECK(p->line >= 1 && p->column >= 1 && line_start + (size_t)p->column - 1 <= d->text.n);
}

static void check_node(const struct doc *d, const struct node *n, struct arena *a)
{
	struct doc alone;
	uint32_t count = 0;

	CHECK(n->from < n->to && n->to <= d->text.n);
	CHECK(doc_place(d, n).column >= 1 && doc_place(d, n).line <= (int)d->line_count);
	CHECK(doc_parse(STR("f.json"), (struct str){d->text.p + n->from, n->to - n->from}, a, &alone, NULL) == OK);
	CHECK(alone.root->kind == n->kind && alone.root->count == n->count && str_eq(alone.root->text, n->text));
	for (const struct node *child = n->first; child; child = child->next, count++) {
		CHECK(child->parent == n && n->from < child->from && child->to < n->to);
		CHECK(n->kind != NODE_OBJECT || (node_member(n, child->key) && node_entry(n, child->key)));
	}
	CHECK(count == n->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(ARENA_MAX);
	struct problem p = {0};
	struct doc d;
	enum err e = doc_parse(STR("f.json"), (struct str){(const char *)data, size}, a, &d, &p);

	CHECK((e == OK) == (d.root != NULL));
	if (e)
		check_problem(&d, &p);
	else
		check_node(&d, d.root, a);
	for (const struct node *n = d.root ? d.root->first : NULL; n; n = n->next)
		check_node(&d, n, a);
#ifdef HAS_JANSSON
	CHECK(doc_oracle(&d, &p) == NULL);
#endif
	arena_destroy(&a);
	return 0;
}
