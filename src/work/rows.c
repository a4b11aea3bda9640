/*
 * Items from stored rows: at start, and when a finished one is revived. What is in a row was written by this
 * program, but maybe by another version of it, or changed by hand since; a row that could not have been written by
 * it is refused, naming the item, rather than served.
 */
#include "work/work_priv.h"

struct work_queue *work_load_queue(struct work *w, int64_t id, int64_t tenant, struct str type, struct str team)
{
	struct queue *q = queue_make(w, id, tenant, type, team);

	CHECK(!w->batch.open);
	q->pub.stored = true;
	if (id > w->highest_loaded)
		w->highest_loaded = id;
	return &q->pub;
}

static enum err refuse(const struct work_loading *row, struct problem *p, const char *what)
{
	char id[ID_TEXT];

	id_format(id, "w_", row->id > 0 ? row->id : 0);
	return problem_set(p, ERR_INVALID, "the stored row of item %s cannot be right: %s", id, what);
}

static bool fits(int64_t v, int64_t min, int64_t max)
{
	return v >= min && v <= max;
}

static bool numbers_fit(const struct work_loading *r)
{
	return fits(r->priority, 0, PRIORITIES - 1) && fits(r->progress, 0, 100) &&
	       fits(r->backoff_kind, BACKOFF_EXPONENTIAL, BACKOFF_LINEAR) &&
	       fits(r->outcome, 0, OUTCOME_RELEASED + 1) && fits(r->lease_ms, 1, UINT32_MAX) &&
	       fits(r->attempt, 0, UINT32_MAX) && fits(r->failures, 0, UINT32_MAX) &&
	       fits(r->max_attempts, 1, UINT16_MAX) && fits(r->backoff_base_ms, 0, UINT32_MAX) &&
	       fits(r->backoff_max_ms, 0, UINT32_MAX) && fits(r->token_epoch, 0, UINT32_MAX);
}

static bool times_fit(const struct work_loading *r)
{
	return r->created_ms >= 0 && r->run_at_ms >= 0 && r->ready_ms >= 0 && r->deadline_ms >= 0 &&
	       r->lease_until_ms >= 0;
}

static bool history_reads(struct str blob)
{
	struct work_history_entry e;

	while (work_history_next(&blob, &e))
		continue;
	return blob.n == 0;
}

/* What holds of a row in every state. */
enum err row_check(const struct work *w, const struct work_loading *row, struct problem *p)
{
	const struct queue *q = map_get(&w->queues_by_id, (uint64_t)row->queue);

	if (row->id <= 0)
		return refuse(row, p, "no such id");
	if (!q || q->pub.tenant != row->tenant)
		return refuse(row, p, "its queue is not one of its tenant");
	if (!numbers_fit(row))
		return refuse(row, p, "a number is out of range");
	if (!times_fit(row))
		return refuse(row, p, "a time is before 1970");
	if (!history_reads(row->history))
		return refuse(row, p, "its history does not read");
	return OK;
}

static bool depends_reads(struct str blob)
{
	struct work_depends_entry e;
	int64_t last = 0;

	while (work_depends_next(&blob, &e)) {
		if (e.id <= last)
			return false;
		last = e.id;
	}
	return blob.n == 0 && last > 0;
}

static enum err check_live(const struct work *w, const struct work_loading *row, struct problem *p)
{
	if (row->state < 0 || !is_live_state((unsigned)row->state))
		return refuse(row, p, "it is finished");
	if (idmap_get(&w->by_id, row->id))
		return refuse(row, p, "there are two of it");
	if (row->state == WORK_BLOCKED && !depends_reads(row->depends))
		return refuse(row, p, "it is blocked by nothing, or its dependencies do not read");
	if ((row->state == WORK_READY || row->state == WORK_LEASED) && row->ready_ms == 0)
		return refuse(row, p, "it never became ready");
	if (row->state == WORK_LEASED && (row->claimed_by.n == 0 || row->attempt == 0))
		return refuse(row, p, "it is leased to nobody");
	return OK;
}

struct item *item_from_row(struct work *w, const struct work_loading *row)
{
	struct item *item = item_alloc(w);
	struct queue *q = map_get(&w->queues_by_id, (uint64_t)row->queue);

	item->id = row->id;
	item->queue = &q->pub;
	item->created_ms = row->created_ms;
	item->changed_ms = row->changed_ms;
	item->run_at_ms = row->run_at_ms;
	item->ready_ms = row->ready_ms;
	item->deadline_ms = row->deadline_ms;
	item->key_hash = row->key_hash;
	item->token_random = row->token_random;
	item->token_epoch = (uint32_t)row->token_epoch;
	item->attempt = (uint32_t)row->attempt;
	item->failures = (uint32_t)row->failures;
	item->lease_ms = (uint32_t)row->lease_ms;
	item->backoff_base_ms = (uint32_t)row->backoff_base_ms;
	item->backoff_max_ms = (uint32_t)row->backoff_max_ms;
	item->max_attempts = (uint16_t)row->max_attempts;
	item->priority = (uint8_t)row->priority;
	item->progress = (uint8_t)row->progress;
	item->backoff_kind = (uint8_t)row->backoff_kind;
	item->outcome = (uint8_t)row->outcome;
	item->assignee = name_get(&w->names, row->assignee);
	item->created_by = name_get(&w->names, row->created_by);
	item->claimed_by = name_get(&w->names, row->claimed_by);
	item->history = blob_new(w, row->history);
	item->note = blob_new(w, row->note);
	return item;
}

/*
 * After a start each holder of a lease gets the time to find the server again: as long as the claim's lease was, or
 * became by extensions, at most the item's own. The claim's own length counts because whoever asked for a short one
 * wants the item back soon, and nobody may be left who holds it.
 */
static int64_t lease_until(const struct work_loading *row, int64_t now_ms)
{
	int64_t held_ms = row->lease_until_ms - row->changed_ms;
	int64_t least = now_ms + (held_ms < row->lease_ms ? held_ms : row->lease_ms);

	return row->lease_until_ms > least ? row->lease_until_ms : least;
}

enum err work_load(struct work *w, const struct work_loading *row, int64_t now_ms, struct problem *p)
{
	enum err err = row_check(w, row, p);
	struct item *item;

	CHECK(!w->batch.open);
	if (!err)
		err = check_live(w, row, p);
	if (err)
		return err;
	item = item_from_row(w, row);
	item->state = (uint8_t)row->state;
	if (item->state == WORK_BLOCKED)
		item->depends = blob_new(w, row->depends);
	if (item->state == WORK_LEASED)
		item->lease_until_ms = lease_until(row, now_ms);
	idmap_add(&w->by_id, item->id, item);
	index_enter(w, item);
	index_add(w, item);
	if (item->id > w->highest_loaded)
		w->highest_loaded = item->id;
	return OK;
}

void work_loaded(struct work *w, int64_t highest_id)
{
	CHECK(!w->batch.open);
	id_maker_init(&w->ids, highest_id > w->highest_loaded ? highest_id : w->highest_loaded);
}
