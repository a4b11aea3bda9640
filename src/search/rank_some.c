/*
 * Documents that have some of the words, a window at a time.
 *
 * In a window each list has a bound: its rarity times the greatest of its block maxima there. Lists are split into
 * the weak, whose bounds together with the prior's do not reach the floor, and the strong, which must bring a
 * document up. What stop words and wholes of compounds add counts with the weak: they never bring up a document.
 */
#include "search/rank_priv.h"

#include <string.h>

struct lane {
	struct cursor c;
	uint32_t end; /* of this window, in postings */
	uint64_t bound;
	bool source; /* may bring up documents */
};

struct some {
	struct rank *r;
	struct window *w;
	struct lane
		lanes[SEARCH_QUERY_WORDS_MAX + 1]; /* in a window: the weak first, from `strong` on the strong */
	uint32_t n, strong;
	uint64_t weak_bound; /* of all weak ones, and of the prior */
};

static void open_lanes(struct some *s)
{
	const struct plan *p = s->r->p;

	for (uint32_t i = 0; i < p->n; i++)
		if (p->asked[i]->n)
			s->lanes[s->n++] = (struct lane){.c = {p->asked[i], 0},
							 .source = p->asked[i]->required || p->asked[i]->name};
}

static uint64_t block_bound(const struct asked *a, uint32_t from, uint32_t to)
{
	uint16_t most = 0;

	for (uint32_t b = from / LIST_BLOCK; b <= (to - 1) / LIST_BLOCK; b++) {
		uint16_t m = atomic_load_explicit(&postings_maxima(a->list)[b], memory_order_relaxed);

		most = m > most ? m : most;
	}
	return (uint64_t)a->rarity * most;
}

/* Finds each list's part of the window. Returns the sum of the bounds. */
static uint64_t enter_window(struct some *s, uint32_t first)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		struct lane *l = &s->lanes[i];
		struct cursor end;

		cursor_seek(&l->c, first);
		end = l->c;
		cursor_seek(&end, first + CHUNK_SLOTS);
		l->end = end.at;
		l->bound = l->end > l->c.at ? block_bound(l->c.a, l->c.at, l->end) : 0;
		sum += l->bound;
	}
	return sum;
}

static bool weaker(const struct lane *a, const struct lane *b)
{
	return a->source != b->source ? !a->source : a->bound < b->bound;
}

static void split(struct some *s, uint64_t prior)
{
	uint64_t floor = top_floor(&s->r->top);

	for (uint32_t i = 1; i < s->n; i++)
		for (uint32_t j = i; j > 0 && weaker(&s->lanes[j], &s->lanes[j - 1]); j--) {
			struct lane l = s->lanes[j];

			s->lanes[j] = s->lanes[j - 1];
			s->lanes[j - 1] = l;
		}
	s->weak_bound = prior;
	for (s->strong = 0; s->strong < s->n; s->strong++) {
		const struct lane *l = &s->lanes[s->strong];

		if (l->source && s->weak_bound + l->bound >= floor)
			break;
		s->weak_bound += l->bound;
	}
}

static void bring_up(struct some *s, struct lane *l)
{
	const struct asked *a = l->c.a;
	const uint16_t *worths = postings_worths(a->list);

	for (uint32_t i = l->c.at; i < l->end; i++) {
		uint32_t slot = a->list->slots[i] % CHUNK_SLOTS;

		s->w->bits[slot / 64] |= UINT64_C(1) << slot % 64;
		s->w->points[slot] += (uint64_t)a->rarity * worths[i];
		s->w->required[slot] = (uint8_t)(s->w->required[slot] + a->required);
	}
}

/* Asks the weak lists about one document, the strongest first, while it can still make it. */
static void complete(struct some *s, uint32_t slot, uint64_t points, uint32_t required)
{
	uint64_t rest = s->weak_bound, floor = top_floor(&s->r->top);

	for (uint32_t i = s->strong; i-- > 0;) {
		struct lane *l = &s->lanes[i];

		if (points + rest < floor)
			return;
		rest -= l->bound;
		if (l->bound && cursor_seek(&l->c, slot) == slot) {
			points += (uint64_t)l->c.a->rarity * postings_worths(l->c.a->list)[l->c.at];
			required += l->c.a->required;
		}
	}
	if (required < s->r->p->required) /* the others were taken by rank_all_words() */
		rank_take(s->r, slot, points);
}

static void judge_window(struct some *s, uint32_t first)
{
	struct window *w = s->w;
	const uint64_t *pass = s->r->filter ? filter_bits(s->r->filter, first / CHUNK_SLOTS) : NULL;

	for (uint32_t i = 0; i < CHUNK_WORDS; i++)
		for (; w->bits[i]; w->bits[i] &= w->bits[i] - 1) {
			uint32_t bit = (uint32_t)__builtin_ctzll(w->bits[i]), at = i * 64 + bit;

			if ((!pass || pass[i] >> bit & 1) && w->points[at] + s->weak_bound >= top_floor(&s->r->top))
				complete(s, first + at, w->points[at], w->required[at]);
			w->points[at] = 0;
			w->required[at] = 0;
		}
}

static void rank_window(struct some *s, uint32_t first)
{
	struct chunk *c = chunk_of(s->r->v->g, first);
	uint64_t prior = prior_points(s->r, atomic_load_explicit(&c->prior_max, memory_order_relaxed));

	if (enter_window(s, first) + prior < top_floor(&s->r->top))
		return;
	split(s, prior);
	for (uint32_t i = s->strong; i < s->n; i++)
		bring_up(s, &s->lanes[i]);
	if (s->strong < s->n)
		judge_window(s, first);
}

/* What a document without one of the required words can have at most. */
static uint64_t bound_of_some(const struct rank *r)
{
	uint64_t sum = r->prior_max, least = UINT64_MAX;

	for (uint32_t i = 0; i < r->p->n; i++) {
		uint64_t points = asked_points_max(r->p->asked[i]);

		sum += points;
		if (r->p->asked[i]->required && points < least)
			least = points;
	}
	return least == UINT64_MAX ? sum : sum - least;
}

static uint32_t next_slot(const struct some *s, uint32_t from)
{
	uint32_t next = NO_ID;

	for (uint32_t i = 0; i < s->n; i++) {
		struct cursor c = s->lanes[i].c;
		uint32_t slot = s->lanes[i].source ? cursor_seek(&c, from) : NO_ID;

		next = slot < next ? slot : next;
	}
	return next;
}

void rank_some_words(struct rank *r)
{
	struct some s = {.r = r, .w = r->v->window};
	uint32_t slot = 0;

	open_lanes(&s);
	while (bound_of_some(r) >= top_floor(&r->top) && (slot = next_slot(&s, slot)) != NO_ID) {
		uint32_t first = slot - slot % CHUNK_SLOTS;

		rank_window(&s, first);
		slot = first + CHUNK_SLOTS;
	}
}
