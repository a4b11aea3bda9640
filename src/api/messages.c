/*
 * Messages within executions. One is an event of its execution and nothing else: appended, never rewritten, in one
 * order with all that happens. Lists read the events.
 */
#include "api/api.h"
#include "api/app.h"
#include "api/executions.h"

enum { VISIT_ROWS = 2000 };

/* ---- saying ---- */

/* An active member of the squad. */
static enum err find_member(struct call *c, int64_t squad, int64_t id, const char *field,
			    struct squad_member_row *out)
{
	enum err err = q_squad_member_get(c->db, &(struct id_row){id}, c->arena, out);

	if (err == ERR_NOT_FOUND || (!err && (out->squad != squad || !out->active)))
		return problem_field(&c->problem, ERR_INVALID, field,
				     "there is no such active member in the squad");
	return err;
}

static enum err put_sender(struct call *c, const struct message_new *in, int64_t squad, struct message_told *out)
{
	struct squad_member_row member;
	enum err err;

	if (!HAS(in, message_new, from))
		return OK;
	err = find_member(c, squad, in->from, "from", &member);
	if (err)
		return err;
	PUT(out, message_told, from, member.id);
	PUT(out, message_told, from_name, member.name);
	PUT(out, message_told, from_role, (int)member.role);
	return OK;
}

static enum err put_receiver(struct call *c, const struct message_new *in, int64_t squad, struct message_told *out)
{
	struct squad_member_row member;
	enum err err;

	if (!HAS(in, message_new, to))
		return OK;
	if (HAS(in, message_new, from) && in->from == in->to)
		return problem_field(&c->problem, ERR_INVALID, "to", "is who says it");
	err = find_member(c, squad, in->to, "to", &member);
	if (err)
		return err;
	PUT(out, message_told, to, member.id);
	PUT(out, message_told, to_name, member.name);
	PUT(out, message_told, to_role, (int)member.role);
	return OK;
}

#define COPY(to, from, member)                                    \
	do {                                                      \
		if (HAS(from, message_told, member))              \
			PUT(to, message, member, (from)->member); \
	} while (0)

static void show(const struct message_told *told, int64_t number, int64_t at_ms, struct str by, struct message *out)
{
	*out = (struct message){.number = number, .at = at_ms, .by = by, .text = told->text};
	COPY(out, told, from);
	COPY(out, told, from_name);
	COPY(out, told, from_role);
	COPY(out, told, to);
	COPY(out, told, to_name);
	COPY(out, told, to_role);
}

#undef COPY

static enum err tell(struct call *c, int64_t execution, const struct message_told *told, int64_t *number)
{
	struct buf text = BUF_INIT(0);
	struct flow_event event = {.kind = FLOW_MESSAGE,
				   .from = -1,
				   .to = -1,
				   .member = HAS(told, message_told, from) ? told->from : 0,
				   .agent = c->caller.key_name};
	struct flow_execution *e;
	enum err err;

	json_encode(&type_message_told, told, 0, &text);
	event.text = buf_str(&text);
	err = flow_note(call_app(c)->flow->flow, c->caller.tenant, execution, &event, &e, &c->problem);
	buf_free(&text);
	if (!err)
		*number = e->last_event;
	return err;
}

enum err api_message_send(struct call *c, const struct message_new *in, struct message *out)
{
	const struct flow_execution *e = flow_find(call_app(c)->flow->flow, in->id);
	struct message_told told = {.text = in->text};
	int64_t number = 0;
	enum err err;

	if (!e || e->tenant != c->caller.tenant)
		return execution_gone(c, in->id);
	err = put_sender(c, in, e->squad, &told);
	if (!err)
		err = put_receiver(c, in, e->squad, &told);
	if (!err)
		err = tell(c, in->id, &told, &number);
	if (!err)
		show(&told, number, c->now_ms, c->caller.key_name, out);
	return err;
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	const struct message_list_in *in;
	struct message *items;
	size_t count, limit, visited;
	int64_t after; /* the number of the last event that was seen to */
	bool has_more; /* one more is wanted than may be given */
};

static bool is_wanted(const struct listing *l, const struct message_told *told)
{
	return !HAS(l->in, message_list_in, member) || !HAS(told, message_told, to) || told->to == l->in->member;
}

static enum err take_message(struct listing *l, const struct execution_event *e)
{
	struct message_told told;
	struct arena *a = l->c->arena;
	enum err err = json_decode(&type_message_told, arena_str(a, e->text), 0, a, &told, NULL);

	if (err || !is_wanted(l, &told))
		return err;
	l->has_more = l->count == l->limit;
	if (!l->has_more)
		show(&told, e->number, e->at_ms, arena_str(a, e->agent), &l->items[l->count++]);
	return OK;
}

static enum err take_row(void *ctx, const void *row)
{
	struct listing *l = ctx;
	struct execution_event_reader reader;
	struct execution_event e;
	enum err err = OK;

	l->visited++;
	execution_event_read(&reader, row);
	while (!err && !l->has_more && execution_event_next(&reader, &e)) {
		if (e.number <= l->after)
			continue;
		if (e.kind == FLOW_MESSAGE)
			err = take_message(l, &e);
		if (!l->has_more)
			l->after = e.number;
	}
	return err;
}

static enum err find_start(struct listing *l)
{
	if (!HAS(l->in, message_list_in, cursor) || (str_to_i64(l->in->cursor, &l->after) && l->after >= 0))
		return OK;
	return problem_field(&l->c->problem, ERR_INVALID, "cursor", "is not one that was given out");
}

static enum err check_execution(struct call *c, int64_t id)
{
	struct execution_row row;
	enum err err = q_execution_get(c->db, &(struct id_row){id}, c->arena, &row);

	if (err == ERR_NOT_FOUND || (!err && row.tenant != c->caller.tenant))
		return call_fail(
			c, ERR_NOT_FOUND,
			"there is no such execution here; of one that is archived the stream of events has "
			"the messages");
	return err;
}

enum err api_message_list(struct call *c, const struct message_list_in *in, struct message_list_out *out)
{
	struct listing l = {.c = c,
			    .in = in,
			    .limit = (size_t)in->limit,
			    .items = ARENA_ARRAY(c->arena, struct message, (size_t)in->limit)};
	enum err err = l.items ? find_start(&l) : ERR_INTERNAL;

	if (!err)
		err = check_execution(c, in->id);
	if (!err)
		err = q_execution_event_from(
			c->db, &(struct execution_event_from_in){in->id, l.after + 1, VISIT_ROWS}, take_row, &l);
	if (err)
		return err;
	out->items = l.items;
	out->items_count = l.count;
	if (l.has_more || l.visited == VISIT_ROWS)
		PUT(out, message_list_out, next_cursor, arena_fmt(c->arena, "%lld", (long long)l.after));
	return OK;
}
