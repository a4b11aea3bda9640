/*
 * Events of executions in their compact form: what a batch told of one execution, in one row.
 *
 * The form is ours alone and of this version of the schema; who reads it out gets the events back, decoded.
 */
#ifndef TENFOLD_FLOW_EVENTS_H
#define TENFOLD_FLOW_EVENTS_H

#include "base/buf.h"
#include "flow/flow.h"
#include "store/queries.h"

/* One event out of a row. Texts point into the row. */
struct execution_event {
	int64_t execution, squad, tenant;
	int64_t number; /* within the execution */
	int64_t seq;    /* the batch … */
	uint64_t place; /* … and where in it: the order of all of them */
	int64_t at_ms;
	int kind, from, to; /* as in struct flow_event */
	int64_t step, member;
	uint32_t attempt;
	int progress;
	struct str agent, text;
};

/* Appends one to what goes into a row; they follow each other by number. place: among all events of the batch. */
void execution_event_encode(struct buf *b, const struct flow_event *e, uint64_t place);

struct execution_event_reader {
	const struct execution_event_row *row;
	struct str rest;
	int64_t number;
};

void execution_event_read(struct execution_event_reader *r, const struct execution_event_row *row);
bool execution_event_next(struct execution_event_reader *r, struct execution_event *out);

#endif
