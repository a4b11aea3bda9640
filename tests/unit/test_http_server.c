/*
 * The server under a real client. First one test for each trap of libmicrohttpd 0.9.75 that its design steps around
 * (docs/internals/http-server.md), then what a request may look like.
 */
#include "tests/unit/harness.h"
#include "tests/unit/http_kit/client.h"
#include "tests/unit/http_kit/stub.h"

#include "base/clock.h"
#include "base/magic.h"

#include <dlfcn.h>
#include <microhttpd.h>
#include <stdatomic.h>

static struct stub *stub;

static int start(void **state)
{
	(void)state;
	stub = stub_new(&(struct stub_config){.loops = 2});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	stub_free(&stub);
	return 0;
}

/* One request on a connection of its own. */
static void expect(const char *request, int status)
{
	struct client *c = client_open(stub_url(stub));

	client_send(c, request);
	client_expect(c, status);
	client_close(&c);
}

/* The answer's body holds `text`. */
static void expect_text(const char *request, int status, const char *text)
{
	struct client *c = client_open(stub_url(stub));
	struct answer_read a;

	client_send(c, request);
	client_read(c, &a);
	assert_int_equal(a.status, status);
	if (!strstr(buf_cstr(&a.body), text))
		fail_msg("\"%s\" is not in: %s", text, buf_cstr(&a.body));
	answer_free(&a);
	client_close(&c);
}

/* ---- traps ---- */

/* These two stand before the library's own: they tell whether the resuming thread is one that runs a daemon. */
static enum MHD_Result (*real_run)(struct MHD_Daemon *);
static void (*real_resume)(struct MHD_Connection *);
static _Thread_local bool runs_a_daemon;
static atomic_uint resumed, resumed_by_strangers;

enum MHD_Result MHD_run(struct MHD_Daemon *d)
{
	runs_a_daemon = true;
	return real_run(d);
}

void MHD_resume_connection(struct MHD_Connection *c)
{
	atomic_fetch_add(&resumed, 1);
	if (!runs_a_daemon)
		atomic_fetch_add(&resumed_by_strangers, 1);
	real_resume(c);
}

static void find_real_ones(void)
{
	*(void **)&real_run = dlsym(RTLD_NEXT, "MHD_run");
	*(void **)&real_resume = dlsym(RTLD_NEXT, "MHD_resume_connection");
}

static void no_connection_is_resumed_by_a_foreign_thread(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	atomic_store(&resumed, 0);
	atomic_store(&resumed_by_strangers, 0);
	for (int i = 0; i < 100; i++) {
		client_post(c, "/v1/work", "{\"type\":\"x\"}");
		client_expect(c, 201);
	}
	assert_int_equal(atomic_load(&resumed), 100);
	assert_int_equal(atomic_load(&resumed_by_strangers), 0);
	client_close(&c);
}

/* The loop stands at the gate while `count` others send; then it finds them all ready in one epoll_wait(). */
static void ready_at_once(unsigned count)
{
	struct stub *one = stub_new(&(struct stub_config){0});
	struct client *at_gate = client_open(stub_url(one)), **others = must_alloc(count * sizeof(struct client *));

	for (unsigned i = 0; i < count; i++) {
		others[i] = client_open(stub_url(one));
		client_send(others[i], "GET /health HTTP/1.1\r\n" AUTH "\r\n");
		client_expect(others[i], 200);
	}
	stub_gate(one, false);
	client_send(at_gate, "GET /health/live HTTP/1.1\r\n" AUTH "\r\n");
	stub_await(one, STUB_AT_GATE, 1);
	for (unsigned i = 0; i < count; i++)
		client_send(others[i], "GET /health HTTP/1.1\r\n" AUTH "\r\n");
	stub_gate(one, true);
	for (unsigned i = 0; i < count; i++) {
		client_expect(others[i], 200);
		client_close(&others[i]);
	}
	client_expect(at_gate, 200);
	client_close(&at_gate);
	free(others);
	stub_free(&one);
}

static void exactly_128_connections_are_ready_at_once(void **state)
{
	(void)state;
	for (unsigned count = 126; count <= 130; count++)
		ready_at_once(count);
	ready_at_once(256);
}

static void exactly_128_calls_are_finished_at_once(void **state)
{
	struct client *c[128];

	(void)state;
	for (unsigned i = 0; i < 128; i++) {
		c[i] = client_open(stub_url(stub));
		client_post(c[i], "/v1/work", "{\"type\":\"park\"}");
	}
	stub_await(stub, STUB_PARKED, 128);
	stub_release(stub);
	for (unsigned i = 0; i < 128; i++) {
		client_expect(c[i], 201);
		client_close(&c[i]);
	}
}

