/*
 * Populations from files: CSV and JSONL, record by record, twice: to count them and to take them.
 *
 * Each record is an agent, each field an attribute by the name of its column or member. A field is converted to what
 * the scenario declares; empty ones, and null, are absent, and are made at the end like all that the file has not.
 *
 * CSV (RFC 4180):   quote                  quote
 *          START ──────────► QUOTED ──────────────────► CLOSED ── quote ──► QUOTED (one quote)
 *            │ other             │ other: kept, line feeds too │ comma, end of line: the field ends
 *            ▼                                               ▼ other: refused
 *          PLAIN: to a comma or the end of the line; a quote in it is refused
 */
#include "sim/nearest.h"
#include "sim/population_priv.h"
#include "sim/scenario.h"
#include "json/json.h"
#include "json/pick.h"

#include "base/magic.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 256, FIELD_MAX = 1 << 20, NAME_SHOWN = 64, LEFT_OUT = -2, IDS = -1 };

struct reader {
	const struct scenario *s;
	struct problem *problem;
	struct buf *left_out;
	struct population *p;
	uint32_t agent;
	struct str rest; /* of the file */
	size_t line;     /* where rest begins, and the record that is being read */
	size_t record_line;
	uint64_t present;                  /* attributes that the file has a column or a member of */
	bool any_id, this_id, ids_decided; /* by the first record that is sound */
	bool torn;                         /* what follows cannot be told apart any more */
	struct id_set ids;
	struct map unknown; /* names that were left out, by hash */
	struct buf field;   /* a CSV field without its quotes */
	int columns[COLUMNS_MAX];
	unsigned column_count;
	struct memory_stock stock;
	struct memory memory; /* of a JSON value */
};

