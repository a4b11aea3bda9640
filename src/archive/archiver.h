/*
 * Moves executions that ended long ago from the store into files, and back; and counts what ended on each day before.
 *
 *          a wish, and something that ended then
 *                       │
 *                    WRITING ──the file is whole──► MOVING ──no row is left──► KEPT
 *                                                                               │ asked for
 *                                     gone ◄── EMPTIED ◄──all rows are back── RESTORING
 *
 * The job "archive" runs on the queue's thread of the process that owns the queue, so that nothing comes back to life
 * between a look and a step; each of its steps is a bounded piece in a transaction, and where it stands is a row of
 * `archives`. Files are written and read through by a thread of their own. A process that dies leaves a row that says
 * what is to be done next, and doing it again changes nothing:
 *
 *   - what ended in the time of an archive that is not KEPT yet does not come back to life (archive_moves);
 *   - a file has a name of its own each time it is written, which the row takes with the step to MOVING;
 *   - a row leaves the tables only when the whole file has been read again, and only if the file has it;
 *   - a row comes back only if it is not there, and was not brought back before.
 */
#ifndef TENFOLD_ARCHIVE_ARCHIVER_H
#define TENFOLD_ARCHIVE_ARCHIVER_H

#include "base/problem.h"
#include "jobs/jobs.h"

struct archiver;
struct clock;
struct store;

struct archiver_config {
	struct store *store;
	struct jobs *jobs; /* not started */
	struct clock *clock;
	const char *folder; /* of the files; made if need be */
	const char *version;
	int64_t look_ms;              /* how often it is looked whether another process has a wish */
	int64_t (*new_id)(void *ctx); /* any thread */
	void *ctx;
};

enum err archiver_new(const struct archiver_config *config, struct archiver **out, struct problem *p);
enum err archiver_start(struct archiver *a, struct problem *p);
/* After the jobs have stopped. */
void archiver_destroy(struct archiver **a);

const char *archiver_folder(const struct archiver *a);
void archiver_wake(struct archiver *a); /* there is a wish; any thread */

#endif
