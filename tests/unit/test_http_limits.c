/*
 * What is bounded: bodies, headers, connections, and the patience with slow clients. A refused client is told,
 * where HTTP lets it be told.
 */
#include "tests/unit/harness.h"
#include "tests/unit/http_kit/client.h"
#include "tests/unit/http_kit/stub.h"

#include "base/clock.h"
#include "base/magic.h"
#include "telemetry/metrics.h"

#include <poll.h>

static struct stub *stub;

static int start(void **state)
{
	(void)state;
	stub = stub_new(&(struct stub_config){0});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	stub_free(&stub);
	return 0;
}

static void spaces(struct client *c, size_t n)
{
	char *text = must_alloc(n + 1);

	memset(text, ' ', n);
	client_send_bytes(c, text, n);
	free(text);
}

static void head(struct client *c, const char *path, size_t length)
{
	struct buf b = BUF_INIT(0);

	buf_fmt(&b, "POST %s HTTP/1.1\r\n" JSON "Content-Length: %zu\r\n\r\n", path, length);
	client_send(c, b.p);
	buf_free(&b);
}

/* ---- bodies ---- */

static void a_body_of_exactly_the_limit_is_taken(void **state)
{
	struct client *c = client_open(stub_url(stub));
	const char *body = "{\"type\":\"x\"}";
	size_t limit = spec_routes[ROUTE_work_add].max_body;

	(void)state;
	head(c, "/v1/work", limit);
	spaces(c, limit - strlen(body));
	client_send(c, body);
	client_expect(c, 201);
	client_close(&c);
}

/* The answer comes before the body, what is sent of it all the same is dropped, and the end comes without a reset.
 */
static void a_declared_body_over_the_limit_is_refused_at_once(void **state)
{
	struct client *c = client_open(stub_url(stub));
	size_t limit = spec_routes[ROUTE_work_add].max_body;

	(void)state;
	head(c, "/v1/work", limit + 1);
	client_expect(c, 413);
	spaces(c, limit + 1);
	assert_true(client_ended(c));
	client_close(&c);
}

static void a_chunked_body_over_the_limit_is_refused_when_it_gets_there(void **state)
{
	struct client *c = client_open(stub_url(stub));
	size_t limit = spec_routes[ROUTE_tenant_add].max_body;

	(void)state;
	client_send(c, "POST /v1/tenants HTTP/1.1\r\n" JSON "Transfer-Encoding: chunked\r\n\r\nfffff\r\n");
	spaces(c, limit + 1);
	client_expect(c, 413);
	client_close(&c);
}

/* A client that does not stop is cut off: what it sends after its answer is dropped only for so long. */
static void a_client_that_goes_on_after_413_is_cut_off(void **state)
{
	static char bytes[64 << 10];
	struct client *c = client_open(stub_url(stub));
	size_t sent = 0;

	(void)state;
	head(c, "/v1/work", (size_t)1 << 30);
	client_expect(c, 413);
	while (client_try_send(c, bytes, sizeof(bytes)))
		assert_true((sent += sizeof(bytes)) < (size_t)100 << 20);
	client_close(&c);
}

