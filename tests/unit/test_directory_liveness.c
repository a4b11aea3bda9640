/*
 * Whether an agent is alive: each rule as a story, and random lives under a virtual clock against a model that keeps
 * every beat and looks at them anew each time. TENFOLD_SEED=… replays a failure.
 */
#include "harness.h"

#include "base/magic.h"
#include "directory/liveness.h"

#include <inttypes.h>
#include <math.h>

enum { SILENCE = 1000, HALF = SILENCE / 2 };

static struct liveness_row agent_with(enum agent_status status, int64_t beat_ms, int64_t streak)
{
	return (struct liveness_row){.agent = 1,
				     .tenant = 1,
				     .status = status,
				     .since_ms = beat_ms,
				     .beat_ms = beat_ms,
				     .streak = streak};
}

/* ---- stories ---- */

static void the_first_beat_makes_it_online(void **state)
{
	(void)state;
	struct liveness_row l = agent_with(STATUS_UNKNOWN, 0, 0);
	assert_true(liveness_beat(&l, 5000, SILENCE));
	assert_int_equal(l.status, STATUS_ONLINE);
	assert_int_equal(l.since_ms, 5000);
	assert_int_equal(l.flips, 1);
	assert_int_equal(l.check_ms, 5000 + HALF + 1);
	assert_int_equal(liveness_due_ms(&l, SILENCE), 5000 + HALF);
}

static void a_beat_of_one_that_is_online_moves_nothing_but_the_beat(void **state)
{
	(void)state;
	struct liveness_row l = agent_with(STATUS_ONLINE, 5000, 2), before = l;
	before.beat_ms = 5300;
	assert_false(liveness_beat(&l, 5300, SILENCE));
	assert_memory_equal(&l, &before, sizeof l);
}

static void half_the_silence_makes_it_suspect_and_all_of_it_offline(void **state)
{
	(void)state;
	struct liveness_row l = agent_with(STATUS_ONLINE, 5000, 2);
	assert_false(liveness_sweep(&l, 5000 + HALF, 0, SILENCE));
	assert_true(liveness_sweep(&l, 5000 + HALF + 1, 0, SILENCE));
	assert_int_equal(l.status, STATUS_SUSPECT);
	assert_int_equal(l.check_ms, 5000 + SILENCE + 1);
	assert_false(liveness_sweep(&l, 5000 + SILENCE, 0, SILENCE));
	assert_true(liveness_sweep(&l, 5000 + SILENCE + 1, 0, SILENCE));
	assert_int_equal(l.status, STATUS_OFFLINE);
	assert_int_equal(l.check_ms, 0);
	assert_int_equal(l.flips, 2);
}

static void one_beat_is_enough_for_one_that_was_never_offline(void **state)
{
	(void)state;
	struct liveness_row l = agent_with(STATUS_SUSPECT, 5000, 2);
	assert_true(liveness_beat(&l, 5900, SILENCE));
	assert_int_equal(l.status, STATUS_ONLINE);
}

static void the_way_back_from_offline_takes_two_beats_in_time(void **state)
{
	(void)state;
	struct liveness_row l = agent_with(STATUS_OFFLINE, 5000, 0);
	assert_true(liveness_beat(&l, 9000, SILENCE));
	assert_int_equal(l.status, STATUS_SUSPECT);
	assert_false(liveness_beat(&l, 9000 + HALF + 1, SILENCE)); /* late: it begins to count anew */
	assert_int_equal(l.status, STATUS_SUSPECT);
	assert_true(liveness_beat(&l, 9000 + HALF + 2, SILENCE));
	assert_int_equal(l.status, STATUS_ONLINE);
}

static void time_in_which_nobody_watched_does_not_count(void **state)
{
	(void)state;
	struct liveness_row l = agent_with(STATUS_ONLINE, 5000, 2);
	assert_false(liveness_sweep(&l, 100000, 100000 - HALF, SILENCE));
	assert_int_equal(l.check_ms, 100001);
	assert_true(liveness_sweep(&l, 100001, 100000 - HALF, SILENCE));
	assert_int_equal(l.status, STATUS_SUSPECT);
}

