/*
 * The run makes the text, the server's loop hands it out: `lock` is held for a copy. See export.h.
 */
#include "sim/export.h"

#include "base/magic.h"
#include "http/http.h"
#include "spec/route_row.h"
#include "telemetry/exposition.h"

#include <pthread.h>
#include <stdio.h>

enum {
	EXPORT_MAGIC = 0x6578706f,
	CONNECTIONS_MAX = 64,
	IDLE_TIMEOUT_S = 30,
	STOP_MS = 1000,
	TEXT_BYTES_MAX = 16 << 20,
};

static const int64_t every_ns = 1000000000;

struct export
{
	unsigned magic;
	struct http_server *http;
	const struct run_facts *facts;
	bool started;
	int64_t made_ns;

	pthread_mutex_t lock;
	struct buf text;
};

/* ---- HTTP ---- */

static enum err authenticate(struct call *c, struct str secret, struct str tenant)
{
	(void)secret, (void)tenant;
	c->caller = (struct caller){.scope = SCOPE_NONE};
	return OK;
}

static enum err show(struct call *c, const void *in, void *out)
{
	struct export *x = c->app;

	(void)in, (void)out;
	CHECK_OBJ(x, EXPORT_MAGIC);
	pthread_mutex_lock(&x->lock);
	c->text = arena_str(c->arena, buf_str(&x->text));
	pthread_mutex_unlock(&x->lock);
	c->content_type = EXPOSITION_CONTENT_TYPE;
	return c->text.p ? OK : ERR_TOO_LARGE;
}

static const struct route routes[] = {
	ROUTE_ROW(metrics, SYSTEM, GET, "/metrics", nothing, nothing, NONE, HERE, 200, 0, TEXT, NO_STORE,
		  "The run's figures in the Prometheus text format."),
};
static http_handler_fn *const handlers[] = {show};

enum err export_open(unsigned port, struct export **out, struct problem *p)
{
	struct export *x = NEW(struct export);
	char listen[32];
	const struct http_config http = {.listen = listen,
					 .loops = 1,
					 .max_connections = CONNECTIONS_MAX,
					 .idle_timeout_s = IDLE_TIMEOUT_S,
					 .handlers = handlers,
					 .routes = routes,
					 .route_count = 1,
					 .hooks = {.authenticate = authenticate},
					 .app = x};
	enum err e;

	x->magic = EXPORT_MAGIC;
	x->text = BUF_INIT(TEXT_BYTES_MAX);
	pthread_mutex_init(&x->lock, NULL);
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
	e = http_server_new(&http, &x->http, p);
	if (e)
		export_close(&x);
	*out = x;
	return e;
}

const char *export_url(const struct export *x)
{
	return http_server_url(x->http);
}

void export_close(struct export **export)
{
	struct export *x = *export;

	if (!x)
		return;
	if (x->started)
		http_server_drain(x->http, STOP_MS);
	http_server_destroy(&x->http);
	pthread_mutex_destroy(&x->lock);
	buf_free(&x->text);
	free(x);
	*export = NULL;
}

/* ---- hanging on a run ---- */

static void make_text(struct export *x, const struct engine_view *v)
{
	struct buf text = BUF_INIT(TEXT_BYTES_MAX), before;

	export_text(v, x->facts, &text);
	pthread_mutex_lock(&x->lock);
	before = x->text;
	x->text = text;
	pthread_mutex_unlock(&x->lock);
	buf_free(&before);
}

/* A server that cannot start leaves the run without its figures; its connections end with it. */
static void start(struct export *x)
{
	struct problem p = {0};

	x->started = http_server_start(x->http, &p) == OK;
}

static void turn(void *self, struct engine *e)
{
	struct export *x = self;
	struct engine_view view;
	int64_t now_ns = clock_mono_ns();

	CHECK_OBJ(x, EXPORT_MAGIC);
	if (x->started && now_ns - x->made_ns < every_ns)
		return;
	engine_look(e, &view);
	make_text(x, &view);
	x->made_ns = now_ns;
	if (!x->started)
		start(x);
}

static void news(void *self, enum engine_news what, const char *line)
{
	(void)self, (void)what, (void)line; /* what they change is in the figures */
}

static void end(void *self, const struct engine_view *last)
{
	struct export *x = self;

	CHECK_OBJ(x, EXPORT_MAGIC);
	(void)last;
	export_close(&x);
}

void export_watch(struct export *x, const struct run_facts *facts, struct watcher *out)
{
	x->facts = facts;
	*out = (struct watcher){.self = x, .turn = turn, .news = news, .end = end};
}
