/*
 * One pass over the text. A piece is what is being collected; where it ends it becomes a part of the compound that
 * is open, and where that ends its parts are known for words or get their whole. The folded bytes of a compound's
 * parts follow each other without a gap, so the whole is a range of bytes that is there already.
 */
#include "search/tokens_priv.h"

#include "search/unicode_priv.h"

#include <string.h>

struct scan {
	struct tokens *out;
	struct str rest;
	uint32_t compound_at, piece_at; /* in bytes */
	uint32_t last_at;               /* where the last character of the piece begins */
	uint32_t parts_from;            /* in tokens */
	enum char_kind before;          /* of the character before, CHAR_BETWEEN outside a compound */
	uint32_t capitals;              /* in a row at the end of the piece */
	bool letters, digits;           /* seen in the piece */
};

struct read_char {
	uint32_t c;
	size_t bytes;
	enum char_kind kind;
};

void tokens_free(struct tokens *t)
{
	VEC_FREE(&t->list);
	VEC_FREE(&t->bytes);
}

static uint32_t decoded(const unsigned char *p, size_t bytes)
{
	switch (bytes) {
	case 1:
		return p[0];
	case 2:
		return (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU);
	case 3:
		return (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
	default:
		return (p[0] & 0x07U) << 18 | (p[1] & 0x3fU) << 12 | (p[2] & 0x3fU) << 6 | (p[3] & 0x3fU);
	}
}

/* At the end of the text, and for a byte that is none of UTF-8: something between words. */
static struct read_char peek(struct str s)
{
	size_t bytes = s.n ? str_utf8_step(s) : 0;
	uint32_t c = bytes ? decoded((const unsigned char *)s.p, bytes) : 0;

	return (struct read_char){c, bytes ? bytes : s.n > 0, unicode_kind(c)};
}

static struct str after(struct str s, size_t bytes)
{
	return (struct str){s.p + bytes, s.n - bytes};
}

static bool in_word(enum char_kind kind)
{
	return kind == CHAR_LOWER || kind == CHAR_UPPER || kind == CHAR_DIGIT;
}

static uint32_t end_of_bytes(const struct scan *s)
{
	return (uint32_t)s->out->bytes.n;
}

static void add_bytes(struct scan *s, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*VEC_PUSH(&s->out->bytes) = bytes[i];
}

/* No longer than a term may be, and never half a character. */
static uint8_t cut(const struct scan *s, uint32_t from, uint32_t to)
{
	uint32_t n = to - from;

	if (n <= TERM_BYTES_MAX)
		return (uint8_t)n;
	n = TERM_BYTES_MAX;
	while (n > 0 && ((unsigned char)s->out->bytes.v[from + n] & 0xc0) == 0x80)
		n--;
	return (uint8_t)n;
}

static void emit(struct scan *s, uint32_t from, uint32_t to, enum token_kind kind, size_t parts)
{
	if (to > from)
		*VEC_PUSH(&s->out->list) = (struct token){from, cut(s, from, to), (uint8_t)kind, (uint8_t)parts};
}

/* ---- pieces ---- */

static bool is_ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The runs of letters in "python3" and "lib2to3": two characters at least, one says nothing. */
static void emit_inner(struct scan *s, uint32_t from, uint32_t to)
{
	uint32_t start = from;

	for (uint32_t i = from; i <= to; i++) {
		if (i < to && !is_ascii_digit(s->out->bytes.v[i]))
			continue;
		if (i - start >= 2)
			emit(s, start, i, TOKEN_INNER, 0);
		start = i + 1;
	}
}

/* Ends the piece at a place that may lie before its last character. */
static void end_piece_at(struct scan *s, uint32_t to)
{
	emit(s, s->piece_at, to, TOKEN_PART, 0);
	if (s->letters && s->digits)
		emit_inner(s, s->piece_at, to);
	s->piece_at = to;
	s->letters = s->digits = false;
	s->capitals = 0;
}

static bool all_digits(const struct scan *s)
{
	for (uint32_t i = s->compound_at; i < end_of_bytes(s); i++)
		if (!is_ascii_digit(s->out->bytes.v[i]))
			return false;
	return true;
}

static size_t parts_since(const struct scan *s)
{
	size_t parts = 0;

	for (size_t i = s->parts_from; i < s->out->list.n; i++)
		parts += s->out->list.v[i].kind == TOKEN_PART;
	return parts;
}

/* A path or a version has no whole: nobody asks for one as a word. */
static bool has_whole(const struct scan *s, size_t parts)
{
	return parts > 1 && parts <= COMPOUND_PARTS_MAX && end_of_bytes(s) - s->compound_at <= TERM_BYTES_MAX &&
	       !all_digits(s);
}

static void end_compound(struct scan *s)
{
	size_t parts;

	if (s->before == CHAR_BETWEEN)
		return;
	end_piece_at(s, end_of_bytes(s));
	parts = parts_since(s);
	if (has_whole(s, parts))
		emit(s, s->compound_at, end_of_bytes(s), TOKEN_WHOLE, s->out->list.n - s->parts_from);
	else
		for (size_t i = s->parts_from; i < s->out->list.n; i++)
			if (s->out->list.v[i].kind == TOKEN_PART)
				s->out->list.v[i].kind = TOKEN_WORD;
	s->before = CHAR_BETWEEN;
}

static void begin_compound(struct scan *s)
{
	s->compound_at = s->piece_at = end_of_bytes(s);
	s->parts_from = (uint32_t)s->out->list.n;
	s->capitals = 0;
	s->letters = s->digits = false;
}

/* ---- characters ---- */

/* In "PDFs" the s belongs to the capitals, in "HTTPServer" the S does not. */
static bool plural_of_capitals(const struct scan *s, struct read_char c)
{
	return c.c == 's' && peek(after(s->rest, c.bytes)).kind != CHAR_LOWER;
}

static void camel_boundary(struct scan *s, struct read_char c)
{
	if (c.kind == CHAR_UPPER && s->before == CHAR_LOWER)
		end_piece_at(s, end_of_bytes(s));
	else if (c.kind == CHAR_LOWER && s->before == CHAR_UPPER && s->capitals > 1 && !plural_of_capitals(s, c)) {
		end_piece_at(s, s->last_at);
		s->letters = true;
	}
}

static void add_to_piece(struct scan *s, struct read_char c)
{
	char folded[FOLD_BYTES_MAX];

	if (s->before == CHAR_BETWEEN)
		begin_compound(s);
	camel_boundary(s, c);
	s->last_at = end_of_bytes(s);
	add_bytes(s, folded, unicode_fold(c.c, folded));
	s->capitals = c.kind == CHAR_UPPER ? s->capitals + 1 : 0;
	s->digits |= c.kind == CHAR_DIGIT;
	s->letters |= c.kind != CHAR_DIGIT;
	s->before = c.kind;
}

static void add_symbol(struct scan *s, struct read_char c)
{
	uint32_t at;

	end_compound(s);
	at = end_of_bytes(s);
	add_bytes(s, s->rest.p, c.bytes);
	emit(s, at, end_of_bytes(s), TOKEN_WORD, 0);
}

/* A run of paired characters: each alone, and each with its neighbour. One that has none is a word. */
static void add_paired_run(struct scan *s)
{
	uint32_t before = UINT32_MAX, run = 0;
	struct read_char c;

	end_compound(s);
	while (s->rest.n && ((c = peek(s->rest)).kind == CHAR_PAIRED || (run && c.kind == CHAR_DROPPED))) {
		char folded[FOLD_BYTES_MAX];
		uint32_t at = end_of_bytes(s);

		s->rest = after(s->rest, c.bytes);
		if (c.kind == CHAR_DROPPED)
			continue;
		add_bytes(s, folded, unicode_fold(c.c, folded));
		emit(s, at, end_of_bytes(s), TOKEN_SINGLE, 0);
		if (run++)
			emit(s, before, end_of_bytes(s), TOKEN_PAIR, 0);
		before = at;
	}
	if (run == 1)
		s->out->list.v[s->out->list.n - 1].kind = TOKEN_WORD;
}

/* ---- what stands between ---- */

static bool is_joint(uint32_t c)
{
	return c == '-' || c == '_' || c == '.' || c == 0x2010 || c == 0x2011;
}

static bool is_apostrophe(uint32_t c)
{
	return c == '\'' || c == 0x2019;
}

/* "user's" is user and "don't" is dont. Returns the bytes that were taken, 0 when it is something else. */
static size_t after_apostrophe(struct scan *s, struct str rest)
{
	struct read_char letter = peek(rest);

	if (!in_word(letter.kind) || in_word(peek(after(rest, letter.bytes)).kind))
		return 0;
	if (letter.c != 's' && letter.c != 'S')
		add_to_piece(s, letter);
	return letter.bytes;
}

/* "c++" and "c#" are names; the signs mean nothing behind longer words. */
static size_t language_sign(struct scan *s, struct read_char c)
{
	size_t n = str_starts(s->rest, STR("++")) ? 2 : c.c == '#';

	if (!n || end_of_bytes(s) - s->compound_at != 1 || in_word(peek(after(s->rest, n)).kind))
		return 0;
	add_bytes(s, s->rest.p, n);
	return n;
}

static void pass_between(struct scan *s, struct read_char c)
{
	struct str rest = after(s->rest, c.bytes);
	size_t taken = 0;

	if (s->before == CHAR_BETWEEN) {
		s->rest = rest;
		return;
	}
	if (is_joint(c.c) && in_word(peek(rest).kind)) {
		end_piece_at(s, end_of_bytes(s));
		s->before = CHAR_DIGIT; /* no boundary of a camel here, it is one already */
		s->rest = rest;
		return;
	}
	if (is_apostrophe(c.c))
		taken = after_apostrophe(s, rest);
	else if ((taken = language_sign(s, c)))
		rest = s->rest;
	s->rest = after(rest, taken);
	end_compound(s);
}

static void step(struct scan *s)
{
	struct read_char c = peek(s->rest);

	switch (c.kind) {
	case CHAR_LOWER:
	case CHAR_UPPER:
	case CHAR_DIGIT:
		add_to_piece(s, c);
		break;
	case CHAR_SYMBOL:
		add_symbol(s, c);
		break;
	case CHAR_DROPPED:
		break;
	case CHAR_PAIRED:
		add_paired_run(s);
		return;
	case CHAR_BETWEEN:
		pass_between(s, c);
		return;
	}
	s->rest = after(s->rest, c.bytes);
}

void tokens_split(struct tokens *t, struct str text)
{
	struct scan s = {.out = t, .rest = text, .before = CHAR_BETWEEN};

	t->list.n = t->bytes.n = 0;
	while (s.rest.n)
		step(&s);
	end_compound(&s);
}

bool tokens_joined(const struct tokens *t, char out[TERM_BYTES_MAX], size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < t->list.n; i++) {
		const struct token *token = &t->list.v[i];
		bool counts = token->kind == TOKEN_WORD || token->kind == TOKEN_PART || token->kind == TOKEN_SINGLE;

		if (!counts)
			continue;
		if (*n + token->n > TERM_BYTES_MAX)
			return false;
		memcpy(out + *n, t->bytes.v + token->at, token->n);
		*n += token->n;
	}
	return *n > 0;
}
