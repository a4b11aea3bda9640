/* How a population behaved, from the records of its run, on each store: as "sqlite", "postgres" or "pooler". */
#include "store_kit.h"

#include "base/log.h"
#include "sim/behaviour.h"
#include "sim/queries.h"
#include "sim/schema.h"

enum { HOUR_MS = 3600 * 1000, RUN = 7, AGENTS = 3 };
static const int64_t monday = INT64_C(1767571200000); /* 2026-01-05 */
static const struct str names[] = {{"bought", 6}, {"left", 4}, {"broke", 5}};
static const enum outcome_kind kinds[] = {END_COMPLETED, END_ABANDONED, END_FAILED};
static const struct behaviour_outcomes outcomes = {names, kinds, 3};

static const char *url; /* of PostgreSQL */

static void put_run(struct db *db, int64_t run)
{
	char name[32];

	snprintf(name, sizeof(name), "run_%d", (int)run);
	assert_int_equal(q_sim_run_insert(db, &(struct sim_run_row){.run = run,
								    .name = str_of(name),
								    .seed = STR("1"),
								    .scenario = STR("s"),
								    .agents = AGENTS,
								    .is_simulated = true}),
			 OK);
}

static void put_cycle(struct db *db, int64_t run, int64_t cycle, int64_t attempt)
{
	assert_int_equal(q_sim_cycle_insert(db,
					    &(struct sim_cycle_row){.run = run,
								    .cycle = cycle,
								    .attempt = attempt,
								    .is_simulated = true,
								    .began_ms = monday + cycle * HOUR_MS,
								    .agents = AGENTS},
					    1),
			 OK);
}

static void put_session(struct db *db, struct sim_session_row s)
{
	s.agent_id = STR("a");
	s.cohort = STR("");
	s.is_simulated = true;
	s.started_ms = s.ended_ms = monday + s.cycle * HOUR_MS;
	assert_int_equal(q_sim_session_insert(db, &s, 1), OK);
}

static int begin(void **state)
{
	struct kit *k = kit_new_at(url, NULL);

	*state = k;
	kit_open_as(k, &SIM_SCHEMA);
	put_run(k->db, RUN);
	put_run(k->db, RUN + 1);
	return 0;
}

static int done(void **state)
{
	kit_free(*state);
	return 0;
}

static struct behaviour *behaviour_of(struct kit *k)
{
	struct behaviour *b;

	assert_int_equal(behaviour_read(k->db, RUN, AGENTS, &outcomes, &b), OK);
	return b;
}

#define SESSION(...) put_session(k->db, (struct sim_session_row){.run = RUN, .kind = STR("session"), __VA_ARGS__})

static void sessions_are_counted_by_how_they_ended(void **state)
{
	struct kit *k = *state;
	struct behaviour *b;

	put_cycle(k->db, RUN, 0, 0);
	put_cycle(k->db, RUN, 1, 0);
	SESSION(.cycle = 0, .agent = 0, .outcome = STR("bought"), .kept = STR("{\"total\":9,\"items\":3}"));
	SESSION(.cycle = 1, .agent = 0, .outcome = STR("left"), .kept = STR("{\"items\":0}"));
	SESSION(.cycle = 1, .agent = 1, .outcome = STR("left"), .kept = STR("{\"items\":2}"));
	SESSION(.cycle = 1, .agent = 2, .outcome = STR("broke"), .kept = STR("{\"items\":1}"));
	SESSION(.cycle = 1, .agent = 2, .number = 1, .outcome = STR("of no scenario"), .kept = STR("{}"));
	put_session(k->db, (struct sim_session_row){
				   .run = RUN, .kind = STR("idle"), .outcome = STR("bought"), .kept = STR("{}")});
	put_session(k->db,
		    (struct sim_session_row){
			    .run = RUN + 1, .kind = STR("session"), .outcome = STR("bought"), .kept = STR("{}")});
	b = behaviour_of(k);
	assert_int_equal(b->completed, 1);
	assert_int_equal(b->abandoned, 2);
	assert_int_equal(b->failed, 2);
	assert_int_equal(b->carts, 2);
	assert_int_equal(b->carts_bought, 1);
	assert_int_equal(b->basket[3], 1);
	assert_int_equal(b->seen, 2 * AGENTS);
	assert_int_equal(b->bought_hour[0], 1);
	assert_int_equal(b->bought_weekday[0], 1);
	assert_true(b->end_ms == monday + 2 * HOUR_MS);
	behaviour_free(&b);
}

/* Cycle 1 was run again after a resume; cycle 2 was cut off, run, and cut off again: its second attempt counts. */
static void cycles_that_ran_again_count_once_and_those_cut_off_not_at_all(void **state)
{
	struct kit *k = *state;
	struct behaviour *b;

	put_cycle(k->db, RUN, 0, 0);
	put_cycle(k->db, RUN, 1, 0);
	put_cycle(k->db, RUN, 1, 1);
	put_cycle(k->db, RUN, 2, 1);
	for (int attempt = 0; attempt < 3; attempt++)
		for (int cycle = attempt ? 1 : 0; cycle < 4; cycle++)
			SESSION(.cycle = cycle, .attempt = attempt, .outcome = STR("bought"),
				.kept = attempt == 1 ? STR("{\"items\":5}") : STR("{\"items\":4}"));
	b = behaviour_of(k);
	assert_int_equal(b->completed, 3);
	assert_int_equal(b->basket[4], 1);
	assert_int_equal(b->basket[5], 2);
	assert_int_equal(b->seen, 3 * AGENTS);
	behaviour_free(&b);
}

static void a_scenario_that_keeps_no_items_has_no_carts(void **state)
{
	struct kit *k = *state;
	struct behaviour *b;

	put_cycle(k->db, RUN, 0, 0);
	SESSION(.outcome = STR("bought"), .kept = STR("{\"total\":3}"));
	b = behaviour_of(k);
	assert_false(b->keeps_items);
	assert_int_equal(b->completed, 1);
	assert_int_equal(b->carts, 0);
	behaviour_free(&b);
	assert_int_equal(behaviour_read(k->db, 99, 0, &outcomes, &b), OK); /* a run without records */
	assert_int_equal(b->seen, 0);
	behaviour_free(&b);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, begin, done)

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "sqlite";
	static const struct CMUnitTest tests[] = {
		ON(sessions_are_counted_by_how_they_ended),
		ON(cycles_that_ran_again_count_once_and_those_cut_off_not_at_all),
		ON(a_scenario_that_keeps_no_items_has_no_carts),
	};

	log_set_level(LOG_ERROR);
	url = kit_url_of(which);
	return cmocka_run_group_tests_name(which, tests, NULL, NULL);
}
