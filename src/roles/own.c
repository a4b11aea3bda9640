/*
 * tenfold's own members of settings/config.json, which Gas Town ignores: polecat_agents, type_agents,
 * role_accounts, agent_pools and budgets.
 */
#include "roles/settings_priv.h"

#include <string.h>

/* A member's text; empty when it is missing, null or wrong. */
static struct str text_member(struct reading *r, const struct node *object, struct str key)
{
	const struct node *n = node_member(object, key);

	return n ? shape_text(r, n) : (struct str){0};
}

static bool number_member(struct reading *r, const struct node *object, struct str key, double *out)
{
	const struct node *n = node_member(object, key);

	return n && n->kind != NODE_NULL && shape_is(r, n, WANT_NUMBER) && str_to_f64(n->text, out);
}

/* What is none of `known` is told; "_…" is a comment. */
static void look_at_members(struct reading *r, const struct node *object, const struct str *known, size_t count)
{
	for (const struct node *m = object->first; m; m = m->next) {
		struct guess g = guess_for(m->key);
		bool is_known = m->key.n && m->key.p[0] == '_';

		for (size_t i = 0; i < count; i++) {
			is_known |= node_is_field(m, known[i]);
			guess_offer(&g, known[i]);
		}
		if (!is_known)
			shape_fault(r, shape_key_origin(r, m), SEVERITY_WARNING, "unknown key \"%.*s\"%s%.*s%s",
				    STRF(shape_path(r, m)), g.nearest.n ? "; did you mean " : "", STRF(g.nearest),
				    g.nearest.n ? "?" : "");
	}
}

/* ---- polecat_agents, type_agents ---- */

/* "agent", or {"agent", "model", "effort"}. */
static struct mapping choice(struct reading *r, const struct node *n)
{
	static const struct str known[] = {{"agent", 5}, {"model", 5}, {"effort", 6}};
	struct mapping m = {
		.key = arena_str(r->arena, n->key), .at = shape_key_origin(r, n), .value_at = shape_origin(r, n)};

	if (n->kind != NODE_OBJECT) {
		m.value = shape_text(r, n);
		return m;
	}
	look_at_members(r, n, known, sizeof(known) / sizeof(known[0]));
	m.value = text_member(r, n, known[0]);
	m.model = text_member(r, n, known[1]);
	m.effort = text_member(r, n, known[2]);
	return m;
}

void take_polecat_agent(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)f;
	if (n)
		*VEC_PUSH(&b->polecat_agents) = choice(r, n);
	else
		b->polecat_agents.n = 0;
}

void take_type_agent(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)f;
	if (n)
		*VEC_PUSH(&b->type_agents) = choice(r, n);
	else
		b->type_agents.n = 0;
}

/* ---- role_accounts ---- */

/* "handle" or ["handle", …]. */
static struct texts handles(struct reading *r, const struct node *n)
{
	const struct node *first = n->kind == NODE_ARRAY ? n->first : n;
	struct texts t = {.v = ARENA_ARRAY(r->arena, struct str, n->kind == NODE_ARRAY ? n->count : 1)};

	for (const struct node *e = first; e && t.v; e = n->kind == NODE_ARRAY ? e->next : NULL) {
		struct str handle = shape_text(r, e);

		if (handle.n)
			t.v[t.n++] = handle;
	}
	return t;
}

void take_role_account(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	struct building *b = out;

	(void)f;
	if (n)
		*VEC_PUSH(&b->accounts) = (struct account_choice){.role = arena_str(r->arena, n->key),
								  .handles = handles(r, n),
								  .at = shape_key_origin(r, n)};
	else
		b->accounts.n = 0;
}

/* ---- agent_pools ---- */

static const char *const selections[] = {[POOL_PRIORITY] = "priority",
					 [POOL_ROUND_ROBIN] = "round_robin",
					 [POOL_WEIGHTED] = "weighted",
					 [POOL_LEAST_COST] = "least_cost"};

static enum pool_selection selection(struct reading *r, const struct node *pool)
{
	const struct node *n = node_member(pool, STR("selection"));
	struct str word = n ? shape_text(r, n) : (struct str){0};
	struct guess g = guess_for(word);