static void a_hang_up_in_a_long_poll_is_seen(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	client_post(c, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	stub_await(stub, STUB_PARKED, 1);
	client_close(&c);
	stub_await(stub, STUB_HUNG_UP, 1);
	stub_await(stub, STUB_UNDELIVERED, 1);
	assert_int_equal(stub_count(stub, STUB_HUNG_UP), 1);
}

static void a_reset_in_a_long_poll_is_seen(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	client_post(c, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	stub_await(stub, STUB_PARKED, 1);
	client_reset(&c);
	stub_await(stub, STUB_UNDELIVERED, 1);
	assert_int_equal(stub_count(stub, STUB_HUNG_UP), 1);
}

/* The socket is watched from the first long poll on; later ones must be noticed as well. */
static void a_hang_up_in_the_third_long_poll_of_a_connection_is_seen(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		client_post(c, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
		stub_await(stub, STUB_PARKED, i);
		stub_release(stub);
		client_expect(c, 200);
	}
	client_post(c, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	stub_await(stub, STUB_PARKED, 3);
	assert_int_equal(stub_count(stub, STUB_HUNG_UP), 0);
	client_close(&c);
	stub_await(stub, STUB_HUNG_UP, 1);
	stub_await(stub, STUB_UNDELIVERED, 1);
}

/* Whoever closes his half has gone, as far as a long poll is concerned. */
static void a_half_closed_long_poll_is_a_hang_up(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	client_post(c, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	stub_await(stub, STUB_PARKED, 1);
	client_shut(c);
	stub_await(stub, STUB_HUNG_UP, 1);
	client_close(&c);
}

/* Its route does not WAIT, so nobody is told before there is an answer that cannot be sent. */
static void a_client_that_left_a_short_call_is_undelivered(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	client_post(c, "/v1/work", "{\"type\":\"park\"}");
	stub_await(stub, STUB_PARKED, 1);
	client_reset(&c);
	stub_release(stub);
	stub_await(stub, STUB_UNDELIVERED, 1);
	assert_int_equal(stub_count(stub, STUB_HUNG_UP), 0);
}

static void stopping_with_suspended_connections_does_not_abort(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.loops = 2});
	struct client *claim = client_open(stub_url(s)), *events = client_open(stub_url(s)),
		      *add = client_open(stub_url(s));

	(void)state;
	client_post(claim, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	client_post(add, "/v1/work", "{\"type\":\"park\"}");
	client_send(events, "GET /v1/work/events HTTP/1.1\r\n" AUTH "\r\n");
	stub_await(s, STUB_PARKED, 2);
	stub_await(s, STUB_OPENED, 1);
	stub_abandon(&s);
	assert_true(client_ended(events));
	client_close(&claim);
	client_close(&events);
	client_close(&add);
}

static void draining_answers_what_runs_and_refuses_what_comes(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){0});
	struct client *claim = client_open(stub_url(s)), *events = client_open(stub_url(s));
	struct buf text = BUF_INIT(0);

	(void)state;
	client_send(events, "GET /v1/work/events HTTP/1.1\r\n" AUTH "\r\n");
	client_read_until(events, "\r\n\r\n", &text);
	client_post(claim, "/v1/work/claim", "{\"agent\":\"a\",\"wait_ms\":30000}");
	stub_await(s, STUB_PARKED, 1);
	stub_free(&s); /* releases, drains, destroys */
	client_expect(claim, 200);
	assert_true(client_ended(claim));
	client_read_until(events, "0\r\n\r\n", &text);
	client_close(&claim);
	client_close(&events);
	buf_free(&text);
}

static void a_second_server_on_a_port_is_told_which(void **state)
{
	struct stub *second;
	struct problem p = {0};
	const char *where = strstr(stub_url(stub), "//") + 2;

	(void)state;
	assert_int_equal(stub_try(&(struct stub_config){.loops = 2, .listen = where}, &second, &p), ERR_IN_USE);
	assert_non_null(strstr(p.detail, where));
}

/* With four loops on one port each connection reaches one of them. */
static void port_0_is_shared_by_all_loops(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.loops = 4});

	(void)state;
	for (int i = 0; i < 64; i++) {
		struct client *c = client_open(stub_url(s));

		client_get(c, "/health");
		client_expect(c, 200);
		client_close(&c);
	}
	stub_free(&s);
}

static void a_port_is_free_again_at_once(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.loops = 2}), *again;
	struct client *c = client_open(stub_url(s));
	char where[64];
	struct problem p = {0};

	(void)state;
	client_get(c, "/health");
	client_expect(c, 200);
	snprintf(where, sizeof(where), "%s", strstr(stub_url(s), "//") + 2);
	stub_free(&s);
	assert_int_equal(stub_try(&(struct stub_config){.loops = 2, .listen = where}, &again, &p), OK);
	client_close(&c);
	stub_free(&again);
}

/* Whoever reads the url must be able to use it. */
static void the_url_of_all_addresses_is_the_local_one(void **state)
{
	struct stub *s = stub_new(&(struct stub_config){.listen = "0.0.0.0:0"});
	struct client *c = client_open(stub_url(s));
	struct problem p = {0};

	(void)state;
	assert_true(str_starts(str_of(stub_url(s)), STR("http://127.0.0.1:")));
	client_get(c, "/health");
	client_expect(c, 200);
	client_close(&c);
	stub_free(&s);
	if (stub_try(&(struct stub_config){.loops = 2, .listen = "[::]:0"}, &s, &p) == OK) /* if there is IPv6 */
		assert_true(str_starts(str_of(stub_url(s)), STR("http://[::1]:")));
	stub_free(&s);
}

