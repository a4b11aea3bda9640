/* Archives of executions; see archive/archives.h. And what is counted of each day. */
#include "api/api.h"
#include "api/app.h"
#include "api/executions.h"

#include "archive/archiver.h"
#include "archive/archives.h"
#include "store/page.h"

static void wake(void *arg)
{
	archiver_wake(((const struct app *)arg)->archiver);
}

static const char *folder_of(const struct call *c)
{
	return archiver_folder(call_app(c)->archiver);
}

enum err api_archive_add(struct call *c, const struct archive_new *in, struct archive_asked *out)
{
	struct app *app = call_app(c);
	bool says = HAS(in, archive_new, before);
	out->before = says ? in->before : c->now_ms - app->archive_after_ms;
	if (out->before > c->now_ms)
		return problem_field(&c->problem, ERR_INVALID, "before", "must not lie in the future");
	call_after_commit_once(c, wake, app);
	return archive_ask(c->db, WISH_ARCHIVE, c->caller.tenant, out->before);
}

enum err api_archive_list(struct call *c, const struct archive_list_in *in, struct archive_list_out *out)
{
	return archive_list(c, in, out);
}

enum err api_archive_show(struct call *c, const struct archive_ref *in, struct archive *out)
{
	return archive_show(c, in->id, out);
}

static void take(void *ctx, const struct execution_row *row)
{
	struct execution_list_out *out = ctx;
	execution_show(row, true, &out->items[out->items_count++]);
}

enum err api_archive_executions(struct call *c, const struct archive_executions_in *in,
				struct execution_list_out *out)
{
	struct str next;
	out->items = ARENA_ARRAY(c->arena, struct execution, PAGE_ROOM(in));
	enum err err = out->items ? archive_executions(c, folder_of(c), in, take, out, &next) : ERR_INTERNAL;
	if (!err && next.p)
		PUT(out, execution_list_out, next_cursor, next);
	return err;
}

enum err api_archive_restore(struct call *c, const struct archive_ref *in, struct archive *out)
{
	call_after_commit_once(c, wake, call_app(c));
	return archive_restore(c, in->id, out);
}

enum err api_execution_restore(struct call *c, const struct execution_ref *in, struct execution_stand *out)
{
	struct execution_row row;
	enum err err = q_execution_get(c->db, &(struct id_row){in->id}, c->arena, &row);
	if (err == ERR_NOT_FOUND) {
		err = archive_restore_one(c, folder_of(c), in->id);
		if (!err || err == ERR_NOT_FOUND) /* somebody else has put it back meanwhile */
			err = q_execution_get(c->db, &(struct id_row){in->id}, c->arena, &row);
	}
	if (err == ERR_NOT_FOUND || (!err && row.tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such execution here");
	out->id = in->id;
	out->state = err ? 0 : (int)row.state;
	return err;
}

/* ---- days ---- */

struct days {
	struct call *c;
	int64_t squad;
	struct squad_days_out *out;
};

static enum err read_days(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct days *d = ctx;
	return q_squad_days_page(d->c->db, &(struct squad_days_page_in){d->squad, below, visit}, each, each_ctx);
}

static bool keep_day(void *ctx, const void *found)
{
	struct days *d = ctx;
	const struct squad_days_page_out *row = found;
	if (row->tenant != d->c->caller.tenant)
		return false;
	d->out->items[d->out->items_count++] = (struct squad_day){.day = row->day_ms,
								  .completed = row->completed,
								  .failed = row->failed,
								  .cancelled = row->cancelled,
								  .run_ms = row->run_ms};
	return true;
}

enum err api_squad_days(struct call *c, const struct squad_days_in *in, struct squad_days_out *out)
{
	struct days d = {c, in->id, out};
	struct squad_row squad;
	struct page_end end;
	enum err err = q_squad_get(c->db, &(struct id_row){in->id}, c->arena, &squad);
	if (err == ERR_NOT_FOUND || (!err && squad.tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such squad here");
	out->items = ARENA_ARRAY(c->arena, struct squad_day, PAGE_ROOM(in));
	if (!err)
		err = page_take(&(struct page_source){read_days, keep_day, &d}, PAGE_WANT(in, squad_days_in),
				c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, squad_days_out, end);
	return err;
}
