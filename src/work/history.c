/*
 * What happened to an item, packed behind one another, oldest first. An entry stands on its own, so that one can be
 * read, or dropped, without those before it:
 *
 *   tag: bits 0-3 enum work_event_kind, 4 agent follows, 5 note follows, 6 folded follows, 7 zero (another layout)
 *   varint at_ms, varint attempt, [varint folded], [length and agent], [length and note]
 *
 * Blobs are values: a change makes a new one, so the copy a batch took of the item keeps the old one for its undo.
 */
#include "work/work_priv.h"

enum { KIND_MASK = 0x0f, HAS_AGENT = 0x10, HAS_NOTE = 0x20, HAS_FOLDED = 0x40, OTHER_LAYOUT = 0x80 };

/* Back over the continuation bytes of a character that does not fit; text that is not UTF-8 is cut where it is. */
struct str text_cut(struct str s, size_t max_bytes)
{
	size_t n = max_bytes;

	if (s.n <= max_bytes)
		return s;
	while (n > 0 && max_bytes - n < 3 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	if (((unsigned char)s.p[n] & 0xc0) == 0x80)
		n = max_bytes;
	return (struct str){s.p, n};
}

static bool take_u32(struct str *s, uint32_t *out)
{
	uint64_t v;

	if (!take_varint(s, &v) || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool take_time(struct str *s, int64_t *out)
{
	uint64_t v;

	if (!take_varint(s, &v) || v > INT64_MAX)
		return false;
	*out = (int64_t)v;
	return true;
}

bool work_history_next(struct str *blob, struct work_history_entry *out)
{
	struct str s = *blob;
	unsigned tag;

	*out = (struct work_history_entry){0};
	if (s.n == 0)
		return false;
	tag = (unsigned char)*s.p;
	s = (struct str){s.p + 1, s.n - 1};
	out->kind = (int)(tag & KIND_MASK);
	if ((tag & OTHER_LAYOUT) || out->kind > EVENT_REVIVED)
		return false;
	if (!take_time(&s, &out->at_ms) || !take_u32(&s, &out->attempt) ||
	    ((tag & HAS_FOLDED) && !take_u32(&s, &out->folded)) ||
	    ((tag & HAS_AGENT) && !take_lenstr(&s, &out->agent)) ||
	    ((tag & HAS_NOTE) && !take_lenstr(&s, &out->note)))
		return false;
	*blob = s;
	return true;
}

static void put(struct buf *b, const struct work_history_entry *e)
{
	unsigned tag = (unsigned)e->kind;

	tag |= (e->agent.n ? HAS_AGENT : 0) | (e->note.n ? HAS_NOTE : 0) | (e->folded ? HAS_FOLDED : 0);
	buf_c(b, (char)tag);
	buf_varint(b, (uint64_t)e->at_ms);
	buf_varint(b, e->attempt);
	if (e->folded)
		buf_varint(b, e->folded);
	if (e->agent.n)
		buf_lenstr(b, e->agent);
	if (e->note.n)
		buf_lenstr(b, e->note);
}

static uint32_t count_entries(struct str blob)
{
	struct work_history_entry e;
	uint32_t n = 0;

	while (work_history_next(&blob, &e))
		n++;
	return n;
}

/* Drops the first `drop` entries; the one then first says how many are gone altogether. */
static void put_folded(struct buf *b, struct str blob, uint32_t drop)
{
	struct work_history_entry e;
	uint64_t folded = drop;

	for (uint32_t i = 0; i < drop && work_history_next(&blob, &e); i++)
		folded += e.folded;
	if (!work_history_next(&blob, &e))
		return;
	folded += e.folded;
	e.folded = folded < UINT32_MAX ? (uint32_t)folded : UINT32_MAX;
	put(b, &e);
	buf_str_add(b, blob);
}

void history_add(struct work *w, struct item *item, enum work_event_kind kind, struct name *agent, struct str note)
{
	struct str old = work_blob_str(item->history);
	uint32_t n = count_entries(old);
	struct work_history_entry e = {.at_ms = w->batch.now_ms,
				       .kind = (int)kind,
				       .attempt = item->attempt,
				       .agent = name_str(agent),
				       .note = text_cut(note, HISTORY_NOTE_MAX_BYTES)};

	buf_reset(&w->scratch);
	if (n < HISTORY_KEPT)
		buf_str_add(&w->scratch, old);
	else
		put_folded(&w->scratch, old, n - HISTORY_KEPT + 1);
	put(&w->scratch, &e);
	item_set_history(w, item, buf_str(&w->scratch));
}
