/*
 * Random documents and random changes, and after each few of them the same question to the index and to the oracle:
 * same documents, same scores to the last bit that counts, same order.
 */
#include "harness.h"

#include "search/search.h"
#include "search_kit/oracle.h"

#include "base/buf.h"

#include <math.h>

enum { IDS = 120, STEPS = 500, TEXT_WORDS = 14, MANY_IDS = 1500, MANY_STEPS = 10000 };

static const char *const words[] = {
	"kubernetes", "cluster",   "clusters", "clustering", "mcp-server", "mcp",       "server",  "readFile",
	"read_file",  "readfile",  "reading",  "file",       "files",      "python3",   "python",  "utf-8",
	"utf8",       "the",       "and",      "of",         "GitHub",     "git",       "hub",     "日本語",
	"本",         "größe",     "Grösse",   "grosse",     "мир",        "🚀",         "c++",     "kubernetse",
	"weather",    "forecast",  "forcast",  "forecasts",  "a-b",        "a-c",       "storage", "stowage",
	"generation", "generated", "general",  "x",          "\n",         "team/tool", "tool",    "\xff",
};

static const struct search_field fields[] = {
	{"name", 4, 0.3, 4, true},
	{"tags", 2, 0.5, 3, false},
	{"description", 1, 0.75, 12, false},
};

static const char *const dimensions[] = {"type", "status", "tag"};

static const struct search_config config = {
	.fields = fields,
	.field_count = COUNT_OF(fields),
	.dimensions = dimensions,
	.dimension_count = COUNT_OF(dimensions),
};

static const char *const types[] = {"tool", "service", "assistant"};

struct pair {
	struct rng r;
	struct search *s;
	struct search_reader *reader;
	struct oracle *o;
};

static struct pair pair_new(void)
{
	struct pair p = {.r = test_seed(), .s = search_new(&config), .o = oracle_new(&config)};

	p.reader = search_reader_new(p.s);
	return p;
}

static void pair_destroy(struct pair *p)
{
	search_reader_destroy(&p->reader);
	search_destroy(&p->s);
	oracle_destroy(&p->o);
}

static struct str any_word(struct rng *r)
{
	size_t one = rng_below(r, COUNT_OF(words)), other = rng_below(r, COUNT_OF(words));

	return str_of(words[one < other ? one : other]); /* the first ones are common */
}

static void any_text(struct rng *r, struct buf *b, size_t most)
{
	size_t n = rng_below(r, most + 1);

	buf_reset(b);
	for (size_t i = 0; i < n; i++) {
		buf_str_add(b, any_word(r));
		buf_c(b, ' ');
	}
}

static size_t any_values(struct rng *r, struct search_value values[4])
{
	size_t n = rng_below(r, 5);

	for (size_t i = 0; i < n; i++) {
		uint32_t dimension = (uint32_t)rng_below(r, 3);

		values[i] = (struct search_value){dimension, str_of(types[rng_below(r, 3)])};
		if (dimension == 2 && rng_below(r, 2))
			values[i].text = any_word(r);
	}
	return n;
}

static double any_prior(struct rng *r)
{
	return rng_below(r, 2) ? 0 : (double)rng_below(r, 5) / 4;
}

static void put(struct pair *p, int64_t id)
{
	struct buf texts[3] = {BUF_INIT(0), BUF_INIT(0), BUF_INIT(0)};
	struct search_value values[4];
	struct str shown[3];
	struct search_doc doc = {.id = id, .texts = shown, .values = values, .prior = any_prior(&p->r)};

	bool bare = rng_below(&p->r, 3) == 0; /* a name of a word or two, like many others: scores will be equal */

	for (int f = 0; f < 3; f++) {
		any_text(&p->r, &texts[f], f == 0 ? 3 : bare ? 0 : TEXT_WORDS);
		shown[f] = str_trim(buf_str(&texts[f]));
	}
	doc.value_count = any_values(&p->r, values);
	assert_int_equal(search_put(p->s, &doc), OK);
	oracle_put(p->o, &doc);
	for (int f = 0; f < 3; f++)
		buf_free(&texts[f]);
}

