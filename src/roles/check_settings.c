/*
 * One settings file: whether its keys are roles, its values agents, pools, efforts and accounts.
 */
#include "roles/check_priv.h"

#include "base/buf.h"

#include <string.h>

/* The file that is checked, and what its names can mean. */
struct scope {
	struct check *c;
	const struct settings *s;    /* the file */
	const struct settings *town; /* the town's: the same, or below it */
	const struct agents *registry;
	bool of_rig;
};

/* ---- names of agents ---- */

static bool is_defined(const struct scope *x, struct str name)
{
	return agents_find(&x->s->agents, name) || agents_find(&x->town->agents, name) ||
	       agents_find(x->registry, name);
}

static const struct agent_pool *pool_of(const struct settings *s, struct str name)
{
	for (size_t i = s->pool_count; i-- > 0;)
		if (str_eq(s->pools[i].name, name))
			return &s->pools[i];
	return NULL;
}

static const struct agent_pool *find_pool(const struct scope *x, struct str name)
{
	const struct agent_pool *p = pool_of(x->s, name);

	return p ? p : pool_of(x->town, name);
}

static struct str likely_agent(const struct scope *x, struct str word)
{
	struct guess g = guess_for(word);

	guess_offer_agents(&g, &x->s->agents);
	guess_offer_agents(&g, &x->town->agents);
	guess_offer_agents(&g, x->registry);
	guess_offer_agents(&g, tier_agents());
	for (size_t i = 0; i < x->s->pool_count; i++)
		guess_offer(&g, x->s->pools[i].name);
	for (size_t i = 0; i < x->town->pool_count; i++)
		guess_offer(&g, x->town->pools[i].name);
	return did_you_mean(x->c, &g);
}

static void check_agent_name(const struct scope *x, const char *what, struct str name, struct origin at)
{
	if (name.n == 0 || is_defined(x, name) || find_pool(x, name))
		return;
	if (tier_agent(name))
		mistake(x->c, SEVERITY_HINT, at,
			"%s names \"%.*s\", which tenfold brings along; Gas Town does not, and falls back", what,
			STRF(name));
	else
		mistake(x->c, SEVERITY_ERROR, at, "%s names the agent \"%.*s\", which is nowhere defined%.*s", what,
			STRF(name), STRF(likely_agent(x, name)));
}

/* ---- names of roles ---- */

static void check_role_key(const struct scope *x, const char *what, struct str key, struct origin at)
{
	struct guess g = guess_for(key);
	enum role role = role_by_text(key);

	if (role != ROLE_UNKNOWN) {
		if (x->of_rig && !role_works_in_rig(role))
			mistake(x->c, SEVERITY_WARNING, at,
				"a %.*s does not work in a rig, so this line of %s is never read; it belongs into "
				"the "
				"town's settings/config.json",
				STRF(key), what);
		return;
	}
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		guess_offer(&g, str_of(role_texts[i]));
	mistake(x->c, g.nearest.n ? SEVERITY_ERROR : SEVERITY_WARNING, at, "unknown role \"%.*s\" in %s%.*s",
		STRF(key), what, STRF(did_you_mean(x->c, &g)));
}

static void check_role_agents(const struct scope *x)
{
	for (size_t i = 0; i < x->s->role_agents.n; i++) {
		const struct mapping *m = &x->s->role_agents.v[i];

		check_role_key(x, "role_agents", m->key, m->at);
		check_agent_name(x, "role_agents", m->value, m->value_at);
	}
}

/* ---- efforts ---- */

static void check_effort(const struct scope *x, const char *what, struct str word, struct origin at)
{
	struct guess g = guess_for(word);
	enum effort e = effort_by_text(word);

	if (word.n == 0)
		return;
	if (e == EFFORT_XHIGH || e == EFFORT_AUTO) {
		if (strcmp(what, "role_effort") == 0)
			mistake(x->c, SEVERITY_HINT, at, "Gas Town does not know the effort %.*s and ignores it",
				STRF(word));
		return;
	}
	for (unsigned i = EFFORT_LOW; i <= EFFORT_AUTO; i++)
		guess_offer(&g, str_of(effort_text((enum effort)i)));
	if (e == EFFORT_UNSET)
		mistake(x->c, SEVERITY_ERROR, at,
			"%s: \"%.*s\" is no effort%.*s; efforts are low, medium, high, xhigh, max and auto", what,
			STRF(word), STRF(did_you_mean(x->c, &g)));
}

