/* The fencing token: attempt, epoch of the owner, 64 random bits; as text their 16 bytes, big-endian, in base 32.
 */
#include "work/work_priv.h"

enum { TOKEN_BYTES = 16 };

static void put_big_endian(unsigned char *out, uint64_t v, size_t bytes)
{
	for (size_t i = bytes; i-- > 0; v >>= 8)
		out[i] = (unsigned char)(v & 0xff);
}

static uint64_t get_big_endian(const unsigned char *in, size_t bytes)
{
	uint64_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | in[i];
	return v;
}

void work_token_format(const struct work_token *t, char out[WORK_TOKEN_TEXT])
{
	unsigned char bytes[TOKEN_BYTES];
	size_t n;

	put_big_endian(bytes, t->attempt, 4);
	put_big_endian(bytes + 4, t->epoch, 4);
	put_big_endian(bytes + 8, t->random, 8);
	n = id_base32(out, bytes, sizeof(bytes));
	CHECK(n + 1 == WORK_TOKEN_TEXT);
}

bool work_token_parse(struct str text, struct work_token *out)
{
	unsigned char bytes[TOKEN_BYTES];

	if (!id_unbase32(text, bytes, sizeof(bytes)))
		return false;
	*out = (struct work_token){.attempt = (uint32_t)get_big_endian(bytes, 4),
				   .epoch = (uint32_t)get_big_endian(bytes + 4, 4),
				   .random = get_big_endian(bytes + 8, 8)};
	return true;
}

struct work_token work_token_of(const struct item *item)
{
	return (struct work_token){item->attempt, item->token_epoch, item->token_random};
}

bool work_token_eq(const struct work_token *a, const struct work_token *b)
{
	return a->attempt == b->attempt && a->epoch == b->epoch && a->random == b->random;
}