static void an_address_that_is_none_is_told(void **state)
{
	static const char *const wrong[] = {"7010", "127.0.0.1", "nonsense:port", "300.0.0.1:0", "[::1]", ":7010"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct stub *s;
		struct problem p = {0};

		assert_int_equal(stub_try(&(struct stub_config){.listen = wrong[i]}, &s, &p), ERR_USAGE);
		assert_non_null(strstr(p.detail, wrong[i]));
	}
}

/* libmicrohttpd would take the query apart into its own memory and stall when that is full. */
static void a_query_of_a_thousand_parameters_is_answered(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	buf_z(&b, "GET /health?");
	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, "a%d=1&", i);
	buf_z(&b, " HTTP/1.1\r\n" AUTH "\r\n");
	expect_text(b.p, 400, "\"field\":\"a0\"");
	buf_free(&b);
}

/* ---- requests ---- */

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	client_send(c, "GET /health HTTP/1.1\r\n" AUTH "\r\n"
		       "POST /v1/work HTTP/1.1\r\n" JSON "Content-Length: 12\r\n\r\n{\"type\":\"x\"}"
		       "GET /nowhere HTTP/1.1\r\n" AUTH "\r\n"
		       "POST /v1/work HTTP/1.1\r\n" JSON "Content-Length: 12\r\n\r\n{\"type\":\"x\"}"
		       "GET /health HTTP/1.1\r\n" AUTH "\r\n");
	client_expect(c, 200);
	client_expect(c, 201);
	client_expect(c, 404);
	client_expect(c, 201);
	client_expect(c, 200);
	client_close(&c);
}

static void a_client_that_sends_byte_by_byte_is_served(void **state)
{
	static const char request[] = "POST /v1/work HTTP/1.1\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n"
				      "5\r\n{\"typ\r\n7;extension=1\r\ne\":\"x\"}\r\n0\r\nTrailer: 1\r\n\r\n";
	struct client *c = client_open(stub_url(stub));

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		for (size_t i = 0; i < sizeof(request) - 1; i++)
			client_send_bytes(c, request + i, 1);
		client_expect(c, 201);
	}
	client_close(&c);
}

static void a_client_that_waits_for_100_continue_is_told_to_go_on(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct buf text = BUF_INIT(0);

	(void)state;
	client_send(c, "POST /v1/work HTTP/1.1\r\n" JSON "Expect: 100-continue\r\nContent-Length: 12\r\n\r\n");
	client_read_until(c, "\r\n\r\n", &text);
	assert_true(str_starts(buf_str(&text), STR("HTTP/1.1 100 ")));
	client_send(c, "{\"type\":\"x\"}");
	client_expect(c, 201);
	client_close(&c);
	buf_free(&text);
}

static void a_client_that_waits_for_100_continue_is_told_when_it_need_not_go_on(void **state)
{
	(void)state;
	expect("POST /v1/work HTTP/1.1\r\n" JSON "Expect: 100-continue\r\nContent-Length: 9000000\r\n\r\n", 413);
	expect("POST /v1/none HTTP/1.1\r\n" JSON "Expect: 100-continue\r\nContent-Length: 12\r\n\r\n", 404);
}

static void an_http_1_0_probe_without_host_sees_the_health(void **state)
{
	struct client *c = client_open(stub_url(stub));

	(void)state;
	client_send(c, "GET /health HTTP/1.0\r\n\r\n");
	client_expect(c, 200);
	client_expect_end(c);
	client_close(&c);
	expect("GET /health HTTP/1.1\r\n\r\n", 400);
}

static void head_is_answered_like_get_without_a_body(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct answer_read a;

	(void)state;
	client_send(c, "HEAD /health HTTP/1.1\r\n" AUTH "\r\n");
	client_read_head(c, &a);
	assert_int_equal(a.status, 200);
	assert_true(atoi(answer_header(&a, "Content-Length")) > 0);
	answer_free(&a);
	client_send(c, "HEAD /v1/work HTTP/1.1\r\n" AUTH "\r\n"); /* dispatched */
	client_read_head(c, &a);
	assert_int_equal(a.status, 200);
	answer_free(&a);
	client_send(c, "HEAD /v1/work/events HTTP/1.1\r\n" AUTH "\r\n");
	client_read_head(c, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_header(&a, "Content-Type"), "text/event-stream");
	answer_free(&a);
	client_get(c, "/health"); /* and the connection goes on */
	client_expect(c, 200);
	stub_await(stub, STUB_CLOSED, 1);
	client_close(&c);
}

