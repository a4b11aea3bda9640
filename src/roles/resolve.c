/*
 * A question from beginning to end: what is asked, which files count, the ladder, then model, effort and account.
 *
 * There are two ladders. compat.c is Gas Town's, defects included; ladder.c is ours. They share how agents are
 * found and filled, and nothing of how they decide.
 */
#include "roles/resolve_priv.h"

#include "roles/command_priv.h"

#include <stdio.h>
#include <string.h>

const char *const rule_names[RULE_COUNT] = {
#define RULE(name, doc) [RULE_##name] = #name,
#include "roles/rules.def"
#undef RULE
};

/* ---- words ---- */

static __attribute__((format(printf, 2, 0))) struct str formatted(struct question *k, const char *fmt, va_list args)
{
	char text[512];
	int n = vsnprintf(text, sizeof(text), fmt, args);

	CHECK(n >= 0);
	return arena_str(k->arena, (struct str){text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1});
}

void note(struct question *k, enum rule rule, bool matched, struct origin at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	*VEC_PUSH(&k->steps) =
		(struct step){.rule = rule, .matched = matched, .why = formatted(k, fmt, args), .at = at};
	va_end(args);
}

void warn(struct question *k, struct origin at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	*VEC_PUSH(&k->warnings) =
		(struct fault){.severity = SEVERITY_WARNING, .at = at, .text = formatted(k, fmt, args)};
	va_end(args);
}

enum err resolve_refuse(struct question *k, enum err e, struct origin at, const char *fmt, ...)
{
	struct str text;
	va_list args;

	va_start(args, fmt);
	text = formatted(k, fmt, args);
	va_end(args);
	k->out->refusal = (struct fault){.severity = SEVERITY_ERROR, .at = at, .text = text};
	if (!at.path)
		return problem_set(k->p, e, "%.*s", STRF(text));
	if (!at.line)
		return problem_set(k->p, e, "%s: %.*s", at.path, STRF(text));
	problem_set(k->p, e, "%s:%d:%d: %.*s", at.path, at.line, at.column, STRF(text));
	if (k->p) {
		k->p->line = at.line;
		k->p->column = at.column;
	}
	return e;
}

/* Characters beyond ASCII are taken for printable. */
static void add_go_quoted(struct buf *b, unsigned char c)
{
	static const char named[] = "\a\b\f\n\r\t\v\"\\", names[] = "abfnrtv\"\\";
	const char *at = c ? strchr(named, c) : NULL;

	if (at)
		buf_fmt(b, "\\%c", names[at - named]);
	else if (c < 0x20 || c == 0x7f)
		buf_fmt(b, "\\x%02x", c);
	else
		buf_c(b, (char)c);
}

const char *go_quoted(struct question *k, struct str s)
{
	struct buf b = BUF_INIT(0);
	const char *out;

	buf_c(&b, '"');
	for (size_t i = 0; i < s.n; i++)
		add_go_quoted(&b, (unsigned char)s.p[i]);
	buf_c(&b, '"');
	out = arena_z(k->arena, buf_str(&b));
	buf_free(&b);
	return out ? out : "";
}

/* ---- agents ---- */

const struct town_agent *agent_named(const struct question *k, struct str name)
{
	const struct town_agent *a = agents_find(&k->of_rig->agents, name);

	if (!a)
		a = agents_find(&k->of_town->agents, name);
	if (!a)
		a = agents_find(k->registry, name);
	return a || k->q->compat ? a : tier_agent(name);
}

/* PATH first, then where Claude's own installer puts it: shells that start agents do not know aliases. */
struct str claude_command(struct question *k)
{
	const char *path = town_executable(k->town, STR("claude")), *home;
	struct stamp stamp;

	if (path)
		return arena_str(k->arena, str_of(path));
	home = k->files->env(k->files, "HOME");
	if (home && home[0]) {
		struct str local = arena_fmt(k->arena, "%s/.claude/local/claude", home);

		if (local.p && k->files->stat(k->files, local.p, &stamp, NULL) == OK)
			return local;
	}
	return STR("claude");
}

struct runtime agent_runtime(struct question *k, const struct town_agent *a)
{
	struct runtime r;

	if (!a->is_preset)
		return fill_custom(&a->runtime, k->registry, k->q->compat, k->arena);
	r = fill_preset(a, k->q->compat);
	if (str_eqz(a->name, "claude") && str_eqz(r.command, "claude"))
		r.command = claude_command(k);
	return r;
}

void apply_wrapper(const struct question *k, struct runtime *r)
{
	if (r->exec_wrapper.n == 0 && k->of_rig->runtime)
		r->exec_wrapper = k->of_rig->runtime->exec_wrapper;
}