static void what_it_says_of_itself_counts_at_once(void **state)
{
	(void)state;
	struct liveness_row l = agent_with(STATUS_OFFLINE, 5000, 0);
	assert_true(liveness_say(&l, AWAY_ONLINE, 9000, SILENCE));
	assert_int_equal(l.status, STATUS_ONLINE);
	assert_true(liveness_say(&l, AWAY_MAINTENANCE, 9100, SILENCE));
	assert_false(liveness_sweep(&l, 900000, 0, SILENCE));
	assert_int_equal(l.status, STATUS_MAINTENANCE);
	assert_true(liveness_beat(&l, 900001, SILENCE));
	assert_int_equal(l.status, STATUS_ONLINE);
	assert_true(liveness_say(&l, AWAY_OFFLINE, 900002, SILENCE));
	assert_false(liveness_say(&l, AWAY_OFFLINE, 900003, SILENCE));
	assert_true(liveness_beat(&l, 900004, SILENCE));
	assert_int_equal(l.status, STATUS_SUSPECT);
}

/* A beat of another process's clock may come from the past. */
static void a_beat_never_goes_back(void **state)
{
	(void)state;
	struct liveness_row l = agent_with(STATUS_ONLINE, 5000, 2);
	assert_false(liveness_beat(&l, 4900, SILENCE));
	assert_int_equal(l.beat_ms, 5000);
}

/* ---- random lives ---- */

enum { BEATS_MAX = 4096 };

/* All that ever happened, looked at naively. */
struct model {
	int64_t beats[BEATS_MAX];
	size_t count;
	size_t since_offline; /* beats from this index on came after it was last offline */
	bool was_offline;
	int64_t watched_ms;
};

static int64_t silent_since(const struct model *m)
{
	int64_t last = m->count ? m->beats[m->count - 1] : 0;
	return last > m->watched_ms ? last : m->watched_ms;
}

/* Are there two beats in time, one after another, since it was last offline? */
static bool is_steady(const struct model *m)
{
	for (size_t i = m->since_offline + 1; i < m->count; i++)
		if (m->beats[i] - m->beats[i - 1] <= HALF)
			return true;
	return !m->was_offline;
}

static enum agent_status expect_after_beat(const struct model *m, enum agent_status was)
{
	if (was == STATUS_UNKNOWN || was == STATUS_MAINTENANCE || was == STATUS_ONLINE)
		return STATUS_ONLINE;
	if (was == STATUS_OFFLINE)
		return STATUS_SUSPECT;
	return is_steady(m) ? STATUS_ONLINE : STATUS_SUSPECT;
}

static enum agent_status expect_after_sweep(const struct model *m, enum agent_status was, int64_t now_ms)
{
	int64_t silent = now_ms - silent_since(m);
	if (was != STATUS_ONLINE && was != STATUS_SUSPECT)
		return was;
	return silent > SILENCE ? STATUS_OFFLINE : silent > HALF ? STATUS_SUSPECT : was;
}

static void offline(struct model *m)
{
	m->since_offline = m->count;
	m->was_offline = true;
}

struct life {
	struct liveness_row l;
	struct model m;
	struct rng rng;
	int64_t now_ms, swept_ms, sweep_ms;
};

static void check_flip(const struct life *f, const struct liveness_row *before, bool flipped, enum agent_status now)
{
	assert_int_equal(f->l.status, now);
	assert_int_equal(flipped, before->status != f->l.status);
	assert_int_equal(f->l.flips, before->flips + flipped);
	assert_int_equal(f->l.since_ms, flipped ? f->now_ms : before->since_ms);
}

