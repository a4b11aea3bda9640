/* What the calls about accounts share, and what is asked before one of them may try a password. */
#ifndef TENFOLD_API_ACCOUNTS_H
#define TENFOLD_API_ACCOUNTS_H

#include "accounts/accounts.h"
#include "store/queries.h"

/* On the loop, of a HASH_WRITE call: ERR_RATE_LIMITED. */
enum err account_admit(struct call *c);

/* ERR_NOT_FOUND unless the caller is a person. */
enum err account_is_person(struct call *c);

/* Ends a session, or all but one (keep 0: all), with its access tokens; the last a handler does. */
enum err account_end(struct call *c, int64_t user, int64_t session);
enum err account_end_others(struct call *c, int64_t user, int64_t keep);

#endif
