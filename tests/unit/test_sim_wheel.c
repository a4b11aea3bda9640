/* The wheel beside a model that looks at every timer each time, under random adds, cancels and jumps of time. */
#include "harness.h"

#include "sim/wheel.h"

enum { TIMERS = 300 };

/* ---- the model: what waits, and what is ready of the tick that is being expired ---- */

struct entry {
	struct timer timer;
	enum { AWAY, WAITING, READY } where;
	int64_t tick; /* when it is expired: due, or when it was added if that was later */
};

struct model {
	int64_t now;
	struct entry entries[TIMERS];
};

static void model_make_ready(struct model *m, int64_t now)
{
	int64_t first = INT64_MAX;

	for (unsigned i = 0; i < TIMERS; i++)
		if (m->entries[i].where == WAITING && m->entries[i].tick < first)
			first = m->entries[i].tick;
	m->now = first <= now ? first : now;
	for (unsigned i = 0; i < TIMERS; i++)
		if (m->entries[i].where == WAITING && m->entries[i].tick <= m->now)
			m->entries[i].where = READY;
}

static struct entry *model_first_ready(struct model *m)
{
	struct entry *first = NULL;

	for (unsigned i = 0; i < TIMERS; i++) {
		struct entry *e = &m->entries[i];

		if (e->where == READY &&
		    (!first || e->timer.due < first->timer.due ||
		     (e->timer.due == first->timer.due && e->timer.order < first->timer.order)))
			first = e;
	}
	return first;
}

static struct entry *model_expire(struct model *m, int64_t now)
{
	struct entry *first = model_first_ready(m);

	if (!first) {
		model_make_ready(m, now);
		first = model_first_ready(m);
	}
	if (first)
		first->where = AWAY;
	return first;
}

/* ---- histories ---- */

static int64_t random_time(struct rng *r, int64_t now)
{
	unsigned bits = (unsigned)rng_below(r, 42); /* as far as past the last level */
	int64_t ahead = (int64_t)rng_below(r, UINT64_C(1) << bits);

	if (rng_below(r, 10) == 0)
		return now - (int64_t)rng_below(r, 50);
	return rng_below(r, 4) == 0 ? (now | ((INT64_C(1) << bits) - 1)) + 1
				    : now + ahead; /* corners of slots too */
}

static void add(struct wheel *w, struct model *m, struct rng *r)
{
	struct entry *e = &m->entries[rng_below(r, TIMERS)];

	if (e->where != AWAY)
		return;
	wheel_add(w, &e->timer, random_time(r, m->now));
	e->tick = e->timer.due > m->now ? e->timer.due : m->now;
	e->where = WAITING;
}

static void cancel(struct wheel *w, struct model *m, struct rng *r)
{
	struct entry *e = &m->entries[rng_below(r, TIMERS)];

	wheel_cancel(w, &e->timer);
	e->where = AWAY;
}

static void expire_some(struct wheel *w, struct model *m, struct rng *r)
{
	int64_t now = m->now + (int64_t)rng_below(r, UINT64_C(1) << rng_below(r, 40));
	uint64_t most = rng_below(r, 8) == 0 ? UINT64_MAX : rng_below(r, 4);
	struct timer *t;

	for (uint64_t i = 0; i < most; i++) {
		struct entry *e = model_expire(m, now);

		t = wheel_expire(w, now);
		assert_ptr_equal(t, e ? &e->timer : NULL);
		assert_int_equal(w->now, m->now);
		if (!t)
			return;
		assert_null(t->at);
	}
}

static void assert_same(const struct wheel *w, const struct model *m)
{
	int64_t first = INT64_MAX;
	uint32_t count = 0;

	for (unsigned i = 0; i < TIMERS; i++) {
		const struct entry *e = &m->entries[i];

		count += e->where != AWAY;
		assert_int_equal(e->where != AWAY, e->timer.at != NULL);
		if (e->where != AWAY && e->tick < first)
			first = e->tick;
	}
	assert_int_equal(w->count, count);
	assert_true(wheel_next(w) <= first && (wheel_next(w) >= w->now || count == 0));
	assert_int_equal(wheel_next(w) == INT64_MAX, count == 0);
}

