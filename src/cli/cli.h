/*
 * The command line: from argv to an exit code.
 *
 * api/verbs.def declares the verbs, and the types of api/types/ are their flags; nothing is repeated here by hand.
 * cli_main() parses, runs the verb's function and flushes. A function returns an error of the table; what a person
 * needs to know stands in cli->problem, and becomes one line on stderr and the exit code.
 */
#ifndef TENFOLD_CLI_CLI_H
#define TENFOLD_CLI_CLI_H

#include "spec/routes.h"

#include <stdio.h>

struct cli;
struct client;

/* `args` is the struct of the verb's args type. */
typedef enum err cli_verb_fn(struct cli *cli, const void *args);

enum verb_kind { VERB_CALL, VERB_OWN, VERB_SERVER, VERB_PART };

struct cli_verb {
	const char *name; /* "work add" */
	enum verb_kind kind;
	enum route_id route; /* of VERB_CALL */
	const struct json_type *own_args;
	cli_verb_fn *run; /* NULL for VERB_SERVER and VERB_PART … */
	size_t handed_in; /* … whose function stands there in struct cli_extra */
	const char
		*positional; /* "type title"; "-- command": flags end before them; "q ...": words make one text */
	const char *columns, *doc, *example;
};

struct cli_group {
	const char *name, *doc;
};

extern const struct cli_verb cli_verbs[];
extern const unsigned cli_verb_count;
extern const struct cli_group cli_groups[];
extern const unsigned cli_group_count;

const struct json_type *cli_verb_args(const struct cli_verb *v);
struct str cli_verb_positionals(const struct cli_verb *v, bool *flags_end); /* names with spaces between */
bool cli_verb_joins_words(const struct cli_verb *v); /* does its last positional take all words that are left? */
struct str cli_verb_brief(const struct cli_verb *v); /* the first sentence of doc */
bool cli_verb_in_group(const struct cli_verb *v, struct str group);

/* What the server's side gives to the command line: the functions of VERB_SERVER and VERB_PART, by name. */
struct cli_extra {
	const char *version;
#define GROUP(name, doc)
#define CALL(route, verb, positional, columns, doc, example)
#define VERB(name, verb, args, positional, columns, doc, example)
#define SERVER(name, verb, args, positional, columns, doc, example) cli_verb_fn *name;
#define PART(name, verb, args, positional, columns, doc, example)   cli_verb_fn *name;
#include "api/verbs.def"
#undef GROUP
#undef CALL
#undef SERVER
#undef PART
#undef VERB
};

struct cli {
	const struct cli_extra *extra;
	struct cli_globals globals;
	uint64_t globals_from_env; /* a bit for each that the environment gave */
	struct str key_note;       /* where globals.key was found, when a verb has found it */
	const struct cli_verb *verb;
	struct arena *arena;
	struct problem problem;
	int exit_code; /* when the verb itself went well: 1 says that a check failed, 130 and 143 that a signal came
			*/
};

int cli_main(int argc, char **argv, const struct cli_extra *extra);

/* ---- words that are not in the tables ---- */

/* The data directory: given, else TENFOLD_HOME, else tenfold in XDG_DATA_HOME, else in ~/.local/share. Made in the
 * arena. ERR_USAGE when none of these is set. */
enum err cli_data_dir(struct str given, struct arena *a, struct str *out, struct problem *p);

/* A whole file, or standard input for "-". ERR_USAGE naming the file when it cannot be read or is too large. */
enum err cli_read_file(struct str path, size_t max_bytes, struct arena *a, struct str *out, struct problem *p);

/* The server to talk to and the key to show it: from the flags, the environment or the data directory. */
enum err cli_connect(struct cli *cli, struct client **out);

/* ---- verbs that are functions ---- */

enum err cli_call(struct cli *cli, const void *args);
#define GROUP(name, doc)
#define CALL(route, verb, positional, columns, doc, example)
#define SERVER(name, verb, args, positional, columns, doc, example)
#define PART(name, verb, args, positional, columns, doc, example)
#define VERB(name, verb, args, positional, columns, doc, example) cli_verb_fn cmd_##name;
#include "api/verbs.def"
#undef GROUP
#undef CALL
#undef SERVER
#undef PART
#undef VERB

#endif
