/*
 * Inside the executions: what their files share.
 *
 *   flow.c     life, looking               batch.c     touching, commit, undo, events
 *   graph.c    steps as they are given     steps.c     the life of one step
 *   course.c   where an execution stands   command.c   what callers ask for
 *   follow.c   what becomes of items       timers.c    what is due
 *   load.c     executions from rows        question.c  what steps ask
 *   invariants.c
 *
 * Indexes (the map of items, the heap of what is due) are functions of executions: flow_index_add() derives every
 * place one has from its fields, flow_index_remove() takes it out again, and what they read changes only in between.
 */
#ifndef TENFOLD_FLOW_FLOW_PRIV_H
#define TENFOLD_FLOW_FLOW_PRIV_H

#include "base/heap.h"
#include "base/vec.h"
#include "flow/flow.h"
#include "work/idmap.h"

#define NEVER_MS INT64_MAX

enum {
	FLOW_LEASE_MS = 60000,
	FLOW_BACKOFF_BASE_MS = 1000,
	FLOW_BACKOFF_MAX_MS = 60000,
	FLOW_RETRY_MAX_MS = 3600000,
	FLOW_ATTEMPTS_MAX = 100,
	FLOW_FULL_MS = 1000, /* until a step that found no room in the queue is tried again */
};

/* What a batch did to an execution. */
struct flow_touch {
	struct flow_execution *execution;
	struct flow_execution before; /* with steps of its own, as they were … */
	bool was_live, was_ended;     /* … when it was live or had ended */
	uint16_t steps_before;
};

struct flow_batch {
	bool open;
	int64_t now_ms;
	struct arena *arena; /* texts, endings */
	VEC(struct flow_touch) touches;
	VEC(struct flow_event) events;
	VEC(int64_t) squads;                     /* that were paused, or went on, in this order */
	VEC(struct flow_question *) asked, over; /* questions that began, and that ended */
	size_t told;                             /* happenings of the queue that were heard */
};

struct flow {
	struct flow_env env;
	struct flow_batch batch;
	struct name_table names;
	struct idmap by_id;     /* live executions, and those this batch ended */
	struct idmap paused;    /* squads */
	struct idmap questions; /* that wait, and those this batch ended; it owns them */
	struct map by_item;     /* id of the item of a ready or running step, to its execution */
	struct heap timers;
	uint64_t live;
	struct map live_of; /* squad to how many live ones it has; without any it is not there */
};

/* ---- flow.c ---- */

void execution_free(struct flow *f, struct flow_execution *e);
enum err execution_get(const struct flow *f, int64_t tenant, int64_t id, struct flow_execution **out);
bool has_ended(const struct flow_execution *e);

void flow_index_add(struct flow *f, struct flow_execution *e);
void flow_index_remove(struct flow *f, struct flow_execution *e);

/* It is live now; it no longer is. */
void flow_count_in(struct flow *f, const struct flow_execution *e);
void flow_count_out(struct flow *f, const struct flow_execution *e);

/* ---- batch.c ---- */

/* Before its first change in a batch; takes it out of the indexes, until arranged() puts it back. */
void execution_touch(struct flow *f, struct flow_execution *e);
void execution_arrange(struct flow *f, struct flow_execution *e);
void execution_enter(struct flow *f, struct flow_execution *e, bool was_ended); /* a new one, or one back to life */
void flow_batch_free(struct flow_batch *b);
void flow_tell(struct flow *f, struct flow_execution *e,
	       const struct flow_event *what); /* number and time are given */

/* ---- graph.c ---- */

/* Would these fit behind those it has? */
enum err graph_check(const struct flow *f, const struct flow_execution *e, const struct flow_step_spec *steps,
		     size_t count, struct problem *p);
void graph_add(struct flow *f, struct flow_execution *e, const struct flow_step_spec *spec);
bool step_is_met(const struct flow_step *s); /* so that what needs it may begin */
uint16_t step_unmet(const struct flow_execution *e, const struct flow_step *s);

/* ---- steps.c ---- */

/* Who and what brought a step where it is. */
struct cause {
	struct str agent;
	uint32_t attempt;
	struct flow_ending ending;
};

struct flow_step *step_find(const struct flow_execution *e, int64_t id);
struct flow_step *step_of_item(const struct flow_execution *e, int64_t item);
void step_moves(struct flow *f, struct flow_execution *e, struct flow_step *s, enum step_state to,
		const struct cause *why);
void step_begins(struct flow *f, struct flow_execution *e, struct flow_step *s);
void step_keeps(struct flow *f, struct flow_step *s,
		const struct flow_ending *ending); /* what came before it began */
void step_ends(struct flow *f, struct flow_execution *e, struct flow_step *s, enum step_state to,
	       const struct cause *why);
/* Takes its item out of the queue, if it has one there. */
void step_leaves_queue(struct flow *f, struct flow_execution *e, struct flow_step *s, struct str why);

/* ---- command.c ---- */

enum err execution_refuses(const struct flow_execution *e, const char *what, struct problem *p);
void command_done(struct flow *f, struct flow_execution *e); /* what follows from it, and the indexes */

/* ---- question.c ---- */

void question_load(struct flow *f, struct flow_execution *e, struct flow_step *s, const struct flow_asking *row);
void question_time_came(struct flow *f, struct flow_execution *e, struct flow_step *s);
void question_is_cancelled(struct flow *f, struct flow_execution *e, struct flow_step *s);
void questions_commit(struct flow *f);
void questions_undo(struct flow *f);
const char *question_broken_invariant(const struct flow *f, const struct flow_execution *e,
				      const struct flow_step *s);

/* ---- course.c ---- */

bool execution_may_run(const struct flow *f, const struct flow_execution *e);
void execution_advance(struct flow *f,
		       struct flow_execution *e); /* begins what can begin, and says where it stands */
void execution_ends(struct flow *f, struct flow_execution *e, enum execution_state how, struct str by,
		    struct str why);
void execution_holds(struct flow *f, struct flow_execution *e); /* what is in the queue leaves it */
void execution_retries(struct flow *f, struct flow_execution *e);

/* ---- timers.c ---- */

int64_t execution_due_ms(const struct flow_execution *e);
bool flow_due_before(const void *a, const void *b);

#endif
