/*
 * Calls on the pools' threads: READ (also on those of replicas), the second half of SLOT_READ, and on PostgreSQL WRITE,
 * each in a transaction of its own, and BULK, many in one; COMPUTE, which needs no store. Also what streams read from
 * the store.
 */
#include "api/api.h"
#include "api/idempotency.h"
#include "api/identify.h"
#include "api/reads.h"
#include "api/runner.h"

#include "store/gather.h"
#include "store/transaction.h"
#include "telemetry/metrics.h"

#include <string.h>

enum { RUNS_MAX = 4, BULK_MAX = 1000, BULK_QUEUE_MAX = 20000 };

static void reset_for_run(struct call *c, struct db *db)
{
	call_forget_hooks(c);
	c->db = db;
	c->now_ms = clock_now_ms(call_app(c)->clock);
	problem_clear(&c->problem);
	c->status = 0;
	c->verdict = OK;
	c->etag = (struct str){0};
	c->is_public = false;
	memset(c->out, 0, c->route->out->size);
}

static enum err run_handler(struct call *c)
{
	return api_handlers[c->route - spec_routes](c, c->in, c->out);
}

/* As run_idempotent of the queue's thread, but the row is written at once: two calls with one key meet at its
 * primary key, and the second is run again and finds the answer of the first. */
static enum err run_idempotent(struct call *c)
{
	struct idempotency i;
	idempotency_of(c, &i);
	struct id_row id = {.id = i.id};
	struct idempotency_row row;
	enum err err = q_idempotency_get(c->db, &id, c->arena, &row);
	if (!err)
		err = idempotency_match(c, &i, &row);
	if (!err)
		return idempotency_replay(c, &row);
	if (err != ERR_NOT_FOUND)
		return err;
	err = q_idempotency_delete(c->db, &id, 1);
	if (!err)
		err = run_handler(c);
	if (err)
		return err;
	row = idempotency_row_of(c, &i);
	return q_idempotency_insert(c->db, &row, 1);
}

static enum err write_once(void *ctx, struct db *db)
{
	struct call *c = ctx;
	(void)db;
	return idempotency_wanted(c) ? run_idempotent(c) : run_handler(c);
}

static void write_ended(struct call *c, enum err outcome)
{
	c->outcome = outcome;
	runner_end_write(c, c->db);
}

static void run_write(struct call *c, struct db *db)
{
	enum err err = ERR_STORE_BUSY;
	for (int run = 0; run < RUNS_MAX && err == ERR_STORE_BUSY; run++) {
		reset_for_run(c, db);
		err = transaction_run(db, c->arena, write_once, c);
		if (err == ERR_ALREADY_EXISTS && c->problem.err == OK) /* the key's row, not the handler's word */
			err = ERR_STORE_BUSY;
	}
	write_ended(c, err);
}

static void run_read(struct call *c, struct db *db)
{
	http_handler_fn *second = api_second_halves[c->route - spec_routes];
	c->db = db;
	if (!second)
		c->now_ms = clock_now_ms(call_app(c)->clock);
	c->outcome = second ? second(c, c->in, c->out) : run_handler(c);
}

/* What a call ends with is an answer of its own, or the store's failure. */
static bool is_store_failure(enum err err)
{
	return err == ERR_STORE_UNAVAILABLE || err == ERR_STORE_FULL || err == ERR_STORE_BUSY ||
	       err == ERR_OUTCOME_UNKNOWN || err == ERR_INTERNAL;
}

static void count_failure(struct app *app, enum err err)
{
	if (is_store_failure(err))
		metrics_add_at(app->metrics, METRIC_store_errors_total, (unsigned)err, 0, 1);
}

bool runner_read_replica(struct call *c, struct db *db)
{
	run_read(c, db);
	if (is_store_failure(c->outcome)) {
		reset_for_run(c, NULL);
		return false;
	}
	http_finish(c);
	return true;
}

static enum err run_chore_once(struct app *app, struct chore *chore, struct db *db)
{
	enum err err = db_begin(db);
	if (!err)
		err = chore->run(chore, db, clock_now_ms(app->clock));
	if (!err)
		err = db_commit(db);
	if (err)
		db_rollback(db);
	return err;
}

static void run_chore(struct app *app, struct chore *chore, struct db *db, enum err why)
{
	enum err err = db ? ERR_STORE_BUSY : why;
	for (int run = 0; db && run < RUNS_MAX && err == ERR_STORE_BUSY; run++)
		err = run_chore_once(app, chore, db);
	count_failure(app, err);
	chore->done(chore, err);
}

