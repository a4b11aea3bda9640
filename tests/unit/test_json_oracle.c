/*
 * json_check() beside jansson, over random documents and what becomes of them when bytes are changed.
 *
 * They differ on purpose in two things: we refuse nesting deeper than JSON_DEPTH_MAX, and jansson refuses numbers
 * that no double holds.
 */
#include "harness.h"

#include "json_kit/fill.h"
#include "json_kit/mutant.h"
#include "json_kit/oracle.h"

enum { DOCUMENTS = 10000, CHANGES = 12, DOCUMENT_MAX = 2000 };

/* The text is given at the end of its memory, so that the sanitizers see a byte read too many. */
static void compare(const struct mutant *d, unsigned *valid, unsigned *invalid)
{
	char *exact = malloc(d->n ? d->n : 1);
	struct str text = {exact, d->n};
	struct problem p = {0};
	enum oracle_says says;
	enum err e;

	memcpy(exact, d->bytes, d->n);
	says = oracle_check(text);
	e = json_check(text, &p);
	if (says != ORACLE_CANNOT_SAY && (says == ORACLE_VALID) != (e == OK))
		fail_msg("jansson says %s, we say '%s' at %d:%d of: %.*s",
			 says == ORACLE_VALID ? "valid" : "invalid", e ? p.detail : "valid", p.line, p.column,
			 STRF(text));
	*valid += e == OK;
	*invalid += e != OK;
	free(exact);
}

static void random_documents_and_their_mutants(void **state)
{
	struct rng r = test_seed();
	struct arena *a = arena_new(1 << 20);
	unsigned valid = 0, invalid = 0;

	(void)state;
	for (unsigned i = 0; i < DOCUMENTS; i++) {
		struct str text = fill_json(&r, a, DOCUMENT_MAX);
		struct mutant d = {.n = text.n};

		memcpy(d.bytes, text.p, text.n);
		compare(&d, &valid, &invalid);
		for (unsigned k = 0; k < CHANGES; k++) {
			mutant_change(&d, &r);
			compare(&d, &valid, &invalid);
		}
		arena_reset(a);
	}
	printf("# %u valid, %u invalid\n", valid, invalid);
	assert_true(valid > DOCUMENTS && invalid > DOCUMENTS); /* both sides of the line are explored */
	arena_destroy(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_documents_and_their_mutants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
