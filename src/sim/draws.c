/*
 * Philox is a block cipher of few rounds in counter mode: four words of counter in, four of output, nothing kept in
 * between. Each round multiplies two words by constants, crosses the halves of the products and mixes in a key that
 * grows by Weyl constants.
 */
#include "sim/draws.h"

#include "base/magic.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { ROUNDS = 10, BLOCK = 4, PURPOSE_SHIFT = 24 };

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t a = (uint64_t)0xD2511F53 * c0, b = (uint64_t)0xCD9E8D57 * c2;

		c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
		c1 = (uint32_t)b;
		c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
		c3 = (uint32_t)a;
		k0 += 0x9E3779B9;
		k1 += 0xBB67AE85;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

void draws_begin(struct draws *d, uint64_t seed, enum draw_purpose purpose, uint32_t agent, uint32_t cycle,
		 uint32_t number)
{
	CHECK(number < DRAW_NUMBERS);
	d->key[0] = (uint32_t)seed;
	d->key[1] = (uint32_t)(seed >> 32);
	d->counter[0] = agent;
	d->counter[1] = cycle;
	d->counter[2] = (uint32_t)purpose << PURPOSE_SHIFT | number;
	d->counter[3] = 0;
	memset(d->block, 0, sizeof(d->block));
	d->left = 0;
}

uint32_t draws_u32(struct draws *d)
{
	if (d->left == 0) {
		philox4x32(d->counter, d->key, d->block);
		d->counter[3]++;
		d->left = BLOCK;
	}
	return d->block[BLOCK - d->left--];
}

double draws_unit(struct draws *d)
{
	return draws_u32(d) * 0x1p-32;
}

double draws_open(struct draws *d)
{
	return (draws_u32(d) + 0.5) * 0x1p-32;
}

/* The high half of word * bound; the few words whose low half would favour some results are drawn again (Lemire,
 * "Fast random integer generation in an interval", 2019). */
uint32_t draws_below(struct draws *d, uint32_t bound)
{
	uint32_t uneven;
	uint64_t product;

	CHECK(bound > 0);
	uneven = (0 - bound) % bound;
	do
		product = (uint64_t)draws_u32(d) * bound;
	while ((uint32_t)product < uneven);
	return (uint32_t)(product >> 32);
}

double draws_exponential(struct draws *d, double mean)
{
	return -mean * log(draws_open(d));
}

/* Box and Muller's, of which one of the two is used, so that a stream holds nothing but its place. */
double draws_normal(struct draws *d, double mean, double sd)
{
	double radius = sqrt(-2 * log(draws_open(d)));

	return mean + sd * radius * cos(2 * M_PI * draws_unit(d));
}

static bool is_among(const uint32_t *v, uint32_t n, uint32_t wanted)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i] == wanted)
			return true;
	return false;
}

/* Floyd's algorithm: as many draws as are wanted, and each is looked for among those before it. */
static void few(struct draws *d, uint32_t bound, uint32_t count, uint32_t *out)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t last = bound - count + i, drawn = draws_below(d, last + 1);

		out[i] = is_among(out, i, drawn) ? last : drawn;
	}
}

/* A reservoir (Vitter's algorithm R): a draw for each that there is. */
static void many(struct draws *d, uint32_t bound, uint32_t count, uint32_t *out)
{
	for (uint32_t i = 0; i < count; i++)
		out[i] = i;
	for (uint32_t i = count; i < bound; i++) {
		uint32_t place = draws_below(d, i + 1);

		if (place < count)
			out[place] = i;
	}
}

static void shuffle(struct draws *d, uint32_t *v, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t other = draws_below(d, i), kept = v[i - 1];

		v[i - 1] = v[other];
		v[other] = kept;
	}
}

void draws_sample(struct draws *d, uint32_t bound, uint32_t count, uint32_t *out)
{
	enum { COMPARISONS_OF_A_DRAW = 16 };

	CHECK(count <= bound);
	if ((uint64_t)count * count / COMPARISONS_OF_A_DRAW < bound)
		few(d, bound, count, out);
	else
		many(d, bound, count, out);
	shuffle(d, out, count);
}
