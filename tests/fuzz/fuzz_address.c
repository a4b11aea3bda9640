/*
 * X-Forwarded-For as anybody may write it: what comes out is the socket's address or a canonical one, which read by
 * itself is itself, and does not depend on what stands left of the entries that count.
 *
 * The first byte, a digit, is the number of trusted proxies.
 */
#include "base/buf.h"
#include "base/magic.h"
#include "http/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned hops = size ? (unsigned)(uint8_t)(data[0] - '0') % 5 : 0;
	struct str list = {(const char *)data + (size != 0), size - (size != 0)}, socket = STR("socket");
	char out[ADDRESS_TEXT], again[ADDRESS_TEXT];
	struct str a = address_forwarded(list, hops, socket, out);
	struct buf longer = BUF_INIT(0);

	CHECK(a.n > 0 && a.n < ADDRESS_TEXT);
	if (a.p != socket.p)
		CHECK(hops > 0 && str_eq(address_forwarded(a, 1, socket, again), a));
	buf_z(&longer, "spoofed,");
	buf_str_add(&longer, list);
	CHECK(str_eq(address_forwarded(buf_str(&longer), hops, socket, again), a));
	buf_free(&longer);
	return 0;
}
