/* Metrics: what was counted is what is shown, and Prometheus itself finds nothing to complain about. */
#include "harness.h"

#include "base/err.h"
#include "telemetry/metrics.h"

#include <pthread.h>

static const char *const routes[] = {"work_add", "odd \"name\"\\\n"};
static const char *const states[] = {"ready", "leased", "completed"};
static const char *const events[] = {"enqueued", "claimed"};

static const struct metrics_config config = {.route = {routes, COUNT_OF(routes)},
					     .state = {states, COUNT_OF(states)},
					     .event = {events, COUNT_OF(events)},
					     .version = "1.2.3",
					     .started_ms = 1735689600123};

/* The text of all metrics, or of nothing when it failed; the caller frees it. */
static struct buf text_of(const struct metrics *m)
{
	struct buf text = BUF_INIT(0);

	metrics_text(m, &text);
	assert_true(buf_ok(&text));
	return text;
}

static bool shows(const struct metrics *m, const char *line)
{
	struct buf text = text_of(m), wanted = BUF_INIT(0);
	bool found;

	buf_fmt(&wanted, "\n%s\n", line);
	found = strstr(buf_cstr(&text), buf_cstr(&wanted)) != NULL;
	buf_free(&wanted);
	buf_free(&text);
	return found;
}

static bool mentions(const struct metrics *m, const char *piece)
{
	struct buf text = text_of(m);
	bool found = strstr(buf_cstr(&text), piece) != NULL;

	buf_free(&text);
	return found;
}

static int make(void **state)
{
	*state = metrics_new(&config);
	return 0;
}

static int unmake(void **state)
{
	struct metrics *m = *state;

	metrics_destroy(&m);
	metrics_destroy(&m); /* a second time is nothing */
	return 0;
}

static void what_was_never_counted_is_shown_as_zero(void **state)
{
	struct metrics *m = *state;

	assert_true(shows(m, "# TYPE tenfold_batches_total counter"));
	assert_true(shows(m, "tenfold_batches_total 0"));
	assert_true(shows(m, "# TYPE tenfold_wal_bytes gauge"));
	assert_true(shows(m, "tenfold_wal_bytes 0"));
	assert_true(shows(m, "# HELP tenfold_commit_seconds How long the store took to make a batch durable."));
	assert_true(shows(m, "# TYPE tenfold_commit_seconds histogram"));
	assert_true(shows(m, "tenfold_commit_seconds_bucket{le=\"+Inf\"} 0"));
	assert_true(shows(m, "tenfold_commit_seconds_sum 0.000000000"));
	assert_true(shows(m, "tenfold_http_requests_total{route=\"work_add\",status=\"5xx\"} 0"));
	assert_true(shows(m, "tenfold_store_errors_total{error=\"store_full\"} 0"));
	assert_false(mentions(m, "tenfold_http_request_duration_seconds_bucket")); /* a labelled histogram */
}

static void a_status_belongs_to_its_class(void **state)
{
	(void)state;
	assert_int_equal(metrics_status(200), 0);
	assert_int_equal(metrics_status(299), 0);
	assert_int_equal(metrics_status(304), 1);
	assert_int_equal(metrics_status(404), 2);
	assert_int_equal(metrics_status(599), 3);
}

static void each_series_counts_for_itself(void **state)
{
	struct metrics *m = *state;

	metrics_add(m, METRIC_batches_total, 2);
	metrics_add(m, METRIC_batches_total, 3);
	metrics_add_at(m, METRIC_http_requests_total, 0, metrics_status(404), 7);
	metrics_add_at(m, METRIC_http_requests_total, 1, metrics_status(200), 1);
	metrics_add_at(m, METRIC_work_events_total, 1, 0, UINT64_C(1) << 60);
	metrics_add_at(m, METRIC_store_errors_total, ERR_STORE_FULL, 0, 1);
	assert_true(shows(m, "tenfold_batches_total 5"));
	assert_true(shows(m, "tenfold_http_requests_total{route=\"work_add\",status=\"4xx\"} 7"));
	assert_true(shows(m, "tenfold_http_requests_total{route=\"work_add\",status=\"2xx\"} 0"));
	assert_true(shows(m, "tenfold_http_requests_total{route=\"odd \\\"name\\\"\\\\\\n\",status=\"2xx\"} 1"));
	assert_true(shows(m, "tenfold_work_events_total{event=\"enqueued\"} 0"));
	assert_true(shows(m, "tenfold_work_events_total{event=\"claimed\"} 1152921504606846976"));
	assert_true(shows(m, "tenfold_store_errors_total{error=\"store_full\"} 1"));
	assert_true(shows(m, "tenfold_store_errors_total{error=\"in_use\"} 0"));
	assert_true(shows(m, "tenfold_batch_tasks_total 0"));
}

