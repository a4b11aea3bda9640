/* How common a word is among what the asker may see at all. */
#include "search/rank_priv.h"
#include "search/words_priv.h"

static uint32_t chunk_after(uint32_t slot)
{
	return slot - slot % CHUNK_SLOTS + CHUNK_SLOTS;
}

/* Chunks of which nothing is in reach are leapt over. */
static uint32_t count(const struct view *v, const struct asked *list, uint32_t enough)
{
	struct cursor c = {(struct asked *)(uintptr_t)list, 0};
	uint32_t slot = cursor_seek(&c, 0), n = 0;

	while (slot != NO_ID && n < enough) {
		if (!filter_lets_any(v->reach, slot / CHUNK_SLOTS)) {
			slot = cursor_seek(&c, chunk_after(slot));
			continue;
		}
		n += filter_passes(v->reach, slot) && slot_is_seen(chunk_of(v->g, slot), slot, v->visible);
		slot = cursor_seek(&c, slot + 1);
	}
	return n;
}

uint32_t plan_reached(const struct view *v, uint32_t stem, uint32_t enough)
{
	struct asked list = {.list = stem == NO_ID ? NULL : postings_of(v->g, stem)};

	if (!v->reach)
		return plan_df(v, stem);
	if (!list.list)
		return 0;
	list.n = postings_seen(v, list.list);
	return count(v, &list, enough);
}
