/*
 * What the stories about executions are told with: a queue and its executions, a clock held in the hand, the rows a
 * store would hold, and short words for commands.
 *
 * A saga is always inside a batch; saga_at() commits it, keeps its rows, checks that what the events say is what is,
 * and begins the next one.
 */
#ifndef TENFOLD_TESTS_FLOW_KIT_SAGA_H
#define TENFOLD_TESTS_FLOW_KIT_SAGA_H

#include "work_kit/story.h"

#include "flow/flow.h"

enum { SAGA_SQUADS = 4, SAGA_STEPS = 64, TENANT = 1 };

/* An execution as its rows say. */
struct saga_rows {
	struct flow_loading row;
	struct flow_step_loading steps[SAGA_STEPS];
	char names[SAGA_STEPS][32], awaited[SAGA_STEPS][32];
	uint16_t needs[SAGA_STEPS][SAGA_STEPS];
	struct flow_question questions[SAGA_STEPS];
	size_t steps_count;
	/* As its events say. */
	int state, told[SAGA_STEPS];
	int64_t open[SAGA_STEPS]; /* questions; 0: none */
	int64_t last_event;
};

struct saga {
	struct story *s;
	struct flow *f;
	bool is_full; /* the queue takes nothing */
	int64_t next_id;
	struct problem problem;
	struct saga_rows **rows;
	size_t rows_count;
};

struct saga *saga_new(void);
void saga_end(struct saga **g);
void saga_at(struct saga *g, int64_t ms);   /* since T0 */
void saga_tick(struct saga *g, int64_t ms); /* saga_at, then all that is due */
void saga_undo(struct saga *g);
void saga_restart(struct saga *g); /* commits; then the executions are loaded from their rows */
const struct saga_rows *saga_row(const struct saga *g, int64_t id); /* fails when there is none */

struct flow_step_spec a_step(struct saga *g, const char *name);
struct flow_step_spec a_step_after(struct saga *g, const char *name, const uint16_t *needs, size_t count);
struct flow_execution *begin(struct saga *g, const struct flow_step_spec *steps,
			     size_t count); /* added and started */
struct flow_execution *begin_tried(struct saga *g, const struct flow_step_spec *steps, size_t count,
				   int64_t attempts);

/* A question that goes to members 101, 102 … and then, unless it fails, to a person; it waits 300 s, and 120 s. */
struct flow_question a_question(struct saga *g, size_t members, bool fails);
enum err ask(struct saga *g, struct flow_execution *e, const struct item *item, const struct flow_question *q);
enum err answer(struct saga *g, int64_t question, const char *text);

struct item *take(struct saga *g); /* a worker claims; NULL: nothing is there */
void give(struct saga *g, struct item *item, enum work_outcome outcome);
void break_down(struct saga *g, struct item *item); /* it fails for good */

/* "execution_started status_update …" of this batch. */
void assert_told(struct saga *g, const char *kinds);
void assert_stands(const struct flow_execution *e, enum execution_state state,
		   const char *steps); /* "completed ready" */

#endif
