/* See reach.h. The tables are those of RFC 6890 with what came later, as prefixes. */
#include "webhooks/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { V4_BITS = 32, MAPPED_BITS = 96, HOST_MAX = INET6_ADDRSTRLEN };

struct block {
	unsigned char prefix[REACH_BYTES];
	unsigned bits;
};

static const struct block not_global_v4[] = {
	{{0}, 8},             /* this network */
	{{10}, 8},            /* private */
	{{100, 64}, 10},      /* shared by a provider's customers */
	{{127}, 8},           /* loopback */
	{{169, 254}, 16},     /* link-local, where clouds have their metadata */
	{{172, 16}, 12},      /* private */
	{{192, 0, 0}, 24},    /* protocol assignments */
	{{192, 0, 2}, 24},    /* documentation */
	{{192, 88, 99}, 24},  /* relays of 6to4 */
	{{192, 168}, 16},     /* private */
	{{198, 18}, 15},      /* benchmarks */
	{{198, 51, 100}, 24}, /* documentation */
	{{203, 0, 113}, 24},  /* documentation */
	{{224}, 3},           /* multicast, reserved, broadcast */
};

/* Of global unicast, 2000::/3; all else is none. */
static const struct block global_v6 = {{0x20}, 3};
static const struct block not_global_v6[] = {
	{{0x20, 0x01, 0x00}, 23},       /* protocol assignments, Teredo among them */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x3f, 0xff}, 20},             /* documentation */
};

/* IPv6 addresses that hold an IPv4 address, and after which byte. */
static const struct {
	struct block block;
	size_t offset;
} holding_v4[] = {
	{{{[10] = 0xff, [11] = 0xff}, 96}, 12}, /* mapped */
	{{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},   /* NAT64 */
	{{{0x20, 0x02}, 16}, 2},                /* 6to4 */
};

static bool is_within(const unsigned char *address, const unsigned char *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(address, prefix, whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static bool is_global_v4(const unsigned char *v4)
{
	for (size_t i = 0; i < sizeof not_global_v4 / sizeof *not_global_v4; i++)
		if (is_within(v4, not_global_v4[i].prefix, not_global_v4[i].bits))
			return false;
	return true;
}

static bool is_global(const unsigned char *v6)
{
	for (size_t i = 0; i < sizeof holding_v4 / sizeof *holding_v4; i++)
		if (is_within(v6, holding_v4[i].block.prefix, holding_v4[i].block.bits))
			return is_global_v4(v6 + holding_v4[i].offset);
	if (!is_within(v6, global_v6.prefix, global_v6.bits))
		return false;
	for (size_t i = 0; i < sizeof not_global_v6 / sizeof *not_global_v6; i++)
		if (is_within(v6, not_global_v6[i].prefix, not_global_v6[i].bits))
			return false;
	return true;
}

static bool allows(const struct reach *r, const unsigned char *v6)
{
	for (size_t i = 0; i < r->count; i++)
		if (is_within(v6, r->allowed[i].prefix, r->allowed[i].bits))
			return true;
	return is_global(v6);
}

static void map_v4(const void *v4, unsigned char out[REACH_BYTES])
{
	memset(out, 0, REACH_BYTES);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, v4, 4);
}

bool reach_allows(const struct reach *r, const struct sockaddr *to)
{
	unsigned char mapped[REACH_BYTES];
	if (to->sa_family == AF_INET6)
		return allows(r, ((const struct sockaddr_in6 *)(const void *)to)->sin6_addr.s6_addr);
	if (to->sa_family != AF_INET)
		return false;
	map_v4(&((const struct sockaddr_in *)(const void *)to)->sin_addr, mapped);
	return allows(r, mapped);
}

/* An address of either family, as IPv6; *v4: it was one. */
static bool read_address(struct str text, unsigned char out[REACH_BYTES], bool *v4)
{
	char z[HOST_MAX];
	unsigned char bytes[4];
	if (text.n == 0 || text.n >= sizeof z)
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	*v4 = inet_pton(AF_INET, z, bytes) == 1;
	if (!*v4)
		return inet_pton(AF_INET6, z, out) == 1;
	map_v4(bytes, out);
	return true;
}

bool reach_allows_host(const struct reach *r, struct str host)
{
	unsigned char address[REACH_BYTES];
	bool v4;
	if (host.n > 2 && host.p[0] == '[')
		host = (struct str){host.p + 1, host.n - 2};
	return !read_address(host, address, &v4) || allows(r, address);
}

/* ---- what is allowed besides ---- */

static bool read_range(struct str text, struct reach_range *out)
{
	struct str bits_text, address = str_cut(text, '/', &bits_text);
	bool v4;
	int64_t bits;
	if (!read_address(address, out->prefix, &v4))
		return false;
	int64_t most = v4 ? V4_BITS : 8 * REACH_BYTES;
	if (!bits_text.p)
		bits = most;
	else if (!str_to_i64(bits_text, &bits) || bits < 0 || bits > most)
		return false;
	out->bits = (unsigned)(v4 ? bits + MAPPED_BITS : bits);
	return true;
}

enum err reach_read(struct str list, struct reach *out, struct problem *p)
{
	*out = (struct reach){0};
	while (list.n) {
		struct str one = str_trim(str_cut(list, ',', &list));
		if (out->count == REACH_RANGES_MAX)
			return problem_set(p, ERR_USAGE, "--webhook-allow takes at most %d ranges",
					   REACH_RANGES_MAX);
		if (!read_range(one, &out->allowed[out->count++]))
			return problem_set(p, ERR_USAGE,
					   "--webhook-allow: '%.*s' is no range of addresses such as 10.0.0.0/8 or "
					   "fd00::/8",
					   STRF(one));
	}
	return OK;
}
