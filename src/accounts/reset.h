/*
 * Setting a forgotten password: an admin makes a token and hands it over; it works once, for 20 minutes, and not
 * once there is a newer one or the password was changed.
 *
 * These run inside a handler, on its connection. Errors with their sentences: ERR_UNAUTHENTICATED (unknown, expired,
 * used), ERR_NOT_FOUND (nobody of that id in the caller's tenant).
 */
#ifndef TENFOLD_ACCOUNTS_RESET_H
#define TENFOLD_ACCOUNTS_RESET_H

#include "http/call.h"
#include "store/queries.h"

enum { RESET_LIFE_MS = 20 * 60000 };

enum err reset_add(struct call *c, int64_t id, int64_t user, struct password_reset *out);
/* Of a token that can be used. */
enum err reset_read(struct call *c, struct str token, struct password_reset_row *out);

#endif
