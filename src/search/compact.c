/*
 * Compaction: the living move, in their order, into a new generation of exactly fitting tables.
 *
 * Nothing is taken apart again: a posting is copied with another slot number, about a nanosecond each. Readers go
 * on in the old generation; the writer waits for itself, 50 ms at 100,000 documents. Words that no document has are
 * left behind; their ids are used again by the new generation only. Documents and words that stay are shared by
 * both.
 */
#include "search/gen_priv.h"
#include "search/lexicon_priv.h"
#include "search/tables_priv.h"
#include "search/values_priv.h"
#include "search/words_priv.h"

#include <string.h>

struct move {
	struct search *s;
	struct gen *from, *to;
	uint32_t *slots; /* new one of each old; NO_ID for the dead */
	bool *kept;      /* words by id */
	uint32_t used, live;
};

struct gen *gen_new(struct search *s)
{
	struct gen *g = mem_new(&s->memory, sizeof(*g));
	struct lexicon *l = mem_new(&s->memory, sizeof(*l));

	atomic_init(&g->lexicon, l);
	return g;
}

static void retire_table(struct search *s, ptrs_ref *ref, bool with_things)
{
	struct ptrs *t = atomic_load_explicit(ref, memory_order_relaxed);

	for (uint32_t i = 0; with_things && t && i < t->cap; i++)
		mem_retire(&s->memory, atomic_load_explicit(&t->v[i], memory_order_relaxed));
	mem_retire(&s->memory, t);
}

void gen_retire(struct search *s, struct gen *g, bool with_all)
{
	struct value *v;

	for (uint32_t i = 0; i < g->value_end; i++)
		if ((v = value_at(g, i)))
			value_retire(&s->memory, v);
	retire_table(s, &g->values, false);
	retire_table(s, &g->words, with_all);
	retire_table(s, &g->lists, true);
	retire_table(s, &g->chunks, true);
	mem_retire(&s->memory, atomic_load_explicit(&g->dict, memory_order_relaxed));
	mem_retire(&s->memory, atomic_load_explicit(&g->value_dict, memory_order_relaxed));
	lexicon_retire(s, atomic_load_explicit(&g->lexicon, memory_order_relaxed));
	mem_retire(&s->memory, g);
}

/* ---- documents ---- */

static void move_docs(struct move *m)
{
	for (uint32_t slot = 0; slot < m->used; slot++) {
		struct chunk *c = chunk_of(m->from, slot);
		uint32_t at = slot % CHUNK_SLOTS;

		m->slots[slot] = NO_ID;
		if (!slot_is_seen(c, slot, m->used))
			continue;
		m->slots[slot] = m->live;
		gen_seat(m->s, m->to, map_get(&m->s->docs, (uint64_t)c->id[at]), m->live,
			 atomic_load_explicit(&c->prior[at], memory_order_relaxed));
		m->live++;
	}
}

static void move_values(struct move *m)
{
	struct doc *d;

	for (uint32_t slot = 0; slot < m->live; slot++) {
		d = map_get(&m->s->docs, (uint64_t)chunk_of(m->to, slot)->id[slot % CHUNK_SLOTS]);
		for (uint32_t i = 0; i < d->value_count; i++) {
			const struct value *old = value_at(m->from, d->values[i]);
			struct value *v =
				value_intern(m->s, m->to, old->dimension, (struct str){old->text, old->n});

			d->values[i] = v->id;
			value_mark(&m->s->memory, v, slot);
		}
	}
}

/* ---- words ---- */

static bool is_used(const struct word *w)
{
	return atomic_load_explicit(&w->docs, memory_order_relaxed) ||
	       atomic_load_explicit(&w->df, memory_order_relaxed);
}

/* With the stem goes the stem's stem: a word always knows its own. Returns how many stay. */
static uint32_t mark_kept(struct move *m)
{
	uint32_t n = 0;

	for (uint32_t id = 0; id < m->from->word_end; id++) {
		const struct word *w = word_at(m->from, id);

		if (!w || !is_used(w))
			continue;
		for (; !m->kept[w->id]; w = word_at(m->from, w->stem)) {
			m->kept[w->id] = true;
			n++;
		}
	}
	return n;
}

static struct postings *postings_moved(struct move *m, uint32_t stem, uint32_t df)
{
	const struct postings *old = postings_of(m->from, stem);
	uint32_t n = old ? atomic_load_explicit(&old->n, memory_order_relaxed) : 0;
	struct postings *p;

	if (!df)
		return NULL;
	p = postings_new(&m->s->memory, df);
	for (uint32_t i = 0; i < n; i++)
		if (m->slots[old->slots[i]] != NO_ID)
			postings_push(p, m->slots[old->slots[i]], postings_worths(old)[i]);
	CHECK(atomic_load_explicit(&p->n, memory_order_relaxed) == df);
	return p;
}

static void move_word(struct move *m, struct word *w)
{
	struct memory *memory = &m->s->memory;
	uint32_t df = atomic_load_explicit(&w->df, memory_order_relaxed);

	ptrs_set(memory, &m->to->words, w->id, w);
	dict_add(memory, &m->to->dict, w->hash, w->id);
	if (df)
		ptrs_set(memory, &m->to->lists, w->id, postings_moved(m, w->id, df));
	m->s->postings += df;
	if (!atomic_load_explicit(&w->docs, memory_order_relaxed))
		w->listed = false; /* the new lexicon has left it out */
}

static void move_words(struct move *m)
{
	struct search *s = m->s;

	m->to->word_end = m->from->word_end;
	atomic_store_explicit(&m->to->dict, dict_new(&s->memory, mark_kept(m) + 1), memory_order_relaxed);
	s->free_words.n = 0;
	s->postings = s->postings_dead = 0;
	for (uint32_t id = m->from->word_end; id-- > 0;) {
		if (m->kept[id])
			move_word(m, word_at(m->from, id));
		else
			*VEC_PUSH(&s->free_words) = id;
	}
}

/* Once the new generation is published: nobody finds these any more. */
static void retire_left_behind(struct move *m)
{
	for (uint32_t id = 0; id < m->from->word_end; id++)
		if (!m->kept[id])
			mem_retire(&m->s->memory, word_at(m->from, id));
}

void search_compact(struct search *s)
{
	struct move m = {.s = s, .from = writer_gen(s), .to = gen_new(s)};
	struct lexicon *fresh = atomic_load_explicit(&m.to->lexicon, memory_order_relaxed);

	CHECK_OBJ(s, SEARCH_MAGIC);
	m.used = atomic_load_explicit(&m.from->visible, memory_order_relaxed);
	m.slots = mem_new(&s->memory, m.used * sizeof(*m.slots));
	m.kept = mem_new(&s->memory, m.from->word_end);
	move_docs(&m);
	move_values(&m);
	atomic_store_explicit(&m.to->lexicon,
			      lexicon_compacted(s, atomic_load_explicit(&m.from->lexicon, memory_order_relaxed)),
			      memory_order_relaxed);
	mem_free(&s->memory, fresh);
	move_words(&m);
	atomic_store_explicit(&m.to->visible, m.live, memory_order_relaxed);
	atomic_store_explicit(&m.to->live, m.live, memory_order_relaxed);
	atomic_store(&s->gen, m.to);
	retire_left_behind(&m);
	gen_retire(s, m.from, false);
	mem_free(&s->memory, m.slots);
	mem_free(&s->memory, m.kept);
	s->compactions++;
	mem_collect(&s->memory);
}
