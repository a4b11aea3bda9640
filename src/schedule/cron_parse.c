/* Reads a cron line; see cron.h. */
#include "schedule/cron_priv.h"

#include "base/magic.h"

#include <string.h>

enum field_name { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

struct field {
	const char *name;
	int min, max;
	const char *const *words; /* for min, min + 1, …; or NULL */
	int word_count;
};

static const char *const month_words[] = {"jan", "feb", "mar", "apr", "may", "jun",
					  "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekday_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

enum { SUNDAY_AGAIN = 7, BEFORE_LAST_MAX = 30 };

static const struct field fields[FIELD_COUNT] = {
	[MINUTE] = {"minute", 0, 59, NULL, 0},
	[HOUR] = {"hour", 0, 23, NULL, 0},
	[DAY] = {"day of month", 1, 31, NULL, 0},
	[MONTH] = {"month", 1, 12, month_words, 12},
	[WEEKDAY] = {"day of week", 0, SUNDAY_AGAIN, weekday_words, 7},
};

static const struct {
	const char *word, *line;
} short_lines[] = {
	{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
	{"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
};

struct parser {
	const struct field *field;
	struct cron *out;
	struct problem *problem;
};

static enum err fault(const struct parser *x, struct str term, const char *what)
{
	return problem_field(x->problem, ERR_INVALID, "cron", "the %s '%.*s' %s", x->field->name, STRF(term), what);
}

static enum err out_of_range(const struct parser *x, struct str term)
{
	return problem_field(x->problem, ERR_INVALID, "cron", "the %s '%.*s' is not one of %d to %d%s",
			     x->field->name, STRF(term), x->field->min, x->field->max,
			     x->field->words ? " or a name" : "");
}

/* ---- numbers ---- */

static bool take_ending(struct str *s, const char *ending)
{
	size_t n = strlen(ending);
	if (s->n <= n || !str_eq_nocase((struct str){s->p + s->n - n, n}, str_of(ending)))
		return false;
	s->n -= n;
	return true;
}

static bool is_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0 && s.n <= 4;
}

static bool read_number(struct str s, int min, int max, int *out)
{
	int64_t v;
	if (!is_digits(s) || !str_to_i64(s, &v) || v < min || v > max)
		return false;
	*out = (int)v;
	return true;
}

static bool read_value(const struct field *f, struct str s, int *out)
{
	for (int i = 0; i < f->word_count; i++)
		if (str_eq_nocase(s, str_of(f->words[i]))) {
			*out = f->min + i;
			return true;
		}
	return read_number(s, f->min, f->max, out);
}

/* ---- terms ---- */

static enum err read_step(const struct parser *x, struct str term, struct str text, int *step)
{
	if (!read_number(text, 1, x->field->max - x->field->min, step))
		return problem_field(x->problem, ERR_INVALID, "cron",
				     "the %s '%.*s' needs a step of 1 to %d after /", x->field->name, STRF(term),
				     x->field->max - x->field->min);
	return OK;
}

/* "A-B"; Sunday may stand at either end of a week. */
static enum err read_range(const struct parser *x, struct str term, struct str from, struct str to, int *low,
			   int *high)
{
	if (!read_value(x->field, from, low) || !read_value(x->field, to, high))
		return out_of_range(x, term);
	if (x->field == &fields[WEEKDAY] && *high == 0 && *low > 0)
		*high = SUNDAY_AGAIN;
	if (*low > *high)
		return fault(x, term, "runs backwards; write two ranges with a comma between them");
	return OK;
}

static enum err read_numbers(const struct parser *x, struct str term, uint64_t *set)
{
	struct str step_text, to;
	struct str base = str_cut(term, '/', &step_text), from = str_cut(base, '-', &to);
	int low = x->field->min, high = x->field->max, step = 1;
	enum err err = OK;
	if (to.p) {
		err = read_range(x, term, from, to, &low, &high);
	} else if (!str_eqz(base, "*")) {
		if (!read_value(x->field, base, &low))
			return out_of_range(x, term);
		high = step_text.p ? high : low;
	}
	if (!err && step_text.p)
		err = read_step(x, term, step_text, &step);
	for (int v = low; !err && v <= high; v += step)
		*set |= UINT64_C(1) << v;
	return err;
}

/* L, L-3, LW, 15W; *taken when it is one of them. */
static enum err read_special_day(const struct parser *x, struct str term, bool *taken)
{
	struct cron *c = x->out;
	struct str number = term;
	int n = 0;
	*taken = true;
	if (str_eq_nocase(term, STR("LW"))) {
		c->last_working_day = true;
	} else if (str_eq_nocase(term, STR("L"))) {
		c->days_before_last |= 1;
	} else if (str_starts(term, STR("L-")) || str_starts(term, STR("l-"))) {
		if (!read_number((struct str){term.p + 2, term.n - 2}, 1, BEFORE_LAST_MAX, &n))
			return fault(x, term, "needs 1 to 30 after L-");
		c->days_before_last |= UINT32_C(1) << n;
	} else if (take_ending(&number, "W")) {
		if (!read_number(number, 1, 31, &n))
			return fault(x, term, "needs a day of 1 to 31, or L, before W");
		c->nearest_weekdays |= UINT32_C(1) << n;
	} else {
		*taken = false;
	}
	return OK;
}

/* friL, fri#2; *taken when it is one of them. */
static enum err read_special_weekday(const struct parser *x, struct str term, bool *taken)
{
	struct str nth_text, day_text = term;
	int day, nth = 0;
	bool is_last = take_ending(&day_text, "L");
	if (!is_last)
		day_text = str_cut(term, '#', &nth_text);
	*taken = is_last || nth_text.p;
	if (!*taken)
		return str_eq_nocase(term, STR("L")) ? fault(x, term, "needs a day before it, such as friL") : OK;
	if (!read_value(x->field, day_text, &day))
		return out_of_range(x, term);
	uint8_t bit = (uint8_t)(1 << day % SUNDAY_AGAIN);
	if (is_last)
		x->out->last_weekdays |= bit;
	else if (read_number(nth_text, 1, CRON_NTH_MAX, &nth))
		x->out->nth_weekdays[nth - 1] |= bit;
	else
		return fault(x, term, "needs 1 to 5 after #");
	return OK;
}

static enum err read_term(const struct parser *x, struct str term, uint64_t *set)
{
	bool taken = false;
	enum err err = OK;
	if (term.n == 0)
		return fault(x, term, "has a comma too many");
	if (x->field == &fields[DAY])
		err = read_special_day(x, term, &taken);
	else if (x->field == &fields[WEEKDAY])
		err = read_special_weekday(x, term, &taken);
	return err || taken ? err : read_numbers(x, term, set);
}

static enum err read_field(const struct parser *x, struct str text, uint64_t *set)
{
	bool of_days = x->field == &fields[DAY] || x->field == &fields[WEEKDAY];
	struct str rest = of_days && str_eqz(text, "?") ? STR("*") : text;
	*set = 0;
	while (rest.p) {
		struct str term = str_cut(rest, ',', &rest);
		enum err err = read_term(x, term, set);
		if (err)
			return err;
	}
	return OK;
}

/* ---- a line ---- */

static bool begins_with_star(struct str text)
{
	return text.p[0] == '*' || text.p[0] == '?';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t split(struct str line, struct str out[FIELD_COUNT])
{
	size_t count = 0;
	for (size_t i = 0; i < line.n;) {
		size_t begin = i;
		while (i < line.n && !is_blank(line.p[i]))
			i++;
		if (count < FIELD_COUNT)
			out[count] = (struct str){line.p + begin, i - begin};
		count++;
		while (i < line.n && is_blank(line.p[i]))
			i++;
	}
	return count;
}

static enum err expand(struct str *line, struct problem *p)
{
	for (size_t i = 0; i < sizeof short_lines / sizeof *short_lines; i++)
		if (str_eq_nocase(*line, str_of(short_lines[i].word))) {
			*line = str_of(short_lines[i].line);
			return OK;
		}
	return problem_field(
		p, ERR_INVALID, "cron",
		"'%.*s' is none of @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually",
		STRF(*line));
}

static enum err wrong_count(size_t count, struct problem *p)
{
	return problem_field(p, ERR_INVALID, "cron",
			     "has %zu fields and needs 5: minute, hour, day of month, month, day of week%s", count,
			     count == 6 ? "; there are no seconds" : "");
}

static void take_sets(struct cron *c, const uint64_t sets[FIELD_COUNT], const struct str texts[FIELD_COUNT])
{
	c->minutes = sets[MINUTE];
	c->hours = (uint32_t)sets[HOUR];
	c->days = (uint32_t)sets[DAY];
	c->months = (uint16_t)sets[MONTH];
	c->weekdays = (uint8_t)((sets[WEEKDAY] | sets[WEEKDAY] >> SUNDAY_AGAIN) & 0x7f);
	c->any_day = begins_with_star(texts[DAY]);
	c->any_weekday = begins_with_star(texts[WEEKDAY]);
	c->is_rhythm = begins_with_star(texts[MINUTE]) || begins_with_star(texts[HOUR]);
}

enum err cron_parse(struct str line, struct cron *out, struct problem *p)
{
	struct str texts[FIELD_COUNT];
	uint64_t sets[FIELD_COUNT];
	*out = (struct cron){0};
	line = str_trim(line);
	enum err err = str_starts(line, STR("@")) ? expand(&line, p) : OK;
	if (err)
		return err;
	size_t count = split(line, texts);
	if (count != FIELD_COUNT)
		return wrong_count(count, p);
	for (int i = 0; !err && i < FIELD_COUNT; i++) {
		struct parser x = {.field = &fields[i], .out = out, .problem = p};
		err = read_field(&x, texts[i], &sets[i]);
	}
	if (err)
		return err;
	take_sets(out, sets, texts);
	if (cron_wall_minute(out, 0) == INT64_MAX)
		return problem_field(p, ERR_INVALID, "cron",
				     "never fires: no such day (%.*s) comes in such a month (%.*s)",
				     STRF(texts[DAY]), STRF(texts[MONTH]));
	return OK;
}
