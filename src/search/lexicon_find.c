/*
 * Beginnings by bisection, neighbours by a walk over the sorted words that keeps one row of the distance table per
 * character: words share the rows of their common beginning, and where every cell of a row is over the limit, all
 * words that begin like this are passed over at once.
 */
#include "search/lexicon_priv.h"

#include <endian.h>
#include <string.h>

/* A beginning to compare with; its first eight bytes as in an entry. */
struct beginning {
	struct str text;
	uint64_t key, mask;
};

static struct beginning beginning_of(struct str text)
{
	struct beginning b = {.text = text};

	for (size_t i = 0; i < 8; i++) {
		b.key = b.key << 8 | (i < text.n ? (unsigned char)text.p[i] : 0);
		b.mask = b.mask << 8 | (i < text.n ? 0xff : 0);
	}
	return b;
}

/* The beginning of an entry against `b`: before, 0 when it is the same, after. */
static int order_of_beginning(const struct entry *e, const struct beginning *b)
{
	uint64_t key = e->key & b->mask;
	struct str w;

	if (key != b->key)
		return key < b->key ? -1 : 1;
	if (b->text.n <= 8)
		return 0;
	w = word_text(e->word);
	if (w.n > b->text.n)
		w.n = b->text.n;
	return str_cmp(w, b->text);
}

/* The first entry from `from` on whose beginning is not before `text`; with `past`, is after it. Doubling steps: it
 * is often near. */
static uint32_t seek(const struct run *r, uint32_t from, struct str text, bool past)
{
	struct beginning b = beginning_of(text);
	uint32_t low = from, step = 1, high;

	while (low + step < r->n && order_of_beginning(&r->v[low + step], &b) < past) {
		low += step;
		step *= 2;
	}
	high = low + step < r->n ? low + step : r->n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (order_of_beginning(&r->v[middle], &b) < past)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_docs(const struct word *w)
{
	return atomic_load_explicit(&w->docs, memory_order_relaxed) > 0;
}

void lexicon_beginning(struct gen *g, struct str prefix, lexicon_found_fn *found, void *whose)
{
	const struct lexicon *l = atomic_load_explicit(&g->lexicon, memory_order_acquire);
	uint32_t tail = atomic_load_explicit((_Atomic uint32_t *)(uintptr_t)&l->tail_n, memory_order_acquire);
	struct beginning b = beginning_of(prefix);

	for (uint32_t i = 0; i < l->run_count; i++) {
		const struct run *r = l->runs[i];

		for (uint32_t j = seek(r, 0, prefix, false); j < r->n && !order_of_beginning(&r->v[j], &b); j++)
			if (has_docs(r->v[j].word))
				found(whose, r->v[j].word, 0);
	}
	for (uint32_t i = 0; i < tail; i++)
		if (str_starts(word_text(l->tail[i]), prefix) && has_docs(l->tail[i]))
			found(whose, l->tail[i], 0);
}

/* ---- distance ---- */

/* rows[i][j]: edits between the first i characters of the candidate and the first j of the word. A character is its
 * bytes, the first one on top: they are in order as the words are. */
struct walk {
	uint32_t word[TERM_BYTES_MAX], candidate[TERM_BYTES_MAX];
	uint32_t n, edits;
	uint8_t rows[TERM_BYTES_MAX + 1][TERM_BYTES_MAX + 2];
	lexicon_found_fn *found;
	void *whose;
};

/* A word, character by character: from the key for as long as that will do. */
struct spelling {
	const struct entry *e;
	struct str rest;
	bool whole; /* nothing comes after the rest */
	char head[8];
};

static uint32_t next_char(struct str *s)
{
	size_t n = s->n && (unsigned char)*s->p < 0x80 ? 1 : str_utf8_step(*s);
	uint32_t c = 0;

	for (size_t i = 0; i < (n ? n : 1); i++)
		c |= (uint32_t)(unsigned char)s->p[i] << (24 - 8 * i);
	*s = (struct str){s->p + (n ? n : 1), s->n - (n ? n : 1)};
	return c;
}

static void spell(struct spelling *s, const struct entry *e)
{
	uint64_t key = htobe64(e->key);

	memcpy(s->head, &key, sizeof(key));
	s->e = e;
	s->rest = (struct str){s->head, strnlen(s->head, sizeof(s->head))};
	s->whole = s->rest.n < sizeof(s->head);
}

/* 0 at its end. */
static uint32_t spell_next(struct spelling *s)
{
	if (!s->whole && (!s->rest.n || (unsigned char)*s->rest.p >= 0x80)) {
		struct str text = word_text(s->e->word);
		size_t used = sizeof(s->head) - s->rest.n;

		s->rest = (struct str){text.p + used, text.n - used};
		s->whole = true;
	}
	return s->rest.n ? next_char(&s->rest) : 0;
}

static uint8_t least(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

/* Two edits are for words with the same first character. */
static uint32_t edits_of(const struct walk *w)
{
	return w->candidate[0] == w->word[0] ? w->edits : 1;
}

static uint8_t cell(const struct walk *w, uint32_t i, uint32_t j)
{
	bool same = w->candidate[i - 1] == w->word[j - 1];
	uint8_t d = (uint8_t)(w->rows[i - 1][j - 1] + !same);

	d = least(d, (uint8_t)(w->rows[i - 1][j] + 1));
	d = least(d, (uint8_t)(w->rows[i][j - 1] + 1));
	if (i > 1 && j > 1 && w->candidate[i - 1] == w->word[j - 2] && w->candidate[i - 2] == w->word[j - 1])
		d = least(d, (uint8_t)(w->rows[i - 2][j - 2] + 1));
	return d;
}

/* Row i; only the cells that can be within the limit are true, those beside them are over it. Whether any is. */
static bool fill_row(struct walk *w, uint32_t i)
{
	uint32_t from = i > w->edits ? i - w->edits : 0, to = i + w->edits < w->n ? i + w->edits : w->n;
	uint8_t over = (uint8_t)(w->edits + 1), best = over;

	if (from > w->n)
		return false;
	if (from == 0)
		w->rows[i][0] = best = (uint8_t)i;
	else
		w->rows[i][from - 1] = over;
	for (uint32_t j = from ? from : 1; j <= to; j++) {
		w->rows[i][j] = least(over, cell(w, i, j));
		best = least(best, w->rows[i][j]);
	}
	w->rows[i][to + 1] = over;
	return best <= edits_of(w);
}

static void first_row(struct walk *w)
{
	for (uint32_t j = 0; j <= w->n + 1; j++)
		w->rows[0][j] = (uint8_t)(j <= w->edits ? j : w->edits + 1);
}

static void judge(struct walk *w, const struct word *word, uint32_t n)
{
	uint32_t edits;

	if (n + w->edits < w->n || n > w->n + w->edits)
		return;
	edits = w->rows[n][w->n];
	if (edits <= edits_of(w) && has_docs(word))
		w->found(w->whose, word, edits);
}

/* The next character that would do where character i was one edit too many: the word's own at a place where nothing
 * is left to spend. Two that are swapped are among them: to insert the second would have done too. 0 when there is
 * none. */
static uint32_t next_that_does(const struct walk *w, uint32_t i)
{
	uint32_t from = i > w->edits ? i - w->edits : 1, to = i + w->edits < w->n ? i + w->edits : w->n;
	uint32_t next = 0;

	for (uint32_t j = from; j <= to; j++) {
		uint32_t c = w->word[j - 1];

		if (w->rows[i - 1][j - 1] <= edits_of(w) && c > w->candidate[i - 1] && (!next || c < next))
			next = c;
	}
	return next;
}

/* `shared` characters are those of the word before, and their rows are right. Returns how many characters it took
 * to see that nothing that begins like this can be near enough; 0 when the word was judged. */
static uint32_t consider(struct walk *w, const struct entry *e, uint32_t *shared)
{
	struct spelling s;
	uint32_t n = 0, c;
	bool same = true;

	spell(&s, e);
	while ((c = spell_next(&s))) {
		same = same && n < *shared && w->candidate[n] == c;
		w->candidate[n++] = c;
		if (same)
			continue;
		if (!fill_row(w, n)) {
			*shared = n - 1;
			return n;
		}
	}
	*shared = n;
	judge(w, e->word, n);
	return 0;
}

/* The first characters of the candidate as text, and one more. */
static struct str beginning_with(const struct walk *w, uint32_t n, uint32_t c, char *out)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i <= n; i++)
		for (uint32_t rest = i < n ? w->candidate[i] : c; rest; rest <<= 8)
			out[bytes++] = (char)(rest >> 24);
	return (struct str){out, bytes};
}

