/*
 * A store that fails on purpose: wraps any other, for tests and for `tenfold serve --fault` in the crash tests.
 *
 * A plan is text: comma-separated `WHAT@N[=MS]` where N counts store calls (1 is the first) or `*` means all:
 *   fail@N      the call fails with ERR_STORE_UNAVAILABLE and has no effect; the connection is lost
 *   busy@N      ERR_STORE_BUSY
 *   full@N..M   ERR_STORE_FULL for each call of the range (M may be missing: for ever)
 *   unknown@N   if the call is a commit: it is made, and ERR_OUTCOME_UNKNOWN answered
 *   lost@N      if the call is a commit: it is not made, and ERR_OUTCOME_UNKNOWN answered
 *   slow@N=MS   the call takes MS longer
 * `commit` in place of N's number space: fail@c3 means the third commit.
 */
#ifndef TENFOLD_STORE_FAULT_H
#define TENFOLD_STORE_FAULT_H

#include "store/store.h"

/* Takes over *s. Counting starts when fault_arm() is called. */
enum err fault_wrap(struct store **s, const char *plan, struct problem *p);
void fault_arm(struct store *s);
uint64_t fault_calls(const struct store *s); /* counted since armed */

#endif
