/*
 * The tree's value. Recursion is bounded by the parser: what it lets through is at most a few thousand calls deep.
 */
#include "sim/expr_priv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct value expr_fail(struct expr_env *env, const char *fmt, ...)
{
	va_list args;

	if (env->failed)
		return (struct value){0};
	env->failed = true;
	va_start(args, fmt);
	vsnprintf(env->failure, sizeof(env->failure), fmt, args);
	va_end(args);
	return (struct value){0};
}

struct value expr_finite(struct expr_env *env, double v, const char *what)
{
	if (!isfinite(v))
		return expr_fail(env, "%s gives no finite number", what);
	return value_number(v);
}

double expr_to_number(struct expr_env *env, const struct value *v, const char *what)
{
	if (v->kind == VALUE_NUMBER)
		return v->number;
	if (v->kind == VALUE_BOOL)
		return v->boolean;
	expr_fail(env, "%s needs a number, not %s", what, value_kind_name(v->kind));
	return 0;
}

struct value *expr_room(struct expr_env *env, size_t count)
{
	struct value *room = count > VALUE_LIST_MAX ? NULL : memory_take(env->memory, count * sizeof(*room));

	if (!room)
		expr_fail(env, "a list is too long: at most %d elements, and 1 MiB in all", VALUE_LIST_MAX);
	return room;
}

struct value expr_list(struct expr_env *env, const struct value *items, uint32_t count)
{
	struct value list = value_list(items, count, false);

	if (list.kind == VALUE_NULL && !env->failed)
		return expr_fail(env, "lists are nested deeper than %d", VALUE_DEPTH_MAX);
	return list;
}

bool expr_contains(const struct value *whole, const struct value *part)
{
	if (whole->kind == VALUE_LIST)
		for (uint32_t i = 0; i < whole->count; i++)
			if (value_equal(&whole->items[i], part))
				return true;
	if (whole->kind == VALUE_TEXT && part->kind == VALUE_TEXT)
		return part->text.n == 0 ||
		       (whole->text.n && memmem(whole->text.p, whole->text.n, part->text.p, part->text.n));
	return false;
}

static const char *sign_text(int sign, char room[2])
{
	switch (sign) {
	case WORD_AT_MOST:
		return "<=";
	case WORD_AT_LEAST:
		return ">=";
	default:
		room[0] = (char)sign;
		room[1] = '\0';
		return room;
	}
}

static struct value compare(int sign, double difference)
{
	switch (sign) {
	case '<':
		return value_bool(difference < 0);
	case '>':
		return value_bool(difference > 0);
	case WORD_AT_MOST:
		return value_bool(difference <= 0);
	default:
		return value_bool(difference >= 0);
	}
}

static bool is_comparison(int sign)
{
	return sign == '<' || sign == '>' || sign == WORD_AT_MOST || sign == WORD_AT_LEAST;
}

/* Not a - b, which may not be finite. */
static double order(double a, double b)
{
	return (a > b) - (a < b);
}

static struct value divide(struct expr_env *env, int sign, double a, double b)
{
	if (b == 0)
		return expr_fail(env, "division by 0");
	return expr_finite(env, sign == '/' ? a / b : fmod(a, b), sign == '/' ? "/" : "%");
}

static struct value arithmetic(struct expr_env *env, int sign, double a, double b)
{
	switch (sign) {
	case '+':
		return expr_finite(env, a + b, "+");
	case '-':
		return expr_finite(env, a - b, "-");
	case '*':
		return expr_finite(env, a * b, "*");
	case '/':
	case '%':
		return divide(env, sign, a, b);
	default:
		return compare(sign, order(a, b));
	}
}

static struct value is_in(struct expr_env *env, const struct value *part, const struct value *whole)
{
	if (whole->kind != VALUE_LIST && whole->kind != VALUE_TEXT && whole->kind != VALUE_NULL)
		return expr_fail(env, "in needs a list or a text, not %s", value_kind_name(whole->kind));
	return value_bool(expr_contains(whole, part));
}

static struct value binary(const struct expr *e, struct expr_env *env)
{
	struct value a = expr_eval(e->of[0], env), b = expr_eval(e->of[1], env);
	char room[2];
	const char *what;
	double left, right;

	switch (e->sign) {
	case WORD_EQUAL:
		return value_bool(value_equal(&a, &b));
	case WORD_UNEQUAL:
		return value_bool(!value_equal(&a, &b));
	case WORD_NAME:
		return is_in(env, &a, &b);
	default:
		break;
	}
	if (a.kind == VALUE_NUMBER && b.kind == VALUE_NUMBER)
		return arithmetic(env, e->sign, a.number, b.number);
	if (a.kind == VALUE_TEXT && b.kind == VALUE_TEXT && is_comparison(e->sign))
		return compare(e->sign, str_cmp(a.text, b.text));
	what = sign_text(e->sign, room);
	left = expr_to_number(env, &a, what);
	right = expr_to_number(env, &b, what);
	return env->failed ? (struct value){0} : arithmetic(env, e->sign, left, right);
}

