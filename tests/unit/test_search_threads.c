/*
 * One writer and several readers. Each document always carries the same text and status in each of its versions, so
 * whatever a reader finds must be whole: a version that exists, once, with its own words and its own value.
 */
#include "harness.h"

#include "search/search.h"

#include "base/buf.h"
#include "base/magic.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { READERS = 3, IDS = 400, CHANGES = HAS_TSAN ? 6000 : 30000, VERSIONS = 4, FLIPS = 4000 };

static const struct search_field fields[] = {{"name", 4, 0.3, 4, true}, {"text", 1, 0.75, 10, false}};
static const char *const dimensions[] = {"version"};
static const struct search_config config = {
	.fields = fields,
	.field_count = 2,
	.dimensions = dimensions,
	.dimension_count = 1,
};

/* In each version another word, and the value of the same name. */
static const char *const versions[VERSIONS] = {"alpha", "beta", "gamma", "delta"};

struct shared {
	struct search *s;
	_Atomic bool done;
	_Atomic uint64_t asked;
};

static void put(struct search *s, int64_t id, size_t version)
{
	struct buf name = BUF_INIT(0), text = BUF_INIT(0);
	struct search_value value = {0, str_of(versions[version])};
	struct str texts[2];

	buf_fmt(&name, "agent-%lld", (long long)id);
	buf_fmt(&text, "common words about %s w%lld", versions[version], (long long)(id % 37));
	texts[0] = buf_str(&name);
	texts[1] = buf_str(&text);
	CHECK(search_put(s, &(struct search_doc){id, texts, &value, 1, (double)(id % 10) / 10}) == OK);
	buf_free(&name);
	buf_free(&text);
}

static void assert_whole(const struct search_result *found, struct str word)
{
	for (size_t i = 0; i < found->hit_count; i++) {
		bool met = false;

		for (size_t j = 0; j < i; j++)
			CHECK(found->hits[i].id != found->hits[j].id);
		for (size_t j = 0; j < found->hits[i].why_count; j++)
			met |= str_eq(found->hits[i].why[j].found, word);
		CHECK(met && found->hits[i].id >= 0 && found->hits[i].id < IDS);
	}
}

static void *read_on(void *arg)
{
	struct shared *shared = arg;
	struct search_reader *r = search_reader_new(shared->s);

	for (size_t i = 0; !atomic_load(&shared->done); i++) {
		struct str word = str_of(versions[i % VERSIONS]);
		struct search_value filter = {0, word};
		struct search_query q = {.text = word, .limit = 50, .why = true, .count = true, .prior_weight = 1};
		struct search_result found;

		if (i % 3 == 0) {
			q.filters = &filter;
			q.filter_count = 1;
		}
		q.prefix = i % 5 == 0;
		CHECK(search_query(r, &q, &found) == OK);
		assert_whole(&found, word);
		q = (struct search_query){.text = STR("commn wrods"), .limit = 10, .typos = true, .facets = 1};
		CHECK(search_query(r, &q, &found) == OK);
		CHECK(found.hit_count == 10);
		atomic_fetch_add(&shared->asked, 1);
	}
	search_reader_destroy(&r);
	return NULL;
}

static void write_all(struct shared *shared, struct rng *r)
{
	for (int i = 0; i < CHANGES || atomic_load(&shared->asked) < 10 * READERS; i++) {
		int64_t id = (int64_t)rng_below(r, IDS);

		if (id >= IDS / 2 && rng_below(r, 4) == 0)
			search_remove(shared->s, id);
		else
			put(shared->s, id, rng_below(r, VERSIONS));
		if (rng_below(r, 500) == 0)
			search_compact(shared->s);
	}
}

static void readers_see_whole_documents_and_wait_for_nobody(void **state)
{
	struct rng r = test_seed();
	struct shared shared = {.s = search_new(&config)};
	pthread_t readers[READERS];

	(void)state;
	for (int64_t id = 0; id < IDS; id++)
		put(shared.s, id, 0);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_on, &shared), 0);
	write_all(&shared, &r);
	atomic_store(&shared.done, true);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(readers[i], NULL), 0);
	search_destroy(&shared.s);
}

/* A status is never missing while it is changed to itself or to another. */
static void *filter_on(void *arg)
{
	struct shared *shared = arg;
	struct search_reader *r = search_reader_new(shared->s);
	struct search_value both[] = {{0, str_of(versions[0])}, {0, str_of(versions[1])}};
	struct search_query q = {.filters = both, .filter_count = 2, .limit = 1, .count = true};
	struct search_result found;

	while (!atomic_load(&shared->done)) {
		CHECK(search_query(r, &q, &found) == OK);
		CHECK(found.count == IDS);
		atomic_fetch_add(&shared->asked, 1);
	}
	search_reader_destroy(&r);
	return NULL;
}

static void a_document_whose_status_flips_is_never_lost(void **state)
{
	struct rng r = test_seed();
	struct shared shared = {.s = search_new(&config)};
	pthread_t reader;

	(void)state;
	for (int64_t id = 0; id < IDS; id++)
		put(shared.s, id, 0);
	assert_int_equal(pthread_create(&reader, NULL, filter_on, &shared), 0);
	for (uint64_t i = 0; i < FLIPS; i++) {
		struct str value = str_of(versions[rng_below(&r, 2)]);

		while (atomic_load(&shared.asked) < i / 4) /* some in each query, not thousands */
			sched_yield();
		assert_int_equal(search_set_values(shared.s, (int64_t)rng_below(&r, IDS), 0, &value, 1), OK);
	}
	atomic_store(&shared.done, true);
	assert_int_equal(pthread_join(reader, NULL), 0);
	search_destroy(&shared.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_whole_documents_and_wait_for_nobody),
		cmocka_unit_test(a_document_whose_status_flips_is_never_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
