/*
 * Follows the feed of changes: one thread per process, with a reading connection of its own.
 *
 *   READING ──rows──► listeners, in the order they were added ──► newest rows kept ──► READING
 *      │ nothing: waits for the bell, or 10 ms where another process may number (PostgreSQL)
 *      └ store lost: tries again every 200 ms; nothing is missed, for it goes on behind the last number it applied
 *
 * A listener is given each change in order, at least once: when one of them fails, all are given the same rows
 * again. Its work is done when it returns: follower_applied() counts from then on.
 */
#ifndef TENFOLD_DIRECTORY_FOLLOWER_H
#define TENFOLD_DIRECTORY_FOLLOWER_H

#include "directory/changes.h"

struct follower;

/* Rows that follow each other, on the follower's thread; db reads, outside a transaction. count 0: everything has
 * to be read anew, because it begins, or because changes were missed that are no longer kept. A failure of the
 * store is returned. */
typedef enum err follower_fn(void *ctx, struct db *db, const struct change_row *rows, size_t count);

struct follower_config {
	struct store *store;
	struct changes *feed;
	/* Do changes get their numbers in this process, so that the bell tells of them? */
	bool (*numbers_here)(void *ctx);
	/* After each batch of rows, for streams. */
	void (*applied)(void *ctx);
	void *ctx;
};

struct follower *follower_new(const struct follower_config *config);
/* Before the start. At most 8. */
void follower_listen(struct follower *f, follower_fn *fn, void *ctx);

/* Begins behind `since`: the number up to which the listeners know everything. FOLLOWER_FROM_NOW: they know nothing.
 * It begins behind the newest, which is looked up before it returns, and tells them first to read everything. */
enum { FOLLOWER_FROM_NOW = -1 };
enum err follower_start(struct follower *f, int64_t since, struct problem *p);
void follower_destroy(struct follower **f); /* stops it; after changes_stop() at once */

/* Any thread: the last number all listeners know. */
int64_t follower_applied(const struct follower *f);
/* Any thread: the time (clock_mono_ns) up to which every commit is known to the listeners; 0 before the first look.
 * When it is older than a second, what is held in memory may be out of date. */
int64_t follower_current_ns(const struct follower *f);
/* Any thread: the place in the store's log up to which every commit is known to the listeners; timeline 0 at first, and
 * on SQLite. */
struct log_place follower_place(struct follower *f);

#endif
