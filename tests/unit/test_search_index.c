/* What the index promises its callers: limits, sensible answers to odd questions, pages, reasons, and its memory.
 */
#include "harness.h"

#include "search/lexicon_priv.h"
#include "search/search.h"
#include "search/words_priv.h"
#include "search_kit/oracle.h"

#include "base/buf.h"

#include <malloc.h>
#include <math.h>

static const struct search_field fields[] = {{"name", 4, 0.3, 4, true}, {"text", 1, 0.75, 10, false}};
static const char *const dimensions[] = {"type", "status"};
static const struct search_config config = {
	.fields = fields,
	.field_count = 2,
	.dimensions = dimensions,
	.dimension_count = 2,
};

struct kit {
	struct search *s;
	struct search_reader *r;
	struct search_result found;
};

static void put(struct kit *k, int64_t id, const char *name, const char *text)
{
	struct str texts[] = {str_of(name), str_of(text)};
	struct search_value values[] = {{0, STR("tool")}, {1, STR("online")}};

	assert_int_equal(search_put(k->s, &(struct search_doc){id, texts, values, 2, 0}), OK);
}

static int begin(void **state)
{
	struct kit *k = calloc(1, sizeof(*k));

	k->s = search_new(&config);
	k->r = search_reader_new(k->s);
	put(k, 1, "kubernetes-mcp-server", "Manage a Kubernetes cluster from your assistant");
	put(k, 2, "weather", "Forecasts of the weather for any city in the world");
	put(k, 3, "io.github.someone/pdf-reader", "Reads PDF files and converts them to plain text");
	put(k, 4, "cluster-tools", "Small tools for the administration of clusters");
	put(k, 5, "日本語辞書", "日本語 の 辞書");
	put(k, 6, "to-do", "What is to be done");
	*state = k;
	return 0;
}

static int end(void **state)
{
	struct kit *k = *state;

	search_reader_destroy(&k->r);
	search_destroy(&k->s);
	free(k);
	return 0;
}

static size_t ask(struct kit *k, struct search_query q)
{
	if (!q.limit)
		q.limit = 10;
	q.why = true;
	assert_int_equal(search_query(k->r, &q, &k->found), OK);
	return k->found.hit_count;
}

static int64_t first(struct kit *k, const char *text)
{
	return ask(k, (struct search_query){.text = str_of(text), .typos = true}) ? k->found.hits[0].id : -1;
}

static void words_find_what_people_mean(void **state)
{
	struct kit *k = *state;

	assert_int_equal(first(k, "kubernetes"), 1);
	assert_int_equal(first(k, "KUBERNETES clusters"), 1);
	assert_int_equal(first(k, "kuberentes"), 1);
	assert_int_equal(first(k, "forecasting"), 2);
	assert_int_equal(first(k, "read pdf"), 3);
	assert_int_equal(first(k, "pdf reader"), 3);
	assert_int_equal(first(k, "pdfreader"), 3);
	assert_int_equal(first(k, "cluster tools"), 4);
	assert_int_equal(first(k, "日本語"), 5);
	assert_int_equal(first(k, "本"), 5);
	assert_int_equal(first(k, "to do"), 6);
	assert_int_equal(first(k, "the of to"), 2); /* only stop words: they count then */
}

static void odd_questions_get_sensible_answers(void **state)
{
	static const char *const nothing[] = {"🚀", "!!!", "\xff\xfe", "שלום", "zzzzqqqq", "-", "\"'"};
	struct kit *k = *state;

	for (size_t i = 0; i < COUNT_OF(nothing); i++)
		assert_int_equal(ask(k, (struct search_query){.text = str_of(nothing[i]), .typos = true}), 0);
	assert_int_equal(ask(k, (struct search_query){.text = STR("weather\0city")}), 1);
	assert_int_equal(ask(k, (struct search_query){.text = STR("")}), 6);
	assert_int_equal(ask(k, (struct search_query){.text = STR("  \n ")}), 6);
}

static void a_long_question_is_answered_by_its_first_words(void **state)
{
	struct kit *k = *state;
	struct buf b = BUF_INIT(0);

	buf_z(&b, "weather ");
	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, "word%d ", i);
	assert_int_equal(ask(k, (struct search_query){.text = buf_str(&b)}), 1);
	assert_int_equal(k->found.words, SEARCH_QUERY_WORDS_MAX);
	assert_int_equal(k->found.words_left_out, 1001 - SEARCH_QUERY_WORDS_MAX);
	buf_reset(&b);
	for (int i = 0; i < 5000; i++)
		buf_z(&b, "a ");
	assert_int_equal(ask(k, (struct search_query){.text = buf_str(&b)}), 1); /* one word, said often */
	buf_free(&b);
}

static enum err refused(struct kit *k, struct search_query q)
{
	return search_query(k->r, &q, &k->found);
}

