/*
 * Gas Town's ladder to the letter (resolveRoleAgentConfigCore and what stands around it, a8bd79bf), defects
 * included: a tier that names an agent it does not bring is passed over, the bad name of a default agent is kept
 * while Claude runs, custom agents are never looked for on the machine, without a rig the working directory is
 * taken for one.
 *
 * Not reproduced: its registry is one for the whole process, so that the presets of one rig stay visible to the
 * next. Here each question sees what a fresh process would.
 */
#include "roles/resolve_priv.h"

#include <string.h>

/* Where a name was found: only presets are looked for on the machine. */
static bool is_custom(const struct question *k, struct str name)
{
	return agents_find(&k->of_rig->agents, name) || agents_find(&k->of_town->agents, name);
}

static void settle(struct question *k, enum rule rule, const struct town_agent *a, struct str name,
		   struct origin at)
{
	struct role_answer *out = k->out;

	out->runtime = agent_runtime(k, a);
	out->agent = out->runs = out->exported = name;
	out->rule = rule;
	out->at = at;
	out->claude = runtime_is_claude(&out->runtime, true);
	note(k, rule, true, at, "%.*s", STRF(name));
}

/* The name as role_agents, worker_agents or crew_agents give it; false: the next rule. */
static bool try_named(struct question *k, enum rule rule, const struct mapping *m, const char *what,
		      const char *falling)
{
	const struct town_agent *a = agent_named(k, m->value);
	struct str command = a ? agent_runtime(k, a).command : (struct str){0};
	const char *name;

	if (a && (is_custom(k, m->value) || town_executable(k->town, command))) {
		settle(k, rule, a, m->value, m->value_at);
		return true;
	}
	name = go_quoted(k, m->value);
	if (!a)
		warn(k, m->value_at,
		     "warning: %s[%.*s]=%.*s - agent %s not found in config or built-in presets, falling back%s",
		     what, STRF(m->key), STRF(m->value), name, falling);
	else
		warn(k, m->value_at,
		     "warning: %s[%.*s]=%.*s - agent %s binary %s not found in PATH, falling back%s", what,
		     STRF(m->key), STRF(m->value), name, go_quoted(k, command), falling);
	note(k, rule, false, m->value_at, a ? "%.*s: its command is not installed" : "%.*s: there is no such agent",
	     STRF(m->value));
	k->out->as_written = false;
	return false;
}

static void warn_of_old_keys(struct question *k, struct str path)
{
	static const char text[] =
		"warning: %.*s: merge_queue.%s is deprecated and ignored (use rig default_branch instead)";

	if (k->of_rig->old_target_branch)
		warn(k, NOWHERE, text, STRF(path), "target_branch");
	if (k->of_rig->old_integration_branches)
		warn(k, NOWHERE, text, STRF(path), "integration_branches");
}

void warn_of_rigs_old_keys(struct question *k)
{
	if (k->of_rig->source.path && !k->old_keys_told)
		warn_of_old_keys(k,
				 arena_fmt(k->arena, "%.*s/%s", STRF(town_dir(k->town)), k->of_rig->source.path));
	k->old_keys_told = true;
}

/* Where more words follow, the command is the built-in one, and all else what the town's files make of its name. */
static struct runtime pristine(struct question *k, const struct town_agent *builtin)
{
	struct runtime r = fill_preset(agents_find(k->registry, builtin->name), true);

	r.command = str_eqz(builtin->name, "claude") ? claude_command(k) : builtin->runtime.command;
	r.env = builtin->runtime.env;
	if (builtin->runtime.args.n)
		r.args = builtin->runtime.args;
	return r;
}

/* ---- 0: --agent ---- */

/* Without a rig its path is empty, and settings/ of the working directory is what that leads to. */
static void take_here_for_a_rig(struct question *k)
{
	const struct rig *here = town_rig_here(k->town);
	const struct source *s = &here->own->source;

	if (s->state == FILE_READ && !s->refused) {
		k->of_rig = here->own;
		warn_of_old_keys(k, str_of(s->path));
	}
	if (k->of_rig->runtime && !k->q->agent.n)
		return; /* it decides before presets are read */
	k->registry = registry_of(k, here);
}

static enum err overridden(struct question *k)
{
	struct texts more;
	struct str name = override_words(k, &more);
	const struct town_agent *builtin = more.n ? agents_find(presets_builtin(), name) : NULL, *a;

