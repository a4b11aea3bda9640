/*
 * role_set_tier(): what Gas Town's `gt config cost-tier` does to a town's file, without its slips.
 *
 * The roles of the tier are set or taken away, efforts likewise (high is the default and not written), cost_tier
 * notes the name. Agents that the tier names are defined where they are not; standard's claude-haiku too. An entry
 * of theirs that somebody changed stays as it is. Those that nothing names any more are taken away. groq-compound
 * is built in and not written: its key would be.
 *
 * In a rig's file the default agent is named where the town's file would decide otherwise.
 */
#include "roles/edit_priv.h"

#include "base/buf.h"

#include <string.h>

static const struct edit_key AGENTS_KEY = {{"agents", 6}, false}, ROLES_KEY = {{"role_agents", 11}, false},
			     EFFORTS_KEY = {{"role_effort", 11}, false}, TIER_KEY = {{"cost_tier", 9}, false};

/* Those of tiers.def that are written into files. */
static const char *const written_agents[] = {"claude-sonnet", "claude-haiku"};

static bool belongs(const struct desk *k, enum role role)
{
	return !k->o->rig.n || role_works_in_rig(role);
}

static enum err put(struct desk *k, struct draft *d, struct edit_key map, const char *key, struct str text)
{
	const struct edit_key path[] = {map, {str_of(key), true}};
	enum err e = OK;

	if (text.n)
		e = draft_set(k, d, path, 2, json_of(k, text));
	else if (doc_at(&d->is, path, 2))
		e = draft_unset(k, d, path, 2);
	return e;
}

/* ---- roles and efforts ---- */

static struct str default_agent(const struct desk *k)
{
	struct str name = town_settings(k->town)->default_agent;

	return name.n ? name : STR("claude");
}

static struct str agent_for(const struct desk *k, const struct tier *tier, enum role role)
{
	struct str role_text = str_of(role_texts[role]);

	if (tier->agent[role][0] || !k->o->rig.n)
		return str_of(tier->agent[role]);
	return mappings_value(&town_settings(k->town)->role_agents, role_text).n ? default_agent(k)
										 : (struct str){0};
}

static struct str effort_for(const struct desk *k, const struct tier *tier, enum role role)
{
	bool is_default = strcmp(tier->effort[role], "high") == 0;
	bool town_says = mappings_value(&town_settings(k->town)->role_effort, str_of(role_texts[role])).n != 0;

	return is_default && !(k->o->rig.n && town_says) ? (struct str){0} : str_of(tier->effort[role]);
}

static enum err put_roles(struct desk *k, struct draft *d, const struct tier *tier)
{
	enum err e = OK;

	for (unsigned i = 0; e == OK && i < ROLE_COUNT; i++) {
		enum role role = (enum role)i;

		if (!belongs(k, role))
			continue;
		e = put(k, d, ROLES_KEY, role_texts[role], agent_for(k, tier, role));
		if (e == OK)
			e = put(k, d, EFFORTS_KEY, role_texts[role], effort_for(k, tier, role));
	}
	return e;
}

/* ---- agents ---- */

static bool names(const struct node *map, struct str agent)
{
	for (const struct node *m = map && map->kind == NODE_OBJECT ? map->first : NULL; m; m = m->next)
		if (m->kind == NODE_STRING && str_eq(m->text, agent))
			return true;
	return false;
}

/* Anything of the file beside its definition: an agent may be named in pools and lists too. */
static bool is_mentioned(const struct node *n, struct str agent)
{
	if (n->kind == NODE_STRING)
		return str_eq(n->text, agent);
	for (const struct node *m = n->kind == NODE_OBJECT || n->kind == NODE_ARRAY ? n->first : NULL; m;
	     m = m->next)
		if (is_mentioned(m, agent))
			return true;
	return false;
}

static struct str definition(struct desk *k, const struct town_agent *a)
{
	struct buf b = BUF_INIT(0);
	struct str out;

	buf_z(&b, "{\n  \"provider\": ");
	buf_json_text(&b, a->runtime.provider);
	buf_z(&b, ",\n  \"command\": ");
	buf_json_text(&b, a->runtime.command);
	buf_z(&b, ",\n  \"args\": [");
	for (size_t i = 0; i < a->runtime.args.n; i++) {
		buf_z(&b, i ? ", " : "");
		buf_json_text(&b, a->runtime.args.v[i]);
	}
	buf_z(&b, "]\n}");
	out = arena_str(k->arena, buf_str(&b));
	buf_free(&b);
	return out;
}

