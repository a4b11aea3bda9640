/* Who holds the lease of an item: the tokens of claims, and what is said when one does not fit. On the queue's thread.
 */
#ifndef TENFOLD_API_LEASE_H
#define TENFOLD_API_LEASE_H

#include "http/call.h"
#include "work/work.h"

/* ERR_STALE_TOKEN: it is none that was ever given out. */
enum err lease_token(struct str text, struct work_token *out, struct problem *p);

/* An attempt of an item that is not live: it can only be told how it ended. `settling` NULL: nothing is settled. */
enum err lease_finished(struct call *c, int64_t id, const struct work_token *t, const enum work_outcome *settling,
			int *state);

/* Gives an error about a token its sentence, unless it has one. */
enum err lease_problem(enum err err, struct problem *p);

/* The item whose lease is held with that token; else the error with its sentence. */
enum err lease_check(struct call *c, int64_t id, struct str token, struct item **out);

#endif
