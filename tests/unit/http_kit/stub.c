/*
 * One lock for everything; one condition, signalled at every change.
 */
#include "tests/unit/http_kit/stub.h"

#include "tests/unit/harness.h"

#include "base/clock.h"
#include "base/magic.h"

#include <errno.h>
#include <pthread.h>

enum { PATIENCE_S = 10, EVENTS_MAX = 1000, FLOOD_BYTES = 64 << 10, BIG_BYTES = 4 << 20 };

struct stub {
	struct http_server *server;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct task *queue, **queue_end;
	struct task *parked;
	unsigned counts[STUB_EVENTS];
	bool gate_shut, stopping;
	const char *events[EVENTS_MAX];
	size_t event_count;
	char *big;
	unsigned calls, calls_allowed;
	struct route routes[ROUTE_COUNT]; /* as in api/routes.def, but GET /v1/work/{id} is CACHED */
};

/* A stream's cursor. */
struct follower {
	struct stub *stub;
	size_t next;
	bool fetches, floods, once, fetched;
};

static void count(struct stub *s, enum stub_event event)
{
	s->counts[event]++;
	pthread_cond_broadcast(&s->changed);
}

static void count_locking(struct stub *s, enum stub_event event)
{
	pthread_mutex_lock(&s->lock);
	count(s, event);
	pthread_mutex_unlock(&s->lock);
}

/* ---- hooks, on the loops ---- */

static enum err authenticate(struct call *c, struct str secret, struct str tenant)
{
	static const struct {
		const char *secret;
		enum scope scope;
	} keys[] = {{"reader", SCOPE_READER}, {"worker", SCOPE_WORKER}, {"admin", SCOPE_ADMIN}};

	(void)tenant;
	if (!secret.n)
		return OK;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (str_eqz(secret, keys[i].secret)) {
			c->caller = (struct caller){.key = 1 + (int64_t)i, .scope = keys[i].scope};
			return OK;
		}
	return call_fail(c, ERR_UNAUTHENTICATED, "that key is not valid");
}

/* One loop asks. */
static enum err admit(struct call *c, struct rate *out)
{
	struct stub *s = c->app;
	bool allowed = s->calls < s->calls_allowed;

	s->calls += allowed;
	*out = (struct rate){.limit = s->calls_allowed,
			     .remaining = s->calls_allowed - s->calls,
			     .window_s = 60,
			     .reset_s = 30,
			     .retry_after_s = allowed ? 0 : 7,
			     .policy = "stub"};
	return allowed ? OK : call_fail(c, ERR_RATE_LIMITED, "that is enough");
}

static bool is(const struct call *c, enum route_id id)
{
	const struct stub *s = c->app;

	return c->route == &s->routes[id];
}

static bool has_type(const struct call *c, const char *type)
{
	return is(c, ROUTE_work_add) && str_eqz(((const struct work_new *)c->in)->type, type);
}

static void enqueue(struct stub *s, struct task *t)
{
	t->next = NULL;
	*s->queue_end = t;
	s->queue_end = &t->next;
	pthread_cond_broadcast(&s->changed);
}

static enum err dispatch(struct call *c)
{
	struct stub *s = c->app;

	if (has_type(c, "refuse"))
		return call_fail(c, ERR_OVERLOADED, "the queue is full");
	pthread_mutex_lock(&s->lock);
	count(s, STUB_DISPATCHED);
	enqueue(s, &c->task);
	pthread_mutex_unlock(&s->lock);
	return OK;
}

/* Takes it from where it is parked; the thread then finishes it. */
static void hung_up(struct call *c)
{
	struct stub *s = c->app;

	CHECK(call_is_gone(c));
	pthread_mutex_lock(&s->lock);
	count(s, STUB_HUNG_UP);
	for (struct task **at = &s->parked; *at; at = &(*at)->next)
		if (*at == &c->task) {
			*at = c->task.next;
			c->wait = CALL_DONE;
			enqueue(s, &c->task);
			break;
		}
	pthread_mutex_unlock(&s->lock);
}

static void undelivered(struct call *c)
{
	CHECK(c->out && c->outcome == OK);
	count_locking(c->app, STUB_UNDELIVERED);
}

static enum err fetch_hook(struct call *c)
{
	struct stub *s = c->app;

	pthread_mutex_lock(&s->lock);
	enqueue(s, &c->task);
	pthread_mutex_unlock(&s->lock);
	return OK;
}

/* ---- handlers, on the loops ---- */

static void pass_gate(struct stub *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->gate_shut)
		count(s, STUB_AT_GATE);
	while (s->gate_shut)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static enum err health(struct call *c, const void *in, void *out)
{
	struct health *h = out;

	(void)in;
	if (is(c, ROUTE_health_live))
		pass_gate(c->app);
	PUT(h, health, status, HEALTH_OK);
	PUT(h, health, version, STR("1"));
	return OK;
}

static enum err metrics(struct call *c, const void *in, void *out)
{
	(void)in, (void)out;
	c->text = STR("up 1\n");
	c->content_type = "text/plain";
	return OK;
}

