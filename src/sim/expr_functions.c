/*
 * The functions of functions.def that give the same for the same arguments; the others stand in expr_each.c and
 * expr_draws.c.
 */
#include "sim/expr_priv.h"

#include <math.h>
#include <string.h>

/* Arguments that were evaluated, and the function that has them, for what is said when one is wrong. */
struct args {
	struct expr_env *env;
	const struct value *v;
	unsigned count;
	const char *name;
};

static double number(const struct args *a, unsigned i)
{
	return expr_to_number(a->env, &a->v[i], a->name);
}

/* ---- numbers ---- */

static double extreme(const struct args *a, const struct value *v, unsigned count, bool greatest)
{
	double best = expr_to_number(a->env, &v[0], a->name);

	for (unsigned i = 1; i < count; i++) {
		double x = expr_to_number(a->env, &v[i], a->name);

		if (greatest ? x > best : x < best)
			best = x;
	}
	return best;
}

static struct value min_or_max(const struct args *a, bool greatest)
{
	bool one_list = a->count == 1 && a->v[0].kind == VALUE_LIST;
	const struct value *v = one_list ? a->v[0].items : a->v;
	unsigned count = one_list ? a->v[0].count : a->count;

	if (count == 0)
		return expr_fail(a->env, "%s of an empty list", a->name);
	return value_number(extreme(a, v, count, greatest));
}

/* To a hundredth is to a whole number of hundredths: a double holds 100, and not 0.01. */
static double to_step(double x, double step)
{
	double parts = round(1 / step);

	if (step < 1 && fabs(parts * step - 1) < 1e-9)
		return round(x * parts) / parts;
	return round(x / step) * step;
}

static struct value rounded(const struct args *a)
{
	double x = number(a, 0), step = a->count == 2 ? number(a, 1) : 1;

	if (step <= 0)
		return expr_fail(a->env, "round needs a step above 0");
	return expr_finite(a->env, to_step(x, step), a->name);
}

static struct value clamped(const struct args *a)
{
	double x = number(a, 0), least = number(a, 1), most = number(a, 2);

	if (least > most)
		return expr_fail(a->env, "clamp has its ends the wrong way round");
	return value_number(x < least ? least : x > most ? most : x);
}

/* ---- texts ---- */

static struct value made_text(const struct args *a)
{
	struct str made = memory_str(a->env->memory, buf_str(a->env->text));

	if (!buf_ok(a->env->text) || made.n != a->env->text->n)
		return expr_fail(a->env, "%s makes too long a text: a session has 1 MiB", a->name);
	return value_text(made, false);
}

static struct value concatenated(const struct args *a)
{
	buf_reset(a->env->text);
	for (unsigned i = 0; i < a->count; i++)
		value_show(&a->v[i], a->env->text);
	return made_text(a);
}

