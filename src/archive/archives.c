/* See archives.h. */
#include "archive/archives.h"

#include "base/id.h"
#include "base/vec.h"
#include "store/page.h"

#include <stdlib.h>

/* ---- archives ---- */

/* Texts are shared. */
static void show(const struct archive_state_row *row, struct archive *out)
{
	*out = (struct archive){.id = row->id,
				.state = (int)row->state,
				.from = row->from_ms,
				.to = row->to_ms,
				.executions = row->executions - row->restored,
				.bytes = row->bytes,
				.plain_bytes = row->plain_bytes,
				.created_at = row->created_ms};
	if (row->file.p)
		PUT(out, archive, file, row->file);
}

enum err archive_ask(struct db *db, enum archive_wish kind, int64_t tenant, int64_t before_ms)
{
	return q_archive_wish_put(db, &(struct archive_wish_row){(int64_t)kind, tenant, before_ms}, 1);
}

static enum err read_row(struct call *c, int64_t id, struct archive_state_row *out)
{
	enum err err = q_archive_get(c->db, &(struct id_row){id}, c->arena, out);

	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such archive here");
	return err;
}

enum err archive_show(struct call *c, int64_t id, struct archive *out)
{
	struct archive_state_row row;
	enum err err = read_row(c, id, &row);

	if (!err)
		show(&row, out);
	return err;
}

struct listing {
	struct call *c;
	struct archive_list_out *out;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;

	return q_archive_page(l->c->db, &(struct archive_page_in){l->c->caller.tenant, below, visit}, each,
			      each_ctx);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	struct archive_state_row row = *(const struct archive_state_row *)found;

	row.file = row.file.p ? arena_str(l->c->arena, row.file) : row.file;
	show(&row, &l->out->items[l->out->items_count++]);
	return true;
}

enum err archive_list(struct call *c, const struct archive_list_in *in, struct archive_list_out *out)
{
	struct listing l = {c, out};
	struct page_end end;
	enum err err;

	out->items = ARENA_ARRAY(c->arena, struct archive, PAGE_ROOM(in));
	err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, archive_list_in), c->arena,
			&c->problem, &end);
	if (!err)
		PAGE_PUT(out, archive_list_out, end);
	return err;
}

/* ---- what was put back ---- */

static enum err refuse_move(struct call *c)
{
	return call_fail(c, ERR_CONFLICT, "its archive is being written or moved; ask again in a moment");
}

enum err archive_restore(struct call *c, int64_t id, struct archive *out)
{
	struct archive_hold_out held;
	struct archive_state_row row;
	enum err err = read_row(c, id, &row);

	if (!err)
		err = q_archive_hold(c->db, &(struct id_row){id}, c->arena, &held);
	if (!err)
		err = read_row(c, id, &row);
	if (!err && (row.state == ARCHIVE_WRITING || row.state == ARCHIVE_MOVING))
		return refuse_move(c);
	if (!err && row.state == ARCHIVE_KEPT) {
		row.state = ARCHIVE_RESTORING;
		err = q_archive_set_state(c->db, &(struct archive_set_state_in){id, row.state}, 1);
	}
	if (!err)
		show(&row, out);
	return err;
}

/* ---- finding one ---- */

struct candidates {
	struct arena *arena;
	VEC(struct archive_state_row) rows;
};

static enum err take_candidate(void *ctx, const void *found)
{
	struct candidates *l = ctx;
	struct archive_state_row *row = VEC_PUSH(&l->rows);

	*row = *(const struct archive_state_row *)found;
	row->file = arena_str(l->arena, row->file);
	return OK;
}

static enum err was_restored(struct call *c, int64_t execution, int64_t archive)
{
	struct archive_restored_get_out out;

	return q_archive_restored_get(c->db, &(struct archive_restored_get_in){execution, archive}, c->arena, &out);
}

static enum err open_file(struct call *c, const char *folder, const struct archive_state_row *row,
			  struct archive_file **out)
{
	return archive_file_open(arena_fmt(c->arena, "%s/%.*s", folder, STRF(row->file)).p, row->id, out,
				 &c->problem);
}

/* ERR_NOT_FOUND: this archive does not have it. */
static enum err give_from(struct call *c, const char *folder, const struct archive_state_row *row,
			  int64_t execution, struct arena *a, archive_row_fn *fn, void *ctx)
{
	struct archive_file *f;
	size_t block;
	enum err err = was_restored(c, execution, row->id);

	if (err != ERR_NOT_FOUND)
		return err ? err : ERR_NOT_FOUND;
	err = open_file(c, folder, row, &f);
	if (!err)
		err = archive_file_find(f, execution, &block)
			      ? archive_block_each(f, block, execution, a, fn, ctx, &c->problem)
			      : ERR_NOT_FOUND;
	archive_file_close(&f);
	return err;
}

static enum err candidates_of(struct call *c, int64_t execution, struct candidates *out)
{
	*out = (struct candidates){.arena = c->arena};
	return q_archive_with(c->db, &(struct archive_with_in){c->caller.tenant, execution}, take_candidate, out);
}

enum err archive_find(struct call *c, const char *folder, int64_t execution, archive_row_fn *fn, void *ctx)
{
	struct candidates l;
	enum err err = candidates_of(c, execution, &l);

	if (!err)
		err = ERR_NOT_FOUND;
	for (size_t i = 0; i < l.rows.n && err == ERR_NOT_FOUND; i++)
		err = give_from(c, folder, &l.rows.v[i], execution, c->arena, fn, ctx);
	VEC_FREE(&l.rows);
	return err;
}

/* ---- putting one back ---- */

static enum err insert_row(void *ctx, const struct archive_row *row)
{
	struct db *db = ctx;

