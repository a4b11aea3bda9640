/* See sign.h. */
#include "webhooks/sign.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { BASE64_TEXT = 128, TIME_TEXT = 24 };

#define PREFIX "whsec_"

struct str sign_secret_new(struct arena *a)
{
	unsigned char bytes[SIGN_SECRET_NEW];
	char text[BASE64_TEXT];
	randombytes_buf(bytes, sizeof bytes);
	sodium_bin2base64(text, sizeof text, bytes, sizeof bytes, sodium_base64_VARIANT_ORIGINAL);
	struct str secret = arena_fmt(a, PREFIX "%s", text);
	sodium_memzero(bytes, sizeof bytes);
	sodium_memzero(text, sizeof text);
	return secret;
}

bool sign_secret_read(struct str text, struct sign_secret *out)
{
	if (str_starts(text, STR(PREFIX)))
		text = (struct str){text.p + sizeof PREFIX - 1, text.n - (sizeof PREFIX - 1)};
	return sodium_base642bin(out->bytes, sizeof out->bytes, text.p, text.n, NULL, &out->n, NULL,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       out->n >= SIGN_SECRET_MIN;
}

void sign_hmac(struct str key, const struct str *pieces, size_t count, unsigned char out[SIGN_BYTES])
{
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.n);
	for (size_t i = 0; i < count; i++)
		crypto_auth_hmacsha256_update(&state, (const unsigned char *)pieces[i].p, pieces[i].n);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof state);
}

static void sign_message(const struct sign_secret *secret, const struct sign_message *m,
			 unsigned char out[SIGN_BYTES])
{
	char at[TIME_TEXT];
	int n = snprintf(at, sizeof at, ".%" PRId64 ".", m->at_s);
	struct str pieces[] = {m->id, {at, (size_t)n}, m->body};
	sign_hmac((struct str){(const char *)secret->bytes, secret->n}, pieces, 3, out);
}

void sign_add(struct buf *list, const struct sign_secret *secret, const struct sign_message *m)
{
	unsigned char signature[SIGN_BYTES];
	char text[BASE64_TEXT];
	sign_message(secret, m, signature);
	sodium_bin2base64(text, sizeof text, signature, sizeof signature, sodium_base64_VARIANT_ORIGINAL);
	buf_fmt(list, "%sv1,%s", list->n ? " " : "", text);
}

bool sign_is_listed(struct str list, const struct sign_secret *secret, const struct sign_message *m)
{
	unsigned char signature[SIGN_BYTES];
	bool found = false;
	sign_message(secret, m, signature);
	while (list.n) {
		struct str value, version = str_cut(str_cut(list, ' ', &list), ',', &value);
		found |= str_eqz(version, "v1") && sign_is_base64(value, signature);
	}
	return found;
}

/* ---- comparing ---- */

bool sign_same(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

static bool same_bytes(const unsigned char *bytes, size_t n, const unsigned char signature[SIGN_BYTES])
{
	return n == SIGN_BYTES && sodium_memcmp(bytes, signature, SIGN_BYTES) == 0;
}

bool sign_is_hex(struct str text, const unsigned char signature[SIGN_BYTES])
{
	unsigned char bytes[SIGN_BYTES];
	size_t n;
	return sodium_hex2bin(bytes, sizeof bytes, text.p, text.n, NULL, &n, NULL) == 0 &&
	       same_bytes(bytes, n, signature);
}

bool sign_is_base64(struct str text, const unsigned char signature[SIGN_BYTES])
{
	unsigned char bytes[SIGN_BYTES];
	size_t n;
	return sodium_base642bin(bytes, sizeof bytes, text.p, text.n, NULL, &n, NULL,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       same_bytes(bytes, n, signature);
}