static char other_case(char c, bool upper)
{
	if (upper)
		return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_text(const struct args *a, unsigned i)
{
	if (a->v[i].kind != VALUE_TEXT)
		expr_fail(a->env, "%s needs a text, not %s", a->name, value_kind_name(a->v[i].kind));
	return a->v[i].kind == VALUE_TEXT;
}

static struct value in_case(const struct args *a, bool upper)
{
	struct str s = a->v[0].text;
	char *room;

	if (!is_text(a, 0))
		return (struct value){0};
	room = memory_take(a->env->memory, s.n);
	for (size_t i = 0; room && i < s.n; i++)
		room[i] = other_case(s.p[i], upper);
	return value_text((struct str){room, room ? s.n : 0}, false);
}

static struct value number_of_text(const struct args *a)
{
	double v;

	if (a->v[0].kind == VALUE_NUMBER || a->v[0].kind == VALUE_BOOL)
		return value_number(number(a, 0));
	if (!is_text(a, 0))
		return (struct value){0};
	if (!str_to_f64(a->v[0].text, &v))
		return expr_fail(a->env, "'%.*s' is no number", STRF(str_clip(a->v[0].text, 40)));
	return value_number(v);
}

static struct value hashed(const struct args *a)
{
	double n = number(a, 1);

	if (!is_text(a, 0))
		return (struct value){0};
	if (!(n >= 1 && n <= UINT32_MAX))
		return expr_fail(a->env, "hash needs a number from 1 to %u", UINT32_MAX);
	return value_number((double)(str_hash(a->v[0].text) % (uint64_t)n));
}

/* ---- lists ---- */

static struct value length_of(const struct args *a)
{
	const struct value *v = &a->v[0];

	if (v->kind == VALUE_LIST)
		return value_number(v->count);
	if (v->kind == VALUE_NULL)
		return value_number(0);
	return is_text(a, 0) ? value_number((double)v->text.n) : (struct value){0};
}

static struct value first_of(const struct args *a)
{
	struct value list = a->v[0];
	double n = number(a, 1);

	if (list.kind != VALUE_LIST)
		return expr_fail(a->env, "first needs a list, not %s", value_kind_name(list.kind));
	list.count = n <= 0 ? 0 : n < list.count ? (uint32_t)n : list.count;
	return list;
}

static struct value joined(const struct args *a)
{
	struct value *items;
	size_t count = 0, at = 0;

	for (unsigned i = 0; i < a->count; i++)
		count += a->v[i].kind == VALUE_LIST ? a->v[i].count : 1;
	items = expr_room(a->env, count);
	for (unsigned i = 0; items && i < a->count; i++) {
		const struct value *v = &a->v[i];
		uint32_t n = v->kind == VALUE_LIST ? v->count : 1;

		if (n)
			memcpy(items + at, v->kind == VALUE_LIST ? v->items : v, n * sizeof(*items));
		at += n;
	}
	return items ? expr_list(a->env, items, (uint32_t)count) : (struct value){0};
}

static struct value chosen(const struct args *a)
{
	unsigned i;

	for (i = 1; i + 1 < a->count; i += 2)
		if (value_equal(&a->v[0], &a->v[i]))
			return a->v[i + 1];
	return i < a->count ? a->v[i] : (struct value){0};
}

static struct value contains(const struct args *a)
{
	if (a->v[0].kind != VALUE_LIST && !(a->v[0].kind == VALUE_NULL) && !is_text(a, 0))
		return (struct value){0};
	return value_bool(expr_contains(&a->v[0], &a->v[1]));
}

/* ---- all of them ---- */

static struct value call_pure(enum function f, const struct args *a)
{
	switch ((int)f) {
	case FUNCTION_min:
		return min_or_max(a, false);
	case FUNCTION_max:
		return min_or_max(a, true);
	case FUNCTION_abs:
		return value_number(fabs(number(a, 0)));
	case FUNCTION_floor:
		return value_number(floor(number(a, 0)));
	case FUNCTION_ceil:
		return value_number(ceil(number(a, 0)));
	case FUNCTION_round:
		return rounded(a);
	case FUNCTION_clamp:
		return clamped(a);
	case FUNCTION_sqrt:
		return expr_finite(a->env, sqrt(number(a, 0)), a->name);
	case FUNCTION_exp:
		return expr_finite(a->env, exp(number(a, 0)), a->name);
	case FUNCTION_log:
		return expr_finite(a->env, log(number(a, 0)), a->name);
	case FUNCTION_pow:
		return expr_finite(a->env, pow(number(a, 0), number(a, 1)), a->name);
	case FUNCTION_length:
		return length_of(a);
	case FUNCTION_contains:
		return contains(a);
	case FUNCTION_lower:
		return in_case(a, false);
	case FUNCTION_upper:
		return in_case(a, true);
	case FUNCTION_concat:
	case FUNCTION_text:
		return concatenated(a);
	case FUNCTION_number:
		return number_of_text(a);
	case FUNCTION_first:
		return first_of(a);
	case FUNCTION_join:
		return joined(a);
	case FUNCTION_choose:
		return chosen(a);
	case FUNCTION_hash:
		return hashed(a);
	default:
		return (struct value){0};
	}
}

struct value expr_call(const struct expr *e, struct expr_env *env)
{
	const struct expr_function *f = expr_function(e->index);
	struct value v[EXPR_ARGUMENTS_MAX];

	if (f->kind == FUNCTION_EACH)
		return expr_call_each(e, env);
	for (unsigned i = 0; i < e->count; i++)
		v[i] = expr_eval(e->of[i], env);
	if (env->failed)
		return (struct value){0};
	if (f->kind == FUNCTION_DRAWS)
		return expr_call_draws((enum function)e->index, v, env);
	return call_pure((enum function)e->index, &(struct args){env, v, e->count, f->name});
}