static void beat(struct life *f)
{
	struct liveness_row before = f->l;
	if (f->l.status == STATUS_UNKNOWN || f->l.status == STATUS_MAINTENANCE)
		f->m.was_offline = false;
	if (f->m.count == BEATS_MAX)
		return;
	f->m.beats[f->m.count++] = f->now_ms;
	enum agent_status expected = expect_after_beat(&f->m, (enum agent_status)before.status);
	bool flipped = liveness_beat(&f->l, f->now_ms, SILENCE);
	check_flip(f, &before, flipped, expected);
	if (!flipped)
		assert_int_equal(f->l.check_ms, before.check_ms);
}

static void say(struct life *f)
{
	struct liveness_row before = f->l;
	enum agent_away away = (enum agent_away)rng_below(&f->rng, AWAY_OFFLINE + 1);
	static const enum agent_status means[] = {[AWAY_ONLINE] = STATUS_ONLINE,
						  [AWAY_MAINTENANCE] = STATUS_MAINTENANCE,
						  [AWAY_OFFLINE] = STATUS_OFFLINE};
	bool flipped = liveness_say(&f->l, away, f->now_ms, SILENCE);
	check_flip(f, &before, flipped, means[away]);
	if (away == AWAY_OFFLINE)
		offline(&f->m);
	if (away != AWAY_ONLINE || f->m.count == BEATS_MAX)
		return;
	f->m.was_offline = false;
	f->m.beats[f->m.count++] = f->now_ms;
}

/* As the job does: only what the index on check_ms gives is looked at; what it does not give must not be overdue. */
static void sweep(struct life *f)
{
	struct liveness_row before = f->l;
	enum agent_status expected = expect_after_sweep(&f->m, (enum agent_status)before.status, f->now_ms);
	bool is_due = f->l.check_ms > 0 && f->l.check_ms <= f->now_ms;
	f->swept_ms = f->now_ms;
	if (!is_due) {
		assert_int_equal(expected, before.status);
		return;
	}
	bool flipped = liveness_sweep(&f->l, f->now_ms, f->m.watched_ms, SILENCE);
	check_flip(f, &before, flipped, expected);
	assert_true(f->l.check_ms == 0 || f->l.check_ms > f->now_ms);
	if (f->l.status == STATUS_OFFLINE)
		offline(&f->m);
}

/* For a while nobody sweeps, and nobody can beat. */
static void outage(struct life *f)
{
	f->now_ms += (int64_t)rng_below(&f->rng, 5 * SILENCE);
	f->m.watched_ms = f->now_ms;
	sweep(f);
}

/* Never offline before all of the silence, always by then and a sweep. */
static void check_promises(const struct life *f)
{
	int64_t silent = f->now_ms - silent_since(&f->m);
	bool is_watched = f->l.status == STATUS_ONLINE || f->l.status == STATUS_SUSPECT;
	if (is_watched)
		assert_true(silent <= SILENCE + f->sweep_ms);
	if (f->l.status == STATUS_ONLINE)
		assert_true(silent <= HALF + f->sweep_ms);
}

static void live(uint64_t seed)
{
	struct life *f = NEW(struct life);
	f->l = agent_with(STATUS_UNKNOWN, 0, 0);
	rng_seeded_init(&f->rng, seed);
	f->now_ms = 1000000;
	f->m.watched_ms = f->now_ms;
	f->sweep_ms = 1 + (int64_t)rng_below(&f->rng, SILENCE);
	unsigned pace = 1 + (unsigned)rng_below(&f->rng, 8); /* of ten moments, how many are beats */
	for (int i = 0; i < 3000; i++) {
		int64_t left = f->swept_ms + f->sweep_ms - f->now_ms;
		int64_t rest = (int64_t)rng_below(&f->rng, 2 * HALF);
		if (rest >= left) {
			f->now_ms += left > 0 ? left : 0;
			sweep(f);
		} else {
			f->now_ms += rest;
		}
		unsigned what = (unsigned)rng_below(&f->rng, 1000);
		if (what < 5)
			outage(f);
		else if (what < 15)
			say(f);
		else if (what < 15 + 100 * pace)
			beat(f);
		check_promises(f);
	}
	free(f);
}

