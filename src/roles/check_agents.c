/*
 * The entries of `agents` and of agents.json: commands, providers, environment, and models that only a name
 * promises.
 */
#include "roles/check_priv.h"
#include "roles/provider.h"

#include <string.h>

/* ---- models ---- */

/* Words by which people call an agent after the model that it shall run. */
static bool is_model_word(struct str word)
{
	static const struct str words[] = {{"opus", 4}, {"sonnet", 6}, {"haiku", 5}, {"flash", 5},
					   {"mini", 4}, {"pro", 3},    {"max", 3},   {"gpt", 3}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq_nocase(word, words[i]))
			return true;
	return false;
}

static bool promises_a_model(struct str name)
{
	size_t from = 0;

	for (size_t i = 0; i <= name.n; i++)
		if (i == name.n || strchr("-_. /", name.p[i])) {
			if (is_model_word((struct str){name.p + from, i - from}))
				return true;
			from = i + 1;
		}
	return false;
}

/* The design of Gas Town puts the model into args, and nothing says when it is not there. */
static void check_model(struct check *c, struct str name, const struct runtime *r, struct origin at)
{
	const struct provider *p = provider_of(r);

	if (p && p->model_flag[0] && promises_a_model(name) && runtime_model(r).n == 0)
		mistake(c, SEVERITY_WARNING, at,
			"%.*s is named for a model, but its args have no %s: it runs the default one", STRF(name),
			p->model_flag);
}

/* ---- environment ---- */

static bool ends_with(struct str s, const char *end)
{
	struct str e = str_of(end);

	return s.n >= e.n && memcmp(s.p + s.n - e.n, e.p, e.n) == 0;
}

static bool is_secret(const struct pair *p)
{
	bool named = ends_with(p->key, "_KEY") || ends_with(p->key, "_TOKEN") || ends_with(p->key, "_SECRET") ||
		     ends_with(p->key, "_PASSWORD");

	return named && p->value.n && p->value.p[0] != '$';
}

static bool is_variable_name(struct str s)
{
	if (s.n == 0 || (s.p[0] >= '0' && s.p[0] <= '9'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (ch != '_' && !(ch >= '0' && ch <= '9') && !(ch >= 'A' && ch <= 'Z') &&
		    !(ch >= 'a' && ch <= 'z'))
			return false;
	}
	return true;
}

static void check_env(struct check *c, struct str name, const struct pairs *env, const char *path)
{
	for (size_t i = 0; i < env->n; i++) {
		const struct pair *p = &env->v[i];

		if (!p->at.path || strcmp(p->at.path, path) != 0)
			continue; /* it stands elsewhere, and is told there */
		if (!is_variable_name(p->key))
			mistake(c, SEVERITY_ERROR, p->at, "%.*s: \"%.*s\" cannot be the name of a variable",
				STRF(name), STRF(p->key));
		if (is_secret(p))
			mistake(c, SEVERITY_WARNING, p->at,
				"%.*s holds a secret in a file; write \"$%.*s\" and set it where agents are "
				"started",
				STRF(name), STRF(p->key));
	}
}

/* ---- one entry ---- */

static void check_provider(struct check *c, struct str name, const struct runtime *r, struct origin at,
			   const struct agents *registry)
{
	struct guess g = guess_for(r->provider);

	if (r->provider.n == 0 || agents_find(registry, r->provider) || str_eqz(r->provider, "generic"))
		return;
	for (const struct agents *a = registry; a; a = a->under)
		for (size_t i = 0; i < a->n; i++)
			guess_offer(&g, a->v[i].name);
	mistake(c, SEVERITY_WARNING, at, "%.*s: provider \"%.*s\" is no preset, so it is filled as Claude is%.*s",
		STRF(name), STRF(r->provider), STRF(did_you_mean(c, &g)));
}

static void check_acp(struct check *c, struct str name, const struct runtime *r, struct origin at)
{
	struct str mode = r->acp.mode;

	if (mode.n && !str_eqz(mode, "native") && !str_eqz(mode, "subcommand") && !str_eqz(mode, "flag"))
		mistake(c, SEVERITY_WARNING, at, "%.*s: acp.mode must be native, subcommand or flag, not \"%.*s\"",
			STRF(name), STRF(mode));
}

void check_runtime(struct check *c, struct str name, const struct runtime *r, struct origin at,
		   const struct agents *registry)
{
	check_provider(c, name, r, at, registry);
	check_acp(c, name, r, at);
	check_env(c, name, &r->env, at.path);
}

void check_agents(struct check *c, const struct agents *a, const struct agents *registry)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct town_agent *one = &a->v[i];

		if (one->name.n == 0)
			mistake(c, SEVERITY_WARNING, one->at, "an agent without a name can be named nowhere");
		if (one->is_preset && one->runtime.command.n == 0)
			mistake(c, SEVERITY_ERROR, one->at, "%.*s has no command", STRF(one->name));
		check_runtime(c, one->name, &one->runtime, one->at, registry);
		check_model(c, one->name, &one->runtime, one->at);
	}
}
