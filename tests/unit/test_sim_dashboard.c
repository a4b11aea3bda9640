/* Screens of a run, as they were agreed: what stands on them, what goes first when there is no room, and that nothing
 * from outside moves the cursor. */
#include "drawn.h"

#include "base/log.h"
#include "base/magic.h"
#include "sim/dashboard.h"

enum { WIDEST = 150, HIGHEST = 50 };

struct story {
	struct scenario *scenario;
	struct run_facts facts;
	struct engine_view view;
	struct latencies endpoints[16], recent[16];
	struct dashboard_look look;
	struct buf screen;
};

/* Answers from 1 ms on, each endpoint a little slower than the one before. */
static void fill_latencies(struct story *s)
{
	struct engine_view *v = &s->view;

	v->endpoint_count = scenario_endpoint_count(s->scenario);
	assert_in_range(v->endpoint_count, 4, 16);
	for (unsigned i = 0; i < v->endpoint_count; i++) {
		for (int64_t n = 1; n <= 100; n++) {
			latency_add(&s->endpoints[i].response, n * 1000000 * (i + 1));
			latency_add(&s->endpoints[i].service, n * 900000 * (i + 1));
			latency_add(&s->endpoints[i].throttle, n * 10000000);
		}
		latency_add(&s->recent[i].response, 2000000);
	}
	v->endpoints = s->endpoints;
	v->recent = s->recent;
}

static void fill_view(struct story *s)
{
	struct engine_view *v = &s->view;

	*v = (struct engine_view){
		.state = ENGINE_RUNNING,
		.cycle = 14,
		.cycles = 168,
		.agents = 372,
		.admitted = 186,
		.under_way = 21,
		.in_flight = 8,
		.queueing = 13,
		.simulated_ms = 1767650400000,
		.elapsed_ms = 754000,
		.cycle_elapsed_ms = 41000,
		.cycle_planned_ms = 75000,
		.totals = {.sessions = 1256,
			   .events = 8204,
			   .idle_visits = 40,
			   .offers_assigned = 11904,
			   .requests = 27190,
			   .requests_failed = 12,
			   .by_outcome = {588, 651, 17}},
		.breaker = {.percent = 5, .min_failures = 1, .agents = 372, .failures = 3, .trips = 1},
		.rate = 50,
		.rate_measured = 48.94,
		.client = {.open = 63},
		.recorder = {.written_rows = 12345, .queued = 3, .busy = 7, .connections = 50},
		.memory_bytes = 31 << 20,
		.causes = {{"POST /api/orders: 503", 2}, {"GET /api/products: timeout", 1}},
		.slipped = 2,
	};
	fill_latencies(s);
}

static int begin(void **state)
{
	struct story *s = NEW(struct story);
	struct problem p = {0};

	if (scenario_load(STR("shopping"), &s->scenario, &p))
		fail_msg("%s", p.detail);
	s->facts = (struct run_facts){.scenario = s->scenario,
				      .run_id = STR("run_06xzmmq56ww00"),
				      .target = STR("http://127.0.0.1:7020"),
				      .dir = STR("data"),
				      .time_scale = 48};
	s->look = (struct dashboard_look){.width = 80,
					  .height = 24,
					  .has_keys = true,
					  .news = "checkpoint of cycle 9: data/checkpoints/x.json"};
	s->screen = BUF_INIT(1 << 20);
	fill_view(s);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct story *s = *state;

	for (unsigned i = 0; i < 16; i++) {
		latency_free(&s->endpoints[i].service);
		latency_free(&s->endpoints[i].response);
		latency_free(&s->endpoints[i].throttle);
		latency_free(&s->recent[i].response);
	}
	scenario_free(&s->scenario);
	buf_free(&s->screen);
	free(s);
	return 0;
}

static const char *screen(struct story *s)
{
	buf_reset(&s->screen);
	dashboard_draw(&s->facts, &s->view, &s->look, &s->screen);
	return drawn(&s->screen);
}

/* ---- as agreed ---- */

