/*
 * Which rate of requests a target bears: raised until it says to slow down, fails, or answers late.
 *
 * The rate doubles from step to step while all is good. Between the last that was good and the first that was not the
 * search halves the distance until they are a tenth apart; then the good one is held four times as long, for a token
 * bucket lets more through at first than it goes on to. A step ends early when its verdict stands; one that was slow is
 * tried once more.
 *
 * Calls are due at even distances and time counts from there, so that a target which stalls cannot hide it by making
 * the next calls late. One thread; waits for as long as it takes.
 */
#ifndef TENFOLD_SIM_PROBE_H
#define TENFOLD_SIM_PROBE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/problem.h"
#include "spec/types.h"

typedef void probe_told_fn(void *ctx, const struct sim_probe_step *step); /* after each step */

/* The result is in the arena. Errors: those of sim_client_new(); that of the calls when all failed in the first
 * step; ERR_RATE_LIMITED, ERR_TARGET_FAILS and ERR_TARGET_TIMEOUT when the target bears no rate at all. */
enum err sim_probe(const struct sim_probe_args *args, struct clock *clock, probe_told_fn *told, void *ctx,
		   struct arena *a, struct sim_probe_out *out, struct problem *p);

#endif
