/*
 * A value's slots, chunk by chunk. A block of a few slots is never changed but replaced; one with bits is changed
 * bit by bit, so a status that half of all documents have flips without a copy.
 */
#include "search/values_priv.h"

#include "search/bits_priv.h"
#include "search/tables_priv.h"

#include <string.h>

enum { SPARSE_MAX = 128 };

static uint32_t value_hash(uint32_t dimension, struct str text)
{
	return (uint32_t)str_hash_seed(text, dimension);
}

struct wanted {
	struct gen *g;
	uint32_t dimension;
};

static bool is_value(void *whose, uint32_t id, struct str text)
{
	struct wanted *wanted = whose;
	const struct value *v = value_at(wanted->g, id);

	return v->dimension == wanted->dimension && str_eq((struct str){v->text, v->n}, text);
}

struct value *value_find(struct gen *g, uint32_t dimension, struct str text)
{
	struct wanted wanted = {g, dimension};
	uint32_t id = dict_find(&g->value_dict, value_hash(dimension, text), is_value, &wanted, text);

	return id == NO_ID ? NULL : value_at(g, id);
}

struct value *value_intern(struct search *s, struct gen *g, uint32_t dimension, struct str text)
{
	struct value *v = value_find(g, dimension, text);

	if (v)
		return v;
	v = mem_new(&s->memory, sizeof(*v) + text.n);
	v->id = g->value_end++;
	v->dimension = dimension;
	v->hash = value_hash(dimension, text);
	v->n = (uint16_t)text.n;
	if (text.n)
		memcpy(v->text, text.p, text.n);
	ptrs_set(&s->memory, &g->values, v->id, v);
	dict_add(&s->memory, &g->value_dict, v->hash, v->id);
	return v;
}

static const uint16_t *sparse(const struct block *b)
{
	return (const uint16_t *)(uintptr_t)b->bits;
}

static struct block *sparse_new(struct memory *m, uint32_t n)
{
	struct block *b = mem_new(m, sizeof(*b) + n * sizeof(uint16_t));

	b->n = n;
	return b;
}

static struct block *dense_of(struct memory *m, const struct block *old)
{
	struct block *b = mem_new(m, sizeof(*b) + CHUNK_WORDS * sizeof(uint64_t));

	b->dense = true;
	b->n = old->n;
	for (uint32_t i = 0; i < old->n; i++)
		b->bits[sparse(old)[i] / 64] |= UINT64_C(1) << sparse(old)[i] % 64;
	return b;
}

/* How many of a sparse block's slots come before this one. */
static uint32_t place_of(const struct block *b, uint16_t slot)
{
	uint32_t i = 0;

	while (i < b->n && sparse(b)[i] < slot)
		i++;
	return i;
}

static bool block_has(const struct block *b, uint16_t slot)
{
	uint32_t i;

	if (b->dense)
		return atomic_load_explicit(&b->bits[slot / 64], memory_order_relaxed) >> slot % 64 & 1;
	i = place_of(b, slot);
	return i < b->n && sparse(b)[i] == slot;
}

static struct block *sparse_with(struct memory *m, const struct block *old, uint16_t slot)
{
	uint32_t n = old ? old->n : 0, at = old ? place_of(old, slot) : 0;
	struct block *b = sparse_new(m, n + 1);
	uint16_t *slots = (uint16_t *)(uintptr_t)b->bits;

	if (old) {
		memcpy(slots, sparse(old), at * sizeof(*slots));
		memcpy(slots + at + 1, sparse(old) + at, (n - at) * sizeof(*slots));
	}
	slots[at] = slot;
	return b;
}

static struct block *sparse_without(struct memory *m, const struct block *old, uint16_t slot)
{
	uint32_t at = place_of(old, slot);
	struct block *b = sparse_new(m, old->n - 1);
	uint16_t *slots = (uint16_t *)(uintptr_t)b->bits;

	memcpy(slots, sparse(old), at * sizeof(*slots));
	memcpy(slots + at, sparse(old) + at + 1, (old->n - 1 - at) * sizeof(*slots));
	return b;
}

static void replace(struct memory *m, struct value *v, uint32_t chunk, struct block *old, struct block *b)
{
	ptrs_set(m, &v->blocks, chunk, b);
	mem_retire(m, old);
}

void value_mark(struct memory *m, struct value *v, uint32_t slot)
{
	uint32_t chunk = slot / CHUNK_SLOTS;
	uint16_t at = slot % CHUNK_SLOTS;
	struct block *b = ptrs_get(&v->blocks, chunk), *old = b;

	if (b && block_has(b, at))
		return;
	if (!b || (!b->dense && b->n < SPARSE_MAX)) {
		replace(m, v, chunk, old, sparse_with(m, old, at));
		return;
	}
	if (!b->dense)
		b = dense_of(m, old);
	b->n++;
	atomic_fetch_or_explicit(&b->bits[at / 64], UINT64_C(1) << at % 64, memory_order_relaxed);
	if (b != old)
		replace(m, v, chunk, old, b);
}

void value_unmark(struct memory *m, struct value *v, uint32_t slot)
{
	uint32_t chunk = slot / CHUNK_SLOTS;
	uint16_t at = slot % CHUNK_SLOTS;
	struct block *b = ptrs_get(&v->blocks, chunk);

	if (!b || !block_has(b, at))
		return;
	if (!b->dense) {
		replace(m, v, chunk, b, sparse_without(m, b, at));
		return;
	}
	b->n--;
	atomic_fetch_and_explicit(&b->bits[at / 64], ~(UINT64_C(1) << at % 64), memory_order_release);
}

void value_bits(struct value *v, uint32_t chunk, uint64_t bits[CHUNK_WORDS])
{
	const struct block *b = ptrs_get(&v->blocks, chunk);

	if (!b)
		return;
	if (b->dense) {
		for (uint32_t i = 0; i < CHUNK_WORDS; i++)
			bits[i] |= atomic_load_explicit(&b->bits[i], memory_order_acquire);
		return;
	}
	for (uint32_t i = 0; i < b->n; i++)
		bits[sparse(b)[i] / 64] |= UINT64_C(1) << sparse(b)[i] % 64;
}

uint32_t value_count(struct value *v, uint32_t chunk, const uint64_t bits[CHUNK_WORDS])
{
	const struct block *b = ptrs_get(&v->blocks, chunk);
	uint64_t own[CHUNK_WORDS];
	uint32_t n = 0;

	if (!b)
		return 0;
	if (b->dense) {
		for (uint32_t i = 0; i < CHUNK_WORDS; i++)
			own[i] = atomic_load_explicit(&b->bits[i], memory_order_acquire);
		return bits_count_both(own, bits, CHUNK_WORDS);
	}
	for (uint32_t i = 0; i < b->n; i++)
		n += (uint32_t)(bits[sparse(b)[i] / 64] >> sparse(b)[i] % 64 & 1);
	return n;
}

void value_retire(struct memory *m, struct value *v)
{
	struct ptrs *blocks = atomic_load_explicit(&v->blocks, memory_order_relaxed);

	for (uint32_t i = 0; blocks && i < blocks->cap; i++)
		mem_retire(m, atomic_load_explicit(&blocks->v[i], memory_order_relaxed));
	mem_retire(m, blocks);
	mem_retire(m, v);
}
