/* Executions as their rows say: one with its steps, and lists. */
#include "api/api.h"
#include "api/app.h"
#include "api/executions.h"
#include "api/put.h"

#include "archive/archiver.h"
#include "archive/archives.h"
#include "store/page.h"

/* ---- one ---- */

void execution_show(const struct execution_row *row, bool archived, struct execution *out)
{
	*out = (struct execution){.id = row->id,
				  .squad = row->squad,
				  .name = row->name,
				  .state = (int)row->state,
				  .paused = row->paused,
				  .priority = (int)row->priority,
				  .attempt = row->attempt,
				  .max_attempts = row->attempts_max,
				  .created_by = row->created_by,
				  .created_at = row->created_ms,
				  .changed_at = row->changed_ms,
				  .last_event = row->last_event,
				  .archived = archived};
	PUT_SOME(out, execution, task, row->task);
	PUT_SOME(out, execution, block, (int)row->block);
	PUT_SOME(out, execution, started_at, row->started_ms);
	PUT_SOME(out, execution, finished_at, row->finished_ms);
	PUT_SOME(out, execution, deadline, row->deadline_ms);
	PUT_SOME(out, execution, retry_at, row->retry_ms);
	PUT_TEXT(out, execution, why, row->why);
}

struct step_reading {
	struct call *c;
	struct execution_step *steps;
	size_t count;
};

/* Places of the steps before it, as their names. */
static void put_needs(const struct step_reading *r, struct str blob, struct execution_step *to)
{
	struct str *names = ARENA_ARRAY(r->c->arena, struct str, blob.n);
	uint64_t place;
	size_t count = 0;
	while (names && take_varint(&blob, &place) && place < r->count)
		names[count++] = r->steps[place].name;
	if (count == 0)
		return;
	PUT(to, execution_step, needs, names);
	to->needs_count = count;
}

static void put_endings(const struct step_reading *r, const struct step_row *row, struct execution_step *to)
{
	PUT_TEXT(to, execution_step, input, arena_kept(r->c->arena, row->input));
	if (row->state == STEP_COMPLETED)
		PUT_TEXT(to, execution_step, result, arena_kept(r->c->arena, row->result));
	else
		PUT_TEXT(to, execution_step, error, arena_kept(r->c->arena, row->error));
	PUT_TEXT(to, execution_step, used, arena_kept(r->c->arena, row->used));
	PUT_SOME(to, execution_step, started_at, row->started_ms);
	PUT_SOME(to, execution_step, finished_at, row->finished_ms);
}

static enum err read_step(void *ctx, const void *found)
{
	struct step_reading *r = ctx;
	const struct step_row *row = found;
	struct execution_step *to = &r->steps[r->count];
	if (r->count == FLOW_STEPS_MAX)
		return ERR_INTERNAL;
	*to = (struct execution_step){.id = row->id,
				      .name = arena_str(r->c->arena, row->name),
				      .kind = (int)row->kind,
				      .state = (int)row->state,
				      .optional = row->optional,
				      .progress = row->progress,
				      .attempt = row->attempt};
	PUT_SOME(to, execution_step, member, row->member);
	PUT_SOME(to, execution_step, phase, (int)row->phase);
	PUT_TEXT(to, execution_step, agent, arena_kept(r->c->arena, row->agent));
	PUT_SOME(to, execution_step, item, row->item);
	PUT_SOME(to, execution_step, until, row->until_ms);
	PUT_TEXT(to, execution_step, event, arena_kept(r->c->arena, row->awaited));
	put_needs(r, row->needs, to);
	put_endings(r, row, to);
	r->count++;
	return OK;
}

/* An execution and its steps, from wherever they are. */
struct looking {
	struct step_reading steps;
	struct execution_row row;
};

static enum err take_archived(void *ctx, const struct archive_row *row)
{
	struct looking *l = ctx;
	if (row->kind == ARCHIVE_EXECUTION)
		l->row = row->execution_row;
	return row->kind == ARCHIVE_STEP ? read_step(&l->steps, &row->step_row) : OK;
}

