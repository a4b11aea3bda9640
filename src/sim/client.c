/*
 * What all calls go through: the queue of their group, and the one loop that tells their owners.
 */
#include "sim/client_priv.h"

#include "base/magic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAGIC = 0x51c11e27, EVENTS_PER_TURN = 256, DESCRIPTORS_SPARE = 64, ARENA_BYTES = 64 << 10 };
static const int64_t SECOND_NS = 1000000000;

/* ---- lists of calls ---- */

static void list_init(struct call_list *l)
{
	*l = (struct call_list){.last = &l->first};
}

static void list_add(struct call_list *l, struct client_call *call)
{
	call->next = NULL;
	*l->last = call;
	l->last = &call->next;
}

static struct client_call *list_take(struct call_list *l)
{
	struct client_call *call = l->first;

	if (call && !(l->first = call->next))
		l->last = &l->first;
	return call;
}

static bool list_remove(struct call_list *l, struct client_call *call)
{
	for (struct client_call **at = &l->first; *at; at = &(*at)->next)
		if (*at == call) {
			*at = call->next;
			if (l->last == &call->next)
				l->last = at;
			return true;
		}
	return false;
}

/* ---- a call ---- */

void client_say(struct sim_client *c, struct client_call *call, enum err e, const char *fmt, ...)
{
	va_list list;

	call->err = e;
	call->detail = c->said;
	va_start(list, fmt);
	vsnprintf(c->said, sizeof(c->said), fmt, list);
	va_end(list);
}

void client_say_refused(struct sim_client *c, struct client_call *call, int why)
{
	client_say(c, call, why == ETIMEDOUT ? ERR_TARGET_TIMEOUT : ERR_TARGET_REFUSED, "no connection: %s",
		   strerror(why));
}

void client_fail(struct sim_client *c, struct client_call *call, int why)
{
	call->connection = NULL;
	call->why = why;
	list_add(&c->failed, call);
}

int64_t client_answer_ms(const struct sim_client *c, const struct client_call *call)
{
	return call->answer_ms ? call->answer_ms : c->config.answer_ms;
}

void client_say_late(struct sim_client *c, struct client_call *call, bool begun)
{
	client_say(c, call, ERR_TARGET_TIMEOUT, "no %s within %lld ms", begun ? "end of the answer" : "answer",
		   (long long)client_answer_ms(c, call));
}

static bool is_clean(struct str s, unsigned char lowest)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < lowest || s.p[i] == 0x7f)
			return false;
	return true;
}

/* Nothing in them begins a second request or another header. */
static const char *fault_of(const struct client_call *call)
{
	struct str rest = call->headers;

	if (call->method.n == 0 || !is_clean(call->method, '!'))
		return "the method is empty or has a space in it";
	if (call->path.n == 0 || call->path.p[0] != '/' || !is_clean(call->path, '!'))
		return "the path does not begin with / or has a space in it; encode it as %20";
	while (rest.n) {
		struct str line = str_cut(rest, '\n', &rest);

		if (!rest.p || line.n < 3 || line.p[line.n - 1] != '\r' || memchr(line.p, '\r', line.n - 1) ||
		    memchr(line.p, 0, line.n) || !memchr(line.p, ':', line.n))
			return "a header is no line of the form Name: value";
	}
	return NULL;
}

static void begin(struct sim_client *c, struct client_group *g, struct client_call *call)
{
	g->under_way++;
	c->counts.under_way++;
	c->transport->begin(c, call);
}

void sim_client_start(struct sim_client *c, struct client_call *call)
{
	struct client_group *g = &c->groups[call->group];

	CHECK_OBJ(c, MAGIC);
	CHECK(call->group < c->config.groups);
	call->err = OK;
	call->detail = "";
	call->status = 0;
	call->retry_after_ms = -1;
	call->answer = (struct str){0};
	call->sent_ns = call->done_ns = 0;
	call->connected = false;
	call->connection = NULL;
	c->counts.calls++;
	if (fault_of(call)) {
		g->under_way++;
		c->counts.under_way++;
		client_fail(c, call, EINVAL);
	} else if (g->under_way < g->limit) {
		begin(c, g, call);
	} else {
		c->counts.waiting++;
		list_add(&g->waiting, call);
	}
}

/* The place of one that is over goes to the one that has waited longest. */
static void leave(struct sim_client *c, struct client_group *g)
{
	g->under_way--;
	c->counts.under_way--;
	if (g->waiting.first && g->under_way < g->limit) {
		c->counts.waiting--;
		begin(c, g, list_take(&g->waiting));
	}
}

void client_end(struct sim_client *c, struct client_call *call)
{
	call->connection = NULL;
	if (!call->done_ns)
		call->done_ns = clock_mono_ns();
	leave(c, &c->groups[call->group]);
	c->done(c->ctx, call);
}

void sim_client_cancel(struct sim_client *c, struct client_call *call)
{
	struct client_group *g = &c->groups[call->group];

	if (call->connection) {
		c->transport->cancel(c, call);
		call->connection = NULL;
		leave(c, g);
	} else if (list_remove(&c->failed, call)) {
		leave(c, g);
	} else {
		CHECK(list_remove(&g->waiting, call));
		c->counts.waiting--;
	}
}

/* ---- the loop ---- */

static void tell_failure(struct sim_client *c, struct client_call *call)
{
	const char *fault = fault_of(call);

	if (fault)
		client_say(c, call, ERR_INVALID, "%s", fault);
	else
		client_say_refused(c, call, call->why);
	client_end(c, call);
}

