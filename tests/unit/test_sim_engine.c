/*
 * The engine in a world of its own: time goes by itself, the target answers as a test says.
 */
#include "harness.h"

#include "sim_kit/way.h"
#include "sim_kit/world.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct way plain = {.agents = 372, .calls = 6, .always = true};

struct scene {
	struct world world;
	struct scenario *scenario;
	struct population *who;
	struct engine_config config;
	struct engine *engine;
	struct engine_view view;
};

static void open_scene(struct scene *s, const struct way *way)
{
	world_init(&s->world);
	way_make(way, &s->scenario, &s->who);
	world_config(&s->world, s->scenario, s->who, &s->config);
	s->engine = NULL;
}

static void close_scene(struct scene *s)
{
	engine_free(&s->engine);
	world_free(&s->world);
	population_free(&s->who);
	scenario_free(&s->scenario);
}

static const struct engine_view *look(struct scene *s)
{
	engine_look(s->engine, &s->view);
	return &s->view;
}

static void run_to_end(struct scene *s)
{
	s->engine = world_engine(&s->config);
	world_run(&s->world, s->engine);
}

static void run_until(struct scene *s, int64_t ns)
{
	if (!s->engine)
		s->engine = world_engine(&s->config);
	world_run_until(&s->world, s->engine, ns);
}

/* The most that was sent in any window of such length. */
static size_t most_in(const struct world *w, int64_t window_ns)
{
	size_t most = 0;

	for (size_t i = 0, from = 0; i < w->sent.n; i++) {
		while (w->sent.v[i] - w->sent.v[from] > window_ns)
			from++;
		most = i - from + 1 > most ? i - from + 1 : most;
	}
	return most;
}

static void assert_bound(const struct world *w, double rate, double burst)
{
	static const int64_t windows_ms[] = {1, 20, 100, 1000, 5000, 20000};

	for (size_t i = 0; i < COUNT_OF(windows_ms); i++)
		assert_true((double)most_in(w, windows_ms[i] * WORLD_MS) <=
			    burst + rate * (double)windows_ms[i] / 1000 + 1e-6);
}

/* ---- everybody at once, and the limiter ---- */

static void all_372_are_in_flight_at_once(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 1;
	run_to_end(&s);
	assert_int_equal(s.world.peak, 372);
	assert_int_equal(s.world.sent.n, 372 * 6);
	assert_int_equal(s.world.overlaps, 0);
	assert_int_equal(s.world.records.n, 372);
	assert_int_equal(look(&s)->totals.sessions, 372);
	assert_int_equal(s.view.end, ENDED_CYCLES);
	close_scene(&s);
}

static void the_target_never_sees_more_than_the_rate_allows(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 2;
	s.config.rate = 50;
	s.config.burst = 50;
	run_to_end(&s);
	assert_bound(&s.world, 50, 50);
	assert_int_equal(s.world.sent.v[371] / WORLD_MS, 6440); /* the 372nd that came at once */
	assert_int_equal(s.world.overlaps, 0);
	assert_true(s.world.peak <= 100);
	close_scene(&s);
}

static void waiting_for_the_own_limiter_is_no_slowness_of_the_target(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 1;
	s.config.rate = 50;
	s.config.burst = 50;
	run_to_end(&s);
	look(&s);
	assert_int_equal(s.view.endpoints[0].service.count, 372 * 6);
	assert_int_equal(s.view.endpoints[0].service.max_us, 10000);
	assert_in_range(s.view.endpoints[0].response.max_us, 10000, 10001);
	assert_true(s.view.endpoints[0].throttle.max_us > 6000000);
	close_scene(&s);
}

/* ---- 429 ---- */

static void one_429(struct world *w, struct client_call *c, uint32_t number)
{
	(void)w;
	if (number != 20)
		return;
	c->status = 429;
	c->retry_after_ms = 3000;
}

static void a_429_holds_everybody_and_is_asked_again(void **state)
{
	struct scene s;
	int64_t held_ns;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 1;
	s.config.rate = 50;
	s.config.burst = 10;
	s.world.answers = one_429;
	run_to_end(&s);
	look(&s);
	assert_int_equal(s.view.totals.held_429, 1);
	assert_int_equal(s.view.totals.failures, 0);
	assert_int_equal(s.world.sent.n, 372 * 6 + 1);
	held_ns = s.world.sent.v[20] + s.world.latency_ns;
	for (size_t i = 0; i < s.world.sent.n; i++)
		assert_true(s.world.sent.v[i] <= held_ns || s.world.sent.v[i] >= held_ns + 3 * (int64_t)WORLD_S);
	assert_bound(&s.world, 50, 10);
	assert_int_equal(world_news(&s.world, NEWS_HELD), 1);
	close_scene(&s);
}

