/*
 * The command of an agent: what cannot be started is refused, and the rest is told to a shell.
 *
 * The words of argv.c and the variables of environment.c know how they are shown, and the string is made from them,
 * so what is printed and what is started cannot be two things. With compat Gas Town's rules make the string.
 */
#include "roles/command_priv.h"

#include <string.h>

enum { WORD_BYTES_MAX = (128 << 10) - 1 }; /* Linux takes no longer argument or variable (MAX_ARG_STRLEN) */

/* ---- what can be started ---- */

static enum err check_word(struct str word, size_t max, const char *what, struct str which, struct problem *p)
{
	if (word.n && memchr(word.p, '\0', word.n))
		return problem_set(p, ERR_INVALID, "%s %.*s holds a NUL, which no program can be given", what,
				   STRF(which));
	if (word.n > max)
		return problem_set(p, ERR_TOO_LARGE, "%s %.*s has %zu bytes; a program can be given %zu", what,
				   STRF(which), word.n, max);
	return OK;
}

static enum err check_args(const struct spawn *s, const struct args *a, struct problem *p)
{
	static const char *const what[] = {"the command of", "an argument of", "the prompt for"};
	enum err err = OK;

	if (s->answer->runtime.command.n == 0 && !s->query->compat)
		return problem_set(p, ERR_INVALID, "%.*s has no command", STRF(s->answer->runs));
	for (size_t i = 0; i < a->n && !err; i++)
		err = check_word(a->v[i].word.value, WORD_BYTES_MAX, what[a->v[i].kind], s->answer->runs, p);
	return err;
}

static enum err check_env(const struct spawn *s, const struct env *e, struct problem *p)
{
	enum err err = OK;

	for (size_t i = 0; i < e->n && !err; i++) {
		struct str key = e->v[i].key;

		if (!s->query->compat && (key.n == 0 || memchr(key.p, '=', key.n) || memchr(key.p, '\0', key.n)))
			return problem_set(p, ERR_INVALID, "\"%.*s\" in env of %.*s cannot be a variable's name",
					   STRF(key), STRF(s->answer->runs));
		if (key.n >= WORD_BYTES_MAX)
			return problem_set(p, ERR_TOO_LARGE, "a variable's name in env of %.*s has %zu bytes",
					   STRF(s->answer->runs), key.n);
		err = check_word(e->v[i].value.value, WORD_BYTES_MAX - key.n - 1, "the variable", key, p);
	}
	return err;
}

/* ---- the string ---- */

static bool is_name(struct str key)
{
	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9' && i)))
			return false;
	}
	return key.n > 0;
}

static void show_assignment(const struct spawn *s, struct buf *b, const struct env_var *v)
{
	if (is_name(v->key))
		buf_str_add(b, v->key);
	else
		buf_shell_word(b, v->key);
	buf_c(b, '=');
	if (v->value.value.n || v->value.name.n)
		word_quote(b, &v->value, s->options->reveal);
}

/* env would take a command with a '=' for an assignment, and cannot be told otherwise; nice starts whatever it is
 * given, and changes nothing by nothing. Not a shell: dash loses variables whose names it could not have. */
static const char *before_command(const struct word *command)
{
	bool misread = command->value.n && memchr(command->value.p, '=', command->value.n);

	return misread ? " nice -n 0 --" : "";
}

static void show(const struct spawn *s, const struct args *a, const struct env *e, struct buf *b)
{
	buf_z(b, "exec env");
	if (e->n && e->v[0].key.n && e->v[0].key.p[0] == '-')
		buf_z(b, " --"); /* a variable of that name, not an option */
	for (size_t i = 0; i < e->n; i++) {
		buf_c(b, ' ');
		show_assignment(s, b, &e->v[i]);
	}
	buf_z(b, a->n ? before_command(&a->v[0].word) : "");
	for (size_t i = 0; i < a->n; i++) {
		buf_c(b, ' ');
		word_quote(b, &a->v[i].word, s->options->reveal);
	}
}