	switch (row->kind) {
	case ARCHIVE_EXECUTION:
		return q_execution_insert(db, &row->execution_row, 1);
	case ARCHIVE_STEP:
		return q_step_insert(db, &row->step_row, 1);
	case ARCHIVE_EVENT:
		return q_execution_event_insert(db, &row->event_row, 1);
	case ARCHIVE_ROW_KINDS:
		break;
	}
	return ERR_INTERNAL;
}

/* In memory of their own: a block may have more than a call is given. */
static enum err insert_rows(struct call *c, const char *folder, const struct archive_state_row *row,
			    int64_t execution)
{
	struct arena *block = arena_new(SIZE_MAX);
	enum err err = give_from(c, folder, row, execution, block, insert_row, c->db);

	arena_destroy(&block);
	return err;
}

static enum err restore_from(struct call *c, const char *folder, const struct archive_state_row *row,
			     int64_t execution)
{
	struct archive_hold_out held;
	struct archive_restored_row note = {execution, row->id, c->now_ms};
	struct archive_count_restored_in more = {row->id, 1};
	struct archive_state_row now = {0};
	enum err err = q_archive_hold(c->db, &(struct id_row){row->id}, c->arena, &held);

	if (!err)
		err = q_archive_get(c->db, &(struct id_row){row->id}, c->arena, &now);
	if (!err && now.state != ARCHIVE_KEPT)
		return refuse_move(c);
	if (!err)
		err = insert_rows(c, folder, row, execution);
	if (!err)
		err = q_archive_restored_insert(c->db, &note, 1);
	return err ? err : q_archive_count_restored(c->db, &more, 1);
}

enum err archive_restore_one(struct call *c, const char *folder, int64_t execution)
{
	struct candidates l;
	enum err err = candidates_of(c, execution, &l);

	if (!err)
		err = ERR_NOT_FOUND;
	for (size_t i = 0; i < l.rows.n && err == ERR_NOT_FOUND; i++)
		err = restore_from(c, folder, &l.rows.v[i], execution);
	VEC_FREE(&l.rows);
	return err;
}

/* ---- all of one ---- */

/* The executions of an archive below a cursor, from the highest id down. */
struct gathering {
	struct call *c;
	struct archive_file *file;
	int64_t below;
	size_t limit; /* one more than the page has */
	VEC(int64_t) restored;
	VEC(struct execution_row) block, found;
};

static enum err take_restored(void *ctx, const void *row)
{
	*VEC_PUSH(&((struct gathering *)ctx)->restored) = ((const struct archive_restored_all_out *)row)->execution;
	return OK;
}

static bool is_restored(const struct gathering *g, int64_t id)
{
	for (size_t i = 0; i < g->restored.n; i++)
		if (g->restored.v[i] == id)
			return true;
	return false;
}

static enum err take_execution(void *ctx, const struct archive_row *row)
{
	struct gathering *g = ctx;

	if (row->kind == ARCHIVE_EXECUTION && row->execution < g->below && !is_restored(g, row->execution)) {
		struct execution_row *kept = VEC_PUSH(&g->block);

		*kept = row->execution_row;
		row_keep(&Q_EXECUTION_INSERT, kept, g->c->arena);
	}
	return OK;
}

static enum err gather(struct gathering *g)
{
	struct arena *rows = arena_new(SIZE_MAX); /* of a block */
	enum err err = OK;

	for (size_t block = g->file->blocks; block-- > 0 && g->found.n < g->limit && !err;) {
		if (g->file->ids[archive_block_first(g->file, block)] >= g->below)
			continue;
		g->block.n = 0;
		err = archive_block_each(g->file, block, 0, rows, take_execution, g, &g->c->problem);
		arena_reset(rows);
		for (size_t i = g->block.n; i-- > 0 && g->found.n < g->limit;)
			*VEC_PUSH(&g->found) = g->block.v[i];
	}
	arena_destroy(&rows);
	return err;
}

static enum err read_cursor(struct call *c, const struct archive_executions_in *in, int64_t *below)
{
	*below = INT64_MAX;
	if (!HAS(in, archive_executions_in, cursor) || id_parse(in->cursor, "c_", below))
		return OK;
	return problem_field(&c->problem, ERR_INVALID, "cursor", "must be the next_cursor of a page");
}

static enum err open_kept(struct call *c, const char *folder, int64_t id, struct archive_file **out)
{
	struct archive_state_row row;
	enum err err = read_row(c, id, &row);

	*out = NULL;
	if (!err && !row.file.p)
		return OK;
	return err ? err : open_file(c, folder, &row, out);
}

enum err archive_executions(struct call *c, const char *folder, const struct archive_executions_in *in,
			    archive_take_fn *take, void *ctx, struct str *next)
{
	struct gathering g = {.c = c, .limit = (size_t)in->limit + 1};
	char text[ID_TEXT];
	enum err err = read_cursor(c, in, &g.below);

	*next = (struct str){0};
	if (!err)
		err = open_kept(c, folder, in->id, &g.file);
	if (!err)
		err = q_archive_restored_all(c->db, &(struct id_row){in->id}, take_restored, &g);
	if (!err && g.file)
		err = gather(&g);
	for (size_t i = 0; i < g.found.n && i + 1 < g.limit && !err; i++)
		take(ctx, &g.found.v[i]);
	if (!err && g.found.n == g.limit) {
		id_format(text, "c_", g.found.v[g.limit - 2].id);
		*next = arena_str(c->arena, str_of(text));
	}
	archive_file_close(&g.file);
	VEC_FREE(&g.restored);
	VEC_FREE(&g.block);
	VEC_FREE(&g.found);
	return err;
}
