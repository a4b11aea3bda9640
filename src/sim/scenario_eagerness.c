/*
 * How eager an agent is: the schedule's expressions over its attributes.
 */
#include "sim/scenario_priv.h"

/* What the schedule's expressions see of an agent. */
struct onlooker {
	const struct population *who;
	const struct scenario *scenario;
	uint32_t agent;
	char id[POPULATION_ROOM];
	struct value words[POPULATION_WORDS_MAX];
};

static struct value agent_fact(void *ctx, enum fact f, unsigned index)
{
	struct onlooker *o = ctx;
	int column;

	if (f == FACT_AGENT_ID)
		return value_text(population_id(o->who, o->agent, o->id), false);
	if (f == FACT_AGENT_NUMBER)
		return value_number(o->agent);
	column = population_find(o->who, o->scenario->attributes[index]);
	return column < 0 ? (struct value){0} : population_value(o->who, o->agent, (unsigned)column, o->words);
}

/* A factor: 1 where nothing is said, 0 where it cannot be computed or is negative. */
static float factor(const struct expr *e, struct expr_env *env)
{
	double v = e ? expr_number(e, env) : 1;

	env->failed = false;
	return v > 0 ? (float)v : 0;
}

void scenario_eagerness(const struct scenario *s, const struct population *who, uint32_t agent, uint64_t seed,
			struct eagerness *out)
{
	struct onlooker o = {.who = who, .scenario = s, .agent = agent};
	struct memory_stock stock = {0};
	struct memory m = {.stock = &stock, .max = 1 << 20};
	struct buf text = BUF_INIT(1 << 20);
	unsigned cohort = scenario_cohort_of(s, seed, agent);
	struct expr_env env = {.parameters = s->cohorts[cohort].parameters,
			       .tables = s->table_values,
			       .memory = &m,
			       .text = &text,
			       .fact = agent_fact,
			       .ctx = &o};

	out->weekly = factor(s->schedule.weekly, &env);
	for (int i = 0; i < PART_COUNT; i++)
		out->part[i] = factor(s->schedule.part[i], &env);
	for (int i = 0; i < DAY_COUNT; i++)
		out->day[i] = factor(s->schedule.day[i], &env);
	memory_clear(&m);
	memory_stock_free(&stock);
	buf_free(&text);
}
