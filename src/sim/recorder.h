/*
 * Where a run's records go: each agent's session in one piece, or not at all.
 *
 *   recorder_put() ─► given ─┬─ SQLite: one thread, all that has gathered in one transaction ──┬─► written
 *                      ▲     └─ PostgreSQL: a pool of connections, a transaction a session ────┤
 *                      └──────────── the store is away, or its disk is full: again, a moment later
 *
 * With --mock-db nothing is opened and no row is written: what would have been is counted. A record is copied when it
 * is given. None is lost while the process lives: a write that failed is tried again, recorder_trouble() says why
 * meanwhile, and recorder_put() refuses once so many wait, so that the run waits as well. What a killed process had not
 * yet written belongs to a cycle that is run again.
 *
 * Every row is marked is_simulated and has the run and the attempt: 0, and one more for each resume. Rows of cycles
 * that are run again are marked replay. What a cycle did, once, is its rows of the highest attempt.
 */
#ifndef TENFOLD_SIM_RECORDER_H
#define TENFOLD_SIM_RECORDER_H

#include "base/problem.h"
#include "base/vec.h"
#include "sim/record.h"

struct recorder;

struct recorder_config {
	const char *url;         /* sqlite:DIR/sim.db or postgres://…; NULL: --mock-db */
	unsigned pool, overflow; /* connections of PostgreSQL: kept, and more while all are busy */
	uint32_t queue_max;      /* records given and not yet written; past it recorder_put() refuses */
	/* Called on the recorder's threads, never with a lock held: there is room again after a refusal, all that was
	 * given is written, or recorder_trouble() has something new to say. */
	void (*wake)(void *ctx);
	void *ctx;
	const char *fault_plan; /* for tests: see store/fault.h; NULL: none. It counts from recorder_begin() on */
};

/* Opens the store and brings it to its schema. */
enum err recorder_open(const struct recorder_config *config, struct recorder **out, struct problem *p);

/* Tries to write what was given for at most so long, then ends; how many records are left unwritten. */
uint32_t recorder_close(struct recorder **r, int64_t patience_ms);

/* Whose records they are. Copied. */
struct run_identity {
	struct str run_id; /* run_ and 13 characters */
	struct str title, seed, scenario, population, target, version;
	uint64_t scenario_hash;
	int64_t started_ms; /* real */
	uint32_t agents;
	/* What the numbers of a session_record stand for. */
	const struct str *outcomes, *kept, *cohorts;
	unsigned outcome_count, kept_count, cohort_count;
};

/* What the store knows of the run. */
struct recorder_seen {
	bool any;            /* a record */
	uint32_t last_cycle; /* the highest with one */
	uint32_t attempt;    /* this process's */
	/* Of the attempt before: the last cycle that it brought to its end, -1 if there is none; and whose sessions
	 * had ended in the one after, in order. */
	int64_t whole;
	VEC(uint32_t) ended; /* VEC_FREE() */
};

/* Writes the run's row, or with `resume` finds it and counts the attempt; then records are taken. A run that was there
 * before and is not resumed is ERR_ALREADY_EXISTS; one that is resumed and was begun with another seed or scenario is
 * ERR_CONFLICT. A run that is resumed and that the store does not know begins there: nothing of it was seen. */
enum err recorder_begin(struct recorder *r, const struct run_identity *id, bool resume, struct recorder_seen *seen,
			struct problem *p);

/* Any thread. ERR_OVERLOADED: it was not taken, come again after wake(). */
enum err recorder_put(struct recorder *r, const struct session_record *s);

/* The row that says that a cycle is whole: given when recorder_settled(), then waited for likewise. Always taken. */
void recorder_cycle(struct recorder *r, const struct cycle_record *c);

/* Whether all that was given is written. Any thread. */
bool recorder_settled(struct recorder *r);

/* Why records wait, for people; p->err is OK while all is well. Any thread. */
void recorder_trouble(struct recorder *r, struct problem *p);

struct recorder_counts {
	uint64_t written_rows, planned_rows; /* planned: with --mock-db */
	uint64_t commits;
	uint32_t queued;
	unsigned connections, busy;
};
void recorder_count(struct recorder *r, struct recorder_counts *out); /* any thread */

#endif
