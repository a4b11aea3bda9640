/* Tenants as handlers make them: rows inside the call's transaction, and the key ring once that is committed. */
#ifndef TENFOLD_API_TENANTS_H
#define TENFOLD_API_TENANTS_H

#include "http/call.h"

/* By an admin, or for people. ERR_INVALID and ERR_ALREADY_EXISTS with their words, naming `field`. */
enum err tenants_add(struct call *c, struct str name, const char *field, struct tenant *out);

/* The tenant of one person alone, whose name is the id of that person. */
enum err tenants_add_own(struct call *c, int64_t user, struct tenant *out);

#endif
