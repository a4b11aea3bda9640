/*
 * The control socket, with a run that is none: it notes what it was told. Who talks to it here are sockets of our own,
 * turned for by hand, and control_tell() on a thread beside.
 */
#include "harness.h"

#include "base/buf.h"
#include "base/magic.h"
#include "sim/control.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static const int64_t ns_per_ms = 1000000;

struct story {
	char top[64];
	struct str dir;
	struct arena *arena;
	struct control *control;
	int64_t now_ns;
	enum sim_command told[64];
	unsigned told_count;
};

static void take(void *ctx, enum sim_command command, struct sim_status *out)
{
	struct story *s = ctx;

	assert_true(s->told_count < COUNT_OF(s->told));
	s->told[s->told_count++] = command;
	*out = (struct sim_status){
		.run = STR("run_0123456789abc"), .scenario = STR("shopping"), .cycle = s->told_count};
	PUT(out, sim_status, state, (int)(command == SIM_PAUSE ? SIM_STANDS : SIM_RUNS));
}

static struct story *story_new_in(const char *below)
{
	struct story *s = NEW(struct story);

	snprintf(s->top, sizeof(s->top), "/tmp/tenfold-control-XXXXXX");
	assert_non_null(mkdtemp(s->top));
	s->arena = arena_new(1 << 20);
	s->dir = arena_fmt(s->arena, "%s%s", s->top, below);
	mkdir(s->dir.p, 0755);
	return s;
}

static void serve(struct story *s)
{
	struct problem p = {0};

	if (control_open(s->dir, take, s, &s->control, &p))
		fail_msg("%s", p.detail);
}

static struct story *story_new(void)
{
	struct story *s = story_new_in("");