static void check_role_effort(const struct scope *x)
{
	for (size_t i = 0; i < x->s->role_effort.n; i++) {
		const struct mapping *m = &x->s->role_effort.v[i];

		check_role_key(x, "role_effort", m->key, m->at);
		check_effort(x, "role_effort", m->value, m->value_at);
	}
}

static void check_mappings(const struct scope *x, const char *what, const struct mappings *list)
{
	for (size_t i = 0; i < list->n; i++) {
		check_agent_name(x, what, list->v[i].value, list->v[i].value_at);
		check_effort(x, what, list->v[i].effort, list->v[i].value_at);
	}
}

/* ---- pools ---- */

static bool leads_back(const struct scope *x, const struct agent_pool *from, const struct agent_pool *at,
		       unsigned depth);

static bool member_leads_back(const struct scope *x, const struct agent_pool *from, struct str name, bool is_member,
			      unsigned depth)
{
	const struct agent_pool *p = find_pool(x, name);

	return p && !(is_member && is_defined(x, name)) && leads_back(x, from, p, depth + 1);
}

/* Depth-first, bounded: resolving goes no deeper either. */
static bool leads_back(const struct scope *x, const struct agent_pool *from, const struct agent_pool *at,
		       unsigned depth)
{
	if (depth && at == from)
		return true;
	if (depth > 4)
		return false;
	for (size_t i = 0; i < at->member_count && i < 32; i++)
		if (member_leads_back(x, from, at->members[i].agent, true, depth))
			return true;
	return at->fallback.n && member_leads_back(x, from, at->fallback, false, depth);
}

static void check_pool(const struct scope *x, const struct agent_pool *p)
{
	bool has_itself = false;

	for (size_t i = 0; i < p->member_count; i++) {
		has_itself |= str_eq(p->members[i].agent, p->name);
		check_agent_name(x, "the pool", p->members[i].agent, p->members[i].at);
	}
	check_agent_name(x, "fallback of the pool", p->fallback, p->at);
	if (leads_back(x, p, p, 0))
		mistake(x->c, SEVERITY_ERROR, p->at, "pool %.*s leads back to itself", STRF(p->name));
	if (is_defined(x, p->name) && !has_itself)
		mistake(x->c, SEVERITY_WARNING, p->at,
			"pool %.*s hides the agent of that name, which is not one of its members", STRF(p->name));
}

/* ---- tenfold's own ---- */

static void check_accounts(const struct scope *x)
{
	const struct accounts *all = town_accounts(x->c->town);

	for (size_t i = 0; i < x->s->account_count; i++) {
		const struct account_choice *one = &x->s->accounts[i];

		if (!str_eqz(one->role, "*"))
			check_role_key(x, "role_accounts", one->role, one->at);
		for (size_t k = 0; k < one->handles.n; k++)
			if (!accounts_find(all, one->handles.v[k]))
				mistake(x->c, SEVERITY_ERROR, one->at,
					"role_accounts names the account \"%.*s\", which mayor/accounts.json does "
					"not have",
					STRF(one->handles.v[k]));
	}
}

static bool is_rig_name(const struct scope *x, struct str name)
{
	for (size_t i = 0; i < x->c->rig_count; i++)
		if (str_eq(x->c->rigs[i], name))
			return true;
	return false;
}

