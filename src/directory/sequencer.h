/*
 * Numbers the changes of PostgreSQL: what transactions have written to `changes_new` moves to `changes`, in the
 * order in which it was written, with numbers that have no gaps (docs/adr/0010).
 *
 * One thread with a writing connection of its own. It looks while this process holds the job "sequencer": at once
 * when the process itself has committed changes, else every 10 ms. The lease only saves the others from looking:
 * two at a time would give the same numbers, and the primary key refuses the second.
 */
#ifndef TENFOLD_DIRECTORY_SEQUENCER_H
#define TENFOLD_DIRECTORY_SEQUENCER_H

#include "directory/changes.h"
#include "jobs/jobs.h"

struct sequencer;

/* Adds its job to jobs, which must not have started. */
struct sequencer *sequencer_new(struct store *store, struct changes *feed, struct jobs *jobs,
				struct metrics *metrics);
enum err sequencer_start(struct sequencer *s, struct problem *p);
void sequencer_destroy(struct sequencer **s); /* after changes_stop() */

#endif
