/*
 * Tables. The columns of a terminal are given out in two steps: each gets what its widest cell needs, then the
 * widest of those that hold free text are made narrower until the line fits; cells that are too long end in "…". In
 * a pipe nothing is cut.
 *
 * Cells come from json_show_field(), which writes control characters as escapes: a title cannot move the cursor.
 */
#include "cli/print.h"

#include "base/magic.h"
#include "cli/cli.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_MAX = 64, GAP = 2, NARROWEST = 4, NEVER_CUT = 80, LONG_MS = 10000 };

size_t print_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col ? size.ws_col : 80;
}

/* ---- the width of text ---- */

static uint32_t code_point(struct str s, size_t step)
{
	static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (unsigned char)s.p[0] & first_bits[step];

	for (size_t i = 1; i < step; i++)
		c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
	return c;
}

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t c, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* The blocks of Unicode's East Asian Width W and F, and of combining marks, as far as titles are likely to go. */
static size_t columns_of(uint32_t c)
{
	static const struct range none[] = {{0x300, 0x36f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
	static const struct range two[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
					   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
					   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
					   {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

	if (is_in(c, none, sizeof(none) / sizeof(none[0])))
		return 0;
	return is_in(c, two, sizeof(two) / sizeof(two[0])) ? 2 : 1;
}

/* Takes the first character off; its columns. */
static size_t take_character(struct str *s)
{
	size_t step = str_utf8_step(*s), columns = step ? columns_of(code_point(*s, step)) : 1;

	step = step ? step : 1;
	*s = (struct str){s->p + step, s->n - step};
	return columns;
}

size_t print_columns(struct str text)
{
	size_t n = 0;

	while (text.n)
		n += take_character(&text);
	return n;
}

size_t print_fits(struct str text, size_t columns)
{
	struct str rest = text;

	while (rest.n) {
		struct str before = rest;
		size_t n = take_character(&rest);

		if (n > columns)
			return (size_t)(before.p - text.p);
		columns -= n;
	}
	return text.n;
}

static void pad(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_c(b, ' ');
}

void print_cell(struct buf *b, struct str text, size_t width, bool last)
{
	size_t has = print_columns(text);
	struct str shown = {text.p, print_fits(text, width - 1)};

	if (has <= width) {
		buf_str_add(b, text);
		pad(b, last ? 0 : width - has);
		return;
	}
	buf_str_add(b, shown);
	buf_z(b, "…");
	pad(b, last ? 0 : width - 1 - print_columns(shown));
}

/* ---- which fields ---- */

struct columns {
	uint32_t fields[COLUMNS_MAX];
	size_t width[COLUMNS_MAX];
	size_t count;
};

static void choose(struct columns *c, const struct json_type *t, const char *names)
{
	struct str rest = str_of(names);

	c->count = 0;
	while (rest.n && c->count < COLUMNS_MAX) {
		const struct json_field *f = json_field_by_name(t, str_cut(rest, ' ', &rest));

		CHECK(f); /* the row of the verb is wrong */
		c->fields[c->count++] = (uint32_t)(f - t->fields);
	}
	for (uint32_t i = 0; !*names && i < t->field_count; i++)
		c->fields[c->count++] = i;
}

/* ---- fields ---- */

static bool is_there(const struct json_type *t, uint32_t field, const void *object)
{
	uint64_t seen;

	memcpy(&seen, (const char *)object + t->seen_offset, sizeof(seen));
	return t->fields[field].need == JSON_REQUIRED || (seen >> field & 1);
}

/* As a column: what a duration is counted in is told with each value. */
static struct str heading_of(const struct json_field *f)
{
	struct str name = str_of(f->name);

	if (f->kind == JSON_MS && name.n > 3 && !memcmp(name.p + name.n - 3, "_ms", 3))
		name.n -= 3;
	return name;
}

/* As json/ shows it, but nobody reads milliseconds of what took long. */
static void show(const struct json_type *t, uint32_t field, const void *object, struct buf *b)
{
	const struct json_field *f = &t->fields[field];
	int64_t ms;

	memcpy(&ms, (const char *)object + f->offset, f->kind == JSON_MS ? sizeof(ms) : 0);
	if (f->kind == JSON_MS && is_there(t, field, object) && ms >= LONG_MS)
		json_show_duration(ms - ms % 1000, b);
	else
		json_show_field(t, field, object, b);
}

/* ---- tables ---- */

struct list {
	const struct json_type *type;
	const char *items;
	size_t count;
};

static bool as_list(const struct json_type *t, const void *object, struct list *out)
{
	const struct json_field *f = json_field_by_name(t, STR("items"));

	if (!f || f->kind != JSON_OBJECTS)
		return false;
	out->type = f->of;
	memcpy(&out->items, (const char *)object + f->offset, sizeof(out->items));
	memcpy(&out->count, (const char *)object + f->count_offset, sizeof(out->count));
	return true;
}

static const void *item(const struct list *l, size_t i)
{
	return l->items + i * l->type->size;
}

static void measure(const struct list *l, struct columns *c)
{
	struct buf text = BUF_INIT(0);

	for (size_t k = 0; k < c->count; k++) {
		c->width[k] = heading_of(&l->type->fields[c->fields[k]]).n;
		for (size_t i = 0; i < l->count; i++) {
			size_t n;

			buf_reset(&text);
			show(l->type, c->fields[k], item(l, i), &text);
			n = print_columns(buf_str(&text));
			c->width[k] = n > c->width[k] ? n : c->width[k];
		}
	}
	buf_free(&text);
}

/* Of a table nobody chose columns for, those that no item has are left out. */
static void drop_unused(const struct list *l, struct columns *c)
{
	size_t kept = 0;

	for (size_t k = 0; k < c->count; k++) {
		bool used = false;

		for (size_t i = 0; i < l->count && !used; i++)
			used = is_there(l->type, c->fields[k], item(l, i));
		if (used)
			c->fields[kept++] = c->fields[k];
	}
	c->count = kept;
}

static size_t total_width(const struct columns *c)
{
	size_t n = GAP * (c->count - 1);

	for (size_t k = 0; k < c->count; k++)
		n += c->width[k];
	return n;
}

/* An id, a token or a time that is cut is of no use; what people wrote still is. */
static bool may_be_cut(const struct json_field *f)
{
	return f->kind == JSON_RAW || f->kind == JSON_OBJECT || f->kind == JSON_OBJECTS || f->kind == JSON_TEXTS ||
	       f->kind == JSON_ENUMS || f->kind == JSON_MAP || (f->kind == JSON_TEXT && f->max > NEVER_CUT);
}

static void squeeze(const struct json_type *t, struct columns *c, size_t width)
{
	while (width && total_width(c) > width) {
		size_t widest = c->count;

		for (size_t k = 0; k < c->count; k++)
			if (may_be_cut(&t->fields[c->fields[k]]) && c->width[k] > NARROWEST &&
			    (widest == c->count || c->width[k] > c->width[widest]))
				widest = k;
		if (widest == c->count)
			return;
		c->width[widest]--;
	}
}

static void heading(struct buf *b, const struct list *l, const struct columns *c)
{
	char name[128];

	for (size_t k = 0; k < c->count; k++) {
		struct str field = heading_of(&l->type->fields[c->fields[k]]);
		size_t n = 0;

		for (; n < field.n && n < sizeof(name); n++) {
			char z = field.p[n];

			name[n] = (char)(z == '_' ? ' ' : z >= 'a' && z <= 'z' ? z - 'a' + 'A' : z);
		}
		pad(b, k ? GAP : 0);
		print_cell(b, (struct str){name, n}, c->width[k], k + 1 == c->count);
	}
	buf_c(b, '\n');
}

static void print_table(const struct list *l, const char *columns, size_t width, struct buf *b)
{
	struct buf text = BUF_INIT(0);
	struct columns c;

	if (l->count == 0) {
		buf_z(b, "(none)\n");
		return;
	}
	choose(&c, l->type, columns);
	if (!*columns)
		drop_unused(l, &c);
	measure(l, &c);
	squeeze(l->type, &c, width);
	heading(b, l, &c);
	for (size_t i = 0; i < l->count; i++) {
		for (size_t k = 0; k < c.count; k++) {
			buf_reset(&text);
			show(l->type, c.fields[k], item(l, i), &text);
			pad(b, k ? GAP : 0);
			print_cell(b, buf_str(&text), c.width[k], k + 1 == c.count);
		}
		buf_c(b, '\n');
	}
	buf_free(&text);
}

/* ---- single things ---- */

/* A list inside a thing, such as the history of an item: a line for each, under its name. */
static void print_inner(const struct json_type *t, uint32_t field, const void *object, size_t width, struct buf *b)
{
	const struct json_field *f = &t->fields[field];
	struct list l = {.type = f->of};

	memcpy(&l.items, (const char *)object + f->offset, sizeof(l.items));
	memcpy(&l.count, (const char *)object + f->count_offset, sizeof(l.count));
	if (l.count == 0)
		return;
	buf_fmt(b, "\n%s\n", f->name);
	print_table(&l, "", width, b);
}

/* As json/ shows text, but for tabs: in code and in what commands write they are meant. */
static void print_line(struct str line, struct buf *b)
{
	json_show_text(str_cut(line, '\t', &line), b);
	while (line.n) {
		buf_c(b, '\t');
		json_show_text(str_cut(line, '\t', &line), b);
	}
}

void print_lines(struct str text, size_t indent, struct buf *b)
{
	print_line(str_cut(text, '\n', &text), b);
	while (text.n) {
		struct str line = str_cut(text, '\n', &text);

		buf_c(b, '\n');
		pad(b, line.n ? indent : 0);
		print_line(line, b);
	}
}

static void print_field(const struct json_type *t, uint32_t field, const void *object, size_t indent, struct buf *b)
{
	struct str text = t->fields[field].kind == JSON_TEXT ? json_text(t, field, object) : (struct str){0};

	print_cell(b, str_of(t->fields[field].name), indent, false);
	if (text.n)
		print_lines(text, indent, b);
	else
		show(t, field, object, b);
	buf_c(b, '\n');
}

static void print_fields(const struct json_type *t, const void *object, const char *columns, size_t width,
			 struct buf *b)
{
	struct columns c;
	size_t longest = 0;

	choose(&c, t, columns);
	for (size_t k = 0; k < c.count; k++) {
		size_t n = strlen(t->fields[c.fields[k]].name);

		if (is_there(t, c.fields[k], object) && n > longest)
			longest = n;
	}
	for (size_t k = 0; k < c.count; k++) {
		const struct json_field *f = &t->fields[c.fields[k]];

		if (is_there(t, c.fields[k], object) && f->kind != JSON_OBJECTS)
			print_field(t, c.fields[k], object, longest + GAP, b);
	}
	for (size_t k = 0; k < c.count; k++)
		if (t->fields[c.fields[k]].kind == JSON_OBJECTS)
			print_inner(t, c.fields[k], object, width, b);
}

void print_object(const struct json_type *t, const void *object, const char *columns, size_t width, struct buf *b)
{
	struct list l;

	if (as_list(t, object, &l))
		print_table(&l, columns, width, b);
	else
		print_fields(t, object, columns, width, b);
}

void print_answer(const struct cli *cli, const struct json_type *t, const void *object, const char *columns)
{
	struct buf b = BUF_INIT(0);

	if (cli->globals.json) {
		json_encode(t, object, 0, &b);
		buf_c(&b, '\n');
	} else {
		print_object(t, object, columns, print_width(), &b);
	}
	fwrite(buf_cstr(&b), 1, b.n, stdout);
	buf_free(&b);
}
