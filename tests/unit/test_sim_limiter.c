/* The limiter: a bound that holds in every window, a slot for each who comes, in order, through holds and threads. */
#include "harness.h"

#include "sim/limiter.h"

#include <math.h>
#include <pthread.h>

static const int64_t second = 1000000000, ms = 1000000;

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* In any window that begins and ends with one of these, both ends in, at most burst + rate * length: no other window
 * can hold more. O(n) by the slack of each against the least before it. */
static void assert_bound(const int64_t *at, unsigned n, double rate, double burst)
{
	double least = 0;

	for (unsigned i = 0; i < n; i++) {
		double ahead = i - rate * (double)(at[i] - at[0]) / 1e9;

		least = i == 0 || ahead < least ? ahead : least;
		assert_true(ahead - least + 1 <= burst + 1e-6);
	}
}

static void the_372nd_that_come_at_once_is_sent_after_6440_ms(void **state)
{
	int64_t at[372];
	struct limiter l;

	(void)state;
	limiter_init(&l, 50, 50);
	for (unsigned i = 0; i < COUNT_OF(at); i++)
		at[i] = limiter_due(&l, limiter_reserve(&l, 7 * second)) - 7 * second;
	assert_int_equal(at[0], 0);
	assert_int_equal(at[49], 0);
	assert_int_equal(at[50], 20 * ms);
	assert_int_equal(at[371], 6440 * ms);
	assert_bound(at, COUNT_OF(at), 50, 50);
	limiter_destroy(&l);
}

static void a_burst_of_one_is_paced_evenly(void **state)
{
	struct limiter l;

	(void)state;
	limiter_init(&l, 50, 1);
	for (int i = 0; i < 100; i++)
		assert_int_equal(limiter_due(&l, limiter_reserve(&l, 0)), i * 20 * ms);
	limiter_destroy(&l);
}

/* 100 in the first second: the bound is burst + rate * W, not rate * W. */
static void who_asks_all_the_time_gets_burst_and_rate(void **state)
{
	unsigned sent = 0;
	struct limiter l;
	int64_t now = 0;

	(void)state;
	limiter_init(&l, 50, 50);
	while (now < second) {
		now = limiter_due(&l, limiter_reserve(&l, now));
		sent += now < second;
	}
	assert_int_equal(sent, 50 + 50 - 1); /* a second that does not hold its end */
	limiter_destroy(&l);
}

static void the_bound_holds_in_every_window_however_they_come(void **state)
{
	static const struct {
		double rate;
		uint32_t burst;
	} cases[] = {{50, 50}, {50, 1}, {3, 2}, {7.3, 5}, {1e6, 1000}, {0.1, 3}};
	enum { N = 5000 };
	struct rng r = test_seed();
	int64_t at[N];

	(void)state;
	for (unsigned c = 0; c < COUNT_OF(cases); c++) {
		uint64_t gap = (uint64_t)(2e9 / cases[c].rate);
		struct limiter l;
		int64_t now = 1;

		limiter_init(&l, cases[c].rate, cases[c].burst);
		for (unsigned i = 0; i < N; i++) {
			struct slot s;

			if (rng_below(&r, 3) == 0) /* they come in crowds, and now and then nobody for long */
				now += (int64_t)rng_below(&r, rng_below(&r, 50) == 0 ? 100 * gap : gap);
			s = limiter_reserve(&l, now);
			at[i] = limiter_due(&l, s);
			assert_true(at[i] >= now && (i == 0 || at[i] >= at[i - 1]));
		}
		assert_bound(at, N, cases[c].rate, cases[c].burst);
		limiter_destroy(&l);
	}
}

static void without_a_rate_nobody_waits_but_for_holds(void **state)
{
	struct limiter l;

	(void)state;
	limiter_init(&l, 0, 1);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(limiter_due(&l, limiter_reserve(&l, 5)), 5);
	limiter_hold(&l, 5, 100);
	assert_int_equal(limiter_due(&l, limiter_reserve(&l, 6)), 100);
	limiter_destroy(&l);
}

