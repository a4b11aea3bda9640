/*
 * A value in Redis:
 *
 *	"tfc1"      format and its version
 *	'b' | 't'   a blob | a tombstone: of lower versions nothing may be put here
 *	19 digits   version, with zeros in front: Redis' script compares it as text
 *	8 bytes     xxh3 of what stands before and behind, little-endian; from here on only a blob has it
 *	varints     dies_ms, tags; then length and bytes of key, etag, body
 *
 * Nothing that Redis says is believed: what is not exactly this is a lie.
 */
#include "cache/cache_priv.h"

#include <stdio.h>
#include <string.h>

enum { MAGIC = 4, KIND = 4, VERSION = 5, CHECKSUM = 8 };

static void write_head(struct buf *out, char kind, int64_t version)
{
	buf_fmt(out, "tfc1%c%019lld", kind, (long long)version);
}

/* Of all but itself. */
static uint64_t checksum(struct str head, struct str rest)
{
	return str_hash_seed(rest, str_hash(head));
}

static void put_u64(char *at, uint64_t v)
{
	for (int i = 0; i < CHECKSUM; i++)
		at[i] = (char)(v >> 8 * i);
}

static uint64_t get_u64(const char *at)
{
	uint64_t v = 0;

	for (int i = CHECKSUM; i-- > 0;)
		v = v << 8 | (unsigned char)at[i];
	return v;
}

void wire_write(struct buf *out, const struct wire *w)
{
	size_t from = out->n;
	static const char room[CHECKSUM];
	struct str head, rest;

	write_head(out, 'b', w->version);
	buf_add(out, room, sizeof(room));
	buf_svarint(out, w->dies_ms);
	for (size_t i = 0; i < CACHE_TAGS; i++)
		buf_svarint(out, w->tags[i]);
	buf_lenstr(out, w->key);
	buf_lenstr(out, w->etag);
	buf_lenstr(out, w->body);
	if (!buf_ok(out))
		return;
	head = (struct str){out->p + from, WIRE_HEAD};
	rest = (struct str){head.p + WIRE_HEAD + CHECKSUM, out->n - from - WIRE_HEAD - CHECKSUM};
	put_u64(out->p + from + WIRE_HEAD, checksum(head, rest));
}

void wire_write_tombstone(struct buf *out, int64_t version)
{
	write_head(out, 't', version);
}

static bool read_head(struct str value, char *kind, int64_t *version)
{
	if (value.n < WIRE_HEAD || !str_starts(value, STR("tfc1")))
		return false;
	*kind = value.p[KIND];
	return str_to_i64((struct str){value.p + VERSION, WIRE_HEAD - VERSION}, version) && *version > 0;
}

static bool read_fields(struct str s, struct wire *out)
{
	bool ok = take_svarint(&s, &out->dies_ms);

	for (size_t i = 0; i < CACHE_TAGS; i++)
		ok = ok && take_svarint(&s, &out->tags[i]);
	return ok && take_lenstr(&s, &out->key) && take_lenstr(&s, &out->etag) && take_lenstr(&s, &out->body) &&
	       s.n == 0;
}

enum wire_kind wire_read(struct str value, struct str key, struct wire *out)
{
	struct str head = {value.p, WIRE_HEAD}, rest;
	struct wire w;
	char kind;

	if (!read_head(value, &kind, &w.version))
		return WIRE_LIE;
	if (kind == 't')
		return value.n == WIRE_HEAD ? WIRE_TOMBSTONE : WIRE_LIE;
	if (kind != 'b' || value.n < WIRE_HEAD + CHECKSUM)
		return WIRE_LIE;
	rest = (struct str){value.p + WIRE_HEAD + CHECKSUM, value.n - WIRE_HEAD - CHECKSUM};
	if (get_u64(value.p + WIRE_HEAD) != checksum(head, rest) || !read_fields(rest, &w))
		return WIRE_LIE;
	if (!str_eq(w.key, key) || w.etag.n > CACHE_ETAG_MAX)
		return WIRE_LIE;
	*out = w;
	return WIRE_BLOB;
}
