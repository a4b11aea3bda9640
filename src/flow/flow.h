/*
 * Executions as plain data and pure functions, beside the queue (work/work.h) and in its batches: no sockets, no
 * SQL, no wall clock, no threads.
 *
 *   pending ──start──► queued ──a worker takes a step──► in_progress ◄──────────► blocked
 *                        ▲                                 │      approval, event, time, pause
 *                        └────────── retrying ◄────────────┤
 *                       backoff       a step failed,       └──► completed | failed
 *                                     attempts left             from every state before these: cancelled
 *
 * An execution is a graph of steps. A step that runs is an item of the queue of the type FLOW_ITEM_TYPE, its team
 * the squad; wait and approval steps are in no queue. What becomes of items is told by the queue's own happenings
 * (flow_follow), so the end of a step and the beginning of the next are of one batch, and durable together. A step
 * that is completed never runs again.
 *
 * A step that runs may ask a question (flow_ask): it gives its place in the queue up and waits until somebody
 * answers, and then begins again. Whom it goes to, level by level, is given with it; question.c has the course of one.
 *
 * Where an execution stands is not set but follows from its steps (execution.c holds the table of moves, and a move
 * that is not in it stops the program). Executions that have ended leave memory when their batch is committed.
 *
 * As in the queue: everything happens between flow_begin and flow_commit or flow_undo, which stand inside those of
 * the queue (the queue's undo takes the items back by itself); a command that returns an error has changed nothing;
 * what a batch touched is read with flow_next_change and flow_events before its end. Text that commands are given is
 * borrowed until then, and pointers are valid so long.
 */
#ifndef TENFOLD_FLOW_FLOW_H
#define TENFOLD_FLOW_FLOW_H

#include "work/work.h"

#define FLOW_ITEM_TYPE "tf.step"

enum {
	FLOW_STEPS_MAX = 1000,
	FLOW_NEEDS_MAX = 100,
	FLOW_LEVELS_MAX = 8,
	FLOW_QUESTIONS_MAX = 20,      /* of one step */
	FLOW_MESSAGES_A_MINUTE = 120, /* of one execution */
};

struct flow;

/* What a step brought forth. */
struct flow_ending {
	struct str result, error, used;
};

/* Whom a question goes to. */
struct flow_level {
	int64_t member; /* 0: a person, who has no time; only the last level is one */
	int role;       /* enum member_role; -1: a person */
};

/* A question that waits for its answer. It does not change while it does. */
struct flow_question {
	int64_t id, execution, step;
	int64_t wait_ms, again_ms; /* until it is asked again, and then until it goes a level up */
	uint16_t levels_count;     /* at least 1 */
	struct flow_level levels[FLOW_LEVELS_MAX];
};

/* Where a question stands. */
struct flow_asking {
	const struct flow_question *question; /* NULL: there is none */
	int64_t due_ms;                       /* when it is asked again or goes up; 0: a person's, never */
	uint8_t level, times;                 /* from 0; asked so often at this level, 1 or 2 */
};

/* A step of an execution in memory. Read-only outside src/flow/. */
struct flow_step {
	int64_t id;
	int64_t item;         /* while it is ready or running; of the last time after that. 0: none yet */
	int64_t member;       /* who is to do it; 0: whoever takes it */
	int64_t until_ms;     /* wait: 0 for no time; approval: when it lapses, 0 for never */
	int64_t timeout_ms;   /* from the queue to its end; 0: none */
	struct name *name;    /* within the execution it is the only one called so */
	struct name *awaited; /* the event a wait is for; NULL */
	uint16_t *needs;      /* positions of steps, all before this one; never changed */
	uint16_t needs_count;
	uint16_t unmet; /* of them */
	uint16_t attempts_max;
	uint8_t kind, state, progress, phase;
	uint8_t questions;                /* it has asked so many */
	struct flow_asking asking;        /* it waits for the answer */
	bool optional;                    /* what needs it goes on when it failed */
	bool signalled;                   /* its event came already */
	bool touched;                     /* in this batch … */
	const struct flow_ending *ending; /* … which brought this forth; NULL: nothing */
};

