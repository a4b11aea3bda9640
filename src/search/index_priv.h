/*
 * What an index consists of.
 *
 * A generation holds everything a reader needs. Documents get slots in the order in which they are put, so that a
 * posting list only grows at its end, and a change is published by one number: `visible`. A reader takes that
 * number first; slots from there on do not exist for it, and a slot that died after it still lives for it. So a
 * replacement is seen whole or not at all, and nobody waits. When the dead are too many, compact.c copies the
 * living into a new generation and publishes that.
 *
 * Whatever grows is a table of pointers that is replaced when it is full. Order of publishing: the thing, the table
 * it is in, the hash that names it, `visible`. Order of reading: the other way round.
 */
#ifndef TENFOLD_SEARCH_INDEX_PRIV_H
#define TENFOLD_SEARCH_INDEX_PRIV_H

#include "search/memory_priv.h"
#include "search/search.h"
#include "search/tokens_priv.h"

#include "base/map.h"

enum {
	CHUNK_SLOTS = 4096,
	CHUNK_WORDS = CHUNK_SLOTS / 64, /* of 64 bits */
	LIST_BLOCK = 128,               /* postings that share a maximum */
	WORTH_MAX = UINT16_MAX
};
#define NO_ID UINT32_MAX
#define LIVES UINT32_MAX

/* ---- tables that grow under readers ---- */

struct ptrs {
	uint32_t cap;
	_Atomic(void *) v[];
};

typedef _Atomic(struct ptrs *) ptrs_ref;

void *ptrs_get(ptrs_ref *table, uint32_t i); /* NULL beyond its end */
void ptrs_set(struct memory *m, ptrs_ref *table, uint32_t i, void *p);

/* From the hash of a text to an id. Texts are compared by who owns them. */
struct dict {
	uint32_t mask, used;
	_Atomic uint64_t v[]; /* upper half of the hash, id + 1; 0 is empty */
};

typedef _Atomic(struct dict *) dict_ref;

/* ---- words ---- */

/* A text in up to two roles: a word of documents, and the stem other words share. The stem owns the postings. */
struct word {
	uint32_t id;
	uint32_t stem;         /* id; often its own */
	_Atomic uint32_t docs; /* that have the word */
	_Atomic uint32_t df;   /* that have a word with this stem */
	uint32_t hash;
	uint8_t n;
	bool stop;   /* of the list of stem.c */
	bool listed; /* the writer's: in the lexicon */
	char text[];
};

/* Of one stem. Slots ascend. A place below n never changes. */
struct postings {
	_Atomic uint32_t n;
	uint32_t cap;
	uint32_t slots[]; /* cap; then cap worths (uint16_t), then a maximum for each block (_Atomic uint16_t) */
};

/* ---- values ---- */

/* Which slots of a chunk have a value: a few by number, never changed, or one bit each. */
struct block {
	uint32_t n;
	bool dense;
	_Atomic uint64_t bits[]; /* dense: CHUNK_WORDS; else n slots as uint16_t, ascending */
};

struct value {
	uint32_t id, dimension, hash;
	ptrs_ref blocks;
	uint16_t n;
	char text[];
};

/* ---- documents ---- */

/* The texts as words: what is needed to take the document out again and to say why it was found. */
struct doc {
	int64_t id;
	uint32_t slot;
	uint32_t stem_count, bytes;
	uint32_t value_count; /* the writer's, as is what follows */
	uint32_t *values;     /* ids of values */
	uint32_t lengths[SEARCH_FIELDS_MAX];
	uint8_t packed[]; /* doc_priv.h */
};

struct chunk {
	_Atomic double prior_max;              /* at least the highest */
	_Atomic uint32_t dead_at[CHUNK_SLOTS]; /* the value of `visible` from which on it is not there; LIVES */
	_Atomic double prior[CHUNK_SLOTS];
	int64_t id[CHUNK_SLOTS];
	const struct doc *doc[CHUNK_SLOTS];
};

/* ---- all of it ---- */

struct gen {
	dict_ref dict, value_dict;
	ptrs_ref words, lists, values, chunks;
	_Atomic(struct lexicon *) lexicon;
	_Atomic uint32_t visible, live;
	_Atomic uint32_t flips;       /* counts changes of values, between marking the new and unmarking the old */
	uint32_t word_end, value_end; /* the writer's: ids below are taken or were */
};

struct field {
	char *name;
	double weight, b, pivot;
	bool is_name;
};

struct search {
	unsigned magic;
	struct field fields[SEARCH_FIELDS_MAX];
	uint32_t field_count, dimension_count;
	double k1, all_words;
	struct memory memory;
	_Atomic(struct gen *) gen;

	/* The writer's. */
	struct map docs; /* by id */
	struct stemmer *stemmer;
	struct tokens tokens;
	struct tally *tally;
	VEC(uint32_t) free_words; /* ids that compaction set free */
	uint64_t postings, postings_dead, compactions;
	uint32_t terms;
};
#define SEARCH_MAGIC 0x5ea2c401u

static inline struct gen *writer_gen(struct search *s)
{
	return atomic_load_explicit(&s->gen, memory_order_relaxed);
}

static inline struct word *word_at(struct gen *g, uint32_t id)
{
	return ptrs_get(&g->words, id);
}

/* Of a slot that was taken. */
static inline struct chunk *chunk_of(struct gen *g, uint32_t slot)
{
	struct ptrs *t = atomic_load_explicit(&g->chunks, memory_order_acquire);

	return atomic_load_explicit(&t->v[slot / CHUNK_SLOTS], memory_order_acquire);
}

static inline bool slot_is_seen(const struct chunk *c, uint32_t slot, uint32_t visible)
{
	return atomic_load_explicit(&c->dead_at[slot % CHUNK_SLOTS], memory_order_relaxed) > visible;
}

static inline struct str word_text(const struct word *w)
{
	return (struct str){w->text, w->n};
}

static inline uint16_t *postings_worths(const struct postings *p)
{
	return (uint16_t *)((uintptr_t)p->slots + p->cap * sizeof(uint32_t));
}

static inline _Atomic uint16_t *postings_maxima(const struct postings *p)
{
	return (_Atomic uint16_t *)(void *)(postings_worths(p) + p->cap);
}

#endif
