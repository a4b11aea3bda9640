/* The story of a squad's board: one execution of four steps, what a server says of it, and what is pressed and seen. */
#ifndef TENFOLD_TESTS_BOARD_KIT_H
#define TENFOLD_TESTS_BOARD_KIT_H

#include "drawn.h"

#include "base/term.h"
#include "cli/board_priv.h"

enum { T0 = 1000000, STEPS = 4, WIDEST = 130, HIGHEST = 40 };

static const int64_t EX = 11, OTHER = 12, PLAN = 21, BUILD = 22, TEST = 23, RELEASE = 24, LEAD = 31, QUESTION = 41;

struct story {
	struct board *board;
	struct board_look look;
	struct buf screen;
	struct execution_step steps[STEPS];
	struct str needs[3];
	struct execution execution;
	struct board_action did;
	char message[1024]; /* of the last event about a question */
};

/* ---- what a server would say ---- */

static inline struct execution_step step_of(int64_t id, const char *name, int kind, int state)
{
	return (struct execution_step){.id = id, .name = str_of(name), .kind = kind, .state = state};
}

static inline void need(struct execution_step *s, struct str *names, size_t count)
{
	PUT(s, execution_step, needs, names);
	s->needs_count = count;
}

static inline void fill_execution(struct story *s)
{
	s->needs[0] = STR("plan");
	s->needs[1] = STR("build");
	s->needs[2] = STR("test");
	s->steps[0] = step_of(PLAN, "plan", STEP_COMMAND, STEP_COMPLETED);
	s->steps[1] = step_of(BUILD, "build", STEP_COMMAND, STEP_READY);
	s->steps[2] = step_of(TEST, "test", STEP_COMMAND, STEP_PENDING);
	s->steps[3] = step_of(RELEASE, "release", STEP_APPROVAL, STEP_PENDING);
	need(&s->steps[1], &s->needs[0], 1);
	need(&s->steps[2], &s->needs[0], 1);
	need(&s->steps[3], &s->needs[1], 2);
	s->execution = (struct execution){.id = EX,
					  .squad = 1,
					  .name = STR("Rate limits"),
					  .state = EXECUTION_IN_PROGRESS,
					  .created_by = STR("ann"),
					  .last_event = 5};
	PUT(&s->execution, execution, started_at, T0);
	PUT(&s->execution, execution, steps, s->steps);
	s->execution.steps_count = STEPS;
}

static inline struct execution_event_shown event(int64_t execution, int64_t number, int kind)
{
	return (struct execution_event_shown){
		.execution = execution, .number = number, .kind = kind, .at = T0 + number * 1000};
}

static inline struct execution_event_shown moved(int64_t number, int64_t step, const char *from, const char *to)
{
	struct execution_event_shown e = event(EX, number, step ? FLOW_STEP_STATUS : FLOW_STATUS);

	PUT(&e, execution_event_shown, old_status, str_of(from));
	PUT(&e, execution_event_shown, new_status, str_of(to));
	if (step)
		PUT(&e, execution_event_shown, step, step);
	return e;
}

static inline struct execution_event_shown taken_by(struct execution_event_shown e, const char *agent)
{
	PUT(&e, execution_event_shown, agent, str_of(agent));
	return e;
}

static inline struct execution_event_shown said(int64_t number, int kind, int64_t step, const char *message)
{
	struct execution_event_shown e = event(EX, number, kind);

	PUT(&e, execution_event_shown, step, step);
	PUT(&e, execution_event_shown, message, str_of(message));
	return e;
}

static inline struct execution_event_shown at_percent(int64_t number, int64_t step, int64_t percent)
{
	struct execution_event_shown e = event(EX, number, FLOW_STEP_PROGRESS);

	PUT(&e, execution_event_shown, step, step);
	PUT(&e, execution_event_shown, progress, percent);
	return e;
}

/* ---- the story ---- */

static inline int begin(void **state)
{
	struct story *s = NEW(struct story);
	struct squad squad = {.name = STR("backend"), .status = SQUAD_ACTIVE};

	s->board = board_new();
	board_take_squad(s->board, &squad);
	fill_execution(s);
	s->look = (struct board_look){
		.width = 80, .height = 24, .has_keys = true, .now_ms = T0 + 72000, .trouble = ""};
	s->screen = BUF_INIT(1 << 20);
	*state = s;
	return 0;
}

static inline int end(void **state)
{
	struct story *s = *state;

	board_destroy(&s->board);
	buf_free(&s->screen);
	free(s);
	return 0;
}

static inline void hear(struct story *s, struct execution_event_shown e)
{
	assert_true(board_hear(s->board, &e));
}

static inline void key(struct story *s, int k)
{
	board_key(s->board, k, s->look.now_ms, &s->did);
}

static inline void keys(struct story *s, const char *text)
{
	for (; *text; text++)
		key(s, (unsigned char)*text);
}

static const char *screen(struct story *s)
{
	buf_reset(&s->screen);
	board_draw(s->board, &s->look, &s->screen);
	return drawn(&s->screen);
}

static inline void shows(struct story *s, const char *text)
{
	drawn_shows(screen(s), text);
}

static inline void hides(struct story *s, const char *text)
{
	drawn_hides(screen(s), text);
}

/* The execution as it is read, with a build under way, a log and what a model says. */
static inline void work(struct story *s)
{
	board_take(s->board, &s->execution);
	hear(s, taken_by(moved(6, BUILD, "ready", "running"), "ada"));
	hear(s, at_percent(7, BUILD, 40));
	hear(s, said(8, FLOW_LOG, BUILD, "{\"level\":\"info\",\"text\":\"12 files\"}"));
	hear(s, said(9, FLOW_TOKENS, BUILD, "{\"text\":\"It \"}"));
	hear(s, said(10, FLOW_TOKENS, BUILD, "{\"text\":\"works\"}"));
}

static inline void wait_for_approval(struct story *s)
{
	s->steps[3].state = STEP_WAITING;
	s->execution.state = EXECUTION_BLOCKED;
	PUT(&s->execution, execution, block, BLOCK_APPROVAL);
	board_take(s->board, &s->execution);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, begin, end)

#endif
