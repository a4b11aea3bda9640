/*
 * Verbs of executions that take a step by its name or its id: execution result, which shows what the steps brought
 * forth, for people to read (a step that has none and did not fail is left out), and execution approve.
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"

#include "base/id.h"

enum { INDENT = 2 };

static bool is_meant(const struct execution_step *step, struct str named)
{
	int64_t id;

	return str_eq(step->name, named) || (id_parse(named, "st_", &id) && id == step->id);
}

static enum err no_step(struct cli *cli, struct str named)
{
	return problem_set(&cli->problem, ERR_NOT_FOUND,
			   "the execution has no step '%.*s'; 'tenfold execution show' lists them", STRF(named));
}

static enum err show(struct cli *cli, struct client *client, int64_t id, struct execution *out)
{
	return client_call(client, ROUTE_execution_show, &(struct execution_ref){.id = id}, cli->arena, out, NULL,
			   &cli->problem);
}

/* ---- execution result ---- */

static bool has_something(const struct execution_step *step)
{
	return HAS(step, execution_step, result) || HAS(step, execution_step, error);
}

static void take(const struct execution_step *step, struct step_result *to)
{
	*to = (struct step_result){.id = step->id, .name = step->name, .kind = step->kind, .state = step->state};
	if (HAS(step, execution_step, result))
		PUT(to, step_result, result, step->result);
	if (HAS(step, execution_step, error))
		PUT(to, step_result, error, step->error);
}

/* A step that was named is there also when it has nothing yet. */
static enum err choose(struct cli *cli, const struct execution_result_args *args, const struct execution *of,
		       struct execution_results *out)
{
	bool all = !HAS(args, execution_result_args, step);

	out->items = ARENA_ARRAY(cli->arena, struct step_result, of->steps_count);
	if (!out->items)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < of->steps_count; i++)
		if (all ? has_something(&of->steps[i]) : is_meant(&of->steps[i], args->step))
			take(&of->steps[i], &out->items[out->items_count++]);
	if (!all && out->items_count == 0)
		return no_step(cli, args->step);
	return OK;
}

static void print_one(const struct step_result *step, struct arena *a, struct buf *b)
{
	json_show_text(step->name, b);
	buf_fmt(b, "  %s  %s\n", enum_step_kind.values[step->kind].text, enum_step_state.values[step->state].text);
	if (HAS(step, step_result, result))
		print_value(step->result, INDENT, a, b);
	if (HAS(step, step_result, error)) {
		buf_fmt(b, "%*serror: ", INDENT, "");
		print_lines(step->error, INDENT, b);
		buf_c(b, '\n');
	}
}

static void print_all(struct cli *cli, const struct execution_results *results)
{
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; i < results->items_count; i++) {
		buf_z(&b, i ? "\n" : "");
		print_one(&results->items[i], cli->arena, &b);
	}
	if (results->items_count == 0)
		buf_z(&b, "(none)\n");
	fwrite(buf_cstr(&b), 1, b.n, stdout);
	buf_free(&b);
}

enum err cmd_execution_result(struct cli *cli, const void *given)
{
	const struct execution_result_args *args = given;
	struct execution_results results = {0};
	struct execution execution;
	struct client *client;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	e = show(cli, client, args->id, &execution);
	if (!e)
		e = choose(cli, args, &execution, &results);
	if (!e && cli->globals.json)
		print_answer(cli, &type_execution_results, &results, "");
	else if (!e)
		print_all(cli, &results);
	client_destroy(&client);
	return e;
}

/* ---- execution approve ---- */

static enum err find_step(struct cli *cli, struct client *client, const struct execution_approve_args *args,
			  int64_t *step)
{
	struct execution execution;
	enum err e;

	if (id_parse(args->step, "st_", step))
		return OK;
	e = show(cli, client, args->id, &execution);
	if (e)
		return e;
	for (size_t i = 0; i < execution.steps_count; i++)
		if (str_eq(execution.steps[i].name, args->step)) {
			*step = execution.steps[i].id;
			return OK;
		}
	return no_step(cli, args->step);
}

enum err cmd_execution_approve(struct cli *cli, const void *given)
{
	const struct execution_approve_args *args = given;
	struct execution_approve_in in = {.id = args->id, .approve = args->approve};
	struct execution_stand out;
	struct client *client;
	enum err e = cli_connect(cli, &client);

	if (e)
		return e;
	if (HAS(args, execution_approve_args, note))
		PUT(&in, execution_approve_in, note, args->note);
	e = find_step(cli, client, args, &in.step);
	if (!e)
		e = client_call(client, ROUTE_execution_approve, &in, cli->arena, &out, NULL, &cli->problem);
	if (!e)
		print_answer(cli, &type_execution_stand, &out, "");
	client_destroy(&client);
	return e;
}
