/* What else a word may mean: words it is the beginning of, and words it may be a mistyped one of. */
#include "search/lexicon_priv.h"
#include "search/plan_priv.h"

#include <string.h>

struct found {
	const struct word *word;
	uint32_t edits, df;
};

/* The best so far, best first. */
struct choice {
	const struct view *v;
	struct found best[BEGINNINGS_MAX];
	uint32_t n, max;
	uint32_t df_least;
	uint32_t not_stem; /* that is meant already */
};

static bool better(const struct found *a, const struct found *b)
{
	if (a->edits != b->edits)
		return a->edits < b->edits;
	if (a->df != b->df)
		return a->df > b->df;
	return str_cmp(word_text(a->word), word_text(b->word)) < 0;
}

/* Which place it takes; c->max: none. */
static uint32_t place_of(const struct choice *c, const struct found *f)
{
	uint32_t at = c->n;

	if (f->df < c->df_least)
		return c->max;
	while (at > 0 && better(f, &c->best[at - 1]))
		at--;
	return at;
}

/* Counting what is in reach takes long: only for what would be taken if all of it were. */
static void choose(void *whose, const struct word *w, uint32_t edits)
{
	struct choice *c = whose;
	struct found f = {w, edits, plan_df(c->v, w->stem)};
	uint32_t at;

	if (w->stem == c->not_stem || place_of(c, &f) == c->max)
		return;
	f.df = plan_reached(c->v, w->stem, UINT32_MAX);
	at = place_of(c, &f);
	if (at == c->max)
		return;
	c->n += c->n < c->max;
	memmove(&c->best[at + 1], &c->best[at], (c->n - 1 - at) * sizeof(f));
	c->best[at] = f;
}

static uint32_t own_stem(const struct asked *a)
{
	return a->meant_count ? a->meant[0].stem : NO_ID;
}

void plan_add_beginnings(const struct view *v, struct asked *a)
{
	struct choice c = {.v = v, .max = BEGINNINGS_MAX, .df_least = 1, .not_stem = NO_ID};
	uint64_t df = 0;

	lexicon_beginning(v->g, a->text, choose, &c);
	for (uint32_t i = 0; i < c.n && df < BEGINNINGS_DF; i++) {
		df += c.best[i].df;
		plan_mean(a, c.best[i].word->stem, SHARE_BEGINNING);
	}
}

/* How many edits a word of so many characters may be away; none when it has a digit, where each one matters. */
static uint32_t edits_allowed(struct str text)
{
	uint32_t letters = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] >= '0' && text.p[i] <= '9')
			return 0;
		letters += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	}
	return letters < LETTERS_ONE_EDIT ? 0 : letters < LETTERS_TWO_EDITS ? 1 : 2;
}

void plan_add_typos(const struct view *v, struct asked *a)
{
	uint32_t edits = edits_allowed(a->text), df = 0, of = 1;
	struct choice c = {.v = v, .max = TYPOS_MAX, .df_least = 1, .not_stem = own_stem(a)};

	for (uint32_t i = 0; i < a->meant_count && edits && df <= RARE_DF; i++)
		df += plan_reached(v, a->meant[i].stem, RARE_DF + 1);
	if (!edits || df > RARE_DF)
		return;
	if (df) {
		c.df_least = df * COMMONER;
		of = 2;
	}
	lexicon_similar(v->g, a->text, edits, choose, &c);
	for (uint32_t i = 0; i < c.n; i++)
		plan_mean(a, c.best[i].word->stem, (c.best[i].edits < 2 ? SHARE_ONE_EDIT : SHARE_TWO_EDITS) / of);
}
