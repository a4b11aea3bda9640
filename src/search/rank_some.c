/*
 * Documents that have some of the words but not all of them, a window at a time, the most promising window first.
 *
 * In a window each list has a bound: its rarity times the greatest of its block maxima there. A document lacks one
 * of the required words, so it has at most the sum of the bounds without the least of those. Lists are split into
 * the weak, whose bounds together with the prior's do not reach the floor, and the strong, which must bring a
 * document up. What stop words and wholes of compounds add counts with the weak: they never bring up a document.
 */
#include "search/rank_priv.h"

enum { STEPS_OF_SEEK = 8 }; /* along a list, for the price of looking for a document in it */

/* Of a list, in one window. */
struct stretch {
	uint32_t begin, end; /* postings */
	uint64_t bound;
};

struct lane {
	struct cursor c;
	struct stretch here;
	struct stretch *windows;
	bool source; /* may bring up documents */
};

struct some {
	struct rank *r;
	struct window *w;
	struct lane
		lanes[SEARCH_QUERY_WORDS_MAX + 1]; /* in a window: the weak first, from `strong` on the strong */
	uint32_t n, strong, windows;
	uint64_t *bounds;       /* of each window: what a document there can have; 0 when it is done */
	bool missing;           /* a required word is in no document */
	uint64_t prior, bound;  /* the most a prior, and all words together, can give here */
	uint64_t least, second; /* of the bounds of required words */
	uint64_t weak_bound;    /* of all weak ones, and of the prior */
};

static uint64_t prior_in(const struct some *s, uint32_t window)
{
	struct chunk *c = chunk_of(s->r->v->g, window * CHUNK_SLOTS);

	return prior_points(s->r, atomic_load_explicit(&c->prior_max, memory_order_relaxed));
}

/* ---- survey ---- */

static uint16_t block_most(const struct asked *a, uint32_t block)
{
	return atomic_load_explicit(&postings_maxima(a->list)[block], memory_order_relaxed);
}

static uint64_t bound_of(const struct asked *a, uint32_t from, uint32_t to)
{
	uint16_t most = 0;

	if (from == to)
		return 0;
	for (uint32_t b = from / LIST_BLOCK; b <= (to - 1) / LIST_BLOCK; b++) {
		uint16_t m = block_most(a, b);

		most = m > most ? m : most;
	}
	return (uint64_t)a->rarity * most;
}

static void survey_lane(struct some *s, struct lane *l)
{
	struct cursor c = l->c;

	l->windows = ARENA_ARRAY(s->r->v->arena, struct stretch, s->windows);
	CHECK(l->windows != NULL);
	for (uint32_t i = 0; i < s->windows; i++) {
		uint32_t begin = c.at;

		cursor_seek(&c, (i + 1) * CHUNK_SLOTS);
		l->windows[i] = (struct stretch){begin, c.at, bound_of(c.a, begin, c.at)};
	}
}

static void open_lanes(struct some *s)
{
	const struct plan *p = s->r->p;

	for (uint32_t i = 0; i < p->n; i++) {
		struct asked *a = p->asked[i];

		s->missing |= a->required && !a->n;
		if (!a->n)
			continue;
		s->lanes[s->n] = (struct lane){.c = {a, 0}, .source = a->required || a->name};
		survey_lane(s, &s->lanes[s->n++]);
	}
}

/* Of the bounds of required words in this window the two least: what a document that lacks one of them cannot have.
 */
static void note_least(struct some *s, uint64_t bound)
{
	s->second = bound < s->least ? s->least : bound < s->second ? bound : s->second;
	s->least = bound < s->least ? bound : s->least;
}

static void enter_window(struct some *s, uint32_t window)
{
	s->bound = 0;
	s->least = s->second = s->missing ? 0 : UINT64_MAX;
	s->prior = prior_in(s, window);
	for (uint32_t i = 0; i < s->n; i++) {
		struct lane *l = &s->lanes[i];

		l->here = l->windows[window];
		l->c.at = l->here.begin;
		s->bound += l->here.bound;
		if (l->c.a->required)
			note_least(s, l->here.bound);
	}
}

