/*
 * work import: the items of a file, in order, a batch at a time.
 *
 * src/import/ has put each item after those it waits for. Within a batch a dependency stands as its key; an item of
 * an earlier batch has an id by then, and is named by it, so it does not matter whether it has finished meanwhile.
 * What waits for an entry that was refused is refused too, unless it does not care (on_failure ignore).
 *
 * Keys make it repeatable: what is there already answers with the item there is, and says so.
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "import/import.h"

#include <unistd.h>

enum { BATCH_ITEMS = 500, BATCH_BYTES = 8 << 20, FILE_MAX = 1 << 30, ARENA_MAX = INT32_MAX, REFUSED = -1 };

static const char dpkg_status[] = "/var/lib/dpkg/status";

struct import {
	struct cli *cli;
	const struct import_args *args;
	struct client *client;
	struct arena *arena; /* of the whole import */
	struct arena *call;  /* of one batch */
	struct import_result result;
	struct import_report report;
	int64_t *ids; /* of each item; 0: not sent yet, or REFUSED */
};

/* ---- the report ---- */

static void add_line(struct import_line *v, size_t *count, size_t line, struct str text)
{
	struct import_line *l = &v[(*count)++];

	l->line = (int64_t)line;
	l->text = text;
}

/* Room for a refusal of every item and for everything the importer had to say. */
static bool make_room(struct import *im)
{
	const struct import_result *r = &im->result;
	struct import_report *out = &im->report;

	out->refusals = ARENA_ARRAY(im->arena, struct import_line, r->item_count + r->fault_count);
	out->remarks = ARENA_ARRAY(im->arena, struct import_line, r->fault_count);
	out->cycles = ARENA_ARRAY(im->arena, struct import_knot, r->cycle_count);
	im->ids = ARENA_ARRAY(im->arena, int64_t, r->item_count);
	return out->refusals && out->remarks && out->cycles && im->ids;
}

static void add_refusal(struct import *im, size_t line, struct str why)
{
	add_line(im->report.refusals, &im->report.refusals_count, line, why);
	im->report.refused++;
}

static void refuse(struct import *im, size_t i, struct str why)
{
	im->ids[i] = REFUSED;
	add_refusal(im, im->result.items[i].line, why);
}

static void take_faults(struct import *im)
{
	const struct import_result *r = &im->result;
	struct import_report *out = &im->report;

	for (size_t i = 0; i < r->fault_count; i++) {
		if (r->faults[i].refused)
			add_refusal(im, r->faults[i].line, r->faults[i].text);
		else
			add_line(out->remarks, &out->remarks_count, r->faults[i].line, r->faults[i].text);
	}
	for (size_t i = 0; i < r->cycle_count; i++) {
		struct import_knot *k = &out->cycles[out->cycles_count++];

		k->members = r->cycles[i].members;
		k->cuts = r->cycles[i].cuts;
		out->cuts += (int64_t)r->cycles[i].cut_count;
	}
}

static void add_lines(struct buf *b, const char *title, const struct import_line *v, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_fmt(b, "%s line %lld: ", title, (long long)v[i].line);
		json_show_text(v[i].text, b);
		buf_c(b, '\n');
	}
}

static void report_for_people(const struct import *im, struct buf *b)
{
	const struct import_report *r = &im->report;

	for (size_t i = 0; i < r->cycles_count; i++) {
		buf_z(b, "cycle: ");
		json_show_field(&type_import_knot, import_knot__members, &r->cycles[i], b);
		buf_z(b, " wait for each other; ");
		json_show_field(&type_import_knot, import_knot__cuts, &r->cycles[i], b);
		buf_c(b, '\n');
	}
	add_lines(b, "remark:", r->remarks, r->remarks_count);
	add_lines(b, "refused:", r->refusals, r->refusals_count);
	buf_fmt(b, "%lld %s, %lld already there, %lld refused, %zu cycle%s undone by cutting %lld dependenc%s\n",
		(long long)r->imported, im->args->dry_run ? "to import" : "imported", (long long)r->already_there,
		(long long)r->refused, r->cycles_count, r->cycles_count == 1 ? "" : "s", (long long)r->cuts,
		r->cuts == 1 ? "y" : "ies");
}

static void print_report(const struct import *im)
{
	struct buf b = BUF_INIT(1 << 30);

	if (im->cli->globals.json) {
		json_encode(&type_import_report, &im->report, 0, &b);
		buf_c(&b, '\n');
	} else {
		report_for_people(im, &b);
	}
	fwrite(buf_cstr(&b), 1, b.n, stdout);
	buf_free(&b);
}

static void show_progress(const struct import *im, size_t sent)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%zu of %zu sent%s", sent, im->result.item_count,
			sent == im->result.item_count ? "\r\033[K" : "");
}

/* ---- batches ---- */

