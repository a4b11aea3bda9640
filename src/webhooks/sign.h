/*
 * Signatures of webhooks, as Standard Webhooks 1.0.0 has them (https://www.standardwebhooks.com): HMAC-SHA256 (RFC
 * 2104) over "ID.TIMESTAMP.BODY", in base64, with a secret of 24 to 64 bytes that is written whsec_ and base64.
 *
 * Whatever is compared with what came from outside is compared in constant time.
 */
#ifndef TENFOLD_WEBHOOKS_SIGN_H
#define TENFOLD_WEBHOOKS_SIGN_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

enum { SIGN_BYTES = 32, SIGN_SECRET_MIN = 24, SIGN_SECRET_MAX = 64, SIGN_SECRET_NEW = 32 };

struct sign_secret {
	unsigned char bytes[SIGN_SECRET_MAX];
	size_t n;
};

/* A new secret, as text: whsec_ and base64. */
struct str sign_secret_new(struct arena *a);
/* Reads one; false when it is none. The prefix may be left out. */
bool sign_secret_read(struct str text, struct sign_secret *out);

/* HMAC-SHA256 over the pieces, one after another. */
void sign_hmac(struct str key, const struct str *pieces, size_t count, unsigned char out[SIGN_BYTES]);

/* What a delivery says of itself: its id, when it is sent (seconds), and the body. */
struct sign_message {
	struct str id, body;
	int64_t at_s;
};

/* Appends "v1,BASE64" for a header webhook-signature, which lists them with spaces between. */
void sign_add(struct buf *list, const struct sign_secret *secret, const struct sign_message *m);
/* Has one of those listed been made with the secret? Versions other than v1 are passed over. */
bool sign_is_listed(struct str list, const struct sign_secret *secret, const struct sign_message *m);

/* Are the two the same? Takes as long whatever they hold; how long they are is no secret. */
bool sign_same(struct str a, struct str b);
/* Is this the signature in hexadecimal digits of either case, or in base64 of the usual alphabet? */
bool sign_is_hex(struct str text, const unsigned char signature[SIGN_BYTES]);
bool sign_is_base64(struct str text, const unsigned char signature[SIGN_BYTES]);

#endif