static void a_refused_body_is_dropped_and_the_connection_goes_on(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	client_send(c, "POST /v1/work HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
	spaces(c, 1000000);
	client_expect(c, 401);
	client_send(
		c,
		"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
	client_expect(c, 404);
	client_get(c, "/health");
	client_expect(c, 200);
	client_close(&c);
}

/* Both are half sent before either may go on; the budget has room for one. */
static void large_bodies_share_a_budget(void **state)
{
	enum { HALF = 60000 };

	struct stub *s = stub_new(&(struct stub_config){.body_bytes_max = 100000});
	struct client *c[2] = {client_open(stub_url(s)), client_open(stub_url(s))};
	int answered[2] = {0};

	(void)state;
	for (int half = 0; half < 2; half++)
		for (int i = 0; i < 2; i++) {
			if (half == 0)
				head(c[i], "/v1/work", 2 * HALF);
			spaces(c[i], HALF);
		}
	for (int i = 0; i < 2; i++) {
		struct answer_read a;

		client_read(c[i], &a);
		answered[i] = a.status;
		answer_free(&a);
		client_close(&c[i]);
	}
	assert_true(answered[0] == 503 || answered[1] == 503);
	c[0] = client_open(stub_url(s)); /* and it is given back */
	head(c[0], "/v1/work", 90000);
	spaces(c[0], 90000 - strlen("{\"type\":\"x\"}"));
	client_send(c[0], "{\"type\":\"x\"}");
	client_expect(c[0], 201);
	client_close(&c[0]);
	stub_free(&s);
}

/* ---- heads ---- */

static void expect_for_filler(const char *before, size_t n, const char *after, int status)
{
	struct client *c = client_open(stub_url(stub));
	struct buf b = BUF_INIT(0);

	buf_z(&b, before);
	memset(buf_room(&b, n), 'a', n);
	buf_took(&b, n);
	buf_z(&b, after);
	client_send_bytes(c, b.p, b.n);
	client_expect(c, status);
	client_close(&c);
	buf_free(&b);
}

static void a_long_path_and_long_headers_are_refused(void **state)
{
	(void)state;
	expect_for_filler("GET /health HTTP/1.1\r\n" AUTH "X-Filler: ", 8000, "\r\n\r\n", 200);
	expect_for_filler("GET /health HTTP/1.1\r\n" AUTH "X-Filler: ", 20000, "\r\n\r\n", 431);
	expect_for_filler("GET /", 8000, " HTTP/1.1\r\n" AUTH "\r\n", 404);
	expect_for_filler("GET /", 20000, " HTTP/1.1\r\n" AUTH "\r\n", 414);
	expect_for_filler("GET /v1/work?q=", 8000, " HTTP/1.1\r\n" AUTH "\r\n", 422);
}

/* Near the limit there may be no room for the head of an answer: then nothing may have been done either. */
static void nothing_is_done_that_cannot_be_answered(void **state)
{
	unsigned done = 0;

	(void)state;
	for (size_t n = 15000; n < 16600; n += 16) {
		struct client *c = client_open(stub_url(stub));
		struct buf b = BUF_INIT(0), answer = BUF_INIT(0);

		buf_z(&b, "POST /v1/work HTTP/1.1\r\n" JSON "Content-Length: 12\r\nX-Filler: ");
		memset(buf_room(&b, n), 'a', n);
		buf_took(&b, n);
		buf_z(&b, "\r\n\r\n{\"type\":\"x\"}");
		client_send_bytes(c, b.p, b.n);
		client_shut(c);
		client_read_to_end(c, &answer);
		done += answer.n && strstr(answer.p, "HTTP/1.1 201 ") != NULL;
		client_close(&c);
		buf_free(&answer);
		buf_free(&b);
	}
	assert_int_equal(stub_count(stub, STUB_DISPATCHED), done);
}

static void a_long_idempotency_key_is_refused(void **state)
{
	(void)state;
	expect_for_filler("POST /v1/work HTTP/1.1\r\n" JSON "Idempotency-Key: ", 255,
			  "\r\nContent-Length: 12\r\n\r\n{\"type\":\"x\"}", 201);
	expect_for_filler("POST /v1/work HTTP/1.1\r\n" JSON "Idempotency-Key: ", 256,
			  "\r\nContent-Length: 12\r\n\r\n{\"type\":\"x\"}", 422);
}

/* ---- connections ---- */

static void connections_over_the_limit_are_told_so(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.max_connections = 4, .loops = 2});
	struct client *c[5];
	struct answer_read a;

	(void)state;
	for (int i = 0; i < 4; i++) {
		c[i] = client_open(stub_url(s));
		client_get(c[i], "/health");
		client_expect(c[i], 200);
	}
	c[4] = client_open(stub_url(s));
	client_get(c[4], "/health");
	client_read(c[4], &a);
	assert_int_equal(a.status, 503);
	assert_string_equal(answer_header(&a, "Retry-After"), "1");
	assert_string_equal(answer_header(&a, "Connection"), "close");
	assert_non_null(strstr(a.body.p, "4 connections"));
	answer_free(&a);
	client_expect_end(c[4]);
	for (int i = 0; i < 5; i++)
		client_close(&c[i]);
	stub_free(&s);
}

