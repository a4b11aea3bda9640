/*
 * Lookups in the tables of unicode.def: ASCII by comparison, the rest by bisection, since most text is ASCII and
 * ten steps are cheap for what is not. Invariant of the tables: sorted, and no two runs overlap.
 */
#include "search/unicode_priv.h"

#include "base/str.h"

#include <string.h>

struct class_row {
	uint32_t first;
	uint8_t kind;
};

struct shift_row {
	uint32_t first, last;
	uint8_t step;
	int32_t delta;
};

struct text_row {
	uint32_t code;
	char text[FOLD_BYTES_MAX];
};

#define CLASS(first, kind) {first, CHAR_##kind},
static const struct class_row classes[] = {
#include "search/unicode.def"
};
#undef CLASS

#define SHIFT(first, last, step, delta) {first, last, step, delta},
static const struct shift_row shifts[] = {
#include "search/unicode.def"
};
#undef SHIFT

#define TEXT(code, text) {code, text},
static const struct text_row texts[] = {
#include "search/unicode.def"
};
#undef TEXT

#define ROWS(table)       (sizeof(table) / sizeof((table)[0]))
#define LAST_AT(table, c) last_at((table), sizeof((table)[0]), ROWS(table), (c))
enum { TABLE_END = 0x20000, RARE_IDEOGRAPHS_END = 0x40000 };

/* The last row whose first member is at most c; the first row when there is none. */
static size_t last_at(const void *table, size_t row_bytes, size_t rows, uint32_t c)
{
	size_t low = 0, high = rows;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		uint32_t first;

		memcpy(&first, (const char *)table + middle * row_bytes, sizeof(first));
		if (first <= c)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static enum char_kind ascii_kind(uint32_t c)
{
	if (c - 'a' < 26)
		return CHAR_LOWER;
	if (c - 'A' < 26)
		return CHAR_UPPER;
	return c - '0' < 10 ? CHAR_DIGIT : CHAR_BETWEEN;
}

enum char_kind unicode_kind(uint32_t c)
{
	if (c < 0x80)
		return ascii_kind(c);
	if (c >= TABLE_END)
		return c < RARE_IDEOGRAPHS_END ? CHAR_PAIRED : CHAR_DROPPED;
	return (enum char_kind)classes[LAST_AT(classes, c)].kind;
}

static uint32_t shifted(uint32_t c)
{
	const struct shift_row *row = &shifts[LAST_AT(shifts, c)];

	if (c < row->first || c > row->last || (c - row->first) % row->step)
		return c;
	return (uint32_t)((int32_t)c + row->delta);
}

size_t unicode_fold(uint32_t c, char out[FOLD_BYTES_MAX])
{
	const struct text_row *row;

	if (c < 0x80) {
		out[0] = (char)(c - 'A' < 26 ? c + 32 : c);
		return 1;
	}
	row = &texts[LAST_AT(texts, c)];
	if (row->code == c) {
		memcpy(out, row->text, FOLD_BYTES_MAX);
		return strnlen(out, FOLD_BYTES_MAX);
	}
	return str_utf8_put(shifted(c), out);
}
