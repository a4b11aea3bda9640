/*
 * Where in the file a fault is: its path is followed in the text, as far as it goes, and lines are counted.
 */
#include "sim/pick.h"
#include "sim/scenario_priv.h"

#include <stdio.h>

static int line_at(struct str text, const char *at)
{
	int line = 1;

	for (const char *p = text.p; p < at; p++)
		line += *p == '\n';
	return line;
}

/* The text of a member stands behind its name, on the same line mostly; that is where people look. */
static int line_of(struct str text, const char *field)
{
	struct str value = pick_path(text, str_of(field));

	return value.n ? line_at(text, value.p) : 1;
}

static void place_field(struct problem *p, unsigned i, struct str text)
{
	char said[sizeof(p->fields[i].detail)];
	int line = line_of(text, p->fields[i].field);

	snprintf(said, sizeof(said), "%s", p->fields[i].detail);
	snprintf(p->fields[i].detail, sizeof(p->fields[i].detail), "line %d: %.140s", line, said);
}

void scenario_place_faults(struct problem *p, struct str text, struct str from)
{
	char said[sizeof(p->detail)];
	bool malformed = p->line > 0;

	if (!malformed && p->field_count)
		p->line = line_of(text, p->fields[0].field);
	snprintf(said, sizeof(said), "%s", p->detail);
	if (malformed)
		snprintf(p->detail, sizeof(p->detail), "%.*s:%d:%d: %.200s", STRF(str_clip(from, 64)), p->line,
			 p->column, said);
	else if (p->line)
		snprintf(p->detail, sizeof(p->detail), "%.*s:%d: %.240s", STRF(str_clip(from, 64)), p->line, said);
	else
		snprintf(p->detail, sizeof(p->detail), "%.*s: %.240s", STRF(str_clip(from, 64)), said);
	for (unsigned i = 0; i < p->field_count; i++)
		place_field(p, i, text);
}
