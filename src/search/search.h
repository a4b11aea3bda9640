/*
 * Text search in memory: documents of a few named texts, found by words, narrowed by values, best first, with why.
 *
 * It knows of no agents, no HTTP and no SQL: it is rebuilt from whoever holds the truth and kept current by him.
 *
 *   One thread at a time writes (put, remove, set, compact); each reading thread has a search_reader of its own. A
 *   reader waits for nobody: it works on what was there when it began. What was put is found by the next query.
 *
 * Score. BM25F (Robertson, Zaragoza: "The Probabilistic Relevance Framework", 2009) with two liberties. Lengths are
 * held against `pivot` of the field, not against the average of the moment, so that what a document is worth for a
 * word depends on the document alone. And (k1 + 1), which multiplies every score alike, is left out as Lucene does.
 *
 *     tf(d,t)     = sum over fields of weight * occurrences / (1 - b + b * words_in_field / pivot)
 *     worth(d,t)  = tf / (k1 + tf), in 65,536ths, rounded down, 1 at least
 *     rarity(t)   = ln(1 + (N - df + 0.5) / (df + 0.5)), in 4,096ths, rounded, 1 at least; of a stop word an eighth
 *     score(d)    = sum of rarity * worth over the words asked for
 *                 + all_words * sum of rarity, when two words or more were asked for and all are there
 *                 + (1 + all_words) * sum of rarity, when a line of a name field is the whole query
 *                 + prior_weight * prior(d)
 *
 * A word stands for its stem (Snowball English) and is compared without case and diacritics. Where the query's word
 * stands for several (typos, beginnings, compounds), the best counts, times its share (search_plan_priv.h). All is
 * whole numbers: the same documents give the same scores in whatever order they came. Equal scores go by id.
 *
 * Text may hold any bytes. What has no words at all finds nothing; the empty query finds every document, best prior
 * first.
 */
#ifndef TENFOLD_SEARCH_SEARCH_H
#define TENFOLD_SEARCH_SEARCH_H

#include "base/err.h"
#include "base/str.h"

struct search;
struct search_reader;

enum {
	SEARCH_FIELDS_MAX = 8,
	SEARCH_DIMENSIONS_MAX = 16,
	SEARCH_TEXT_BYTES_MAX = 1 << 20, /* of all texts of a document together */
	SEARCH_VALUES_MAX = 1024,        /* of a document in one dimension */
	SEARCH_VALUE_BYTES_MAX = 256,
	SEARCH_QUERY_BYTES_MAX = 16 << 10,
	SEARCH_QUERY_WORDS_MAX = 32, /* that count, the first ones; the rest is told in words_left_out */
	SEARCH_FILTERS_MAX = 64,
	SEARCH_HITS_MAX = 10000 /* offset + limit */
};

struct search_field {
	const char *name;
	double weight; /* above 0 */
	double b;      /* 0: length does not matter, to 1: it matters fully */
	double pivot;  /* words that are neither long nor short; above 0 */
	bool is_name;  /* each line of it is a name that can be met exactly */
};

/* The strings are copied. */
struct search_config {
	const struct search_field *fields;
	size_t field_count;
	const char *const *dimensions; /* type, status, tag: what documents are narrowed by */
	size_t dimension_count;
	double k1;        /* 0 means 1.2 */
	double all_words; /* 0 means 0.3 */
};

struct search *search_new(const struct search_config *config);
void search_destroy(struct search **s); /* after its readers */

/* ---- writing: one thread at a time ---- */

struct search_value {
	uint32_t dimension;
	struct str text;
};

struct search_doc {
	int64_t id;
	const struct str *texts; /* as many as there are fields */
	const struct search_value *values;
	size_t value_count;
	double prior; /* held to 0 … 1; what is no number is 0 */
};

/* Replaces what has this id. ERR_INVALID over a limit: nothing was changed. */
enum err search_put(struct search *s, const struct search_doc *doc);
bool search_remove(struct search *s, int64_t id); /* false: there was none */

/* Cheap: no text is looked at. ERR_NOT_FOUND without such a document, ERR_INVALID over a limit. */
enum err search_set_values(struct search *s, int64_t id, uint32_t dimension, const struct str *values,
			   size_t count);

/* Gives back what removed and replaced documents held. Happens by itself when they outnumber the rest. */
void search_compact(struct search *s);

/* ---- asking ---- */

struct search_reader *search_reader_new(struct search *s);
void search_reader_destroy(struct search_reader **r);

enum search_match {
	SEARCH_ANY, /* one of the words is enough; all of them is better */
	SEARCH_ALL  /* every word that is not a stop word */
};

struct search_query {
	struct str text;
	enum search_match match;
	const struct search_value *filters; /* one of those of a dimension, in every dimension that is named */
	size_t filter_count;
	uint32_t reach; /* a bit for each dimension whose filters say what the asker may see at all */
	size_t limit, offset;
	bool after; /* only what comes after (after_score, after_id): the last hit of the page before */
	double after_score;
	int64_t after_id;
	double prior_weight;
	bool prefix; /* the last word may be unfinished */
	bool typos;  /* a word that is not there, or hardly, may be meant for a similar one */
	bool why, count;
	uint32_t facets; /* a bit for each dimension to count */
};

/* One word of the query, met in one field. */
struct search_why {
	struct str asked, found; /* as folded; `found` is a word of the document */
	uint32_t field;
	double points;   /* what it gave to the score */
	bool exact_name; /* the whole query is the name */
};

struct search_hit {
	int64_t id;
	double score;
	double prior_points, all_words_points; /* the parts of the score that are no word's */
	const struct search_why *why;
	size_t why_count;
};

struct search_facet {
	uint32_t dimension;
	struct str value;
	uint64_t count;
};

/* Everything in it lives until the reader is asked again. */
struct search_result {
	const struct search_hit *hits;
	size_t hit_count;
	bool more;                         /* there are hits after these */
	uint64_t count;                    /* of all that match, when asked for */
	const struct search_facet *facets; /* of what matches: by dimension, most frequent first, then by text */
	size_t facet_count;
	size_t words, words_left_out; /* that the query was taken to have */
};

/* ERR_INVALID over a limit, for an unknown dimension or a limit of 0. */
enum err search_query(struct search_reader *r, const struct search_query *q, struct search_result *result);

/* ---- how it is ---- */

struct search_stats {
	uint64_t documents, terms, words; /* a term is what words share: their stem */
	uint64_t postings, postings_dead; /* dead: of documents that are gone, until it is compacted */
	uint64_t bytes;                   /* all memory of the index, as malloc counts it; readers keep their own */
	uint64_t compactions;
};

/* By the writing thread, or while nobody writes. */
void search_stats_get(const struct search *s, struct search_stats *stats);

#endif
