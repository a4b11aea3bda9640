/* Offers: never again too soon, never lost, whatever the pools; what cannot be given is said. */
#include "harness.h"

#include "sim/offers.h"

enum { PERIODS = 60, POOLS = 2 * OFFERS_POOL_MAX };

struct history {
	int last[POOLS];       /* period in which it was given last; -1: never */
	unsigned given[POOLS]; /* how often */
};

static struct history *history_new(void)
{
	struct history *h = calloc(1, sizeof(*h));

	memset(h->last, -1, sizeof(h->last));
	return h;
}

/* One period: as many as the rules say or short, of the right pools, none that was given within `apart` days. */
static void take(struct history *h, const struct offer_rules *r, uint64_t seed, uint32_t agent, int period)
{
	uint32_t front = 0;
	struct offers o;

	offers_of(r, seed, agent, (uint32_t)period, &o);
	for (uint32_t i = 0; i < o.count; i++) {
		uint32_t offer = o.offer[i];
		int days = (period - h->last[offer]) * (int)r->period_days;

		assert_true(offer < r->front_pool + r->other_pool);
		assert_true(h->last[offer] < 0 || days > (int)r->apart_days);
		h->last[offer] = period;
		h->given[offer]++;
		front += offer < r->front_pool;
	}
	assert_int_equal(front + o.short_front, r->front);
	assert_int_equal(o.count - front + o.short_other, r->other);
}

static void each_week_brings_2_and_30_and_none_again_within_28_days(void **state)
{
	struct rng random = test_seed();
	uint64_t seed = rng_u64(&random);

	(void)state;
	for (uint32_t agent = 0; agent < 50; agent++) {
		struct history *h = history_new();

		for (int period = 0; period < PERIODS; period++) {
			struct offers o;

			take(h, &offers_default, seed, agent, period);
			offers_of(&offers_default, seed, agent, (uint32_t)period, &o);
			assert_int_equal(o.count, 32);
			assert_int_equal(o.short_front + o.short_other, 0);
		}
		for (uint32_t i = 0; i < 200; i++) /* nothing of the pools is never given */
			assert_int_equal(h->given[i], i < 50 ? h->given[i] : PERIODS * 30 / 150);
		free(h);
	}
}

static void the_371_of_the_original_get_11872_a_refresh(void **state)
{
	uint32_t all = 0;

	(void)state;
	for (uint32_t agent = 0; agent < 371; agent++) {
		struct offers o;

		offers_of(&offers_default, 5, agent, 3, &o);
		all += o.count;
	}
	assert_int_equal(all, 11872);
}

static void any_pools_and_any_rules_keep_the_distance(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct offer_rules rules = {
			.period_days = 1 + (uint32_t)rng_below(&r, 15),
			.apart_days = (uint32_t)rng_below(&r, 60),
			.front = (uint32_t)rng_below(&r, 20),
			.other = (uint32_t)rng_below(&r, 60),
			.front_pool = (uint32_t)rng_below(&r, 200),
			.other_pool = (uint32_t)rng_below(&r, 400),
		};
		struct history *h = history_new();
		uint64_t seed = rng_u64(&r);

		for (int period = 0; period < PERIODS; period++)
			take(h, &rules, seed, 7, period);
		free(h);
	}
}

/* 100 of which 30 a week are wanted: within five weeks every one is given exactly once, 30, 30, 30, 10 and 0. */
static void a_short_pool_is_given_out_whole_and_the_rest_reported(void **state)
{
	static const uint32_t given[] = {30, 30, 30, 10, 0};
	struct offer_rules rules = offers_default;
	struct history *h = history_new();

	(void)state;
	rules.other_pool = 100;
	rules.front = 0;
	for (int period = 0; period < 15; period++) {
		struct offers o;

		take(h, &rules, 1, 2, period);
		offers_of(&rules, 1, 2, (uint32_t)period, &o);
		assert_int_equal(o.count, given[period % 5]);
		assert_int_equal(o.short_other, 30 - given[period % 5]);
	}
	for (uint32_t i = 50; i < 150; i++)
		assert_int_equal(h->given[i], 3);
	free(h);
}

static void without_a_pool_all_is_short(void **state)
{
	struct offer_rules rules = offers_default;
	struct offers o;

	(void)state;
	rules.front_pool = rules.other_pool = 0;
	offers_of(&rules, 1, 2, 3, &o);
	assert_int_equal(o.count, 0);
	assert_int_equal(o.short_front, 2);
	assert_int_equal(o.short_other, 30);
}

static void who_asks_again_gets_the_same_and_another_agent_others(void **state)
{
	struct offers a, again, other, of_other_seed;

	(void)state;
	offers_of(&offers_default, 9, 1, 4, &a);
	offers_of(&offers_default, 9, 1, 4, &again);
	offers_of(&offers_default, 9, 2, 4, &other);
	offers_of(&offers_default, 10, 1, 4, &of_other_seed);
	assert_memory_equal(a.offer, again.offer, a.count * sizeof(a.offer[0]));
	assert_memory_not_equal(a.offer, other.offer, a.count * sizeof(a.offer[0]));
	assert_memory_not_equal(a.offer, of_other_seed.offer, a.count * sizeof(a.offer[0]));
}

/* Of a fixed seed: 372 agents' first week is 11,160 of 150, 74.4 each; chi-square of 149 degrees at 0.9999. That each
 * agent's are different ones makes it less, not more. */
static void no_offer_is_favoured(void **state)
{
	unsigned seen[200] = {0};
	double chi = 0;

	(void)state;
	for (uint32_t agent = 0; agent < 372; agent++) {
		struct offers o;

		offers_of(&offers_default, 3, agent, 0, &o);
		for (uint32_t i = 0; i < o.count; i++)
			seen[o.offer[i]]++;
	}
	for (uint32_t i = 50; i < 200; i++)
		chi += (seen[i] - 74.4) * (seen[i] - 74.4) / 74.4;
	assert_true(chi < 221.9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_week_brings_2_and_30_and_none_again_within_28_days),
		cmocka_unit_test(the_371_of_the_original_get_11872_a_refresh),
		cmocka_unit_test(any_pools_and_any_rules_keep_the_distance),
		cmocka_unit_test(a_short_pool_is_given_out_whole_and_the_rest_reported),
		cmocka_unit_test(without_a_pool_all_is_short),
		cmocka_unit_test(who_asks_again_gets_the_same_and_another_agent_others),
		cmocka_unit_test(no_offer_is_favoured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
