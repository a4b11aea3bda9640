/*
 * A column for each attribute, as narrow as its kind allows, with a value of the kind that means absent. Texts lie in
 * chunks that never move, one behind the other, each with its length before it; a column has their places.
 */
#include "sim/population_priv.h"

#include "base/arena.h"
#include "base/magic.h"
#include "base/vec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	POPULATION_MAGIC = 0x706f7075,
	BOOL_ABSENT = 2,
	WORD_ABSENT = POPULATION_WORD_MAX,
	CHUNK_BITS = 20,
	CHUNK_BYTES = 1 << CHUNK_BITS,
	CHUNKS_MAX = 1 << 10, /* 1 GiB of texts */
	DIGITS_LEAST = 3,
};
static const uint32_t text_absent = UINT32_MAX;

struct column {
	union {
		double *numbers;
		uint8_t *bytes; /* bools and words */
		uint64_t *sets;
		uint32_t *texts; /* places */
	};
};

struct population {
	unsigned magic;
	uint32_t count;
	int digits; /* of ids that are made up */
	unsigned attribute_count;
	struct attribute *attributes;
	struct column *columns;
	uint32_t *ids; /* places; NULL: all are made up */
	VEC(char *) chunks;
	uint32_t chunk_used;
	struct arena *arena; /* attributes, their names and words */
	uint64_t bytes;
};

/* ---- making and freeing ---- */

static size_t width(enum attribute_kind kind)
{
	switch (kind) {
	case ATTRIBUTE_NUMBER:
		return sizeof(double);
	case ATTRIBUTE_BOOL:
	case ATTRIBUTE_WORD:
		return 1;
	case ATTRIBUTE_WORDS:
		return sizeof(uint64_t);
	case ATTRIBUTE_TEXT:
		return sizeof(uint32_t);
	}
	UNREACHABLE();
}

static void *take(struct population *p, size_t each)
{
	p->bytes += p->count * each;
	return must_alloc(p->count * each);
}

static void make_column(struct population *p, unsigned i)
{
	enum attribute_kind kind = p->attributes[i].kind;
	struct column *c = &p->columns[i];
	void *values = take(p, width(kind));

	switch (kind) {
	case ATTRIBUTE_NUMBER:
		c->numbers = values;
		for (uint32_t agent = 0; agent < p->count; agent++)
			c->numbers[agent] = (double)NAN;
		break;
	case ATTRIBUTE_BOOL:
		c->bytes = memset(values, BOOL_ABSENT, p->count);
		break;
	case ATTRIBUTE_WORD:
		c->bytes = memset(values, WORD_ABSENT, p->count);
		break;
	case ATTRIBUTE_WORDS:
		c->sets = values;
		break;
	case ATTRIBUTE_TEXT:
		c->texts = memset(values, 0xff, p->count * sizeof(*c->texts)); /* text_absent */
		break;
	}
}

static void copy_attribute(struct arena *a, const struct attribute *from, struct attribute *to)
{
	struct str *words = ARENA_ARRAY(a, struct str, from->word_count);

	CHECK(words || from->word_count == 0);
	for (uint32_t i = 0; i < from->word_count; i++)
		words[i] = arena_str(a, from->words[i]);
	*to = *from;
	to->name = arena_str(a, from->name);
	to->doc = arena_str(a, from->doc);
	to->words = words;
}

static int digits_of(uint32_t last)
{
	int digits = 1;

	while (last >= 10) {
		last /= 10;
		digits++;
	}
	return digits < DIGITS_LEAST ? DIGITS_LEAST : digits;
}

struct population *population_new(const struct attribute *attributes, unsigned attribute_count, uint32_t count)
{
	struct population *p = NEW(struct population);

