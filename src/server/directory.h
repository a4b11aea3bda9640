/*
 * The directory's parts, put together: what feeds on what is committed.
 *
 *   committed changes ──► feed ──sequencer (PostgreSQL)──► follower ──► keys, kept answers, search index, streams
 *   jobs: who has fallen silent, what is old
 */
#ifndef TENFOLD_SERVER_DIRECTORY_H
#define TENFOLD_SERVER_DIRECTORY_H

#include "server/build.h"

/* After the store, the queue and the limits were made; nothing runs yet. */
enum err directory_make(struct server *s, struct problem *p);
/* When writes can be run. */
enum err directory_start(struct app *app, struct problem *p);
/* While steps can still be run, and streams be woken; the follower stays until nobody asks how current it is. */
void directory_stop(struct app *app);

#endif
