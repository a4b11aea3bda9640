/*
 * The words an agent is started with: wrapper, command, arguments, settings, session, prompt.
 */
#include "roles/command_priv.h"

enum { RESUME_ID_MAX = 200 };

/* ---- adding ---- */

static void add(struct args *a, struct word word, enum word_kind kind)
{
	a->v[a->n++] = (struct arg){word, kind};
}

/* A subcommand or flag of a preset can have several words. */
static void add_words(struct args *a, struct str text)
{
	while (text.n) {
		struct str word = str_cut(text, ' ', &text);

		if (word.n)
			add(a, word_plain(word), KIND_ARGUMENT);
	}
}

static void add_path(const struct spawn *s, struct args *a, struct str written)
{
	add(a, s->query->compat ? word_plain(written) : word_path(s, written), KIND_COMMAND);
}

/* ---- settings of Claude ---- */

/* Where the settings of a role are when its sessions work in another folder. NULL: they work where they are. */
static const char *settings_folder(enum role role)
{
	switch (role) {
	case ROLE_CREW:
		return "crew";
	case ROLE_WITNESS:
		return "witness";
	case ROLE_REFINERY:
		return "refinery";
	case ROLE_POLECAT:
		return "polecats";
	case ROLE_MAYOR:
	case ROLE_DEACON:
	case ROLE_BOOT:
	case ROLE_DOG:
	case ROLE_UNKNOWN:
		return NULL;
	}
	return NULL;
}

static bool has_settings(const struct spawn *s)
{
	const struct texts *args = &s->answer->runtime.args;

	for (size_t i = 0; i < args->n; i++)
		if (str_eqz(args->v[i], "--settings") ||
		    (!s->query->compat && str_starts(args->v[i], STR("--settings="))))
			return true;
	return false;
}

static void add_settings(const struct spawn *s, struct args *a)
{
	const struct runtime *r = &s->answer->runtime;
	const char *folder = settings_folder(s->answer->role);
	const struct str parts[] = {
		s->town_dir,
		s->query->rig,
		str_of(folder),
		r->hooks.dir.n ? r->hooks.dir : STR(".claude"),
		r->hooks.settings_file.n ? r->hooks.settings_file : STR("settings.json"),
	};

	if (!s->answer->claude || !folder || s->answer->role_lost || s->query->rig.n == 0 || has_settings(s))
		return;
	add(a, word_plain(STR("--settings")), KIND_ARGUMENT);
	add(a, word_plain(path_join(s->arena, parts, 5)), KIND_ARGUMENT);
}

/* ---- going on with a session ---- */

/* Gas Town asks the preset that the agent's provider names; entries of config.json cannot say it themselves. */
static const struct runtime *resuming(const struct spawn *s)
{
	const struct runtime *r = &s->answer->runtime;
	const struct town_agent *preset = agents_find(s->registry, r->provider.n ? r->provider : STR("claude"));

	return s->query->compat && preset ? &preset->runtime : r;
}

static bool is_session_id(struct str id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		      c == '.' || (c == '-' && i)))
			return false;
	}
	return id.n > 0 && id.n <= RESUME_ID_MAX;
}

static bool resumes_latest(const struct spawn *s)
{
	return str_eqz(s->options->resume, "last");
}

static enum err check_resume(const struct spawn *s, struct problem *p)
{
	const struct runtime *r = resuming(s);
	struct str agent = s->answer->runs;

	if (s->options->resume.n == 0)
		return OK;
	if (r->resume.flag.n == 0)
		return problem_set(p, ERR_INVALID, "%.*s cannot go on with a session: it has no resume_flag",
				   STRF(agent));
	if (resumes_latest(s) && r->resume.continue_flag.n == 0)
		return problem_set(p, ERR_INVALID,
				   "%.*s cannot find its latest session (it has no continue_flag); give the id",
				   STRF(agent));
	if (!resumes_latest(s) && !is_session_id(s->options->resume))
		return problem_set(p, ERR_INVALID,
				   "the id of a session has letters, digits, '-', '_' and '.' only, at most %d",
				   RESUME_ID_MAX);
	return OK;
}

static void add_resume(const struct spawn *s, struct args *a, enum resume_style style)
{
	const struct runtime *r = resuming(s);
	bool subcommand = r->resume.style == RESUME_SUBCOMMAND;

	if (s->options->resume.n == 0 || subcommand != (style == RESUME_SUBCOMMAND))
		return;
	if (resumes_latest(s)) {
		add_words(a, r->resume.continue_flag);
		return;
	}
	add_words(a, r->resume.flag);
	add(a, word_plain(s->options->resume), KIND_ARGUMENT);
}

/* ---- the prompt ---- */

/* How a program takes a prompt and stays: research/gastown.md 2.8. Every other takes it as its last argument. */
static struct str interactive_flag(struct str command)
{
	struct str base = path_base(command);

	if (str_eqz(base, "opencode"))
		return STR("--prompt");
	if (str_eqz(base, "copilot") || str_eqz(base, "gemini"))
		return STR("-i");
	return (struct str){0};
}

