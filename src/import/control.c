/* See control_priv.h. Lines are neighbours in the text, so a value that goes on only has to end later. */
#include "import/control_priv.h"

#include "base/buf.h"
#include "import/import_priv.h"

#include <string.h>

enum { QUOTE_MAX = 80 };

static int field_by_name(const struct control *c, struct str name)
{
	int i = 0;

	while (i < c->name_count && !str_eq_nocase(name, str_of(c->names[i])))
		i++;
	return i;
}

static bool is_continuation(struct str line)
{
	return line.n && (line.p[0] == ' ' || line.p[0] == '\t');
}

/* One "Name: value" line; *value is where continuation lines are added, or NULL when the field is not wanted. */
static void take_field(const struct control *c, struct stanza *s, size_t number, struct str line,
		       struct str **value)
{
	struct str text, name = str_cut(line, ':', &text);
	int field = field_by_name(c, str_trim(name));

	*value = NULL;
	if (!s->line)
		s->line = number;
	if (!text.p || name.n == 0) {
		struct str start = {line.p, line.n < QUOTE_MAX ? line.n : QUOTE_MAX};

		c->remark(c->ctx, number,
			  arena_fmt(c->arena, "neither a field nor the rest of one: %.*s", STRF(start)));
	} else if (field < c->name_count && s->fields[field].p) {
		c->remark(c->ctx, number,
			  arena_fmt(c->arena, "%s stands twice; the first counts", c->names[field]));
	} else if (field < c->name_count) {
		s->fields[field] = text;
		*value = &s->fields[field];
	}
}

static void take_line(const struct control *c, struct stanza *s, size_t number, struct str line, struct str **value)
{
	if (memchr(line.p, '\0', line.n)) {
		c->remark(c->ctx, number, STR("a line with a NUL byte is left out"));
		*value = NULL;
	} else if (!is_continuation(line)) {
		take_field(c, s, number, line, value);
	} else if (*value) {
		(*value)->n = (size_t)(line.p + line.n - (*value)->p);
	}
}

bool control_next(const struct control *c, struct str *rest, size_t *line, struct stanza *out)
{
	struct str text, *value = NULL;
	bool any = false;

	*out = (struct stanza){0};
	while (import_next_line(rest, &text)) {
		any = true;
		++*line;
		if (str_trim(text).n == 0)
			break;
		take_line(c, out, *line, text, &value);
	}
	return any;
}

struct str control_synopsis(struct str description)
{
	struct str rest;

	return str_trim(str_cut(description, '\n', &rest));
}

/* Each begins with a space that is not part of it, and " ." is a blank line. */
struct str control_details(struct str description, struct arena *a)
{
	struct str rest, line, text;
	struct buf b = BUF_INIT(0);

	str_cut(description, '\n', &rest);
	while (import_next_line(&rest, &line)) {
		if (line.n && !str_eqz(str_trim(line), "."))
			buf_add(&b, line.p + 1, line.n - 1);
		buf_c(&b, '\n');
	}
	text = buf_ok(&b) ? arena_str(a, str_trim(buf_str(&b))) : (struct str){0};
	buf_free(&b);
	return text;
}

bool control_is_installed(struct str status)
{
	struct str rest;

	str_cut(str_trim(status), ' ', &rest); /* what is wanted, an error flag, what is */
	str_cut(rest, ' ', &rest);
	return str_eqz(str_trim(rest), "installed");
}
