/* One query from its limits to its result: a moment is taken, and everything it needs is kept until the end. */
#include "search/count_priv.h"
#include "search/rank_priv.h"
#include "search/why_priv.h"

#include <math.h>

enum { ARENA_MAX = 1 << 30 }; /* a million hits with reasons are refused by the limits long before */

struct search_reader {
	unsigned magic;
	struct pin pin;
	struct search *s;
	struct stemmer *stemmer;
	struct tokens tokens;
	struct arena *arena;
	struct window *window;
};
#define READER_MAGIC 0x5ea2c402u

struct search_reader *search_reader_new(struct search *s)
{
	struct search_reader *r = NEW(struct search_reader);

	CHECK_OBJ(s, SEARCH_MAGIC);
	r->magic = READER_MAGIC;
	r->s = s;
	r->stemmer = stemmer_new();
	r->arena = arena_new(ARENA_MAX);
	r->window = NEW(struct window);
	mem_join(&s->memory, &r->pin);
	return r;
}

void search_reader_destroy(struct search_reader **ref)
{
	struct search_reader *r = *ref;

	if (!r)
		return;
	CHECK_OBJ(r, READER_MAGIC);
	mem_leave(&r->s->memory, &r->pin);
	stemmer_destroy(&r->stemmer);
	tokens_free(&r->tokens);
	arena_destroy(&r->arena);
	free(r->window);
	free(r);
	*ref = NULL;
}

/* The order matters: `visible` first, so that everything below it is found in what is loaded later. */
static struct view view_of(struct search_reader *r)
{
	struct gen *g = atomic_load(&r->s->gen);
	struct view v = {.s = r->s, .g = g, .stemmer = r->stemmer, .tokens = &r->tokens, .arena = r->arena};

	v.visible = atomic_load_explicit(&g->visible, memory_order_acquire);
	v.live = atomic_load_explicit(&g->live, memory_order_relaxed);
	v.window = r->window;
	return v;
}

static bool query_is_good(const struct search *s, const struct search_query *q)
{
	if (q->text.n > SEARCH_QUERY_BYTES_MAX || q->filter_count > SEARCH_FILTERS_MAX)
		return false;
	if (q->limit == 0 || q->limit > SEARCH_HITS_MAX || q->offset > SEARCH_HITS_MAX - q->limit)
		return false;
	for (size_t i = 0; i < q->filter_count; i++)
		if (q->filters[i].dimension >= s->dimension_count)
			return false;
	return q->facets >> s->dimension_count == 0 && (!q->after || q->after_score >= 0);
}

static struct top top_for(const struct view *v, const struct search_query *q)
{
	struct top t = {.max = q->offset + q->limit + 1, .after = q->after, .after_id = q->after_id};

	if (t.max > (size_t)v->live + 1)
		t.max = (size_t)v->live + 1;
	t.v = ARENA_ARRAY(v->arena, struct best, t.max);
	if (q->after)
		t.after_points = q->after_score < 1e9 ? (uint64_t)ldexp(q->after_score, POINTS_BITS) : UINT64_MAX;
	return t;
}

static uint64_t highest_prior(const struct rank *r)
{
	double most = 0;

	for (uint32_t slot = 0; slot < r->v->visible && r->p->prior_points > 0; slot += CHUNK_SLOTS) {
		double m = atomic_load_explicit(&chunk_of(r->v->g, slot)->prior_max, memory_order_relaxed);

		most = m > most ? m : most;
	}
	return prior_points(r, most);
}

static void find(struct rank *r)
{
	if (r->p->everything) {
		rank_everything(r);
		return;
	}
	rank_all_words(r);
	if (!r->all)
		rank_some_words(r);
}

static struct search_hit hit_of(const struct rank *r, const struct best *b)
{
	struct chunk *c = chunk_of(r->v->g, b->slot);
	double prior = atomic_load_explicit(&c->prior[b->slot % CHUNK_SLOTS], memory_order_relaxed);

	return (struct search_hit){.id = b->id,
				   .score = ldexp((double)b->points, -POINTS_BITS),
				   .prior_points = ldexp((double)prior_points(r, prior), -POINTS_BITS)};
}

static const struct doc *doc_of(const struct rank *r, const struct best *b)
{
	return chunk_of(r->v->g, b->slot)->doc[b->slot % CHUNK_SLOTS];
}

/* The documents lie anywhere in memory: all are called for before the first is read. */
static void explain(const struct rank *r, const struct best *best, struct search_hit *hits, size_t n)
{
	struct whys whys;

	for (size_t i = 0; i < n; i++) {
		const struct doc *d = doc_of(r, &best[i]);

		__builtin_prefetch(d);
		__builtin_prefetch(&d->packed);
		__builtin_prefetch(d->packed + 64);
	}
	whys_begin(&whys, r->v, r->p);
	for (size_t i = 0; i < n; i++)
		whys_of(&whys, doc_of(r, &best[i]), &hits[i]);
}

static void take_hits(struct rank *r, const struct search_query *q, struct search_result *out)
{
	size_t from = q->offset < r->top.n ? q->offset : r->top.n, n = r->top.n - from;
	struct search_hit *hits;

	out->more = n > q->limit;
	n = out->more ? q->limit : n;
	top_sort(&r->top);
	hits = ARENA_ARRAY(r->v->arena, struct search_hit, n);
	CHECK(hits != NULL);
	for (size_t i = 0; i < n; i++)
		hits[i] = hit_of(r, &r->top.v[from + i]);
	if (q->why)
		explain(r, r->top.v + from, hits, n);
	out->hits = hits;
	out->hit_count = n;
}

static void count_matches(const struct rank *r, const struct search_query *q, struct search_result *out)
{
	struct matches m;

	if (!q->count && !q->facets)
		return;
	matches_find(&m, r);
	out->count = m.count;
	if (q->facets)
		matches_facets(&m, r->v, q->facets, out);
}

static void answer(struct view *v, const struct search_query *q, struct search_result *out)
{
	uint32_t named = filter_dimensions(q), reach = named & q->reach;
	struct rank r = {.v = v, .all = q->match == SEARCH_ALL};

	v->reach = filter_new(v, q, reach);
	r.filter = named == reach ? v->reach : filter_new(v, q, named);
	r.p = plan_new(v, q);

	*out = (struct search_result){.words = r.p->words, .words_left_out = r.p->left_out};
	r.top = top_for(v, q);
	r.prior_max = highest_prior(&r);
	find(&r);
	take_hits(&r, q, out);
	count_matches(&r, q, out);
}

enum err search_query(struct search_reader *r, const struct search_query *q, struct search_result *out)
{
	struct view v;

	CHECK_OBJ(r, READER_MAGIC);
	*out = (struct search_result){0};
	if (!query_is_good(r->s, q))
		return ERR_INVALID;
	arena_reset(r->arena);
	mem_pin(&r->s->memory, &r->pin);
	v = view_of(r);
	answer(&v, q, out);
	mem_unpin(&r->pin);
	return OK;
}
