/* See population_survey.h. */
#include "sim/population_survey.h"

#include "base/buf.h"
#include "base/magic.h"
#include "base/map.h"
#include "sim/interval.h"
#include "sim/scenario_priv.h"

#include <math.h>
#include <stdlib.h>

enum { BARS = 24, LEVELS = 8, WORDS_SHOWN = 6, DIGITS = 4 };

struct survey {
	const struct scenario *scenario;
	const struct population *population;
	struct arena *arena;
	double *numbers; /* of one attribute, one for each agent */
};

static double rounded(double v)
{
	double scale = v == 0 ? 1 : pow(10, DIGITS - 1 - floor(log10(fabs(v))));

	return round(v * scale) / scale;
}

static struct str built(struct survey *s, struct buf *b)
{
	struct str text = arena_str(s->arena, buf_str(b));

	buf_free(b);
	return text;
}

/* ---- numbers ---- */

static double number_of(const struct population *p, uint32_t agent, unsigned i)
{
	struct value room[POPULATION_WORDS_MAX], v = population_value(p, agent, i, room);

	return v.kind == VALUE_BOOL ? v.boolean : v.number;
}

static void take_numbers(struct survey *s, unsigned i, double *to)
{
	for (uint32_t agent = 0; agent < population_count(s->population); agent++)
		to[agent] = number_of(s->population, agent, i);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The numbers are sorted. */
static struct str bars_of(struct survey *s, uint32_t count)
{
	static const char *const levels[LEVELS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	double low = s->numbers[0], width = s->numbers[count - 1] - low;
	uint32_t bars[BARS] = {0}, most = 0;
	struct buf b = BUF_INIT(0);

	for (uint32_t i = 0; i < count; i++) {
		unsigned bar = width > 0 ? (unsigned)fmin((s->numbers[i] - low) / width * BARS, BARS - 1) : 0;

		most = ++bars[bar] > most ? bars[bar] : most;
	}
	for (unsigned i = 0; i < BARS; i++)
		buf_z(&b, bars[i] ? levels[(uint64_t)bars[i] * (LEVELS - 1) / most] : " ");
	return built(s, &b);
}

static void put_numbers(struct survey *s, unsigned i, struct sim_population_attribute *out)
{
	uint32_t count = population_count(s->population);
	double mean = 0, squares = 0;

	take_numbers(s, i, s->numbers);
	for (uint32_t k = 0; k < count; k++) {
		double off = s->numbers[k] - mean;

		mean += off / (k + 1);
		squares += off * (s->numbers[k] - mean);
	}
	qsort(s->numbers, count, sizeof(*s->numbers), by_size);
	PUT(out, sim_population_attribute, mean, rounded(mean));
	PUT(out, sim_population_attribute, sd, rounded(count > 1 ? sqrt(squares / (count - 1)) : 0));
	PUT(out, sim_population_attribute, min, rounded(s->numbers[0]));
	PUT(out, sim_population_attribute, median, rounded(s->numbers[(count - 1) / 2]));
	PUT(out, sim_population_attribute, max, rounded(s->numbers[count - 1]));
	out->spread = bars_of(s, count);
}

/* ---- words ---- */

static int by_share(const void *a, const void *b)
{
	const struct sim_population_word *x = a, *y = b;

	return x->share != y->share ? (x->share < y->share ? 1 : -1) : str_cmp(x->word, y->word);
}

static void spread_words(struct survey *s, struct sim_population_attribute *out)
{
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; i < out->words_count && i < WORDS_SHOWN; i++)
		buf_fmt(&b, "%s%.*s %.3g%%", i ? ", " : "", STRF(out->words[i].word), 100 * out->words[i].share);
	if (out->words_count > WORDS_SHOWN)
		buf_fmt(&b, " and %zu more", out->words_count - WORDS_SHOWN);
	out->spread = built(s, &b);
}

static void count_words(const struct attribute *a, const struct value *v, double *counts)
{
	uint32_t count = v->kind == VALUE_LIST ? v->count : 1;

	for (uint32_t i = 0; i < count; i++) {
		struct str word = v->kind == VALUE_LIST ? v->items[i].text : v->text;

		for (uint32_t k = 0; k < a->word_count; k++)
			counts[k] += str_eq(word, a->words[k]);
	}
}

static void put_words(struct survey *s, unsigned i, struct sim_population_attribute *out)
{
	const struct attribute *a = population_attribute(s->population, i);
	double counts[POPULATION_WORD_MAX] = {0};
	struct value room[POPULATION_WORDS_MAX];

	for (uint32_t agent = 0; agent < population_count(s->population); agent++) {
		struct value v = population_value(s->population, agent, i, room);

		count_words(a, &v, counts);
	}
	out->words = ARENA_ARRAY(s->arena, struct sim_population_word, a->word_count);
	for (uint32_t k = 0; out->words && k < a->word_count; k++)
		out->words[out->words_count++] = (struct sim_population_word){
			a->words[k], rounded(counts[k] / population_count(s->population))};
	if (out->words_count)
		qsort(out->words, out->words_count, sizeof(*out->words), by_share);
	spread_words(s, out);
}

static void put_truth(struct survey *s, unsigned i, struct sim_population_attribute *out)
{
	uint32_t count = population_count(s->population);
	double truths = 0;

	take_numbers(s, i, s->numbers);
	for (uint32_t k = 0; k < count; k++)
		truths += s->numbers[k];
	out->words = ARENA_ARRAY(s->arena, struct sim_population_word, 1);
	if (out->words)
		out->words[out->words_count++] = (struct sim_population_word){STR("true"), rounded(truths / count)};
	spread_words(s, out);
}

static void put_texts(struct survey *s, unsigned i, struct sim_population_attribute *out)
{
	struct value room[POPULATION_WORDS_MAX];
	struct map met = {0};
	int64_t different = 0;
	struct buf b = BUF_INIT(0);

	for (uint32_t agent = 0; agent < population_count(s->population); agent++) {
		struct value v = population_value(s->population, agent, i, room);

		different += v.kind == VALUE_TEXT && !map_put(&met, str_hash(v.text), s);
	}
	map_free(&met);
	PUT(out, sim_population_attribute, different, different);
	buf_fmt(&b, "%lld different", (long long)different);
	out->spread = built(s, &b);
}

static void put_attribute(struct survey *s, unsigned i, struct sim_population_attribute *out)
{
	const struct attribute *a = population_attribute(s->population, i);

	*out = (struct sim_population_attribute){.name = a->name};
	switch (a->kind) {
	case ATTRIBUTE_NUMBER:
		out->kind = SCENARIO_NUMBER;
		put_numbers(s, i, out);
		break;
	case ATTRIBUTE_BOOL:
		out->kind = SCENARIO_BOOL;
		put_truth(s, i, out);
		break;
	case ATTRIBUTE_WORD:
		out->kind = SCENARIO_WORD;
		put_words(s, i, out);
		break;
	case ATTRIBUTE_WORDS:
		out->kind = SCENARIO_WORDS;
		put_words(s, i, out);
		break;
	case ATTRIBUTE_TEXT:
		out->kind = SCENARIO_TEXT;
		put_texts(s, i, out);
		break;
	}
}

/* ---- what goes together ---- */

struct standing { /* an attribute as numbers of mean 0 and length 1; no numbers: all are the same, or it has none */
	double *numbers;
};

static struct standing standing_of(struct survey *s, unsigned i)
{
	enum attribute_kind kind = population_attribute(s->population, i)->kind;
	uint32_t count = population_count(s->population);
	double mean = 0, length = 0, *v;

	if (kind != ATTRIBUTE_NUMBER && kind != ATTRIBUTE_BOOL)
		return (struct standing){0};
	v = must_alloc(count * sizeof(*v));
	take_numbers(s, i, v);
	for (uint32_t k = 0; k < count; k++)
		mean += v[k] / count;
	for (uint32_t k = 0; k < count; k++)
		length += (v[k] - mean) * (v[k] - mean);
	for (uint32_t k = 0; k < count && length > 0; k++)
		v[k] = (v[k] - mean) / sqrt(length);
	if (length > 0)
		return (struct standing){v};
	free(v);
	return (struct standing){0};
}

static double correlation(const struct standing *one, const struct standing *other, uint32_t count)
{
	double r = 0;

	for (uint32_t k = 0; k < count; k++)
		r += one->numbers[k] * other->numbers[k];
	return fmin(fmax(r, -1), 1);
}

static const struct plan_correlation *declared(const struct scenario *s, unsigned one, unsigned other)
{
	for (size_t i = 0; i < s->file.population.correlations_count; i++) {
		const struct plan_correlation *c = &s->correlations[i];

		if ((c->one == one && c->other == other) || (c->one == other && c->other == one))
			return c;
	}
	return NULL;
}

static double margin_of(double r, uint32_t count)
{
	double z = atanh(r), half = count > 3 ? INTERVAL_Z / sqrt(count - 3.0) : HUGE_VAL;

	return fabs(r) < 1 ? (tanh(z + half) - tanh(z - half)) / 2 : 0;
}

static void put_pair(struct survey *s, const struct standing *all, unsigned one, unsigned other,
		     struct sim_population_survey *out)
{
	const struct plan_correlation *said = declared(s->scenario, one, other);
	uint32_t count = population_count(s->population);
	struct sim_population_pair *pair = &out->pairs[out->pairs_count];
	double r;

	if (!all[one].numbers || !all[other].numbers)
		return;
	r = correlation(&all[one], &all[other], count);
	if (!said && fabs(r) < 4 / sqrt(count))
		return;
	*pair = (struct sim_population_pair){.one = population_attribute(s->population, one)->name,
					     .other = population_attribute(s->population, other)->name,
					     .r = rounded(r),
					     .margin = rounded(margin_of(r, count))};
	if (said)
		PUT(pair, sim_population_pair, declared, said->r);
	out->pairs_count++;
}

static int by_strength(const void *a, const void *b)
{
	const struct sim_population_pair *x = a, *y = b;
	double one = fabs(x->r), other = fabs(y->r);

	return (one < other) - (one > other);
}

static void put_pairs(struct survey *s, struct sim_population_survey *out)
{
	unsigned count = population_attribute_count(s->population);
	struct standing all[POPULATION_ATTRIBUTES_MAX] = {0};

	out->pairs = ARENA_ARRAY(s->arena, struct sim_population_pair, count * (count + 1) / 2);
	for (unsigned i = 0; i < count; i++)
		all[i] = standing_of(s, i);
	for (unsigned i = 0; out->pairs && i < count; i++)
		for (unsigned k = i + 1; k < count; k++)
			put_pair(s, all, i, k, out);
	if (out->pairs_count)
		qsort(out->pairs, out->pairs_count, sizeof(*out->pairs), by_strength);
	for (unsigned i = 0; i < count; i++)
		free(all[i].numbers);
}

void population_survey(const struct scenario *s, const struct population *p, struct arena *a,
		       struct sim_population_survey *out)
{
	unsigned count = population_attribute_count(p);
	struct survey survey = {s, p, a, must_alloc(population_count(p) * sizeof(double))};

	*out = (struct sim_population_survey){.scenario = scenario_name(s),
					      .agents = population_count(p),
					      .items = ARENA_ARRAY(a, struct sim_population_attribute, count)};
	for (unsigned i = 0; out->items && i < count; i++)
		put_attribute(&survey, i, &out->items[out->items_count++]);
	put_pairs(&survey, out);
	free(survey.numbers);
}
