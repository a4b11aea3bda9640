/*
 * A second pair of hands for SQLite's write-ahead log: copies it into the database file on a thread and a
 * connection of its own, while the writer goes on committing. What the writer commits meanwhile stays for the
 * writer to copy, which is little: so no commit waits for a whole log.
 *
 * One writer's thread calls; the checkpointer's thread starts when it is first needed.
 */
#ifndef TENFOLD_STORE_CHECKPOINTER_H
#define TENFOLD_STORE_CHECKPOINTER_H

struct checkpointer;

enum checkpointer_turn {
	CHECKPOINTER_AT_WORK,  /* it was asked now or before: come again after the next commit */
	CHECKPOINTER_FINISHED, /* it is done, well or badly: the rest is the caller's */
};

/* `path` is borrowed for as long as the checkpointer lives. */
struct checkpointer *checkpointer_new(const char *path);

/* Asks it to copy, or says how that stands; never waits. */
enum checkpointer_turn checkpointer_turn(struct checkpointer *c);

/* Waits until it is at rest. */
void checkpointer_wait(struct checkpointer *c);

void checkpointer_destroy(struct checkpointer **c);

#endif
