/*
 * sim report: what came of a simulated run.
 */
#include "cli/cli.h"

#include "base/clock.h"
#include "sim/report.h"
#include "sim/report_types.h"

enum { RUN_BYTES_MAX = 1 << 30 };

/* A run of many cycles is larger than what other verbs keep. */
static enum err make(const struct sim_report_args *given, struct arena *a, struct sim_report *out,
		     struct problem *p)
{
	struct clock *clock = clock_system_new();
	struct report_source from;
	enum err e = report_find(given->run, given->dir, a, &from, p);

	from.store = given->store;
	from.now_ms = clock_now_ms(clock);
	clock_system_destroy(&clock);
	return e ? e : report_make(&from, a, out, p);
}

static enum err choose(const struct cli *cli, const struct sim_report_args *given, enum report_format *out,
		       struct problem *p)
{
	if (cli->globals.json + given->html + given->csv + given->markdown > 1)
		return problem_set(p, ERR_USAGE, "give one of --json, --html, --csv and --markdown");
	if (HAS(given, sim_report_args, table) && !given->csv)
		return problem_set(p, ERR_USAGE, "--table is for --csv");
	*out = cli->globals.json ? REPORT_JSON
	       : given->html     ? REPORT_HTML
	       : given->csv      ? REPORT_CSV
				 : REPORT_MARKDOWN;
	return OK;
}

static enum err no_table(struct str name, struct problem *p)
{
	struct buf b = BUF_INIT(0);

	for (const char *const *t = report_tables(); *t; t++)
		buf_fmt(&b, "%s%s", b.n ? ", " : "", *t);
	problem_field(p, ERR_USAGE, "table", "there is no %.*s: it is one of %s", STRF(name), buf_cstr(&b));
	buf_free(&b);
	return ERR_USAGE;
}

enum err cmd_sim_report(struct cli *cli, const void *args)
{
	const struct sim_report_args *given = args;
	struct arena *a = arena_new(RUN_BYTES_MAX);
	struct buf b = BUF_INIT(RUN_BYTES_MAX);
	enum report_format format = REPORT_MARKDOWN;
	struct sim_report report;
	enum err e = choose(cli, given, &format, &cli->problem);

	if (!e)
		e = make(given, a, &report, &cli->problem);
	if (!e && !report_write(&report, format, given->table, &b))
		e = no_table(given->table, &cli->problem);
	if (!e && !buf_ok(&b))
		e = problem_set(&cli->problem, ERR_TOO_LARGE, "the report would be over %d bytes", RUN_BYTES_MAX);
	if (!e)
		fwrite(buf_cstr(&b), 1, b.n, stdout);
	buf_free(&b);
	arena_destroy(&a);
	return e;
}
