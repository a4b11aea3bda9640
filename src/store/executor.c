/*
 * The executor's thread. See executor.h for its states.
 *
 * Two parts: the inbox (any thread, one lock), from which tasks go to fair.h, and the batch (collect, write,
 * answer). A batch remembers its tasks in order, so that it can be run again one by one when something in it broke
 * the transaction for all.
 */
#include "store/executor.h"

#include "base/cond.h"
#include "base/log.h"
#include "base/magic.h"
#include "store/fair.h"
#include "telemetry/metrics.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum {
	BATCH_TASKS_MAX = 4096,
	RETRY_MS = 1000, /* between tries to become owner, to reconnect, to write to a full disk */
	ASK_AGAIN_MS = 100,
	UNKNOWN_MS = 30000, /* how long the outcome of a commit is asked for */
	IDLE_MS = 60000,
};

struct executor {
	struct executor_config config;
	struct db *db;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* inbox, problem */
	pthread_cond_t filled;
	struct task *inbox, **inbox_tail;
	struct problem problem;

	atomic_bool stopping;
	atomic_uint queued;
	_Atomic enum executor_state state;

	struct fair waiting;

	struct task *batch[BATCH_TASKS_MAX];
	size_t batch_count;
	bool in_transaction;
	bool handlers_write; /* rows of handlers stand in the transaction: it cannot just be written again */
	bool broken;         /* a handler found it impossible to open, or lost: the batch must fail */
	enum err broken_why;
	bool owner;
	int64_t last_try_ms; /* of a write while READ_ONLY, of a connect while FAILING */
	int64_t last_commit_ms;
	bool tried;  /* the batch got as far as the store */
	bool rested; /* idle work was done since the last batch */
};

static int64_t now_ms(struct executor *e)
{
	return clock_now_ms(e->config.clock);
}

static void set_state(struct executor *e, enum executor_state state, const struct problem *why)
{
	pthread_mutex_lock(&e->lock);
	if (why)
		e->problem = *why;
	else
		e->problem = (struct problem){0};
	pthread_mutex_unlock(&e->lock);
	static const char *const names[] = {
		[EXECUTOR_STARTING] = "starting",   [EXECUTOR_STANDBY] = "standby", [EXECUTOR_READY] = "ready",
		[EXECUTOR_READ_ONLY] = "read_only", [EXECUTOR_FAILING] = "failing", [EXECUTOR_STOPPED] = "stopped"};
	if (atomic_exchange(&e->state, state) == state)
		return;
	if (why && why->detail[0])
		LOG_I("executor.state", "state=%s detail=%s", names[state], why->detail);
	else
		LOG_I("executor.state", "state=%s", names[state]);
}

/* ---- inbox ---- */

static void post_locked(struct executor *e, struct task *t)
{
	t->next = NULL;
	bool was_empty = e->inbox == NULL;
	*e->inbox_tail = t;
	e->inbox_tail = &t->next;
	atomic_fetch_add_explicit(&e->queued, 1, memory_order_relaxed);
	if (was_empty)
		pthread_cond_signal(&e->filled);
}

enum err executor_post(struct executor *e, struct task *t)
{
	if (atomic_load_explicit(&e->queued, memory_order_relaxed) >= e->config.queue_max)
		return ERR_OVERLOADED;
	enum err err = OK;
	pthread_mutex_lock(&e->lock);
	if (e->stopping)
		err = ERR_SHUTTING_DOWN;
	else
		post_locked(e, t);
	pthread_mutex_unlock(&e->lock);
	return err;
}

void executor_post_always(struct executor *e, struct task *t)
{
	pthread_mutex_lock(&e->lock);
	bool stopped = atomic_load(&e->state) == EXECUTOR_STOPPED;
	if (!stopped)
		post_locked(e, t);
	pthread_mutex_unlock(&e->lock);
	if (stopped)
		e->config.ops.refuse(e->config.ctx, t, ERR_SHUTTING_DOWN);
}

