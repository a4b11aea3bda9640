/*
 * Our ladder: Gas Town's rules and three of our own, each of which offers a name or says why not. The first offer
 * decides; later ones are still looked at, because they are what is fallen back to, and so that `role explain` can
 * say what they would have been.
 *
 * What differs from Gas Town's: a name that is nowhere is an error and not Claude. Every agent is looked for on the
 * machine, custom ones too; one that is not there, or is cooling down, keeps its name, and the next of its pool or
 * of the later rules runs in its place, which is told. Nothing is fallen back to behind --agent.
 */
#include "roles/resolve_priv.h"

struct offer {
	bool made;
	struct str name;
	const struct runtime *runtime; /* of the rig, in place of a name */
	struct origin at;
	const char *key; /* of the file */
	struct str why;  /* not */
};

static struct offer pass(struct str why)
{
	return (struct offer){.why = why};
}

static struct offer offer_of(struct question *k, const char *key, const struct mapping *m, const char * not )
{
	if (!m)
		return pass(str_of(not ));
	if (m->value.n == 0)
		return (struct offer){.why = arena_fmt(k->arena, "%.*s names no agent", STRF(m->key)), .at = m->at};
	return (struct offer){.made = true, .key = key, .name = m->value, .at = m->value_at};
}

/* ---- the rules ---- */

static struct offer override(struct question *k)
{
	struct texts more;

	if (k->q->agent.n == 0)
		return pass(STR("no --agent"));
	return (struct offer){.made = true,
			      .key = k->q->agent_key ? k->q->agent_key : "--agent",
			      .name = override_words(k, &more)};
}

static const struct mapping *by_label(const struct mappings *m, struct str label)
{
	const struct mapping *found = mappings_find(m, label);
	struct str value;

	return found ? found : mappings_find(m, str_cut(label, '=', &value));
}

static const struct mapping *by_work(const struct question *k, const struct mappings *m)
{
	const struct mapping *found = k->q->type.n ? mappings_find(m, k->q->type) : NULL;

	for (size_t i = 0; !found && i < k->q->labels.n; i++)
		found = by_label(m, k->q->labels.v[i]);
	return found;
}

static struct offer type_agents(struct question *k)
{
	if (k->q->type.n == 0 && k->q->labels.n == 0)
		return pass(STR("the work has no type and no label"));
	k->wish_type = by_work(k, &k->of_rig->type_agents);
	if (!k->wish_type)
		k->wish_type = by_work(k, &k->of_town->type_agents);
	return offer_of(k, "type_agents", k->wish_type, "type_agents has neither the type nor a label of the work");
}

static struct offer polecat_agents(struct question *k)
{
	if (k->out->role != ROLE_POLECAT)
		return pass(STR("not a polecat"));
	if (k->q->name.n == 0)
		return pass(STR("the polecat has no name"));
	k->wish_polecat = mappings_find(&k->of_rig->polecat_agents, k->q->name);
	if (!k->wish_polecat)
		k->wish_polecat = mappings_find(&k->of_town->polecat_agents, k->q->name);
	return offer_of(k, "polecat_agents", k->wish_polecat, "polecat_agents does not have it");
}

static struct offer worker_agents(struct question *k)
{
	const struct mapping *m;
	const char *key = "worker_agents";

	if (k->out->role != ROLE_CREW)
		return pass(STR("not a crew member"));
	if (k->q->name.n == 0)
		return pass(STR("the crew member has no name"));
	m = mappings_find(&k->of_rig->worker_agents, k->q->name);
	if (!m || m->value.n == 0) {
		m = mappings_find(&k->of_town->worker_agents, k->q->name);
		key = "crew_agents";
	}
	return offer_of(k, key, m, "neither worker_agents of the rig nor crew_agents of the town has that name");
}

static bool other_provider_chosen(struct question *k)
{
	return is_not_claude(k, mappings_value(&k->of_rig->role_agents, k->q->role)) ||
	       is_not_claude(k, mappings_value(&k->of_town->role_agents, k->q->role)) ||
	       is_not_claude(k, k->of_rig->default_agent) || is_not_claude(k, k->of_town->default_agent);
}

