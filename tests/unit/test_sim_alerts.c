/*
 * Alerts against tests/api/receiver.py, a receiver of webhooks and mail that does what receivers should not.
 *
 *	test_sim_alerts PYTHON tests/api/receiver.py
 */
#include "harness.h"

#include "base/buf.h"
#include "base/magic.h"
#include "sim/alerts_priv.h"

#include <poll.h>
#include <sys/prctl.h>

enum { PATIENCE_MS = 20000, NEVER_MS = 600000 };

static const char *python, *program;

/* ---- the receiver ---- */

static struct {
	pid_t pid;
	int input; /* it ends when this does */
	FILE *said;
	int web, mail; /* ports */
} receiver;

static int receiver_start(void **state)
{
	int in[2], out[2];
	char ports[64];

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fflush(NULL);
	receiver.pid = fork();
	assert_true(receiver.pid >= 0);
	if (receiver.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies takes it along */
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(python, python, program, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	receiver.input = in[1];
	receiver.said = fdopen(out[0], "r");
	assert_non_null(fgets(ports, sizeof(ports), receiver.said));
	assert_int_equal(sscanf(ports, "%d %d", &receiver.web, &receiver.mail), 2);
	return 0;
}

static int receiver_stop(void **state)
{
	(void)state;
	close(receiver.input);
	fclose(receiver.said);
	assert_int_equal(waitpid(receiver.pid, NULL, 0), receiver.pid);
	return 0;
}

/* ---- alerts ---- */

#define WORDS "the breaker opened: 19 of 372 agents failed, last: <503 \"caf\xc3\xa9\"> & more"

static const struct sim_alert alert = {
	.event = SIM_ALERT_BREAKER,
	.at = 1795230301000, /* 2026-11-21T01:05:01Z, a Saturday */
	.run = {"run_0123456789abc", 17},
	.scenario = {"shopping", 8},
	.target = {"http://127.0.0.1:1", 18},
	.dir = {"./data", 6},
	.cycle = 12,
	.simulated = 1795230000000,
	.agents = 372,
	.failures = 19,
	.trips = 1,
	.text = {WORDS, sizeof(WORDS) - 1},
};

struct story {
	struct alerts_config config;
	struct alerts *alerts;
	struct str webhooks[ALERT_WEBHOOKS_MAX], emails[ALERT_EMAILS_MAX];
	char urls[ALERT_WEBHOOKS_MAX + 1][128];
	struct buf said; /* lines */
	unsigned lines;
};

static void hear(void *ctx, bool delivered, const char *line)
{
	struct story *s = ctx;

	assert_int_equal(delivered, str_starts(str_of(line), STR("alert sent to ")));
	buf_fmt(&s->said, "%s\n", line);
	s->lines++;
}

static struct story *story_new(void)
{
	struct story *s = NEW(struct story);

	s->config = (struct alerts_config){.webhooks = s->webhooks,
					   .emails = s->emails,
					   .answer_ms = PATIENCE_MS,
					   .pause_ms = 1,
					   .said = hear,
					   .ctx = s};
	return s;
}

static void add_webhook(struct story *s, const char *path)
{
	char *url = s->urls[s->config.webhook_count];

	snprintf(url, sizeof(s->urls[0]), "http://127.0.0.1:%d%s", receiver.web, path);
	s->webhooks[s->config.webhook_count++] = str_of(url);
}

static void add_email(struct story *s, const char *address, const char *user, const char *host)
{
	snprintf(s->urls[ALERT_WEBHOOKS_MAX], sizeof(s->urls[0]), "smtp://%s%s:%d", user, host, receiver.mail);
	s->config.smtp = str_of(s->urls[ALERT_WEBHOOKS_MAX]);
	s->emails[s->config.email_count++] = str_of(address);
}

static void raise_one(struct story *s)
{
	struct problem p = {0};

	if (!s->alerts && alerts_open(&s->config, &s->alerts, &p))
		fail_msg("%s", p.detail);
	alerts_raise(s->alerts, &alert);
}

static void wait_for_lines(struct story *s, unsigned count)
{
	for (int waited = 0; s->lines < count && waited < PATIENCE_MS; waited++) {
		poll(NULL, 0, 1);
		alerts_turn(s->alerts);
	}
	assert_int_equal(s->lines, count);
}

static const char *received(void)
{
	static char line[16 << 10];

	assert_non_null(fgets(line, sizeof(line), receiver.said));
	return line;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static void story_free(struct story *s)
{
	alerts_close(&s->alerts, PATIENCE_MS);
	buf_free(&s->said);
	free(s);
}

/* ---- webhooks ---- */

static void a_webhook_gets_what_is_known(void **state)
{
	struct story *s = story_new();
	const char *got;

	(void)state;
	add_webhook(s, "/hooks/ok");
	raise_one(s);
	got = received();
	assert_has(got, "\"path\": \"/hooks/ok\", \"type\": \"application/json\"");
	assert_has(got, "\"event\": \"breaker_opened\", \"at\": \"2026-11-21T03:05:01.000Z\"");
	assert_has(
		got,
		"\"run\": \"run_0123456789abc\", \"scenario\": \"shopping\", \"target\": \"http://127.0.0.1:1\"");
	assert_has(got, "\"cycle\": 12, ");
	assert_has(got, "\"agents\": 372, \"failures\": 19, \"trips\": 1");
	assert_has(got, "<503 \\\"caf\\u00e9\\\"> & more");
	wait_for_lines(s, 1);
	assert_has(buf_cstr(&s->said), "alert sent to http://127.0.0.1:");
	assert_null(strstr(buf_cstr(&s->said), "hooks")); /* the rest of the address is a secret */
	story_free(s);
}

static void slack_gets_a_message_by_flag_and_by_its_address(void **state)
{
	static const struct {
		const char *path;
		enum sim_alert_format format;
		bool slack;
	} rows[] = {
		{"/hooks/ok", SIM_ALERT_SLACK, true},
		{"/api/webhooks/1/slack", SIM_ALERT_AUTO, true},
		{"/api/webhooks/1/slack", SIM_ALERT_PLAIN, false},
		{"/slack/ok", SIM_ALERT_AUTO, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct story *s = story_new();
		const char *got;

		s->config.format = rows[i].format;
		add_webhook(s, rows[i].path);
		raise_one(s);
		got = received();
		assert_row(rows[i].path,
			   rows[i].slack == (strstr(got, "\"body\": {\"text\": \"tenfold: ") != NULL));
		if (rows[i].slack)
			assert_has(got,
				   "last: &lt;503 \\\"caf\\u00e9\\\"&gt; &amp; more\\nrun run_0123456789abc of "
				   "scenario shopping against http://127.0.0.1:1, cycle 12");
		story_free(s);
	}
}

static void hooks_of_slack_are_known_by_their_host(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct str url = STR("https://hooks.slack.com/services/T0/B0/secret");
	const struct alerts_config config = {.webhooks = &url, .webhook_count = 1};
	struct alert_places places;
	struct problem p = {0};

	(void)state;
	assert_int_equal(alert_places_read(&config, a, &places, &p), OK);
	assert_true(places.v[0].is_slack);
	assert_str(places.v[0].name, "https://hooks.slack.com");
	arena_destroy(&a);
}

static void what_may_pass_is_tried_again_and_what_lasts_is_not(void **state)
{
	static const struct {
		const char *path;
		unsigned tries;
		const char *says;
	} rows[] = {
		{"/a/busy-1", 2, "alert sent"},
		{"/b/busy-3", 4, "alert sent"},
		{"/c/busy-9", 4, "not delivered to http://127.0.0.1:"},
		{"/d/404", 1, "after 1 tries: it answers 404"},
		{"/e/429", 4, "after 4 tries: it answers 429"},
		{"/f/302", 1, "it redirects (302), which is not followed"},
		{"/g/redirect", 1, "it redirects (302)"},
		{"/h/close", 4, "after 4 tries: Empty reply from server"},
		{"/i/garbage", 1, "after 1 tries: Received HTTP/0.9 when not allowed"},
		{"/j/endless", 1, "after 1 tries: "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct story *s = story_new();

		add_webhook(s, rows[i].path);
		raise_one(s);
		wait_for_lines(s, 1);
		assert_has(buf_cstr(&s->said), rows[i].says);
		for (unsigned k = 0; k < rows[i].tries; k++)
			assert_row(rows[i].path, strstr(received(), rows[i].path));
		story_free(s);
	}
}

static void nobody_there_is_told_and_keeps_nobody_waiting(void **state)
{
	struct story *s = story_new();

	(void)state;
	s->config.answer_ms = 300;
	add_webhook(s, "/never/hang");
	s->webhooks[s->config.webhook_count++] = STR("http://127.0.0.1:1/nobody");
	s->webhooks[s->config.webhook_count++] = STR("http://no-such-host.invalid/");
	add_webhook(s, "/ok");
	raise_one(s);
	wait_for_lines(s, 4);
	assert_true(str_starts(str_of(buf_cstr(&s->said)), STR("alert sent to "))); /* it came first */
	assert_has(buf_cstr(&s->said), "not delivered to http://127.0.0.1:1 after 4 tries: Failed to connect");
	assert_has(buf_cstr(&s->said),
		   "not delivered to http://no-such-host.invalid after 4 tries: Could not resolve");
	assert_has(buf_cstr(&s->said), "after 4 tries: Operation timed out");
	for (int i = 0; i < 5; i++)
		received();
	story_free(s);
}

static void a_run_that_ends_waits_for_nobody_for_long(void **state)
{
	struct story *s = story_new();
	int64_t begun_ns = clock_mono_ns();

	(void)state;
	s->config.pause_ms = NEVER_MS;
	add_webhook(s, "/end/hang");
	add_webhook(s, "/end/503");
	raise_one(s);
	received();
	received();
	alerts_close(&s->alerts, 50);
	assert_true(clock_mono_ns() - begun_ns < (int64_t)PATIENCE_MS * 1000000);
	assert_int_equal(s->lines, 2);
	assert_has(buf_cstr(&s->said), "before the run ended\n");
	assert_has(buf_cstr(&s->said), "before the run ended: it answers 503\n");
	story_free(s);
}

static void too_many_alerts_at_once_are_left_out(void **state)
{
	struct story *s = story_new();

	(void)state;
	s->config.answer_ms = NEVER_MS;
	add_webhook(s, "/many/hang");
	for (int i = 0; i < 65; i++)
		raise_one(s);
	wait_for_lines(s, 1);
	assert_has(buf_cstr(&s->said), "alert left out: 64 wait");
	alerts_close(&s->alerts, 0);
	assert_int_equal(s->lines, 65);
	receiver_stop(state); /* who waits for it is forgotten */
	receiver_start(state);
	story_free(s);
}

/* ---- mail ---- */

static void a_mail_is_one_that_others_can_read(void **state)
{
	struct story *s = story_new();
	const char *got;

	(void)state;
	add_email(s, "ops@example.com", "", "127.0.0.1");
	add_email(s, "dev@example.com", "", "127.0.0.1");
	s->config.from = STR("sim@example.com");
	raise_one(s);
	got = received();
	assert_has(got, "\"receivers\": [\"ops@example.com\", \"dev@example.com\"]");
	assert_has(got, "\"sender\": \"sim@example.com\"");
	assert_has(got, "\"From\": \"sim@example.com\", \"To\": \"ops@example.com, dev@example.com\"");
	assert_has(got, "\"Subject\": \"tenfold: the breaker of run_0123456789abc is open\"");
	assert_has(got, "\"Date\": \"Sat, 21 Nov 2026 03:05:01 +0000\"");
	assert_has(got, "\"Message-ID\": \"<run_0123456789abc.1.1795230301000@");
	assert_has(got, "\"Auto-Submitted\": \"auto-generated\"");
	assert_has(got,
		   "what       the breaker opened: 19 of 372 agents failed, last: <503 \\\"caf\\u00e9\\\"> & more");
	assert_has(got, "cycle      12");
	wait_for_lines(s, 1);
	assert_has(buf_cstr(&s->said), "alert sent to smtp://127.0.0.1:");
	story_free(s);
}

static void who_a_relay_takes_is_told(void **state)
{
	struct story *s = story_new();

	(void)state;
	add_email(s, "nobody@example.com", "", "127.0.0.1");
	add_email(s, "ops@example.com", "", "127.0.0.1");
	raise_one(s);
	assert_has(received(), "\"receivers\": [\"ops@example.com\"]");
	story_free(s);

	s = story_new();
	add_email(s, "nobody@example.com", "", "127.0.0.1");
	raise_one(s);
	wait_for_lines(s, 1);
	assert_has(buf_cstr(&s->said), "after 1 tries: RCPT failed: 550");
	story_free(s);

	s = story_new();
	add_email(s, "busy-2@example.com", "", "127.0.0.1");
	raise_one(s);
	assert_has(received(), "\"receivers\": [\"busy-2@example.com\"]");
	story_free(s);
}

/* 0.0.0.0 is this machine as well, and does not look like it. */
static void a_password_goes_unprotected_to_this_machine_alone(void **state)
{
	static const struct {
		const char *user, *host, *received, *says;
	} rows[] = {
		{"ann:right@", "127.0.0.1", "\"user\": \"ann\", \"password\": \"right\"", "alert sent"},
		{"ann:wr%40ng@", "127.0.0.1", "\"password\": \"wr@ng\"", "after 1 tries: Login denied"},
		{"ann:right@", "0.0.0.0", NULL, "after 1 tries: STARTTLS not supported."},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct story *s = story_new();

		add_email(s, "ops@example.com", rows[i].user, rows[i].host);
		raise_one(s);
		wait_for_lines(s, 1);
		assert_has(buf_cstr(&s->said), rows[i].says);
		assert_null(strstr(buf_cstr(&s->said), "ann"));
		if (rows[i].received)
			assert_has(received(), rows[i].received);
		if (strstr(rows[i].says, "sent"))
			assert_has(received(), "\"mail\"");
		story_free(s);
	}
}

/* ---- flags ---- */

static void what_is_no_address_is_told_by_its_flag(void **state)
{
	static const struct {
		const char *webhook, *email, *smtp, *from, *says;
	} rows[] = {
		{"hooks.slack.com/x", NULL, NULL, NULL,
		 "alert_webhook: must be a URL that begins with http:// or https://"},
		{"ftp://host/", NULL, NULL, NULL, "alert_webhook: must be"},
		{"", NULL, NULL, NULL, "alert_webhook: must be"},
		{NULL, "ops", NULL, NULL, "alert_email: \"ops\" is no address"},
		{NULL, "ops@a@b", NULL, NULL, "alert_email: "},
		{NULL, "ops@example.com\r\nDATA", NULL, NULL, "alert_email: "},
		{NULL, "ops@example.com", "mail.example.com:25", NULL, "alert_smtp: must be"},
		{NULL, "ops@example.com", "http://mail.example.com", NULL, "alert_smtp: must be"},
		{NULL, "ops@example.com", NULL, "me", "alert_from: "},
		{NULL, NULL, "smtp://mail.example.com", NULL, "alert_smtp: says how e-mail is sent"},
		{NULL, NULL, NULL, "me@example.com", "alert_from: says how e-mail is sent"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str webhook = str_of(rows[i].webhook), email = str_of(rows[i].email);
		const struct alerts_config config = {.webhooks = &webhook,
						     .webhook_count = rows[i].webhook != NULL,
						     .emails = &email,
						     .email_count = rows[i].email != NULL,
						     .smtp = str_of(rows[i].smtp),
						     .from = str_of(rows[i].from)};
		struct problem p = {0};
		struct alerts *none;

		assert_int_equal(alerts_open(&config, &none, &p), ERR_INVALID);
		assert_null(none);
		assert_has(p.detail, rows[i].says);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_webhook_gets_what_is_known),
		cmocka_unit_test(slack_gets_a_message_by_flag_and_by_its_address),
		cmocka_unit_test(hooks_of_slack_are_known_by_their_host),
		cmocka_unit_test(what_may_pass_is_tried_again_and_what_lasts_is_not),
		cmocka_unit_test(nobody_there_is_told_and_keeps_nobody_waiting),
		cmocka_unit_test(a_run_that_ends_waits_for_nobody_for_long),
		cmocka_unit_test(too_many_alerts_at_once_are_left_out),
		cmocka_unit_test(a_mail_is_one_that_others_can_read),
		cmocka_unit_test(who_a_relay_takes_is_told),
		cmocka_unit_test(a_password_goes_unprotected_to_this_machine_alone),
		cmocka_unit_test(what_is_no_address_is_told_by_its_flag),
	};

	CHECK(argc == 3);
	python = argv[1];
	program = argv[2];
	return cmocka_run_group_tests(tests, receiver_start, receiver_stop);
}
