/*
 * What must always hold, for tests: each check names itself when it is broken. A walk over everything; meant for
 * states of some hundred items after every step, not for a server.
 */
#include "work/work_priv.h"

/* ---- heaps ---- */

static bool heap_is_sound(const struct heap *h)
{
	for (uint32_t i = 0; i < h->n; i++) {
		const uint32_t *place = (const uint32_t *)(const void *)((const char *)h->v[i] + h->place_offset);

		if (*place != i || (i > 0 && h->before(h->v[i], h->v[(i - 1) / 4])))
			return false;
	}
	return true;
}

/* ---- one item ---- */

static const char *lease_fault(const struct item *item)
{
	bool leased = item->state == WORK_LEASED;

	if (leased != (item->lease_until_ms != 0))
		return "exactly leased items have an end of their lease";
	if (leased && (item->attempt == 0 || item->outcome != 0 || !item->claimed_by))
		return "a leased item has a holder, an attempt and no outcome yet";
	return NULL;
}

static const char *shelf_fault(const struct work *w, const struct item *item)
{
	bool ready = item->state == WORK_READY;

	if (ready != (item->shelved != NOT_SHELVED))
		return "exactly ready items are on a shelf";
	if (ready && (!shelf_of(w, item) || item_before(item, shelf_of(w, item)->head)))
		return "no item on a shelf comes before its head";
	return NULL;
}

static const char *depends_fault(const struct work *w, const struct item *item)
{
	struct str blob = work_blob_str(item->depends);
	struct work_depends_entry e;

	if ((item->state == WORK_BLOCKED) != (blob.n > 0))
		return "exactly blocked items wait for others";
	while (work_depends_next(&blob, &e)) {
		const struct item *dependency = work_find(w, e.id);
		const struct idmap *waiting = map_get(&w->dependents, (uint64_t)e.id);

		if (!dependency || dependency->queue->tenant != item->queue->tenant)
			return "a dependency is a live item of the same tenant";
		if (!waiting || !idmap_has(waiting, item->id))
			return "a dependency knows who waits for it";
	}
	return blob.n > 0 ? "dependencies read to their end" : NULL;
}

static const char *place_fault(const struct work *w, const struct item *item)
{
	if (idmap_get(&w->by_id, item->id) != item)
		return "an item is found by its id";
	if (!idmap_has(&queue_of(item->queue)->tenant->items, item->id))
		return "an item is in its tenant's list";
	if ((item_due_ms(item) != NEVER_MS) != (item->timer_place != HEAP_NOWHERE))
		return "an item has a timer if and only if something is due";
	if (item->key_hash && !key_first(w, item->key_hash))
		return "an item with a key is found by it";
	return NULL;
}

static const char *item_fault(const struct work *w, const struct item *item)
{
	const char *fault = lease_fault(item);

	if (!fault)
		fault = shelf_fault(w, item);
	if (!fault)
		fault = depends_fault(w, item);
	if (!fault)
		fault = place_fault(w, item);
	if (!fault && !w->batch.open && item->touch != 0)
		fault = "between batches no item is touched";
	return fault;
}

/* ---- all items, and the sums over them ---- */

struct sums {
	uint64_t states[LIVE_STATES], live, finished, timers, keys, dependencies;
};

static const char *items_fault(const struct work *w, struct sums *sums)
{
	struct idmap_cursor c = idmap_below(&w->by_id, INT64_MAX);
	const char *fault = NULL;

	while (!fault && idmap_next_down(&w->by_id, &c)) {
		const struct item *item = c.value;
		struct str depends = work_blob_str(item->depends);
		struct work_depends_entry e;

		if (!is_live_state(item->state)) {
			sums->finished++;
			continue;
		}
		sums->states[item->state]++;
		sums->live++;
		sums->timers += item->timer_place != HEAP_NOWHERE;
		sums->keys += item->key_hash != 0;
		while (work_depends_next(&depends, &e))
			sums->dependencies++;
		fault = item_fault(w, item);
	}
	if (!fault && sums->finished > 0 && !w->batch.open)
		fault = "between batches only live items are in memory";
	return fault;
}