/* Those that have nothing to say take the place of an answer: beyond them, connections are closed unheard. */
static void connections_far_over_the_limit_are_closed(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.max_connections = 1});
	struct client *c[65], *last;

	(void)state;
	for (int i = 0; i < 65; i++)
		c[i] = client_open(stub_url(s));
	last = client_open(stub_url(s));
	client_ended(last);
	client_close(&last);
	client_get(c[0], "/health");
	client_expect(c[0], 200);
	for (int i = 0; i < 65; i++)
		client_close(&c[i]);
	stub_free(&s);
}

static void more_connections_than_the_machine_allows_is_an_error(void **state)
{
	struct stub *s;
	struct problem p = {0};

	(void)state;
	assert_int_equal(stub_try(&(struct stub_config){.max_connections = 2000000000}, &s, &p), ERR_USAGE);
	assert_string_equal(p.fields[0].field, "max_connections");
}

/* ---- slow clients ---- */

/* Sends `text` again every 100 ms until the server closes the connection; returns how long that took. */
static int64_t trickle(struct client *c, const char *text)
{
	int64_t began = clock_mono_ns();
	struct pollfd end = {.fd = client_fd(c), .events = POLLIN | POLLRDHUP};

	while (poll(&end, 1, 100) == 0) {
		client_try_send(c, text, strlen(text));
		assert_true(clock_mono_ns() - began < INT64_C(10000000000));
	}
	return clock_mono_ns() - began;
}

static void a_silent_connection_is_closed(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.idle_timeout_s = 1});
	struct client *c = client_open(stub_url(s)), *used = client_open(stub_url(s));

	(void)state;
	client_get(used, "/health");
	client_expect(used, 200);
	client_expect_end(c);
	client_expect_end(used);
	client_close(&c);
	client_close(&used);
	stub_free(&s);
}

static void headers_that_trickle_in_are_cut_off(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.idle_timeout_s = 1});
	struct client *c = client_open(stub_url(s)), *nameless = client_open(stub_url(s));

	(void)state;
	client_send(c, "GET /health HTTP/1.1\r\n");
	assert_true(trickle(c, "X: y\r\n") > INT64_C(1000000000));
	trickle(nameless, "G");
	client_close(&c);
	client_close(&nameless);
	stub_free(&s);
}

static void a_body_that_trickles_in_is_cut_off(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.idle_timeout_s = 1});
	struct client *c = client_open(stub_url(s));

	(void)state;
	head(c, "/v1/work", 1000000);
	trickle(c, " ");
	client_close(&c);
	stub_free(&s);
}

/* Its call is parked for longer than it may be idle. */
static void a_long_poll_is_not_idle(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.idle_timeout_s = 1});
	struct client *c = client_open(stub_url(s)), *idle = client_open(stub_url(s));

	(void)state;
	client_post(c, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	stub_await(s, STUB_PARKED, 1);
	for (int i = 0; i < 3; i++) { /* three times as long as one that idles lives */
		client_expect_end(idle);
		client_close(&idle);
		idle = client_open(stub_url(s));
	}
	stub_release(s);
	client_expect(c, 200);
	client_close(&c);
	client_close(&idle);
	stub_free(&s);
}

/* A half-closed connection comes to its end when everything was answered; libmicrohttpd alone would keep it. */
static void the_end_of_a_client_that_came_with_its_last_request_is_seen(void **state)
{
	struct client *c = client_open(stub_url(stub)), *partial = client_open(stub_url(stub));

	(void)state;
	client_get(c, "/health");
	client_shut(c);
	client_expect(c, 200);
	client_expect_end(c);
	client_send(partial, "GET /hea");
	client_shut(partial);
	client_expect_end(partial);
	client_close(&c);
	client_close(&partial);
}

