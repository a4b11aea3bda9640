/*
 * `waiting` is what no connection has in hand: on SQLite everything that was given, on PostgreSQL what failed and is to
 * be given to the pool again. The recorder's thread sees to it, no sooner than `pause_ns` says after a failure; on
 * PostgreSQL with one record as long as there is trouble, to see whether it is over.
 *
 * `lock` guards all below it. A record belongs to whoever took it off `waiting`.
 */
#include "sim/recorder.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/id.h"
#include "base/log.h"
#include "base/magic.h"
#include "sim/recorder_priv.h"
#include "sim/schema.h"
#include "store/fault.h"
#include "store/pool.h"
#include "store/transaction.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum {
	RECORDER_MAGIC = 0x72656364,
	BATCH_MAX = 1000,             /* records in one transaction of SQLite */
	WAITING_BYTES_MAX = 64 << 20, /* of records given and not yet written */
	RETRY_MS = 100,
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000,
	POOL_WAIT_MS = 30000,
	POOL_CHECK_MS = 30000,
	POOL_RECYCLE_MS = 3600000,
	NAMES_BYTES_MAX = 1 << 20,
};

struct recorder {
	unsigned magic;
	struct recorder_config config;
	struct store *store; /* NULL: --mock-db */
	struct arena *names;
	struct record_frame frame;
	struct db *db;     /* SQLite: of the thread */
	struct pool *pool; /* PostgreSQL */
	pthread_t thread;
	bool has_thread;
	_Atomic uint64_t planned_rows;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct record *first, **last; /* waiting */
	uint32_t queued;              /* given and not written, wherever they are */
	size_t queued_bytes;
	int64_t pause_ns;
	bool refused; /* somebody waits for room */
	bool ended;
	unsigned busy;
	uint64_t written_rows, commits;
	struct problem trouble;
};

static bool is_mock(const struct recorder *r)
{
	return !r->config.url;
}

static void wake(const struct recorder *r, bool there_is_news)
{
	if (there_is_news && r->config.wake)
		r->config.wake(r->config.ctx);
}

/* ---- what waits; with the lock ---- */

static void append(struct recorder *r, struct record *record)
{
	record->next = NULL;
	*r->last = record;
	r->last = &record->next;
}

static void put_back(struct recorder *r, struct record *list)
{
	struct record **end = &list;

	while (*end)
		end = &(*end)->next;
	*end = r->first;
	if (!r->first)
		r->last = end;
	r->first = list;
}

static struct record *cut(struct recorder *r, unsigned max)
{
	struct record *list = r->first, **end = &r->first;

	for (unsigned i = 0; i < max && *end; i++)
		end = &(*end)->next;
	r->first = *end;
	*end = NULL;
	if (!r->first)
		r->last = &r->first;
	return list;
}

/* ---- trouble ---- */

static void describe(const struct recorder *r, enum err e, struct problem *p)
{
	const char *name = store_name(r->store);

	if (e == ERR_STORE_FULL)
		problem_set(p, e,
			    "the disk of %s is full: make room, and the run goes on by itself; %u records wait",
			    name, r->queued);
	else if (transaction_store_fault(e))
		problem_set(p, e,
			    "%s cannot be reached: the run goes on by itself when it is back; %u records wait",
			    name, r->queued);
	else if (e == ERR_OVERLOADED)
		problem_set(p, e, "no connection to %s was free for %d s; %u records wait", name,
			    POOL_WAIT_MS / 1000, r->queued);
	else
		problem_set(p, e, "%s does not take a record (%s; the log says more); %u records wait", name,
			    err_info(e)->title, r->queued);
}

/* Whether that is news. */
static bool note_trouble(struct recorder *r, enum err e)
{
	bool news = r->trouble.err != e;

	r->pause_ns = clock_mono_ns() + (int64_t)RETRY_MS * NS_PER_MS;
	describe(r, e, &r->trouble);
	if (news)
		LOG_W("recorder.trouble", "detail=%s", r->trouble.detail);
	return news;
}

