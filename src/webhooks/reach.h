/*
 * Which addresses webhooks may be sent to.
 *
 * Whoever gives a URL must not have the server call what only the server reaches: itself, its network, the metadata
 * service of its cloud. So every address that is about to be connected to is asked for here, whatever name it came
 * from, and the answer holds for that address only: nothing is resolved twice. Allowed is what is global unicast by the
 * registries of special addresses (RFC 6890 and what IANA has added since), and what --webhook-allow names. An IPv4
 * address inside an IPv6 one (mapped, NAT64, 6to4) counts as what it holds.
 */
#ifndef TENFOLD_WEBHOOKS_REACH_H
#define TENFOLD_WEBHOOKS_REACH_H

#include "base/problem.h"
#include "base/str.h"

#include <sys/socket.h>

enum { REACH_RANGES_MAX = 32, REACH_BYTES = 16 };

/* The addresses that share the first `bits` bits; IPv4 as mapped into IPv6. */
struct reach_range {
	unsigned char prefix[REACH_BYTES];
	unsigned bits;
};

struct reach {
	struct reach_range allowed[REACH_RANGES_MAX];
	size_t count;
};

/* A list such as "10.0.0.0/8,fd00::/8", of addresses or ranges; it may be empty. ERR_USAGE tells what it does not
 * understand. */
enum err reach_read(struct str list, struct reach *out, struct problem *p);

bool reach_allows(const struct reach *r, const struct sockaddr *to);
/* The same of an address as text; true also of what is no address, but a name. */
bool reach_allows_host(const struct reach *r, struct str host);

#endif
