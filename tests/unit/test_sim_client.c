/*
 * The simulator's client against tests/api/target.py, a server that does what servers should not, over plain HTTP and
 * over TLS.
 *
 *	test_sim_client PYTHON tests/api/target.py
 */
#include "harness.h"

#include "base/buf.h"
#include "base/magic.h"
#include "sim/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/prctl.h>

enum { PATIENCE_MS = 20000, BODY_MAX = 1 << 20, MANY = 300 };

/* ---- the target ---- */

struct target {
	pid_t pid;
	int input; /* it ends when this does */
	int port;
	char ca[256];
};

static const char *python, *program;

static void target_start(struct target *t, const char *tls)
{
	int in[2], out[2];
	char line[300];
	FILE *said;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fflush(NULL);
	t->pid = fork();
	assert_true(t->pid >= 0);
	if (t->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies takes it along */
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(python, python, program, tls ? "--tls" : NULL, tls, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	t->input = in[1];
	said = fdopen(out[0], "r");
	assert_non_null(fgets(line, sizeof(line), said));
	assert_int_equal(sscanf(line, "%d %255s", &t->port, t->ca), 2);
	fclose(said);
}

static void target_stop(struct target *t)
{
	close(t->input);
	assert_int_equal(waitpid(t->pid, NULL, 0), t->pid);
}

/* ---- a client and its calls ---- */

static struct target plain, tls;
static struct clock *wall;

struct asked {
	struct client_call call;
	struct buf answer;
	char detail[128];
	bool done;
	unsigned times; /* to be started again in done() */
	struct sim_client *client;
};

static void on_done(void *ctx, struct client_call *call)
{
	struct asked *a = CONTAINER_OF(call, struct asked, call);

	assert_ptr_equal(ctx, &wall);
	assert_false(a->done);
	buf_reset(&a->answer);
	buf_str_add(&a->answer, call->answer);
	snprintf(a->detail, sizeof(a->detail), "%s", call->detail);
	if (a->times) {
		a->times--;
		sim_client_start(a->client, call);
		return;
	}
	a->done = true;
}

static struct sim_client *client_of(const char *url, const char *ca, uint32_t groups, uint32_t connections)
{
	struct client_config config = {.target = str_of(url),
				       .groups = groups,
				       .connections_max = connections,
				       .connect_ms = PATIENCE_MS,
				       .answer_ms = PATIENCE_MS,
				       .answer_bytes_max = BODY_MAX,
				       .ca_file = str_of(ca),
				       .user_agent = STR("tenfold test"),
				       .clock = wall};
	struct problem p = {0};
	struct sim_client *c;

	if (sim_client_new(&config, on_done, &wall, &c, &p) != OK)
		fail_msg("%s", p.detail);
	return c;
}

static struct sim_client *client_for(const struct target *t, const char *name, uint32_t groups,
				     uint32_t connections)
{
	char url[64];

	snprintf(url, sizeof(url), "%s://%s:%d", t->ca[0] == '-' ? "http" : "https", name, t->port);
	return client_of(url, t->ca[0] == '-' ? NULL : t->ca, groups, connections);
}

static void start(struct sim_client *c, struct asked *a, const char *method, const char *path)
{
	a->client = c;
	a->done = false;
	a->call.method = str_of(method);
	a->call.path = str_of(path);
	sim_client_start(c, &a->call);
}

static void wait_for(struct sim_client *c, const struct asked *a)
{
	int64_t give_up_ns = clock_mono_ns() + (int64_t)PATIENCE_MS * 2 * 1000000;

	while (!a->done) {
		assert_true(clock_mono_ns() < give_up_ns);
		sim_client_poll(c, 1000000000);
	}
}

static void ask(struct sim_client *c, struct asked *a, const char *method, const char *path)
{
	start(c, a, method, path);
	wait_for(c, a);
}

static void asked_free(struct asked *a)
{
	buf_free(&a->answer);
}

static int start_targets(void **state)
{
	(void)state;
	target_start(&plain, NULL);
	target_start(&tls, "localhost");
	wall = clock_system_new();
	return 0;
}

static int stop_targets(void **state)
{
	(void)state;
	target_stop(&plain);
	target_stop(&tls);
	clock_system_destroy(&wall);
	return 0;
}

/* Both ways of travelling; each test that takes `state` runs over one of them. */
static struct target *over[] = {&plain, &tls};

static struct sim_client *client_over(void **state, uint32_t groups, uint32_t connections)
{
	const struct target *t = *(struct target **)*state;

	return client_for(t, t == &tls ? "localhost" : "127.0.0.1", groups, connections);
}

static bool is_plain(void **state)
{
	return *(struct target **)*state == &plain;
}

/* ---- what is sent ---- */

static void a_request_says_what_it_should(void **state)
{
	struct sim_client *c = client_over(state, 1, 4);
	struct asked a = {.call = {.headers = STR("X-One: 1\r\nX-Two: a b\r\n"), .body = STR("{\"a\": 1}")}};
	const char *text;

	ask(c, &a, "POST", "/echo?q=%20x");
	assert_int_equal(a.call.err, OK);
	assert_int_equal(a.call.status, 200);
	text = buf_cstr(&a.answer);
	assert_non_null(strstr(text, "POST /echo?q=%20x HTTP/1.1\n"));
	assert_non_null(strstr(text, "x-one: 1\n"));
	assert_non_null(strstr(text, "x-two: a b\n"));
	assert_non_null(strstr(text, "user-agent: tenfold test\n"));
	assert_non_null(strstr(text, "content-length: 8\n"));
	assert_non_null(strstr(text, is_plain(state) ? "host: 127.0.0.1:" : "host: localhost:"));
	assert_null(strstr(text, "content-type"));
	assert_null(strstr(text, "expect"));
	assert_non_null(strstr(text, "\n{\"a\": 1}"));
	a.call.headers = a.call.body = (struct str){0};
	ask(c, &a, "DELETE", "/echo");
	assert_non_null(strstr(buf_cstr(&a.answer), "DELETE /echo HTTP/1.1\n"));
	assert_non_null(strstr(buf_cstr(&a.answer), "content-length: 0\n"));
	ask(c, &a, "HEAD", "/ok");
	assert_int_equal(a.call.status, 200);
	assert_int_equal(a.call.answer.n, 0);
	asked_free(&a);
	sim_client_free(&c);
}

static void a_large_request_goes_out_whole(void **state)
{
	struct sim_client *c = client_over(state, 1, 4);
	struct buf body = BUF_INIT(0);
	struct asked a = {0};

	for (int i = 0; i < BODY_MAX - 1000; i++)
		buf_c(&body, (char)('a' + i % 26));
	a.call.body = buf_str(&body);
	ask(c, &a, "PUT", "/echo");
	assert_int_equal(a.call.err, OK);
	assert_true(a.answer.n > body.n);
	assert_memory_equal(a.answer.p + a.answer.n - body.n, body.p, body.n);
	buf_free(&body);
	asked_free(&a);
	sim_client_free(&c);
}

static void what_is_no_request_is_not_sent(void **state)
{
	static const struct {
		const char *method, *path, *headers;
	} cases[] = {
		{"", "/", ""},
		{"GET X", "/", ""},
		{"GET", "", ""},
		{"GET", "no-slash", ""},
		{"GET", "/a b", ""},
		{"GET", "/a\r\nX: y", ""},
		{"GET", "/", "X: y"},
		{"GET", "/", "X: y\n"},
		{"GET", "/", "X y\r\n"},
		{"GET", "/", "X: y\r\n\r\n"},
		{"GET", "/", "X: y\rZ: z\r\n"},
	};
	struct sim_client *c = client_over(state, 1, 1);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct asked a = {.call.headers = str_of(cases[i].headers)};

		ask(c, &a, cases[i].method, cases[i].path);
		assert_row(cases[i].path, a.call.err == ERR_INVALID && a.detail[0]);
		asked_free(&a);
	}
	assert_int_equal(sim_client_counts(c).connects, 0);
	assert_int_equal(sim_client_counts(c).under_way, 0);
	sim_client_free(&c);
}

/* ---- what comes back ---- */

static void every_bad_answer_is_an_error_of_its_own(void **state)
{
	static const struct {
		const char *path;
		enum err err;
		const char *says, *says_tls; /* NULL: any sentence */
	} cases[] = {
		{"/reset", ERR_TARGET_CLOSED, "reset", NULL},
		{"/close", ERR_TARGET_CLOSED, "before an answer", NULL},
		{"/reset-in-body", ERR_TARGET_CLOSED, "reset", NULL},
		{"/too-short", ERR_TARGET_CLOSED, "5 bytes before the body did", "5 bytes"},
		{"/garbage", ERR_TARGET_GARBAGE, "no HTTP/1.1: ??SSH", NULL},
		{"/big", ERR_TARGET_TOO_LARGE, "over 1048576 bytes", "over 1048576 bytes"},
		{"/big-in-chunks", ERR_TARGET_TOO_LARGE, "over 1048576 bytes", "over 1048576 bytes"},
	};
	struct sim_client *c = client_over(state, 1, 4);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *says = is_plain(state) ? cases[i].says : cases[i].says_tls;
		struct asked a = {0};

		ask(c, &a, "GET", cases[i].path);
		if (a.call.err != cases[i].err || (says && !strstr(a.detail, says)))
			fail_msg("%s: %d %s", cases[i].path, (int)a.call.err, a.detail);
		assert_row(cases[i].path, a.detail[0]);
		ask(c, &a, "GET", "/ok"); /* and what comes after it is none the worse */
		assert_row(cases[i].path, a.call.err == OK && str_eqz(buf_str(&a.answer), "hello"));
		asked_free(&a);
	}
	sim_client_free(&c);
}

