/*
 * One pass over argv. First the verb is found (its words may have global flags before and between them), then every
 * word is a flag or the next positional; at the end the environment fills what was not given, and what is still
 * missing is told.
 *
 * Everything ends in set_target(): a field of a struct by its row. So the checks are those of json/, and a fault
 * reads the same here as in an answer of the server.
 */
#include "cli/help.h"

#include "base/magic.h"

#include <stdarg.h>
#include <string.h>

enum { FILE_MAX = 16 << 20 };

/* A field, the struct it is in, and what the user calls it. */
struct target {
	const struct json_type *type;
	void *object;
	uint32_t field;
	char label[CLI_LABEL];
};

struct parse {
	const struct cli_sources *from;
	int argc, at;
	char **argv;
	struct arena *arena;
	struct cli_line *line;
	struct problem *problem;
	struct str positional; /* names of those not yet filled */
	bool flags_end;        /* where those begin */
	struct target joined;  /* the text that takes the words that are left; no type: none does yet */
	bool stdin_taken;
};

/* ---- names ---- */

const char *cli_flag_name(const struct json_field *f, char out[CLI_FLAG_NAME])
{
	size_t n = 0;

	for (; f->name[n] && n + 1 < CLI_FLAG_NAME; n++)
		out[n] = f->name[n] == '_' ? '-' : f->name[n];
	out[n] = '\0';
	return out;
}

const char *cli_env_name(const struct cli_verb *verb, const struct json_field *f, char out[CLI_ENV_NAME])
{
	size_t n = sizeof("TENFOLD_") - 1;

	if (verb ? verb->kind != VERB_SERVER : f->kind == JSON_BOOL)
		return "";
	if (str_eqz(STR("data"), f->name))
		return "TENFOLD_HOME"; /* it names more than one flag's value: the home of everything */
	memcpy(out, "TENFOLD_", n);
	for (const char *c = f->name; *c && n + 1 < CLI_ENV_NAME; c++)
		out[n++] = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	out[n] = '\0';
	return out;
}

bool cli_takes_many(const struct json_field *f)
{
	return f->kind == JSON_TEXTS || f->kind == JSON_ENUMS || f->kind == JSON_OBJECTS || f->kind == JSON_MAP;
}

bool cli_may_be_named(const struct json_field *f)
{
	return f->kind == JSON_ID && str_eqz(STR("sq_"), f->of);
}

bool cli_is_positional(const struct cli_verb *verb, const struct json_field *f)
{
	bool flags_end;
	struct str rest = cli_verb_positionals(verb, &flags_end);

	while (rest.n)
		if (str_eqz(str_cut(rest, ' ', &rest), f->name))
			return true;
	return false;
}

/* ---- what is wrong, and what to do ---- */

