/* Squads. What is paused or archived is the queue's business too, so they change on its thread. */
#include "api/squads.h"
#include "api/api.h"
#include "api/app.h"

#include "api/kept.h"
#include "directory/changes.h"
#include "squads/member.h"
#include "squads/plan.h"
#include "squads/squad.h"
#include "squads/template.h"
#include "store/page.h"

#include <inttypes.h>

static void show(const struct squad_row *row, struct squad *out)
{
	*out = (struct squad){.id = row->id,
			      .name = row->name,
			      .description = row->description,
			      .status = (int)row->status,
			      .version = row->version,
			      .created_at = row->created_ms,
			      .updated_at = row->updated_ms};
	if (row->config.n)
		PUT(out, squad, config, row->config);
}

/* The row may be of the batch, which the answer outlives. */
static void answer(struct call *c, const struct squad_row *row, struct squad *out)
{
	struct squad_row kept = *row;
	kept.name = arena_str(c->arena, row->name);
	kept.description = arena_str(c->arena, row->description);
	kept.config = arena_kept(c->arena, row->config);
	show(&kept, out);
	c->etag = arena_fmt(c->arena, "%" PRId64, row->version);
}

static enum err tell(struct call *c, const struct squad_row *row)
{
	struct change_fact fact = {.tenant = row->tenant,
				   .entity = ENTITY_SQUAD,
				   .op = OP_PUT,
				   .ref = row->id,
				   .version = row->version,
				   .at_ms = c->now_ms};
	return change_add(call_app(c)->feed, c, &fact, 1);
}

/* ---- one that is made ---- */

/* None when no template is named. */
static enum err members_of_template(struct call *c, const struct squad_new *in, struct squad_template *out)
{
	enum tenant_plan plan = PLAN_STARTER;
	*out = (struct squad_template){0};
	if (!HAS(in, squad_new, template))
		return OK;
	enum err err = template_find(in->template, c->arena, out, &c->problem);
	if (!err)
		err = plan_read(c, &plan);
	if (!err && out->members_count > (size_t)plan_active_members(plan))
		return problem_field(
			&c->problem, ERR_CONFLICT, "template",
			"has %zu members, the plan %s allows %d active ones in a squad; add some of them "
			"to a squad without it, or have an admin of the server set a wider plan",
			out->members_count, enum_tenant_plan.values[plan].text, (int)plan_active_members(plan));
	return err;
}

/* Adds members to a squad that is of this transaction, and to what is told of it. */
static enum err add_members(struct call *c, int64_t squad, const struct squad_template *given)
{
	struct change_fact *facts = ARENA_ARRAY(c->arena, struct change_fact, given->members_count);
	if (!facts)
		return ERR_INTERNAL;
	for (size_t i = 0; i < given->members_count; i++) {
		struct squad_member_new in = {.id = squad, .role = given->members[i], .active = true};
		struct squad_member_row row;
		enum err err = member_add(c, app_new_id(call_app(c)), &in, &row);
		if (err)
			return err;
		facts[i] = (struct change_fact){.tenant = row.tenant,
						.entity = ENTITY_SQUAD_MEMBER,
						.op = OP_PUT,
						.ref = row.id,
						.version = row.version,
						.at_ms = c->now_ms};
	}
	return change_add(call_app(c)->feed, c, facts, given->members_count);
}

enum err api_squad_add(struct call *c, const struct squad_new *in, struct squad *out)
{
	struct squad_template given;
	struct squad_row row = {.id = app_new_id(call_app(c)),
				.tenant = c->caller.tenant,
				.name = in->name,
				.description = in->description.n ? in->description : STR(""),
				.status = SQUAD_ACTIVE,
				.config = in->config,
				.version = 1,
				.created_ms = c->now_ms,
				.updated_ms = c->now_ms};
	enum err err = members_of_template(c, in, &given);
	if (!err)
		err = q_squad_insert(c->db, &row, 1);
	if (!err && given.members_count)
		err = add_members(c, row.id, &given);
	if (err)
		return err;
	answer(c, &row, out);
	return tell(c, &row);
}

/* ---- shown ---- */

