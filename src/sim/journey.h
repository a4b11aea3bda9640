/*
 * One agent's way through a scenario: a state machine that says what it wants next and is told what came of it.
 * Pure: no clock, no sockets, no store. Everything it decides comes from its draws, everything it knows from its
 * agent's attributes, the scenario and the answers.
 *
 *   journey_begin ─► journey_next ─► WANT_REQUEST ─► (sent, answered) ─► journey_answer ─┐
 *                        ▲      │                                                        │
 *                        │      ├─► WANT_WAIT ─► (waited) ───────────────────────────────┤
 *                        │      └─► WANT_NOTHING: it has ended; journey_end                │
 *                        └───────────────────────────────────────────────────────────────┘
 *
 * Memory: one block from the thread's journey_room, a few hundred bytes and what its variables hold, given back at
 * the end. One thread at a time. At most JOURNEY_STEPS_MAX steps and 1 MiB; more ends it as failed.
 */
#ifndef TENFOLD_SIM_JOURNEY_H
#define TENFOLD_SIM_JOURNEY_H

#include "sim/record.h" /* enum journey_kind, struct journey_event, struct journey_result */
#include "sim/scenario.h"

enum { JOURNEY_STEPS_MAX = 100000 };

enum journey_want { WANT_NOTHING, WANT_REQUEST, WANT_WAIT };

struct journey;
struct journey_room; /* of one thread: where journeys live */

struct journey_room *journey_room_new(void);
void journey_room_free(struct journey_room **r);
uint64_t journey_room_bytes(const struct journey_room *r); /* for tests: memory held */

/* What all journeys of a run have in common; must stay. */
struct journey_run {
	const struct scenario *scenario;
	const struct population *population;
	uint64_t seed;
	struct str run_id, key; /* what {{run}} and {{key}} stand for */
	bool mocked;            /* all answers come from journey_answer_mock(): requests are not written */
};

struct journey_start {
	enum journey_kind kind;
	uint32_t agent, cycle;
	uint32_t number; /* of the agent's sessions in this cycle, from 0 */
	unsigned cohort;
	uint32_t offer_period;       /* of JOURNEY_OFFERS and for coupons of mocked answers */
	const struct moment *moment; /* the cycle's hour; must stay */
	int64_t now_ms;              /* simulated */
};

struct journey *journey_begin(struct journey_room *r, const struct journey_run *run,
			      const struct journey_start *start);
void journey_end(struct journey_room *r, struct journey **j);

/* What it wants, valid until the next call on it. */
struct journey_request {
	unsigned endpoint;
	struct str method, path; /* path begins with '/', query included; encoded */
	struct str headers;      /* "Name: value\r\n" each; none of Host, Content-Length, Connection */
	struct str body;         /* empty: none */
	int64_t timeout_ms;      /* 0: the client's own */
};
enum journey_want journey_next(struct journey *j, int64_t now_ms); /* simulated, for {{now}} and events */
const struct journey_request *journey_request(const struct journey *j);
double journey_wait_s(const struct journey *j); /* simulated seconds */

struct journey_reply {
	enum err err; /* OK: there is an answer, whatever its status */
	int status;
	struct str body; /* valid during the call */
};
void journey_answer(struct journey *j, const struct journey_reply *reply);
/* As if the target had answered what the scenario's `mock` says. No memory of an answer is made. */
void journey_answer_mock(struct journey *j);

/* What has become of it (sim/record.h), after WANT_NOTHING; valid until journey_end(). */
const struct journey_result *journey_result(const struct journey *j);

#endif
