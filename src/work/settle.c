/*
 * What the holder of a lease does, and what ends an attempt without its holder: lapse and cancellation.
 *
 * The token of the last attempt and its outcome stay with the item, live or finished, until the next claim; a
 * settle that repeats them is answered as the first one was.
 */
#include "work/work_priv.h"

static struct item *find(const struct work *w, int64_t tenant, int64_t id)
{
	struct item *item = idmap_get(&w->by_id, id);

	return item && item->queue->tenant == tenant ? item : NULL;
}

static bool is_held_with(const struct item *item, const struct work_token *t)
{
	return item->state == WORK_LEASED && token_fits(item, t);
}

/* ---- while it runs ---- */

enum err work_held(const struct work *w, int64_t tenant, int64_t id, const struct work_token *t, struct item **out)
{
	struct item *item = find(w, tenant, id);

	CHECK(w->batch.open);
	if (!item)
		return ERR_NOT_FOUND;
	if (item->state == WORK_CANCELLED)
		return ERR_CANCELLED;
	if (!is_held_with(item, t))
		return ERR_STALE_TOKEN;
	*out = item;
	return OK;
}

static void extend(struct work *w, struct item *item, int64_t lease_ms)
{
	batch_touch(w, item);
	item->lease_until_ms = w->batch.now_ms + lease_ms;
	heap_moved(&w->timers, item);
}

static void report(struct work *w, struct item *item, int percent)
{
	batch_touch(w, item);
	item->progress = (uint8_t)(percent < 0 ? 0 : percent > 100 ? 100 : percent);
	batch_tell(w, item, EVENT_PROGRESS, item->claimed_by);
}

enum err work_progress(struct work *w, int64_t tenant, int64_t id, const struct work_token *t, int percent,
		       struct str note, int64_t extend_ms, struct item **out)
{
	enum err err = work_held(w, tenant, id, t, out);

	if (err)
		return err;
	report(w, *out, percent);
	if (note.p)
		item_set_note(w, *out, note);
	if (extend_ms > 0)
		extend(w, *out, extend_ms);
	return OK;
}

enum err work_extend(struct work *w, int64_t tenant, int64_t id, const struct work_token *t, int64_t lease_ms,
		     int percent, struct item **out)
{
	enum err err = work_held(w, tenant, id, t, out);

	if (err)
		return err;
	extend(w, *out, lease_ms);
	if (percent >= 0)
		report(w, *out, percent);
	return OK;
}

/* ---- failures ---- */

/* base * 2^(failures - 1), at most max. */
static uint64_t exponential_ceiling(const struct item *item)
{
	uint64_t ceiling = item->backoff_base_ms;

	for (uint32_t i = 1; i < item->failures && ceiling > 0 && ceiling < item->backoff_max_ms; i++)
		ceiling *= 2;
	return ceiling < item->backoff_max_ms ? ceiling : item->backoff_max_ms;
}

static int64_t backoff_ms(const struct work *w, const struct item *item)
{
	uint64_t linear = (uint64_t)item->backoff_base_ms * item->failures;

	switch ((enum work_backoff_kind)item->backoff_kind) {
	case BACKOFF_EXPONENTIAL:
		return (int64_t)rng_below(w->env.rng, exponential_ceiling(item) + 1);
	case BACKOFF_FIXED:
		return item->backoff_base_ms;
	case BACKOFF_LINEAR:
		return (int64_t)(linear < item->backoff_max_ms ? linear : item->backoff_max_ms);
	}
	UNREACHABLE();
}

static bool count_failure(struct work *w, struct item *item)
{
	batch_touch(w, item);
	if (item->failures < UINT32_MAX)
		item->failures++;
	return item->failures < item->max_attempts;
}

void attempt_lapsed(struct work *w, struct item *item)
{
	struct ending e = {.state = WORK_FAILED, .agent = item->claimed_by};

	if (count_failure(w, item)) {
		item_waits_until(w, item, w->batch.now_ms + backoff_ms(w, item), EVENT_LAPSED, (struct str){0});
		return;
	}
	e.error = e.note = arena_fmt(w->batch.arena, "lease lapsed, no attempts left: %u of %u failed",
				     item->failures, item->max_attempts);
	item_finishes(w, item, &e);
	depends_tell(w);
}

static void fail(struct work *w, struct item *item, const struct work_ending *ending)
{
	bool again = count_failure(w, item) && ending->retry;
	struct ending e = {.state = WORK_FAILED,
			   .error = ending->error,
			   .used = ending->used,
			   .note = ending->error,
			   .agent = item->claimed_by};

	if (again) {
		item_waits_until(w, item, w->batch.now_ms + backoff_ms(w, item), EVENT_RETRYING, ending->error);
		return;
	}
	if (ending->retry)
		e.note = arena_fmt(w->batch.arena, "no attempts left: %.*s",
				   STRF(text_cut(ending->error, HISTORY_NOTE_MAX_BYTES)));
	item_finishes(w, item, &e);
	depends_tell(w);
}

static void complete(struct work *w, struct item *item, const struct work_ending *ending)
{
	struct ending e = {
		.state = WORK_COMPLETED, .result = ending->result, .used = ending->used, .agent = item->claimed_by};

	item->progress = 100;
	item_finishes(w, item, &e);
	depends_tell(w);
}

/* ---- settling ---- */

enum err work_settled_before(int state, int outcome, const struct work_token *last, const struct work_token *t,
			     enum work_outcome asked)
{
	if (outcome > 0 && work_token_eq(last, t))
		return outcome == (int)asked + 1 ? OK : ERR_ALREADY_SETTLED;
	return state == WORK_CANCELLED ? ERR_CANCELLED : ERR_STALE_TOKEN;
}

static void settle(struct work *w, struct item *item, const struct work_ending *ending)
{
	batch_touch(w, item);
	item->outcome = (uint8_t)(ending->outcome + 1);
	switch (ending->outcome) {
	case OUTCOME_COMPLETED:
		complete(w, item, ending);
		return;
	case OUTCOME_FAILED:
		fail(w, item, ending);
		return;
	case OUTCOME_RELEASED:
		item_becomes_ready(w, item, EVENT_RELEASED, item->claimed_by, (struct str){0});
		return;
	}
	UNREACHABLE();
}

enum err work_settle(struct work *w, int64_t tenant, int64_t id, const struct work_token *t,
		     const struct work_ending *ending, struct item **out)
{
	struct item *item = find(w, tenant, id);
	struct work_token last;
	enum err err = OK;

	CHECK(w->batch.open);
	if (!item)
		return ERR_NOT_FOUND;
	if (is_held_with(item, t)) {
		settle(w, item, ending);
	} else {
		last = work_token_of(item);
		err = work_settled_before(item->state, item->outcome, &last, t, ending->outcome);
	}
	if (!err)
		*out = item;
	return err;
}

/* ---- cancelling ---- */

enum err work_cancel(struct work *w, int64_t tenant, int64_t id, struct str by, struct str reason,
		     struct item **out)
{
	struct item *item = find(w, tenant, id);
	struct ending e = {.state = WORK_CANCELLED, .error = reason, .note = reason};

	CHECK(w->batch.open);
	if (!item)
		return ERR_NOT_FOUND;
	if (!is_live_state(item->state) && item->state != WORK_CANCELLED)
		return ERR_CONFLICT;
	*out = item;
	if (item->state == WORK_CANCELLED)
		return OK;
	e.agent = name_get(&w->names, by);
	item_finishes(w, item, &e);
	name_drop(&w->names, &e.agent);
	depends_tell(w);
	return OK;
}
