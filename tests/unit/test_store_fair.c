/* Turns between tenants: what a batch takes, and what waits. */
#include "harness.h"

#include "base/magic.h"
#include "store/fair.h"

enum { BATCH = 4096, ROUNDS_MAX = 10000 };

struct fixture {
	struct fair fair;
	struct task *batch[BATCH];
	size_t count;
	int64_t now_ms;
};

static struct fixture *fixture_new(void)
{
	struct fixture *f = NEW(struct fixture);
	f->fair.cost_max = 2000;
	f->now_ms = 1000000;
	return f;
}

static void fixture_free(struct fixture *f)
{
	fair_free(&f->fair);
	free(f);
}

static void put(struct fixture *f, struct task *t, int64_t tenant, uint32_t cost, bool divisible)
{
	*t = (struct task){.tenant = tenant, .cost = cost, .divisible = divisible};
	fair_put(&f->fair, f->now_ms, t);
}

static uint64_t take(struct fixture *f)
{
	uint64_t cost = 0;
	f->count = fair_take(&f->fair, f->now_ms, f->batch, BATCH);
	for (size_t i = 0; i < f->count; i++)
		cost += f->batch[i]->share;
	return cost;
}

static bool took(const struct fixture *f, const struct task *t)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->batch[i] == t)
			return true;
	return false;
}

static void test_first_come_first_served_within_a_tenant(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct task t[300];
	for (size_t i = 0; i < 300; i++)
		put(f, &t[i], 1, 1, false);
	assert_int_equal(take(f), 300);
	for (size_t i = 0; i < 300; i++)
		assert_ptr_equal(f->batch[i], &t[i]);
	assert_true(fair_is_empty(&f->fair));
	fixture_free(f);
}

static void test_a_tenant_alone_is_not_divided(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct task t[3];
	for (size_t i = 0; i < 3; i++)
		put(f, &t[i], 1, 1000, true);
	assert_int_equal(take(f), 2000);
	fair_ran(&f->fair);
	assert_int_equal(take(f), 1000);
	assert_int_equal(t[2].share, 1000);
	fixture_free(f);
}

static void test_the_servers_own_tasks_are_no_tenant(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct task own[2], large[2];
	put(f, &large[0], 1, 1000, true);
	put(f, &own[0], 0, 1, false);
	put(f, &large[1], 1, 500, true);
	put(f, &own[1], 0, 1, false);
	assert_int_equal(take(f), 1502); /* in one batch, undivided */
	fair_ran(&f->fair);
	assert_true(fair_is_empty(&f->fair));
	fixture_free(f);
}

static void test_beside_another_tenant_large_tasks_are_divided_and_finished(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct task large[2], small;
	put(f, &large[0], 1, 1000, true);
	put(f, &large[1], 1, 500, true);
	put(f, &small, 2, 1, false);
	uint64_t done = 0, rounds = 0;
	do {
		uint64_t cost = take(f);
		assert_true(cost <= 129); /* MANY_MAX and the small one */
		assert_true(rounds > 0 || took(f, &small));
		assert_false(took(f, &large[0]) && took(f, &large[1]) && large[0].share < large[0].cost);
		done += cost;
		fair_ran(&f->fair);
	} while (!fair_is_empty(&f->fair) && ++rounds < ROUNDS_MAX);
	assert_int_equal(done, 1501);
	assert_int_equal(large[0].share, large[0].cost); /* the last parts were whole */
	assert_int_equal(large[1].share, large[1].cost);
	fixture_free(f);
}

static void test_what_cannot_be_divided_is_taken_whole_but_not_with_another_such(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct task large[2], small;
	put(f, &large[0], 1, 1000, false);
	put(f, &small, 2, 1, false);
	put(f, &large[1], 3, 1000, false);
	assert_int_equal(take(f), 1001);
	assert_true(took(f, &small));
	assert_int_equal(take(f), 1000);
	fixture_free(f);
}

static void test_two_bursts_take_turns(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct task t[2];
	put(f, &t[0], 1, 1000, true);
	put(f, &t[1], 2, 1000, true);
	for (int i = 0; i < 8; i++) {
		take(f);
		fair_ran(&f->fair);
		int64_t ahead = (int64_t)t[0].cost - (int64_t)t[1].cost;
		assert_in_range(ahead + 128, 0, 256);
	}
	fixture_free(f);
}

static void test_it_is_forgotten_after_a_second_alone(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct task first, large;
	put(f, &first, 2, 1, false);
	put(f, &large, 1, 1000, true);
	assert_int_equal(take(f), 129);
	fair_ran(&f->fair);
	f->now_ms += 999;
	assert_int_equal(take(f), 128);
	fair_ran(&f->fair);
	f->now_ms += 1;
	assert_int_equal(take(f), 1000 - 2 * 128);
	fixture_free(f);
}

static void test_what_is_given_up_is_every_task_once(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct task t[30];
	for (size_t i = 0; i < 30; i++)
		put(f, &t[i], (int64_t)(i % 3) + 1, 200, true);
	take(f);
	fair_ran(&f->fair);
	for (size_t i = 0; i < 30; i++)
		t[i].kind = 0;
	size_t n = 0;
	for (struct task *d; (d = fair_drop(&f->fair)); n++)
		assert_int_equal(d->kind++, 0);
	assert_int_equal(n, 30);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_come_first_served_within_a_tenant),
		cmocka_unit_test(test_a_tenant_alone_is_not_divided),
		cmocka_unit_test(test_the_servers_own_tasks_are_no_tenant),
		cmocka_unit_test(test_beside_another_tenant_large_tasks_are_divided_and_finished),
		cmocka_unit_test(test_what_cannot_be_divided_is_taken_whole_but_not_with_another_such),
		cmocka_unit_test(test_two_bursts_take_turns),
		cmocka_unit_test(test_it_is_forgotten_after_a_second_alone),
		cmocka_unit_test(test_what_is_given_up_is_every_task_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
