/*
 * Workers that hold a connection: what is claimed in a session is released when its stream is cut.
 *
 * A session begins and ends on a loop and is asked for on the queue's thread, so the set is locked; what it holds
 * belongs to the queue's thread alone.
 */
#ifndef TENFOLD_API_SESSIONS_H
#define TENFOLD_API_SESSIONS_H

#include "work/work.h"

struct app;
struct sessions;

struct sessions *sessions_new(void);
void sessions_destroy(struct sessions **s);

int64_t sessions_begin(struct sessions *s, int64_t id, int64_t tenant);
/* Any thread: the session takes no more claims, and what it holds is released by the queue's thread. */
void sessions_end(struct app *app, int64_t id);

/* The queue's thread. */
bool sessions_has(struct sessions *s, int64_t id, int64_t tenant);
void sessions_hold(struct sessions *s, const struct work *w, int64_t id, int64_t item,
		   const struct work_token *token);

#endif
