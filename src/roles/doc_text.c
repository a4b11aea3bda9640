/*
 * The leaves of a document: texts, numbers, words; and what people write instead of them.
 */
#include "roles/doc_priv.h"

#include <string.h>

char parse_peek(struct parse *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
	return s->at < s->end ? *s->at : '\0';
}

/* ---- texts ---- */

/* What follows the backslash -> what it means. */
static const char meanings[128] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

static char meaning_of(char c)
{
	return (unsigned char)c < sizeof(meanings) ? meanings[(unsigned char)c] : '\0';
}

/* Half a pair becomes U+FFFD, as in Go. */
static uint32_t take_unicode(const char **p, const char *end)
{
	size_t bytes;
	int32_t c = str_unicode_escape((struct str){*p, (size_t)(end - *p)}, &bytes);

	*p += bytes;
	return str_is_surrogate(c) ? 0xfffd : (uint32_t)c;
}

/* No escape is shorter than what it stands for: out has room for raw.n bytes. */
static size_t unescape(struct str raw, char *out)
{
	const char *p = raw.p, *end = raw.p + raw.n;
	char *to = out;

	while (p < end) {
		if (*p != '\\') {
			*to++ = *p++;
		} else if (p[1] == 'u') {
			to += str_utf8_put(take_unicode(&p, end), to);
		} else {
			*to++ = meaning_of(p[1]);
			p += 2;
		}
	}
	return (size_t)(to - out);
}

static bool check_escape(struct parse *s, const char *p)
{
	struct str rest = {p, (size_t)(s->end - p)};
	size_t step = str_utf8_step((struct str){p + 1, rest.n - 1}), bytes;
	int32_t unicode = str_unicode_escape(rest, &bytes);

	if (p + 1 == s->end)
		return parse_fail(s, s->at, "this text has no end; is the file cut off?");
	if (meaning_of(p[1]))
		return true;
	if (p[1] != 'u')
		return parse_fail(s, p, "\\%.*s means nothing; a backslash itself is written \\\\",
				  (unsigned char)p[1] > ' ' ? (int)step : 0, p + 1);
	if (unicode < 0)
		return parse_fail(s, p, "\\u needs four hexadecimal digits");
	return unicode != 0 || parse_fail(s, p, "\\u0000 can be handed to no program; take it out");
}

/* A line that ends inside a text is told at the text's begin: its quote is what is missing. */
static bool control_character(struct parse *s, const char *p)
{
	if (*p == '\n' || *p == '\r')
		return parse_fail(s, s->at, "this text does not end on its line; close it with a \", or write \\n");
	if (*p == '\t')
		return parse_fail(s, p, "a tab inside a text; write \\t");
	return parse_fail(s, p, "a control character inside a text; write \\u%04x", (unsigned)*p);
}

/* The end of the text that begins at s->at; NULL: the problem is set. */
static const char *text_end(struct parse *s, bool *escaped)
{
	const char *p = s->at + 1;

	for (; p < s->end && *p != '"'; p++) {
		if ((unsigned char)*p < ' ')
			return control_character(s, p) ? p : NULL;
		if (*p != '\\')
			continue;
		if (!check_escape(s, p))
			return NULL;
		*escaped = true;
		p++; /* what is escaped ends no text */
	}
	if (p < s->end)
		return p;
	parse_fail(s, s->at, "this text has no end; is the file cut off?");
	return NULL;
}

bool take_text(struct parse *s, struct str *out)
{
	bool escaped = false;
	const char *end = text_end(s, &escaped);
	char *copy;

	if (!end)
		return false;
	*out = (struct str){s->at + 1, (size_t)(end - s->at - 1)};
	s->at = end + 1;
	if (!escaped)
		return true;
	copy = arena_alloc(s->arena, out->n);
	if (!copy)
		return parse_no_room(s);
	*out = (struct str){copy, unescape(*out, copy)};
	return true;
}

/* ---- numbers and words ---- */

static bool take_digits(struct parse *s)
{
	const char *first = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > first || parse_fail(s, s->at, "a digit is missing in this number");
}

static bool is_at(const struct parse *s, char a, char b)
{
	return s->at < s->end && (*s->at == a || *s->at == b);
}

bool take_number(struct parse *s, struct str *out)
{
	const char *begin = s->at, *first;

	s->at += *begin == '-';
	first = s->at;
	if (!take_digits(s))
		return false;
	if (*first == '0' && s->at - first > 1)
		return parse_fail(s, begin, "a number may not begin with 0");
	if (is_at(s, '.', '.')) {
		s->at++;
		if (!take_digits(s))
			return false;
	}
	if (is_at(s, 'e', 'E')) {
		s->at++;
		s->at += is_at(s, '+', '-');
		if (!take_digits(s))
			return false;
	}
	*out = (struct str){begin, (size_t)(s->at - begin)};
	return true;
}

static bool is_of_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static struct str word_at(const struct parse *s)
{
	const char *p = s->at;

	while (p < s->end && is_of_word(*p))
		p++;
	return (struct str){s->at, (size_t)(p - s->at)};
}

bool take_word(struct parse *s, struct node *out)
{
	struct str word = word_at(s);

	if (str_eqz(word, "null"))
		out->kind = NODE_NULL;
	else if (str_eqz(word, "true") || str_eqz(word, "false"))
		out->kind = NODE_BOOL;
	else
		return !is_known_mistake(s);
	out->text = word;
	s->at += word.n;
	return true;
}

/* ---- what people write instead ---- */

static const char *meant_by(struct str word)
{
	static const struct {
		const char *written, *meant;
	} known[] = {{"true", "true"}, {"yes", "true"},  {"on", "true"},  {"false", "false"},    {"no", "false"},
		     {"off", "false"}, {"null", "null"}, {"nil", "null"}, {"undefined", "null"}, {"none", "null"}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq_nocase(word, str_of(known[i].written)))
			return known[i].meant;
	return NULL;
}

static bool bare_word(struct parse *s)
{
	struct str word = word_at(s);
	const char *meant = meant_by(word);
	int n = word.n < 40 ? (int)word.n : 40;

	if (meant)
		parse_fail(s, s->at, "%.*s is no JSON; did you mean %s?", n, word.p, meant);
	else
		parse_fail(s, s->at, "%.*s without quotes; text and names stand in double quotes", n, word.p);
	return true;
}

static bool is_wrong_quote(struct str rest)
{
	return str_starts(rest, STR("\xe2\x80\x98")) || str_starts(rest, STR("\xe2\x80\x99")) ||
	       str_starts(rest, STR("\xe2\x80\x9c")) || str_starts(rest, STR("\xe2\x80\x9d")) ||
	       str_starts(rest, STR("\xe2\x80\x9e")) || str_starts(rest, STR("'")) || str_starts(rest, STR("`"));
}

bool is_known_mistake(struct parse *s)
{
	struct str rest = {s->at, (size_t)(s->end - s->at)};

	if (rest.n == 0)
		return false;
	if (*rest.p == '#' || str_starts(rest, STR("//")) || str_starts(rest, STR("/*")))
		return !parse_fail(s, s->at,
				   "a comment; JSON has none: take it away, or make it a member \"_comment\"");
	if (is_wrong_quote(rest))
		return !parse_fail(s, s->at,
				   "a quote that is none in JSON; text and names stand in \"double quotes\"");
	return is_of_word(*rest.p) && !(*rest.p >= '0' && *rest.p <= '9') && *rest.p != '-' && bare_word(s);
}
