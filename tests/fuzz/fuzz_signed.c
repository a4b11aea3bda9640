/*
 * Signed requests: whatever the headers are, what is taken says who, and was made of what came.
 *
 * The input is lines: method, path, query, then headers as "name: value"; what follows an empty line is the body.
 */
#include "base/magic.h"
#include "directory/signed.h"

#include <string.h>

enum { ARENA_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str find_header(const void *ctx, struct str name)
{
	struct str rest = *(const struct str *)ctx, line;

	while (rest.n) {
		struct str value;

		line = str_cut(rest, '\n', &rest);
		if (str_eq_nocase(str_cut(line, ':', &value), name))
			return str_trim(value.p ? value : STR(""));
	}
	return (struct str){0};
}

static bool holds(struct str text, struct str part)
{
	return part.n == 0 || memmem(text.p, text.n, part.p, part.n);
}

/* Whose body stands in a digest. */
static bool is_a_message(const struct signed_request *r)
{
	return !r->header(r->ctx, STR("x-agent-signature")).p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size}, headers;
	struct signed_request r = {.header = find_header, .ctx = &headers};
	struct arena *a = arena_new(ARENA_MAX);
	struct signed_claim claim;
	struct problem p = {0};
	const char *end;
	enum err e;

	r.method = str_cut(rest, '\n', &rest);
	r.path = str_cut(rest, '\n', &rest);
	r.query = str_cut(rest, '\n', &rest);
	headers = rest;
	end = rest.n ? memmem(rest.p, rest.n, "\n\n", 2) : NULL;
	if (end) {
		headers.n = (size_t)(end - rest.p);
		r.body = (struct str){end + 2, rest.n - headers.n - 2};
	}
	e = signed_read(&r, INT64_C(1800000000000), a, &claim, &p);
	if (e == OK)
		CHECK(claim.agent.n && holds(claim.text, r.method) &&
		      (is_a_message(&r) || holds(claim.text, r.body)));
	else
		CHECK(p.detail[0]);
	arena_destroy(&a);
	return 0;
}
