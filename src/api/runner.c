/*
 * See runner.h. The life of a SLOT call here:
 *
 *   dispatch ──► run ──► handler ──OK or error──► done (finished when the batch ends)
 *                  │        └──► parked ──served, timed out, hung up──► done
 *                  └─ same Idempotency-Key is being worked on ──► following ──► run again when that one is done
 *
 * One that does something for each of many items may be run in parts, a batch for each. It answers for its items
 * one by one: what a part could not do is said of that part's items.
 */
#include "api/runner_priv.h"

#include "api/accounts.h"
#include "api/api.h"
#include "api/execution_told.h"
#include "api/forward.h"
#include "api/hook_work.h"
#include "api/reads.h"
#include "api/scaling.h"
#include "jobs/jobs.h"
#include "store/gather.h"
#include "telemetry/metrics.h"

#include <string.h>

enum { TIMERS_PER_BATCH = 1000 };

struct runner *runner_new(struct app *app)
{
	struct runner *r = NEW(struct runner);
	r->app = app;
	return r;
}

void runner_destroy(struct runner **r)
{
	if (!*r)
		return;
	VEC_FREE(&(*r)->done);
	VEC_FREE(&(*r)->served);
	VEC_FREE(&(*r)->jobs);
	VEC_FREE(&(*r)->chores);
	VEC_FREE(&(*r)->parts);
	VEC_FREE(&(*r)->leaders);
	VEC_FREE(&(*r)->unclaimed);
	VEC_FREE(&(*r)->followers);
	map_free(&(*r)->parked);
	map_free(&(*r)->waiting_by_key);
	map_free(&(*r)->staged);
	free(*r);
	*r = NULL;
}

/* ---- from the loops ---- */

/* Items of a call that does something for each of them on its own; 0 for other calls. */
static size_t each_count(const struct call *c)
{
	switch (c->route - spec_routes) {
	case ROUTE_work_batch:
		return ((const struct work_batch_in *)c->in)->items_count;
	case ROUTE_work_settle:
		return ((const struct work_settle_in *)c->in)->items_count;
	case ROUTE_work_extend:
		return ((const struct work_extend_in *)c->in)->items_count;
	default:
		return 0;
	}
}

/* An answer that is stored under a key is stored with its effect, so the effect is one. */
static struct task task_of(const struct call *c)
{
	struct task t = {.tenant = c->caller.tenant, .cost = 1, .kind = TASK_CALL};
	size_t each = each_count(c);
	if (each > 1) {
		t.cost = (uint32_t)each;
		t.divisible = !idempotency_wanted(c);
	} else if (c->route == &spec_routes[ROUTE_work_claim]) {
		t.cost = (uint32_t)((const struct work_claim_in *)c->in)->max;
	} else if (c->route == &spec_routes[ROUTE_agent_batch]) {
		size_t agents = ((const struct agent_batch_in *)c->in)->items_count;
		t.cost = agents ? (uint32_t)agents : 1;
	}
	t.share = t.cost;
	return t;
}

static enum err to_the_owner(struct call *c)
{
	bool elsewhere = false;
	enum err err = call_app(c)->forward ? forward_wanted(c, &elsewhere) : OK;
	if (err)
		return err;
	return elsewhere ? forward_call(c) : executor_post(call_app(c)->executor, &c->task);
}

void runner_owner(void *ctx, struct str url, int64_t epoch)
{
	struct app *app = ctx;
	atomic_store(&app->epoch, url.n ? 0 : epoch);
	if (app->forward)
		forward_owner(app->forward, url, epoch);
	if (!url.n)
		hook_work_wake(app->hook_work);
}

bool runner_wants_tail(void *ctx)
{
	struct app *app = ctx;
	return atomic_load(&app->listeners) > 0 && atomic_load(&app->epoch) == 0;
}

enum err runner_post_write(struct call *c)
{
	struct app *app = call_app(c);
	return store_kind(app->store) == STORE_SQLITE ? executor_post(app->executor, &c->task)
						      : pool_post(app->pool, &c->task);
}

