/*
 * The order of a batch whose entries depend on each other by key: Tarjan's strongly connected components (1972),
 * with the stack in an array instead of calls. He finds components in exactly the order wanted here, each after
 * those it reaches; one of more than one node, or of a node that needs itself, is a cycle.
 */
#include "work/work_priv.h"

enum { PATH_NAMES = 6, PATH_NAME_BYTES = 40, UNSEEN = 0 };

struct vertex {
	const size_t *needs;      /* nodes */
	size_t needs_count, next; /* next: of the needs, while it is on the way */
	size_t number, low;       /* Tarjan's; number 0: not seen yet */
	size_t component;         /* 0: none yet */
	size_t walked;            /* by which walk along the cycle, + 1 */
};

struct ordering {
	const struct work_batch_node *nodes;
	struct vertex *v;
	size_t count;
	size_t *way, way_n;     /* the path of the search */
	size_t *stack, stack_n; /* seen, and in no component yet */
	size_t seen, components, ordered;
	size_t *order;
	enum err *faults;
	struct problem *problems;
};

/* ---- the graph ---- */

static void index_keys(const struct ordering *o, struct map *keys)
{
	for (size_t i = o->count; i-- > 0;) /* of two with one key the first counts */
		if (o->nodes[i].key_hash)
			map_put(keys, o->nodes[i].key_hash, &o->v[i]);
}

static void resolve(struct ordering *o, size_t *room)
{
	struct map keys = {0};

	index_keys(o, &keys);
	for (size_t i = 0; i < o->count; i++) {
		o->v[i].needs = room;
		for (size_t k = 0; k < o->nodes[i].needs_count; k++) {
			const struct vertex *needed = map_get(&keys, o->nodes[i].needs[k]);

			if (needed)
				room[o->v[i].needs_count++] = (size_t)(needed - o->v);
		}
		room += o->v[i].needs_count;
	}
	map_free(&keys);
}

/* ---- cycles ---- */

/* The first need on the same cycle; a component of several nodes has one for each. */
static size_t next_on_cycle(const struct ordering *o, size_t i)
{
	const struct vertex *v = &o->v[i];
	size_t k = 0;

	while (o->v[v->needs[k]].component != v->component)
		k++;
	return v->needs[k];
}

static void add_name(const struct ordering *o, struct buf *b, size_t i)
{
	buf_str_add(b, text_cut(o->nodes[i].name, PATH_NAME_BYTES));
}

static void describe_cycle(struct ordering *o, size_t i)
{
	struct buf b = BUF_INIT(0);
	size_t start = i, length = 1, at;

	for (; o->v[start].walked != i + 1; start = next_on_cycle(o, start))
		o->v[start].walked = i + 1;
	for (at = next_on_cycle(o, start); at != start; at = next_on_cycle(o, at))
		length++;
	add_name(o, &b, start);
	at = next_on_cycle(o, start);
	for (size_t named = 1; at != start && named < PATH_NAMES; named++, at = next_on_cycle(o, at)) {
		buf_z(&b, " → ");
		add_name(o, &b, at);
	}
	if (length > PATH_NAMES)
		buf_fmt(&b, " → … %zu more …", length - PATH_NAMES);
	buf_z(&b, " → ");
	add_name(o, &b, start);
	problem_set(&o->problems[i], ERR_CYCLE, "the dependencies form a cycle: %s", buf_cstr(&b));
	buf_free(&b);
}

static bool needs_itself(const struct vertex *v, size_t i)
{
	for (size_t k = 0; k < v->needs_count; k++)
		if (v->needs[k] == i)
			return true;
	return false;
}

/* ---- the search ---- */

static void enter(struct ordering *o, size_t i)
{
	o->v[i].number = o->v[i].low = ++o->seen;
	o->way[o->way_n++] = i;
	o->stack[o->stack_n++] = i;
}

static void finish_component(struct ordering *o, size_t root)
{
	size_t first = o->ordered, i;
	bool cycle;

	o->components++;
	do {
		i = o->stack[--o->stack_n];
		o->v[i].component = o->components;
		o->order[o->ordered++] = i;
	} while (i != root);
	cycle = o->ordered - first > 1 || needs_itself(&o->v[root], root);
	for (size_t k = first; k < o->ordered; k++) {
		o->faults[o->order[k]] = cycle ? ERR_CYCLE : OK;
		if (cycle && o->problems)
			describe_cycle(o, o->order[k]);
	}
}

static void leave(struct ordering *o)
{
	size_t i = o->way[--o->way_n];
	struct vertex *v = &o->v[i];

	if (v->low == v->number)
		finish_component(o, i);
	if (o->way_n > 0) {
		struct vertex *parent = &o->v[o->way[o->way_n - 1]];

		parent->low = v->low < parent->low ? v->low : parent->low;
	}
}

static void search_from(struct ordering *o, size_t i)
{
	enter(o, i);
	while (o->way_n > 0) {
		struct vertex *v = &o->v[o->way[o->way_n - 1]], *need;

		if (v->next == v->needs_count) {
			leave(o);
			continue;
		}
		i = v->needs[v->next++];
		need = &o->v[i];
		if (need->number == UNSEEN)
			enter(o, i);
		else if (need->component == 0 && need->number < v->low)
			v->low = need->number;
	}
}

void work_batch_order(const struct work_batch_node *nodes, size_t count, struct arena *a, size_t *order,
		      enum err *faults, struct problem *problems)
{
	struct ordering o = {
		.nodes = nodes, .count = count, .order = order, .faults = faults, .problems = problems};
	size_t needs = 0, *room;

	for (size_t i = 0; i < count; i++)
		needs += nodes[i].needs_count;
	o.v = ARENA_ARRAY(a, struct vertex, count);
	o.way = ARENA_ARRAY(a, size_t, count);
	o.stack = ARENA_ARRAY(a, size_t, count);
	room = ARENA_ARRAY(a, size_t, needs);
	if (arena_overflowed(a)) {
		for (size_t i = 0; i < count; i++) {
			order[i] = i;
			faults[i] = ERR_TOO_LARGE;
		}
		return;
	}
	resolve(&o, room);
	for (size_t i = 0; i < count; i++)
		if (o.v[i].number == UNSEEN)
			search_from(&o, i);
}
