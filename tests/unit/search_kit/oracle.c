/* See oracle.h. Slow on purpose: whoever doubts a line can check it against the formula by eye. */
#include "oracle.h"

#include "search/plan_priv.h"
#include "search/stem_priv.h"
#include "search/tokens_priv.h"

#include <math.h>
#include <string.h>

struct place {
	struct str word, stem;
	uint32_t field;
	bool typed;
};

struct text_doc {
	int64_t id;
	double prior;
	bool alive;
	VEC(struct place) places;
	VEC(struct str) names;
	VEC(struct search_value) values;
	double lengths[SEARCH_FIELDS_MAX];
};

struct oracle {
	const struct search_config *config;
	struct arena *arena;
	struct stemmer *stemmer;
	struct tokens tokens;
	VEC(struct text_doc) docs;
};

/* A word of the query, and what it may mean. */
struct sense {
	struct str stem;
	double share;
};

struct want {
	struct str text;
	bool required;
	VEC(struct sense) senses;
	double rarity;
};

struct wants {
	VEC(struct want) v;
	struct str name;
	double name_rarity;
};

struct oracle *oracle_new(const struct search_config *config)
{
	struct oracle *o = NEW(struct oracle);

	o->config = config;
	o->arena = arena_new((size_t)1 << 32);
	o->stemmer = stemmer_new();
	return o;
}

static void forget(struct text_doc *d)
{
	VEC_FREE(&d->places);
	VEC_FREE(&d->names);
	VEC_FREE(&d->values);
	d->alive = false;
}

void oracle_destroy(struct oracle **o)
{
	for (size_t i = 0; i < (*o)->docs.n; i++)
		forget(&(*o)->docs.v[i]);
	VEC_FREE(&(*o)->docs);
	stemmer_destroy(&(*o)->stemmer);
	tokens_free(&(*o)->tokens);
	arena_destroy(&(*o)->arena);
	free(*o);
	*o = NULL;
}

static struct text_doc *doc_by_id(struct oracle *o, int64_t id)
{
	for (size_t i = 0; i < o->docs.n; i++)
		if (o->docs.v[i].alive && o->docs.v[i].id == id)
			return &o->docs.v[i];
	return NULL;
}

static void add_name(struct oracle *o, struct text_doc *d, struct str text)
{
	char joined[TERM_BYTES_MAX];
	size_t n;

	tokens_split(&o->tokens, text);
	if (tokens_joined(&o->tokens, joined, &n))
		*VEC_PUSH(&d->names) = arena_str(o->arena, (struct str){joined, n});
}

static void add_names(struct oracle *o, struct text_doc *d, struct str text)
{
	while (text.p) {
		struct str line = str_cut(text, '\n', &text), tail = line, rest;

		add_name(o, d, line);
		for (rest = line; rest.p;) {
			tail = rest;
			str_cut(rest, '/', &rest);
		}
		if (tail.n < line.n)
			add_name(o, d, tail);
	}
}

static void add_text(struct oracle *o, struct text_doc *d, uint32_t field, struct str text)
{
	tokens_split(&o->tokens, text);
	for (size_t i = 0; i < o->tokens.list.n; i++) {
		const struct token *t = &o->tokens.list.v[i];
		struct str word = arena_str(o->arena, token_text(&o->tokens, t));
		struct str stem = arena_str(o->arena, stem_of(o->stemmer, word));

		*VEC_PUSH(&d->places) =
			(struct place){word, stem, field, t->kind != TOKEN_PAIR && t->kind != TOKEN_SINGLE};
		d->lengths[field] += token_is_place(t);
	}
}

void oracle_put(struct oracle *o, const struct search_doc *doc)
{
	struct text_doc *d;

	oracle_remove(o, doc->id);
	d = VEC_PUSH(&o->docs);
	*d = (struct text_doc){.id = doc->id, .alive = true, .prior = doc->prior};
	for (uint32_t f = 0; f < o->config->field_count; f++) {
		add_text(o, d, f, doc->texts[f]);
		if (o->config->fields[f].is_name)
			add_names(o, d, doc->texts[f]);
	}
	for (size_t i = 0; i < doc->value_count; i++)
		*VEC_PUSH(&d->values) =
			(struct search_value){doc->values[i].dimension, arena_str(o->arena, doc->values[i].text)};
}

