/* What cron.c and cron_parse.c share. */
#ifndef TENFOLD_SCHEDULE_CRON_PRIV_H
#define TENFOLD_SCHEDULE_CRON_PRIV_H

#include "schedule/cron.h"

/* The first minute that fits, as the clock on the wall counts them since 1970, at or after another; INT64_MAX when
 * there is none in 400 years, after which the calendar begins again. */
int64_t cron_wall_minute(const struct cron *c, int64_t from);

#endif