static struct offer dog(struct question *k)
{
	if (k->out->role != ROLE_DOG)
		return pass(STR("not a dog"));
	if (other_provider_chosen(k))
		return pass(STR("an agent other than Claude was chosen for it"));
	return (struct offer){.made = true, .name = STR("claude-haiku")};
}

static void warn_of_unknown_tier(struct question *k, struct str said)
{
	struct guess g = guess_for(said);

	for (unsigned i = 0; i < tier_count; i++)
		guess_offer(&g, str_of(tiers[i].name));
	warn(k, NOWHERE, "GT_COST_TIER=%.*s is no tier and does not count%s%.*s%s", STRF(said),
	     g.nearest.n ? "; did you mean " : "", STRF(g.nearest), g.nearest.n ? "?" : "");
}

static struct offer cost_tier(struct question *k)
{
	struct str said = str_of(k->files->env(k->files, "GT_COST_TIER"));
	const struct tier *tier = tier_by_name(said);

	if (said.n == 0)
		return pass(STR("GT_COST_TIER is not set"));
	if (!tier) {
		warn_of_unknown_tier(k, said);
		return pass(STR("GT_COST_TIER is no tier"));
	}
	if (other_provider_chosen(k))
		return pass(STR(
			"an agent other than Claude was chosen, and tiers decide between Claude's models only"));
	if (tier->agent[k->out->role][0])
		return (struct offer){.made = true, .name = str_of(tier->agent[k->out->role])};
	k->tier_says_default = true;
	return pass(arena_fmt(k->arena, "GT_COST_TIER=%s leaves it to the default agent, past role_agents",
			      tier->name));
}

/* A key that is no role at all, and nearly this one, was meant for it. */
static void warn_of_slips(struct question *k, const struct mappings *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct guess g = guess_for(m->v[i].key);

		if (role_by_text(m->v[i].key) != ROLE_UNKNOWN)
			continue;
		for (unsigned role = 0; role < ROLE_COUNT; role++)
			guess_offer(&g, str_of(role_texts[role]));
		if (str_eq(g.nearest, k->q->role))
			warn(k, m->v[i].at, "unknown role \"%.*s\" in role_agents; did you mean %.*s?",
			     STRF(m->v[i].key), STRF(g.nearest));
	}
}

static struct offer role_agents(struct question *k, const struct settings *s)
{
	if (k->tier_says_default)
		return pass(STR("GT_COST_TIER passes it over"));
	warn_of_slips(k, &s->role_agents);
	return offer_of(k, "role_agents", mappings_find(&s->role_agents, k->q->role),
			"role_agents does not have the role");
}

static struct offer rig_role(struct question *k)
{
	return k->rig ? role_agents(k, k->of_rig) : pass(STR("no rig"));
}

static struct offer town_role(struct question *k)
{
	return role_agents(k, k->of_town);
}

static struct offer rig_runtime(struct question *k)
{
	if (!k->of_rig->runtime)
		return pass(k->rig ? STR("the rig has no runtime") : STR("no rig"));
	return (struct offer){.made = true, .runtime = k->of_rig->runtime, .at = k->of_rig->runtime_at};
}

static struct offer default_of(const struct settings *s, const char *key, struct str why)
{
	if (s->default_agent.n == 0)
		return pass(why);
	return (struct offer){.made = true, .key = key, .name = s->default_agent, .at = s->default_agent_at};
}

static struct offer rig_agent(struct question *k)
{
	return default_of(k->of_rig, "agent", k->rig ? STR("the rig has no agent") : STR("no rig"));
}

static struct offer town_default(struct question *k)
{
	return default_of(k->of_town, "default_agent", STR("the town has no default_agent"));
}

static struct offer builtin(struct question *k)
{
	(void)k;
	return (struct offer){.made = true, .name = STR("claude")};
}

