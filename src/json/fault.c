/*
 * Faults of fields: gathered, so that a user sees them all at once, each with its path.
 *
 * Of several, the most basic becomes the error of the whole: the one that stands first in api/errors.def, which
 * lists unknown, mistyped and missing before invalid. A hostile body can have a million faults; beyond those that
 * are kept one costs no more than the comparison.
 */
#include "json/json_priv.h"

#include <stdarg.h>
#include <stdio.h>

enum { PATH_MAX_BYTES = 256, NAME_SHOWN_MAX = 64 };

/* Appends the path of `where` to path[0..n) and returns the new n. */
static size_t write_path(char path[PATH_MAX_BYTES], const struct place *where)
{
	size_t n;
	int more;

	if (!where->up)
		return 0;
	n = write_path(path, where->up);
	if (where->name.p)
		more = snprintf(path + n, PATH_MAX_BYTES - n, "%s%.*s", n ? "." : "",
				(int)(where->name.n < NAME_SHOWN_MAX ? where->name.n : NAME_SHOWN_MAX),
				where->name.p);
	else
		more = snprintf(path + n, PATH_MAX_BYTES - n, "[%zu]", where->index);
	n += more > 0 ? (size_t)more : 0;
	return n < PATH_MAX_BYTES ? n : PATH_MAX_BYTES - 1;
}

void fault_add(struct faults *faults, enum err e, const struct place *where, const char *fmt, ...)
{
	struct problem *p = faults->problem;
	char path[PATH_MAX_BYTES] = "", detail[sizeof(p->fields[0].detail)];
	bool more_basic;
	va_list args;

	if (!faults->worst || e < faults->worst)
		faults->worst = e;
	if (!fault_wanted(faults, e))
		return;
	more_basic = !p->err || e < p->err;
	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	write_path(path, where);
	if (!where->up) {
		problem_set(p, more_basic ? e : p->err, "the value %s", detail);
		return;
	}
	problem_field(p, e, path, "%s", detail);
	if (more_basic)
		problem_set(p, e, "%s: %s", path, detail);
}

void fault_suggest(char hint[FAULT_HINT], struct str wrong, const char *const *names, unsigned count)
{
	unsigned best = wrong.n < 8 ? (unsigned)wrong.n / 3 + (wrong.n == 2) : 3;
	const char *nearest = NULL;

	for (unsigned i = 0; i < count; i++) {
		unsigned distance = str_distance(wrong, str_of(names[i]), best);

		if (distance <= best && (!nearest || distance < best)) {
			nearest = names[i];
			best = distance;
		}
	}
	if (nearest)
		snprintf(hint, FAULT_HINT, "; did you mean \"%s\"?", nearest);
	else
		hint[0] = '\0';
}
