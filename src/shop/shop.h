/*
 * The demo shop: an HTTP server over a store of its own, so that a simulator has something to run against.
 *
 *	struct shop_config config = {.listen = "127.0.0.1:0", .store_url = "sqlite:/tmp/shop.db", .version = "1"};
 *	err = shop_start(&config, &shop, &p);
 *	… shop_url(shop) …
 *	shop_stop(&shop);
 */
#ifndef TENFOLD_SHOP_SHOP_H
#define TENFOLD_SHOP_SHOP_H

#include "shop/gate.h"

struct shop;

struct shop_config {
	const char *listen;    /* ADDRESS:PORT; port 0 takes a free one */
	const char *store_url; /* as store_open() takes it */
	const char *version;
	unsigned loops, max_connections;
	unsigned id_slot;        /* below ID_SLOTS; several shops over one store have one each */
	struct gate_config gate; /* but for pass and ctx */
};

/* ERR_IN_USE: the port is taken; ERR_SCHEMA: the store is something else's; and what store_open() says. Texts of config
 * must stay until shop_stop(). */
enum err shop_start(const struct shop_config *config, struct shop **out, struct problem *p);
const char *shop_url(const struct shop *s);
const char *shop_store_name(const struct shop *s); /* for people */
void shop_stop(struct shop **s);                   /* answers what is under way */

#endif
