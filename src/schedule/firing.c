/* See firing.h. */
#include "schedule/firing.h"

#include "base/arena.h"
#include "base/log.h"

#include <inttypes.h>

enum { AT_ONCE = 50, LOCKED_MS = 20, BROKEN_MS = 60000, CLEARED_AT_ONCE = 1000, HISTORY_MS = 3600000 };

static const int64_t KEPT_MS = INT64_C(30) * 86400000;

/* One run: the schedules that are due, and what is to be written of them. */
struct round {
	struct firing *firing;
	struct arena *arena;
	int64_t now_ms;
	struct schedule_row due[AT_ONCE];
	size_t due_count;
	struct schedule_begun_in begun[AT_ONCE];
	struct schedule_fire_settle_in settled[AT_ONCE];
	size_t begun_count;
	struct schedule_advance_in advances[AT_ONCE];
	size_t advance_count;
	struct schedule_fire_row *fires;
	size_t fire_count, started;
};

static enum err keep_due(void *ctx, const void *row)
{
	struct round *r = ctx;
	struct schedule_row *to = &r->due[r->due_count++];
	*to = *(const struct schedule_row *)row;
	to->name = arena_str(r->arena, to->name);
	to->definition = arena_str(r->arena, to->definition);
	return arena_overflowed(r->arena) ? ERR_INTERNAL : OK;
}

/* ---- a fire ---- */

/* Does what it is for, and says so in its row. */
static void start(struct round *r, const struct fire *fire, struct schedule_row *s, struct schedule_fire_row *row)
{
	struct problem why = {0};
	struct fired fired = {0};
	const struct fire_action *action = &r->firing->action;
	enum err err = action->start(action->ctx, fire, r->arena, r->now_ms, &fired, &why);
	row->state = err                ? FIRE_REFUSED
		     : fired.left_out   ? FIRE_SKIPPED
		     : fire->after_item ? FIRE_WAITING
					: FIRE_STARTED;
	row->detail = fired.detail;
	if (err)
		row->detail = arena_str(r->arena, str_of(why.detail[0] ? why.detail : err_info(err)->title));
	if (err || fired.left_out)
		return;
	r->started++;
	row->item = fired.item;
	row->execution = fired.execution;
	s->last_item = fired.item ? fired.item : s->last_item;
	s->last_execution = fired.execution ? fired.execution : s->last_execution;
}

static void wait_for_the_last(struct round *r, struct schedule_row *s, const struct schedule_new *given,
			      struct fire *fire, struct schedule_fire_row *row)
{
	if (HAS(given, schedule_new, execution)) {
		row->state = FIRE_WAITING;
		s->waiting_ms = fire->at_ms;
		r->firing->waits = true;
	} else {
		fire->after_item = s->last_item;
		start(r, fire, s, row);
	}
}

static void fire_one(struct round *r, struct schedule_row *s, const struct schedule_new *given,
		     const struct plan_fire *planned)
{
	struct schedule_fire_row *row = &r->fires[r->fire_count++];
	struct fire fire = {.schedule = s, .given = given, .at_ms = planned->at_ms};
	*row = (struct schedule_fire_row){.schedule = s->id,
					  .at_ms = planned->at_ms,
					  .since_ms = planned->since_ms,
					  .done_ms = r->now_ms,
					  .state = FIRE_MISSED};
	s->last_ms = planned->at_ms;
	if (planned->is_missed)
		return;
	switch (plan_overlap((enum schedule_overlap)given->overlap,
			     r->firing->action.unfinished(r->firing->action.ctx, s, given))) {
	case PLAN_LEAVE:
		row->state = FIRE_OVERLAPPED;
		return;
	case PLAN_WAIT:
		wait_for_the_last(r, s, given, &fire, row);
		return;
	case PLAN_START:
		start(r, &fire, s, row);
		return;
	}
}

/* ---- a schedule ---- */

static void advance(struct round *r, const struct schedule_row *s, int64_t next_ms, int64_t due_ms)
{
	r->advances[r->advance_count++] = (struct schedule_advance_in){.id = s->id,
								       .next_ms = next_ms,
								       .due_ms = due_ms,
								       .last_ms = s->last_ms,
								       .last_item = s->last_item,
								       .last_execution = s->last_execution,
								       .waiting_ms = s->waiting_ms};
}

static void deal_with(struct round *r, struct schedule_row *s)
{
	struct schedule_plan plan;
	struct plan_todo todo;
	struct problem why = {0};
	if (schedule_read_plan(s, r->firing->zones, r->arena, &plan, &why)) {
		LOG_W("schedule.unreadable", "schedule=%.*s why=%s", STRF(s->name), why.detail);
		advance(r, s, s->next_ms, r->now_ms + BROKEN_MS);
		return;
	}
	plan_make(&plan.rule, s->next_ms, r->now_ms, &todo);
	for (size_t i = 0; i < todo.count; i++)
		if (todo.fires[i].at_ms > s->last_ms)
			fire_one(r, s, &plan.given, &todo.fires[i]);
	advance(r, s, todo.next_ms, plan_due_ms(&plan.rule, todo.next_ms));
}

