/*
 * The threads of pool_state.h: one for each connection, and the keeper.
 *
 * A thread sees to its connection before it takes a task, not with one in hand: while it is being checked or
 * renewed the task waits in the queue, where another connection or the keeper finds it. So an idle pool does not
 * try over and over to reach a store that is down, either. The keeper opens connections and answers tasks whose
 * time is over; it never touches the store and therefore never hangs. It is woken for a task only when its alarm is
 * later than that task's time, about once in `wait_ms`.
 *
 * `lock` guards the state, the alarm and `ending`. A thread owns its connection and its seat's members.
 */
#include "store/pool.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/magic.h"
#include "store/pool_state.h"
#include "telemetry/metrics.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum {
	POOL_MAGIC = 0x504f4f4c,
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000,
	RETRY_NS = 1000000000,
	SPREAD = 5, /* a connection's age ends up to one part of so many sooner */
};

struct pool_thread {
	struct pool *pool;
	int seat;
	struct db *db;
	int64_t old_ns;      /* when the connection is to be renewed */
	int64_t used_ns;     /* when it was last seen to be sound */
	int64_t next_try_ns; /* not before then is a lost connection tried again */
	pthread_cond_t called;
	pthread_t id;
	bool to_join;
};

struct pool {
	unsigned magic;
	struct pool_config config;

	pthread_mutex_t lock;
	struct pool_state state;
	pthread_cond_t alarm;
	int64_t alarm_ns;
	pthread_t keeper;
	bool has_keeper;
	bool ending; /* the keeper is not needed any more */

	struct pool_thread threads[]; /* by seat */
};

static unsigned open_seats(const struct pool_state *s)
{
	return s->count[SEAT_AWAKE] + s->count[SEAT_BUSY] + s->count[SEAT_IDLE];
}

/* With the lock, when the state may have changed. */
static void show(struct pool *p)
{
	const struct pool_state *s = &p->state;
	struct metrics *m = p->config.metrics;

	metrics_set(m, METRIC_store_connections_open, open_seats(s));
	metrics_set(m, METRIC_store_connections_busy, s->count[SEAT_BUSY]);
	metrics_set(m, METRIC_store_calls_waiting, s->queued);
}

static void wait_until(struct pool *p, pthread_cond_t *cond, int64_t until_ns)
{
	struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};

	if (until_ns == INT64_MAX)
		pthread_cond_wait(cond, &p->lock);
	else
		pthread_cond_timedwait(cond, &p->lock, &until);
}

static void count_wait(struct pool *p, const struct task *t)
{
	metrics_observe_ns(p->config.metrics, METRIC_store_connection_wait_seconds, clock_mono_ns() - t->queued_ns);
}

/* ---- a connection ---- */

static void note_new(struct pool_thread *t)
{
	const struct pool_limits *l = &t->pool->config.limits;
	int64_t age_ns = l->recycle_ms * NS_PER_MS;

	t->used_ns = clock_mono_ns();
	t->old_ns = t->used_ns + age_ns - age_ns / SPREAD * t->seat / (l->size + l->overflow);
}

static void look(struct pool_thread *t)
{
	int64_t rested_ns = clock_mono_ns() - t->used_ns;

	if (rested_ns >= t->pool->config.limits.check_ms * NS_PER_MS)
		db_check(t->db);
}

/* A store that is down is not asked again for each task. */
static enum err renew(struct pool_thread *t)
{
	struct problem why = {0};
	enum err e;

	if (clock_mono_ns() < t->next_try_ns)
		return ERR_STORE_UNAVAILABLE;
	e = db_reconnect(t->db, &why);
	if (e == OK) {
		note_new(t);
		return OK;
	}
	t->next_try_ns = clock_mono_ns() + RETRY_NS;
	LOG_W("store.unreachable", "store=%s detail=%s", store_name(t->pool->config.store), why.detail);
	return e;
}

static enum err see_to_connection(struct pool_thread *t)
{
	bool lost;
	enum err e;

