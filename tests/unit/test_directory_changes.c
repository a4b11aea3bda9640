/*
 * The feed of changes below the API: newest rows and bells, the follower and its listeners, and on PostgreSQL two
 * sequencers at once beside writers that commit as they please. As "sqlite" or "postgres".
 */
#include "store_kit.h"

#include "base/clock.h"
#include "base/log.h"
#include "directory/follower.h"
#include "directory/sequencer.h"
#include "store/store_priv.h"

#include <pthread.h>
#include <stdatomic.h>

static enum store_kind kind;

static struct change_row row_of(int64_t seq)
{
	return (struct change_row){.seq = seq, .tenant = 1, .ref = 10 * seq};
}

static void keep(struct changes *feed, int64_t from, int64_t to)
{
	for (int64_t seq = from; seq <= to; seq++)
		changes_keep(feed, &(struct change_row){.seq = seq, .tenant = 1, .ref = 10 * seq}, 1);
}

/* ---- the newest rows ---- */

static void assert_read(struct changes *feed, int64_t since, int64_t from, int64_t to)
{
	struct change_row rows[8];
	size_t count;

	assert_true(changes_read(feed, since, rows, 8, &count));
	assert_int_equal(count, to - from + 1);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(rows[i].ref, row_of(from + (int64_t)i).ref);
}

static void assert_not_here(struct changes *feed, int64_t since)
{
	struct change_row rows[8];
	size_t count;

	assert_false(changes_read(feed, since, rows, 8, &count));
	assert_int_equal(count, 0);
}

static void the_newest_rows_are_read_from_memory(void **state)
{
	struct changes *feed = changes_new(4, true);

	(void)state;
	assert_not_here(feed, 0);
	keep(feed, 11, 13);
	assert_not_here(feed, 9);
	assert_read(feed, 10, 11, 13);
	assert_read(feed, 13, 14, 13);
	assert_not_here(feed, 14);
	keep(feed, 14, 16);
	assert_not_here(feed, 11);
	assert_read(feed, 12, 13, 16);
	keep(feed, 21, 21); /* after a gap they start anew */
	assert_not_here(feed, 16);
	assert_read(feed, 20, 21, 21);
	changes_destroy(&feed);
}

/* ---- bells ---- */

static void *ring_later(void *arg)
{
	changes_pause(arg, 5);
	changes_ring(arg, CHANGES_COMMITTED);
	return NULL;
}

static void a_bell_that_has_rung_is_not_waited_for(void **state)
{
	struct changes *feed = changes_new(4, true);
	uint64_t heard = 0;
	pthread_t id;

	(void)state;
	changes_ring(feed, CHANGES_COMMITTED);
	changes_wait(feed, CHANGES_COMMITTED, &heard, 3600000);
	assert_int_equal(heard, 1);
	heard = 0;
	changes_wait(feed, CHANGES_NUMBERED, &heard, 3600000); /* numbered at once: it rang with the other */
	assert_int_equal(heard, 1);
	changes_wait(feed, CHANGES_NUMBERED, &heard, 1);
	assert_int_equal(heard, 1);
	assert_int_equal(pthread_create(&id, NULL, ring_later, feed), 0);
	changes_wait(feed, CHANGES_NUMBERED, &heard, 3600000);
	assert_int_equal(heard, 2);
	pthread_join(id, NULL);
	changes_stop(feed);
	changes_wait(feed, CHANGES_NUMBERED, &heard, 3600000);
	changes_pause(feed, 3600000);
	changes_destroy(&feed);
}

/* ---- follower, sequencers, writers ---- */

enum { WRITERS = 4, TRANSACTIONS = 150, MOST_IN_ONE = 3, ALL_MAX = WRITERS * TRANSACTIONS * MOST_IN_ONE };

struct writer {
	struct story *story;
	int64_t ref;
	uint64_t seed;
	int64_t version; /* the last it has written */
	pthread_t id;
};