static void always_429(struct world *w, struct client_call *c, uint32_t number)
{
	(void)w;
	(void)number;
	c->status = 429;
}

static void who_answers_429_for_ever_is_not_asked_for_ever(void **state)
{
	static const struct way one = {.agents = 1, .calls = 1, .always = true};
	struct scene s;

	(void)state;
	open_scene(&s, &one);
	s.config.cycles = 1;
	s.world.answers = always_429;
	run_to_end(&s);
	assert_int_equal(s.world.sent.n, 6);
	assert_int_equal(look(&s)->totals.failures, 1);
	assert_true(s.world.sent.v[5] - s.world.sent.v[0] >= 31 * (int64_t)WORLD_S); /* 1, 2, 4, 8, 16 s */
	close_scene(&s);
}

/* ---- time ---- */

static void cycles_begin_on_time_and_no_hour_is_left_out(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 3;
	run_to_end(&s);
	assert_int_equal(s.world.cycles.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s.world.cycles.v[i].began_ms, s.config.start_ms + (int64_t)i * CALENDAR_HOUR_MS);
	assert_int_equal(s.world.sent.v[372 * 6] / WORLD_MS, 75000);
	assert_int_equal(s.world.sent.v[372 * 12] / WORLD_MS, 150000);
	assert_int_equal(look(&s)->slipped, 0);
	close_scene(&s);
}

static void an_overrun_slips_without_skipping_an_hour(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 3;
	s.config.rate = 20; /* 2232 requests in 111.6 s, and a cycle has 75 s */
	s.config.burst = 1;
	run_to_end(&s);
	assert_int_equal(look(&s)->slipped, 3);
	assert_int_equal(world_news(&s.world, NEWS_SLIPPED), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s.world.cycles.v[i].began_ms, s.config.start_ms + (int64_t)i * CALENDAR_HOUR_MS);
	for (size_t i = 0; i < s.world.records.n; i++) { /* nothing of one hour is said to be of the next */
		const struct world_record *r = &s.world.records.v[i];
		int64_t hour_ms = s.config.start_ms + (int64_t)r->cycle * CALENDAR_HOUR_MS;

		assert_in_range(r->started_ms, hour_ms, hour_ms + CALENDAR_HOUR_MS - 1);
		assert_in_range(r->ended_ms, hour_ms, hour_ms + CALENDAR_HOUR_MS - 1);
	}
	close_scene(&s);
}

static void thinking_ends_with_its_hour(void **state)
{
	static const struct way slow = {.agents = 10, .calls = 3, .think_s = 3000, .always = true};
	struct scene s;

	(void)state;
	open_scene(&s, &slow);
	s.config.cycles = 1;
	run_to_end(&s);
	assert_int_equal(s.world.sent.v[10] / WORLD_MS, 62510); /* 3000 s at 48: 62.5 s */
	assert_int_equal(s.world.sent.v[20] / WORLD_MS, 75000);
	assert_int_equal(look(&s)->slipped, 0);
	close_scene(&s);
}

static void sessions_that_are_spread_begin_all_over_the_hour(void **state)
{
	struct scene s;
	size_t first_half = 0;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 1;
	s.config.spread = true;
	run_to_end(&s);
	for (size_t i = 0; i < s.world.records.n; i++)
		first_half += s.world.records.v[i].started_ms < s.config.start_ms + CALENDAR_HOUR_MS / 2;
	assert_in_range(first_half, 140, 232); /* 186 +- 4.8 standard deviations */
	assert_true(s.world.peak < 20);
	close_scene(&s);
}

static void an_hour_goes_on_when_all_of_it_is_done(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 2;
	run_until(&s, 50 * (int64_t)WORLD_S); /* of 75, and nobody has anything more to do */
	assert_int_equal(look(&s)->state, ENGINE_BETWEEN);
	assert_int_equal(s.view.cycle_elapsed_ms, 50000);
	assert_int_equal(s.view.simulated_ms, s.config.start_ms + 50000 * 48);
	close_scene(&s);
}

