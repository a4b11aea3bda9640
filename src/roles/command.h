/*
 * From an answer to what is started: argv and environment, and the one string that Gas Town would hand to a shell.
 */
#ifndef TENFOLD_ROLES_COMMAND_H
#define TENFOLD_ROLES_COMMAND_H

#include "roles/resolve.h"

struct role_command {
	struct texts argv; /* exec_wrapper, command, arguments, prompt */
	struct pairs env;  /* sorted by "KEY=VALUE"; secrets already expanded from the environment */
	struct str shell; /* "exec env K=V … COMMAND ARGS "PROMPT"": survives `sh -c` with every value intact; with
			   * compat what Gas Town prints, byte for byte */
};

struct command_options {
	struct str prompt;    /* empty: the agent's initial_prompt */
	struct str resume;    /* id of a session to go on with; "last": the latest */
	struct str session;   /* GT_SESSION */
	bool non_interactive; /* as its preset knows how: for workers */
	bool reveal;          /* the string shows secrets; without it $NAME stays, for the shell to expand */
};

/* ERR_INVALID: the agent cannot resume, or cannot take a prompt without a terminal. */
enum err role_command(struct town *t, const struct role_query *q, const struct role_answer *answer,
		      const struct command_options *o, struct arena *a, struct role_command *out,
		      struct problem *p);

/* As POSIX sh reads it back: quoted whenever a character could mean something. */
struct str shell_quote(struct arena *a, struct str word);
/* As Gas Town quotes: with its gaps (~ = ^ % and the empty word). */
struct str shell_quote_compat(struct arena *a, struct str word);

#endif
