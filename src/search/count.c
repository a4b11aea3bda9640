/* Sets of documents as bits, one chunk after the other. */
#include "search/count_priv.h"

#include "search/values_priv.h"

#include "base/vec.h"

#include <string.h>

static void list_bits(const struct asked *a, uint32_t first, uint64_t bits[CHUNK_WORDS])
{
	struct cursor c = {(struct asked *)(uintptr_t)a, 0};

	cursor_seek(&c, first);
	for (; c.at < a->n && a->list->slots[c.at] < first + CHUNK_SLOTS; c.at++) {
		uint32_t slot = a->list->slots[c.at] % CHUNK_SLOTS;

		bits[slot / 64] |= UINT64_C(1) << slot % 64;
	}
}

static void any_word(const struct plan *p, uint32_t first, uint64_t bits[CHUNK_WORDS])
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->asked[i]->required || p->asked[i]->name)
			list_bits(p->asked[i], first, bits);
}

static void all_words(const struct plan *p, uint32_t first, uint64_t bits[CHUNK_WORDS])
{
	memset(bits, p->required ? 0xff : 0, CHUNK_WORDS * sizeof(bits[0]));
	for (uint32_t i = 0; i < p->n; i++) {
		uint64_t one[CHUNK_WORDS] = {0};

		if (!p->asked[i]->required)
			continue;
		list_bits(p->asked[i], first, one);
		for (uint32_t w = 0; w < CHUNK_WORDS; w++)
			bits[w] &= one[w];
	}
}

/* Leaves only what the query sees. Returns how many those are. */
static uint32_t keep_seen(const struct view *v, uint32_t first, uint64_t bits[CHUNK_WORDS])
{
	const struct chunk *c = chunk_of(v->g, first);
	uint32_t n = 0;

	for (uint32_t i = 0; i < CHUNK_WORDS; i++)
		for (uint64_t rest = bits[i]; rest; rest &= rest - 1) {
			uint32_t slot = first + i * 64 + (uint32_t)__builtin_ctzll(rest);

			if (slot < v->visible && slot_is_seen(c, slot, v->visible))
				n++;
			else
				bits[i] ^= rest & -rest;
		}
	return n;
}

static void find_in_chunk(struct matches *m, const struct rank *r, uint32_t chunk)
{
	uint64_t *bits = m->bits + (size_t)chunk * CHUNK_WORDS;
	uint32_t first = chunk * CHUNK_SLOTS;

	if (r->p->everything)
		memset(bits, 0xff, CHUNK_WORDS * sizeof(*bits));
	else if (r->all)
		all_words(r->p, first, bits);
	else
		any_word(r->p, first, bits);
	if (r->filter) {
		const uint64_t *pass = filter_chunk(r->filter, chunk)->bits;

		for (uint32_t i = 0; i < CHUNK_WORDS; i++)
			bits[i] &= pass[i];
	}
	m->count += keep_seen(r->v, first, bits);
}

void matches_find(struct matches *m, const struct rank *r)
{
	m->chunks = (r->v->visible + CHUNK_SLOTS - 1) / CHUNK_SLOTS;
	m->count = 0;
	m->bits = ARENA_ARRAY(r->v->arena, uint64_t, (size_t)m->chunks * CHUNK_WORDS);
	CHECK(m->bits != NULL);
	for (uint32_t chunk = 0; chunk < m->chunks; chunk++)
		find_in_chunk(m, r, chunk);
}

/* ---- facets ---- */

static uint64_t count_with(const struct matches *m, struct value *v)
{
	uint64_t n = 0;

	for (uint32_t chunk = 0; chunk < m->chunks; chunk++)
		n += value_count(v, chunk, m->bits + (size_t)chunk * CHUNK_WORDS);
	return n;
}

static int by_count(const void *a, const void *b)
{
	const struct search_facet *x = a, *y = b;

	if (x->dimension != y->dimension)
		return x->dimension < y->dimension ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return str_cmp(x->value, y->value);
}

void matches_facets(const struct matches *m, const struct view *v, uint32_t dimensions, struct search_result *out)
{
	struct ptrs *values = atomic_load_explicit(&v->g->values, memory_order_acquire);
	VEC(struct search_facet) found = {0};

	for (uint32_t id = 0; values && id < values->cap; id++) {
		struct value *value = value_at(v->g, id);
		uint64_t n;

		if (value && dimensions >> value->dimension & 1 && (n = count_with(m, value)))
			*VEC_PUSH(&found) = (struct search_facet){
				value->dimension, arena_str(v->arena, (struct str){value->text, value->n}), n};
	}
	if (found.n) {
		struct search_facet *facets = ARENA_ARRAY(v->arena, struct search_facet, found.n);

		CHECK(facets != NULL);
		qsort(found.v, found.n, sizeof(found.v[0]), by_count);
		memcpy(facets, found.v, found.n * sizeof(*facets));
		out->facets = facets;
		out->facet_count = found.n;
	}
	VEC_FREE(&found);
}
