/* See condition.h. */
#include "webhooks/condition.h"

#include "json/pick.h"

enum { VALUE_MAX = 1024, SHOWN_MAX = 60 };

static struct str split(struct str condition, struct str *value)
{
	return str_cut(condition, '=', value);
}

enum err conditions_check(const struct str *conditions, size_t count, const char *field, struct problem *p)
{
	for (size_t i = 0; i < count; i++) {
		struct str value, pointer = split(conditions[i], &value);
		if (!value.p || !pointer.n || !pick_pointer_valid(pointer))
			return problem_field(p, ERR_INVALID, field,
					     "'%.*s' is no JSON pointer, '=' and a value, such as /type=tool",
					     conditions[i].n < SHOWN_MAX ? (int)conditions[i].n : SHOWN_MAX,
					     conditions[i].p);
	}
	return OK;
}

static bool is_value(struct str json, struct str value)
{
	char meant[VALUE_MAX];
	if (json.n < 2 || json.p[0] != '"')
		return str_eq(json, value);
	struct str inside = {json.p + 1, json.n - 2};
	return inside.n <= sizeof meant && str_eq((struct str){meant, pick_unescape(inside, meant)}, value);
}

static bool holds_value(struct str json, struct str value)
{
	struct pick p;
	for (bool more = pick_first(json, '[', &p); more; more = pick_next(&p))
		if (is_value(p.value, value))
			return true;
	return is_value(json, value);
}

static bool holds(struct str condition, struct str event)
{
	struct str value, found, pointer = split(condition, &value);
	return pick_pointer(event, pointer, &found) && holds_value(found, value);
}

static bool one_holds_of(const struct str *conditions, size_t count, struct str pointer, struct str event)
{
	struct str value;
	for (size_t i = 0; i < count; i++)
		if (str_eq(split(conditions[i], &value), pointer) && holds(conditions[i], event))
			return true;
	return false;
}

bool conditions_hold(const struct str *conditions, size_t count, struct str event)
{
	struct str value;
	for (size_t i = 0; i < count; i++)
		if (!one_holds_of(conditions, count, split(conditions[i], &value), event))
			return false;
	return true;
}
