/*
 * A command line against the tables.
 *
 *   tenfold [globals] VERB [flags, globals and positionals] [-- the rest as positionals]
 *
 * Where the positionals are a command, its first word ends the flags as -- does.
 * A flag is a field of the verb's args type, with '-' for '_': --flag value, --flag=value; for a truth value --flag
 * and --no-flag. A field with many values may be given more than once. An object is given as JSON or as
 * NAME=VALUE,NAME=VALUE, or with a bare id in front where it begins with one. Where a verb is a call, text and JSON
 * may be @FILE, or - for standard input; @@ stands for an @ at the beginning. A flag of the verb goes before a
 * global one of the same name, which then stands before the verb.
 */
#ifndef TENFOLD_CLI_PARSE_H
#define TENFOLD_CLI_PARSE_H

#include "cli/cli.h"

/* Where words come from that are not on the command line; a test puts its own. */
struct cli_sources {
	const char *(*env)(const char *name); /* NULL when not set */
	enum err (*read)(struct str path, size_t max_bytes, struct arena *a, struct str *out, struct problem *p);
};

/* What a squad is called, where its id is asked for; names.c finds it. */
enum { CLI_FLAG_NAME = 72, CLI_LABEL = CLI_FLAG_NAME + 2, CLI_NAMED_MAX = 4 };
struct cli_named {
	uint32_t field; /* of the verb's args, seen, but 0 until then */
	struct str name;
	char label[CLI_LABEL]; /* what the user calls the field */
};

struct cli_line {
	const struct cli_verb *verb; /* NULL: help about `group`, or about everything */
	struct str group;
	void *args;
	struct cli_named named[CLI_NAMED_MAX];
	unsigned named_count;
	struct cli_globals globals;
	uint64_t globals_from_env; /* a bit for each that the environment gave */
};

/* argv[0] is not looked at. ERR_USAGE: the problem names what is wrong and what to do. When help is asked for
 * (globals.help), args are not complete. */
enum err cli_parse(const struct cli_sources *from, int argc, char **argv, struct arena *a, struct cli_line *out,
		   struct problem *p);

/* The environment variable that stands for a flag, or an empty text. `verb` NULL: of a global flag. */
enum { CLI_ENV_NAME = 80 };
const char *cli_env_name(const struct cli_verb *verb, const struct json_field *f, char out[CLI_ENV_NAME]);

/* The name of a field as its flag, without the dashes. */
const char *cli_flag_name(const struct json_field *f, char out[CLI_FLAG_NAME]);

/* Is the field among the verb's positional ones? */
bool cli_is_positional(const struct cli_verb *verb, const struct json_field *f);

/* An id of what may be given by its name as well? */
bool cli_may_be_named(const struct json_field *f);

/* May it be given more than once? */
bool cli_takes_many(const struct json_field *f);

/* What was probably meant by a wrong flag of the verb (NULL: of none), or a wrong verb (of the group, if there is
 * one): `out`, empty when nothing is near. */
enum { CLI_SUGGESTION = CLI_FLAG_NAME };
const char *cli_suggest_flag(const struct cli_verb *v, struct str wrong, char out[CLI_SUGGESTION]);
const char *cli_suggest_verb(struct str group, struct str wrong, char out[CLI_SUGGESTION]);

/* Sets one field from a word (value.c); the problem says why not, without the name of the field. */
enum err cli_set(const struct json_type *t, uint32_t field, struct str text, struct arena *a, void *object,
		 struct problem *p);
bool cli_is_seen(const struct json_type *t, uint32_t field, const void *object);
void cli_mark_seen(const struct json_type *t, uint32_t field, void *object);

/* A field that may be null: was it taken away, with --no-FIELD? What is neither seen nor null is not spoken of. */
bool cli_is_null(const struct json_type *t, uint32_t field, const void *object);
void cli_mark_null(const struct json_type *t, uint32_t field, void *object);

#endif
