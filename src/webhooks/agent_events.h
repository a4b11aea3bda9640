/*
 * What webhooks are told of agents: made of a change of the feed and of the agent as it is when it is told of. Changes
 * of liveness are told with the status that the change brought, as liveness_log has it.
 */
#ifndef TENFOLD_WEBHOOKS_AGENT_EVENTS_H
#define TENFOLD_WEBHOOKS_AGENT_EVENTS_H

#include "store/queries.h"

/* Is there an event for such a change? */
bool agent_event_is(const struct change_row *change);
/* The event of one, without an id; texts in the arena. */
enum err agent_event_of(struct db *db, struct arena *a, const struct change_row *change,
			struct webhook_event_row *out);

#endif