/* ---- metrics ---- */

static void expect_line(struct metrics *m, const char *line)
{
	struct buf text = BUF_INIT(0);

	metrics_text(m, &text);
	if (!strstr(text.p, line))
		fail_msg("no line \"%s\" in:\n%s", line, text.p);
	buf_free(&text);
}

static void requests_and_connections_are_counted(void **state)
{
	const char *names[ROUTE_COUNT];
	struct metrics_config config = {.route = {names, ROUTE_COUNT}, .version = "1"};
	struct metrics *m;
	struct stub *s;
	struct client *c;

	(void)state;
	for (int i = 0; i < ROUTE_COUNT; i++)
		names[i] = spec_routes[i].name;
	m = metrics_new(&config);
	s = stub_new(&(struct stub_config){.metrics = m});
	c = client_open(stub_url(s));
	client_get(c, "/health");
	client_expect(c, 200);
	client_get(c, "/nowhere");
	client_expect(c, 404);
	client_post(c, "/v1/work", "{\"type\":\"x\"}");
	client_expect(c, 201);
	client_post(c, "/v1/work", "{}");
	client_expect(c, 400);
	expect_line(m, "tenfold_http_connections_open 1\n");
	expect_line(m, "tenfold_http_requests_total{route=\"health\",status=\"2xx\"} 1\n");
	expect_line(m, "tenfold_http_requests_total{route=\"work_add\",status=\"2xx\"} 1\n");
	expect_line(m, "tenfold_http_requests_total{route=\"work_add\",status=\"4xx\"} 1\n");
	expect_line(m, "tenfold_http_requests_rejected_total{error=\"no_route\"} 1\n");
	expect_line(m, "tenfold_http_request_duration_seconds_count{route=\"work_add\"} 2\n");
	client_send(c, "GET /health HTTP/3.0\r\n\r\n"); /* libmicrohttpd refuses this itself */
	client_expect(c, 505);
	client_close(&c);
	expect_line(m, "tenfold_http_requests_rejected_total{error=\"malformed\"} 1\n");
	c = client_open(stub_url(s));
	client_get(c, "/v1/work/events");
	stub_await(s, STUB_OPENED, 1);
	client_close(&c);
	stub_await(s, STUB_CLOSED, 1);
	stub_free(&s);
	expect_line(m, "tenfold_http_connections_open 0\n");
	expect_line(m, "tenfold_event_stream_subscribers 0\n");
	metrics_destroy(&m);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(a_body_of_exactly_the_limit_is_taken),
		EACH(a_declared_body_over_the_limit_is_refused_at_once),
		EACH(a_chunked_body_over_the_limit_is_refused_when_it_gets_there),
		EACH(a_client_that_goes_on_after_413_is_cut_off),
		EACH(a_refused_body_is_dropped_and_the_connection_goes_on),
		cmocka_unit_test(large_bodies_share_a_budget),
		EACH(a_long_path_and_long_headers_are_refused),
		EACH(nothing_is_done_that_cannot_be_answered),
		EACH(a_long_idempotency_key_is_refused),
		cmocka_unit_test(connections_over_the_limit_are_told_so),
		cmocka_unit_test(connections_far_over_the_limit_are_closed),
		cmocka_unit_test(more_connections_than_the_machine_allows_is_an_error),
		cmocka_unit_test(a_silent_connection_is_closed),
		cmocka_unit_test(headers_that_trickle_in_are_cut_off),
		cmocka_unit_test(a_body_that_trickles_in_is_cut_off),
		cmocka_unit_test(a_long_poll_is_not_idle),
		EACH(the_end_of_a_client_that_came_with_its_last_request_is_seen),
		cmocka_unit_test(requests_and_connections_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
