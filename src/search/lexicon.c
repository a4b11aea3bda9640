/* How the lexicon grows: a full tail becomes a run, and runs merge until each is twice as long as the next. */
#include "search/lexicon_priv.h"

#include <string.h>

static uint64_t key_of(const struct word *w)
{
	uint64_t key = 0;

	for (uint32_t i = 0; i < 8; i++)
		key = key << 8 | (i < w->n ? (unsigned char)w->text[i] : 0);
	return key;
}

static bool entry_before(const struct entry *a, const struct entry *b)
{
	if (a->key != b->key)
		return a->key < b->key;
	return str_cmp(word_text(a->word), word_text(b->word)) < 0;
}

static int by_text(const void *a, const void *b)
{
	return entry_before(a, b) ? -1 : entry_before(b, a);
}

static bool has_docs(const struct word *w)
{
	return atomic_load_explicit(&w->docs, memory_order_relaxed) > 0;
}

static struct run *run_new(struct search *s, uint32_t n)
{
	struct run *r = mem_new(&s->memory, sizeof(*r) + n * sizeof(r->v[0]));

	r->n = n;
	return r;
}

static struct run *run_of_tail(struct search *s, const struct lexicon *l)
{
	uint32_t n = atomic_load_explicit(&l->tail_n, memory_order_relaxed);
	struct run *r = run_new(s, n);

	for (uint32_t i = 0; i < n; i++)
		r->v[i] = (struct entry){key_of(l->tail[i]), l->tail[i]};
	qsort(r->v, n, sizeof(r->v[0]), by_text);
	return r;
}

static struct run *merged(struct search *s, const struct run *a, const struct run *b)
{
	struct run *r = run_new(s, a->n + b->n);
	uint32_t i = 0, j = 0;

	for (uint32_t k = 0; k < r->n; k++) {
		bool first = j == b->n || (i < a->n && entry_before(&a->v[i], &b->v[j]));

		r->v[k] = first ? a->v[i++] : b->v[j++];
	}
	return r;
}

/* Merges from the end while the run before the last is not twice as long, or always. What came from `old` may be
 * in sight of readers. */
static void settle(struct search *s, struct lexicon *l, bool always)
{
	while (l->run_count > 1) {
		struct run *a = l->runs[l->run_count - 2], *b = l->runs[l->run_count - 1];

		if (!always && a->n >= 2 * b->n)
			break;
		l->runs[--l->run_count - 1] = merged(s, a, b);
		mem_retire(&s->memory, a);
		mem_retire(&s->memory, b);
	}
}

static struct lexicon *with_tail_as_run(struct search *s, const struct lexicon *old)
{
	struct lexicon *l = mem_new(&s->memory, sizeof(*l));

	CHECK(old->run_count < LEXICON_RUNS_MAX);
	l->run_count = old->run_count + 1;
	memcpy(l->runs, old->runs, old->run_count * sizeof(l->runs[0]));
	l->runs[old->run_count] = run_of_tail(s, old);
	return l;
}

void lexicon_add(struct search *s, const struct word *w)
{
	struct gen *g = writer_gen(s);
	struct lexicon *l = atomic_load_explicit(&g->lexicon, memory_order_relaxed);
	uint32_t n = atomic_load_explicit(&l->tail_n, memory_order_relaxed);

	if (n == LEXICON_TAIL) {
		struct lexicon *old = l;

		l = with_tail_as_run(s, old);
		settle(s, l, false);
		atomic_store_explicit(&g->lexicon, l, memory_order_release);
		mem_retire(&s->memory, old);
		n = 0;
	}
	l->tail[n] = w;
	atomic_store_explicit(&l->tail_n, n + 1, memory_order_release);
}

static struct run *living(struct search *s, const struct run *old)
{
	struct run *r;
	uint32_t n = 0;

	for (uint32_t i = 0; i < old->n; i++)
		n += has_docs(old->v[i].word);
	r = run_new(s, n);
	n = 0;
	for (uint32_t i = 0; i < old->n; i++)
		if (has_docs(old->v[i].word))
			r->v[n++] = old->v[i];
	return r;
}

struct lexicon *lexicon_compacted(struct search *s, const struct lexicon *old)
{
	struct lexicon *l = with_tail_as_run(s, old);
	struct run *tail = l->runs[l->run_count - 1];

	for (uint32_t i = 0; i < l->run_count; i++)
		l->runs[i] = living(s, l->runs[i]);
	mem_retire(&s->memory, tail);
	settle(s, l, true);
	return l;
}

void lexicon_retire(struct search *s, struct lexicon *l)
{
	for (uint32_t i = 0; i < l->run_count; i++)
		mem_retire(&s->memory, l->runs[i]);
	mem_retire(&s->memory, l);
}
