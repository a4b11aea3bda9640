/* What a report reads of the records of a run, on each store: as "sqlite" or "postgres". The pages are tried
 * from outside (tests/api/test_sim_report.py). */
#include "store_kit.h"

#include "base/id.h"
#include "base/log.h"
#include "sim/course.h"
#include "sim/queries.h"
#include "sim/report_priv.h"
#include "sim/schema.h"

#include <math.h>
#include <sys/stat.h>

#define RUN "run_0f9z3k4m5n6p7"

enum { CYCLES = 6, AGENTS = 60, HOUR_MS = 3600000 };

static const char *url;                        /* of PostgreSQL */
static const int64_t start_ms = 1767571200000; /* a Monday */

/* ---- a run and its records ---- */

static int64_t run_number(void)
{
	int64_t id = 0;

	assert_true(id_parse(STR(RUN), "run_", &id));
	return id;
}

/* Cycle 3 ran twice, and was whole twice; cycle 4 was cut off, and ran again; cycle 5 is under way. */
static void put_cycle(struct kit *k, int64_t cycle, int64_t attempt, bool replay, bool whole)
{
	struct sim_cycle_row c = {.run = run_number(),
				  .cycle = cycle,
				  .attempt = attempt,
				  .replay = replay,
				  .is_simulated = true,
				  .began_ms = start_ms + cycle * HOUR_MS,
				  .took_ms = 1000,
				  .agents = AGENTS,
				  .active = AGENTS,
				  .requests = 2 * AGENTS};

	if (whole)
		assert_int_equal(q_sim_cycle_insert(k->db, &c, 1), OK);
	for (int64_t agent = 0; agent < AGENTS; agent++) {
		bool dear = agent % 2 == 1, done = (agent + cycle) % 3 == 0;
		struct sim_session_row s = {.run = c.run,
					    .cycle = cycle,
					    .attempt = attempt,
					    .agent = agent,
					    .kind = agent == 7 ? STR("idle") : STR("session"),
					    .replay = replay,
					    .is_simulated = true,
					    .agent_id = STR("agent"),
					    .cohort = dear ? STR("dear") : STR(""),
					    .outcome = done ? STR("completed") : STR("abandoned"),
					    .failure = agent == 5 ? STR("GET /: 500") : (struct str){0},
					    .started_ms = c.began_ms,
					    .ended_ms = c.began_ms + 1,
					    .calls = 2,
					    .kept = done ? STR("{\"total\":12.5}") : STR("{}")};

		assert_int_equal(q_sim_session_insert(k->db, &s, 1), OK);
	}
}

static void put_records(struct kit *k)
{
	struct sim_run_row row = {.run = run_number(),
				  .name = STR(RUN),
				  .title = STR(""),
				  .seed = STR("7"),
				  .scenario = STR("shopping"),
				  .population = STR("60"),
				  .target = STR("http://x"),
				  .version = STR("0"),
				  .agents = AGENTS,
				  .is_simulated = true};

	assert_int_equal(q_sim_run_insert(k->db, &row), OK);
	for (int64_t cycle = 0; cycle < 4; cycle++)
		put_cycle(k, cycle, 0, false, true);
	put_cycle(k, 4, 0, false, false);
	put_cycle(k, 3, 1, true, true);
	put_cycle(k, 4, 1, true, true);
	put_cycle(k, 5, 1, false, false);
}

static void put_file(const char *run_dir)
{
	struct run_outcome outcomes[] = {{.name = STR("completed"), .kind = SCENARIO_COMPLETED},
					 {.name = STR("abandoned"), .kind = SCENARIO_ABANDONED}};
	struct checkpoint_kept kept[] = {{.name = STR("total")}};
	struct run_cohort cohorts[] = {{.name = STR("")}, {.name = STR("dear")}};
	struct run_course f = {.tenfold_course = COURSE_VERSION,
			       .run = STR(RUN),
			       .scenario = STR("shopping"),
			       .agents = AGENTS,
			       .threads = 1,
			       .outcomes = outcomes,
			       .outcomes_count = COUNT_OF(outcomes),
			       .kept = kept,
			       .kept_count = COUNT_OF(kept),
			       .cohorts = cohorts,
			       .cohorts_count = COUNT_OF(cohorts)};
	struct problem p = {0};

	if (course_save(str_of(run_dir), &f, &p))
		fail_msg("%s", p.detail);
}

struct story {
	struct kit *kit;
	char dir[64], runs[72], run_dir[128];
	struct sim_report report;
};

