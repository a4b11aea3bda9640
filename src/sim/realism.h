/*
 * Is a population like people? Its figures beside published ones, each with its sampling error.
 *
 * The published figures are data, src/sim/profiles/: each names its source, and from where to where a run counts
 * as alike, which is about what such shops differ by. What is said of a run:
 *
 *   shares    count / n, Wilson's interval; z = (p - P) / √(p(1-p)/n + P(1-P)/N), N what P was measured on
 *   means     mean ± t s / √n; z = (mean - M) / (s / √n): a published mean comes without its spread
 *   medians   between two ranks of the sorted values (sim/interval.h); no z
 *   rates     sessions by agents' weeks, exact Poisson interval; z = (rate - R) / (√count / weeks)
 *   profiles  Pearson's chi-square over hours and weekdays, and the total variation distance ½ Σ |share - expected|:
 *             of very many purchases every profile differs by chi-square, so the distance decides how much that is.
 *             Expected is the published share times what the run has had of that hour, made to sum to 1.
 *   gaps      of the purchases after which 30 days were seen (7 for the share within 7 days), so that a short run does
 *             not make gaps look short
 *
 * A figure is alike when its interval lies within the bounds, different when it lies outside, open when it does both. A
 * profile is alike when its distance is within the tolerance or chi-square says chance (p >= 0.01); but open where
 * chance alone would exceed the tolerance.
 *
 * Intervals are for these agents: agents differ, and sessions of one are alike. Given the agents, sessions are
 * independent, and one share for all makes the interval a little too wide; of another population of the same scenario
 * it says less. Cohorts are compared over agents (sim/compare.h).
 */
#ifndef TENFOLD_SIM_REALISM_H
#define TENFOLD_SIM_REALISM_H

#include "base/arena.h"
#include "base/problem.h"
#include "sim/behaviour.h"

struct sim_profile; /* sim/realism_types.h */
struct sim_realism;

/* The built-in profiles, as text. NULL past the last. */
struct profile_text {
	const char *name, *about;
	struct str text;
};
const struct profile_text *profile_built_in(unsigned i);

/* By the name that a scenario gives (scenario_profile()). ERR_NOT_FOUND says which there are. */
enum err profile_load(struct str name, struct arena *a, struct sim_profile *out, struct problem *p);

/* All of the arena, and of the profile. A profile's figures in its order. */
void realism_judge(const struct behaviour *b, const struct sim_profile *profile, struct arena *a,
		   struct sim_realism *out);

#endif