/* ---- pause ---- */

static void a_pause_freezes_simulated_time_and_ends_without_a_burst(void **state)
{
	struct scene s;
	size_t before;
	int64_t simulated_ms;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 2;
	s.config.rate = 50;
	s.config.burst = 50;
	run_until(&s, 3 * (int64_t)WORLD_S);
	engine_pause(s.engine);
	run_until(&s, 4 * (int64_t)WORLD_S); /* what was under way is answered */
	assert_int_equal(engine_state(s.engine), ENGINE_PAUSED);
	before = s.world.sent.n;
	simulated_ms = look(&s)->simulated_ms;
	assert_int_equal(s.view.in_flight, 0);
	run_until(&s, 1000 * (int64_t)WORLD_S);
	assert_int_equal(s.world.sent.n, before);
	assert_int_equal(look(&s)->simulated_ms, simulated_ms);
	engine_resume(s.engine);
	world_run(&s.world, s.engine);
	assert_true(s.world.sent.v[before] >= 1000 * (int64_t)WORLD_S);
	assert_bound(&s.world, 50, 50);
	/* after the pause: what the bucket had before it, not what 997 seconds would have filled */
	assert_true(most_in(&s.world, WORLD_S / 2) <= 75);
	assert_int_equal(s.world.sent.n, 2 * 372 * 6);
	assert_int_equal(s.world.sent.v[372 * 6] / WORLD_MS, 75000 + 997000);
	assert_int_equal(look(&s)->elapsed_ms, (s.world.now_ns - s.world.start_ns) / WORLD_MS - 997000);
	close_scene(&s);
}

static void a_pause_between_cycles_holds_the_next_one(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 2;
	run_until(&s, 30 * (int64_t)WORLD_S);
	assert_int_equal(engine_state(s.engine), ENGINE_BETWEEN);
	engine_pause(s.engine);
	run_until(&s, 500 * (int64_t)WORLD_S);
	assert_int_equal(s.world.cycles.n, 1);
	engine_resume(s.engine);
	world_run(&s.world, s.engine);
	assert_int_equal(s.world.sent.v[372 * 6] / WORLD_MS, 75000 + 470000);
	close_scene(&s);
}

/* ---- the breaker ---- */

static void every_20th_fails(struct world *w, struct client_call *c, uint32_t number)
{
	(void)w;
	if (number % 2 == 0)
		c->status = 500;
}

static void the_breaker_opens_on_the_19th_of_372_and_freezes(void **state)
{
	static const struct way one_call = {.agents = 372, .calls = 1, .always = true};
	struct scene s;
	size_t sent;

	(void)state;
	open_scene(&s, &one_call);
	s.config.cycles = 1;
	s.config.rate = 50;
	s.config.burst = 1;
	s.config.breaker_percent = 5;
	s.world.answers = every_20th_fails;
	run_until(&s, 60 * (int64_t)WORLD_S);
	look(&s);
	assert_int_equal(s.view.state, ENGINE_PAUSED);
	assert_int_equal(s.view.pause, PAUSE_BREAKER);
	assert_int_equal(s.view.totals.failures, 19);
	assert_int_equal(s.view.breaker.trips, 1);
	assert_int_equal(world_news(&s.world, NEWS_BREAKER), 1);
	assert_int_equal(s.view.causes[0].count, 19);
	sent = s.world.sent.n;
	assert_int_equal(sent, 37); /* every second fails: the 19th failure is the 37th request */
	run_until(&s, 600 * (int64_t)WORLD_S);
	assert_int_equal(s.world.sent.n, sent);
	s.world.answers = NULL;
	engine_resume(s.engine);
	world_run(&s.world, s.engine);
	assert_int_equal(s.world.records.n, 372);
	assert_int_equal(look(&s)->totals.failures, 19);
	assert_int_equal(s.view.end, ENDED_CYCLES);
	assert_bound(&s.world, 50, 1);
	close_scene(&s);
}

static void refuse(struct world *w, struct client_call *c, uint32_t number)
{
	(void)w;
	(void)number;
	c->err = ERR_TARGET_REFUSED;
	c->sent_ns = 0;
}

