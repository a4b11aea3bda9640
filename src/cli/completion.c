/*
 * Completion for bash and zsh. Each script is one function with the tables written into it: it finds the verb among
 * the words so far, then offers verbs, the verb's flags, or the values of the flag before the cursor. It never runs
 * the program, so completing is instant and works without a server.
 */
#include "cli/help.h"
#include "cli/man.h"

#include <string.h>

/* ---- shared: case lines of both scripts ---- */

static bool is_top_level(const struct cli_verb *v)
{
	return !strchr(v->name, ' ');
}

static void pattern_of_groups(struct buf *b)
{
	for (unsigned i = 0; i < cli_group_count; i++)
		buf_fmt(b, "%s%s", i ? "|" : "", cli_groups[i].name);
}

static void pattern_of_verbs(struct buf *b)
{
	for (unsigned i = 0; i < cli_verb_count; i++)
		buf_fmt(b, "%s'%s'", i ? "|" : "", cli_verbs[i].name);
}

/* Finds the verb in $verb: the first words that are no flags. */
static void find_verb(struct buf *b, const char *words, const char *first, const char *current)
{
	buf_fmt(b, "\tfor ((i = %s; i < %s; i++)); do\n\t\tword=${%s[i]}\n", first, current, words);
	buf_z(b, "\t\tcase \"$word\" in -*) continue ;; esac\n\t\tcase \"${verb:+$verb }$word\" in\n\t\t");
	pattern_of_groups(b);
	buf_z(b, ") verb=$word ;;\n\t\t");
	pattern_of_verbs(b);
	buf_z(b, ") verb=\"${verb:+$verb }$word\"; break ;;\n\t\tesac\n\tdone\n");
}

typedef void candidate_fn(struct buf *b, const char *name, struct str doc);

static void add_top_level(struct buf *b, candidate_fn *add)
{
	for (unsigned i = 0; i < cli_group_count; i++)
		add(b, cli_groups[i].name, str_of(cli_groups[i].doc));
	for (unsigned i = 0; i < cli_verb_count; i++)
		if (is_top_level(&cli_verbs[i]))
			add(b, cli_verbs[i].name, cli_verb_brief(&cli_verbs[i]));
}

static void add_group(struct buf *b, const struct cli_group *g, candidate_fn *add)
{
	for (unsigned i = 0; i < cli_verb_count; i++)
		if (cli_verb_in_group(&cli_verbs[i], str_of(g->name)))
			add(b, cli_verbs[i].name + strlen(g->name) + 1, cli_verb_brief(&cli_verbs[i]));
}

static void add_flags(struct buf *b, const struct json_type *t, const struct cli_verb *hiding, candidate_fn *add)
{
	char flag[CLI_FLAG_NAME], dashed[CLI_FLAG_NAME + 2];

	for (uint32_t i = 0; i < t->field_count; i++) {
		if (help_is_shadowed(hiding, &t->fields[i]))
			continue;
		snprintf(dashed, sizeof(dashed), "--%s", cli_flag_name(&t->fields[i], flag));
		add(b, dashed, str_of(t->fields[i].doc));
	}
}

static void add_values(struct buf *b, const struct json_enum *e, candidate_fn *add)
{
	for (int i = 0; i < e->count; i++)
		add(b, e->values[i].text, str_of(e->values[i].doc));
}

static bool has_values(const struct json_field *f)
{
	return f->kind == JSON_ENUM || f->kind == JSON_ENUMS;
}

static void add_verb(struct buf *b, const struct cli_verb *v, candidate_fn *add)
{
	const struct json_type *t = cli_verb_args(v);

	for (uint32_t i = 0; i < t->field_count; i++)
		if (has_values(&t->fields[i]) && cli_is_positional(v, &t->fields[i]))
			add_values(b, t->fields[i].of, add);
	add_flags(b, t, NULL, add);
	if (help_takes_globals(v))
		add_flags(b, &type_cli_globals, v, add);
	else
		add(b, "--help", STR("Say what the verb does and takes."));
}

/* case "$verb" in: what may stand after it. */
static void cases_of_verbs(struct buf *b, const char *open, const char *close, candidate_fn *add)
{
	buf_fmt(b, "\tcase \"$verb\" in\n\t'') %s", open);
	add_top_level(b, add);
	buf_fmt(b, "%s ;;\n", close);
	for (unsigned i = 0; i < cli_group_count; i++) {
		buf_fmt(b, "\t%s) %s", cli_groups[i].name, open);
		add_group(b, &cli_groups[i], add);
		buf_fmt(b, "%s ;;\n", close);
	}
	for (unsigned i = 0; i < cli_verb_count; i++) {
		buf_fmt(b, "\t'%s') %s", cli_verbs[i].name, open);
		add_verb(b, &cli_verbs[i], add);
		buf_fmt(b, "%s ;;\n", close);
	}
	buf_z(b, "\tesac\n");
}

/* case "$verb $before" in: the values of the flag before the cursor. */
static void cases_of_values(struct buf *b, const char *open, const char *close, candidate_fn *add)
{
	char flag[CLI_FLAG_NAME];

	for (unsigned i = 0; i < cli_verb_count; i++) {
		const struct json_type *t = cli_verb_args(&cli_verbs[i]);

		for (uint32_t k = 0; k < t->field_count; k++) {
			if (!has_values(&t->fields[k]))
				continue;
			buf_fmt(b, "\t'%s --%s') %s", cli_verbs[i].name, cli_flag_name(&t->fields[k], flag), open);
			add_values(b, t->fields[k].of, add);
			buf_fmt(b, "%s ;;\n", close);
		}
	}
}

/* ---- bash ---- */

static void bash_word(struct buf *b, const char *name, struct str doc)
{
	(void)doc; /* bash shows none */
	buf_fmt(b, " %s", name);
}

void completion_bash(struct buf *b)
{
	buf_z(b, "# bash completion for tenfold: tenfold completion bash > /etc/bash_completion.d/tenfold\n"
		 "_tenfold() {\n\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
		 "\tlocal verb='' word='' words='' i\n");
	find_verb(b, "COMP_WORDS", "1", "COMP_CWORD");
	cases_of_verbs(b, "words='", "'", bash_word);
	buf_z(b, "\tcase \"$verb $before\" in\n");
	cases_of_values(b, "words='", "'", bash_word);
	buf_z(b, "\tesac\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
		 "}\ncomplete -o default -F _tenfold tenfold\n");
}

/* ---- zsh ---- */

/* 'name:what it is', with what would end the word or the name escaped. */
static void zsh_word(struct buf *b, const char *name, struct str doc)
{
	buf_fmt(b, " '%s:", name);
	for (size_t i = 0; i < doc.n; i++) {
		if (doc.p[i] == '\'')
			buf_z(b, "'\\''");
		else
			buf_c(b, doc.p[i]);
	}
	buf_c(b, '\'');
}

void completion_zsh(struct buf *b)
{
	buf_z(b,
	      "#compdef tenfold\n# zsh completion for tenfold: tenfold completion zsh > \"${fpath[1]}/_tenfold\"\n"
	      "_tenfold() {\n\tlocal verb='' word='' before=${words[CURRENT-1]} i\n\tlocal -a candidates\n");
	find_verb(b, "words", "2", "CURRENT");
	cases_of_verbs(b, "candidates=(", ")", zsh_word);
	buf_z(b, "\tcase \"$verb $before\" in\n");
	cases_of_values(b, "candidates=(", ")", zsh_word);
	buf_z(b, "\tesac\n\t_describe 'tenfold' candidates || _files\n}\n_tenfold \"$@\"\n");
}