	CHECK(count > 0 && count <= POPULATION_AGENTS_MAX && attribute_count <= POPULATION_ATTRIBUTES_MAX);
	p->magic = POPULATION_MAGIC;
	p->count = count;
	p->digits = digits_of(count);
	p->attribute_count = attribute_count;
	p->arena = arena_new(1 << 28);
	p->attributes = must_alloc(attribute_count * sizeof(*p->attributes));
	p->columns = must_alloc(attribute_count * sizeof(*p->columns));
	for (unsigned i = 0; i < attribute_count; i++) {
		copy_attribute(p->arena, &attributes[i], &p->attributes[i]);
		make_column(p, i);
	}
	return p;
}

void population_free(struct population **p)
{
	if (*p == NULL)
		return;
	CHECK_OBJ(*p, POPULATION_MAGIC);
	for (unsigned i = 0; i < (*p)->attribute_count; i++)
		free((*p)->columns[i].bytes);
	for (size_t i = 0; i < (*p)->chunks.n; i++)
		free((*p)->chunks.v[i]);
	VEC_FREE(&(*p)->chunks);
	free((*p)->ids);
	free((*p)->columns);
	free((*p)->attributes);
	arena_destroy(&(*p)->arena);
	free(*p);
	*p = NULL;
}

/* ---- texts ---- */

static struct str text_at(const struct population *p, uint32_t place)
{
	const char *at = p->chunks.v[place >> CHUNK_BITS] + (place & (CHUNK_BYTES - 1));
	uint16_t length;

	memcpy(&length, at, sizeof(length));
	return (struct str){at + sizeof(length), length};
}

/* text_absent when there is no more room. */
static uint32_t add_text(struct population *p, struct str text)
{
	uint16_t length = (uint16_t)text.n;
	size_t bytes = sizeof(length) + text.n;
	uint32_t place;
	char *at;

	CHECK(text.n <= POPULATION_TEXT_MAX);
	if (p->chunks.n == 0 || p->chunk_used + bytes > CHUNK_BYTES) {
		if (p->chunks.n == CHUNKS_MAX)
			return text_absent;
		*VEC_PUSH(&p->chunks) = must_alloc(CHUNK_BYTES);
		p->chunk_used = 0;
		p->bytes += CHUNK_BYTES;
	}
	at = p->chunks.v[p->chunks.n - 1] + p->chunk_used;
	memcpy(at, &length, sizeof(length));
	if (text.n)
		memcpy(at + sizeof(length), text.p, text.n);
	place = (uint32_t)(p->chunks.n - 1) << CHUNK_BITS | p->chunk_used;
	p->chunk_used += (uint32_t)bytes;
	return place;
}

/* ---- setting ---- */

static struct column *column_of(struct population *p, uint32_t agent, unsigned attribute, enum attribute_kind kind)
{
	CHECK(agent < p->count && attribute < p->attribute_count && p->attributes[attribute].kind == kind);
	return &p->columns[attribute];
}

void population_set_number(struct population *p, uint32_t agent, unsigned attribute, double v)
{
	CHECK(isfinite(v));
	column_of(p, agent, attribute, ATTRIBUTE_NUMBER)->numbers[agent] = v;
}

void population_set_bool(struct population *p, uint32_t agent, unsigned attribute, bool v)
{
	column_of(p, agent, attribute, ATTRIBUTE_BOOL)->bytes[agent] = v;
}

void population_set_word(struct population *p, uint32_t agent, unsigned attribute, unsigned word)
{
	struct column *c = column_of(p, agent, attribute, ATTRIBUTE_WORD);

	CHECK(word < p->attributes[attribute].word_count);
	c->bytes[agent] = (uint8_t)word;
}

void population_set_words(struct population *p, uint32_t agent, unsigned attribute, uint64_t set)
{
	uint32_t words = p->attributes[attribute].word_count;

	CHECK(words == POPULATION_WORDS_MAX || set >> words == 0);
	column_of(p, agent, attribute, ATTRIBUTE_WORDS)->sets[agent] = set;
}