static void a_hold_moves_all_that_wait_by_its_length_and_keeps_their_distances(void **state)
{
	struct slot slots[100];
	struct limiter l;

	(void)state;
	limiter_init(&l, 50, 50);
	for (unsigned i = 0; i < COUNT_OF(slots); i++)
		slots[i] = limiter_reserve(&l, 0);
	limiter_hold(&l, 10 * ms, 3010 * ms); /* the first fifty are gone by now */
	for (unsigned i = 50; i < COUNT_OF(slots); i++)
		assert_int_equal(limiter_due(&l, slots[i]), 3000 * ms + (i - 49) * 20 * ms);
	assert_int_equal(limiter_due(&l, limiter_reserve(&l, 20 * ms)), 3000 * ms + 51 * 20 * ms);
	assert_int_equal(limiter_held_until(&l), 3010 * ms);
	limiter_destroy(&l);
}

static void a_hold_is_no_time_to_fill_the_bucket_in(void **state)
{
	int64_t at[60];
	struct limiter l;

	(void)state;
	limiter_init(&l, 50, 50);
	for (int i = 0; i < 50; i++)
		limiter_reserve(&l, 0);
	limiter_hold(&l, 0, 60 * second);
	for (unsigned i = 0; i < COUNT_OF(at); i++)
		at[i] = limiter_due(&l, limiter_reserve(&l, second));
	assert_int_equal(at[0], 60 * second + 20 * ms);
	assert_bound(at, COUNT_OF(at), 50, 1);
	limiter_destroy(&l);
}

static void a_slot_that_was_due_and_not_used_waits_for_the_end_of_the_hold(void **state)
{
	struct limiter l;
	struct slot s;

	(void)state;
	limiter_init(&l, 50, 50);
	s = limiter_reserve(&l, 0);
	limiter_hold(&l, 5, 2 * second);
	assert_int_equal(limiter_due(&l, s), 2 * second);
	limiter_destroy(&l);
}

static void only_a_hold_that_ends_later_changes_anything(void **state)
{
	struct limiter l;
	struct slot s;

	(void)state;
	limiter_init(&l, 50, 1);
	limiter_reserve(&l, 0);
	s = limiter_reserve(&l, 0);
	assert_true(limiter_held_until(&l) == INT64_MIN);
	limiter_hold(&l, 0, second);
	limiter_hold(&l, 0, second); /* the other 371 were told the same */
	limiter_hold(&l, 0, 100 * ms);
	assert_int_equal(limiter_due(&l, s), second + 20 * ms);
	limiter_hold(&l, 500 * ms, 1500 * ms); /* half of it is new */
	assert_int_equal(limiter_due(&l, s), 1500 * ms + 20 * ms);
	limiter_hold(&l, 5 * second, 4 * second);
	assert_int_equal(limiter_due(&l, s), 1500 * ms + 20 * ms);
	limiter_destroy(&l);
}

/* Reservations, holds and sends at random: order and bound hold for what is sent, nothing is sent in a hold. */
static void order_and_bound_hold_through_any_holds(void **state)
{
	enum { N = 3000 };
	struct rng r = test_seed();
	struct slot slots[N];
	int64_t sent[N], now = 0;
	unsigned reserved = 0, used = 0;
	struct limiter l;

	(void)state;
	limiter_init(&l, 50, 20);
	while (used < N) {
		uint64_t dice = rng_below(&r, 100);

		if (dice < 40 && reserved < N) {
			slots[reserved++] = limiter_reserve(&l, now);
		} else if (dice == 40) {
			limiter_hold(&l, now, now + (int64_t)rng_below(&r, (uint64_t)(500 * ms)));
		} else if (used < reserved) {
			int64_t due = limiter_due(&l, slots[used]);

			if (due <= now) {
				assert_true(now >= limiter_held_until(&l));
				sent[used++] = now;
			} else {
				int64_t step = (int64_t)rng_below(&r, (uint64_t)(50 * ms));

				now = due < now + step ? due : now + step; /* whoever is due is sent on time */
			}
		} else {
			now += (int64_t)rng_below(&r, (uint64_t)(100 * ms));
		}
	}
	assert_bound(sent, N, 50, 20);
	limiter_destroy(&l);
}