static int tell(void **state)
{
	struct story *s = NEW(struct story);
	struct report_source from = {.run = STR(RUN), .now_ms = start_ms};
	struct problem p = {0};

	s->kit = kit_new_at(url, NULL);
	kit_open_as(s->kit, &SIM_SCHEMA);
	put_records(s->kit);
	snprintf(s->dir, sizeof(s->dir), "/tmp/tenfold-report-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->runs, sizeof(s->runs), "%s/runs", s->dir);
	snprintf(s->run_dir, sizeof(s->run_dir), "%s/" RUN, s->runs);
	assert_int_equal(mkdir(s->runs, 0700) | mkdir(s->run_dir, 0700), 0);
	put_file(s->run_dir);
	from.dir = str_of(s->dir);
	from.run_dir = str_of(s->run_dir);
	from.store = str_of(s->kit->url);
	if (report_make(&from, s->kit->arena, &s->report, &p))
		fail_msg("%s", p.detail);
	*state = s;
	return 0;
}

static int done(void **state)
{
	struct story *s = *state;
	char path[192];

	snprintf(path, sizeof(path), "%s/course.json", s->run_dir);
	unlink(path);
	rmdir(s->run_dir);
	rmdir(s->runs);
	rmdir(s->dir);
	kit_free(s->kit);
	free(s);
	return 0;
}

/* ---- what it says ---- */

static void a_cycle_is_what_it_did_the_last_time_that_it_was_whole(void **state)
{
	const struct sim_report *r = &((struct story *)*state)->report;

	assert_int_equal(r->cycles_count, 5);
	for (size_t i = 0; i < r->cycles_count; i++) {
		assert_int_equal(r->cycles[i].cycle, i);
		assert_int_equal(r->cycles[i].attempt, i >= 3);
		assert_int_equal(r->cycles[i].replay, i >= 3);
		assert_int_equal(r->cycles[i].sessions, AGENTS - 1);
	}
	assert_int_equal(r->cycles_whole, 5);
	assert_int_equal(r->cycles_replayed, 2);
	assert_int_equal(r->outcomes[0].sessions + r->outcomes[1].sessions, 5 * (AGENTS - 1));
	assert_int_equal(r->cut, REPORT_CUT_OFF);
}

static void failures_are_counted_by_what_they_say(void **state)
{
	const struct sim_report *r = &((struct story *)*state)->report;

	assert_int_equal(r->failures_count, 1);
	assert_str(r->failures[0].failure, "GET /: 500");
	assert_int_equal(r->failures[0].sessions, 5);
	assert_int_equal(r->failures[0].first_cycle, 0);
	assert_int_equal(r->failures[0].last_cycle, 4);
}

static void sessions_stand_by_the_hour_and_the_day(void **state)
{
	const struct sim_report *r = &((struct story *)*state)->report;

	assert_int_equal(r->hours[2].cycles, 1);
	assert_int_equal(r->hours[5].cycles, 0);
	assert_str(r->weekdays[0].name, "Monday");
	assert_int_equal(r->weekdays[0].sessions, 5 * (AGENTS - 1));
}

static void cohorts_have_what_their_sessions_kept(void **state)
{
	const struct sim_report *r = &((struct story *)*state)->report;
	const struct report_cohort *dear = &r->cohorts[1];

	assert_int_equal(r->cohorts_count, 2);
	assert_str(dear->name, "dear");
	assert_int_equal(dear->agents, AGENTS / 2 - 1);
	assert_int_equal(dear->values_count, 3);
	assert_str(dear->values[1].name, "requests");
	assert_true(dear->values[1].mean == 2 && dear->values[1].margin == 0);
	assert_str(dear->values[2].name, "total");
	assert_true(fabs(dear->values[2].mean - 12.5) < 1e-12);
	assert_true(dear->values[2].sessions < dear->values[0].sessions);
}

/* ---- numbers in words ---- */

static void numbers_are_as_exact_as_they_are_worth(void **state)
{
	static const struct {
		void (*write)(struct buf *, double);
		double value;
		const char *text;
	} reals[] = {{words_ms, 0.04, "0.0 ms"},        {words_ms, 9.94, "9.9 ms"},
		     {words_ms, 99.6, "100 ms"},        {words_ms, 1500, "1.5 s"},
		     {words_ms, 61000, "1 min 1 s"},    {words_percent, 0, "0 %"},
		     {words_percent, 0.0003, "0.03 %"}, {words_percent, 0.051, "5.1 %"},
		     {words_percent, 0.569, "57 %"},    {words_percent, 1, "100 %"}};
	static const struct {
		void (*write)(struct buf *, int64_t);
		int64_t value;
		const char *text;
	} whole[] = {{words_count, 0, "0"},
		     {words_count, 999, "999"},
		     {words_count, 1000, "1,000"},
		     {words_count, 12045006, "12,045,006"},
		     {words_span, 900, "0.9 s"},
		     {words_span, 60000, "1 min"},
		     {words_span, 5400000, "1 h 30 min"},
		     {words_span, 90000000, "1 d 1 h"}};
	struct buf b = BUF_INIT(0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(reals); i++, buf_reset(&b)) {
		reals[i].write(&b, reals[i].value);
		assert_string_equal(buf_cstr(&b), reals[i].text);
	}
	for (size_t i = 0; i < COUNT_OF(whole); i++, buf_reset(&b)) {
		whole[i].write(&b, whole[i].value);
		assert_string_equal(buf_cstr(&b), whole[i].text);
	}
	buf_free(&b);
}

static void bytes_that_stand_in_no_page_are_replaced(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	page_escape(&b, STR("a<b>&\"'\x01\xff\xc3\xa9\t"));
	assert_string_equal(buf_cstr(&b), "a&#60;b&#62;&#38;&#34;&#39;\xEF\xBF\xBD\xEF\xBF\xBD\xc3\xa9\t");
	buf_free(&b);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, tell, done)

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "sqlite";
	static const struct CMUnitTest tests[] = {
		ON(a_cycle_is_what_it_did_the_last_time_that_it_was_whole),
		ON(failures_are_counted_by_what_they_say),
		ON(sessions_stand_by_the_hour_and_the_day),
		ON(cohorts_have_what_their_sessions_kept),
		cmocka_unit_test(numbers_are_as_exact_as_they_are_worth),
		cmocka_unit_test(bytes_that_stand_in_no_page_are_replaced),
	};

	log_set_level(LOG_ERROR);
	url = kit_url_of(which);
	return cmocka_run_group_tests_name(which, tests, NULL, NULL);
}
