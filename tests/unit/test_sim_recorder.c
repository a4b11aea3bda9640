/* Records of simulated runs: whole or not at all, each once, whatever the store does. As "sqlite", "postgres" or
 * "pooler". */
#include "store_kit.h"

#include "base/id.h"
#include "base/log.h"
#include "sim/queries.h"
#include "sim/recorder.h"

#include <math.h>
#include <pthread.h>

enum { SESSIONS = 12, EVENTS = 3, PATIENCE_S = 30 };

static const char *url; /* of PostgreSQL */

/* A recorder, the place of its store, and who waits for it to call. */
struct story {
	struct kit *kit;
	struct recorder *recorder;
	pthread_mutex_t lock;
	pthread_cond_t called;
	unsigned calls;
};

static const struct str outcomes[] = {{"completed", 9}, {"failed", 6}}, kept[] = {{"total", 5}, {"items", 5}},
			cohorts[] = {{"", 0}, {"dear", 4}};

static struct run_identity identity(void)
{
	return (struct run_identity){
		.run_id = STR("run_01h2k3m4n5p6q"),
		.title = STR(""),
		.seed = STR("7"),
		.scenario = STR("shopping"),
		.population = STR("372 generated"),
		.target = STR("http://127.0.0.1:7020"),
		.version = STR("0.1.0"),
		.scenario_hash = UINT64_MAX - 5,
		.started_ms = 1767225600000,
		.agents = 372,
		.outcomes = outcomes,
		.kept = kept,
		.cohorts = cohorts,
		.outcome_count = COUNT_OF(outcomes),
		.kept_count = COUNT_OF(kept),
		.cohort_count = COUNT_OF(cohorts),
	};
}

static void called(void *ctx)
{
	struct story *s = ctx;

	pthread_mutex_lock(&s->lock);
	s->calls++;
	pthread_cond_broadcast(&s->called);
	pthread_mutex_unlock(&s->lock);
}

static void open_recorder(struct story *s, const char *plan, uint32_t queue_max)
{
	const struct recorder_config config = {.url = s->kit->url,
					       .pool = 4,
					       .overflow = 2,
					       .queue_max = queue_max,
					       .wake = called,
					       .ctx = s,
					       .fault_plan = plan};
	struct problem p = {0};

	if (recorder_open(&config, &s->recorder, &p))
		fail_msg("%s", p.detail);
}

static struct recorder_seen begin(struct story *s, bool resume)
{
	struct run_identity id = identity();
	struct recorder_seen seen;
	struct problem p = {0};

	if (recorder_begin(s->recorder, &id, resume, &seen, &p))
		fail_msg("%s", p.detail);
	VEC_FREE(&seen.ended);
	return seen;
}

static struct story *story_new(const char *plan)
{
	struct story *s = NEW(struct story);

	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->called, NULL);
	s->kit = kit_new_at(url, NULL);
	open_recorder(s, plan, 1000);
	begin(s, false);
	return s;
}

static void story_free(struct story *s)
{
	recorder_close(&s->recorder, PATIENCE_S * 1000);
	kit_free(s->kit);
	pthread_cond_destroy(&s->called);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static bool is_settled(struct story *s)
{
	return recorder_settled(s->recorder);
}

static bool is_in_trouble(struct story *s)
{
	struct problem p;

	recorder_trouble(s->recorder, &p);
	return p.err != OK;
}

static bool is_settled_or_in_trouble(struct story *s)
{
	return is_settled(s) || is_in_trouble(s);
}

/* The recorder calls whenever that may have become true. */
static void await(struct story *s, bool (*true_now)(struct story *))
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&s->lock);
	for (unsigned before = s->calls + 1; !true_now(s); before = s->calls) {
		while (before == s->calls)
			if (pthread_cond_timedwait(&s->called, &s->lock, &until))
				fail_msg("the recorder never called");
	}
	pthread_mutex_unlock(&s->lock);
}

static enum err put(struct story *s, uint32_t agent, uint32_t cycle)
{
	const struct journey_event events[EVENTS] = {
		{STR("view_product"), 1000, STR("{\"product_id\":17}")},
		{STR("add_to_cart"), 2000, STR("{\"product_id\":17,\"quantity\":2}")},
		{STR("checkout"), 3000, STR("{}")},
	};
	const struct journey_result result = {.calls = 5,
					      .events = events,
					      .event_count = EVENTS,
					      .kept = (const double[RECORD_KEPT_MAX]){12.5, (double)NAN}};

