/*
 * Go's durations, as far as they are valid or not: an optional sign, then "0" or numbers with units.
 */
#include "roles/settings_priv.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes digits and at most one point, which may stand at either end; false when there was no digit. */
static bool take_decimal(struct str *s, bool *nonzero)
{
	bool digit = false, point = false;

	while (s->n && (is_digit(s->p[0]) || (s->p[0] == '.' && !point))) {
		digit |= s->p[0] != '.';
		point |= s->p[0] == '.';
		*nonzero |= s->p[0] >= '1' && s->p[0] <= '9';
		*s = (struct str){s->p + 1, s->n - 1};
	}
	return digit;
}

static bool take_unit(struct str *s)
{
	/* Longer ones first. The micro sign exists twice. */
	static const struct str units[] = {{"ns", 2}, {"us", 2}, {"\xc2\xb5s", 3}, {"\xce\xbcs", 3},
					   {"ms", 2}, {"s", 1},  {"m", 1},         {"h", 1}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (str_starts(*s, units[i])) {
			*s = (struct str){s->p + units[i].n, s->n - units[i].n};
			return true;
		}
	return false;
}

bool is_go_duration(struct str text, bool *positive)
{
	bool negative = text.n && text.p[0] == '-', signed_ = negative || (text.n && text.p[0] == '+');
	bool nonzero = false;

	text = (struct str){text.p + signed_, text.n - signed_};
	*positive = false;
	if (str_eqz(text, "0"))
		return true;
	if (text.n == 0)
		return false;
	while (text.n)
		if (!take_decimal(&text, &nonzero) || !take_unit(&text))
			return false;
	*positive = nonzero && !negative;
	return true;
}
