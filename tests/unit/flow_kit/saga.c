/* See saga.h. */
#include "flow_kit/saga.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

/* ---- the world of an execution ---- */

static enum err enqueue(void *ctx, const struct flow_execution *e, const struct flow_step *s,
			const struct work_spec *spec, struct item **out, struct problem *p)
{
	struct saga *g = ctx;
	bool existed;

	(void)e, (void)s;
	if (g->is_full)
		return problem_set(p, ERR_TOO_MANY, "full");
	return work_enqueue(g->s->w, spec, out, &existed, p);
}

static struct flow *make_flow(struct saga *g)
{
	return flow_new(&(struct flow_env){.work = g->s->w, .enqueue = enqueue, .ctx = g, .max_live = 1000});
}

struct saga *saga_new(void)
{
	struct saga *g = test_calloc(1, sizeof(*g));

	g->s = story_new();
	g->f = make_flow(g);
	g->next_id = 1000;
	flow_begin(g->f, g->s->now_ms);
	return g;
}

void saga_end(struct saga **pg)
{
	struct saga *g = *pg;

	saga_at(g, g->s->now_ms - T0);
	flow_destroy(&g->f);
	story_end(&g->s);
	for (size_t i = 0; i < g->rows_count; i++)
		test_free(g->rows[i]);
	free(g->rows);
	test_free(g);
	*pg = NULL;
}

/* ---- rows ---- */

static struct saga_rows *rows_of(const struct saga *g, int64_t id)
{
	for (size_t i = 0; i < g->rows_count; i++)
		if (g->rows[i]->row.id == id)
			return g->rows[i];
	fail_msg("the execution %lld has no rows", (long long)id);
	abort();
}

const struct saga_rows *saga_row(const struct saga *g, int64_t id)
{
	return rows_of(g, id);
}

static struct saga_rows *make_rows(struct saga *g, int64_t id)
{
	struct saga_rows *r = test_calloc(1, sizeof(*r));

	g->rows = realloc(g->rows, (g->rows_count + 1) * sizeof(*g->rows));
	g->rows[g->rows_count++] = r;
	r->row.id = id;
	return r;
}

static struct str keep_text(char *to, size_t room, struct str text)
{
	assert_true(text.n < room);
	memcpy(to, text.n ? text.p : "", text.n);
	to[text.n] = '\0';
	return (struct str){to, text.n};
}

static void keep_step(struct saga_rows *r, size_t i, const struct flow_step *s)
{
	memcpy(r->needs[i], s->needs ? s->needs : r->needs[i], s->needs_count * sizeof(*s->needs));
	r->steps[i] = (struct flow_step_loading){
		.spec = {.id = s->id,
			 .member = s->member,
			 .name = keep_text(r->names[i], sizeof(r->names[i]), name_str(s->name)),
			 .awaited = keep_text(r->awaited[i], sizeof(r->awaited[i]), name_str(s->awaited)),
			 .kind = s->kind,
			 .until_ms = s->until_ms,
			 .timeout_ms = s->timeout_ms,
			 .attempts_max = s->attempts_max,
			 .optional = s->optional,
			 .needs = r->needs[i],
			 .needs_count = s->needs_count},
		.state = s->state,
		.progress = s->progress,
		.item = s->item,
		.signalled = s->signalled,
		.questions = s->questions,
		.asking = s->asking};
	if (!s->asking.question)
		return;
	r->questions[i] = *s->asking.question;
	r->steps[i].asking.question = &r->questions[i];
}

static void keep(struct saga *g, const struct flow_change *c)
{
	const struct flow_execution *e = c->execution;
	bool is_new = !c->was_live && !c->was_ended;
	struct saga_rows *r = is_new ? make_rows(g, e->id) : rows_of(g, e->id);

	r->row = (struct flow_loading){.id = e->id,
				       .tenant = e->tenant,
				       .squad = e->squad,
				       .task = e->task,
				       .state = e->state,
				       .block = e->block,
				       .priority = e->priority,
				       .paused = e->paused,
				       .claimed = e->claimed,
				       .attempt = e->attempt,
				       .attempts_max = e->attempts_max,
				       .backoff_ms = e->backoff_ms,
				       .created_ms = e->created_ms,
				       .started_ms = e->started_ms,
				       .changed_ms = e->changed_ms,
				       .deadline_ms = e->deadline_ms,
				       .retry_ms = e->retry_ms,
				       .last_event = e->last_event};
	for (size_t i = 0; i < e->steps_count; i++)
		if (e->steps[i].touched)
			keep_step(r, i, &e->steps[i]);
	r->steps_count = e->steps_count;
}

