/*
 * Server-sent events: resumed, woken, fetched, slow, cut off; and all of it over TLS, together with long polls.
 */
#include "tests/unit/harness.h"
#include "tests/unit/http_kit/client.h"
#include "tests/unit/http_kit/stub.h"
#include "tests/unit/http_kit/tls.h"

#include "base/magic.h"

static struct stub *stub;
static struct tls_pair pair;

static int start_with(const struct stub_config *config)
{
	stub = stub_new(config);
	return 0;
}

static int start(void **state)
{
	(void)state;
	return start_with(&(struct stub_config){.loops = 2});
}

static int start_one_loop(void **state)
{
	(void)state;
	return start_with(&(struct stub_config){0});
}

static int start_impatient(void **state)
{
	(void)state;
	return start_with(&(struct stub_config){.idle_timeout_s = 1, .heartbeat_ms = 100});
}

static int start_tls(void **state)
{
	(void)state;
	return start_with(&(struct stub_config){.loops = 2, .cert = pair.cert, .key = pair.key});
}

static int stop(void **state)
{
	(void)state;
	stub_free(&stub);
	return 0;
}

/* Opens a stream and reads its head. */
static struct client *follow(const char *query, const char *headers)
{
	struct client *c = client_open(stub_url(stub));
	struct buf request = BUF_INIT(0);
	struct answer_read a;

	buf_fmt(&request, "GET /v1/work/events%s HTTP/1.1\r\n" AUTH "%s\r\n", query, headers);
	client_send(c, request.p);
	client_read_head(c, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_header(&a, "Content-Type"), "text/event-stream");
	assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
	answer_free(&a);
	buf_free(&request);
	return c;
}

static void expect_event(struct client *c, const char *event)
{
	struct buf text = BUF_INIT(0);

	client_read_until(c, "\n\n\r\n", &text); /* an event is a chunk */
	if (!strstr(text.p, event))
		fail_msg("\"%s\" is not in: %s", event, text.p);
	buf_free(&text);
}

static void events_are_told_as_they_come(void **state)
{
	struct client *c = follow("", "");

	(void)state;
	stub_publish(stub, "one");
	expect_event(c, "id: 1\ndata: one");
	stub_publish(stub, "two");
	expect_event(c, "id: 2\ndata: two");
	client_close(&c);
	stub_await(stub, STUB_CLOSED, 1);
}

static void a_stream_resumes_after_the_last_event_id(void **state)
{
	struct client *c;

	(void)state;
	stub_publish(stub, "one");
	stub_publish(stub, "two");
	stub_publish(stub, "three");
	c = follow("", "Last-Event-ID: 2\r\n");
	expect_event(c, "id: 3\ndata: three");
	client_close(&c);
}

static void a_burst_of_events_is_told_whole_and_in_order(void **state)
{
	struct client *c = follow("", "");

	(void)state;
	for (int i = 0; i < 500; i++)
		stub_publish(stub, "burst");
	for (int i = 1; i <= 500; i++) {
		char event[64];

		snprintf(event, sizeof(event), "id: %d\ndata: burst", i);
		expect_event(c, event);
	}
	client_close(&c);
}

static void all_followers_are_woken(void **state)
{
	struct client *c[200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(c); i++)
		c[i] = follow("", "");
	stub_publish(stub, "hello");
	for (size_t i = 0; i < COUNT_OF(c); i++)
		expect_event(c[i], "hello");
	stub_publish(stub, "again");
	for (size_t i = 0; i < COUNT_OF(c); i++) {
		expect_event(c[i], "again");
		client_close(&c[i]);
	}
	stub_await(stub, STUB_CLOSED, COUNT_OF(c));
}

static void a_stream_that_ends_leaves_its_connection_usable(void **state)
{
	struct client *c = follow("?type=one", "");
	struct buf text = BUF_INIT(0);

	(void)state;
	stub_publish(stub, "only");
	expect_event(c, "only");
	client_read_until(c, "0\r\n\r\n", &text);
	client_get(c, "/health");
	client_expect(c, 200);
	client_close(&c);
	buf_free(&text);
}

static void an_http_1_0_client_gets_a_stream_without_chunks(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct buf text = BUF_INIT(0);

	(void)state;
	client_send(c, "GET /v1/work/events?type=one HTTP/1.0\r\n" AUTH "\r\n");
	client_read_until(c, "\r\n\r\n", &text);
	stub_publish(stub, "only");
	client_read_until(c, "id: 1\ndata: only\n\n", &text);
	client_expect_end(c);
	client_close(&c);
	buf_free(&text);
}

