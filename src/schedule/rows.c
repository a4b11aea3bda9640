/* See rows.h; pages are in pages.c. */
#include "schedule/rows.h"

#include "base/magic.h"
#include "schedule/execution.h"

/* ---- what it was made of ---- */

static enum err check_kind(const struct schedule_new *in, struct problem *p)
{
	bool item = HAS(in, schedule_new, type), execution = HAS(in, schedule_new, execution);
	if (!item && !execution)
		return problem_field(p, ERR_MISSING_FIELD, "type", "give a type, or an execution to begin");
	if (item && execution)
		return problem_field(p, ERR_INVALID, "execution", "give a type or an execution, not both");
	return OK;
}

static enum err check(const struct schedule_new *in, struct problem *p)
{
	enum err err = check_kind(in, p);
	if (err)
		return err;
	if (str_starts(in->type, STR("tf.")))
		return problem_field(p, ERR_INVALID, "type", "types starting with tf. are the server's own");
	if (str_trim(in->name).n == 0)
		return problem_field(p, ERR_INVALID, "name", "must hold more than white space");
	for (size_t i = 0; i < in->labels_count; i++)
		if (str_eqz(in->labels[i].key, "schedule") || str_eqz(in->labels[i].key, "fire"))
			return problem_field(p, ERR_INVALID, "labels", "'%.*s' is given by the server",
					     STRF(in->labels[i].key));
	return OK;
}

static enum err make_plan(int64_t id, struct zones *zones, struct schedule_plan *out, struct problem *p)
{
	const struct schedule_new *given = &out->given;
	const struct zone *zone = NULL;
	enum err err = cron_parse(given->cron, &out->cron, p);
	if (!err)
		err = zones_get(zones, given->timezone, "timezone", &zone, p);
	out->rule = (struct plan_rule){.cron = &out->cron,
				       .zone = zone,
				       .id = id,
				       .jitter_ms = given->jitter_ms,
				       .missed = (enum schedule_missed)given->missed,
				       .missed_after_ms = given->missed_after_ms,
				       .missed_max = given->missed_max};
	return err;
}

enum err schedule_read_plan(const struct schedule_row *row, struct zones *zones, struct arena *a,
			    struct schedule_plan *out, struct problem *p)
{
	enum err err = json_decode(&type_schedule_new, row->definition, 0, a, &out->given, p);
	return err ? err : make_plan(row->id, zones, out, p);
}

