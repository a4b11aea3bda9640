/*
 * Topological order of the items of a file, and its cycles.
 *
 * One depth-first walk does it all (Tarjan, "Depth-first search and linear graph algorithms", 1972). The nodes on
 * the path from the root of the walk to the current node are `on_path`; those whose component is not closed yet are
 * on the stack. An edge back onto the path closes a cycle and is cut; what remains has no cycle, and the order in
 * which nodes are left is topological. A component that had edges cut is reported when it is closed; cuts are kept
 * on a stack of their own, because components inside a subtree close before the one around them.
 *
 * The walk keeps its path in the nodes and not on the C stack, so a chain of a million items is no problem. Roots
 * and edges are taken in the order of the file, which makes the result the same each time.
 */
#include "import/import_priv.h"

#include "base/map.h"

#include <string.h>

enum { NAMES_SHOWN = 24 };

#define NOWHERE UINT32_MAX

struct node {
	struct node *same_hash;
	uint32_t *waits_for; /* by depends_on; CUT where there is no edge any more */
	uint32_t found, low; /* Tarjan's numbers; found is NOWHERE before the walk comes by */
	uint32_t next_edge;
	uint32_t up; /* before it on the path */
	size_t cuts_before;
	bool on_path, on_stack;
};

#define CUT (IMPORT_OUTSIDE - 1)

struct cut {
	uint32_t from, to;
};

struct graph {
	struct import_result *r;
	struct arena *arena;
	struct map by_key;
	struct node *nodes;
	uint32_t *stack, *order;
	uint32_t count, stacked, ordered, found;
	struct cut *cuts;
	size_t cut_count, cut_capacity;
	bool full; /* the arena is */
};

static struct work_new *work_of(const struct graph *g, uint32_t i)
{
	return &g->r->items[i].work;
}

/* ---- from keys to edges ---- */

static void index_keys(struct graph *g)
{
	/* From the last to the first, so that the first of several with one key heads the chain. */
	for (uint32_t i = g->count; i-- > 0;) {
		struct node *n = &g->nodes[i];
		struct str key = work_of(g, i)->key;

		if (key.n)
			n->same_hash = map_put(&g->by_key, str_hash(key), n);
	}
}

static uint32_t find_key(const struct graph *g, struct str key, const struct work_new *wanted_by)
{
	uint32_t first = IMPORT_OUTSIDE;

	for (struct node *n = map_get(&g->by_key, str_hash(key)); n; n = n->same_hash) {
		uint32_t i = (uint32_t)(n - g->nodes);
		const struct work_new *w = work_of(g, i);

		if (!str_eq(w->key, key))
			continue;
		if (str_eq(w->type, wanted_by->type) && str_eq(w->team, wanted_by->team))
			return i;
		if (first == IMPORT_OUTSIDE)
			first = i;
	}
	return first;
}

static bool find_edges(struct graph *g, uint32_t i)
{
	const struct work_new *w = work_of(g, i);
	uint32_t *v = ARENA_ARRAY(g->arena, uint32_t, w->depends_on_count);

	if (!v)
		return false;
	for (size_t k = 0; k < w->depends_on_count; k++)
		v[k] = w->depends_on[k].key.n ? find_key(g, w->depends_on[k].key, w) : IMPORT_OUTSIDE;
	g->nodes[i].waits_for = v;
	g->nodes[i].found = NOWHERE;
	return true;
}

static bool make_graph(struct graph *g)
{
	g->nodes = ARENA_ARRAY(g->arena, struct node, g->count);
	g->stack = ARENA_ARRAY(g->arena, uint32_t, g->count);
	g->order = ARENA_ARRAY(g->arena, uint32_t, g->count);
	if (!g->nodes || !g->stack || !g->order)
		return false;
	index_keys(g);
	for (uint32_t i = 0; i < g->count; i++)
		if (!find_edges(g, i))
			return false;
	return true;
}

/* ---- what is told about a component ---- */

static struct str text_of(struct graph *g, struct buf *b)
{
	struct str s = buf_ok(b) ? arena_str(g->arena, buf_str(b)) : (struct str){0};

	g->full |= !s.p;
	buf_free(b);
	return s;
}

static struct str list_members(struct graph *g, const uint32_t *members, size_t count)
{
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; i < count && i < NAMES_SHOWN; i++) {
		buf_z(&b, i ? ", " : "");
		buf_str_add(&b, work_of(g, members[i])->key);
	}
	if (count > NAMES_SHOWN)
		buf_fmt(&b, " and %zu more", count - NAMES_SHOWN);
	return text_of(g, &b);
}

static struct str list_cuts(struct graph *g, const struct cut *cuts, size_t count)
{
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
		buf_fmt(&b, "%s%.*s no longer waits for %.*s", i ? ", " : "", STRF(work_of(g, cuts[i].from)->key),
			STRF(work_of(g, cuts[i].to)->key));
	if (count > NAMES_SHOWN)
		buf_fmt(&b, " and %zu more", count - NAMES_SHOWN);
	return text_of(g, &b);
}

