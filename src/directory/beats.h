/*
 * The rows of `liveness`: beats, what agents say of themselves, and the sweep that finds who has fallen silent. What
 * they mean stands in liveness.h; here they are read, written, and told of.
 *
 * A flip is a row of liveness, one of liveness_log and a change ENTITY_LIVENESS; it leaves the row of `agents` alone.
 * Rows are held in the order of their agents, and the sweep passes by what is held, so nobody waits for each other in
 * a circle.
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

/* One beat, and what became of it. */
struct beat_one {
	int64_t agent;
	size_t nth;   /* for whoever sorted it */
	enum err err; /* ERR_NOT_FOUND; ERR_GONE: it would flip and is a tombstone. Nothing was written then */
	struct liveness_row row;
	bool flipped;
	struct change_fact fact; /* of the flip: for the end of the transaction */
};

/* Agents beat at now_ms: in ascending order, one of them perhaps several times. Inside a transaction; an error
 * returned is the store's. */
enum err beats_take(const struct beats_config *config, struct db *db, struct arena *a, int64_t now_ms,
		    struct beat_one *beats, size_t count);

/* An agent says how it is. */
enum err beats_say(const struct beats_config *config, struct db *db, struct arena *a, int64_t now_ms,
		   enum agent_away away, struct beat_one *beat);

#endif