	for (unsigned i = 0; i < sizeof(selections) / sizeof(selections[0]); i++) {
		if (str_eqz(word, selections[i]))
			return (enum pool_selection)i;
		guess_offer(&g, str_of(selections[i]));
	}
	if (word.n)
		shape_fault(r, shape_origin(r, n), SEVERITY_ERROR,
			    "%.*s must be priority, round_robin, weighted or least_cost, not \"%.*s\"%s%.*s%s",
			    STRF(shape_path(r, n)), STRF(word), g.nearest.n ? "; did you mean " : "",
			    STRF(g.nearest), g.nearest.n ? "?" : "");
	return POOL_PRIORITY;
}

/* 1 when it is not said. */
static int64_t weight(struct reading *r, const struct node *member)
{
	const struct node *n = node_member(member, STR("weight"));
	int64_t w = 1;

	if (!n || n->kind == NODE_NULL || !shape_is(r, n, WANT_INT))
		return 1;
	if (str_to_i64(n->text, &w) && w >= 0 && w <= 1000000)
		return w;
	shape_fault(r, shape_origin(r, n), SEVERITY_ERROR, "%.*s must be 0 to 1000000", STRF(shape_path(r, n)));
	return 1;
}

/* "agent" or {"agent", "weight"}. */
static struct pool_member pool_member(struct reading *r, const struct node *n)
{
	static const struct str known[] = {{"agent", 5}, {"weight", 6}};
	struct pool_member m = {.weight = 1, .at = shape_origin(r, n)};

	if (n->kind != NODE_OBJECT) {
		m.agent = shape_text(r, n);
		return m;
	}
	look_at_members(r, n, known, sizeof(known) / sizeof(known[0]));
	m.agent = text_member(r, n, known[0]);
	m.weight = weight(r, n);
	return m;
}

static void take_members(struct reading *r, const struct node *agents, struct agent_pool *pool)
{
	if (!agents || agents->kind == NODE_NULL || !shape_is(r, agents, WANT_TEXTS))
		return;
	pool->members = ARENA_ARRAY(r->arena, struct pool_member, agents->count);
	for (const struct node *e = agents->first; e && pool->members; e = e->next) {
		struct pool_member m = pool_member(r, e);

		if (m.agent.n)
			pool->members[pool->member_count++] = m;
	}
}

void take_pool(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	static const struct str known[] = {{"agents", 6}, {"selection", 9}, {"fallback", 8}, {"description", 11}};
	struct building *b = out;
	struct agent_pool pool;

	(void)f;
	if (!n) {
		b->pools.n = 0;
		return;
	}
	if (n->kind == NODE_NULL || !shape_is(r, n, WANT_OBJECT))
		return;
	look_at_members(r, n, known, sizeof(known) / sizeof(known[0]));
	pool = (struct agent_pool){.name = arena_str(r->arena, n->key),
				   .fallback = text_member(r, n, STR("fallback")),
				   .selection = selection(r, n),
				   .at = shape_key_origin(r, n)};
	take_members(r, node_member(n, STR("agents")), &pool);
	if (pool.member_count == 0)
		shape_fault(r, shape_key_origin(r, n), SEVERITY_ERROR, "pool %.*s has no agents", STRF(pool.name));
	*VEC_PUSH(&b->pools) = pool;
}

/* ---- budgets ---- */

void take_budget(struct reading *r, const struct field *f, const struct node *n, void *out)
{
	static const struct str known[] = {{"usd_per_day", 11}, {"warn_at", 7}};
	struct building *b = out;
	struct budget_line line;

	(void)f;
	if (!n) {
		b->budgets.n = 0;
		return;
	}
	if (n->kind == NODE_NULL || !shape_is(r, n, WANT_OBJECT))
		return;
	look_at_members(r, n, known, sizeof(known) / sizeof(known[0]));
	line = (struct budget_line){
		.key = arena_str(r->arena, n->key), .warn_at = 0.8, .at = shape_key_origin(r, n)};
	if (!number_member(r, n, known[0], &line.usd_per_day) || line.usd_per_day < 0) {
		shape_fault(r, shape_key_origin(r, n), SEVERITY_ERROR, "%.*s needs usd_per_day, 0 or more",
			    STRF(shape_path(r, n)));
		return;
	}
	if (number_member(r, n, known[1], &line.warn_at) && (line.warn_at <= 0 || line.warn_at > 1)) {
		shape_fault(r, shape_key_origin(r, n), SEVERITY_ERROR,
			    "%.*s.warn_at must be above 0 and at most 1, the share of the budget",
			    STRF(shape_path(r, n)));
		line.warn_at = 0.8;
	}
	*VEC_PUSH(&b->budgets) = line;
}
