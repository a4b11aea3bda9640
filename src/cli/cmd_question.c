/* question ask: as the command of a step. What is needed of the step, its worker has put into the environment. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"

#include <stdlib.h>

/* From its flag, else from the environment. */
static enum err take(struct cli *cli, uint32_t field, bool given, const char *variable, struct question_new *in)
{
	const char *text = getenv(variable);

	if (given)
		return OK;
	if (!text || !*text)
		return problem_set(
			&cli->problem, ERR_USAGE,
			"say which step asks with --execution, --step and --token; inside a step %s would say it",
			variable);
	return json_set_text(&type_question_new, field, str_of(text), cli->arena, in, &cli->problem);
}

static void take_flags(const struct question_ask_args *args, struct question_new *in)
{
	PUT(in, question_new, text, args->text);
	if (HAS(args, question_ask_args, kind))
		PUT(in, question_new, kind, args->kind);
	if (HAS(args, question_ask_args, execution))
		PUT(in, question_new, id, args->execution);
	if (HAS(args, question_ask_args, step))
		PUT(in, question_new, step, args->step);
	if (HAS(args, question_ask_args, token))
		PUT(in, question_new, token, args->token);
	if (HAS(args, question_ask_args, wait))
		PUT(in, question_new, wait_ms, args->wait);
	if (HAS(args, question_ask_args, again))
		PUT(in, question_new, again_ms, args->again);
}

enum err cmd_question_ask(struct cli *cli, const void *given)
{
	struct question_new in = {0};
	struct question_stand out;
	struct client *client;
	enum err e;

	take_flags(given, &in);
	e = take(cli, question_new__id, HAS(&in, question_new, id), "TENFOLD_WORK_EXECUTION", &in);
	if (!e)
		e = take(cli, question_new__step, HAS(&in, question_new, step), "TENFOLD_WORK_STEP", &in);
	if (!e)
		e = take(cli, question_new__token, HAS(&in, question_new, token), "TENFOLD_WORK_TOKEN", &in);
	if (!e)
		e = cli_connect(cli, &client);
	if (e)
		return e;
	e = client_call(client, ROUTE_question_ask, &in, cli->arena, &out, NULL, &cli->problem);
	if (!e)
		print_answer(cli, &type_question_stand, &out, "");
	client_destroy(&client);
	return e;
}