static void survey_windows(struct some *s)
{
	s->bounds = ARENA_ARRAY(s->r->v->arena, uint64_t, s->windows);
	CHECK(s->bounds != NULL);
	for (uint32_t i = 0; i < s->windows; i++) {
		enter_window(s, i);
		if (s->bound && filter_lets_any(s->r->filter, i))
			s->bounds[i] = s->bound - s->least + s->prior;
	}
}

/* ---- splitting ---- */

static bool weaker(const struct lane *a, const struct lane *b)
{
	return a->source != b->source ? !a->source : a->here.bound < b->here.bound;
}

static void sort_lanes(struct some *s)
{
	for (uint32_t i = 1; i < s->n; i++)
		for (uint32_t j = i; j > 0 && weaker(&s->lanes[j], &s->lanes[j - 1]); j--) {
			struct lane l = s->lanes[j];

			s->lanes[j] = s->lanes[j - 1];
			s->lanes[j - 1] = l;
		}
}

/* What has weak words only lacks the strong ones; or, where all required words are weak, at least one of them. */
static void split(struct some *s)
{
	uint64_t floor = top_floor(&s->r->top);
	uint32_t required = 0;

	sort_lanes(s);
	s->weak_bound = s->prior;
	for (s->strong = 0; s->strong < s->n; s->strong++) {
		const struct lane *l = &s->lanes[s->strong];
		uint64_t bound = s->weak_bound + l->here.bound;

		required += l->c.a->required;
		if (l->source && bound - (required == s->r->p->required ? s->least : 0) >= floor)
			break;
		s->weak_bound = bound;
	}
}

/* ---- bringing up ---- */

/* The least worth with which a posting of this list may bring up a document: with all that others can add, but for
 * one required word that it lacks. Over WORTH_MAX when none is enough. */
static uint64_t worth_needed(const struct some *s, const struct lane *l)
{
	uint64_t floor = top_floor(&s->r->top), rarity = l->c.a->rarity;
	uint64_t lacks = l->c.a->required && l->here.bound == s->least ? s->second : s->least;
	uint64_t others = s->bound + s->prior - l->here.bound;

	if (lacks > others)
		return WORTH_MAX + 1;
	others -= lacks;
	return floor <= others ? 0 : (floor - others + rarity - 1) / rarity;
}

/* A slot that had no sum is noted. No document that is brought up has none at all. */
static void bring_up_one(struct window *w, const struct asked *a, uint32_t i)
{
	uint32_t slot = a->list->slots[i] % CHUNK_SLOTS;

	w->slots[w->n] = (uint16_t)slot;
	w->n += w->sums[slot] == 0;
	w->sums[slot] += (uint64_t)a->rarity * postings_worths(a->list)[i];
}

static void bring_up(struct window *w, const struct lane *l, uint64_t needed)
{
	const struct asked *a = l->c.a;
	const uint16_t *worths = postings_worths(a->list);

	for (uint32_t i = l->here.begin, end; i < l->here.end; i = end) {
		end = i - i % LIST_BLOCK + LIST_BLOCK;
		end = end < l->here.end ? end : l->here.end;
		if (block_most(a, i / LIST_BLOCK) < needed)
			continue;
		for (; i < end; i++)
			if (worths[i] >= needed)
				bring_up_one(w, a, i);
	}
}

/* To documents that were brought up. */
static void add_to_sums(struct window *w, const struct lane *l)
{
	const struct asked *a = l->c.a;
	const uint16_t *worths = postings_worths(a->list);

	for (uint32_t i = l->here.begin; i < l->here.end; i++) {
		uint64_t *sum = &w->sums[a->list->slots[i] % CHUNK_SLOTS];

		*sum += *sum ? (uint64_t)a->rarity * worths[i] : 0;
	}
}