static void a_duration_falls_into_the_first_bucket_that_holds_it(void **state)
{
	struct metrics *m = *state;

	metrics_observe_ns(m, METRIC_commit_seconds, -5); /* as 0 */
	metrics_observe_ns(m, METRIC_commit_seconds, 100000);
	metrics_observe_ns(m, METRIC_commit_seconds, 100001);
	metrics_observe_ns(m, METRIC_commit_seconds, 60000000000);
	metrics_observe_ns(m, METRIC_commit_seconds, 60000000001);
	assert_true(shows(m, "tenfold_commit_seconds_bucket{le=\"0.0001\"} 2"));
	assert_true(shows(m, "tenfold_commit_seconds_bucket{le=\"0.00025\"} 3"));
	assert_true(shows(m, "tenfold_commit_seconds_bucket{le=\"30\"} 3"));
	assert_true(shows(m, "tenfold_commit_seconds_bucket{le=\"60\"} 4"));
	assert_true(shows(m, "tenfold_commit_seconds_bucket{le=\"+Inf\"} 5"));
	assert_true(shows(m, "tenfold_commit_seconds_count 5"));
	assert_true(shows(m, "tenfold_commit_seconds_sum 120.000200002"));
}

static void a_labelled_histogram_appears_with_its_first_observation(void **state)
{
	struct metrics *m = *state;

	metrics_observe_at_ns(m, METRIC_http_request_duration_seconds, 0, 0, 3000000);
	assert_true(shows(m, "tenfold_http_request_duration_seconds_bucket{route=\"work_add\",le=\"0.0025\"} 0"));
	assert_true(shows(m, "tenfold_http_request_duration_seconds_bucket{route=\"work_add\",le=\"0.005\"} 1"));
	assert_true(shows(m, "tenfold_http_request_duration_seconds_sum{route=\"work_add\"} 0.003000000"));
	assert_true(shows(m, "tenfold_http_request_duration_seconds_count{route=\"work_add\"} 1"));
	assert_false(mentions(m, "tenfold_http_request_duration_seconds_bucket{route=\"odd"));
	assert_true(shows(m, "tenfold_commit_seconds_count 0")); /* the neighbour's cells are its own */
}

static void bounds_ascend_and_their_texts_are_their_seconds(void **state)
{
	static const struct {
		int64_t ns;
		const char *seconds;
	} bounds[] = {
#define BUCKET(ns, seconds) {ns, seconds},
#include "api/metrics.def"
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(bounds); i++) {
		assert_true(i == 0 || bounds[i].ns > bounds[i - 1].ns);
		assert_int_equal((int64_t)(strtod(bounds[i].seconds, NULL) * 1e9 + 0.5), bounds[i].ns);
	}
}

static void gauges_are_set_and_moved(void **state)
{
	struct metrics *m = *state;

	metrics_set(m, METRIC_wal_bytes, 4294967296.0);
	metrics_set_at(m, METRIC_work_items, 1, 0, 12);
	metrics_move(m, METRIC_http_connections_open, 3);
	metrics_move(m, METRIC_http_connections_open, -1);
	assert_true(shows(m, "tenfold_wal_bytes 4294967296"));
	assert_true(shows(m, "tenfold_work_items{state=\"ready\"} 0"));
	assert_true(shows(m, "tenfold_work_items{state=\"leased\"} 12"));
	assert_true(shows(m, "tenfold_work_items{state=\"completed\"} 0"));
	assert_true(shows(m, "tenfold_http_connections_open 2"));
}

static double items_in(void *ctx, unsigned item_state, unsigned unused)
{
	assert_int_equal(unused, 0);
	return ((const double *)ctx)[item_state];
}

static void a_computed_gauge_is_asked_at_each_scrape(void **state)
{
	struct metrics *m = *state;
	double items[] = {10, 20, 30};

	metrics_compute(m, METRIC_work_items, items_in, items);
	assert_true(shows(m, "tenfold_work_items{state=\"leased\"} 20"));
	items[1] = 21;
	assert_true(shows(m, "tenfold_work_items{state=\"leased\"} 21"));
	assert_true(shows(m, "tenfold_work_items{state=\"completed\"} 30"));
}

static void the_process_tells_who_it_is(void **state)
{
	struct metrics *m = *state;

	assert_true(shows(m, "tenfold_build_info{version=\"1.2.3\"} 1"));
	assert_true(shows(m, "tenfold_process_start_time_seconds 1735689600.123"));
}

static void two_programs_in_one_process_count_apart(void **state)
{
	struct metrics *m = *state, *other = metrics_new(&config);

	metrics_add(m, METRIC_batches_total, 1);
	assert_true(shows(other, "tenfold_batches_total 0"));
	metrics_destroy(&other);
	assert_null(other);
}

static void a_label_without_values_takes_its_metrics_with_it(void **state)
{
	struct metrics_config few = {.route = {(const char *const[]){"a", NULL, "c"}, 3}, .version = "1"};
	struct metrics *m = metrics_new(&few);

	(void)state;
	assert_false(mentions(m, "work_items"));
	assert_false(mentions(m, "work_events"));
	assert_true(shows(m, "tenfold_http_requests_total{route=\"c\",status=\"2xx\"} 0"));
	metrics_add_at(m, METRIC_http_requests_total, 1, 0, 41); /* has no text: counted, but not shown */
	assert_false(mentions(m, "41"));
	metrics_destroy(&m);
}

