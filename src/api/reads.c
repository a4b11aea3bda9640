/*
 * See reads.h.
 *
 * What a session has seen is told as SYSTEM-TIMELINE-PLACE in hexadecimal digits, so that of two of one deployment the
 * greater one, as text, is the later. What does not fit, after a fail-over or from elsewhere, is answered from the
 * primary. What is remembered of a key is dropped when every sound replica must have it, by the lag that is borne.
 */
#include "api/reads.h"

#include "api/runner.h"
#include "base/map.h"
#include "directory/follower.h"
#include "http/http.h"
#include "telemetry/metrics.h"

#include <inttypes.h>
#include <string.h>

enum {
	WAIT_MS = 50,
	SLACK_MS = 2000, /* how old what is known of a replica may be, and some more */
	SYSTEM_DIGITS = 8,
	TIMELINE_DIGITS = 8,
	PLACE_DIGITS = 16,
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

/* ---- what a session has seen, as text ---- */

static struct str seen_text(const struct reads *r, struct arena *a, struct log_place seen)
{
	return arena_fmt(a, "%08" PRIx32 "-%08" PRIx32 "-%016" PRIx64, r->system, (uint32_t)seen.timeline,
			 (uint64_t)seen.lsn);
}

/* So many digits, and the '-' behind them if more follows. */
static bool take_hex(struct str *s, size_t digits, uint64_t *out)
{
	static const char all[] = "0123456789abcdef";
	*out = 0;
	if (s->n < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		const char *digit = memchr(all, s->p[i], sizeof all - 1);
		if (!digit)
			return false;
		*out = *out << 4 | (uint64_t)(digit - all);
	}
	*s = (struct str){s->p + digits, s->n - digits};
	if (s->n && *s->p == '-')
		*s = (struct str){s->p + 1, s->n - 1};
	return true;
}

/* Timeline 0 when it is none of ours: then no replica will do. */
static struct log_place seen_place(const struct reads *r, struct str text)
{
	uint64_t system, timeline, lsn;
	if (text.n != SYSTEM_DIGITS + 1 + TIMELINE_DIGITS + 1 + PLACE_DIGITS ||
	    !take_hex(&text, SYSTEM_DIGITS, &system) || !take_hex(&text, TIMELINE_DIGITS, &timeline) ||
	    !take_hex(&text, PLACE_DIGITS, &lsn) || text.n || system != r->system || lsn > INT64_MAX)
		return (struct log_place){0};
	return (struct log_place){(int64_t)timeline, (int64_t)lsn};
}

/* ---- what is remembered ---- */

/* Ids of keys and agents are never the same. 0: nobody in particular. */
static int64_t session_key(const struct call *c)
{
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

/* Of calls that end beside each other the later place counts, on the later timeline. */
static bool is_later(struct log_place a, struct log_place b)
{
	return a.timeline != b.timeline ? a.timeline > b.timeline : a.lsn > b.lsn;
}

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
	if (!seen.timeline || is_later(seen, s->seen))
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
	struct log_place own, told = seen_place(r, c->has_seen);
	bool has_own = remembered(r, session_key(c), &own);
	if (!has_own || !c->has_seen.n) {
		*out = has_own ? own : told;
		return has_own || c->has_seen.n > 0;
	}
	if (own.timeline != told.timeline)
		*out = (struct log_place){0};
	else
		*out = is_later(told, own) ? told : own;
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
	c->now_seen = seen_text(r, c->arena, place);
	remember(r, session_key(c), place);
}

void reads_relayed(struct call *c, struct str seen)
{
	struct reads *r = call_app(c)->reads;
	if (!r || !seen.n)
		return;
	c->now_seen = arena_str(c->arena, seen);
	remember(r, session_key(c), seen_place(r, seen));
}

bool reads_may_be_kept(const struct call *c)
{
	const struct app *app = call_app(c);
	if (!app->reads || !c->has_seen.n)
		return true;
	struct log_place told = seen_place(app->reads, c->has_seen), known = follower_place(app->follower);
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