enum { THREADS = 4, EACH = HAS_TSAN ? 5000 : 50000 };

struct crowd {
	struct limiter l;
	int64_t at[THREADS][EACH];
};

struct one {
	struct crowd *crowd;
	unsigned number;
};

static void *reserve_all(void *arg)
{
	struct one *me = arg;

	for (unsigned i = 0; i < EACH; i++)
		me->crowd->at[me->number][i] = limiter_reserve(&me->crowd->l, 0).at;
	return NULL;
}

static void run_crowd(struct crowd *c, void *(*what)(void *))
{
	struct one who[THREADS];
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		who[i] = (struct one){c, i};
		assert_int_equal(pthread_create(&threads[i], NULL, what, &who[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void threads_together_get_each_slot_once(void **state)
{
	struct crowd *c = calloc(1, sizeof(*c));
	int64_t *all = &c->at[0][0];

	(void)state;
	limiter_init(&c->l, 1000, 50);
	run_crowd(c, reserve_all);
	for (unsigned t = 0; t < THREADS; t++)
		for (unsigned i = 1; i < EACH; i++)
			assert_true(c->at[t][i] >= c->at[t][i - 1]);
	qsort(all, THREADS * EACH, sizeof(*all), compare_times);
	for (int64_t i = 0; i < THREADS * EACH; i++)
		assert_int_equal(all[i], i < 50 ? 0 : (i - 49) * ms);
	limiter_destroy(&c->l);
	free(c);
}

/* While one holds again and again, a slot is never early and never late by a hold that was not. */
static void *reserve_in_holds(void *arg)
{
	struct one *me = arg;

	for (int64_t i = 0; i < EACH; i++) {
		int64_t now = i * 1000, due;

		if (me->number == 0)
			limiter_hold(&me->crowd->l, now, now + 500);
		due = limiter_due(&me->crowd->l, limiter_reserve(&me->crowd->l, now));
		if (due < now || due > EACH * INT64_C(1000) + 500)
			abort();
	}
	return NULL;
}

static void a_slot_taken_while_another_thread_holds_is_neither_early_nor_late(void **state)
{
	struct crowd *c = calloc(1, sizeof(*c));

	(void)state;
	limiter_init(&c->l, 0, 1);
	run_crowd(c, reserve_in_holds);
	assert_int_equal(atomic_load(&c->l.stood_ns), EACH * INT64_C(500));
	limiter_destroy(&c->l);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_372nd_that_come_at_once_is_sent_after_6440_ms),
		cmocka_unit_test(a_burst_of_one_is_paced_evenly),
		cmocka_unit_test(who_asks_all_the_time_gets_burst_and_rate),
		cmocka_unit_test(the_bound_holds_in_every_window_however_they_come),
		cmocka_unit_test(without_a_rate_nobody_waits_but_for_holds),
		cmocka_unit_test(a_hold_moves_all_that_wait_by_its_length_and_keeps_their_distances),
		cmocka_unit_test(a_hold_is_no_time_to_fill_the_bucket_in),
		cmocka_unit_test(a_slot_that_was_due_and_not_used_waits_for_the_end_of_the_hold),
		cmocka_unit_test(only_a_hold_that_ends_later_changes_anything),
		cmocka_unit_test(order_and_bound_hold_through_any_holds),
		cmocka_unit_test(threads_together_get_each_slot_once),
		cmocka_unit_test(a_slot_taken_while_another_thread_holds_is_neither_early_nor_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