static void old_events_are_fetched_from_the_store(void **state)
{
	struct client *c;

	(void)state;
	stub_publish(stub, "one");
	stub_publish(stub, "two");
	c = follow("?type=fetch", "");
	expect_event(c, "one");
	expect_event(c, "two");
	stub_await(stub, STUB_FETCHED, 2);
	client_close(&c);
}

/* The fetch still uses the stream's state: it is closed only after that. */
static void a_hang_up_during_a_fetch_waits_for_it(void **state)
{
	struct client *c;

	(void)state;
	stub_gate(stub, false);
	stub_publish(stub, "one");
	c = follow("?type=fetch", "");
	stub_await(stub, STUB_AT_GATE, 1);
	client_close(&c);
	assert_int_equal(stub_count(stub, STUB_CLOSED), 0);
	stub_gate(stub, true);
	stub_await(stub, STUB_CLOSED, 1);
}

static void a_hang_up_closes_a_resting_stream(void **state)
{
	struct client *c = follow("", ""), *reset = follow("", ""), *half = follow("", "");

	(void)state;
	client_close(&c);
	client_reset(&reset);
	client_shut(half);
	stub_await(stub, STUB_CLOSED, 3);
	client_close(&half);
}

/* It has more to say than its client reads: others are served, and memory is what one event takes. */
static void a_slow_reader_holds_up_only_itself(void **state)
{
	struct client *slow = follow("?type=flood", ""), *other = client_open(stub_url(stub));

	(void)state;
	for (int i = 0; i < 100; i++) {
		client_get(other, "/health");
		client_expect(other, 200);
	}
	assert_int_equal(stub_count(stub, STUB_CLOSED), 0);
	client_close(&slow);
	stub_await(stub, STUB_CLOSED, 1);
	client_close(&other);
}

static void a_reader_that_reads_nothing_is_cut_off(void **state)
{
	struct client *slow = follow("?type=flood", "");

	(void)state;
	stub_await(stub, STUB_CLOSED, 1);
	client_close(&slow);
}

/* Longer than it may be idle: comments are sent meanwhile, and it lives. */
static void a_resting_stream_is_kept_alive(void **state)
{
	struct client *c = follow("", "");
	struct buf text = BUF_INIT(0);

	(void)state;
	for (int i = 0; i < 15; i++)
		client_read_until(c, ":\n\n", &text);
	stub_publish(stub, "still here");
	client_read_until(c, "still here\n\n", &text);
	client_close(&c);
	buf_free(&text);
}

static void stopping_ends_streams_in_good_order(void **state)
{
	struct client *c = follow("", "");
	struct buf text = BUF_INIT(0);

	(void)state;
	stub_free(&stub);
	client_read_until(c, "0\r\n\r\n", &text);
	assert_true(client_ended(c));
	client_close(&c);
	buf_free(&text);
}

/* A reader that reads nothing cannot be told. */
static void stopping_does_not_wait_for_a_slow_reader(void **state)
{
	struct client *slow = follow("?type=flood", "");

	(void)state;
	stub_free(&stub);
	client_close(&slow);
}

/* ---- the same over TLS ---- */

static void tls_serves_requests_on_one_connection(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	assert_true(str_starts(str_of(stub_url(stub)), STR("https://")));
	for (int i = 0; i < 20; i++) {
		client_get(c, "/health");
		client_expect(c, 200);
		client_post(c, "/v1/work", "{\"type\":\"x\"}");
		client_expect(c, 201);
	}
	client_close(&c);
}

static void tls_takes_and_gives_large_bodies(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct answer_read a;
	struct buf body = BUF_INIT(0);

	(void)state;
	buf_z(&body, "{\"type\":\"big\",\"payload\":\"");
	memset(buf_room(&body, 200000), 'x', 200000);
	buf_took(&body, 200000);
	buf_z(&body, "\"}");
	for (int i = 0; i < 3; i++) {
		client_post(c, "/v1/work", body.p);
		client_read(c, &a);
		assert_int_equal(a.body.n, 4 << 20);
		answer_free(&a);
	}
	client_close(&c);
	buf_free(&body);
}

static void tls_tells_of_a_body_over_the_limit(void **state)
{
	static char bytes[70000];
	struct client *c = client_open(stub_url(stub));

	(void)state;
	client_send(c, "POST /v1/tenants HTTP/1.1\r\n" JSON "Transfer-Encoding: chunked\r\n\r\nfffff\r\n");
	client_send_bytes(c, bytes, sizeof(bytes));
	client_expect(c, 413);
	client_close(&c);
}