void runner_pool_run(void *ctx, struct task *t, struct db *db, enum err why)
{
	if (t->kind == TASK_CHORE) {
		run_chore(ctx, CONTAINER_OF(t, struct chore, task), db, why);
		return;
	}
	if (t->kind == TASK_GATHER) {
		gather_run(t, db, why);
		return;
	}
	struct call *c = CONTAINER_OF(t, struct call, task);
	CHECK_OBJ(c, CALL_MAGIC);
	if (t->kind == TASK_IDENTIFY) {
		identify_run(c, db, why);
		return;
	}
	if (c->stream) {
		count_failure(call_app(c), c->stream->fetch(c->stream_state, db, why));
		http_fetched(c);
		return;
	}
	if (!db)
		c->outcome = why;
	else if (c->route->runs == RUNS_WRITE || c->route->runs == RUNS_HASH_WRITE)
		run_write(c, db);
	else
		run_read(c, db);
	count_failure(call_app(c), c->outcome);
	http_finish(c);
}

/* ---- BULK on PostgreSQL: the calls of a route in one transaction ---- */

static int64_t bulk_key(const struct task *t)
{
	const struct call *c = CONTAINER_OF((struct task *)(uintptr_t)t, struct call, task);
	return api_bulks[c->route - spec_routes].key(c);
}

static enum err bulk_write(void *ctx, struct task *t, struct db *db)
{
	struct call *c = CONTAINER_OF(t, struct call, task);
	(void)ctx;
	CHECK_OBJ(c, CALL_MAGIC);
	reset_for_run(c, db);
	return run_handler(c);
}

static enum err bulk_write_all(void *ctx, struct task *const *tasks, enum err *outcomes, uint32_t count,
			       struct db *db)
{
	struct call *calls[BULK_MAX];
	(void)ctx;
	for (uint32_t i = 0; i < count; i++) {
		calls[i] = CONTAINER_OF(tasks[i], struct call, task);
		reset_for_run(calls[i], db);
	}
	return api_bulks[calls[0]->route - spec_routes].all(calls, outcomes, count);
}

static void bulk_end(void *ctx, struct task *t, enum err outcome)
{
	struct call *c = CONTAINER_OF(t, struct call, task);
	write_ended(c, outcome);
	count_failure(ctx, outcome);
	http_finish(c);
}

static struct gather *bulk_new(struct app *app, unsigned route)
{
	CHECK(api_bulks[route].key && !(spec_routes[route].flags & ROUTE_CREATES));
	return gather_new(&(struct gather_config){.pool = app->pool,
						  .kind = TASK_GATHER,
						  .batch_max = BULK_MAX,
						  .queue_max = BULK_QUEUE_MAX,
						  .key = bulk_key,
						  .write = bulk_write,
						  .write_all = api_bulks[route].all ? bulk_write_all : NULL,
						  .end = bulk_end,
						  .ctx = app});
}

void runner_bulk_init(struct app *app)
{
	for (unsigned i = 0; i < ROUTE_COUNT; i++)
		if (spec_routes[i].runs == RUNS_BULK && store_kind(app->store) == STORE_POSTGRES)
			app->bulk[i] = bulk_new(app, i);
}

void runner_bulk_destroy(struct app *app)
{
	for (unsigned i = 0; i < ROUTE_COUNT; i++)
		gather_destroy(&app->bulk[i]);
}

/* Time over a password is spent here, before anything is held that others wait for. */
void runner_hash_run(void *ctx, struct task *t, struct db *db, enum err why)
{
	struct call *c = CONTAINER_OF(t, struct call, task);
	CHECK_OBJ(c, CALL_MAGIC);
	c->db = db;
	c->now_ms = clock_now_ms(call_app(c)->clock);
	enum err err = db ? api_hash_halves[c->route - spec_routes](c, c->in, c->out) : why;
	count_failure(ctx, err);
	if (!err)
		err = runner_post_write(c);
	if (!err)
		return; /* it is that thread's now */
	c->outcome = err;
	http_finish(c);
}

void runner_compute_run(void *ctx, struct task *t, struct db *db, enum err why)
{
	(void)ctx, (void)db;
	struct call *c = CONTAINER_OF(t, struct call, task);
	CHECK_OBJ(c, CALL_MAGIC);
	c->now_ms = clock_now_ms(call_app(c)->clock);
	c->outcome = why ? why : run_handler(c);
	http_finish(c);
}

enum err runner_fetch(struct call *c)
{
	c->task = (struct task){.tenant = c->caller.tenant, .cost = 1, .kind = TASK_CALL};
	return pool_post(call_app(c)->pool, &c->task);
}
