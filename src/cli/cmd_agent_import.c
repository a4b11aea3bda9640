/*
 * agent import: files of others as agents of the directory.
 *
 *   file ──bytes──► src/import/ ──an agent──► agent_batches.c ──► server ──► what became of it
 *
 * Everything goes by as it is read: the import holds a few batches, not the file. Handles depend on what is imported
 * alone, so that an import that ended early is simply run again.
 */
#include "cli/agent_batches.h"
#include "cli/agent_file.h"
#include "cli/cli.h"
#include "cli/print.h"
#include "cli/stream.h"
#include "import/agents.h"

#include <unistd.h>

enum { REFUSALS_MAX = 1000, PROGRESS_EVERY_MS = 200, CAPABILITIES_MAX = 1000 };

struct agent_run {
	struct cli *cli;
	const struct agent_import_args *args;
	struct client *client;   /* NULL for a dry run, but of cards */
	struct batches *batches; /* NULL for a dry run */
	const char *path;        /* of the file that is read now */
	struct agent_import_report report;
	int64_t read;
	int64_t begun_ms, shown_ms;
	enum err err; /* what ended it */
};

/* ---- progress ---- */

/* Before something is told on standard error: what a dry run has printed stands above it. */
static void clear_progress(const struct agent_run *run)
{
	fflush(stdout);
	if (run->shown_ms)
		fputs("\r\033[K", stderr);
}

static void show_progress(struct agent_run *run)
{
	const struct agent_import_report *r = &run->report;
	int64_t now = stream_now_ms(), done = r->added + r->changed + r->unchanged;

	if (!run->batches || !isatty(STDERR_FILENO) || now - run->shown_ms < PROGRESS_EVERY_MS)
		return;
	run->shown_ms = now;
	fprintf(stderr, "\r\033[K%lld read, %lld done, %lld refused, %lld/s", (long long)run->read, (long long)done,
		(long long)r->refused, (long long)(done * 1000 / (now - run->begun_ms + 1)));
}

/* ---- telling ---- */

static void keep_refusal(struct agent_run *run, const char *file, size_t line, struct str why)
{
	struct agent_import_line *l = &run->report.refusals[run->report.refusals_count++];

	l->file = str_of(file);
	l->line = (int64_t)line;
	l->text = arena_str(run->cli->arena, why);
}

static void tell_line(struct agent_run *run, const char *file, size_t line, const char *kind, struct str what)
{
	struct buf b = BUF_INIT(0);

	json_show_text(what, &b);
	clear_progress(run);
	fprintf(stderr, "%s:%zu: %s: %s\n", file, line, kind, buf_cstr(&b));
	buf_free(&b);
}

static void refuse(struct agent_run *run, const char *file, size_t line, struct str why)
{
	run->report.refused++;
	if (run->report.refusals_count < REFUSALS_MAX)
		keep_refusal(run, file, line, why);
	if (!run->cli->globals.json || run->args->dry_run)
		tell_line(run, file, line, "refused", why);
}

static bool on_told(void *ctx, size_t line, bool refused, struct str what)
{
	struct agent_run *run = ctx;

	if (refused)
		refuse(run, run->path, line, what);
	else if (!run->cli->globals.json)
		tell_line(run, run->path, line, "remark", what);
	return true;
}

static void on_result(void *ctx, const char *file, size_t line, const struct agent_batch_result *r)
{
	struct agent_run *run = ctx;

	if (HAS(r, agent_batch_result, error))
		refuse(run, file, line, r->error.detail);
	else if (!r->existed)
		run->report.added++;
	else if (r->changed)
		run->report.changed++;
	else
		run->report.unchanged++;
	show_progress(run);
}

/* ---- agents ---- */

static void print_agent(const struct agent_run *run, const struct agent_new *agent, struct str json)
{
	struct buf b = BUF_INIT(0);
	struct str rest, first = str_cut(agent->description, '\n', &rest);

	if (run->cli->globals.json) {
		buf_str_add(&b, json);
	} else {
		buf_fmt(&b, "%-32.*s  ", STRF(agent->handle));
		json_show_text(agent->name, &b);
		buf_z(&b, first.n ? ": " : "");
		json_show_text(first, &b);
	}
	puts(buf_cstr(&b));
	buf_free(&b);
}

static bool on_agent(void *ctx, size_t line, const struct agent_new *agent, struct str json)
{
	struct agent_run *run = ctx;

	run->read++;
	if (run->batches)
		run->err = batches_add(run->batches, agent, json.n, run->path, line);
	else
		print_agent(run, agent, json);
	show_progress(run);
	return !run->err;
}

/* ---- the report ---- */

