/*
 * A redis-server of the test's own, which it may kill, stop and start again. Without Debian's redis-server the
 * program says so and is skipped.
 */
#ifndef TENFOLD_TESTS_REDIS_KIT_H
#define TENFOLD_TESTS_REDIS_KIT_H

#include "harness.h"

#include "base/clock.h"
#include "base/magic.h"
#include "redis/redis.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define REDIS_KIT_PASSWORD "s3cret:/@%"
#define REDIS_KIT_ENCODED  "s3cret%3A%2F%40%25"

enum { KIT_PATIENCE_MS = 30000, KIT_TIMEOUT_MS = 2000, KIT_REST_MS = 20 };

struct redis_kit {
	pid_t pid; /* 0: not running */
	int port;
	char url[128];
};

/* Waits for `condition` for as long as it takes anything to happen that does. */
#define KIT_UNTIL(condition)                                                               \
	do {                                                                               \
		int64_t give_up_ns = clock_mono_ns() + (int64_t)KIT_PATIENCE_MS * 1000000; \
                                                                                           \
		while (!(condition)) {                                                     \
			assert_true(clock_mono_ns() < give_up_ns);                         \
			sched_yield();                                                     \
		}                                                                          \
	} while (0)

static inline int64_t kit_now_ms(void)
{
	return clock_mono_ns() / 1000000;
}

/* Ends the program as skipped when there is no Redis to test. */
static inline void kit_need_redis(void)
{
	if (access("/usr/bin/redis-server", X_OK) == 0)
		return;
	printf("1..0 # SKIP Redis is not installed (Debian: apt-get install redis-server)\n");
	exit(0);
}

static inline struct sockaddr_in kit_here(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A socket that listens on a port of its own. */
static inline int kit_listen(int *port)
{
	struct sockaddr_in here = kit_here(0);
	socklen_t n = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &n), 0);
	*port = ntohs(here.sin_port);
	return fd;
}

static inline bool kit_answers(int port)
{
	static const char auth[] = "AUTH \"" REDIS_KIT_PASSWORD "\"\r\n";
	struct sockaddr_in there = kit_here(port);
	struct timeval patience = {1, 0};
	char answer[4] = "";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ok = connect(fd, (struct sockaddr *)&there, sizeof(there)) == 0 &&
	     send(fd, auth, sizeof(auth) - 1, MSG_NOSIGNAL) > 0 && recv(fd, answer, 3, 0) == 3 &&
	     memcmp(answer, "+OK", 3) == 0;
	close(fd);
	return ok;
}

/* On the same port each time, with nothing of before. */
static inline void redis_kit_start(struct redis_kit *k)
{
	char port[16];

	snprintf(port, sizeof(port), "%d", k->port);
	fflush(NULL);
	k->pid = fork();
	assert_true(k->pid >= 0);
	if (k->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies takes it along */
		dup2(open("/dev/null", O_RDWR), STDOUT_FILENO);
		execl("/usr/bin/redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port,
		      "--requirepass", REDIS_KIT_PASSWORD, "--save", "", "--appendonly", "no", "--dir", "/tmp",
		      NULL);
		_exit(127);
	}
	KIT_UNTIL(kit_answers(k->port));
}

static inline void redis_kit_kill(struct redis_kit *k)
{
	if (!k->pid)
		return;
	kill(k->pid, SIGKILL);
	assert_int_equal(waitpid(k->pid, NULL, 0), k->pid);
	k->pid = 0;
}

/* Stands still, with its connections open, until it goes on. */
static inline void redis_kit_stop(struct redis_kit *k)
{
	int status;

	kill(k->pid, SIGSTOP);
	assert_int_equal(waitpid(k->pid, &status, WUNTRACED), k->pid);
	assert_true(WIFSTOPPED(status));
}

static inline void redis_kit_go_on(struct redis_kit *k)
{
	kill(k->pid, SIGCONT);
}

static inline struct redis_kit *redis_kit_new(void)
{
	struct redis_kit *k = NEW(struct redis_kit);
	int fd = kit_listen(&k->port);

	close(fd);
	redis_kit_start(k);
	snprintf(k->url, sizeof(k->url), "redis://:%s@127.0.0.1:%d/3", REDIS_KIT_ENCODED, k->port);
	return k;
}

static inline void redis_kit_free(struct redis_kit *k)
{
	redis_kit_kill(k);
	free(k);
}

static inline struct redis *kit_client(const char *url, int timeout_ms)
{
	struct problem p = {0};
	struct redis *r;

	if (redis_new(
		    &(struct redis_config){
			    .url = str_of(url), .connections = 2, .timeout_ms = timeout_ms, .rest_ms = KIT_REST_MS},
		    &r, &p) != OK)
		fail_msg("%s", p.detail);
	return r;
}

/* A patient client that is connected. */
static inline struct redis *redis_kit_client(const struct redis_kit *k)
{
	struct redis *r = kit_client(k->url, KIT_TIMEOUT_MS);

	assert_true(redis_wait(r, KIT_PATIENCE_MS));
	return r;
}

/* One command of up to eight words; its reply lives in `a`. */
static inline enum err kit_run(struct redis *r, struct arena *a, struct redis_reply *reply,
			       const char *const *words)
{
	struct str args[8];
	size_t n = 0;

	for (; words[n]; n++)
		args[n] = str_of(words[n]);
	return redis_run(r, a, &(struct redis_command){.args = args, .count = n}, 1, reply);
}
#define KIT_RUN(r, a, reply, ...) kit_run((r), (a), (reply), (const char *const[]){__VA_ARGS__, NULL})

/* One that must do. */
#define KIT_DO(r, ...)                                                                  \
	do {                                                                            \
		struct arena *kit_arena = arena_new(1 << 20);                           \
		struct redis_reply kit_reply;                                           \
                                                                                        \
		assert_int_equal(KIT_RUN((r), kit_arena, &kit_reply, __VA_ARGS__), OK); \
		assert_int_not_equal(kit_reply.kind, REDIS_ERROR);                      \
		arena_destroy(&kit_arena);                                              \
	} while (0)

#endif