struct story {
	struct kit *kit;
	struct changes *feed;
	struct follower *follower;
	struct jobs *jobs[2];
	struct sequencer *sequencers[2];
	struct writer writers[WRITERS];
	pthread_mutex_t lock;
	pthread_cond_t told;
	struct change_row rows[ALL_MAX];
	size_t count;
	int refuse;   /* so many lots */
	int restarts; /* how often it was said that everything has to be read anew */
};

/* A chore runs at once, on a connection of its own. */
static void run_chore(void *app, struct chore *chore)
{
	struct story *s = app;
	struct db *db = kit_connect(s->kit->store, DB_WRITE);
	enum err e = db_begin(db);

	if (e == OK)
		e = chore->run(chore, db, 0);
	e = kit_commit(db, e);
	db_close(&db);
	chore->done(chore, e);
}

static bool numbers_here(void *ctx)
{
	(void)ctx;
	return false;
}

static void applied(void *ctx)
{
	(void)ctx;
}

static enum err take(void *ctx, struct db *db, const struct change_row *rows, size_t count)
{
	struct story *s = ctx;
	enum err e = OK;

	assert_non_null(db);
	pthread_mutex_lock(&s->lock);
	s->restarts += count == 0;
	if (s->refuse > 0 && s->refuse--)
		e = ERR_STORE_UNAVAILABLE;
	for (size_t i = 0; e == OK && i < count; i++)
		s->rows[s->count++] = rows[i];
	pthread_cond_broadcast(&s->told);
	pthread_mutex_unlock(&s->lock);
	return e;
}

static struct story *story_new(void)
{
	struct story *s = NEW(struct story);

	s->kit = kit_new(kind, NULL);
	kit_open(s->kit);
	s->feed = changes_new(1024, kind == STORE_SQLITE);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->told, NULL);
	s->follower = follower_new(&(struct follower_config){.store = s->kit->store,
							     .feed = s->feed,
							     .numbers_here = numbers_here,
							     .applied = applied,
							     .ctx = s});
	follower_listen(s->follower, take, s);
	return s;
}

/* Two, who both believe that they alone are there. */
static void start_sequencers(struct story *s)
{
	struct problem p = {0};

	for (int i = 0; i < 2 && kind == STORE_POSTGRES; i++) {
		struct jobs_config config = {
			.process_id = i + 1, .lease_ms = 60000, .exclusive = true, .post = run_chore, .app = s};

		s->jobs[i] = jobs_new(&config);
		s->sequencers[i] = sequencer_new(s->kit->store, s->feed, s->jobs[i], NULL);
		assert_int_equal(jobs_start(s->jobs[i], &p), OK);
		assert_int_equal(sequencer_start(s->sequencers[i], &p), OK);
	}
}

static void follow(struct story *s, int64_t since)
{
	struct problem p = {0};

	assert_int_equal(follower_start(s->follower, since, &p), OK);
}

static void story_free(struct story *s)
{
	for (int i = 0; i < 2; i++)
		jobs_stop(s->jobs[i]);
	changes_stop(s->feed);
	for (int i = 0; i < 2; i++) {
		sequencer_destroy(&s->sequencers[i]);
		jobs_destroy(&s->jobs[i]);
	}
	follower_destroy(&s->follower);
	changes_destroy(&s->feed);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->told);
	kit_free(s->kit);
	free(s);
}

