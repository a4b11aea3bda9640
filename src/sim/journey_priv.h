/*
 * What the files of journeys share.
 *
 *   journey.c         rooms, beginning and ending, the state machine
 *   journey_step.c    one step: whether, the request, the answer, what follows
 *   journey_facts.c   what expressions see
 */
#ifndef TENFOLD_SIM_JOURNEY_PRIV_H
#define TENFOLD_SIM_JOURNEY_PRIV_H

#include "sim/journey.h"
#include "sim/scenario_priv.h"

enum { JOURNEY_BYTES_MAX = 1 << 20, JOURNEY_LOOP_MAX = 1000 };

/*
 *   STATE ─► STEP ─► TURN ─► ASKED ─► (answered) ─► THINK ─► NEXT ─► TURN …       all turns done: STEP
 *     ▲       │        │        └─► (to be tried again) ─► AGAIN ─► ASKED         all steps done: STATE, or ENDED
 *     │       │        └─► (no request) ─► THINK
 *     └───────┴─── a way on, or the state for what failed
 */
enum phase { PHASE_STATE, PHASE_STEP, PHASE_TURN, PHASE_ASKED, PHASE_AGAIN, PHASE_THINK, PHASE_NEXT, PHASE_ENDED };

struct journey {
	struct journey_room *room;
	const struct journey_run *run;
	struct journey_start start;
	struct memory memory; /* this struct is the first that was taken of it */
	struct draws draws;
	struct value *variables;
	enum phase phase;
	unsigned state, step, steps; /* steps: so far, of JOURNEY_STEPS_MAX */
	uint32_t turn, turns;        /* of the step's loop */
	unsigned tries;              /* of the request, failed ones */
	int status;
	bool failing;              /* on the way that a failed request leads to: another ends it */
	bool waited;               /* what is to be waited for has been asked for */
	uint32_t event_room;       /* of the result's */
	const struct value *items; /* what the loop goes through; NULL: it only counts */
	struct str body;           /* while an answer is looked at */
	int64_t now_ms;
	double wait_s; /* to be waited for, before the phase */
	struct memory_mark before_request;
	struct journey_request request;
	struct journey_result result;
	struct journey_event *events; /* of the result */
};

struct journey_room {
	struct memory_stock stock;
	struct memory scratch; /* of one step */
	struct buf text, request, payload;
	struct expr_env env;
	/* Where the attributes that a scenario declares stand in a population. */
	const struct scenario *scenario;
	const struct population *population;
	int columns[POPULATION_ATTRIBUTES_MAX];
	char agent_id[POPULATION_ROOM];
	struct offers offers;
};

struct value journey_fact(void *ctx, enum fact f, unsigned index);
struct draws journey_draws(const struct journey_run *run, const struct journey_start *start, bool for_id);

static inline const struct plan_state *journey_state(const struct journey *j)
{
	return &j->run->scenario->states[j->state];
}

static inline const struct plan_step *journey_step(const struct journey *j)
{
	return &journey_state(j)->steps[j->step];
}

/* The room's environment, as this journey sees it now. */
struct expr_env *journey_env(struct journey *j);
void journey_finish(struct journey *j, unsigned outcome);
/* Ends it as failed, for what the environment says went wrong, or `why`. */
void journey_break(struct journey *j, const char *why);
void journey_fail_text(struct journey *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Each leaves the phase that comes next. */
void journey_begin_step(struct journey *j);
void journey_take_turn(struct journey *j);
void journey_ask(struct journey *j);
void journey_think(struct journey *j);

#endif
