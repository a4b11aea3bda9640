/*
 * Sentences are cut at their bound, and never inside a character: they end up in JSON.
 */
#include "base/problem.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* Ends z at its last whole character when vsnprintf() had to cut it. */
static void end_at_character(char *z, size_t size, int wanted)
{
	size_t n = strlen(z);

	if (wanted >= 0 && (size_t)wanted < size)
		return;
	for (size_t back = 1; back < 4 && back <= n; back++) {
		struct str tail = {z + n - back, back};

		if (((unsigned char)tail.p[0] & 0xc0) == 0x80)
			continue; /* not the first byte of a character */
		if (str_utf8_step(tail) == 0)
			z[n - back] = '\0';
		return;
	}
}

static __attribute__((format(printf, 3, 0))) void sentence(char *z, size_t size, const char *fmt, va_list args)
{
	end_at_character(z, size, vsnprintf(z, size, fmt, args));
}

void problem_clear(struct problem *p)
{
	p->err = OK;
	p->detail[0] = '\0';
	p->line = p->column = p->retry_after_s = 0;
	p->field_count = 0;
}

enum err problem_set(struct problem *p, enum err e, const char *fmt, ...)
{
	va_list args;

	if (!p)
		return e;
	p->err = e;
	va_start(args, fmt);
	sentence(p->detail, sizeof(p->detail), fmt, args);
	va_end(args);
	return e;
}

enum err problem_field(struct problem *p, enum err e, const char *field, const char *fmt, ...)
{
	va_list args;
	unsigned i;

	if (!p || p->field_count == PROBLEM_FIELDS_MAX)
		return e;
	i = p->field_count++;
	end_at_character(p->fields[i].field, sizeof(p->fields[i].field),
			 snprintf(p->fields[i].field, sizeof(p->fields[i].field), "%s", field));
	va_start(args, fmt);
	sentence(p->fields[i].detail, sizeof(p->fields[i].detail), fmt, args);
	va_end(args);
	if (i == 0)
		problem_set(p, e, "%s: %s", p->fields[i].field, p->fields[i].detail);
	return e;
}
