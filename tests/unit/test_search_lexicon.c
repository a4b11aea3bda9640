/* Neighbours found by the walk along sorted words are those that a plain table of distances finds. */
#include "harness.h"

#include "search/lexicon_priv.h"
#include "search/words_priv.h"

#include "base/buf.h"

enum { WORDS = 4000, LETTERS_MAX = 11, ASKED = 400 };

static const struct search_field field = {"name", 1, 0, 1, false};

/* The first ones are common; some take two bytes, so that characters cross the eighth. */
static const char *const letters[] = {"a", "a", "b", "b", "c", "d", "\xd0\xb1", "\xd0\xb3", "z"};

static struct str any_word(struct rng *r, struct buf *b)
{
	size_t from = b->n;

	for (uint64_t n = 1 + rng_below(r, LETTERS_MAX); n > 0; n--)
		buf_z(b, letters[rng_below(r, COUNT_OF(letters))]);
	return (struct str){b->p + from, b->n - from};
}

static size_t spell(struct str s, uint32_t out[LETTERS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i += str_utf8_step((struct str){s.p + i, s.n - i}))
		out[n++] = (uint32_t)(unsigned char)s.p[i] << 8 |
			   ((unsigned char)s.p[i] < 0x80 ? 0U : (unsigned char)s.p[i + 1]);
	return n;
}

static uint32_t least_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment, all of the table. */
static uint32_t distance(struct str a, struct str b)
{
	uint32_t x[LETTERS_MAX], y[LETTERS_MAX], d[LETTERS_MAX + 1][LETTERS_MAX + 1];
	size_t n = spell(a, x), m = spell(b, y);

	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			d[i][j] = (uint32_t)(i ? i : j);
			if (!i || !j)
				continue;
			d[i][j] = least_of(d[i - 1][j - 1] + (x[i - 1] != y[j - 1]),
					   least_of(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
				d[i][j] = least_of(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

static bool is_near(struct str a, struct str b, uint32_t edits)
{
	uint32_t x[LETTERS_MAX], y[LETTERS_MAX], d = distance(a, b);

	spell(a, x);
	spell(b, y);
	return d <= edits && (d < 2 || x[0] == y[0]);
}

struct seen {
	struct str asked;
	uint32_t edits, n;
};

static void see(void *whose, const struct word *w, uint32_t edits)
{
	struct seen *seen = whose;

	assert_int_equal(edits, distance(seen->asked, word_text(w)));
	assert_true(is_near(seen->asked, word_text(w), seen->edits));
	seen->n++;
}

static uint32_t near_ones(struct gen *g, struct str asked, uint32_t edits)
{
	uint32_t n = 0;

	for (uint32_t id = 0; id < g->word_end; id++) {
		struct word *w = word_at(g, id);

		n += w && w->listed && w->docs && is_near(asked, word_text(w), edits);
	}
	return n;
}

static void neighbours_are_those_of_a_plain_table(void **state)
{
	struct search_config config = {.fields = &field, .field_count = 1};
	struct search *s = search_new(&config);
	struct rng r = test_seed();
	struct buf b = BUF_INIT(0);

	(void)state;
	for (int64_t id = 0; id < WORDS; id++) {
		buf_reset(&b);
		assert_int_equal(
			search_put(s, &(struct search_doc){.id = id, .texts = (struct str[]){any_word(&r, &b)}}),
			OK);
	}
	for (uint32_t i = 0; i < ASKED; i++) {
		struct seen seen = {.edits = 1 + i % EDITS_MAX};

		buf_reset(&b);
		seen.asked = any_word(&r, &b);
		lexicon_similar(writer_gen(s), seen.asked, seen.edits, see, &seen);
		assert_int_equal(seen.n, near_ones(writer_gen(s), seen.asked, seen.edits));
	}
	buf_free(&b);
	search_destroy(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_are_those_of_a_plain_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
