/*
 * Webhooks: telling receivers outside what happened.
 *
 *   what happened ──same transaction──► a change of the feed, or an event that is pending     (directory, executions)
 *        job "webhooks" ──► events and a delivery for each webhook that wants it              (outbox.h)
 *        job "webhooks" ──► deliveries that are due, leased ──after the commit──► sender.h
 *        sender ──outcome──► job "webhooks": delivered, tried again (retry.h), or dead        (delivery.h)
 *
 * What was committed is told at least once: a delivery stays until its outcome is, and what was on its way when a
 * process died is sent again when its lease has lapsed. Its id, webhook-id, is the same in every attempt. Only the
 * process that holds the job sends, and it sends nothing whose lease may have lapsed, so no two send the same at once.
 *
 * Receivers are apart from each other: each has few places with the sender, and one that fails has one.
 */
#ifndef TENFOLD_WEBHOOKS_WEBHOOKS_H
#define TENFOLD_WEBHOOKS_WEBHOOKS_H

#include "jobs/jobs.h"
#include "store/queries.h"
#include "webhooks/reach.h"

struct clock;
struct webhooks;

struct webhooks_config {
	struct jobs *jobs; /* not started */
	struct clock *clock;
	struct metrics *metrics;
	const char *version;
	struct reach reach;
	bool exclusive;               /* no other process is on this store */
	int64_t (*new_id)(void *ctx); /* any thread */
	void *ctx;
};

struct webhooks *webhooks_new(const struct webhooks_config *config);
enum err webhooks_start(struct webhooks *w, struct problem *p);
/* After the jobs have stopped. */
void webhooks_destroy(struct webhooks **w);

const struct reach *webhooks_reach(const struct webhooks *w);
/* There is something to do; any thread. */
void webhooks_wake(struct webhooks *w);
/* A follower_fn: changes that webhooks may be told of wake the job. */
enum err webhooks_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count);

/* What those who listen in a tenant are told of. Whoever tells them of something else than agents, which follow from
 * the feed, writes a webhook_event_row with `pending` in its own transaction, and wakes the job after the commit. */
struct webhook_wanted {
	int64_t events;  /* a bit for each enum webhook_event */
	int64_t webhook; /* one of them; 0: there is none */
};
enum err webhook_wanted(struct db *db, int64_t tenant, struct webhook_wanted *out);

#endif
