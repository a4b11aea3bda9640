/* What one process has of webhooks: the job and the sender. See webhooks.h. */
#include "webhooks/webhooks.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/magic.h"
#include "base/vec.h"
#include "webhooks/delivery.h"
#include "webhooks/outbox.h"

#include <stdatomic.h>

enum { WEBHOOKS_MAGIC = 0x57484f4b, PERIOD_MS = 5000, CLEAR_EVERY_MS = 60000, NS_PER_MS = 1000000 };

struct webhooks {
	unsigned magic;
	struct webhooks_config config;
	struct sender *sender;
	struct rng rng; /* of the step */
	struct delivery_run run;
	bool recalled; /* what another process left on its way is due again */
	bool recalling;
	int64_t cleared_ns, clearing_ns;
	_Atomic bool listening; /* there is somebody to tell, as far as the last step saw */
};

/* ---- the job ---- */

/* On a store of its own, a new process knows at once that nobody sends any more. */
static enum err recall(struct webhooks *w, struct delivery_run *r)
{
	w->recalling = w->config.exclusive && !w->recalled;
	if (!w->recalling)
		return OK;
	enum err err = q_webhook_recall_due(r->db, &(struct webhook_recall_due_in){r->now_ms});
	return err ? err : q_webhook_recall(r->db, &(struct webhook_recall_in){r->now_ms});
}

static enum err make_deliveries(struct webhooks *w, struct delivery_run *r, size_t *made)
{
	struct outbox o = {.db = r->db,
			   .arena = r->arena,
			   .new_id = w->config.new_id,
			   .ctx = w->config.ctx,
			   .now_ms = r->now_ms};
	enum err err = outbox_pending(&o);
	if (!err)
		err = outbox_changes(&o);
	r->more = r->more || o.more;
	*made = o.deliveries;
	atomic_store(&w->listening, o.listening);
	return err;
}

static enum err clear(struct webhooks *w, struct delivery_run *r, size_t *cleared)
{
	*cleared = 0;
	w->clearing_ns = 0;
	if (clock_mono_ns() - w->cleared_ns < CLEAR_EVERY_MS * (int64_t)NS_PER_MS)
		return OK;
	w->clearing_ns = clock_mono_ns();
	return deliveries_clear(r, cleared);
}

static enum err begin(struct webhooks *w, struct db *db, struct job_run *run, struct delivery_run *r)
{
	struct webhook_clock_out clock;
	enum err err = q_webhook_clock(db, run->arena, &clock);
	r->db = db;
	r->arena = run->arena;
	r->sender = w->sender;
	r->rng = &w->rng;
	r->leased_ns = clock_mono_ns();
	r->now_ms = err ? 0 : clock.now_ms;
	r->attempt_count = r->settled = 0;
	r->more = false;
	r->next_ms = 0;
	return err;
}

static enum err step(void *ctx, struct db *db, struct job_run *run)
{
	struct webhooks *w = ctx;
	struct delivery_run *r = &w->run;
	size_t made = 0, cleared = 0;
	enum err err = begin(w, db, run, r);
	if (!err)
		err = recall(w, r);
	if (!err)
		err = deliveries_settle(r);
	if (!err)
		err = make_deliveries(w, r, &made);
	if (!err)
		err = deliveries_claim(r);
	if (!err)
		err = clear(w, r, &cleared);
	run->more = r->more;
	run->again_ms = r->next_ms > r->now_ms ? r->next_ms - r->now_ms : r->next_ms > 0;
	buf_fmt(&run->result, "%zu deliveries made, %zu sent, %zu attempts settled, %zu old ones cleared away",
		made, r->attempt_count, r->settled, cleared);
	return err;
}

static void committed(void *ctx)
{
	struct webhooks *w = ctx;
	sender_settled(w->sender, w->run.settled);
	for (size_t i = 0; i < w->run.attempt_count; i++)
		sender_send(w->sender, &w->run.attempts[i]);
	w->recalled = w->recalled || w->recalling;
	w->cleared_ns = w->clearing_ns ? w->clearing_ns : w->cleared_ns;
}

/* ---- from others ---- */

void webhooks_wake(struct webhooks *w)
{
	jobs_wake(w->config.jobs, JOB_WEBHOOKS);
}

enum err webhooks_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count)
{
	struct webhooks *w = ctx;
	bool concerned = count == 0;
	(void)db;
	for (size_t i = 0; i < count; i++)
		concerned = concerned || rows[i].entity == ENTITY_WEBHOOK || atomic_load(&w->listening);
	if (concerned)
		webhooks_wake(w);
	return OK;
}

static enum err take_wanted(void *ctx, const void *row)
{
	struct webhook_wanted *wanted = ctx;
	const struct webhook_listeners_out *l = row;
	wanted->events |= l->events ? l->events : INT64_MAX;
	wanted->webhook = l->id;
	return OK;
}

enum err webhook_wanted(struct db *db, int64_t tenant, struct webhook_wanted *out)
{
	*out = (struct webhook_wanted){0};
	return q_webhook_listeners(db, &(struct webhook_listeners_in){tenant}, take_wanted, out);
}

/* ---- life ---- */

static void ended(void *ctx)
{
	webhooks_wake(ctx);
}

struct webhooks *webhooks_new(const struct webhooks_config *config)
{
	struct webhooks *w = NEW(struct webhooks);
	w->magic = WEBHOOKS_MAGIC;
	w->config = *config;
	rng_system_init(&w->rng);
	w->sender = sender_new(&(struct sender_config){.reach = &w->config.reach,
						       .version = config->version,
						       .clock = config->clock,
						       .ended = ended,
						       .ctx = w,
						       .metrics = config->metrics});
	jobs_add(config->jobs, &(struct job_spec){JOB_WEBHOOKS, PERIOD_MS, step, committed, w});
	return w;
}

enum err webhooks_start(struct webhooks *w, struct problem *p)
{
	CHECK_OBJ(w, WEBHOOKS_MAGIC);
	return sender_start(w->sender, p);
}

void webhooks_destroy(struct webhooks **w)
{
	struct webhooks *ending = *w;
	if (!ending)
		return;
	CHECK_OBJ(ending, WEBHOOKS_MAGIC);
	sender_destroy(&ending->sender);
	ending->magic = 0;
	free(ending);
	*w = NULL;
}

const struct reach *webhooks_reach(const struct webhooks *w)
{
	return &w->config.reach;
}
