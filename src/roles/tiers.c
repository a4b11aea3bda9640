/*
 * The cost tiers, the agents they bring along, and which tier a town is on.
 *
 * Nothing remembers the tier: it is what role_agents looks like. The member cost_tier only decides between tiers
 * that look the same.
 */
#include "roles/table_priv.h"

#define AGENTS(...)         \
	{                   \
		__VA_ARGS__ \
	}
#define EFFORTS(...)        \
	{                   \
		__VA_ARGS__ \
	}
#define TIER(tier, brings, agents, efforts, text) {tier, agents, efforts, brings, text},
const struct tier tiers[] = {
#include "roles/tiers.def"
};
#undef TIER
const unsigned tier_count = sizeof(tiers) / sizeof(tiers[0]);

#define UNSAID                                                                                     \
	.supports_hooks = -1, .supports_fork_session = -1, .emits_permission_warning = -1,         \
	.has_turn_boundary_drain = -1, .escape_cancels_request = -1, .hooks_use_settings_dir = -1, \
	.hooks.informational = -1
#define TIER_AGENT(agent, ...) {.name = T(agent), .runtime = {UNSAID, __VA_ARGS__}},
static const struct town_agent brought[] = {
#include "roles/tiers.def"
};
#undef TIER_AGENT

static const struct agents brought_agents = {.v = brought, .n = sizeof(brought) / sizeof(brought[0])};

const struct tier *tier_by_name(struct str name)
{
	for (unsigned i = 0; i < tier_count; i++)
		if (str_eqz(name, tiers[i].name))
			return &tiers[i];
	return NULL;
}

static bool is_brought(const char *name, struct str wanted)
{
	return name[0] && str_eqz(wanted, name);
}

static bool any_tier_names(struct str name)
{
	for (unsigned i = 0; i < tier_count; i++)
		for (unsigned role = 0; role < ROLE_COUNT; role++)
			if (is_brought(tiers[i].agent[role], name))
				return true;
	return false;
}

const struct town_agent *tier_agent(struct str name)
{
	const struct town_agent *a = agents_find(&brought_agents, name);

	if (a || !any_tier_names(name))
		return a;
	return agents_find(presets_builtin(), name);
}

const struct agents *tier_agents(void)
{
	return &brought_agents;
}

static bool looks_like(const struct settings *s, const struct tier *tier, bool compat)
{
	bool relaxed = !compat && tier == &tiers[0];

	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		struct str named = mappings_value(&s->role_agents, str_of(role_texts[role]));
		bool unnamed_helper = named.n == 0 && (role == ROLE_BOOT || role == ROLE_DOG);

		if (!str_eqz(named, tier->agent[role]) && !(relaxed && unnamed_helper))
			return false;
	}
	return true;
}

const struct tier *tier_of(const struct settings *s, bool compat)
{
	const struct tier *said = tier_by_name(s->cost_tier);

	if (said && looks_like(s, said, compat))
		return said;
	for (unsigned i = 0; i < tier_count; i++)
		if (looks_like(s, &tiers[i], compat))
			return &tiers[i];
	return NULL;
}
