/* See exposition.h. */
#include "telemetry/exposition.h"

void exposition_head(struct buf *b, const char *name, enum exposition_kind kind, const char *doc)
{
	static const char *const kinds[] = {[EXPOSITION_COUNTER] = "counter",
					    [EXPOSITION_GAUGE] = "gauge",
					    [EXPOSITION_HISTOGRAM] = "histogram"};

	buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", name, doc, name, kinds[kind]);
}

void exposition_label(struct buf *b, char opening, const char *name, struct str value)
{
	buf_fmt(b, "%c%s=\"", opening, name);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\n')
			buf_z(b, "\\n");
		else if (value.p[i] == '"' || value.p[i] == '\\')
			buf_fmt(b, "\\%c", value.p[i]);
		else
			buf_c(b, value.p[i]);
	}
	buf_c(b, '"');
}
