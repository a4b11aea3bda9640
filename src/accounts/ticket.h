/*
 * Tickets: a URL that opens one stream once, for a browser's EventSource, which can send no header.
 *
 * A ticket has the rights of the key it was made with, in its tenant, for one path, for 30 seconds. It is gone
 * with the first request that shows it, whether that was the right one or not. On PostgreSQL it is a row, so that
 * any process may be shown it; on SQLite it is in memory, since requests are authenticated where nothing can be
 * written.
 */
#ifndef TENFOLD_ACCOUNTS_TICKET_H
#define TENFOLD_ACCOUNTS_TICKET_H

#include "accounts/accounts.h"
#include "store/queries.h"

enum { TICKET_LIFE_MS = 30000, TICKETS_MAX = 10000 /* in memory */ };

struct tickets *tickets_new(void);
void tickets_destroy(struct tickets **t);

/* Is it the path of a stream that takes tickets? */
bool ticket_is_for(struct str path);

/* In a handler that writes, of a caller with a key. ERR_TOO_MANY when too many are out. */
enum err ticket_add(struct user_accounts *a, struct call *c, int64_t id, struct str path,
		    struct stream_ticket *out);

/* On any connection that can write, or on SQLite any at all. ERR_UNAUTHENTICATED with its words: there is none, it has
 * expired, or it is for another path. */
enum err ticket_take(struct user_accounts *a, struct call *c, struct db *db, struct str text,
		     struct ticket_row *out);

#endif
