/*
 * A compiled scenario, as journeys and populations read it.
 *
 *   scenario.c             loading, what is asked of one
 *   scenario_compile.c     names, variables, outcomes, headers: the whole
 *   scenario_states.c      states and their steps
 *   scenario_population.c  attributes and the schedule
 *   scenario_check.c       what shows only when all is there: ways, rings without time
 *   scenario_cohort.c      parameters from outside
 *   scenario_fault.c       where in the file a fault is
 */
#ifndef TENFOLD_SIM_SCENARIO_PRIV_H
#define TENFOLD_SIM_SCENARIO_PRIV_H

#include "sim/scenario.h"
#include "sim/template.h"
#include "spec/types.h"

enum { NOWHERE = 0xffff }; /* no such state, outcome, variable */

/* ---- steps ---- */

struct plan_set {
	unsigned variable;
	const struct expr *value;
};

struct plan_extract {
	unsigned variable;
	struct str pointer;
};

/* Failures of a request that are tried again, besides statuses. */
enum { RETRY_TIMEOUT = 1, RETRY_REFUSED = 2, RETRY_CLOSED = 4 };

struct plan_retry {
	unsigned times, causes, status_count; /* causes: RETRY_… */
	const int *statuses;
	const struct expr *wait;
};

struct plan_request {
	unsigned endpoint;
	struct str method;
	struct template path, headers, body;
	int64_t timeout_ms;
	const int *statuses; /* the good ones; none: 200 to 299 */
	unsigned status_count;
	const struct expr *where; /* NULL: nothing more is asked */
	struct plan_retry retry;
	unsigned fail; /* the state, or NOWHERE */
	int mock_status;
	const struct expr *mock_fails; /* NULL: never */
};

struct plan_event {
	struct str type;
	unsigned count;
	const struct str *names;
	const struct expr *const *values;
};

struct plan_step {
	struct str name;
	const struct expr *each, *repeat, *when, *chance, *think; /* NULL: absent */
	const struct plan_request *request;                       /* NULL: none */
	const struct plan_extract *extracts;
	const struct plan_set *mock_sets, *sets;
	const struct plan_event *event; /* NULL: none */
	unsigned extract_count, mock_set_count, set_count;
};

struct plan_edge {
	unsigned to;
	const struct expr *weight, *when; /* when: NULL: always */
};

struct plan_state {
	struct str name;
	const struct plan_step *steps;
	const struct plan_edge *edges;
	unsigned step_count, edge_count;
	unsigned end; /* the outcome; NOWHERE: it goes on by an edge */
};

/* ---- population ---- */

enum spread {
	SPREAD_NORMAL,
	SPREAD_LOGNORMAL,
	SPREAD_UNIFORM,
	SPREAD_BETA,
	SPREAD_EXPR,
	SPREAD_CHANCE,
	SPREAD_WEIGHTS,
	SPREAD_WORDS
};

struct plan_attribute {
	struct attribute attribute; /* words as declared */
	enum spread spread;
	double a, b;             /* mean and sd; median and sigma; the shapes of beta; unused for uniform */
	double min, max, round;  /* -HUGE_VAL, HUGE_VAL and 0: none */
	const double *weights;   /* of SPREAD_WEIGHTS, one for each word; their sum is above 0 */
	unsigned least, most;    /* of SPREAD_WORDS */
	const struct expr *expr; /* of SPREAD_EXPR, and SPREAD_CHANCE: the probability */
};

struct plan_correlation {
	unsigned one, other; /* attributes that are numbers with a distribution */
	double r;
};

struct plan_schedule {
	struct calendar calendar;                                      /* start_ms is filled by who asks */
	const struct expr *weekly, *part[PART_COUNT], *day[DAY_COUNT]; /* NULL: 1 */
};

/* ---- the whole ---- */

struct cohort {
	struct str name;
	double share;
	double *parameters;
};

struct scenario {
	struct arena *arena;
	struct str text, from;
	struct scenario_file file; /* as decoded; points into text and arena */

	struct str *parameters, *variables, *tables, *attributes, *endpoints; /* their names */
	unsigned parameter_count, variable_count, table_count, attribute_count, endpoint_count;

	struct cohort cohorts[SCENARIO_COHORTS_MAX];
	unsigned cohort_count;

	struct value *table_values;
	struct value *initial;            /* of variables that are constant, null for others */
	const struct expr **initial_expr; /* NULL where constant */
	bool initial_is_constant;         /* of all */
	const struct expr *kept[SCENARIO_KEPT_MAX];

	struct plan_state *states;
	unsigned start, on_fail, idle, cleanup, offer_state; /* states, or NOWHERE */
	const struct expr *idle_probability;
	unsigned completed, failed; /* the first outcome of the kind; there are always both */
	struct offer_rules offers;

	struct plan_attribute *plan_attributes;
	struct plan_correlation *correlations;
	struct plan_schedule schedule;
};

/* ---- compiling ---- */

/* What is being read, and where. Faults are gathered in the problem; compiling goes on to find more of them. */
struct compiler {
	struct scenario *s;
	struct arena *arena;
	struct problem *problem;
	struct expr_names names; /* of a session, outside loops */
	char path[160];
	size_t path_length;
};

/* Goes into a member or element, as "states[3]"; what it returns leads back: path_back(c, path_into(…)). */
size_t path_into(struct compiler *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void path_back(struct compiler *c, size_t to);
void compile_fault(struct compiler *c, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void compile_too_large(struct compiler *c);

/* Of a RAW field: NULL when absent, or after a fault. */
const struct expr *compile_expr(struct compiler *c, const struct expr_names *names, const char *field,
				struct str raw);
/* One that must not be below `least` or above `most`, as far as that is known. */
const struct expr *compile_bounded(struct compiler *c, const struct expr_names *names, const char *field,
				   struct str raw, double least, double most);
/* By name; NOWHERE and a fault when there is none such. An empty name is NOWHERE. */
unsigned find_state(struct compiler *c, const char *field, struct str name);
unsigned find_outcome(struct compiler *c, const char *field, struct str name);
unsigned find_attribute(struct compiler *c, const char *field, struct str name);
unsigned find_variable(struct compiler *c, const char *field, struct str name);
/* Is each a name for expressions, and only once there? */
void check_names(struct compiler *c, const char *list, const struct str *names, unsigned count);
/* Name and value of each header; those that the client writes itself are faults. */
void compile_headers(struct compiler *c, const struct expr_names *names, const struct json_pair *pairs,
		     size_t count, struct template *out);

void compile_population(struct compiler *c);
void compile_schedule(struct compiler *c);
void compile_states(struct compiler *c);
void check_ways(struct compiler *c);
enum err scenario_compile(struct scenario *s, struct problem *p);

/* Says file and line with each fault. */
void scenario_place_faults(struct problem *p, struct str text, struct str from);

#endif
