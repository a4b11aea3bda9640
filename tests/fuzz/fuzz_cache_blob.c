/*
 * A value that a Redis claims to have: read as it came, and with its checksum put right, so that what lies behind that
 * is reached. What is taken for a blob is exactly what would be written of it.
 */
#include "base/magic.h"
#include "cache/cache_priv.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHECKSUM = 8 };

static void check(struct str value, struct str key)
{
	struct wire w;
	struct buf again = BUF_INIT(0);
	enum wire_kind kind = wire_read(value, key, &w);

	if (kind == WIRE_BLOB) {
		CHECK(w.version > 0 && w.etag.n <= CACHE_ETAG_MAX && str_eq(w.key, key));
		wire_write(&again, &w);
		CHECK(str_eq(buf_str(&again), value));
	}
	if (kind == WIRE_TOMBSTONE)
		CHECK(value.n == WIRE_HEAD);
	buf_free(&again);
}

static void put_right(uint8_t *value, size_t size)
{
	struct str head = {(const char *)value, WIRE_HEAD},
		   rest = {(const char *)value + WIRE_HEAD + CHECKSUM, size - WIRE_HEAD - CHECKSUM};
	uint64_t sum = str_hash_seed(rest, str_hash(head));

	for (int i = 0; i < CHECKSUM; i++)
		value[WIRE_HEAD + i] = (uint8_t)(sum >> 8 * i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str key = STR("t:c1:row/17");
	uint8_t *copy;

	check((struct str){(const char *)data, size}, key);
	if (size < WIRE_HEAD + CHECKSUM)
		return 0;
	copy = must_alloc(size);
	memcpy(copy, data, size);
	put_right(copy, size);
	check((struct str){(const char *)copy, size}, key);
	free(copy);
	return 0;
}
