/*
 * What is decided beside the agent: model, effort and account.
 */
#include "roles/resolve_priv.h"

/* A word and where it was said. */
struct wish {
	struct str word;
	struct origin at;
	const char *who;
};

static bool wishes(struct wish *w, struct str word, struct origin at, const char *who)
{
	if (word.n)
		*w = (struct wish){word, at, who};
	return word.n != 0;
}

static struct str from_environment(const struct question *k, const char *name)
{
	return str_of(k->files->env(k->files, name));
}

/* ---- model ---- */

static bool model_wish(const struct question *k, struct wish *w)
{
	const struct mapping *t = k->wish_type, *p = k->wish_polecat;

	return wishes(w, k->q->model, NOWHERE, "--model") ||
	       wishes(w, from_environment(k, "GT_MODEL_OVERRIDE"), NOWHERE, "GT_MODEL_OVERRIDE") ||
	       (t && wishes(w, t->model, t->value_at, "type_agents")) ||
	       (p && wishes(w, p->model, p->value_at, "polecat_agents"));
}

/* A model is a model of the agent that was decided on; whoever stands in for it may not know it. */
static bool is_stand_in(struct question *k)
{
	const struct town_agent *decided = agent_named(k, k->out->agent);
	struct runtime r;

	if (!decided || str_eq(k->out->agent, k->out->runs))
		return false;
	r = agent_runtime(k, decided);
	return provider_of(&r) != provider_of(&k->out->runtime);
}

enum err decide_model(struct question *k)
{
	struct wish w = {0};
	struct str runs = k->out->runs;

	if (!model_wish(k, &w)) {
		k->out->model = runtime_model(&k->out->runtime);
		note(k, RULE_model, k->out->model.n != 0, k->out->at, "%.*s",
		     STRF(k->out->model.n ? k->out->model : STR("the agent's own default")));
		return OK;
	}
	if (is_stand_in(k))
		warn(k, w.at, "%s asks for the model %.*s, but %.*s stands in and runs its own", w.who,
		     STRF(w.word), STRF(runs));
	else if (!runtime_set_model(&k->out->runtime, w.word, k->arena))
		warn(k, w.at, "%s asks for the model %.*s, but how %.*s is told a model is not known", w.who,
		     STRF(w.word), STRF(runs));
	k->out->model = runtime_model(&k->out->runtime);
	note(k, RULE_model, str_eq(k->out->model, w.word), w.at, "%s: %.*s", w.who, STRF(w.word));
	return OK;
}

/* ---- effort ---- */

static struct str did_you_mean_effort(struct question *k, struct str word)
{
	struct guess g = guess_for(word);

	for (unsigned e = EFFORT_LOW; e <= EFFORT_AUTO; e++)
		guess_offer(&g, str_of(effort_text((enum effort)e)));
	return g.nearest.n ? arena_fmt(k->arena, "; did you mean %.*s?", STRF(g.nearest)) : (struct str){0};
}

/* Of this spawn: a wrong word is refused. */
static bool spawn_wish(const struct question *k, struct wish *w)
{
	return wishes(w, k->q->effort, NOWHERE, "--effort") ||
	       wishes(w, from_environment(k, "GT_EFFORT"), NOWHERE, "GT_EFFORT");
}

static struct str effort_of_tier(const struct question *k)
{
	const struct tier *tier = tier_by_name(from_environment(k, "GT_COST_TIER"));

	return tier && k->out->role < ROLE_COUNT ? str_of(tier->effort[k->out->role]) : (struct str){0};
}

/* Of the files: a wrong word is told and passed over. */
static bool takes(struct question *k, const char *who, const struct mapping *m, struct str word)
{
	if (word.n == 0)
		return false;
	k->out->effort = effort_by_text(word);
	k->out->effort_at = m->value_at;
	if (k->out->effort != EFFORT_UNSET)
		note(k, RULE_effort, true, m->value_at, "%s: %.*s", who, STRF(word));
	else
		warn(k, m->value_at, "%s: \"%.*s\" of %.*s is no effort%.*s; it does not count", who, STRF(word),
		     STRF(m->key), STRF(did_you_mean_effort(k, word)));
	return k->out->effort != EFFORT_UNSET;
}