/* In a sandbox the command is the sandbox's business. */
bool can_start(struct question *k, const struct runtime *r)
{
	struct spawn words = {.files = k->files, .arena = k->arena};
	struct str command = r->exec_wrapper.n ? r->exec_wrapper.v[0] : r->command;

	return town_executable(k->town, word_path(&words, command).value) != NULL;
}

void append_args(struct runtime *r, const struct texts *more, struct arena *a)
{
	struct texts args = {.v = ARENA_ARRAY(a, struct str, r->args.n + more->n), .given = true};

	if (more->n == 0 || !args.v)
		return;
	for (size_t i = 0; i < r->args.n; i++)
		args.v[args.n++] = r->args.v[i];
	for (size_t i = 0; i < more->n; i++)
		args.v[args.n++] = more->v[i];
	r->args = args;
}

static void offer_pools(struct guess *g, const struct settings *s)
{
	for (size_t i = 0; i < s->pool_count; i++)
		guess_offer(g, s->pools[i].name);
}

struct str did_you_mean_agent(struct question *k, struct str word)
{
	struct guess g = guess_for(word);

	guess_offer_agents(&g, &k->of_rig->agents);
	guess_offer_agents(&g, &k->of_town->agents);
	guess_offer_agents(&g, k->registry);
	guess_offer_agents(&g, tier_agents());
	offer_pools(&g, k->of_rig);
	offer_pools(&g, k->of_town);
	return g.nearest.n ? arena_fmt(k->arena, "; did you mean %.*s?", STRF(g.nearest)) : (struct str){0};
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str take_word(struct str *rest)
{
	struct str word;

	while (rest->n && is_space(rest->p[0]))
		*rest = (struct str){rest->p + 1, rest->n - 1};
	word = (struct str){rest->p, 0};
	while (rest->n && !is_space(rest->p[0])) {
		word.n++;
		*rest = (struct str){rest->p + 1, rest->n - 1};
	}
	return word;
}

struct str override_words(struct question *k, struct texts *more)
{
	struct str rest = k->q->agent, name = take_word(&rest), word;

	*more = (struct texts){.v = ARENA_ARRAY(k->arena, struct str, rest.n / 2 + 1), .given = true};
	while (more->v && (word = take_word(&rest)).n)
		more->v[more->n++] = word;
	return name;
}

/* ---- which files count ---- */

static const struct settings no_settings;

static bool counts(const struct question *k, const struct source *s)
{
	/* Gas Town reads afresh each time and takes nothing of a file that it cannot read, or that has a wrong
	 * type. */
	return !k->q->compat || s->state == FILE_UNREAD || (s->state == FILE_READ && !s->refused);
}

const struct agents *registry_of(struct question *k, const struct rig *rig)
{
	const struct agents *of_town = town_registry(k->town);
	bool town_counts = of_town->n == 0 || counts(k, &of_town->source);

	if (rig && counts(k, &rig->registry->source))
		return town_counts ? rig->registry : town_registry_alone(k->town, rig);
	return town_counts ? of_town : presets_builtin();
}

static void look_at_files(struct question *k)
{
	const struct settings *town = town_settings(k->town);

	k->of_town = counts(k, &town->source) ? town : &no_settings;
	if (k->rig && counts(k, &k->rig->own->source))
		k->of_rig = k->q->compat ? k->rig->own : k->rig->settings;
	k->registry = registry_of(k, k->rig);
}

/* A file that never could be used is no reason to guess what it says; one that could once is told. */
static enum err look_at_state(struct question *k, const struct source *s)
{
	if (s->state == FILE_LOST)
		return resolve_refuse(k, ERR_MALFORMED, s->fault->at, "%.*s", STRF(s->fault->text));
	if (s->state != FILE_KEPT)
		return OK;
	k->out->as_written = false;
	warn(k, s->fault->at, "%.*s; what the file said before still counts", STRF(s->fault->text));
	return OK;
}

/* What is wrong inside a file that counts: those values are left out, and that must not pass silently. */
static void tell_errors(struct question *k, const char *path)
{
	for (size_t i = 0; path && i < town_fault_count(k->town); i++) {
		const struct fault *f = town_fault(k->town, i);

		if (f->severity == SEVERITY_ERROR && f->at.path && strcmp(f->at.path, path) == 0)
			warn(k, f->at, "%.*s; it is left out", STRF(f->text));
	}
}

static enum err look_at_source(struct question *k, const struct source *s)
{
	enum err e = look_at_state(k, s);