static void report(struct graph *g, const uint32_t *members, size_t count, size_t cuts_before)
{
	struct import_cycle *c = import_add_cycle(g->r, g->arena);

	g->full |= !c;
	if (!c)
		return;
	c->member_count = count;
	c->members = list_members(g, members, count);
	c->cut_count = g->cut_count - cuts_before;
	c->cuts = list_cuts(g, g->cuts + cuts_before, c->cut_count);
}

/* ---- the walk ---- */

static void cut_edge(struct graph *g, uint32_t from, uint32_t edge)
{
	struct cut *v = import_room(g->arena, g->cuts, g->cut_count, &g->cut_capacity, sizeof(*v));

	g->full |= !v;
	if (!v)
		return;
	g->cuts = v;
	v[g->cut_count++] = (struct cut){from, g->nodes[from].waits_for[edge]};
	g->nodes[from].waits_for[edge] = CUT;
}

static void enter(struct graph *g, uint32_t i, uint32_t up)
{
	struct node *n = &g->nodes[i];

	n->found = n->low = g->found++;
	n->up = up;
	n->cuts_before = g->cut_count;
	n->on_path = n->on_stack = true;
	g->stack[g->stacked++] = i;
}

static void lower(struct node *n, uint32_t to)
{
	if (to < n->low)
		n->low = to;
}

/* The first of a component is left: all above it on the stack are the component. */
static void close_component(struct graph *g, uint32_t first)
{
	uint32_t end = g->stacked;
	struct node *n;

	do {
		n = &g->nodes[g->stack[--g->stacked]];
		n->on_stack = false;
	} while (n != &g->nodes[first]);
	if (g->cut_count > n->cuts_before)
		report(g, g->stack + g->stacked, end - g->stacked, n->cuts_before);
	g->cut_count = n->cuts_before;
}

/* Returns the node before it on the path. */
static uint32_t leave(struct graph *g, uint32_t i)
{
	struct node *n = &g->nodes[i];

	n->on_path = false;
	g->order[g->ordered++] = i;
	if (n->low == n->found)
		close_component(g, i);
	if (n->up != NOWHERE)
		lower(&g->nodes[n->up], n->low);
	return n->up;
}

/* Follows the next edge of i; returns where the walk goes on. */
static uint32_t step(struct graph *g, uint32_t i)
{
	struct node *n = &g->nodes[i], *target;
	uint32_t edge = n->next_edge++, to = n->waits_for[edge];

	if (to == IMPORT_OUTSIDE)
		return i;
	target = &g->nodes[to];
	if (target->found == NOWHERE) {
		enter(g, to, i);
		return to;
	}
	if (target->on_stack)
		lower(n, target->found);
	if (target->on_path)
		cut_edge(g, i, edge);
	return i;
}

static void walk_from(struct graph *g, uint32_t root)
{
	uint32_t at = root;

	if (g->nodes[root].found != NOWHERE)
		return;
	enter(g, root, NOWHERE);
	while (at != NOWHERE && !g->full)
		at = g->nodes[at].next_edge < work_of(g, at)->depends_on_count ? step(g, at) : leave(g, at);
}

/* ---- the result ---- */

static void drop_cut_edges(struct work_new *w, uint32_t *waits_for)
{
	size_t kept = 0;

	for (size_t k = 0; k < w->depends_on_count; k++) {
		if (waits_for[k] == CUT)
			continue;
		w->depends_on[kept] = w->depends_on[k];
		waits_for[kept++] = waits_for[k];
	}
	w->depends_on_count = kept;
	if (kept == 0)
		w->seen &= ~BIT(work_new, depends_on);
}

static bool put_in_order(struct graph *g)
{
	struct import_item *sorted = ARENA_ARRAY(g->arena, struct import_item, g->count);
	uint32_t *now_at = ARENA_ARRAY(g->arena, uint32_t, g->count);

	if (!sorted || !now_at)
		return false;
	for (uint32_t k = 0; k < g->count; k++)
		now_at[g->order[k]] = k;
	for (uint32_t k = 0; k < g->count; k++) {
		struct node *n = &g->nodes[g->order[k]];
		struct import_item *item = &sorted[k];

		*item = g->r->items[g->order[k]];
		item->waits_for = n->waits_for;
		drop_cut_edges(&item->work, n->waits_for);
		for (size_t e = 0; e < item->work.depends_on_count; e++)
			if (n->waits_for[e] != IMPORT_OUTSIDE)
				n->waits_for[e] = now_at[n->waits_for[e]];
	}
	g->r->items = sorted;
	g->r->item_capacity = g->count;
	return true;
}

enum err import_order(struct import_result *r, struct arena *a)
{
	struct graph g = {.r = r, .arena = a, .count = (uint32_t)r->item_count};
	bool done;

	if (r->item_count == 0)
		return OK;
	if (r->item_count >= CUT)
		return ERR_TOO_LARGE;
	done = make_graph(&g);
	for (uint32_t i = 0; done && i < g.count; i++)
		walk_from(&g, i);
	done = done && !g.full && put_in_order(&g);
	map_free(&g.by_key);
	return done ? OK : ERR_TOO_LARGE;
}
