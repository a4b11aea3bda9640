/*
 * Questions of steps: who is asked, when again, and who after that. Each state that waits has a time, or is a person's.
 *
 *   level 0: asked ──wait_ms──► asked again ──again_ms──► level 1: asked ──► … ──► none is left
 *              │                     │                                               │
 *              └──────────┬──────────┘                              a person is the last level: waits for them
 *                         │                                         else: unanswered, the step fails
 *                         ├── answered ──► the step begins again, with what was answered
 *                         ├── escalated by hand ──► the next level
 *                         └── the execution ended ──► cancelled
 *
 * A question is made by flow_ask and is not changed; where it stands is in its step, so undo needs nothing more than
 * the copy of that. Those that ended are kept until their batch is committed.
 */
#include "flow/flow_priv.h"

#include "base/id.h"

#include <stdlib.h>

/* ---- telling ---- */

static const struct flow_level *level_of(const struct flow_asking *a)
{
	return &a->question->levels[a->level];
}

/* What a stream shows of it. */
static struct str shown(struct flow *f, const struct flow_asking *a, struct str said)
{
	struct question_told told = {.question = a->question->id, .level = a->level};
	struct buf b = BUF_INIT(0);
	struct str text;

	if (level_of(a)->role >= 0)
		PUT(&told, question_told, role, level_of(a)->role);
	if (level_of(a)->member)
		PUT(&told, question_told, member, level_of(a)->member);
	if (a->due_ms)
		PUT(&told, question_told, due_at, a->due_ms);
	if (said.n)
		PUT(&told, question_told, text, said);
	json_encode(&type_question_told, &told, 0, &b);
	text = arena_str(f->batch.arena, buf_str(&b));
	buf_free(&b);
	return text;
}

static void tell(struct flow *f, struct flow_execution *e, const struct flow_step *s,
		 enum execution_event_kind kind, const struct cause *who, int64_t member, struct str said)
{
	flow_tell(f, e,
		  &(struct flow_event){.kind = (int)kind,
				       .from = -1,
				       .to = -1,
				       .step = s->id,
				       .member = member,
				       .attempt = who->attempt,
				       .agent = who->agent,
				       .text = shown(f, &s->asking, said),
				       .asking = s->asking,
				       .said = said});
}

/* ---- its course ---- */

static void reaches(struct flow *f, struct flow_step *s, uint8_t level)
{
	bool is_persons = s->asking.question->levels[level].member == 0;

	s->asking.level = level;
	s->asking.times = 1;
	s->asking.due_ms = is_persons ? 0 : f->batch.now_ms + s->asking.question->wait_ms;
	s->touched = true;
}

static bool is_last_level(const struct flow_step *s)
{
	return s->asking.level + 1u == s->asking.question->levels_count;
}

static void goes_up(struct flow *f, struct flow_execution *e, struct flow_step *s, const struct cause *who,
		    int64_t member, struct str why)
{
	reaches(f, s, (uint8_t)(s->asking.level + 1));
	tell(f, e, s, FLOW_QUESTION_ESCALATED, who, member, why);
}

static void is_over(struct flow *f, struct flow_step *s)
{
	*VEC_PUSH(&f->batch.over) = idmap_get(&f->questions, s->asking.question->id);
	s->asking = (struct flow_asking){0};
	s->touched = true;
}

void question_is_cancelled(struct flow *f, struct flow_execution *e, struct flow_step *s)
{
	tell(f, e, s, FLOW_QUESTION_CANCELLED, &(struct cause){0}, 0, (struct str){0});
	is_over(f, s);
}

static void stays_unanswered(struct flow *f, struct flow_execution *e, struct flow_step *s)
{
	tell(f, e, s, FLOW_QUESTION_UNANSWERED, &(struct cause){0}, 0, (struct str){0});
	is_over(f, s);
	step_ends(f, e, s, STEP_FAILED, &(struct cause){.ending.error = STR("nobody answered its question")});
}

