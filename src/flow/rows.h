/*
 * Executions and their rows: loads the core (flow.h) from the store, and writes what each batch of the queue changed,
 * in the same transaction. Runs on the executor's thread; its calls stand beside those of work/persist.h:
 *
 *   acquire: after persist_acquire, before the first batch.    begin, flush: after those of the queue.
 *   end: before persist_end.                                   release: before persist_release.
 */
#ifndef TENFOLD_FLOW_ROWS_H
#define TENFOLD_FLOW_ROWS_H

#include "base/map.h"
#include "flow/flow.h"
#include "flow/log.h"
#include "work/persist.h"

struct flow_rows_config {
	struct persist *persist;
	uint64_t max_live; /* executions that have not ended */
	struct flow_log *log;
};

struct flow_rows {
	struct flow_rows_config config;
	struct flow *flow; /* NULL while this process does not own the slots */
	bool fresh;        /* the first batch, which puts back what is missing in the queue, is not committed yet */
	struct bodies *inputs; /* of steps that were added a moment ago, by their id */
	struct map spent;      /* squad to what it has spent, as far as was asked for: rows_cost.c */
	struct flow_batch_rows *rows;
};

struct flow_rows *flow_rows_new(const struct flow_rows_config *config);
void flow_rows_destroy(struct flow_rows **r);

enum err flow_rows_acquire(struct flow_rows *r, struct db *db, struct problem *p);
void flow_rows_release(struct flow_rows *r);

void flow_rows_begin(struct flow_rows *r, int64_t now_ms);
bool flow_rows_dirty(const struct flow_rows *r);
enum err flow_rows_flush(struct flow_rows *r, struct db *db);
void flow_rows_end(struct flow_rows *r, enum err outcome);

/* ---- for handlers ---- */

/* What the core does not keep. Texts are borrowed until the batch ends; inputs[i] is JSON, or empty, of steps[i]. */
struct flow_texts {
	struct str name, created_by;
	const struct str *inputs;
};

/* flow_add with the texts that go with it. */
enum err flow_rows_add(struct flow_rows *r, const struct flow_spec *spec, const struct flow_texts *texts,
		       struct flow_execution **out, struct problem *p);
/* flow_extend likewise; of the texts only inputs. */
enum err flow_rows_extend(struct flow_rows *r, int64_t tenant, int64_t id, const struct flow_step_spec *steps,
			  size_t count, const struct flow_texts *texts, struct str by, struct flow_execution **out,
			  struct problem *p);
/* flow_revive of the execution as its rows say. ERR_NOT_FOUND. */
enum err flow_rows_revive(struct flow_rows *r, int64_t tenant, int64_t id, struct str by,
			  struct flow_execution **out, struct problem *p);

/* How a question came to its levels. Texts are borrowed until the batch ends. */
struct flow_routing {
	struct str kind;
	int64_t rule; /* 0: the built-in ones */
};

/* flow_ask with what goes with it. */
enum err flow_rows_ask(struct flow_rows *r, int64_t tenant, int64_t id, int64_t step,
		       const struct work_token *token, const struct flow_question *question,
		       const struct flow_routing *routing, struct str text, struct flow_execution **out,
		       struct problem *p);
/* The levels of a question's row; how many. 0: it cannot be read. */
uint16_t flow_rows_levels(struct str blob, struct flow_level out[FLOW_LEVELS_MAX]);
/* Writes what a call of a model cost with this batch. Its texts are borrowed until the batch ends. */
void flow_rows_cost(struct flow_rows *r, const struct cost_entry_row *row);
/* What is known of what a squad has spent between two times that hold the batch's, this batch included. */
enum err flow_rows_spent(struct flow_rows *r, int64_t squad, int64_t from_ms, int64_t until_ms, int64_t *micro_usd);

/* The newest execution of a task, or of a project's tasks, that has not ended; NULL: there is none. */
enum err flow_rows_of_task(struct flow_rows *r, int64_t task, struct flow_execution **out);
enum err flow_rows_of_project(struct flow_rows *r, int64_t project, struct flow_execution **out);

/* A squad's row, also as this batch has changed it. ERR_NOT_FOUND, also when it is another tenant's. */
enum err flow_rows_squad(struct flow_rows *r, int64_t tenant, int64_t id, struct squad_row *out);
/* Writes the row under its next version, and holds or lets go on what the squad does. Its texts are borrowed until
 * the batch ends. */
void flow_rows_change_squad(struct flow_rows *r, struct squad_row *row);

#endif
