/*
 * Where a request comes from: the address of its socket, or what trusted proxies before the server say of it.
 */
#ifndef TENFOLD_HTTP_ADDRESS_H
#define TENFOLD_HTTP_ADDRESS_H

#include "base/str.h"

#include <sys/socket.h>

enum { ADDRESS_TEXT = 46 };

/* As text into `out`, with a NUL; an IPv4 address within IPv6 as IPv4. Empty when it is of neither. */
struct str address_of(const struct sockaddr *from, char out[ADDRESS_TEXT]);

/* The client's behind so many proxies, of which the nearest is `socket`: each has put the address it was called from
 * at the right end of X-Forwarded-For. What stands further left was written by nobody who is trusted. An entry that is
 * no address ends the way: the answer is then the proxy that wrote it. */
struct str address_forwarded(struct str list, unsigned hops, struct str socket, char out[ADDRESS_TEXT]);

#endif
