/*
 * Hooks as the API has them: where others send events, and what came in. Operators of a tenant see and change its own;
 * those of another tenant are as if there were none. Sending to a hook needs no key: its signature is checked, on the
 * connection that reads, before anything is written.
 *
 * These run inside a handler, on its connection; memory is of the call's arena. Those that write need a transaction.
 */
#ifndef TENFOLD_HOOKS_HOOK_H
#define TENFOLD_HOOKS_HOOK_H

#include "http/call.h"
#include "jobs/jobs.h"
#include "store/queries.h"

struct changes;

enum { HOOKS_PER_TENANT = 100 };

/* By id or name, whosever it is. ERR_NOT_FOUND. */
enum err hook_find(struct db *db, struct str ref, struct arena *a, struct hook_row *out);
/* Also ERR_NOT_FOUND when it is another tenant's. */
enum err hook_read(struct call *c, struct str ref, struct hook_row *out);

enum err hook_show(const struct hook_row *row, int64_t now_ms, struct arena *a, struct hook *out);

/* A new one. ERR_INVALID names the member; ERR_ALREADY_EXISTS: its name is taken. */
enum err hook_add(struct call *c, int64_t id, const struct hook_new *in, struct hook_row *out);
enum err hook_change(struct call *c, const struct hook_patch *in, struct hook_row *row);
/* Another secret; *made is the one that was made when none is given, else empty. */
enum err hook_renew(struct call *c, const struct hook_secret_in *in, struct hook_row *row, struct str *made);
enum err hook_list(struct call *c, const struct hook_list_in *in, struct hook_list_out *out);

/* ---- what comes in ---- */

/* A request that has been verified. */
struct hook_arrival {
	int64_t hook, tenant;
	struct str delivery, event, digest;
};

/* Is it of who knows the hook's secret? The errors of verify.h; ERR_FORBIDDEN: there is no secret yet, or it is
 * disabled; ERR_MALFORMED: the body is no JSON. */
enum err hook_verify(struct call *c, const struct hook_row *hook,
		     struct str (*header)(const void *ctx, struct str name), struct hook_arrival *out);
/* Stores it, unless it came before: then *out names the one there is. */
enum err hook_store(struct call *c, int64_t id, const struct hook_arrival *arrival, struct hook_received *out);

/* ERR_NOT_FOUND, also when it is another tenant's. */
enum err hook_delivery_read(struct call *c, int64_t id, struct hook_delivery_row *out);
void hook_delivery_show(const struct hook_delivery_row *row, bool whole, struct hook_delivery *out);
enum err hook_delivery_list(struct call *c, const struct hook_deliveries_in *in, struct hook_deliveries_out *out);
/* It waits again to be seen to. */
enum err hook_delivery_again(struct call *c, struct hook_delivery_row *row);

/* ---- upkeep ---- */

/* Adds the job that clears away what is old, and tells of what waits for too long: by a change, as when it came. */
void hook_upkeep(struct jobs *jobs, struct changes *feed);
/* What tells the process that owns the queue that something waits. */
struct change_fact hook_fact(int64_t hook, int64_t tenant, int64_t now_ms);

#endif