	serve(s);
	return s;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void story_free(struct story *s)
{
	control_close(&s->control);
	nftw(s->top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	arena_destroy(&s->arena);
	free(s);
}

static void turn(struct story *s)
{
	control_turn(s->control, s->now_ns);
}

/* ---- sockets of our own ---- */

static struct sockaddr_un address_of(const struct story *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run.sock", s->top);
	return address;
}

static int come(struct story *s)
{
	struct sockaddr_un address = address_of(s);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_return_code(connect(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	return fd;
}

static void write_to(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What has come by now. */
static const char *read_from(struct story *s, int fd)
{
	enum { MOST = 16 << 10 };
	char *text = arena_alloc(s->arena, MOST);
	ssize_t n = recv(fd, text, MOST - 1, MSG_DONTWAIT);

	return n < 0 ? "nothing" : n == 0 ? "the end" : text;
}

static const char *ask(struct story *s, int fd, const char *line)
{
	write_to(fd, line);
	turn(s);
	return read_from(s, fd);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

/* ---- what is told ---- */

static void what_is_told_is_done_in_order_and_answered(void **state)
{
	static const enum sim_command expected[] = {SIM_PAUSE, SIM_RESUME, SIM_CHECKPOINT, SIM_QUIT, SIM_STATUS};
	struct story *s = story_new();
	int fd = come(s);

	(void)state;
	assert_has(ask(s, fd, "{\"command\":\"pause\"}\n"), "\"state\":\"paused\"");
	assert_has(ask(s, fd, "{\"command\":\"resume\"}\n"), "\"state\":\"running\"");
	assert_has(ask(s, fd, "{\"command\":\"checkpoint\"}\n{\"command\":\"quit\"}\n"), "\"cycle\":3");
	turn(s);
	assert_has(read_from(s, fd), "\"cycle\":4");
	assert_has(ask(s, fd, " { \"command\" : \"status\" } \n"), "\"run\":\"run_0123456789abc\"");
	assert_int_equal(s->told_count, 5);
	for (unsigned i = 0; i < s->told_count; i++)
		assert_int_equal(s->told[i], expected[i]);
	close(fd);
	story_free(s);
}

static void lines_may_come_in_pieces_and_the_last_without_an_end(void **state)
{
	struct story *s = story_new();
	int fd = come(s);

	(void)state;
	assert_string_equal(ask(s, fd, "{\"comm"), "nothing");
	assert_string_equal(ask(s, fd, "and\":\"pau"), "nothing");
	assert_has(ask(s, fd, "se\"}\n"), "paused");
	write_to(fd, "{\"command\":\"resume\"}\n{\"command\":\"status\"}");
	shutdown(fd, SHUT_WR);
	turn(s);
	assert_has(read_from(s, fd), "\"cycle\":2");
	turn(s);
	assert_has(read_from(s, fd), "\"cycle\":3");
	assert_string_equal(read_from(s, fd), "the end");
	close(fd);
	story_free(s);
}

static void what_is_no_command_is_refused_and_nobody_is_dropped(void **state)
{
	static const struct {
		const char *line, *code, *says;
	} rows[] = {
		{"pause\n", "malformed", "expected a value"},
		{"\n", "malformed", ""},
		{"{}\n", "missing_field", "command"},
		{"{\"command\":\"paus\"}\n", "invalid", "pause"},
		{"{\"command\":\"pause\",\"when\":\"now\"}\n", "unknown_field", "when"},
		{"{\"command\":7}\n", "mistyped", "command"},
		{"\xff\xfe\n", "malformed", ""},
	};
	struct story *s = story_new();
	int fd = come(s);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *answer = ask(s, fd, rows[i].line);

		assert_row(rows[i].line, strstr(answer, "{\"fault\":{\"code\":\"") == answer);
		assert_row(answer, strstr(answer, rows[i].code));
		assert_row(answer, strstr(answer, rows[i].says));
	}
	assert_int_equal(s->told_count, 0);
	assert_has(ask(s, fd, "{\"command\":\"status\"}\n"), "running");
	close(fd);
	story_free(s);
}

/* ---- who misbehaves ---- */

static void ten_megabytes_are_not_read(void **state)
{
	struct story *s = story_new();
	int fd = come(s), turns = 0;
	char *much = must_alloc(10 << 20);
	size_t sent = 0;
	ssize_t n;
	int why;

	(void)state;
	memset(much, 'x', 10 << 20);
	do {
		n = send(fd, much + sent, (10 << 20) - sent, MSG_NOSIGNAL);
		why = n < 0 ? errno : 0;
		sent += n > 0 ? (size_t)n : 0;
		turn(s);
	} while (why != EPIPE && turns++ < 10);
	assert_int_equal(why, EPIPE);
	assert_true(sent < 1 << 20);
	assert_has(read_from(s, fd), "A line is longer than 1024 bytes");
	close(fd);
	free(much);
	fd = come(s);
	assert_has(ask(s, fd, "{\"command\":\"status\"}\n"), "running");
	close(fd);
	story_free(s);
}

/* It asks and asks: it is answered once a turn, until its own buffer is full. */
static void who_reads_no_answer_is_dropped(void **state)
{
	struct story *s = story_new();
	int fd = come(s), small = 1;
	bool open = true;

	(void)state;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 100000 && open; i++) {
		s->told_count = 0;
		open = send(fd, "{\"command\":\"status\"}\n", 21, MSG_NOSIGNAL) == 21 || errno == EAGAIN;
		turn(s);
		assert_in_range(s->told_count, 0, 1);
	}
	assert_false(open);
	close(fd);
	story_free(s);
}

static void who_is_silent_keeps_nobody_out(void **state)
{
	struct story *s = story_new();
	int silent[CONTROL_CLIENTS], fd;

	(void)state;
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		s->now_ns += ns_per_ms;
		silent[i] = come(s);
		turn(s);
	}
	s->now_ns += ns_per_ms;
	assert_string_equal(ask(s, silent[0], "{"), "nothing");
	fd = come(s);
	s->now_ns += ns_per_ms;
	assert_has(ask(s, fd, "{\"command\":\"status\"}\n"), "running");
	assert_string_equal(read_from(s, silent[0]), "nothing"); /* it has said something */
	assert_string_equal(read_from(s, silent[1]), "the end"); /* it was silent longest */
	s->now_ns += CONTROL_SILENCE_MS * ns_per_ms + 1;
	turn(s);
	assert_string_equal(read_from(s, silent[0]), "the end");
	assert_string_equal(read_from(s, fd), "the end");
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		close(silent[i]);
	close(fd);
	story_free(s);
}

static void who_hangs_up_at_once_is_no_trouble(void **state)
{
	struct story *s = story_new();
	int fd;

	(void)state;
	for (int i = 0; i < 50; i++) {
		fd = come(s);
		if (i % 2)
			write_to(fd, "{\"command\":\"status\"}\n");
		close(fd);
		turn(s);
	}
	assert_int_equal(s->told_count, 25);
	story_free(s);
}

/* ---- the socket ---- */

static void only_who_runs_may_use_it_and_it_goes_with_the_run(void **state)
{
	struct story *s = story_new();
	struct sockaddr_un address = address_of(s);
	struct stat st;

	(void)state;
	assert_return_code(stat(address.sun_path, &st), errno);
	assert_int_equal(st.st_mode, S_IFSOCK | S_IRUSR | S_IWUSR);
	control_close(&s->control);
	assert_int_equal(stat(address.sun_path, &st), -1);
	story_free(s);
}

static void a_second_server_is_refused(void **state)
{
	struct story *s = story_new();
	struct control *other;
	struct problem p = {0};

	(void)state;
	assert_int_equal(control_open(s->dir, take, s, &other, &p), ERR_IN_USE);
	assert_null(other);
	assert_has(p.detail, "another process serves");
	turn(s);
	assert_has(ask(s, come(s), "{\"command\":\"status\"}\n"), "running"); /* the first one serves on */
	story_free(s);
}

static enum err tell(struct story *s, struct str dir, struct problem *p)
{
	struct sim_status status;

	*p = (struct problem){0};
	return control_tell(dir, SIM_STATUS, 50, s->arena, &status, p);
}

static void what_a_killed_run_left_is_told_and_taken_over(void **state)
{
	struct story *s = story_new_in("");
	struct problem p;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		serve(s);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(tell(s, s->dir, &p), ERR_NOT_FOUND);
	assert_has(p.detail, "the last one was killed");
	assert_has(p.detail, "--resume");
	serve(s);
	assert_has(ask(s, come(s), "{\"command\":\"status\"}\n"), "running");
	story_free(s);
}

static void where_no_run_is_that_is_said(void **state)
{
	struct story *s = story_new_in("");
	struct problem p;
	struct control *none;
	FILE *f;

	(void)state;
	assert_int_equal(tell(s, s->dir, &p), ERR_NOT_FOUND);
	assert_has(p.detail, "no run is under way in /tmp/tenfold-control-");
	assert_int_equal(tell(s, arena_fmt(s->arena, "%s/nowhere", s->top), &p), ERR_NOT_FOUND);
	assert_has(p.detail, "there is no folder");
	assert_int_equal(tell(s, (struct str){0}, &p), ERR_NOT_FOUND);
	f = fopen(address_of(s).sun_path, "w");
	fclose(f);
	assert_int_equal(control_open(s->dir, take, s, &none, &p), ERR_USAGE);
	assert_has(p.detail, "is no socket");
	assert_int_equal(tell(s, arena_fmt(s->arena, "%s/run.sock", s->top), &p), ERR_NOT_FOUND);
	story_free(s);
}

/* A listener that takes connections and says `answer`, or nothing when that is NULL. */
static void assert_told(const char *answer, enum err expected, const char *says)
{
	struct story *s = story_new_in("");
	struct sockaddr_un address = address_of(s);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	struct problem p;
	pid_t child;

	assert_return_code(bind(listener, (struct sockaddr *)&address, sizeof(address)), errno);
	assert_return_code(listen(listener, 1), errno);
	child = fork();
	if (child == 0) {
		fd = accept(listener, NULL, NULL);
		if (answer)
			write_to(fd, answer);
		shutdown(fd, answer ? SHUT_WR : SHUT_RD);
		pause();
	}
	assert_row(says, tell(s, s->dir, &p) == expected);
	assert_has(p.detail, says);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(listener);
	story_free(s);
}

static void a_run_that_hangs_or_talks_nonsense_is_told(void **state)
{
	(void)state;
	assert_told(NULL, ERR_UNREACHABLE, "did not answer");
	assert_told("", ERR_UNREACHABLE, "did not answer");
	assert_told("{\"status\":{", ERR_UNREACHABLE, "did not answer");
	assert_told("HTTP/1.1 200 OK\n", ERR_UNREACHABLE, "is no run that this program knows");
	assert_told("{}\n", ERR_UNREACHABLE, "is no run that this program knows");
	assert_told("{\"fault\":{\"code\":\"in_use\",\"detail\":\"Busy; wait.\"}}\n", ERR_IN_USE, "Busy; wait.");
}

static void *keep_turning(void *ctx)
{
	struct story *s = ctx;

	while (s->told_count == 0) {
		turn(s);
		sched_yield();
	}
	return NULL;
}

/* Longer than an address of a socket may be. */
static void a_long_path_is_no_trouble(void **state)
{
	struct story *s =
		story_new_in("/a-folder-whose-name-is-so-long-that-no-address-of-a-socket-of-this-kind-could-"
			     "ever-hold-it-with-its-hundred-and-seven-bytes");
	struct sim_status status;
	struct problem p = {0};
	pthread_t thread;

	(void)state;
	serve(s);
	pthread_create(&thread, NULL, keep_turning, s);
	if (control_tell(s->dir, SIM_PAUSE, 10000, s->arena, &status, &p))
		fail_msg("%s", p.detail);
	pthread_join(thread, NULL);
	assert_int_equal(status.state, SIM_STANDS);
	assert_int_equal(s->told[0], SIM_PAUSE);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_done_in_order_and_answered),
		cmocka_unit_test(lines_may_come_in_pieces_and_the_last_without_an_end),
		cmocka_unit_test(what_is_no_command_is_refused_and_nobody_is_dropped),
		cmocka_unit_test(ten_megabytes_are_not_read),
		cmocka_unit_test(who_reads_no_answer_is_dropped),
		cmocka_unit_test(who_is_silent_keeps_nobody_out),
		cmocka_unit_test(who_hangs_up_at_once_is_no_trouble),
		cmocka_unit_test(only_who_runs_may_use_it_and_it_goes_with_the_run),
		cmocka_unit_test(a_second_server_is_refused),
		cmocka_unit_test(what_a_killed_run_left_is_told_and_taken_over),
		cmocka_unit_test(where_no_run_is_that_is_said),
		cmocka_unit_test(a_run_that_hangs_or_talks_nonsense_is_told),
		cmocka_unit_test(a_long_path_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
