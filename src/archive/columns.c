/* See columns.h. Integers are zig-zag varints; of text and bytes the length + 1 stands before them, 0 for NULL. */
#include "archive/columns.h"

#include "base/magic.h"

#include <string.h>

static const char *const type_names[] = {
	[SQL_INT] = "int", [SQL_REAL] = "real", [SQL_BOOL] = "bool", [SQL_TEXT] = "text", [SQL_BYTES] = "bytes"};

/* ---- names ---- */

struct str *columns_names(const struct query *insert, struct arena *a, size_t *count)
{
	struct str *names = ARENA_ARRAY(a, struct str, insert->in_count);

	*count = 0;
	for (unsigned i = 0; names && i < insert->in_count; i++)
		names[(*count)++] = arena_fmt(a, "%s %s", insert->in[i].name, type_names[insert->in[i].type]);
	return names;
}

static int field_named(const struct query *insert, struct str name)
{
	for (unsigned i = 0; i < insert->in_count; i++)
		if (str_eqz(name, insert->in[i].name))
			return (int)i;
	return -1;
}

enum err columns_match(const struct query *insert, const struct str *names, size_t count, struct columns *out,
		       struct problem *p)
{
	*out = (struct columns){.insert = insert};
	if (count == 0 || count > COLUMNS_MAX)
		return problem_set(p, ERR_ARCHIVE, "it does not say what its rows hold");
	for (size_t i = 0; i < count; i++) {
		struct str type, name = str_cut(names[i], ' ', &type);
		int field = field_named(insert, name);

		if (field < 0 || !str_eqz(type, type_names[insert->in[field].type]))
			return problem_set(p, ERR_ARCHIVE,
					   "its rows have a column '%.*s', which this program does not know",
					   STRF(names[i]));
		out->of[i].field = field;
		out->of[i].type = insert->in[field].type;
	}
	out->count = count;
	return OK;
}

/* ---- rows ---- */

static bool is_text(const struct sql_field *f)
{
	return f->type == SQL_TEXT || f->type == SQL_BYTES;
}

static void put_text(struct str s, struct buf *to)
{
	buf_varint(to, s.p ? s.n + 1 : 0);
	buf_str_add(to, s);
}

static void put_real(double v, struct buf *to)
{
	buf_add(to, &v, sizeof v);
}

void row_put(const struct query *insert, const void *row, struct buf *to)
{
	for (unsigned i = 0; i < insert->in_count; i++) {
		const void *at = (const char *)row + insert->in[i].offset;

		switch (insert->in[i].type) {
		case SQL_INT:
			buf_svarint(to, *(const int64_t *)at);
			break;
		case SQL_REAL:
			put_real(*(const double *)at, to);
			break;
		case SQL_BOOL:
			buf_varint(to, *(const bool *)at);
			break;
		case SQL_TEXT:
		case SQL_BYTES:
			put_text(*(const struct str *)at, to);
			break;
		}
	}
}

static bool take_text(struct str *bytes, struct str *out)
{
	uint64_t n;

	*out = (struct str){0};
	if (!take_varint(bytes, &n))
		return false;
	if (n == 0)
		return true;
	if (n - 1 > bytes->n)
		return false;
	*out = (struct str){bytes->p, n - 1};
	bytes->p += n - 1;
	bytes->n -= n - 1;
	return true;
}

static bool take_real(struct str *bytes, double *out)
{
	if (bytes->n < sizeof *out)
		return false;
	memcpy(out, bytes->p, sizeof *out);
	bytes->p += sizeof *out;
	bytes->n -= sizeof *out;
	return true;
}

static bool take_bool(struct str *bytes, bool *out)
{
	uint64_t v;
	bool taken = take_varint(bytes, &v) && v <= 1;

	*out = taken && v == 1;
	return taken;
}

static bool take_value(enum sql_type type, struct str *bytes, void *at)
{
	switch (type) {
	case SQL_INT:
		return take_svarint(bytes, at);
	case SQL_REAL:
		return take_real(bytes, at);
	case SQL_BOOL:
		return take_bool(bytes, at);
	case SQL_TEXT:
	case SQL_BYTES:
		return take_text(bytes, at);
	}
	UNREACHABLE();
}

/* What a file does not have is empty, and not NULL where it may not be. */
static void make_empty(const struct query *insert, void *row)
{
	memset(row, 0, insert->in_size);
	for (unsigned i = 0; i < insert->in_count; i++) {
		const struct sql_field *f = &insert->in[i];

		if (is_text(f) && !f->nullable)
			*(struct str *)((char *)row + f->offset) = STR("");
	}
}

bool row_take(const struct columns *columns, struct str *bytes, void *row)
{
	make_empty(columns->insert, row);
	for (size_t i = 0; i < columns->count; i++) {
		const struct sql_field *f = &columns->insert->in[columns->of[i].field];
		void *at = (char *)row + f->offset;

		if (!take_value(columns->of[i].type, bytes, at))
			return false;
		if (is_text(f) && !f->nullable && !((struct str *)at)->p)
			return false;
	}
	return true;
}

void row_keep(const struct query *insert, void *row, struct arena *a)
{
	for (unsigned i = 0; i < insert->in_count; i++) {
		struct str *text = (struct str *)((char *)row + insert->in[i].offset);

		if (is_text(&insert->in[i]))
			*text = arena_kept(a, *text);
	}
}
