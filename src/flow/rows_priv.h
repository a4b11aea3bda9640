/* What the files of the rows share: rows.c (a batch), rows_load.c (start-up, revival), rows_item.c (items of steps),
 * rows_question.c (what steps ask). */
#ifndef TENFOLD_FLOW_ROWS_PRIV_H
#define TENFOLD_FLOW_ROWS_PRIV_H

#include "base/map.h"
#include "flow/rows.h"

enum { FLOW_INPUTS_MAX_BYTES = 32 << 20 };

/* What one batch writes; kept from batch to batch for its memory. */
struct flow_batch_rows {
	VEC(struct execution_row) executions;
	VEC(struct execution_change_row) changes;
	VEC(struct step_row) steps;
	VEC(struct step_change_row) step_changes;
	VEC(struct execution_event_row) events;
	VEC(struct squad_change_row) squads;
	VEC(struct task_status_row) tasks;
	VEC(struct cost_entry_row) costs;
	VEC(size_t) order;  /* places of events, those of each execution together */
	struct map by_step; /* id of a step to 1 + its place in step_changes */
	struct map by_task; /* to the newest of its executions that changed */
	struct map
		texts; /* id of a new execution to its struct flow_texts; of a new question to its flow_routing */
	VEC(struct question_row) questions;
	VEC(struct question_change_row) question_changes;
	VEC(struct question_turn_row) question_turns;
	struct map by_question; /* id to 1 + its place in question_changes */
	struct buf told;        /* the events of all rows, one after the other */
};

/* As struct flow_env.enqueue. ctx is the struct flow_rows. */
enum err flow_rows_enqueue(void *ctx, const struct flow_execution *e, const struct flow_step *s,
			   const struct work_spec *spec, struct item **out, struct problem *p);
void flow_rows_keep_inputs(struct flow_rows *r, const struct flow_step_spec *steps, size_t count,
			   const struct flow_texts *texts);
/* The input of a step; empty for none. */
enum err flow_rows_input(struct flow_rows *r, const struct flow_execution *e, const struct flow_step *s,
			 struct str *out);

/* What an event tells of a question, as rows. */
void flow_rows_collect_question(struct flow_rows *r, const struct flow_event *event);
/* ,"questions":[…] for the payload of a step that asked; nothing for others. */
enum err flow_rows_put_questions(struct flow_rows *r, const struct flow_step *s, struct buf *b);

/* Questions that wait, as rows say: by the id of their step. */
struct flow_open_questions {
	struct arena *arena;
	struct map by_step; /* struct flow_asking */
};
enum err flow_rows_read_questions(struct db *db, struct flow_open_questions *out);

enum err flow_rows_load(struct flow_rows *r, struct db *db, struct problem *p);

/* ---- rows_cost.c ---- */

void flow_rows_costs_stored(struct flow_rows *r); /* the batch is committed */
void flow_rows_forget_spent(struct flow_rows *r); /* another process may write more */

#endif
