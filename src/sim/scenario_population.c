/*
 * Attributes and the schedule: what a population is made from, and when its agents come.
 */
#include "sim/scenario_priv.h"

#include <math.h>
#include <stdio.h>

/* ---- distributions ---- */

static void check_ends(struct compiler *c, const char *field, const struct plan_attribute *a)
{
	if (a->min > a->max)
		compile_fault(c, field, "has its min above its max");
}

static void take_normal(struct compiler *c, const struct scenario_normal *n, struct plan_attribute *a)
{
	a->spread = SPREAD_NORMAL;
	a->a = n->mean;
	a->b = n->sd;
	a->min = HAS(n, scenario_normal, min) ? n->min : -HUGE_VAL;
	a->max = HAS(n, scenario_normal, max) ? n->max : HUGE_VAL;
	a->round = n->round;
	check_ends(c, "normal", a);
	if (a->min > n->mean + 4 * n->sd || a->max < n->mean - 4 * n->sd)
		compile_fault(c, "normal", "has its ends so far from its mean that nothing falls between them");
}

static void take_lognormal(struct compiler *c, const struct scenario_lognormal *n, struct plan_attribute *a)
{
	a->spread = SPREAD_LOGNORMAL;
	a->a = n->median;
	a->b = n->sigma;
	a->min = HAS(n, scenario_lognormal, min) ? n->min : -HUGE_VAL;
	a->max = HAS(n, scenario_lognormal, max) ? n->max : HUGE_VAL;
	a->round = n->round;
	check_ends(c, "lognormal", a);
	if (n->median <= 0)
		compile_fault(c, "lognormal.median", "must be above 0");
	else if (a->min > n->median * exp(4 * n->sigma) || a->max < n->median * exp(-4 * n->sigma))
		compile_fault(c, "lognormal",
			      "has its ends so far from its median that nothing falls between them");
}

static void take_uniform(struct compiler *c, const struct scenario_uniform *u, struct plan_attribute *a)
{
	a->spread = SPREAD_UNIFORM;
	a->min = u->min;
	a->max = u->max;
	a->round = u->round;
	check_ends(c, "uniform", a);
}

static void take_beta(struct compiler *c, const struct scenario_beta *b, struct plan_attribute *a)
{
	a->spread = SPREAD_BETA;
	a->a = b->a;
	a->b = b->b;
	a->min = b->min;
	a->max = b->max;
	a->round = b->round;
	check_ends(c, "beta", a);
	if (b->a <= 0 || b->b <= 0)
		compile_fault(c, "beta", "needs both its shapes above 0");
}

static void take_weights(struct compiler *c, const struct scenario_attribute *in, struct plan_attribute *a)
{
	struct str *words = ARENA_ARRAY(c->arena, struct str, in->weights_count);
	double *weights = ARENA_ARRAY(c->arena, double, in->weights_count), sum = 0;

	if (!words || !weights)
		return;
	for (unsigned i = 0; i < in->weights_count; i++) {
		words[i] = in->weights[i].word;
		weights[i] = in->weights[i].weight;
		sum += fabs(weights[i]); /* of one below 0 it is said that it is */
		if (weights[i] < 0) {
			size_t back = path_into(c, "weights[%u]", i);

			compile_fault(c, "weight", "must be at least 0, not %g", weights[i]);
			path_back(c, back);
		}
	}
	if (sum <= 0)
		compile_fault(c, "weights", "must have a sum above 0");
	a->spread = SPREAD_WEIGHTS;
	a->weights = weights;
	a->attribute.words = words;
	a->attribute.word_count = (uint32_t)in->weights_count;
}

static void take_words(struct compiler *c, const struct scenario_attribute *in, struct plan_attribute *a)
{
	bool counted = HAS(in, scenario_attribute, count);

	a->spread = SPREAD_WORDS;
	a->least = counted ? (unsigned)in->count.min : 1;
	a->most = counted ? (unsigned)in->count.max : 1;
	if (in->words_count > 64)
		compile_fault(c, "words", "are at most 64 of this kind");
	if (a->least > a->most || a->most > in->words_count)
		compile_fault(c, "count", "must be from 0 to the number of words, min before max");
}

/* ---- attributes ---- */

struct kind_row {
	enum attribute_kind kind;
	uint64_t fits; /* fields that say how it is distributed */
	const char *wanted;
};

static const struct kind_row kinds[] = {
	[SCENARIO_NUMBER] = {ATTRIBUTE_NUMBER,
			     BIT(scenario_attribute, normal) | BIT(scenario_attribute, lognormal) |
				     BIT(scenario_attribute, uniform) | BIT(scenario_attribute, beta) |
				     BIT(scenario_attribute, expr),
			     "normal, lognormal, uniform, beta or expr"},
	[SCENARIO_BOOL] = {ATTRIBUTE_BOOL, BIT(scenario_attribute, chance) | BIT(scenario_attribute, expr),
			   "chance or expr"},
	[SCENARIO_WORD] = {ATTRIBUTE_WORD, BIT(scenario_attribute, weights) | BIT(scenario_attribute, expr),
			   "weights, or expr with words"},
	[SCENARIO_WORDS] = {ATTRIBUTE_WORDS, BIT(scenario_attribute, words), "words"},
	[SCENARIO_TEXT] = {ATTRIBUTE_TEXT, BIT(scenario_attribute, expr), "expr"},
};

