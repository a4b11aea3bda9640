/*
 * From what happened to deliveries, inside the job's transaction: events that are pending, and what the feed of changes
 * says of agents, from the number on that the row of webhook_position holds. Each is given to every enabled webhook of
 * its tenant that wants it, once.
 */
#ifndef TENFOLD_WEBHOOKS_OUTBOX_H
#define TENFOLD_WEBHOOKS_OUTBOX_H

#include "store/queries.h"

struct outbox {
	struct db *db;
	struct arena *arena;
	int64_t (*new_id)(void *ctx);
	void *ctx;
	int64_t now_ms;    /* by the store's clock */
	size_t deliveries; /* made */
	bool more;         /* not all was looked at */
	bool listening;    /* there is an enabled webhook */
};

/* Of a tenant, those that are enabled; in the arena. */
struct listener {
	int64_t id, events, since, waiting;
	struct str *when;
	size_t when_count;
};
struct listeners {
	struct listener *v;
	size_t n;
};
enum err listeners_of(struct db *db, struct arena *a, int64_t tenant, struct listeners *out);

enum { WAITING_MAX = 100000 }; /* deliveries of a webhook; then it is disabled */

/* Is it told of that at all, and do its conditions hold of the data? */
bool listener_wants(const struct listener *l, int64_t type, struct str data);

/* A delivery of an event to a webhook; the event is written by the caller. */
enum err outbox_deliver(struct outbox *o, const struct webhook_event_row *event, int64_t webhook, int64_t *id);

enum err outbox_pending(struct outbox *o);
enum err outbox_changes(struct outbox *o);

#endif
