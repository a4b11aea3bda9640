/* What the files of the rows share: rows.c (a batch), rows_load.c (start-up, revival), rows_item.c (items of steps). */
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
	VEC(size_t) order;  /* places of events, those of each execution together */
	struct map by_step; /* id of a step to 1 + its place in step_changes */
	struct map texts;   /* id of a new execution to its struct flow_texts */
	struct buf told;    /* the events of all rows, one after the other */
};

/* As struct flow_env.enqueue. ctx is the struct flow_rows. */
enum err flow_rows_enqueue(void *ctx, const struct flow_execution *e, const struct flow_step *s,
			   const struct work_spec *spec, struct item **out, struct problem *p);
void flow_rows_keep_inputs(struct flow_rows *r, const struct flow_step_spec *steps, size_t count,
			   const struct flow_texts *texts);
/* The input of a step; empty for none. */
enum err flow_rows_input(struct flow_rows *r, const struct flow_execution *e, const struct flow_step *s,
			 struct str *out);

enum err flow_rows_load(struct flow_rows *r, struct db *db, struct problem *p);

#endif
