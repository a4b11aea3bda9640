/*
 * The feed of changes: what was written to the directory, in the order in which it became visible (docs/adr/0010).
 *
 *   writer ──commit──► SQLite: `changes`, numbered by the one writer ────────────┐
 *      │               PostgreSQL: `changes_new` ──one process──► `changes` ────┴──► follower.h ──► listeners
 *      │                                           (sequencer.h)                         └► newest rows, here
 *      └ rings: the process's own sequencer and follower look at once
 *
 * A change says what to look at again, not what it holds now: reading the row anew is always right. Numbers have no
 * gaps. For one thing, later versions have higher numbers.
 *
 * A struct changes is what one process has of it: bells between its threads, and the newest rows for those who
 * stream them. Every function may be called by any thread.
 */
#ifndef TENFOLD_DIRECTORY_CHANGES_H
#define TENFOLD_DIRECTORY_CHANGES_H

#include "http/call.h"
#include "store/queries.h"

struct changes;

/* kept: how many of the newest rows stay in memory; a power of two. numbered: changes have their numbers as soon as
 * they are committed (SQLite). */
struct changes *changes_new(size_t kept, bool numbered);
void changes_destroy(struct changes **c);

/* Called, before the call is answered, with what a call has committed; on the thread it ran on. Before the first. */
typedef void changes_commit_fn(void *ctx, const struct change_fact *facts, size_t count);
void changes_on_commit(struct changes *feed, changes_commit_fn *fn, void *ctx);

/* Adds changes to the transaction of a call; its last statement. A SLOT, WRITE or BULK handler calls it, once or
 * several times; the feed is kicked when the call has been committed. */
enum err change_add(struct changes *feed, struct call *c, const struct change_fact *facts, size_t count);

/* ---- bells ---- */

enum changes_bell {
	CHANGES_COMMITTED, /* this process has committed changes; where they are numbered, rings the next too */
	CHANGES_NUMBERED,  /* there are new numbers to read */
	CHANGES_BELLS
};

void changes_ring(struct changes *feed, enum changes_bell bell);
/* Waits until it rings for the *heard + 1st time or more, but at most wait_ms, and not once changes_stop() was
 * called. Sets *heard to how often it has rung. */
void changes_wait(struct changes *feed, enum changes_bell bell, uint64_t *heard, int64_t wait_ms);
/* Lets time pass, unless changes_stop() was or is called. */
void changes_pause(struct changes *feed, int64_t ms);
/* No bell is waited for any more: for stopping threads. */
void changes_stop(struct changes *feed);
bool changes_stopping(struct changes *feed);

/* ---- the newest rows ---- */

/* The follower: rows follow each other and what was kept before; after a gap they start anew. */
void changes_keep(struct changes *feed, const struct change_row *rows, size_t count);

/* Copies up to max rows behind `since` into out, oldest first. False when the first of them is no longer here, or
 * `since` has not come yet; *count is then 0. */
bool changes_read(struct changes *feed, int64_t since, struct change_row *out, size_t max, size_t *count);

#endif