static const uint64_t any_spread = BIT(scenario_attribute, normal) | BIT(scenario_attribute, lognormal) |
				   BIT(scenario_attribute, uniform) | BIT(scenario_attribute, beta) |
				   BIT(scenario_attribute, expr) | BIT(scenario_attribute, chance) |
				   BIT(scenario_attribute, weights);

/* Exactly one way of its kind. */
static bool check_one_spread(struct compiler *c, const struct scenario_attribute *in)
{
	const struct kind_row *row = &kinds[in->kind];
	uint64_t given =
		in->seen & (any_spread | (in->kind == SCENARIO_WORDS ? BIT(scenario_attribute, words) : 0));

	if (given & row->fits && !(given & ~row->fits) && !(given & (given - 1)))
		return true;
	compile_fault(c, "", "needs exactly one of what says how it is distributed: %s", row->wanted);
	return false;
}

static void take_spread(struct compiler *c, const struct scenario_attribute *in, struct plan_attribute *a)
{
	if (HAS(in, scenario_attribute, normal))
		take_normal(c, &in->normal, a);
	else if (HAS(in, scenario_attribute, lognormal))
		take_lognormal(c, &in->lognormal, a);
	else if (HAS(in, scenario_attribute, uniform))
		take_uniform(c, &in->uniform, a);
	else if (HAS(in, scenario_attribute, beta))
		take_beta(c, &in->beta, a);
	else if (HAS(in, scenario_attribute, weights))
		take_weights(c, in, a);
	else if (in->kind == SCENARIO_WORDS)
		take_words(c, in, a);
}

static void take_expr(struct compiler *c, const struct expr_names *names, const struct scenario_attribute *in,
		      struct plan_attribute *a)
{
	bool chance = HAS(in, scenario_attribute, chance);

	if (!chance && !HAS(in, scenario_attribute, expr))
		return;
	a->spread = chance ? SPREAD_CHANCE : SPREAD_EXPR;
	a->expr = chance ? compile_bounded(c, names, "chance", in->chance, 0, 1)
			 : compile_expr(c, names, "expr", in->expr);
	if (in->kind == SCENARIO_WORD && !in->words_count)
		compile_fault(c, "words", "are needed with expr: those that it may be");
}

static void compile_attribute(struct compiler *c, unsigned i)
{
	const struct scenario_attribute *in = &c->s->file.population.attributes[i];
	struct plan_attribute *a = &c->s->plan_attributes[i];
	struct expr_names names = c->names;
	size_t back = path_into(c, "attributes[%u]", i);

	names.attributes = c->s->attributes;
	names.attribute_count = i;
	names.facts = FACT_BIT(FACT_AGENT_ID) | FACT_BIT(FACT_AGENT_NUMBER);
	*a = (struct plan_attribute){.attribute = {.name = in->name,
						   .doc = in->about,
						   .kind = kinds[in->kind].kind,
						   .words = in->words,
						   .word_count = (uint32_t)in->words_count}};
	if (check_one_spread(c, in)) {
		take_spread(c, in, a);
		take_expr(c, &names, in, a);
	}
	path_back(c, back);
}

/* ---- correlations ---- */

static unsigned correlated(struct compiler *c, struct str name)
{
	unsigned i = find_attribute(c, "between", name);
	const struct plan_attribute *a = i == NOWHERE ? NULL : &c->s->plan_attributes[i];

	if (a && (a->attribute.kind != ATTRIBUTE_NUMBER || a->spread == SPREAD_EXPR))
		compile_fault(c, "between", "\"%.*s\" is no number with a distribution", STRF(name));
	return i;
}

static void compile_correlations(struct compiler *c)
{
	const struct scenario_population *p = &c->s->file.population;

	c->s->correlations = ARENA_ARRAY(c->arena, struct plan_correlation, p->correlations_count);
	for (unsigned i = 0; c->s->correlations && i < p->correlations_count; i++) {
		const struct scenario_correlation *in = &p->correlations[i];
		struct plan_correlation *out = &c->s->correlations[i];
		size_t back = path_into(c, "correlations[%u]", i);

		if (in->between_count != 2) {
			compile_fault(c, "between", "must name two attributes");
		} else {
			*out = (struct plan_correlation){correlated(c, in->between[0]),
							 correlated(c, in->between[1]), in->r};
			if (out->one == out->other && out->one != NOWHERE)
				compile_fault(c, "between", "must name two different attributes");
		}
		path_back(c, back);
	}
}

