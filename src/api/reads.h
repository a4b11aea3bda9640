/*
 * Reads where there are replicas (store/replicas.h), and what makes a session see its own writes there.
 *
 * With each write its place in the store's log goes back to the caller, in the header Tenfold-Seen and a cookie. A read
 * that brings it is only answered from where that place was reached. For callers who bring nothing the process itself
 * remembers the last place of each key. Every process of a deployment is given the same replicas.
 */
#ifndef TENFOLD_API_READS_H
#define TENFOLD_API_READS_H

#include "api/app.h"
#include "store/replicas.h"

struct reads;

struct reads_config {
	struct app *app;
	const struct str *urls; /* of the replicas */
	size_t count;
	struct pool_limits limits;
	int64_t lag_max_ms;
};
enum err reads_new(const struct reads_config *config, struct reads **out, struct problem *p);
void reads_destroy(struct reads **r); /* before app->pool */

/* A READ call: takes it over until http_finish(). */
enum err reads_dispatch(struct call *c);

/* The call was committed on this connection, or by another process that said so. Nothing when there are no replicas. */
void reads_committed(struct call *c, struct db *db);
void reads_relayed(struct call *c, struct str seen);

/* May a kept answer be sent, as far as it depends on what others have committed? */
bool reads_may_be_kept(const struct call *c);

#endif