static void limits_are_told(void **state)
{
	struct kit *k = *state;
	struct search_value unknown = {2, STR("x")}, many[SEARCH_FILTERS_MAX + 1] = {{0}};
	char *text = calloc(1, SEARCH_TEXT_BYTES_MAX + 1);
	struct str texts[] = {{text, SEARCH_TEXT_BYTES_MAX}, {text, 1}};
	struct search_value longer = {0, {text, SEARCH_VALUE_BYTES_MAX + 1}};

	assert_int_equal(refused(k, (struct search_query){.limit = 0}), ERR_INVALID);
	assert_int_equal(refused(k, (struct search_query){.limit = SEARCH_HITS_MAX + 1}), ERR_INVALID);
	assert_int_equal(refused(k, (struct search_query){.limit = 1, .offset = SEARCH_HITS_MAX}), ERR_INVALID);
	assert_int_equal(refused(k, (struct search_query){.limit = 1, .text = {text, SEARCH_QUERY_BYTES_MAX + 1}}),
			 ERR_INVALID);
	assert_int_equal(refused(k, (struct search_query){.limit = 1, .filters = &unknown, .filter_count = 1}),
			 ERR_INVALID);
	assert_int_equal(
		refused(k, (struct search_query){.limit = 1, .filters = many, .filter_count = COUNT_OF(many)}),
		ERR_INVALID);
	assert_int_equal(refused(k, (struct search_query){.limit = 1, .facets = 4}), ERR_INVALID);
	assert_int_equal(refused(k, (struct search_query){.limit = 1, .after = true, .after_score = (double)NAN}),
			 ERR_INVALID);
	assert_int_equal(search_put(k->s, &(struct search_doc){9, texts, NULL, 0, 0}), ERR_INVALID);
	texts[0].n--;
	assert_int_equal(search_put(k->s, &(struct search_doc){9, texts, &longer, 1, 0}), ERR_INVALID);
	assert_int_equal(search_put(k->s, &(struct search_doc){9, texts, NULL, 0, (double)NAN}), OK);
	assert_int_equal(search_set_values(k->s, 10, 0, NULL, 0), ERR_NOT_FOUND);
	assert_int_equal(search_set_values(k->s, 9, 2, NULL, 0), ERR_INVALID);
	assert_true(search_remove(k->s, 9) && !search_remove(k->s, 9));
	free(text);
}

static void an_edited_cursor_is_a_place_like_any_other(void **state)
{
	struct kit *k = *state;
	static const double scores[] = {0, 1e-300, 3.14, 1e300, (double)INFINITY};

	for (size_t i = 0; i < COUNT_OF(scores); i++)
		ask(k, (struct search_query){.text = STR("cluster"),
					     .after = true,
					     .after_score = scores[i],
					     .after_id = INT64_MIN});
	assert_int_equal(k->found.hit_count, 2); /* after infinity comes everything */
}

static void a_hit_says_why(void **state)
{
	struct kit *k = *state;
	const struct search_hit *hit;

	assert_int_equal(first(k, "kuberentes clusters"), 1);
	hit = &k->found.hits[0];
	assert_true(hit->all_words_points > 0);
	assert_int_equal(hit->why_count, 3);
	assert_str(hit->why[0].asked, "kuberentes");
	assert_str(hit->why[0].found, "kubernetes");
	assert_int_equal(hit->why[0].field, 0);
	assert_int_equal(hit->why[1].field, 1);
	assert_true(hit->why[0].points > hit->why[1].points);
	assert_str(hit->why[2].found, "cluster");
	assert_int_equal(first(k, "weather"), 2);
	hit = &k->found.hits[0];
	assert_true(hit->why[hit->why_count - 1].exact_name);
}

static void a_word_can_be_unfinished(void **state)
{
	struct kit *k = *state;

	for (size_t n = 1; n <= 10; n++) {
		struct str text = {"kubernetes", n};

		assert_true(ask(k, (struct search_query){.text = text, .prefix = true}) > 0);
		assert_int_equal(k->found.hits[0].id, 1);
	}
	assert_int_equal(ask(k, (struct search_query){.text = STR("kube")}), 0);
}

static void a_status_flips_without_the_text(void **state)
{
	struct kit *k = *state;
	struct search_stats before, after;
	struct search_value online = {1, STR("online")};
	struct search_query q = {.text = STR("weather"), .filters = &online, .filter_count = 1};
	struct str offline = STR("offline");

	search_stats_get(k->s, &before);
	assert_int_equal(ask(k, q), 1);
	assert_int_equal(search_set_values(k->s, 2, 1, &offline, 1), OK);
	assert_int_equal(ask(k, q), 0);
	assert_int_equal(search_set_values(k->s, 2, 1, &online.text, 1), OK);
	assert_int_equal(ask(k, q), 1);
	search_stats_get(k->s, &after);
	assert_int_equal(after.postings, before.postings);
	assert_int_equal(after.postings_dead, 0);
}

/* ---- at some size ---- */

