/*
 * `lock` guards the queue. While there is something in it, the gather's own task is with the pool, or a thread of the
 * pool is in gather_run(); the batch belongs to that thread.
 */
#include "store/gather.h"

#include "base/arena.h"
#include "base/magic.h"
#include "store/transaction.h"

#include <pthread.h>
#include <stdlib.h>

enum { GATHER_MAGIC = 0x67617468, TRIES = 4, ARENA_BYTES = 1 << 16 };

struct entry {
	struct task *task;
	int64_t key;
	uint32_t order;
	enum err outcome;
};

struct gather {
	unsigned magic;
	struct gather_config config;
	struct task task; /* what the pool is given */
	struct arena *arena;

	pthread_mutex_t lock;
	struct task *first, **last;
	uint32_t queued;
	bool posted;

	struct task **tasks; /* for write_all: those of the batch, … */
	enum err *outcomes;  /* … and what became of each */
	uint32_t count;      /* of the batch */
	struct entry batch[];
};

struct gather *gather_new(const struct gather_config *config)
{
	struct gather *g = must_alloc(sizeof(*g) + config->batch_max * sizeof(g->batch[0]));

	CHECK(config->batch_max > 0 && config->queue_max > 0);
	g->magic = GATHER_MAGIC;
	g->config = *config;
	g->task = (struct task){.cost = 1, .share = 1, .kind = config->kind};
	g->arena = arena_new(ARENA_BYTES);
	g->tasks = must_alloc(config->batch_max * sizeof(struct task *));
	g->outcomes = must_alloc(config->batch_max * sizeof(g->outcomes[0]));
	g->last = &g->first;
	pthread_mutex_init(&g->lock, NULL);
	return g;
}

void gather_destroy(struct gather **g)
{
	if (!*g)
		return;
	CHECK_OBJ(*g, GATHER_MAGIC);
	CHECK(!(*g)->first);
	(*g)->magic = 0;
	arena_destroy(&(*g)->arena);
	free((*g)->tasks);
	free((*g)->outcomes);
	pthread_mutex_destroy(&(*g)->lock);
	free(*g);
	*g = NULL;
}

static void append(struct gather *g, struct task *t)
{
	t->next = NULL;
	*g->last = t;
	g->last = &t->next;
	g->queued++;
}

enum err gather_post(struct gather *g, struct task *t)
{
	enum err e = OK;

	CHECK_OBJ(g, GATHER_MAGIC);
	pthread_mutex_lock(&g->lock);
	if (g->queued == g->config.queue_max)
		e = ERR_OVERLOADED;
	else if (!g->posted)
		e = pool_post(g->config.pool, &g->task);
	if (!e) {
		g->posted = true;
		append(g, t);
	}
	pthread_mutex_unlock(&g->lock);
	return e;
}

/* ---- on a thread of the pool ---- */

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void fill_batch(struct gather *g)
{
	g->count = 0;
	pthread_mutex_lock(&g->lock);
	while (g->first && g->count < g->config.batch_max) {
		struct task *t = g->first;

		g->first = t->next;
		g->batch[g->count] = (struct entry){.task = t, .order = g->count};
		g->count++;
	}
	if (!g->first)
		g->last = &g->first;
	g->queued -= g->count;
	pthread_mutex_unlock(&g->lock);
	for (uint32_t i = 0; i < g->count; i++)
		g->batch[i].key = g->config.key(g->batch[i].task);
	qsort(g->batch, g->count, sizeof(g->batch[0]), by_key);
}

static enum err write_at_once(struct gather *g, struct db *db)
{
	enum err e;

	for (uint32_t i = 0; i < g->count; i++)
		g->tasks[i] = g->batch[i].task;
	e = g->config.write_all(g->config.ctx, g->tasks, g->outcomes, g->count, db);
	for (uint32_t i = 0; i < g->count; i++)
		g->batch[i].outcome = g->outcomes[i];
	return e;
}

static enum err write_batch(void *ctx, struct db *db)
{
	struct gather *g = ctx;

	if (g->config.write_all && g->count > 1)
		return write_at_once(g, db);
	for (struct entry *at = g->batch; at < g->batch + g->count; at++)
		at->outcome = g->config.write(g->config.ctx, at->task, db);
	return OK;
}

struct one {
	struct gather *gather;
	struct task *task;
};

static enum err write_one(void *ctx, struct db *db)
{
	struct one *one = ctx;

	return one->gather->config.write(one->gather->config.ctx, one->task, db);
}

static enum err run_one(struct gather *g, struct task *t, struct db *db)
{
	struct one one = {g, t};
	enum err e = ERR_STORE_BUSY;

	for (int i = 0; i < TRIES && e == ERR_STORE_BUSY; i++)
		e = transaction_run(db, g->arena, write_one, &one);
	return e;
}

static void run_batch(struct gather *g, struct db *db, enum err why)
{
	enum err e = db ? transaction_run(db, g->arena, write_batch, g) : why;

	for (struct entry *at = g->batch; e && at < g->batch + g->count; at++)
		at->outcome = !db || transaction_store_fault(e) ? e : run_one(g, at->task, db);
	arena_reset(g->arena);
}

/* Whether to go on here: a successor is posted, unless the pool takes no more. */
static bool go_on(struct gather *g)
{
	bool here = false;

	pthread_mutex_lock(&g->lock);
	if (!g->first)
		g->posted = false;
	else
		here = pool_post(g->config.pool, &g->task) != OK;
	pthread_mutex_unlock(&g->lock);
	return here;
}

void gather_run(struct task *posted, struct db *db, enum err why)
{
	struct gather *g = CONTAINER_OF(posted, struct gather, task);

	CHECK_OBJ(g, GATHER_MAGIC);
	do {
		fill_batch(g);
		run_batch(g, db, why);
		for (struct entry *at = g->batch; at < g->batch + g->count; at++)
			g->config.end(g->config.ctx, at->task, at->outcome);
	} while (go_on(g));
}