static void check_budgets(const struct scope *x)
{
	for (size_t i = 0; i < x->s->budget_count; i++) {
		const struct budget_line *b = &x->s->budgets[i];
		struct str role, rig = str_cut(b->key, '/', &role);
		bool is_known =
			role.p ? is_rig_name(x, rig) && role_by_text(role) != ROLE_UNKNOWN
			       : str_eqz(rig, "*") || is_rig_name(x, rig) || role_by_text(rig) != ROLE_UNKNOWN;

		if (!is_known)
			mistake(x->c, SEVERITY_WARNING, b->at,
				"budget \"%.*s\" holds for nothing: its key is neither a rig, a role, rig/role nor "
				"*",
				STRF(b->key));
	}
}

/* ---- single values ---- */

static void check_tier(const struct scope *x)
{
	struct guess g = guess_for(x->s->cost_tier);
	const struct tier *said = tier_by_name(x->s->cost_tier), *is;

	if (x->s->cost_tier.n == 0)
		return;
	for (unsigned i = 0; i < tier_count; i++)
		guess_offer(&g, str_of(tiers[i].name));
	is = tier_of(x->s, false);
	if (!said)
		mistake(x->c, SEVERITY_WARNING, x->s->cost_tier_at, "\"%.*s\" is no cost tier%.*s",
			STRF(x->s->cost_tier), STRF(did_you_mean(x->c, &g)));
	else if (is != said)
		mistake(x->c, SEVERITY_HINT, x->s->cost_tier_at,
			"cost_tier says %s, but role_agents are those of %s; role_agents count", said->name,
			is ? is->name : "no tier");
}

static void check_rig_runtime(const struct scope *x)
{
	if (!x->s->runtime)
		return;
	check_runtime(x->c, STR("runtime"), x->s->runtime, x->s->runtime_at, x->registry);
	if (x->s->default_agent.n)
		mistake(x->c, SEVERITY_WARNING, x->s->runtime_at,
			"runtime is deprecated and hides agent \"%.*s\"; take one of them away",
			STRF(x->s->default_agent));
	else
		mistake(x->c, SEVERITY_HINT, x->s->runtime_at,
			"runtime is deprecated: define it in agents and name it in agent");
}

static void check_rigs(const struct scope *x)
{
	struct guess g;

	for (size_t i = 0; i < x->s->rig_count; i++) {
		const struct rig_part *part = &x->s->rigs[i];

		if (is_rig_name(x, part->name))
			continue;
		g = guess_for(part->name);
		for (size_t k = 0; k < x->c->rig_count; k++)
			guess_offer(&g, x->c->rigs[k]);
		mistake(x->c, SEVERITY_WARNING, part->at, "rigs has \"%.*s\", which is no rig%.*s",
			STRF(part->name), STRF(did_you_mean(x->c, &g)));
	}
}

static void check_merge_queue(const struct scope *x)
{
	struct origin at = {x->s->source.path, 0, 0};

	if (x->s->old_target_branch)
		mistake(x->c, SEVERITY_WARNING, at, "merge_queue.target_branch was removed and does nothing");
	if (x->s->old_integration_branches)
		mistake(x->c, SEVERITY_WARNING, at,
			"merge_queue.integration_branches was removed and does nothing");
}

void check_settings(struct check *c, const struct settings *s, const struct rig *rig)
{
	const struct scope x = {.c = c,
				.s = s,
				.town = town_settings(c->town),
				.registry = rig ? rig->registry : town_registry(c->town),
				.of_rig = rig != NULL};

	check_role_agents(&x);
	check_role_effort(&x);
	check_mappings(&x, rig ? "worker_agents" : "crew_agents", &s->worker_agents);
	check_mappings(&x, "polecat_agents", &s->polecat_agents);
	check_mappings(&x, "type_agents", &s->type_agents);
	check_agent_name(&x, rig ? "agent" : "default_agent", s->default_agent, s->default_agent_at);
	for (size_t i = 0; i < s->pool_count; i++)
		check_pool(&x, &s->pools[i]);
	check_accounts(&x);
	check_budgets(&x);
	check_rigs(&x);
	check_tier(&x);
	check_rig_runtime(&x);
	check_merge_queue(&x);
}