	return recorder_put(s->recorder, &(struct session_record){.agent = agent,
								  .agent_id = STR("agent_001"),
								  .cycle = cycle,
								  .started_ms = 500,
								  .ended_ms = 4000,
								  .result = &result});
}

static void put_all(struct story *s, uint32_t cycle)
{
	for (uint32_t agent = 0; agent < SESSIONS; agent++)
		assert_int_equal(put(s, agent, cycle), OK);
}

/* ---- what the store holds ---- */

struct held {
	unsigned sessions, events, cycles, replays;
};

static enum err count_session(void *ctx, const void *row)
{
	const struct sim_session_row *session = row;
	struct held *h = ctx;

	assert_true(session->is_simulated);
	h->sessions++;
	h->replays += session->replay;
	return OK;
}

static enum err count_event(void *ctx, const void *row)
{
	const struct sim_event_row *event = row;
	struct held *h = ctx;

	assert_true(event->is_simulated);
	assert_int_equal(event->seq, h->events % EVENTS);
	h->events++;
	return OK;
}

static enum err count_cycle(void *ctx, const void *row)
{
	const struct sim_cycle_row *cycle = row;

	assert_true(cycle->is_simulated);
	((struct held *)ctx)->cycles++;
	return OK;
}

static struct held look(struct story *s)
{
	struct sim_session_from_in all = {.run = 0};
	struct held h = {0};
	int64_t run;

	assert_true(id_parse(identity().run_id, "run_", &run));
	all.run = run;
	if (!s->kit->db)
		s->kit->db = kit_connect(s->kit->store, DB_READ);
	assert_int_equal(q_sim_session_from(s->kit->db, &all, count_session, &h), OK);
	assert_int_equal(q_sim_event_from(s->kit->db, &(struct sim_event_from_in){run, 0}, count_event, &h), OK);
	assert_int_equal(q_sim_cycle_from(s->kit->db, &(struct sim_cycle_from_in){run, 0}, count_cycle, &h), OK);
	return h;
}

/* ---- the stories ---- */

static enum err keep_session(void *ctx, const void *row)
{
	const struct sim_session_row *session = row;

	(void)ctx;
	assert_int_equal(session->agent, 3);
	assert_str(session->kind, "idle");
	assert_str(session->agent_id, "agent??four");
	assert_str(session->cohort, "dear");
	assert_str(session->outcome, "failed");
	assert_str(session->failure, "POST /api/orders: 503");
	assert_str(session->kept, "{\"total\":12.5}");
	assert_int_equal(session->started_ms, 500);
	assert_int_equal(session->ended_ms, 4000);
	assert_int_equal(session->calls, 5);
	assert_int_equal(session->failed_calls, 1);
	return OK;
}

static void a_session_says_who_did_what_and_how_it_ended(void **state)
{
	struct story *s = story_new(NULL);
	const struct journey_result result = {.outcome = 1,
					      .calls = 5,
					      .failed_calls = 1,
					      .failure = STR("POST /api/orders: 503"),
					      .kept = (const double[RECORD_KEPT_MAX]){12.5, (double)NAN}};
	int64_t run;

	(void)state;
	assert_int_equal(recorder_put(s->recorder, &(struct session_record){.agent = 3,
									    .agent_id = STR("agent\0\xff"
											    "four"),
									    .kind = JOURNEY_IDLE,
									    .cohort = 1,
									    .cycle = 9,
									    .started_ms = 500,
									    .ended_ms = 4000,
									    .result = &result}),
			 OK);
	await(s, is_settled);
	assert_int_equal(look(s).sessions, 1);
	assert_true(id_parse(identity().run_id, "run_", &run));
	assert_int_equal(q_sim_session_from(s->kit->db, &(struct sim_session_from_in){run, 9}, keep_session, NULL),
			 OK);
	story_free(s);
}

