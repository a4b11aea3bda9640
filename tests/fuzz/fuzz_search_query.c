/*
 * The first byte says how to ask, the first line what, each other line is a document: the index answers like the
 * plain telling of it (tests/unit/search_kit/oracle.h).
 */
#include "base/magic.h"
#include "search_kit/oracle.h"

#include <math.h>

enum { DOCS_MAX = 30, BYTES_MAX = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct search_field fields[] = {{"name", 4, 0.3, 4, true}, {"text", 1, 0.75, 10, false}};
static const struct search_config config = {.fields = fields, .field_count = 2};

/* A line is a name up to its first tab, and a text. */
static void put(struct search *s, struct oracle *o, int64_t id, struct str line)
{
	struct str texts[2];
	struct search_doc doc = {.id = id % 20, .texts = texts, .prior = (double)(id % 3) / 2};

	texts[0] = str_cut(line, '\t', &texts[1]);
	CHECK(search_put(s, &doc) == OK);
	oracle_put(o, &doc);
	if (id % 11 == 10)
		search_compact(s);
}

static void compare(const struct search_result *got, const struct oracle_answer *all, size_t limit)
{
	CHECK(got->count == all->hits.n);
	CHECK(got->hit_count == (all->hits.n < limit ? all->hits.n : limit));
	for (size_t i = 0; i < got->hit_count; i++) {
		CHECK(got->hits[i].id == all->hits.v[i].id);
		CHECK(fabs(got->hits[i].score - all->hits.v[i].score) < 1e-9);
	}
}

static void ask(struct search *s, struct oracle *o, unsigned how, struct str text)
{
	struct search_reader *r = search_reader_new(s);
	struct search_query q = {.text = text, .limit = 10, .count = true, .why = true};
	struct search_result got;
	struct oracle_answer all = {0};

	q.typos = how & 1;
	q.prefix = how & 2;
	q.match = how & 4 ? SEARCH_ALL : SEARCH_ANY;
	q.prior_weight = how & 8 ? 1 : 0;
	CHECK(search_query(r, &q, &got) == OK);
	oracle_query(o, &q, &all);
	compare(&got, &all, q.limit);
	VEC_FREE(&all.hits);
	search_reader_destroy(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data + 1, size - 1}, query;
	struct search *s;
	struct oracle *o;

	if (size < 1 || size > BYTES_MAX)
		return 0;
	s = search_new(&config);
	o = oracle_new(&config);
	query = str_cut(rest, '\n', &rest);
	for (int64_t id = 0; rest.p && id < DOCS_MAX; id++)
		put(s, o, id, str_cut(rest, '\n', &rest));
	ask(s, o, data[0], query);
	search_destroy(&s);
	oracle_destroy(&o);
	return 0;
}