static void a_target_that_is_not_there_opens_the_breaker_at_once(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 1;
	s.config.rate = 50;
	s.config.burst = 1;
	s.config.breaker_percent = 50;
	s.config.breaker_down_after = 5;
	s.world.answers = refuse;
	run_until(&s, 10 * (int64_t)WORLD_S);
	look(&s);
	assert_int_equal(s.view.state, ENGINE_PAUSED);
	assert_int_equal(s.view.breaker.cause, SIM_BREAKER_TARGET_DOWN);
	assert_int_equal(s.world.sent.n, 5);
	close_scene(&s);
}

static void an_open_breaker_can_end_the_run_or_cool_down(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 1;
	s.config.breaker_percent = 5;
	s.config.on_open = ON_OPEN_EXIT;
	s.world.answers = refuse;
	run_to_end(&s);
	assert_int_equal(look(&s)->end, ENDED_BREAKER);
	close_scene(&s);

	open_scene(&s, &plain);
	s.config.cycles = 1;
	s.config.rate = 50;
	s.config.breaker_down_after = 3;
	s.config.on_open = ON_OPEN_COOLDOWN;
	s.config.cooldown_ms = 30000;
	s.world.answers = refuse;
	run_until(&s, 5 * (int64_t)WORLD_S);
	assert_int_equal(engine_state(s.engine), ENGINE_PAUSED);
	s.world.answers = NULL;
	world_run(&s.world, s.engine);
	assert_int_equal(look(&s)->end, ENDED_CYCLES);
	assert_true(s.world.sent.v[3] >= 30 * (int64_t)WORLD_S);
	close_scene(&s);
}

/* ---- warming up ---- */

static void warming_up_admits_37_93_186_279_and_372(void **state)
{
	static const uint32_t admitted[] = {37, 37, 93, 93, 186, 186, 279, 279, 372, 372};
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 10;
	s.config.warmup_cycles = 8;
	run_to_end(&s);
	for (size_t i = 0; i < COUNT_OF(admitted); i++) {
		assert_int_equal(s.world.cycles.v[i].agents, admitted[i]);
		assert_int_equal(s.world.cycles.v[i].active, admitted[i]);
	}
	assert_int_equal(look(&s)->totals.agents_run, 2 * (37 + 93 + 186 + 279 + 372));
	close_scene(&s);
}

static void offers_come_once_a_period_and_once_to_who_joins_later(void **state)
{
	static const struct way way = {.agents = 372, .calls = 1, .always = true, .offers = true};
	struct scene s;

	(void)state;
	open_scene(&s, &way);
	world_config_flat(&s.world, s.scenario, s.who, &s.config);
	s.config.cycles = 24 * 7 + 2;
	s.config.warmup_cycles = 8;
	run_to_end(&s);
	assert_int_equal(look(&s)->totals.offer_rounds, 372 + 372);
	assert_int_equal(s.view.totals.offers_assigned, 2 * 372 * 32);
	close_scene(&s);
}

static void some_offers_fail_at_first(struct world *w, struct client_call *c, uint32_t number)
{
	if (str_eqz(c->path, "/offers") && number % 40 == 0 && w->now_ns - w->start_ns < (int64_t)75 * WORLD_S)
		c->status = 500;
}

static void offers_that_failed_are_given_in_the_next_cycle(void **state)
{
	static const struct way way = {
		.agents = 372, .calls = 1, .always = true, .offers = true, .asks_offers = true};
	struct scene s;

	(void)state;
	open_scene(&s, &way);
	s.world.answers = some_offers_fail_at_first;
	s.config.cycles = 1;
	run_to_end(&s);
	assert_int_equal(look(&s)->totals.offer_rounds, 372 - 10);
	close_scene(&s);

	open_scene(&s, &way);
	s.world.answers = some_offers_fail_at_first;
	s.config.cycles = 4;
	run_to_end(&s);
	assert_int_equal(look(&s)->totals.offer_rounds, 372);
	assert_int_equal(s.view.totals.offers_assigned, 372 * 32);
	close_scene(&s);
}