static void tls_long_poll_is_answered_and_its_hang_up_seen(void **state)
{
	struct client *c = client_open(stub_url(stub)), *rude = client_open(stub_url(stub));

	(void)state;
	client_post(c, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	stub_await(stub, STUB_PARKED, 1);
	stub_release(stub);
	client_expect(c, 200);
	client_post(c, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	client_post(rude, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	stub_await(stub, STUB_PARKED, 3);
	client_shut(c); /* says good-bye first */
	stub_await(stub, STUB_HUNG_UP, 1);
	client_close(&rude);
	stub_await(stub, STUB_HUNG_UP, 2);
	stub_await(stub, STUB_UNDELIVERED, 2);
	client_close(&c);
}

static void tls_events_and_long_polls_and_requests_go_together(void **state)
{
	struct client *events[8], *polls[8], *c = client_open(stub_url(stub));

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(events); i++) {
		events[i] = follow("", "");
		polls[i] = client_open(stub_url(stub));
		client_post(polls[i], "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	}
	stub_await(stub, STUB_PARKED, COUNT_OF(polls));
	for (int round = 0; round < 20; round++) {
		client_post(c, "/v1/work", "{\"type\":\"x\"}");
		client_expect(c, 201);
		stub_publish(stub, "news");
		for (unsigned i = 0; i < COUNT_OF(events); i++)
			expect_event(events[i], "news");
	}
	stub_release(stub);
	for (unsigned i = 0; i < COUNT_OF(events); i++) {
		client_expect(polls[i], 200);
		client_close(&polls[i]);
		client_close(&events[i]);
	}
	stub_await(stub, STUB_CLOSED, COUNT_OF(events));
	client_close(&c);
}

static void tls_stops_with_everything_open(void **state)
{
	struct client *events = follow("", ""), *poll = client_open(stub_url(stub)),
		      *idle = client_open(stub_url(stub));

	(void)state;
	client_post(poll, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	stub_await(stub, STUB_PARKED, 1);
	stub_abandon(&stub);
	client_ended(events);
	client_ended(poll);
	client_ended(idle);
	client_close(&events);
	client_close(&poll);
	client_close(&idle);
}

static void tls_with_a_bad_certificate_does_not_start(void **state)
{
	struct stub *s;
	struct problem p = {0};

	(void)state;
	assert_int_not_equal(stub_try(&(struct stub_config){.cert = "no certificate", .key = "no key"}, &s, &p),
			     OK);
	assert_true(p.detail[0]);
}

static void plain_http_on_a_tls_port_is_cut_off(void **state)
{
	char url[64];
	struct client *c;

	(void)state;
	snprintf(url, sizeof(url), "http%s", stub_url(stub) + strlen("https"));
	c = client_open(url);
	client_get(c, "/health");
	client_ended(c);
	client_close(&c);
	tls_serves_requests_on_one_connection(state);
}

#define EACH(test)     cmocka_unit_test_setup_teardown(test, start, stop)
#define OVER_TLS(test) cmocka_unit_test_setup_teardown(test, start_tls, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(events_are_told_as_they_come),
		EACH(a_stream_resumes_after_the_last_event_id),
		EACH(a_burst_of_events_is_told_whole_and_in_order),
		EACH(all_followers_are_woken),
		EACH(a_stream_that_ends_leaves_its_connection_usable),
		EACH(an_http_1_0_client_gets_a_stream_without_chunks),
		EACH(old_events_are_fetched_from_the_store),
		EACH(a_hang_up_during_a_fetch_waits_for_it),
		EACH(a_hang_up_closes_a_resting_stream),
		cmocka_unit_test_setup_teardown(a_slow_reader_holds_up_only_itself, start_one_loop, stop),
		cmocka_unit_test_setup_teardown(a_reader_that_reads_nothing_is_cut_off, start_impatient, stop),
		cmocka_unit_test_setup_teardown(a_resting_stream_is_kept_alive, start_impatient, stop),
		EACH(stopping_ends_streams_in_good_order),
		EACH(stopping_does_not_wait_for_a_slow_reader),
		OVER_TLS(tls_serves_requests_on_one_connection),
		OVER_TLS(tls_takes_and_gives_large_bodies),
		OVER_TLS(tls_tells_of_a_body_over_the_limit),
		OVER_TLS(tls_long_poll_is_answered_and_its_hang_up_seen),
		OVER_TLS(tls_events_and_long_polls_and_requests_go_together),
		OVER_TLS(tls_stops_with_everything_open),
		OVER_TLS(plain_http_on_a_tls_port_is_cut_off),
		cmocka_unit_test(tls_with_a_bad_certificate_does_not_start),
	};

	tls_pair_make(&pair);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
