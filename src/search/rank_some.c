/*
 * Documents that have some of the words, a window at a time.
 *
 * In a window each list has a bound: its rarity times the greatest of its block maxima there. Lists are split into
 * the weak, whose bounds together with the prior's do not reach the floor, and the strong, which must bring a
 * document up. What stop words and wholes of compounds add counts with the weak: they never bring up a document.
 */
#include "search/rank_priv.h"

#include <string.h>

enum {
	MANY = 400
}; /* postings in a window; measured: a sum looked at in vain costs a fifth of one found by its bit */

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
		struct cursor end = l->c;

		l->bound = 0;
		if (cursor_seek(&l->c, first) >= first + CHUNK_SLOTS) { /* NO_ID, too */
			l->end = l->c.at;
			continue;
		}
		end = l->c;
		cursor_seek(&end, first + CHUNK_SLOTS);
		l->end = end.at;
		l->bound = block_bound(l->c.a, l->c.at, l->end);
		sum += l->bound;
	}
	return sum;
}

/* The next window begins where this one ends. */
static void leave_window(struct some *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		s->lanes[i].c.at = s->lanes[i].end;
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

static uint64_t sum_of(const struct asked *a, uint16_t worth)
{
	return (uint64_t)a->rarity * worth << COUNT_BITS | a->required;
}

static void bring_up(struct some *s, struct lane *l)
{
	const struct asked *a = l->c.a;
	const uint16_t *worths = postings_worths(a->list);

	for (uint32_t i = l->c.at; i < l->end; i++) {
		uint32_t slot = a->list->slots[i] % CHUNK_SLOTS;

		s->w->bits[slot / 64] |= UINT64_C(1) << slot % 64;
		s->w->sums[slot] += sum_of(a, worths[i]);
	}
}

/* Without bits: for a window so full that looking at every sum is cheaper than finding those that are not zero. */
static void bring_up_many(struct some *s, struct lane *l)
{
	const struct asked *a = l->c.a;
	const uint16_t *worths = postings_worths(a->list);

	for (uint32_t i = l->c.at; i < l->end; i++)
		s->w->sums[a->list->slots[i] % CHUNK_SLOTS] += sum_of(a, worths[i]);
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

static bool filter_lets(const uint64_t *pass, uint32_t at)
{
	return !pass || pass[at / 64] >> at % 64 & 1;
}

static void judge(struct some *s, const uint64_t *pass, uint32_t first, uint32_t at, uint64_t sum)
{
	if (filter_lets(pass, at))
		complete(s, first + at, sum >> COUNT_BITS, sum & ((1U << COUNT_BITS) - 1));
}

/* The least sum worth a closer look. No document that was brought up has none at all. */
static uint64_t sum_needed(const struct some *s)
{
	uint64_t floor = top_floor(&s->r->top);

	return floor > s->weak_bound ? (floor - s->weak_bound) << COUNT_BITS : 1;
}

static void judge_few(struct some *s, const uint64_t *pass, uint32_t first)
{
	struct window *w = s->w;

	for (uint32_t i = 0; i < CHUNK_WORDS; i++)
		for (; w->bits[i]; w->bits[i] &= w->bits[i] - 1) {
			uint32_t at = i * 64 + (uint32_t)__builtin_ctzll(w->bits[i]);
			uint64_t sum = w->sums[at];

			w->sums[at] = 0;
			if (sum >= sum_needed(s))
				judge(s, pass, first, at, sum);
		}
}

static void judge_many(struct some *s, const uint64_t *pass, uint32_t first)
{
	uint64_t *sums = s->w->sums, needed = sum_needed(s);

	for (uint32_t i = 0; i < CHUNK_SLOTS; i += 4) {
		if (!((sums[i] >= needed) | (sums[i + 1] >= needed) | (sums[i + 2] >= needed) |
		      (sums[i + 3] >= needed)))
			continue;
		for (uint32_t at = i; at < i + 4; at++)
			if (sums[at] >= needed)
				judge(s, pass, first, at, sums[at]);
		needed = sum_needed(s);
	}
	memset(sums, 0, CHUNK_SLOTS * sizeof(*sums));
}

static void judge_window(struct some *s, uint32_t first)
{
	const uint64_t *pass = s->r->filter ? filter_bits(s->r->filter, first / CHUNK_SLOTS) : NULL;
	uint32_t postings = 0;

	for (uint32_t i = s->strong; i < s->n; i++)
		postings += s->lanes[i].end - s->lanes[i].c.at;
	for (uint32_t i = s->strong; i < s->n; i++)
		if (postings >= MANY)
			bring_up_many(s, &s->lanes[i]);
		else
			bring_up(s, &s->lanes[i]);
	if (postings >= MANY)
		judge_many(s, pass, first);
	else
		judge_few(s, pass, first);
}

static void rank_window(struct some *s, uint32_t first)
{
	struct chunk *c = chunk_of(s->r->v->g, first);
	uint64_t prior = prior_points(s->r, atomic_load_explicit(&c->prior_max, memory_order_relaxed));

	if (enter_window(s, first) + prior >= top_floor(&s->r->top)) {
		split(s, prior);
		if (s->strong < s->n)
			judge_window(s, first);
	}
	leave_window(s);
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

static uint32_t next_slot(const struct some *s)
{
	uint32_t next = NO_ID;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct cursor *c = &s->lanes[i].c;
		uint32_t slot = s->lanes[i].source && c->at < c->a->n ? c->a->list->slots[c->at] : NO_ID;

		next = slot < next ? slot : next;
	}
	return next;
}

void rank_some_words(struct rank *r)
{
	struct some s = {.r = r, .w = r->v->window};
	uint32_t slot;

	open_lanes(&s);
	while (bound_of_some(r) >= top_floor(&r->top) && (slot = next_slot(&s)) != NO_ID)
		rank_window(&s, slot - slot % CHUNK_SLOTS);
}
