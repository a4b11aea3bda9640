/*
 * Sessions: where a person is signed in. A session is a family of refresh tokens that follow each other; each is
 * used once for the next. One that comes a second time was stolen, or its answer was lost: nobody can tell, so
 * the session ends.
 *
 *           begin                    use: the next token
 *   (none) ───────► IN FORCE ─────────────────────────────► IN FORCE
 *                      │ signed out, password changed, a token replayed; or its time is over
 *                      ▼
 *                    ENDED
 *
 * These run inside a handler that writes, on its connection; memory is of the call's arena. Whoever changes what
 * a person's sessions rest on holds the row of the user first, so that none begins or goes on beside it. Access
 * tokens, which are keys, are the caller's.
 */
#ifndef TENFOLD_ACCOUNTS_USER_SESSION_H
#define TENFOLD_ACCOUNTS_USER_SESSION_H

#include "accounts/accounts.h"
#include "store/queries.h"

/* The user is held. */
enum err user_session_begin(struct user_accounts *a, struct call *c, int64_t id, const struct user_row *user,
			    int64_t tenant, struct str client, struct sign_in_row *out);

/* The next refresh token of a session: its text, and when it expires. */
enum err user_session_token(struct user_accounts *a, struct call *c, int64_t id, const struct sign_in_row *session,
			    struct str *text, int64_t *expires_ms);

/* Takes a refresh token and holds its user. ERR_UNAUTHENTICATED with the words for it: no refresh token, unknown,
 * expired, its session ended; or, and then *replayed is set and the session filled in, used before. */
enum err user_session_use(struct call *c, struct str token, struct sign_in_row *session, struct user_row *user,
			  bool *replayed);

/* It acts in this tenant from now on. */
enum err user_session_refreshed(struct call *c, const struct sign_in_row *session, int64_t tenant);

/* ERR_NOT_FOUND: the user has no such session, or it has ended. */
enum err user_session_end(struct call *c, int64_t user, int64_t id);
/* All but one; keep 0: all. */
enum err user_session_end_others(struct call *c, int64_t user, int64_t keep);

enum err user_session_list(struct call *c, const struct account_session_list_in *in,
			   struct account_session_list_out *out);

#endif
