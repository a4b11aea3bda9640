/*
 * Taking texts apart: each occurrence becomes one number (stem, word, field), the numbers are sorted, and runs of
 * equal ones are counts.
 */
#include "search/doc_priv.h"

#include "search/words_priv.h"

#include <string.h>

enum { ID_BITS = 30, FIELD_BITS = 4, NAME_FIELD = (1 << FIELD_BITS) - 1 };

struct tally {
	VEC(uint64_t) occurrences;
	struct buf packed;
	uint32_t lengths[SEARCH_FIELDS_MAX];
	uint32_t stem_count;
};

struct tally *tally_new(void)
{
	struct tally *g = NEW(struct tally);

	g->packed = BUF_INIT(0);
	return g;
}

void tally_destroy(struct tally **g)
{
	if (!*g)
		return;
	VEC_FREE(&(*g)->occurrences);
	buf_free(&(*g)->packed);
	free(*g);
	*g = NULL;
}

/* ---- reading ---- */

struct doc_read doc_read(const struct doc *d)
{
	return (struct doc_read){.rest = {(const char *)d->packed, d->bytes}};
}

/* Our own packing: every number is there. Most are one or two bytes. */
static uint32_t take(struct str *s)
{
	uint32_t v = 0;

	for (unsigned shift = 0;; shift += 7) {
		unsigned char byte = (unsigned char)*s->p++;

		s->n--;
		v |= (byte & 0x7fU) << shift;
		if (byte < 0x80)
			return v;
	}
}

static void take_words(struct doc_read *r, struct doc_stem *out)
{
	const char *from;

	out->word_count = take(&r->rest);
	from = r->rest.p;
	for (uint32_t i = 0; i < out->word_count; i++)
		take(&r->rest);
	out->words = (struct str){from, (size_t)(r->rest.p - from)};
}

bool doc_next(struct doc_read *r, struct doc_stem *out)
{
	uint32_t head;

	if (!r->rest.n)
		return false;
	head = take(&r->rest);
	out->stem = r->stem += head >> 1;
	out->word_count = 1;
	out->words = (struct str){0};
	if (head & 1)
		take_words(r, out);
	out->fields = (uint8_t)*r->rest.p++;
	r->rest.n--;
	memset(out->counts, 0, sizeof(out->counts));
	for (uint32_t rest = out->fields; rest; rest &= rest - 1)
		out->counts[__builtin_ctz(rest)] = take(&r->rest);
	return true;
}

uint32_t doc_word_next(struct doc_stem *stem)
{
	return stem->words.n ? take(&stem->words) : stem->stem;
}

/* ---- worth ---- */

double doc_field_tf(const struct search *s, const struct doc_stem *stem, const uint32_t *lengths, uint32_t field)
{
	const struct field *f = &s->fields[field];

	return f->weight * stem->counts[field] / (1 - f->b + f->b * lengths[field] / f->pivot);
}

uint16_t doc_worth(const struct search *s, const struct doc_stem *stem, const uint32_t *lengths)
{
	double tf = 0, worth;

	if (!stem->fields)
		return WORTH_MAX;
	for (uint32_t f = 0; f < s->field_count; f++)
		if (stem->fields >> f & 1)
			tf += doc_field_tf(s, stem, lengths, f);
	worth = tf / (s->k1 + tf) * (WORTH_MAX + 1);
	return worth < 1 ? 1 : worth > WORTH_MAX ? WORTH_MAX : (uint16_t)worth;
}

/* ---- tallying ---- */

static void occurs(struct tally *g, const struct word *w, uint32_t field)
{
	CHECK((w->stem | w->id) >> ID_BITS == 0);
	*VEC_PUSH(&g->occurrences) =
		(uint64_t)w->stem << (ID_BITS + FIELD_BITS) | (uint64_t)w->id << FIELD_BITS | field;
}

static void add_name(struct search *s, struct str line)
{
	char joined[TERM_BYTES_MAX];
	size_t n;

	tokens_split(&s->tokens, line);
	if (tokens_joined(&s->tokens, joined, &n))
		occurs(s->tally, word_intern_name(s, (struct str){joined, n}), NAME_FIELD);
}