/* Walks along weak lists, the strongest first, while that is cheaper than to ask them about each document. */
static void add_weak(struct some *s)
{
	while (s->strong > 0) {
		struct lane *l = &s->lanes[s->strong - 1];

		if (l->here.end - l->here.begin > s->w->n * STEPS_OF_SEEK)
			return;
		add_to_sums(s->w, l);
		s->weak_bound -= l->here.bound;
		s->strong--;
	}
}

/* ---- judging ---- */

static bool lane_has(struct lane *l, uint32_t slot)
{
	return l->here.bound && cursor_seek(&l->c, slot) == slot;
}

/* What has all required words was taken by rank_all_words(). */
static bool lacks_a_word(struct some *s, uint32_t slot)
{
	uint32_t required = 0;

	for (uint32_t i = 0; i < s->n; i++)
		required += s->lanes[i].c.a->required && lane_has(&s->lanes[i], slot);
	return required < s->r->p->required;
}

/* Asks the weak lists about one document, the strongest first, while it can still make it. */
static void complete(struct some *s, uint32_t slot, uint64_t points)
{
	uint64_t rest = s->weak_bound, floor = top_floor(&s->r->top);

	for (uint32_t i = s->strong; i-- > 0;) {
		struct lane *l = &s->lanes[i];

		if (points + rest < floor)
			return;
		rest -= l->here.bound;
		if (lane_has(l, slot))
			points += (uint64_t)l->c.a->rarity * postings_worths(l->c.a->list)[l->c.at];
	}
	if (points + rest >= floor && lacks_a_word(s, slot))
		rank_take(s->r, slot, points);
}

/* Leaves only the slots that pass, with a sum worth a closer look. */
static void drop_unworthy(struct some *s, const uint64_t *pass)
{
	uint64_t floor = top_floor(&s->r->top), needed = floor > s->weak_bound ? floor - s->weak_bound : 0;
	struct window *w = s->w;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		uint16_t at = w->slots[i];
		uint64_t sum = w->sums[at];
		bool keep = (sum >= needed) & (!pass || (pass[at / 64] >> at % 64 & 1));

		w->slots[kept] = at;
		w->sums[at] = keep ? sum : 0;
		kept += keep;
	}
	w->n = kept;
}

/* Cursors only go forward: where slots of the next list begin, they start again. */
static void rewind_lanes(struct some *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		s->lanes[i].c.at = s->lanes[i].here.begin;
}

static void complete_all(struct some *s, uint32_t first)
{
	struct window *w = s->w;

	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t sum = w->sums[w->slots[i]];

		w->sums[w->slots[i]] = 0;
		if (i && w->slots[i] < w->slots[i - 1])
			rewind_lanes(s);
		complete(s, first + w->slots[i], sum);
	}
	w->n = 0;
}

static void judge_window(struct some *s, uint32_t window)
{
	for (uint32_t i = s->strong; i < s->n; i++)
		bring_up(s->w, &s->lanes[i], worth_needed(s, &s->lanes[i]));
	add_weak(s);
	drop_unworthy(s, s->r->filter ? filter_chunk(s->r->filter, window)->bits : NULL);
	complete_all(s, window * CHUNK_SLOTS);
}

/* ---- all windows ---- */

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
	return sum - least;
}

/* The most promising window; the first of equals. False when none is left. */
static bool next_window(struct some *s, uint32_t *window)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < s->windows; i++)
		if (s->bounds[i] > s->bounds[best])
			best = i;
	*window = best;
	return s->windows && s->bounds[best];
}

void rank_some_words(struct rank *r)
{
	struct some s = {.r = r, .w = r->v->window, .windows = (r->v->visible + CHUNK_SLOTS - 1) / CHUNK_SLOTS};
	uint32_t window;

	if (!r->p->required || bound_of_some(r) < top_floor(&r->top))
		return;
	open_lanes(&s);
	survey_windows(&s);
	while (next_window(&s, &window) && s.bounds[window] >= top_floor(&r->top)) {
		s.bounds[window] = 0;
		enter_window(&s, window);
		split(&s);
		if (s.strong < s.n)
			judge_window(&s, window);
	}
}
