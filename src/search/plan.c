/* From the text of a query to words, stems and weights. */
#include "search/plan_priv.h"

#include "search/words_priv.h"

#include <math.h>
#include <string.h>

uint32_t plan_df(const struct view *v, uint32_t stem)
{
	struct word *w = stem == NO_ID ? NULL : word_at(v->g, stem);

	return w ? atomic_load_explicit(&w->df, memory_order_relaxed) : 0;
}

/* Counts of this very moment may be ahead of the view: held to what makes sense. */
static uint32_t rarity(const struct view *v, uint32_t df)
{
	double n = v->live > df ? v->live : df;
	long rarity = lround(RARITY_ONE * log(1 + (n - df + 0.5) / (df + 0.5)));

	return rarity > 0 ? (uint32_t)rarity : 1;
}

void plan_mean(struct asked *a, uint32_t stem, uint32_t share)
{
	for (uint32_t i = 0; i < a->meant_count; i++)
		if (a->meant[i].stem == stem) {
			if (a->meant[i].share < share)
				a->meant[i].share = (uint16_t)share;
			return;
		}
	CHECK(a->meant_count < MEANT_MAX);
	a->meant[a->meant_count++] = (struct meant){stem, (uint16_t)share};
}

/* ---- words ---- */

static bool is_asked(const struct token *t)
{
	return t->kind != TOKEN_INNER && t->kind != TOKEN_SINGLE;
}

static struct asked *find(const struct plan *p, struct str text)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (str_eq(p->asked[i]->text, text))
			return p->asked[i];
	return NULL;
}

static struct asked *ask(const struct view *v, struct plan *p, struct str text)
{
	struct asked *a = find(p, text);
	uint32_t stem;

	if (a)
		return a;
	if (p->n == SEARCH_QUERY_WORDS_MAX) {
		p->left_out++;
		return NULL;
	}
	a = p->asked[p->n++] = ARENA_NEW(v->arena, struct asked);
	a->text = arena_str(v->arena, text);
	a->required = true;
	stem = word_find_stem(v->g, v->stemmer, text);
	if (stem != NO_ID)
		plan_mean(a, stem, SHARE_WHOLE);
	return a;
}

/* A part may be met by the whole, which is asked for besides. */
static void ask_compound(const struct view *v, struct plan *p, size_t at)
{
	const struct token *tokens = v->tokens->list.v, *whole = &tokens[at];
	struct asked *a = ask(v, p, token_text(v->tokens, whole));
	uint32_t stem = a && a->meant_count ? a->meant[0].stem : NO_ID;

	if (!a)
		return;
	a->required = false;
	for (size_t i = at - whole->parts; i < at && stem != NO_ID; i++) {
		struct asked *part = is_asked(&tokens[i]) ? find(p, token_text(v->tokens, &tokens[i])) : NULL;

		if (part && part != a)
			plan_mean(part, stem, SHARE_WHOLE);
	}
}

static void ask_words(const struct view *v, struct plan *p)
{
	for (size_t i = 0; i < v->tokens->list.n; i++) {
		const struct token *t = &v->tokens->list.v[i];

		if (t->kind == TOKEN_WHOLE)
			ask_compound(v, p, i);
		else if (is_asked(t))
			ask(v, p, token_text(v->tokens, t));
	}
}

static struct asked *last_word(const struct view *v, const struct plan *p)
{
	for (size_t i = v->tokens->list.n; i-- > 0;) {
		const struct token *t = &v->tokens->list.v[i];

		if (t->kind != TOKEN_WHOLE && is_asked(t))
			return find(p, token_text(v->tokens, t));
	}
	return NULL;
}

/* Stop words are not required, unless there is nothing else. */
static void spare_stop_words(struct plan *p, const struct asked *unfinished)
{
	uint32_t others = 0;

	for (uint32_t i = 0; i < p->n; i++)
		others += p->asked[i]->required && (!is_stop_word(p->asked[i]->text) || p->asked[i] == unfinished);
	for (uint32_t i = 0; i < p->n && others; i++)
		if (is_stop_word(p->asked[i]->text) && p->asked[i] != unfinished)
			p->asked[i]->required = false;
}

/* ---- weights ---- */

static uint32_t df_for_rarity(const struct view *v, const struct asked *a)
{
	uint32_t own = plan_df(v, word_find_stem(v->g, v->stemmer, a->text)), most = 0;

	if (own)
		return own;
	for (uint32_t i = 0; i < a->meant_count; i++) {
		uint32_t df = plan_df(v, a->meant[i].stem);

		most = df > most ? df : most;
	}
	return most;
}

static void weigh(const struct view *v, struct asked *a)
{
	a->rarity = rarity(v, df_for_rarity(v, a));
	if (!a->required && is_stop_word(a->text))
		a->rarity /= STOP_SHARE;
	plan_join_lists(v, a);
}

static void weigh_together(const struct view *v, struct plan *p)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < p->n; i++) {
		weigh(v, p->asked[i]);
		p->required += p->asked[i]->required;
		sum += p->asked[i]->required ? p->asked[i]->rarity : 0;
	}
	p->all_points = p->required < 2 ? 0 : sum * (uint64_t)lround(v->s->all_words * 256) * 256;
}

static void ask_name(const struct view *v, struct plan *p)
{
	char joined[TERM_BYTES_MAX + 1] = {NAME_MARK};
	struct asked *a;
	uint64_t sum = 0;
	uint32_t stem;
	size_t n;

	if (!tokens_joined(v->tokens, joined + 1, &n))
		return;
	stem = word_find(v->g, (struct str){joined, n + 1});
	if (!plan_df(v, stem))
		return;
	for (uint32_t i = 0; i < p->n; i++)
		sum += p->asked[i]->required ? p->asked[i]->rarity : 0;
	a = p->asked[p->n++] = ARENA_NEW(v->arena, struct asked);
	a->text = arena_str(v->arena, (struct str){joined + 1, n});
	a->name = true;
	a->rarity = (uint32_t)(sum * (256 + (uint64_t)lround(v->s->all_words * 256)) / 256);
	plan_mean(a, stem, SHARE_WHOLE);
	plan_join_lists(v, a);
}

static void expand(const struct view *v, struct plan *p, const struct search_query *q, struct asked *unfinished)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (q->typos && p->asked[i]->required)
			plan_add_typos(v, p->asked[i]);
	if (unfinished)
		plan_add_beginnings(v, unfinished);
}

struct plan *plan_new(const struct view *v, const struct search_query *q)
{
	struct plan *p = ARENA_NEW(v->arena, struct plan);
	struct asked *unfinished;

	tokens_split(v->tokens, q->text);
	ask_words(v, p);
	unfinished = q->prefix ? last_word(v, p) : NULL;
	spare_stop_words(p, unfinished);
	expand(v, p, q, unfinished);
	weigh_together(v, p);
	p->words = p->n;
	ask_name(v, p);
	p->everything = str_trim(q->text).n == 0;
	p->prior_points = ldexp(q->prior_weight > 0 ? fmin(q->prior_weight, 1000) : 0, POINTS_BITS);
	return p;
}
