/* Calls of models become cost entries, in the batch that settles the step that made them. */
#ifndef TENFOLD_API_COSTS_H
#define TENFOLD_API_COSTS_H

#include "flow/flow.h"
#include "http/call.h"

/* What an attempt of a step says it used; call it once, when it has ended. The texts are those of the call. */
void costs_note(struct call *c, const struct flow_execution *e, const struct flow_step *step, int64_t attempt,
		const struct work_used *used);
/* The same of an item that was settled a moment ago; of items that are no steps nothing is kept. */
void costs_note_item(struct call *c, const struct item *item, const struct work_used *used);

#endif
