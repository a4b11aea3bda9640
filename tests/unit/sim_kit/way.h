/*
 * A scenario as plain as can be, and who goes through it: each session makes so many requests, with a wait between
 * two. What a session decides can be seen in what it keeps.
 */
#ifndef TENFOLD_TESTS_SIM_WAY_H
#define TENFOLD_TESTS_SIM_WAY_H

#include "sim/scenario.h"

struct way {
	uint32_t agents;
	unsigned calls;    /* of a session; at least 1 */
	double think_s;    /* simulated, between two calls */
	double weekly;     /* sessions of an agent a week, at most 168 … */
	bool always;       /* … or certainly one in every cycle */
	double fail_share; /* of mocked answers, that are 500 */
	bool idle;         /* agents without a session visit */
	bool offers;       /* are given each week … */
	bool asks_offers;  /* … by a request */
};

void way_make(const struct way *w, struct scenario **s, struct population **who);

#endif
