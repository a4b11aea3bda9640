/*
 * The life of one item. Every change of state is a move of this table; any other is a bug and stops the program.
 *
 *              ┌────────── BLOCKED ──────────┐
 *              │ dependencies done,          │ dependencies done
 *     born ───►│ run_at ahead                ▼
 *              └────────► SCHEDULED ──due──► READY ──claim──► LEASED ──complete──► COMPLETED
 *                             ▲                ▲                │ │
 *                             │                └──release───────┘ │
 *                             └──fail or lapse, attempts left─────┤
 *                                                                 └──fail or lapse, none left──► FAILED
 *     from each state in memory:  deadline passed, a dependency failed ──► FAILED     cancel ──► CANCELLED
 *
 * A revived item is born again. A move has two halves: item_leaves() takes the item out of the indexes, as its
 * fields then say, and item_arrives() puts it where they say now and tells it.
 */
#include "work/work_priv.h"

#include <string.h>

/* A megabyte: the allocator gives it pages of its own, which are touched as items come. */
enum { ITEMS_PER_SLAB = (1 << 20) / sizeof(struct item) };

struct item_slab {
	struct item items[ITEMS_PER_SLAB];
};

#define TO(state) (1u << (state))

static const uint8_t may_become[] = {
	[WORK_BLOCKED] = TO(WORK_SCHEDULED) | TO(WORK_READY) | TO(WORK_FAILED) | TO(WORK_CANCELLED),
	[WORK_SCHEDULED] = TO(WORK_READY) | TO(WORK_FAILED) | TO(WORK_CANCELLED),
	[WORK_READY] = TO(WORK_LEASED) | TO(WORK_FAILED) | TO(WORK_CANCELLED),
	[WORK_LEASED] =
		TO(WORK_READY) | TO(WORK_SCHEDULED) | TO(WORK_COMPLETED) | TO(WORK_FAILED) | TO(WORK_CANCELLED),
	[WORK_COMPLETED] = 0,
	[WORK_FAILED] = 0,
	[WORK_CANCELLED] = 0,
};

static const enum work_event_kind ending_kind[] = {
	[WORK_COMPLETED] = EVENT_COMPLETED,
	[WORK_FAILED] = EVENT_FAILED,
	[WORK_CANCELLED] = EVENT_CANCELLED,
};

/* ---- memory ---- */

struct item *item_alloc(struct work *w)
{
	struct item *item;

	if (w->free_items.n > 0) {
		item = w->free_items.v[--w->free_items.n];
	} else {
		if (w->slabs.n == 0 || w->slab_used == ITEMS_PER_SLAB) {
			*VEC_PUSH(&w->slabs) = must_realloc(NULL, sizeof(struct item_slab));
			w->slab_used = 0;
		}
		item = &w->slabs.v[w->slabs.n - 1]->items[w->slab_used++];
	}
	*item = (struct item){.shelf_place = HEAP_NOWHERE, .timer_place = HEAP_NOWHERE};
	return item;
}

void item_free(struct work *w, struct item *item)
{
	name_drop(&w->names, &item->assignee);
	name_drop(&w->names, &item->created_by);
	name_drop(&w->names, &item->claimed_by);
	blob_free(w, &item->history);
	blob_free(w, &item->depends);
	blob_free(w, &item->note);
	*VEC_PUSH(&w->free_items) = item;
}

void items_free(struct work *w)
{
	for (size_t i = 0; i < w->slabs.n; i++)
		free(w->slabs.v[i]);
	VEC_FREE(&w->slabs);
	VEC_FREE(&w->free_items);
}

size_t items_bytes(const struct work *w)
{
	size_t unused = w->slabs.n ? ITEMS_PER_SLAB - w->slab_used : 0;

	return (w->slabs.n * ITEMS_PER_SLAB - unused) * sizeof(struct item) +
	       w->free_items.cap * sizeof(w->free_items.v[0]) + w->blob_bytes;
}

/* As the allocator counts: a header of 8 bytes, rounded up to 16. */
static size_t blob_cost(const struct work_blob *b)
{
	return (sizeof(*b) + b->length + 8 + 15) & ~(size_t)15;
}

struct work_blob *blob_new(struct work *w, struct str bytes)
{
	struct work_blob *b;

	if (bytes.n == 0)
		return NULL;
	CHECK(bytes.n <= UINT32_MAX);
	b = must_realloc(NULL, sizeof(*b) + bytes.n);
	b->length = (uint32_t)bytes.n;
	memcpy(b->bytes, bytes.p, bytes.n);
	w->blob_bytes += blob_cost(b);
	return b;
}

