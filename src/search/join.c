/* One list out of several: for each document the best of what a word may mean, chunk by chunk in a window. */
#include "search/rank_priv.h"
#include "search/words_priv.h"

struct source {
	const struct postings *list;
	uint32_t n, at, share;
};

uint32_t postings_seen(const struct view *v, const struct postings *list)
{
	uint32_t n = atomic_load_explicit((_Atomic uint32_t *)(uintptr_t)&list->n, memory_order_acquire);

	while (n > 0 && list->slots[n - 1] >= v->visible)
		n--;
	return n;
}

static uint32_t open_sources(const struct view *v, const struct asked *a, struct source *sources)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->meant_count; i++) {
		const struct postings *list = postings_of(v->g, a->meant[i].stem);
		uint32_t postings = list ? postings_seen(v, list) : 0;

		if (postings)
			sources[n++] = (struct source){list, postings, 0, a->meant[i].share};
	}
	return n;
}

static void fill(struct window *w, struct source *s, uint32_t end)
{
	const uint16_t *worths = postings_worths(s->list);

	for (; s->at < s->n && s->list->slots[s->at] < end; s->at++) {
		uint32_t slot = s->list->slots[s->at] % CHUNK_SLOTS;
		uint64_t worth = worths[s->at] * s->share / SHARE_WHOLE;

		w->bits[slot / 64] |= UINT64_C(1) << slot % 64;
		if (worth > w->sums[slot])
			w->sums[slot] = worth;
	}
}

static void empty(struct window *w, struct postings *out, uint32_t first)
{
	for (uint32_t i = 0; i < CHUNK_WORDS; i++)
		for (; w->bits[i]; w->bits[i] &= w->bits[i] - 1) {
			uint32_t slot = i * 64 + (uint32_t)__builtin_ctzll(w->bits[i]);

			postings_push(out, first + slot, (uint16_t)(w->sums[slot] ? w->sums[slot] : 1));
			w->sums[slot] = 0;
		}
}

static uint32_t least_slot(const struct source *sources, uint32_t n)
{
	uint32_t least = NO_ID;

	for (uint32_t i = 0; i < n; i++)
		if (sources[i].at < sources[i].n && sources[i].list->slots[sources[i].at] < least)
			least = sources[i].list->slots[sources[i].at];
	return least;
}

static const struct postings *joined(const struct view *v, struct source *sources, uint32_t n)
{
	size_t room = 0;
	struct postings *out;
	uint32_t slot;

	for (uint32_t i = 0; i < n; i++)
		room += sources[i].n;
	room = room < v->visible ? room : v->visible;
	out = arena_alloc(v->arena, postings_bytes((uint32_t)room));
	CHECK(out != NULL);
	out->cap = (uint32_t)room;
	while ((slot = least_slot(sources, n)) != NO_ID) {
		uint32_t first = slot - slot % CHUNK_SLOTS;

		for (uint32_t i = 0; i < n; i++)
			fill(v->window, &sources[i], first + CHUNK_SLOTS);
		empty(v->window, out, first);
	}
	return out;
}

static uint16_t worth_max(const struct postings *list, uint32_t n)
{
	uint16_t most = 0;

	for (uint32_t i = 0; i < n; i += LIST_BLOCK) {
		uint16_t m = atomic_load_explicit(&postings_maxima(list)[i / LIST_BLOCK], memory_order_relaxed);

		most = m > most ? m : most;
	}
	return most;
}

/* Whether the first list has every document of another, for at least as much: so it is for a part and the whole of
 * its compound, unless somewhere the whole is written as one word. */
static bool adds_nothing(const struct source *first, const struct source *other)
{
	struct asked a = {.list = first->list, .n = first->n};
	struct cursor c = {&a, 0};

	if (first->share != SHARE_WHOLE || other->n > first->n / 4)
		return false;
	for (uint32_t i = 0; i < other->n; i++)
		if (cursor_seek(&c, other->list->slots[i]) != other->list->slots[i] ||
		    postings_worths(first->list)[c.at] <
			    postings_worths(other->list)[i] * other->share / SHARE_WHOLE)
			return false;
	return true;
}

static uint32_t drop_needless(struct source *sources, uint32_t n)
{
	uint32_t kept = 1;

	for (uint32_t i = 1; i < n; i++)
		if (!adds_nothing(&sources[0], &sources[i]))
			sources[kept++] = sources[i];
	return n ? kept : 0;
}

void plan_join_lists(const struct view *v, struct asked *a)
{
	struct source sources[MEANT_MAX];
	uint32_t n = drop_needless(sources, open_sources(v, a, sources));

	if (n == 0)
		return;
	if (n == 1 && sources[0].share == SHARE_WHOLE) {
		a->list = sources[0].list;
		a->n = sources[0].n;
	} else {
		a->list = joined(v, sources, n);
		a->n = atomic_load_explicit((_Atomic uint32_t *)(uintptr_t)&a->list->n, memory_order_relaxed);
	}
	a->worth_max = worth_max(a->list, a->n);
}
