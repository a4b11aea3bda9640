/*
 * What a query means: the words asked for, the stems each may stand for, and one list of postings for each.
 *
 * Shares, in 256ths, of what a stem is worth when it stands in for the word asked for:
 *
 *     the word itself, and the whole of its compound     256
 *     a word it is the beginning of                       200
 *     a word one edit away                                160
 *     a word two edits away                                96    (both halved when the word itself exists)
 *
 * Typos are looked for when no document or only RARE_DF have the word: one edit from 4 letters, two from 8, none in
 * a word with digits. Of those that are found the nearest count, then the most frequent, then by text: TYPOS_MAX;
 * when the word itself exists, only such as are COMMONER times as frequent. Of beginnings the most frequent count,
 * then by text: BEGINNINGS_MAX, and no more of them once they have BEGINNINGS_DF documents.
 *
 * All these are counted among the documents in reach, by stems: whom the asker cannot see neither takes a typo away
 * from him nor crowds out what he means. Rarity is counted among all.
 *
 * Rarity is that of the word itself, else that of the most frequent stem that stands in.
 */
#ifndef TENFOLD_SEARCH_PLAN_PRIV_H
#define TENFOLD_SEARCH_PLAN_PRIV_H

#include "search/index_priv.h"
#include "search/stem_priv.h"

#include "base/arena.h"

enum {
	SHARE_WHOLE = 256,
	SHARE_BEGINNING = 200,
	SHARE_ONE_EDIT = 160,
	SHARE_TWO_EDITS = 96,
	RARE_DF = 2,
	COMMONER = 10,
	TYPOS_MAX = 8,
	BEGINNINGS_MAX = 16,
	BEGINNINGS_DF = 20000,
	LETTERS_ONE_EDIT = 4,
	LETTERS_TWO_EDITS = 8,
	MEANT_MAX = TYPOS_MAX + BEGINNINGS_MAX + SEARCH_QUERY_WORDS_MAX, /* itself, and compounds it is part of */
	RARITY_ONE = 4096,
	STOP_SHARE = 8,  /* an eighth */
	POINTS_BITS = 28 /* a score of 1 is 2^28 points: rarity in 4,096ths times worth in 65,536ths */
};

struct meant {
	uint32_t stem;
	uint16_t share;
};

struct asked {
	struct str text;
	struct meant meant[MEANT_MAX];
	uint32_t meant_count;
	uint32_t rarity;
	bool required; /* else it adds to the score and is no reason to be found */
	bool name;     /* the whole query as a name: no reason is needed */

	/* Documents in order of slots; n of them, since more may come. */
	const struct postings *list;
	uint32_t n;
	uint16_t worth_max;
};

struct plan {
	struct asked *asked[SEARCH_QUERY_WORDS_MAX + 1]; /* rooms in the arena; the name, if any, last */
	uint32_t n, words, required, left_out;           /* words: without the name */
	bool everything;                                 /* the query is empty: all documents match */
	uint64_t all_points; /* when all required words are there; 0 when there is one only */
	double prior_points; /* for a prior of 1 */
};

/* What a query works with: one moment of the index. */
struct view {
	struct search *s;
	struct gen *g;
	uint32_t visible, live;
	struct stemmer *stemmer;
	struct tokens *tokens;
	struct arena *arena;
	struct window *window;
	struct filter *reach; /* what the asker may see at all; NULL: everything */
};

struct plan *plan_new(const struct view *v, const struct search_query *q);

/* Adds beginnings and typos to what a word may mean. */
void plan_add_beginnings(const struct view *v, struct asked *a);
void plan_add_typos(const struct view *v, struct asked *a);
void plan_mean(struct asked *a, uint32_t stem, uint32_t share); /* the greater share when it is there already */

uint32_t plan_df(const struct view *v, uint32_t stem);

/* Of those the ones in reach; it stops counting at `enough`. Not more than plan_df(). */
uint32_t plan_reached(const struct view *v, uint32_t stem, uint32_t enough);

/* How many postings are of slots the query sees. Those it does not see are at the end. */
uint32_t postings_seen(const struct view *v, const struct postings *list);

/* One list for all that a word may mean. */
void plan_join_lists(const struct view *v, struct asked *a);

static inline uint64_t asked_points_max(const struct asked *a)
{
	return (uint64_t)a->rarity * a->worth_max;
}

#endif
