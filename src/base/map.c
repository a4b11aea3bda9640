/*
 * Open addressing with linear probing, and deletion that closes the gap, so there are no tombstones and a lookup
 * ends at the first empty place. An empty place is one whose value is NULL.
 *
 * Invariant: between the home of a key (its hash) and the place where it stands there is no empty place.
 */
#include "base/map.h"

#include "base/magic.h"

struct map_place {
	uint64_t key;
	void *value;
};

enum { PLACES_FIRST = 16 };

/* Ids count up in their low bits and share their high ones: multiply to spread them, then fold the good bits down.
 */
static size_t home(const struct map *m, uint64_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15;

	return (h ^ h >> 32) & m->mask;
}

/* The place of the key, or the empty one where it would go. */
static struct map_place *find(const struct map *m, uint64_t key)
{
	size_t i = home(m, key);

	while (m->places[i].value && m->places[i].key != key)
		i = (i + 1) & m->mask;
	return &m->places[i];
}

void *map_get(const struct map *m, uint64_t key)
{
	return m->places ? find(m, key)->value : NULL;
}

static size_t place_count(const struct map *m)
{
	return m->places ? m->mask + 1 : 0;
}

static void rebuild(struct map *m, size_t places)
{
	struct map old = *m;
	void *value;

	m->places = must_alloc(places * sizeof(*m->places));
	m->mask = places - 1;
	for (size_t i = 0; (value = map_next(&old, &i));)
		*find(m, old.places[i - 1].key) = old.places[i - 1];
	free(old.places);
}

void map_reserve(struct map *m, size_t count)
{
	size_t places = m->places ? m->mask + 1 : PLACES_FIRST;

	while (count > places / 8 * 7)
		places *= 2;
	if (places != place_count(m))
		rebuild(m, places);
}

void *map_put(struct map *m, uint64_t key, void *value)
{
	struct map_place *p;
	void *was;

	CHECK(value != NULL);
	map_reserve(m, m->count + 1);
	p = find(m, key);
	was = p->value;
	*p = (struct map_place){key, value};
	m->count += was == NULL;
	return was;
}

/* Moves back what stands after the gap, unless that would put it before its home. */
static void close_gap(struct map *m, size_t gap)
{
	for (size_t i = (gap + 1) & m->mask; m->places[i].value; i = (i + 1) & m->mask) {
		size_t from_home = (i - home(m, m->places[i].key)) & m->mask;

		if (from_home >= ((i - gap) & m->mask)) {
			m->places[gap] = m->places[i];
			gap = i;
		}
	}
	m->places[gap].value = NULL;
}

void *map_take(struct map *m, uint64_t key)
{
	struct map_place *p = m->places ? find(m, key) : NULL;
	void *value = p ? p->value : NULL;

	if (value) {
		close_gap(m, (size_t)(p - m->places));
		m->count--;
	}
	return value;
}

void map_free(struct map *m)
{
	free(m->places);
	*m = (struct map){0};
}

void *map_next(const struct map *m, size_t *i)
{
	size_t places = place_count(m);

	while (*i < places) {
		void *value = m->places[(*i)++].value;

		if (value)
			return value;
	}
	return NULL;
}

size_t map_bytes(const struct map *m)
{
	return place_count(m) * sizeof(*m->places);
}
