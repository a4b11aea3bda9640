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

/* Adds the jobs, which must not have started. *config must live as long as they. */
void upkeep_add(const struct upkeep_config *config, struct jobs *jobs);

#endif
