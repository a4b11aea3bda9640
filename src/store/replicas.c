/*
 * See replicas.h.
 *
 *   watch (one each)     a connection to its replica: looks, notes, wakes the usher; makes the pool when it can
 *   watch_primary        a connection to the primary: keeps samples of where its log was when
 *   usher                sends parked reads on their way; never touches a store and therefore never hangs
 *
 * `lock` guards what they note, the parked reads and `ending`. A pool, once made, stays until the end.
 */
#include "store/replicas.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/magic.h"
#include "store/queries.h"
#include "telemetry/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum {
	REPLICAS_MAGIC = 0x5245504c,
	LOOK_MS = 100,     /* between looks */
	LOOK_AGAIN_MS = 1, /* while reads wait */
	RETRY_MS = 500,
	SILENT_MS = 1000, /* who has said nothing for so long is not sound */
	SAMPLES = 256,
	ARENA_BYTES = 1 << 16,
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000,
};

/* Why a read went elsewhere; values of the label `cause`. */
enum cause { CAUSE_BEHIND, CAUSE_NONE_SOUND, CAUSE_TIMELINE, CAUSE_FAILED };

struct replica {
	struct replicas *all;
	unsigned index;
	char *url;
	struct store *store;
	struct pool *pool; /* NULL until it was reached once */
	pthread_t thread;
	bool has_thread;

	int64_t heard_ns; /* when it answered last; 0: never */
	struct replica_stand_out stand;
	int64_t current_ns; /* when the primary's log was where the replica's is; 0: before all that is known */
	bool sound;         /* as told last */
};

struct sample {
	int64_t ns, lsn;
};

struct replicas {
	unsigned magic;
	struct replicas_config config;
	int64_t system;
	struct replica each[REPLICAS_MAX];
	unsigned next; /* whose turn it is */

	pthread_mutex_t lock;
	pthread_cond_t look; /* for the watchers: somebody waits */
	pthread_cond_t news; /* for the usher */
	struct replica_read *parked, **parked_last;
	bool ending;
	pthread_t usher, primary;
	bool has_usher, has_primary;

	int64_t timeline; /* the primary's */
	struct sample samples[SAMPLES];
	uint64_t samples_taken;
};

/* ---- what is known; with the lock ---- */

static int64_t lag_ns(const struct replica *at, int64_t now_ns)
{
	return now_ns - at->current_ns;
}

static bool is_sound(const struct replica *at, int64_t now_ns)
{
	const struct replicas *r = at->all;

	return at->pool && at->heard_ns && now_ns - at->heard_ns <= SILENT_MS * NS_PER_MS && at->stand.recovering &&
	       at->stand.system == r->system && at->stand.timeline == r->timeline && at->current_ns &&
	       lag_ns(at, now_ns) <= r->config.lag_max_ms * NS_PER_MS;
}

static bool has_replayed(const struct replica_stand_out *stand, const struct replica_read *read)
{
	return !read->placed || (stand->timeline == read->seen.timeline && stand->lsn >= read->seen.lsn);
}

/* In turns; *any: there was a sound one. */
static struct replica *choose(struct replicas *r, const struct replica_read *read, int64_t now_ns, bool *any)
{
	*any = false;
	for (size_t i = 0; i < r->config.count; i++) {
		struct replica *at = &r->each[(r->next + i) % r->config.count];

		if (!is_sound(at, now_ns))
			continue;
		*any = true;
		if (!has_replayed(&at->stand, read))
			continue;
		r->next = at->index + 1;
		return at;
	}
	return NULL;
}

/* The newest moment at which the primary's log was no further than that. */
static void note_current(struct replica *at)
{
	const struct replicas *r = at->all;
	uint64_t oldest = r->samples_taken > SAMPLES ? r->samples_taken - SAMPLES : 0;

	for (uint64_t i = r->samples_taken; i > oldest; i--) {
		const struct sample *s = &r->samples[(i - 1) % SAMPLES];

		if (s->lsn > at->stand.lsn)
			continue;
		if (s->ns > at->current_ns)
			at->current_ns = s->ns;
		return;
	}
}

