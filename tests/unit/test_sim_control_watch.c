/* The control socket on the engine itself, in a world whose time goes by itself. */
#include "harness.h"

#include "sim/control_watch.h"
#include "sim_kit/way.h"
#include "sim_kit/world.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

static const struct way plain = {.agents = 40, .calls = 6, .think_s = 480, .always = true};

struct scene {
	struct world world;
	struct scenario *scenario;
	struct population *who;
	struct engine_config config;
	struct engine *engine;
	struct run_facts facts;
	struct watcher watcher;
	char dir[64];
	int fd; /* of a script */
};

static void come(struct scene *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run.sock", s->dir);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_return_code(connect(s->fd, (struct sockaddr *)&address, sizeof(address)), errno);
}

static void open_scene(struct scene *s)
{
	struct problem p = {0};

	*s = (struct scene){.dir = "/tmp/tenfold-watch-XXXXXX"};
	assert_non_null(mkdtemp(s->dir));
	world_init(&s->world);
	way_make(&plain, &s->scenario, &s->who);
	world_config(&s->world, s->scenario, s->who, &s->config);
	s->config.cycles = 5;
	s->config.breaker_percent = 5;
	s->engine = world_engine(&s->config);
	s->facts = (struct run_facts){
		.scenario = s->scenario, .run_id = STR("run_0123456789abc"), .dir = str_of(s->dir)};
	if (control_watch(&s->facts, &s->watcher, &p))
		fail_msg("%s", p.detail);
	come(s);
}

static void close_scene(struct scene *s)
{
	s->watcher.end(s->watcher.self, NULL);
	close(s->fd);
	engine_free(&s->engine);
	world_free(&s->world);
	population_free(&s->who);
	scenario_free(&s->scenario);
	assert_return_code(rmdir(s->dir), errno); /* the socket is gone */
}

static void assert_answer(struct scene *s, const char *command, const char *part)
{
	char text[8192] = "", line[64];
	int n = snprintf(line, sizeof(line), "{\"command\":\"%s\"}\n", command);

	assert_int_equal(send(s->fd, line, (size_t)n, MSG_NOSIGNAL), n);
	s->watcher.turn(s->watcher.self, s->engine);
	assert_true(recv(s->fd, text, sizeof(text) - 1, 0) > 0);
	if (!strstr(text, part))
		fail_msg("%s: \"%s\" is not in: %s", command, part, text);
}

static void a_run_is_paused_and_goes_on(void **state)
{
	struct scene s;
	size_t sent;

	(void)state;
	open_scene(&s);
	assert_answer(&s, "status", "\"state\":\"beginning\"");
	world_run_until(&s.world, s.engine, 10 * (int64_t)WORLD_S);
	assert_answer(&s, "status", "\"state\":\"running\",\"cycle\":0,\"cycles\":5");
	assert_answer(&s, "pause", "\"state\":\"paused\",\"held_by\":[\"request\"]");
	world_run_until(&s.world, s.engine, 12 * (int64_t)WORLD_S); /* what is under way ends */
	sent = s.world.sent.n;
	world_run_until(&s.world, s.engine, 300 * (int64_t)WORLD_S);
	assert_int_equal(s.world.sent.n, sent);
	assert_answer(&s, "resume", "\"state\":\"running\",\"cycle\":0");
	world_run(&s.world, s.engine);
	assert_answer(&s, "status", "\"state\":\"ended\"");
	assert_answer(&s, "status", "\"requests\":1200,");
	close_scene(&s);
}

static void a_run_that_is_told_to_quit_ends_with_its_cycle(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	world_run_until(&s.world, s.engine, 80 * (int64_t)WORLD_S);
	assert_answer(&s, "quit", "\"cycle\":1,");
	world_run(&s.world, s.engine);
	assert_answer(&s, "status", "\"sessions\":80,");
	assert_int_equal(world_news(&s.world, NEWS_ENDING), 1);
	close_scene(&s);
}

static void nobody(struct world *w, struct client_call *c, uint32_t number)
{
	(void)w, (void)number;
	c->err = ERR_TARGET_REFUSED;
	c->detail = "connection refused";
}

static void an_open_breaker_is_told_and_closed(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	s.world.answers = nobody;
	world_run_until(&s.world, s.engine, 10 * (int64_t)WORLD_S);
	assert_answer(&s, "status", "\"held_by\":[\"breaker\"]");
	assert_answer(&s, "status", "\"breaker_trips\":1,");
	assert_answer(&s, "status", "\"last_error\":\"");
	s.world.answers = NULL;
	assert_answer(&s, "resume", "\"state\":\"between\",\"cycle\":1,");
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_paused_and_goes_on),
		cmocka_unit_test(a_run_that_is_told_to_quit_ends_with_its_cycle),
		cmocka_unit_test(an_open_breaker_is_told_and_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