/* An execution in memory. Read-only outside src/flow/. */
struct flow_execution {
	int64_t id, tenant, squad, task;
	struct flow_step *steps;
	uint16_t steps_count, steps_room;
	uint16_t standing[STEP_CANCELLED + 1]; /* how many steps stand where */
	uint8_t state, block, priority;
	uint8_t ended; /* enum execution_state, once it has; 0 before */
	bool paused;
	bool claimed; /* a worker has taken a step of it since it was queued */
	uint16_t attempt, attempts_max;
	uint32_t backoff_ms;
	int64_t created_ms, started_ms, changed_ms;
	int64_t deadline_ms;         /* 0: none */
	int64_t retry_ms;            /* when what failed begins again; 0 unless it is retrying */
	int64_t full_ms;             /* when steps that found no room in the queue are tried again; 0: none did */
	int64_t due_ms;              /* the first of its times; INT64_MAX: none */
	int64_t last_event;          /* number of its last event; the first has 1 */
	int64_t talk_ms;             /* messages are counted since then … */
	uint16_t talked;             /* … so many */
	struct str why;              /* it ended in this batch: a sentence */
	uint32_t touch, timer_place; /* flow/ only */
};

struct flow_env {
	struct work *work;
	/* Puts a step into the queue, as work_enqueue does; with the body its worker is to be given. */
	enum err (*enqueue)(void *ctx, const struct flow_execution *e, const struct flow_step *s,
			    const struct work_spec *spec, struct item **out, struct problem *p);
	void *ctx;
	uint64_t max_live; /* executions in memory */
};

struct flow *flow_new(const struct flow_env *env);
void flow_destroy(struct flow **f);

/* ---- batches ---- */

void flow_begin(struct flow *f, int64_t now_ms);
void flow_commit(struct flow *f); /* before work_commit */
void flow_undo(struct flow *f);   /* before work_undo */

/* Hears what became of items since it was last called in this batch. To be called after each command of the queue
 * and after work_tick; commands of this file do it themselves. */
void flow_follow(struct flow *f);

struct flow_change {
	const struct flow_execution *execution; /* in its state at the end of the batch */
	bool was_live, was_ended;               /* before the batch; both false: it is new */
	bool is_live;
	uint16_t steps_before; /* those from here on are new */
};

/* Each touched execution once: for (size_t i = 0; flow_next_change(f, &i, &change); ). Of its steps those with
 * `touched` changed. */
bool flow_next_change(const struct flow *f, size_t *i, struct flow_change *out);

struct flow_event {
	const struct flow_execution *execution;
	int64_t number; /* within the execution, from 1 without gaps */
	int64_t at_ms;
	int kind;     /* enum execution_event_kind */
	int from, to; /* states of the execution or of the step; -1: it is no move */
	int64_t step; /* id; 0: of the execution as a whole */
	int64_t member;
	uint32_t attempt;
	int progress;
	struct str agent; /* who did it */
	struct str text; /* for people; a line of the log, what a model said; JSON for FLOW_MESSAGE and questions */
	/* Of a question: */
	struct flow_asking asking; /* as it stands now, or stood at its end */
	struct str said;           /* asked, answered, or why it went up */
};
const struct flow_event *flow_events(const struct flow *f, size_t *count); /* of this batch, in order */

/* ---- commands: only inside a batch ---- */

struct flow_step_spec {
	int64_t id, member;
	struct str name, awaited;
	int kind, phase;
	int64_t until_ms, timeout_ms;
	int64_t attempts_max; /* of the item: 1 to 100 */
	bool optional;
	const uint16_t *needs; /* positions, each less than its own */
	size_t needs_count;
};

struct flow_spec {
	int64_t id, tenant, squad, task;
	int priority; /* enum work_priority */
	int64_t attempts_max, backoff_ms, deadline_ms;
	const struct flow_step_spec *steps;
	size_t steps_count;
};

/* ERR_INVALID naming the field (steps[2].needs[0]), ERR_TOO_MANY (max_live). */
enum err flow_add(struct flow *f, const struct flow_spec *spec, struct flow_execution **out, struct problem *p);

/* Errors of all that follow: ERR_NOT_FOUND (not in memory, or another tenant's), ERR_CONFLICT saying where it stands
 * when the move is none. Repeating what is so already is OK, and changes nothing. */
enum err flow_start(struct flow *f, int64_t tenant, int64_t id, struct str by, struct flow_execution **out,
		    struct problem *p);
enum err flow_cancel(struct flow *f, int64_t tenant, int64_t id, struct str by, struct str reason,
		     struct flow_execution **out, struct problem *p);
enum err flow_pause(struct flow *f, int64_t tenant, int64_t id, struct str by, struct flow_execution **out,
		    struct problem *p);
enum err flow_resume(struct flow *f, int64_t tenant, int64_t id, struct str by, struct flow_execution **out,
		     struct problem *p);
