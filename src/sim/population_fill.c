/*
 * Agents drawn from what a scenario declares.
 *
 * Each attribute of each agent has a stream of draws of its own. Numbers with a distribution are quantiles at a normal
 * score (quantiles.h); correlated ones get their scores from those of all by the root of the correlations. What is
 * given by an expression is computed after those before it, which it sees.
 */
#include "sim/nearest.h"
#include "sim/population_priv.h"
#include "sim/quantiles.h"
#include "sim/scenario_priv.h"

#include "base/magic.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

struct maker {
	const struct scenario *s;
	struct population *p;
	struct problem *problem;
	uint64_t seed, empty_is_meant;
	struct quantiles *quantiles; /* by attribute; of those with a score */
	unsigned score_count;
	unsigned scored[POPULATION_ATTRIBUTES_MAX]; /* attributes that have a score */
	double *root;                               /* of correlations among scores; NULL: there are none */
	double scores[POPULATION_ATTRIBUTES_MAX];   /* of this agent, by attribute */
	uint32_t agent;
	struct draws draws; /* of this attribute of this agent */
	struct memory_stock stock;
	struct memory memory;
	struct buf text;
	struct expr_env env;
	char id[POPULATION_ROOM];
	struct value words[POPULATION_WORDS_MAX];
};

/* ---- faults ---- */

__attribute__((format(printf, 4, 5))) static enum err refuse(struct maker *m, unsigned attribute, const char *what,
							     const char *fmt, ...)
{
	char field[96], detail[160];
	struct str id = population_id(m->p, m->agent, m->id);
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	snprintf(field, sizeof(field), "population.attributes[%u].%s", attribute, what);
	return problem_field(m->problem, ERR_INVALID, field, "of agent %.*s: %s", STRF(str_clip(id, 40)), detail);
}

static enum err refuse_texts(struct maker *m)
{
	return problem_set(m->problem, ERR_TOO_LARGE,
			   "a population holds at most 1 GiB of texts; declare shorter ones, or fewer agents");
}

/* ---- numbers ---- */

static bool has_score(const struct plan_attribute *a)
{
	return a->attribute.kind == ATTRIBUTE_NUMBER && a->spread != SPREAD_EXPR;
}

static void tabulate(const struct plan_attribute *a, struct quantiles *q)
{
	switch (a->spread) {
	case SPREAD_NORMAL:
		quantiles_normal(q, a->a, a->b, a->min, a->max);
		break;
	case SPREAD_LOGNORMAL:
		quantiles_lognormal(q, a->a, a->b, a->min, a->max);
		break;
	case SPREAD_UNIFORM:
		quantiles_uniform(q, a->min, a->max);
		break;
	case SPREAD_BETA:
		quantiles_beta(q, a->a, a->b, a->min, a->max);
		break;
	case SPREAD_EXPR:
	case SPREAD_CHANCE:
	case SPREAD_WEIGHTS:
	case SPREAD_WORDS:
		break;
	}
}

/* To a multiple of step. Of steps as 0.01 the result is the double that is written so: 57 / 100, not 57 * 0.01. */
static double round_to(double v, double step)
{
	double per = nearbyint(1 / step);

	if (step == 0 || fabs(v / step) >= 0x1p53)
		return v;
	if (step < 1 && fabs(per * step - 1) < 1e-9)
		return nearbyint(v * per) / per;
	return nearbyint(v / step) * step;
}

static void make_number(struct maker *m, unsigned i)
{
	const struct plan_attribute *a = &m->s->plan_attributes[i];
	double v = round_to(quantiles_value(&m->quantiles[i], m->scores[i]), a->round);

	population_set_number(m->p, m->agent, i, fmin(fmax(v, fmax(a->min, -DBL_MAX)), fmin(a->max, DBL_MAX)));
}

static void begin_draws(struct maker *m, unsigned attribute)
{
	draws_begin(&m->draws, m->seed, DRAW_TRAIT, m->agent, 0, attribute);
}

static void draw_scores(struct maker *m)
{
	double z[POPULATION_ATTRIBUTES_MAX];

	for (unsigned i = 0; i < m->score_count; i++) {
		begin_draws(m, m->scored[i]);
		z[i] = draws_normal(&m->draws, 0, 1);
		m->scores[m->scored[i]] = z[i];
	}
	for (unsigned i = 0; m->root && i < m->score_count; i++) {
		const double *row = &m->root[i * m->score_count];
		double sum = 0;

		for (unsigned j = 0; j <= i; j++)
			sum += row[j] * z[j];
		m->scores[m->scored[i]] = sum;
	}
}

