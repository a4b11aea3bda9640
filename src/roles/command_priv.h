/*
 * Between the files that make a command: the facts it is made from, without a town to hold them, so that tests can
 * state them; words that name variables; the environment while it grows.
 */
#ifndef TENFOLD_ROLES_COMMAND_PRIV_H
#define TENFOLD_ROLES_COMMAND_PRIV_H

#include "base/buf.h"
#include "roles/command.h"

/* Everything a command is made from. */
struct spawn {
	struct files *files;
	struct str town_dir;           /* absolute */
	const struct agents *registry; /* of the rig, or else of the town: for names of processes */
	const struct role_query *query;
	const struct role_answer *answer;
	const struct command_options *options;
	struct arena *arena;
};

enum err spawn_command(const struct spawn *s, struct role_command *out, struct problem *p);

/* ---- words ---- */

/* A word as it is started, and as a shell is told it. */
struct word {
	struct str value;
	struct str name; /* of the variable it begins with; empty: none */
	struct str rest; /* what follows the variable in value */
};

struct word word_plain(struct str value);
/* "$NAME" and nothing else is looked up. */
struct word word_value(const struct spawn *s, struct str written);
/* "~/…", "$NAME" and "$NAME/…" are looked up. */
struct word word_path(const struct spawn *s, struct str written);
void word_quote(struct buf *b, const struct word *w, bool reveal);

void quote_compat(struct buf *b, struct str word);
void quote_prompt_compat(struct buf *b, struct str prompt); /* always in double quotes */

/* ---- argv ---- */

/* Gas Town quotes nothing before the arguments, arguments on demand, and the prompt always. */
enum word_kind { KIND_COMMAND, KIND_ARGUMENT, KIND_PROMPT };

struct arg {
	struct word word;
	enum word_kind kind;
};

struct args {
	struct arg *v;
	size_t n;
};

enum err args_of_spawn(const struct spawn *s, struct args *out, struct problem *p);

/* ---- environment ---- */

struct env_var {
	struct str key;
	struct word value;
	struct origin at;
	size_t order; /* of being set: the last one counts */
};

struct env {
	struct env_var *v; /* sorted as "KEY=VALUE" once it is complete, each key once */
	size_t n, cap;
};

/* ERR_TOO_LARGE when the arena is full. */
enum err env_of_spawn(const struct spawn *s, struct env *out, struct problem *p);
/* 0: none is known. .dolt-data/config.yaml, then GT_DOLT_PORT, then mayor/daemon.json of the town. */
int64_t dolt_port(const struct spawn *s);
/* "node,claude" */
struct str process_names(const struct spawn *s);

/* ---- paths, as Go's path/filepath has them ---- */

struct str path_base(struct str path); /* "." of the empty path */
/* Joined by '/' without empty parts, then shortened: no "//", ".", nor "x/.." */
struct str path_join(struct arena *a, const struct str *parts, size_t count);

const char *spawn_env(const struct spawn *s, const char *name); /* NULL: not set, or empty */

#endif
