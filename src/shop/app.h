/*
 * What handlers of the shop find in call->app, and how their calls come to a connection.
 *
 *   gate ──pass──► READ: the pool that reads
 *             └──► BULK: the gather, which writes many calls in one transaction (store/gather.h)
 *
 * So a BULK handler that returns an error must have written nothing: it looks first and writes then.
 */
#ifndef TENFOLD_SHOP_APP_H
#define TENFOLD_SHOP_APP_H

#include "base/clock.h"
#include "base/id.h"
#include "base/magic.h"
#include "shop/gate.h"
#include "shop/routes.h"
#include "shop/shop_time.h"
#include "store/gather.h"

enum { SHOP_MAGIC = 0x73686f70 };

struct shop {
	unsigned magic;
	const char *version;
	struct clock *clock;
	struct shop_time time;
	struct store *store;
	struct pool *reads, *writes;
	struct gather *gather; /* on writes */
	struct gate *gate;
	struct http_server *http;
	pthread_mutex_t ids_lock;
	struct id_maker ids;
	unsigned id_slot;
};

static inline struct shop *shop_of(const struct call *c)
{
	struct shop *s = c->app;

	CHECK_OBJ(s, SHOP_MAGIC);
	return s;
}

int64_t shop_new_id(struct shop *s);
/* Puts on the shelves of every store what the catalogue says, where there is no shelf yet. In a transaction. */
enum err shop_fill_shelves(struct db *db);

/* ---- calls.c ---- */

enum err shop_authenticate(struct call *c, struct str secret, struct str tenant);
enum err shop_admit(struct call *c, struct rate *out);
enum err shop_dispatch(struct call *c);
void shop_undelivered(struct call *c);
void shop_pass(void *shop, struct call *c);
enum err shop_calls_start(struct shop *s, struct problem *p); /* pools and gather; the store is open */
void shop_calls_stop(struct shop *s);

#endif
