/*
 * Random numbers with an address: what is drawn depends on the run's seed and on what it is drawn for, never on who
 * drew before. So a run decides the same with one thread and with eight, and again after a resume.
 *
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): key = seed, counter =
 * (agent, cycle, purpose and number, block). Checked against the known answers published with Random123.
 */
#ifndef TENFOLD_SIM_DRAWS_H
#define TENFOLD_SIM_DRAWS_H

#include <stdint.h>

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* What a draw is for: each purpose is a stream of its own. Add at the end: a run that is resumed by a later version
 * draws on. */
enum draw_purpose {
	DRAW_ACTIVE,  /* does this agent begin a session in this cycle? */
	DRAW_SESSION, /* everything a session decides */
	DRAW_IDLE,    /* what an idle agent does */
	DRAW_TRAIT,   /* attributes of a persona; cycle 0 */
	DRAW_RAMP,    /* order of the warm-up; cycle 0 */
	DRAW_COHORT,  /* which cohort an agent is of; cycle 0 */
	DRAW_ARRIVAL, /* when sessions arrive, and whose; agent 0 */
	DRAW_OFFER,   /* the order in which an agent gets offers; cycle 0 */
};

/* A stream of draws. Plain data; copy it to draw the same again. */
struct draws {
	uint32_t key[2], counter[4]; /* counter[3]: the next block */
	uint32_t block[4];
	uint32_t left; /* words of block not yet handed out */
};

enum { DRAW_NUMBERS = 1 << 24 };

/* `number`, below DRAW_NUMBERS, tells streams of one purpose apart, as the second session of an agent in a cycle. */
void draws_begin(struct draws *d, uint64_t seed, enum draw_purpose purpose, uint32_t agent, uint32_t cycle,
		 uint32_t number);
uint32_t draws_u32(struct draws *d);
double draws_unit(struct draws *d);                     /* [0, 1), 32 bits of it */
double draws_open(struct draws *d);                     /* (0, 1), the same: never an end */
uint32_t draws_below(struct draws *d, uint32_t bound);  /* uniform in [0, bound), without bias; bound > 0 */
double draws_exponential(struct draws *d, double mean); /* > 0 */
double draws_normal(struct draws *d, double mean, double sd);
/* `count` different numbers below `bound`, in random order; count <= bound. */
void draws_sample(struct draws *d, uint32_t bound, uint32_t count, uint32_t *out);

#endif