static void add_random_word(struct buf *b, struct rng *r, size_t letters)
{
	for (size_t n = 2 + rng_below(r, 10); n > 0; n--)
		buf_c(b, (char)('a' + (int)rng_below(r, letters)));
}

struct near {
	const struct kit *k;
	struct str word;
	uint32_t edits;
	size_t found;
};

static void is_near(void *whose, const struct word *w, uint32_t edits)
{
	struct near *n = whose;

	assert_int_equal(edits, oracle_edits(n->word, word_text(w)));
	n->found++;
}

static size_t near_by_looking_at_all(struct gen *g, struct str word, uint32_t edits)
{
	size_t n = 0;

	for (uint32_t id = 0; id < g->word_end; id++) {
		const struct word *w = word_at(g, id);
		unsigned e;

		if (!w || !w->listed || !atomic_load(&((struct word *)(uintptr_t)w)->docs))
			continue;
		e = oracle_edits(word, word_text(w));
		n += e <= edits && (e < 2 || w->text[0] == word.p[0]);
	}
	return n;
}

static void neighbours_are_those_of_the_whole_table(void **state)
{
	struct kit *k = *state;
	struct rng r = test_seed();
	struct buf b = BUF_INIT(0);

	for (int64_t id = 100; id < 1100; id++) {
		buf_reset(&b);
		for (int i = 0; i < 5; i++) {
			add_random_word(&b, &r, 3 + (size_t)(id % 4));
			buf_c(&b, ' ');
		}
		put(k, id, "n", buf_cstr(&b));
	}
	for (int i = 0; i < 150; i++) {
		struct near n = {.k = k, .edits = 1 + (uint32_t)rng_below(&r, 2)};

		buf_reset(&b);
		add_random_word(&b, &r, 5);
		n.word = buf_str(&b);
		lexicon_similar(writer_gen(k->s), n.word, n.edits, is_near, &n);
		assert_int_equal(n.found, near_by_looking_at_all(writer_gen(k->s), n.word, n.edits));
	}
	buf_free(&b);
}

static void fill(struct kit *k, struct rng *r, int64_t from, int64_t to)
{
	struct buf b = BUF_INIT(0);

	for (int64_t id = from; id < to; id++) {
		buf_reset(&b);
		for (int i = 0; i < 20; i++) {
			add_random_word(&b, r, 4);
			buf_c(&b, ' ');
		}
		put(k, id, "name", buf_cstr(&b));
	}
	buf_free(&b);
}

#if !HAS_ASAN && !HAS_TSAN
/* Against what malloc itself has given out. */
static void its_memory_is_told_to_the_percent(void **state)
{
	struct rng r = test_seed();
	struct kit k = {0};
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, taken;
	struct search_stats stats;

	(void)state;
	k.s = search_new(&config);
	fill(&k, &r, 0, 20000);
	fill(&k, &r, 0, 3000);
	taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	search_stats_get(k.s, &stats);
	printf("# told %.2f MB, malloc gave %.2f MB\n", (double)stats.bytes / 1e6, (double)taken / 1e6);
	assert_true(fabs((double)stats.bytes / (double)taken - 1) < 0.01);
	search_destroy(&k.s);
}
#endif

static void compaction_gives_back_what_is_gone(void **state)
{
	struct rng r = test_seed();
	struct kit *k = *state;
	struct search_stats full, after;

	fill(k, &r, 1000, 4000);
	search_stats_get(k->s, &full);
	for (int64_t id = 1000; id < 4000; id++)
		assert_true(search_remove(k->s, id));
	search_compact(k->s);
	search_compact(k->s);
	search_stats_get(k->s, &after);
	assert_int_equal(after.documents, 6);
	assert_int_equal(after.postings_dead, 0);
	assert_true(after.terms < 80 && after.words < 100);
	assert_true(after.bytes < full.bytes / 4);
	assert_int_equal(first(k, "weather"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(words_find_what_people_mean, begin, end),
		cmocka_unit_test_setup_teardown(odd_questions_get_sensible_answers, begin, end),
		cmocka_unit_test_setup_teardown(a_long_question_is_answered_by_its_first_words, begin, end),
		cmocka_unit_test_setup_teardown(limits_are_told, begin, end),
		cmocka_unit_test_setup_teardown(an_edited_cursor_is_a_place_like_any_other, begin, end),
		cmocka_unit_test_setup_teardown(a_hit_says_why, begin, end),
		cmocka_unit_test_setup_teardown(a_word_can_be_unfinished, begin, end),
		cmocka_unit_test_setup_teardown(a_status_flips_without_the_text, begin, end),
		cmocka_unit_test_setup_teardown(neighbours_are_those_of_the_whole_table, begin, end),
#if !HAS_ASAN && !HAS_TSAN
		cmocka_unit_test(its_memory_is_told_to_the_percent),
#endif
		cmocka_unit_test_setup_teardown(compaction_gives_back_what_is_gone, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
