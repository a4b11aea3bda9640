/*
 * Calls about the queue that reach a process which stands by: they are passed on to the process that owns the
 * queue, and its answers passed back. So every process of a deployment answers every call.
 *
 * One thread drives them all over libcurl's multi interface. A request is passed on with the credentials it came
 * with and the owner's epoch (X-Tenfold-Forwarded): a process that does not own the queue under that epoch refuses
 * it, so that nothing goes round in circles, and nothing is done twice when the owner was restarted between a
 * connection's loss and libcurl's second try. What could not be sent is ERR_OWNER_UNAVAILABLE; a write whose answer
 * did not come is ERR_OUTCOME_UNKNOWN.
 */
#ifndef TENFOLD_API_FORWARD_H
#define TENFOLD_API_FORWARD_H

#include "api/app.h"

struct forward;

enum err forward_new(struct app *app, struct forward **out, struct problem *p);
/* Finishes every call it has; streams are ended. Then forward_destroy(), after the HTTP server is gone. */
void forward_stop(struct forward *f);
void forward_destroy(struct forward **f);

/* Who owns the queue, by the queue's thread; an empty url: this process, or nobody that is known. What is under way
 * to another one is given up. */
void forward_owner(struct forward *f, struct str url, int64_t epoch);
/* Is there somebody to pass calls on to? Any thread. */
bool forward_has_owner(struct forward *f);

/* Is this call for another process? ERR_STANDBY: it was passed on to here, and this process is not the owner it was
 * meant for. */
enum err forward_wanted(const struct call *c, bool *wanted);

enum err forward_call(struct call *c);   /* takes it over until http_finish() */
enum err forward_stream(struct call *c); /* of a STREAM route: hands out the owner's stream */

void forward_hung_up(struct call *c);     /* of a call that was passed on */
void forward_undelivered(struct call *c); /* what it claimed is released */
void forward_end_waits(struct app *app);  /* waiting claims are answered that there is nothing, at a stop */

#endif
