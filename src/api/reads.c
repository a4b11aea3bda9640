/*
 * See reads.h.
 *
 * What a session has seen is told by store/place.h. What does not fit, after a fail-over or from elsewhere, is answered
 * from the primary. What is remembered of a key is dropped when every sound replica must have it, by the lag that is
 * borne.
 */
#include "api/reads.h"

#include "api/runner.h"
#include "base/map.h"
#include "directory/follower.h"
#include "http/http.h"
#include "store/place.h"
#include "telemetry/metrics.h"

enum {
	WAIT_MS = 50,
	SLACK_MS = 2000, /* how old what is known of a replica may be, and some more */
	SWEEP_EVERY = 1024
};

/* Where a read is answered; values of the label `target`. */
enum target { TARGET_REPLICA, TARGET_PRIMARY };

struct session {
	int64_t key;
	struct log_place seen;
	int64_t at_ns;
};

struct reads {
	struct app *app;
	struct replicas *replicas;
	uint32_t system;
	int64_t remember_ns;

	pthread_mutex_t lock;
	struct map sessions; /* by key */
	unsigned notes;      /* since they were swept */
};

struct reading {
	struct replica_read read;
	struct call *call;
};

/* ---- what is remembered ---- */

/* A person has ever new keys. No two ids are the same, whatever they are of. 0: nobody in particular. */
static int64_t session_key(const struct call *c)
{
	if (c->caller.user)
		return c->caller.user;
	return c->caller.key ? c->caller.key : c->caller.agent;
}

static void sweep(struct reads *r, int64_t now_ns)
{
	struct map kept = {0};
	struct session *s;
	for (size_t i = 0; (s = map_next(&r->sessions, &i));) {
		if (now_ns - s->at_ns > r->remember_ns)
			free(s);
		else
			map_put(&kept, (uint64_t)s->key, s);
	}
	map_free(&r->sessions);
	r->sessions = kept;
	r->notes = 0;
}

/* Of calls that end beside each other the later place counts. */
static void remember(struct reads *r, int64_t key, struct log_place seen)
{
	int64_t now_ns = clock_mono_ns();
	if (!key)
		return;
	pthread_mutex_lock(&r->lock);
	struct session *s = map_get(&r->sessions, (uint64_t)key);
	if (!s) {
		s = NEW(struct session);
		s->key = key;
		map_put(&r->sessions, (uint64_t)key, s);
	}
	if (!seen.timeline || place_is_later(seen, s->seen))
		s->seen = seen;
	s->at_ns = now_ns;
	if (++r->notes >= SWEEP_EVERY)
		sweep(r, now_ns);
	pthread_mutex_unlock(&r->lock);
}

static bool remembered(struct reads *r, int64_t key, struct log_place *out)
{
	if (!key)
		return false;
	pthread_mutex_lock(&r->lock);
	const struct session *s = map_get(&r->sessions, (uint64_t)key);
	bool found = s && clock_mono_ns() - s->at_ns <= r->remember_ns;
	if (found)
		*out = s->seen;
	pthread_mutex_unlock(&r->lock);
	return found;
}

/* ---- reading ---- */

/* What the answer must show; false: nothing in particular. */
static bool must_show(struct reads *r, const struct call *c, struct log_place *out)
{
	struct log_place own, told = place_read(c->has_seen, r->system);
	bool has_own = remembered(r, session_key(c), &own);
	if (!has_own || !c->has_seen.n) {
		*out = has_own ? own : told;
		return has_own || c->has_seen.n > 0;
	}
	if (own.timeline != told.timeline)
		*out = (struct log_place){0};
	else
		*out = place_is_later(told, own) ? told : own;
	return true;
}

static enum err read_primary(struct call *c)
{
	struct app *app = call_app(c);
	metrics_add_at(app->metrics, METRIC_store_reads_total, TARGET_PRIMARY, 0, 1);
	return pool_post(app->pool, &c->task);
}

enum err reads_dispatch(struct call *c)
{
	struct reads *r = call_app(c)->reads;
	if (!r)
		return pool_post(call_app(c)->pool, &c->task);
	if (c->route->flags & ROUTE_FRESH)
		return read_primary(c);
	struct reading *reading = ARENA_NEW(c->arena, struct reading);
	if (!reading)
		return ERR_INTERNAL;
	reading->call = c;
	reading->read.placed = must_show(r, c, &reading->read.seen);
	replicas_post(r->replicas, &reading->read);
	return OK;
}

static struct call *call_of(struct replica_read *read)
{
	struct call *c = CONTAINER_OF(read, struct reading, read)->call;
	CHECK_OBJ(c, CALL_MAGIC);
	return c;
}

static bool run_on_replica(void *ctx, struct replica_read *read, struct db *db)
{
	struct reads *r = ctx;
	if (!runner_read_replica(call_of(read), db))
		return false;
	metrics_add_at(r->app->metrics, METRIC_store_reads_total, TARGET_REPLICA, 0, 1);
	return true;
}

static void run_on_primary(void *ctx, struct replica_read *read)
{
	(void)ctx;
	struct call *c = call_of(read);
	enum err err = read_primary(c);
	if (!err)
		return;
	c->outcome = err;
	http_finish(c);
}

/* ---- writing ---- */

void reads_committed(struct call *c, struct db *db)
{
	struct reads *r = call_app(c)->reads;
	if (!r || c->route->method == METHOD_GET)
		return;
	struct log_place place = db_place(db);
	c->now_seen = place_text(c->arena, r->system, place);
	remember(r, session_key(c), place);
}

void reads_relayed(struct call *c, struct str seen)
{
	struct reads *r = call_app(c)->reads;
	if (!r || !seen.n)
		return;
	c->now_seen = arena_str(c->arena, seen);
	remember(r, session_key(c), place_read(seen, r->system));
}

bool reads_may_be_kept(const struct call *c)
{
	const struct app *app = call_app(c);
	if (!app->reads || !c->has_seen.n)
		return true;
	struct log_place told = place_read(c->has_seen, app->reads->system), known = follower_place(app->follower);
	return told.timeline && told.timeline == known.timeline && told.lsn <= known.lsn;
}

/* ---- life ---- */

enum err reads_new(const struct reads_config *config, struct reads **out, struct problem *p)
{
	struct reads *r = NEW(struct reads);
	r->app = config->app;
	r->remember_ns = (config->lag_max_ms + SLACK_MS) * 1000000;
	pthread_mutex_init(&r->lock, NULL);
	*out = r;
	enum err err = replicas_new(&(struct replicas_config){.primary = config->app->store,
							      .urls = config->urls,
							      .count = config->count,
							      .limits = config->limits,
							      .lag_max_ms = config->lag_max_ms,
							      .wait_ms = WAIT_MS,
							      .run = run_on_replica,
							      .elsewhere = run_on_primary,
							      .ctx = r,
							      .metrics = config->app->metrics},
				    &r->replicas, p);
	if (err)
		reads_destroy(out);
	else
		r->system = (uint32_t)(replicas_system(r->replicas) ^ replicas_system(r->replicas) >> 32);
	return err;
}

void reads_destroy(struct reads **out)
{
	struct reads *r = *out;
	if (!r)
		return;
	replicas_destroy(&r->replicas);
	struct session *s;
	for (size_t i = 0; (s = map_next(&r->sessions, &i));)
		free(s);
	map_free(&r->sessions);
	pthread_mutex_destroy(&r->lock);
	free(r);
	*out = NULL;
}
