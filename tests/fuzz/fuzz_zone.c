/* A compiled time zone. In one that is taken the stretches follow without a gap, each with another offset. */
#include "base/magic.h"
#include "schedule/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STRETCHES = 4000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem p = {0};
	struct zone *z;
	if (zone_parse((struct str){(const char *)data, size}, &z, &p)) {
		CHECK(p.detail[0]);
		return 0;
	}
	struct zone_span s = zone_span_at(z, INT64_MIN);
	CHECK(s.from_s == INT64_MIN && s.before_s == s.offset_s);
	for (int i = 0; i < STRETCHES && s.until_s != INT64_MAX; i++) {
		struct zone_span next = zone_span_at(z, s.until_s);
		CHECK(next.from_s == s.until_s && next.until_s > next.from_s);
		CHECK(next.before_s == s.offset_s && next.offset_s != s.offset_s);
		CHECK(zone_span_at(z, next.from_s - 1).from_s == s.from_s);
		s = next;
	}
	zone_destroy(&z);
	return 0;
}