static struct str definition_of(const struct schedule_new *in, struct arena *a)
{
	struct buf b = BUF_INIT(0);
	json_encode(&type_schedule_new, in, 0, &b);
	struct str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

static void reckon_next(struct schedule_row *row, const struct plan_rule *rule, int64_t now_ms)
{
	row->next_ms = row->paused_ms ? 0 : cron_next_ms(rule->cron, rule->zone, now_ms);
	row->due_ms = row->paused_ms ? 0 : plan_due_ms(rule, row->next_ms);
}

/* ---- the server's own ---- */

static const char *const built_in[] = {
	"{\"name\":\"tenfold-archive\",\"cron\":\"20 3 * * *\",\"type\":\"tf.archive\",\"overlap\":\"allow\"}",
	"{\"name\":\"tenfold-counts\",\"cron\":\"5 0 * * *\",\"type\":\"tf.counts\",\"overlap\":\"allow\"}",
	"{\"name\":\"tenfold-health\",\"cron\":\"*/5 * * * *\",\"type\":\"tf.health\",\"overlap\":\"allow\"}",
	"{\"name\":\"tenfold-prices\",\"cron\":\"0 9 1 * *\",\"type\":\"tf.prices\",\"overlap\":\"allow\"}"};

bool schedule_is_built_in(const struct schedule_new *given)
{
	return str_starts(given->type, STR("tf."));
}

static enum err add_one_built_in(struct db *db, struct zones *zones, const struct schedule_home *home,
				 const char *definition, struct arena *a, int64_t now_ms)
{
	struct schedule_plan plan;
	struct id_row inserted;
	struct schedule_row row = {.id = home->new_id(home->ctx),
				   .tenant = home->tenant,
				   .definition = str_of(definition),
				   .created_ms = now_ms,
				   .changed_ms = now_ms};
	if (schedule_read_plan(&row, zones, a, &plan, NULL))
		return OK; /* there are no time zones here */
	row.name = plan.given.name;
	reckon_next(&row, &plan.rule, now_ms);
	enum err err = q_schedule_insert(db, &row, a, &inserted);
	return err == ERR_NOT_FOUND ? OK : err; /* it is there */
}

enum err schedule_add_built_in(struct db *db, struct zones *zones, const struct schedule_home *home,
			       struct arena *a, int64_t now_ms)
{
	enum err err = OK;
	for (size_t i = 0; i < sizeof built_in / sizeof built_in[0] && !err; i++)
		err = add_one_built_in(db, zones, home, built_in[i], a, now_ms);
	return err;
}

static bool row_is_built_in(const struct schedule_row *row, struct arena *a)
{
	struct schedule_new given;
	return json_decode(&type_schedule_new, row->definition, 0, a, &given, NULL) == OK &&
	       schedule_is_built_in(&given);
}

static enum err refuse_built_in(struct call *c, const struct schedule_row *row)
{
	if (row_is_built_in(row, c->arena))
		return call_fail(c, ERR_CONFLICT, "the schedule is built in; it can be paused and resumed");
	return OK;
}

/* ---- made, changed, paused ---- */

static enum err name_taken(struct call *c)
{
	return problem_field(&c->problem, ERR_ALREADY_EXISTS, "name", "another schedule has this name");
}

static enum err check_room(struct call *c)
{
	struct schedule_count_out now;
	enum err err = q_schedule_count(c->db, &(struct schedule_count_in){c->caller.tenant}, c->arena, &now);
	if (!err && now.count >= SCHEDULES_MAX)
		return call_fail(c, ERR_TOO_MANY, "there are %d schedules already; delete some", SCHEDULES_MAX);
	return err;
}

enum err schedule_add(struct call *c, struct zones *zones, int64_t id, const struct schedule_new *in,
		      struct schedule_row *out)
{
	struct schedule_plan plan = {.given = *in};
	struct id_row inserted;
	enum err err = check(in, &c->problem);
	if (!err)
		err = make_plan(id, zones, &plan, &c->problem);
	if (!err)
		err = schedule_check_execution(c, in);
	if (!err)
		err = check_room(c);
	if (err)
		return err;
	*out = (struct schedule_row){.id = id,
				     .tenant = c->caller.tenant,
				     .name = in->name,
				     .definition = definition_of(in, c->arena),
				     .created_ms = c->now_ms,
				     .changed_ms = c->now_ms};
	reckon_next(out, &plan.rule, c->now_ms);
	err = q_schedule_insert(c->db, out, c->arena, &inserted);
	return err == ERR_NOT_FOUND ? name_taken(c) : err;
}

static enum err hold(struct call *c, int64_t id, struct schedule_row *out)
{
	enum err err = q_schedule_hold(c->db, &(struct schedule_hold_in){id, c->caller.tenant}, c->arena, out);
	return err == ERR_NOT_FOUND ? call_fail(c, err, "there is no such schedule here") : err;
}

static enum err write_row(struct call *c, const struct schedule_row *row)
{
	struct schedule_change_in in = {.id = row->id,
					.name = row->name,
					.definition = row->definition,
					.changed_ms = row->changed_ms,
					.paused_ms = row->paused_ms,
					.next_ms = row->next_ms,
					.due_ms = row->due_ms};
	return q_schedule_change(c->db, &in);
}

static enum err check_name(struct call *c, const struct schedule_row *row, struct str name)
{
	struct schedule_find_in in = {row->tenant, name};
	struct id_row other;
	if (str_eq(name, row->name))
		return OK;
	enum err err = q_schedule_find(c->db, &in, c->arena, &other);
	return err ? (err == ERR_NOT_FOUND ? OK : err) : name_taken(c);
}

static enum err merge(struct call *c, struct zones *zones, struct str patch, const struct schedule_row *row,
		      struct schedule_plan *plan)
{
	struct buf b = BUF_INIT(0);
	enum err err = json_merge(row->definition, patch, c->arena, &b);
	struct str merged = arena_str(c->arena, buf_str(&b));
	buf_free(&b);
	if (!err)
		err = json_decode(&type_schedule_new, merged, 0, c->arena, &plan->given, &c->problem);
	if (!err)
		err = check(&plan->given, &c->problem);
	if (!err)
		err = schedule_check_execution(c, &plan->given);
	return err ? err : make_plan(row->id, zones, plan, &c->problem);
}

enum err schedule_change(struct call *c, struct zones *zones, int64_t id, struct str patch,
			 struct schedule_row *out)
{
	struct schedule_plan plan;
	enum err err = hold(c, id, out);
	if (!err)
		err = refuse_built_in(c, out);
	if (!err)
		err = merge(c, zones, patch, out, &plan);
	if (!err)
		err = check_name(c, out, plan.given.name);
	if (err)
		return err;
	out->name = plan.given.name;
	out->definition = definition_of(&plan.given, c->arena);
	out->changed_ms = c->now_ms;
	reckon_next(out, &plan.rule, c->now_ms);
	return write_row(c, out);
}

enum err schedule_set_paused(struct call *c, struct zones *zones, int64_t id, bool paused, struct schedule_row *out)
{
	struct schedule_plan plan;
	enum err err = hold(c, id, out);
	if (!err && c->caller.scope < SCOPE_ADMIN && row_is_built_in(out, c->arena))
		return call_fail(c, ERR_FORBIDDEN, "the schedule is built in; an admin pauses and resumes it");
	if (err || paused == (out->paused_ms > 0))
		return err;
	err = schedule_read_plan(out, zones, c->arena, &plan, &c->problem);
	if (err)
		return err;
	out->paused_ms = paused ? c->now_ms : 0;
	out->changed_ms = c->now_ms;
	reckon_next(out, &plan.rule, c->now_ms);
	return write_row(c, out);
}

enum err schedule_delete(struct call *c, int64_t id)
{
	struct schedule_row row;
	enum err err = hold(c, id, &row);
	if (!err)
		err = refuse_built_in(c, &row);
	return err ? err : q_schedule_delete(c->db, &(struct schedule_delete_in){id, row.tenant});
}

/* ---- looked at ---- */

enum err schedule_read(struct call *c, int64_t id, struct schedule_row *out)
{
	enum err err = q_schedule_get(c->db, &(struct schedule_get_in){id, c->caller.tenant}, c->arena, out);
	return err == ERR_NOT_FOUND ? call_fail(c, err, "there is no such schedule here") : err;
}

#define GIVEN(member)                                              \
	do {                                                       \
		if (HAS(given, schedule_new, member))              \
			PUT(out, schedule, member, given->member); \
	} while (0)

static void show_work(const struct schedule_new *given, struct schedule *out)
{
	GIVEN(type);
	GIVEN(execution);
	out->priority = given->priority;
	out->max_attempts = given->max_attempts;
	out->lease_ms = given->lease_ms;
	GIVEN(title);
	GIVEN(team);
	GIVEN(description);
	GIVEN(payload);
	GIVEN(assignee);
	GIVEN(timeout_ms);
	GIVEN(labels);
	out->labels_count = given->labels_count;
}

static void show_state(const struct schedule_row *row, struct schedule *out)
{
	out->id = row->id;
	out->name = row->name;
	out->state = row->paused_ms ? SCHEDULE_PAUSED : SCHEDULE_ACTIVE;
	out->created_at = row->created_ms;
	out->updated_at = row->changed_ms;
	if (row->next_ms)
		PUT(out, schedule, next_at, row->next_ms);
	if (row->last_ms)
		PUT(out, schedule, last_at, row->last_ms);
	if (row->last_item)
		PUT(out, schedule, last_item, row->last_item);
	if (row->last_execution)
		PUT(out, schedule, last_execution, row->last_execution);
}

enum err schedule_show(const struct schedule_row *row, struct arena *a, struct schedule *out)
{
	struct schedule_new given;
	enum err err = json_decode(&type_schedule_new, row->definition, 0, a, &given, NULL);
	if (err)
		return err;
	*out = (struct schedule){.cron = given.cron,
				 .timezone = given.timezone,
				 .jitter_ms = given.jitter_ms,
				 .missed = given.missed,
				 .missed_after_ms = given.missed_after_ms,
				 .missed_max = given.missed_max,
				 .overlap = given.overlap};
	show_state(row, out);
	out->builtin = schedule_is_built_in(&given);
	show_work(&given, out);
	return OK;
}
