/*
 * What happened in executions, as many readers see it: the newest batches in memory, bounded by bytes; older ones are
 * in the table. The process that owns the queue appends after each commit; readers are on any thread.
 *
 * A reader wants one execution, or one squad. Whether anything of it came at all is told without a lock, so that ten
 * thousand of them that rest cost little when somebody else's execution goes on.
 */
#ifndef TENFOLD_FLOW_LOG_H
#define TENFOLD_FLOW_LOG_H

#include "flow/events.h"

struct flow_log;

struct flow_log *flow_log_new(size_t max_bytes);
/* Whom to tell, after each append, of every execution and squad that it was about, by flow_log_place(). Before the
 * first append. */
void flow_log_tell(struct flow_log *l, void (*news)(void *ctx, size_t place), void *ctx);
void flow_log_destroy(struct flow_log **l);

/* After a start: batches up to this one are in the table alone. */
void flow_log_starts_at(struct flow_log *l, int64_t seq);
/* The rows of a batch; copied. One that is not above all before it is left out: it is known. */
void flow_log_append(struct flow_log *l, int64_t seq, const struct execution_event_row *rows, size_t count);
int64_t flow_log_end(struct flow_log *l); /* the newest batch */

/* What a reader wants: of one of them the id, 0 for the other. */
struct flow_wanted {
	int64_t execution, squad;
};

/* A hash of it. */
size_t flow_log_place(const struct flow_wanted *w);

/* May there be something in that batch or above it, in memory or not? Now and then true without anything. */
bool flow_log_has_news(const struct flow_log *l, const struct flow_wanted *w, int64_t seq);

typedef bool flow_log_fn(void *ctx, const struct execution_event *e); /* false: stop, it is not read */

enum flow_log_read { FLOW_LOG_END, FLOW_LOG_STOPPED, FLOW_LOG_OLDER };
/* Gives what is wanted of batch *seq behind *place (-1: all) and of those above it, in order, and moves both.
 * FLOW_LOG_OLDER: what follows is in the table. */
enum flow_log_read flow_log_read(struct flow_log *l, const struct flow_wanted *w, int64_t *seq, int64_t *place,
				 flow_log_fn *fn, void *ctx);

/* Rows of one batch in the order of events; the same for what was read from the table. */
bool flow_log_give(const struct execution_event_row *rows, size_t count, const struct flow_wanted *w,
		   int64_t *place, flow_log_fn *fn, void *ctx);

#endif
