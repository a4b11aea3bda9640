/*
 * Functions that go through a list: what they do with each element is an expression that sees it as an item.
 */
#include "sim/expr_priv.h"

#include <math.h>

/* What is made of one element. The parser gave each its place, which is free again when the call is over. */
static struct value of_each(const struct expr *e, const struct value *element, struct expr_env *env)
{
	if (e->count < 2)
		return *element;
	env->items[e->sign] = *element;
	return expr_eval(e->of[1], env);
}

static struct value filtered(const struct expr *e, const struct value *list, struct expr_env *env)
{
	struct value *items = expr_room(env, list->count);
	uint32_t n = 0;

	for (uint32_t i = 0; items && !env->failed && i < list->count; i++) {
		struct value good = of_each(e, &list->items[i], env);

		if (value_truth(&good))
			items[n++] = list->items[i];
	}
	return items ? expr_list(env, items, n) : (struct value){0};
}

static struct value mapped(const struct expr *e, const struct value *list, struct expr_env *env)
{
	struct value *items = expr_room(env, list->count);

	for (uint32_t i = 0; items && i < list->count; i++)
		items[i] = of_each(e, &list->items[i], env);
	return items ? expr_list(env, items, list->count) : (struct value){0};
}

/* Goes on until one is `sought`; says whether there was one. */
static struct value search(const struct expr *e, const struct value *list, bool sought, struct expr_env *env)
{
	for (uint32_t i = 0; !env->failed && i < list->count; i++) {
		struct value v = of_each(e, &list->items[i], env);

		if (value_truth(&v) == sought)
			return value_bool(sought);
	}
	return value_bool(!sought);
}

static struct value summed(const struct expr *e, const struct value *list, struct expr_env *env)
{
	double sum = 0;

	for (uint32_t i = 0; !env->failed && i < list->count; i++) {
		struct value v = of_each(e, &list->items[i], env);

		sum += expr_to_number(env, &v, "sum");
	}
	return expr_finite(env, sum, "sum");
}

static struct value best_of(const struct expr *e, const struct value *list, struct expr_env *env)
{
	struct value best = {0};
	double most = -HUGE_VAL;

	for (uint32_t i = 0; !env->failed && i < list->count; i++) {
		struct value v = of_each(e, &list->items[i], env);
		double x = expr_to_number(env, &v, "best");

		if (x > most) {
			most = x;
			best = list->items[i];
		}
	}
	return best;
}

struct value expr_call_each(const struct expr *e, struct expr_env *env)
{
	struct value list = expr_eval(e->of[0], env);

	if (list.kind == VALUE_NULL)
		list = value_list(NULL, 0, false);
	if (list.kind != VALUE_LIST)
		return expr_fail(env, "%s needs a list, not %s", expr_function(e->index)->name,
				 value_kind_name(list.kind));
	switch ((int)e->index) {
	case FUNCTION_filter:
		return filtered(e, &list, env);
	case FUNCTION_map:
		return mapped(e, &list, env);
	case FUNCTION_any:
		return search(e, &list, true, env);
	case FUNCTION_all:
		return search(e, &list, false, env);
	case FUNCTION_best:
		return best_of(e, &list, env);
	default:
		return summed(e, &list, env);
	}
}