	if (!t->db)
		return OK;
	look(t);
	lost = db_lost(t->db);
	if (!lost && clock_mono_ns() < t->old_ns)
		return OK;
	e = renew(t);
	if (e == OK && lost)
		LOG_I("store.reconnected", "store=%s", store_name(t->pool->config.store));
	if (!lost)
		metrics_add(t->pool->config.metrics, METRIC_store_connections_recycled_total, 1);
	return e;
}

static enum err open_connection(struct pool_thread *t, struct problem *why)
{
	const struct pool_config *config = &t->pool->config;
	enum err e = config->store ? store_connect(config->store, config->mode, &t->db, why) : OK;

	note_new(t);
	return e;
}

/* ---- its thread ---- */

/* Rests until there is a task; false when the thread is to end. */
static bool await_task(struct pool_thread *t)
{
	struct pool *p = t->pool;
	struct pool_state *s = &p->state;
	bool stays = true;

	pthread_mutex_lock(&p->lock);
	if (pool_state_rest(s, t->seat, clock_mono_ns())) {
		show(p);
		while (stays && s->seats[t->seat].state == SEAT_IDLE) {
			stays = !s->stopping && !pool_state_leave(s, t->seat, clock_mono_ns());
			if (stays)
				wait_until(p, &t->called, pool_state_leave_ns(s, t->seat));
		}
	}
	show(p);
	pthread_mutex_unlock(&p->lock);
	return stays;
}

static struct task *take(struct pool_thread *t)
{
	struct pool *p = t->pool;
	struct task *task;

	pthread_mutex_lock(&p->lock);
	task = pool_state_take(&p->state, t->seat);
	show(p);
	pthread_mutex_unlock(&p->lock);
	if (task)
		count_wait(p, task);
	return task;
}

static void run_next(struct pool_thread *t)
{
	const struct pool_config *config = &t->pool->config;
	enum err e = see_to_connection(t);
	struct task *task = take(t);

	if (!task)
		return;
	config->run(config->ctx, task, e == OK ? t->db : NULL, e);
	if (t->db)
		db_rollback(t->db); /* what a task left open */
	if (e == OK)
		t->used_ns = clock_mono_ns();
}

static void *work(void *arg)
{
	struct pool_thread *t = arg;

	while (await_task(t))
		run_next(t);
	db_close(&t->db);
	return NULL;
}

static bool arrive(struct pool_thread *t, bool good)
{
	struct pool *p = t->pool;

	pthread_mutex_lock(&p->lock);
	good = pool_state_opened(&p->state, t->seat, clock_mono_ns(), good);
	show(p);
	if (!good)
		pthread_cond_signal(&p->alarm);
	pthread_mutex_unlock(&p->lock);
	return good;
}

static void *open_and_work(void *arg)
{
	struct pool_thread *t = arg;
	struct problem why = {0};
	enum err e = open_connection(t, &why);

	if (e != OK)
		LOG_W("store.unreachable", "store=%s detail=%s", store_name(t->pool->config.store), why.detail);
	if (!arrive(t, e == OK))
		return NULL;
	run_next(t);
	return work(t);
}

static int start_thread(struct pool_thread *t, void *main(void *))
{
	int failed;

	if (t->to_join)
		pthread_join(t->id, NULL);
	failed = pthread_create(&t->id, NULL, main, t);
	t->to_join = failed == 0;
	return failed;
}

/* ---- the keeper ---- */

/* Called and returns with the lock. */
static void refuse(struct pool *p, struct task *task)
{
	show(p);
	pthread_mutex_unlock(&p->lock);
	count_wait(p, task);
	metrics_add(p->config.metrics, METRIC_store_connection_timeouts_total, 1);
	p->config.run(p->config.ctx, task, NULL, ERR_OVERLOADED);
	pthread_mutex_lock(&p->lock);
}

static void open_seat(struct pool *p, int seat)
{
	int failed = start_thread(&p->threads[seat], open_and_work);

	if (!failed)
		return;
	LOG_W("store.no_thread", "detail=%s", strerror(failed));
	pool_state_opened(&p->state, seat, clock_mono_ns(), false);
}

