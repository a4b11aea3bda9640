/*
 * Two jobs that clear away what has had its time.
 *
 *   expiry      challenges past their time; keys that expired 30 days ago; flips of liveness older than 30 days;
 *               changes older than changes_kept_ms, oldest first, but never the last: numbers go on from it
 *   tombstones  agents that were deleted 30 days ago, with all that stood beside them but attestations; their
 *               handles are free from then on
 */
#ifndef TENFOLD_DIRECTORY_UPKEEP_H
#define TENFOLD_DIRECTORY_UPKEEP_H

#include "directory/changes.h"
#include "jobs/jobs.h"

struct upkeep_config {
	struct changes *feed;
	int64_t changes_kept_ms;
};

/* A query that deletes what ended before a time, a bounded number, and gives the rows. */
typedef enum err upkeep_clear_fn(struct db *db, const struct upkeep_in *in, db_row_fn *each, void *ctx);
/* Clears keys away by one that gives struct key_place; the feed is told of them. */
enum err upkeep_clear_keys(struct db *db, struct job_run *run, upkeep_clear_fn *clear, int64_t before_ms,
			   size_t *count);

/* Adds the jobs, which must not have started. *config must live as long as they. */
void upkeep_add(const struct upkeep_config *config, struct jobs *jobs);

#endif
