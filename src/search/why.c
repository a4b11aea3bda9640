/*
 * The stems a query may mean and those of a document are both in order, so one walk along both finds what they
 * share. Of what a word may mean, what gives most is the reason, as it is for the score.
 */
#include "search/why_priv.h"

#include "search/doc_priv.h"

#include <math.h>
#include <string.h>

struct sought {
	uint32_t stem, asked;
	uint16_t share;
};

/* The best reason for one word of the query. */
struct reason {
	uint64_t points;
	struct doc_stem stem;
};

static int by_stem(const void *a, const void *b)
{
	const struct sought *x = a, *y = b;

	if (x->stem != y->stem)
		return x->stem < y->stem ? -1 : 1;
	return (x->asked > y->asked) - (x->asked < y->asked);
}

void whys_begin(struct whys *w, const struct view *v, const struct plan *p)
{
	uint32_t most = 0;

	*w = (struct whys){.v = v, .p = p};
	for (uint32_t i = 0; i < p->n; i++)
		most += p->asked[i]->meant_count;
	w->sought = ARENA_ARRAY(v->arena, struct sought, most);
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t j = 0; j < p->asked[i]->meant_count; j++)
			w->sought[w->n++] =
				(struct sought){p->asked[i]->meant[j].stem, i, p->asked[i]->meant[j].share};
	if (w->n)
		qsort(w->sought, w->n, sizeof(*w->sought), by_stem);
}

static uint64_t points_of(const struct whys *w, const struct sought *s, const struct doc_stem *stem,
			  const struct doc *d)
{
	uint64_t worth = doc_worth(w->v->s, stem, d->lengths) * (uint64_t)s->share / SHARE_WHOLE;

	return (worth ? worth : 1) * w->p->asked[s->asked]->rarity;
}

static void find_reasons(const struct whys *w, const struct doc *d, struct reason *reasons)
{
	struct doc_read r = doc_read(d);
	struct doc_stem stem;
	uint32_t i = 0;

	while (i < w->n && doc_next(&r, &stem)) {
		while (i < w->n && w->sought[i].stem < stem.stem)
			i++;
		for (uint32_t j = i; j < w->n && w->sought[j].stem == stem.stem; j++) {
			uint64_t points = points_of(w, &w->sought[j], &stem, d);

			if (points > reasons[w->sought[j].asked].points)
				reasons[w->sought[j].asked] = (struct reason){points, stem};
		}
	}
}

/* The word asked for when the document has it, else the first it has. */
static struct str word_found(const struct whys *w, const struct asked *a, struct doc_stem stem)
{
	struct str first = {0};

	for (uint32_t i = 0, n = stem.word_count; i < n; i++) {
		const struct word *word = word_at(w->v->g, doc_word_next(&stem));

		if (i == 0 || str_eq(word_text(word), a->text))
			first = word_text(word);
	}
	return arena_str(w->v->arena, first);
}

static size_t explain(const struct whys *w, const struct doc *d, uint32_t asked, const struct reason *reason,
		      struct search_why *out)
{
	const struct search *s = w->v->s;
	const struct asked *a = w->p->asked[asked];
	double points = ldexp((double)reason->points, -POINTS_BITS), tf[SEARCH_FIELDS_MAX], sum = 0;
	struct str found;
	size_t n = 0;

	if (a->name) {
		out[n++] = (struct search_why){a->text, a->text, NO_ID, points, true};
		return n;
	}
	for (uint32_t f = 0; f < s->field_count; f++)
		sum += tf[f] = doc_field_tf(s, &reason->stem, d->lengths, f);
	found = word_found(w, a, reason->stem);
	for (uint32_t f = 0; f < s->field_count; f++) {
		double part = tf[f] / sum;

		if (part > 0)
			out[n++] = (struct search_why){a->text, found, f, points * part, false};
	}
	return n;
}

static uint32_t name_field(const struct search *s)
{
	for (uint32_t f = 0; f < s->field_count; f++)
		if (s->fields[f].is_name)
			return f;
	return 0;
}

void whys_of(const struct whys *w, const struct doc *d, struct search_hit *hit)
{
	struct reason reasons[SEARCH_QUERY_WORDS_MAX + 1];
	struct search_why *out;
	uint32_t required = 0, found = 0;

	memset(reasons, 0, w->p->n * sizeof(*reasons));
	find_reasons(w, d, reasons);
	for (uint32_t i = 0; i < w->p->n; i++) {
		found += reasons[i].points > 0;
		required += reasons[i].points > 0 && w->p->asked[i]->required;
	}
	if (required == w->p->required)
		hit->all_words_points = ldexp((double)w->p->all_points, -POINTS_BITS);
	if (!found)
		return;
	hit->why = out = ARENA_ARRAY(w->v->arena, struct search_why, (size_t)found * w->v->s->field_count);
	for (uint32_t i = 0; i < w->p->n; i++)
		if (reasons[i].points)
			hit->why_count += explain(w, d, i, &reasons[i], out + hit->why_count);
	for (size_t i = 0; i < hit->why_count; i++)
		if (out[i].exact_name)
			out[i].field = name_field(w->v->s);
}
