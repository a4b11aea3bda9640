/*
 * Answers questions about time, a line each, for tests in other languages. The argument is the folder of zones.
 *
 *   offset ZONE SECOND            the offset from UTC then
 *   fires ZONE AFTER COUNT LINE   the next fires of a cron line, in seconds; or "refused: " and why
 */
#include "schedule/cron.h"

#include "base/magic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t number(struct str s)
{
	int64_t v = 0;
	CHECK(str_to_i64(s, &v));
	return v;
}

static const struct zone *zone_of(struct zones *zones, struct str name)
{
	const struct zone *z;
	struct problem p = {0};
	if (zones_get(zones, name, "timezone", &z, &p)) {
		fprintf(stderr, "%s\n", p.detail);
		exit(1);
	}
	return z;
}

static void fires(struct zones *zones, struct str rest)
{
	const struct zone *zone = zone_of(zones, str_cut(rest, ' ', &rest));
	int64_t at_s = number(str_cut(rest, ' ', &rest)), count = number(str_cut(rest, ' ', &rest));
	struct problem p = {0};
	struct cron c;
	if (cron_parse(rest, &c, &p)) {
		printf("refused: %s\n", p.detail);
		return;
	}
	for (; count > 0; count--) {
		at_s = cron_next_ms(&c, zone, at_s * 1000) / 1000;
		printf("%" PRId64 "%c", at_s, count == 1 ? '\n' : ' ');
	}
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	CHECK(argc == 2);
	struct zones *zones = zones_new(str_of(argv[1]));
	while ((n = getline(&line, &room, stdin)) > 0) {
		struct str rest, word = str_cut((struct str){line, (size_t)n - 1}, ' ', &rest);
		if (str_eqz(word, "fires")) {
			fires(zones, rest);
			continue;
		}
		const struct zone *zone = zone_of(zones, str_cut(rest, ' ', &rest));
		printf("%d\n", (int)zone_span_at(zone, number(rest)).offset_s);
	}
	free(line);
	zones_destroy(&zones);
	return 0;
}