static void nobody_need_count(void **state)
{
	struct buf text = text_of(NULL);

	(void)state;
	assert_int_equal(text.n, 0);
	metrics_add(NULL, METRIC_batches_total, 1);
	metrics_set(NULL, METRIC_wal_bytes, 1);
	metrics_move(NULL, METRIC_http_connections_open, 1);
	metrics_compute(NULL, METRIC_work_items, items_in, NULL);
	metrics_observe_ns(NULL, METRIC_commit_seconds, 1);
	buf_free(&text);
}

static void count_beyond_first_label(void *m)
{
	metrics_add_at(m, METRIC_http_requests_total, COUNT_OF(routes), 0, 1);
}
static void count_beyond_second_label(void *m)
{
	metrics_add_at(m, METRIC_http_requests_total, 0, 4, 1);
}
static void count_beyond_no_label(void *m)
{
	metrics_add_at(m, METRIC_batches_total, 0, 1, 1);
}
static void count_a_gauge(void *m)
{
	metrics_add(m, METRIC_wal_bytes, 1);
}
static void set_a_counter(void *m)
{
	metrics_set(m, METRIC_batches_total, 1);
}
static void observe_a_counter(void *m)
{
	metrics_observe_ns(m, METRIC_batches_total, 1);
}
static void compute_a_counter(void *m)
{
	metrics_compute(m, METRIC_batches_total, items_in, NULL);
}
static void status_too_low(void *unused)
{
	(void)unused;
	(void)metrics_status(199);
}
static void status_too_high(void *unused)
{
	(void)unused;
	(void)metrics_status(600);
}

static void misuse_dies(void **state)
{
	assert_true(dies(count_beyond_first_label, *state));
	assert_true(dies(count_beyond_second_label, *state));
	assert_true(dies(count_beyond_no_label, *state));
	assert_true(dies(count_a_gauge, *state));
	assert_true(dies(set_a_counter, *state));
	assert_true(dies(observe_a_counter, *state));
	assert_true(dies(compute_a_counter, *state));
	assert_true(dies(status_too_low, NULL));
	assert_true(dies(status_too_high, NULL));
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *count_much(void *m)
{
	for (int i = 0; i < ROUNDS; i++) {
		metrics_add_at(m, METRIC_http_requests_total, 0, 0, 1);
		metrics_observe_ns(m, METRIC_commit_seconds, 1000000000);
		metrics_move(m, METRIC_http_connections_open, i % 2 ? -1 : 2);
	}
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	struct metrics *m = *state;
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_much, m), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(shows(m, "tenfold_http_requests_total{route=\"work_add\",status=\"2xx\"} 80000"));
	assert_true(shows(m, "tenfold_commit_seconds_count 80000"));
	assert_true(shows(m, "tenfold_commit_seconds_sum 80000.000000000"));
	assert_true(shows(m, "tenfold_http_connections_open 40000"));
}

static void prometheus_finds_nothing_to_complain_about(void **state)
{
	struct metrics *m = *state;
	struct buf text;
	FILE *promtool;

	if (system("promtool --version >/dev/null 2>&1") != 0) {
		print_message("# promtool is not installed: nobody checked the format\n");
		return;
	}
	metrics_add_at(m, METRIC_http_requests_total, 1, 0, 1);
	metrics_observe_at_ns(m, METRIC_http_request_duration_seconds, 1, 0, 1);
	metrics_set(m, METRIC_wal_bytes, -0.5);
	text = text_of(m);
	promtool = popen("promtool check metrics >&2", "w");
	assert_non_null(promtool);
	assert_int_equal(fwrite(text.p, 1, text.n, promtool), text.n);
	assert_int_equal(pclose(promtool), 0);
	buf_free(&text);
}

#define with_metrics(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_metrics(what_was_never_counted_is_shown_as_zero),
		cmocka_unit_test(a_status_belongs_to_its_class),
		with_metrics(each_series_counts_for_itself),
		with_metrics(a_duration_falls_into_the_first_bucket_that_holds_it),
		with_metrics(a_labelled_histogram_appears_with_its_first_observation),
		cmocka_unit_test(bounds_ascend_and_their_texts_are_their_seconds),
		with_metrics(gauges_are_set_and_moved),
		with_metrics(a_computed_gauge_is_asked_at_each_scrape),
		with_metrics(the_process_tells_who_it_is),
		with_metrics(two_programs_in_one_process_count_apart),
		cmocka_unit_test(a_label_without_values_takes_its_metrics_with_it),
		cmocka_unit_test(nobody_need_count),
		with_metrics(misuse_dies),
		with_metrics(nothing_is_lost_between_threads),
		with_metrics(prometheus_finds_nothing_to_complain_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