static enum err openapi(struct call *c, const void *in, void *out)
{
	(void)in, (void)out;
	c->text = STR("{}");
	c->content_type = "application/json";
	c->is_public = true;
	return OK;
}

static void blob_release(void *owner)
{
	count_locking(owner, STUB_RELEASED);
}

/* In memory is item 9, which is big; item 10 is known to be gone. */
static enum err show_here(struct call *c, const void *in, void *out)
{
	struct stub *s = c->app;
	int64_t id = ((const struct work_id *)in)->id;

	(void)out;
	if (id == 10)
		return call_fail(c, ERR_GONE, "it was deleted");
	if (id != 9)
		return ERR_NOT_CACHED;
	c->ready_blob = (struct call_blob){{s->big, BIG_BYTES}, blob_release, s};
	c->etag = STR("9-1");
	return OK;
}

static enum err whoami(struct call *c, const void *in, void *out)
{
	struct whoami *who = out;

	(void)in;
	who->key_name = c->address;
	return OK;
}

static enum stream_next flood(struct buf *out)
{
	buf_z(out, "data: ");
	memset(buf_room(out, FLOOD_BYTES), 'x', FLOOD_BYTES);
	buf_took(out, FLOOD_BYTES);
	buf_z(out, "\n\n");
	return STREAM_DATA;
}

static enum stream_next stream_next(void *state, struct buf *out)
{
	struct follower *f = state;
	struct stub *s = f->stub;
	const char *event = NULL;

	if (f->floods)
		return flood(out);
	pthread_mutex_lock(&s->lock);
	if (f->next < s->event_count)
		event = s->events[f->next];
	pthread_mutex_unlock(&s->lock);
	if (!event)
		return STREAM_WAIT;
	if (f->fetches && !f->fetched)
		return STREAM_FETCH;
	f->fetched = false;
	f->next++;
	buf_fmt(out, "id: %zu\ndata: %s\n\n", f->next, event);
	return f->once ? STREAM_END : STREAM_DATA;
}

static enum err stream_fetch(void *state, struct db *db, enum err why)
{
	struct follower *f = state;

	(void)db;
	f->fetched = true;
	return why;
}

static void stream_close(void *state)
{
	struct follower *f = state;

	count_locking(f->stub, STUB_CLOSED);
	free(f);
}

static const struct stream_ops stream = {stream_next, stream_fetch, stream_close};

static enum err events(struct call *c, const void *in, void *out)
{
	const struct work_events_in *wanted = in;
	struct follower *f = NEW(struct follower);
	int64_t seen = 0;

	(void)out;
	str_to_i64(c->last_event_id, &seen);
	f->stub = c->app;
	f->next = (size_t)seen;
	f->fetches = str_eqz(wanted->type, "fetch");
	f->floods = str_eqz(wanted->type, "flood");
	f->once = str_eqz(wanted->type, "one");
	count_locking(f->stub, STUB_OPENED);
	call_stream(c, &stream, f);
	return OK;
}

/* ---- the thread ---- */

static enum err add(struct stub *s, struct call *c)
{
	struct work_ref *out = c->out;

	if (has_type(c, "conflict"))
		return call_fail(c, ERR_CONFLICT, "there is one already");
	if (has_type(c, "big"))
		c->ready_json = (struct str){s->big, BIG_BYTES};
	c->replayed = c->idempotency_key.n > 0;
	PUT(out, work_ref, id, 1);
	PUT(out, work_ref, state, WORK_READY);
	return OK;
}

static enum err show(struct call *c)
{
	const struct work_id *in = c->in;
	struct work_item *out = c->out;

	PUT(out, work_item, id, in->id);
	if (in->id == 7)
		c->etag = STR("7-1");
	return OK;
}

static bool parks(const struct call *c)
{
	return c->wait == CALL_RUNNING &&
	       (has_type(c, "park") ||
		(is(c, ROUTE_work_claim) && ((const struct work_claim_in *)c->in)->wait_ms > 0));
}

/* Whether it is done; else it is parked. With the lock. */
static bool work(struct stub *s, struct call *c)
{
	if (!parks(c))
		return true;
	c->wait = CALL_PARKED;
	c->task.next = s->parked;
	s->parked = &c->task;
	count(s, STUB_PARKED);
	return false;
}

static void finish(struct stub *s, struct call *c)
{
	if (c->stream) {
		pass_gate(s);
		c->stream->fetch(c->stream_state, NULL, OK);
		count_locking(s, STUB_FETCHED);
		http_fetched(c);
		return;
	}
	c->outcome = is(c, ROUTE_work_add) ? add(s, c) : is(c, ROUTE_work_show) ? show(c) : OK;
	c->wait = CALL_DONE;
	http_finish(c);
}

