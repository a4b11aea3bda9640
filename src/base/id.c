/*
 * Ids as numbers and as text.
 *
 *   62            22 21     12 11        0
 *   | milliseconds  |  slot   | sequence |      since 2025-01-01T00:00:00Z
 *
 * Zero and below are no ids. Text of an id is the number, most significant digit first: 13 digits hold 65 bits, so
 * the first one is at most 7.
 */
#include "base/id.h"

#include "base/magic.h"

#include <string.h>

enum { SEQUENCE_BITS = 12, SLOT_BITS = 10, TIME_SHIFT = SEQUENCE_BITS + SLOT_BITS, DIGITS = 13, PREFIX_MAX = 8 };
enum { SEQUENCE_LAST = (1 << SEQUENCE_BITS) - 1 };

static const int64_t EPOCH_MS = 1735689600000; /* 2025-01-01T00:00:00Z */
static const int64_t TIME_END = (int64_t)1 << 41;

/* Ids of one millisecond are not ordered by sequence alone (the slot stands above it), so go on with the next. */
void id_maker_init(struct id_maker *m, int64_t highest_stored)
{
	*m = (struct id_maker){.last_ms = highest_stored >> TIME_SHIFT, .sequence = SEQUENCE_LAST};
}

int64_t id_make(struct id_maker *m, int64_t now_ms, unsigned slot)
{
	int64_t ms = now_ms - EPOCH_MS;

	CHECK(slot < ID_SLOTS);
	if (ms > m->last_ms || m->sequence == SEQUENCE_LAST) {
		m->last_ms = ms > m->last_ms ? ms : m->last_ms + 1;
		m->sequence = 0;
	} else {
		m->sequence++;
	}
	CHECK(m->last_ms < TIME_END);
	return m->last_ms << TIME_SHIFT | (int64_t)slot << SEQUENCE_BITS | m->sequence;
}

unsigned id_slot(int64_t id)
{
	return (unsigned)(id >> SEQUENCE_BITS) & (ID_SLOTS - 1);
}

int64_t id_time_ms(int64_t id)
{
	return (id >> TIME_SHIFT) + EPOCH_MS;
}

/* Crockford's alphabet leaves out i, l, o and u. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* -1 for what is no digit. */
static int digit_value(char c)
{
	const char *at;

	if (c >= 'A' && c <= 'Z')
		c = (char)(c + ('a' - 'A'));
	if (c == 'i' || c == 'l')
		c = '1';
	if (c == 'o')
		c = '0';
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

size_t id_format(char out[ID_TEXT], const char *prefix, int64_t id)
{
	size_t n = strlen(prefix);

	CHECK(n <= PREFIX_MAX && id >= 0);
	memcpy(out, prefix, n);
	for (size_t i = DIGITS; i-- > 0; id >>= 5)
		out[n + i] = alphabet[id & 31];
	out[n + DIGITS] = '\0';
	return n + DIGITS;
}

bool id_parse(struct str text, const char *prefix, int64_t *out)
{
	size_t n = strlen(prefix);
	uint64_t id = 0;

	if (text.n != n + DIGITS || !str_eq_nocase((struct str){text.p, n}, (struct str){prefix, n}))
		return false;
	for (size_t i = 0; i < DIGITS; i++) {
		int value = digit_value(text.p[n + i]);

		if (value < 0 || (i == 0 && value > 7))
			return false;
		id = id << 5 | (unsigned)value;
	}
	*out = (int64_t)id;
	return id > 0;
}

size_t id_base32(char *out, const void *bytes, size_t n)
{
	const unsigned char *in = bytes;
	size_t written = 0;
	unsigned held = 0, bits = 0;

	for (size_t i = 0; i < n; i++) {
		held = held << 8 | in[i];
		for (bits += 8; bits >= 5; bits -= 5)
			out[written++] = alphabet[held >> (bits - 5) & 31];
	}
	if (bits)
		out[written++] = alphabet[held << (5 - bits) & 31];
	out[written] = '\0';
	return written;
}

/* The bits that pad the last digit must be zero, so that each text is the only one of its bytes. */
bool id_unbase32(struct str text, void *bytes, size_t n)
{
	unsigned char *out = bytes;
	size_t written = 0;
	unsigned held = 0, bits = 0;

	if (text.n != (n * 8 + 4) / 5)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int value = digit_value(text.p[i]);

		if (value < 0)
			return false;
		held = held << 5 | (unsigned)value;
		bits += 5;
		if (bits >= 8)
			out[written++] = (unsigned char)(held >> (bits -= 8));
	}
	return (held & ((1u << bits) - 1)) == 0;
}