static bool end_trouble(struct recorder *r)
{
	bool news = r->trouble.err != OK;

	r->pause_ns = 0;
	problem_clear(&r->trouble);
	if (news)
		LOG_I("recorder.recovered", "store=%s", store_name(r->store));
	return news;
}

/* ---- what became of records ---- */

/* A key that is there already: the write before this one was made, and nobody could say so. */
static bool is_written(enum err e)
{
	return e == OK || e == ERR_ALREADY_EXISTS;
}

/* Whether somebody waits for that: room again, or nothing left. */
static bool make_room(struct recorder *r, const struct record *record)
{
	bool news;

	r->written_rows += 1 + (uint64_t)record->event_count;
	r->queued--;
	r->queued_bytes -= record->bytes;
	news = r->refused || r->queued == 0;
	r->refused = false;
	return news;
}

/* Records that were written, or failed, together. */
static void settle(struct recorder *r, struct record *list, enum err e)
{
	bool news;

	if (e == ERR_ALREADY_EXISTS)
		LOG_I("recorder.there_already", "store=%s", store_name(r->store));
	pthread_mutex_lock(&r->lock);
	if (is_written(e)) {
		r->commits++;
		news = end_trouble(r);
		for (struct record *at = list; at; at = at->next)
			news |= make_room(r, at);
	} else {
		put_back(r, list);
		news = note_trouble(r, e);
	}
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	while (is_written(e) && list) {
		struct record *next = list->next;

		free(list);
		list = next;
	}
	wake(r, news);
}

static void count_busy(struct recorder *r, int more)
{
	pthread_mutex_lock(&r->lock);
	r->busy += (unsigned)more;
	pthread_mutex_unlock(&r->lock);
}

static enum err write_list(void *ctx, struct db *db)
{
	enum err e = OK;

	for (const struct record *at = ctx; at && !e; at = at->next)
		e = record_write(db, at);
	return e;
}

static enum err write_together(struct recorder *r, struct db *db, struct record *list)
{
	struct arena *a = arena_new(1 << 12);
	enum err e;

	count_busy(r, 1);
	e = transaction_run(db, a, write_list, list);
	count_busy(r, -1);
	arena_destroy(&a);
	return e;
}

/* ---- SQLite: what has gathered, in one transaction ---- */

/* One that cannot be written must not hold up the others. */
static void write_apart(struct recorder *r, struct record *list)
{
	while (list) {
		struct record *next = list->next;

		list->next = NULL;
		settle(r, list, write_together(r, r->db, list));
		list = next;
	}
}

static void write_gathered(struct recorder *r, struct record *list)
{
	struct problem why = {0};
	enum err e = db_lost(r->db) ? db_reconnect(r->db, &why) : OK;

	if (!e)
		e = write_together(r, r->db, list);
	if (e && list->next && !transaction_store_fault(e) && e != ERR_STORE_BUSY)
		write_apart(r, list);
	else
		settle(r, list, e);
	db_maintain(r->db, false);
}

/* ---- PostgreSQL: a transaction for each session ---- */

static void run_posted(void *ctx, struct task *t, struct db *db, enum err why)
{
	struct record *record = CONTAINER_OF(t, struct record, task);
	struct recorder *r = ctx;

	settle(r, record, db ? write_together(r, db, record) : why);
}

static void post(struct recorder *r, struct record *record)
{
	enum err e;

	record->next = NULL;
	record->task = (struct task){.cost = 1, .share = 1};
	e = pool_post(r->pool, &record->task);
	if (e)
		settle(r, record, e);
}

static void post_again(struct recorder *r, struct record *list)
{
	while (list) {
		struct record *next = list->next;

		post(r, list);
		list = next;
	}
}

/* ---- the thread ---- */

static void wait_until(struct recorder *r, int64_t until_ns)
{
	struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};

	if (until_ns == 0)
		pthread_cond_wait(&r->changed, &r->lock);
	else
		pthread_cond_timedwait(&r->changed, &r->lock, &until);
}

/* The next ones to be seen to; NULL when it is over. */
static struct record *await_records(struct recorder *r)
{
	struct record *list = NULL;

