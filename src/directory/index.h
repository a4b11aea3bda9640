/*
 * The search index of agents: which ones a caller's words and filters mean, best first, and why.
 *
 * It is a copy in memory and never the truth. The follower's thread writes it, from the store: everything at the
 * start and whenever changes were missed, and what changed ever after. Until it is complete, questions are answered
 * ERR_INDEX_STARTING. Any number of threads ask; they wait for nobody, and what was written is in the next answer.
 *
 * A caller finds agents of its tenant and public ones, and nothing else is ranked, counted or told of. How common a
 * word is, which weighs in the score, is of all agents together.
 */
#ifndef TENFOLD_DIRECTORY_INDEX_H
#define TENFOLD_DIRECTORY_INDEX_H

#include "directory/changes.h"

struct agent_index;
struct metrics;

struct agent_index *agent_index_new(struct changes *feed, struct metrics *metrics);
void agent_index_destroy(struct agent_index **index); /* nobody asks or writes any more */

/* ---- the writing thread ---- */

/* A follower_fn (directory/follower.h); ctx is the index. */
enum err agent_index_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count);

/* Puts an agent in, or what it is now in place of what it was. */
void agent_index_put(struct agent_index *index, int64_t tenant, const struct agent *agent);

/* Questions are answered from now on: agent_index_follow() has done so when everything was read. */
void agent_index_complete(struct agent_index *index);

/* ---- any thread ---- */

struct agent_index_progress {
	bool complete;
	int64_t agents, total; /* read so far, of so many; when complete, all there are */
};

void agent_index_progress(struct agent_index *index, struct agent_index_progress *out);

struct agent_question {
	int64_t tenant; /* of the caller; 0: of none, who finds public agents only */
	const struct agent_search_in *in;
	bool after; /* only what comes after this exact score and id */
	double after_score;
	int64_t after_id;
};

struct agent_match {
	int64_t id;
	double exact_score; /* for the page after it */
	double score;       /* to be shown, as all points are: with four decimals */
	struct hit_why why;
};

struct agent_matches {
	struct agent_match *v; /* best first */
	size_t n;
	bool more;
	int64_t count; /* of all, when asked for */
	struct hit_facet *facets;
	size_t facet_count;
	int64_t words_left_out;
};

/* Everything in out lives in the arena. ERR_INDEX_STARTING until the index is complete. */
enum err agent_index_ask(struct agent_index *index, const struct agent_question *question, struct arena *a,
			 struct agent_matches *out);

#endif
