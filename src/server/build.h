/*
 * Putting the parts of a server together, and taking them apart again in the right order.
 *
 *   store ── keyring ── pool
 *     ├──── executor ── runner ── persist ── event log
 *     └──── jobs ── sequencer ── feed of changes ── follower
 *   http ── hooks into runner and keyring
 */
#ifndef TENFOLD_SERVER_BUILD_H
#define TENFOLD_SERVER_BUILD_H

#include "api/app.h"
#include "server/datadir.h"

struct server {
	struct app app;
	struct rng rng; /* of the queue's thread */
	struct arena *arena;
	struct datadir *dir;
	const struct serve_params *params;
	bool first_start;
	char admin_secret[TOKEN_TEXT]; /* empty unless a key was made */
};

/* Opens the store, makes the default tenant and the admin key if there are none, listens and starts everything.
 * On an error everything made so far is taken apart. */
enum err server_build(struct server *s, const struct serve_params *params, struct datadir *dir, const char *version,
		      struct arena *a, struct problem *p);

/* Stops: finishes what runs, ends waits and streams, flushes, within params->shutdown_timeout. */
void server_take_apart(struct server *s);

#endif