static void a_path_that_takes_other_methods_says_which(void **state)
{
	static const char *const methods[] = {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		struct client *c = client_open(stub_url(stub));
		struct buf b = BUF_INIT(0);
		struct answer_read a;

		buf_fmt(&b, "%s /v1/work HTTP/1.1\r\n" AUTH "\r\n", methods[i]);
		client_send(c, b.p);
		client_read(c, &a);
		assert_int_equal(a.status, 405);
		assert_string_equal(answer_header(&a, "Allow"), "GET, HEAD, POST");
		answer_free(&a);
		buf_free(&b);
		client_close(&c);
	}
}

static void an_absolute_uri_is_that_of_its_path(void **state)
{
	(void)state;
	expect("GET http://elsewhere.example/health HTTP/1.1\r\n" AUTH "\r\n", 200);
	expect("GET https://elsewhere.example?x=1 HTTP/1.1\r\n" AUTH "\r\n", 404);
}

static void escapes_in_a_path_are_read_once(void **state)
{
	(void)state;
	expect("GET /%68ealth HTTP/1.1\r\n" AUTH "\r\n", 200);
	expect("GET /%2568ealth HTTP/1.1\r\n" AUTH "\r\n", 404);
	expect("GET /v1%2Fwork HTTP/1.1\r\n" AUTH "\r\n", 404);
	expect("GET /health%00 HTTP/1.1\r\n" AUTH "\r\n", 404);
	expect("GET /health%g HTTP/1.1\r\n" AUTH "\r\n", 404);
	expect("GET /health/ HTTP/1.1\r\n" AUTH "\r\n", 404);
}

static void the_id_in_a_path_is_read_or_not_found(void **state)
{
	(void)state;
	expect("GET /v1/work/w_0000000000001 HTTP/1.1\r\n" AUTH "\r\n", 200);
	expect("GET /v1/work/k_0000000000001 HTTP/1.1\r\n" AUTH "\r\n", 404);
	expect("GET /v1/work/nothing HTTP/1.1\r\n" AUTH "\r\n", 404);
	expect_text("POST /v1/work/nothing/cancel HTTP/1.1\r\n" JSON "Content-Length: 14\r\n\r\n{\"reason\":\"x\"}",
		    404, "nothing");
	expect_text("POST /v1/work/w_0000000000001/cancel HTTP/1.1\r\n" JSON "Content-Length: 26\r\n\r\n"
		    "{\"id\":\"w_0000000000001\"}  ",
		    400, "unknown_field");
}

static void a_body_may_be_left_out_when_nothing_in_it_is_required(void **state)
{
	(void)state;
	expect("POST /v1/work/w_0000000000001/cancel HTTP/1.1\r\n" AUTH "\r\n", 200);
	expect("POST /v1/work/w_0000000000001/retry HTTP/1.1\r\n" AUTH "Content-Length: 0\r\n\r\n", 200);
	expect_text("POST /v1/work/w_0000000000001/release HTTP/1.1\r\n" AUTH "\r\n", 400, "\"field\":\"token\"");
}

static void query_and_body_are_told_apart(void **state)
{
	(void)state;
	expect_text("POST /v1/work?type=x HTTP/1.1\r\n" JSON "Content-Length: 12\r\n\r\n{\"type\":\"x\"}", 400,
		    "\"field\":\"type\"");
	expect("GET /v1/work?type=x&limit=5 HTTP/1.1\r\n" AUTH "\r\n", 200);
	expect_text("GET /v1/work?limit=0 HTTP/1.1\r\n" AUTH "\r\n", 422, "\"field\":\"limit\"");
	expect_text("GET /v1/work?limit=1&limit=2 HTTP/1.1\r\n" AUTH "\r\n", 422, "given twice");
	expect("GET /v1/work HTTP/1.1\r\n" JSON "Content-Length: 2\r\n\r\n{}", 413);
}

static void malformed_json_is_told_by_line_and_column(void **state)
{
	(void)state;
	expect_text("POST /v1/work HTTP/1.1\r\n" JSON "Content-Length: 5\r\n\r\n{\n  x", 400,
		    "\"line\":2,\"column\":3");
}

static void keys_and_scopes_are_checked(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct answer_read a;

	(void)state;
	client_send(c, "GET /v1/work HTTP/1.1\r\nHost: x\r\n\r\n");
	client_read(c, &a);
	assert_int_equal(a.status, 401);
	assert_string_equal(answer_header(&a, "WWW-Authenticate"), "Bearer");
	answer_free(&a);
	client_close(&c);
	expect("GET /v1/work HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n\r\n", 401);
	expect("GET /v1/work HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\n\r\n", 401);
	expect("GET /v1/work HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\r\n\r\n", 401);
	expect("GET /v1/work HTTP/1.1\r\nHost: x\r\nauthorization: bearer reader\r\n\r\n", 200);
	expect_text(
		"POST /v1/work HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer reader\r\nContent-Length: 0\r\n\r\n",
		403, "worker");
	expect("GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n\r\n", 200);
}

#define NO_KEY "Host: x\r\nContent-Type: application/json\r\n"