static void show(struct replica *at, int64_t now_ns)
{
	struct metrics *m = at->all->config.metrics;
	bool sound = is_sound(at, now_ns);

	metrics_set_at(m, METRIC_replica_used, at->index, 0, sound);
	metrics_set_at(m, METRIC_replica_lag_seconds, at->index, 0,
		       at->current_ns ? (double)lag_ns(at, now_ns) / NS_PER_S : 0);
	if (sound == at->sound)
		return;
	at->sound = sound;
	LOG_I("replica.state",
	      "replica=%s used=%d recovering=%d timeline=%" PRId64 " primary_timeline=%" PRId64 " lag_ms=%" PRId64,
	      store_name(at->store), sound, at->stand.recovering, at->stand.timeline, at->all->timeline,
	      at->current_ns ? lag_ns(at, now_ns) / NS_PER_MS : -1);
}

/* ---- on their way; without the lock ---- */

static void send_elsewhere(struct replicas *r, struct replica_read *read, enum cause cause)
{
	metrics_add_at(r->config.metrics, METRIC_store_reads_diverted_total, cause, 0, 1);
	r->config.elsewhere(r->config.ctx, read);
}

static void send_to(struct replicas *r, struct replica *at, struct replica_read *read)
{
	if (pool_post(at->pool, &read->task) != OK)
		send_elsewhere(r, read, CAUSE_FAILED);
}

/* ---- on a replica's connection ---- */

/* The server may be another one than the watcher has met, or have begun again further back. What is read in the same
 * transaction is read there, also behind a pooler. */
static bool shows_it(const struct replicas *r, struct db *db, const struct replica_read *read)
{
	struct replica_stand_out stand;

	if (!read->placed)
		return true;
	return db_begin(db) == OK && q_replica_stand(db, NULL, &stand) == OK && stand.recovering &&
	       stand.system == r->system && has_replayed(&stand, read);
}

static void run_read(void *ctx, struct task *t, struct db *db, enum err why)
{
	struct replicas *r = ctx;
	struct replica_read *read = CONTAINER_OF(t, struct replica_read, task);

	(void)why;
	if (!db || !shows_it(r, db, read) || !r->config.run(r->config.ctx, read, db))
		send_elsewhere(r, read, CAUSE_FAILED);
}

/* ---- parked reads ---- */