/* On both screens of response times: the six endpoints that take longest. */
#define SLOWEST_SIX                                                                          \
	"POST /api/offers/refresh               550.4     1046     1090     1100      100\n" \
	"DELETE /api/cart                       500.2    950.3    990.2     1000      100\n" \
	"POST /api/orders                       450.0    855.0    891.4    900.0      100\n" \
	"POST /api/cart/coupons                 400.1    760.3    792.1    800.0      100\n" \
	"GET /api/coupons/eligible              350.2    665.1    693.2    700.0      100\n" \
	"POST /api/cart/items                   300.0    570.4    594.4    600.0      100\n"

static void a_screen_of_80_by_24(void **state)
{
	drawn_is(screen(*state),
		 "tenfold sim  shopping  run_06xzmmq56ww00                        RUNNING  0:12:34\n"
		 "cycle     14 of 168 (8.3 %)   Mon 2026-01-05 22:00   41 s of 75 s   2 slipped\n"
		 "agents    372, 50 % warmed up   active 21   in flight 8   at the limiter 13\n"
		 "requests  48.9/s of 50/s   27,190 sent   failed 12 (0.04 %)\n"
		 "sessions  1,256  completed 588 (47 %)  abandoned 651 (52 %)  failed 17 (1.4 %)\n"
		 "besides   events 8,204   visits 40   offers 11,904\n"
		 "breaker   closed   3 failed in this cycle, 18 are borne   trips 1\n"
		 "errors    2  POST /api/orders: 503\n"
		 "          1  GET /api/products: timeout\n"
		 "memory    31 MiB   connections 63   records 12,345, waiting 3   pool 7/50 busy\n"
		 "end       in 3:11:15\n"
		 "news      checkpoint of cycle 9: data/checkpoints/x.json\n"
		 "response times, ms                       p50      p95      p99      max    count\n"
		 "all of the run                         232.1    814.1    990.2     1100     1100\n"
		 "last minutes                             2.0      2.0      2.0      2.0       11\n"
		 "(own limiter's wait)                   500.2    950.3    990.2     1000     1100\n" SLOWEST_SIX
		 "GET /api/products/{id}                 250.1    475.1    495.1    500.0      100\n"
		 "p pause  c checkpoint  s statistics  q quit");
}

static void a_screen_of_50_by_10(void **state)
{
	struct story *s = *state;

	s->look.width = 50;
	s->look.height = 10;
	drawn_is(screen(s), "tenfold sim  shopping  run_06xzm  RUNNING  0:12:34\n"
			    "cycle     14 of 168 (8.3 %)   Mon 2026-01-05 22:00\n"
			    "requests  48.9/s of 50/s   27,190 sent   failed 12\n"
			    "sessions  1,256  completed 588 (47 %)  abandoned 6\n"
			    "breaker   closed   3 failed in this cycle, 18 are \n"
			    "errors    2  POST /api/orders: 503\n"
			    "          1  GET /api/products: timeout\n"
			    "p pause  c checkpoint  s statistics  q quit");
}

static void an_open_breaker_says_why_and_what_to_do(void **state)
{
	struct story *s = *state;

	s->look.height = 4;
	s->view.state = ENGINE_PAUSED;
	s->view.pause = PAUSE_BREAKER;
	s->view.breaker.cause = SIM_BREAKER_FAILURES;
	s->view.breaker.failures = 19;
	drawn_is(screen(s), "tenfold sim  shopping  run_06xzmmq56ww00                   BREAKER OPEN  0:12:34\n"
			    "19 of 372 agents failed in this cycle. r goes on.\n"
			    "cycle     14 of 168 (8.3 %)   Mon 2026-01-05 22:00   41 s of 75 s   2 slipped\n"
			    "r resume  c checkpoint  s statistics  q quit");
	s->view.breaker.cause = SIM_BREAKER_TARGET_DOWN;
	s->look.has_keys = false;
	drawn_is(screen(s), "tenfold sim  shopping  run_06xzmmq56ww00                   BREAKER OPEN  0:12:34\n"
			    "Nobody answers at http://127.0.0.1:7020. Go on with: tenfold sim ctl data resume\n"
			    "cycle     14 of 168 (8.3 %)   Mon 2026-01-05 22:00   41 s of 75 s   2 slipped\n"
			    "keys: tenfold sim ctl");
}