/* A line is a name, and so is what follows its last slash: "io.github.someone/weather" is met by "weather". */
static void add_names(struct search *s, struct str text)
{
	while (text.p) {
		struct str line = str_cut(text, '\n', &text);
		size_t tail = line.n;

		while (tail > 0 && line.p[tail - 1] != '/')
			tail--;
		add_name(s, line);
		if (tail)
			add_name(s, (struct str){line.p + tail, line.n - tail});
	}
}

static void add_text(struct search *s, uint32_t field, struct str text)
{
	struct tally *g = s->tally;

	tokens_split(&s->tokens, text);
	for (size_t i = 0; i < s->tokens.list.n; i++) {
		const struct token *t = &s->tokens.list.v[i];
		bool typed = t->kind != TOKEN_PAIR && t->kind != TOKEN_SINGLE;

		occurs(g, word_intern(s, token_text(&s->tokens, t), typed), field);
		g->lengths[field] += token_is_place(t);
	}
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint32_t stem_in(uint64_t occurrence)
{
	return (uint32_t)(occurrence >> (ID_BITS + FIELD_BITS));
}

static uint32_t word_in(uint64_t occurrence)
{
	return occurrence >> FIELD_BITS & ((1U << ID_BITS) - 1);
}

static uint32_t words_in(const uint64_t *v, size_t n)
{
	uint32_t words = 1;

	for (size_t i = 1; i < n; i++)
		words += word_in(v[i]) != word_in(v[i - 1]);
	return words;
}

static void pack_words(struct buf *b, const uint64_t *v, size_t n)
{
	buf_varint(b, words_in(v, n));
	for (size_t i = 0; i < n; i++)
		if (i == 0 || word_in(v[i]) != word_in(v[i - 1]))
			buf_varint(b, word_in(v[i]));
}

static void pack_counts(struct buf *b, const uint64_t *v, size_t n)
{
	uint32_t counts[NAME_FIELD + 1] = {0};
	unsigned fields = 0;

	for (size_t i = 0; i < n; i++)
		counts[v[i] & NAME_FIELD]++;
	for (unsigned f = 0; f < SEARCH_FIELDS_MAX; f++)
		fields |= (counts[f] ? 1U : 0) << f;
	buf_c(b, (char)fields);
	for (unsigned f = 0; f < SEARCH_FIELDS_MAX; f++)
		if (counts[f])
			buf_varint(b, counts[f]);
}

/* Of all occurrences of one stem. */
static void pack_stem(struct buf *b, const uint64_t *v, size_t n, uint32_t distance)
{
	bool others = words_in(v, n) > 1 || word_in(v[0]) != stem_in(v[0]);

	buf_varint(b, (uint64_t)distance << 1 | others);
	if (others)
		pack_words(b, v, n);
	pack_counts(b, v, n);
}

static void pack(struct tally *g)
{
	uint32_t before = 0;

	if (g->occurrences.n)
		qsort(g->occurrences.v, g->occurrences.n, sizeof(uint64_t), by_number);
	buf_reset(&g->packed);
	g->stem_count = 0;
	for (size_t i = 0, next; i < g->occurrences.n; i = next) {
		uint32_t stem = stem_in(g->occurrences.v[i]);

		for (next = i + 1; next < g->occurrences.n && stem_in(g->occurrences.v[next]) == stem;)
			next++;
		pack_stem(&g->packed, g->occurrences.v + i, next - i, stem - before);
		before = stem;
		g->stem_count++;
	}
	CHECK(buf_ok(&g->packed));
}

struct doc *doc_new(struct search *s, const struct search_doc *from)
{
	struct tally *g = s->tally;
	struct doc *d;

	g->occurrences.n = 0;
	memset(g->lengths, 0, sizeof(g->lengths));
	for (uint32_t f = 0; f < s->field_count; f++) {
		add_text(s, f, from->texts[f]);
		if (s->fields[f].is_name)
			add_names(s, from->texts[f]);
	}
	pack(g);
	d = mem_new(&s->memory, sizeof(*d) + g->packed.n);
	d->id = from->id;
	d->stem_count = g->stem_count;
	d->bytes = (uint32_t)g->packed.n;
	memcpy(d->lengths, g->lengths, sizeof(d->lengths));
	if (g->packed.n)
		memcpy(d->packed, g->packed.p, g->packed.n);
	return d;
}