enum err runner_dispatch(struct call *c)
{
	struct app *app = call_app(c);
	enum err err;
	if (atomic_load_explicit(&app->stopping, memory_order_relaxed))
		return ERR_SHUTTING_DOWN;
	c->number = atomic_fetch_add_explicit(&app->calls, 1, memory_order_relaxed) + 1;
	c->task = task_of(c);
	switch (c->route->runs) {
	case RUNS_SLOT:
	case RUNS_SLOT_READ:
	case RUNS_SLOT_WRITE:
		return to_the_owner(c);
	case RUNS_WRITE:
		return runner_post_write(c);
	case RUNS_HASH_WRITE:
		err = account_admit(c);
		return err ? err : pool_post(app->hashing, &c->task);
	case RUNS_BULK:
		if (store_kind(app->store) == STORE_SQLITE)
			return executor_post(app->executor, &c->task);
		return gather_post(app->bulk[c->route - spec_routes], &c->task);
	case RUNS_READ:
		return reads_dispatch(c);
	case RUNS_CACHED: /* what is kept comes from the primary */
		return pool_post(app->pool, &c->task);
	case RUNS_COMPUTE:
		return pool_post(app->compute, &c->task);
	case RUNS_STREAM: /* one that looks first */
		return pool_post(app->pool, &c->task);
	case RUNS_HERE:
		break;
	}
	UNREACHABLE();
}

void runner_post(struct app *app, struct job *job)
{
	job->app = app;
	job->task.cost = job->task.share = 1;
	job->task.kind = TASK_JOB;
	executor_post_always(app->executor, &job->task);
}

void runner_post_chore(void *ctx, struct chore *chore)
{
	struct app *app = ctx;
	chore->task = (struct task){.cost = 1, .share = 1, .kind = TASK_CHORE};
	if (chore->on_queue || store_kind(app->store) == STORE_SQLITE) {
		executor_post_always(app->executor, &chore->task);
		return;
	}
	enum err refused = pool_post(app->pool, &chore->task);
	if (refused)
		chore->done(chore, refused);
}

/* ---- calls on the queue's thread ---- */

struct part runner_part(const struct call *c)
{
	size_t from = each_count(c) - c->task.cost;
	return (struct part){.from = from, .to = from + c->task.share, .refused = c->refused};
}

static bool is_begun(const struct call *c)
{
	return c->task.divisible && c->task.cost < each_count(c);
}

static bool is_last_part(const struct call *c)
{
	return c->task.share == c->task.cost;
}

static enum err run_handler(struct call *c)
{
	return api_handlers[c->route - spec_routes](c, c->in, c->out);
}

/* What writes rows itself shares the batch's transaction, under a savepoint of its own. */
static enum err begin_write(struct app *app, struct db *db)
{
	enum err err = executor_transaction(app->executor);
	return err ? err : db_savepoint(db);
}

/* A savepoint that cannot be released is undone too, so that the next one finds none open. */
static enum err end_write(struct db *db, enum err outcome)
{
	enum err err = outcome ? outcome : db_savepoint_release(db);
	if (err)
		(void)db_savepoint_undo(db); /* if that fails, so does the transaction, by what doomed it */
	return err;
}

static enum err run_write(struct call *c)
{
	enum err err = begin_write(call_app(c), c->db);
	return err ? err : end_write(c->db, run_handler(c));
}

static void run_chore(struct runner *r, struct chore *chore, struct db *db)
{
	*VEC_PUSH(&r->chores) = chore;
	chore->outcome = begin_write(r->app, db);
	if (!chore->outcome)
		chore->outcome = end_write(db, chore->run(chore, db, r->app->persist->now_ms));
}

static enum err run_once(struct call *c)
{
	switch (c->route->runs) {
	case RUNS_WRITE:
	case RUNS_HASH_WRITE:
	case RUNS_BULK:
	case RUNS_SLOT_WRITE:
		return run_write(c);
	case RUNS_SLOT:
	case RUNS_SLOT_READ:
		return run_handler(c);
	case RUNS_HERE:
	case RUNS_READ:
	case RUNS_CACHED:
	case RUNS_COMPUTE:
	case RUNS_STREAM:
		break;
	}
	UNREACHABLE();
}

