/*
 * A batch: the items it touched, what happened, and the way back.
 *
 * The first change of an item takes a copy of it; that copy is all that undo needs, because indexes are functions
 * of items. What the copy holds (names, blobs) stays until the batch ends and then goes, or comes back, with it.
 * Undo runs backwards, so that a key that passed from one item to another finds its way.
 *
 * An id is handed out once even when its batch is undone, and queues that were made stay.
 */
#include "work/work_priv.h"

enum { TOUCHES_KEPT = 4096 };

/* ---- touching ---- */

struct touch *touch_of(const struct work *w, const struct item *item)
{
	CHECK(item->touch > 0);
	return w->batch.touches.v[item->touch - 1];
}

static struct touch *new_touch(struct work *w, struct item *item)
{
	struct batch *b = &w->batch;
	struct touch *t;

	CHECK(b->open && item->touch == 0 && b->touched < UINT32_MAX);
	if (b->touched == b->touches.n)
		*VEC_PUSH(&b->touches) = must_realloc(NULL, sizeof(*t));
	t = b->touches.v[b->touched++];
	*t = (struct touch){.item = item, .is_live = true};
	return t;
}

struct touch *batch_touch(struct work *w, struct item *item)
{
	struct touch *t;

	if (item->touch > 0)
		return touch_of(w, item);
	t = new_touch(w, item);
	t->before = *item;
	t->was_live = true;
	item->touch = (uint32_t)w->batch.touched;
	return t;
}

struct touch *batch_touch_new(struct work *w, struct item *item)
{
	struct touch *t = new_touch(w, item);

	item->touch = (uint32_t)w->batch.touched;
	return t;
}

void batch_tell(struct work *w, const struct item *item, enum work_event_kind kind, struct name *agent)
{
	*VEC_PUSH(&w->batch.happenings) = (struct work_happening){.id = item->id,
								  .at_ms = w->batch.now_ms,
								  .queue = item->queue,
								  .agent = name_keep(agent),
								  .holder = name_keep(item->claimed_by),
								  .attempt = item->attempt,
								  .kind = (uint8_t)kind,
								  .state = item->state,
								  .progress = item->progress};
}

/* ---- beginning and end ---- */

void batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->touches.n; i++)
		free(b->touches.v[i]);
	VEC_FREE(&b->touches);
	VEC_FREE(&b->happenings);
	VEC_FREE(&b->finished);
	arena_destroy(&b->arena);
}

size_t batch_bytes(const struct batch *b)
{
	return arena_used(b->arena) + b->touches.cap * sizeof(b->touches.v[0]) +
	       b->touches.n * sizeof(struct touch) + b->happenings.cap * sizeof(b->happenings.v[0]) +
	       b->finished.cap * sizeof(b->finished.v[0]);
}

void work_begin(struct work *w, int64_t now_ms)
{
	CHECK(!w->batch.open);
	w->batch.open = true;
	w->batch.number++;
	w->batch.now_ms = now_ms;
}

static void end(struct work *w)
{
	struct batch *b = &w->batch;

	for (size_t i = 0; i < b->happenings.n; i++) {
		name_drop(&w->names, &b->happenings.v[i].agent);
		name_drop(&w->names, &b->happenings.v[i].holder);
	}
	b->open = false;
	while (b->touches.n > TOUCHES_KEPT)
		free(b->touches.v[--b->touches.n]);
	b->touched = b->told = 0;
	b->happenings.n = b->finished.n = 0;
	arena_reset(b->arena);
}

/* Frees what `holds` holds and `other` does not. */
static void release(struct work *w, struct item *holds, const struct item *other)
{
	if (holds->claimed_by != other->claimed_by)
		name_drop(&w->names, &holds->claimed_by);
	if (holds->history != other->history)
		blob_free(w, &holds->history);
	if (holds->depends != other->depends)
		blob_free(w, &holds->depends);
	if (holds->note != other->note)
		blob_free(w, &holds->note);
}

void work_commit(struct work *w)
{
	CHECK(w->batch.open);
	for (size_t i = 0; i < w->batch.touched; i++) {
		struct touch *t = w->batch.touches.v[i];

		release(w, &t->before, t->item);
		t->item->touch = 0;
		if (t->is_live)
			continue;
		idmap_remove(&w->by_id, t->item->id);
		item_free(w, t->item);
	}
	for (struct work_queue *q = w->unstored; q; q = q->next_unstored)
		q->stored = true;
	w->unstored = NULL;
	end(w);
}

static void undo_touch(struct work *w, struct touch *t)
{
	struct item *item = t->item;

	if (t->is_live)
		index_remove(w, item);
	if (t->is_live && !t->was_live)
		index_leave(w, item);
	if (!t->was_live) {
		idmap_remove(&w->by_id, item->id);
		item_free(w, item);
		return;
	}
	release(w, item, &t->before);
	*item = t->before;
	item->shelf_place = item->timer_place = HEAP_NOWHERE;
	item->shelved = NOT_SHELVED;
	if (!t->is_live)
		index_enter(w, item);
	index_add(w, item);
}

void work_undo(struct work *w)
{
	CHECK(w->batch.open);
	for (size_t i = w->batch.touched; i-- > 0;)
		undo_touch(w, w->batch.touches.v[i]);
	wait_undo(w);
	end(w);
}

/* ---- what happened ---- */

static void describe(const struct touch *t, struct work_change *out)
{
	*out = (struct work_change){.item = t->item,
				    .was_live = t->was_live,
				    .was_finished = t->was_finished,
				    .is_live = t->is_live,
				    .body = t->body,
				    .result = t->result,
				    .error = t->error,
				    .used = t->used,
				    .cause = t->cause,
				    .felled = t->felled,
				    .felled_count = t->felled_count,
				    .finished_ms = t->finished_ms};
}

bool work_next_change(struct work *w, size_t *i, struct work_change *out)
{
	if (*i >= w->batch.touched)
		return false;
	describe(w->batch.touches.v[(*i)++], out);
	return true;
}

const struct work_happening *work_happenings(struct work *w, size_t *count)
{
	*count = w->batch.happenings.n;
	return w->batch.happenings.v;
}

struct work_queue *work_unstored_queues(struct work *w)
{
	return w->unstored;
}

const struct item *work_finished_now(const struct work *w, int64_t id, struct work_change *out)
{
	struct item *item = idmap_get(&w->by_id, id);

	if (!item || is_live_state(item->state))
		return NULL;
	if (out)
		describe(touch_of(w, item), out);
	return item;
}

const void *work_new_body(const struct work *w, const struct item *item)
{
	return item->touch > 0 ? touch_of(w, item)->body : NULL;
}
