/* Tasks; see project.h. */
#include "squads/project.h"

#include "base/id.h"
#include "store/page.h"

#include <inttypes.h>
#include <stdio.h>

enum { NEEDS_MAX = 100 };

/* ---- showing ---- */

/* Texts are shared; what is not in lists is left out. */
static void show(const struct task_row *row, struct project_task *out)
{
	*out = (struct project_task){.id = row->id,
				     .project = row->project,
				     .squad = row->squad,
				     .title = row->title,
				     .status = (int)row->status,
				     .priority = (int)row->priority,
				     .version = row->version,
				     .created_at = row->created_ms,
				     .updated_at = row->updated_ms};
	if (row->external.p)
		PUT(out, project_task, external_id, row->external);
}

struct needs {
	struct arena *arena;
	struct str ids[NEEDS_MAX];
	size_t count, open;
};

static enum err take_need(void *ctx, const void *found)
{
	struct needs *n = ctx;
	const struct task_needs_of_out *row = found;
	char text[ID_TEXT];
	n->open += row->status != TASK_COMPLETED;
	id_format(text, "tk_", row->needs);
	if (n->count < NEEDS_MAX)
		n->ids[n->count++] = arena_str(n->arena, str_of(text));
	return OK;
}

static enum err answer(struct call *c, const struct task_row *row, struct project_task *out)
{
	struct needs *n = ARENA_NEW(c->arena, struct needs);
	if (!n)
		return ERR_INTERNAL;
	*n = (struct needs){.arena = c->arena};
	show(row, out);
	PUT(out, project_task, description, row->description);
	c->etag = arena_fmt(c->arena, "%" PRId64, row->version);
	enum err err = q_task_needs_of(c->db, &(struct id_row){row->id}, take_need, n);
	PUT(out, project_task, needs, n->ids);
	out->needs_count = n->count;
	return err;
}

static enum err read_row(struct call *c, int64_t id, struct task_row *out)
{
	enum err err = q_task_get(c->db, &(struct id_row){id}, c->arena, out);
	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such task here");
	return err;
}

enum err task_show(struct call *c, int64_t id, struct project_task *out)
{
	struct task_row row;
	enum err err = read_row(c, id, &row);
	return err ? err : answer(c, &row, out);
}

/* ---- what they need ---- */

static enum err read_need(struct call *c, const struct task_row *row, struct str text, const char *field,
			  int64_t *out)
{
	struct task_row needed;
	enum err err = id_parse(text, "tk_", out) ? q_task_get(c->db, &(struct id_row){*out}, c->arena, &needed)
						  : ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND || (!err && needed.project != row->project))
		return problem_field(&c->problem, ERR_INVALID, field, "is no task of the project");
	return err;
}

/* ERR_CYCLE: that one needs this one already. */
static enum err check_ring(struct call *c, int64_t task, int64_t needs, const char *field)
{
	struct task_reaches_out ring = {.reaches = needs == task};
	enum err err = OK;
	if (!ring.reaches)
		err = q_task_reaches(c->db, &(struct task_reaches_in){needs, task}, c->arena, &ring);
	if (!err && ring.reaches)
		return problem_field(&c->problem, ERR_CYCLE, field, "needs this task itself");
	return err;
}

static enum err put_needs(struct call *c, const struct task_row *row, const struct str *given, size_t count)
{
	enum err err = OK;
	for (size_t i = 0; i < count && !err; i++) {
		struct task_need_insert_in need = {.task = row->id};
		char field[32];
		snprintf(field, sizeof(field), "needs[%zu]", i);
		err = read_need(c, row, given[i], field, &need.needs);
		if (!err)
			err = check_ring(c, row->id, need.needs, field);
		for (size_t k = 0; k < i && !err; k++)
			if (str_eq(given[k], given[i]))
				return problem_field(&c->problem, ERR_INVALID, field, "stands there twice");
		if (!err)
			err = q_task_need_insert(c->db, &need, 1);
	}
	return err;
}

enum err task_check_begin(struct call *c, int64_t id, int64_t squad)
{
	struct task_row row;
	struct needs n = {.arena = c->arena};
	enum err err = q_task_get(c->db, &(struct id_row){id}, c->arena, &row);
	if (err == ERR_NOT_FOUND || (!err && (row.tenant != c->caller.tenant || row.squad != squad)))
		return problem_field(&c->problem, ERR_INVALID, "task", "the squad has no such task");
	if (!err)
		err = q_task_needs_of(c->db, &(struct id_row){id}, take_need, &n);
	if (!err && n.open)
		return call_fail(c, ERR_CONFLICT, "the task needs %zu that %s not completed", n.open,
				 n.open == 1 ? "is" : "are");
	return err;
}

/* ---- writing ---- */

static enum err check_external(struct call *c, const struct task_row *row)
{
	struct task_external_out found;
	if (!row->external.p)
		return OK;
	enum err err =
		q_task_external(c->db, &(struct task_external_in){row->project, row->external}, c->arena, &found);
	if (err == ERR_NOT_FOUND || (!err && found.id == row->id))
		return OK;
	return err ? err
		   : problem_field(&c->problem, ERR_ALREADY_EXISTS, "external_id",
				   "is that of another task of the project");
}