void question_time_came(struct flow *f, struct flow_execution *e, struct flow_step *s)
{
	if (s->asking.times == 1) {
		s->asking.times = 2;
		s->asking.due_ms = f->batch.now_ms + s->asking.question->again_ms;
		s->touched = true;
		tell(f, e, s, FLOW_QUESTION_AGAIN, &(struct cause){0}, level_of(&s->asking)->member,
		     (struct str){0});
	} else if (!is_last_level(s)) {
		goes_up(f, e, s, &(struct cause){0}, level_of(&s->asking)->member, STR("nobody answered in time"));
	} else {
		stays_unanswered(f, e, s);
	}
}

/* ---- asking ---- */

static struct flow_question *copy_of(struct flow *f, const struct flow_question *from,
				     const struct flow_execution *e, const struct flow_step *s)
{
	struct flow_question *q = NEW(struct flow_question);

	*q = *from;
	q->execution = e->id;
	q->step = s->id;
	CHECK(q->levels_count > 0 && q->levels_count <= FLOW_LEVELS_MAX);
	CHECK(idmap_add(&f->questions, q->id, q));
	return q;
}

void question_load(struct flow *f, struct flow_execution *e, struct flow_step *s, const struct flow_asking *row)
{
	s->asking = *row;
	s->asking.question = copy_of(f, row->question, e, s);
}

static enum err lost(struct problem *p)
{
	return problem_set(p, ERR_STALE_TOKEN, "the lease of this token has ended; another attempt may be running");
}

static enum err find_asker(const struct flow_execution *e, int64_t id, struct flow_step **out, struct problem *p)
{
	struct flow_step *s = *out = step_find(e, id);

	if (e->ended)
		return execution_refuses(e, "asked about", p);
	if (!s)
		return problem_field(p, ERR_INVALID, "step", "the execution has no such step");
	if (s->state != STEP_RUNNING)
		return lost(p);
	if (s->questions >= FLOW_QUESTIONS_MAX)
		return problem_set(p, ERR_CONFLICT, "a step asks at most %d questions", FLOW_QUESTIONS_MAX);
	return OK;
}

/* The attempt did what it could: it asked. */
static enum err end_attempt(struct flow *f, const struct flow_step *s, int64_t tenant,
			    const struct work_token *token, int64_t question, struct problem *p)
{
	char id[ID_TEXT];
	struct item *item;
	struct work_ending ending = {.outcome = OUTCOME_COMPLETED};

	id_format(id, "qn_", question);
	ending.result = arena_fmt(f->batch.arena, "{\"asked\":\"%s\"}", id);
	return work_settle(f->env.work, tenant, s->item, token, &ending, &item) ? lost(p) : OK;
}

static struct cause holder_of(struct flow *f, const struct flow_step *s)
{
	const struct item *item = work_find(f->env.work, s->item);

	return (struct cause){.agent = arena_str(f->batch.arena, name_str(item->claimed_by)),
			      .attempt = item->attempt};
}

static void begins_to_wait(struct flow *f, struct flow_execution *e, struct flow_step *s,
			   const struct flow_question *question, const struct cause *who, struct str text)
{
	struct flow_question *q = copy_of(f, question, e, s);

	*VEC_PUSH(&f->batch.asked) = q;
	s->asking.question = q;
	s->questions++;
	reaches(f, s, 0);
	step_moves(f, e, s, STEP_WAITING, who);
	tell(f, e, s, FLOW_QUESTION, who, s->member, text);
}

enum err flow_ask(struct flow *f, int64_t tenant, int64_t id, int64_t step, const struct work_token *token,
		  const struct flow_question *question, struct str text, struct flow_execution **out,
		  struct problem *p)
{
	struct flow_step *s;
	struct cause who;
	enum err err = execution_get(f, tenant, id, out);

