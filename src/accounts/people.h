/*
 * Who belongs to which tenant, and as what. A tenant of a kind `person` is of one alone; an organisation always
 * has an owner.
 *
 * These run inside a handler, on its connection; memory is of the call's arena. Errors with their sentences:
 * ERR_NOT_FOUND (no such person, or tenant, of theirs), ERR_FORBIDDEN, ERR_CONFLICT (the last owner, a tenant of
 * one person).
 */
#ifndef TENFOLD_ACCOUNTS_PEOPLE_H
#define TENFOLD_ACCOUNTS_PEOPLE_H

#include "http/call.h"
#include "store/queries.h"

enum { TENANTS_OF_ONE_MAX = 1000 };

/* All of a person's, oldest first. */
enum err people_tenants(struct call *c, int64_t user, struct membership **out, size_t *count);

/* One of them: by name or id when wanted is given; else `usual`, or the oldest. ERR_NOT_FOUND, ERR_FORBIDDEN: there is
 * none at all. */
enum err people_choose(struct call *c, int64_t user, struct str wanted, int64_t usual, struct membership *out);

/* ERR_ALREADY_EXISTS: they belong to it. */
enum err people_join(struct call *c, int64_t id, int64_t tenant, int64_t user, enum user_role role);

enum err people_list(struct call *c, const struct tenant_user_list_in *in, struct tenant_user_list_out *out);
/* By who manages the tenant of the call, to whom only an owner may not be below. */
enum err people_change(struct call *c, const struct tenant_user_patch *in, struct tenant_user *out);
enum err people_remove(struct call *c, int64_t user);

/* May the caller give somebody this role, or take it? ERR_FORBIDDEN: only owners make and unmake owners. */
enum err people_may_give(struct call *c, enum user_role role);

/* Held until the end of the transaction. ERR_CONFLICT: it is a person's own. */
enum err people_hold_organisation(struct call *c, int64_t tenant, struct tenant_hold_out *out);

#endif