static void show_compat(const struct args *a, const struct env *e, struct buf *b)
{
	buf_z(b, "exec env");
	for (size_t i = 0; i < e->n; i++) {
		buf_fmt(b, " %.*s=", STRF(e->v[i].key));
		quote_compat(b, e->v[i].value.value);
	}
	for (size_t i = 0; i < a->n; i++) {
		buf_c(b, ' ');
		if (a->v[i].kind == KIND_PROMPT)
			quote_prompt_compat(b, a->v[i].word.value);
		else if (a->v[i].kind == KIND_ARGUMENT)
			quote_compat(b, a->v[i].word.value);
		else
			buf_str_add(b, a->v[i].word.value);
	}
}

/* ---- the answer ---- */

static void note_unset(const struct spawn *s, struct str name, struct role_command *out)
{
	if (name.n == 0 || s->files->env(s->files, arena_z(s->arena, name)))
		return;
	for (size_t i = 0; i < out->unset.n; i++)
		if (str_eq(out->unset.v[i], name))
			return;
	out->unset.v[out->unset.n++] = name;
}

static struct str shown(const struct spawn *s, const struct word *w)
{
	return w->name.n ? arena_fmt(s->arena, "$%.*s%.*s", STRF(w->name), STRF(w->rest)) : w->value;
}

static void hand_over_shown(const struct spawn *s, const struct args *a, const struct env *e,
			    struct role_command *out)
{
	out->argv_shown.v = ARENA_ARRAY(s->arena, struct str, a->n);
	out->env_from.v = ARENA_ARRAY(s->arena, struct str, e->n);
	for (size_t i = 0; i < a->n && out->argv_shown.v; i++)
		out->argv_shown.v[out->argv_shown.n++] = shown(s, &a->v[i].word);
	for (size_t i = 0; i < e->n && out->env_from.v; i++)
		out->env_from.v[out->env_from.n++] = e->v[i].value.name;
}

static enum err hand_over(const struct spawn *s, const struct args *a, const struct env *e,
			  struct role_command *out, struct problem *p)
{
	out->argv.v = ARENA_ARRAY(s->arena, struct str, a->n);
	out->env.v = ARENA_ARRAY(s->arena, struct pair, e->n);
	out->unset.v = ARENA_ARRAY(s->arena, struct str, a->n + e->n);
	hand_over_shown(s, a, e, out);
	if (arena_overflowed(s->arena))
		return problem_set(p, ERR_TOO_LARGE, "the command of %.*s does not fit into memory",
				   STRF(s->answer->runs));
	for (size_t i = 0; i < a->n; i++)
		out->argv.v[out->argv.n++] = a->v[i].word.value;
	for (size_t i = 0; i < e->n; i++)
		out->env.v[out->env.n++] = (struct pair){e->v[i].key, e->v[i].value.value, e->v[i].at};
	for (size_t i = 0; i < a->n; i++)
		note_unset(s, a->v[i].word.name, out);
	for (size_t i = 0; i < e->n; i++)
		note_unset(s, e->v[i].value.name, out);
	return OK;
}

static enum err as_string(const struct spawn *s, const struct args *a, const struct env *e, struct str *out,
			  struct problem *p)
{
	struct buf b = BUF_INIT(0);
	bool whole;

	if (s->query->compat)
		show_compat(a, e, &b);
	else
		show(s, a, e, &b);
	whole = buf_ok(&b);
	*out = whole ? arena_str(s->arena, buf_str(&b)) : (struct str){0};
	buf_free(&b);
	return whole && out->p ? OK : problem_set(p, ERR_TOO_LARGE, "the command does not fit into memory");
}

enum err spawn_command(const struct spawn *s, struct role_command *out, struct problem *p)
{
	struct args a;
	struct env e;
	enum err err;

	*out = (struct role_command){0};
	err = args_of_spawn(s, &a, p);
	err = err ? err : env_of_spawn(s, &e, p);
	err = err ? err : check_args(s, &a, p);
	err = err ? err : check_env(s, &e, p);
	err = err ? err : hand_over(s, &a, &e, out, p);
	return err ? err : as_string(s, &a, &e, &out->shell, p);
}