/* ---- what waited ---- */

static void begin_what_waited(struct round *r, struct schedule_row *s, const struct schedule_new *given)
{
	struct fire fire = {.schedule = s, .given = given, .at_ms = s->waiting_ms};
	struct schedule_fire_row row = {.state = FIRE_REFUSED,
					.detail = STR("the schedule does not begin executions any more")};
	if (HAS(given, schedule_new, execution))
		start(r, &fire, s, &row);
	r->settled[r->begun_count] = (struct schedule_fire_settle_in){.schedule = s->id,
								      .at_ms = fire.at_ms,
								      .done_ms = r->now_ms,
								      .state = row.state,
								      .execution = row.execution,
								      .detail = row.detail};
	r->begun[r->begun_count++] = (struct schedule_begun_in){s->id, s->last_execution};
}

static enum err look_at_waiting(struct round *r, struct schedule_row *s)
{
	struct schedule_new given;
	const struct fire_action *action = &r->firing->action;
	enum err err = json_decode(&type_schedule_new, s->definition, 0, r->arena, &given, NULL);
	if (!err && action->unfinished(action->ctx, s, &given) < 2)
		begin_what_waited(r, s, &given);
	else
		r->firing->waits = true;
	return err;
}

/* Written before what is due is read, for a schedule may be among both. */
static enum err settle_waiting(struct round *r, struct db *db)
{
	enum err err = q_schedule_waiting(db, &(struct schedule_waiting_in){AT_ONCE}, keep_due, r);
	r->firing->waits = r->due_count == AT_ONCE;
	for (size_t i = 0; i < r->due_count && !err; i++)
		err = look_at_waiting(r, &r->due[i]);
	r->due_count = 0;
	if (!err)
		err = q_schedule_fire_settle(db, r->settled, r->begun_count);
	return err ? err : q_schedule_begun(db, r->begun, r->begun_count);
}

static enum err write_round(const struct round *r, struct db *db)
{
	enum err err = q_schedule_fire_insert(db, r->fires, r->fire_count);
	return err ? err : q_schedule_advance(db, r->advances, r->advance_count);
}

/* ---- the jobs ---- */

/* When there is something to do again. */
static enum err look_ahead(struct db *db, const struct round *r, struct job_run *run)
{
	struct schedule_first_due_out first;
	enum err err = q_schedule_first_due(db, run->arena, &first);
	run->more = r->due_count == AT_ONCE;
	if (!err && first.due_ms)
		run->again_ms = first.due_ms > r->now_ms + LOCKED_MS ? first.due_ms - r->now_ms : LOCKED_MS;
	return err;
}

static enum err fire_due(void *ctx, struct db *db, struct job_run *run)
{
	struct round *r = ARENA_NEW(run->arena, struct round);
	if (!r)
		return ERR_INTERNAL;
	*r = (struct round){.firing = ctx,
			    .arena = run->arena,
			    .now_ms = run->now_ms,
			    .fires = ARENA_ARRAY(run->arena, struct schedule_fire_row, AT_ONCE * PLAN_FIRES_MAX)};
	if (!r->fires)
		return ERR_INTERNAL;
	enum err err = OK;
	if (!r->firing->is_complete)
		err = schedule_add_built_in(db, r->firing->zones, &r->firing->home, run->arena, run->now_ms);
	if (!err)
		err = settle_waiting(r, db);
	if (!err)
		err = q_schedule_due(db, &(struct schedule_due_in){run->now_ms, AT_ONCE}, keep_due, r);
	for (size_t i = 0; i < r->due_count && !err; i++)
		deal_with(r, &r->due[i]);
	if (!err)
		err = write_round(r, db);
	if (!err)
		err = look_ahead(db, r, run);
	buf_fmt(&run->result, "%zu schedules fired %zu times, %zu fires left out", r->due_count, r->started,
		r->fire_count - r->started);
	return err;
}

static void fired(void *ctx)
{
	((struct firing *)ctx)->is_complete = true;
}

static enum err clear_history(void *ctx, struct db *db, struct job_run *run)
{
	size_t cleared = 0;
	(void)ctx;
	enum err err = q_schedule_fire_clear(db, &(struct upkeep_in){run->now_ms - KEPT_MS, CLEARED_AT_ONCE},
					     db_count_row, &cleared);
	run->more = cleared == CLEARED_AT_ONCE;
	buf_fmt(&run->result, "%zu fires of schedules cleared away", cleared);
	return err;
}

void firing_add(struct firing *f, struct jobs *jobs, int64_t look_ms)
{
	jobs_add(jobs, &(struct job_spec){JOB_SCHEDULES, look_ms, fire_due, fired, f, .on_queue = true});
	jobs_add(jobs, &(struct job_spec){JOB_FIRES, HISTORY_MS, clear_history, NULL, f});
}
