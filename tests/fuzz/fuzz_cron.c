/*
 * A cron line. One that is taken fires at a time that fits it, minute by minute; one that is refused says of which
 * field. The first byte moves the time to begin at.
 */
#include "base/clock.h"
#include "base/magic.h"
#include "schedule/cron_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DAY_MINUTES = 1440, FIRES = 8 };

/* What the masks say of minute, hour and month, by looking instead of searching. */
static void check(const struct cron *c, int64_t minute)
{
	int64_t day = minute / DAY_MINUTES;
	CHECK(c->minutes >> minute % 60 & 1);
	CHECK(c->hours >> minute % DAY_MINUTES / 60 & 1);
	CHECK(c->months >> clock_date(day * 86400000).month & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > CRON_TEXT_MAX)
		return 0;
	struct str line = {(const char *)data + 1, size - 1};
	int64_t minute = (int64_t)data[0] * 100 * DAY_MINUTES;
	struct problem p = {0};
	struct cron c;
	if (cron_parse(line, &c, &p)) {
		CHECK(p.field_count == 1);
		return 0;
	}
	for (int i = 0; i < FIRES; i++) {
		int64_t next = cron_wall_minute(&c, minute);
		CHECK(next >= minute && next < INT64_MAX);
		check(&c, next);
		minute = next + 1;
	}
	return 0;
}
