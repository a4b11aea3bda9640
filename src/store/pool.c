/*
 * One queue, a few threads, a connection each unless there is no store.
 *
 * `lock` guards the queue and `stopping`; everything else is set before the threads start. A thread owns its
 * connection. It looks at it before each task rather than after: one that is not sound is renewed then, so that an
 * idle pool does not try over and over to reach a store that is down.
 */
#include "store/pool.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/magic.h"

#include <pthread.h>
#include <string.h>

enum { POOL_MAGIC = 0x504f4f4c, RETRY_NS = 1000000000 };

struct pool_thread {
	struct pool *pool;
	struct db *db;
	int64_t next_try_ns; /* not before then is a lost connection tried again */
	pthread_t id;
};

struct pool {
	unsigned magic;
	struct store *store;
	enum db_mode mode;
	pool_run_fn *run;
	void *ctx;

	pthread_mutex_t lock;
	pthread_cond_t more;
	struct task *first, **last;
	unsigned queued, queue_max;
	bool stopping;

	unsigned thread_count;
	struct pool_thread threads[];
};

/* Waits for a task; NULL when the pool is stopping and nothing is left. */
static struct task *take(struct pool *p)
{
	struct task *t;

	pthread_mutex_lock(&p->lock);
	while (!p->first && !p->stopping)
		pthread_cond_wait(&p->more, &p->lock);
	t = p->first;
	if (t) {
		p->first = t->next;
		if (!p->first)
			p->last = &p->first;
		p->queued--;
		t->next = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	return t;
}

/* A store that is down is not asked again for each task. */
static enum err renew(struct pool_thread *t)
{
	struct problem why = {0};
	enum err e;

	if (!t->pool->store || !db_lost(t->db))
		return OK;
	if (clock_mono_ns() < t->next_try_ns)
		return ERR_STORE_UNAVAILABLE;
	e = db_reconnect(t->db, &why);
	t->next_try_ns = e ? clock_mono_ns() + RETRY_NS : 0;
	if (e == OK)
		LOG_I("store.reconnected", "store=%s", store_name(t->pool->store));
	else
		LOG_W("store.unreachable", "store=%s detail=%s", store_name(t->pool->store), why.detail);
	return e;
}

static void *work(void *arg)
{
	struct pool_thread *t = arg;
	struct task *task;

	while ((task = take(t->pool))) {
		enum err e = renew(t);

		t->pool->run(t->pool->ctx, task, e == OK ? t->db : NULL, e);
		if (t->db)
			db_rollback(t->db); /* what a task left open */
	}
	return NULL;
}

static enum err start_thread(struct pool *p, struct problem *why)
{
	struct pool_thread *t = &p->threads[p->thread_count];
	enum err e = p->store ? store_connect(p->store, p->mode, &t->db, why) : OK;
	int failed;

	if (e != OK)
		return e;
	t->pool = p;
	failed = pthread_create(&t->id, NULL, work, t);
	if (failed) {
		db_close(&t->db);
		return problem_set(why, ERR_OVERLOADED, "no thread could be started: %s", strerror(failed));
	}
	p->thread_count++;
	return OK;
}

enum err pool_new(struct store *s, enum db_mode mode, unsigned threads, unsigned queue_max, pool_run_fn *run,
		  void *ctx, struct pool **out, struct problem *p)
{
	struct pool *pool = must_alloc(sizeof(*pool) + threads * sizeof(pool->threads[0]));
	enum err e = OK;

	CHECK(threads > 0 && queue_max > 0);
	pool->magic = POOL_MAGIC;
	pool->store = s;
	pool->mode = mode;
	pool->run = run;
	pool->ctx = ctx;
	pool->queue_max = queue_max;
	pool->last = &pool->first;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	for (unsigned i = 0; e == OK && i < threads; i++)
		e = start_thread(pool, p);
	if (e != OK)
		pool_destroy(&pool);
	*out = pool;
	return e;
}

enum err pool_post(struct pool *p, struct task *t)
{
	enum err e = OK;

	CHECK_OBJ(p, POOL_MAGIC);
	pthread_mutex_lock(&p->lock);
	if (p->stopping)
		e = ERR_SHUTTING_DOWN;
	else if (p->queued == p->queue_max)
		e = ERR_OVERLOADED;
	if (e == OK) {
		t->next = NULL;
		*p->last = t;
		p->last = &t->next;
		p->queued++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	return e;
}

static void stop(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->thread_count; i++) {
		pthread_join(p->threads[i].id, NULL);
		db_close(&p->threads[i].db);
	}
}

void pool_destroy(struct pool **p)
{
	struct pool *ending = *p;

	if (!ending)
		return;
	CHECK_OBJ(ending, POOL_MAGIC);
	stop(ending);
	ending->magic = 0;
	pthread_cond_destroy(&ending->more);
	pthread_mutex_destroy(&ending->lock);
	free(ending);
	*p = NULL;
}
