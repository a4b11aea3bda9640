/*
 * json_check() beside jansson, over random documents and what becomes of them when bytes are changed.
 *
 * They differ on purpose in two things: we refuse nesting deeper than JSON_DEPTH_MAX, and jansson refuses numbers
 * that no double holds.
 */
#include "harness.h"

#include "json_kit/fill.h"
#include "json_kit/oracle.h"

enum { DOCUMENTS = 10000, CHANGES = 12, DOCUMENT_MAX = 2000 };

struct document {
	char bytes[DOCUMENT_MAX + 64];
	size_t n;
};

/* What a change puts in: tokens and pieces that stand near the edges of the grammar. */
static const char *const pieces[] = {
	"{",        "}",
	"[",        "]",
	",",        ":",
	"\"",       "\\",
	"0",        "-",
	"1e5",      ".",
	"\\u0000",  "\\ud83d",
	"\\ude00",  "\\u00e9",
	"\n",       " ",
	"\x01",     "\x7f",
	"\xc3",     "\xa9",
	"\xed\xa0", "\xf4\x90",
	"true",     "null",
	"\"a\"",    "\"a\":1,",
	"00",       "\"\\u0061\":2,",
	"e",        "\\",
	"E+",       "\xef\xbb\xbf",
	"//",       "\t",
	"{}",       "[]",
	"\x80",     "\xf0\x9f\x98\x80",
};

static void put_piece(struct document *d, size_t at, size_t removed, const char *piece, size_t n)
{
	if (d->n - removed + n > sizeof(d->bytes))
		return;
	memmove(d->bytes + at + n, d->bytes + at + removed, d->n - at - removed);
	memcpy(d->bytes + at, piece, n);
	d->n += n - removed;
}

static void change(struct document *d, struct rng *r)
{
	size_t at = (size_t)rng_below(r, d->n + 1), left = d->n - at;
	const char *piece = pieces[rng_below(r, COUNT_OF(pieces))];
	char byte = (char)rng_u64(r);

	switch (rng_below(r, 4)) {
	case 0:
		put_piece(d, at, 0, piece, strlen(piece));
		break;
	case 1:
		put_piece(d, at, left ? 1 : 0, piece, strlen(piece));
		break;
	case 2:
		put_piece(d, at, left ? (size_t)rng_below(r, left < 4 ? left : 4) + 1 : 0, "", 0);
		break;
	default:
		put_piece(d, at, left ? 1 : 0, &byte, 1);
		break;
	}
}

/* The text is given at the end of its memory, so that the sanitizers see a byte read too many. */
static void compare(const struct document *d, unsigned *valid, unsigned *invalid)
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
		struct document d = {.n = text.n};

		memcpy(d.bytes, text.p, text.n);
		compare(&d, &valid, &invalid);
		for (unsigned k = 0; k < CHANGES; k++) {
			change(&d, &r);
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