static void *keep(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->ending) {
		int64_t now_ns = clock_mono_ns();
		struct task *late = pool_state_overdue(&p->state, now_ns);
		int seat = late ? SEAT_NONE : pool_state_open(&p->state, now_ns);

		if (late) {
			refuse(p, late);
		} else if (seat != SEAT_NONE) {
			open_seat(p, seat);
		} else {
			p->alarm_ns = pool_state_due_ns(&p->state);
			wait_until(p, &p->alarm, p->alarm_ns);
		}
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- life ---- */

static enum err start(struct pool *p, struct problem *why)
{
	enum err e = open_connection(&p->threads[0], why);
	int failed;

	if (e != OK)
		return e;
	failed = start_thread(&p->threads[0], work);
	if (!failed) {
		failed = pthread_create(&p->keeper, NULL, keep, p);
		p->has_keeper = !failed;
	}
	return failed ? problem_set(why, ERR_OVERLOADED, "no thread could be started: %s", strerror(failed)) : OK;
}

static unsigned seats_of(const struct pool *p)
{
	return p->config.limits.size + p->config.limits.overflow;
}

enum err pool_new(const struct pool_config *config, struct pool **out, struct problem *why)
{
	unsigned seats = config->limits.size + config->limits.overflow;
	struct pool *p = must_alloc(sizeof(*p) + seats * sizeof(p->threads[0]));
	enum err e;

	p->magic = POOL_MAGIC;
	p->config = *config;
	p->alarm_ns = INT64_MAX;
	pool_state_init(&p->state, &config->limits);
	pthread_mutex_init(&p->lock, NULL);
	cond_mono_init(&p->alarm);
	for (unsigned i = 0; i < seats; i++) {
		p->threads[i].pool = p;
		p->threads[i].seat = (int)i;
		cond_mono_init(&p->threads[i].called);
	}
	e = start(p, why);
	if (e != OK)
		pool_destroy(&p);
	*out = p;
	return e;
}

enum err pool_post(struct pool *p, struct task *t)
{
	int call;
	enum err e;

	CHECK_OBJ(p, POOL_MAGIC);
	pthread_mutex_lock(&p->lock);
	e = pool_state_post(&p->state, clock_mono_ns(), t, &call);
	show(p);
	if (call != SEAT_NONE)
		pthread_cond_signal(&p->threads[call].called);
	if (pool_state_due_ns(&p->state) < p->alarm_ns)
		pthread_cond_signal(&p->alarm);
	pthread_mutex_unlock(&p->lock);
	return e;
}

unsigned pool_connections(struct pool *p)
{
	unsigned n;

	CHECK_OBJ(p, POOL_MAGIC);
	pthread_mutex_lock(&p->lock);
	n = open_seats(&p->state);
	pthread_mutex_unlock(&p->lock);
	return n;
}

static void join_threads(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->state.stopping = true;
	for (unsigned i = 0; i < seats_of(p); i++)
		pthread_cond_signal(&p->threads[i].called);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < seats_of(p); i++)
		if (p->threads[i].to_join)
			pthread_join(p->threads[i].id, NULL);
}

static void join_keeper(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_signal(&p->alarm);
	pthread_mutex_unlock(&p->lock);
	if (p->has_keeper)
		pthread_join(p->keeper, NULL);
}

void pool_destroy(struct pool **p)
{
	struct pool *ending = *p;

	if (!ending)
		return;
	CHECK_OBJ(ending, POOL_MAGIC);
	join_threads(ending);
	join_keeper(ending);
	for (unsigned i = 0; i < seats_of(ending); i++)
		pthread_cond_destroy(&ending->threads[i].called);
	pthread_cond_destroy(&ending->alarm);
	pthread_mutex_destroy(&ending->lock);
	pool_state_free(&ending->state);
	db_close(&ending->threads[0].db); /* of a pool that did not get as far as its thread */
	ending->magic = 0;
	free(ending);
	*p = NULL;
}