	if (!k->q->rig.n)
		take_here_for_a_rig(k);
	a = builtin ? builtin : agent_named(k, name);
	if (!a)
		return resolve_refuse(k, ERR_INVALID, NOWHERE, "agent '%.*s' not found", STRF(name));
	settle(k, RULE_override, a, name, NOWHERE);
	if (builtin)
		k->out->runtime = pristine(k, builtin);
	k->out->exported = k->q->agent;
	append_args(&k->out->runtime, &more, k->arena);
	return OK;
}

/* ---- the role ---- */

/* It is taken from GT_ROLE, "rig/crew/name", by the number of its parts. One more, and the whole is the role. */
static void read_role_back(struct question *k)
{
	const char *among = k->out->role == ROLE_POLECAT ? "polecats" : k->out->role == ROLE_CREW ? "crew" : NULL;
	struct str name = k->q->name;

	k->out->role_lost = among && name.n && memchr(name.p, '/', name.n);
	k->compat_role = k->out->role_lost ? arena_fmt(k->arena, "%.*s/%s/%.*s", STRF(k->q->rig), among, STRF(name))
					   : k->q->role;
}

/* ---- 1: crew ---- */

static bool worker(struct question *k)
{
	const struct mapping *m;

	if (!str_eqz(k->compat_role, "crew") || !k->q->name.n || !k->q->rig.n) {
		note(k, RULE_worker_agents, false, NOWHERE, "not a crew member of a rig");
		return false;
	}
	m = mappings_find(&k->of_rig->worker_agents, k->q->name);
	if (m && m->value.n && try_named(k, RULE_worker_agents, m, "worker_agents", ""))
		return true;
	m = mappings_find(&k->of_town->worker_agents, k->q->name);
	if (m && m->value.n && try_named(k, RULE_worker_agents, m, "crew_agents", ""))
		return true;
	note(k, RULE_worker_agents, false, NOWHERE, "neither worker_agents nor crew_agents decides about %.*s",
	     STRF(k->q->name));
	return false;
}

/* ---- 2, 3: dog and tier ---- */

static bool other_provider_chosen(struct question *k)
{
	/* Where there is no file of the town, or none that counts, its default agent is called claude. */
	struct str of_town = k->of_town->source.path ? k->of_town->default_agent : STR("claude");

	return is_not_claude(k, mappings_value(&k->of_rig->role_agents, k->compat_role)) ||
	       is_not_claude(k, mappings_value(&k->of_town->role_agents, k->compat_role)) ||
	       is_not_claude(k, k->of_rig->default_agent) || is_not_claude(k, of_town);
}

/* As it is made, not filled: no session, no hooks, and no name to export. */
static void settle_dog(struct question *k)
{
	const struct town_agent *haiku = tier_agent(STR("claude-haiku")),
				*claude = agents_find(k->registry, STR("claude"));
	struct role_answer *out = k->out;

	out->runtime = haiku->runtime;
	out->runtime.prompt_mode = claude->runtime.prompt_mode == PROMPT_NONE ? PROMPT_NONE : PROMPT_ARG;
	out->agent = out->runs = haiku->name;
	out->rule = RULE_dog;
	out->claude = true;
	note(k, RULE_dog, true, NOWHERE, "claude-haiku");
}

static bool dog(struct question *k)
{
	if (!str_eqz(k->q->role, "dog")) {
		note(k, RULE_dog, false, NOWHERE, "not a dog");
		return false;
	}
	if (other_provider_chosen(k)) {
		note(k, RULE_dog, false, NOWHERE, "another provider was chosen");
		return false;
	}
	settle_dog(k);
	return true;
}

static const struct tier *tier_of_environment(const struct question *k)
{
	return tier_by_name(str_of(k->files->env(k->files, "GT_COST_TIER")));
}

/* Gas Town looks the key up when it makes the agent, and so the key itself becomes a value. */
static void reveal_key(struct question *k, struct runtime *r)
{
	const struct pair *key = pairs_find(&r->env, STR("ANTHROPIC_API_KEY"));

	if (key && str_eqz(key->value, "$GROQ_API_KEY"))
		pairs_set(&r->env, STR("ANTHROPIC_API_KEY"),
			  arena_str(k->arena, str_of(k->files->env(k->files, "GROQ_API_KEY"))), k->arena);
}

static const struct town_agent *agent_of_tier(const struct question *k, const struct tier *tier, struct str name)
{
	const struct town_agent *overlaid = agents_find(k->registry, name);

	if (!tier->brings)
		return NULL;
	return str_eqz(name, "groq-compound") && overlaid ? overlaid : tier_agent(name);
}