	pthread_mutex_lock(&r->lock);
	while (!r->ended && (!r->first || clock_mono_ns() < r->pause_ns))
		wait_until(r, r->first ? r->pause_ns : 0);
	if (!r->ended) {
		list = cut(r, r->pool && r->trouble.err ? 1 : BATCH_MAX);
		if (r->trouble.err)
			r->pause_ns = clock_mono_ns() + (int64_t)RETRY_MS * NS_PER_MS;
	}
	pthread_mutex_unlock(&r->lock);
	return list;
}

static void *see_to_records(void *arg)
{
	struct recorder *r = arg;
	struct record *list;

	while ((list = await_records(r)) != NULL) {
		if (r->pool)
			post_again(r, list);
		else
			write_gathered(r, list);
	}
	return NULL;
}

/* ---- life ---- */

static struct recorder *recorder_new(const struct recorder_config *config)
{
	struct recorder *r = NEW(struct recorder);

	r->magic = RECORDER_MAGIC;
	r->config = *config;
	r->names = arena_new(NAMES_BYTES_MAX);
	r->last = &r->first;
	pthread_mutex_init(&r->lock, NULL);
	cond_mono_init(&r->changed);
	return r;
}

static enum err open_store(struct recorder *r, struct problem *p)
{
	const struct recorder_config *config = &r->config;
	enum err e = store_open(config->url, &r->store, p);

	if (!e && config->fault_plan)
		e = fault_wrap(&r->store, config->fault_plan, p);
	return e ? e : store_migrate(r->store, &SIM_SCHEMA, p);
}

enum err recorder_open(const struct recorder_config *config, struct recorder **out, struct problem *p)
{
	struct recorder *r = recorder_new(config);
	enum err e = is_mock(r) ? OK : open_store(r, p);

	if (e)
		recorder_close(&r, 0);
	*out = r;
	return e;
}

static enum err open_pool(struct recorder *r, struct problem *p)
{
	const struct recorder_config *config = &r->config;

	return pool_new(&(struct pool_config){.store = r->store,
					      .mode = DB_WRITE,
					      .limits = {.size = config->pool,
							 .overflow = config->overflow,
							 .queue_max = UINT32_MAX,
							 .wait_ms = POOL_WAIT_MS,
							 .idle_ms = POOL_WAIT_MS,
							 .check_ms = POOL_CHECK_MS,
							 .recycle_ms = POOL_RECYCLE_MS},
					      .run = run_posted,
					      .ctx = r},
			&r->pool, p);
}

static enum err start(struct recorder *r, struct problem *p)
{
	enum err e = store_kind(r->store) == STORE_POSTGRES ? open_pool(r, p) : OK;
	int failed;

	if (e)
		return e;
	if (r->config.fault_plan)
		fault_arm(r->store);
	failed = pthread_create(&r->thread, NULL, see_to_records, r);
	r->has_thread = failed == 0;
	return failed ? problem_set(p, ERR_OVERLOADED, "no thread could be started: %s", strerror(failed)) : OK;
}

enum err recorder_begin(struct recorder *r, const struct run_identity *id, bool resume, struct recorder_seen *seen,
			struct problem *p)
{
	enum err e;

	CHECK_OBJ(r, RECORDER_MAGIC);
	*seen = (struct recorder_seen){.whole = -1};
	record_frame_names(id, r->names, &r->frame);
	if (!id_parse(id->run_id, "run_", &r->frame.run))
		return problem_set(p, ERR_INVALID, "\"%.*s\" is no id of a run: run_ and 13 characters",
				   STRF(id->run_id));
	if (is_mock(r))
		return OK;
	e = store_connect(r->store, DB_WRITE, &r->db, p);
	if (!e)
		e = recorder_run_begin(r->db, id, r->frame.run, resume, seen, p);
	if (e || store_kind(r->store) == STORE_POSTGRES)
		db_close(&r->db);
	r->frame.attempt = seen->attempt;
	return e ? e : start(r, p);
}