static void random_lives_keep_the_promises(void **state)
{
	(void)state;
	struct rng seeds = test_seed();
	for (int i = 0; i < 300; i++)
		live(rng_u64(&seeds));
}

/* ---- uptime ---- */

static double uptime(const struct liveness_log_row *flips, size_t count, int64_t from_ms, int64_t now_ms,
		     enum agent_status status)
{
	struct liveness_uptime u;
	double share = -1;
	liveness_uptime_begin(&u, from_ms, now_ms, status);
	for (size_t i = count; i > 0; i--)
		liveness_uptime_flip(&u, &flips[i - 1]);
	return liveness_uptime_end(&u, &share) ? share : -1;
}

static void uptime_is_the_share_it_was_online(void **state)
{
	(void)state;
	const struct liveness_log_row flips[] = {{.was = STATUS_UNKNOWN, .status = STATUS_ONLINE, .at_ms = 200},
						 {.was = STATUS_ONLINE, .status = STATUS_SUSPECT, .at_ms = 400},
						 {.was = STATUS_SUSPECT, .status = STATUS_ONLINE, .at_ms = 500}};
	assert_true(uptime(NULL, 0, 100, 1000, STATUS_UNKNOWN) < 0);
	assert_true(fabs(uptime(NULL, 0, 100, 1000, STATUS_ONLINE) - 1) < 1e-9);
	assert_true(fabs(uptime(NULL, 0, 100, 1000, STATUS_OFFLINE)) < 1e-9);
	assert_true(fabs(uptime(flips, 3, 0, 1000, STATUS_ONLINE) - 700.0 / 800) < 1e-9);
	assert_true(fabs(uptime(flips, 3, 300, 1000, STATUS_ONLINE) - 600.0 / 700) < 1e-9);
	assert_true(fabs(uptime(&flips[1], 2, 300, 1000, STATUS_ONLINE) - 600.0 / 700) < 1e-9);
}

/* Against a second-by-second account. */
static void uptime_of_random_histories(void **state)
{
	(void)state;
	struct rng rng;
	rng_seeded_init(&rng, 7);
	for (int round = 0; round < 500; round++) {
		struct liveness_log_row flips[20];
		int online = 0, known = 0;
		size_t count = 0;
		int64_t from = (int64_t)rng_below(&rng, 300);
		enum agent_status status = STATUS_UNKNOWN;
		for (int64_t ms = 0; ms < 400; ms++) {
			if (count < 20 && rng_below(&rng, 20) == 0) {
				enum agent_status now =
					(enum agent_status)(1 + rng_below(&rng, STATUS_MAINTENANCE));
				flips[count++] =
					(struct liveness_log_row){.was = status, .status = now, .at_ms = ms};
				status = now;
			}
			online += ms >= from && status == STATUS_ONLINE;
			known += ms >= from && status != STATUS_UNKNOWN;
		}
		double share = uptime(flips, count, from, 400, status);
		assert_true(known ? fabs(share - (double)online / known) < 1e-9 : share < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_beat_makes_it_online),
		cmocka_unit_test(a_beat_of_one_that_is_online_moves_nothing_but_the_beat),
		cmocka_unit_test(half_the_silence_makes_it_suspect_and_all_of_it_offline),
		cmocka_unit_test(one_beat_is_enough_for_one_that_was_never_offline),
		cmocka_unit_test(the_way_back_from_offline_takes_two_beats_in_time),
		cmocka_unit_test(time_in_which_nobody_watched_does_not_count),
		cmocka_unit_test(what_it_says_of_itself_counts_at_once),
		cmocka_unit_test(a_beat_never_goes_back),
		cmocka_unit_test(random_lives_keep_the_promises),
		cmocka_unit_test(uptime_is_the_share_it_was_online),
		cmocka_unit_test(uptime_of_random_histories),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
