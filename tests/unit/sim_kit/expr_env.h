/*
 * An environment for expressions: two parameters, three variables, a table, two attributes, a clock that stands.
 */
#ifndef TENFOLD_TESTS_EXPR_ENV_H
#define TENFOLD_TESTS_EXPR_ENV_H

#include "base/magic.h"
#include "sim/expr.h"

#include <string.h>

static const struct str kit_parameters[] = {{"base", 4}, {"rate", 4}};
static const struct str kit_variables[] = {{"total", 5}, {"cart", 4}, {"name", 4}};
static const struct str kit_attributes[] = {{"age", 3}, {"income", 6}};
static const struct str kit_tables[] = {{"products", 8}};

static const struct expr_names kit_names = {
	.parameters = kit_parameters,
	.parameter_count = 2,
	.variables = kit_variables,
	.variable_count = 3,
	.attributes = kit_attributes,
	.attribute_count = 2,
	.tables = kit_tables,
	.table_count = 1,
	.item = {"product", 7},
	.facts = ~0u & ~FACT_BIT(FACT_BODY),
	.draws = true,
};

struct kit {
	struct arena *arena;
	struct memory_stock stock;
	struct memory memory, lasting;
	struct buf text;
	struct draws draws;
	double parameters[2];
	struct value variables[3], tables[1];
	struct expr_env env;
};

static inline struct value kit_fact(void *ctx, enum fact f, unsigned index)
{
	(void)ctx;
	if (f == FACT_ATTRIBUTE)
		return index == 0 ? value_number(42) : value_text(STR("high"), true);
	if (f == FACT_AGENT_ID)
		return value_text(STR("agent_007"), true);
	return value_number((int)f);
}

static inline struct value kit_json(struct kit *k, const char *json)
{
	return value_of_json(str_of(json), true, &k->lasting);
}

static inline void kit_begin(struct kit *k)
{
	memset(k, 0, sizeof(*k));
	k->arena = arena_new(1 << 20);
	k->memory = k->lasting = (struct memory){.stock = &k->stock, .max = 1 << 20};
	k->text = BUF_INIT(1 << 20);
	draws_begin(&k->draws, 7, DRAW_SESSION, 1, 2, 3);
	k->parameters[0] = 0.6;
	k->parameters[1] = 50;
	k->variables[0] = value_number(12.5);
	k->variables[1] =
		kit_json(k, "[{\"id\":\"a\",\"price\":3},{\"id\":\"b\",\"price\":4.5},{\"id\":\"c\",\"price\":2}]");
	k->variables[2] = value_text(STR("Ann"), true);
	k->tables[0] = kit_json(k, "[{\"id\":1,\"tags\":[\"x\",\"y\"]},{\"id\":2,\"tags\":[]}]");
	k->env = (struct expr_env){.parameters = k->parameters,
				   .variables = k->variables,
				   .tables = k->tables,
				   .draws = &k->draws,
				   .memory = &k->memory,
				   .text = &k->text,
				   .fact = kit_fact};
	k->env.items[0] = kit_json(k, "{\"price\": 9.99, \"category\": \"Tea\", \"n\\u0061me\": \"\\u00e9\"}");
}

static inline void kit_end(struct kit *k)
{
	memory_clear(&k->memory);
	memory_clear(&k->lasting);
	memory_stock_free(&k->stock);
	buf_free(&k->text);
	arena_destroy(&k->arena);
}

/* The value as JSON, or what is wrong: "fault: …" when it is compiled, "failure: …" when it is evaluated. */
static inline void kit_says(struct kit *k, struct str text, struct buf *out)
{
	const struct expr *e;
	struct problem p = {0};
	struct value v;

	memory_clear(&k->memory);
	k->env.failed = false;
	if (expr_compile(text, &kit_names, k->arena, &e, &p)) {
		buf_fmt(out, "fault: %s", p.detail);
		return;
	}
	v = expr_value(e, &k->env);
	if (k->env.failed)
		buf_fmt(out, "failure: %s", k->env.failure);
	else
		value_json(&v, out);
}

#endif
