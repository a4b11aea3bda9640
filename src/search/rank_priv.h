/*
 * From lists of postings to the best documents.
 *
 * First those that have every required word, by intersection: the shortest list leads. Then, unless all words are
 * demanded, those that have some, in windows of a chunk of slots: MaxScore (Turtle, Flood: "Query Evaluation:
 * Strategies and Optimizations", 1995) with the maxima of the blocks in each window. Lists too weak to lift a
 * document among the best are only asked about documents the others brought up. Whatever order it is done in, the
 * result is the same: sums of whole numbers, and a total order over (points, id).
 */
#ifndef TENFOLD_SEARCH_RANK_PRIV_H
#define TENFOLD_SEARCH_RANK_PRIV_H

#include "search/filter_priv.h"
#include "search/plan_priv.h"

/* Room for one chunk of slots; a reader has one. It is empty between uses. */
struct window {
	uint64_t bits[CHUNK_WORDS];
	uint64_t sums[CHUNK_SLOTS];
	uint32_t n;
	uint16_t slots[CHUNK_SLOTS + 1]; /* n of them have a sum; one more is written ahead */
};

struct best {
	uint64_t points;
	int64_t id;
	uint32_t slot;
};

/* The best so far: a heap with the worst on top. */
struct top {
	struct best *v;
	size_t n, max;
	bool after; /* only what comes after this */
	uint64_t after_points;
	int64_t after_id;
};

/* The points that something needs to be worth a closer look: what has as many may still win by its id. */
static inline uint64_t top_floor(const struct top *t)
{
	return t->n == t->max ? t->v[0].points : 0;
}

void top_add(struct top *t, uint64_t points, int64_t id, uint32_t slot);
void top_sort(struct top *t); /* best first; no more may be added */

/* Where in a list we are. */
struct cursor {
	struct asked *a;
	uint32_t at;
};

uint32_t cursor_seek_far(struct cursor *c, uint32_t slot);

/* To the first one from `slot` on; returns its slot or NO_ID. */
static inline uint32_t cursor_seek(struct cursor *c, uint32_t slot)
{
	if (c->at >= c->a->n)
		return NO_ID;
	return c->a->list->slots[c->at] >= slot ? c->a->list->slots[c->at] : cursor_seek_far(c, slot);
}

struct rank {
	const struct view *v;
	const struct plan *p;
	struct filter *filter; /* NULL: all pass */
	struct top top;
	uint64_t prior_max; /* points, over all chunks */
	bool all;           /* only what has all words */
};

void rank_all_words(struct rank *r);
void rank_some_words(struct rank *r);
void rank_everything(struct rank *r);

/* A document that has all these points from words: adds its prior and takes it in when it can be seen. */
void rank_take(struct rank *r, uint32_t slot, uint64_t points);

uint64_t prior_points(const struct rank *r, double prior);

#endif
