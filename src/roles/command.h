/*
 * From an answer to what is started: argv and environment, and the one string that Gas Town would hand to a shell.
 *
 * With q->compat the string is Gas Town's byte for byte, its gaps included: wrapper, command and names of variables
 * are not quoted, ~ = ^ % never are, an empty argument vanishes, secrets stand in it. Without, `sh -c` of the
 * string starts exactly argv with exactly env, whatever the values hold.
 *
 * Two things in files name variables of the environment instead of holding text: a value of env, or an argument,
 * that is "$NAME" or "${NAME}" and nothing else (capitals, digits, '_'); and a command or word of exec_wrapper that
 * begins so or with "~/". They are looked up when something is spawned and are written nowhere.
 */
#ifndef TENFOLD_ROLES_COMMAND_H
#define TENFOLD_ROLES_COMMAND_H

#include "roles/resolve.h"

struct role_command {
	struct texts argv;  /* exec_wrapper, command, arguments, prompt; as started: looked up, secrets included */
	struct pairs env;   /* to be set over what is inherited; likewise; each key once, sorted as assignments */
	struct str shell;   /* "exec env K=V … COMMAND ARGS PROMPT" */
	struct texts unset; /* variables that values name and the environment does not have: they are empty */
	/* For showing, without secrets: argv with "$NAME" where a variable is looked up, and for each of env the
	 * variable that its value is looked up from (empty: none). */
	struct texts argv_shown, env_from;
};

struct command_options {
	struct str prompt;       /* empty: the agent's initial_prompt (none with compat, or when resuming) */
	struct str resume;       /* id of a session to go on with; "last": the latest */
	struct str session;      /* GT_SESSION */
	struct str topic, issue; /* why it is started, and for what: attributes of its telemetry */
	bool non_interactive;    /* as its preset knows how: for workers; prompt_mode does not count then */
	bool reveal;             /* the string shows secrets; without it "$NAME" stays, for the shell to look up */
};

/*
 * In arena a. A prompt that begins with '-' gets a space before it, so that no agent takes it for an option (not
 * with compat). A polecat or crew member without a name is called rig/polecat and rig/crew.
 *
 * ERR_INVALID: the agent cannot resume, or not its latest; the id could not be one; it cannot take a prompt without
 * a terminal, or none was given; it has no command; a value holds a NUL or a variable has no possible name.
 * ERR_TOO_LARGE: a word is longer than a program can be given.
 */
enum err role_command(struct town *t, const struct role_query *q, const struct role_answer *answer,
		      const struct command_options *o, struct arena *a, struct role_command *out,
		      struct problem *p);

#endif