static void idle_agents_visit_when_they_may(void **state)
{
	struct way way = {.agents = 1000, .calls = 1, .weekly = 42, .idle = true};
	struct scene s;
	double expected = 1000 * -expm1(-42 / 168.0);

	(void)state;
	open_scene(&s, &way);
	s.config.cycles = 1;
	s.config.idle_visits = true;
	run_to_end(&s);
	look(&s);
	assert_int_equal(s.view.totals.sessions + s.view.totals.idle_visits, 1000);
	assert_true(fabs((double)s.view.totals.sessions - expected) < 5 * sqrt(expected * (1 - expected / 1000)));
	close_scene(&s);
}

/* ---- the recorder ---- */

static void a_recorder_without_room_holds_the_run_and_loses_nothing(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 1;
	s.world.room = 100;
	run_until(&s, 10 * (int64_t)WORLD_S);
	assert_int_equal(look(&s)->under_way, 272);
	s.world.trouble = "the disk is full";
	run_until(&s, 20 * (int64_t)WORLD_S);
	look(&s);
	assert_int_equal(s.view.pause, PAUSE_RECORDER);
	assert_int_equal(s.world.records.n, 100);
	assert_int_equal(world_news(&s.world, NEWS_TROUBLE), 1);
	s.world.room = UINT32_MAX;
	s.world.trouble = NULL;
	world_run(&s.world, s.engine);
	assert_int_equal(s.world.records.n, 372);
	close_scene(&s);
}

static void a_cycle_is_not_over_before_it_is_written(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.cycles = 1;
	s.world.unsettled = true;
	run_until(&s, 300 * (int64_t)WORLD_S);
	assert_int_equal(engine_state(s.engine), ENGINE_RUNNING);
	assert_int_equal(s.world.cycles.n, 0);
	s.world.unsettled = false;
	world_run(&s.world, s.engine);
	assert_int_equal(s.world.cycles.n, 1);
	close_scene(&s);
}

/* ---- ending ---- */

static void stopping_brings_the_cycle_to_its_end(void **state)
{
	static const struct way slow = {.agents = 372, .calls = 3, .think_s = 600, .always = true};
	struct scene s;

	(void)state;
	open_scene(&s, &slow);
	s.config.spread = true;
	run_until(&s, 80 * (int64_t)WORLD_S);
	engine_stop(s.engine, false);
	world_run(&s.world, s.engine);
	assert_int_equal(look(&s)->end, ENDED_STOPPED);
	assert_int_equal(s.world.records.n, 2 * 372);
	assert_int_equal(s.world.cycles.n, 2);
	assert_true(s.world.now_ns - s.world.start_ns < 82 * (int64_t)WORLD_S);
	close_scene(&s);
}

static void stopping_at_once_gives_the_cycle_up(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.rate = 50;
	run_until(&s, 80 * (int64_t)WORLD_S);
	engine_stop(s.engine, true);
	world_run(&s.world, s.engine);
	assert_int_equal(s.world.cycles.n, 1);
	assert_int_equal(s.world.under_way.n, 0);
	close_scene(&s);
}

static void the_run_ends_when_its_time_is_over(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, &plain);
	s.config.run_ms = 100000;
	run_to_end(&s);
	assert_int_equal(look(&s)->end, ENDED_TIME);
	assert_int_equal(s.world.cycles.n, 2);
	close_scene(&s);
}

/* ---- the other models ---- */

static void in_the_closed_model_agents_begin_again_until_time_is_over(void **state)
{
	static const struct way way = {.agents = 5, .calls = 2, .weekly = 1};
	struct scene s;

	(void)state;
	open_scene(&s, &way);
	s.config.model = MODEL_CLOSED;
	s.config.cycles = 2;
	run_to_end(&s);
	assert_int_equal(s.world.overlaps, 0);
	assert_int_equal(s.world.records.n, 2 * 5 * 75000 / 20); /* 20 ms each, one after the other */
	close_scene(&s);
}

static void ignore(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)kind;
	(void)place;
	return remove(path);
}

