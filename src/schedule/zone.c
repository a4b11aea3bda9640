/* See zone.h; the rule at the end of a file is in zone_rule.c, the folder in zones.c. */
#include "schedule/zone_priv.h"

#include <string.h>

enum {
	HEAD_BYTES = 44,
	TYPE_BYTES = 6,
	CHANGES_MAX = 8192,
	TYPES_MAX = 256,
	OFFSET_MIN_S = -25 * 3600, /* RFC 9636, 3.2 */
	OFFSET_MAX_S = 26 * 3600
};

/* No change lies outside: from what zic writes for the beginning of time to the year 9999. */
static const int64_t EARLIEST_S = -(INT64_C(1) << 59), LATEST_S = 253402300799;

/* What a block of a TZif file holds, in the order of its counts. */
struct counts {
	uint32_t ut, std, leap, changes, types, letters;
};

static uint64_t big_endian(const char *p, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

static bool take_bytes(struct str *s, size_t n, struct str *out)
{
	if (s->n < n)
		return false;
	*out = (struct str){s->p, n};
	*s = (struct str){s->p + n, s->n - n};
	return true;
}

static bool take_head(struct str *s, struct counts *c)
{
	enum { COUNTS_AT = 20 };
	struct str head;
	if (!take_bytes(s, HEAD_BYTES, &head) || !str_starts(head, STR("TZif")) || head.p[4] < '2')
		return false;
	const char *p = head.p + COUNTS_AT;
	*c = (struct counts){.ut = (uint32_t)big_endian(p, 4),
			     .std = (uint32_t)big_endian(p + 4, 4),
			     .leap = (uint32_t)big_endian(p + 8, 4),
			     .changes = (uint32_t)big_endian(p + 12, 4),
			     .types = (uint32_t)big_endian(p + 16, 4),
			     .letters = (uint32_t)big_endian(p + 20, 4)};
	return true;
}

static size_t block_bytes(const struct counts *c, size_t time_bytes)
{
	return (size_t)c->changes * (time_bytes + 1) + (size_t)c->types * TYPE_BYTES + c->letters +
	       (size_t)c->leap * (time_bytes + 4) + c->std + c->ut;
}

/* ---- the table ---- */

static int32_t last_offset(const struct zone *z)
{
	return z->changes.n ? z->changes.v[z->changes.n - 1].offset_s : z->first_s;
}

void zone_add(struct zone *z, int64_t at_s, int32_t offset_s)
{
	if (z->changes.n && z->changes.v[z->changes.n - 1].at_s == at_s)
		z->changes.n--;
	if (offset_s != last_offset(z))
		*VEC_PUSH(&z->changes) = (struct zone_change){at_s, offset_s};
}

/* How many changes lie at or before a time. */
static size_t changes_until(const struct zone *z, int64_t at_s)
{
	size_t low = 0, high = z->changes.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (z->changes.v[middle].at_s <= at_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int32_t offset_after(const struct zone *z, size_t changes)
{
	return changes ? z->changes.v[changes - 1].offset_s : z->first_s;
}

struct zone_span zone_span_at(const struct zone *z, int64_t at_s)
{
	size_t n = changes_until(z, at_s);
	return (struct zone_span){.from_s = n ? z->changes.v[n - 1].at_s : INT64_MIN,
				  .until_s = n < z->changes.n ? z->changes.v[n].at_s : INT64_MAX,
				  .offset_s = offset_after(z, n),
				  .before_s = offset_after(z, n ? n - 1 : 0)};
}

/* ---- the file ---- */

static bool read_offsets(struct str types, uint32_t count, int32_t out[TYPES_MAX])
{
	for (uint32_t i = 0; i < count; i++) {
		out[i] = (int32_t)big_endian(types.p + (size_t)i * TYPE_BYTES, 4);
		if (out[i] <= OFFSET_MIN_S || out[i] >= OFFSET_MAX_S)
			return false;
	}
	return true;
}

/* The second block, with times of 64 bits. */
static bool read_changes(struct zone *z, struct str block, const struct counts *c)
{
	int32_t offsets[TYPES_MAX];
	struct str times, kinds, types;
	int64_t last_s = INT64_MIN;
	if (!take_bytes(&block, (size_t)c->changes * 8, &times) || !take_bytes(&block, c->changes, &kinds) ||
	    !take_bytes(&block, (size_t)c->types * TYPE_BYTES, &types) || !read_offsets(types, c->types, offsets))
		return false;
	z->first_s = offsets[0];
	for (uint32_t i = 0; i < c->changes; i++) {
		int64_t at_s = (int64_t)big_endian(times.p + (size_t)i * 8, 8);
		unsigned kind = (unsigned char)kinds.p[i];
		if (kind >= c->types || at_s <= last_s || at_s < EARLIEST_S || at_s > LATEST_S)
			return false;
		zone_add(z, at_s, offsets[kind]);
		last_s = at_s;
	}
	return true;
}

static bool is_readable(const struct counts *c)
{
	return c->types >= 1 && c->types <= TYPES_MAX && c->changes <= CHANGES_MAX;
}

static bool read_file(struct zone *z, struct str s, struct problem *p)
{
	struct counts c;
	struct str block, rule, rest;
	if (!take_head(&s, &c) || !take_bytes(&s, block_bytes(&c, 4), &block) || !take_head(&s, &c) ||
	    !is_readable(&c) || !take_bytes(&s, block_bytes(&c, 8), &block) || !read_changes(z, block, &c))
		return false;
	if (c.leap) {
		problem_set(p, ERR_INVALID, "counts leap seconds, which UTC here does not; leave out 'right/'");
		return false;
	}
	if (s.n < 2 || s.p[0] != '\n')
		return false;
	rule = str_cut((struct str){s.p + 1, s.n - 1}, '\n', &rest);
	return rest.p && (!rule.n || zone_follow_rule(z, rule));
}

enum err zone_parse(struct str tzif, struct zone **out, struct problem *p)
{
	struct problem why = {0};
	struct zone *z = NEW(struct zone);
	if (read_file(z, tzif, &why)) {
		*out = z;
		return OK;
	}
	zone_destroy(&z);
	return problem_set(p, ERR_INVALID, "%s",
			   why.err ? why.detail : "is not a compiled time zone (TZif, version 2 or later)");
}

void zone_destroy(struct zone **z)
{
	if (!*z)
		return;
	VEC_FREE(&(*z)->changes);
	free(*z);
	*z = NULL;
}