static struct timespec from_now(int64_t ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Lets time pass, unless it is time to stop. */
static void rest(struct executor *e, int64_t ms)
{
	struct timespec until = from_now(ms);
	pthread_mutex_lock(&e->lock);
	while (!e->stopping && pthread_cond_timedwait(&e->filled, &e->lock, &until) == 0)
		;
	pthread_mutex_unlock(&e->lock);
}

/* Waits until there is a task, or a time has come, or it is time to stop. */
static struct task *inbox_take(struct executor *e, int64_t wait_ms, bool *stopping)
{
	pthread_mutex_lock(&e->lock);
	if (!e->inbox && !e->stopping && wait_ms > 0) {
		struct timespec until = from_now(wait_ms);
		while (!e->inbox && !e->stopping)
			if (pthread_cond_timedwait(&e->filled, &e->lock, &until) != 0)
				break;
	}
	struct task *all = e->inbox;
	e->inbox = NULL;
	e->inbox_tail = &e->inbox;
	*stopping = e->stopping;
	pthread_mutex_unlock(&e->lock);
	return all;
}

static void sort(struct executor *e, struct task *all)
{
	int64_t now = now_ms(e);
	for (struct task *next; all; all = next) {
		next = all->next;
		fair_put(&e->waiting, now, all);
	}
}

static void left_the_queue(struct executor *e, unsigned count)
{
	atomic_fetch_sub_explicit(&e->queued, count, memory_order_relaxed);
}

static void refuse_all(struct executor *e, enum err why)
{
	for (struct task *t; (t = fair_drop(&e->waiting));) {
		left_the_queue(e, 1);
		e->config.ops.refuse(e->config.ctx, t, why);
	}
}

static void fill_batch(struct executor *e)
{
	unsigned whole = 0;
	e->batch_count = fair_take(&e->waiting, now_ms(e), e->batch, BATCH_TASKS_MAX);
	for (size_t i = 0; i < e->batch_count; i++)
		whole += e->batch[i]->share == e->batch[i]->cost;
	left_the_queue(e, whole);
}

/* ---- the transaction of a batch ---- */

static enum err transaction_open(struct executor *e)
{
	enum err err = db_begin(e->db);
	if (err)
		return err;
	e->in_transaction = true;
	return e->config.ops.open(e->config.ctx, e->db);
}

enum err executor_transaction(struct executor *e)
{
	e->handlers_write = true;
	if (e->broken)
		return e->broken_why;
	if (e->in_transaction && db_in_transaction(e->db))
		return OK;
	enum err err = e->in_transaction ? ERR_INTERNAL : transaction_open(e);
	if (err) {
		e->broken = true;
		e->broken_why = err;
	}
	return err;
}

static void transaction_drop(struct executor *e)
{
	if (e->in_transaction)
		db_rollback(e->db);
	e->in_transaction = false;
}

static enum err write_batch(struct executor *e)
{
	enum err err = e->broken ? e->broken_why : e->in_transaction ? OK : transaction_open(e);
	if (!err)
		err = e->config.ops.flush(e->config.ctx, e->db);
	if (!err) {
		int64_t start = clock_mono_ns();
		err = db_commit(e->db);
		e->in_transaction = false;
		metrics_observe_ns(e->config.metrics, METRIC_commit_seconds, clock_mono_ns() - start);
	}
	if (err && err != ERR_OUTCOME_UNKNOWN)
		transaction_drop(e);
	return err;
}

/* The connection was lost during COMMIT: find out, for at most UNKNOWN_MS. */
static enum err find_outcome(struct executor *e)
{
	e->in_transaction = false;
	int64_t give_up_ms = clock_mono_ns() / 1000000 + UNKNOWN_MS;
	LOG_W("executor.outcome_unknown", "asking=true");
	do {
		struct problem p = {0};
		bool committed = false;
		enum err err = db_reconnect(e->db, &p);
		if (!err)
			err = e->config.ops.ask(e->config.ctx, e->db, &committed);
		if (!err) {
			LOG_W("executor.outcome_found", "committed=%d", committed);
			return committed ? OK : ERR_STORE_UNAVAILABLE;
		}
		if (err == ERR_NOT_FOUND) /* deposed meanwhile: the new owner has settled the question */
			return ERR_OUTCOME_UNKNOWN;
		set_state(e, EXECUTOR_FAILING, &p);
		rest(e, ASK_AGAIN_MS);
	} while (clock_mono_ns() / 1000000 < give_up_ms && !e->stopping);
	return ERR_OUTCOME_UNKNOWN;
}

/* ---- batches ---- */

/* Is the store as a whole at fault, so that running the tasks one by one would not help? */
static bool is_store_fault(enum err err)
{
	return err == ERR_STORE_FULL || err == ERR_STORE_UNAVAILABLE || err == ERR_OUTCOME_UNKNOWN ||
	       err == ERR_NOT_FOUND;
}

static void lose_ownership(struct executor *e, enum executor_state state, const struct problem *p)
{
	e->owner = false;
	e->config.ops.release(e->config.ctx, NULL);
	set_state(e, state, p);
}

/* Health tells of a failure before anybody is answered with it. */
static void show_failure(struct executor *e, enum err err)
{
	struct problem p = {0};
	if (err == ERR_STORE_FULL) {
		problem_set(&p, err, "%s: reads go on, writes are tried again each second", err_info(err)->title);
		set_state(e, EXECUTOR_READ_ONLY, &p);
	} else if (err == ERR_STORE_UNAVAILABLE || err == ERR_OUTCOME_UNKNOWN) {
		problem_set(&p, err, "%s", err_info(err)->title);
		set_state(e, EXECUTOR_FAILING, &p);
	}
}

/* What it means for the executor itself, when the batch is over. */
static void after_failure(struct executor *e, enum err err)
{
	struct problem p = {0};
	if (err == ERR_STORE_UNAVAILABLE) {
		if (db_reconnect(e->db, &p) == OK)
			set_state(e, EXECUTOR_READY, NULL);
	} else if (err == ERR_NOT_FOUND) {
		problem_set(&p, ERR_STANDBY, "another process has taken the queue over");
		LOG_W("executor.deposed", "detail=%s", p.detail);
		lose_ownership(e, EXECUTOR_STANDBY, &p);
	} else if (err == ERR_OUTCOME_UNKNOWN) {
		problem_set(&p, err, "%s; loading the queue again", err_info(err)->title);
		lose_ownership(e, EXECUTOR_FAILING, &p);
	}
}

static bool is_troubled(const struct executor *e)
{
	enum executor_state state = atomic_load(&e->state);
	return state == EXECUTOR_READ_ONLY || state == EXECUTOR_FAILING;
}

/* While the disk is full or the store gone, a write is tried once a second; the others fail without trying. */
static enum err refused_without_trying(struct executor *e)
{
	enum executor_state state = atomic_load(&e->state);
	if (!is_troubled(e))
		return OK;
	if (now_ms(e) - e->last_try_ms >= RETRY_MS) {
		e->last_try_ms = now_ms(e);
		struct problem p = {0};
		return state == EXECUTOR_FAILING ? db_reconnect(e->db, &p) : OK;
	}
	return state == EXECUTOR_READ_ONLY ? ERR_STORE_FULL : ERR_STORE_UNAVAILABLE;
}

/* A batch without changes is written all the same when the lease of the ownership, which is part of every commit,
 * is due; and in trouble, once a second, to find out whether it is over. */
static bool must_write(struct executor *e)
{
	if (is_troubled(e))
		return now_ms(e) - e->last_try_ms >= RETRY_MS;
	return e->config.renew_ms > 0 && now_ms(e) - e->last_commit_ms >= e->config.renew_ms;
}

static enum err write_and_find_out(struct executor *e)
{
	enum err err = write_batch(e);
	return err == ERR_OUTCOME_UNKNOWN ? find_outcome(e) : err;
}

/* After a failure that is known to have had no effect: what was applied is still in memory, so it can be written
 * once more, over a new connection if the old one is gone. */
static bool may_write_again(struct executor *e, enum err err)
{
	struct problem p = {0};
	if (e->handlers_write || e->broken)
		return false;
	return err == ERR_STORE_BUSY || (err == ERR_STORE_UNAVAILABLE && db_reconnect(e->db, &p) == OK);
}

static enum err settle_batch(struct executor *e)
{
	const struct executor_ops *ops = &e->config.ops;
	if (!e->broken && !e->in_transaction && !ops->dirty(e->config.ctx) && !must_write(e))
		return OK;
	enum err err = refused_without_trying(e);
	if (err) {
		transaction_drop(e);
		return err;
	}
	e->tried = true;
	err = write_and_find_out(e);
	if (may_write_again(e, err))
		err = write_and_find_out(e);
	if (!err) {
		e->last_commit_ms = now_ms(e);
		if (atomic_load(&e->state) != EXECUTOR_READY)
			set_state(e, EXECUTOR_READY, NULL);
	} else {
		e->last_try_ms = now_ms(e);
	}
	return err;
}

static bool run_tasks(struct executor *e, struct task **tasks, size_t count, bool may_rerun);

/* Something in a batch broke it for all: each alone, so that only the culprit fails. */
static void rerun_one_by_one(struct executor *e)
{
	size_t count = e->batch_count;
	LOG_W("executor.rerun", "tasks=%zu", count);
	for (size_t i = 0; i < count; i++) {
		if (e->owner)
			run_tasks(e, &e->batch[i], 1, false);
		else if (e->batch[i]->share == e->batch[i]->cost) /* of the others the rest still waits */
			e->config.ops.refuse(e->config.ctx, e->batch[i], ERR_STANDBY);
	}
}

/* A handler that only read may have been the one to lose the connection, and nobody wrote since. */
static void mend_connection(struct executor *e)
{
	struct problem p = {0};
	if (!db_lost(e->db) || (is_troubled(e) && now_ms(e) - e->last_try_ms < RETRY_MS))
		return;
	e->last_try_ms = now_ms(e);
	if (db_reconnect(e->db, &p) != OK)
		show_failure(e, ERR_STORE_UNAVAILABLE);
}

/* What was changed without the answer of a statement that failed may be wrong, and is not written: a step that could
 * not be told what it was given has not failed. */
static void distrust(struct executor *e)
{
	enum err why = db_take_failure(e->db);
	if (!why || e->broken || !e->config.ops.dirty(e->config.ctx))
		return;
	e->broken = true;
	e->broken_why = why;
}

/* One batch from begin to end; true when timers have more to do. */
static bool run_tasks(struct executor *e, struct task **tasks, size_t count, bool may_rerun)
{
	const struct executor_ops *ops = &e->config.ops;
	void *ctx = e->config.ctx;
	e->broken = e->tried = e->handlers_write = false;
	mend_connection(e);
	db_take_failure(e->db);
	ops->begin(ctx, now_ms(e));
	bool more = may_rerun && ops->tick(ctx);
	for (size_t i = 0; i < count; i++)
		ops->run(ctx, tasks[i], e->db);
	distrust(e);
	enum err err = settle_batch(e);
	bool rerun = err && may_rerun && count > 1 && !is_store_fault(err);
	bool failed = err && !rerun && (e->tried || e->broken);
	if (err)
		metrics_add_at(e->config.metrics, METRIC_store_errors_total, (unsigned)err, 0, 1);
	if (failed) {
		LOG_E("executor.batch_failed", "error=%s tasks=%zu", err_info(err)->code, count);
		show_failure(e, err);
	}
	ops->end(ctx, err, rerun);
	if (failed)
		after_failure(e, err);
	if (rerun)
		rerun_one_by_one(e);
	metrics_add(e->config.metrics, METRIC_batches_total, 1);
	metrics_add(e->config.metrics, METRIC_batch_tasks_total, count);
	return more;
}

/* ---- the thread ---- */

static void try_acquire(struct executor *e)
{
	struct problem p = {0};
	enum err err = e->config.ops.acquire(e->config.ctx, e->db, &p);
	e->last_try_ms = now_ms(e);
	if (!err) {
		e->owner = true;
		e->last_commit_ms = now_ms(e);
		set_state(e, EXECUTOR_READY, NULL);
		return;
	}
	if (err == ERR_STANDBY) {
		set_state(e, EXECUTOR_STANDBY, &p);
		return;
	}
	db_rollback(e->db);
	set_state(e, EXECUTOR_FAILING, &p);
	if (err == ERR_STORE_UNAVAILABLE || err == ERR_OUTCOME_UNKNOWN)
		db_reconnect(e->db, &p);
}

/* Until a write, or becoming the owner, may be tried again. */
static int64_t next_try_ms(struct executor *e)
{
	int64_t since = now_ms(e) - e->last_try_ms;
	return since >= RETRY_MS ? 0 : RETRY_MS - since;
}

/* In trouble what is due waits for the next try: until then nothing could be written of it. */
static int64_t owner_wait_ms(struct executor *e)
{
	if (is_troubled(e))
		return next_try_ms(e);
	int64_t now = now_ms(e), until = now + (e->rested ? IDLE_MS : RETRY_MS);
	int64_t due = e->config.ops.next_due_ms(e->config.ctx);
	if (due < until)
		until = due;
	if (e->config.renew_ms > 0 && e->last_commit_ms + e->config.renew_ms < until)
		until = e->last_commit_ms + e->config.renew_ms;
	return until > now ? until - now : 0;
}

static void upkeep(struct executor *e)
{
	if (!e->rested) {
		malloc_trim(0); /* what a burst took from the system and is free again */
		db_maintain(e->db, true);
		e->config.ops.idle(e->config.ctx, e->db);
		metrics_set(e->config.metrics, METRIC_wal_bytes, (double)db_wal_bytes(e->db));
	}
	e->rested = true;
}

static enum err why_not_owner(struct executor *e)
{
	return atomic_load(&e->state) == EXECUTOR_STANDBY ? ERR_STANDBY : ERR_STORE_UNAVAILABLE;
}

static void turn_as_owner(struct executor *e, bool had_tasks)
{
	fill_batch(e);
	bool due = !is_troubled(e) && e->config.ops.next_due_ms(e->config.ctx) <= now_ms(e);
	if (e->batch_count == 0 && !due && !must_write(e)) {
		if (!had_tasks)
			upkeep(e);
		return;
	}
	if (e->batch_count > 0 || due)
		e->rested = false;
	run_tasks(e, e->batch, e->batch_count, true);
	fair_ran(&e->waiting);
	if (e->owner)
		db_maintain(e->db, false);
}

static void *executor_main(void *arg)
{
	struct executor *e = arg;
	bool stopping = false;
	while (!stopping || !fair_is_empty(&e->waiting)) {
		int64_t wait = !fair_is_empty(&e->waiting) ? 0 : e->owner ? owner_wait_ms(e) : next_try_ms(e);
		struct task *all = inbox_take(e, wait, &stopping);
		sort(e, all);
		if (!e->owner && !stopping && next_try_ms(e) == 0)
			try_acquire(e);
		if (e->owner)
			turn_as_owner(e, all != NULL);
		else
			refuse_all(e, why_not_owner(e));
	}
	if (e->owner)
		e->config.ops.release(e->config.ctx, e->db);
	set_state(e, EXECUTOR_STOPPED, NULL);
	bool ignored;
	sort(e, inbox_take(e, 0, &ignored));
	refuse_all(e, ERR_SHUTTING_DOWN);
	return NULL;
}

/* ---- life ---- */

enum err executor_new(const struct executor_config *config, struct executor **out, struct problem *p)
{
	struct executor *e = NEW(struct executor);
	e->config = *config;
	e->inbox_tail = &e->inbox;
	e->waiting.cost_max = config->batch_cost_max;
	e->last_try_ms = INT64_MIN / 2;
	pthread_mutex_init(&e->lock, NULL);
	cond_mono_init(&e->filled);
	enum err err = store_connect(config->store, DB_WRITE, &e->db, p);
	if (err) {
		executor_destroy(&e);
		return err;
	}
	*out = e;
	return OK;
}

enum err executor_start(struct executor *e, struct problem *p)
{
	if (pthread_create(&e->thread, NULL, executor_main, e) != 0)
		return problem_set(p, ERR_INTERNAL, "no thread for the executor");
	e->running = true;
	return OK;
}

enum executor_state executor_state(const struct executor *e)
{
	return atomic_load(&e->state);
}

uint32_t executor_queued(const struct executor *e)
{
	return atomic_load_explicit(&e->queued, memory_order_relaxed);
}

void executor_detail(struct executor *e, struct problem *out)
{
	pthread_mutex_lock(&e->lock);
	*out = e->problem;
	pthread_mutex_unlock(&e->lock);
}

void executor_stop(struct executor *e)
{
	pthread_mutex_lock(&e->lock);
	atomic_store(&e->stopping, true);
	pthread_cond_signal(&e->filled);
	pthread_mutex_unlock(&e->lock);
	if (e->running) {
		pthread_join(e->thread, NULL);
		e->running = false;
	} else { /* it was never started, or has stopped before and holds nothing */
		bool stopping;
		sort(e, inbox_take(e, 0, &stopping));
		refuse_all(e, ERR_SHUTTING_DOWN);
	}
}

void executor_destroy(struct executor **e)
{
	if (!*e)
		return;
	executor_stop(*e);
	fair_free(&(*e)->waiting);
	db_close(&(*e)->db);
	pthread_cond_destroy(&(*e)->filled);
	pthread_mutex_destroy(&(*e)->lock);
	free(*e);
	*e = NULL;
}