/* ---- what the events say is what is ---- */

static size_t place_of(const struct saga_rows *r, int64_t step)
{
	for (size_t i = 0; i < r->steps_count; i++)
		if (r->steps[i].spec.id == step)
			return i;
	fail_msg("an event of a step that is none");
	abort();
}

/* It is asked once, then told of while it is open, and ends once. */
static void hear_question(struct saga_rows *r, const struct flow_event *event)
{
	int64_t *open = &r->open[place_of(r, event->step)];

	if (event->kind == FLOW_QUESTION) {
		assert_int_equal(*open, 0);
		*open = event->asking.question->id;
	}
	assert_int_equal(*open, event->asking.question->id);
	if (event->kind == FLOW_QUESTION_ANSWERED || event->kind == FLOW_QUESTION_UNANSWERED ||
	    event->kind == FLOW_QUESTION_CANCELLED)
		*open = 0;
}

static void hear_step(struct saga_rows *r, const struct flow_event *event)
{
	size_t i = place_of(r, event->step);

	assert_int_equal(r->told[i], event->from);
	assert_int_not_equal(r->told[i], STEP_COMPLETED);
	r->told[i] = event->to;
}

static void hear(struct saga *g, const struct flow_event *event)
{
	struct saga_rows *r = rows_of(g, event->execution->id);

	assert_int_equal(event->number, r->last_event + 1);
	r->last_event = event->number;
	if (event->kind == FLOW_STEP_STATUS)
		hear_step(r, event);
	if (event->asking.question)
		hear_question(r, event);
	if (event->kind != FLOW_STATUS)
		return;
	assert_int_equal(event->from, r->state);
	r->state = event->to;
}

static void compare(const struct saga *g)
{
	for (size_t i = 0; i < g->rows_count; i++) {
		const struct saga_rows *r = g->rows[i];

		assert_int_equal(r->state, r->row.state);
		assert_int_equal(r->last_event, r->row.last_event);
		for (size_t k = 0; k < r->steps_count; k++) {
			const struct flow_question *q = r->steps[k].asking.question;

			assert_int_equal(r->told[k], r->steps[k].state);
			assert_int_equal(r->open[k], q ? q->id : 0);
		}
	}
}

static void assert_sound(const struct saga *g)
{
	const char *fault = flow_broken_invariant(g->f);

	if (fault)
		fail_msg("%s", fault);
}

static void commit(struct saga *g)
{
	struct flow_change change;
	size_t count;
	const struct flow_event *events;

	flow_follow(g->f);
	assert_sound(g);
	for (size_t i = 0; flow_next_change(g->f, &i, &change);)
		keep(g, &change);
	events = flow_events(g->f, &count);
	for (size_t i = 0; i < count; i++)
		hear(g, &events[i]);
	compare(g);
	flow_commit(g->f);
}

void saga_at(struct saga *g, int64_t ms)
{
	commit(g);
	story_at(g->s, ms);
	flow_begin(g->f, g->s->now_ms);
	assert_sound(g);
}

void saga_tick(struct saga *g, int64_t ms)
{
	saga_at(g, ms);
	work_tick(g->s->w, 1000);
	flow_follow(g->f);
	flow_tick(g->f, 1000);
}

void saga_undo(struct saga *g)
{
	flow_undo(g->f);
	story_undo(g->s);
	flow_begin(g->f, g->s->now_ms);
	assert_sound(g);
}

static void load(struct saga *g, const bool *paused)
{
	for (int64_t squad = 0; squad < SAGA_SQUADS; squad++)
		if (paused[squad])
			flow_load_paused(g->f, squad);
	for (size_t i = 0; i < g->rows_count; i++) {
		const struct saga_rows *r = g->rows[i];

		if (r->row.state < EXECUTION_COMPLETED)
			assert_int_equal(flow_load(g->f, &r->row, r->steps, r->steps_count, &g->problem), OK);
	}
}

