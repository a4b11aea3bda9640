/* Documents that have every required word, documents of the empty query, and what both passes share. */
#include "search/rank_priv.h"

#include <string.h>

/* Doubling steps from where we are, then bisection: near is what is asked for most. What is at `at` is too early.
 */
uint32_t cursor_seek_far(struct cursor *c, uint32_t slot)
{
	const uint32_t *slots = c->a->list->slots, n = c->a->n;
	uint32_t low = c->at, step = 1, high;

	while (low + step < n && slots[low + step] < slot) {
		low += step;
		step *= 2;
	}
	high = low + step < n ? low + step : n;
	low++;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (slots[middle] < slot)
			low = middle + 1;
		else
			high = middle;
	}
	c->at = low;
	return low < n ? slots[low] : NO_ID;
}

uint64_t prior_points(const struct rank *r, double prior)
{
	return (uint64_t)(prior * r->p->prior_points);
}

void rank_take(struct rank *r, uint32_t slot, uint64_t points)
{
	struct chunk *c = chunk_of(r->v->g, slot);

	if (r->p->prior_points > 0)
		points +=
			prior_points(r, atomic_load_explicit(&c->prior[slot % CHUNK_SLOTS], memory_order_relaxed));
	if (points >= top_floor(&r->top) && slot_is_seen(c, slot, r->v->visible))
		top_add(&r->top, points, c->id[slot % CHUNK_SLOTS], slot);
}

/* ---- all words ---- */

struct together {
	struct rank *r;
	struct cursor cursors[SEARCH_QUERY_WORDS_MAX + 1]; /* the required first, the shortest of them leading */
	uint32_t required, n;
	uint64_t rest_max[SEARCH_QUERY_WORDS_MAX +
			  2]; /* what those from here on can add, and what is not of words */
};

static void open_cursors(struct together *t)
{
	const struct plan *p = t->r->p;

	for (uint32_t i = 0; i < p->n; i++)
		if (p->asked[i]->required)
			t->cursors[t->n++] = (struct cursor){p->asked[i], 0};
	t->required = t->n;
	for (uint32_t i = 1; i < t->n; i++)
		for (uint32_t j = i; j > 0 && t->cursors[j].a->n < t->cursors[j - 1].a->n; j--) {
			struct cursor c = t->cursors[j];

			t->cursors[j] = t->cursors[j - 1];
			t->cursors[j - 1] = c;
		}
	for (uint32_t i = 0; i < p->n; i++)
		if (!p->asked[i]->required && p->asked[i]->n)
			t->cursors[t->n++] = (struct cursor){p->asked[i], 0};
	t->rest_max[t->n] = p->all_points + t->r->prior_max;
	for (uint32_t i = t->n; i-- > 0;)
		t->rest_max[i] = t->rest_max[i + 1] + asked_points_max(t->cursors[i].a);
}

static uint64_t points_at(const struct cursor *c)
{
	return (uint64_t)c->a->rarity * postings_worths(c->a->list)[c->at];
}

/* One posting of the leader: its document is taken when the others have it too. */
static void meet(struct together *t, uint32_t slot, uint64_t points)
{
	struct rank *r = t->r;

	if (!filter_passes(r->filter, slot))
		return;
	for (uint32_t i = 1; i < t->n; i++) {
		bool there;

		if (points + t->rest_max[i] < top_floor(&r->top))
			return;
		there = cursor_seek(&t->cursors[i], slot) == slot;
		if (there)
			points += points_at(&t->cursors[i]);
		else if (i < t->required)
			return;
	}
	rank_take(r, slot, points + r->p->all_points);
}

/* The least worth the leader must have to reach the floor; over WORTH_MAX when none is enough. */
static uint64_t worth_needed(const struct together *t)
{
	uint64_t floor = top_floor(&t->r->top), rarity = t->cursors[0].a->rarity;

	if (floor <= t->rest_max[1])
		return 0;
	return rarity ? (floor - t->rest_max[1] + rarity - 1) / rarity : WORTH_MAX + 1;
}

static void lead_block(struct together *t, uint32_t from, uint32_t to)
{
	const struct asked *lead = t->cursors[0].a;
	const uint16_t *worths = postings_worths(lead->list);
	uint64_t needed = worth_needed(t);

	for (uint32_t i = from; i < to; i++) {
		if (worths[i] < needed)
			continue;
		meet(t, lead->list->slots[i], (uint64_t)lead->rarity * worths[i]);
		needed = worth_needed(t);
	}
}

void rank_all_words(struct rank *r)
{
	struct together t = {.r = r};
	const struct asked *lead;

	open_cursors(&t);
	if (!t.required)
		return;
	lead = t.cursors[0].a;
	for (uint32_t i = 0; i < lead->n; i += LIST_BLOCK) {
		uint64_t most =
			atomic_load_explicit(&postings_maxima(lead->list)[i / LIST_BLOCK], memory_order_relaxed);

		if (most * lead->rarity + t.rest_max[1] >= top_floor(&r->top))
			lead_block(&t, i, i + LIST_BLOCK < lead->n ? i + LIST_BLOCK : lead->n);
	}
}

/* ---- no words ---- */

void rank_everything(struct rank *r)
{
	for (uint32_t first = 0; first < r->v->visible; first += CHUNK_SLOTS) {
		struct chunk *c = chunk_of(r->v->g, first);

		if (prior_points(r, atomic_load_explicit(&c->prior_max, memory_order_relaxed)) < top_floor(&r->top))
			continue;
		for (uint32_t slot = first; slot < first + CHUNK_SLOTS && slot < r->v->visible; slot++)
			if (filter_passes(r->filter, slot))
				rank_take(r, slot, 0);
	}
}