/* libcurl takes what belongs to the answer, leaves the rest, and ends the connection. */
static void more_than_belongs_to_an_answer_is_no_part_of_the_next(void **state)
{
	struct sim_client *c = client_over(state, 1, 4);
	struct asked a = {0};

	ask(c, &a, "GET", "/too-long");
	if (is_plain(state))
		assert_int_equal(a.call.err, ERR_TARGET_GARBAGE);
	else
		assert_str(buf_str(&a.answer), "he");
	ask(c, &a, "GET", "/ok");
	assert_str(buf_str(&a.answer), "hello");
	asked_free(&a);
	sim_client_free(&c);
}

static void good_answers_come_in_any_pieces(void **state)
{
	struct sim_client *c = client_over(state, 1, 4);
	struct asked a = {0};

	ask(c, &a, "GET", "/by-byte");
	assert_str(buf_str(&a.answer), "hello");
	ask(c, &a, "GET", "/big?bytes=1048576");
	assert_int_equal(a.call.err, OK);
	assert_int_equal(a.answer.n, 1048576);
	ask(c, &a, "GET", "/big-in-chunks?bytes=1048576");
	assert_int_equal(a.call.err, OK);
	assert_int_equal(a.answer.n, 1048576);
	ask(c, &a, "GET", "/to-end");
	assert_str(buf_str(&a.answer), "until it closes");
	ask(c, &a, "GET", "/failing?status=503");
	assert_int_equal(a.call.err, OK);
	assert_int_equal(a.call.status, 503);
	asked_free(&a);
	sim_client_free(&c);
}

