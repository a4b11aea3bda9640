/*
 * Taking the slots, and loading the queue's memory from work_live; see persist.h.
 *
 * One owner holds all slots. Its lease is a time on the store's clock in its row of `owners`; whoever finds it
 * lapsed raises that row's epoch first, so that the deposed one cannot commit another batch, and only then takes
 * the slots. A process that finds itself the owner is a restart: it goes on under its next epoch without waiting.
 */
#include "work/persist_priv.h"

#include "base/id.h"
#include "base/log.h"

/* May this process take the slots? Deposes an owner whose lease has lapsed. */
static enum err depose_current(struct persist *p, struct db *db, struct problem *problem)
{
	struct owner_current_out current;
	enum err err = q_owner_current(db, p->arena, &current);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err || current.id == p->config.process_id || p->config.exclusive)
		return err;
	if (current.lease_until_ms >= current.now_ms) {
		p->config.owner(p->config.ctx, current.url, current.epoch);
		return problem_set(problem, ERR_STANDBY,
				   "the process at %.*s owns the queue; this one takes over when "
				   "it has been silent for %lld ms",
				   STRF(current.url), (long long)p->config.owner_lease_ms);
	}
	LOG_W("owner.takes_over", "from=%.*s epoch=%lld silent_ms=%lld", STRF(current.url),
	      (long long)current.epoch, (long long)(current.now_ms - current.lease_until_ms));
	struct owner_depose_in depose = {.id = current.id, .epoch = current.epoch};
	err = q_owner_depose(db, &depose);
	if (!err && current.batch > p->batch)
		p->batch = current.batch;
	return err;
}

static enum err take_slots(struct persist *p, struct db *db, struct problem *problem)
{
	enum err err = q_owner_lock(db);
	if (!err)
		err = depose_current(p, db, problem);
	struct owner_enter_in enter = {
		.id = p->config.process_id, .url = str_of(p->config.url), .lease_ms = p->config.owner_lease_ms};
	struct owner_enter_out entered;
	if (!err)
		err = q_owner_enter(db, &enter, p->arena, &entered);
	struct slot_take_all_in take = {.owner = p->config.process_id};
	if (!err)
		err = q_slot_take_all(db, &take);
	if (err)
		return err;
	p->epoch = entered.epoch;
	if (entered.batch > p->batch)
		p->batch = entered.batch;
	return OK;
}

static enum err load_queue(void *ctx, const void *row)
{
	struct persist *p = ctx;
	const struct queue_row *q = row;
	work_load_queue(p->work, q->id, q->tenant, q->type, q->team);
	return OK;
}

struct loading {
	struct persist *p;
	int64_t now_ms;
	struct problem *problem;
};

static enum err load_item(void *ctx, const void *row)
{
	struct loading *l = ctx;
	const struct work_live_row *r = row;
	struct work_loading item = {.id = r->id,
				    .tenant = r->tenant,
				    .queue = r->queue,
				    .created_ms = r->created_ms,
				    .changed_ms = r->changed_ms,
				    .run_at_ms = r->run_at_ms,
				    .ready_ms = r->ready_ms,
				    .deadline_ms = r->deadline_ms,
				    .lease_until_ms = r->lease_until_ms,
				    .lease_ms = r->lease_ms,
				    .attempt = r->attempt,
				    .failures = r->failures,
				    .max_attempts = r->max_attempts,
				    .backoff_base_ms = r->backoff_base_ms,
				    .backoff_max_ms = r->backoff_max_ms,
				    .token_epoch = r->token_epoch,
				    .token_random = (uint64_t)r->token_random,
				    .key_hash = (uint64_t)r->key_hash,
				    .state = (int)r->state,
				    .priority = (int)r->priority,
				    .progress = (int)r->progress,
				    .backoff_kind = (int)r->backoff_kind,
				    .outcome = (int)r->outcome,
				    .assignee = r->assignee,
				    .created_by = r->created_by,
				    .claimed_by = r->claimed_by,
				    .note = r->note,
				    .depends = r->depends,
				    .history = r->history};
	return work_load(l->p->work, &item, l->now_ms, l->problem);
}

static void served(void *ctx, void *who, struct item *const *items, size_t count)
{
	struct persist *p = ctx;
	p->config.served(p->config.ctx, who, items, count);
}

static enum err load_memory(struct persist *p, struct db *db, struct problem *problem)
{
	struct work_env env = {.ctx = p,
			       .rng = p->config.rng,
			       .epoch = (uint32_t)p->epoch,
			       .max_live = p->config.max_live,
			       .max_waiting = p->config.max_waiting,
			       .max_queues = 100000,
			       .key_is = persist_key_is,
			       .served = served};
	p->work = work_new(&env);
	struct loading l = {.p = p, .now_ms = clock_now_ms(p->config.clock), .problem = problem};
	struct work_highest_out highest = {0};
	struct event_last_out last = {0};
	enum err err = q_queue_all(db, load_queue, p);
	if (!err)
		err = q_work_live_all(db, load_item, &l);
	if (!err)
		err = q_work_highest(db, p->arena, &highest);
	if (!err)
		err = q_event_last(db, p->arena, &last);
	if (err)
		return err;
	work_loaded(p->work, highest.live > highest.done ? highest.live : highest.done);
	if (last.seq > p->batch)
		p->batch = last.seq;
	eventlog_starts_at(p->config.log, last.seq);
	return OK;
}

enum err persist_acquire(struct persist *p, struct db *db, struct problem *problem)
{
	int64_t start_ns = clock_mono_ns();
	p->db = db;
	enum err err = db_begin(db);
	if (!err)
		err = take_slots(p, db, problem);
	if (err) {
		db_rollback(db);
	} else {
		err = db_commit(db);
	}
	if (!err)
		err = load_memory(p, db, problem);
	arena_reset(p->arena);
	if (err) {
		work_destroy(&p->work);
		return err == ERR_NOT_FOUND ? ERR_STANDBY : err; /* another one was faster */
	}
	p->config.owner(p->config.ctx, STR(""), p->epoch);
	LOG_I("owner.ready", "epoch=%lld items=%llu ms=%lld", (long long)p->epoch,
	      (unsigned long long)(work_count(p->work, WORK_BLOCKED) + work_count(p->work, WORK_SCHEDULED) +
				   work_count(p->work, WORK_READY) + work_count(p->work, WORK_LEASED)),
	      (long long)(clock_mono_ns() - start_ns) / 1000000);
	return OK;
}

void persist_release(struct persist *p, struct db *db)
{
	if (db) {
		struct owner_leave_in in = {.id = p->config.process_id, .epoch = p->epoch};
		if (q_owner_leave(db, &in) != OK)
			LOG_W("owner.leave_failed", "epoch=%lld", (long long)p->epoch);
	}
	work_destroy(&p->work);
	bodies_destroy(&p->bodies);
	p->bodies = bodies_new(PERSIST_BODIES_MAX_BYTES);
}
