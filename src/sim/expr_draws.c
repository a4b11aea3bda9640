/*
 * Functions that take random numbers.
 */
#include "sim/expr_priv.h"

#include <math.h>
#include <string.h>

/* Whole numbers from a to b; what lies between is at most what one draw tells apart. */
static struct value integer(double a, double b, struct expr_env *env)
{
	double low = ceil(a), high = floor(b);

	if (!(high >= low && high - low < UINT32_MAX))
		return expr_fail(env, "integer needs its least before its most, less than 2^32 apart");
	return value_number(low + draws_below(env->draws, (uint32_t)(high - low) + 1));
}

static struct value bell(double mean, double sd, struct expr_env *env)
{
	if (sd < 0)
		return expr_fail(env, "normal needs a deviation of at least 0");
	return expr_finite(env, draws_normal(env->draws, mean, sd), "normal");
}

static struct value gap(double mean, struct expr_env *env)
{
	if (mean <= 0)
		return expr_fail(env, "exponential needs a mean above 0");
	return expr_finite(env, draws_exponential(env->draws, mean), "exponential");
}

/* A shuffle that stops when n elements are in place. */
static struct value sampled(const struct value *list, double wanted, struct expr_env *env)
{
	uint32_t n = wanted <= 0 ? 0 : wanted < list->count ? (uint32_t)wanted : list->count;
	struct value *items = expr_room(env, list->count);

	if (!items)
		return (struct value){0};
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t other = i + draws_below(env->draws, list->count - i);
		struct value v = items[i];

		items[i] = items[other];
		items[other] = v;
	}
	return expr_list(env, items, n);
}

static struct value of_list(enum function f, const struct value *args, struct expr_env *env)
{
	struct value list = args[0];

	if (list.kind == VALUE_NULL)
		list = value_list(NULL, 0, false);
	if (list.kind != VALUE_LIST)
		return expr_fail(env, "%s needs a list, not %s", expr_function(f)->name,
				 value_kind_name(list.kind));
	if (f == FUNCTION_pick)
		return list.count ? list.items[draws_below(env->draws, list.count)] : (struct value){0};
	if (f == FUNCTION_shuffle)
		return sampled(&list, list.count, env);
	return sampled(&list, expr_to_number(env, &args[1], "sample"), env);
}

struct value expr_call_draws(enum function f, const struct value *args, struct expr_env *env)
{
	const struct expr_function *row = expr_function(f);
	double x[2] = {0};

	if (f == FUNCTION_pick || f == FUNCTION_sample || f == FUNCTION_shuffle)
		return of_list(f, args, env);
	for (unsigned i = 0; i < row->least; i++)
		x[i] = expr_to_number(env, &args[i], row->name);
	if (env->failed)
		return (struct value){0};
	switch ((int)f) {
	case FUNCTION_uniform:
		return expr_finite(env, x[0] + (x[1] - x[0]) * draws_unit(env->draws), row->name);
	case FUNCTION_integer:
		return integer(x[0], x[1], env);
	case FUNCTION_normal:
		return bell(x[0], x[1], env);
	case FUNCTION_exponential:
		return gap(x[0], env);
	case FUNCTION_chance:
		return value_bool(draws_unit(env->draws) < x[0]);
	default:
		return value_number(draws_unit(env->draws));
	}
}
