/* The warm-up: the stages of the table, nested, in an order that is nobody's list; and groups that stay. */
#include "harness.h"

#include "sim/ramp.h"

static void eight_cycles_of_372_admit_37_93_186_279_and_372(void **state)
{
	static const uint32_t expected[] = {37, 37, 93, 93, 186, 186, 279, 279, 372, 372};
	struct ramp r;

	(void)state;
	ramp_init(&r, 1, 372, 8);
	for (uint32_t cycle = 0; cycle < COUNT_OF(expected); cycle++)
		assert_int_equal(ramp_admitted(&r, cycle), expected[cycle]);
	ramp_free(&r);
}

static void any_length_has_the_four_stages_in_order(void **state)
{
	static const uint32_t stages[] = {37, 93, 186, 279, 372};

	(void)state;
	for (uint32_t cycles = 1; cycles < 50; cycles++) {
		unsigned stage = 0, met = 0;
		struct ramp r;

		ramp_init(&r, 1, 372, cycles);
		for (uint32_t cycle = 0; cycle <= cycles; cycle++) {
			while (stage < COUNT_OF(stages) && ramp_admitted(&r, cycle) != stages[stage])
				stage++;
			assert_true(stage < COUNT_OF(stages));
			met |= 1u << stage;
		}
		assert_true(cycles < 4 || met == 0x1f);
		assert_int_equal(ramp_admitted(&r, cycles), 372);
		ramp_free(&r);
	}
}

static void who_is_in_stays_in_and_as_many_are_in_as_it_says(void **state)
{
	struct rng random = test_seed();
	bool was_in[372] = {false};
	struct ramp r;

	(void)state;
	ramp_init(&r, rng_u64(&random), COUNT_OF(was_in), 8);
	for (uint32_t cycle = 0; cycle < 10; cycle++) {
		uint32_t in = 0;

		for (uint32_t agent = 0; agent < COUNT_OF(was_in); agent++) {
			bool is_in = ramp_admits(&r, agent, cycle);

			assert_true(is_in || !was_in[agent]);
			was_in[agent] = is_in;
			in += is_in;
		}
		assert_int_equal(in, ramp_admitted(&r, cycle));
	}
	ramp_free(&r);
}

/* The mean place of the first 37 in the list: 185.5 if they are drawn, 18 if they are the list's first. Of fixed seeds;
 * a fair draw is within four deviations of 16.8. */
static void the_first_are_not_the_first_of_the_list_and_differ_by_seed(void **state)
{
	bool in_first[372] = {false};
	unsigned common = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++) {
		double sum = 0;
		struct ramp r;

		ramp_init(&r, seed, 372, 8);
		for (uint32_t agent = 0; agent < 372; agent++) {
			if (!ramp_admits(&r, agent, 0))
				continue;
			sum += agent;
			common += in_first[agent];
			in_first[agent] = true;
		}
		assert_true(sum / 37 > 118 && sum / 37 < 253);
		ramp_free(&r);
	}
	assert_true(common < 15); /* 3.7 expected */
}

static void without_a_warm_up_all_are_in_at_once(void **state)
{
	struct ramp r;

	(void)state;
	ramp_init(&r, 1, 372, 0);
	assert_int_equal(ramp_admitted(&r, 0), 372);
	assert_true(ramp_admits(&r, 371, 0));
	ramp_free(&r);
}

/* Ten groups of 372 by name; the numbers are part of the promise: another process finds the same. */
static void groups_are_stable_and_about_even(void **state)
{
	unsigned size[10] = {0};

	(void)state;
	for (int i = 1; i <= 372; i++) {
		char name[24];
		struct str id = {name, (size_t)snprintf(name, sizeof(name), "agent_%03d", i)};

		assert_int_equal(group_of(id, 10), group_of(id, 10));
		size[group_of(id, 10)]++;
	}
	for (unsigned i = 0; i < COUNT_OF(size); i++)
		assert_in_range(size[i], 18, 58); /* 37.2 and 3.5 deviations of 5.8 */
	assert_int_equal(group_of(STR("agent_001"), 10), 4);
	assert_int_equal(group_of(STR("agent_372"), 10), 7);
	assert_int_equal(group_of(STR("anybody"), 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_cycles_of_372_admit_37_93_186_279_and_372),
		cmocka_unit_test(any_length_has_the_four_stages_in_order),
		cmocka_unit_test(who_is_in_stays_in_and_as_many_are_in_as_it_says),
		cmocka_unit_test(the_first_are_not_the_first_of_the_list_and_differ_by_seed),
		cmocka_unit_test(without_a_warm_up_all_are_in_at_once),
		cmocka_unit_test(groups_are_stable_and_about_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