/* True when the tier decides; *skip when it leaves the role to the default agent, past role_agents. */
static bool cost_tier(struct question *k, bool *skip)
{
	const struct tier *tier = tier_of_environment(k);
	struct str name = tier && k->out->role < ROLE_COUNT ? str_of(tier->agent[k->out->role]) : (struct str){0};
	const struct town_agent *a;

	*skip = false;
	if (!tier || k->out->role == ROLE_UNKNOWN || k->out->role_lost) {
		note(k, RULE_cost_tier, false, NOWHERE, "GT_COST_TIER names no tier");
		return false;
	}
	a = name.n ? agent_of_tier(k, tier, name) : NULL;
	if (name.n && !a) {
		note(k, RULE_cost_tier, false, NOWHERE, "%s does not bring %.*s along", tier->name, STRF(name));
		return false;
	}
	if (other_provider_chosen(k)) {
		note(k, RULE_cost_tier, false, NOWHERE, "another provider was chosen");
		return false;
	}
	*skip = !a;
	if (!a) {
		note(k, RULE_cost_tier, false, NOWHERE, "%s leaves it to the default agent", tier->name);
		return false;
	}
	settle(k, RULE_cost_tier, a, name, NOWHERE);
	if (str_eqz(name, "groq-compound"))
		reveal_key(k, &k->out->runtime);
	return true;
}

/* ---- 4, 5: role_agents ---- */

static bool role_agents(struct question *k, enum rule rule, const struct settings *s)
{
	const struct mapping *m = mappings_find(&s->role_agents, k->compat_role);

	if (m && m->value.n)
		return try_named(k, rule, m, "role_agents", " to default");
	note(k, rule, false, NOWHERE, "role_agents has no %.*s", STRF(k->compat_role));
	return false;
}

/* ---- 6: the default ---- */

static void rig_runtime(struct question *k)
{
	struct role_answer *out = k->out;
	struct runtime r = fill_custom(k->of_rig->runtime, k->registry, true, k->arena);
	struct str name = r.provider.n ? r.provider : r.command.n ? r.command : STR("claude");

	out->runtime = r;
	out->agent = out->runs = out->exported = name;
	out->rule = RULE_rig_runtime;
	out->at = k->of_rig->runtime_at;
	out->claude = runtime_is_claude(&r, true);
	note(k, RULE_rig_runtime, true, out->at, "%.*s", STRF(name));
}

/* A name that is nowhere gives Claude, and stays the name. */
static void default_named(struct question *k, enum rule rule, struct str name, struct origin at)
{
	const struct town_agent *a = agent_named(k, name);

	if (a) {
		settle(k, rule, a, name, at);
		return;
	}
	settle(k, rule, agents_find(k->registry, STR("claude")), name, at);
	k->out->runtime.env = (struct pairs){0};
	k->out->runs = STR("claude");
	k->out->as_written = false;
}

static void default_agent(struct question *k)
{
	if (!k->q->rig.n)
		take_here_for_a_rig(k);
	if (k->of_rig->runtime) {
		if (k->out->role == ROLE_UNKNOWN)
			k->registry = presets_builtin(); /* its builder has read no agents.json for such a role */
		rig_runtime(k);
		return;
	}
	note(k, RULE_rig_runtime, false, NOWHERE, "the rig has no runtime");
	if (k->of_rig->default_agent.n) {
		default_named(k, RULE_rig_agent, k->of_rig->default_agent, k->of_rig->default_agent_at);
		return;
	}
	note(k, RULE_rig_agent, false, NOWHERE, "the rig has no agent");
	if (k->of_town->default_agent.n) {
		default_named(k, RULE_town_default, k->of_town->default_agent, k->of_town->default_agent_at);
		return;
	}
	note(k, RULE_town_default, false, NOWHERE, "the town has no default_agent");
	default_named(k, RULE_builtin, STR("claude"), NOWHERE);
}

enum err ladder_compat(struct question *k)
{
	bool skip;

	warn_of_rigs_old_keys(k);
	read_role_back(k);
	if (k->q->agent.n)
		return overridden(k);
	note(k, RULE_override, false, NOWHERE, "no --agent");
	if (worker(k) || dog(k) || cost_tier(k, &skip))
		return OK;
	if (!skip && (role_agents(k, RULE_rig_role, k->of_rig) || role_agents(k, RULE_town_role, k->of_town)))
		return OK;
	default_agent(k);
	return OK;
}