void oracle_remove(struct oracle *o, int64_t id)
{
	struct text_doc *d = doc_by_id(o, id);

	if (d)
		forget(d);
}

void oracle_set_values(struct oracle *o, int64_t id, uint32_t dimension, const struct str *values, size_t n)
{
	struct text_doc *d = doc_by_id(o, id);
	size_t kept = 0;

	CHECK(d != NULL);
	for (size_t i = 0; i < d->values.n; i++)
		if (d->values.v[i].dimension != dimension)
			d->values.v[kept++] = d->values.v[i];
	d->values.n = kept;
	for (size_t i = 0; i < n; i++)
		*VEC_PUSH(&d->values) = (struct search_value){dimension, arena_str(o->arena, values[i])};
}

size_t oracle_count(const struct oracle *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->docs.n; i++)
		n += o->docs.v[i].alive;
	return n;
}

/* ---- counts ---- */

static bool has_stem(const struct text_doc *d, struct str stem)
{
	for (size_t i = 0; i < d->places.n; i++)
		if (str_eq(d->places.v[i].stem, stem))
			return true;
	return false;
}

static double df(const struct oracle *o, struct str stem)
{
	double n = 0;

	for (size_t i = 0; i < o->docs.n; i++)
		n += o->docs.v[i].alive && has_stem(&o->docs.v[i], stem);
	return n;
}

/* The filters of these dimensions, a bit each. */
static bool passes(const struct text_doc *d, const struct search_query *q, uint32_t dimensions)
{
	for (size_t i = 0; i < q->filter_count; i++) {
		bool any = !(dimensions >> q->filters[i].dimension & 1);

		for (size_t j = 0; j < q->filter_count; j++)
			for (size_t k = 0; k < d->values.n && q->filters[j].dimension == q->filters[i].dimension;
			     k++)
				any |= d->values.v[k].dimension == q->filters[j].dimension &&
				       str_eq(d->values.v[k].text, q->filters[j].text);
		if (!any)
			return false;
	}
	return true;
}

static double df_in_reach(const struct oracle *o, const struct search_query *q, struct str stem)
{
	double n = 0;

	for (size_t i = 0; i < o->docs.n; i++)
		n += o->docs.v[i].alive && has_stem(&o->docs.v[i], stem) && passes(&o->docs.v[i], q, q->reach);
	return n;
}

static double rarity_of(const struct oracle *o, double n)
{
	return fmax(1, floor(4096 * log(1 + ((double)oracle_count(o) - n + 0.5) / (n + 0.5)) + 0.5)) / 4096;
}

static double worth(const struct oracle *o, const struct text_doc *d, struct str stem)
{
	const struct search_config *c = o->config;
	double tf = 0, k1 = c->k1 > 0 ? c->k1 : 1.2, worth;

	for (uint32_t f = 0; f < c->field_count; f++) {
		double n = 0;

		for (size_t i = 0; i < d->places.n; i++)
			n += d->places.v[i].field == f && str_eq(d->places.v[i].stem, stem);
		if (n > 0)
			tf += c->fields[f].weight * n /
			      (1 - c->fields[f].b + c->fields[f].b * d->lengths[f] / c->fields[f].pivot);
	}
	if (tf <= 0)
		return 0;
	worth = floor(65536 * (tf / (k1 + tf)));
	return (worth < 1 ? 1 : worth > 65535 ? 65535 : worth) / 65536;
}

/* ---- what the query means ---- */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned chars_of(struct str s, uint32_t out[TERM_BYTES_MAX])
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			out[n++] = (unsigned char)s.p[i];
		else
			out[n - 1] = out[n - 1] << 8 | (unsigned char)s.p[i];
	return n;
}