static void what_the_server_opens_needs_no_key(void **state)
{
	static const char get[] = "GET /v1/work HTTP/1.1\r\n" NO_KEY "\r\n";
	static const char post[] = "POST /v1/work HTTP/1.1\r\n" NO_KEY "Content-Length: 12\r\n\r\n{\"type\":\"x\"}";
	static const struct {
		unsigned keyless;
		int get, post;
	} cases[] = {{0, 401, 401},
		     {ROUTE_PUBLIC, 200, 401},
		     {ROUTE_OPEN, 401, 201},
		     {ROUTE_PUBLIC | ROUTE_OPEN, 200, 201}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		stub_free(&stub);
		stub = stub_new(&(struct stub_config){.keyless = cases[i].keyless});
		expect(get, cases[i].get);
		expect(post, cases[i].post);
		expect("GET /v1/work HTTP/1.1\r\n" NO_KEY "Authorization: Bearer wrong\r\n\r\n", 401);
		expect("GET /v1/work/w_0000000000001 HTTP/1.1\r\n" NO_KEY "\r\n", 401);
		expect("POST /v1/work HTTP/1.1\r\n" NO_KEY
		       "Authorization: Bearer reader\r\nContent-Length: 0\r\n\r\n",
		       403); /* a key that was given counts */
	}
}

/* Else anybody could guess it and be told what somebody else was answered. */
static void the_idempotency_key_of_a_caller_without_key_is_ignored(void **state)
{
	struct client *c;
	struct answer_read a;

	(void)state;
	stub_free(&stub);
	stub = stub_new(&(struct stub_config){.keyless = ROUTE_OPEN});
	c = client_open(stub_url(stub));
	client_send(c, "POST /v1/work HTTP/1.1\r\n" NO_KEY "Idempotency-Key: k1\r\nContent-Length: 12\r\n\r\n"
		       "{\"type\":\"x\"}");
	client_read(c, &a);
	assert_int_equal(a.status, 201);
	assert_string_equal(answer_header(&a, "Idempotency-Replayed"), "");
	answer_free(&a);
	client_close(&c);
}

static void what_is_left_is_told_until_nothing_is(void **state)
{
	struct answer_read a;
	struct client *c;

	(void)state;
	stub_free(&stub);
	stub = stub_new(&(struct stub_config){.calls_allowed = 2});
	c = client_open(stub_url(stub));
	client_get(c, "/v1/whoami");
	client_read(c, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_header(&a, "RateLimit-Policy"), "\"stub\";q=2;w=60");
	assert_string_equal(answer_header(&a, "RateLimit"), "\"stub\";r=1;t=30");
	assert_string_equal(answer_header(&a, "Retry-After"), "");
	answer_free(&a);
	client_get(c, "/v1/whoami?a=b"); /* an answer like any other */
	client_read(c, &a);
	assert_int_equal(a.status, 400);
	assert_string_equal(answer_header(&a, "RateLimit"), "\"stub\";r=0;t=30");
	answer_free(&a);
	client_post(c, "/v1/work", "{\"type\":\"x\"}");
	client_read(c, &a);
	assert_int_equal(a.status, 429);
	assert_non_null(strstr(a.body.p, "rate_limited"));
	assert_string_equal(answer_header(&a, "RateLimit"), "\"stub\";r=0;t=30");
	assert_string_equal(answer_header(&a, "Retry-After"), "7");
	answer_free(&a);
	client_get(c, "/health"); /* is not counted, */
	client_read(c, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_header(&a, "RateLimit"), "");
	answer_free(&a);
	client_close(&c);
	assert_int_equal(stub_count(stub, STUB_DISPATCHED), 0);
	expect("GET /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n", 401); /* nor what needs a key and has none */
}

static void expect_address(const char *headers, const char *address)
{
	struct buf request = BUF_INIT(0), says = BUF_INIT(0);

	buf_fmt(&request, "GET /v1/whoami HTTP/1.1\r\n" AUTH "%s\r\n", headers);
	buf_fmt(&says, "\"key_name\":\"%s\"", address);
	expect_text(buf_cstr(&request), 200, buf_cstr(&says));
	buf_free(&request);
	buf_free(&says);
}

static void a_client_is_where_the_trusted_proxies_say(void **state)
{
	(void)state;
	expect_address("", "127.0.0.1");
	expect_address("X-Forwarded-For: 192.0.2.1\r\n", "127.0.0.1");
	stub_free(&stub);
	stub = stub_new(&(struct stub_config){.proxy_hops = 2});
	expect_address("", "127.0.0.1");
	expect_address("X-Forwarded-For: 198.51.100.1, 192.0.2.1, 192.0.2.2\r\n", "192.0.2.1");
	expect_address("X-Forwarded-For: 198.51.100.1,192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n", "192.0.2.1");
	expect_address("X-Forwarded-For: 192.0.2.2\r\n", "192.0.2.2");
	expect_address("X-Forwarded-For: 198.51.100.1, unknown, 192.0.2.2\r\n", "192.0.2.2");
	expect_address("X-Forwarded-For: \r\n", "127.0.0.1");
}