static enum err look_in_tables(struct call *c, int64_t id, struct looking *l)
{
	enum err err = q_execution_get(c->db, &(struct id_row){id}, c->arena, &l->row);
	if (!err && l->row.tenant != c->caller.tenant)
		return ERR_NOT_FOUND;
	return err ? err : q_step_all_of(c->db, &(struct id_row){id}, read_step, &l->steps);
}

/* One that is put back just now may be missed in both places at the first look. */
static enum err look(struct call *c, int64_t id, struct looking *l, bool *archived)
{
	enum err err = look_in_tables(c, id, l);
	*archived = false;
	if (err == ERR_NOT_FOUND) {
		err = archive_find(c, archiver_folder(call_app(c)->archiver), id, take_archived, l);
		*archived = err == OK;
	}
	return err == ERR_NOT_FOUND ? look_in_tables(c, id, l) : err;
}

enum err api_execution_show(struct call *c, const struct execution_ref *in, struct execution *out)
{
	struct looking l = {
		.steps = {.c = c, .steps = ARENA_ARRAY(c->arena, struct execution_step, FLOW_STEPS_MAX)}};
	bool archived;
	enum err err = l.steps.steps ? look(c, in->id, &l, &archived) : ERR_INTERNAL;
	if (err == ERR_NOT_FOUND)
		return call_fail(c, ERR_NOT_FOUND, "there is no such execution here");
	if (err)
		return err;
	execution_show(&l.row, archived, out);
	PUT(out, execution, steps, l.steps.steps);
	out->steps_count = l.steps.count;
	return OK;
}

static enum err pass_over(void *ctx, const struct archive_row *row)
{
	(void)ctx;
	(void)row;
	return OK;
}

static enum err find_in_tables(struct call *c, int64_t id)
{
	struct execution_row row;
	enum err err = q_execution_get(c->db, &(struct id_row){id}, c->arena, &row);
	return !err && row.tenant != c->caller.tenant ? ERR_NOT_FOUND : err;
}

/* As look() does, for one that is put back just now. */
enum err execution_find(struct call *c, int64_t id)
{
	enum err err = find_in_tables(c, id);
	if (err == ERR_NOT_FOUND)
		err = archive_find(c, archiver_folder(call_app(c)->archiver), id, pass_over, NULL);
	if (err == ERR_NOT_FOUND)
		err = find_in_tables(c, id);
	return err == ERR_NOT_FOUND ? call_fail(c, err, "there is no such execution here") : err;
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	const struct execution_list_in *in;
	struct execution_list_out *out;
};

static enum err read_all(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	struct listing *l = ctx;
	struct execution_page_in in = {l->c->caller.tenant, below, visit};
	return q_execution_page(l->c->db, &in, each, each_ctx);
}

static enum err read_squad(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	struct listing *l = ctx;
	struct execution_page_of_squad_in in = {l->in->squad, below, visit};
	return q_execution_page_of_squad(l->c->db, &in, each, each_ctx);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	struct execution_row row = *(const struct execution_row *)found;
	if (row.tenant != l->c->caller.tenant)
		return false;
	if (HAS(l->in, execution_list_in, state) && row.state != l->in->state)
		return false;
	row.name = arena_str(l->c->arena, row.name);
	row.created_by = arena_str(l->c->arena, row.created_by);
	row.why = arena_str(l->c->arena, row.why);
	execution_show(&row, false, &l->out->items[l->out->items_count++]);
	return true;
}

enum err api_execution_list(struct call *c, const struct execution_list_in *in, struct execution_list_out *out)
{
	struct listing l = {c, in, out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct execution, PAGE_ROOM(in));
	enum err err = page_take(
		&(struct page_source){HAS(in, execution_list_in, squad) ? read_squad : read_all, keep, &l},
		PAGE_WANT(in, execution_list_in), c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, execution_list_out, end);
	return err;
}
