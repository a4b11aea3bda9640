/*
 * What tenfold remembers of a town, in one small file of its data directory (towns/<hash>.json), never in the town:
 * agents that are cooling down, whose turn it is in a pool, accounts that are used up, tokens spent by day. Locked
 * while it is changed, written atomically; one that cannot be read is set aside with a warning and begun anew.
 */
#ifndef TENFOLD_ROLES_STATE_H
#define TENFOLD_ROLES_STATE_H

#include "roles/model.h"

struct town_state;

/* data_dir empty: kept in memory only. */
enum err town_state_open(struct files *files, struct str data_dir, struct str town_dir, struct town_state **out,
			 struct problem *p);
void town_state_close(struct town_state **s);

/* An agent failed or met its quota: it is passed over until then. 0: it is well again. */
enum err town_state_cool(struct town_state *s, struct str agent, int64_t until_ms, struct str reason,
			 struct problem *p);
int64_t town_state_cooling_until(const struct town_state *s, struct str agent); /* 0: it is not */
/* Whose turn it is in a pool: counts up; kept. */
uint64_t town_state_turn(struct town_state *s, struct str pool);

struct spent {
	struct str day, rig, role, agent, model; /* day: 2026-11-21 */
	int64_t input, output, cache_read;       /* tokens */
	double usd;
};
enum err town_state_spend(struct town_state *s, const struct spent *one, struct problem *p);
double town_state_spent_usd(const struct town_state *s, struct str day, struct str rig, struct str role);

#endif
