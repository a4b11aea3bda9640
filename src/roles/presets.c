/*
 * The built-in presets as a list of agents. Sorted by name in the table, because agents_find() halves.
 */
#include "roles/table_priv.h"

#define PRESET(preset, ...) {.name = T(preset), .runtime = {.provider = T(preset), __VA_ARGS__}, .is_preset = true},
static const struct town_agent presets[] = {
#include "roles/presets.def"
};
#undef PRESET

static const struct agents builtin = {.v = presets, .n = sizeof(presets) / sizeof(presets[0])};

const struct agents *presets_builtin(void)
{
	return &builtin;
}
