/*
 * (town, rig, role, worker, overrides) → agent, and why.
 */
#ifndef TENFOLD_ROLES_RESOLVE_H
#define TENFOLD_ROLES_RESOLVE_H

#include "roles/model.h"

struct town_state; /* roles/state.h */

struct role_query {
	struct str role, rig, name;               /* name: of the worker (polecat, crew member, dog) */
	struct str type;                          /* of the work */
	struct texts labels;                      /* of the work: k=v or k */
	struct str agent, model, effort, account; /* overrides of this spawn */
	const char *agent_key;                    /* what a refusal calls the first of them; NULL: --agent */
	bool compat;                              /* Gas Town to the letter, its defects included */
	bool spawn;                               /* something is really started: pools take turns */
};

/* The rules of the ladder, in order (src/roles/rules.def: name, doc). */
enum rule {
#define RULE(name, doc) RULE_##name,
#include "roles/rules.def"
#undef RULE
	RULE_COUNT
};
extern const char *const rule_names[RULE_COUNT];

struct step {
	enum rule rule;
	bool matched;
	struct str why; /* "role_agents has no witness", "gemini: its command is not installed" */
	struct origin at;
};

struct role_answer {
	enum role role;      /* with compat ROLE_UNKNOWN is possible: Gas Town takes any word */
	bool role_lost;      /* with compat: a '/' in the worker's name keeps Gas Town from reading its role back */
	struct str agent;    /* the configured name, also when another one had to step in */
	struct str runs;     /* the agent that runs: another one after a fallback */
	struct str pool;     /* the pool it was taken from; empty: none */
	struct str exported; /* what GT_AGENT says; empty: it is not exported (a dog of Gas Town's) */
	/* Ready to be started: filled, model, effort and exec_wrapper in their places, "$NAME" in values of env as
	 * they were written. command is a path where Gas Town looks one up. --settings is not among args. */
	struct runtime runtime;
	const struct agents *registry; /* the presets that counted, for names of processes */
	bool claude;                   /* a Claude agent: gets --settings */
	struct str model; /* what its args, environment or an override ask for; empty: the agent's default */
	struct origin at; /* what decided about the agent */
	enum rule rule;   /* likewise */
	enum effort effort;
	struct origin effort_at;
	struct str account, account_config_dir; /* empty: none; "~/" is expanded */
	struct step *steps;
	size_t step_count;
	struct fault *warnings; /* for stderr; with compat in Gas Town's words, "warning: " included */
	size_t warning_count;
	struct fault refusal; /* of a failure: the sentence and its place apart; empty when all is well */
	bool would_run;       /* the command of what is answered, a fallback too, is there */
	bool as_written; /* and it is what the files say: no later rule had to step in, nothing is undefined, and
			  * every file could be read */
};

/*
 * In arena a; valid until the next town_refresh(). ERR_INVALID (unknown role, a role that needs a rig without one,
 * an agent, account or effort that does not exist), ERR_NOT_FOUND (no such rig), ERR_MALFORMED (a file that decides
 * cannot be used and never could), each with what to do; steps and warnings up to there are in *out all the same.
 * With compat only an unknown --agent or account is an error. `state` may be NULL: nothing cools down, every pool
 * is at its first turn.
 *
 * Looked at in the environment: PATH, HOME, GT_COST_TIER, GT_ACCOUNT, GT_EFFORT, GT_MODEL_OVERRIDE (the last two
 * not with compat), GROQ_API_KEY (with compat).
 */
enum err role_resolve(struct town *t, const struct role_query *q, struct town_state *state, struct arena *a,
		      struct role_answer *out, struct problem *p);

#endif