static enum err hold_project(struct call *c, int64_t id, struct project_row *out)
{
	enum err err = project_hold(c, id, out);
	if (err == ERR_NOT_FOUND)
		return problem_field(&c->problem, ERR_INVALID, "project", "there is no such project here");
	return err;
}

enum err task_add(struct call *c, int64_t id, const struct task_new *in, struct project_task *out)
{
	struct project_row project;
	enum err err = hold_project(c, in->project, &project);
	if (!err)
		err = project_check_squad(c, project.squad);
	if (err)
		return err;
	struct task_row row = {.id = id,
			       .tenant = c->caller.tenant,
			       .project = project.id,
			       .squad = project.squad,
			       .external = in->external_id,
			       .title = in->title,
			       .description = in->description.p ? in->description : STR(""),
			       .status = TASK_PENDING,
			       .priority = in->priority,
			       .version = 1,
			       .created_ms = c->now_ms,
			       .updated_ms = c->now_ms};
	err = check_external(c, &row);
	if (!err)
		err = q_task_insert(c->db, &row, 1);
	if (!err)
		err = put_needs(c, &row, in->needs, in->needs_count);
	return err ? err : answer(c, &row, out);
}

static void patch(const struct task_patch *in, struct task_row *row)
{
	if (HAS(in, task_patch, title))
		row->title = in->title;
	if (HAS(in, task_patch, description))
		row->description = in->description;
	if (HAS(in, task_patch, status))
		row->status = in->status;
	if (HAS(in, task_patch, priority))
		row->priority = in->priority;
	if (HAS(in, task_patch, external_id) || IS_NULL(in, task_patch, external_id))
		row->external = in->external_id;
}

static enum err hold(struct call *c, int64_t id, struct task_row *out)
{
	struct project_row project;
	enum err err = read_row(c, id, out);
	if (!err)
		err = hold_project(c, out->project, &project);
	if (!err)
		err = read_row(c, id, out);
	return err ? err : call_if_match(c, out->version);
}

static enum err write_change(struct call *c, const struct task_row *row)
{
	struct task_update_in in = {row->id,     row->external, row->title, row->description,
				    row->status, row->priority, c->now_ms};
	return q_task_update(c->db, &in, 1);
}

enum err task_change(struct call *c, const struct task_patch *in, struct project_task *out)
{
	struct task_row row;
	enum err err = hold(c, in->id, &row);
	if (!err)
		err = project_check_squad(c, row.squad);
	if (err)
		return err;
	patch(in, &row);
	err = check_external(c, &row);
	if (!err && HAS(in, task_patch, needs))
		err = q_task_need_delete_all(c->db, &(struct id_row){row.id}, 1);
	if (!err && HAS(in, task_patch, needs))
		err = put_needs(c, &row, in->needs, in->needs_count);
	if (!err)
		err = write_change(c, &row);
	if (!err)
		err = read_row(c, row.id, &row);
	return err ? err : answer(c, &row, out);
}

enum err task_delete(struct call *c, int64_t id)
{
	struct task_row row;
	struct task_needed_by_out needed;
	enum err err = hold(c, id, &row);
	if (!err)
		err = q_task_needed_by(c->db, &(struct id_row){id}, c->arena, &needed);
	if (!err && needed.count)
		return call_fail(c, ERR_CONFLICT, "%" PRId64 " other task%s it; take it from their needs first",
				 needed.count, needed.count == 1 ? " needs" : "s need");
	if (!err)
		err = q_task_need_delete_all(c->db, &(struct id_row){id}, 1);
	return err ? err : q_task_delete(c->db, &(struct id_row){id}, 1);
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	const struct task_list_in *in;
	struct task_list_out *out;
};

static enum err read_all(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	return q_task_page(l->c->db, &(struct task_page_in){l->c->caller.tenant, below, visit}, each, each_ctx);
}

static enum err read_project(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	struct task_page_of_project_in in = {l->in->project, below, visit};
	return q_task_page_of_project(l->c->db, &in, each, each_ctx);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	struct task_row row = *(const struct task_row *)found;
	if (row.tenant != l->c->caller.tenant || (HAS(l->in, task_list_in, status) && row.status != l->in->status))
		return false;
	row.title = arena_str(l->c->arena, row.title);
	row.external = arena_kept(l->c->arena, row.external);
	show(&row, &l->out->items[l->out->items_count++]);
	return true;
}

enum err task_list(struct call *c, const struct task_list_in *in, struct task_list_out *out)
{
	struct listing l = {c, in, out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct project_task, PAGE_ROOM(in));
	enum err err =
		page_take(&(struct page_source){HAS(in, task_list_in, project) ? read_project : read_all, keep, &l},
			  PAGE_WANT(in, task_list_in), c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, task_list_out, end);
	return err;
}