static void redirections_are_told_and_not_followed(void **state)
{
	struct sim_client *c = client_over(state, 1, 4);
	struct asked a = {0};

	ask(c, &a, "GET", "/redirect");
	assert_int_equal(a.call.err, OK);
	assert_int_equal(a.call.status, 302);
	assert_non_null(strstr(a.detail, "redirects to "));
	assert_non_null(strstr(a.detail, "/elsewhere"));
	asked_free(&a);
	sim_client_free(&c);
}

static void retry_after_is_told_as_time(void **state)
{
	struct sim_client *c = client_over(state, 1, 4);
	struct asked a = {0};

	ask(c, &a, "GET", "/retry-seconds");
	assert_int_equal(a.call.status, 429);
	assert_int_equal(a.call.retry_after_ms, 7000);
	ask(c, &a, "GET", "/retry-date");
	assert_int_equal(a.call.status, 429);
	assert_int_equal(a.call.retry_after_ms, 9000);
	ask(c, &a, "GET", "/ok");
	assert_int_equal(a.call.retry_after_ms, -1);
	asked_free(&a);
	sim_client_free(&c);
}

/* ---- time ---- */

static void waiting_has_an_end(void **state)
{
	struct sim_client *c = client_over(state, 1, 4);
	struct asked a = {.call.answer_ms = 50}, b = {.call.answer_ms = 50};
	int64_t begun_ns;

	begun_ns = clock_mono_ns();
	start(c, &a, "GET", "/hang");
	start(c, &b, "GET", "/hang-in-body");
	wait_for(c, &a);
	wait_for(c, &b);
	assert_int_equal(a.call.err, ERR_TARGET_TIMEOUT);
	assert_string_equal(a.detail, "no answer within 50 ms");
	assert_int_equal(b.call.err, ERR_TARGET_TIMEOUT);
	assert_string_equal(b.detail, "no end of the answer within 50 ms");
	assert_true(a.call.done_ns - a.call.sent_ns >= 50000000);
	a.call.answer_ms = 0;
	ask(c, &a, "GET", "/ok");
	assert_int_equal(a.call.err, OK);
	assert_true(a.call.sent_ns >= begun_ns && a.call.done_ns >= a.call.sent_ns);
	asked_free(&a);
	asked_free(&b);
	sim_client_free(&c);
}

