/* Reads JSON texts, one on each line, and writes the canonical form of each, or "!" where it has none. */
#include "json/json.h"

#include <stdio.h>

enum { LINE_MAX_BYTES = 1 << 16, ARENA_MAX = 1 << 22 };

int main(void)
{
	static char line[LINE_MAX_BYTES];
	struct arena *a = arena_new(ARENA_MAX);
	struct buf b = {0};

	while (fgets(line, sizeof(line), stdin)) {
		buf_reset(&b);
		arena_reset(a);
		puts(json_canonical(str_trim(str_of(line)), a, &b, NULL) ? "!" : buf_cstr(&b));
	}
	buf_free(&b);
	arena_destroy(&a);
	return 0;
}