/* The row of this key, of this batch or the store's. */
static enum err find_answer(struct runner *r, struct call *c, int64_t id, struct idempotency_row *row)
{
	struct persist *p = r->app->persist;
	uintptr_t staged = (uintptr_t)map_get(&r->staged, (uint64_t)id);
	if (staged) {
		*row = p->idempotency.v[staged - 1];
		return OK;
	}
	struct id_row in = {.id = id};
	return q_idempotency_get(c->db, &in, c->arena, row);
}

void runner_stage_answer(struct runner *r, struct call *c, const struct idempotency *i)
{
	struct persist *p = r->app->persist;
	*VEC_PUSH(&p->idempotency) = idempotency_row_of(c, i);
	map_put(&r->staged, (uint64_t)i->id, (void *)(uintptr_t)p->idempotency.n);
}

static enum err run_idempotent(struct runner *r, struct call *c)
{
	struct idempotency i;
	idempotency_of(c, &i);
	struct call *leader = parking_leader_of(r, i.id);
	if (leader) {
		parking_follow(r, c, leader, i.id);
		return OK;
	}
	struct idempotency_row row;
	enum err err = find_answer(r, c, i.id, &row);
	if (!err)
		err = idempotency_match(c, &i, &row);
	else if (err != ERR_NOT_FOUND)
		return err;
	if (!err)
		return idempotency_replay(c, &row);
	if (err != ERR_NOT_FOUND)
		return err;
	*VEC_PUSH(&r->app->persist->idempotency_expired) = (struct id_row){.id = i.id};
	err = run_once(c);
	if (c->wait == CALL_PARKED)
		parking_lead(r, c, i.id);
	else if (!err)
		runner_stage_answer(r, c, &i);
	return err;
}

void runner_end_write(struct call *c, struct db *db)
{
	if (c->outcome) {
		call_forget_hooks(c);
		return;
	}
	call_run_hooks(c);
	reads_committed(c, db);
	c->outcome = c->verdict;
}

void runner_done(struct runner *r, struct call *c, enum err outcome)
{
	c->outcome = outcome;
	c->wait = CALL_DONE;
	*VEC_PUSH(&r->done) = c;
}

static void reset_for_run(struct call *c, struct db *db, int64_t now_ms)
{
	call_forget_hooks(c);
	c->db = db;
	c->now_ms = now_ms;
	problem_clear(&c->problem);
	c->wait = CALL_RUNNING;
	c->status = 0;
	c->verdict = OK;
	c->replayed = false;
	c->ready_json = c->etag = (struct str){0};
	c->is_public = false;
	if (!is_begun(c))
		memset(c->out, 0, c->route->out->size);
}

static void run_call(struct runner *r, struct call *c, struct db *db)
{
	reset_for_run(c, db, r->app->persist->now_ms);
	bool gone = call_is_gone(c);
	enum err err = ERR_SHUTTING_DOWN; /* nobody reads it */
	if (!gone)
		err = idempotency_wanted(c) ? run_idempotent(r, c) : run_once(c);
	if (!is_last_part(c) || (is_begun(c) && !gone))
		*VEC_PUSH(&r->parts) = c;
	if (is_last_part(c) && c->wait != CALL_PARKED)
		runner_done(r, c, err);
}

/* A part was not done, but others of the same call were: each of its items says so. */
static void refuse_part(struct call *c, enum err why)
{
	c->refused = why;
	c->outcome = run_handler(c);
	c->refused = OK;
}

static void op_run(void *ctx, struct task *t, struct db *db)
{
	struct runner *r = ctx;
	if (t->kind == TASK_JOB) {
		struct job *job = CONTAINER_OF(t, struct job, task);
		*VEC_PUSH(&r->jobs) = job;
		job->run(job);
	} else if (t->kind == TASK_CHORE) {
		run_chore(r, CONTAINER_OF(t, struct chore, task), db);
	} else {
		struct call *c = CONTAINER_OF(t, struct call, task);
		CHECK_OBJ(c, CALL_MAGIC);
		run_call(r, c, db);
	}
	flow_follow(r->app->flow->flow);
	parking_give_back(r);
}

