/* Who takes part in a run and what they do: see run_priv.h. */
#include "sim/readfile.h"
#include "sim/run_priv.h"

enum { COHORT_BYTES_MAX = 1 << 20, POPULATION_BYTES_MAX = 1 << 30 };

/* ---- the scenario ---- */

static enum err set_parameters(struct run *r, struct problem *p)
{
	const struct sim_run_args *g = r->args;
	enum err e = OK;

	for (size_t i = 0; i < g->set_count && !e; i++) {
		double v;

		if (!str_to_f64(g->set[i].value, &v))
			return problem_field(p, ERR_INVALID, "--set", "%.*s must be a number, not \"%.*s\"",
					     STRF(g->set[i].key), STRF(g->set[i].value));
		e = scenario_set(r->scenario, 0, g->set[i].key, v, p);
	}
	return e;
}

static enum err add_cohorts(struct run *r, struct problem *p)
{
	const struct sim_run_args *g = r->args;
	enum err e = OK;

	for (size_t i = 0; i < g->cohort_count && !e; i++) {
		struct str text;

		e = readfile_there(g->cohort[i], "cohort", COHORT_BYTES_MAX, r->config.arena, &text, p);
		if (!e)
			e = scenario_cohort(r->scenario, text, g->cohort[i], p);
	}
	return e;
}

static enum err read_thresholds(struct run *r, struct problem *p)
{
	const struct sim_run_args *g = r->args;
	enum err e = OK;

	r->thresholds = ARENA_ARRAY(r->config.arena, struct threshold, g->fail_if_count + 1);
	r->threshold_count = g->fail_if_count;
	for (size_t i = 0; i < g->fail_if_count && !e; i++)
		e = threshold_parse(g->fail_if[i], r->scenario, &r->thresholds[i], p);
	return e;
}

enum err run_open_scenario(struct run *r, struct problem *p)
{
	enum err e = scenario_load(r->args->scenario, &r->scenario, p);

	if (!e)
		e = set_parameters(r, p);
	if (!e)
		e = add_cohorts(r, p);
	return e ? e : read_thresholds(r, p);
}

/* ---- the agents ---- */

static enum err read_population(struct run *r, struct str path, struct problem *p)
{
	struct arena *a = arena_new((size_t)POPULATION_BYTES_MAX * 2);
	struct str text;
	struct buf left_out = BUF_INIT(0);
	enum err e = readfile_there(path, "population", POPULATION_BYTES_MAX, a, &text, p);

	if (!e)
		e = population_read(r->scenario, r->settings.seed, text, population_format_of(path), &r->population,
				    &left_out, p);
	if (!e && left_out.n)
		run_say(r, "left out  columns that the scenario does not declare: %s", buf_cstr(&left_out));
	buf_free(&left_out);
	arena_destroy(&a);
	return e;
}

static enum err population_of_directory(struct run *r, struct problem *p)
{
	struct arena *a = arena_new((size_t)1 << 30);
	struct str *ids = NULL;
	uint32_t count = 0;
	enum err e = r->config.directory(r->config.ctx, a, &ids, &count, p);

	if (!e && count == 0)
		e = problem_field(p, ERR_INVALID, "--from-directory", "the directory has no agents to run");
	if (!e)
		e = population_of_ids(r->scenario, r->settings.seed, ids, count, &r->population, p);
	arena_destroy(&a);
	return e;
}

enum err run_open_population(struct run *r, struct problem *p)
{
	const struct sim_run_args *g = r->args;

	if (g->population.n)
		return read_population(r, g->population, p);
	if (g->from_directory && g->resume)
		return read_population(r, run_agents_path(r), p); /* the directory may have changed */
	if (g->from_directory)
		return population_of_directory(r, p);
	return population_generate(r->scenario, r->settings.seed, (uint32_t)g->agents, &r->population, p);
}
