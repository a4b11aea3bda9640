/* What runner.c and parking.c share: the state of the queue's thread between the executor and the handlers. */
#ifndef TENFOLD_API_RUNNER_PRIV_H
#define TENFOLD_API_RUNNER_PRIV_H

#include "api/idempotency.h"
#include "api/runner.h"

/* A parked call that carries a key, or one that waits for such a call. */
struct follower {
	int64_t idempotency; /* id of the row to come */
	struct call *leader, *call;
	uint64_t batch; /* in which it began */
};

struct leased {
	int64_t id;
	struct work_token token;
};

struct runner {
	struct app *app;
	VEC(struct call *) done;      /* of this batch */
	VEC(struct call *) served;    /* of `done`: were parked before, so cannot be run again */
	VEC(struct job *) jobs;       /* of this batch */
	VEC(struct chore *) chores;   /* likewise */
	VEC(struct call *) parts;     /* of this batch: calls that are run in more than one */
	VEC(struct follower) leaders; /* parked calls with a key: call == leader */
	VEC(struct follower) followers;
	struct map parked;            /* by number */
	struct map waiting_by_key;    /* key id to a count as uintptr_t */
	VEC(struct leased) unclaimed; /* to be given back after the command that runs */
	uint64_t batch;               /* counts */
	bool undoing_for_rerun;
	bool told;         /* webhooks of something in this batch */
	struct map staged; /* idempotency rows of this batch: id to index + 1 in persist->idempotency */
};

/* runner.c */
void runner_done(struct runner *r, struct call *c, enum err outcome); /* it is answered when the batch ends */
void runner_stage_answer(struct runner *r, struct call *c, const struct idempotency *i);

/* parking.c */
void parking_lead(struct runner *r, struct call *c, int64_t id);
struct call *parking_leader_of(struct runner *r, int64_t id);
void parking_follow(struct runner *r, struct call *c, struct call *leader, int64_t id);
void parking_release_followers(struct runner *r, struct call *leader);
void parking_forget_batch(struct runner *r); /* before a batch is run again */
void parking_end_all(struct runner *r);
void parking_give_back(struct runner *r);

#endif