static bool effort_of_files(struct question *k)
{
	struct str role = k->q->role, tier = effort_of_tier(k);
	const struct mapping *t = k->wish_type, *p = k->wish_polecat;
	const struct mapping *rig = mappings_find(&k->of_rig->role_effort, role);
	const struct mapping *town = mappings_find(&k->of_town->role_effort, role);

	if ((t && takes(k, "type_agents", t, t->effort)) || (p && takes(k, "polecat_agents", p, p->effort)))
		return true;
	if (tier.n) {
		k->out->effort = effort_by_text(tier);
		note(k, RULE_effort, true, NOWHERE, "GT_COST_TIER: %.*s", STRF(tier));
		return true;
	}
	return (rig && takes(k, "role_effort of the rig", rig, rig->value)) ||
	       (town && takes(k, "role_effort of the town", town, town->value));
}

/* high, which nobody asked for, is said to nobody who would not have heard it from Gas Town. */
static void effort_by_default(struct question *k)
{
	k->out->effort = EFFORT_HIGH;
	k->out->effort_at = NOWHERE;
	note(k, RULE_effort, false, NOWHERE, "high: nothing else is said");
}

enum err decide_effort(struct question *k)
{
	struct wish w = {0};
	bool said = spawn_wish(k, &w);

	if (said) {
		k->out->effort = effort_by_text(w.word);
		if (k->out->effort == EFFORT_UNSET)
			return resolve_refuse(
				k, ERR_INVALID, NOWHERE,
				"%s: \"%.*s\" is no effort%.*s; efforts are low, medium, high, xhigh, max and auto",
				w.who, STRF(w.word), STRF(did_you_mean_effort(k, w.word)));
		note(k, RULE_effort, true, NOWHERE, "%s: %.*s", w.who, STRF(w.word));
	} else if (!effort_of_files(k)) {
		effort_by_default(k);
		return OK;
	}
	if (!runtime_set_effort(&k->out->runtime, k->out->effort, k->arena)) {
		note(k, RULE_effort, false, NOWHERE, "how %.*s is told an effort is not known", STRF(k->out->runs));
		if (said)
			warn(k, NOWHERE, "%s=%s: how %.*s is told an effort is not known", w.who,
			     effort_text(k->out->effort), STRF(k->out->runs));
	}
	return OK;
}

/* xhigh and auto came later. */
static enum effort effort_compat(struct str word)
{
	enum effort e = effort_by_text(word);

	return e == EFFORT_XHIGH || e == EFFORT_AUTO ? EFFORT_UNSET : e;
}

static bool takes_compat(struct question *k, const char *who, const struct settings *s)
{
	const struct mapping *m = mappings_find(&s->role_effort, k->q->role);

	if (!m || m->value.n == 0)
		return false;
	k->out->effort = effort_compat(m->value);
	k->out->effort_at = m->value_at;
	if (k->out->effort == EFFORT_UNSET)
		warn(k, m->value_at, "warning: %s role_effort[%.*s]=%s is not a valid effort level, ignoring", who,
		     STRF(k->q->role), go_quoted(k, m->value));
	else
		note(k, RULE_effort, true, m->value_at, "role_effort of the %s: %.*s", who, STRF(m->value));
	return k->out->effort != EFFORT_UNSET;
}

void decide_effort_compat(struct question *k)
{
	struct str tier = effort_of_tier(k), shell = from_environment(k, "CLAUDE_CODE_EFFORT_LEVEL");

	if (tier.n) {
		k->out->effort = effort_by_text(tier);
		note(k, RULE_effort, true, NOWHERE, "GT_COST_TIER: %.*s", STRF(tier));
	} else {
		warn_of_rigs_old_keys(k); /* its file is read only now */
		if (!takes_compat(k, "rig", k->of_rig) && !takes_compat(k, "town", k->of_town))
			effort_by_default(k);
	}
	if (shell.n)
		warn(k, NOWHERE,
		     "notice: CLAUDE_CODE_EFFORT_LEVEL=%.*s env var is deprecated and ignored; "
		     "%.*s effort resolved to \"%s\" via config. "
		     "Set per-role effort with role_effort in settings or gt config cost-tier.",
		     STRF(shell), STRF(k->q->role), effort_text(k->out->effort));
}
