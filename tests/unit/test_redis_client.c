/*
 * The client against a real redis-server that is killed, stopped, emptied and started again, and against peers that
 * are no Redis at all. Whatever happens, a call is over in its time.
 */
#include "redis_kit.h"

#include "base/buf.h"
#include "redis/redis_priv.h"

#include <pthread.h>
#include <sched.h>

static struct redis_kit *kit;
static struct arena *arena;

static int group_setup(void **state)
{
	(void)state;
	kit = redis_kit_new();
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	redis_kit_free(kit);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	arena = arena_new(4 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

/* ---- urls ---- */

static void reads_every_part_of_a_url(void **state)
{
	struct problem p = {0};
	struct redis_address a;

	(void)state;
	assert_int_equal(redis_address_parse(STR("redis://me:a%40b%3a@cache.example:7000/12"), &a, &p), OK);
	assert_string_equal(a.host, "cache.example");
	assert_string_equal(a.user, "me");
	assert_string_equal(a.password, "a@b:");
	assert_string_equal(a.name, "cache.example:7000/12");
	assert_int_equal(a.port, 7000);
	assert_int_equal(a.db, 12);
	redis_address_free(&a);
	assert_int_equal(redis_address_parse(STR("redis://[::1]"), &a, &p), OK);
	assert_string_equal(a.name, "[::1]:6379/0");
	assert_null(a.password);
	redis_address_free(&a);
}

static void refuses_a_bad_url_without_repeating_it(void **state)
{
	static const char *const bad[] = {
		"",
		"redis://",
		"http://h",
		"rediss://:hunter2@h",
		"redis://hunter2@h",
		"redis://:hunter2%4@h",
		"redis://:hunter2%zz@h",
		"redis://:hunter2%00@h",
		"redis://:hunter2@h:0",
		"redis://:hunter2@h:65536",
		"redis://:hunter2@h:-1",
		"redis://:hunter2@h/x",
		"redis://:hunter2@h/-1",
		"redis://:hunter2@[::1",
		"redis://:hunter2@[::1]6379",
		"redis://:hunter2@:6379",
		"redis://:hunter2@h/1/2",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct problem p = {0};
		struct redis *r = NULL;

		assert_row(bad[i], redis_new(&(struct redis_config){.url = str_of(bad[i])}, &r, &p) == ERR_INVALID);
		assert_row(bad[i], strstr(p.detail, "redis://[[user]:password@]host"));
		assert_row(bad[i], !strstr(p.detail, "hunter2"));
	}
}

/* ---- calls ---- */

static void answers_in_the_order_of_the_commands(void **state)
{
	struct redis *r = redis_kit_client(kit);
	struct str value = {"a\0b\r\n", 5}, key = STR("bytes"), set[] = {STR("SET"), key, value},
		   get[] = {STR("GET"), key}, none[] = {STR("GET"), STR("no such")},
		   wrong[] = {STR("LPUSH"), key, key}, two[] = {STR("MGET"), key, STR("no such")},
		   size[] = {STR("STRLEN"), key};
	struct redis_command commands[] = {
		{.args = set, .count = 3},   {.args = get, .count = 2}, {.args = none, .count = 2},
		{.args = wrong, .count = 3}, {.args = two, .count = 3}, {.args = size, .count = 2},
	};
	struct redis_reply replies[COUNT_OF(commands)];
	struct redis_stats stats;

	(void)state;
	assert_int_equal(redis_run(r, arena, commands, COUNT_OF(commands), replies), OK);
	assert_str(replies[0].text, "OK");
	assert_true(str_eq(replies[1].text, value));
	assert_int_equal(replies[2].kind, REDIS_NIL);
	assert_int_equal(replies[3].kind, REDIS_ERROR);
	assert_true(str_starts(replies[3].text, STR("WRONGTYPE")));
	assert_int_equal(replies[4].count, 2);
	assert_true(str_eq(replies[4].items[0].text, value));
	assert_int_equal(replies[4].items[1].kind, REDIS_NIL);
	assert_int_equal(replies[5].integer, 5);
	redis_stats_get(r, &stats);
	assert_int_equal(stats.calls, 1);
	assert_int_equal(stats.error_replies, 1);
	assert_true(stats.call_ns_max > 0 && stats.call_ns_sum == stats.call_ns_max);
	redis_destroy(&r);
}

static void sends_a_script_in_full_when_redis_does_not_know_it(void **state)
{
	struct redis *r = redis_kit_client(kit);
	struct redis_script script = redis_script("return {KEYS[1], ARGV[1]}"), other = redis_script("return 7");
	struct str args[] = {STR("k"), STR("v")}, ping[] = {STR("PING")};
	struct redis_command commands[] = {{&script, args, 2, 1}, {.args = ping, .count = 1}, {&other, NULL, 0, 0}};
	struct redis_reply replies[3];

	(void)state;
	for (int round = 0; round < 3; round++) {
		if (round == 2)
			KIT_DO(r, "SCRIPT", "FLUSH");
		assert_int_equal(redis_run(r, arena, commands, 3, replies), OK);
		assert_str(replies[0].items[1].text, "v");
		assert_str(replies[1].text, "PONG");
		assert_int_equal(replies[2].integer, 7);
	}
	redis_destroy(&r);
}

static void a_reply_that_does_not_fit_the_arena_is_an_error(void **state)
{
	struct redis *r = redis_kit_client(kit);
	struct arena *small = arena_new(1 << 10);
	struct redis_reply reply;

	(void)state;
	KIT_DO(r, "SETRANGE", "long", "100000", "x");
	assert_int_equal(KIT_RUN(r, small, &reply, "GET", "long"), ERR_INTERNAL);
	assert_true(redis_wait(r, KIT_PATIENCE_MS)); /* for another connection */
	assert_int_equal(KIT_RUN(r, arena, &reply, "GET", "long"), OK);
	assert_int_equal(reply.text.n, 100001);
	arena_destroy(&small);
	redis_destroy(&r);
}

struct hammer {
	struct redis *r;
	int id;
};

static void *hammer_main(void *arg)
{
	struct hammer *h = arg;
	struct arena *a = arena_new(64 << 10);
	char text[16];

	snprintf(text, sizeof(text), "%d", h->id);
	for (int i = 0; i < 200; i++) {
		struct redis_reply reply;

		CHECK(KIT_RUN(h->r, a, &reply, "ECHO", text) == OK);
		CHECK(str_eqz(reply.text, text));
		arena_reset(a);
	}
	arena_destroy(&a);
	return NULL;
}

/* Two connections for eight threads. */
static void each_thread_gets_its_own_answers(void **state)
{
	struct redis *r = redis_kit_client(kit);
	pthread_t threads[8];
	struct hammer hammers[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		hammers[i] = (struct hammer){r, i};
		assert_int_equal(pthread_create(&threads[i], NULL, hammer_main, &hammers[i]), 0);
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	redis_destroy(&r);
}

/* ---- trouble ---- */

static enum breaker_state breaker_of(struct redis *r)
{
	struct redis_stats stats;

	redis_stats_get(r, &stats);
	return stats.breaker;
}

static enum err ping(struct redis *r)
{
	struct redis_reply reply;

	arena_reset(arena);
	return KIT_RUN(r, arena, &reply, "PING");
}

static void comes_back_after_redis_was_killed_and_started_again(void **state)
{
	struct redis *r = redis_kit_client(kit);

	(void)state;
	redis_kit_kill(kit);
	assert_int_equal(ping(r), ERR_UNREACHABLE);
	KIT_UNTIL(breaker_of(r) != BREAKER_CLOSED);
	assert_int_equal(ping(r), ERR_UNREACHABLE);
	redis_kit_start(kit);
	KIT_UNTIL(ping(r) == OK);
	redis_destroy(&r);
}

/* It was started again while nobody called: the old connections are noticed before they are used. */
static void a_connection_that_redis_closed_is_no_failure(void **state)
{
	struct redis *r = redis_kit_client(kit);
	struct redis_stats stats;

	(void)state;
	redis_kit_kill(kit);
	redis_kit_start(kit);
	KIT_UNTIL(ping(r) == OK);
	redis_stats_get(r, &stats);
	assert_int_equal(stats.failures + stats.timeouts, 0);
	redis_destroy(&r);
}

static void a_redis_that_stands_still_costs_its_time_and_then_nothing(void **state)
{
	enum { TIMEOUT_MS = 50, SOME_MORE_MS = 2000 };
	struct redis *r = kit_client(kit->url, TIMEOUT_MS);
	int64_t start_ns;
	int calls = 0;

	(void)state;
	KIT_UNTIL(ping(r) == OK);
	redis_kit_stop(kit);
	for (; breaker_of(r) == BREAKER_CLOSED; calls++) {
		start_ns = clock_mono_ns();
		assert_int_equal(ping(r), ERR_UNREACHABLE);
		assert_true(clock_mono_ns() - start_ns < (int64_t)(TIMEOUT_MS + SOME_MORE_MS) * 1000000);
	}
	assert_true(calls >= 1);
	assert_int_equal(ping(r), ERR_UNREACHABLE);
	redis_kit_go_on(kit);
	KIT_UNTIL(ping(r) == OK);
	redis_destroy(&r);
}

static void a_wrong_password_is_left_alone(void **state)
{
	char url[128];
	struct redis *r;

	(void)state;
	snprintf(url, sizeof(url), "redis://:hunter2@127.0.0.1:%d", kit->port);
	r = kit_client(url, KIT_TIMEOUT_MS);
	KIT_UNTIL(breaker_of(r) == BREAKER_OPEN);
	assert_int_equal(ping(r), ERR_UNREACHABLE);
	redis_destroy(&r);
}

/* ---- peers that are no Redis ---- */

/* Says PONG to the first line that comes, then `bytes` to the next, over and over. */
struct liar {
	int listener, port;
	const char *bytes;
	size_t n;
	pthread_t thread;
};

static void lie_to(const struct liar *liar, int fd)
{
	char asked[4096];

	if (recv(fd, asked, sizeof(asked), 0) <= 0 || send(fd, "+PONG\r\n", 7, MSG_NOSIGNAL) <= 0)
		return;
	if (recv(fd, asked, sizeof(asked), 0) <= 0)
		return;
	send(fd, liar->bytes, liar->n, MSG_NOSIGNAL);
	recv(fd, asked, sizeof(asked), 0); /* until the other has had enough */
}

static void *lie_on(void *arg)
{
	struct liar *liar = arg;
	int fd;

	while ((fd = accept(liar->listener, NULL, NULL)) >= 0) {
		lie_to(liar, fd);
		close(fd);
	}
	return NULL;
}

static void garbage_is_an_error_within_the_time(void **state)
{
	static const struct {
		const char *name, *bytes;
		enum err err;
	} lies[] = {
		{"no protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", ERR_INTERNAL},
		{"more than was asked", "+PONG\r\n+PONG\r\n", ERR_INTERNAL},
		{"an array of two thousand million", "*2000000000\r\n:1\r\n", ERR_INTERNAL},
		{"too deep", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", ERR_INTERNAL},
		{"a length below none", "$-7\r\n", ERR_INTERNAL},
		{"text that never ends", "$100\r\nabc", ERR_UNREACHABLE},
		{"loading", "-LOADING Redis is loading the dataset in memory\r\n", ERR_UNREACHABLE},
		{"a replica", "-READONLY You can't write against a read only replica.\r\n", ERR_UNREACHABLE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lies); i++) {
		struct liar liar = {.bytes = lies[i].bytes, .n = strlen(lies[i].bytes)};
		struct redis_reply reply;
		struct redis *r;
		char url[64];

		liar.listener = kit_listen(&liar.port);
		assert_int_equal(pthread_create(&liar.thread, NULL, lie_on, &liar), 0);
		snprintf(url, sizeof(url), "redis://127.0.0.1:%d", liar.port);
		r = NULL;
		assert_int_equal(
			redis_new(&(struct redis_config){.url = str_of(url), .connections = 1, .timeout_ms = 300},
				  &r, NULL),
			OK);
		assert_true(redis_wait(r, KIT_PATIENCE_MS));
		arena_reset(arena);
		assert_row(lies[i].name, KIT_RUN(r, arena, &reply, "PING") == lies[i].err);
		redis_destroy(&r);
		shutdown(liar.listener, SHUT_RDWR);
		assert_int_equal(pthread_join(liar.thread, NULL), 0);
		close(liar.listener);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_part_of_a_url),
		cmocka_unit_test(refuses_a_bad_url_without_repeating_it),
		cmocka_unit_test_setup_teardown(answers_in_the_order_of_the_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(sends_a_script_in_full_when_redis_does_not_know_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_reply_that_does_not_fit_the_arena_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(each_thread_gets_its_own_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(comes_back_after_redis_was_killed_and_started_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_connection_that_redis_closed_is_no_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(a_redis_that_stands_still_costs_its_time_and_then_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_wrong_password_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(garbage_is_an_error_within_the_time, setup, teardown),
	};

	kit_need_redis();
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
