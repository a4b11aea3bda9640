/* Questions of steps as rows: what a batch says of them, those that wait, and what was answered, for who goes on. */
#include "flow/rows_priv.h"

/* ---- levels ---- */

static struct str levels_blob(struct arena *a, const struct flow_question *q)
{
	struct buf b = BUF_INIT(0);
	struct str copy;

	for (size_t i = 0; i < q->levels_count; i++) {
		buf_varint(&b, (uint64_t)(q->levels[i].role + 1));
		buf_varint(&b, (uint64_t)q->levels[i].member);
	}
	copy = arena_str(a, buf_str(&b));
	buf_free(&b);
	return copy;
}

uint16_t flow_rows_levels(struct str blob, struct flow_level out[FLOW_LEVELS_MAX])
{
	uint16_t count = 0;
	uint64_t role, member;

	while (blob.n > 0) {
		if (count == FLOW_LEVELS_MAX || !take_varint(&blob, &role) || !take_varint(&blob, &member) ||
		    role > (uint64_t)enum_member_role.count)
			return 0;
		out[count++] = (struct flow_level){.role = (int)role - 1, .member = (int64_t)member};
	}
	return count;
}

/* ---- writing ---- */

static const struct flow_step *step_of(const struct flow_event *event)
{
	const struct flow_execution *e = event->execution;

	for (size_t i = 0; i < e->steps_count; i++)
		if (e->steps[i].id == event->step)
			return &e->steps[i];
	UNREACHABLE();
}

static void collect_new(struct flow_rows *r, const struct flow_event *event)
{
	const struct flow_question *q = event->asking.question;
	const struct flow_routing *routing = map_get(&r->rows->texts, (uint64_t)q->id);

	*VEC_PUSH(&r->rows->questions) = (struct question_row){.id = q->id,
							       .tenant = event->execution->tenant,
							       .squad = event->execution->squad,
							       .execution = q->execution,
							       .step = q->step,
							       .asker = step_of(event)->member,
							       .asked_by = event->agent,
							       .kind = routing->kind,
							       .question = event->said,
							       .rule = routing->rule,
							       .levels = levels_blob(r->config.persist->arena, q),
							       .wait_ms = q->wait_ms,
							       .again_ms = q->again_ms,
							       .state = QUESTION_OPEN,
							       .times = 1,
							       .due_ms = event->asking.due_ms,
							       .asked_ms = event->at_ms};
}

static enum question_state state_after(int kind)
{
	switch (kind) {
	case FLOW_QUESTION_ANSWERED:
		return QUESTION_ANSWERED;
	case FLOW_QUESTION_UNANSWERED:
		return QUESTION_UNANSWERED;
	case FLOW_QUESTION_CANCELLED:
		return QUESTION_CANCELLED;
	default:
		return QUESTION_OPEN;
	}
}

static struct question_change_row change_of(const struct flow_event *event)
{
	enum question_state state = state_after(event->kind);
	bool answered = state == QUESTION_ANSWERED;

	return (struct question_change_row){.id = event->asking.question->id,
					    .state = state,
					    .level = event->asking.level,
					    .times = event->asking.times,
					    .due_ms = state == QUESTION_OPEN ? event->asking.due_ms : 0,
					    .ended_ms = state == QUESTION_OPEN ? 0 : event->at_ms,
					    .answer = answered ? event->said : (struct str){0},
					    .answered_by = answered ? event->agent : (struct str){0},
					    .answerer = answered ? event->member : 0};
}

/* A row is written once in a batch, as it is at its end. */
static void collect_change(struct flow_rows *r, const struct flow_event *event)
{
	struct flow_batch_rows *rows = r->rows;
	struct question_change_row change = change_of(event);
	uintptr_t place = (uintptr_t)map_get(&rows->by_question, (uint64_t)change.id);

	if (place) {
		rows->question_changes.v[place - 1] = change;
		return;
	}
	*VEC_PUSH(&rows->question_changes) = change;
	map_put(&rows->by_question, (uint64_t)change.id, (void *)(uintptr_t)rows->question_changes.n);
}