static void a_body_must_be_json(void **state)
{
	(void)state;
	expect("POST /v1/work HTTP/1.1\r\n" AUTH "Content-Length: 12\r\n\r\n{\"type\":\"x\"}", 415);
	expect("POST /v1/work HTTP/1.1\r\n" AUTH "Content-Type: text/plain\r\nContent-Length: 12\r\n\r\n"
	       "{\"type\":\"x\"}",
	       415);
	expect("POST /v1/work HTTP/1.1\r\n" AUTH "Content-Type: Application/JSON; charset=utf-8\r\n"
	       "Content-Length: 12\r\n\r\n{\"type\":\"x\"}",
	       201);
}

static void the_headers_of_every_answer_are_those_of_an_api(void **state)
{
	static const char *const paths[] = {"/health", "/nowhere", "/v1/whoami?a=b"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct client *c = client_open(stub_url(stub));
		struct buf b = BUF_INIT(0);
		struct answer_read a;

		buf_fmt(&b, "GET %s HTTP/1.1\r\n" AUTH "X-Request-Id: mine-1\r\n\r\n", paths[i]);
		client_send(c, b.p);
		client_read(c, &a);
		assert_string_equal(answer_header(&a, "X-Content-Type-Options"), "nosniff");
		assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
		assert_string_equal(answer_header(&a, "X-Request-Id"), "mine-1");
		assert_true(answer_header(&a, "Date")[0]);
		answer_free(&a);
		buf_free(&b);
		client_close(&c);
	}
}

static void get(struct client *c, const char *path, const char *headers, struct answer_read *a)
{
	struct buf b = BUF_INIT(0);

	buf_fmt(&b, "GET %s HTTP/1.1\r\n" AUTH "%s\r\n", path, headers);
	client_send(c, buf_cstr(&b));
	client_read(c, a);
	buf_free(&b);
}

static void what_may_be_kept_says_so_and_by_whom(void **state)
{
	static const struct {
		const char *path, *cache, *vary, *etag;
	} cases[] = {{"/openapi.json", "public, max-age=300", "", "\"1349cde127705c16\""},
		     {"/v1/work/w_0000000000007", "private, no-cache", "Authorization, X-Tenant", "\"7-1\""},
		     {"/health", "no-store", "", ""}};
	struct client *c = client_open(stub_url(stub));
	struct answer_read a;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		get(c, cases[i].path, "", &a);
		assert_int_equal(a.status, 200);
		assert_string_equal(answer_header(&a, "Cache-Control"), cases[i].cache);
		assert_string_equal(answer_header(&a, "Vary"), cases[i].vary);
		assert_string_equal(answer_header(&a, "ETag"), cases[i].etag);
		answer_free(&a);
	}
	get(c, "/v1/work/x", "", &a);
	assert_int_equal(a.status, 404);
	assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
	assert_string_equal(answer_header(&a, "ETag"), "");
	answer_free(&a);
	client_close(&c);
}

/* libmicrohttpd writes a length into 304 whatever we do, and RFC 9110 wants that of 200. */
static void what_a_client_has_is_not_sent_again(void **state)
{
	static const char *const paths[] = {"/openapi.json", "/v1/work/w_0000000000007",
					    "/v1/work/w_0000000000008"};
	struct client *c = client_open(stub_url(stub));
	struct answer_read whole, a;
	struct buf b = BUF_INIT(0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		get(c, paths[i], "If-None-Match: \"other\"\r\n", &whole);
		assert_int_equal(whole.status, 200);
		buf_reset(&b);
		buf_fmt(&b, "GET %s HTTP/1.1\r\n" AUTH "If-None-Match: W/\"x\", %s\r\n\r\n", paths[i],
			answer_header(&whole, "ETag"));
		buf_fmt(&b, "HEAD %s HTTP/1.1\r\n" AUTH "If-None-Match: *\r\n\r\n", paths[i]);
		client_send(c, buf_cstr(&b));
		for (int head = 0; head < 2; head++) {
			client_read_head(c, &a);
			assert_int_equal(a.status, 304);
			assert_int_equal(a.body.n, 0);
			assert_string_equal(answer_header(&a, "ETag"), answer_header(&whole, "ETag"));
			assert_string_equal(answer_header(&a, "Cache-Control"),
					    answer_header(&whole, "Cache-Control"));
			assert_int_equal(atoi(answer_header(&a, "Content-Length")), (int)whole.body.n);
			answer_free(&a);
		}
		answer_free(&whole);
	}
	get(c, "/v1/work/x", "If-None-Match: *\r\n", &a);
	assert_int_equal(a.status, 404);
	answer_free(&a);
	get(c, "/health", "If-None-Match: *\r\n", &a);
	assert_int_equal(a.status, 200);
	answer_free(&a);
	buf_free(&b);
	client_close(&c);
}