static struct value of_member(const struct expr *e, struct expr_env *env)
{
	struct value of = expr_eval(e->of[0], env);

	if (of.kind != VALUE_RECORD && of.kind != VALUE_NULL)
		return expr_fail(env, ".%.*s needs a record, not %s", STRF(str_clip(e->name, 64)),
				 value_kind_name(of.kind));
	return value_member(&of, e->name, env->memory);
}

static struct value of_index(const struct expr *e, struct expr_env *env)
{
	struct value of = expr_eval(e->of[0], env), index = expr_eval(e->of[1], env);
	double i;

	if (of.kind == VALUE_NULL)
		return of;
	if (index.kind == VALUE_TEXT && of.kind == VALUE_RECORD)
		return value_member(&of, index.text, env->memory);
	if (of.kind != VALUE_LIST)
		return expr_fail(env, "[] needs a list, not %s", value_kind_name(of.kind));
	i = expr_to_number(env, &index, "[]");
	return i >= 0 && i < of.count ? of.items[(uint32_t)i] : (struct value){0};
}

static struct value made_list(const struct expr *e, struct expr_env *env)
{
	struct value *items = expr_room(env, e->count);

	for (unsigned i = 0; items && i < e->count; i++)
		items[i] = expr_eval(e->of[i], env);
	return items ? expr_list(env, items, e->count) : (struct value){0};
}

static struct value made_record(const struct expr *e, struct expr_env *env)
{
	struct value *items = expr_room(env, e->count), record;

	for (unsigned i = 0; items && i < e->count; i++)
		items[i] = expr_eval(e->of[i], env);
	record = items ? value_record(items, e->count, false) : (struct value){0};
	if (record.kind == VALUE_NULL)
		return expr_fail(env, "records are nested deeper than %d", VALUE_DEPTH_MAX);
	return record;
}

static struct value negated(const struct expr *e, struct expr_env *env)
{
	struct value of = expr_eval(e->of[0], env);

	return value_number(-expr_to_number(env, &of, "-"));
}

static bool truth(const struct expr *e, struct expr_env *env)
{
	struct value v = expr_eval(e, env);

	return value_truth(&v);
}

struct value expr_eval(const struct expr *e, struct expr_env *env)
{
	if (env->failed)
		return (struct value){0};
	if (env->budget-- == 0)
		return expr_fail(env, "takes more than %d steps", EXPR_BUDGET);
	switch (e->kind) {
	case NODE_CONSTANT:
		return e->value;
	case NODE_PARAMETER:
		return value_number(env->parameters[e->index]);
	case NODE_VARIABLE:
		return env->variables[e->index];
	case NODE_TABLE:
		return env->tables[e->index];
	case NODE_ITEM:
		return env->items[e->index];
	case NODE_FACT:
		return env->fact(env->ctx, (enum fact)e->sign, e->index);
	case NODE_MEMBER:
		return of_member(e, env);
	case NODE_INDEX:
		return of_index(e, env);
	case NODE_NOT:
		return value_bool(!truth(e->of[0], env));
	case NODE_NEGATE:
		return negated(e, env);
	case NODE_BINARY:
		return binary(e, env);
	case NODE_AND:
		return value_bool(truth(e->of[0], env) && truth(e->of[1], env));
	case NODE_OR:
		return value_bool(truth(e->of[0], env) || truth(e->of[1], env));
	case NODE_EITHER:
		return expr_eval(e->of[truth(e->of[0], env) ? 1 : 2], env);
	case NODE_CALL:
		return expr_call(e, env);
	case NODE_LIST:
		return made_list(e, env);
	case NODE_RECORD:
		return made_record(e, env);
	}
	return (struct value){0};
}

struct value expr_value(const struct expr *e, struct expr_env *env)
{
	struct value v;

	env->budget = EXPR_BUDGET;
	v = expr_eval(e, env);
	if (env->memory->overflowed)
		expr_fail(env, "needs more memory than a session has, 1 MiB");
	return env->failed ? (struct value){0} : v;
}

double expr_number(const struct expr *e, struct expr_env *env)
{
	struct value v = expr_value(e, env);

	if (v.kind == VALUE_NUMBER)
		return v.number;
	return env->failed ? 0 : expr_to_number(env, &v, "this");
}

bool expr_truth(const struct expr *e, struct expr_env *env)
{
	struct value v = expr_value(e, env);

	return value_truth(&v);
}
