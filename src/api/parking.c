/*
 * Calls that wait on the queue's thread, and claims that go back.
 *
 * A claim that finds nothing is parked: the core has it as a waiter, and it is finished in the batch that serves
 * it, when its time is over, when its client hangs up, or when the server stops. A call whose Idempotency-Key
 * belongs to a parked one follows it, and is run again when that one is answered.
 */
#include "api/runner_priv.h"

#include "api/forward.h"

#include "http/http.h"

/* ---- parked calls ---- */

static void count_waiting(struct runner *r, int64_t key, int change)
{
	uintptr_t n = (uintptr_t)map_take(&r->waiting_by_key, (uint64_t)key);
	n = (uintptr_t)((intptr_t)n + change);
	if (n > 0)
		map_put(&r->waiting_by_key, (uint64_t)key, (void *)n); /* a count, not a pointer */
}

enum err runner_park(struct call *c, const struct work_claim *claim, int64_t wait_ms)
{
	struct app *app = call_app(c);
	struct runner *r = app->runner;
	if (atomic_load(&app->stopping))
		return OK; /* answered at once, with nothing: who waits is not waited for */
	if ((uintptr_t)map_get(&r->waiting_by_key, (uint64_t)c->caller.key) >= app->max_waiting_per_key)
		return call_fail(c, ERR_TOO_MANY, "%u claims of this key wait already", app->max_waiting_per_key);
	struct work_waiter *waiter;
	enum err err = work_wait(app->persist->work, claim, c->now_ms + wait_ms, c, &waiter);
	if (err)
		return call_fail(c, err, "as many claims as this server allows wait already");
	c->parked = waiter;
	c->wait = CALL_PARKED;
	map_put(&r->parked, c->number, c);
	count_waiting(r, c->caller.key, 1);
	return OK;
}

void parking_lead(struct runner *r, struct call *c, int64_t id)
{
	*VEC_PUSH(&r->leaders) = (struct follower){.idempotency = id, .leader = c, .call = c, .batch = r->batch};
}

struct call *parking_leader_of(struct runner *r, int64_t id)
{
	for (size_t i = 0; i < r->leaders.n; i++)
		if (r->leaders.v[i].idempotency == id)
			return r->leaders.v[i].leader;
	return NULL;
}

/* The leader is done: its followers run again, after the batch that answers it. */
void parking_release_followers(struct runner *r, struct call *leader)
{
	for (size_t i = 0; i < r->leaders.n; i++)
		if (r->leaders.v[i].leader == leader)
			r->leaders.v[i--] = r->leaders.v[--r->leaders.n];
	for (size_t i = 0; i < r->followers.n; i++) {
		struct follower f = r->followers.v[i];
		if (f.leader != leader)
			continue;
		r->followers.v[i--] = r->followers.v[--r->followers.n];
		map_take(&r->parked, f.call->number);
		f.call->wait = CALL_RUNNING;
		executor_post_always(r->app->executor, &f.call->task);
	}
}

void parking_follow(struct runner *r, struct call *c, struct call *leader, int64_t id)
{
	*VEC_PUSH(&r->followers) =
		(struct follower){.idempotency = id, .leader = leader, .call = c, .batch = r->batch};
	c->wait = CALL_PARKED;
	c->parked = NULL;
	map_put(&r->parked, c->number, c);
}

/* What began to follow or to lead in a batch that is run again begins again. */
void parking_forget_batch(struct runner *r)
{
	for (size_t i = 0; i < r->leaders.n; i++)
		if (r->leaders.v[i].batch == r->batch)
			r->leaders.v[i--] = r->leaders.v[--r->leaders.n];
	for (size_t i = 0; i < r->followers.n; i++) {
		if (r->followers.v[i].batch != r->batch)
			continue;
		map_take(&r->parked, r->followers.v[i].call->number);
		r->followers.v[i--] = r->followers.v[--r->followers.n];
	}
}

/* Takes a parked call out of wherever it waits. */
static void unpark(struct runner *r, struct call *c)
{
	map_take(&r->parked, c->number);
	if (c->parked) {
		struct work_waiter *waiter = c->parked;
		work_unwait(r->app->persist->work, &waiter);
		count_waiting(r, c->caller.key, -1);
	}
	c->parked = NULL;
	for (size_t i = 0; i < r->followers.n; i++)
		if (r->followers.v[i].call == c)
			r->followers.v[i--] = r->followers.v[--r->followers.n];
}

