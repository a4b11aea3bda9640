/* See handle.h. */
#include "directory/handle.h"

#include "base/magic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const reserved[] = {
#define RESERVED(word) word,
#include "directory/reserved.def"
#undef RESERVED
};

static int compare(const void *wanted, const void *entry)
{
	return str_cmp(*(const struct str *)wanted, str_of(*(const char *const *)entry));
}

bool handle_is_reserved(struct str handle)
{
	return bsearch(&handle, reserved, sizeof(reserved) / sizeof(reserved[0]), sizeof(reserved[0]), compare) !=
	       NULL;
}

static bool follows_rule(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return s.n > 0 && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

enum err handle_check(struct str handle, struct problem *p)
{
	if (!follows_rule(handle) || handle.n < HANDLE_MIN || handle.n > HANDLE_MAX)
		return problem_field(p, ERR_INVALID, "handle",
				     "%d to %d of a to z, 0 to 9 and '-', which stands at neither end", HANDLE_MIN,
				     HANDLE_MAX);
	if (handle_is_reserved(handle))
		return problem_field(p, ERR_INVALID, "handle", "'%.*s' is reserved; take another", STRF(handle));
	return OK;
}

void handle_others(struct str taken, struct handle_text out[HANDLE_OTHERS])
{
	for (int i = 0; i < HANDLE_OTHERS; i++) {
		/* After a few numbers in order, some that others hardly try. */
		unsigned number =
			i < 4 ? (unsigned)i + 2 : (unsigned)(str_hash_seed(taken, (uint64_t)i) % 9000) + 1000;
		char tail[16];
		int n = snprintf(tail, sizeof(tail), "-%u", number);
		size_t kept = taken.n + (size_t)n > HANDLE_MAX ? HANDLE_MAX - (size_t)n : taken.n;
		CHECK(taken.n <= HANDLE_MAX);
		while (kept > 0 && taken.p[kept - 1] == '-')
			kept--;
		memcpy(out[i].text, taken.p, kept);
		memcpy(out[i].text + kept, tail, (size_t)n + 1);
	}
}

bool slug_is_good(struct str slug)
{
	return follows_rule(slug) && slug.n >= SLUG_MIN && slug.n <= SLUG_MAX;
}
