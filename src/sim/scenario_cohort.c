/*
 * Parameters from outside: --set changes one of all agents or of a cohort, a cohort's file says what differs for its
 * share of the agents.
 */
#include "sim/nearest.h"
#include "sim/scenario_priv.h"
#include "json/json.h"

#include <math.h>
#include <string.h>

static int find_parameter(const struct scenario *s, struct str name, struct problem *p)
{
	struct nearest n = nearest_to(name);

	for (unsigned i = 0; i < s->parameter_count; i++) {
		if (str_eq(s->parameters[i], name))
			return (int)i;
		nearest_consider(&n, s->parameters[i]);
	}
	problem_set(p, ERR_INVALID, "scenario %.*s has no parameter \"%.*s\"%s", STRF(s->file.name),
		    STRF(str_clip(name, 64)), nearest_hint(&n).text);
	return -1;
}

enum err scenario_set(struct scenario *s, unsigned cohort, struct str name, double value, struct problem *p)
{
	int i = find_parameter(s, name, p);

	if (i < 0)
		return ERR_INVALID;
	if (!isfinite(value))
		return problem_set(p, ERR_INVALID, "parameter %.*s must be a finite number", STRF(name));
	s->cohorts[cohort].parameters[i] = value;
	return OK;
}

static enum err cohort_room(const struct scenario *s, const struct scenario_cohort_file *file, struct problem *p)
{
	double taken = file->share;

	if (s->cohort_count == SCENARIO_COHORTS_MAX)
		return problem_set(p, ERR_INVALID, "a run has at most %d cohorts, the rest of the agents included",
				   SCENARIO_COHORTS_MAX);
	for (unsigned i = 1; i < s->cohort_count; i++) {
		taken += s->cohorts[i].share;
		if (str_eq(s->cohorts[i].name, file->name))
			return problem_field(p, ERR_INVALID, "name", "there is a cohort of that name already");
	}
	if (taken > 1 + 1e-9)
		return problem_field(p, ERR_INVALID, "share",
				     "with the other cohorts it comes to %g, more than all", taken);
	return OK;
}

static enum err fill_cohort(struct scenario *s, const struct scenario_cohort_file *file, struct problem *p)
{
	struct cohort *c = &s->cohorts[s->cohort_count];
	enum err e = OK;

	*c = (struct cohort){.name = arena_str(s->arena, file->name),
			     .share = file->share,
			     .parameters = ARENA_ARRAY(s->arena, double, s->parameter_count)};
	if (!c->parameters)
		return problem_set(p, ERR_TOO_LARGE, "needs more memory than a scenario may use");
	for (unsigned i = 0; i < s->parameter_count; i++)
		c->parameters[i] = s->cohorts[0].parameters[i];
	for (size_t i = 0; !e && i < file->parameters_count; i++)
		e = scenario_set(s, s->cohort_count, file->parameters[i].name, file->parameters[i].value, p);
	return e;
}

enum err scenario_cohort(struct scenario *s, struct str text, struct str from, struct problem *p)
{
	struct arena *a = arena_new((size_t)1 << 20);
	struct scenario_cohort_file file;
	enum err e = json_decode(&type_scenario_cohort_file, text, 0, a, &file, p);

	if (!e)
		e = cohort_room(s, &file, p);
	if (!e)
		e = fill_cohort(s, &file, p);
	if (!e)
		s->cohorts[0].share -= s->cohorts[s->cohort_count++].share;
	else if (p)
		scenario_place_faults(p, text, from);
	arena_destroy(&a);
	return e;
}

unsigned scenario_cohort_count(const struct scenario *s)
{
	return s->cohort_count;
}

struct str scenario_cohort_name(const struct scenario *s, unsigned cohort)
{
	return s->cohorts[cohort].name;
}

unsigned scenario_cohort_of(const struct scenario *s, uint64_t seed, uint32_t agent)
{
	struct draws d;
	double at;

	if (s->cohort_count == 1)
		return 0;
	draws_begin(&d, seed, DRAW_COHORT, agent, 0, 0);
	at = draws_unit(&d);
	for (unsigned i = 1; i < s->cohort_count; i++) {
		at -= s->cohorts[i].share;
		if (at < 0)
			return i;
	}
	return 0;
}