struct hangup {
	struct job job;
	uint64_t number;
};

static void hangup_run(struct job *job)
{
	struct hangup *h = CONTAINER_OF(job, struct hangup, job);
	struct runner *r = job->app->runner;
	struct call *c = map_get(&r->parked, h->number);
	if (!c)
		return;
	unpark(r, c);
	*VEC_PUSH(&r->served) = c;
	runner_done(r, c, ERR_SHUTTING_DOWN); /* nobody reads it */
}

void runner_hung_up(struct call *c)
{
	if (call_app(c)->forward)
		forward_hung_up(c); /* nothing if it is not there */
	struct hangup *h = NEW(struct hangup);
	h->number = c->number;
	h->job.run = hangup_run;
	h->job.task.tenant = c->caller.tenant;
	runner_post(call_app(c), &h->job);
}

void parking_end_all(struct runner *r)
{
	struct call *c;
	for (size_t i = 0; (c = map_next(&r->parked, &i)); i = 0) {
		unpark(r, c);
		c->outcome = OK;
		c->wait = CALL_DONE;
		parking_release_followers(r, c);
		http_finish(c);
	}
}

static void end_waits_run(struct job *job)
{
	parking_end_all(job->app->runner);
}

void runner_end_waits(struct app *app)
{
	struct job *job = NEW(struct job);
	job->run = end_waits_run;
	runner_post(app, job);
}

/* ---- claims that nobody received ---- */

struct undelivered {
	struct job job;
	size_t count;
	struct leased items[];
};

static void undelivered_run(struct job *job)
{
	struct undelivered *u = CONTAINER_OF(job, struct undelivered, job);
	for (size_t i = 0; i < u->count; i++)
		work_unclaim(job->app->persist->work, u->items[i].id, &u->items[i].token);
}

void runner_undelivered(struct call *c)
{
	if (c->route != &spec_routes[ROUTE_work_claim] || c->outcome != OK)
		return;
	if (c->relayed) {
		forward_undelivered(c);
		return;
	}
	const struct work_claim_out *out = c->out;
	if (out->items_count == 0)
		return;
	struct undelivered *u = must_alloc(sizeof *u + out->items_count * sizeof u->items[0]);
	for (size_t i = 0; i < out->items_count; i++) {
		u->items[i].id = out->items[i].id;
		CHECK(work_token_parse(out->items[i].token, &u->items[i].token));
	}
	u->count = out->items_count;
	u->job.run = undelivered_run;
	u->job.task.tenant = c->caller.tenant;
	runner_post(call_app(c), &u->job);
}

void runner_unclaim(struct call *c, const struct item *item)
{
	*VEC_PUSH(&call_app(c)->runner->unclaimed) = (struct leased){item->id, work_token_of(item)};
}

/* Giving one back can serve the next in line, whose answer may overflow as well: until none is left. */
void parking_give_back(struct runner *r)
{
	while (r->unclaimed.n > 0) {
		struct leased one = r->unclaimed.v[--r->unclaimed.n];
		work_unclaim(r->app->persist->work, one.id, &one.token);
	}
}

/* The core gives a parked claim its items, or none when its time is over. */
void runner_served(void *ctx, void *who, struct item *const *items, size_t count)
{
	struct runner *r = ((struct app *)ctx)->runner;
	struct call *c = who;
	CHECK_OBJ(c, CALL_MAGIC);
	map_take(&r->parked, c->number);
	count_waiting(r, c->caller.key, -1);
	c->parked = NULL;
	if (r->undoing_for_rerun)
		return; /* it began to wait in the batch that is undone, and will again */
	c->db = r->app->persist->db;
	c->now_ms = r->app->persist->now_ms;
	work_claim_serve(c, items, count);
	*VEC_PUSH(&r->served) = c;
	if (!c->outcome && idempotency_wanted(c)) {
		struct idempotency i;
		idempotency_of(c, &i);
		runner_stage_answer(r, c, &i);
	}
	runner_done(r, c, c->outcome);
}
