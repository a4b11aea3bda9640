/*
 * Invitations into an organisation: a token that lets one person in, once, handed over by whoever made it;
 * nothing is sent.
 *
 * These run inside a handler, on its connection. Errors with their sentences: ERR_INVALID naming `invitation` (unknown,
 * expired, used, for another address), ERR_FORBIDDEN, ERR_CONFLICT (the tenant is one person's own), ERR_NOT_FOUND.
 */
#ifndef TENFOLD_ACCOUNTS_INVITATION_H
#define TENFOLD_ACCOUNTS_INVITATION_H

#include "http/call.h"
#include "store/queries.h"

enum err invitation_add(struct call *c, int64_t id, const struct invitation_new *in, struct invitation_made *out);
enum err invitation_list(struct call *c, const struct invitation_list_in *in, struct invitation_list_out *out);
enum err invitation_revoke(struct call *c, int64_t id);

/* Would it let the owner of this address in? Writes nothing. */
enum err invitation_read(struct call *c, struct str token, struct str email, struct invitation_row *out);
/* Read and used, and its tenant held. Of two that come with the same one, one is let in. */
enum err invitation_use(struct call *c, struct str token, const struct user_row *user, struct invitation_row *out);

#endif