typedef struct offer offer_fn(struct question *k);
static offer_fn *const rules[] = {[RULE_override] = override,
				  [RULE_type_agents] = type_agents,
				  [RULE_polecat_agents] = polecat_agents,
				  [RULE_worker_agents] = worker_agents,
				  [RULE_dog] = dog,
				  [RULE_cost_tier] = cost_tier,
				  [RULE_rig_role] = rig_role,
				  [RULE_town_role] = town_role,
				  [RULE_rig_runtime] = rig_runtime,
				  [RULE_rig_agent] = rig_agent,
				  [RULE_town_default] = town_default,
				  [RULE_builtin] = builtin};

/* ---- can it run ---- */

/* Minutes, rounded up. */
static long long minutes_until(const struct question *k, int64_t ms)
{
	return (long long)((ms - k->files->now_ms(k->files) + 59999) / 60000);
}

/* Empty: it can. */
static struct str hindrance(struct question *k, struct str name, const struct runtime *r)
{
	int64_t cooling_ms = k->state ? town_state_cooling_until(k->state, name) : 0;

	if (cooling_ms > k->files->now_ms(k->files))
		return arena_fmt(k->arena, "it cools down for %lld more min", minutes_until(k, cooling_ms));
	if (r->exec_wrapper.n == 0 && r->command.n == 0)
		return STR("it has no command");
	if (can_start(k, r))
		return (struct str){0};
	if (r->exec_wrapper.n)
		return arena_fmt(k->arena, "its exec_wrapper \"%.*s\" is not installed",
				 STRF(r->exec_wrapper.v[0]));
	return arena_fmt(k->arena, "its command \"%.*s\" is not installed", STRF(r->command));
}

/* What one agent would be; with arguments of --agent appended by whoever asked for it. */
static struct runtime prepared(struct question *k, const struct town_agent *a)
{
	struct runtime r = agent_runtime(k, a);

	apply_wrapper(k, &r);
	return r;
}

static void run(struct question *k, struct str name, const struct runtime *r)
{
	k->out->runs = k->out->exported = name;
	k->out->runtime = *r;
	k->out->claude = runtime_is_claude(r, false);
}

/* ---- deciding ---- */

/* What has been found out so far. */
struct decision {
	bool made;
	bool running;       /* somebody can */
	bool by_later_rule; /* but only somebody whom the deciding rule does not name */
	struct str trouble; /* why the one that was decided on cannot run */
	enum rule rule;
};

static enum err undefined(struct question *k, const struct offer *o)
{
	return resolve_refuse(k, ERR_INVALID, o->at, "%s names the agent \"%.*s\", which is nowhere defined%.*s",
			      o->key ? o->key : "Gas Town", STRF(o->name), STRF(did_you_mean_agent(k, o->name)));
}

static void decided(struct question *k, struct decision *d, enum rule rule, struct str name, struct origin at)
{
	d->made = true;
	d->rule = rule;
	k->out->agent = name;
	k->out->rule = rule;
	k->out->at = at;
}

/* The first agent behind a name decides, if nobody has before; the first that can run, runs. */
static void try_runners(struct question *k, struct decision *d, enum rule rule, const struct runners *all)
{
	for (size_t i = 0; i < all->n && !d->running; i++) {
		const struct runner *one = &all->v[i];
		struct runtime r = prepared(k, one->agent);
		struct str trouble = hindrance(k, one->name, &r);

		if (!d->made || k->out->runs.n == 0) {
			if (!d->made)
				decided(k, d, rule, one->name, one->at);
			run(k, one->name, &r);
			k->out->pool = one->pool;
			d->trouble = trouble;
		} else if (trouble.n == 0) {
			run(k, one->name, &r);
			k->out->pool = one->pool;
			d->by_later_rule = rule != d->rule;
			note(k, RULE_fallback, true, one->at, "%.*s, from %s", STRF(one->name), rule_names[rule]);
		} else {
			note(k, RULE_fallback, false, one->at, "%.*s: %.*s", STRF(one->name), STRF(trouble));
		}
		d->running = trouble.n == 0;
	}
}

