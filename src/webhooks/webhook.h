/*
 * Webhooks as the API has them: who receives, and the deliveries to each. Operators of a tenant see and change its own;
 * those of another tenant are as if there were none.
 *
 * These run inside a handler, on its connection; memory is of the call's arena. Those that write need a transaction.
 */
#ifndef TENFOLD_WEBHOOKS_WEBHOOK_H
#define TENFOLD_WEBHOOKS_WEBHOOK_H

#include "http/call.h"
#include "store/queries.h"
#include "webhooks/reach.h"

enum { WEBHOOKS_PER_TENANT = 100 };

/* Of *row: what is answered. */
enum err webhook_show(const struct webhook_row *row, int64_t now_ms, struct arena *a, struct webhook *out);

/* ERR_NOT_FOUND, also when it is another tenant's. */
enum err webhook_read(struct call *c, int64_t id, struct webhook_row *out);
/* The same, and nobody else changes it until the transaction ends. */
enum err webhook_hold(struct call *c, int64_t id, struct webhook_row *out);

/* A new one; *out has its secret. ERR_INVALID names the member. */
enum err webhook_add(struct call *c, const struct reach *reach, int64_t id, const struct webhook_new *in,
		     struct webhook_row *out);
/* Changes what is held. Enabled again, it is told of what happens from then on, and what waits is sent. */
enum err webhook_change(struct call *c, const struct reach *reach, const struct webhook_patch *in,
			struct webhook_row *row);
/* Gives what is held another secret; the old one signs too for a while. */
enum err webhook_renew(struct call *c, int64_t overlap_ms, struct webhook_row *row);

enum err webhook_list(struct call *c, const struct webhook_list_in *in, struct webhook_list_out *out);

/* ---- deliveries ---- */

/* ERR_NOT_FOUND, also when it is another tenant's. */
enum err webhook_delivery_read(struct call *c, int64_t id, struct webhook_delivery_row *out);
void webhook_delivery_show(const struct webhook_delivery_row *row, bool whole, struct webhook_delivery *out);
enum err webhook_delivery_list(struct call *c, const struct webhook_deliveries_in *in,
			       struct webhook_deliveries_out *out);

/* An event for this webhook alone, which is held. ERR_CONFLICT when it is disabled. */
enum err webhook_test(struct call *c, int64_t (*new_id)(void *), void *ctx, const struct webhook_row *webhook,
		      struct webhook_delivery_row *out);
/* Sends a delivery again, whatever became of it. ERR_CONFLICT when it is being sent, or its webhook is disabled. */
enum err webhook_replay(struct call *c, struct webhook_delivery_row *delivery);

#endif