void blob_free(struct work *w, struct work_blob **b)
{
	if (*b)
		w->blob_bytes -= blob_cost(*b);
	free(*b);
	*b = NULL;
}

struct str work_blob_str(const struct work_blob *b)
{
	return b ? (struct str){b->bytes, b->length} : (struct str){0};
}

/* ---- what an item holds: what it held before the batch is kept for the undo ---- */

static void set_blob(struct work *w, struct work_blob **slot, const struct work_blob *before, struct str bytes)
{
	struct work_blob *fresh = blob_new(w, bytes);

	if (*slot != before)
		blob_free(w, slot);
	*slot = fresh;
}

void item_set_history(struct work *w, struct item *item, struct str history)
{
	set_blob(w, &item->history, touch_of(w, item)->before.history, history);
}

void item_set_depends(struct work *w, struct item *item, struct str depends)
{
	set_blob(w, &item->depends, touch_of(w, item)->before.depends, depends);
}

void item_set_note(struct work *w, struct item *item, struct str note)
{
	set_blob(w, &item->note, touch_of(w, item)->before.note, text_cut(note, NOTE_MAX_BYTES));
}

void item_set_claimed_by(struct work *w, struct item *item, struct name *agent)
{
	struct name *before = touch_of(w, item)->before.claimed_by;
	struct name *fresh = agent == before ? before : name_keep(agent);

	if (item->claimed_by != before)
		name_drop(&w->names, &item->claimed_by);
	item->claimed_by = fresh;
}

/* ---- moves ---- */

void item_born(struct work *w, struct item *item, enum work_state state)
{
	CHECK(is_live_state(state) && state != WORK_LEASED);
	item->state = (uint8_t)state;
	item->changed_ms = w->batch.now_ms;
	if (state == WORK_READY && item->ready_ms == 0)
		item->ready_ms = w->batch.now_ms;
	CHECK(idmap_add(&w->by_id, item->id, item));
	index_enter(w, item);
	index_add(w, item);
}

void item_leaves(struct work *w, struct item *item, enum work_state to)
{
	CHECK(may_become[item->state] & TO(to));
	batch_touch(w, item);
	index_remove(w, item);
	item->state = (uint8_t)to;
	item->changed_ms = w->batch.now_ms;
	item->lease_until_ms = 0;
}

void item_arrives(struct work *w, struct item *item, enum work_event_kind kind, struct name *agent, struct str note)
{
	index_add(w, item);
	history_add(w, item, kind, agent, note);
	batch_tell(w, item, kind, agent);
}

void item_becomes_ready(struct work *w, struct item *item, enum work_event_kind kind, struct name *agent,
			struct str note)
{
	item_leaves(w, item, WORK_READY);
	if (item->ready_ms == 0)
		item->ready_ms = w->batch.now_ms;
	item_arrives(w, item, kind, agent, note);
	wait_offer(w, item);
}

void item_waits_until(struct work *w, struct item *item, int64_t run_at_ms, enum work_event_kind kind,
		      struct str note)
{
	item_leaves(w, item, WORK_SCHEDULED);
	item->run_at_ms = run_at_ms;
	item_arrives(w, item, kind, item->claimed_by, note);
}

void item_is_leased(struct work *w, struct item *item, struct name *agent, int64_t lease_ms)
{
	item_leaves(w, item, WORK_LEASED);
	item->lease_until_ms = w->batch.now_ms + (lease_ms > 0 ? lease_ms : item->lease_ms);
	if (item->attempt < UINT32_MAX)
		item->attempt++;
	item->token_epoch = w->env.epoch;
	item->token_random = rng_u64(w->env.rng);
	item->outcome = 0;
	item->progress = 0;
	item_set_note(w, item, (struct str){0});
	item_set_claimed_by(w, item, agent);
	item_arrives(w, item, EVENT_CLAIMED, agent, (struct str){0});
}

void item_finishes(struct work *w, struct item *item, const struct ending *e)
{
	struct touch *t;

	item_leaves(w, item, e->state);
	index_leave(w, item);
	t = touch_of(w, item);
	t->is_live = false;
	t->result = e->result;
	t->error = e->error;
	t->used = e->used;
	t->cause = e->cause;
	t->finished_ms = w->batch.now_ms;
	*VEC_PUSH(&w->batch.finished) = item;
	history_add(w, item, ending_kind[e->state], e->agent, e->note);
	batch_tell(w, item, ending_kind[e->state], e->agent);
}