static void a_wheel_does_what_a_list_does(void **state)
{
	struct rng r = test_seed();
	struct model *m = calloc(1, sizeof(*m));
	struct wheel *w = calloc(1, sizeof(*w));

	(void)state;
	for (unsigned i = 0; i < TIMERS; i++)
		m->entries[i].timer.order = i * 7 % TIMERS;
	m->now = (int64_t)rng_below(&r, UINT64_C(1) << 40);
	wheel_init(w, m->now);
	for (int i = 0; i < 40000; i++) {
		uint64_t dice = rng_below(&r, 10);

		if (dice < 5)
			add(w, m, &r);
		else if (dice < 6)
			cancel(w, m, &r);
		else
			expire_some(w, m, &r);
		assert_same(w, m);
	}
	free(w);
	free(m);
}

/* ---- stories ---- */

static void timers_of_one_tick_come_in_their_order(void **state)
{
	struct timer t[5] = {{.order = 3}, {.order = 1}, {.order = 4}, {.order = 0}, {.order = 2}};
	struct wheel w;

	(void)state;
	wheel_init(&w, 0);
	for (unsigned i = 0; i < COUNT_OF(t); i++)
		wheel_add(&w, &t[i], 1000000);
	assert_null(wheel_expire(&w, 999999));
	for (unsigned i = 0; i < COUNT_OF(t); i++)
		assert_int_equal(wheel_expire(&w, 2000000)->order, i);
	assert_null(wheel_expire(&w, 2000000));
}

static void who_comes_back_at_once_waits_for_the_others_of_the_tick(void **state)
{
	struct timer t[3] = {{.order = 0}, {.order = 1}, {.order = 2}};
	static const unsigned expected[] = {0, 1, 2, 0, 1, 2, 0};
	struct wheel w;

	(void)state;
	wheel_init(&w, 0);
	for (unsigned i = 0; i < COUNT_OF(t); i++)
		wheel_add(&w, &t[i], 10);
	for (unsigned i = 0; i < COUNT_OF(expected); i++) {
		struct timer *expired = wheel_expire(&w, 10);

		assert_int_equal(expired->order, expected[i]);
		wheel_add(&w, expired, 10);
	}
}

static void one_that_is_ready_can_still_be_cancelled(void **state)
{
	struct timer t[3] = {{.order = 0}, {.order = 1}, {.order = 2}};
	struct wheel w;

	(void)state;
	wheel_init(&w, 0);
	for (unsigned i = 0; i < COUNT_OF(t); i++)
		wheel_add(&w, &t[i], 10);
	assert_ptr_equal(wheel_expire(&w, 10), &t[0]);
	wheel_cancel(&w, &t[1]);
	wheel_cancel(&w, &t[1]);
	assert_ptr_equal(wheel_expire(&w, 10), &t[2]);
	assert_null(wheel_expire(&w, 10));
	assert_int_equal(w.count, 0);
}

/* Whoever sleeps until wheel_next() again and again comes to the timer, to the tick, in at most a step a level. */
static void who_follows_next_comes_to_the_tick_in_a_few_steps(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = (int64_t)rng_below(&r, UINT64_C(1) << 45);
		int64_t due = now + 1 + (int64_t)rng_below(&r, UINT64_C(1) << rng_below(&r, 45));
		struct timer t = {.order = 1};
		unsigned steps = 0;
		struct wheel w;

		wheel_init(&w, now);
		wheel_add(&w, &t, due);
		while (wheel_expire(&w, wheel_next(&w)) == NULL)
			steps++;
		assert_int_equal(w.now, due);
		assert_true(steps <= WHEEL_LEVELS);
	}
}

static void add_twice(void *arg)
{
	struct timer *t = arg;
	struct wheel w;

	wheel_init(&w, 0);
	wheel_add(&w, t, 1);
	wheel_add(&w, t, 2);
}

static void a_timer_is_in_one_place(void **state)
{
	struct timer t = {0};

	(void)state;
	assert_true(dies(add_twice, &t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wheel_does_what_a_list_does),
		cmocka_unit_test(timers_of_one_tick_come_in_their_order),
		cmocka_unit_test(who_comes_back_at_once_waits_for_the_others_of_the_tick),
		cmocka_unit_test(one_that_is_ready_can_still_be_cancelled),
		cmocka_unit_test(who_follows_next_comes_to_the_tick_in_a_few_steps),
		cmocka_unit_test(a_timer_is_in_one_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
