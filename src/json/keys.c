/*
 * Are the members of an object distinct? Objects with rows know by a bit mask; this is for all others.
 *
 * The names of every open object stand on one stack, as spans of the text, and are compared when their object
 * closes: pair by pair while they are few, else through a hash table that lives for that one comparison. Names with
 * escapes are compared by what they mean, so "a" and "\u0061" are the same member.
 *
 * The hash is seeded by the system's generator, anew for each text that needs a table: nobody can prepare names
 * that all fall into one place of it. The seed is not handed in, because it changes how fast the answer comes,
 * never the answer.
 */
#include "json/json_priv.h"

#include "base/magic.h"
#include "base/rng.h"

#include <string.h>

enum { PAIRWISE_MAX = 16 };

void keys_init(struct keys *k, struct str text)
{
	k->start = text.p;
	k->v = k->few;
	k->count = 0;
	k->capacity = KEYS_FEW;
	k->seed = 0;
	k->decoded = BUF_INIT(text.n + 1); /* decoding never makes text longer */
}

void keys_free(struct keys *k)
{
	if (k->v != k->few)
		free(k->v);
	buf_free(&k->decoded);
}

static void grow(struct keys *k)
{
	bool first = k->v == k->few;

	k->capacity *= 2;
	k->v = must_realloc(first ? NULL : k->v, k->capacity * sizeof(*k->v));
	if (first)
		memcpy(k->v, k->few, sizeof(k->few));
}

static void decode(struct keys *k, struct member_name *key, struct str raw)
{
	char *room = buf_room(&k->decoded, raw.n);

	CHECK(room); /* the bound holds all; else the machine has no memory */
	key->escaped = true;
	key->decoded = (uint32_t)k->decoded.n;
	key->n = (uint32_t)text_unescape(raw, room);
	buf_took(&k->decoded, key->n);
}

void keys_push(struct keys *k, const struct scan_text *name)
{
	struct member_name *key;

	if (k->count == k->capacity)
		grow(k);
	key = &k->v[k->count++];
	*key = (struct member_name){.at = (uint32_t)(name->raw.p - k->start), .n = (uint32_t)name->raw.n};
	if (name->escaped)
		decode(k, key, name->raw);
}

static struct str key_text(const struct keys *k, uint32_t i)
{
	const struct member_name *key = &k->v[i];

	return (struct str){key->escaped ? k->decoded.p + key->decoded : k->start + key->at, key->n};
}

static bool same(const struct keys *k, uint32_t i, uint32_t j)
{
	return k->v[i].n == k->v[j].n && str_eq(key_text(k, i), key_text(k, j));
}

static bool distinct_pairwise(const struct keys *k, uint32_t base, uint32_t *again)
{
	for (uint32_t i = base; i < k->count; i++)
		for (uint32_t j = base; j < i; j++)
			if (same(k, i, j)) {
				*again = k->v[i].at;
				return false;
			}
	return true;
}

/* Puts name i into the table of indexes (plus one; 0 is free), unless its equal is there. */
static bool put(const struct keys *k, uint32_t *table, uint32_t mask, uint32_t i)
{
	uint32_t place = (uint32_t)str_hash_seed(key_text(k, i), k->seed) & mask;

	for (; table[place]; place = (place + 1) & mask)
		if (same(k, table[place] - 1, i))
			return false;
	table[place] = i + 1;
	return true;
}

static bool distinct_by_table(struct keys *k, uint32_t base, uint32_t *again)
{
	uint32_t size = 2 * PAIRWISE_MAX, *table;
	bool distinct = true;

	if (!k->seed)
		k->seed = rng_system_word() | 1;
	while (size < 2 * (k->count - base))
		size *= 2;
	table = must_alloc(size * sizeof(*table));
	for (uint32_t i = base; distinct && i < k->count; i++) {
		distinct = put(k, table, size - 1, i);
		*again = k->v[i].at;
	}
	free(table);
	return distinct;
}

bool keys_pop_distinct(struct keys *k, uint32_t base, uint32_t *again)
{
	bool distinct = k->count - base <= PAIRWISE_MAX ? distinct_pairwise(k, base, again)
							: distinct_by_table(k, base, again);

	k->count = base;
	return distinct;
}
