/* See place.h. */
#include "store/place.h"

#include <inttypes.h>
#include <string.h>

enum { SYSTEM_DIGITS = 8, TIMELINE_DIGITS = 8, LSN_DIGITS = 16 };

struct str place_text(struct arena *a, uint32_t system, struct log_place place)
{
	return arena_fmt(a, "%08" PRIx32 "-%08" PRIx32 "-%016" PRIx64, system, (uint32_t)place.timeline,
			 (uint64_t)place.lsn);
}

static bool take_hex(struct str *s, size_t digits, uint64_t *out)
{
	static const char all[] = "0123456789abcdef";

	*out = 0;
	for (size_t i = 0; i < digits; i++) {
		const char *digit = i < s->n ? memchr(all, s->p[i], sizeof(all) - 1) : NULL;

		if (!digit)
			return false;
		*out = *out << 4 | (uint64_t)(digit - all);
	}
	*s = (struct str){s->p + digits, s->n - digits};
	return true;
}

static bool take_dash(struct str *s)
{
	if (!s->n || *s->p != '-')
		return false;
	*s = (struct str){s->p + 1, s->n - 1};
	return true;
}

struct log_place place_read(struct str text, uint32_t system)
{
	uint64_t of, timeline, lsn;

	if (!take_hex(&text, SYSTEM_DIGITS, &of) || !take_dash(&text) ||
	    !take_hex(&text, TIMELINE_DIGITS, &timeline) || !take_dash(&text) ||
	    !take_hex(&text, LSN_DIGITS, &lsn) || text.n || of != system || lsn > INT64_MAX)
		return (struct log_place){0};
	return (struct log_place){(int64_t)timeline, (int64_t)lsn};
}

bool place_is_later(struct log_place a, struct log_place b)
{
	return a.timeline != b.timeline ? a.timeline > b.timeline : a.lsn > b.lsn;
}
