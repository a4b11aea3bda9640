/* What counts as one address; see limits.h. */
#include "limits/limits.h"

#include <arpa/inet.h>
#include <string.h>

static int64_t big_endian(const unsigned char *bytes, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | bytes[i];
	return (int64_t)v;
}

static bool is_v4_in_v6(const unsigned char *v6)
{
	static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(v6, prefix, sizeof(prefix)) == 0;
}

struct limits_key limits_address(struct str text)
{
	struct limits_key k = {(int64_t)str_hash(text), LIMITS_ADDRESS};
	unsigned char bytes[16];
	char z[INET6_ADDRSTRLEN];

	if (text.n >= sizeof(z))
		return k;
	memcpy(z, text.n ? text.p : "", text.n);
	z[text.n] = 0;
	if (inet_pton(AF_INET, z, bytes) == 1)
		k.id = big_endian(bytes, 4);
	else if (inet_pton(AF_INET6, z, bytes) == 1)
		k.id = is_v4_in_v6(bytes) ? big_endian(bytes + 12, 4) : big_endian(bytes, 8);
	return k;
}
