/* Projects; see project.h. */
#include "squads/project.h"

#include "squads/squad.h"
#include "store/page.h"

#include <inttypes.h>

/* Texts are shared. */
static void show(const struct project_row *row, struct project *out)
{
	*out = (struct project){.id = row->id,
				.squad = row->squad,
				.name = row->name,
				.description = row->description,
				.version = row->version,
				.created_at = row->created_ms,
				.updated_at = row->updated_ms};
	if (row->repository.p)
		PUT(out, project, repository, row->repository);
	if (row->tickets.p)
		PUT(out, project, tickets, row->tickets);
}

static void answer(struct call *c, const struct project_row *row, struct project *out)
{
	show(row, out);
	c->etag = arena_fmt(c->arena, "%" PRId64, row->version);
}

static enum err read_row(struct call *c, int64_t id, struct project_row *out)
{
	enum err err = q_project_get(c->db, &(struct id_row){id}, c->arena, out);
	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such project here");
	return err;
}

enum err project_hold(struct call *c, int64_t id, struct project_row *out)
{
	struct project_hold_out held;
	enum err err = read_row(c, id, out);
	if (!err)
		err = q_project_hold(c->db, &(struct id_row){id}, c->arena, &held);
	return err ? err : read_row(c, id, out);
}

enum err project_check_squad(struct call *c, int64_t id)
{
	struct squad_row squad;
	enum err err = squad_read_named(c, "squad", id, &squad);
	return err ? err : squad_check_open(c, &squad);
}

enum err project_add(struct call *c, int64_t id, const struct project_new *in, struct project *out)
{
	struct project_row row = {.id = id,
				  .tenant = c->caller.tenant,
				  .squad = in->squad,
				  .name = in->name,
				  .description = in->description.p ? in->description : STR(""),
				  .repository = in->repository,
				  .tickets = in->tickets,
				  .version = 1,
				  .created_ms = c->now_ms,
				  .updated_ms = c->now_ms};
	enum err err = project_check_squad(c, in->squad);
	if (!err)
		err = q_project_insert(c->db, &row, 1);
	if (!err)
		answer(c, &row, out);
	return err;
}

enum err project_show(struct call *c, int64_t id, struct project *out)
{
	struct project_row row;
	enum err err = read_row(c, id, &row);
	if (!err)
		answer(c, &row, out);
	return err;
}

static void patch(const struct project_patch *in, struct project_row *row)
{
	if (HAS(in, project_patch, name))
		row->name = in->name;
	if (HAS(in, project_patch, description))
		row->description = in->description;
	if (HAS(in, project_patch, repository) || IS_NULL(in, project_patch, repository))
		row->repository = in->repository;
	if (HAS(in, project_patch, tickets) || IS_NULL(in, project_patch, tickets))
		row->tickets = in->tickets;
}

enum err project_change(struct call *c, const struct project_patch *in, struct project *out)
{
	struct project_row row;
	enum err err = project_hold(c, in->id, &row);
	if (!err)
		err = project_check_squad(c, row.squad);
	if (!err)
		err = call_if_match(c, row.version);
	if (err)
		return err;
	patch(in, &row);
	row.version++;
	row.updated_ms = c->now_ms;
	answer(c, &row, out);
	struct project_update_in now = {row.id,      row.name,    row.description, row.repository,
					row.tickets, row.version, row.updated_ms};
	return q_project_update(c->db, &now, 1);
}

/* ---- the end of one ---- */

static enum err check_empty(struct call *c, int64_t id)
{
	struct task_count_of_project_out tasks;
	enum err err = q_task_count_of_project(c->db, &(struct id_row){id}, c->arena, &tasks);
	if (!err && tasks.count)
		return call_fail(c, ERR_CONFLICT,
				 "the project has %" PRId64
				 " task%s; delete %s first, or with_tasks (--with-tasks)",
				 tasks.count, tasks.count == 1 ? "" : "s", tasks.count == 1 ? "it" : "them");
	return err;
}

enum err project_delete(struct call *c, const struct project_delete_in *in)
{
	struct project_row row;
	struct id_row id = {in->id};
	enum err err = project_hold(c, in->id, &row);
	if (!err)
		err = call_if_match(c, row.version);
	if (!err && !in->with_tasks)
		err = check_empty(c, in->id);
	if (!err)
		err = q_task_need_delete_of_project(c->db, &id);
	if (!err)
		err = q_task_delete_of_project(c->db, &id, 1);
	return err ? err : q_project_delete(c->db, &id, 1);
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	const struct project_list_in *in;
	struct project_list_out *out;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	return q_project_page(l->c->db, &(struct project_page_in){l->c->caller.tenant, below, visit}, each,
			      each_ctx);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	struct project_row row = *(const struct project_row *)found;
	if (HAS(l->in, project_list_in, squad) && row.squad != l->in->squad)
		return false;
	row.name = arena_kept(l->c->arena, row.name);
	row.description = arena_kept(l->c->arena, row.description);
	row.repository = arena_kept(l->c->arena, row.repository);
	row.tickets = arena_kept(l->c->arena, row.tickets);
	show(&row, &l->out->items[l->out->items_count++]);
	return true;
}

enum err project_list(struct call *c, const struct project_list_in *in, struct project_list_out *out)
{
	struct listing l = {c, in, out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct project, PAGE_ROOM(in));
	enum err err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, project_list_in),
				 c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, project_list_out, end);
	return err;
}
