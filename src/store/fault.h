/*
 * A store that fails on purpose: wraps any other, for tests and for `tenfold serve --fault` in the crash tests.
 *
 * A plan is text: comma-separated `WHAT@WHEN[=MS]`. The first part that fits a call decides about it.
 *   fail      the call fails with ERR_STORE_UNAVAILABLE and has no effect; the connection is lost
 *   busy      ERR_STORE_BUSY
 *   full      ERR_STORE_FULL
 *   unknown   if the call is a commit: it is made, and ERR_OUTCOME_UNKNOWN answered; the connection is lost
 *   lost      if the call is a commit: it is not made, and ERR_OUTCOME_UNKNOWN answered; the connection is lost
 *   slow      the call takes =MS longer, and then what a later part says
 * WHEN counts store calls of all connections from 1: `7`, `7..9`, `7..` (for ever) or `*` (all). With a c before
 * it, commits are counted: fail@c3 is the third commit, full@c3.. each one from there. A call is a begin, a commit,
 * a savepoint and its end, a statement, a check or a reconnect; rollbacks, connecting and migrations are not.
 */
#ifndef TENFOLD_STORE_FAULT_H
#define TENFOLD_STORE_FAULT_H

#include "store/store.h"

/* Takes over *s. Counting starts when fault_arm() is called. */
enum err fault_wrap(struct store **s, const char *plan, struct problem *p);
void fault_arm(struct store *s);
uint64_t fault_calls(const struct store *s);   /* counted since armed */
uint64_t fault_commits(const struct store *s); /* of them, commits */

#endif