static void job_free(struct job *job)
{
	if (job->done)
		job->done(job);
	free(job);
}

static void op_refuse(void *ctx, struct task *t, enum err why)
{
	(void)ctx;
	if (t->kind == TASK_JOB) {
		job_free(CONTAINER_OF(t, struct job, task));
		return;
	}
	if (t->kind == TASK_CHORE) {
		struct chore *chore = CONTAINER_OF(t, struct chore, task);
		chore->done(chore, why);
		return;
	}
	struct call *c = CONTAINER_OF(t, struct call, task);
	c->outcome = why;
	if (is_begun(c)) {
		t->share = t->cost;
		refuse_part(c, why);
	}
	c->wait = CALL_DONE;
	http_finish(c);
}

/* ---- the executor's operations ---- */

static enum err op_acquire(void *ctx, struct db *db, struct problem *p)
{
	struct runner *r = ctx;
	enum err err = persist_acquire(r->app->persist, db, p);
	if (err)
		return err;
	err = flow_rows_acquire(r->app->flow, db, p);
	if (err)
		persist_release(r->app->persist, db);
	return err;
}

/* Memory goes: whoever waits in it is told to come again (empty answers, as at a timeout). */
static void op_release(void *ctx, struct db *db)
{
	struct runner *r = ctx;
	parking_end_all(r);
	flow_rows_release(r->app->flow);
	persist_release(r->app->persist, db);
}

static void op_begin(void *ctx, int64_t now_ms)
{
	struct runner *r = ctx;
	r->batch++;
	persist_begin(r->app->persist, r->app->persist->db, now_ms);
	flow_rows_begin(r->app->flow, now_ms);
}

static bool op_tick(void *ctx)
{
	struct runner *r = ctx;
	struct flow *flow = r->app->flow->flow;
	bool more = work_tick(r->app->persist->work, TIMERS_PER_BATCH);
	flow_follow(flow);
	more = flow_tick(flow, TIMERS_PER_BATCH) || more;
	parking_give_back(r);
	return more;
}

static bool op_dirty(void *ctx)
{
	struct runner *r = ctx;
	return persist_dirty(r->app->persist) || flow_rows_dirty(r->app->flow);
}

static enum err op_open(void *ctx, struct db *db)
{
	struct runner *r = ctx;
	return persist_open(r->app->persist, db);
}

/* What a chore did in memory cannot be undone alone. (Not found would mean that the ownership is.) */
static enum err failure_of_chores(const struct runner *r)
{
	for (size_t i = 0; i < r->chores.n; i++)
		if (r->chores.v[i]->on_queue && r->chores.v[i]->outcome)
			return r->chores.v[i]->outcome == ERR_NOT_FOUND ? ERR_INTERNAL : r->chores.v[i]->outcome;
	return OK;
}

static enum err op_flush(void *ctx, struct db *db)
{
	struct runner *r = ctx;
	enum err err = failure_of_chores(r);
	if (!err)
		err = flow_rows_flush(r->app->flow, db);
	if (!err)
		err = execution_tell(r->app, db, &r->told);
	return err ? err : persist_flush(r->app->persist, db);
}

static void finish(struct runner *r, struct call *c)
{
	parking_release_followers(r, c);
	if (!c->outcome && c->route->runs == RUNS_SLOT_READ) {
		enum err refused = pool_post(r->app->pool, &c->task);
		if (!refused)
			return; /* it is the pool's now */
		c->outcome = refused;
	}
	http_finish(c);
}

/* That the row of the ownership is gone means that another process has it. */
static enum err public_error(enum err batch)
{
	return batch == ERR_NOT_FOUND ? ERR_STANDBY : batch;
}

/* What the failure of the batch means for one of its calls. */
static enum err outcome_of(const struct call *c, enum err batch)
{
	if (c->outcome || !batch || c->route->runs == RUNS_SLOT_READ)
		return c->outcome;
	return public_error(batch);
}