static uint64_t ids_in(const struct map *sets)
{
	const struct idmap *set;
	uint64_t n = 0;

	for (size_t i = 0; (set = map_next(sets, &i));)
		n += set->count;
	return n;
}

static const char *sums_fault(const struct work *w, const struct sums *sums)
{
	uint64_t by_tenant[LIVE_STATES] = {0}, listed = 0;
	const struct tenancy *t;

	for (size_t i = 0; (t = map_next(&w->tenants, &i));) {
		listed += t->items.count;
		for (unsigned s = 0; s < LIVE_STATES; s++)
			by_tenant[s] += t->counts[s];
	}
	for (unsigned s = 0; s < LIVE_STATES; s++)
		if (w->counts[s] != sums->states[s] || by_tenant[s] != sums->states[s])
			return "the counts by state are those of the items";
	if (listed != sums->live)
		return "the lists hold the live items and no others";
	if (w->timers.n != sums->timers)
		return "the timers are those of the live items";
	if (w->keys.count + w->key_clashes.n != sums->keys)
		return "the keys are those of the live items";
	if (ids_in(&w->dependents) != sums->dependencies)
		return "the dependents are those of the blocked items";
	return NULL;
}

/* ---- shelves, lanes, waits ---- */

static const char *shelf_itself_fault(const struct shelf *s, uint64_t *ready)
{
	*ready += shelf_count(s);
	if (!heap_is_sound(&s->returned))
		return "the returned items of a shelf are in order";
	if ((shelf_count(s) == 0) != (s->head == NULL))
		return "a shelf has a head if and only if it is not empty";
	if (s->assignee && (!s->head || !s->desk))
		return "an assigned shelf is not empty and on its agent's desk";
	for (unsigned kind = 0; !s->assignee && kind < LANE_KINDS; kind++)
		if ((s->head != NULL) != (s->places[kind] != HEAP_NOWHERE))
			return "a shelf is in its lanes if and only if it is not empty";
	return NULL;
}

static const char *shelves_fault(const struct work *w, const struct sums *sums)
{
	uint64_t ready = 0;
	const char *fault = NULL;
	const struct queue *q;
	struct link *l = NULL;

	for (size_t i = 0; !fault && (q = map_next(&w->queues_by_id, &i));)
		for (unsigned p = 0; !fault && p < PRIORITIES; p++)
			fault = q->shelves[p] ? shelf_itself_fault(q->shelves[p], &ready) : NULL;
	for (size_t i = 0; !fault && (l = links_next(&w->shelves, &i, l));)
		fault = shelf_itself_fault(CONTAINER_OF(l, struct shelf, link), &ready);
	if (!fault && ready != sums->states[WORK_READY])
		fault = "the shelves hold the ready items and no others";
	return fault;
}

static const char *lanes_fault(const struct work *w)
{
	struct link *l = NULL;

	for (size_t i = 0; (l = links_next(&w->lanes, &i, l));) {
		const struct lane *lane = CONTAINER_OF(l, struct lane, link);

		if (!heap_is_sound(&lane->shelves))
			return "the shelves of a lane are in order";
		if (lane->first && lane->shelves.n > 0)
			return "nobody waits in a lane that has something ready";
		for (const struct ticket *t = lane->first; t && t->next; t = t->next)
			if (t->waiter->number > t->next->waiter->number)
				return "who came first stands first";
	}
	l = NULL;
	for (size_t i = 0; (l = links_next(&w->desks, &i, l));)
		if (desk_overlooks(CONTAINER_OF(l, struct desk, link)))
			return "nobody waits for what lies on the own desk";
	return NULL;
}

const char *work_broken_invariant(const struct work *w)
{
	struct sums sums = {0};
	const char *fault = items_fault(w, &sums);

	if (!fault)
		fault = sums_fault(w, &sums);
	if (!fault)
		fault = shelves_fault(w, &sums);
	if (!fault)
		fault = lanes_fault(w);
	if (!fault && !heap_is_sound(&w->timers))
		fault = "the timers are in order";
	if (!fault && !heap_is_sound(&w->waits))
		fault = "the waits are in order of their ends";
	return fault;
}
