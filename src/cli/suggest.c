/*
 * What a word that is no verb and no flag may have been meant as.
 */
#include "cli/parse.h"

#include <string.h>

/* Keeps the nearest so far; of two that are as near, the one that begins alike, and then the first. */
struct guess {
	struct str wrong;
	unsigned distance; /* what is not nearer than this is no guess */
	bool alike;
	char *nearest;
};

static struct guess guess_for(struct str wrong, char out[CLI_SUGGESTION])
{
	out[0] = '\0';
	return (struct guess){.wrong = wrong, .distance = wrong.n < 4 ? 2 : wrong.n < 8 ? 3 : 4, .nearest = out};
}

/* `word` is what the wrong one is compared with, `meaning` what is suggested then. */
static void consider(struct guess *g, const char *word, const char *meaning)
{
	unsigned distance = str_distance(g->wrong, str_of(word), g->distance);
	bool alike = g->wrong.n && g->wrong.p[0] == word[0];

	if (distance > g->distance || (distance == g->distance && (!g->nearest[0] || g->alike || !alike)))
		return;
	g->distance = distance;
	g->alike = alike;
	snprintf(g->nearest, CLI_SUGGESTION, "%s", meaning);
}

static void consider_flags(struct guess *g, const struct json_type *t)
{
	char name[CLI_FLAG_NAME];

	for (uint32_t i = 0; i < t->field_count; i++) {
		cli_flag_name(&t->fields[i], name);
		consider(g, name, name);
	}
}

const char *cli_suggest_flag(const struct cli_verb *v, struct str wrong, char out[CLI_SUGGESTION])
{
	struct guess g = guess_for(wrong, out);

	if (v)
		consider_flags(&g, cli_verb_args(v));
	consider_flags(&g, &type_cli_globals);
	return out;
}

/* What other programs call it. */
static const struct {
	const char *theirs, *ours;
} synonyms[] = {
	{"search", "find"},   {"update", "change"}, {"edit", "change"}, {"get", "show"},       {"ls", "list"},
	{"remove", "delete"}, {"rm", "delete"},     {"create", "add"},  {"heartbeat", "beat"},
};

static void consider_synonyms(struct guess *g, const char *word, const char *meaning)
{
	for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
		if (str_eqz(str_of(word), synonyms[i].ours))
			consider(g, synonyms[i].theirs, meaning);
}

static void consider_group(struct guess *g, const char *name)
{
	char plural[CLI_SUGGESTION];

	snprintf(plural, sizeof(plural), "%ss", name);
	consider(g, name, name);
	consider(g, plural, name);
}

/* Verbs of a group by their second word: `tenfold list` means one of those. */
static void consider_grouped(struct guess *g, struct str group)
{
	for (unsigned i = 0; i < cli_verb_count; i++) {
		const char *space = strchr(cli_verbs[i].name, ' ');

		if (!space || (group.n && !cli_verb_in_group(&cli_verbs[i], group)))
			continue;
		consider(g, space + 1, cli_verbs[i].name);
		consider_synonyms(g, space + 1, cli_verbs[i].name);
	}
}

const char *cli_suggest_verb(struct str group, struct str wrong, char out[CLI_SUGGESTION])
{
	struct guess g = guess_for(wrong, out);

	for (unsigned i = 0; i < cli_verb_count && group.n == 0; i++)
		if (!strchr(cli_verbs[i].name, ' '))
			consider(&g, cli_verbs[i].name, cli_verbs[i].name);
	for (unsigned i = 0; i < cli_group_count && group.n == 0; i++)
		consider_group(&g, cli_groups[i].name);
	consider_grouped(&g, group);
	return out;
}