static void wait_for(struct story *s, size_t count)
{
	pthread_mutex_lock(&s->lock);
	while (s->count < count)
		pthread_cond_wait(&s->told, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

/* A transaction of some changes of one thing; true when it was committed. */
static bool write_some(struct story *s, struct db *db, struct writer *w, size_t count, bool commit)
{
	struct change_fact facts[MOST_IN_ONE];

	for (size_t i = 0; i < count; i++)
		facts[i] = (struct change_fact){.tenant = 1, .ref = w->ref, .version = w->version + 1 + (int64_t)i};
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(q_change_add(db, facts, count), OK);
	if (!commit) {
		db_rollback(db);
		return false;
	}
	assert_int_equal(db_commit(db), OK);
	changes_ring(s->feed, CHANGES_COMMITTED);
	w->version += (int64_t)count;
	return true;
}

static void *write_all(void *arg)
{
	struct writer *w = arg;
	struct db *db = kit_connect(w->story->kit->store, DB_WRITE);
	struct rng rng;

	rng_seeded_init(&rng, w->seed);
	for (int i = 0; i < TRANSACTIONS; i++)
		write_some(w->story, db, w, 1 + (size_t)rng_below(&rng, MOST_IN_ONE), rng_below(&rng, 10) > 0);
	db_close(&db);
	return NULL;
}

static void check_told(const struct story *s, size_t total)
{
	int64_t versions[WRITERS] = {0};

	assert_int_equal(s->count, total);
	for (size_t i = 0; i < total; i++) {
		assert_int_equal(s->rows[i].seq, i + 1);
		assert_int_equal(s->rows[i].version, ++versions[s->rows[i].ref]);
	}
	assert_int_equal(s->restarts, 0);
}

static void nothing_is_missed_doubled_or_out_of_order(void **state)
{
	struct story *s = story_new();
	struct rng rng = test_seed();
	int writers = kind == STORE_POSTGRES ? WRITERS : 1;
	size_t total = 0;

	(void)state;
	s->refuse = 3; /* and the listener fails at times */
	start_sequencers(s);
	follow(s, 0);
	for (int i = 0; i < writers; i++) {
		s->writers[i] = (struct writer){.story = s, .ref = i, .seed = rng_u64(&rng)};
		assert_int_equal(pthread_create(&s->writers[i].id, NULL, write_all, &s->writers[i]), 0);
	}
	for (int i = 0; i < writers; i++) {
		pthread_join(s->writers[i].id, NULL);
		total += (size_t)s->writers[i].version;
	}
	wait_for(s, total);
	check_told(s, total);
	story_free(s);
}

/* Numbered already, as the sequencer or SQLite would have. */
static void put_numbered(struct story *s, int64_t from, int64_t to)
{
	char sql[256];
	struct problem p = {0};

	assert_int_equal(db_begin(s->kit->db), OK);
	assert_int_equal(q_change_clear(s->kit->db, &(struct change_clear_in){INT64_MAX}), OK);
	for (int64_t seq = from; seq <= to; seq++) {
		snprintf(sql, sizeof(sql), "INSERT INTO changes VALUES (%lld, 1, 0, 0, 1, 1, %s, 0)",
			 (long long)seq, kind == STORE_SQLITE ? "0" : "false");
		assert_int_equal(db_script(s->kit->db, sql, &p), OK);
	}
	assert_int_equal(db_commit(s->kit->db), OK);
	changes_ring(s->feed, CHANGES_NUMBERED);
}

static void who_missed_changes_is_told_so_and_goes_on(void **state)
{
	struct story *s = story_new();

	(void)state;
	put_numbered(s, 10, 12);
	follow(s, 5);
	wait_for(s, 3);
	assert_int_equal(s->restarts, 1);
	assert_int_equal(s->rows[0].seq, 10);
	story_free(s);
}

static void who_knows_nothing_reads_everything_first(void **state)
{
	struct story *s = story_new();

	(void)state;
	put_numbered(s, 1, 12);
	follow(s, FOLLOWER_FROM_NOW);
	assert_int_equal(follower_applied(s->follower), 12);
	put_numbered(s, 13, 14);
	wait_for(s, 2);
	assert_int_equal(s->rows[0].seq, 13);
	assert_int_equal(s->restarts, 1);
	assert_true(follower_current_ns(s->follower) <= clock_mono_ns());
	story_free(s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_rows_are_read_from_memory),
		cmocka_unit_test(a_bell_that_has_rung_is_not_waited_for),
		cmocka_unit_test(nothing_is_missed_doubled_or_out_of_order),
		cmocka_unit_test(who_missed_changes_is_told_so_and_goes_on),
		cmocka_unit_test(who_knows_nothing_reads_everything_first),
	};

	log_set_level(LOG_ERROR);
	kind = argc > 1 && strcmp(argv[1], "postgres") == 0 ? STORE_POSTGRES : STORE_SQLITE;
	if (kind == STORE_POSTGRES)
		kit_need_postgres();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
