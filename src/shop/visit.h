/*
 * Who calls, when, and in which shopping session: what the headers of a call say, checked.
 *
 * X-Simulated-Time is RFC 3339; without it the shop's own clock says what time it is. X-Shopping-Session-Id is a UUID,
 * which the first call that changes something takes for its customer.
 */
#ifndef TENFOLD_SHOP_VISIT_H
#define TENFOLD_SHOP_VISIT_H

#include "shop/app.h"

struct visit {
	struct str customer;
	struct str session; /* empty: none */
	int64_t now_ms;
	bool simulated;
};

/* ERR_MALFORMED: a header that cannot be read; ERR_FORBIDDEN: another customer's session. */
enum err visit_begin(struct call *c, struct visit *out);
/* Likewise, for calls that name a customer and have no session. */
enum err visit_of(struct call *c, struct str customer, struct visit *out);

bool visit_takes_time(int64_t ms); /* from 1970 to 2199 */

/* The store that was chosen, 0: none. */
enum err visit_store(struct call *c, const struct visit *v, int64_t *out);
/* Likewise, but ERR_NO_STORE_CHOSEN when there is none. */
enum err visit_needs_store(struct call *c, const struct visit *v, int64_t *out);

/* Notes what happened in the session, if there is one, and that it lives. BULK calls, after their checks. */
enum err visit_note(struct call *c, const struct visit *v, enum shop_event event,
		    const struct shop_event_payload *payload);

#endif