/* However many they are: what is kept of a cycle is by agent, not by session. */
static void an_agent_remembers_all_sessions_of_a_cycle(void **state)
{
	static const struct way way = {.agents = 5, .calls = 2, .weekly = 1};
	char dir[] = "/tmp/tenfold-engine-XXXXXX";
	struct arena *a = arena_new(1 << 20);
	struct checkpoint point;
	struct problem p = {0};
	struct scene s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	open_scene(&s, &way);
	s.config.model = MODEL_CLOSED;
	s.config.cycles = 2;
	s.config.dir = str_of(dir);
	run_to_end(&s);
	assert_int_equal(checkpoint_load(str_of(dir), STR(""), INT64_MAX / 2, a, &point, ignore, NULL, &p), OK);
	for (uint32_t i = 0; i < way.agents; i++) {
		assert_int_equal(point.memory[i].sessions, 2 * 75000 / 20);
		assert_int_equal(point.memory[i].last_session, 2);
		assert_int_equal(point.memory[i].last_completed, 2);
	}
	checkpoint_release(&point);
	close_scene(&s);
	arena_destroy(&a);
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void arrivals_come_at_their_rate_and_are_dropped_when_nobody_is_ready(void **state)
{
	static const struct way way = {.agents = 100, .calls = 1, .weekly = 1};
	struct scene s;

	(void)state;
	open_scene(&s, &way);
	s.config.model = MODEL_ARRIVALS;
	s.config.arrivals = (struct arrival_plan){.from = 20, .to = 20};
	s.config.cycles = 2;
	run_to_end(&s);
	assert_int_equal(s.world.sent.n, 2 * 75 * 20);
	assert_int_equal(s.world.overlaps, 0);
	assert_int_equal(look(&s)->totals.dropped_arrivals, 0);
	close_scene(&s);

	open_scene(&s, &way);
	s.config.model = MODEL_ARRIVALS;
	s.config.arrivals = (struct arrival_plan){.from = 20, .to = 20};
	s.config.cycles = 1;
	s.world.latency_ns = 10 * (int64_t)WORLD_S; /* 200 would be under way, and there are 100 */
	run_to_end(&s);
	look(&s);
	assert_int_equal(s.view.totals.dropped_arrivals + s.view.totals.sessions, 75 * 20);
	assert_int_equal(s.world.peak, 100);
	assert_true(s.view.totals.dropped_arrivals > 600);
	close_scene(&s);
}

/* A target that stands still for 6 s: who would have come meanwhile feels it. */
static void stalls(struct world *w, struct client_call *c, uint32_t number)
{
	(void)w;
	(void)c;
	(void)number;
}

static void arrivals_feel_a_stall_however_late_they_could_begin(void **state)
{
	static const struct way way = {.agents = 40, .calls = 1, .weekly = 1};
	struct scene s;

	(void)state;
	open_scene(&s, &way);
	s.world.answers = stalls;
	s.config.model = MODEL_ARRIVALS;
	s.config.arrivals = (struct arrival_plan){.from = 10, .to = 10};
	s.config.cycles = 1;
	s.engine = world_engine(&s.config);
	world_run_until(&s.world, s.engine, WORLD_S);
	s.world.now_ns += 6 * (int64_t)WORLD_S; /* this program gets no processor */
	world_run(&s.world, s.engine);
	look(&s);
	assert_true(s.view.totals.late_arrivals >= 39);
	assert_true(s.view.endpoints[0].response.max_us > 5900000);
	assert_int_equal(s.view.endpoints[0].service.max_us, 10000);
	close_scene(&s);
}

/* ---- the same decisions ---- */

static uint64_t decided(unsigned threads, uint64_t seed, struct counts *totals)
{
	static const struct way way = {
		.agents = 3000, .calls = 3, .weekly = 40, .fail_share = 0.02, .idle = true, .offers = true};
	struct scene s;
	uint64_t h;

	open_scene(&s, &way);
	world_config_flat(&s.world, s.scenario, s.who, &s.config);
	s.config.threads = threads;
	s.config.seed = seed;
	s.config.cycles = 6;
	s.config.spread = true;
	s.config.idle_visits = true;
	run_to_end(&s);
	*totals = look(&s)->totals;
	h = world_decisions(&s.world);
	close_scene(&s);
	return h;
}

static void one_thread_and_eight_decide_the_same(void **state)
{
	struct counts one, eight, other;
	uint64_t h = decided(1, 42, &one);

	(void)state;
	assert_true(one.sessions > 3000);
	assert_true(decided(8, 42, &eight) == h);
	assert_true(decided(3, 42, &eight) == h);
	assert_int_equal(one.sessions, eight.sessions);
	assert_int_equal(one.failures, eight.failures);
	assert_memory_equal(one.by_outcome, eight.by_outcome, sizeof(one.by_outcome));
	assert_true(decided(8, 43, &other) != h);
}

static uint64_t paced_decisions(double scale)
{
	static const struct way way = {.agents = 372, .calls = 3, .weekly = 40, .think_s = 20};
	struct scene s;
	uint64_t h = 0;

	open_scene(&s, &way);
	s.config.mock_api = true;
	s.config.time_scale = scale;
	s.config.cycles = 4;
	run_to_end(&s);
	world_decisions(&s.world);
	for (size_t i = 0; i < s.world.records.n; i++)
		h = h * 31 + s.world.records.v[i].hash + s.world.records.v[i].agent;
	close_scene(&s);
	return h;
}

static void pace_changes_no_decision(void **state)
{
	(void)state;
	assert_true(paced_decisions(48) == paced_decisions(960));
	assert_true(paced_decisions(48) == paced_decisions(0));
}

static void a_breaker_in_a_run_of_threads_stops_them_all(void **state)
{
	static const struct way way = {.agents = 40000, .calls = 1, .always = true, .fail_share = 0.5};
	struct scene s;

	(void)state;
	open_scene(&s, &way);
	world_config_flat(&s.world, s.scenario, s.who, &s.config);
	s.config.threads = 4;
	s.config.cycles = 1;
	s.config.breaker_percent = 1;
	s.engine = world_engine(&s.config);
	while (look(&s)->pause == 0) {
		struct problem p = {0};

		assert_int_equal(engine_turn(s.engine, WORLD_MS, &p), OK);
	}
	assert_in_range(s.view.totals.failures, 401, 404); /* each thread may be ending one */
	engine_stop(s.engine, false);
	world_run(&s.world, s.engine);
	assert_int_equal(look(&s)->end, ENDED_BREAKER);
	assert_true(s.world.records.n < 40000);
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_372_are_in_flight_at_once),
		cmocka_unit_test(the_target_never_sees_more_than_the_rate_allows),
		cmocka_unit_test(waiting_for_the_own_limiter_is_no_slowness_of_the_target),
		cmocka_unit_test(a_429_holds_everybody_and_is_asked_again),
		cmocka_unit_test(who_answers_429_for_ever_is_not_asked_for_ever),
		cmocka_unit_test(cycles_begin_on_time_and_no_hour_is_left_out),
		cmocka_unit_test(an_overrun_slips_without_skipping_an_hour),
		cmocka_unit_test(thinking_ends_with_its_hour),
		cmocka_unit_test(sessions_that_are_spread_begin_all_over_the_hour),
		cmocka_unit_test(an_hour_goes_on_when_all_of_it_is_done),
		cmocka_unit_test(a_pause_freezes_simulated_time_and_ends_without_a_burst),
		cmocka_unit_test(a_pause_between_cycles_holds_the_next_one),
		cmocka_unit_test(the_breaker_opens_on_the_19th_of_372_and_freezes),
		cmocka_unit_test(a_target_that_is_not_there_opens_the_breaker_at_once),
		cmocka_unit_test(an_open_breaker_can_end_the_run_or_cool_down),
		cmocka_unit_test(warming_up_admits_37_93_186_279_and_372),
		cmocka_unit_test(offers_come_once_a_period_and_once_to_who_joins_later),
		cmocka_unit_test(offers_that_failed_are_given_in_the_next_cycle),
		cmocka_unit_test(idle_agents_visit_when_they_may),
		cmocka_unit_test(a_recorder_without_room_holds_the_run_and_loses_nothing),
		cmocka_unit_test(a_cycle_is_not_over_before_it_is_written),
		cmocka_unit_test(stopping_brings_the_cycle_to_its_end),
		cmocka_unit_test(stopping_at_once_gives_the_cycle_up),
		cmocka_unit_test(the_run_ends_when_its_time_is_over),
		cmocka_unit_test(in_the_closed_model_agents_begin_again_until_time_is_over),
		cmocka_unit_test(an_agent_remembers_all_sessions_of_a_cycle),
		cmocka_unit_test(arrivals_come_at_their_rate_and_are_dropped_when_nobody_is_ready),
		cmocka_unit_test(arrivals_feel_a_stall_however_late_they_could_begin),
		cmocka_unit_test(one_thread_and_eight_decide_the_same),
		cmocka_unit_test(pace_changes_no_decision),
		cmocka_unit_test(a_breaker_in_a_run_of_threads_stops_them_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