	if (!err)
		err = find_asker(*out, step, &s, p);
	if (err)
		return err;
	who = holder_of(f, s);
	err = end_attempt(f, s, tenant, token, question->id, p);
	if (err)
		return err;
	execution_touch(f, *out);
	begins_to_wait(f, *out, s, question, &who, text);
	command_done(f, *out);
	return OK;
}

/* ---- answering ---- */

static enum err find_question(const struct flow *f, int64_t tenant, int64_t id, struct flow_execution **out,
			      struct flow_step **step, struct problem *p)
{
	const struct flow_question *q = flow_find_question(f, id);
	enum err err = q ? execution_get(f, tenant, q->execution, out) : ERR_NOT_FOUND;

	if (err)
		return err;
	*step = step_find(*out, q->step);
	if ((*step)->asking.question != q)
		return problem_set(p, ERR_CONFLICT, "the question does not wait any more");
	return OK;
}

enum err flow_answer(struct flow *f, int64_t tenant, int64_t question, int64_t by_member, struct str by,
		     struct str answer, struct flow_execution **out, struct problem *p)
{
	struct flow_step *s;
	struct cause who = {.agent = by};
	enum err err = find_question(f, tenant, question, out, &s, p);

	if (!err && by_member && by_member == s->member)
		err = problem_field(p, ERR_INVALID, "member", "who asked cannot answer");
	if (err)
		return err;
	execution_touch(f, *out);
	tell(f, *out, s, FLOW_QUESTION_ANSWERED, &who, by_member, answer);
	is_over(f, s);
	step_moves(f, *out, s, STEP_PENDING, &who);
	command_done(f, *out);
	return OK;
}

enum err flow_escalate(struct flow *f, int64_t tenant, int64_t question, int64_t by_member, struct str by,
		       struct str why, struct flow_execution **out, struct problem *p)
{
	struct flow_step *s;
	enum err err = find_question(f, tenant, question, out, &s, p);

	if (!err && is_last_level(s))
		err = problem_set(p, ERR_CONFLICT,
				  "the question has come to its last level, and nobody is above that; it waits for "
				  "'tenfold question answer'");
	if (err)
		return err;
	execution_touch(f, *out);
	goes_up(f, *out, s, &(struct cause){.agent = by}, by_member, why);
	command_done(f, *out);
	return OK;
}

/* ---- batches ---- */

static void let_go(struct flow *f, struct flow_question *q)
{
	idmap_remove(&f->questions, q->id);
	free(q);
}

void questions_commit(struct flow *f)
{
	for (size_t i = 0; i < f->batch.over.n; i++)
		let_go(f, f->batch.over.v[i]);
	f->batch.asked.n = f->batch.over.n = 0;
}

void questions_undo(struct flow *f)
{
	for (size_t i = 0; i < f->batch.asked.n; i++)
		let_go(f, f->batch.asked.v[i]);
	f->batch.asked.n = f->batch.over.n = 0;
}

/* ---- for tests ---- */

const char *question_broken_invariant(const struct flow *f, const struct flow_execution *e,
				      const struct flow_step *s)
{
	const struct flow_question *q = s->asking.question;
	bool is_of_worker = s->kind != STEP_WAIT && s->kind != STEP_APPROVAL;

	if ((q != NULL) != (is_of_worker && s->state == STEP_WAITING))
		return "a step waits for an answer and asked nothing, or asked and does not wait";
	if (!q)
		return NULL;
	if (flow_find_question(f, q->id) != q || q->execution != e->id || q->step != s->id)
		return "a question does not lead to its step";
	if (s->asking.level >= q->levels_count || s->asking.times < 1 || s->asking.times > 2)
		return "a question is nowhere in its levels";
	if ((s->asking.due_ms == 0) != (level_of(&s->asking)->member == 0))
		return "a question waits without a time, and for no person";
	if (s->asking.due_ms && e->due_ms > s->asking.due_ms)
		return "the time of a question is not among the timers";
	return s->questions ? NULL : "a step asks and was not counted";
}
