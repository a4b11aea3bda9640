/*
 * What a town costs, estimated: price per token (src/roles/prices.def) times tokens per role and day
 * (src/roles/usage.def). Both tables are dated, each row with its public source or "assumed". Files of the user's
 * in the data directory go before them, row by row:
 *
 *	prices.json  [{"model": "claude-opus-5-5", "input": 4, "output": 20, "cache_read": 0.2, "cache_write": 5,
 *	               "date": "2026-11", "source": "our contract"}]
 *	usage.json   [{"role": "polecat", "input": 1, "output": 2, "cache_read": 3, "cache_write": 4, …}]
 *
 * Every figure is an estimate of list prices, not of a bill, and whoever prints one says "estimated". A model that
 * no row knows has no figure.
 */
#ifndef TENFOLD_ROLES_COST_H
#define TENFOLD_ROLES_COST_H

#include "roles/resolve.h"
#include "roles/state.h"

struct price {
	const char *model;                             /* and its dated, preview and [1m] variants */
	double input, output, cache_read, cache_write; /* USD per million tokens */
	const char *date, *source;
};
extern const struct price prices[];
extern const unsigned price_count;

struct usage {
	enum role role;
	double input, output, cache_read, cache_write; /* tokens a day of one session at effort high */
	const char *date, *source;
};
extern const struct usage usages[];
extern const unsigned usage_count;

/* What an effort costs beside high. */
struct effort_factor {
	enum effort effort;
	double factor;
	const char *date, *source;
};
extern const struct effort_factor effort_factors[];
extern const unsigned effort_factor_count;
double effort_factor(enum effort e); /* 1 for EFFORT_UNSET */

/* The user's rows. All zero, and NULL wherever it may be given: none. */
struct cost_tables {
	const struct price *prices;
	size_t price_count;
	const struct usage *usages;
	size_t usage_count;
};
/* In arena a. Files that are missing have no rows. ERR_MALFORMED, ERR_INVALID with file, line and column. */
enum err cost_tables_load(struct files *f, struct str data_dir, struct arena *a, struct cost_tables *out,
			  struct problem *p);

/* The model that a name stands for: an alias (opus), or what the preset runs when the name is empty. Provider
 * prefixes ("anthropic/…") are taken off. Empty: not known. *why: source of that, NULL when it is the name itself.
 */
struct str model_meant(struct str model, struct str preset, const char **why);
/* NULL: no price is known. */
const struct price *price_in(const struct cost_tables *t, struct str model, struct str preset);
/* How many prices are of before a month, "2026-08", or have no date; and how many there are. A price that ships does
 * not count where one of the user's stands for it. */
size_t prices_before(const struct cost_tables *t, const char *month, size_t *of);

struct role_cost {
	double usd_per_day;       /* of one session; -1: no price is known */
	struct str model;         /* the one that is priced; empty: not known */
	const char *model_source; /* why that one, when neither args nor an override name it; NULL: they do */
	const struct price *price;
	const struct usage *usage;
	double factor; /* of the effort */
};
struct role_cost role_cost_of(const struct role_answer *answer);
struct role_cost role_cost_in(const struct cost_tables *t, const struct role_answer *answer);

/* ---- what was used ---- */

struct usage_report {
	int64_t input, output, cache_read, cache_write; /* tokens; input without those of the cache */
	double usd;                                     /* as the agent says; -1: it does not */
	struct str model;                               /* that used most; empty: not said */
};
/*
 * What an agent said about its use in its output without a terminal (usage_output.c lists the formats and where
 * they are from). preset: its name, or the command it runs. false: nothing that is known. Texts in arena a. Looks
 * at the last 16 MiB; what cannot be read there is passed over. A resumed session of codex tells its whole sum
 * again.
 */
bool usage_from_output(struct str preset, struct str text, struct arena *a, struct usage_report *out);

/* One run for town_state_spend(). With a report: its tokens, its USD or else priced by the list. Without: the share
 * of a day that duration_ms is, estimated; that is counted as guessed. day is left empty. */
struct spent spent_of_run(const struct cost_tables *t, const struct role_query *q, const struct role_answer *answer,
			  const struct usage_report *report, int64_t duration_ms);

/* ---- budgets ---- */

/* A line of `budgets` in a settings/config.json: {"budgets": {"alpha": {"usd_per_day": 20, "warn_at": 0.8}}}; keys
 * are a role, a rig, rig/role or "*". In a rig's file all of them mean that rig. */
enum budget_standing { BUDGET_NONE, BUDGET_WITHIN, BUDGET_WARN, BUDGET_OVER };
struct budget {
	struct str key;
	double usd_per_day, warn_at;
	double spent;   /* USD recorded today (UTC) */
	double guessed; /* how much of it nobody reported; with nothing recorded, one session's estimated day */
	bool recorded;  /* anything was */
	enum budget_standing standing;
	struct origin at;
};
/* The tightest budget that holds for the spawn; BUDGET_NONE: none does. What was recorded can warn and stop (OVER),
 * an estimate can only warn: no work is stopped on a guess of ours alone. s NULL: nothing was recorded. */
struct budget role_budget(struct town *t, const struct role_query *q, const struct role_answer *answer,
			  const struct cost_tables *tables, const struct town_state *s);
/* Every line of the town's file, then of the rig's, as it stands today. In arena a; NULL when it is full. */
struct budget *role_budgets(struct town *t, struct str rig, const struct town_state *s, struct arena *a,
			    size_t *count);
/* "alpha: estimated USD 17.20 of 20.00 a day" */
struct str budget_text(const struct budget *b, struct arena *a);

#endif
