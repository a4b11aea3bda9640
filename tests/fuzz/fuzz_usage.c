/*
 * Whatever an agent prints: what is understood of it are numbers that can be, and a name that can be kept. The
 * first byte chooses the agent.
 */
#include "base/magic.h"
#include "roles/cost.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct usage_report *r)
{
	CHECK(r->input >= 0 && r->output >= 0 && r->cache_read >= 0 && r->cache_write >= 0);
	CHECK(isfinite(r->usd) && (r->usd >= 0 || r->usd < -0.5));
	CHECK(r->model.n <= 200 && str_is_utf8(r->model));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const presets[] = {"claude", "gemini", "codex", "opencode", "cursor", "unknown"};
	struct arena *a = arena_new(1 << 20);
	struct usage_report r;
	struct str preset, text;

	if (size > 0) {
		preset = str_of(presets[data[0] % (sizeof(presets) / sizeof(presets[0]))]);
		text = (struct str){(const char *)data + 1, size - 1};
		if (usage_from_output(preset, text, a, &r))
			check(&r);
		else
			CHECK(r.input == 0 && r.output == 0);
	}
	arena_destroy(&a);
	return 0;
}