/* Dependencies on items of earlier batches by id. Returns false when one was refused and this item needs it. */
static bool resolve(struct import *im, size_t first, size_t i)
{
	struct import_item *item = &im->result.items[i];
	struct work_new *w = &item->work;
	size_t kept = 0;

	for (size_t k = 0; k < w->depends_on_count; k++) {
		struct work_dependency *d = &w->depends_on[k];
		uint32_t to = item->waits_for[k];

		if (to != IMPORT_OUTSIDE && im->ids[to] == REFUSED) {
			if (d->on_failure == ON_FAILURE_IGNORE)
				continue;
			refuse(im, i, arena_fmt(im->arena, "waits for %.*s, which was refused", STRF(d->key)));
			return false;
		}
		if (to != IMPORT_OUTSIDE && to < first) {
			PUT(d, work_dependency, id, im->ids[to]);
			d->seen &= ~BIT(work_dependency, key);
		}
		item->waits_for[kept] = to;
		w->depends_on[kept++] = *d;
	}
	w->depends_on_count = kept;
	return true;
}

static size_t encoded_size(const struct work_new *w)
{
	struct buf b = BUF_INIT(0);
	size_t n;

	json_encode(&type_work_new, w, 0, &b);
	n = b.n;
	buf_free(&b);
	return n;
}

/* A batch on its way: which items its entries are. */
struct batch {
	struct work_batch_in in;
	size_t item[BATCH_ITEMS];
};

/* Fills the batch from item `first` on; returns the item after it. */
static size_t gather(struct import *im, struct batch *b, size_t first)
{
	size_t bytes = 0, i = first;

	b->in = (struct work_batch_in){.items = ARENA_ARRAY(im->call, struct work_new, BATCH_ITEMS)};
	for (; b->in.items && i < im->result.item_count && b->in.items_count < BATCH_ITEMS; i++) {
		const struct work_new *w = &im->result.items[i].work;

		if (!resolve(im, first, i))
			continue; /* told */
		bytes += encoded_size(w);
		if (bytes > BATCH_BYTES && b->in.items_count > 0)
			return i;
		b->item[b->in.items_count] = i;
		b->in.items[b->in.items_count++] = *w;
	}
	return i;
}

static void take_result(struct import *im, size_t i, const struct work_batch_result *r)
{
	if (!HAS(r, work_batch_result, id)) {
		refuse(im, i, arena_str(im->arena, r->error.detail));
		return;
	}
	im->ids[i] = r->id;
	if (r->existed)
		im->report.already_there++;
	else
		im->report.imported++;
}

static enum err send_batch(struct import *im, const struct batch *b)
{
	struct work_batch_out out = {0};
	enum err e;

	if (b->in.items_count == 0)
		return OK;
	e = client_call(im->client, ROUTE_work_batch, &b->in, im->call, &out, NULL, &im->cli->problem);
	if (!e && out.items_count != b->in.items_count)
		e = problem_set(&im->cli->problem, ERR_INTERNAL, "the server answered %zu entries for %zu",
				out.items_count, b->in.items_count);
	for (size_t k = 0; k < out.items_count && !e; k++)
		take_result(im, b->item[k], &out.items[k]);
	return e;
}

static enum err send_all(struct import *im)
{
	struct batch *b = ARENA_NEW(im->arena, struct batch);
	enum err e = b ? OK : ERR_TOO_LARGE;

	for (size_t i = 0; i < im->result.item_count && !e;) {
		arena_reset(im->call);
		i = gather(im, b, i);
		e = send_batch(im, b);
		if (!e)
			show_progress(im, i);
	}
	return e;
}

static enum err send_items(struct import *im)
{
	enum err e = cli_connect(im->cli, &im->client);

	if (e)
		return e;
	im->call = arena_new(ARENA_MAX);
	e = send_all(im);
	if (e && im->report.imported)
		fprintf(stderr,
			"tenfold: work import: stopped after %lld items; items with a key are not added twice by "
			"another run\n",
			(long long)im->report.imported);
	arena_destroy(&im->call);
	client_destroy(&im->client);
	return e;
}

/* ---- the file ---- */

static enum err read_items(struct import *im)
{
	const struct import_options options = {.type = im->args->type, .team = im->args->team};
	struct problem *p = &im->cli->problem;
	struct str file = im->args->file, text;
	enum err e = ERR_USAGE;

	if (file.n == 0 && im->args->format != IMPORT_DPKG)
		return problem_set(p, e, "no file is named; name one, or - for standard input");
	e = cli_read_file(file.n ? file : str_of(dpkg_status), FILE_MAX, im->arena, &text, p);
	if (e)
		return e;
	switch ((enum import_format)im->args->format) {
	case IMPORT_DPKG:
		e = import_dpkg(text, &options, im->arena, &im->result);
		break;
	case IMPORT_JSONL:
		e = import_jsonl(text, &options, im->arena, &im->result);
		break;
	}
	return e || !make_room(im) ? problem_set(p, ERR_TOO_LARGE, "the file is too large; split it") : OK;
}

enum err cmd_work_import(struct cli *cli, const void *args)
{
	struct import im = {.cli = cli, .args = args, .arena = arena_new(ARENA_MAX)};
	enum err e = read_items(&im);

	if (!e) {
		take_faults(&im);
		if (im.args->dry_run)
			im.report.imported = (int64_t)im.result.item_count;
		else
			e = send_items(&im);
	}
	if (!e) {
		print_report(&im);
		cli->exit_code = im.report.refused ? 1 : 0;
	}
	arena_destroy(&im.arena);
	return e;
}
