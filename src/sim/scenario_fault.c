/*
 * Where in the file a fault is: its path is followed in the text, as far as it goes, and lines are counted.
 */
#include "sim/scenario_priv.h"
#include "json/pick.h"

#include <stdio.h>

static int line_at(struct str text, const char *at)
{
	int line = 1;

	for (const char *p = text.p; p < at; p++)
		line += *p == '\n';
	return line;
}

int scenario_fault_line(struct str text, const char *field)
{
	struct str value = pick_path(text, str_of(field));

	return value.n ? line_at(text, value.p) : 1;
}

void scenario_place_faults(struct problem *p, struct str text, struct str from)
{
	char said[sizeof(p->detail)];
	bool malformed = p->line > 0;

	if (!malformed && p->field_count)
		p->line = scenario_fault_line(text, p->fields[0].field);
	snprintf(said, sizeof(said), "%s", p->detail);
	if (malformed)
		snprintf(p->detail, sizeof(p->detail), "%.*s:%d:%d: %.200s", STRF(str_clip(from, 64)), p->line,
			 p->column, said);
	else if (p->line)
		snprintf(p->detail, sizeof(p->detail), "%.*s:%d: %.240s", STRF(str_clip(from, 64)), p->line, said);
	else
		snprintf(p->detail, sizeof(p->detail), "%.*s: %.240s", STRF(str_clip(from, 64)), said);
}
