/*
 * One question while it is being answered.
 */
#ifndef TENFOLD_ROLES_RESOLVE_PRIV_H
#define TENFOLD_ROLES_RESOLVE_PRIV_H

#include "base/vec.h"
#include "roles/fill_priv.h"
#include "roles/provider.h"
#include "roles/resolve.h"
#include "roles/state.h"

struct question {
	struct town *town;
	struct files *files;
	const struct role_query *q;
	struct town_state *state; /* NULL: none */
	struct arena *arena;
	struct role_answer *out;
	struct problem *p;
	struct str compat_role;                  /* what Gas Town's ladder takes for the role */
	const struct rig *rig;                   /* NULL: none */
	const struct settings *of_rig, *of_town; /* never NULL; empty when there is none, or it is not to count */
	const struct agents *registry;           /* likewise, see registry_of() */
	const struct mapping *wish_type, *wish_polecat; /* entries that matched: they may say model and effort */
	bool tier_says_default;                         /* GT_COST_TIER leaves this role to the default agent */
	bool old_keys_told;                             /* of the rig's file */
	VEC(struct step) steps;
	VEC(struct fault) warnings;
};

#define NOWHERE ((struct origin){0})

void note(struct question *k, enum rule rule, bool matched, struct origin at, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void warn(struct question *k, struct origin at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "PATH:LINE:COLUMN: " before the sentence when at is in a file. Returns e. */
enum err resolve_refuse(struct question *k, enum err e, struct origin at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- the ladders: set agent, runs, pool, exported, runtime, at, rule, would_run, as_written ---- */

enum err ladder(struct question *k);
enum err ladder_compat(struct question *k);
/* Gas Town says this each time it reads the rig's file; here it is said when it first would be. */
void warn_of_rigs_old_keys(struct question *k);

/* ---- agents ---- */

/* The presets of the rig, or of the town (NULL), without those of files that are not to count. */
const struct agents *registry_of(struct question *k, const struct rig *rig);

/* rig's agents, town's agents, registry, and (not with compat) what tiers bring along. NULL: nowhere. */
const struct town_agent *agent_named(const struct question *k, struct str name);
/* Filled, with the path of claude where Gas Town looks it up. */
struct runtime agent_runtime(struct question *k, const struct town_agent *a);
struct str claude_command(struct question *k);
/* exec_wrapper of the rig's runtime, if it has none itself. */
void apply_wrapper(const struct question *k, struct runtime *r);
bool can_start(struct question *k, const struct runtime *r); /* its command is on this machine */
void append_args(struct runtime *r, const struct texts *more, struct arena *a);
/* "; did you mean gemini?", or empty: of agents and pools. */
struct str did_you_mean_agent(struct question *k, struct str word);
/* The words of an --agent: its first is the name, further ones are arguments. */
struct str override_words(struct question *k, struct texts *more);

/* ---- pools ---- */

/* An agent that may run. */
struct runner {
	struct str name, pool;
	const struct town_agent *agent;
	struct origin at;
};

struct runners {
	struct runner v[64];
	size_t n;
	struct str undefined; /* a name that led nowhere, the last one */
	struct origin undefined_at;
};

const struct agent_pool *pool_named(const struct question *k, struct str name);
/* The agents behind a name, in the order in which they are tried. Of a name that is an agent's: that one. */
void runners_of(struct question *k, struct str name, struct origin at, struct runners *out);
/* Whether a choice names a program other than Claude: agents, or a member of a pool. */
bool is_not_claude(struct question *k, struct str name);

/* ---- what else is decided ---- */

enum err decide_model(struct question *k);
enum err decide_effort(struct question *k);
void decide_effort_compat(struct question *k);
enum err decide_account(struct question *k);

const char *go_quoted(struct question *k, struct str s); /* as Go's %q writes it */

#endif