	if (e == OK && s->state == FILE_READ)
		tell_errors(k, s->path);
	return e;
}

static enum err look_at_sources(struct question *k)
{
	enum err e = look_at_source(k, &town_settings(k->town)->source);

	if (e == OK)
		e = look_at_source(k, &town_registry(k->town)->source);
	if (e == OK && k->rig)
		e = look_at_source(k, &k->rig->settings->source);
	if (e == OK && k->rig)
		e = look_at_source(k, &k->rig->registry->source);
	return e;
}

/* ---- what is asked ---- */

static enum err unknown_role(struct question *k)
{
	struct guess g = guess_for(k->q->role);

	for (unsigned i = 0; i < ROLE_COUNT; i++)
		guess_offer(&g, str_of(role_texts[i]));
	return resolve_refuse(
		k, ERR_INVALID, NOWHERE,
		"unknown role \"%.*s\"%s%.*s%s; roles are mayor, deacon, witness, refinery, polecat, crew, "
		"boot and dog",
		STRF(k->q->role), g.nearest.n ? "; did you mean " : "", STRF(g.nearest), g.nearest.n ? "?" : "");
}

static enum err look_at_question(struct question *k)
{
	k->out->role = role_by_text(k->q->role);
	k->rig = k->q->rig.n ? town_rig(k->town, k->q->rig) : NULL;
	if (k->q->compat)
		return OK;
	if (k->out->role == ROLE_UNKNOWN)
		return unknown_role(k);
	if (role_works_in_rig(k->out->role) && !k->q->rig.n)
		return resolve_refuse(k, ERR_INVALID, NOWHERE, "a %.*s works in a rig: name it with --rig",
				      STRF(k->q->role));
	if (k->q->rig.n && !k->rig)
		return resolve_refuse(k, ERR_NOT_FOUND, NOWHERE, "%.*s",
				      STRF(town_no_rig_text(k->town, k->q->rig, k->arena)));
	return OK;
}

/* ---- the answer ---- */

/* In Gas Town's order: what is told before a refusal is told. */
static enum err answer_compat(struct question *k)
{
	const struct settings *of_rig = k->of_rig;
	enum err e = decide_account(k);

	if (e != OK)
		return e;
	decide_effort_compat(k);
	e = ladder_compat(k);
	k->of_rig = of_rig; /* what stood in for it counts for the agent only */
	if (e != OK)
		return e;
	fill_again(&k->out->runtime, k->registry);
	apply_wrapper(k, &k->out->runtime);
	k->out->would_run = can_start(k, &k->out->runtime);
	k->out->as_written &= k->out->would_run;
	k->out->model = runtime_model(&k->out->runtime);
	return OK;
}

static enum err answer(struct question *k)
{
	enum err e = look_at_sources(k);

	if (e == OK)
		e = ladder(k);
	if (e == OK)
		e = decide_model(k);
	if (e == OK)
		e = decide_effort(k);
	return e == OK ? decide_account(k) : e;
}

static void hand_over(struct question *k)
{
	k->out->steps = ARENA_ARRAY(k->arena, struct step, k->steps.n);
	k->out->warnings = ARENA_ARRAY(k->arena, struct fault, k->warnings.n);
	k->out->step_count = k->out->steps ? k->steps.n : 0;
	k->out->warning_count = k->out->warnings ? k->warnings.n : 0;
	if (k->out->step_count)
		memcpy(k->out->steps, k->steps.v, k->steps.n * sizeof(*k->steps.v));
	if (k->out->warning_count)
		memcpy(k->out->warnings, k->warnings.v, k->warnings.n * sizeof(*k->warnings.v));
	VEC_FREE(&k->steps);
	VEC_FREE(&k->warnings);
}

enum err role_resolve(struct town *t, const struct role_query *q, struct town_state *state, struct arena *a,
		      struct role_answer *out, struct problem *p)
{
	struct question k = {.town = t,
			     .files = town_files(t),
			     .q = q,
			     .state = state,
			     .arena = a,
			     .out = out,
			     .p = p,
			     .of_rig = &no_settings,
			     .of_town = &no_settings,
			     .registry = presets_builtin()};
	enum err e;

	*out = (struct role_answer){.role = ROLE_UNKNOWN, .as_written = true};
	e = look_at_question(&k);
	if (e == OK) {
		look_at_files(&k);
		e = q->compat ? answer_compat(&k) : answer(&k);
	}
	out->registry = k.registry;
	hand_over(&k);
	if (e == OK && arena_overflowed(a))
		e = problem_set(p, ERR_TOO_LARGE, "the answer does not fit into memory");
	out->would_run &= e == OK;
	out->as_written &= out->would_run;
	return e;
}
