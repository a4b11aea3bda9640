/*
 * The rows of `liveness`: beats, what agents say of themselves, and the sweep that finds who has fallen silent. What
 * they mean stands in liveness.h; here they are read, written, and told of.
 *
 * A flip is a row of liveness, one of liveness_log and a change ENTITY_LIVENESS; it leaves the row of `agents` alone.
 * Rows are held in the order of their agents, and the sweep passes by what is held, so nobody waits for each other in a circle.
 */
#ifndef TENFOLD_DIRECTORY_BEATS_H
#define TENFOLD_DIRECTORY_BEATS_H

#include "directory/changes.h"
#include "jobs/jobs.h"

struct beats_config {
	struct changes *feed;
	struct metrics *metrics;
	int64_t silence_ms;           /* past it an agent is offline */
	int64_t sweep_ms;             /* period of the job "staleness" */
	int64_t (*new_id)(void *ctx); /* any thread */
	void *ctx;
};

/* Adds the job to jobs, which must not have started. *config must live as long as they. */
void beats_sweep(const struct beats_config *config, struct jobs *jobs);

/* One beat of many. */
struct beat_one {
	int64_t agent;
	enum err err; /* what became of it: OK, ERR_NOT_FOUND, or ERR_GONE for a tombstone that would flip */
	struct liveness_row row;
};

/* What a transaction tells the feed, when it comes to its end. In the arena. */
struct beats_told {
	struct change_fact *facts;
	size_t count;
};

/* Writes them all, at now_ms; agents in ascending order, an agent twice counts as once. Inside a transaction; an
 * error returned is the store's. */
enum err beats_take(const struct beats_config *config, struct db *db, struct arena *a, int64_t now_ms,
		    struct beat_one *beats, size_t count, struct beats_told *told);

/* An agent says how it is; likewise. ERR_NOT_FOUND. */
enum err beats_say(const struct beats_config *config, struct db *db, struct arena *a, int64_t now_ms, int64_t agent,
		   enum agent_away away, struct liveness_row *row, struct beats_told *told);

#endif
