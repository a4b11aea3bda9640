/*
 * sim population generate|import|show: agents of a scenario as files, and in short.
 */
#include "cli/cli.h"

#include "base/magic.h"
#include "base/rng.h"
#include "cli/print.h"
#include "sim/population_survey.h"
#include "sim/scenario.h"

enum { POPULATION_BYTES_MAX = 1 << 30, AT_ONCE = 1000, SEED_BITS = 53 };

struct people {
	struct cli *cli;
	const struct sim_population_args *args;
	struct arena *arena;
	struct scenario *scenario;
	struct population *population;
	struct buf left_out;
};

/* ---- where they come from ---- */

static enum population_format format_of(const struct sim_population_args *args)
{
	if (HAS(args, sim_population_args, format))
		return args->format == SIM_POPULATION_JSONL ? POPULATION_JSONL : POPULATION_CSV;
	return population_format_of(args->file);
}

/* One that nobody chose is said, so that the same can be had again. */
static uint64_t seed_of(const struct people *p)
{
	uint64_t seed = rng_system_word() >> (64 - SEED_BITS);

	if (HAS(p->args, sim_population_args, seed))
		return (uint64_t)p->args->seed;
	fprintf(stderr, "--seed %llu\n", (unsigned long long)seed);
	return seed;
}

static enum err make(struct people *p)
{
	return population_generate(p->scenario, seed_of(p), (uint32_t)p->args->agents, &p->population,
				   &p->cli->problem);
}

/* What a file does not say is made up too, so a seed has a part in it; which one is of no concern where nobody asks. */
static enum err read_file(struct people *p, struct problem *problem)
{
	uint64_t seed = HAS(p->args, sim_population_args, seed) ? (uint64_t)p->args->seed : 0;
	struct str text;
	enum err e = cli_read_file(p->args->file, POPULATION_BYTES_MAX, p->arena, &text, &p->cli->problem);

	return e ? e
		 : population_read(p->scenario, seed, text, format_of(p->args), &p->population, &p->left_out,
				   problem);
}

/* ---- generate ---- */

static enum err generate(struct people *p)
{
	struct buf b = BUF_INIT(0);
	enum err e;

	if (p->args->file.n)
		return problem_set(&p->cli->problem, ERR_USAGE, "generate prints to standard output; write > %.*s",
				   STRF(str_clip(p->args->file, 64)));
	e = make(p);
	for (uint32_t at = 0; !e && at < population_count(p->population); at += AT_ONCE) {
		uint32_t left = population_count(p->population) - at;

		buf_reset(&b);
		population_write(p->population, format_of(p->args), at, left < AT_ONCE ? left : AT_ONCE, &b);
		fwrite(buf_cstr(&b), 1, b.n, stdout);
	}
	buf_free(&b);
	return e;
}

/* ---- import ---- */

static void take_faults(const struct problem *found, struct arena *a, struct sim_population_report *out)
{
	out->faults = ARENA_ARRAY(a, struct sim_population_fault, PROBLEM_FIELDS_MAX + 1);
	for (unsigned i = 0; out->faults && i < found->field_count; i++)
		out->faults[out->faults_count++] =
			(struct sim_population_fault){arena_str(a, str_of(found->fields[i].field)),
						      arena_str(a, str_of(found->fields[i].detail))};
	if (out->faults && !found->field_count)
		out->faults[out->faults_count++] =
			(struct sim_population_fault){STR(""), arena_str(a, str_of(found->detail))};
}

static void take_left_out(const struct people *p, struct sim_population_report *out)
{
	struct str rest = buf_str(&p->left_out);
	size_t count = 0;

	for (size_t i = 0; i < rest.n; i++)
		count += rest.p[i] == '\n';
	out->left_out = ARENA_ARRAY(p->arena, struct str, count);
	while (out->left_out && rest.n)
		out->left_out[out->left_out_count++] = str_cut(rest, '\n', &rest);
}

static void print_report(const struct sim_population_report *r, struct str file)
{
	for (size_t i = 0; i < r->left_out_count; i++)
		printf("%.*s: left out: %.*s\n", STRF(file), STRF(r->left_out[i]));
	for (size_t i = 0; i < r->faults_count; i++)
		printf("%.*s: %.*s%s%.*s\n", STRF(file), STRF(r->faults[i].place), r->faults[i].place.n ? ": " : "",
		       STRF(r->faults[i].detail));
	fflush(stdout); /* the list comes first, also where both go to one place */
	if (r->fine)
		fprintf(stderr, "%lld agents of %.*s\n", (long long)r->agents, STRF(r->scenario));
	else
		fprintf(stderr, "%zu fault%s%s: no run can take it\n", r->faults_count,
			r->faults_count == 1 ? "" : "s", r->faults_count == PROBLEM_FIELDS_MAX ? " or more" : "");
}

static enum err import(struct people *p)
{
	struct sim_population_report report = {.scenario = scenario_name(p->scenario)};
	struct problem found = {0};
	enum err e;

	if (!p->args->file.n)
		return problem_set(&p->cli->problem, ERR_USAGE, "import needs a file, or - for standard input");
	e = read_file(p, &found);
	if (e && !found.err)
		return e;
	report.fine = !e;
	report.agents = e ? 0 : population_count(p->population);
	if (e)
		take_faults(&found, p->arena, &report);
	take_left_out(p, &report);
	if (p->cli->globals.json)
		print_answer(p->cli, &type_sim_population_report, &report, "");
	else
		print_report(&report, p->args->file);
	p->cli->exit_code = !report.fine;
	return OK;
}

/* ---- show ---- */

static void print_survey(const struct people *p, const struct sim_population_survey *survey)
{
	const struct sim_population_pairs pairs = {.items = survey->pairs, .items_count = survey->pairs_count};

	if (p->cli->globals.json) {
		print_answer(p->cli, &type_sim_population_survey, survey, "");
		return;
	}
	print_answer(p->cli, &type_sim_population_survey, survey, p->cli->verb->columns);
	printf("\n%lld agents of %.*s\n", (long long)survey->agents, STRF(survey->scenario));
	if (survey->pairs_count) {
		printf("\n");
		print_answer(p->cli, &type_sim_population_pairs, &pairs, "");
	}
}

static enum err show(struct people *p)
{
	struct sim_population_survey survey;
	enum err e = p->args->file.n ? read_file(p, &p->cli->problem) : make(p);

	if (e)
		return e;
	population_survey(p->scenario, p->population, p->arena, &survey);
	print_survey(p, &survey);
	return OK;
}

static enum err act(struct people *p)
{
	switch ((enum sim_population_action)p->args->action) {
	case POPULATION_GENERATE:
		return generate(p);
	case POPULATION_IMPORT:
		return import(p);
	case POPULATION_SHOW:
		return show(p);
	}
	UNREACHABLE();
}

enum err cmd_sim_population(struct cli *cli, const void *args)
{
	struct people p = {.cli = cli, .args = args, .arena = arena_new((size_t)2 * POPULATION_BYTES_MAX)};
	enum err e = scenario_load(p.args->scenario, &p.scenario, &cli->problem);

	if (!e)
		e = act(&p);
	buf_free(&p.left_out);
	population_free(&p.population);
	scenario_free(&p.scenario);
	arena_destroy(&p.arena);
	return e;
}
