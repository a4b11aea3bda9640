/*
 * role_set() and role_unset(): one line of role_agents.
 */
#include "roles/edit_priv.h"

static enum err unknown_role(struct desk *k, struct str role)
{
	struct guess g = guess_for(role);

	for (unsigned i = 0; i < ROLE_COUNT; i++)
		guess_offer(&g, str_of(role_texts[i]));
	return problem_set(k->p, ERR_INVALID, "unknown role \"%.*s\"%s%.*s%s", STRF(role),
			   g.nearest.n ? "; did you mean " : "", STRF(g.nearest), g.nearest.n ? "?" : "");
}

static enum err look_at_role(struct desk *k, struct str role)
{
	enum role r = role_by_text(role);

	if (r == ROLE_UNKNOWN && !k->o->force)
		return unknown_role(k, role);
	if (k->o->rig.n && !role_works_in_rig(r) && !k->o->force)
		return problem_set(
			k->p, ERR_INVALID,
			"a %.*s does not work in a rig, so a rig's file is not asked about it; leave --rig away",
			STRF(role));
	return OK;
}

/* Some role that may name the agent in that file, to ask whether the name leads anywhere. */
static enum err look_at_agent(struct desk *k, const struct draft *d, struct str agent)
{
	const struct role_query q = {.role = k->o->rig.n ? STR("witness") : STR("mayor"),
				     .rig = k->o->rig,
				     .agent = agent,
				     .agent_key = "role_agents"};
	struct overlay v;
	struct role_answer answer;
	struct town *town;
	enum err e;

	if (k->o->force)
		return OK;
	e = overlay_town(k, &v, d, 1, &town);
	if (e != OK)
		return e;
	e = role_resolve(town, &q, NULL, k->arena, &answer, k->p);
	if (e != OK)
		problem_set(k->p, e, "not written: %.*s", STRF(arena_str(k->arena, answer.refusal.text)));
	town_close(&town);
	return e;
}

static enum err look_at_name(struct desk *k, struct str agent)
{
	if (agent.n && str_is_utf8(agent))
		return OK;
	return problem_set(k->p, ERR_INVALID, "an agent has a name; `role unset` takes the line away");
}

/* agent empty: the line goes. */
static enum err change(struct desk *k, struct str role, struct str agent, struct draft *d)
{
	const struct edit_key path[] = {{STR("role_agents"), false}, {role, true}};
	enum err e = look_at_role(k, role);

	if (e == OK)
		e = draft_open(k, k->o->rig, d);
	if (e == OK && agent.n)
		e = draft_set(k, d, path, 2, json_of(k, agent));
	else if (e == OK && d->existed)
		e = draft_unset(k, d, path, 2);
	else if (e == OK)
		d->is = d->was; /* no file, no line */
	if (e == OK && agent.n)
		e = look_at_agent(k, d, agent);
	if (e == OK)
		e = check_answers(k, d, 1, role_by_text(role));
	if (e == OK)
		e = draft_write(k, d);
	if (e == OK)
		draft_report(k, d, path, 2);
	return e;
}

enum err role_set(struct town *t, struct str role, struct str agent, const struct edit_options *o, struct arena *a,
		  struct edit_report *out, struct problem *p)
{
	struct desk k = {.town = t, .o = o, .arena = a, .p = p};
	struct draft d = {0};
	enum err e = look_at_name(&k, agent);

	if (e == OK)
		e = change(&k, role, agent, &d);
	desk_report(&k, &d, out);
	return e;
}

enum err role_unset(struct town *t, struct str role, const struct edit_options *o, struct arena *a,
		    struct edit_report *out, struct problem *p)
{
	struct desk k = {.town = t, .o = o, .arena = a, .p = p};
	struct draft d = {0};
	enum err e = change(&k, role, (struct str){0}, &d);

	desk_report(&k, &d, out);
	return e;
}
