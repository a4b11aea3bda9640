/* Tables of pointers and hashes of texts that one thread changes while others look things up in them. */
#include "search/tables_priv.h"

enum { PTRS_FIRST = 16, DICT_FIRST = 64 };

void *ptrs_get(ptrs_ref *table, uint32_t i)
{
	struct ptrs *t = atomic_load_explicit(table, memory_order_acquire);

	return t && i < t->cap ? atomic_load_explicit(&t->v[i], memory_order_acquire) : NULL;
}

static struct ptrs *ptrs_grown(struct memory *m, struct ptrs *old, uint32_t least)
{
	uint32_t cap = old ? old->cap + old->cap / 2 : PTRS_FIRST;
	struct ptrs *t;

	if (cap < least)
		cap = least;
	t = mem_new(m, sizeof(*t) + cap * sizeof(t->v[0]));
	t->cap = cap;
	for (uint32_t i = 0; old && i < old->cap; i++)
		atomic_init(&t->v[i], atomic_load_explicit(&old->v[i], memory_order_relaxed));
	return t;
}

void ptrs_set(struct memory *m, ptrs_ref *table, uint32_t i, void *p)
{
	struct ptrs *t = atomic_load_explicit(table, memory_order_relaxed);

	if (!t || i >= t->cap) {
		struct ptrs *old = t;

		t = ptrs_grown(m, old, i + 1);
		atomic_store_explicit(&t->v[i], p, memory_order_relaxed);
		atomic_store_explicit(table, t, memory_order_release);
		mem_retire(m, old);
		return;
	}
	atomic_store_explicit(&t->v[i], p, memory_order_release);
}

uint32_t dict_find(dict_ref *ref, uint32_t hash, dict_is_fn *is, void *whose, struct str text)
{
	struct dict *d = atomic_load_explicit(ref, memory_order_acquire);

	if (!d)
		return NO_ID;
	for (uint32_t i = hash & d->mask;; i = (i + 1) & d->mask) {
		uint64_t place = atomic_load_explicit(&d->v[i], memory_order_acquire);

		if (!place)
			return NO_ID;
		if (place >> 32 == hash && is(whose, (uint32_t)place - 1, text))
			return (uint32_t)place - 1;
	}
}

static void dict_place(struct dict *d, uint64_t entry, memory_order order)
{
	uint32_t i = (uint32_t)(entry >> 32) & d->mask;

	while (atomic_load_explicit(&d->v[i], memory_order_relaxed))
		i = (i + 1) & d->mask;
	atomic_store_explicit(&d->v[i], entry, order);
	d->used++;
}

struct dict *dict_new(struct memory *m, uint32_t entries)
{
	uint32_t places = DICT_FIRST;
	struct dict *d;

	while (places - places / 4 < entries)
		places *= 2;
	d = mem_new(m, sizeof(*d) + places * sizeof(d->v[0]));
	d->mask = places - 1;
	return d;
}

static struct dict *dict_grown(struct memory *m, struct dict *old)
{
	struct dict *d = dict_new(m, old ? old->used * 2 : 1);

	for (uint32_t i = 0; old && i <= old->mask; i++) {
		uint64_t entry = atomic_load_explicit(&old->v[i], memory_order_relaxed);

		if (entry)
			dict_place(d, entry, memory_order_relaxed);
	}
	return d;
}

void dict_add(struct memory *m, dict_ref *ref, uint32_t hash, uint32_t id)
{
	struct dict *d = atomic_load_explicit(ref, memory_order_relaxed);
	uint64_t entry = (uint64_t)hash << 32 | (id + 1);

	if (!d || d->used + 1 > d->mask - d->mask / 4) {
		struct dict *old = d;

		d = dict_grown(m, old);
		dict_place(d, entry, memory_order_relaxed);
		atomic_store_explicit(ref, d, memory_order_release);
		mem_retire(m, old);
		return;
	}
	dict_place(d, entry, memory_order_release);
}
