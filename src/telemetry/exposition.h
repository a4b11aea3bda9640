/* Lines of the Prometheus text exposition format 0.0.4, for whoever has figures to show. */
#ifndef TENFOLD_TELEMETRY_EXPOSITION_H
#define TENFOLD_TELEMETRY_EXPOSITION_H

#include "base/buf.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum exposition_kind { EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM };

/* What stands before the lines of one metric. `doc` is one line. */
void exposition_head(struct buf *b, const char *name, enum exposition_kind kind, const char *doc);

/* {name="value" or ,name="value": `opening` is the '{' or ','. Values may hold anything. */
void exposition_label(struct buf *b, char opening, const char *name, struct str value);

#endif