static void await_the_end(struct recorder *r, int64_t until_ns)
{
	pthread_mutex_lock(&r->lock);
	while (r->queued && clock_mono_ns() < until_ns)
		wait_until(r, until_ns);
	r->ended = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

uint32_t recorder_close(struct recorder **closing, int64_t patience_ms)
{
	struct recorder *r = *closing;
	uint32_t left;

	if (!r)
		return 0;
	CHECK_OBJ(r, RECORDER_MAGIC);
	await_the_end(r, clock_mono_ns() + patience_ms * NS_PER_MS);
	if (r->has_thread)
		pthread_join(r->thread, NULL);
	pool_destroy(&r->pool);
	if (r->db)
		db_maintain(r->db, true);
	db_close(&r->db);
	store_close(&r->store);
	left = r->queued;
	for (struct record *at = r->first, *next; at; at = next) {
		next = at->next;
		free(at);
	}
	if (left)
		LOG_W("recorder.left", "records=%u", left);
	arena_destroy(&r->names);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	r->magic = 0;
	free(r);
	*closing = NULL;
	return left;
}

/* ---- giving records ---- */

/* A record's place, before it is made. */
static enum err reserve(struct recorder *r)
{
	enum err e = OK;

	pthread_mutex_lock(&r->lock);
	if (r->queued >= r->config.queue_max || r->queued_bytes > WAITING_BYTES_MAX) {
		r->refused = true;
		e = ERR_OVERLOADED;
	} else {
		r->queued++;
	}
	pthread_mutex_unlock(&r->lock);
	return e;
}

static void give(struct recorder *r, struct record *record)
{
	pthread_mutex_lock(&r->lock);
	r->queued_bytes += record->bytes;
	if (!r->pool || r->trouble.err) {
		append(r, record);
		record = NULL;
		pthread_cond_broadcast(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	if (record)
		post(r, record);
}

enum err recorder_put(struct recorder *r, const struct session_record *s)
{
	enum err e;

	CHECK_OBJ(r, RECORDER_MAGIC);
	if (is_mock(r)) {
		atomic_fetch_add_explicit(&r->planned_rows, record_rows(s), memory_order_relaxed);
		return OK;
	}
	CHECK(r->has_thread);
	e = reserve(r);
	if (!e)
		give(r, record_of_session(&r->frame, s));
	return e;
}

void recorder_cycle(struct recorder *r, const struct cycle_record *c)
{
	CHECK_OBJ(r, RECORDER_MAGIC);
	if (is_mock(r)) {
		atomic_fetch_add_explicit(&r->planned_rows, 1, memory_order_relaxed);
		return;
	}
	CHECK(r->has_thread);
	pthread_mutex_lock(&r->lock);
	r->queued++;
	pthread_mutex_unlock(&r->lock);
	give(r, record_of_cycle(&r->frame, c));
}

/* ---- what is seen of it ---- */

bool recorder_settled(struct recorder *r)
{
	bool settled;

	CHECK_OBJ(r, RECORDER_MAGIC);
	pthread_mutex_lock(&r->lock);
	settled = r->queued == 0;
	pthread_mutex_unlock(&r->lock);
	return settled;
}

void recorder_trouble(struct recorder *r, struct problem *p)
{
	CHECK_OBJ(r, RECORDER_MAGIC);
	pthread_mutex_lock(&r->lock);
	if (r->trouble.err)
		describe(r, r->trouble.err, &r->trouble);
	*p = r->trouble;
	pthread_mutex_unlock(&r->lock);
}

void recorder_count(struct recorder *r, struct recorder_counts *out)
{
	CHECK_OBJ(r, RECORDER_MAGIC);
	pthread_mutex_lock(&r->lock);
	*out = (struct recorder_counts){
		.written_rows = r->written_rows,
		.planned_rows = atomic_load_explicit(&r->planned_rows, memory_order_relaxed),
		.commits = r->commits,
		.queued = r->queued,
		.connections = r->pool ? pool_connections(r->pool) : r->has_thread,
		.busy = r->busy,
	};
	pthread_mutex_unlock(&r->lock);
}
