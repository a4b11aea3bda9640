/* The life of the queue's memory, and what it can tell about itself. The map of the files is in work_priv.h. */
#include "work/work_priv.h"

struct work *work_new(const struct work_env *env)
{
	struct work *w = NEW(struct work);

	w->env = *env;
	w->batch.arena = arena_new(SIZE_MAX);
	w->by_id.valued = true;
	w->timers = HEAP_INIT(timer_before, struct item, timer_place);
	w->waits = HEAP_INIT(waiter_before, struct work_waiter, place);
	ready_init(w);
	id_maker_init(&w->ids, 0);
	return w;
}

void work_destroy(struct work **pw)
{
	struct work *w = *pw;
	struct idmap_cursor c;

	*pw = NULL;
	if (!w)
		return;
	if (w->batch.open)
		work_commit(w); /* lets go of what the copies hold */
	batch_free(&w->batch);
	waits_free(w);
	for (c = idmap_below(&w->by_id, INT64_MAX); idmap_next_down(&w->by_id, &c);)
		item_free(w, c.value);
	items_free(w);
	depends_free(w);
	ready_free(w);
	queues_free(w);
	lanes_free(w);
	heap_free(&w->timers);
	idmap_free(&w->by_id);
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

size_t work_bytes(const struct work *w)
{
	size_t bytes = sizeof(*w) + items_bytes(w) + idmap_bytes(&w->by_id) + map_bytes(&w->keys);
	const struct tenancy *t;

	for (size_t i = 0; (t = map_next(&w->tenants, &i));)
		bytes += sizeof(*t) + idmap_bytes(&t->items);
	bytes += map_bytes(&w->queues) + map_bytes(&w->queues_by_id) + w->queues_by_id.count * sizeof(struct queue);
	bytes += w->timers.cap * sizeof(w->timers.v[0]) + w->waits.cap * sizeof(w->waits.v[0]);
	return bytes + ready_bytes(w) + depends_bytes(w) + names_bytes(w) + batch_bytes(&w->batch);
}
