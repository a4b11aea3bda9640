/*
 * What a town costs, estimated: price per token (src/roles/prices.def) times tokens per role and day
 * (src/roles/usage.def). Both tables are dated, each row with its public source or "assumed"; a file of the user's
 * (prices.json in the data directory, same columns) goes before them. Every figure is an estimate and says so.
 */
#ifndef TENFOLD_ROLES_COST_H
#define TENFOLD_ROLES_COST_H

#include "roles/resolve.h"
#include "roles/state.h"

struct price {
	const char *model;                /* prefix of the names it holds for */
	double input, output, cache_read; /* USD per million tokens */
	const char *date, *source;
};
extern const struct price prices[];
extern const unsigned price_count;
const struct price *price_of(struct str model, struct str provider); /* NULL: unknown */

struct usage {
	enum role role;
	double input, output, cache_read; /* tokens a day of one session at effort high */
	const char *date, *source;
};
extern const struct usage usages[];
extern const unsigned usage_count;

struct role_cost {
	double usd_per_day; /* of one session; -1: no price is known */
	const struct price *price;
	const struct usage *usage;
};
struct role_cost role_cost_of(const struct role_answer *answer);

/* A line of `budgets` in settings/config.json: {"budgets": {"alpha": {"usd_per_day": 20, "warn_at": 0.8}}}; keys
 * are a rig, a role, rig/role or "*". */
enum budget_standing { BUDGET_NONE, BUDGET_WITHIN, BUDGET_WARN, BUDGET_OVER };
struct budget {
	struct str key;
	double usd_per_day, warn_at, spent;
	enum budget_standing standing;
	struct origin at;
};
/* The tightest budget that holds for the spawn, with what was recorded today (UTC) and estimates where nothing was.
 */
enum err role_budget(struct town *t, const struct role_query *q, const struct role_answer *answer,
		     struct town_state *s, struct budget *out, struct problem *p);

#endif
