/*
 * sim scenario list|show|check: what a simulated population does, as files.
 */
#include "cli/cli.h"

#include "cli/print.h"
#include "sim/scenario.h"

enum { SCENARIO_BYTES_MAX = 8 << 20 };

/* ---- list ---- */

static void describe(const struct scenario *s, const struct scenario_text *built_in, struct arena *a,
		     struct sim_scenario_item *out)
{
	unsigned count = scenario_parameter_count(s);

	*out = (struct sim_scenario_item){.name = str_of(built_in->name),
					  .attributes = scenario_attribute_count(s),
					  .states = scenario_state_count(s),
					  .requests = scenario_endpoint_count(s),
					  .parameters = ARENA_ARRAY(a, struct str, count)};
	PUT(out, sim_scenario_item, about, str_of(built_in->about));
	if (scenario_profile(s).n)
		PUT(out, sim_scenario_item, profile, arena_str(a, scenario_profile(s)));
	for (unsigned i = 0; out->parameters && i < count; i++)
		out->parameters[out->parameters_count++] = arena_str(a, scenario_parameter_name(s, i));
}

static enum err list(struct cli *cli)
{
	struct sim_scenarios found = {0};
	enum err e = OK;
	unsigned count = 0;

	while (scenario_built_in(count))
		count++;
	found.items = ARENA_ARRAY(cli->arena, struct sim_scenario_item, count);
	for (unsigned i = 0; !e && found.items && i < count; i++) {
		struct scenario *s = NULL;

		e = scenario_load(str_of(scenario_built_in(i)->name), &s, &cli->problem);
		if (!e)
			describe(s, scenario_built_in(i), cli->arena, &found.items[found.items_count++]);
		scenario_free(&s);
	}
	if (!e)
		print_answer(cli, &type_sim_scenarios, &found, cli->verb->columns);
	return e;
}

/* ---- show ---- */

/* The text of a built-in one, else of a file. */
static enum err text_of(struct cli *cli, struct str name, struct str *out)
{
	for (unsigned i = 0; scenario_built_in(i); i++)
		if (str_eqz(name, scenario_built_in(i)->name)) {
			*out = scenario_built_in(i)->text;
			return OK;
		}
	return cli_read_file(name, SCENARIO_BYTES_MAX, cli->arena, out, &cli->problem);
}

static enum err show(struct cli *cli, const struct sim_scenario_args *given)
{
	struct scenario *s = NULL;
	enum err e = scenario_load(given->scenario, &s, &cli->problem);

	if (!e)
		fwrite(scenario_text_of(s).p, 1, scenario_text_of(s).n, stdout);
	scenario_free(&s);
	return e;
}

/* ---- check ---- */

static void add_fault(struct sim_scenario_report *out, int line, const char *field, const char *detail,
		      struct arena *a)
{
	struct sim_scenario_fault *f = &out->faults[out->faults_count++];

	*f = (struct sim_scenario_fault){.line = line, .detail = arena_str(a, str_of(detail))};
	if (*field)
		PUT(f, sim_scenario_fault, field, arena_str(a, str_of(field)));
}

/* Faults of fields each with its line; what is no JSON, or is too large, is one fault of the whole. */
static void report_of(const struct problem *p, struct str text, struct arena *a, struct sim_scenario_report *out)
{
	*out = (struct sim_scenario_report){
		.fine = !p->err, .faults = ARENA_ARRAY(a, struct sim_scenario_fault, PROBLEM_FIELDS_MAX + 1)};
	if (!out->faults)
		return;
	for (unsigned i = 0; i < p->field_count; i++)
		add_fault(out, scenario_fault_line(text, p->fields[i].field), p->fields[i].field,
			  p->fields[i].detail, a);
	if (p->err && !p->field_count)
		add_fault(out, p->line, "", p->detail, a);
}

static void print_faults(const struct sim_scenario_report *r, struct str from)
{
	for (size_t i = 0; i < r->faults_count; i++) {
		const struct sim_scenario_fault *f = &r->faults[i];

		if (f->field.n)
			printf("%.*s:%lld: %.*s: %.*s\n", STRF(from), (long long)f->line, STRF(f->field),
			       STRF(f->detail));
		else
			printf("%.*s\n", STRF(f->detail));
	}
	fflush(stdout); /* the list comes first, also where both go to one place */
	if (r->fine)
		fprintf(stderr, "it can be run\n");
	else
		fprintf(stderr, "%zu fault%s%s: it cannot be run\n", r->faults_count,
			r->faults_count == 1 ? "" : "s", r->faults_count == PROBLEM_FIELDS_MAX ? " or more" : "");
}

static enum err check(struct cli *cli, const struct sim_scenario_args *given)
{
	struct sim_scenario_report report;
	struct problem found = {0};
	struct scenario *s = NULL;
	struct str text = {0};
	enum err e = scenario_load(given->scenario, &s, &found);

	scenario_free(&s);
	if (e == ERR_USAGE || e == ERR_TOO_LARGE) { /* there is no text to look for faults in */
		cli->problem = found;
		return e;
	}
	e = e ? text_of(cli, given->scenario, &text) : OK;
	if (e)
		return e;
	report_of(&found, text, cli->arena, &report);
	if (cli->globals.json)
		print_answer(cli, &type_sim_scenario_report, &report, cli->verb->columns);
	else
		print_faults(&report, given->scenario);
	cli->exit_code = !report.fine;
	return OK;
}

enum err cmd_sim_scenario(struct cli *cli, const void *args)
{
	const struct sim_scenario_args *given = args;

	if (given->action == SCENARIO_LIST)
		return list(cli);
	if (!HAS(given, sim_scenario_args, scenario))
		return problem_set(&cli->problem, ERR_USAGE, "%s needs the name of a scenario, or a file",
				   enum_sim_scenario_action.values[given->action].text);
	return given->action == SCENARIO_SHOW ? show(cli, given) : check(cli, given);
}