void saga_restart(struct saga *g)
{
	bool paused[SAGA_SQUADS];

	commit(g);
	story_at(g->s, g->s->now_ms - T0);
	for (int64_t squad = 0; squad < SAGA_SQUADS; squad++)
		paused[squad] = flow_squad_is_paused(g->f, squad);
	flow_destroy(&g->f);
	g->f = make_flow(g);
	load(g, paused);
	flow_begin(g->f, g->s->now_ms);
	flow_loaded(g->f);
	saga_at(g, g->s->now_ms - T0);
}

/* ---- words ---- */

struct flow_step_spec a_step(struct saga *g, const char *name)
{
	return (struct flow_step_spec){
		.id = ++g->next_id, .name = str_of(name), .kind = STEP_COMMAND, .attempts_max = 1};
}

struct flow_step_spec a_step_after(struct saga *g, const char *name, const uint16_t *needs, size_t count)
{
	struct flow_step_spec s = a_step(g, name);

	s.needs = needs;
	s.needs_count = count;
	return s;
}

struct flow_execution *begin_tried(struct saga *g, const struct flow_step_spec *steps, size_t count,
				   int64_t attempts)
{
	struct flow_spec spec = {.id = ++g->next_id,
				 .tenant = TENANT,
				 .squad = 1,
				 .task = 7,
				 .priority = PRIORITY_MEDIUM,
				 .attempts_max = attempts,
				 .backoff_ms = 1000,
				 .steps = steps,
				 .steps_count = count};
	struct flow_execution *e;

	assert_int_equal(flow_add(g->f, &spec, &e, &g->problem), OK);
	assert_int_equal(flow_start(g->f, TENANT, e->id, STR("ada"), &e, &g->problem), OK);
	return e;
}

struct flow_execution *begin(struct saga *g, const struct flow_step_spec *steps, size_t count)
{
	return begin_tried(g, steps, count, 1);
}

struct item *take(struct saga *g)
{
	struct item *item = claim(g->s, "grace", FLOW_ITEM_TYPE);

	flow_follow(g->f);
	return item;
}

void give(struct saga *g, struct item *item, enum work_outcome outcome)
{
	assert_int_equal(settle(g->s, item, work_token_of(item), outcome), OK);
	flow_follow(g->f);
}

void break_down(struct saga *g, struct item *item)
{
	assert_int_equal(fail_for_good(g->s, item, "no such branch"), OK);
	flow_follow(g->f);
}

struct flow_question a_question(struct saga *g, size_t members, bool fails)
{
	struct flow_question q = {.id = ++g->next_id, .wait_ms = 300000, .again_ms = 120000};

	for (; q.levels_count < members; q.levels_count++)
		q.levels[q.levels_count] = (struct flow_level){101 + q.levels_count, MEMBER_TECH_LEAD};
	if (!fails)
		q.levels[q.levels_count++] = (struct flow_level){0, -1};
	return q;
}

enum err ask(struct saga *g, struct flow_execution *e, const struct item *item, const struct flow_question *q)
{
	struct work_token token = work_token_of(item);

	for (size_t i = 0; i < e->steps_count; i++)
		if (e->steps[i].item == item->id)
			return flow_ask(g->f, TENANT, e->id, e->steps[i].id, &token, q, STR("Which branch?"), &e,
					&g->problem);
	fail_msg("the item is of no step");
	return ERR_NOT_FOUND;
}

enum err answer(struct saga *g, int64_t question, const char *text)
{
	struct flow_execution *e;

	return flow_answer(g->f, TENANT, question, 0, STR("eve"), str_of(text), &e, &g->problem);
}

static void add_word(struct buf *b, const char *word)
{
	buf_z(b, b->n ? " " : "");
	buf_z(b, word);
}

void assert_told(struct saga *g, const char *kinds)
{
	struct buf b = BUF_INIT(0);
	size_t count;
	const struct flow_event *events = flow_events(g->f, &count);

	for (size_t i = 0; i < count; i++)
		add_word(&b, enum_execution_event_kind.values[events[i].kind].text);
	assert_string_equal(buf_cstr(&b), kinds);
	buf_free(&b);
}

void assert_stands(const struct flow_execution *e, enum execution_state state, const char *steps)
{
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; i < e->steps_count; i++)
		add_word(&b, enum_step_state.values[e->steps[i].state].text);
	assert_string_equal(enum_execution_state.values[e->state].text, enum_execution_state.values[state].text);
	assert_string_equal(buf_cstr(&b), steps);
	buf_free(&b);
}
