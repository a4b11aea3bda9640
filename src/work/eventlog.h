/*
 * The log of what happened to items, as many readers see it: one row per committed batch, event ids "seq.index".
 *
 * The queue's thread appends after each commit; streams on any thread read with a cursor of their own. The newest
 * batches are in memory, bounded by bytes; older ones are in the table work_events until they are trimmed there.
 * Events are kept in a compact form and turned into JSON for whoever reads them.
 */
#ifndef TENFOLD_WORK_EVENTLOG_H
#define TENFOLD_WORK_EVENTLOG_H

#include "base/buf.h"
#include "spec/types.h"

struct eventlog;
struct db;
struct work_happening;

/* Where a reader is: behind the event (seq, index). index counts from 0. */
struct event_cursor {
	int64_t seq;
	int64_t index; /* -1: before the first of seq */
};

bool event_cursor_parse(struct str text, struct event_cursor *out); /* "seq.index" */
void event_cursor_format(const struct event_cursor *c, struct buf *b);

struct eventlog *eventlog_new(size_t max_bytes);
void eventlog_destroy(struct eventlog **l);

/* The queue's thread: a batch's events in their compact form. */
void eventlog_encode(struct buf *b, const struct work_happening *h);
void eventlog_append(struct eventlog *l, int64_t seq, struct str events); /* copied; wakes nobody */

/* After a start: seq is the last one stored; readers from now begin behind it. */
void eventlog_starts_at(struct eventlog *l, int64_t seq);
struct event_cursor eventlog_end(struct eventlog *l);

/* One event, decoded; its text points into the batch. */
struct event {
	struct event_cursor at;
	int64_t tenant;
	struct str holder; /* who has, or last had, the lease */
	struct work_event event;
};

/* Return false to stop; the event is then not counted as read. */
typedef bool event_fn(void *ctx, const struct event *e);

enum eventlog_read { EVENTS_READ, EVENTS_END, EVENTS_OLDER };
/* Gives the events behind *c in order and moves it. EVENTS_READ: stopped by fn; EVENTS_END: no more now;
 * EVENTS_OLDER: what follows *c is no longer in memory (use eventlog_fetch). */
enum eventlog_read eventlog_read(struct eventlog *l, struct event_cursor *c, event_fn *fn, void *ctx);

/* The same from the table, for some batches; sets *gone when the event at *c is no longer kept. *c with seq 0 is
 * the start of what is kept. Runs on a READ thread. */
enum err eventlog_fetch(struct eventlog *l, struct db *db, struct event_cursor *c, event_fn *fn, void *ctx,
			bool *gone);

#endif