static void a_poll_ends_when_it_should(void **state)
{
	struct sim_client *c = client_over(state, 1, 1);
	int64_t begun_ns = clock_mono_ns();

	sim_client_poll(c, 20000000);
	assert_true(clock_mono_ns() - begun_ns >= 20000000);
	sim_client_poll(c, 0);
	sim_client_wake(c);
	sim_client_poll(c, -1);
	sim_client_free(&c);
}

static void *wake_it(void *client)
{
	sim_client_wake(client);
	return NULL;
}

static void another_thread_can_wake_it(void **state)
{
	struct sim_client *c = client_over(state, 1, 1);
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wake_it, c), 0);
	sim_client_poll(c, -1);
	pthread_join(thread, NULL);
	sim_client_free(&c);
}

/* ---- connections ---- */

static void one_connection_serves_call_after_call(void **state)
{
	struct sim_client *c = client_over(state, 1, 4);
	struct asked a = {.times = 20};

	ask(c, &a, "GET", "/ok");
	assert_int_equal(a.call.err, OK);
	assert_false(a.call.connected);
	assert_int_equal(sim_client_counts(c).connects, 1);
	assert_int_equal(sim_client_counts(c).calls, 21);
	assert_int_equal(sim_client_counts(c).open, 1);
	assert_int_equal(sim_client_group_open(c, 0), 1);
	asked_free(&a);
	sim_client_free(&c);
}

static void a_connection_that_ends_as_it_is_used_fails_nobody(void **state)
{
	struct sim_client *c = client_over(state, 1, 4);
	struct asked a = {.call.body = STR("{}")};

	for (int i = 0; i < 20; i++) {
		ask(c, &a, "POST", i % 2 ? "/doom" : "/close-after");
		if (a.call.err)
			fail_msg("%s", a.detail);
		assert_str(buf_str(&a.answer), "hello");
	}
	asked_free(&a);
	sim_client_free(&c);
}

static void calls_past_the_bound_wait_in_order(void **state)
{
	static struct asked calls[MANY];
	struct sim_client *c = client_over(state, 1, 7);
	int64_t last_ns = 0;

	memset(calls, 0, sizeof(calls));
	for (int i = 0; i < MANY; i++)
		start(c, &calls[i], "GET", "/ok");
	assert_int_equal(sim_client_counts(c).under_way, 7);
	assert_int_equal(sim_client_counts(c).waiting, MANY - 7);
	for (int i = 0; i < MANY; i++) {
		wait_for(c, &calls[i]);
		assert_int_equal(calls[i].call.err, OK);
		assert_true(!is_plain(state) || i < 7 || calls[i].call.sent_ns >= last_ns);
		last_ns = calls[i].call.sent_ns;
		asked_free(&calls[i]);
	}
	assert_int_equal(sim_client_counts(c).connects, 7);
	assert_int_equal(sim_client_counts(c).waiting, 0);
	assert_int_equal(sim_client_counts(c).under_way, 0);
	sim_client_free(&c);
}

/* A group whose calls all hang takes no connection of another's. */
static void a_failing_group_touches_nobody_else(void **state)
{
	static struct asked hanging[8], good[MANY];
	struct sim_client *c = client_over(state, 2, 8);

	memset(hanging, 0, sizeof(hanging));
	memset(good, 0, sizeof(good));
	for (size_t i = 0; i < COUNT_OF(hanging); i++) {
		hanging[i].call.group = 0;
		start(c, &hanging[i], "GET", "/hang");
	}
	for (int i = 0; i < MANY; i++) {
		good[i].call.group = 1;
		start(c, &good[i], "GET", "/ok");
	}
	for (int i = 0; i < MANY; i++) {
		wait_for(c, &good[i]);
		assert_int_equal(good[i].call.err, OK);
		asked_free(&good[i]);
	}
	assert_int_equal(sim_client_group_open(c, 1), 4);
	assert_int_equal(sim_client_counts(c).under_way, 4);
	assert_int_equal(sim_client_counts(c).waiting, 4);
	sim_client_free(&c); /* what is under way is forgotten */
	for (size_t i = 0; i < COUNT_OF(hanging); i++)
		assert_false(hanging[i].done);
}