/* Steps for one that has not ended; they may need any step before them. */
enum err flow_extend(struct flow *f, int64_t tenant, int64_t id, const struct flow_step_spec *steps, size_t count,
		     struct str by, struct flow_execution **out, struct problem *p);
/* A verdict on a waiting approval. A no fails the step. */
enum err flow_approve(struct flow *f, int64_t tenant, int64_t id, int64_t step, bool yes, struct str by,
		      struct str note, struct flow_execution **out, struct problem *p);
/* Something came: waits for it end with `data`, also those that have not begun. ERR_CONFLICT when none waits. */
enum err flow_signal(struct flow *f, int64_t tenant, int64_t id, struct str name, struct str data, struct str by,
		     struct flow_execution **out, struct problem *p);
/* The worker that holds a step asks, by the token of its lease, which ends: the step waits. `question` is copied, but
 * for its execution and step, which are found by `step`. ERR_STALE_TOKEN; ERR_CONFLICT over FLOW_QUESTIONS_MAX. */
enum err flow_ask(struct flow *f, int64_t tenant, int64_t id, int64_t step, const struct work_token *token,
		  const struct flow_question *question, struct str text, struct flow_execution **out,
		  struct problem *p);
/* What somebody says to a question that waits. by_member: 0 for none. Who asked cannot answer: ERR_INVALID. */
enum err flow_answer(struct flow *f, int64_t tenant, int64_t question, int64_t by_member, struct str by,
		     struct str answer, struct flow_execution **out, struct problem *p);
/* It goes a level up at once. ERR_CONFLICT when nobody is above. */
enum err flow_escalate(struct flow *f, int64_t tenant, int64_t question, int64_t by_member, struct str by,
		       struct str why, struct flow_execution **out, struct problem *p);
/* A line of the log, a message, tokens: an event and nothing else. Messages are limited: ERR_RATE_LIMITED. */
enum err flow_note(struct flow *f, int64_t tenant, int64_t id, const struct flow_event *what,
		   struct flow_execution **out, struct problem *p);
/* A squad is paused, or goes on: what stands in the queue for it leaves it, or comes back. */
void flow_pause_squad(struct flow *f, int64_t squad, bool paused);
bool flow_squad_is_paused(const struct flow *f, int64_t squad);
bool flow_squad_is_busy(const struct flow *f, int64_t squad); /* has executions that have not ended */

/* Applies what is due, at most max; true when more is. */
bool flow_tick(struct flow *f, size_t max);
int64_t flow_next_due_ms(const struct flow *f); /* INT64_MAX: nothing */

/* ---- start-up, and back to life ---- */

/* Squads that are paused, and executions, in any order; the steps of each in order of position. Texts are copied. Then
 * flow_loaded(), in a batch: what should be in the queue and is not is put there. If that batch is undone, again. */
struct flow_loading {
	int64_t id, tenant, squad, task;
	int state, block, priority;
	bool paused, claimed;
	int64_t attempt, attempts_max, backoff_ms, created_ms, started_ms, changed_ms, deadline_ms, retry_ms,
		last_event;
};
struct flow_step_loading {
	struct flow_step_spec spec;
	int state, progress;
	int64_t item;
	bool signalled;
	int64_t questions;
	struct flow_asking asking; /* its question is copied */
};
enum err flow_load(struct flow *f, const struct flow_loading *row, const struct flow_step_loading *steps,
		   size_t steps_count, struct problem *p);
void flow_load_paused(struct flow *f, int64_t squad);
void flow_loaded(struct flow *f);

/* One that failed or was cancelled, read from the store: its steps that are not completed begin again, under the next
 * attempt. ERR_CONFLICT: it completed, or is live. */
enum err flow_revive(struct flow *f, const struct flow_loading *row, const struct flow_step_loading *steps,
		     size_t steps_count, struct str by, struct flow_execution **out, struct problem *p);

/* ---- looking ---- */

struct flow_execution *flow_find(const struct flow *f, int64_t id); /* live ones, and those this batch ended */
/* Questions that wait, and those this batch ended. */
const struct flow_question *flow_find_question(const struct flow *f, int64_t id);
/* Where it stands; NULL when it does not wait any more. */
const struct flow_asking *flow_find_asking(const struct flow *f, const struct flow_question *q);
/* Whose step this item of the queue is, as long as it is there or with a worker; NULL: nobody's. */
struct flow_execution *flow_of_item(const struct flow *f, int64_t item, const struct flow_step **step);
uint64_t flow_count(const struct flow *f);

/* For tests: every invariant, or which one is broken (NULL when all hold). */
const char *flow_broken_invariant(const struct flow *f);

#endif