static void what_is_in_memory_is_answered_without_being_dispatched(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct answer_read a;

	(void)state;
	get(c, "/v1/work/w_0000000000009", "", &a);
	assert_int_equal(a.status, 200);
	assert_int_equal(strlen(a.body.p), 4 << 20);
	assert_string_equal(answer_header(&a, "ETag"), "\"9-1\"");
	answer_free(&a);
	stub_await(stub, STUB_RELEASED, 1);
	client_send(c, "GET /v1/work/w_0000000000009 HTTP/1.1\r\n" AUTH "If-None-Match: \"9-1\"\r\n\r\n");
	client_read_head(c, &a);
	assert_int_equal(a.status, 304);
	answer_free(&a);
	stub_await(stub, STUB_RELEASED, 2);
	get(c, "/v1/work/w_000000000000a", "", &a);
	assert_int_equal(a.status, 410);
	answer_free(&a);
	assert_int_equal(stub_count(stub, STUB_DISPATCHED), 0);
	get(c, "/v1/work/w_0000000000007", "", &a); /* is not */
	assert_int_equal(a.status, 200);
	answer_free(&a);
	assert_int_equal(stub_count(stub, STUB_DISPATCHED), 1);
	client_close(&c);
}

static void bytes_in_memory_are_given_back_when_their_client_leaves(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct buf head = BUF_INIT(0);

	(void)state;
	client_get(c, "/v1/work/w_0000000000009");
	client_read_until(c, "\r\n\r\n", &head); /* it is sending */
	buf_free(&head);
	client_reset(&c);
	stub_await(stub, STUB_RELEASED, 1);
	assert_int_equal(stub_count(stub, STUB_UNDELIVERED), 0);
}

/* What a log line could not bear is replaced. */
static void a_request_id_is_made_when_none_or_a_bad_one_is_given(void **state)
{
	static const char *const given[] = {"", "X-Request-Id: two words\r\n", "X-Request-Id: \xc3\xa4\r\n"};
	char before[64] = "";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(given); i++) {
		struct client *c = client_open(stub_url(stub));
		struct buf b = BUF_INIT(0);
		struct answer_read a;
		const char *id;

		buf_fmt(&b, "GET /nowhere HTTP/1.1\r\n" AUTH "%s\r\n", given[i]);
		client_send(c, b.p);
		client_read(c, &a);
		id = answer_header(&a, "X-Request-Id");
		assert_int_equal(strlen(id), 16);
		assert_string_not_equal(id, before);
		assert_non_null(strstr(a.body.p, id));
		snprintf(before, sizeof(before), "%s", id);
		answer_free(&a);
		buf_free(&b);
		client_close(&c);
	}
}

static void errors_of_handlers_and_hooks_become_problems(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct answer_read a;

	(void)state;
	client_post(c, "/v1/work", "{\"type\":\"conflict\"}");
	client_read(c, &a);
	assert_int_equal(a.status, 409);
	assert_string_equal(answer_header(&a, "Content-Type"), "application/problem+json");
	assert_string_equal(answer_header(&a, "Retry-After"), "");
	answer_free(&a);
	client_post(c, "/v1/work", "{\"type\":\"refuse\"}");
	client_read(c, &a);
	assert_int_equal(a.status, 503);
	assert_string_equal(answer_header(&a, "Retry-After"), "1");
	assert_non_null(strstr(a.body.p, "the queue is full"));
	answer_free(&a);
	client_post(c, "/v1/work", "{\"type\":\"x\"}");
	client_expect(c, 201);
	client_close(&c);
}

static void an_idempotency_key_is_checked_where_it_counts(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct answer_read a;

	(void)state;
	client_send(c, "POST /v1/work HTTP/1.1\r\n" JSON "Idempotency-Key: k1\r\nContent-Length: 12\r\n\r\n"
		       "{\"type\":\"x\"}");
	client_read(c, &a);
	assert_int_equal(a.status, 201);
	assert_string_equal(answer_header(&a, "Idempotency-Replayed"), "true");
	answer_free(&a);
	client_close(&c);
	expect("POST /v1/work HTTP/1.1\r\n" JSON "Idempotency-Key: two words\r\nContent-Length: 12\r\n\r\n"
	       "{\"type\":\"x\"}",
	       422);
	expect("POST /v1/work/w_0000000000001/cancel HTTP/1.1\r\n" AUTH "Idempotency-Key: two words\r\n\r\n", 200);
}

/* What two parsers could cut differently is refused, and the connection with it. */
static void requests_that_could_be_smuggled_are_refused(void **state)
{
	static const char *const headers[] = {
		"Content-Length: 2\r\nContent-Length: 2\r\n",
		"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: gzip, chunked\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Content-Length : 2\r\n",
		"Host: twice\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		struct client *c = client_open(stub_url(stub));
		struct buf b = BUF_INIT(0);

		buf_fmt(&b, "POST /v1/work HTTP/1.1\r\n" JSON "%s\r\n", headers[i]);
		client_send(c, b.p);
		client_expect(c, 400);
		client_ended(c);
		client_close(&c);
		buf_free(&b);
	}
}