bool population_set_text(struct population *p, uint32_t agent, unsigned attribute, struct str text)
{
	uint32_t place = add_text(p, text);

	column_of(p, agent, attribute, ATTRIBUTE_TEXT)->texts[agent] = place;
	return place != text_absent;
}

bool population_set_id(struct population *p, uint32_t agent, struct str id)
{
	CHECK(agent < p->count && id.n <= POPULATION_ID_MAX);
	if (!p->ids)
		p->ids = memset(take(p, sizeof(*p->ids)), 0xff, p->count * sizeof(*p->ids)); /* text_absent */
	p->ids[agent] = add_text(p, id);
	return p->ids[agent] != text_absent;
}

/* ---- reading ---- */

uint32_t population_count(const struct population *p)
{
	CHECK_OBJ(p, POPULATION_MAGIC);
	return p->count;
}

uint64_t population_bytes(const struct population *p)
{
	return sizeof(*p) + p->bytes + arena_used(p->arena) +
	       p->attribute_count * (sizeof(*p->attributes) + sizeof(*p->columns));
}

unsigned population_attribute_count(const struct population *p)
{
	return p->attribute_count;
}

const struct attribute *population_attribute(const struct population *p, unsigned i)
{
	CHECK(i < p->attribute_count);
	return &p->attributes[i];
}

int population_find(const struct population *p, struct str name)
{
	for (unsigned i = 0; i < p->attribute_count; i++)
		if (str_eq(p->attributes[i].name, name))
			return (int)i;
	return -1;
}

int attribute_word(const struct attribute *a, struct str word)
{
	for (uint32_t i = 0; i < a->word_count; i++)
		if (str_eq(a->words[i], word))
			return (int)i;
	return -1;
}

struct str population_id(const struct population *p, uint32_t agent, char room[POPULATION_ROOM])
{
	CHECK(agent < p->count);
	if (p->ids && p->ids[agent] != text_absent)
		return text_at(p, p->ids[agent]);
	return (struct str){room, (size_t)snprintf(room, POPULATION_ROOM, "agent_%0*u", p->digits, agent + 1)};
}

bool population_is_absent(const struct population *p, uint32_t agent, unsigned attribute)
{
	const struct column *c = &p->columns[attribute];

	CHECK(agent < p->count && attribute < p->attribute_count);
	switch (p->attributes[attribute].kind) {
	case ATTRIBUTE_NUMBER:
		return isnan(c->numbers[agent]);
	case ATTRIBUTE_BOOL:
		return c->bytes[agent] == BOOL_ABSENT;
	case ATTRIBUTE_WORD:
		return c->bytes[agent] == WORD_ABSENT;
	case ATTRIBUTE_WORDS:
		return c->sets[agent] == 0;
	case ATTRIBUTE_TEXT:
		return c->texts[agent] == text_absent;
	}
	UNREACHABLE();
}

static struct value list_of(const struct attribute *a, uint64_t set, struct value *room)
{
	uint32_t n = 0;

	for (; set; set &= set - 1)
		room[n++] = value_text(a->words[__builtin_ctzll(set)], true);
	return value_list(room, n, false);
}

struct value population_value(const struct population *p, uint32_t agent, unsigned attribute, struct value *room)
{
	const struct attribute *a = &p->attributes[attribute];
	const struct column *c = &p->columns[attribute];

	if (a->kind == ATTRIBUTE_WORDS)
		return list_of(a, c->sets[agent], room);
	if (population_is_absent(p, agent, attribute))
		return (struct value){0};
	switch (a->kind) {
	case ATTRIBUTE_NUMBER:
		return value_number(c->numbers[agent]);
	case ATTRIBUTE_BOOL:
		return value_bool(c->bytes[agent] == 1);
	case ATTRIBUTE_WORD:
		return value_text(a->words[c->bytes[agent]], true);
	case ATTRIBUTE_TEXT:
		return value_text(text_at(p, c->texts[agent]), true);
	case ATTRIBUTE_WORDS:
		break;
	}
	UNREACHABLE();
}
