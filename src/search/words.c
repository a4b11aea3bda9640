/*
 * A word that is used for the first time is stemmed, once; afterwards its stem is a number.
 */
#include "search/words_priv.h"

#include "search/lexicon_priv.h"
#include "search/tables_priv.h"

#include <string.h>

static bool is_word(void *gen, uint32_t id, struct str text)
{
	const struct word *w = word_at(gen, id);

	return str_eq(word_text(w), text);
}

static uint32_t hash_of(struct str text)
{
	return (uint32_t)str_hash(text);
}

uint32_t word_find(struct gen *g, struct str text)
{
	return dict_find(&g->dict, hash_of(text), is_word, g, text);
}

uint32_t word_find_stem(struct gen *g, struct stemmer *stemmer, struct str text)
{
	uint32_t id = word_find(g, text);

	return id != NO_ID ? word_at(g, id)->stem : word_find(g, stem_of(stemmer, text));
}

static uint32_t fresh_id(struct search *s)
{
	return s->free_words.n ? s->free_words.v[--s->free_words.n] : writer_gen(s)->word_end++;
}

static struct word *find_or_add(struct search *s, struct str text);

/* Known to readers only when all of it is there, its stem too: stems get no longer, so this comes to an end. */
static struct word *word_add(struct search *s, struct str text, uint32_t hash)
{
	struct gen *g = writer_gen(s);
	struct word *w = mem_new(&s->memory, sizeof(*w) + text.n);
	struct str stem;

	CHECK(text.n <= UINT8_MAX);
	w->id = fresh_id(s);
	w->hash = hash;
	w->n = (uint8_t)text.n;
	w->stop = is_stop_word(text);
	memcpy(w->text, text.p, text.n);
	stem = stem_of(s->stemmer, word_text(w));
	w->stem = str_eq(stem, word_text(w)) ? w->id : find_or_add(s, stem)->id;
	ptrs_set(&s->memory, &g->words, w->id, w);
	dict_add(&s->memory, &g->dict, hash, w->id);
	return w;
}

static struct word *find_or_add(struct search *s, struct str text)
{
	struct gen *g = writer_gen(s);
	uint32_t hash = hash_of(text), id = dict_find(&g->dict, hash, is_word, g, text);

	return id != NO_ID ? word_at(g, id) : word_add(s, text, hash);
}

struct word *word_intern(struct search *s, struct str text, bool typed)
{
	struct word *w = find_or_add(s, text);

	if (typed && !w->listed) {
		w->listed = true;
		lexicon_add(s, w);
	}
	return w;
}

struct word *word_intern_name(struct search *s, struct str joined)
{
	char text[TERM_BYTES_MAX + 1];

	text[0] = NAME_MARK;
	memcpy(text + 1, joined.p, joined.n);
	return find_or_add(s, (struct str){text, joined.n + 1});
}

/* ---- postings ---- */

static size_t blocks_of(uint32_t cap)
{
	return (cap + LIST_BLOCK - 1) / LIST_BLOCK;
}

size_t postings_bytes(uint32_t cap)
{
	return sizeof(struct postings) + cap * (sizeof(uint32_t) + sizeof(uint16_t)) +
	       blocks_of(cap) * sizeof(uint16_t);
}

struct postings *postings_new(struct memory *m, uint32_t cap)
{
	struct postings *p = mem_new(m, postings_bytes(cap));

	p->cap = cap;
	return p;
}

void postings_push(struct postings *p, uint32_t slot, uint16_t worth)
{
	uint32_t n = atomic_load_explicit(&p->n, memory_order_relaxed);
	_Atomic uint16_t *maximum = postings_maxima(p) + n / LIST_BLOCK;

	p->slots[n] = slot;
	postings_worths(p)[n] = worth;
	if (worth > atomic_load_explicit(maximum, memory_order_relaxed))
		atomic_store_explicit(maximum, worth, memory_order_relaxed);
	atomic_store_explicit(&p->n, n + 1, memory_order_release);
}

/* A third more each time: copying stays cheap per posting, and little is left empty. */
static uint32_t grown_cap(uint32_t n)
{
	return n + n / 3 + 2;
}

static struct postings *postings_grown(struct memory *m, const struct postings *old)
{
	uint32_t n = old ? atomic_load_explicit(&old->n, memory_order_relaxed) : 0;
	struct postings *p = postings_new(m, old ? grown_cap(n) : 1);

	for (uint32_t i = 0; i < n; i++)
		postings_push(p, old->slots[i], postings_worths(old)[i]);
	return p;
}

void postings_add(struct search *s, uint32_t stem, uint32_t slot, uint16_t worth)
{
	struct gen *g = writer_gen(s);
	struct postings *p = postings_of(g, stem);

	if (!p || atomic_load_explicit(&p->n, memory_order_relaxed) == p->cap) {
		struct postings *old = p;

		p = postings_grown(&s->memory, old);
		postings_push(p, slot, worth);
		ptrs_set(&s->memory, &g->lists, stem, p);
		mem_retire(&s->memory, old);
		return;
	}
	postings_push(p, slot, worth);
}