/* ---- words ---- */

static void make_word(struct maker *m, unsigned i)
{
	const struct plan_attribute *a = &m->s->plan_attributes[i];
	unsigned word = 0, last = 0;
	double sum = 0, at;

	for (unsigned w = 0; w < a->attribute.word_count; w++) {
		sum += a->weights[w];
		last = a->weights[w] > 0 ? w : last;
	}
	at = draws_unit(&m->draws) * sum;
	while (word < last && at >= a->weights[word])
		at -= a->weights[word++];
	population_set_word(m->p, m->agent, i, word);
}

static void make_words(struct maker *m, unsigned i)
{
	const struct plan_attribute *a = &m->s->plan_attributes[i];
	uint32_t count = a->least + draws_below(&m->draws, a->most - a->least + 1), chosen[POPULATION_WORDS_MAX];
	uint64_t set = 0;

	draws_sample(&m->draws, a->attribute.word_count, count, chosen);
	for (uint32_t w = 0; w < count; w++)
		set |= UINT64_C(1) << chosen[w];
	population_set_words(m->p, m->agent, i, set);
}

/* ---- expressions ---- */

static struct value maker_fact(void *ctx, enum fact f, unsigned index)
{
	struct maker *m = ctx;

	if (f == FACT_AGENT_ID)
		return value_text(population_id(m->p, m->agent, m->id), false);
	if (f == FACT_AGENT_NUMBER)
		return value_number(m->agent);
	return population_value(m->p, m->agent, index, m->words);
}

static enum err take_word(struct maker *m, unsigned i, const struct value *v)
{
	const struct attribute *a = &m->s->plan_attributes[i].attribute;
	int word = v->kind == VALUE_TEXT ? attribute_word(a, v->text) : -1;
	struct nearest n;

	if (word >= 0) {
		population_set_word(m->p, m->agent, i, (unsigned)word);
		return OK;
	}
	if (v->kind != VALUE_TEXT)
		return refuse(m, i, "expr", "gives %s, which is no word", value_kind_name(v->kind));
	n = nearest_to(v->text);
	nearest_consider_all(&n, a->words, a->word_count);
	return refuse(m, i, "expr", "gives \"%.*s\", which is none of the words%s", STRF(str_clip(v->text, 40)),
		      nearest_hint(&n).text);
}

static enum err take_text(struct maker *m, unsigned i, const struct value *v)
{
	struct buf shown = BUF_INIT(POPULATION_TEXT_MAX + 1);
	enum err e = OK;

	value_show(v, &shown);
	if (!buf_ok(&shown) || shown.n > POPULATION_TEXT_MAX)
		e = refuse(m, i, "expr", "gives more than %d bytes", POPULATION_TEXT_MAX);
	else if (!population_set_text(m->p, m->agent, i, buf_str(&shown)))
		e = refuse_texts(m);
	buf_free(&shown);
	return e;
}

static enum err take_number(struct maker *m, unsigned i, const struct value *v)
{
	if (v->kind != VALUE_NUMBER && v->kind != VALUE_BOOL)
		return refuse(m, i, "expr", "gives %s, which is no number", value_kind_name(v->kind));
	population_set_number(m->p, m->agent, i, v->kind == VALUE_BOOL ? v->boolean : v->number);
	return OK;
}

static enum err compute(struct maker *m, unsigned i)
{
	const struct plan_attribute *a = &m->s->plan_attributes[i];
	struct value v = expr_value(a->expr, &m->env);

	if (m->env.failed)
		return refuse(m, i, "expr", "%s", m->env.failure);
	switch (a->attribute.kind) {
	case ATTRIBUTE_NUMBER:
		return take_number(m, i, &v);
	case ATTRIBUTE_BOOL:
		population_set_bool(m->p, m->agent, i, value_truth(&v));
		return OK;
	case ATTRIBUTE_WORD:
		return take_word(m, i, &v);
	case ATTRIBUTE_TEXT:
		return take_text(m, i, &v);
	case ATTRIBUTE_WORDS:
		break;
	}
	UNREACHABLE();
}

static enum err make_chance(struct maker *m, unsigned i)
{
	double chance = expr_number(m->s->plan_attributes[i].expr, &m->env);