void compile_population(struct compiler *c)
{
	const struct scenario_population *p = &c->s->file.population;
	size_t back = path_into(c, "population");

	c->s->attributes = ARENA_ARRAY(c->arena, struct str, p->attributes_count);
	c->s->plan_attributes = ARENA_ARRAY(c->arena, struct plan_attribute, p->attributes_count);
	if (c->s->attributes && c->s->plan_attributes) {
		for (unsigned i = 0; i < p->attributes_count; i++)
			c->s->attributes[i] = p->attributes[i].name;
		c->s->attribute_count = (unsigned)p->attributes_count;
		check_names(c, "attributes", c->s->attributes, c->s->attribute_count);
		for (unsigned i = 0; i < c->s->attribute_count; i++)
			compile_attribute(c, i);
		compile_correlations(c);
	}
	path_back(c, back);
	c->names.attributes = c->s->attributes;
	c->names.attribute_count = c->s->attribute_count;
}

/* ---- schedule ---- */

/* A list of exactly so many weights. */
static void take_factors(struct compiler *c, const char *field, struct str raw, double *out, uint32_t count)
{
	struct memory_stock stock = {0};
	struct memory m = {.stock = &stock, .max = 65536};
	struct value v = value_of_json(raw, false, &m);
	double sum = 0;

	for (uint32_t i = 0; i < count; i++)
		out[i] = 1;
	if (raw.n && (v.kind != VALUE_LIST || v.count != count))
		compile_fault(c, field, "must be a list of %u numbers", count);
	else if (raw.n)
		for (uint32_t i = 0; i < count; i++) {
			out[i] = v.items[i].kind == VALUE_NUMBER ? v.items[i].number : -1;
			sum = out[i] < 0 || sum < 0 ? -1 : sum + out[i];
		}
	if (raw.n && v.kind == VALUE_LIST && v.count == count && sum <= 0)
		compile_fault(c, field, "must be numbers of at least 0, not all 0");
	memory_clear(&m);
	memory_stock_free(&stock);
}

static bool take_day(struct str text, uint8_t *month, uint8_t *day)
{
	static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool digits = text.n == 5 && text.p[2] == '-';

	for (size_t i = 0; digits && i < 5; i++)
		digits = i == 2 || (text.p[i] >= '0' && text.p[i] <= '9');
	if (!digits)
		return false;
	*month = (uint8_t)((text.p[0] - '0') * 10 + text.p[1] - '0');
	*day = (uint8_t)((text.p[3] - '0') * 10 + text.p[4] - '0');
	return *month >= 1 && *month <= 12 && *day >= 1 && *day <= days[*month - 1];
}

static void compile_seasons(struct compiler *c, const struct scenario_schedule *in, struct calendar *out)
{
	for (unsigned i = 0; i < in->seasons_count && i < CALENDAR_SEASONS_MAX; i++) {
		const struct scenario_season *s = &in->seasons[i];
		struct season *made = &out->seasons[out->season_count++];
		size_t back = path_into(c, "seasons[%u]", i);

		*made = (struct season){.name = s->name, .factor = s->factor};
		if (!take_day(s->from, &made->from_month, &made->from_day))
			compile_fault(c, "from", "must be a day of the year as MM-DD");
		if (!take_day(s->to, &made->to_month, &made->to_day))
			compile_fault(c, "to", "must be a day of the year as MM-DD");
		path_back(c, back);
	}
}

void compile_schedule(struct compiler *c)
{
	const struct scenario_schedule *in = &c->s->file.schedule;
	struct plan_schedule *out = &c->s->schedule;
	struct expr_names names = c->names;
	size_t back = path_into(c, "schedule");

	names.facts = FACT_BIT(FACT_AGENT_ID) | FACT_BIT(FACT_AGENT_NUMBER);
	names.draws = false;
	out->weekly = compile_bounded(c, &names, "sessions_per_week", in->sessions_per_week, 0, 168);
	take_factors(c, "hours", in->hours, out->calendar.hour, 24);
	take_factors(c, "weekdays", in->weekdays, out->calendar.weekday, 7);
	out->part[PART_MORNING] = compile_bounded(c, &names, "parts.morning", in->parts.morning, 0, 1000);
	out->part[PART_AFTERNOON] = compile_bounded(c, &names, "parts.afternoon", in->parts.afternoon, 0, 1000);
	out->part[PART_EVENING] = compile_bounded(c, &names, "parts.evening", in->parts.evening, 0, 1000);
	out->day[DAY_WEEKDAY] = compile_bounded(c, &names, "days.weekday", in->days.weekday, 0, 1000);
	out->day[DAY_SATURDAY] = compile_bounded(c, &names, "days.saturday", in->days.saturday, 0, 1000);
	out->day[DAY_SUNDAY] = compile_bounded(c, &names, "days.sunday", in->days.sunday, 0, 1000);
	compile_seasons(c, in, &out->calendar);
	path_back(c, back);
}
