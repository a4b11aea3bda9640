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
#include <string.h>

enum { PATH_MAX_BYTES = 256, NAME_SHOWN_MAX = 64, GIVEN_SHOWN_MAX = 40 };

/* Appends what there is room for, in whole characters, and returns the new length. */
static size_t append(char path[PATH_MAX_BYTES], size_t n, struct str s, size_t most)
{
	size_t room = PATH_MAX_BYTES - 1 - n, take = s.n;

	if (take > most || take > room) {
		take = most < room ? most : room;
		while (take && ((unsigned char)s.p[take] & 0xc0) == 0x80)
			take--;
	}
	memcpy(path + n, s.p, take);
	path[n + take] = '\0';
	return n + take;
}

/* Appends the path of `where` and returns the new length. */
static size_t write_path(char path[PATH_MAX_BYTES], const struct place *where)
{
	char index[32];
	size_t n;

	if (!where->up)
		return 0;
	n = write_path(path, where->up);
	if (where->name.p)
		return append(path, append(path, n, STR("."), n ? 1 : 0), where->name, NAME_SHOWN_MAX);
	snprintf(index, sizeof(index), "[%zu]", where->index);
	return append(path, n, str_of(index), sizeof(index));
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

void fault_given(char given[FAULT_GIVEN], struct str text)
{
	static const struct str replacement = {"\xEF\xBF\xBD", 3}; /* U+FFFD */
	char shown[GIVEN_SHOWN_MAX];
	size_t n = 0;

	while (text.n) {
		size_t step = str_utf8_step(text);
		struct str c = step ? (struct str){text.p, step} : replacement;

		if (n + c.n > sizeof(shown))
			break;
		memcpy(shown + n, c.p, c.n);
		n += c.n;
		step = step ? step : 1;
		text = (struct str){text.p + step, text.n - step};
	}
	snprintf(given, FAULT_GIVEN, ", not '%.*s%s'", (int)n, shown, text.n ? "…" : "");
}

static bool has_word(struct str name, struct str word)
{
	while (name.n)
		if (str_eq(str_cut(name, '_', &name), word))
			return true;
	return false;
}

/* Those names that `wrong` is one of the words of, as many as there is room for: "developer" of backend_developer. */
static void suggest_longer(char hint[FAULT_HINT], struct str wrong, const char *const *names, unsigned count)
{
	static const char begin[] = "; did you mean ", between[] = " or ";
	size_t n = 0;

	for (unsigned i = 0; i < count; i++) {
		size_t most = sizeof(begin) + strlen(names[i]) + 3; /* with its quotes and the question mark */

		if (has_word(str_of(names[i]), wrong) && n + most < FAULT_HINT)
			n += (size_t)snprintf(hint + n, FAULT_HINT - n, "%s\"%s\"", n ? between : begin, names[i]);
	}
	if (n)
		snprintf(hint + n, FAULT_HINT - n, "?");
}

void fault_suggest(char hint[FAULT_HINT], struct str wrong, const char *const *names, unsigned count)
{
	unsigned best = wrong.n < 2 ? 0 : wrong.n < 4 ? 1 : wrong.n < 8 ? 2 : 3;
	const char *nearest = NULL;

	for (unsigned i = 0; i < count; i++) {
		unsigned distance = str_distance(wrong, str_of(names[i]), best);

		if (distance <= best && (!nearest || distance < best)) {
			nearest = names[i];
			best = distance;
		}
	}
	hint[0] = '\0';
	if (nearest)
		snprintf(hint, FAULT_HINT, "; did you mean \"%s\"?", nearest);
	else if (wrong.n)
		suggest_longer(hint, wrong, names, count);
}
