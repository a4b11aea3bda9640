/*
 * In a process that does not own the queue: what happens in executions, read from the table into the log (log.h) as it
 * comes, while somebody listens. One writer numbers batches in the order of their commits, so what is above the last
 * one seen is new, and whole.
 */
#ifndef TENFOLD_FLOW_TAIL_H
#define TENFOLD_FLOW_TAIL_H

#include "base/problem.h"
#include "flow/log.h"

struct flow_tail;
struct store;

struct flow_tail_config {
	struct store *store;
	struct flow_log *log;
	bool (*is_wanted)(void *ctx); /* does anybody listen, and does nobody else here append? Any thread */
	void (*began)(void *ctx);     /* the log begins anew: what is before it is in the table alone */
	void *ctx;
};

enum err flow_tail_start(const struct flow_tail_config *config, struct flow_tail **out, struct problem *p);
void flow_tail_stop(struct flow_tail **t);

#endif