static struct timespec at_ns(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

static void park(struct replicas *r, struct replica_read *read)
{
	read->next = NULL;
	*r->parked_last = read;
	r->parked_last = &read->next;
	pthread_cond_broadcast(&r->look);
	pthread_cond_signal(&r->news);
}

static int64_t until_ns(const struct replicas *r, const struct replica_read *read)
{
	return read->since_ns + r->config.wait_ms * NS_PER_MS;
}

void replicas_post(struct replicas *r, struct replica_read *read)
{
	struct replica *to = NULL;
	bool any = false, parked = false, same;

	CHECK_OBJ(r, REPLICAS_MAGIC);
	read->since_ns = clock_mono_ns();
	pthread_mutex_lock(&r->lock);
	same = !read->placed || read->seen.timeline == r->timeline;
	if (same)
		to = choose(r, read, read->since_ns, &any);
	parked = same && !to && any && !r->ending;
	if (parked)
		park(r, read);
	pthread_mutex_unlock(&r->lock);
	if (to)
		send_to(r, to, read);
	else if (!parked)
		send_elsewhere(r, read, same ? CAUSE_NONE_SOUND : CAUSE_TIMELINE);
}

/* Takes the first one that can go on out of the list; *to is NULL when it goes elsewhere. With the lock. */
static struct replica_read *take_ready(struct replicas *r, int64_t now_ns, struct replica **to)
{
	for (struct replica_read **at = &r->parked; *at; at = &(*at)->next) {
		struct replica_read *read = *at;
		bool any;

		*to = choose(r, read, now_ns, &any);
		if (!*to && any && now_ns < until_ns(r, read) && !r->ending)
			continue;
		*at = read->next;
		if (!*at)
			r->parked_last = at;
		return read;
	}
	return NULL;
}

/* They were parked in the order of their times, and all wait equally long. */
static void await_news(struct replicas *r)
{
	struct timespec until;

	if (!r->parked) {
		pthread_cond_wait(&r->news, &r->lock);
		return;
	}
	until = at_ns(until_ns(r, r->parked));
	pthread_cond_timedwait(&r->news, &r->lock, &until);
}

static void *usher(void *arg)
{
	struct replicas *r = arg;

	pthread_mutex_lock(&r->lock);
	while (!r->ending || r->parked) {
		struct replica *to = NULL;
		struct replica_read *read = take_ready(r, clock_mono_ns(), &to);

		if (!read) {
			await_news(r);
			continue;
		}
		pthread_mutex_unlock(&r->lock);
		metrics_observe_ns(r->config.metrics, METRIC_store_read_wait_seconds,
				   clock_mono_ns() - read->since_ns);
		if (to)
			send_to(r, to, read);
		else
			send_elsewhere(r, read, CAUSE_BEHIND);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* ---- the watchers ---- */

/* False: it is time to end. `hurries`: whoever looks for those who wait. */
static bool pause_looking(struct replicas *r, int64_t ms, bool hurries)
{
	struct timespec until = at_ns(clock_mono_ns() + ms * NS_PER_MS);
	bool goes_on;

	pthread_mutex_lock(&r->lock);
	if (hurries && r->parked)
		until = at_ns(clock_mono_ns() + LOOK_AGAIN_MS * NS_PER_MS);
	while (!r->ending && pthread_cond_timedwait(&r->look, &r->lock, &until) == 0 && !(hurries && r->parked))
		;
	goes_on = !r->ending;
	pthread_mutex_unlock(&r->lock);
	return goes_on;
}

static enum err reach(struct store *store, enum db_mode mode, struct db **db)
{
	struct problem p = {0};

	if (*db && !db_lost(*db))
		return OK;
	return *db ? db_reconnect(*db, &p) : store_connect(store, mode, db, &p);
}

static enum err look_at_primary(struct replicas *r, struct db **db)
{
	struct primary_stand_out stand;
	int64_t now_ns;
	enum err e = reach(r->config.primary, DB_WRITE, db);

	now_ns = clock_mono_ns();
	if (!e)
		e = q_primary_stand(*db, NULL, &stand);
	if (e)
		return e;
	pthread_mutex_lock(&r->lock);
	if (stand.timeline != r->timeline) {
		LOG_W("replica.timeline", "was=%" PRId64 " now=%" PRId64, r->timeline, stand.timeline);
		r->timeline = stand.timeline;
		r->samples_taken = 0;
	}
	r->samples[r->samples_taken++ % SAMPLES] = (struct sample){now_ns, stand.lsn};
	pthread_mutex_unlock(&r->lock);
	return OK;
}

static void *watch_primary(void *arg)
{
	struct replicas *r = arg;
	struct db *db = NULL;
	enum err e;

	do
		e = look_at_primary(r, &db);
	while (pause_looking(r, e ? RETRY_MS : LOOK_MS, false));
	db_close(&db);
	return NULL;
}

static enum err make_pool(struct replica *at)
{
	struct replicas *r = at->all;
	struct pool_config config = {
		.store = at->store, .mode = DB_REPLICA, .limits = r->config.limits, .run = run_read, .ctx = r};
	struct problem p = {0};
	struct pool *pool;
	enum err e = pool_new(&config, &pool, &p);

	if (e)
		return e;
	pthread_mutex_lock(&r->lock);
	at->pool = pool;
	pthread_mutex_unlock(&r->lock);
	return OK;
}

static void note(struct replica *at, enum err e, const struct replica_stand_out *stand)
{
	struct replicas *r = at->all;

	pthread_mutex_lock(&r->lock);
	if (!e) {
		if (at->stand.timeline != stand->timeline || stand->lsn < at->stand.lsn)
			at->current_ns = 0;
		at->heard_ns = clock_mono_ns();
		at->stand = *stand;
		note_current(at);
	} else {
		at->heard_ns = 0;
	}
	show(at, clock_mono_ns());
	if (r->parked)
		pthread_cond_signal(&r->news);
	pthread_mutex_unlock(&r->lock);
}

static enum err look_at_replica(struct replica *at, struct db **db)
{
	struct replica_stand_out stand = {0};
	enum err e = reach(at->store, DB_REPLICA, db);

	if (!e)
		e = q_replica_stand(*db, NULL, &stand);
	if (!e && !at->pool)
		e = make_pool(at);
	note(at, e, &stand);
	return e;
}

static void *watch(void *arg)
{
	struct replica *at = arg;
	struct db *db = NULL;
	enum err e;

	do
		e = look_at_replica(at, &db);
	while (pause_looking(at->all, e ? RETRY_MS : LOOK_MS, !e));
	db_close(&db);
	return NULL;
}

/* ---- life ---- */

static enum err open_store(struct replica *at, struct str url, struct problem *p)
{
	at->url = must_alloc(url.n + 1);
	memcpy(at->url, url.p, url.n);
	if (!str_starts(url, STR("postgres://")) && !str_starts(url, STR("postgresql://")))
		return problem_set(p, ERR_USAGE, "--replica must be postgres://HOST/DATABASE");
	return store_open(at->url, &at->store, p);
}

/* Who the primary is; without the right to ask for that nothing can be told apart. */
static enum err meet_primary(struct replicas *r, struct problem *p)
{
	struct db *db = NULL;
	struct primary_stand_out stand;
	enum err e = store_connect(r->config.primary, DB_WRITE, &db, p);

	if (!e) {
		e = q_primary_stand(db, NULL, &stand);
		if (e)
			problem_set(p, e, "%s does not say where its log stands; --replica needs that",
				    store_name(r->config.primary));
	}
	db_close(&db);
	if (e)
		return e;
	r->system = stand.system;
	r->timeline = stand.timeline;
	return OK;
}

static enum err start_threads(struct replicas *r, struct problem *p)
{
	r->has_usher = pthread_create(&r->usher, NULL, usher, r) == 0;
	r->has_primary = pthread_create(&r->primary, NULL, watch_primary, r) == 0;
	for (size_t i = 0; i < r->config.count; i++) {
		r->each[i].has_thread = pthread_create(&r->each[i].thread, NULL, watch, &r->each[i]) == 0;
		if (!r->each[i].has_thread)
			return problem_set(p, ERR_OVERLOADED, "no thread for a replica could be started");
	}
	if (!r->has_usher || !r->has_primary)
		return problem_set(p, ERR_OVERLOADED, "no thread for replicas could be started");
	return OK;
}

enum err replicas_new(const struct replicas_config *config, struct replicas **out, struct problem *p)
{
	struct replicas *r = NEW(struct replicas);
	enum err e = OK;

	CHECK(config->count > 0 && config->count <= REPLICAS_MAX);
	r->magic = REPLICAS_MAGIC;
	r->config = *config;
	r->parked_last = &r->parked;
	pthread_mutex_init(&r->lock, NULL);
	cond_mono_init(&r->look);
	cond_mono_init(&r->news);
	for (size_t i = 0; i < config->count; i++)
		r->each[i] = (struct replica){.all = r, .index = (unsigned)i};
	for (size_t i = 0; i < config->count && !e; i++)
		e = open_store(&r->each[i], config->urls[i], p);
	if (!e)
		e = meet_primary(r, p);
	if (!e)
		e = start_threads(r, p);
	if (e)
		replicas_destroy(&r);
	*out = r;
	return e;
}

static void join_threads(struct replicas *r)
{
	pthread_mutex_lock(&r->lock);
	r->ending = true;
	pthread_cond_broadcast(&r->look);
	pthread_cond_signal(&r->news);
	pthread_mutex_unlock(&r->lock);
	if (r->has_usher)
		pthread_join(r->usher, NULL);
	if (r->has_primary)
		pthread_join(r->primary, NULL);
	for (size_t i = 0; i < r->config.count; i++)
		if (r->each[i].has_thread)
			pthread_join(r->each[i].thread, NULL);
}

void replicas_destroy(struct replicas **out)
{
	struct replicas *r = *out;

	if (!r)
		return;
	CHECK_OBJ(r, REPLICAS_MAGIC);
	join_threads(r);
	for (size_t i = 0; i < r->config.count; i++) {
		pool_destroy(&r->each[i].pool);
		store_close(&r->each[i].store);
		free(r->each[i].url);
	}
	pthread_cond_destroy(&r->look);
	pthread_cond_destroy(&r->news);
	pthread_mutex_destroy(&r->lock);
	r->magic = 0;
	free(r);
	*out = NULL;
}

int64_t replicas_system(const struct replicas *r)
{
	CHECK_OBJ(r, REPLICAS_MAGIC);
	return r->system;
}