static void print_counts(const struct agent_run *run, FILE *to)
{
	const struct agent_import_report *r = &run->report;

	if (run->args->dry_run)
		fprintf(to, "%lld to send, ", (long long)run->read);
	else
		fprintf(to, "%lld added, %lld changed, %lld unchanged, ", (long long)r->added,
			(long long)r->changed, (long long)r->unchanged);
	fprintf(to, "%lld refused, %lld repeated or outdated in %.1f s\n", (long long)r->refused,
		(long long)r->passed_over, r->seconds);
}

static void print_report(const struct agent_run *run)
{
	struct buf b = BUF_INIT(0);

	clear_progress(run);
	if (run->args->dry_run || !run->cli->globals.json) {
		print_counts(run, run->args->dry_run ? stderr : stdout);
		return;
	}
	json_encode(&type_agent_import_report, &run->report, 0, &b);
	puts(buf_cstr(&b));
	buf_free(&b);
}

/* ---- the verb ---- */

typedef void take_file_fn(struct agent_import *im, import_read_fn *read, void *ctx);

static enum err read_file(struct agent_run *run, struct agent_import *im, take_file_fn *take, const char *path)
{
	struct agent_file file;
	enum err e = agent_file_open(&file, path, &run->cli->problem);

	if (e)
		return e;
	run->path = path;
	take(im, agent_file_read, &file);
	return agent_file_close(&file, !run->err, &run->cli->problem);
}

static enum err read_files(struct agent_run *run, const struct agent_import_options *options,
			   const struct agent_paths *paths)
{
	struct agent_import *im = agent_import_new(options, &(struct agent_sink){on_agent, on_told, run});
	enum err e = OK;

	for (size_t i = 0; i < paths->details.n && !e; i++)
		e = read_file(run, im, agent_import_details, paths->details.v[i]);
	for (size_t i = 0; i < paths->agents.n && !e && !run->err; i++)
		e = read_file(run, im, agent_import_file, paths->agents.v[i]);
	run->report.passed_over = agent_import_repeated(im);
	agent_import_destroy(&im);
	return e;
}

/* What was read before something went wrong is sent all the same, and counted. */
static enum err read_and_send(struct agent_run *run, const struct agent_import_options *options,
			      const struct agent_paths *paths)
{
	const struct batches_config config = {run->client, (enum on_existing)run->args->on_existing, on_result,
					      run};
	struct problem p = {0};
	enum err e, sent = OK;

	if (!run->args->dry_run)
		run->batches = batches_new(&config);
	e = read_files(run, options, paths);
	if (run->batches)
		sent = batches_finish(run->batches, &p);
	batches_destroy(&run->batches);
	if (!e && sent)
		run->cli->problem = p;
	return e ? e : sent;
}

/* The slugs that skills of cards may stand for: the first thousand. */
static enum err find_capabilities(struct agent_run *run, struct agent_import_options *options)
{
	struct capability_list_in in = {0};
	struct capability_list_out out;
	enum err e;

	PUT(&in, capability_list_in, limit, CAPABILITIES_MAX);
	e = client_call(run->client, ROUTE_capability_list, &in, run->cli->arena, &out, NULL, &run->cli->problem);
	if (!e) {
		struct str *slugs = ARENA_ARRAY(run->cli->arena, struct str, out.items_count);

		for (size_t i = 0; slugs && i < out.items_count; i++)
			slugs[i] = arena_str(run->cli->arena, out.items[i].slug);
		options->capabilities = slugs;
		options->capability_count = slugs ? out.items_count : 0;
	}
	return e;
}

static enum err run_import(struct agent_run *run, const struct agent_paths *paths)
{
	const struct agent_import_args *args = run->args;
	struct agent_import_options options = {
		.format = (enum agent_format)args->format,
		.says_visibility = HAS(args, agent_import_args, visibility),
		.visibility = (enum visibility)args->visibility,
	};
	bool cards = options.format == AGENTS_A2A_CARD;
	enum err e = args->dry_run && !cards ? OK : cli_connect(run->cli, &run->client);

	if (!e && cards)
		e = find_capabilities(run, &options);
	if (!e)
		e = read_and_send(run, &options, paths);
	run->report.seconds = (double)(stream_now_ms() - run->begun_ms) / 1000;
	if (!e || run->read || run->report.refused)
		print_report(run);
	client_destroy(&run->client);
	return e;
}

enum err cmd_agent_import(struct cli *cli, const void *args)
{
	struct agent_run run = {.cli = cli, .args = args, .begun_ms = stream_now_ms()};
	struct agent_paths paths = {0};
	enum err e;

	run.report.refusals = ARENA_ARRAY(cli->arena, struct agent_import_line, REFUSALS_MAX);
	e = agent_paths_find((enum agent_format)run.args->format, run.args->file, run.args->file_count, cli->arena,
			     &paths, &cli->problem);
	if (!e)
		e = run_import(&run, &paths);
	agent_paths_free(&paths);
	cli->exit_code = run.report.refused ? 1 : 0;
	return e;
}
