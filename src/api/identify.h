/*
 * Who calls, where only the store can tell, on a connection of the pool: a key that another process has made a moment
 * ago, requests that an agent signs instead of sending a key (directory/signed.h), and tickets (accounts/ticket.h).
 */
#ifndef TENFOLD_API_IDENTIFY_H
#define TENFOLD_API_IDENTIFY_H

#include "access/keyring.h"
#include "http/http.h"

/* Does it carry a signature instead of a key? On the loop. */
bool identify_is_signed(const struct call *c);

/* The words for what keyring_authenticate() said of the secret; tenant is that of X-Tenant. */
enum err identify_refuse(struct call *c, struct str secret, struct str tenant, enum err err);

/* Of a key that was in force: why is it no more? */
enum err identify_refuse_key(struct call *c, enum key_stand stand);

enum err identify_post(struct call *c); /* for http_hooks.identify */
void identify_run(struct call *c, struct db *db, enum err why);

#endif