static void change_values(struct pair *p, int64_t id)
{
	uint32_t dimension = (uint32_t)rng_below(&p->r, 3);
	struct str values[2] = {str_of(types[rng_below(&p->r, 3)]), any_word(&p->r)};
	size_t n = rng_below(&p->r, 3);
	enum err e = search_set_values(p->s, id, dimension, values, n);

	if (e == OK)
		oracle_set_values(p->o, id, dimension, values, n);
	else
		assert_int_equal(e, ERR_NOT_FOUND);
}

static void change(struct pair *p)
{
	int64_t id = (int64_t)rng_below(&p->r, IDS) - 10;

	switch (rng_below(&p->r, 8)) {
	case 0:
		search_remove(p->s, id);
		oracle_remove(p->o, id);
		break;
	case 1:
	case 2:
		change_values(p, id);
		break;
	default:
		put(p, id);
	}
	if (rng_below(&p->r, 40) == 0)
		search_compact(p->s);
}

static uint64_t compactions(const struct pair *p)
{
	struct search_stats stats;

	search_stats_get(p->s, &stats);
	return stats.compactions;
}

/* ---- asking both ---- */

static void assert_same_hits(const struct search_query *q, const struct search_result *got,
			     const struct oracle_answer *all)
{
	size_t from = q->offset < all->hits.n ? q->offset : all->hits.n, n = all->hits.n - from;

	if (n > q->limit)
		n = q->limit;
	if (got->hit_count != n)
		fail_msg("\"%.*s\": %zu hits, the oracle has %zu", STRF(q->text), got->hit_count, n);
	assert_int_equal(got->more, all->hits.n - from > n);
	for (size_t i = 0; i < n; i++) {
		const struct oracle_hit *expected = &all->hits.v[from + i];

		if (got->hits[i].id != expected->id || fabs(got->hits[i].score - expected->score) > 1e-9)
			fail_msg("\"%.*s\", hit %zu: %lld with %.12f, the oracle says %lld with %.12f",
				 STRF(q->text), i, (long long)got->hits[i].id, got->hits[i].score,
				 (long long)expected->id, expected->score);
	}
}

/* What the hit says about itself adds up to its score. */
static void assert_explained(const struct search_query *q, const struct search_hit *hit)
{
	double sum = hit->prior_points + hit->all_words_points;

	for (size_t i = 0; i < hit->why_count; i++)
		sum += hit->why[i].points;
	if (fabs(sum - hit->score) > 1e-9)
		fail_msg("\"%.*s\": %lld has %.12f points and reasons for %.12f", STRF(q->text), (long long)hit->id,
			 hit->score, sum);
}

static void assert_facets(struct pair *p, const struct search_result *got, const struct oracle_answer *all)
{
	for (size_t i = 0; i < got->facet_count; i++) {
		const struct search_facet *f = &got->facets[i];

		assert_int_equal(f->count, oracle_facet(p->o, all, f->dimension, f->value));
		if (i && f[-1].dimension == f->dimension)
			assert_true(f[-1].count >= f->count);
	}
	for (uint32_t d = 0; d < 3; d++)
		for (size_t t = 0; t < COUNT_OF(types); t++) {
			bool shown = false;

			for (size_t i = 0; i < got->facet_count; i++)
				shown |= got->facets[i].dimension == d && str_eqz(got->facets[i].value, types[t]);
			assert_int_equal(shown, oracle_facet(p->o, all, d, str_of(types[t])) > 0);
		}
}

/* A letter put in, left out, replaced or swapped with its neighbour: what typos are. */
static void mistype(struct rng *r, struct buf *text)
{
	size_t at = text->n ? rng_below(r, text->n) : 0;

	if (text->n < 2 || (text->p[at] & 0x80))
		return;
	switch (rng_below(r, 3)) {
	case 0:
		text->p[at] = (char)('a' + (int)rng_below(r, 26));
		break;
	case 1:
		memmove(text->p + at, text->p + at + 1, text->n - at - 1);
		text->n--;
		break;
	default:
		if (at && !(text->p[at - 1] & 0x80)) {
			char c = text->p[at];

			text->p[at] = text->p[at - 1];
			text->p[at - 1] = c;
		}
	}
}

