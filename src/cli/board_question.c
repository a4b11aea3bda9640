/*
 * See board.h: what steps ask. Of each step the newest question is kept, also when it is over, so that an older list
 * does not bring it back.
 */
#include "cli/board_priv.h"

#include <string.h>

enum { TOLD_MAX = 1 << 20 };

/* ---- finding ---- */

bool board_asks(const struct board_step *s)
{
	return s->state == STEP_WAITING && s->kind != STEP_APPROVAL && s->kind != STEP_WAIT;
}

const struct board_question *board_question(const struct board_execution *e, const struct board_step *s)
{
	for (size_t i = 0; i < e->questions.n; i++) {
		const struct board_question *q = &e->questions.v[i];

		if (q->step == s->id)
			return board_asks(s) && !q->is_over && q->text[0] ? q : NULL;
	}
	return NULL;
}

bool board_waits_for_approval(const struct board_step *s)
{
	return s->state == STEP_WAITING && s->kind == STEP_APPROVAL;
}

bool board_waits_for_person(const struct board_execution *e, const struct board_step *s)
{
	const struct board_question *q = board_question(e, s);

	return board_waits_for_approval(s) || (q && q->role < 0);
}

unsigned board_waiting(const struct board_execution *e)
{
	unsigned n = 0;

	for (size_t i = 0; i < e->steps_count; i++)
		n += board_waits_for_person(e, &e->steps[i]);
	return n;
}

const struct board_question *board_question_here(const struct board *b)
{
	const struct board_execution *e = board_find(b, board_chosen(b));
	const struct board_question *found = NULL;

	for (size_t i = 0; e && i < e->steps_count; i++) {
		const struct board_question *q = board_question(e, &e->steps[i]);

		if (q && e->id == b->at_execution && q->step == b->at_step)
			return q;
		if (q && (!found || (found->role >= 0 && q->role < 0)))
			found = q;
	}
	return found;
}

/* ---- what is said of one ---- */

static struct board_question *newest(struct board_execution *e, int64_t step)
{
	for (size_t i = 0; i < e->questions.n; i++)
		if (e->questions.v[i].step == step)
			return &e->questions.v[i];
	*VEC_PUSH(&e->questions) = (struct board_question){.step = step};
	return &e->questions.v[e->questions.n - 1];
}

static bool leads_on(const struct board_question *said, const struct board_question *known)
{
	return said->level > known->level || (said->level == known->level && said->due_ms > known->due_ms);
}

static void learn(struct board_execution *e, const struct board_question *said)
{
	struct board_question *known = newest(e, said->step);

	if (said->id > known->id)
		*known = *said;
	if (said->id != known->id)
		return;
	known->is_over = known->is_over || said->is_over;
	if (leads_on(said, known)) {
		known->level = said->level;
		known->due_ms = said->due_ms;
		known->role = said->role;
		known->member = said->member;
	}
	if (!known->text[0])
		memcpy(known->text, said->text, sizeof(known->text));
}

/* In whole characters; what is too long ends in "…". */
static void take_text(struct board_question *q, struct str text)
{
	static const char more[] = "…";
	size_t used = 0;

	while (used < text.n) {
		size_t step = str_utf8_step((struct str){text.p + used, text.n - used});

		step = step ? step : 1;
		if (used + step > BOARD_QUESTION_BYTES - sizeof(more))
			break;
		used += step;
	}
	memcpy(q->text, text.p, used);
	memcpy(q->text + used, more, used < text.n ? sizeof(more) : 0);
}

void board_take_question(struct board *b, const struct question *from)
{
	struct board_execution *e = board_find(b, from->execution);
	struct board_question q = {.id = from->id, .step = from->step, .level = from->level};

	if (!e)
		return;
	q.is_over = from->state != QUESTION_OPEN;
	q.role = HAS(from, question, role) ? from->role : -1;
	q.member = HAS(from, question, member) ? from->member : 0;
	q.due_ms = HAS(from, question, due_at) ? from->due_at : 0;
	take_text(&q, from->text);
	learn(e, &q);
}

static bool is_end(int kind)
{
	return kind == FLOW_QUESTION_ANSWERED || kind == FLOW_QUESTION_UNANSWERED ||
	       kind == FLOW_QUESTION_CANCELLED;
}

bool board_is_of_question(int kind)
{
	return kind == FLOW_QUESTION || kind == FLOW_QUESTION_AGAIN || kind == FLOW_QUESTION_ESCALATED ||
	       is_end(kind);
}

static void hear(struct board_execution *e, const struct execution_event_shown *ev)
{
	struct arena *a = arena_new(TOLD_MAX);
	struct question_told told;
	struct board_question q = {.step = ev->step, .is_over = is_end(ev->kind)};

	if (json_decode_answer(&type_question_told, ev->message, a, &told, NULL) == OK) {
		q.id = told.question;
		q.level = told.level;
		q.role = HAS(&told, question_told, role) ? told.role : -1;
		q.member = HAS(&told, question_told, member) ? told.member : 0;
		q.due_ms = HAS(&told, question_told, due_at) ? told.due_at : 0;
		if (ev->kind == FLOW_QUESTION) /* of others the text is an answer, or a reason */
			take_text(&q, told.text);
		learn(e, &q);
	}
	arena_destroy(&a);
}

void board_hear_question(struct board_execution *e, const struct execution_event_shown *ev)
{
	if (board_is_of_question(ev->kind) && HAS(ev, execution_event_shown, step) &&
	    HAS(ev, execution_event_shown, message))
		hear(e, ev);
}
