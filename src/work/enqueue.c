/* Items come to life: new ones, and finished ones that are put back to work. */
#include "work/work_priv.h"

static bool within(int64_t v, int64_t min, int64_t max)
{
	return v >= min && v <= max;
}

static enum err check_spec(const struct work_spec *s, struct problem *p)
{
	if (s->type.n == 0)
		return problem_field(p, ERR_INVALID, "type", "must not be empty");
	if (!within(s->priority, 0, PRIORITIES - 1))
		return problem_field(p, ERR_INVALID, "priority", "must be one of the priorities");
	if (!within(s->max_attempts, 1, UINT16_MAX))
		return problem_field(p, ERR_INVALID, "max_attempts", "must be from 1 to %d", UINT16_MAX);
	if (!within(s->lease_ms, 1, UINT32_MAX))
		return problem_field(p, ERR_INVALID, "lease_ms", "must be from 1 to %u", UINT32_MAX);
	if (!within(s->backoff_kind, BACKOFF_EXPONENTIAL, BACKOFF_LINEAR))
		return problem_field(p, ERR_INVALID, "backoff.kind", "must be one of the kinds");
	if (!within(s->backoff_base_ms, 0, UINT32_MAX))
		return problem_field(p, ERR_INVALID, "backoff.base_ms", "must be from 0 to %u", UINT32_MAX);
	if (!within(s->backoff_max_ms, 0, UINT32_MAX))
		return problem_field(p, ERR_INVALID, "backoff.max_ms", "must be from 0 to %u", UINT32_MAX);
	if (s->run_at_ms < 0 || s->deadline_ms < 0)
		return problem_field(p, ERR_INVALID, s->run_at_ms < 0 ? "run_at" : "deadline",
				     "must not be before 1970");
	return OK;
}

static uint64_t live_count(const struct work *w)
{
	return w->counts[WORK_BLOCKED] + w->counts[WORK_SCHEDULED] + w->counts[WORK_READY] + w->counts[WORK_LEASED];
}

static enum err check_room(const struct work *w, bool needs_queue, struct problem *p)
{
	if (live_count(w) >= w->env.max_live)
		return problem_set(p, ERR_TOO_MANY,
				   "there are %llu unfinished items, as many as this server may hold",
				   (unsigned long long)w->env.max_live);
	if (needs_queue && w->queues_by_id.count >= w->env.max_queues)
		return problem_set(p, ERR_TOO_MANY,
				   "there are %llu queues (type and team), as many as there may be",
				   (unsigned long long)w->env.max_queues);
	return OK;
}

static struct queue *begin_queue(struct work *w, const struct work_spec *s)
{
	int64_t id = id_make(&w->ids, w->batch.now_ms, queue_slot(s->tenant, s->type, s->team));
	struct queue *q = queue_make(w, id, s->tenant, s->type, s->team);

	q->pub.next_unstored = w->unstored;
	w->unstored = &q->pub;
	return q;
}

static struct item *new_item(struct work *w, struct queue *q, const struct work_spec *s, uint64_t key_hash)
{
	struct item *item = item_alloc(w);

	item->id = id_make(&w->ids, w->batch.now_ms, q->pub.slot);
	item->queue = &q->pub;
	item->created_ms = w->batch.now_ms;
	item->run_at_ms = s->run_at_ms;
	item->deadline_ms = s->deadline_ms;
	item->key_hash = key_hash;
	item->priority = (uint8_t)s->priority;
	item->max_attempts = (uint16_t)s->max_attempts;
	item->lease_ms = (uint32_t)s->lease_ms;
	item->backoff_kind = (uint8_t)s->backoff_kind;
	item->backoff_base_ms = (uint32_t)s->backoff_base_ms;
	item->backoff_max_ms = (uint32_t)s->backoff_max_ms;
	item->assignee = name_get(&w->names, s->assignee);
	item->created_by = name_get(&w->names, s->created_by);
	return item;
}

static enum work_state first_state(const struct work *w, const struct item *item)
{
	if (item->depends)
		return WORK_BLOCKED;
	return item->run_at_ms > w->batch.now_ms ? WORK_SCHEDULED : WORK_READY;
}

/* The queue's, if there is one, and the key's; what a key finds is the answer whatever else the spec says. */
static struct item *find_by_key(const struct work *w, const struct queue *q, const struct work_spec *s,
				uint64_t *hash)
{
	*hash = s->key.n > 0 ? work_key_hash(s->tenant, s->type, s->team, s->key) : 0;
	return *hash && q ? key_find(w, &q->pub, *hash, s->key) : NULL;
}

enum err work_enqueue(struct work *w, const struct work_spec *s, struct item **out, bool *existed,
		      struct problem *p)
{
	struct queue *q = queue_find(w, s->tenant, s->type, s->team);
	uint64_t key_hash;
	struct item *item = find_by_key(w, q, s, &key_hash);
	int64_t broken;
	enum err err;

	CHECK(w->batch.open);
	*existed = item != NULL;
	*out = item;
	if (item)
		return OK;
	err = check_spec(s, p);
	if (!err)
		err = check_room(w, !q, p);
	if (!err)
		err = depends_check(w, s->tenant, s->depends, s->depends_count, p);
	if (err)
		return err;
	item = *out = new_item(w, q ? q : begin_queue(w, s), s, key_hash);
	batch_touch_new(w, item)->body = s->body;
	broken = depends_begin(w, item, s->depends, s->depends_count);
	item_born(w, item, first_state(w, item));
	batch_tell(w, item, EVENT_ENQUEUED, item->created_by);
	if (broken) {
		depends_fell(w, item, broken);
		depends_tell(w);
	} else if (item->state == WORK_READY) {
		wait_offer(w, item);
	}
	return OK;
}

/* ---- revival ---- */

static enum err check_revivable(const struct work *w, const struct work_loading *row, struct problem *p)
{
	enum err err = row_check(w, row, p);

	if (err)
		return err;
	if (row->state != WORK_FAILED && row->state != WORK_CANCELLED)
		return problem_set(p, ERR_CONFLICT, "only a failed or cancelled item can be put back to work");
	if (idmap_get(&w->by_id, row->id)) /* live, or finished by this very batch */
		return problem_set(p, ERR_CONFLICT, "the item is at work, or was finished at this moment");
	if (row->key_hash && key_first(w, row->key_hash))
		return problem_set(p, ERR_CONFLICT, "another unfinished item has its key");
	return check_room(w, false, p);
}

enum err work_revive(struct work *w, const struct work_loading *row, const struct work_spec_dependency *depends,
		     size_t depends_count, struct str by, struct item **out, struct problem *p)
{
	enum err err = check_revivable(w, row, p);
	struct item *item;
	struct name *agent;

	CHECK(w->batch.open);
	if (!err)
		err = depends_check(w, row->tenant, depends, depends_count, p);
	if (!err)
		err = depends_check_unbroken(w, depends, depends_count, p);
	if (err)
		return err;
	item = *out = item_from_row(w, row);
	batch_touch_new(w, item)->was_finished = true;
	item->failures = 0;
	if (item->deadline_ms <= w->batch.now_ms) /* or it would fail again at once */
		item->deadline_ms = 0;
	depends_begin(w, item, depends, depends_count);
	item_born(w, item, first_state(w, item));
	agent = name_get(&w->names, by);
	history_add(w, item, EVENT_REVIVED, agent, (struct str){0});
	batch_tell(w, item, EVENT_REVIVED, agent);
	name_drop(&w->names, &agent);
	if (item->state == WORK_READY)
		wait_offer(w, item);
	return OK;
}
