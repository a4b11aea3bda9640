/*
 * "WHAT: WHY; WHAT TO DO": what went wrong, for a person, in one line.
 *
 * Why and often what to do stand in the problem's sentence, written for this occasion by the server or the parser.
 * Where it does not say what to do, the row of the error in api/errors.def does.
 */
#include "cli/parse.h"
#include "cli/print.h"

#include <string.h>

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static char upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

static char tame(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
}

/* Is the first word one that has a capital only where a sentence begins? PostgreSQL and Content-Length are not. */
static bool begins_as_sentences_do(const char *text)
{
	size_t n = strcspn(text, " ,:;.");

	for (size_t i = 1; i < n; i++)
		if (text[i] < 'a' || text[i] > 'z')
			return false;
	return true;
}

/* Sentences begin with a capital on the wire, and go on after a colon here. They may quote what others wrote: one
 * line it stays. */
static void add_sentence(struct buf *b, const char *text)
{
	bool as_sentence = begins_as_sentences_do(text);
	size_t n = strlen(text);

	while (n && (text[n - 1] == '.' || text[n - 1] == '\n'))
		n--;
	for (size_t i = 0; i < n; i++)
		buf_c(b, i == 0 && as_sentence ? lower(text[0]) : tame(text[i]));
}

/* A path of a call's body as the flag that gave it, --depends-on for depends_on[0]. How much of the path that was;
 * 0 when the verb has no such flag. */
static size_t add_flag(struct buf *b, const struct cli_verb *v, const char *path)
{
	size_t n = strcspn(path, ".[: "), index = path[n] == '[' ? strcspn(path + n, "]") : 0;
	bool is_call = v && v->kind == VERB_CALL;
	const struct json_field *f = is_call ? json_field_by_name(cli_verb_args(v), (struct str){path, n}) : NULL;
	char flag[CLI_FLAG_NAME];

	n += path[n + index] == ']' ? index + 1 : index;
	if (!f || (path[n] != '.' && path[n] != ':'))
		return 0;
	buf_fmt(b, "%s%s", cli_is_positional(v, f) ? "" : "--", cli_flag_name(f, flag));
	return n;
}

static void add_fault(struct buf *b, const struct cli_verb *v, const char *text)
{
	add_sentence(b, text + add_flag(b, v, text));
}

/* What to do stands after what is wrong; what stands in brackets is neither. */
static bool has_advice(const char *text)
{
	int depth = 0;

	for (; *text; text++) {
		depth += (*text == '(') - (*text == ')');
		if (depth <= 0 && (*text == ';' || *text == '?') && text[1] == ' ')
			return true;
	}
	return false;
}

static void add_advice(struct buf *b, const char *advice)
{
	if (b->n && b->p[b->n - 1] == '?')
		buf_fmt(b, " %c%s", upper(advice[0]), advice + 1);
	else
		buf_fmt(b, "; %s", advice);
}

void print_problem(const struct cli_verb *v, enum err e, const struct problem *p, struct buf *b)
{
	const char *detail = p->detail[0] ? p->detail : err_info(e)->title;
	char fault[sizeof(p->fields[0])];

	if (v) /* else the line was not understood, and the parser has named it */
		buf_fmt(b, "%s: ", v->name);
	add_fault(b, v, detail);
	for (unsigned i = 1; i < p->field_count; i++) {
		snprintf(fault, sizeof(fault), "%s: %s", p->fields[i].field, p->fields[i].detail);
		buf_z(b, ", ");
		add_fault(b, v, fault);
	}
	if (!has_advice(detail))
		add_advice(b, err_info(e)->advice);
}