__attribute__((format(printf, 3, 4))) static enum err refuse(struct reader *r, struct str name, const char *fmt,
							     ...)
{
	char field[sizeof(r->problem->fields[0].field)], detail[sizeof(r->problem->fields[0].detail)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	snprintf(field, sizeof(field), "line %zu: %.*s", r->record_line, STRF(str_clip(name, NAME_SHOWN)));
	return problem_field(r->problem, ERR_INVALID, field, "%s", detail);
}

static struct str name_of(const struct reader *r, int column)
{
	return column == IDS ? STR("id") : population_attribute(r->p, (unsigned)column)->name;
}

/* ---- columns ---- */

static void leave_out(struct reader *r, struct str name)
{
	struct nearest n = nearest_to(name);

	if (map_put(&r->unknown, str_hash(name), r->p))
		return;
	for (unsigned i = 0; i < population_attribute_count(r->p); i++)
		nearest_consider(&n, population_attribute(r->p, i)->name);
	buf_str_add(r->left_out, str_clip(name, NAME_SHOWN));
	buf_z(r->left_out, nearest_hint(&n).text);
	buf_c(r->left_out, '\n');
}

static int column_of(struct reader *r, struct str name)
{
	int i = population_find(r->p, name);

	if (str_eqz(name, "id"))
		return IDS;
	if (i < 0)
		return LEFT_OUT;
	r->present |= UINT64_C(1) << i;
	return i;
}

/* ---- values ---- */

static enum err take_id(struct reader *r, struct str id)
{
	char field[32];

	snprintf(field, sizeof(field), "line %zu: id", r->record_line);
	r->this_id = true;
	return population_take_id(r->p, &r->ids, r->agent, id, field, r->problem);
}

/* The word's place, or -1 and a fault. */
static int find_word(struct reader *r, unsigned i, struct str word)
{
	const struct attribute *a = population_attribute(r->p, i);
	int found = attribute_word(a, word);
	struct nearest n = nearest_to(word);

	if (found >= 0)
		return found;
	nearest_consider_all(&n, a->words, a->word_count);
	refuse(r, a->name, "\"%.*s\" is none of its words%s", STRF(str_clip(word, NAME_SHOWN)),
	       nearest_hint(&n).text);
	return -1;
}

static enum err take_word(struct reader *r, unsigned i, struct str word)
{
	int found = find_word(r, i, word);

	if (found < 0)
		return ERR_INVALID;
	population_set_word(r->p, r->agent, i, (unsigned)found);
	return OK;
}

static bool has_nul(struct str text)
{
	return text.n > 0 && memchr(text.p, 0, text.n);
}

static enum err take_text(struct reader *r, unsigned i, struct str text)
{
	if (text.n > POPULATION_TEXT_MAX || !str_is_utf8(text) || has_nul(text))
		return refuse(r, name_of(r, (int)i), "must be at most %d bytes of UTF-8 without NUL",
			      POPULATION_TEXT_MAX);
	if (!population_set_text(r->p, r->agent, i, text))
		return problem_set(r->problem, ERR_TOO_LARGE, "a population holds at most 1 GiB of texts");
	return OK;
}

static enum err refuse_kind(struct reader *r, unsigned i, const char *wanted, struct str given)
{
	return refuse(r, name_of(r, (int)i), "must be %s, not %.*s", wanted, STRF(str_clip(given, NAME_SHOWN)));
}

/* ---- CSV fields ---- */

static enum err take_plain_words(struct reader *r, unsigned i, struct str text)
{
	uint64_t set = 0;

	while (text.n) {
		struct str word = str_trim(str_cut(text, ';', &text));
		int found = word.n ? find_word(r, i, word) : 0;

		if (found < 0)
			return ERR_INVALID;
		set |= word.n ? UINT64_C(1) << found : 0;
	}
	population_set_words(r->p, r->agent, i, set);
	return OK;
}

static enum err take_plain_number(struct reader *r, unsigned i, struct str text)
{
	double number;

	if (!str_to_f64(text, &number))
		return refuse_kind(r, i, "a number", text);
	population_set_number(r->p, r->agent, i, number);
	return OK;
}

static enum err take_plain_bool(struct reader *r, unsigned i, struct str text)
{
	if (!str_eqz(text, "true") && !str_eqz(text, "false"))
		return refuse_kind(r, i, "true or false", text);
	population_set_bool(r->p, r->agent, i, str_eqz(text, "true"));
	return OK;
}

static enum err take_plain(struct reader *r, int column, struct str text)
{
	unsigned i = (unsigned)column;

	if (column == LEFT_OUT || text.n == 0)
		return OK;
	if (column == IDS)
		return take_id(r, text);
	switch (population_attribute(r->p, i)->kind) {
	case ATTRIBUTE_NUMBER:
		return take_plain_number(r, i, str_trim(text));
	case ATTRIBUTE_BOOL:
		return take_plain_bool(r, i, str_trim(text));
	case ATTRIBUTE_WORD:
		return take_word(r, i, str_trim(text));
	case ATTRIBUTE_WORDS:
		return take_plain_words(r, i, text);
	case ATTRIBUTE_TEXT:
		return take_text(r, i, text);
	}
	UNREACHABLE();
}

/* ---- CSV records ---- */

static int peek(const struct reader *r)
{
	return r->rest.n ? (unsigned char)*r->rest.p : -1;
}

static int take(struct reader *r)
{
	int c = peek(r);

	if (c >= 0)
		r->rest = (struct str){r->rest.p + 1, r->rest.n - 1};
	r->line += c == '\n';
	return c;
}

static bool ends_field(int c)
{
	return c == ',' || c == '\n' || c < 0;
}

/* What is wrong with it, or NULL. */
static const char *read_quoted(struct reader *r)
{
	int c;

	take(r);
	while ((c = take(r)) >= 0 && (c != '"' || peek(r) == '"')) {
		if (c == '"')
			take(r);
		buf_c(&r->field, (char)c);
	}
	if (c < 0)
		return "a field's closing quote is missing";
	if (peek(r) == '\r')
		take(r);
	return ends_field(peek(r)) ? NULL : "something stands between a field's closing quote and the next comma";
}

static const char *read_plain(struct reader *r)
{
	const char *from = r->rest.p;

	while (!ends_field(peek(r)))
		if (take(r) == '"')
			return "a quote inside a field that does not begin with one; quote the field, and "
			       "write its quotes twice";
	buf_add(&r->field, from, (size_t)(r->rest.p - from));
	if (peek(r) != ',' && r->field.n && r->field.p[r->field.n - 1] == '\r')
		r->field.n--;
	return NULL;
}

/* One field into r->field, and what follows it, a comma, is taken; *last: the record ends with it. */
static enum err read_field(struct reader *r, bool *last)
{
	const char *trouble;

	buf_reset(&r->field);
	trouble = peek(r) == '"' ? read_quoted(r) : read_plain(r);
	r->torn = trouble || !buf_ok(&r->field);
	if (trouble)
		return refuse(r, STR("CSV"), "%s", trouble);
	if (r->torn)
		return refuse(r, STR("CSV"), "a field has more than %zu bytes", r->field.max);
	*last = take(r) != ',';
	return OK;
}

static bool skip_blank_line(struct reader *r)
{
	size_t n = r->rest.n && *r->rest.p == '\r' ? 1 : 0;

	if (r->rest.n <= n || r->rest.p[n] != '\n')
		return false;
	r->rest = (struct str){r->rest.p + n + 1, r->rest.n - n - 1};
	r->line++;
	return true;
}

static bool begin_record(struct reader *r)
{
	while (skip_blank_line(r))
		;
	r->record_line = r->line;
	return r->rest.n > 0;
}

static bool has_column(const struct reader *r, int column)
{
	for (unsigned i = 0; i < r->column_count; i++)
		if (r->columns[i] == column)
			return true;
	return false;
}

static enum err take_column(struct reader *r, struct str name)
{
	int column = column_of(r, name);

	if (r->column_count == COLUMNS_MAX)
		return refuse(r, STR("CSV"), "names more than %d columns", COLUMNS_MAX);
	if (column == LEFT_OUT)
		leave_out(r, name);
	else if (has_column(r, column))
		return refuse(r, name, "there are two columns of that name");
	r->columns[r->column_count++] = column;
	return OK;
}

static enum err read_columns(struct reader *r)
{
	bool last = false;
	enum err e = OK;

	begin_record(r);
	while (!e && !last) {
		e = read_field(r, &last);
		if (!e)
			e = take_column(r, str_trim(buf_str(&r->field)));
	}
	return e;
}

static enum err take_record(struct reader *r)
{
	enum err e = OK, torn = OK;
	unsigned count = 0;
	bool last = false;

	while (!torn && !last) {
		torn = read_field(r, &last);
		if (!torn && !e && count < r->column_count)
			e = take_plain(r, r->columns[count], buf_str(&r->field));
		count++;
	}
	if (torn)
		return torn;
	if (!e && count != r->column_count)
		e = refuse(r, STR("CSV"), "has %u fields, the first line names %u columns", count, r->column_count);
	return e;
}

/* ---- JSONL ---- */

static enum err take_value_words(struct reader *r, unsigned i, const struct value *v, struct str raw)
{
	uint64_t set = 0;

	if (v->kind != VALUE_LIST)
		return refuse_kind(r, i, "a list of words", raw);
	for (uint32_t k = 0; k < v->count; k++) {
		int found = v->items[k].kind == VALUE_TEXT ? find_word(r, i, v->items[k].text) : -1;

		if (v->items[k].kind != VALUE_TEXT)
			return refuse_kind(r, i, "a list of words", raw);
		if (found < 0)
			return ERR_INVALID;
		set |= UINT64_C(1) << found;
	}
	population_set_words(r->p, r->agent, i, set);
	return OK;
}

static enum err take_value(struct reader *r, unsigned i, const struct value *v, struct str raw)
{
	switch (population_attribute(r->p, i)->kind) {
	case ATTRIBUTE_NUMBER:
		if (v->kind != VALUE_NUMBER)
			return refuse_kind(r, i, "a number", raw);
		population_set_number(r->p, r->agent, i, v->number);
		return OK;
	case ATTRIBUTE_BOOL:
		if (v->kind != VALUE_BOOL)
			return refuse_kind(r, i, "true or false", raw);
		population_set_bool(r->p, r->agent, i, v->boolean);
		return OK;
	case ATTRIBUTE_WORD:
		return v->kind == VALUE_TEXT ? take_word(r, i, v->text) : refuse_kind(r, i, "a word", raw);
	case ATTRIBUTE_WORDS:
		return take_value_words(r, i, v, raw);
	case ATTRIBUTE_TEXT:
		return v->kind == VALUE_TEXT ? take_text(r, i, v->text) : refuse_kind(r, i, "a text", raw);
	}
	UNREACHABLE();
}

static enum err take_known(struct reader *r, int column, struct str raw)
{
	struct value v = value_of_json(raw, false, &r->memory);

	if (r->memory.overflowed)
		return refuse(r, name_of(r, column), "is too large");
	if (v.kind == VALUE_NULL)
		return OK;
	if (column != IDS)
		return take_value(r, (unsigned)column, &v, raw);
	return v.kind == VALUE_TEXT ? take_id(r, v.text) : refuse(r, STR("id"), "must be a text");
}

static enum err take_member(struct reader *r, const struct pick *at)
{
	char room[2 * NAME_SHOWN]; /* longer ones are nobody's */
	struct str name = at->name.n < sizeof(room) ? (struct str){room, pick_unescape(at->name, room)} : at->name;
	int column = column_of(r, name);
	enum err e;

	if (column == LEFT_OUT) {
		leave_out(r, name);
		return OK;
	}
	e = take_known(r, column, at->value);
	memory_clear(&r->memory);
	return e;
}

static bool next_line(struct reader *r, struct str *line)
{
	while (r->rest.n) {
		*line = str_trim(str_cut(r->rest, '\n', &r->rest));
		r->record_line = r->line++;
		if (line->n)
			return true;
	}
	return false;
}

static enum err take_line(struct reader *r, struct str line)
{
	struct problem p = {0};
	struct pick at;
	enum err e = json_check(line, &p);

	if (e || line.p[0] != '{')
		return refuse(r, STR("JSONL"), "must be a JSON object%s%s", e ? ": " : "", e ? p.detail : "");
	for (bool more = pick_first(line, '{', &at); more && !e; more = pick_next(&at))
		e = take_member(r, &at);
	return e;
}

/* ---- the whole ---- */

enum population_format population_format_of(struct str path)
{
	struct str ending = STR(".jsonl");
	bool ends = path.n >= ending.n && str_eq((struct str){path.p + path.n - ending.n, ending.n}, ending);

	return ends ? POPULATION_JSONL : POPULATION_CSV;
}

static uint64_t count_lines(struct reader r)
{
	uint64_t count = 0;
	struct str line;

	while (next_line(&r, &line))
		count++;
	return count;
}

static bool skip_record(struct reader *r)
{
	bool last = false;

	while (!last)
		if (read_field(r, &last))
			return false;
	return true;
}

/* Of CSV, without the first. One that is none counts, and ends it: it is refused when it is taken. */
static uint64_t count_records(const struct reader *reader)
{
	struct problem unused = {0};
	struct reader r = *reader;
	uint64_t count = 0;
	bool sound = true;

	r.problem = &unused;
	for (; sound && begin_record(&r); count++)
		sound = skip_record(&r);
	buf_free(&r.field);
	return count > 0 ? count - 1 : 0;
}

/* Either all have an id, or none. */
static enum err check_id(struct reader *r)
{
	if (!r->ids_decided)
		r->any_id = r->this_id;
	r->ids_decided = true;
	if (r->this_id == r->any_id)
		return OK;
	return refuse(r, STR("id"), "%s; either all agents have one, or none",
		      r->any_id ? "is missing" : "stands here and was missing before");
}

static bool begin_next(struct reader *r, enum population_format format, struct str *line)
{
	r->this_id = false;
	return format == POPULATION_CSV ? begin_record(r) : next_line(r, line);
}

/* After a record that is refused the next ones are looked at, for as many faults as a problem has room for. */
static bool goes_on(const struct reader *r, enum err e)
{
	return !e || (e == ERR_INVALID && !r->torn && r->problem->field_count < PROBLEM_FIELDS_MAX);
}

static enum err take_records(struct reader *r, enum population_format format)
{
	enum err first = OK, e = OK;
	struct str line;

	for (; goes_on(r, e) && begin_next(r, format, &line); r->agent++) {
		e = format == POPULATION_CSV ? take_record(r) : take_line(r, line);
		if (!e)
			e = check_id(r);
		first = first ? first : e;
	}
	return first;
}

static enum err take_all(struct reader *r, enum population_format format)
{
	enum err e = format == POPULATION_CSV ? read_columns(r) : OK;

	if (!e)
		e = take_records(r, format);
	if (!e && r->present == 0 && !r->any_id)
		e = problem_set(r->problem, ERR_INVALID,
				"the file names no attribute of scenario %.*s, and no id: is it another's?",
				STRF(scenario_name(r->s)));
	return e;
}

static enum err make_room(struct reader *r, enum population_format format)
{
	uint64_t count = format == POPULATION_CSV ? count_records(r) : count_lines(*r);

	if (count == 0 || count > POPULATION_AGENTS_MAX)
		return problem_set(r->problem, ERR_INVALID, "the file has %llu agents; it must have from 1 to %d",
				   (unsigned long long)count, POPULATION_AGENTS_MAX);
	r->p = population_empty(r->s, (uint32_t)count);
	return OK;
}

static void end(struct reader *r)
{
	memory_clear(&r->memory);
	memory_stock_free(&r->stock);
	buf_free(&r->field);
	map_free(&r->ids.map);
	map_free(&r->unknown);
}

enum err population_read(const struct scenario *s, uint64_t seed, struct str text, enum population_format format,
			 struct population **out, struct buf *left_out, struct problem *p)
{
	struct reader r = {.s = s, .problem = p, .left_out = left_out, .rest = text, .line = 1};
	enum err e;

	*out = NULL;
	if (str_starts(r.rest, STR("\xef\xbb\xbf"))) /* a byte order mark */
		r.rest = (struct str){r.rest.p + 3, r.rest.n - 3};
	r.field = BUF_INIT(FIELD_MAX);
	r.memory = (struct memory){.stock = &r.stock, .max = FIELD_MAX};
	e = make_room(&r, format);
	if (!e)
		e = take_all(&r, format);
	if (!e)
		e = population_fill(s, seed, r.p, r.present, p);
	end(&r);
	if (e)
		population_free(&r.p);
	*out = r.p;
	return e;
}