static void a_cancelled_call_is_never_told(void **state)
{
	struct sim_client *c = client_over(state, 1, 1);
	struct asked under_way = {0}, waiting = {0}, bad = {0}, good = {0};

	start(c, &under_way, "GET", "/hang");
	start(c, &bad, "GET", "no path");
	start(c, &waiting, "GET", "/ok");
	start(c, &good, "GET", "/ok");
	sim_client_cancel(c, &bad.call);
	sim_client_cancel(c, &waiting.call);
	sim_client_poll(c, 0);
	sim_client_cancel(c, &under_way.call);
	wait_for(c, &good);
	assert_int_equal(good.call.err, OK);
	assert_false(under_way.done || waiting.done || bad.done);
	assert_int_equal(sim_client_counts(c).under_way, 0);
	asked_free(&good);
	sim_client_free(&c);
}

/* ---- targets that are not there ---- */

static int closed_port(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&here, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &n), 0);
	close(fd);
	return ntohs(here.sin_port);
}

static void nobody_there_is_refused(void **state)
{
	static const char *const schemes[] = {"http", "https"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		struct asked a = {.times = 3};
		struct sim_client *c;
		char url[64];

		snprintf(url, sizeof(url), "%s://localhost:%d/prefix/", schemes[i], closed_port());
		c = client_of(url, NULL, 1, 1);
		ask(c, &a, "GET", "/");
		assert_int_equal(a.call.err, ERR_TARGET_REFUSED);
		assert_true(a.detail[0]);
		assert_int_equal(a.call.sent_ns, 0);
		assert_int_equal(sim_client_counts(c).open, 0);
		asked_free(&a);
		sim_client_free(&c);
	}
}

static void a_prefix_stands_before_every_path(void **state)
{
	struct asked a = {0};
	struct sim_client *c;
	char url[64];

	(void)state;
	snprintf(url, sizeof(url), "http://localhost:%d/a/b/", plain.port);
	c = client_of(url, NULL, 1, 1);
	ask(c, &a, "GET", "/c?d");
	assert_int_equal(a.call.err, OK); /* and ::1, where nobody listens, was passed over */
	ask(c, &a, "GET", "/../../echo");
	assert_int_equal(a.call.err, OK);
	asked_free(&a);
	sim_client_free(&c);
}

static void nobody_answers_a_connection_that_no_one_takes(void **state)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct client_config config = {
		.groups = 1, .connections_max = 8, .connect_ms = 50, .answer_ms = 100, .clock = wall};
	struct asked calls[4] = {{.client = NULL}};
	struct problem p = {0};
	struct sim_client *c;
	unsigned unconnected = 0;
	char url[64];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&here, n), 0);
	assert_int_equal(listen(fd, 0), 0); /* holds one or two, and lets the others wait */
	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &n), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(here.sin_port));
	config.target = str_of(url);
	assert_int_equal(sim_client_new(&config, on_done, &wall, &c, &p), OK);
	for (size_t i = 0; i < COUNT_OF(calls); i++)
		start(c, &calls[i], "GET", "/");
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		wait_for(c, &calls[i]);
		assert_int_equal(calls[i].call.err, ERR_TARGET_TIMEOUT);
		unconnected += strcmp(calls[i].detail, "no connection within 50 ms") == 0;
		asked_free(&calls[i]);
	}
	assert_true(unconnected >= 1);
	close(fd);
	sim_client_free(&c);
}

