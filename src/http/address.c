/* See address.h. */
#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { ENTRY_MAX = 64 };

static struct str write_v4(const struct in_addr *a, char out[ADDRESS_TEXT])
{
	return inet_ntop(AF_INET, a, out, ADDRESS_TEXT) ? str_of(out) : (struct str){0};
}

static struct str write_v6(const struct in6_addr *a, char out[ADDRESS_TEXT])
{
	struct in_addr v4;

	if (IN6_IS_ADDR_V4MAPPED(a)) {
		memcpy(&v4, a->s6_addr + 12, sizeof(v4));
		return write_v4(&v4, out);
	}
	return inet_ntop(AF_INET6, a, out, ADDRESS_TEXT) ? str_of(out) : (struct str){0};
}

struct str address_of(const struct sockaddr *from, char out[ADDRESS_TEXT])
{
	if (from->sa_family == AF_INET)
		return write_v4(&((const struct sockaddr_in *)(const void *)from)->sin_addr, out);
	if (from->sa_family == AF_INET6)
		return write_v6(&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, out);
	return (struct str){0};
}

/* Some proxies add the port: 192.0.2.1:5000, [2001:db8::1]:5000. */
static struct str without_port(struct str entry)
{
	struct str rest;
	const char *colon = entry.n ? memchr(entry.p, ':', entry.n) : NULL;

	if (entry.n && entry.p[0] == '[')
		return str_cut((struct str){entry.p + 1, entry.n - 1}, ']', &rest);
	if (colon && !memchr(colon + 1, ':', entry.n - (size_t)(colon + 1 - entry.p)))
		return str_cut(entry, ':', &rest);
	return entry;
}

static struct str read_entry(struct str entry, char out[ADDRESS_TEXT])
{
	struct in6_addr v6;
	struct in_addr v4;
	char z[ENTRY_MAX];

	entry = without_port(str_trim(entry));
	if (entry.n == 0 || entry.n >= sizeof(z))
		return (struct str){0};
	memcpy(z, entry.p, entry.n);
	z[entry.n] = '\0';
	if (inet_pton(AF_INET, z, &v4) == 1)
		return write_v4(&v4, out);
	return inet_pton(AF_INET6, z, &v6) == 1 ? write_v6(&v6, out) : (struct str){0};
}

/* Takes the last entry off a list. */
static struct str cut_last(struct str *list)
{
	size_t at = list->n;
	struct str last;

	while (at > 0 && list->p[at - 1] != ',')
		at--;
	last = (struct str){list->p + at, list->n - at};
	list->n = at ? at - 1 : 0;
	return last;
}

struct str address_forwarded(struct str list, unsigned hops, struct str socket, char out[ADDRESS_TEXT])
{
	struct str found = socket;
	char read[ADDRESS_TEXT];

	for (; hops > 0 && list.n > 0; hops--) {
		struct str address = read_entry(cut_last(&list), read);

		if (!address.n)
			break;
		memcpy(out, read, address.n + 1);
		found = (struct str){out, address.n};
	}
	return found;
}
