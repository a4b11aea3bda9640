/*
 * The data directory of a server: one process at a time, who it is, and where the command line finds it.
 *
 *   serve.lock   held while a server runs; says its pid
 *   process.id   this directory's number in `owners`: a restart takes its own row back
 *   server.json  {"url","pid"} of the running server; gone when none runs
 *   admin.key    the first key, mode 0600
 *   tenfold.db   the store, unless --store says otherwise
 */
#ifndef TENFOLD_SERVER_DATADIR_H
#define TENFOLD_SERVER_DATADIR_H

#include "base/arena.h"
#include "base/problem.h"

struct datadir {
	struct str path; /* terminated */
	struct str url;  /* of the store */
	int64_t process_id;
	int lock, store_lock; /* descriptors; -1: none */
	struct arena *arena;
};

/* Makes the directory (0700) if need be and locks it, and the SQLite file as well: ERR_IN_USE names who holds it.
 * `store` empty: tenfold.db in the directory. */
enum err datadir_open(struct str path, struct str store, struct arena *a, struct datadir *out, struct problem *p);
void datadir_close(struct datadir *d); /* removes server.json */

enum err datadir_write_server(struct datadir *d, const char *url, struct problem *p);
bool datadir_has_admin_key(struct datadir *d);
enum err datadir_write_admin_key(struct datadir *d, const char *secret, struct problem *p);

#endif
