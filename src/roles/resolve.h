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
	enum role role;
	struct str agent;       /* the configured name, also when another one had to step in */
	struct str runs;        /* the agent that runs: another one after a fallback */
	struct runtime runtime; /* filled: ready to be started */
	struct str model;       /* what its args, environment or override ask for; empty: the agent's default */
	struct origin at;       /* what decided about the agent */
	enum effort effort;
	struct origin effort_at;
	struct str account, account_config_dir; /* empty: none */
	struct step *steps;
	size_t step_count;
	struct fault *warnings; /* for stderr */
	size_t warning_count;
	bool would_run; /* the command is there and nothing is undefined */
};

/* In arena a; valid until the next town_refresh(). ERR_INVALID (unknown role, no such agent given as an override, a
 * role that needs a rig without one, an unknown effort), ERR_NOT_FOUND (no such rig), each with what to do. `state`
 * may be NULL: nothing cools down, every pool is at its first turn. */
enum err role_resolve(struct town *t, const struct role_query *q, struct town_state *state, struct arena *a,
		      struct role_answer *out, struct problem *p);

#endif