unsigned oracle_edits(struct str a, struct str b)
{
	uint32_t x[TERM_BYTES_MAX], y[TERM_BYTES_MAX];
	unsigned d[TERM_BYTES_MAX + 1][TERM_BYTES_MAX + 1], n = chars_of(a, x), m = chars_of(b, y);

	for (unsigned i = 0; i <= n; i++)
		for (unsigned j = 0; j <= m; j++) {
			d[i][j] = i ? (j ? UINT16_MAX : i) : j;
			if (i && j)
				d[i][j] = least(d[i - 1][j - 1] + (x[i - 1] != y[j - 1]),
						least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

static void mean(struct want *w, struct str stem, double share)
{
	for (size_t i = 0; i < w->senses.n; i++)
		if (str_eq(w->senses.v[i].stem, stem)) {
			w->senses.v[i].share = fmax(w->senses.v[i].share, share);
			return;
		}
	*VEC_PUSH(&w->senses) = (struct sense){stem, share};
}

static struct want *want(struct oracle *o, struct wants *all, struct str text)
{
	struct want *w;

	for (size_t i = 0; i < all->v.n; i++)
		if (str_eq(all->v.v[i].text, text))
			return &all->v.v[i];
	if (all->v.n == SEARCH_QUERY_WORDS_MAX)
		return NULL;
	w = VEC_PUSH(&all->v);
	*w = (struct want){.text = arena_str(o->arena, text), .required = true};
	mean(w, arena_str(o->arena, stem_of(o->stemmer, w->text)), 1);
	return w;
}

static bool known(const struct oracle *o, struct str stem)
{
	return df(o, stem) > 0;
}

static void want_tokens(struct oracle *o, struct wants *all)
{
	for (size_t i = 0; i < o->tokens.list.n; i++) {
		const struct token *t = &o->tokens.list.v[i];
		struct want *w;
		struct str stem;

		if (t->kind == TOKEN_INNER || t->kind == TOKEN_SINGLE)
			continue;
		w = want(o, all, token_text(&o->tokens, t));
		if (!w || t->kind != TOKEN_WHOLE)
			continue;
		w->required = false;
		stem = w->senses.v[0].stem;
		for (size_t j = i - t->parts; j < i; j++) {
			const struct token *part = t - (i - j);
			struct str text = token_text(&o->tokens, part);

			for (size_t k = 0; part->kind != TOKEN_INNER && k < all->v.n; k++)
				if (str_eq(all->v.v[k].text, text) && !str_eq(text, w->text))
					mean(&all->v.v[k], stem, 1);
		}
	}
}

struct candidate {
	struct str word, stem;
	unsigned edits;
	double df;
};

static int by_goodness(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->edits != y->edits)
		return x->edits < y->edits ? -1 : 1;
	if (x->df < y->df || x->df > y->df)
		return x->df > y->df ? -1 : 1;
	return str_cmp(x->word, y->word);
}

/* Every word people type that a document has, once, if one in reach has its stem. */
static size_t vocabulary(const struct oracle *o, const struct search_query *q, struct candidate **out)
{
	VEC(struct candidate) all = {0};

	for (size_t i = 0; i < o->docs.n; i++)
		for (size_t j = 0; o->docs.v[i].alive && j < o->docs.v[i].places.n; j++) {
			const struct place *p = &o->docs.v[i].places.v[j];
			bool there = !p->typed || df_in_reach(o, q, p->stem) == 0;

			for (size_t k = 0; k < all.n && !there; k++)
				there = str_eq(all.v[k].word, p->word);
			if (!there)
				*VEC_PUSH(&all) =
					(struct candidate){p->word, p->stem, 0, df_in_reach(o, q, p->stem)};
		}
	*out = all.v;
	return all.n;
}

static unsigned edits_for(struct str text)
{
	uint32_t chars[TERM_BYTES_MAX];
	unsigned n = chars_of(text, chars);

	for (unsigned i = 0; i < n; i++)
		if (chars[i] >= '0' && chars[i] <= '9')
			return 0;
	return n < 4 ? 0 : n < 8 ? 1 : 2;
}

static bool may_be_meant(const struct want *w, struct candidate *c)
{
	uint32_t a[TERM_BYTES_MAX], b[TERM_BYTES_MAX];

	chars_of(w->text, a);
	chars_of(c->word, b);
	c->edits = oracle_edits(w->text, c->word);
	return c->edits <= edits_for(w->text) && (c->edits < 2 || a[0] == b[0]);
}

static void mean_typos(const struct oracle *o, const struct search_query *q, struct want *w,
		       const struct candidate *words, size_t n)
{
	VEC(struct candidate) found = {0};
	double there = 0;

	for (size_t i = 0; i < w->senses.n; i++)
		there += df_in_reach(o, q, w->senses.v[i].stem);
	if (there > RARE_DF)
		return;
	for (size_t i = 0; i < n; i++) {
		struct candidate c = words[i];

		if (may_be_meant(w, &c) && c.df >= fmax(1, there * COMMONER) &&
		    !str_eq(c.stem, w->senses.v[0].stem))
			*VEC_PUSH(&found) = c;
	}
	if (found.n)
		qsort(found.v, found.n, sizeof(found.v[0]), by_goodness);
	for (size_t i = 0; i < found.n && i < TYPOS_MAX; i++)
		mean(w, found.v[i].stem, (found.v[i].edits < 2 ? 160 : 96) / 256.0 / (there > 0 ? 2 : 1));
	VEC_FREE(&found);
}

static void mean_beginnings(struct want *w, const struct candidate *words, size_t n)
{
	VEC(struct candidate) found = {0};
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		if (str_starts(words[i].word, w->text))
			*VEC_PUSH(&found) = words[i];
	if (found.n)
		qsort(found.v, found.n, sizeof(found.v[0]), by_goodness);
	for (size_t i = 0; i < found.n && i < BEGINNINGS_MAX && sum < BEGINNINGS_DF; i++) {
		sum += found.v[i].df;
		mean(w, found.v[i].stem, 200 / 256.0);
	}
	VEC_FREE(&found);
}

static struct want *last_want(struct oracle *o, struct wants *all)
{
	struct want *last = NULL;

	for (size_t i = 0; i < o->tokens.list.n; i++) {
		const struct token *t = &o->tokens.list.v[i];

		for (size_t k = 0; k < all->v.n; k++)
			if (t->kind != TOKEN_WHOLE && t->kind != TOKEN_INNER && t->kind != TOKEN_SINGLE &&
			    str_eq(all->v.v[k].text, token_text(&o->tokens, t)))
				last = &all->v.v[k];
	}
	return last;
}

static void excuse_stop_words(struct wants *all, const struct want *unfinished)
{
	bool others = false;

	for (size_t i = 0; i < all->v.n; i++)
		others |= all->v.v[i].required && (!is_stop_word(all->v.v[i].text) || &all->v.v[i] == unfinished);
	for (size_t i = 0; i < all->v.n && others; i++)
		if (is_stop_word(all->v.v[i].text) && &all->v.v[i] != unfinished)
			all->v.v[i].required = false;
}

static void weigh(const struct oracle *o, struct wants *all)
{
	double all_words = o->config->all_words > 0 ? o->config->all_words : 0.3, sum = 0;

	for (size_t i = 0; i < all->v.n; i++) {
		struct want *w = &all->v.v[i];
		double most = df(o, w->senses.v[0].stem);

		for (size_t j = 1; j < w->senses.n && !known(o, w->senses.v[0].stem); j++)
			most = fmax(most, df(o, w->senses.v[j].stem));
		w->rarity = rarity_of(o, most);
		if (!w->required && is_stop_word(w->text))
			w->rarity = floor(w->rarity * 4096 / 8) / 4096;
		sum += w->required ? w->rarity : 0;
	}
	all->name_rarity = floor(sum * 4096 * (256 + floor(all_words * 256 + 0.5)) / 256) / 4096;
}

static void understand(struct oracle *o, const struct search_query *q, struct wants *all)
{
	struct candidate *words;
	size_t n = vocabulary(o, q, &words);
	struct want *unfinished;
	char joined[TERM_BYTES_MAX];
	size_t joined_n;

	tokens_split(&o->tokens, q->text);
	want_tokens(o, all);
	unfinished = q->prefix ? last_want(o, all) : NULL;
	excuse_stop_words(all, unfinished);
	for (size_t i = 0; i < all->v.n && q->typos; i++)
		if (all->v.v[i].required)
			mean_typos(o, q, &all->v.v[i], words, n);
	if (unfinished)
		mean_beginnings(unfinished, words, n);
	weigh(o, all);
	if (tokens_joined(&o->tokens, joined, &joined_n))
		all->name = arena_str(o->arena, (struct str){joined, joined_n});
	free(words);
}

/* ---- one document ---- */

static double best_sense(const struct oracle *o, const struct text_doc *d, const struct want *w)
{
	double best = 0;

	for (size_t i = 0; i < w->senses.n; i++) {
		double one = worth(o, d, w->senses.v[i].stem);

		if (one > 0)
			best = fmax(best, fmax(1, floor(one * 65536 * w->senses.v[i].share)) / 65536);
	}
	return best * w->rarity;
}

static bool has_name(const struct text_doc *d, struct str name)
{
	for (size_t i = 0; i < d->names.n && name.n; i++)
		if (str_eq(d->names.v[i], name))
			return true;
	return false;
}

/* Below 0 when it does not match. */
static double score(const struct oracle *o, const struct text_doc *d, const struct search_query *q,
		    const struct wants *all)
{
	double all_words = o->config->all_words > 0 ? o->config->all_words : 0.3;
	double sum = 0, rarities = 0, required = 0, met = 0;
	bool named = has_name(d, all->name);

	if (!d->alive || !passes(d, q, UINT32_MAX))
		return -1;
	for (size_t i = 0; i < all->v.n; i++) {
		double points = best_sense(o, d, &all->v.v[i]);

		sum += points;
		required += all->v.v[i].required;
		met += all->v.v[i].required && points > 0;
		rarities += all->v.v[i].required ? all->v.v[i].rarity : 0;
	}
	if (str_trim(q->text).n && !(q->match == SEARCH_ALL ? required > 0 && met >= required : met > 0 || named))
		return -1;
	if (met >= required && required >= 2)
		sum += rarities * floor(all_words * 256 + 0.5) / 256;
	if (named)
		sum += all->name_rarity * 65535 / 65536;
	return sum + floor(d->prior * q->prior_weight * 268435456) / 268435456;
}

static int by_rank(const void *a, const void *b)
{
	const struct oracle_hit *x = a, *y = b;

	if (x->score < y->score || x->score > y->score)
		return x->score > y->score ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

void oracle_query(struct oracle *o, const struct search_query *q, struct oracle_answer *out)
{
	struct wants all = {0};

	out->hits.n = 0;
	understand(o, q, &all);
	for (size_t i = 0; i < o->docs.n; i++) {
		double points = score(o, &o->docs.v[i], q, &all);

		if (points >= 0)
			*VEC_PUSH(&out->hits) = (struct oracle_hit){o->docs.v[i].id, points};
	}
	if (out->hits.n)
		qsort(out->hits.v, out->hits.n, sizeof(out->hits.v[0]), by_rank);
	for (size_t i = 0; i < all.v.n; i++)
		VEC_FREE(&all.v.v[i].senses);
	VEC_FREE(&all.v);
}

size_t oracle_facet(struct oracle *o, const struct oracle_answer *a, uint32_t dimension, struct str value)
{
	size_t n = 0;

	for (size_t i = 0; i < a->hits.n; i++) {
		const struct text_doc *d = doc_by_id(o, a->hits.v[i].id);
		bool has = false;

		CHECK(d != NULL);
		for (size_t j = 0; j < d->values.n; j++)
			has |= d->values.v[j].dimension == dimension && str_eq(d->values.v[j].text, value);
		n += has;
	}
	return n;
}