static void try_runtime(struct question *k, struct decision *d, const struct offer *o)
{
	struct runtime r = fill_custom(o->runtime, k->registry, false, k->arena);
	struct str name = r.provider.n ? r.provider : r.command, trouble;

	apply_wrapper(k, &r);
	trouble = hindrance(k, name, &r);
	if (d->made && trouble.n) {
		note(k, RULE_fallback, false, o->at, "%.*s: %.*s", STRF(name), STRF(trouble));
		return;
	}
	d->by_later_rule = d->made;
	if (d->made)
		note(k, RULE_fallback, true, o->at, "%.*s, from rig_runtime", STRF(name));
	else
		decided(k, d, RULE_rig_runtime, name, o->at);
	run(k, name, &r);
	k->out->pool = (struct str){0};
	d->running = trouble.n == 0;
	if (!d->running)
		d->trouble = trouble;
}

/* "opencode acp": the first word is the name, and means the built-in program even when the town wraps it. */
static void apply_override_words(struct question *k, struct decision *d)
{
	struct texts more;
	struct str name = override_words(k, &more);
	const struct town_agent *pristine = agents_find(presets_builtin(), name);

	if (more.n == 0)
		return;
	if (pristine) {
		struct runtime r = prepared(k, pristine);

		run(k, name, &r);
		d->trouble = hindrance(k, name, &r);
		d->running = d->trouble.n == 0;
	}
	append_args(&k->out->runtime, &more, k->arena);
	k->out->exported = k->q->agent;
}

static enum err decide(struct question *k, struct decision *d, enum rule rule, const struct offer *o)
{
	struct runners *all = ARENA_NEW(k->arena, struct runners);

	if (!all)
		return ERR_TOO_LARGE;
	if (o->runtime) {
		note(k, rule, true, o->at, "runtime of the rig");
		try_runtime(k, d, o);
		return OK;
	}
	runners_of(k, o->name, o->at, all);
	if (all->n == 0)
		return undefined(k, o);
	note(k, rule, true, o->at, "%.*s", STRF(o->name));
	try_runners(k, d, rule, all);
	k->out->at = o->at; /* the line that chose the pool, not that of its member */
	if (rule == RULE_override)
		apply_override_words(k, d);
	return OK;
}

/* A later rule, once it is decided: what is fallen back to while nobody can run, and passed over otherwise. */
static void fall_back(struct question *k, struct decision *d, enum rule rule, const struct offer *o)
{
	struct runners *all;

	note(k, rule, false, o->at, "%.*s, but %s decided before", STRF(o->runtime ? STR("runtime") : o->name),
	     rule_names[d->rule]);
	if (d->running || d->rule == RULE_override)
		return;
	if (o->runtime) {
		try_runtime(k, d, o);
		return;
	}
	all = ARENA_NEW(k->arena, struct runners);
	if (!all)
		return;
	runners_of(k, o->name, o->at, all);
	if (all->n == 0)
		note(k, RULE_fallback, false, o->at, "%.*s is nowhere defined", STRF(o->name));
	try_runners(k, d, rule, all);
}

static void tell_trouble(struct question *k, const struct decision *d)
{
	if (d->trouble.n == 0)
		return;
	if (d->running)
		warn(k, k->out->at, "%.*s: %.*s; %.*s runs in its place", STRF(k->out->agent), STRF(d->trouble),
		     STRF(k->out->runs));
	else
		warn(k, k->out->at, "%.*s: %.*s, and nothing it falls back to can run", STRF(k->out->agent),
		     STRF(d->trouble));
}

enum err ladder(struct question *k)
{
	struct decision d = {0};

	for (unsigned rule = 0; rule < sizeof(rules) / sizeof(rules[0]); rule++) {
		struct offer o = rules[rule](k);
		enum err e = OK;

		if (!o.made)
			note(k, (enum rule)rule, false, o.at, "%.*s", STRF(o.why));
		else if (!d.made)
			e = decide(k, &d, (enum rule)rule, &o);
		else
			fall_back(k, &d, (enum rule)rule, &o);
		if (e != OK)
			return e;
	}
	tell_trouble(k, &d);
	k->out->would_run = d.running;
	k->out->as_written &= d.running && !d.by_later_rule;
	return OK;
}
