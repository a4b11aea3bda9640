/*
 * Lanes and desks: the places where ready items and waiting claims meet.
 *
 * A queue passes four lanes: its own, its type's, its team's and the whole tenant's. So every claim that names any
 * types and any, one or no team reads one lane per type, and a waiting claim stands in just those.
 * Assigned items do not stand in lanes, where they would block everybody else; their agent finds them at its desk.
 */
#include "work/work_priv.h"

static uint64_t name_hash(const struct name *n)
{
	return n ? n->hash : 0;
}

static uint64_t lane_hash(int64_t tenant, enum lane_kind kind, const struct name *type, const struct name *team)
{
	return hash_mix(hash_mix((uint64_t)tenant * LANE_KINDS + kind, name_hash(type)), name_hash(team));
}

struct lane *lane_find(const struct work *w, int64_t tenant, enum lane_kind kind, const struct name *type,
		       const struct name *team)
{
	struct link *l = links_first(&w->lanes, lane_hash(tenant, kind, type, team));

	for (; l; l = l->next) {
		struct lane *lane = CONTAINER_OF(l, struct lane, link);

		if (lane->tenant == tenant && lane->kind == kind && lane->type == type && lane->team == team)
			return lane;
	}
	return NULL;
}

/* The lanes of a kind keep their shelves' places apart. */
static struct heap lane_heap(enum lane_kind kind)
{
	static bool (*const before[LANE_KINDS])(const void *, const void *) = {
		[LANE_ALL] = shelf_before_in_all,
		[LANE_TYPE] = shelf_before_in_type,
		[LANE_TEAM] = shelf_before_in_team,
		[LANE_TEAM | LANE_TYPE] = shelf_before_in_team,
	};
	struct heap h = HEAP_INIT(before[kind], struct shelf, places);

	h.place_offset += kind * sizeof(uint32_t);
	return h;
}

struct lane *lane_join(struct work *w, int64_t tenant, enum lane_kind kind, struct name *type, struct name *team)
{
	struct lane *lane = lane_find(w, tenant, kind, type, team);

	if (!lane) {
		lane = NEW(struct lane);
		lane->kind = kind;
		lane->tenant = tenant;
		lane->type = name_keep(type);
		lane->team = name_keep(team);
		lane->shelves = lane_heap(kind);
		links_add(&w->lanes, &lane->link, lane_hash(tenant, kind, type, team));
	}
	lane->users++;
	return lane;
}

void lane_quit(struct work *w, struct lane **l)
{
	struct lane *lane = *l;

	*l = NULL;
	if (--lane->users > 0)
		return;
	CHECK(lane->shelves.n == 0 && !lane->first);
	links_remove(&w->lanes, &lane->link);
	name_drop(&w->names, &lane->type);
	name_drop(&w->names, &lane->team);
	heap_free(&lane->shelves);
	free(lane);
}

static uint64_t desk_hash(int64_t tenant, const struct name *agent)
{
	return hash_mix((uint64_t)tenant, name_hash(agent));
}

struct desk *desk_find(const struct work *w, int64_t tenant, const struct name *agent)
{
	for (struct link *l = links_first(&w->desks, desk_hash(tenant, agent)); l; l = l->next) {
		struct desk *desk = CONTAINER_OF(l, struct desk, link);

		if (desk->tenant == tenant && desk->agent == agent)
			return desk;
	}
	return NULL;
}

struct desk *desk_join(struct work *w, int64_t tenant, struct name *agent)
{
	struct desk *desk = desk_find(w, tenant, agent);

	if (!desk) {
		desk = NEW(struct desk);
		desk->tenant = tenant;
		desk->agent = name_keep(agent);
		links_add(&w->desks, &desk->link, desk_hash(tenant, agent));
	}
	desk->users++;
	return desk;
}

void desk_quit(struct work *w, struct desk **d)
{
	struct desk *desk = *d;

	*d = NULL;
	if (--desk->users > 0)
		return;
	CHECK(!desk->shelves && !desk->first);
	links_remove(&w->desks, &desk->link);
	name_drop(&w->names, &desk->agent);
	free(desk);
}

/* With everything that still stands in them; the names go with their table. */
void lanes_free(struct work *w)
{
	struct link *l;

	for (size_t i = 0; (l = map_next(&w->lanes, &i));) {
		for (struct link *next; l; l = next) {
			struct lane *lane = CONTAINER_OF(l, struct lane, link);

			next = l->next;
			heap_free(&lane->shelves);
			free(lane);
		}
	}
	for (size_t i = 0; (l = map_next(&w->desks, &i));) {
		for (struct link *next; l; l = next) {
			next = l->next;
			free(CONTAINER_OF(l, struct desk, link));
		}
	}
	map_free(&w->lanes);
	map_free(&w->desks);
}
