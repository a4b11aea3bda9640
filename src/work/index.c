/*
 * Where an item is found: by id, by key, in its tenant's list, and by what its state calls for. Everything here is
 * a function of the item's fields; nothing is told twice.
 *
 * Queues and tenants are made when first named and stay: their number is bounded (max_queues), and pointers to them
 * need no counting.
 */
#include "work/work_priv.h"

/* ---- links ---- */

struct link *links_first(const struct map *m, uint64_t hash)
{
	return map_get(m, hash);
}

void links_add(struct map *m, struct link *l, uint64_t hash)
{
	l->hash = hash;
	l->next = map_put(m, hash, l);
}

void links_remove(struct map *m, struct link *l)
{
	struct link *first = map_get(m, l->hash), *before = first;

	CHECK(first != NULL);
	if (first == l && !l->next) {
		map_take(m, l->hash);
		return;
	}
	if (first == l) {
		map_put(m, l->hash, l->next);
		return;
	}
	while (before->next != l)
		before = before->next;
	before->next = l->next;
}

struct link *links_next(const struct map *m, size_t *i, const struct link *before)
{
	return before && before->next ? before->next : map_next(m, i);
}

/* Of two numbers that are hashes or ids themselves. */
uint64_t hash_mix(uint64_t a, uint64_t b)
{
	a = (a ^ b >> 32 ^ b << 32) * 0xbf58476d1ce4e5b9;
	a = (a ^ a >> 29 ^ b) * 0x94d049bb133111eb;
	return a ^ a >> 32;
}

/* ---- tenants ---- */

struct tenancy *tenancy_get(struct work *w, int64_t id)
{
	struct tenancy *t = map_get(&w->tenants, (uint64_t)id);

	if (t)
		return t;
	t = NEW(struct tenancy);
	map_put(&w->tenants, (uint64_t)id, t);
	return t;
}

/* ---- queues ---- */

static uint64_t queue_hash(int64_t tenant, struct str type, struct str team)
{
	return str_hash_seed(team, str_hash_seed(type, (uint64_t)tenant));
}

struct queue *queue_find(const struct work *w, int64_t tenant, struct str type, struct str team)
{
	for (struct link *l = links_first(&w->queues, queue_hash(tenant, type, team)); l; l = l->next) {
		struct queue *q = CONTAINER_OF(l, struct queue, link);

		if (q->pub.tenant == tenant && str_eq(name_str(q->pub.type), type) &&
		    str_eq(name_str(q->pub.team), team))
			return q;
	}
	return NULL;
}

unsigned queue_slot(int64_t tenant, struct str type, struct str team)
{
	return (unsigned)(queue_hash(tenant, type, team) >> 54);
}

struct queue *queue_make(struct work *w, int64_t id, int64_t tenant, struct str type, struct str team)
{
	struct queue *q = NEW(struct queue);

	q->pub = (struct work_queue){.id = id,
				     .tenant = tenant,
				     .type = name_get(&w->names, type),
				     .team = name_get(&w->names, team),
				     .slot = queue_slot(tenant, type, team)};
	q->tenant = tenancy_get(w, tenant);
	for (unsigned kind = 0; kind < LANE_KINDS; kind++)
		q->lanes[kind] = lane_join(w, tenant, kind, kind & LANE_TYPE ? q->pub.type : NULL,
					   kind & LANE_TEAM ? q->pub.team : NULL);
	links_add(&w->queues, &q->link, queue_hash(tenant, type, team));
	CHECK(map_put(&w->queues_by_id, (uint64_t)id, q) == NULL);
	return q;
}

void queues_free(struct work *w)
{
	struct queue *q;
	struct tenancy *t;

	for (size_t i = 0; (q = map_next(&w->queues_by_id, &i));) {
		for (unsigned priority = 0; priority < PRIORITIES; priority++)
			shelf_free(q->shelves[priority]);
		free(q);
	}
	for (size_t i = 0; (t = map_next(&w->tenants, &i));) {
		idmap_free(&t->items);
		free(t);
	}
	map_free(&w->queues);
	map_free(&w->queues_by_id);
	map_free(&w->tenants);
}