static void statistics_are_of_every_endpoint(void **state)
{
	struct story *s = *state;

	s->look.statistics = true;
	s->look.height = 14;
	drawn_is(screen(s),
		 "tenfold sim  shopping  run_06xzmmq56ww00                        RUNNING  0:12:34\n"
		 "cycle     14 of 168 (8.3 %)   Mon 2026-01-05 22:00   41 s of 75 s   2 slipped\n"
		 "response times, ms                       p50      p95      p99      max    count\n"
		 "all of the run                         232.1    814.1    990.2     1100     1100\n"
		 "last minutes                             2.0      2.0      2.0      2.0       11\n"
		 "(own limiter's wait)                   500.2    950.3    990.2     1000     1100\n"
		 "(service alone)                        208.9    732.7    891.4    990.0     1100\n" SLOWEST_SIX
		 "p pause  c checkpoint  s statistics  q quit");
}

/* ---- always ---- */

static void no_line_is_too_wide_and_no_screen_too_high(void **state)
{
	struct story *s = *state;

	for (s->look.width = 1; s->look.width <= WIDEST; s->look.width++)
		for (s->look.height = 1; s->look.height <= HIGHEST; s->look.height++)
			drawn_fits(screen(s), s->look.width, s->look.height);
}

static void title_and_keys_stay_when_there_is_little_room(void **state)
{
	struct story *s = *state;

	for (s->look.height = 2; s->look.height <= HIGHEST; s->look.height++) {
		const char *seen = screen(s);

		assert_true(str_starts(str_of(seen), STR("tenfold sim  shopping")));
		drawn_shows(seen, "\np pause  c checkpoint  s statistics  q quit");
	}
}

static void colours_change_nothing_but_colours(void **state)
{
	struct story *s = *state;
	struct buf plain = BUF_INIT(0);
	const char *coloured;

	buf_z(&plain, screen(s));
	s->look.colours = true;
	coloured = screen(s);
	assert_non_null(strchr(coloured, '\x1b'));
	for (size_t i = 0; *coloured; coloured++) {
		if (*coloured == '\x1b')
			coloured = strchr(coloured, 'm');
		else
			assert_int_equal(plain.p[i++], *coloured);
	}
	buf_free(&plain);
}

static void what_comes_from_outside_moves_no_cursor(void **state)
{
	struct story *s = *state;

	s->look.news = "\x1b[2J\r\nnews\x07 \xff";
	snprintf(s->view.causes[0].text, sizeof(s->view.causes[0].text), "GET /\x1b]0;title\x07: \xc3\xa9");
	drawn_is_plain(screen(s));
	drawn_shows(screen(s), "?[2J??news? ?");
	drawn_shows(screen(s), "GET /?]0;title?: \xc3\xa9");
}

static void a_run_that_has_done_nothing_yet_has_a_screen(void **state)
{
	struct story *s = *state;

	s->view = (struct engine_view){.agents = 1};
	s->look.news = "";
	drawn_shows(screen(s), "sessions  0");
	drawn_hides(screen(s), "nan");
	drawn_hides(screen(s), "inf");
}

#define ON(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ON(a_screen_of_80_by_24),
		ON(a_screen_of_50_by_10),
		ON(an_open_breaker_says_why_and_what_to_do),
		ON(statistics_are_of_every_endpoint),
		ON(no_line_is_too_wide_and_no_screen_too_high),
		ON(title_and_keys_stay_when_there_is_little_room),
		ON(colours_change_nothing_but_colours),
		ON(what_comes_from_outside_moves_no_cursor),
		ON(a_run_that_has_done_nothing_yet_has_a_screen),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