static void any_query(struct rng *r, struct search_query *q, struct search_value filters[4], struct buf *text)
{
	any_text(r, text, 1 + rng_below(r, 5));
	for (uint64_t n = rng_below(r, 4); n > 0; n--)
		mistype(r, text);
	*q = (struct search_query){
		.text = buf_str(text),
		.match = rng_below(r, 3) ? SEARCH_ANY : SEARCH_ALL,
		.filters = filters,
		.filter_count = rng_below(r, 2) ? any_values(r, filters) : 0,
		.reach = (uint32_t)rng_below(r, 8),
		.limit = 1 + rng_below(r, rng_below(r, 2) ? 3 : 15),
		.offset = rng_below(r, 3) ? 0 : rng_below(r, 20),
		.prior_weight = rng_below(r, 2) ? 0 : (double)rng_below(r, 8) / 2,
		.prefix = rng_below(r, 3) == 0,
		.typos = rng_below(r, 2),
		.why = true,
		.count = true,
		.facets = 7,
	};
	if (q->prefix) /* an unfinished word */
		q->text = str_trim(q->text);
	if (q->prefix && q->text.n > 2)
		q->text.n -= rng_below(r, 3);
}

static void ask_both(struct pair *p)
{
	struct buf text = BUF_INIT(0);
	struct search_value filters[4];
	struct oracle_answer all = {0};
	struct search_result got;
	struct search_query q;

	any_query(&p->r, &q, filters, &text);
	assert_int_equal(search_query(p->reader, &q, &got), OK);
	oracle_query(p->o, &q, &all);
	assert_same_hits(&q, &got, &all);
	assert_int_equal(got.count, all.hits.n);
	assert_facets(p, &got, &all);
	for (size_t i = 0; i < got.hit_count; i++)
		assert_explained(&q, &got.hits[i]);
	VEC_FREE(&all.hits);
	buf_free(&text);
}

static void an_index_answers_like_the_oracle_through_any_history(void **state)
{
	struct pair p = pair_new();

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		change(&p);
		for (int i = 0; i < 4; i++)
			ask_both(&p);
	}
	pair_destroy(&p);
}

/* Many windows of slots, lists of many blocks, and compaction that comes by itself. */
static void so_does_a_large_one_that_changes_much(void **state)
{
	struct pair p = pair_new();

	(void)state;
	for (int step = 0; step < MANY_STEPS; step++) {
		put(&p, (int64_t)rng_below(&p.r, MANY_IDS));
		if (step % (MANY_STEPS / 20) == MANY_STEPS / 20 - 1)
			ask_both(&p);
	}
	assert_true(compactions(&p) > 0);
	pair_destroy(&p);
}

/* Pages by cursor, one after the other, are the list itself. */
static void pages_add_up_to_the_whole_list(void **state)
{
	struct pair p = pair_new();
	struct search_query q = {.text = STR("server file cluster"), .limit = 7, .prior_weight = 1};
	struct oracle_answer all = {0};
	struct search_result got;
	size_t seen = 0;

	(void)state;
	for (int64_t id = 0; id < IDS; id++)
		put(&p, id);
	oracle_query(p.o, &q, &all);
	do {
		assert_int_equal(search_query(p.reader, &q, &got), OK);
		for (size_t i = 0; i < got.hit_count; i++)
			assert_int_equal(got.hits[i].id, all.hits.v[seen++].id);
		if (got.hit_count) {
			q.after = true;
			q.after_id = got.hits[got.hit_count - 1].id;
			q.after_score = got.hits[got.hit_count - 1].score;
		}
	} while (got.more);
	assert_int_equal(seen, all.hits.n);
	VEC_FREE(&all.hits);
	pair_destroy(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_answers_like_the_oracle_through_any_history),
		cmocka_unit_test(so_does_a_large_one_that_changes_much),
		cmocka_unit_test(pages_add_up_to_the_whole_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
