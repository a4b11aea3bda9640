/*
 * Words of an expression: numbers as in JSON, texts in single or double quotes, names, signs.
 */
#include "sim/expr_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void lexer_fault(struct lexer *l, size_t at, const char *fmt, ...)
{
	char why[128];
	va_list args;

	if (l->err)
		return;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	l->err = problem_set(l->problem, ERR_INVALID, "%s (at character %zu)", why, at + 1);
	l->word = WORD_END;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char ahead(const struct lexer *l, size_t n)
{
	return l->at + n < l->text.n ? l->text.p[l->at + n] : '\0';
}

static void take_name(struct lexer *l)
{
	while (is_letter(ahead(l, 0)) || is_digit(ahead(l, 0)))
		l->at++;
	l->word = WORD_NAME;
	l->meant = (struct str){l->text.p + l->from, l->at - l->from};
}

static void take_digits(struct lexer *l)
{
	while (is_digit(ahead(l, 0)))
		l->at++;
}

static void take_number(struct lexer *l)
{
	take_digits(l);
	if (ahead(l, 0) == '.' && is_digit(ahead(l, 1))) {
		l->at++;
		take_digits(l);
	}
	if (ahead(l, 0) == 'e' || ahead(l, 0) == 'E') {
		l->at += ahead(l, 1) == '+' || ahead(l, 1) == '-' ? 2 : 1;
		take_digits(l);
	}
	l->word = WORD_NUMBER;
	if (!str_to_f64((struct str){l->text.p + l->from, l->at - l->from}, &l->number) || is_letter(ahead(l, 0)))
		lexer_fault(l, l->from, "this is no number");
}

static char escaped(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

static void take_text(struct lexer *l, char quote)
{
	size_t n = 0, end = l->at;
	char *out;

	while (end < l->text.n && l->text.p[end] != quote)
		end += l->text.p[end] == '\\' ? 2 : 1;
	if (end >= l->text.n) {
		lexer_fault(l, l->from, "this text has no end");
		return;
	}
	out = ARENA_ARRAY(l->arena, char, end - l->at + 1);
	for (; out && l->at < end; l->at++)
		out[n++] = l->text.p[l->at] == '\\' ? escaped(l->text.p[++l->at]) : l->text.p[l->at];
	if (!out)
		l->err = problem_set(l->problem, ERR_TOO_LARGE, "needs more memory than a scenario may use");
	l->at = end + 1;
	l->word = out ? WORD_TEXT : WORD_END;
	l->meant = (struct str){out, n};
}

static void take_sign(struct lexer *l)
{
	static const struct {
		char signs[3];
		int word;
	} pairs[] = {{"||", WORD_OR},      {"&&", WORD_AND},      {"==", WORD_EQUAL}, {"!=", WORD_UNEQUAL},
		     {"<=", WORD_AT_MOST}, {">=", WORD_AT_LEAST}, {"->", WORD_ARROW}};
	char c = ahead(l, 0);

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (c == pairs[i].signs[0] && ahead(l, 1) == pairs[i].signs[1]) {
			l->at += 2;
			l->word = pairs[i].word;
			return;
		}
	l->at++;
	l->word = c;
	if (c == '\0' || !strchr("?:!<>+-*/%.,()[]{}", c))
		lexer_fault(l, l->from,
			    c == '=' ? "'=' stands for nothing here; did you mean '=='?"
				     : "nothing can be made of this character");
}

void lexer_next(struct lexer *l)
{
	if (l->err)
		return;
	while (ahead(l, 0) == ' ' || ahead(l, 0) == '\t' || ahead(l, 0) == '\n' || ahead(l, 0) == '\r')
		l->at++;
	l->from = l->at;
	if (l->at >= l->text.n)
		l->word = WORD_END;
	else if (is_letter(ahead(l, 0)))
		take_name(l);
	else if (is_digit(ahead(l, 0)))
		take_number(l);
	else if (ahead(l, 0) == '\'' || ahead(l, 0) == '"')
		take_text(l, l->text.p[l->at++]);
	else
		take_sign(l);
}
