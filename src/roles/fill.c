/*
 * What Gas Town spreads over three functions that disagree in corners: filling an entry of config.json, turning a
 * preset into something to start, and filling again while the command is printed. Here each kind of entry is filled
 * once, and the corners are marked with `compat`.
 */
#include "roles/fill_priv.h"

#include "roles/command_priv.h"

#define CLAUDE STR("claude")

const struct runtime runtime_unsaid = {.hooks.informational = -1,
				       .supports_hooks = -1,
				       .supports_fork_session = -1,
				       .emits_permission_warning = -1,
				       .has_turn_boundary_drain = -1,
				       .escape_cancels_request = -1,
				       .hooks_use_settings_dir = -1};

/* ---- parts ---- */

static void fill_text(struct str *to, struct str from)
{
	if (to->n == 0)
		*to = from;
}

static void fill_flag(int *to, int from)
{
	if (*to < 0)
		*to = from;
}

static void fill_env(struct runtime *to, const struct runtime *from, struct arena *a)
{
	if (from->env.n == 0)
		return;
	pairs_make_room(&to->env, from->env.n, a);
	for (size_t i = 0; i < from->env.n; i++)
		if (!pairs_find(&to->env, from->env.v[i].key))
			pairs_put(&to->env, from->env.v[i]);
}

static void fill_objects(struct runtime *to, const struct runtime *from)
{
	if (!to->session.given)
		to->session = from->session;
	if (!to->hooks.given)
		to->hooks = from->hooks;
	if (!to->tmux.given)
		to->tmux = from->tmux;
	if (!to->instructions.given)
		to->instructions = from->instructions;
	if (!to->acp.given)
		to->acp = from->acp;
	if (to->prompt_mode == PROMPT_UNSET)
		to->prompt_mode = from->prompt_mode;
}

/* What entries of config.json have no member for. */
static void fill_abilities(struct runtime *to, const struct runtime *from)
{
	if (!to->resume.flag.n)
		to->resume = from->resume;
	if (!to->non_interactive.given)
		to->non_interactive = from->non_interactive;
	fill_text(&to->config_dir, from->config_dir);
	fill_flag(&to->supports_hooks, from->supports_hooks);
	fill_flag(&to->supports_fork_session, from->supports_fork_session);
	fill_flag(&to->emits_permission_warning, from->emits_permission_warning);
	fill_flag(&to->has_turn_boundary_drain, from->has_turn_boundary_drain);
	fill_flag(&to->escape_cancels_request, from->escape_cancels_request);
	fill_flag(&to->hooks_use_settings_dir, from->hooks_use_settings_dir);
}

static void fill_args(struct runtime *to, const struct runtime *from)
{
	if (!to->args.given && from->args.n)
		to->args = from->args;
}

/* ---- entries of config.json ---- */

void fill_again(struct runtime *r, const struct agents *registry)
{
	const struct town_agent *preset = agents_find(registry, r->provider.n ? r->provider : CLAUDE);

	if (!preset)
		return;
	fill_text(&r->command, preset->runtime.command);
	fill_args(r, &preset->runtime);
}

static const struct town_agent *preset_for(const struct runtime *said, const struct agents *registry)
{
	const struct town_agent *preset = agents_find(registry, said->provider.n ? said->provider : said->command);

	return preset ? preset : agents_find(registry, CLAUDE);
}

struct runtime fill_custom(const struct runtime *said, const struct agents *registry, bool compat, struct arena *a)
{
	const struct town_agent *preset = preset_for(said, registry);
	struct runtime r = *said;

	fill_text(&r.command, preset->runtime.command);
	fill_args(&r, &preset->runtime);
	fill_objects(&r, &preset->runtime);
	fill_env(&r, &preset->runtime, a);
	if (!compat)
		fill_abilities(&r, &preset->runtime);
	if (r.prompt_mode == PROMPT_UNSET)
		r.prompt_mode = PROMPT_ARG;
	return r;
}

/* ---- presets ---- */

/* A stranger's entry that runs a command we know; NULL: it has a name we know, or an unknown command. */
static const struct town_agent *relative_of(const struct town_agent *preset)
{
	if (agents_find(presets_builtin(), preset->name))
		return NULL;
	return agents_by_command(presets_builtin(), preset->runtime.command);
}

/* Field by field, for entries are flat. Arguments and environment stay as written: to add permissions that the file
 * does not give is not ours. */
static void fill_from_relative(struct runtime *r, const struct town_agent *relative)
{
	const struct runtime *from = &relative->runtime;

	r->provider = relative->name;
	fill_text(&r->session.id_env, from->session.id_env);
	fill_text(&r->session.config_dir_env, from->session.config_dir_env);
	fill_text(&r->tmux.ready_prompt_prefix, from->tmux.ready_prompt_prefix);
	if (!r->tmux.process_names.given)
		r->tmux.process_names = from->tmux.process_names;
	if (!r->tmux.ready_delay_ms)
		r->tmux.ready_delay_ms = from->tmux.ready_delay_ms;
	r->session.given = r->tmux.given = true;
	fill_objects(r, from);
	fill_abilities(r, from);
}

struct runtime fill_preset(const struct town_agent *preset, bool compat)
{
	const struct town_agent *relative = compat ? NULL : relative_of(preset);
	struct runtime r = preset->runtime;

	r.provider = preset->name;
	if (relative)
		fill_from_relative(&r, relative);
	if (r.prompt_mode == PROMPT_UNSET)
		r.prompt_mode = PROMPT_ARG;
	return r;
}

struct runtime town_agent_filled(const struct town_agent *one, const struct agents *presets, struct arena *a)
{
	return one->is_preset ? fill_preset(one, false) : fill_custom(&one->runtime, presets, false, a);
}

/* ---- who it is ---- */

/* The last part of a path without what follows its last dot, as Go's filepath has it. */
static struct str stem(struct str path)
{
	struct str base = path_base(path);

	for (size_t i = base.n; i-- > 0;)
		if (base.p[i] == '.')
			return (struct str){base.p, i};
	return base;
}

bool runtime_is_claude(const struct runtime *r, bool compat)
{
	if (r->provider.n && (compat || agents_find(presets_builtin(), r->provider)))
		return str_eq(r->provider, CLAUDE);
	return r->command.n == 0 || str_eq(stem(r->command), CLAUDE);
}