static struct str prompt_of(const struct spawn *s)
{
	struct str prompt = s->options->prompt;

	if (prompt.n == 0 && !s->query->compat && s->options->resume.n == 0)
		prompt = s->answer->runtime.initial_prompt;
	return prompt.n && prompt.p[0] == '-' && !s->query->compat ? arena_fmt(s->arena, " %.*s", STRF(prompt))
								   : prompt;
}

static void add_prompt(const struct spawn *s, struct args *a)
{
	struct str prompt = prompt_of(s), flag = interactive_flag(s->answer->runtime.command);

	if (prompt.n == 0 || s->answer->runtime.prompt_mode == PROMPT_NONE)
		return;
	add_words(a, flag);
	add(a, word_plain(prompt), KIND_PROMPT);
}

/* ---- without a terminal ---- */

/* Gas Town's preset of Claude says nothing here, for it knows Claude; so do we. */
static bool non_interactive_form(const struct spawn *s, struct str *subcommand, struct str *prompt_flag,
				 struct str *output_flag)
{
	const struct runtime *r = &s->answer->runtime;

	*subcommand = r->non_interactive.subcommand;
	*prompt_flag = r->non_interactive.prompt_flag;
	*output_flag = r->non_interactive.output_flag;
	if (subcommand->n || prompt_flag->n)
		return true;
	if (!s->answer->claude && !str_eqz(path_base(r->command), "claude"))
		return false;
	*prompt_flag = STR("-p");
	*output_flag = output_flag->n ? *output_flag : STR("--output-format json");
	return true;
}

static enum err check_non_interactive(const struct spawn *s, struct problem *p)
{
	struct str subcommand, prompt_flag, output_flag;

	if (!s->options->non_interactive)
		return OK;
	if (!non_interactive_form(s, &subcommand, &prompt_flag, &output_flag))
		return problem_set(p, ERR_INVALID,
				   "how %.*s works without a terminal is not known; its entry in agents.json can "
				   "say it: \"non_interactive\": {\"prompt_flag\": \"-p\"}",
				   STRF(s->answer->runs));
	if (prompt_of(s).n == 0)
		return problem_set(p, ERR_INVALID, "%.*s works without a terminal only on a prompt; give one",
				   STRF(s->answer->runs));
	return OK;
}

static void add_subcommand(const struct spawn *s, struct args *a)
{
	struct str subcommand, prompt_flag, output_flag;

	if (s->options->non_interactive && non_interactive_form(s, &subcommand, &prompt_flag, &output_flag))
		add_words(a, subcommand);
}

static void add_non_interactive_prompt(const struct spawn *s, struct args *a)
{
	struct str subcommand, prompt_flag, output_flag;

	if (!non_interactive_form(s, &subcommand, &prompt_flag, &output_flag))
		return;
	if (output_flag.n && output_flag.p[0] != '-')
		add(a, word_plain(STR("--output")), KIND_ARGUMENT); /* the preset of vibe has "json" alone */
	add_words(a, output_flag);
	add_words(a, prompt_flag);
	add(a, word_plain(prompt_of(s)), KIND_PROMPT);
}

/* ---- all of them ---- */

static void add_all(const struct spawn *s, struct args *a)
{
	const struct runtime *r = &s->answer->runtime;

	for (size_t i = 0; i < r->exec_wrapper.n; i++)
		add_path(s, a, r->exec_wrapper.v[i]);
	add_path(s, a, r->command);
	add_subcommand(s, a);
	add_resume(s, a, RESUME_SUBCOMMAND);
	for (size_t i = 0; i < r->args.n; i++)
		add(a, s->query->compat ? word_plain(r->args.v[i]) : word_value(s, r->args.v[i]), KIND_ARGUMENT);
	add_settings(s, a);
	add_resume(s, a, RESUME_FLAG);
	if (s->options->non_interactive)
		add_non_interactive_prompt(s, a);
	else
		add_prompt(s, a);
}

/* All there can be: wrapper, command, subcommands, arguments, settings, resume, output, prompt. */
static size_t args_room(const struct spawn *s)
{
	const struct runtime *r = &s->answer->runtime;

	return r->exec_wrapper.n + r->args.n + r->non_interactive.subcommand.n + r->non_interactive.prompt_flag.n +
	       r->non_interactive.output_flag.n + resuming(s)->resume.flag.n + resuming(s)->resume.continue_flag.n +
	       16;
}

enum err args_of_spawn(const struct spawn *s, struct args *out, struct problem *p)
{
	enum err err = check_resume(s, p);

	*out = (struct args){.v = ARENA_ARRAY(s->arena, struct arg, args_room(s))};
	err = err ? err : check_non_interactive(s, p);
	if (err)
		return err;
	if (!out->v)
		return problem_set(p, ERR_TOO_LARGE, "the command of %.*s does not fit into memory",
				   STRF(s->answer->runs));
	add_all(s, out);
	return OK;
}
