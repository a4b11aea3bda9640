/*
 * Reading the kinds of files a town has. Each function takes a parsed file and keeps what it needs in r->arena;
 * what is wrong goes to r->faults, and r->refused says that Gas Town would not take the file.
 */
#ifndef TENFOLD_ROLES_SETTINGS_PRIV_H
#define TENFOLD_ROLES_SETTINGS_PRIV_H

#include "roles/shape_priv.h"

enum { AGENTS_MAX = 100000 }; /* of one file */

struct quota_line {
	struct str handle, resets_at;
	enum account_status status;
};

struct quota {
	struct quota_line *v;
	size_t n;
};

void settings_read(struct reading *r, struct settings *out);                           /* r->is_rig */
void registry_read(struct reading *r, const struct agents *under, struct agents *out); /* agents.json */
void accounts_read(struct reading *r, struct accounts *out);                           /* mayor/accounts.json */
void quota_read(struct reading *r, struct quota *out);                                 /* mayor/quota.json */
void rig_names_read(struct reading *r, struct texts *out);                             /* mayor/rigs.json */

/* Sorted by name; of several of one name the last, and none when that is a tombstone (no origin line). */
void agents_keep(struct reading *r, struct town_agent *v, size_t n, struct agents *out);

bool is_go_duration(struct str text, bool *positive); /* "1h30m", "0", "-2.5s" */

/* Called by the tables of shapes.c. */
take_fn take_prompt_mode, take_resume_style, take_agent, take_role_agent, take_role_effort, take_worker_agent,
	take_polecat_agent, take_type_agent, take_role_account, take_pool, take_budget, take_rig,
	take_default_agent, take_cost_tier, take_rig_type, take_rig_version, take_runtime, take_merge_queue;

enum { QUEUE_LOOKED_AT = 5 }; /* members of merge_queue */

/* Settings while they are read: lists that still grow, and what is looked at when all is read. */
struct building {
	struct reading *r;
	VEC(struct town_agent) agents;
	VEC(struct mapping) role_agents, role_effort, worker_agents, polecat_agents, type_agents;
	VEC(struct account_choice) accounts;
	VEC(struct agent_pool) pools;
	VEC(struct budget_line) budgets;
	VEC(struct rig_part) rigs;
	struct runtime *runtime;
	const struct node *type, *version, *of_queue[QUEUE_LOOKED_AT]; /* of a rig; NULL: not said */
	struct settings *settings;
};

#endif
