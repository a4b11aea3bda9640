/*
 * The values of a JSON file, cut out one at a time so that a file may be longer than memory.
 *
 * Only brackets and strings are looked at: a value ends where its brackets close, or before a comma, a bracket or
 * white space when it has none. Whether it is JSON is found out by who decodes it. Where the file around the values
 * is broken nothing more can be told apart, and the rest of it is left out.
 */
#include "import/agents_priv.h"

#include <string.h>

static bool is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next byte that is no white space, which is appended to im->entry: lines of an entry are those of its file. */
static int peek_solid(struct agent_import *im)
{
	while (is_space(input_peek(&im->input)))
		buf_c(&im->entry, (char)input_take(&im->input));
	return input_peek(&im->input);
}

static void copy_string(struct agent_import *im)
{
	int c = input_take(&im->input); /* the quote */

	do {
		buf_c(&im->entry, (char)c);
		if (c == '\\' && input_peek(&im->input) >= 0)
			buf_c(&im->entry, (char)input_take(&im->input));
		c = input_take(&im->input);
	} while (c >= 0 && c != '"');
	if (c >= 0)
		buf_c(&im->entry, '"');
}

static void copy_bare(struct agent_import *im)
{
	int c = input_peek(&im->input);

	for (; c >= 0 && !is_space(c) && !strchr(",]}", c); c = input_peek(&im->input))
		buf_c(&im->entry, (char)input_take(&im->input));
}

/* Appends the value that begins here to im->entry. */
static void copy_value(struct agent_import *im)
{
	int c = input_peek(&im->input), depth = 0;

	if (c != '{' && c != '[' && c != '"') {
		copy_bare(im);
		return;
	}
	do {
		c = input_peek(&im->input);
		if (c == '"') {
			copy_string(im);
			continue;
		}
		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		if (c >= 0)
			buf_c(&im->entry, (char)input_take(&im->input));
	} while (c >= 0 && depth > 0);
}

static bool broken(struct agent_import *im, const char *expected)
{
	agent_refuse(im, im->input.line, "expected %s; the rest of the file is left out", expected);
	return false;
}

static void hand_out(struct agent_import *im, size_t line, agent_value_fn *take)
{
	if (agent_entry_fits(im, line))
		take(im, line, buf_str(&im->entry));
}

/* These return false when what follows cannot be told apart. */

static bool take_elements(struct agent_import *im, agent_value_fn *take)
{
	input_take(&im->input);
	for (int c = peek_solid(im); c != ']'; c = peek_solid(im)) {
		size_t line = im->input.line;

		agent_begin(im);
		copy_value(im);
		if (buf_ok(&im->entry) && im->entry.n == 0)
			return broken(im, "a value or the end of the array");
		hand_out(im, line, take);
		c = peek_solid(im);
		if (c != ',' && c != ']')
			return broken(im, "a comma or the end of the array");
		if (c == ',')
			input_take(&im->input);
		if (im->stopped)
			return false;
	}
	input_take(&im->input);
	return true;
}

/* A member's name and its colon, appended to im->entry. */
static bool take_name(struct agent_import *im, struct str *name)
{
	size_t start;

	if (peek_solid(im) != '"')
		return broken(im, "a member or the end of the object");
	start = im->entry.n;
	copy_string(im);
	*name = (struct str){im->entry.p + start, im->entry.n - start};
	if (peek_solid(im) != ':')
		return broken(im, "a colon");
	buf_c(&im->entry, (char)input_take(&im->input));
	return true;
}

static bool is_name(struct str quoted, const char *name)
{
	return name && quoted.n >= 2 && str_eqz((struct str){quoted.p + 1, quoted.n - 2}, name);
}

/* Its members are put together again in im->entry; when one of them is the list, that is what counts. */
static bool take_object(struct agent_import *im, const char *list, agent_value_fn *take)
{
	size_t line = im->input.line;
	bool listed = false;
	struct str name;

	agent_begin(im);
	buf_c(&im->entry, (char)input_take(&im->input));
	for (int c = peek_solid(im); c != '}'; c = peek_solid(im)) {
		if (!take_name(im, &name))
			return false;
		if (is_name(name, list) && peek_solid(im) == '[') {
			listed = true;
			if (!take_elements(im, take))
				return false;
		} else {
			peek_solid(im);
			copy_value(im);
		}
		c = peek_solid(im);
		if (c != ',' && c != '}')
			return broken(im, "a comma or the end of the object");
		if (c == ',')
			buf_c(&im->entry, (char)input_take(&im->input));
	}
	buf_c(&im->entry, (char)input_take(&im->input));
	if (!listed)
		hand_out(im, line, take);
	return true;
}

void agent_values(struct agent_import *im, const char *list, agent_value_fn *take)
{
	bool more = true;

	while (more && !im->stopped) {
		agent_begin(im);
		switch (peek_solid(im)) {
		case '[':
			more = take_elements(im, take);
			break;
		case '{':
			more = take_object(im, list, take);
			break;
		case -1:
			return;
		default:
			more = broken(im, "an array or an object");
		}
	}
}
