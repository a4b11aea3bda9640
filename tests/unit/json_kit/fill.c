/*
 * Random values by the rows of their type. Lengths are mostly small, so that thousands of structs are quickly made.
 */
#include "fill.h"

#include "base/magic.h"

#include <math.h>
#include <string.h>

static bool chance(struct rng *r, unsigned one_in)
{
	return rng_below(r, one_in) == 0;
}

/* ---- text ---- */

/* One character of 1 to 4 bytes, often one that needs an escape; never NUL. Returns its bytes. */
static size_t put_character(struct rng *r, char out[4])
{
	static const char special[] = "\"\\/\b\f\n\r\t\x01\x1f\x7f ";
	static const char *const long_ones[] = {"\xc2\x80",         "\xc3\xa9",        "\xdf\xbf",
						"\xe2\x82\xac",     "\xef\xbf\xbd",    "\xe2\x80\xa8",
						"\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
	const char *chosen;

	if (chance(r, 6)) {
		out[0] = special[rng_below(r, sizeof(special) - 1)];
		return 1;
	}
	if (!chance(r, 4)) {
		out[0] = (char)('a' + rng_below(r, 26));
		return 1;
	}
	chosen = long_ones[rng_below(r, sizeof(long_ones) / sizeof(long_ones[0]))];
	memcpy(out, chosen, strlen(chosen));
	return strlen(chosen);
}

static size_t some_length(struct rng *r, uint64_t min, uint64_t max)
{
	uint64_t most = max < min + 40 ? max : min + 40;

	if (chance(r, 16) && max <= 2000)
		return max;
	return chance(r, 8) ? min : min + rng_below(r, most - min + 1);
}

static struct str some_text(struct rng *r, struct arena *a, uint64_t min, uint64_t max)
{
	size_t characters = some_length(r, min, max), n = 0;
	char *p = arena_alloc(a, characters * 4 + 1);

	CHECK(p);
	while (characters--)
		n += put_character(r, p + n);
	return (struct str){p, n};
}

/* ---- JSON ---- */

static void put_json(struct rng *r, struct arena *a, unsigned depth, struct buf *b);

static void put_array(struct rng *r, struct arena *a, unsigned depth, struct buf *b)
{
	unsigned count = (unsigned)rng_below(r, 4);

	buf_c(b, '[');
	for (unsigned i = 0; i < count; i++) {
		if (i)
			buf_c(b, ',');
		put_json(r, a, depth - 1, b);
	}
	buf_c(b, ']');
}

static void put_object(struct rng *r, struct arena *a, unsigned depth, struct buf *b)
{
	unsigned count = (unsigned)rng_below(r, chance(r, 40) ? 40 : 4);

	buf_c(b, '{');
	for (unsigned i = 0; i < count; i++) {
		buf_fmt(b, "%s\"%u%c\":", i ? "," : "", i, (int)('a' + rng_below(r, 26)));
		put_json(r, a, depth - 1, b);
	}
	buf_c(b, '}');
}

static void put_json(struct rng *r, struct arena *a, unsigned depth, struct buf *b)
{
	static const char *const scalars[] = {"null", "true",   "false", "0",          "-0",
					      "12",   "-1.5e3", "1E-2",  "\"\\u00e9\""};
	uint64_t kind = rng_below(r, depth ? 5 : 3);

	if (chance(r, 8))
		buf_c(b, ' ');
	if (kind == 4)
		put_object(r, a, depth, b);
	else if (kind == 3)
		put_array(r, a, depth, b);
	else if (kind == 2)
		buf_json_text(b, some_text(r, a, 0, 12));
	else
		buf_z(b, scalars[rng_below(r, sizeof(scalars) / sizeof(scalars[0]))]);
}

struct str fill_json(struct rng *r, struct arena *a, size_t most)
{
	struct buf b = BUF_INIT(0);
	struct str s;

	do {
		buf_reset(&b);
		put_json(r, a, (unsigned)rng_below(r, 6), &b);
		s = str_trim(buf_str(&b));
	} while (s.n > most);
	s = arena_str(a, s);
	buf_free(&b);
	return s;
}

/* ---- values ---- */

static int64_t some_integer(struct rng *r, int64_t min, int64_t max)
{
	uint64_t span = (uint64_t)max - (uint64_t)min;

	if (chance(r, 8))
		return chance(r, 2) ? min : max;
	return (int64_t)((uint64_t)min + (span == UINT64_MAX ? rng_u64(r) : rng_below(r, span + 1)));
}

static double some_real(struct rng *r, int64_t min, int64_t max)
{
	double v;

	if (chance(r, 4))
		return (double)some_integer(r, min, max);
	do {
		uint64_t bits = rng_u64(r);

		memcpy(&v, &bits, sizeof(v));
		if (chance(r, 2))
			v = (double)min + ((double)max - (double)min) * (double)rng_below(r, 1000003) / 1000003;
	} while (!isfinite(v) || v < (double)min || v > (double)max);
	return v;
}

static int64_t some_time(struct rng *r)
{
	return some_integer(r, chance(r, 4) ? -62167219200000 : 0, 253402300799999);
}

static size_t *count_of(const struct json_field *f, void *out)
{
	return (size_t *)(void *)((char *)out + f->count_offset);
}

static size_t some_count(struct rng *r, uint32_t max)
{
	return chance(r, 20) && max <= 100 ? max : rng_below(r, (max < 5 ? max : 5) + 1);
}

static void fill_texts(const struct json_field *f, struct rng *r, struct arena *a, struct str **v, size_t *count)
{
	*count = some_count(r, f->max_count);
	*v = ARENA_ARRAY(a, struct str, *count);
	for (size_t i = 0; i < *count; i++)
		(*v)[i] = some_text(r, a, 1, (uint64_t)f->max);
}

/* Some of the values, each once. */
static void fill_enums(const struct json_field *f, struct rng *r, struct arena *a, int **v, size_t *count)
{
	int values = ((const struct json_enum *)f->of)->count;

	*v = ARENA_ARRAY(a, int, (size_t)values);
	*count = 0;
	for (int value = 0; value < values; value++)
		if (*count < f->max_count && chance(r, 2))
			(*v)[(*count)++] = value;
	for (size_t i = *count; i > 1; i--) {
		size_t other = (size_t)rng_below(r, i);
		int swapped = (*v)[i - 1];

		(*v)[i - 1] = (*v)[other];
		(*v)[other] = swapped;
	}
}

static bool has_key(const struct json_pair *v, size_t count, struct str key)
{
	while (count--)
		if (str_eq(v[count].key, key))
			return true;
	return false;
}

static void fill_map(const struct json_field *f, struct rng *r, struct arena *a, struct json_pair **v,
		     size_t *count)
{
	*count = some_count(r, f->max_count);
	*v = ARENA_ARRAY(a, struct json_pair, *count);
	for (size_t i = 0; i < *count; i++) {
		do
			(*v)[i].key = some_text(r, a, 1, (uint64_t)f->max);
		while (has_key(*v, i, (*v)[i].key));
		(*v)[i].value = some_text(r, a, 0, (uint64_t)f->max);
	}
}

static void fill_objects(const struct json_field *f, struct rng *r, struct arena *a, char **v, size_t *count)
{
	const struct json_type *of = f->of;

	*count = some_count(r, f->max_count);
	*v = arena_array(a, *count, of->size);
	for (size_t i = 0; i < *count; i++)
		fill_random(of, r, a, *v + i * of->size);
}

static void fill_value(const struct json_field *f, struct rng *r, struct arena *a, void *out)
{
	void *at = (char *)out + f->offset;

	switch (f->kind) {
	case JSON_BOOL:
		*(bool *)at = chance(r, 2);
		break;
	case JSON_INT:
	case JSON_MS:
		*(int64_t *)at = some_integer(r, f->min, f->max);
		break;
	case JSON_REAL:
		*(double *)at = some_real(r, f->min, f->max);
		break;
	case JSON_TEXT:
		*(struct str *)at = some_text(r, a, (uint64_t)f->min, (uint64_t)f->max);
		break;
	case JSON_ENUM:
		*(int *)at = (int)rng_below(r, (uint64_t)((const struct json_enum *)f->of)->count);
		break;
	case JSON_TIME:
		*(int64_t *)at = some_time(r);
		break;
	case JSON_ID:
		*(int64_t *)at = some_integer(r, 1, INT64_MAX);
		break;
	case JSON_RAW:
		*(struct str *)at = fill_json(r, a, (size_t)f->max);
		break;
	case JSON_OBJECT:
		fill_random(f->of, r, a, at);
		break;
	case JSON_TEXTS:
		fill_texts(f, r, a, at, count_of(f, out));
		break;
	case JSON_ENUMS:
		fill_enums(f, r, a, at, count_of(f, out));
		break;
	case JSON_OBJECTS:
		fill_objects(f, r, a, at, count_of(f, out));
		break;
	case JSON_MAP:
		fill_map(f, r, a, at, count_of(f, out));
		break;
	}
}

void fill_random(const struct json_type *t, struct rng *r, struct arena *a, void *out)
{
	uint64_t seen = 0, nulls = 0;

	memset(out, 0, t->size);
	for (uint32_t i = 0; i < t->field_count; i++) {
		const struct json_field *f = &t->fields[i];

		if (f->need != JSON_REQUIRED && chance(r, 3)) {
			nulls |= (uint64_t)(f->need == JSON_NULLABLE) << i;
			continue;
		}
		fill_value(f, r, a, out);
		seen |= UINT64_C(1) << i;
	}
	*(uint64_t *)(void *)((char *)out + t->seen_offset) = seen;
	*(uint64_t *)(void *)((char *)out + t->nulls_offset) = nulls;
}
