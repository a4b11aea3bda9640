/* The life of the queue's memory, and what it can tell about itself. The map of the files is in work_priv.h. */
#include "work/work_priv.h"

struct work *work_new(const struct work_env *env)
{
	struct work *w = NEW(struct work);

	w->env = *env;
	w->batch.arena = arena_new(SIZE_MAX);
	w->timers = HEAP_INIT(timer_before, struct item, timer_place);
	w->waits = HEAP_INIT(waiter_before, struct work_waiter, place);
	ready_init(w);
	id_maker_init(&w->ids, 0);
	return w;
}

/* What a batch that is still open holds for its undo. */
static void drop_batch(struct work *w)
{
	if (w->batch.open)
		work_commit(w);
	arena_destroy(&w->batch.arena);
	VEC_FREE(&w->batch.touches);
	VEC_FREE(&w->batch.happenings);
	VEC_FREE(&w->batch.finished);
}

void work_destroy(struct work **pw)
{
	struct work *w = *pw;
	struct item *item;

	*pw = NULL;
	if (!w)
		return;
	drop_batch(w);
	waits_free(w);
	for (size_t i = 0; (item = map_next(&w->by_id, &i));)
		item_free(w, item);
	items_free(w);
	depends_free(w);
	ready_free(w);
	queues_free(w);
	lanes_free(w);
	heap_free(&w->timers);
	map_free(&w->by_id);
	map_free(&w->keys);
	VEC_FREE(&w->key_clashes);
	buf_free(&w->scratch);
	name_table_free(&w->names);
	free(w);
}

uint64_t work_count(const struct work *w, enum work_state state)
{
	return is_live_state(state) ? w->counts[state] : 0;
}

uint64_t work_count_tenant(const struct work *w, int64_t tenant, enum work_state state)
{
	const struct tenancy *t = map_get(&w->tenants, (uint64_t)tenant);

	return t && is_live_state(state) ? t->counts[state] : 0;
}

/* Names are counted at a typical length. */
static size_t names_bytes(const struct work *w)
{
	enum { TYPICAL = 24 };

	return map_bytes(&w->names.by_hash) + w->names.by_hash.count * (sizeof(struct name) + TYPICAL);
}

static size_t batch_bytes(const struct batch *b)
{
	return arena_used(b->arena) + b->touches.cap * sizeof(b->touches.v[0]) +
	       b->happenings.cap * sizeof(b->happenings.v[0]) + b->finished.cap * sizeof(b->finished.v[0]);
}

size_t work_bytes(const struct work *w)
{
	size_t bytes = sizeof(*w) + items_bytes(w) + map_bytes(&w->by_id) + map_bytes(&w->keys);
	const struct tenancy *t;

	for (size_t i = 0; (t = map_next(&w->tenants, &i));)
		bytes += sizeof(*t) + idset_bytes(&t->items);
	bytes += map_bytes(&w->queues) + map_bytes(&w->queues_by_id) + w->queues_by_id.count * sizeof(struct queue);
	bytes += w->timers.cap * sizeof(w->timers.v[0]) + w->waits.cap * sizeof(w->waits.v[0]);
	return bytes + ready_bytes(w) + depends_bytes(w) + names_bytes(w) + batch_bytes(&w->batch);
}