static void bad_targets_are_refused_by_name(void **state)
{
	static const struct {
		const char *url;
		enum err err;
		const char *says;
	} cases[] = {
		{"", ERR_INVALID, "target: is no URL"},
		{"nonsense", ERR_INVALID, "target: is no URL"},
		{"ftp://h", ERR_INVALID, "not of http or https"},
		{"http://h:99999", ERR_INVALID, "is no URL"},
		{"http://me:secret@h", ERR_INVALID, "has a user in it"},
		{"http://h/?a=b", ERR_INVALID, "has a ? or #"},
		{"http://h/#a", ERR_INVALID, "has a ? or #"},
		{"http://a b", ERR_INVALID, "is no URL"},
		{"http://nobody.invalid:1", ERR_TARGET_NAME, "nobody.invalid: "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct client_config config = {.target = str_of(cases[i].url),
					       .groups = 1,
					       .connections_max = 1,
					       .connect_ms = 1,
					       .answer_ms = 1,
					       .clock = wall};
		struct problem p = {0};
		struct sim_client *c;

		assert_row(cases[i].url, sim_client_new(&config, on_done, &wall, &c, &p) == cases[i].err);
		if (!strstr(p.detail, cases[i].says))
			fail_msg("%s: %s", cases[i].url, p.detail);
		assert_null(strstr(p.detail, "secret"));
	}
}

static void more_connections_than_the_process_may_have_are_refused(void **state)
{
	struct client_config config = {.target = STR("http://127.0.0.1:1"),
				       .groups = 1,
				       .connections_max = UINT32_MAX,
				       .connect_ms = 1,
				       .answer_ms = 1,
				       .clock = wall};
	struct problem p = {0};
	struct sim_client *c;

	(void)state;
	assert_int_equal(sim_client_new(&config, on_done, &wall, &c, &p), ERR_INVALID);
	assert_non_null(strstr(p.detail, "ulimit -n"));
	config.connections_max = 3;
	config.groups = 4;
	assert_int_equal(sim_client_new(&config, on_done, &wall, &c, &p), ERR_INVALID);
}

/* ---- certificates ---- */

static void a_certificate_that_does_not_fit_is_refused(void **state)
{
	struct asked a = {0};
	struct sim_client *c = client_for(&tls, "127.0.0.1", 1, 1); /* it is for localhost */
	char url[64];

	(void)state;
	ask(c, &a, "GET", "/ok");
	assert_int_equal(a.call.err, ERR_TARGET_TLS);
	sim_client_free(&c);
	snprintf(url, sizeof(url), "https://localhost:%d", tls.port);
	c = client_of(url, NULL, 1, 1); /* nobody that is trusted has signed it */
	ask(c, &a, "GET", "/ok");
	assert_int_equal(a.call.err, ERR_TARGET_TLS);
	assert_true(a.detail[0]);
	sim_client_free(&c);
	snprintf(url, sizeof(url), "https://localhost:%d", plain.port);
	c = client_of(url, NULL, 1, 1); /* it speaks no TLS */
	ask(c, &a, "GET", "/ok");
	assert_int_not_equal(a.call.err, OK);
	asked_free(&a);
	sim_client_free(&c);
}

static void plain_http_to_a_server_of_tls_is_an_error(void **state)
{
	struct asked a = {.call.answer_ms = 2000};
	struct sim_client *c;
	char url[64];

	(void)state;
	snprintf(url, sizeof(url), "http://localhost:%d", tls.port);
	c = client_of(url, NULL, 1, 1);
	ask(c, &a, "GET", "/ok");
	assert_int_not_equal(a.call.err, OK);
	asked_free(&a);
	sim_client_free(&c);
}

#define OVER_BOTH(test)                                                                           \
	{.name = #test " over HTTP", .test_func = (test), .initial_state = (void *)&over[0]},     \
	{                                                                                         \
		.name = #test " over TLS", .test_func = (test), .initial_state = (void *)&over[1] \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		OVER_BOTH(a_request_says_what_it_should),
		OVER_BOTH(a_large_request_goes_out_whole),
		OVER_BOTH(what_is_no_request_is_not_sent),
		OVER_BOTH(every_bad_answer_is_an_error_of_its_own),
		OVER_BOTH(more_than_belongs_to_an_answer_is_no_part_of_the_next),
		OVER_BOTH(good_answers_come_in_any_pieces),
		OVER_BOTH(redirections_are_told_and_not_followed),
		OVER_BOTH(retry_after_is_told_as_time),
		OVER_BOTH(waiting_has_an_end),
		OVER_BOTH(a_poll_ends_when_it_should),
		OVER_BOTH(another_thread_can_wake_it),
		OVER_BOTH(one_connection_serves_call_after_call),
		OVER_BOTH(a_connection_that_ends_as_it_is_used_fails_nobody),
		OVER_BOTH(calls_past_the_bound_wait_in_order),
		OVER_BOTH(a_failing_group_touches_nobody_else),
		OVER_BOTH(a_cancelled_call_is_never_told),
		cmocka_unit_test(nobody_there_is_refused),
		cmocka_unit_test(a_prefix_stands_before_every_path),
		cmocka_unit_test(nobody_answers_a_connection_that_no_one_takes),
		cmocka_unit_test(bad_targets_are_refused_by_name),
		cmocka_unit_test(more_connections_than_the_process_may_have_are_refused),
		cmocka_unit_test(a_certificate_that_does_not_fit_is_refused),
		cmocka_unit_test(plain_http_to_a_server_of_tls_is_an_error),
	};

	if (argc != 3)
		return 2;
	python = argv[1];
	program = argv[2];
	return cmocka_run_group_tests(tests, start_targets, stop_targets);
}
