/*
 * A scenario: who takes part, when they come, what they do, as data. docs/scenarios.md is its reference.
 *
 * A file is decoded by the tables of api/types/scenario.def, checked as a whole and compiled: names become numbers,
 * expressions become programs, states become arrays. What comes out is immutable and is shared by all threads.
 * A fault names file, line and field, and the word that was probably meant.
 */
#ifndef TENFOLD_SIM_SCENARIO_H
#define TENFOLD_SIM_SCENARIO_H

#include "base/problem.h"
#include "sim/calendar.h"
#include "sim/draws.h"
#include "sim/offers.h"
#include "sim/population.h"
#include "sim/record.h"

struct scenario;

/* `name` is one that is built in, or a file. */
enum err scenario_load(struct str name_or_file, struct scenario **out, struct problem *p);
/* For tests: from text; `from` is what faults call it. */
enum err scenario_parse(struct str text, struct str from, struct scenario **out, struct problem *p);
/* The line of a field that is at fault; where the field is missing, of what should have it. */
int scenario_fault_line(struct str text, const char *field);
void scenario_free(struct scenario **s);

/* The built-in ones, as text: what `tenfold sim scenario show` prints. NULL past the last. */
struct scenario_text {
	const char *name, *about;
	struct str text;
};
const struct scenario_text *scenario_built_in(unsigned i);

struct str scenario_name(const struct scenario *s);
struct str scenario_text_of(const struct scenario *s); /* as it was read */
uint64_t scenario_hash(const struct scenario *s);      /* of the text and the parameters; a resume compares it */

unsigned scenario_state_count(const struct scenario *s);
unsigned scenario_attribute_count(const struct scenario *s);
unsigned scenario_parameter_count(const struct scenario *s);
struct str scenario_parameter_name(const struct scenario *s, unsigned parameter);

/* Parameters: numbers that expressions read and that --set and cohorts change. Cohort 0 is what the file says. At most
 * SCENARIO_COHORTS_MAX; ERR_INVALID names what is no parameter, and what was probably meant. */
enum { SCENARIO_COHORTS_MAX = 8 };
enum err scenario_set(struct scenario *s, unsigned cohort, struct str name, double value, struct problem *p);
enum err scenario_cohort(struct scenario *s, struct str text, struct str from,
			 struct problem *p);              /* a --cohort FILE */
unsigned scenario_cohort_count(const struct scenario *s); /* at least 1 */
struct str scenario_cohort_name(const struct scenario *s, unsigned cohort);
unsigned scenario_cohort_of(const struct scenario *s, uint64_t seed, uint32_t agent); /* by its share */

/* Requests, in the order of the file: what latencies are kept by. Steps of the same name are one endpoint. */
unsigned scenario_endpoint_count(const struct scenario *s);
struct str scenario_endpoint_name(const struct scenario *s, unsigned endpoint); /* "POST /api/orders" */

/* How a session may end. */
enum outcome_kind { END_COMPLETED, END_ABANDONED, END_FAILED };
unsigned scenario_outcome_count(const struct scenario *s);
struct str scenario_outcome_name(const struct scenario *s, unsigned outcome);
enum outcome_kind scenario_outcome_kind(const struct scenario *s, unsigned outcome);

/* The values that are kept of each session (its total, its items): for the record and the report. */
enum { SCENARIO_KEPT_MAX = RECORD_KEPT_MAX }; /* of sim/record.h */
unsigned scenario_kept_count(const struct scenario *s);
struct str scenario_kept_name(const struct scenario *s, unsigned kept);

/* When agents come. */
void scenario_calendar(const struct scenario *s, int64_t start_ms, struct calendar *out);
void scenario_eagerness(const struct scenario *s, const struct population *who, uint32_t agent, uint64_t seed,
			struct eagerness *out); /* not yet normalised */
/* What it assumes of itself, printed before a run and checked after: sessions of an agent in a cycle, calls of one. */
struct scenario_assumed {
	double active_share, calls_per_agent; /* 0: it says nothing */
};
struct scenario_assumed scenario_assumptions(const struct scenario *s);
/* Do all agents begin at once, and over again? Are a cycle's sessions spread over it, or all at its beginning? */
bool scenario_is_closed(const struct scenario *s);
bool scenario_spreads(const struct scenario *s);
/* Do idle agents do anything (a journey of their own)? */
bool scenario_has_idle(const struct scenario *s);
/* Offers that agents get, NULL: none. Each due agent gets a journey of its own at the beginning of the period's first
 * cycle, beside all others. */
const struct offer_rules *scenario_offers(const struct scenario *s);
/* A journey that cleans up behind a session that was cut off (carts cleared), run on start for agents that had one. */
bool scenario_has_cleanup(const struct scenario *s);
/* The public profile that a realistic run is like: "pharmacy", "grocery", …; empty: none. */
struct str scenario_profile(const struct scenario *s);

#endif
