/*
 * By edit distance: a third of the word may be wrong. Of two that are as near, the first.
 */
#include "sim/nearest.h"

#include <stdio.h>

struct nearest nearest_to(struct str wrong)
{
	return (struct nearest){.wrong = wrong, .distance = wrong.n < 3 ? 1 : wrong.n < 6 ? 2 : 3};
}

void nearest_consider(struct nearest *n, struct str word)
{
	unsigned distance = str_distance(n->wrong, word, n->distance);

	if (distance > n->distance || (n->best.p && distance == n->distance))
		return;
	n->best = word;
	n->distance = distance;
}

void nearest_consider_all(struct nearest *n, const struct str *words, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		nearest_consider(n, words[i]);
}

struct nearest_hint nearest_hint(const struct nearest *n)
{
	struct nearest_hint hint = {""};

	if (n->best.p)
		snprintf(hint.text, sizeof(hint.text), "; did you mean \"%.*s\"?", STRF(str_clip(n->best, 64)));
	return hint;
}