static void *run(void *arg)
{
	struct stub *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping || s->queue) {
		struct task *t = s->queue;
		bool done;

		if (!t) {
			pthread_cond_wait(&s->changed, &s->lock);
			continue;
		}
		s->queue = t->next;
		if (!s->queue)
			s->queue_end = &s->queue;
		done = work(s, CONTAINER_OF(t, struct call, task));
		pthread_mutex_unlock(&s->lock);
		if (done)
			finish(s, CONTAINER_OF(t, struct call, task));
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

void stub_release(struct stub *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->parked) {
		struct task *t = s->parked;

		s->parked = t->next;
		CONTAINER_OF(t, struct call, task)->wait = CALL_DONE;
		enqueue(s, t);
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- the test's side ---- */

static http_handler_fn *const handlers_of_stub[ROUTE_COUNT] = {
	[ROUTE_health] = health,   [ROUTE_health_live] = health, [ROUTE_health_ready] = health,
	[ROUTE_metrics] = metrics, [ROUTE_work_events] = events, [ROUTE_openapi] = openapi,
	[ROUTE_whoami] = whoami,
};

static http_handler_fn *const first_halves_of_stub[ROUTE_COUNT] = {[ROUTE_work_show] = show_here};

enum err stub_try(const struct stub_config *config, struct stub **out, struct problem *p)
{
	struct stub *s = NEW(struct stub);
	struct http_config http = {
		.listen = config->listen ? config->listen : "127.0.0.1:0",
		.tls_cert_pem = config->cert,
		.tls_key_pem = config->key,
		.loops = config->loops ? config->loops : 1,
		.max_connections = config->max_connections ? config->max_connections : 1000,
		.idle_timeout_s = config->idle_timeout_s ? config->idle_timeout_s : 60,
		.handlers = handlers_of_stub,
		.first_halves = first_halves_of_stub,
		.routes = s->routes,
		.route_count = ROUTE_COUNT,
		.keyless = config->keyless,
		.hooks = {.authenticate = authenticate,
			  .admit = config->calls_allowed ? admit : NULL,
			  .dispatch = dispatch,
			  .hung_up = hung_up,
			  .undelivered = undelivered,
			  .fetch = fetch_hook},
		.proxy_hops = config->proxy_hops,
		.app = s,
		.metrics = config->metrics,
		.heartbeat_ms = config->heartbeat_ms,
		.body_bytes_max = config->body_bytes_max,
	};
	enum err e;

	s->calls_allowed = config->calls_allowed;
	memcpy(s->routes, spec_routes, sizeof(s->routes));
	s->routes[ROUTE_work_show].runs = RUNS_CACHED;
	s->routes[ROUTE_work_list].flags |= ROUTE_PUBLIC;
	s->routes[ROUTE_work_add].flags |= ROUTE_OPEN;
	e = http_server_new(&http, &s->server, p);

	*out = NULL;
	if (e) {
		free(s);
		return e;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->queue_end = &s->queue;
	s->big = must_alloc(BIG_BYTES);
	memset(s->big, ' ', BIG_BYTES);
	CHECK(pthread_create(&s->thread, NULL, run, s) == 0);
	CHECK(http_server_start(s->server, p) == OK);
	*out = s;
	return OK;
}

struct stub *stub_new(const struct stub_config *config)
{
	struct stub *s;
	struct problem p = {0};

	if (stub_try(config, &s, &p) != OK)
		fail_msg("%s", p.detail);
	return s;
}

static void stop_thread(struct stub *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
}

static void take_apart(struct stub **s)
{
	http_server_destroy(&(*s)->server);
	pthread_cond_destroy(&(*s)->changed);
	pthread_mutex_destroy(&(*s)->lock);
	free((*s)->big);
	free(*s);
	*s = NULL;
}

void stub_free(struct stub **s)
{
	if (!*s)
		return;
	stub_release(*s);
	http_server_drain((*s)->server, PATIENCE_S * 1000);
	stop_thread(*s);
	take_apart(s);
}

void stub_abandon(struct stub **s)
{
	stop_thread(*s);
	take_apart(s);
}

struct http_server *stub_server(struct stub *s)
{
	return s->server;
}

const char *stub_url(const struct stub *s)
{
	return http_server_url(s->server);
}

void stub_await(struct stub *s, enum stub_event event, unsigned n)
{
	struct timespec until;
	int e = 0;
	unsigned got;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&s->lock);
	while (s->counts[event] < n && e != ETIMEDOUT)
		e = pthread_cond_clockwait(&s->changed, &s->lock, CLOCK_MONOTONIC, &until);
	got = s->counts[event];
	pthread_mutex_unlock(&s->lock);
	if (got < n)
		fail_msg("event %d happened %u times, not %u", (int)event, got, n);
}

unsigned stub_count(struct stub *s, enum stub_event event)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = s->counts[event];
	pthread_mutex_unlock(&s->lock);
	return n;
}

void stub_gate(struct stub *s, bool open)
{
	pthread_mutex_lock(&s->lock);
	s->gate_shut = !open;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void stub_publish(struct stub *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	CHECK(s->event_count < EVENTS_MAX);
	s->events[s->event_count++] = text;
	pthread_mutex_unlock(&s->lock);
	http_wake_streams(s->server);
}