static void a_cycle_is_a_row_after_its_sessions(void **state)
{
	struct story *s = story_new(NULL);
	struct recorder_counts counts;
	struct held h;

	(void)state;
	put_all(s, 0);
	await(s, is_settled);
	recorder_cycle(s->recorder, &(struct cycle_record){.cycle = 0, .agents = 372, .active = SESSIONS});
	await(s, is_settled);
	h = look(s);
	assert_int_equal(h.sessions, SESSIONS);
	assert_int_equal(h.events, SESSIONS * EVENTS);
	assert_int_equal(h.cycles, 1);
	recorder_count(s->recorder, &counts);
	assert_int_equal(counts.written_rows, SESSIONS * (1 + EVENTS) + 1);
	assert_int_equal(counts.queued, 0);
	assert_in_range(counts.connections, 1, 6);
	if (url)
		assert_int_equal(counts.commits, SESSIONS + 1); /* a transaction each */
	story_free(s);
}

static void without_a_store_rows_are_counted_alone(void **state)
{
	struct story s = {0};
	struct recorder_counts counts;
	struct problem p = {0};

	(void)state;
	assert_int_equal(recorder_open(&(struct recorder_config){.url = NULL}, &s.recorder, &p), OK);
	assert_false(begin(&s, true).any);
	put_all(&s, 0);
	recorder_cycle(s.recorder, &(struct cycle_record){.cycle = 0});
	assert_true(recorder_settled(s.recorder));
	recorder_count(s.recorder, &counts);
	assert_int_equal(counts.planned_rows, SESSIONS * (1 + EVENTS) + 1);
	assert_int_equal(counts.written_rows, 0);
	assert_int_equal(recorder_close(&s.recorder, 0), 0);
}

static void a_run_that_is_resumed_learns_what_was_seen(void **state)
{
	struct story *s = story_new(NULL);
	struct recorder_seen seen;
	struct held h;

	(void)state;
	put_all(s, 4);
	assert_int_equal(recorder_close(&s->recorder, PATIENCE_S * 1000), 0);
	for (uint32_t attempt = 1; attempt <= 2; attempt++) {
		open_recorder(s, NULL, 1000);
		seen = begin(s, true);
		assert_true(seen.any);
		assert_int_equal(seen.last_cycle, 4);
		assert_int_equal(seen.attempt, attempt);
		put_all(s, 4); /* the same ones again, in an attempt of their own */
		assert_int_equal(recorder_close(&s->recorder, PATIENCE_S * 1000), 0);
	}
	h = look(s);
	assert_int_equal(h.sessions, 3 * SESSIONS);
	assert_int_equal(h.events, 3 * SESSIONS * EVENTS);
	story_free(s);
}

static void a_run_the_store_does_not_know_begins_there(void **state)
{
	struct story *s = story_new(NULL);
	struct run_identity other = identity();
	struct recorder_seen seen;
	struct problem p = {0};

	(void)state;
	recorder_close(&s->recorder, PATIENCE_S * 1000);
	open_recorder(s, NULL, 1000);
	other.run_id = STR("run_01h2k3m4n5p6r");
	assert_int_equal(recorder_begin(s->recorder, &other, true, &seen, &p), OK);
	assert_false(seen.any);
	assert_int_equal(seen.attempt, 1);
	story_free(s);
}

static void refused(struct story *s, const struct run_identity *id, bool resume, enum err e, const char *words)
{
	struct recorder_seen seen;
	struct problem p = {0};

	recorder_close(&s->recorder, PATIENCE_S * 1000);
	open_recorder(s, NULL, 1000);
	assert_int_equal(recorder_begin(s->recorder, id, resume, &seen, &p), e);
	if (!strstr(p.detail, words))
		fail_msg("%s", p.detail);
}

static void what_is_resumed_is_what_was_begun(void **state)
{
	struct story *s = story_new(NULL);
	struct run_identity id = identity();

	(void)state;
	refused(s, &id, false, ERR_ALREADY_EXISTS, "there are records of run_01h2k3m4n5p6q already");
	id.seed = STR("8");
	refused(s, &id, true, ERR_CONFLICT, "are of the seed 7, and this is 8");
	id = identity();
	id.scenario = STR("grocery");
	refused(s, &id, true, ERR_CONFLICT, "are of the scenario shopping, and this is grocery");
	id = identity();
	id.scenario_hash++;
	refused(s, &id, true, ERR_CONFLICT, "was changed since");
	id = identity();
	id.run_id = STR("run_1");
	refused(s, &id, true, ERR_INVALID, "is no id of a run");
	story_free(s);
}