static void publish(struct runner *r)
{
	const struct work *w = r->app->persist->work;
	struct metrics *m = r->app->metrics;
	for (int s = WORK_BLOCKED; s <= WORK_LEASED; s++)
		metrics_set_at(m, METRIC_work_items, (unsigned)s, 0, (double)work_count(w, (enum work_state)s));
	metrics_set(m, METRIC_work_claims_waiting, (double)work_waiting(w));
	metrics_set(m, METRIC_batch_queue_length, (double)executor_queued(r->app->executor));
}

static size_t count_events(struct runner *r)
{
	size_t count;
	const struct work_happening *h = work_happenings(r->app->persist->work, &count);
	for (size_t i = 0; i < count; i++) {
		metrics_add_at(r->app->metrics, METRIC_work_events_total, h[i].kind, 0, 1);
		scaling_count(r->app->scaling, &h[i]);
	}
	return count;
}

/* A fire of a schedule may wait for the end of an execution. */
static bool schedule_may_go_on(const struct app *app)
{
	const struct flow *flow = app->flow->flow;
	struct flow_change c;
	bool ended = false;
	for (size_t i = 0; app->firing.waits && !ended && flow_next_change(flow, &i, &c);)
		ended = !c.is_live;
	return ended;
}

static void op_end(void *ctx, enum err batch, bool rerun)
{
	struct runner *r = ctx;
	bool may_go_on = !batch && schedule_may_go_on(r->app);
	size_t happened = batch ? 0 : count_events(r);
	r->undoing_for_rerun = rerun;
	flow_rows_end(r->app->flow, batch);
	persist_end(r->app->persist, batch);
	r->undoing_for_rerun = false;
	if (rerun) { /* the others come again; those the batch had served are out of the core */
		parking_forget_batch(r);
		for (size_t i = 0; i < r->served.n; i++) {
			call_forget_hooks(r->served.v[i]);
			r->served.v[i]->outcome = batch;
			finish(r, r->served.v[i]);
		}
	}
	for (size_t i = 0; i < r->parts.n && batch && !rerun; i++)
		if (!call_is_gone(r->parts.v[i]))
			refuse_part(r->parts.v[i], public_error(batch));
	for (size_t i = 0; i < r->done.n && !rerun; i++) {
		struct call *c = r->done.v[i];
		if (!is_begun(c))
			c->outcome = outcome_of(c, batch);
		runner_end_write(c, r->app->persist->db);
		finish(r, c);
	}
	for (size_t i = 0; i < r->jobs.n && !rerun; i++)
		job_free(r->jobs.v[i]);
	for (size_t i = 0; i < r->chores.n && !rerun; i++) {
		struct chore *chore = r->chores.v[i];
		chore->done(chore, chore->outcome ? chore->outcome : public_error(batch));
	}
	r->done.n = r->served.n = r->jobs.n = r->chores.n = r->parts.n = 0;
	map_free(&r->staged);
	publish(r);
	scaling_tick(r->app->scaling, r->app->persist->work, r->app->persist->now_ms);
	if (r->told && !batch)
		execution_was_told(r->app);
	r->told = false;
	if (may_go_on)
		jobs_wake(r->app->jobs, JOB_SCHEDULES);
	if (happened > 0)
		http_wake_streams(r->app->http);
}

static enum err op_ask(void *ctx, struct db *db, bool *committed)
{
	struct runner *r = ctx;
	return persist_ask(r->app->persist, db, committed);
}

static int64_t op_next_due_ms(void *ctx)
{
	struct runner *r = ctx;
	int64_t work = work_next_due_ms(r->app->persist->work), flow = flow_next_due_ms(r->app->flow->flow);
	return work < flow ? work : flow;
}

static void op_idle(void *ctx, struct db *db)
{
	struct runner *r = ctx;
	persist_idle(r->app->persist, db);
}

const struct executor_ops runner_ops = {.acquire = op_acquire,
					.release = op_release,
					.begin = op_begin,
					.run = op_run,
					.tick = op_tick,
					.dirty = op_dirty,
					.open = op_open,
					.flush = op_flush,
					.end = op_end,
					.refuse = op_refuse,
					.ask = op_ask,
					.next_due_ms = op_next_due_ms,
					.idle = op_idle};
