/*
 * What comes in as base64 or as an attestation. The first line is tried as a key, a signature and other base64, beside
 * a decoder of the fuzzer's own; the whole as an attestation: what is signed of it is its own canonical form.
 */
#include "base/magic.h"
#include "directory/attest.h"
#include "directory/proof.h"

#include <string.h>

enum { ARENA_MAX = 8 << 20, BYTES_MAX = 96 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- base64, slowly ---- */

static int digit_of(char c, bool url)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const char *at = c ? strchr(letters, c) : NULL;

	if (at)
		return (int)(at - letters);
	if (c == (url ? '-' : '+'))
		return 62;
	return c == (url ? '_' : '/') ? 63 : -1;
}

/* Bit by bit; -1 when it is none. Left over may be at most a digit's worth of zeros. */
static int decode(struct str text, bool url, unsigned char *out)
{
	size_t digits = text.n, n = 0;
	unsigned bits = 0, held = 0;

	while (digits > 0 && text.p[digits - 1] == '=' && text.n - digits < 2)
		digits--;
	if (digits < text.n && text.n % 4 != 0)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		int digit = digit_of(text.p[i], url);

		if (digit < 0 || n == BYTES_MAX)
			return -1;
		held = (held << 6 | (unsigned)digit) & 0x3fff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (unsigned char)(held >> bits);
		}
	}
	return bits == 6 || (held & ((1u << bits) - 1)) != 0 ? -1 : (int)n;
}

static void base64(struct str text, struct arena *a)
{
	unsigned char slow[BYTES_MAX], fast[BYTES_MAX];
	bool url = memchr(text.p, '-', text.n) || memchr(text.p, '_', text.n);
	int n = decode(text, url, slow);
	struct problem p = {0};

	for (int wanted = 1; wanted < BYTES_MAX; wanted++) {
		bool good = proof_bytes(text, fast, (size_t)wanted);

		CHECK(good == (n == wanted));
		CHECK(!good || memcmp(slow, fast, (size_t)n) == 0);
		CHECK(!good || proof_bytes(proof_text(a, (struct str){(char *)slow, (size_t)n}), fast, (size_t)n));
	}
	CHECK(proof_new_key(text, fast, &p) == OK ? n == PROOF_KEY : p.field_count == 1);
	proof_verify(fast, text, text);
}

/* ---- attestations ---- */

static void attestation(struct str text, struct arena *a)
{
	struct attestation_new in;
	struct buf form = {0}, again = {0};
	struct str value;
	struct problem p = {0};

	if (json_decode(&type_attestation_new, text, 0, a, &in, NULL) != OK)
		return;
	CHECK(attest_check(&in, in.issued_at, &p) == OK || p.field_count == 1);
	if (attest_canonical(&in, a, &form, &value, NULL) == OK) {
		CHECK(json_canonical(buf_str(&form), a, &again, NULL) == OK);
		CHECK(str_eq(buf_str(&form), buf_str(&again)));
	}
	buf_free(&form);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size}, rest;
	struct arena *a = arena_new(ARENA_MAX);

	if (size > 0) {
		base64(str_cut(text, '\n', &rest), a);
		attestation(text, a);
	}
	arena_destroy(&a);
	return 0;
}