static enum err usage(struct parse *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static enum err usage(struct parse *s, const char *fmt, ...)
{
	struct cli_line *line = s->line;
	struct str about = line->verb ? str_of(line->verb->name) : line->group;
	char why[256];
	const char *see;
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	see = *why && why[strlen(why) - 1] == '?' ? " See" : "; see";
	return problem_set(s->problem, ERR_USAGE, "%s%s%s%s 'tenfold %.*s%s--help'",
			   line->verb ? line->verb->name : "", line->verb ? ": " : "", why, see, STRF(about),
			   about.n ? " " : "");
}

static enum err unknown_flag(struct parse *s, struct str name)
{
	char meant[CLI_SUGGESTION];

	if (cli_suggest_flag(s->line->verb, name, meant)[0])
		return usage(s, "there is no flag --%.*s, did you mean --%s?", STRF(name), meant);
	return usage(s, "there is no flag --%.*s", STRF(name));
}

static enum err unknown_verb(struct parse *s, struct str word)
{
	const struct str group = s->line->group;
	const char *space = group.n ? " " : "";
	char meant[CLI_SUGGESTION];

	if (cli_suggest_verb(group, word, meant)[0])
		return usage(s, "there is no verb '%.*s%s%.*s', did you mean '%s'?", STRF(group), space, STRF(word),
			     meant);
	return usage(s, "there is no verb '%.*s%s%.*s'", STRF(group), space, STRF(word));
}

/* ---- values ---- */

static enum err read_value(struct parse *s, const char *label, struct str path, struct str *out)
{
	struct problem why = {0};
	bool from_stdin = str_eqz(path, "-");

	if (from_stdin && s->stdin_taken)
		return usage(s, "%s: standard input is read for another value already", label);
	s->stdin_taken |= from_stdin;
	if (s->from->read(path, FILE_MAX, s->arena, out, &why) != OK)
		return usage(s, "%s: %s; a value that begins with @ is written @@", label, why.detail);
	return OK;
}

static bool names_a_file(const struct parse *s, const struct json_field *f)
{
	bool textual =
		f->kind == JSON_TEXT || f->kind == JSON_RAW || f->kind == JSON_OBJECT || f->kind == JSON_OBJECTS;

	return textual && s->line->verb && s->line->verb->kind == VERB_CALL;
}

/* The last line feed of a file is not meant as part of a text. */
static struct str without_last_newline(struct str text)
{
	if (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	return text;
}

/* @FILE and - where a verb is a call; other verbs name files in their own way. */
static enum err expand(struct parse *s, const struct target *t, struct str *text)
{
	const struct json_field *f = &t->type->fields[t->field];
	bool at = text->n > 0 && text->p[0] == '@', doubled = at && text->n > 1 && text->p[1] == '@';
	struct str path = at ? (struct str){text->p + 1, text->n - 1} : *text;
	enum err e;

	if (!names_a_file(s, f) || (!at && !str_eqz(*text, "-")))
		return OK;
	if (doubled) {
		*text = path;
		return OK;
	}
	e = read_value(s, t->label, path, text);
	*text = f->kind == JSON_TEXT ? without_last_newline(*text) : str_trim(*text);
	return e;
}

static bool is_name(const struct target *t, struct str text)
{
	const struct json_field *f = &t->type->fields[t->field];

	return cli_may_be_named(f) && text.n && !str_starts(text, str_of(f->of));
}

static enum err keep_name(struct parse *s, const struct target *t, struct str name)
{
	struct cli_named *named = &s->line->named[s->line->named_count++];

	CHECK(s->line->named_count <= CLI_NAMED_MAX && t->object == s->line->args);
	*named = (struct cli_named){.field = t->field, .name = name};
	memcpy(named->label, t->label, sizeof(named->label));
	cli_mark_seen(t->type, t->field, t->object);
	return OK;
}

static enum err set_target(struct parse *s, struct target *t, struct str text)
{
	enum json_kind kind = t->type->fields[t->field].kind;
	bool inner = kind == JSON_OBJECT || kind == JSON_OBJECTS; /* then the fault names a member */
	struct problem why = {0};
	enum err e = expand(s, t, &text);

	if (e)
		return e;
	if (is_name(t, text))
		return keep_name(s, t, text);
	if (cli_set(t->type, t->field, text, s->arena, t->object, &why) != OK)
		return usage(s, "%s: %s", t->label, why.field_count && !inner ? why.fields[0].detail : why.detail);
	return OK;
}

static enum err set_once(struct parse *s, struct target *t, struct str text)
{
	if (cli_is_seen(t->type, t->field, t->object) && !cli_takes_many(&t->type->fields[t->field]))
		return usage(s, "%s is given twice", t->label);
	if (cli_is_null(t->type, t->field, t->object))
		return usage(s, "%s is given and taken away", t->label);
	return set_target(s, t, text);
}

/* ---- flags ---- */

static bool find_in(const struct json_type *t, void *object, struct str name, struct target *out)
{
	char flag[CLI_FLAG_NAME];

	for (uint32_t i = 0; i < t->field_count; i++) {
		if (!str_eqz(name, cli_flag_name(&t->fields[i], flag)))
			continue;
		*out = (struct target){.type = t, .object = object, .field = i};
		snprintf(out->label, sizeof(out->label), "--%s", flag);
		return true;
	}
	return false;
}

static bool find_flag(const struct parse *s, struct str name, struct target *out)
{
	const struct cli_verb *v = s->line->verb;

	return (v && find_in(cli_verb_args(v), s->line->args, name, out)) ||
	       find_in(&type_cli_globals, &s->line->globals, name, out);
}

static bool is_bool(const struct target *t)
{
	return t->type->fields[t->field].kind == JSON_BOOL;
}

static bool may_be_null(const struct target *t)
{
	return t->type->fields[t->field].need == JSON_NULLABLE;
}

/* --no-retry is --retry=false, --no-tags takes the tags away. */
static bool find_negated(const struct parse *s, struct str name, struct target *out)
{
	return str_starts(name, STR("no-")) && find_flag(s, (struct str){name.p + 3, name.n - 3}, out) &&
	       (is_bool(out) || may_be_null(out));
}

static enum err take_away(struct parse *s, struct target *t)
{
	if (cli_is_seen(t->type, t->field, t->object))
		return usage(s, "%s is given and taken away", t->label);
	cli_mark_null(t->type, t->field, t->object);
	return OK;
}

/* The word after a flag is its value; one that is a flag itself was probably not meant so. */
static enum err next_value(struct parse *s, const struct target *t, struct str *value)
{
	struct str name, rest;
	struct target other;

	if (s->at == s->argc)
		return usage(s, "%s needs a value", t->label);
	*value = str_of(s->argv[s->at]);
	if (str_starts(*value, STR("--"))) {
		name = str_cut((struct str){value->p + 2, value->n - 2}, '=', &rest);
		if (name.n == 0 || find_flag(s, name, &other))
			return usage(s, "%s needs a value; one that begins with dashes is given as %s=%.*s",
				     t->label, t->label, STRF(*value));
	}
	s->at++;
	return OK;
}

static enum err take_flag(struct parse *s, struct str word)
{
	struct str value, name = str_cut((struct str){word.p + 2, word.n - 2}, '=', &value);
	struct target t;
	enum err e = OK;

	if (find_flag(s, name, &t)) {
		if (!value.p && is_bool(&t))
			value = STR("true");
		else if (!value.p)
			e = next_value(s, &t, &value);
		return e ? e : set_once(s, &t, value);
	}
	if (!find_negated(s, name, &t))
		return unknown_flag(s, name);
	if (value.p)
		return usage(s, "--%.*s takes no value", STRF(name));
	return is_bool(&t) ? set_once(s, &t, STR("false")) : take_away(s, &t);
}

static enum err take_dashed(struct parse *s, struct str word)
{
	if (str_eqz(word, "-h"))
		word = STR("--help");
	if (word.n > 2 && word.p[1] == '-')
		return take_flag(s, word);
	return usage(s, "there is no flag %.*s; flags have two dashes", STRF(word));
}

static bool is_dashed(struct str word)
{
	return word.n > 1 && word.p[0] == '-' && !str_eqz(word, "--");
}

/* ---- positionals ---- */

static enum err join_word(struct parse *s, struct str word)
{
	struct target *t = &s->joined;
	struct str before = json_text(t->type, t->field, t->object);
	struct str text = arena_fmt(s->arena, "%.*s %.*s", STRF(before), STRF(word));

	return set_target(s, t, text);
}

static enum err take_positional(struct parse *s, struct str word)
{
	const struct json_type *type = cli_verb_args(s->line->verb);
	struct str rest, name = str_cut(s->positional, ' ', &rest);
	struct target t;
	char flag[CLI_FLAG_NAME];
	uint32_t i = 0;

	if (name.n == 0 && s->joined.type)
		return join_word(s, word);
	if (name.n == 0)
		return usage(s, "does not take the word '%.*s'", STRF(word));
	while (!str_eqz(name, type->fields[i].name))
		i++;
	if (!find_in(type, s->line->args, str_of(cli_flag_name(&type->fields[i], flag)), &t))
		return usage(s, "does not take the word '%.*s'", STRF(word));
	snprintf(t.label, sizeof(t.label), "%s", flag);
	if (!cli_takes_many(&type->fields[i]) || rest.n)
		s->positional = rest;
	/* One given as a flag leaves its place to the next. */
	if (cli_is_seen(type, i, s->line->args) && !cli_takes_many(&type->fields[i]))
		return take_positional(s, word);
	if (!rest.n && cli_verb_joins_words(s->line->verb))
		s->joined = t;
	return set_target(s, &t, word);
}

static enum err take_words(struct parse *s)
{
	bool only_positional = false;
	enum err e = OK;

	while (s->at < s->argc && !e) {
		struct str word = str_of(s->argv[s->at++]);

		if (!only_positional && str_eqz(word, "--")) {
			only_positional = true;
		} else if (!only_positional && is_dashed(word)) {
			e = take_dashed(s, word);
		} else {
			only_positional |= s->flags_end;
			e = take_positional(s, word);
		}
	}
	return e;
}

/* ---- the verb ---- */

static bool is_group(struct str word)
{
	for (unsigned i = 0; i < cli_group_count; i++)
		if (str_eqz(word, cli_groups[i].name))
			return true;
	return false;
}

static const struct cli_verb *find_verb(struct str group, struct str word)
{
	for (unsigned i = 0; i < cli_verb_count; i++) {
		const struct cli_verb *v = &cli_verbs[i];

		if (group.n ? cli_verb_in_group(v, group) && str_eqz(word, v->name + group.n + 1)
			    : str_eqz(word, v->name))
			return v;
	}
	return NULL;
}

static enum err take_verb_word(struct parse *s, struct str word)
{
	struct cli_line *line = s->line;

	if (line->group.n == 0 && str_eqz(word, "help")) {
		line->globals.help = true;
	} else if (line->group.n == 0 && is_group(word)) {
		line->group = word;
	} else {
		line->verb = find_verb(line->group, word);
		if (!line->verb)
			return unknown_verb(s, word);
	}
	return OK;
}

static enum err take_verb(struct parse *s)
{
	enum err e = OK;

	while (s->at < s->argc && !s->line->verb && !e) {
		struct str word = str_of(s->argv[s->at++]);

		if (str_eqz(word, "--version"))
			e = take_verb_word(s, STR("version"));
		else if (is_dashed(word))
			e = take_dashed(s, word);
		else
			e = take_verb_word(s, word);
	}
	if (!s->line->verb)
		s->line->globals.help = true; /* "tenfold" and "tenfold work" are questions */
	return e;
}

/* ---- the rest ---- */

static enum err fill_from_env(struct parse *s, const struct cli_verb *verb, const struct json_type *t, void *object)
{
	char name[CLI_ENV_NAME];
	enum err e = OK;

	for (uint32_t i = 0; i < t->field_count && !e; i++) {
		struct target target = {.type = t, .object = object, .field = i};
		const char *variable = cli_env_name(verb, &t->fields[i], name),
			   *value = variable[0] ? s->from->env(variable) : NULL;

		if (!value || !*value || cli_is_seen(t, i, object))
			continue;
		snprintf(target.label, sizeof(target.label), "%s", variable);
		e = set_target(s, &target, str_of(value));
		if (!verb)
			s->line->globals_from_env |= UINT64_C(1) << i;
	}
	return e;
}

static enum err missing(struct parse *s, const char *dashes, const struct json_field *f)
{
	char flag[CLI_FLAG_NAME];
	struct buf line = BUF_INIT(0);
	enum err e;

	help_usage(s->line->verb, &line);
	e = usage(s, "%s%s is missing (%.*s); usage: tenfold %s", dashes, cli_flag_name(f, flag),
		  (int)strcspn(f->doc, ".;:"), f->doc, buf_cstr(&line));
	buf_free(&line);
	return e;
}

static enum err check_missing(struct parse *s, const struct json_type *t)
{
	for (uint32_t i = 0; i < t->field_count; i++) {
		const struct json_field *f = &t->fields[i];
		bool positional = cli_is_positional(s->line->verb, f);

		if (f->need == JSON_REQUIRED && !cli_is_seen(t, i, s->line->args))
			return missing(s, positional ? "" : "--", f);
	}
	return OK;
}

static enum err finish(struct parse *s)
{
	const struct json_type *t = cli_verb_args(s->line->verb);
	enum err e = fill_from_env(s, s->line->verb, t, s->line->args);

	if (!e)
		e = fill_from_env(s, NULL, &type_cli_globals, &s->line->globals);
	if (!e)
		e = check_missing(s, t);
	if (!e)
		e = json_finish(t, 0, s->line->args, s->problem);
	return e ? e : json_finish(&type_cli_globals, 0, &s->line->globals, s->problem);
}

enum err cli_parse(const struct cli_sources *from, int argc, char **argv, struct arena *a, struct cli_line *out,
		   struct problem *p)
{
	struct parse s = {.from = from, .argc = argc, .at = 1, .argv = argv, .arena = a, .line = out, .problem = p};
	enum err e;

	*out = (struct cli_line){0};
	e = take_verb(&s);
	if (e || !out->verb)
		return e;
	out->args = arena_alloc(a, cli_verb_args(out->verb)->size);
	if (!out->args)
		return problem_set(p, ERR_TOO_LARGE, "The command line is too long");
	s.positional = cli_verb_positionals(out->verb, &s.flags_end);
	e = take_words(&s);
	/* Who asks for help has not finished the line. */
	return out->globals.help ? OK : e ? e : finish(&s);
}