/* Those that were there before, for each may be started again and fail again. */
static bool tell_failed(struct sim_client *c)
{
	unsigned count = 0;

	for (const struct client_call *call = c->failed.first; call; call = call->next)
		count++;
	for (unsigned i = 0; i < count && c->failed.first; i++)
		tell_failure(c, list_take(&c->failed));
	return count > 0;
}

static int wait_for_events(struct sim_client *c, struct epoll_event *events, int64_t timeout_ns)
{
	int64_t due_ns = c->transport->due_ns(c),
		left_ns = due_ns == INT64_MAX ? INT64_MAX : due_ns - clock_mono_ns();
	struct timespec t = {0};

	if (timeout_ns < 0 || left_ns < timeout_ns)
		timeout_ns = left_ns;
	if (timeout_ns > 0)
		t = (struct timespec){.tv_sec = timeout_ns / SECOND_NS, .tv_nsec = timeout_ns % SECOND_NS};
	return epoll_pwait2(c->set, events, EVENTS_PER_TURN, timeout_ns == INT64_MAX ? NULL : &t, NULL);
}

void sim_client_poll(struct sim_client *c, int64_t timeout_ns)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n;

	CHECK_OBJ(c, MAGIC);
	n = wait_for_events(c, events, tell_failed(c) ? 0 : timeout_ns);
	CHECK(n >= 0 || errno == EINTR);
	for (int i = 0; i < n; i++) {
		struct watcher *w = events[i].data.ptr;

		w->ready(c, w, events[i].events);
	}
	c->transport->turn(c);
}

void sim_client_wake(struct sim_client *c)
{
	uint64_t one = 1;

	while (write(c->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void on_wake(struct sim_client *c, struct watcher *w, uint32_t events)
{
	uint64_t times;

	(void)w;
	(void)events;
	while (read(c->wake_fd, &times, sizeof(times)) < 0 && errno == EINTR)
		;
}

/* ---- making one ---- */

/* All connections may be open at once, beside those of other clients of this process. */
static enum err allow_descriptors(uint32_t connections, struct problem *p)
{
	rlim_t needed = (rlim_t)connections + DESCRIPTORS_SPARE;
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (limit.rlim_max < needed)
		return problem_field(p, ERR_INVALID, "connections",
				     "%u are more than this process may open (%llu); raise its limit: ulimit -n",
				     (unsigned)connections, (unsigned long long)limit.rlim_max);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return OK;
}

static enum err check_config(const struct client_config *config, struct problem *p)
{
	CHECK(config->clock);
	if (config->groups == 0)
		return problem_field(p, ERR_INVALID, "groups", "must be at least 1");
	if (config->connections_max < config->groups)
		return problem_field(p, ERR_INVALID, "connections", "must be at least one for each of %u groups",
				     (unsigned)config->groups);
	if (config->connect_ms <= 0 || config->answer_ms <= 0)
		return problem_field(p, ERR_INVALID, "timeout", "must be over 0");
	if (!is_clean(config->user_agent, ' '))
		return problem_field(p, ERR_INVALID, "user_agent", "must be one line");
	return allow_descriptors(config->connections_max, p);
}

static void make_groups(struct sim_client *c)
{
	uint32_t count = c->config.groups;

	c->groups = must_alloc(count * sizeof(*c->groups));
	for (uint32_t i = 0; i < count; i++) {
		c->groups[i].limit = c->config.connections_max / count + (i < c->config.connections_max % count);
		list_init(&c->groups[i].waiting);
	}
}

static void make_set(struct sim_client *c)
{
	struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &c->wake};

	c->set = epoll_create1(EPOLL_CLOEXEC);
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->wake.ready = on_wake;
	CHECK(c->set >= 0 && c->wake_fd >= 0 && epoll_ctl(c->set, EPOLL_CTL_ADD, c->wake_fd, &wanted) == 0);
}

enum err sim_client_new(const struct client_config *config, client_done_fn *done, void *ctx,
			struct sim_client **out, struct problem *p)
{
	struct sim_client *c = NEW(struct sim_client);
	enum err e = check_config(config, p);

	c->arena = arena_new(ARENA_BYTES);
	if (!e)
		e = client_target_read(config->target, c->arena, &c->target, p);
	if (e) {
		arena_destroy(&c->arena);
		free(c);
		return e;
	}
	*c = (struct sim_client){.magic = MAGIC,
				 .config = *config,
				 .arena = c->arena,
				 .target = c->target,
				 .done = done,
				 .ctx = ctx,
				 .transport = c->target.tls ? &client_curl : &client_epoll};
	c->config.ca_file = arena_str(c->arena, config->ca_file);
	c->config.user_agent = arena_str(c->arena, config->user_agent);
	list_init(&c->failed);
	make_groups(c);
	make_set(c);
	c->wire = c->transport->make(c);
	*out = c;
	return OK;
}

void sim_client_free(struct sim_client **client)
{
	struct sim_client *c = *client;

	if (!c)
		return;
	CHECK_OBJ(c, MAGIC);
	c->transport->destroy(c);
	close(c->set);
	close(c->wake_fd);
	client_target_free(&c->target);
	arena_destroy(&c->arena);
	free(c->groups);
	c->magic = 0;
	free(c);
	*client = NULL;
}

struct client_counts sim_client_counts(const struct sim_client *c)
{
	return c->counts;
}

uint32_t sim_client_group_open(const struct sim_client *c, uint32_t group)
{
	return c->groups[group].open;
}
