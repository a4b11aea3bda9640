/*
 * Sets of eight, found by hash. A floor that must make room for another closes its set for as long as it would have
 * held, but for the keys that have a floor there: theirs is exact.
 */
#include "cache/cache_priv.h"

#include "base/magic.h"

void floors_init(struct floors *f, size_t bytes)
{
	size_t sets = 1;

	while (2 * sets * sizeof(*f->sets) <= bytes)
		sets *= 2;
	f->sets = must_alloc(sets * sizeof(*f->sets));
	f->mask = sets - 1;
}

size_t floors_bytes(const struct floors *f)
{
	return f->sets ? cache_malloc_bytes(f->sets) : 0;
}

void floors_free(struct floors *f)
{
	free(f->sets);
	*f = (struct floors){0};
}

static struct floor_set *set_of(const struct floors *f, uint64_t hash)
{
	return &f->sets[hash & f->mask];
}

/* The place of this hash; if it has none, the one that is over, or is over first. */
static size_t way_of(const struct floor_set *set, uint64_t hash)
{
	size_t first = 0;

	for (size_t i = 0; i < FLOOR_WAYS; i++) {
		if (set->ways[i].hash == hash)
			return i;
		if (set->ways[i].until_ms < set->ways[first].until_ms)
			first = i;
	}
	return first;
}

static int64_t higher(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void floors_raise(struct floors *f, uint64_t hash, int64_t version, int64_t now_ms, int64_t until_ms)
{
	struct floor_set *set = set_of(f, hash);
	size_t i = way_of(set, hash);
	bool holds = set->ways[i].until_ms > now_ms;

	if (holds && set->ways[i].hash != hash)
		set->closed_until_ms = higher(set->closed_until_ms, set->ways[i].until_ms);
	if (holds && set->ways[i].hash == hash) {
		version = higher(version, set->ways[i].version);
		until_ms = higher(until_ms, set->ways[i].until_ms);
	}
	set->ways[i].hash = hash;
	set->ways[i].version = version;
	set->ways[i].until_ms = until_ms;
}

int64_t floors_at(const struct floors *f, uint64_t hash, int64_t now_ms)
{
	const struct floor_set *set = set_of(f, hash);
	size_t i = way_of(set, hash);

	if (set->ways[i].hash == hash && set->ways[i].until_ms > now_ms)
		return set->ways[i].version;
	return set->closed_until_ms > now_ms ? INT64_MAX : 0;
}