static bool same_texts(const struct node *list, const struct texts *t)
{
	size_t i = 0;

	if (!list || list->kind != NODE_ARRAY || list->count != t->n)
		return false;
	for (const struct node *e = list->first; e; e = e->next)
		if (e->kind != NODE_STRING || !str_eq(e->text, t->v[i++]))
			return false;
	return true;
}

/* As Gas Town or we wrote it: nobody will miss it. */
static bool is_as_written(const struct node *entry, const struct town_agent *a)
{
	const struct node *command = node_member(entry, STR("command"));

	return entry->kind == NODE_OBJECT && command && str_eq(command->text, a->runtime.command) &&
	       same_texts(node_member(entry, STR("args")), &a->runtime.args) && !node_member(entry, STR("env"));
}

static bool is_defined_by_town(const struct desk *k, struct str name)
{
	return k->o->rig.n && agents_find(&town_settings(k->town)->agents, name);
}

static enum err put_agent(struct desk *k, struct draft *d, const char *name)
{
	const struct edit_key path[] = {AGENTS_KEY, {str_of(name), true}};
	const struct town_agent *a = tier_agent(str_of(name));
	const struct node *entry = doc_at(&d->is, path, 2);
	bool needed = names(doc_at(&d->is, &ROLES_KEY, 1), str_of(name)) && !is_defined_by_town(k, str_of(name));

	if (entry && entry->kind == NODE_NULL)
		entry = NULL;
	if (needed && !entry)
		return draft_set(k, d, path, 2, definition(k, a));
	if (!needed && entry && is_as_written(entry, a) && !is_mentioned(d->is.root, str_of(name)))
		return draft_unset(k, d, path, 2);
	return OK;
}

static enum err put_agents(struct desk *k, struct draft *d)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < sizeof(written_agents) / sizeof(written_agents[0]); i++)
		e = put_agent(k, d, written_agents[i]);
	return e;
}

/* ---- all of it ---- */

static enum err unknown_tier(struct desk *k, struct str name)
{
	struct guess g = guess_for(name);

	for (unsigned i = 0; i < tier_count; i++)
		guess_offer(&g, str_of(tiers[i].name));
	return problem_set(
		k->p, ERR_INVALID,
		"\"%.*s\" is no cost tier%s%.*s%s; tiers are standard, economy, budget, custom-groq-opus and "
		"custom-groq-sonnet",
		STRF(name), g.nearest.n ? "; did you mean " : "", STRF(g.nearest), g.nearest.n ? "?" : "");
}

static void report(struct desk *k, const struct draft *d)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		draft_report(k, d, (struct edit_key[]){ROLES_KEY, {str_of(role_texts[role]), true}}, 2);
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		draft_report(k, d, (struct edit_key[]){EFFORTS_KEY, {str_of(role_texts[role]), true}}, 2);
	for (size_t i = 0; i < sizeof(written_agents) / sizeof(written_agents[0]); i++)
		draft_report(k, d, (struct edit_key[]){AGENTS_KEY, {str_of(written_agents[i]), true}}, 2);
	draft_report(k, d, &TIER_KEY, 1);
}

static enum err apply(struct desk *k, const struct tier *tier, struct draft *d)
{
	enum err e = draft_open(k, k->o->rig, d);

	if (e == OK)
		e = put_roles(k, d, tier);
	if (e == OK)
		e = put_agents(k, d);
	if (e == OK && !k->o->rig.n)
		e = draft_set(k, d, &TIER_KEY, 1, json_of(k, str_of(tier->name)));
	if (e == OK)
		e = check_answers(k, d, 1, ROLE_UNKNOWN);
	if (e == OK)
		e = draft_write(k, d);
	if (e == OK)
		report(k, d);
	return e;
}

enum err role_set_tier(struct town *t, struct str name, const struct edit_options *o, struct arena *a,
		       struct edit_report *out, struct problem *p)
{
	struct desk k = {.town = t, .o = o, .arena = a, .p = p};
	const struct tier *tier = tier_by_name(name);
	struct draft d = {0};
	enum err e = tier ? apply(&k, tier, &d) : unknown_tier(&k, name);

	desk_report(&k, &d, out);
	return e;
}