	if (m->env.failed)
		return refuse(m, i, "chance", "%s", m->env.failure);
	if (chance < 0 || chance > 1)
		return refuse(m, i, "chance", "is %g, which is no probability", chance);
	population_set_bool(m->p, m->agent, i, draws_unit(&m->draws) < chance);
	return OK;
}

/* ---- the whole ---- */

static enum err make_value(struct maker *m, unsigned i)
{
	begin_draws(m, i);
	switch (m->s->plan_attributes[i].spread) {
	case SPREAD_NORMAL:
	case SPREAD_LOGNORMAL:
	case SPREAD_UNIFORM:
	case SPREAD_BETA:
		make_number(m, i);
		return OK;
	case SPREAD_WEIGHTS:
		make_word(m, i);
		return OK;
	case SPREAD_WORDS:
		make_words(m, i);
		return OK;
	case SPREAD_CHANCE:
		return make_chance(m, i);
	case SPREAD_EXPR:
		return compute(m, i);
	}
	UNREACHABLE();
}

static bool is_wanted(const struct maker *m, unsigned i)
{
	const struct plan_attribute *a = &m->s->plan_attributes[i];
	bool may_be_empty = a->spread == SPREAD_WORDS && a->least == 0;

	return population_is_absent(m->p, m->agent, i) && !(may_be_empty && m->empty_is_meant >> i & 1);
}

static enum err make_agent(struct maker *m)
{
	enum err e = OK;

	draw_scores(m);
	m->env.parameters = m->s->cohorts[scenario_cohort_of(m->s, m->seed, m->agent)].parameters;
	for (unsigned i = 0; !e && i < m->s->attribute_count; i++)
		if (is_wanted(m, i))
			e = make_value(m, i);
	memory_clear(&m->memory);
	buf_reset(&m->text);
	return e;
}

static double *score_pair(const struct maker *m, const struct plan_correlation *c, bool turned)
{
	unsigned row = 0, column = 0;

	for (unsigned i = 0; i < m->score_count; i++) {
		row = m->scored[i] == (turned ? c->other : c->one) ? i : row;
		column = m->scored[i] == (turned ? c->one : c->other) ? i : column;
	}
	return &m->root[row * m->score_count + column];
}

static enum err find_root(struct maker *m)
{
	size_t count = m->s->file.population.correlations_count;

	if (count == 0)
		return OK;
	m->root = must_alloc((size_t)m->score_count * m->score_count * sizeof(*m->root));
	for (unsigned i = 0; i < m->score_count; i++)
		m->root[i * m->score_count + i] = 1;
	for (size_t i = 0; i < count; i++)
		*score_pair(m, &m->s->correlations[i], false) = *score_pair(m, &m->s->correlations[i], true) =
			m->s->correlations[i].r;
	if (correlations_root(m->root, m->score_count))
		return OK;
	return problem_field(m->problem, ERR_INVALID, "population.correlations",
			     "contradict each other: no numbers go together like that; bring them nearer to 0");
}

static enum err begin(struct maker *m)
{
	m->quantiles = must_alloc(m->s->attribute_count * sizeof(*m->quantiles));
	for (unsigned i = 0; i < m->s->attribute_count; i++)
		if (has_score(&m->s->plan_attributes[i])) {
			tabulate(&m->s->plan_attributes[i], &m->quantiles[i]);
			m->scored[m->score_count++] = i;
		}
	m->memory = (struct memory){.stock = &m->stock, .max = 1 << 20};
	m->text = BUF_INIT(1 << 20);
	m->env = (struct expr_env){.tables = m->s->table_values,
				   .draws = &m->draws,
				   .memory = &m->memory,
				   .text = &m->text,
				   .fact = maker_fact,
				   .ctx = m};
	return find_root(m);
}

static void end(struct maker *m)
{
	memory_clear(&m->memory);
	memory_stock_free(&m->stock);
	buf_free(&m->text);
	free(m->root);
	free(m->quantiles);
}

enum err population_fill(const struct scenario *s, uint64_t seed, struct population *p, uint64_t empty_is_meant,
			 struct problem *problem)
{
	struct maker m = {.s = s, .p = p, .problem = problem, .seed = seed, .empty_is_meant = empty_is_meant};
	enum err e = begin(&m);

	for (uint32_t agent = 0; !e && agent < population_count(p); agent++) {
		m.agent = agent;
		e = make_agent(&m);
	}
	end(&m);
	return e;
}
