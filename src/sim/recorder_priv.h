/*
 * What the files of the recorder share.
 *
 *   recorder.c           records given and waiting, its thread, what is known of its trouble
 *   recorder_run.c       the row of a run: begun, or found again
 *   recorder_rows.c      a session as rows, in one block of memory
 */
#ifndef TENFOLD_SIM_RECORDER_PRIV_H
#define TENFOLD_SIM_RECORDER_PRIV_H

#include "base/arena.h"
#include "base/task.h"
#include "sim/queries.h"
#include "sim/recorder.h"

/* What the rows of a run have in common. */
struct record_frame {
	int64_t run;
	uint32_t attempt;
	const struct str *outcomes, *kept, *cohorts;
	unsigned outcome_count, kept_count, cohort_count;
};

/* Rows that are written together: a session and its events, or a cycle. */
struct record {
	struct record *next;
	struct task task; /* of the pool */
	size_t bytes;
	bool is_cycle;
	union {
		struct sim_session_row session;
		struct sim_cycle_row cycle;
	};
	uint32_t event_count;
	struct sim_event_row events[];
};

/* To be freed by free(). Bytes that no store takes become '?'. */
struct record *record_of_session(const struct record_frame *frame, const struct session_record *s);
struct record *record_of_cycle(const struct record_frame *frame, const struct cycle_record *c);
/* Rows of a session: what it would take to write it. */
uint64_t record_rows(const struct session_record *s);
/* In a transaction. */
enum err record_write(struct db *db, const struct record *r);

/* Fills all of `frame` but its run, copied to `a`. */
void record_frame_names(const struct run_identity *id, struct arena *a, struct record_frame *frame);

/* As recorder_begin(), on a connection. */
enum err recorder_run_begin(struct db *db, const struct run_identity *id, int64_t run, bool resume,
			    struct recorder_seen *seen, struct problem *p);

#endif
