/*
 * What a caller says to have seen: whatever is taken for a place is written the same again, and is one of our system;
 * and the order of texts is that of places.
 */
#include "base/magic.h"
#include "store/place.h"

enum { SYSTEM = 0x3f0c9a51 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1 << 16);
	struct str text = {(const char *)data, size}, middle = STR("3f0c9a51-00000001-0000000003a1f2c8");
	struct log_place place = place_read(text, SYSTEM), half = place_read(middle, SYSTEM);

	CHECK(str_eq(place_text(a, SYSTEM, half), middle));
	CHECK(place_read(text, SYSTEM ^ 1).timeline == 0 || !place.timeline);
	if (place.timeline) {
		CHECK(str_eq(place_text(a, SYSTEM, place), text));
		CHECK(place_is_later(place, half) == (str_cmp(text, middle) > 0));
	}
	arena_destroy(&a);
	return 0;
}
