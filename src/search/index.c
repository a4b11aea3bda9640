/*
 * An index's life, and the changes to it. Each change prepares everything where no reader looks yet and ends by
 * publishing one number.
 */
#include "search/doc_priv.h"
#include "search/gen_priv.h"
#include "search/lexicon_priv.h"
#include "search/values_priv.h"
#include "search/words_priv.h"

#include <math.h>
#include <string.h>

static char *copied(struct memory *m, const char *z)
{
	size_t n = str_of(z).n;

	return memcpy(mem_new(m, n + 1), z, n);
}

static void set_fields(struct search *s, const struct search_config *c)
{
	CHECK(c->field_count > 0 && c->field_count <= SEARCH_FIELDS_MAX);
	CHECK(c->dimension_count <= SEARCH_DIMENSIONS_MAX);
	s->field_count = (uint32_t)c->field_count;
	s->dimension_count = (uint32_t)c->dimension_count;
	for (uint32_t f = 0; f < s->field_count; f++) {
		const struct search_field *from = &c->fields[f];

		CHECK(from->weight > 0 && from->pivot > 0 && from->b >= 0 && from->b <= 1);
		s->fields[f] = (struct field){copied(&s->memory, from->name), from->weight, from->b, from->pivot,
					      from->is_name};
	}
}

struct search *search_new(const struct search_config *c)
{
	struct search *s = NEW(struct search);

	s->magic = SEARCH_MAGIC;
	memory_init(&s->memory);
	set_fields(s, c);
	s->k1 = c->k1 > 0 ? c->k1 : 1.2;
	s->all_words = c->all_words > 0 ? c->all_words : 0.3;
	s->stemmer = stemmer_new();
	s->tally = tally_new();
	atomic_init(&s->gen, gen_new(s));
	return s;
}

static void doc_retire(struct search *s, struct doc *d)
{
	mem_retire(&s->memory, d->values);
	mem_retire(&s->memory, d);
}

void search_destroy(struct search **ref)
{
	struct search *s = *ref;
	struct doc *d;

	if (!s)
		return;
	CHECK_OBJ(s, SEARCH_MAGIC);
	for (size_t i = 0; (d = map_next(&s->docs, &i));)
		doc_retire(s, d);
	gen_retire(s, writer_gen(s), true);
	for (uint32_t f = 0; f < s->field_count; f++)
		mem_retire(&s->memory, s->fields[f].name);
	memory_free_all(&s->memory);
	map_free(&s->docs);
	stemmer_destroy(&s->stemmer);
	tally_destroy(&s->tally);
	tokens_free(&s->tokens);
	VEC_FREE(&s->free_words);
	free(s);
	*ref = NULL;
}

/* ---- counts ---- */

static void count(_Atomic uint32_t *n, bool more)
{
	atomic_fetch_add_explicit(n, more ? 1 : UINT32_MAX, memory_order_relaxed);
}

static void count_stem(struct search *s, struct doc_stem *stem, bool more)
{
	struct gen *g = writer_gen(s);
	struct word *w = word_at(g, stem->stem);

	count(&w->df, more);
	if (more && atomic_load_explicit(&w->df, memory_order_relaxed) == 1)
		s->terms++;
	else if (!more && atomic_load_explicit(&w->df, memory_order_relaxed) == 0)
		s->terms--;
	if (!stem->fields)
		return;
	for (uint32_t i = 0, n = stem->word_count; i < n; i++)
		count(&word_at(g, doc_word_next(stem))->docs, more);
}

static void count_doc(struct search *s, const struct doc *d, bool more)
{
	struct doc_read r = doc_read(d);
	struct doc_stem stem;

	while (doc_next(&r, &stem))
		count_stem(s, &stem, more);
	if (more)
		s->postings += d->stem_count;
	else
		s->postings_dead += d->stem_count;
}

/* ---- slots ---- */

