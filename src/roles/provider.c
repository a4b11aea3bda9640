/*
 * Reading and setting the model and the effort of a runtime: flags among its arguments, variables in its
 * environment. A flag counts before a variable, as it does for the programs themselves; of several flags the last.
 */
#include "roles/provider.h"

#include "roles/fill_priv.h"

#include <string.h>

#define EFFORTS(...)            \
	{                       \
		"", __VA_ARGS__ \
	}
#define PROVIDER(name, flag, short_flag, variable, effort_flag, prefix, exported, efforts) \
	{name, flag, short_flag, variable, effort_flag, prefix, efforts, exported},
static const struct provider providers[] = {
#include "roles/providers.def"
};
#undef PROVIDER
#undef EFFORTS

static const struct provider *provider_by_name(struct str name)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (str_eqz(name, providers[i].name))
			return &providers[i];
	return NULL;
}

const struct provider *provider_of(const struct runtime *r)
{
	const struct provider *p = provider_by_name(r->provider);
	const struct town_agent *preset;

	if (p)
		return p;
	preset = agents_by_command(presets_builtin(), r->command);
	return preset ? provider_by_name(preset->name) : NULL;
}

/* ---- arguments ---- */

/* Whether argument i gives `flag` a value: as "--flag=value", or in the argument that follows. *length: of how many
 * arguments it consists. */
static bool is_flag(const struct texts *args, size_t i, const char *flag, struct str *value, size_t *length)
{
	struct str word = args->v[i], f = str_of(flag);

	if (f.n == 0 || !str_starts(word, f))
		return false;
	if (word.n > f.n && word.p[f.n] == '=') {
		*value = (struct str){word.p + f.n + 1, word.n - f.n - 1};
		*length = 1;
		return true;
	}
	if (word.n > f.n || i + 1 >= args->n)
		return false;
	*value = args->v[i + 1];
	*length = 2;
	return true;
}

static bool is_model(const struct provider *p, const struct texts *args, size_t i, struct str *value,
		     size_t *length)
{
	return is_flag(args, i, p->model_flag, value, length) || is_flag(args, i, p->model_short, value, length);
}

/* Without what gives a model, and with room for `more`. */
static struct texts args_without_model(const struct provider *p, const struct texts *args, size_t more,
				       struct arena *a)
{
	struct texts out = {.v = ARENA_ARRAY(a, struct str, args->n + more), .given = true};
	struct str value;
	size_t length;

	if (!out.v)
		return out;
	for (size_t i = 0; i < args->n;) {
		if (is_model(p, args, i, &value, &length)) {
			i += length;
			continue;
		}
		out.v[out.n++] = args->v[i++];
	}
	return out;
}

static void append(struct texts *args, const char *flag, struct str prefix, struct str word, struct arena *a)
{
	struct texts out = {.v = ARENA_ARRAY(a, struct str, args->n + 2), .n = args->n, .given = true};

	if (!out.v)
		return;
	if (args->n)
		memcpy(out.v, args->v, args->n * sizeof(*args->v));
	out.v[out.n++] = str_of(flag);
	out.v[out.n++] = arena_fmt(a, "%.*s%.*s", STRF(prefix), STRF(word));
	*args = out;
}

/* ---- what it asks for ---- */

struct str runtime_model(const struct runtime *r)
{
	const struct provider *p = provider_of(r);
	struct str value, last = {0};
	size_t length;

	if (!p)
		return last;
	for (size_t i = 0; i < r->args.n; i++)
		if (is_model(p, &r->args, i, &value, &length))
			last = value;
	for (size_t i = 0; !last.n && i < r->env.n; i++)
		if (p->model_env[0] && str_eqz(r->env.v[i].key, p->model_env))
			last = r->env.v[i].value;
	return last;
}

bool runtime_set_model(struct runtime *r, struct str model, struct arena *a)
{
	const struct provider *p = provider_of(r);

	if (p && p->model_flag[0]) {
		r->args = args_without_model(p, &r->args, 2, a);
		append(&r->args, p->model_flag, (struct str){0}, model, a);
		return true;
	}
	if (!p || !p->model_env[0])
		return false;
	pairs_set(&r->env, str_of(p->model_env), model, a);
	return true;
}

bool runtime_set_effort(struct runtime *r, enum effort e, struct arena *a)
{
	const struct provider *p = provider_of(r);

	if (!p)
		return false;
	if (p->effort_exported || e == EFFORT_AUTO || e == EFFORT_UNSET)
		return true;
	if (!p->efforts[e][0])
		return false;
	append(&r->args, p->effort_flag, str_of(p->effort_prefix), str_of(p->efforts[e]), a);
	return true;
}