static bool has_room(struct story *s)
{
	enum err e = put(s, 99, 0);

	assert_true(e == OK || e == ERR_OVERLOADED);
	return e == OK;
}

static void a_full_queue_refuses_and_calls_when_there_is_room(void **state)
{
	struct story *s = story_new(NULL);

	(void)state;
	recorder_close(&s->recorder, PATIENCE_S * 1000);
	open_recorder(s, "slow@*=20", 2);
	begin(s, true);
	assert_int_equal(put(s, 0, 0), OK);
	assert_int_equal(put(s, 1, 0), OK);
	assert_int_equal(put(s, 2, 0), ERR_OVERLOADED);
	await(s, has_room);
	await(s, is_settled);
	assert_int_equal(look(s).sessions, 3);
	story_free(s);
}

static void a_full_disk_holds_records_up_and_loses_none(void **state)
{
	struct story *s = story_new("full@1..24");
	struct problem p;

	(void)state;
	put_all(s, 0);
	await(s, is_in_trouble);
	recorder_trouble(s->recorder, &p);
	assert_int_equal(p.err, ERR_STORE_FULL);
	assert_non_null(strstr(p.detail, "make room"));
	assert_non_null(strstr(p.detail, "12 records wait"));
	assert_false(recorder_settled(s->recorder));
	await(s, is_settled);
	assert_false(is_in_trouble(s));
	assert_int_equal(look(s).sessions, SESSIONS);
	assert_int_equal(look(s).events, SESSIONS * EVENTS);
	story_free(s);
}

static void writes_once(const char *plan)
{
	struct story *s = story_new(plan);
	struct held h;

	put_all(s, 0);
	await(s, is_settled);
	recorder_cycle(s->recorder, &(struct cycle_record){.cycle = 0});
	await(s, is_settled);
	assert_false(is_in_trouble(s));
	h = look(s);
	assert_row(plan, h.sessions == SESSIONS && h.events == SESSIONS * EVENTS && h.cycles == 1);
	story_free(s);
}

static void a_cut_connection_loses_nothing_and_doubles_nothing(void **state)
{
	static const char *const plans[] = {"fail@1",     "fail@2..6", "busy@3",
					    "unknown@c1", "lost@c1",   "fail@c1, unknown@c2"};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(plans); i++)
		writes_once(plans[i]);
}

static void a_store_that_stays_away_leaves_whole_sessions_behind(void **state)
{
	struct story *s = story_new(url ? "fail@40.." : "fail@c2..");
	uint32_t left;

	(void)state;
	put_all(s, 0);
	if (!url) {
		await(s, is_settled_or_in_trouble); /* the first commit, which may have been of some of them */
		put_all(s, 1);
	}
	await(s, is_in_trouble);
	left = recorder_close(&s->recorder, 0);
	assert_in_range(left, 1, (url ? 1 : 2) * SESSIONS);
	assert_int_equal(look(s).sessions, (url ? 1U : 2U) * SESSIONS - left);
	assert_int_equal(look(s).events, look(s).sessions * EVENTS);
	story_free(s);
}

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "sqlite";
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_says_who_did_what_and_how_it_ended),
		cmocka_unit_test(a_cycle_is_a_row_after_its_sessions),
		cmocka_unit_test(without_a_store_rows_are_counted_alone),
		cmocka_unit_test(a_run_that_is_resumed_learns_what_was_seen),
		cmocka_unit_test(a_run_the_store_does_not_know_begins_there),
		cmocka_unit_test(what_is_resumed_is_what_was_begun),
		cmocka_unit_test(a_full_queue_refuses_and_calls_when_there_is_room),
		cmocka_unit_test(a_full_disk_holds_records_up_and_loses_none),
		cmocka_unit_test(a_cut_connection_loses_nothing_and_doubles_nothing),
		cmocka_unit_test(a_store_that_stays_away_leaves_whole_sessions_behind),
	};

	log_set_level(LOG_ERROR);
	url = kit_url_of(which);
	return cmocka_run_group_tests_name(which, tests, NULL, NULL);
}