static struct chunk *chunk_for(struct search *s, struct gen *g, uint32_t slot)
{
	struct chunk *c = ptrs_get(&g->chunks, slot / CHUNK_SLOTS);

	if (!c) {
		c = mem_new(&s->memory, sizeof(*c));
		ptrs_set(&s->memory, &g->chunks, slot / CHUNK_SLOTS, c);
	}
	return c;
}

static void chunk_set_prior(struct chunk *c, uint32_t slot, double prior)
{
	if (prior > atomic_load_explicit(&c->prior_max, memory_order_relaxed))
		atomic_store_explicit(&c->prior_max, prior, memory_order_relaxed);
	atomic_store_explicit(&c->prior[slot % CHUNK_SLOTS], prior, memory_order_relaxed);
}

void gen_seat(struct search *s, struct gen *g, struct doc *d, uint32_t slot, double prior)
{
	struct chunk *c = chunk_for(s, g, slot);

	d->slot = slot;
	c->id[slot % CHUNK_SLOTS] = d->id;
	c->doc[slot % CHUNK_SLOTS] = d;
	chunk_set_prior(c, slot, prior);
	atomic_store_explicit(&c->dead_at[slot % CHUNK_SLOTS], LIVES, memory_order_relaxed);
}

static void add_postings(struct search *s, const struct doc *d)
{
	struct doc_read r = doc_read(d);
	struct doc_stem stem;

	while (doc_next(&r, &stem))
		postings_add(s, stem.stem, d->slot, doc_worth(s, &stem, d->lengths));
}

/* Those who begin to ask from now on see what was made ready, and no longer what died. */
static void publish(struct search *s, struct doc *dead, int added)
{
	struct gen *g = writer_gen(s);
	uint32_t next = atomic_load_explicit(&g->visible, memory_order_relaxed) + 1;

	if (dead)
		atomic_store_explicit(&chunk_of(g, dead->slot)->dead_at[dead->slot % CHUNK_SLOTS], next,
				      memory_order_relaxed);
	atomic_fetch_add_explicit(&g->live, (uint32_t)(added - (dead != NULL)), memory_order_relaxed);
	atomic_store_explicit(&g->visible, next, memory_order_release);
	if (dead) {
		count_doc(s, dead, false);
		doc_retire(s, dead);
	}
}

/* Slots are renumbered long before there are none left: the dead are never more than the living and a bit. */
static void maintain(struct search *s)
{
	struct gen *g = writer_gen(s);
	uint32_t live = atomic_load_explicit(&g->live, memory_order_relaxed);
	uint32_t used = atomic_load_explicit(&g->visible, memory_order_relaxed);

	if (used - live > CHUNK_SLOTS && used - live > live)
		search_compact(s);
	mem_collect(&s->memory);
}

/* ---- what callers do ---- */

static double held_prior(double prior)
{
	return prior > 0 ? fmin(prior, 1) : 0; /* not a number is not above 0 */
}

static bool values_are_good(const struct search *s, const struct search_value *values, size_t n)
{
	size_t of[SEARCH_DIMENSIONS_MAX] = {0};

	for (size_t i = 0; i < n; i++)
		if (values[i].dimension >= s->dimension_count || values[i].text.n > SEARCH_VALUE_BYTES_MAX ||
		    ++of[values[i].dimension] > SEARCH_VALUES_MAX)
			return false;
	return true;
}

static bool doc_is_good(const struct search *s, const struct search_doc *doc)
{
	size_t bytes = 0;

	for (uint32_t f = 0; f < s->field_count; f++) {
		if (doc->texts[f].n > SEARCH_TEXT_BYTES_MAX - bytes)
			return false;
		bytes += doc->texts[f].n;
	}
	return values_are_good(s, doc->values, doc->value_count);
}

