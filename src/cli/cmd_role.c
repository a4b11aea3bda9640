/*
 * role command, role resolve, role explain: one question, asked and answered in three ways. The command goes to
 * stdout and nothing else does, because people put it into $(…); whatever is to be said about it goes to stderr.
 */
#include "cli/role.h"

#include "cli/print.h"

struct asked {
	struct role_desk desk;
	struct role_query query;
	struct role_answer answer;
	struct role_command command;
};

static struct role_query query_of(const struct role_args *a)
{
	return (struct role_query){
		.role = a->role,
		.rig = a->rig,
		.name = a->name,
		.type = a->type,
		.labels = {a->label, a->label_count, false},
		.agent = a->agent,
		.model = a->model,
		.effort = a->effort,
		.account = a->account,
		.compat = a->compat,
	};
}

static void warn(const struct asked *k)
{
	for (size_t i = 0; i < k->answer.warning_count; i++)
		role_warn(k->desk.cli, &k->answer.warnings[i], k->query.compat);
	for (size_t i = 0; i < k->command.unset.n; i++)
		fprintf(stderr,
			"tenfold: %s: warning: %.*s is not set in this environment, so what names it is empty\n",
			k->desk.cli->verb->name, STRF(k->command.unset.v[i]));
}

/* Gas Town drops it without a word, and its users wonder. */
static void warn_of_lost_prompt(const struct asked *k, struct str prompt)
{
	if (prompt.n && !k->query.compat && k->answer.runtime.prompt_mode == PROMPT_NONE)
		fprintf(stderr,
			"tenfold: %s: warning: %.*s takes no prompt at its start (prompt_mode none): it is left "
			"out\n",
			k->desk.cli->verb->name, STRF(k->answer.runs));
}

/* `spawn`: what is answered will be started, so pools take turns. */
static enum err ask(struct cli *cli, const struct role_args *args, bool spawn, struct asked *k)
{
	const struct command_options options = {.prompt = args->prompt, .resume = args->resume};
	enum err e;

	*k = (struct asked){.query = query_of(args)};
	k->query.spawn = spawn;
	e = role_open(cli, args->town, &k->desk);
	if (e)
		return e;
	town_refresh(k->desk.town);
	e = role_resolve(k->desk.town, &k->query, k->desk.state, cli->arena, &k->answer, &cli->problem);
	if (!e)
		e = role_command(k->desk.town, &k->query, &k->answer, &options, cli->arena, &k->command,
				 &cli->problem);
	if (!e)
		warn_of_lost_prompt(k, args->prompt);
	return e;
}

static void print_resolved(const struct asked *k)
{
	struct role_resolved out = {0};

	role_report(&k->query, &k->answer, &k->command, false, k->desk.cli->arena, &out);
	print_answer(k->desk.cli, &type_role_resolved, &out, k->desk.cli->verb->columns);
}

enum err cmd_role_command(struct cli *cli, const void *args)
{
	struct asked k;
	enum err e = ask(cli, args, true, &k);

	warn(&k);
	if (!e && cli->globals.json)
		print_resolved(&k);
	else if (!e)
		printf("%.*s\n", STRF(k.command.shell));
	role_close(&k.desk);
	return e;
}

enum err cmd_role_resolve(struct cli *cli, const void *args)
{
	struct asked k;
	enum err e = ask(cli, args, false, &k);

	if (!e)
		print_resolved(&k);
	if (e || !cli->globals.json)
		warn(&k);
	role_close(&k.desk);
	return e;
}

/* ---- explain ---- */

static void add(struct buf *b, const char *before, struct str text)
{
	if (!text.n)
		return;
	buf_z(b, before);
	json_show_text(text, b);
}

static void explain_answer(const struct role_resolved *r, struct buf *b)
{
	add(b, "", r->role);
	add(b, " of ", r->rig);
	add(b, " runs ", r->runs);
	if (!str_eq(r->runs, r->agent))
		add(b, " in place of ", r->agent);
	add(b, ", model ", r->model);
	add(b, ", effort ", r->effort);
	if (!r->would_run)
		buf_z(b, "; it cannot be started");
	else if (!r->as_written)
		buf_z(b, "; that is not what the files say");
	buf_c(b, '\n');
}

static void explain_place(struct str file, int64_t line, int64_t column, struct buf *b)
{
	if (!file.n)
		return;
	buf_z(b, "  (");
	json_show_text(file, b);
	if (line)
		buf_fmt(b, ":%lld:%lld", (long long)line, (long long)column);
	buf_c(b, ')');
}

static void explain_steps(const struct role_resolved *r, struct buf *b)
{
	for (size_t i = 0; i < r->steps_count; i++) {
		const struct role_step *s = &r->steps[i];

		buf_fmt(b, "%s %-15.*s ", s->matched ? "=>" : "  ", STRF(s->rule));
		json_show_text(s->why, b);
		explain_place(s->file, s->line, s->column, b);
		buf_c(b, '\n');
	}
}

static void explain_sources(const struct role_resolved *r, struct buf *b)
{
	for (size_t i = 0; i < r->sources_count; i++) {
		const struct role_source *s = &r->sources[i];

		buf_fmt(b, "%.*s ", STRF(s->what));
		json_show_text(s->value, b);
		if (s->file.n)
			explain_place(s->file, s->line, s->column, b);
		else
			buf_z(b, "  (in no file)");
		buf_c(b, '\n');
	}
}

/* An error ends the rules, but those before it say how it came about. */
static void explain(const struct role_resolved *r, bool answered)
{
	struct buf b = BUF_INIT(0);

	if (answered)
		explain_answer(r, &b);
	explain_steps(r, &b);
	if (answered)
		explain_sources(r, &b);
	fwrite(buf_cstr(&b), 1, b.n, stdout);
	buf_free(&b);
}

enum err cmd_role_explain(struct cli *cli, const void *args)
{
	struct role_resolved out = {0};
	struct asked k;
	enum err e = ask(cli, args, false, &k);

	if (e)
		role_report_steps(&k.answer, cli->arena, &out);
	else
		role_report(&k.query, &k.answer, &k.command, false, cli->arena, &out);
	if (!cli->globals.json)
		explain(&out, !e);
	else if (!e)
		print_answer(cli, &type_role_resolved, &out, cli->verb->columns);
	if (e || !cli->globals.json)
		warn(&k);
	role_close(&k.desk);
	return e;
}
