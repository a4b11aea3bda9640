/*
 * The word that was probably meant.
 */
#ifndef TENFOLD_SIM_NEAREST_H
#define TENFOLD_SIM_NEAREST_H

#include "base/str.h"

struct nearest {
	struct str wrong, best; /* best.p is NULL while none is near */
	unsigned distance;      /* what is farther than this is not meant */
};

struct nearest_hint {
	char text[96]; /* "; did you mean \"price\"?", or nothing */
};

struct nearest nearest_to(struct str wrong);
void nearest_consider(struct nearest *n, struct str word);
void nearest_consider_all(struct nearest *n, const struct str *words, unsigned count);
struct nearest_hint nearest_hint(const struct nearest *n);

#endif