/* ---- keys: two items whose keys have one hash are so rare that all but one of them stand in a plain list ---- */

uint64_t work_key_hash(int64_t tenant, struct str type, struct str team, struct str key)
{
	uint64_t hash = str_hash_seed(key, queue_hash(tenant, type, team));

	return hash ? hash : 1;
}

static void key_add(struct work *w, struct item *item)
{
	if (map_get(&w->keys, item->key_hash))
		*VEC_PUSH(&w->key_clashes) = item;
	else
		map_put(&w->keys, item->key_hash, item);
}

static struct item *take_clash(struct work *w, size_t i)
{
	struct item *item = w->key_clashes.v[i];

	w->key_clashes.v[i] = w->key_clashes.v[--w->key_clashes.n];
	return item;
}

static void key_remove(struct work *w, struct item *item)
{
	bool was_first = map_get(&w->keys, item->key_hash) == item;

	if (was_first)
		map_take(&w->keys, item->key_hash);
	for (size_t i = 0; i < w->key_clashes.n; i++) {
		if (was_first && w->key_clashes.v[i]->key_hash == item->key_hash) {
			map_put(&w->keys, item->key_hash, take_clash(w, i));
			return;
		}
		if (w->key_clashes.v[i] == item) {
			take_clash(w, i);
			return;
		}
	}
}

struct item *key_first(const struct work *w, uint64_t hash)
{
	return map_get(&w->keys, hash);
}

static bool has_key(const struct work *w, const struct item *item, const struct work_queue *q, struct str key)
{
	return item->queue == q && w->env.key_is(w->env.ctx, item, key);
}

struct item *key_find(const struct work *w, const struct work_queue *q, uint64_t hash, struct str key)
{
	struct item *first = map_get(&w->keys, hash);

	if (!first)
		return NULL;
	if (has_key(w, first, q, key))
		return first;
	for (size_t i = 0; i < w->key_clashes.n; i++)
		if (w->key_clashes.v[i]->key_hash == hash && has_key(w, w->key_clashes.v[i], q, key))
			return w->key_clashes.v[i];
	return NULL;
}

struct item *work_find_key(const struct work *w, int64_t tenant, struct str type, struct str team, struct str key)
{
	struct queue *q = queue_find(w, tenant, type, team);

	return q ? key_find(w, &q->pub, work_key_hash(tenant, type, team, key), key) : NULL;
}

/* ---- items ---- */

struct item *work_find(const struct work *w, int64_t id)
{
	struct item *item = idmap_get(&w->by_id, id);

	return item && is_live_state(item->state) ? item : NULL;
}

void index_enter(struct work *w, struct item *item)
{
	CHECK(idmap_add(&queue_of(item->queue)->tenant->items, item->id, NULL));
	if (item->key_hash)
		key_add(w, item);
}

void index_leave(struct work *w, struct item *item)
{
	CHECK(idmap_remove(&queue_of(item->queue)->tenant->items, item->id));
	if (item->key_hash)
		key_remove(w, item);
}

void index_add(struct work *w, struct item *item)
{
	w->counts[item->state]++;
	queue_of(item->queue)->tenant->counts[item->state]++;
	timer_add(w, item);
	if (item->state == WORK_READY)
		ready_add(w, item);
	else if (item->state == WORK_BLOCKED)
		depends_link(w, item);
}

void index_remove(struct work *w, struct item *item)
{
	w->counts[item->state]--;
	queue_of(item->queue)->tenant->counts[item->state]--;
	timer_remove(w, item);
	if (item->state == WORK_READY)
		ready_remove(w, item);
	else if (item->state == WORK_BLOCKED)
		depends_unlink(w, item);
}