/* Past all that begins like the candidate, which is hopeless from character n on. */
static uint32_t hop(const struct walk *w, const struct run *r, uint32_t i, uint32_t n)
{
	char text[TERM_BYTES_MAX + 4];
	uint32_t next = n > 1 ? next_that_does(w, n) : 0;

	return seek(r, i, beginning_with(w, n - 1, next, text), !next);
}

static void walk_run(struct walk *w, const struct run *r)
{
	uint32_t shared = 0;

	for (uint32_t i = 0; i < r->n;) {
		uint32_t hopeless = consider(w, &r->v[i], &shared);

		i = hopeless ? hop(w, r, i, hopeless) : i + 1;
	}
}

static void walk_tail(struct walk *w, const struct lexicon *l)
{
	uint32_t n = atomic_load_explicit((_Atomic uint32_t *)(uintptr_t)&l->tail_n, memory_order_acquire);
	uint32_t shared = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct entry e = {beginning_of(word_text(l->tail[i])).key, l->tail[i]};

		consider(w, &e, &shared);
	}
}

void lexicon_similar(struct gen *g, struct str word, uint32_t edits, lexicon_found_fn *found, void *whose)
{
	const struct lexicon *l = atomic_load_explicit(&g->lexicon, memory_order_acquire);
	struct walk w = {.edits = edits, .found = found, .whose = whose};

	CHECK(edits >= 1 && edits <= EDITS_MAX && word.n <= TERM_BYTES_MAX);
	while (word.n)
		w.word[w.n++] = next_char(&word);
	first_row(&w);
	for (uint32_t i = 0; i < l->run_count; i++)
		walk_run(&w, l->runs[i]);
	walk_tail(&w, l);
}