static void set_values(struct search *s, struct doc *d, const struct search_value *values, size_t n)
{
	struct gen *g = writer_gen(s);

	d->values = n ? mem_new(&s->memory, n * sizeof(*d->values)) : NULL;
	d->value_count = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		struct value *v = value_intern(s, g, values[i].dimension, values[i].text);

		d->values[i] = v->id;
		value_mark(&s->memory, v, d->slot);
	}
}

static struct doc *doc_by_id(struct search *s, int64_t id)
{
	CHECK_OBJ(s, SEARCH_MAGIC);
	return map_get(&s->docs, (uint64_t)id);
}

enum err search_put(struct search *s, const struct search_doc *doc)
{
	struct gen *g;
	struct doc *d, *old = doc_by_id(s, doc->id);

	if (!doc_is_good(s, doc))
		return ERR_INVALID;
	g = writer_gen(s);
	d = doc_new(s, doc);
	gen_seat(s, g, d, atomic_load_explicit(&g->visible, memory_order_relaxed), held_prior(doc->prior));
	set_values(s, d, doc->values, doc->value_count);
	add_postings(s, d);
	count_doc(s, d, true);
	map_put(&s->docs, (uint64_t)d->id, d);
	publish(s, old, 1);
	maintain(s);
	return OK;
}

bool search_remove(struct search *s, int64_t id)
{
	struct doc *d = doc_by_id(s, id);

	if (!d)
		return false;
	map_take(&s->docs, (uint64_t)id);
	chunk_for(s, writer_gen(s), atomic_load_explicit(&writer_gen(s)->visible, memory_order_relaxed));
	publish(s, d, 0); /* takes a slot that nobody sits in: that is what gives the removal its moment */
	maintain(s);
	return true;
}

/* Marks the new ones before it unmarks the old: for a moment it has both, never none. Who looks at one value after
 * the other sees by the count of flips that he must look again (filter.c). */
static void replace_values(struct search *s, struct doc *d, const struct search_value *values, size_t n)
{
	struct gen *g = writer_gen(s);
	uint32_t *old = d->values, old_count = d->value_count;

	set_values(s, d, values, n);
	atomic_fetch_add(&g->flips, 1);
	for (uint32_t i = 0; i < old_count; i++) {
		bool kept = false;

		for (uint32_t j = 0; j < d->value_count && !kept; j++)
			kept = d->values[j] == old[i];
		if (!kept)
			value_unmark(&s->memory, value_at(g, old[i]), d->slot);
	}
	mem_free(&s->memory, old);
	mem_collect(&s->memory);
}

enum err search_set_values(struct search *s, int64_t id, uint32_t dimension, const struct str *values, size_t count)
{
	struct doc *d = doc_by_id(s, id);
	VEC(struct search_value) all = {0};
	bool good;

	if (!d)
		return ERR_NOT_FOUND;
	if (dimension >= s->dimension_count || count > SEARCH_VALUES_MAX)
		return ERR_INVALID;
	for (uint32_t i = 0; i < d->value_count; i++) {
		const struct value *v = value_at(writer_gen(s), d->values[i]);

		if (v->dimension != dimension)
			*VEC_PUSH(&all) = (struct search_value){v->dimension, {v->text, v->n}};
	}
	for (size_t i = 0; i < count; i++)
		*VEC_PUSH(&all) = (struct search_value){dimension, values[i]};
	good = values_are_good(s, all.v, all.n);
	if (good)
		replace_values(s, d, all.v, all.n);
	VEC_FREE(&all);
	return good ? OK : ERR_INVALID;
}

void search_stats_get(const struct search *s, struct search_stats *stats)
{
	struct search *w = (struct search *)(uintptr_t)s;
	struct gen *g = writer_gen(w);

	*stats = (struct search_stats){
		.documents = s->docs.count,
		.terms = s->terms,
		.words = g->word_end - s->free_words.n,
		.postings = s->postings,
		.postings_dead = s->postings_dead,
		.compactions = s->compactions,
		.bytes = atomic_load(&w->memory.bytes) + map_bytes(&s->docs) + sizeof(*s),
	};
}