enum err api_squad_show(struct call *c, const struct squad_ref *in, struct squad *out)
{
	struct kept k;
	if (kept_begin(c, &k))
		return OK;
	struct squad_row row;
	enum err err = squad_read(c, in->id, &row);
	if (err)
		return kept_not(&k, err);
	answer(c, &row, out);
	kept_put(c, &k, row.version, row.tenant, VISIBLE_TENANT);
	return OK;
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	const struct squad_list_in *in;
	struct squad_list_out *out;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	struct listing *l = ctx;
	struct squad_page_in in = {l->c->caller.tenant, below, visit};
	return q_squad_page(l->c->db, &in, each, each_ctx);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	struct squad_row row = *(const struct squad_row *)found;
	if (HAS(l->in, squad_list_in, status) && row.status != l->in->status)
		return false;
	row.name = arena_str(l->c->arena, row.name);
	row.description = arena_str(l->c->arena, row.description);
	row.config = arena_str(l->c->arena, row.config);
	show(&row, &l->out->items[l->out->items_count++]);
	return true;
}

enum err api_squad_list(struct call *c, const struct squad_list_in *in, struct squad_list_out *out)
{
	struct listing l = {c, in, out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct squad, PAGE_ROOM(in));
	enum err err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, squad_list_in), c->arena,
				 &c->problem, &end);
	if (!err)
		PAGE_PUT(out, squad_list_out, end);
	return err;
}

/* ---- on the queue's thread ---- */

/* For a call that changes it. */
static enum err hold(struct call *c, int64_t id, struct squad_row *row)
{
	enum err err = flow_rows_squad(call_app(c)->flow, c->caller.tenant, id, row);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "there is no such squad here");
	return err ? err : call_if_match(c, row->version);
}

/* Writes the row with the batch, whose transaction begins with what is told of it; and answers with it. */
static enum err put(struct call *c, struct squad_row *row, struct squad *out)
{
	enum err err = executor_transaction(call_app(c)->executor);
	if (err)
		return err;
	flow_rows_change_squad(call_app(c)->flow, row);
	answer(c, row, out);
	return tell(c, row);
}

enum err api_squad_change(struct call *c, const struct squad_patch *in, struct squad *out)
{
	struct squad_row row;
	enum err err = hold(c, in->id, &row);
	if (!err)
		err = squad_check_open(c, &row);
	if (err)
		return err;
	if (HAS(in, squad_patch, name))
		row.name = in->name;
	if (HAS(in, squad_patch, description))
		row.description = in->description;
	if (HAS(in, squad_patch, config) || IS_NULL(in, squad_patch, config))
		row.config = in->config;
	return put(c, &row, out);
}

enum err api_squad_archive(struct call *c, const struct squad_ref *in, struct nothing *out)
{
	(void)out;
	struct squad_row row;
	struct squad shown;
	enum err err = hold(c, in->id, &row);
	if (err || row.status == SQUAD_ARCHIVED)
		return err;
	if (flow_squad_is_busy(call_app(c)->flow->flow, row.id))
		return call_fail(c, ERR_CONFLICT,
				 "executions of the squad have not ended; cancel them first, or wait for them");
	row.status = SQUAD_ARCHIVED;
	return put(c, &row, &shown);
}

static enum err set_status(struct call *c, int64_t id, enum squad_status status, struct squad *out)
{
	struct squad_row row;
	enum err err = hold(c, id, &row);
	if (!err)
		err = squad_check_open(c, &row);
	if (err)
		return err;
	if (row.status == (int64_t)status) {
		answer(c, &row, out);
		return OK;
	}
	row.status = status;
	return put(c, &row, out);
}

enum err squads_pause(struct call *c, int64_t squad)
{
	struct squad_row row;
	enum err err = flow_rows_squad(call_app(c)->flow, c->caller.tenant, squad, &row);
	if (!err && row.status != SQUAD_ACTIVE)
		err = ERR_CONFLICT;
	if (!err)
		err = executor_transaction(call_app(c)->executor);
	if (err)
		return err;
	row.status = SQUAD_PAUSED;
	flow_rows_change_squad(call_app(c)->flow, &row);
	return tell(c, &row);
}

enum err api_squad_pause(struct call *c, const struct squad_ref *in, struct squad *out)
{
	return set_status(c, in->id, SQUAD_PAUSED, out);
}

enum err api_squad_resume(struct call *c, const struct squad_ref *in, struct squad *out)
{
	return set_status(c, in->id, SQUAD_ACTIVE, out);
}