/* libmicrohttpd answers these itself; docs/http.md lists them. */
static void garbage_is_answered_or_cut_and_the_server_lives(void **state)
{
	static const char *const garbage[] = {
		"\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"GET /health\r\n\r\n",
		"GET /health HTTP/2.0\r\n\r\n",
		"GET /health HTTP/1.1\r\nno colon\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"POST /v1/work HTTP/1.1\r\n" JSON "Content-Length: -1\r\n\r\n",
		"POST /v1/work HTTP/1.1\r\n" JSON "Content-Length: 99999999999999999999999\r\n\r\n",
		"POST /v1/work HTTP/1.1\r\n" JSON "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST /v1/work HTTP/1.1\r\n" JSON "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffffff\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(garbage); i++) {
		struct client *c = client_open(stub_url(stub));

		client_send(c, garbage[i]);
		client_shut(c);
		client_ended(c);
		client_close(&c);
	}
	expect("GET /health HTTP/1.1\r\n" AUTH "\r\n", 200);
}

static void an_answer_larger_than_a_socket_is_sent_whole(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct answer_read a;

	(void)state;
	client_post(c, "/v1/work", "{\"type\":\"big\"}");
	client_read(c, &a);
	assert_int_equal(a.body.n, 4 << 20);
	answer_free(&a);
	client_post(c, "/v1/work", "{\"type\":\"x\"}");
	client_expect(c, 201);
	client_close(&c);
}

static void a_client_that_leaves_amid_a_large_answer_is_undelivered(void **state)
{
	struct client *c = client_open(stub_url(stub));
	struct buf text = BUF_INIT(0);

	(void)state;
	client_post(c, "/v1/work", "{\"type\":\"big\"}");
	client_read_until(c, "\r\n\r\n", &text);
	client_reset(&c);
	stub_await(stub, STUB_UNDELIVERED, 1);
	buf_free(&text);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(no_connection_is_resumed_by_a_foreign_thread),
		EACH(exactly_128_connections_are_ready_at_once),
		EACH(exactly_128_calls_are_finished_at_once),
		EACH(a_hang_up_in_a_long_poll_is_seen),
		EACH(a_reset_in_a_long_poll_is_seen),
		EACH(a_hang_up_in_the_third_long_poll_of_a_connection_is_seen),
		EACH(a_half_closed_long_poll_is_a_hang_up),
		EACH(a_client_that_left_a_short_call_is_undelivered),
		EACH(stopping_with_suspended_connections_does_not_abort),
		EACH(draining_answers_what_runs_and_refuses_what_comes),
		EACH(a_second_server_on_a_port_is_told_which),
		EACH(port_0_is_shared_by_all_loops),
		EACH(a_port_is_free_again_at_once),
		EACH(the_url_of_all_addresses_is_the_local_one),
		EACH(an_address_that_is_none_is_told),
		EACH(a_query_of_a_thousand_parameters_is_answered),
		EACH(pipelined_requests_are_answered_in_order),
		EACH(a_client_that_sends_byte_by_byte_is_served),
		EACH(a_client_that_waits_for_100_continue_is_told_to_go_on),
		EACH(a_client_that_waits_for_100_continue_is_told_when_it_need_not_go_on),
		EACH(an_http_1_0_probe_without_host_sees_the_health),
		EACH(head_is_answered_like_get_without_a_body),
		EACH(a_path_that_takes_other_methods_says_which),
		EACH(an_absolute_uri_is_that_of_its_path),
		EACH(escapes_in_a_path_are_read_once),
		EACH(the_id_in_a_path_is_read_or_not_found),
		EACH(a_body_may_be_left_out_when_nothing_in_it_is_required),
		EACH(query_and_body_are_told_apart),
		EACH(malformed_json_is_told_by_line_and_column),
		EACH(keys_and_scopes_are_checked),
		EACH(what_the_server_opens_needs_no_key),
		EACH(the_idempotency_key_of_a_caller_without_key_is_ignored),
		EACH(what_is_left_is_told_until_nothing_is),
		EACH(a_client_is_where_the_trusted_proxies_say),
		EACH(a_body_must_be_json),
		EACH(the_headers_of_every_answer_are_those_of_an_api),
		EACH(what_may_be_kept_says_so_and_by_whom),
		EACH(what_a_client_has_is_not_sent_again),
		EACH(what_is_in_memory_is_answered_without_being_dispatched),
		EACH(bytes_in_memory_are_given_back_when_their_client_leaves),
		EACH(a_request_id_is_made_when_none_or_a_bad_one_is_given),
		EACH(errors_of_handlers_and_hooks_become_problems),
		EACH(an_idempotency_key_is_checked_where_it_counts),
		EACH(requests_that_could_be_smuggled_are_refused),
		EACH(garbage_is_answered_or_cut_and_the_server_lives),
		EACH(an_answer_larger_than_a_socket_is_sent_whole),
		EACH(a_client_that_leaves_amid_a_large_answer_is_undelivered),
	};

	find_real_ones();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
