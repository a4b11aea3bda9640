/*
 * What tenfold remembers of a town, in one small file of its data directory (towns/<hash>.json), never in the town:
 * agents and accounts that are cooling down, whose turn it is in a pool, tokens spent by day.
 *
 * Every change locks the file, reads it, changes it and writes it whole, so processes at once lose nothing of each
 * other. One that cannot be read is set aside (".broken" beside it) with a warning and begun anew. Its size is
 * bounded: days beyond the last 31 are dropped, agents are left out of rows when a day has too many.
 *
 * Times are ms since 1970, UTC, of files->now_ms. When that clock is set back, what was cooling then is well: the
 * worst is one try too many.
 */
#ifndef TENFOLD_ROLES_STATE_H
#define TENFOLD_ROLES_STATE_H

#include "roles/model.h"

struct town_state;

enum { TOWN_STATE_DAYS = 31, TOWN_STATE_ROWS = 10000, TOWN_STATE_NAMES = 1000, TOWN_STATE_NAME_BYTES = 512 };

/* data_dir empty: kept in memory only; else it is one of the machine, and so are the files. It is made by the first
 * change. ERR_SCHEMA: a newer tenfold wrote the file. One thread at a time. */
enum err town_state_open(struct files *files, struct str data_dir, struct str town_dir, struct town_state **out,
			 struct problem *p);
void town_state_close(struct town_state **s);
/* Sees what other processes changed; once before each question. What is read stays valid until this or a change. */
enum err town_state_refresh(struct town_state *s, struct problem *p);
/* For stderr: that a file was set aside, and why. Empty: nothing happened. */
struct str town_state_warning(const struct town_state *s);

/* ---- cooling down ---- */

/* An agent failed or met its quota: it is passed over until then (at most 31 days). 0: it is well again. */
enum err town_state_cool(struct town_state *s, struct str agent, int64_t until_ms, struct str reason,
			 struct problem *p);
int64_t town_state_cooling_until(const struct town_state *s, struct str agent); /* 0: it is not */
/* Likewise an account that is used up. */
enum err town_state_cool_account(struct town_state *s, struct str handle, int64_t until_ms, struct str reason,
				 struct problem *p);
int64_t town_state_account_cooling_until(const struct town_state *s, struct str handle);

struct cooling {
	struct str name, reason;
	bool is_account;
	int64_t set_ms, until_ms;
};
/* For tests, which see here what is kept; those that are over may still be among them. */
size_t town_state_cooling_count(const struct town_state *s);
const struct cooling *town_state_cooling(const struct town_state *s, size_t i);

/* ---- turns ---- */

/* Whose turn it is in a pool: 0 the first time, one more with each call; kept, as well as it can be. */
uint64_t town_state_turn(struct town_state *s, struct str pool);
uint64_t town_state_next_turn(const struct town_state *s, struct str pool); /* without taking it */

/* ---- spending ---- */

struct spent {
	struct str day, rig, role, agent, model;              /* day: 2026-11-21, of UTC */
	int64_t runs, input, output, cache_read, cache_write; /* tokens */
	double usd;                                           /* of the list, not of a bill */
	double guessed_usd;                                   /* how much of it nobody reported */
};
enum { DAY_TEXT = 11 };
void day_of_ms(int64_t ms, char out[DAY_TEXT]);
/* Added to the row of the same day (empty: today), rig, role, agent and model; runs 0 counts as 1. ERR_INVALID:
 * negative, not a number, or no day. */
enum err town_state_spend(struct town_state *s, const struct spent *one, struct problem *p);
/* Empty rig or role: all of them. */
double town_state_spent_usd(const struct town_state *s, struct str day, struct str rig, struct str role);
size_t town_state_spent_count(const struct town_state *s);
const struct spent *town_state_spent(const struct town_state *s, size_t i); /* by day, the oldest first */

#endif
