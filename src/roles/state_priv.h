/*
 * Between the files of the state: the tables in memory, their JSON, their bounds, and the lock.
 */
#ifndef TENFOLD_ROLES_STATE_PRIV_H
#define TENFOLD_ROLES_STATE_PRIV_H

#include "base/buf.h"
#include "base/vec.h"
#include "roles/state.h"

struct turn {
	struct str pool;
	uint64_t next;
};

/* Texts are in the arena that the tables were read into. */
struct state_tables {
	VEC(struct cooling) cooling;
	VEC(struct turn) turns; /* the pool that was asked last stands last */
	VEC(struct spent) spent;
};

void state_tables_free(struct state_tables *t);

/* ERR_MALFORMED: it cannot be read; ERR_SCHEMA: a newer tenfold wrote it. Empty text is a state with nothing in it.
 */
enum err state_decode(struct str text, struct arena *a, struct state_tables *out, struct problem *p);
void state_encode(const struct state_tables *t, struct str town_dir, struct buf *b);

/* What is over or too much goes. ERR_TOO_LARGE: one day has more rows than there may be. */
enum err state_bound(struct state_tables *t, int64_t now_ms, struct problem *p);
bool state_is_day(struct str s); /* 2026-11-21 */
bool cooling_holds(const struct cooling *c, int64_t now_ms);
void spent_add(struct spent *to, const struct spent *one);
bool spent_same_row(const struct spent *a, const struct spent *b);

/* Waits until nobody else has it. *fd is for state_unlock(). Makes the directory. */
enum err state_lock(const char *folder, const char *path, int *fd, struct problem *p);
void state_unlock(int fd);
enum err state_move(const char *from, const char *to, struct problem *p);

#endif