void flow_rows_collect_question(struct flow_rows *r, const struct flow_event *event)
{
	if (event->kind == FLOW_QUESTION)
		collect_new(r, event);
	else
		collect_change(r, event);
	*VEC_PUSH(&r->rows->question_turns) = (struct question_turn_row){.question = event->asking.question->id,
									 .number = event->number,
									 .at_ms = event->at_ms,
									 .kind = event->kind,
									 .level = event->asking.level,
									 .member = event->member,
									 .agent = event->agent,
									 .said = event->said};
}

/* ---- loading ---- */

static enum err read_open(void *ctx, const void *found)
{
	struct flow_open_questions *open = ctx;
	const struct question_row *row = found;
	struct flow_question *q = ARENA_NEW(open->arena, struct flow_question);
	struct flow_asking *asking = ARENA_NEW(open->arena, struct flow_asking);

	*q = (struct flow_question){.id = row->id, .wait_ms = row->wait_ms, .again_ms = row->again_ms};
	q->levels_count = flow_rows_levels(row->levels, q->levels);
	*asking = (struct flow_asking){
		.question = q, .due_ms = row->due_ms, .level = (uint8_t)row->level, .times = (uint8_t)row->times};
	map_put(&open->by_step, (uint64_t)row->step, asking);
	return row->level < q->levels_count ? OK : ERR_INTERNAL;
}

enum err flow_rows_read_questions(struct db *db, struct flow_open_questions *out)
{
	return q_question_open_all(db, read_open, out);
}

/* ---- what was answered ---- */

struct putting {
	struct flow_rows *rows;
	struct buf *b;
	size_t count;
};

static void put(struct putting *to, struct str kind, struct str question, struct str answer, struct str by)
{
	struct question_given given = {.kind = kind, .question = question, .answer = answer, .answered_by = by};

	buf_z(to->b, to->count++ ? "," : ",\"questions\":[");
	json_encode(&type_question_given, &given, 0, to->b);
}

/* What this batch answers; NULL: nothing. Nobody can answer in the batch of the question: only then its id is known. */
static const struct flow_event *answer_of(const struct flow_rows *r, int64_t question)
{
	size_t count;
	const struct flow_event *events = flow_events(r->flow, &count);

	for (size_t i = 0; i < count; i++)
		if (events[i].kind == FLOW_QUESTION_ANSWERED && events[i].asking.question->id == question)
			return &events[i];
	return NULL;
}

static enum err put_stored(void *ctx, const void *found)
{
	struct putting *to = ctx;
	const struct question_row *row = found;
	const struct flow_event *now = answer_of(to->rows, row->id);

	if (now)
		put(to, row->kind, row->question, now->said, now->agent);
	else if (row->state == QUESTION_ANSWERED)
		put(to, row->kind, row->question, row->answer, row->answered_by);
	return OK;
}

enum err flow_rows_put_questions(struct flow_rows *r, const struct flow_step *s, struct buf *b)
{
	struct putting to = {.rows = r, .b = b};
	enum err err;

	if (s->questions == 0)
		return OK;
	err = q_question_of_step(r->config.persist->db, &(struct id_row){s->id}, put_stored, &to);
	if (to.count)
		buf_c(b, ']');
	return err;
}

/* ---- for handlers ---- */

enum err flow_rows_ask(struct flow_rows *r, int64_t tenant, int64_t id, int64_t step,
		       const struct work_token *token, const struct flow_question *question,
		       const struct flow_routing *routing, struct str text, struct flow_execution **out,
		       struct problem *p)
{
	map_put(&r->rows->texts, (uint64_t)question->id, (void *)(uintptr_t)routing);
	return flow_ask(r->flow, tenant, id, step, token, question, text, out, p);
}
