/* --fail-if: what is read of it, and what a run is measured by. */
#include "harness.h"

#include "sim/thresholds.h"
#include "sim_kit/way.h"

static struct scenario *scenario(void)
{
	static const struct way way = {.agents = 2, .calls = 1, .always = true};
	struct population *who;
	struct scenario *s;

	way_make(&way, &s, &who);
	population_free(&who);
	return s;
}

static void reads(const char *text, enum threshold_metric metric, enum threshold_op op, double value)
{
	struct scenario *s = scenario();
	struct threshold t;
	struct problem p = {0};

	if (threshold_parse(str_of(text), s, &t, &p))
		fail_msg("%s: %s", text, p.detail);
	assert_int_equal(t.metric, metric);
	assert_int_equal(t.op, op);
	assert_true(t.value > value - 1e-9 && t.value < value + 1e-9);
	scenario_free(&s);
}

static void refuses(const char *text, const char *says)
{
	struct scenario *s = scenario();
	struct threshold t;
	struct problem p = {0};

	assert_int_equal(threshold_parse(str_of(text), s, &t, &p), ERR_USAGE);
	if (!strstr(p.detail, says))
		fail_msg("%s: %s", text, p.detail);
	scenario_free(&s);
}

static void metrics_operators_and_units_are_read(void **state)
{
	(void)state;
	reads("http.p95>200ms", THRESHOLD_HTTP, OP_OVER, 200);
	reads(" http.p99.9 >= 1.5s ", THRESHOLD_HTTP, OP_FROM, 1500);
	reads("service.max>800us", THRESHOLD_SERVICE, OP_OVER, 0.8);
	reads("throttle.mean<10ms", THRESHOLD_THROTTLE, OP_UNDER, 10);
	reads("http.failed>1%", THRESHOLD_FAILED_CALLS, OP_OVER, 0.01);
	reads("http.failed>0.01", THRESHOLD_FAILED_CALLS, OP_OVER, 0.01);
	reads("sessions.completed<=2.5%", THRESHOLD_COMPLETED, OP_TO, 0.025);
	reads("http.rate<45", THRESHOLD_RATE, OP_UNDER, 45);
	reads("breaker.trips>0", THRESHOLD_TRIPS, OP_OVER, 0);
}

static void what_is_none_is_told(void **state)
{
	(void)state;
	refuses("http.p95=200ms", "one of > >= < <= is needed");
	refuses("htp.p95>200ms", "\"htp.p95\" is no metric");
	refuses("http.faild>1%", "did you mean \"http.failed\"?");
	refuses("http>1ms", "is no metric");
	refuses("http.p0>1ms", "is no metric");
	refuses("http.p101>1ms", "is no metric");
	refuses("http.p95>200", "a time is needed");
	refuses("http.p95>-1ms", "a time is needed");
	refuses("http.failed>many", "a share is needed");
	refuses("http.requests>many", "a number is needed");
	refuses("http[GET /nothing].p95>1ms", "has no endpoint \"GET /nothing\"");
	refuses("http[GET /nothing>1ms", "is no metric");
	refuses("http].p95>1ms", "is no metric");
	refuses("", "is needed");
}

/* 1 to 100 ms at the first endpoint, one of 1 s at the second. */
static void fill(struct latencies l[2])
{
	for (int64_t ms = 1; ms <= 100; ms++)
		latency_add(&l[0].response, ms * 1000000);
	latency_add(&l[1].response, 1000000000);
}

static double measured(const char *text, const struct scenario *s, const struct engine_view *v)
{
	struct threshold t;

	assert_int_equal(threshold_parse(str_of(text), s, &t, NULL), OK);
	return threshold_measured(&t, s, v);
}

static void a_run_is_measured(void **state)
{
	struct latencies l[2] = {0};
	struct scenario *s = scenario();
	struct engine_view v = {
		.endpoints = l,
		.endpoint_count = 2,
		.elapsed_ms = 2000,
		.totals = {.requests = 101, .requests_failed = 1, .sessions = 50, .by_outcome = {40, 8, 2}}};

	(void)state;
	fill(l);
	assert_true(measured("http.p50>1ms", s, &v) >= 50 && measured("http.p50>1ms", s, &v) < 52);
	assert_true(measured("http.max>1ms", s, &v) == 1000);
	assert_true(measured("service.max>1ms", s, &v) == 0);
	assert_true(measured("http.rate<1", s, &v) == 50.5);
	assert_true(measured("sessions.completed<1%", s, &v) == 0.8);
	assert_true(measured("sessions.abandoned<1%", s, &v) == 0.16);
	assert_true(measured("sessions.failed>1%", s, &v) == 0.04);
	for (unsigned i = 0; i < 2; i++)
		latency_free(&l[i].response);
	scenario_free(&s);
}

static void limits_are_of_their_operator(void **state)
{
	struct threshold t = {.value = 5};

	(void)state;
	t.op = OP_OVER;
	assert_false(threshold_failed(&t, 5));
	assert_true(threshold_failed(&t, 5.1));
	t.op = OP_FROM;
	assert_true(threshold_failed(&t, 5));
	t.op = OP_UNDER;
	assert_false(threshold_failed(&t, 5));
	t.op = OP_TO;
	assert_true(threshold_failed(&t, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_operators_and_units_are_read),
		cmocka_unit_test(what_is_none_is_told),
		cmocka_unit_test(a_run_is_measured),
		cmocka_unit_test(limits_are_of_their_operator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
