/*
 * Pools: from a name to the agents that may run, in the order in which they are tried.
 *
 * A pool's members come first, as its selection orders them, then its fallback, which may be a pool again. A member
 * is an agent if there is one of that name, so that a pool may carry the name of its first agent and give it
 * fallbacks wherever it is named.
 *
 * A pool's turn is a number that counts up with each spawn. round_robin begins at turn modulo members. weighted
 * takes the point where the turn's multiple of the golden ratio falls on a line as long as all weights: that
 * follows the weights closely over any stretch of turns, without remembering more than the turn (Knuth, The Art of
 * Computer Programming 3, 6.4).
 */
#include "roles/cost.h"
#include "roles/resolve_priv.h"

#include <string.h>

enum { POOLS_DEEP_MAX = 16 };

struct walk {
	const struct agent_pool *under_way[POOLS_DEEP_MAX];
	size_t depth;
	struct runners *out;
};

static const struct agent_pool *pool_in(const struct settings *s, struct str name)
{
	for (size_t i = s->pool_count; i-- > 0;)
		if (str_eq(s->pools[i].name, name))
			return &s->pools[i];
	return NULL;
}

const struct agent_pool *pool_named(const struct question *k, struct str name)
{
	const struct agent_pool *p = pool_in(k->of_rig, name);

	return p ? p : pool_in(k->of_town, name);
}

/* ---- order ---- */

/* Asking does not take it. */
static uint64_t turn_of(const struct question *k, const struct agent_pool *p)
{
	if (!k->state)
		return 0;
	return k->q->spawn ? town_state_turn(k->state, p->name) : town_state_next_turn(k->state, p->name);
}

static size_t weighted_first(const struct agent_pool *p, uint64_t turn)
{
	uint64_t total = 0, point;

	for (size_t i = 0; i < p->member_count; i++)
		total += (uint64_t)p->members[i].weight;
	/* The fraction of turn × φ, in 32 bits, scaled to the line. */
	point = (turn * UINT64_C(0x9e3779b97f4a7c15) >> 32) * total >> 32;
	for (size_t i = 0; i < p->member_count; i++) {
		if (point < (uint64_t)p->members[i].weight)
			return i;
		point -= (uint64_t)p->members[i].weight;
	}
	return 0;
}

static double cost_of(struct question *k, const struct pool_member *m)
{
	const struct town_agent *a = agent_named(k, m->agent);
	struct role_answer would = {
		.role = k->out->role, .agent = m->agent, .runs = m->agent, .effort = EFFORT_HIGH};

	if (!a)
		return -1;
	would.runtime = agent_runtime(k, a);
	would.model = runtime_model(&would.runtime);
	return role_cost_of(&would).usd_per_day;
}

/* The cheapest first, what has no price last, else as they are written. */
static void order_by_cost(struct question *k, const struct agent_pool *p, size_t *order)
{
	double *cost = ARENA_ARRAY(k->arena, double, p->member_count);

	for (size_t i = 0; cost && i < p->member_count; i++)
		cost[i] = cost_of(k, &p->members[i]);
	for (size_t i = 1; cost && i < p->member_count; i++)
		for (size_t j = i; j > 0; j--) {
			double left = cost[order[j - 1]], right = cost[order[j]];

			if (right < 0 || (left >= 0 && left <= right))
				break;
			size_t swap = order[j];
			order[j] = order[j - 1];
			order[j - 1] = swap;
		}
}

static void rotate(size_t *order, size_t n, size_t first)
{
	for (size_t i = 0; i < n; i++)
		order[i] = (first + i) % n;
}

static void order_members(struct question *k, const struct agent_pool *p, size_t *order)
{
	rotate(order, p->member_count, 0);
	switch (p->selection) {
	case POOL_PRIORITY:
		break;
	case POOL_ROUND_ROBIN:
		rotate(order, p->member_count, (size_t)(turn_of(k, p) % p->member_count));
		break;
	case POOL_WEIGHTED:
		rotate(order, p->member_count, weighted_first(p, turn_of(k, p)));
		break;
	case POOL_LEAST_COST:
		order_by_cost(k, p, order);
		break;
	}
}

/* ---- walking ---- */

static void walk_name(struct question *k, struct walk *w, struct str name, struct origin at, bool agents_first,
		      struct str pool);

static bool is_under_way(const struct walk *w, const struct agent_pool *p)
{
	for (size_t i = 0; i < w->depth; i++)
		if (w->under_way[i] == p)
			return true;
	return w->depth == POOLS_DEEP_MAX;
}

static void walk_pool(struct question *k, struct walk *w, const struct agent_pool *p)
{
	size_t *order = ARENA_ARRAY(k->arena, size_t, p->member_count);

	w->under_way[w->depth++] = p;
	if (order && p->member_count)
		order_members(k, p, order);
	for (size_t i = 0; order && i < p->member_count; i++) {
		const struct pool_member *m = &p->members[order[i]];

		if (p->selection != POOL_WEIGHTED || m->weight > 0)
			walk_name(k, w, m->agent, m->at, true, p->name);
	}
	if (p->fallback.n)
		walk_name(k, w, p->fallback, p->at, false, p->name);
	w->depth--;
}

static void walk_agent(struct walk *w, const struct town_agent *a, struct str pool, struct origin at)
{
	for (size_t i = 0; i < w->out->n; i++)
		if (w->out->v[i].agent == a)
			return; /* it was tried */
	if (w->out->n < sizeof(w->out->v) / sizeof(w->out->v[0]))
		w->out->v[w->out->n++] = (struct runner){.name = a->name, .pool = pool, .agent = a, .at = at};
}

static void walk_name(struct question *k, struct walk *w, struct str name, struct origin at, bool agents_first,
		      struct str pool)
{
	const struct agent_pool *p = pool_named(k, name);
	const struct town_agent *a = agent_named(k, name);

	if (p && !(a && agents_first) && !is_under_way(w, p)) {
		walk_pool(k, w, p);
	} else if (a) {
		walk_agent(w, a, pool, at);
	} else if (p) {
		warn(k, p->at, "pool %.*s leads back to itself; that way is not taken again", STRF(name));
	} else {
		if (w->depth)
			warn(k, at, "pool %.*s names the agent \"%.*s\", which is nowhere defined%.*s", STRF(pool),
			     STRF(name), STRF(did_you_mean_agent(k, name)));
		w->out->undefined = name;
		w->out->undefined_at = at;
	}
}

void runners_of(struct question *k, struct str name, struct origin at, struct runners *out)
{
	struct walk w = {.out = out};

	out->n = 0;
	out->undefined = (struct str){0};
	walk_name(k, &w, name, at, false, (struct str){0});
}

static bool agent_is_not_claude(struct question *k, const struct town_agent *a)
{
	struct runtime r = agent_runtime(k, a);

	return !runtime_is_claude(&r, k->q->compat);
}

bool is_not_claude(struct question *k, struct str name)
{
	const struct agent_pool *p = k->q->compat ? NULL : pool_named(k, name);
	const struct town_agent *a;

	for (size_t i = 0; p && i < p->member_count; i++) {
		a = agent_named(k, p->members[i].agent);
		if (a && agent_is_not_claude(k, a))
			return true;
	}
	a = name.n && !p ? agent_named(k, name) : NULL;
	return a && agent_is_not_claude(k, a);
}
