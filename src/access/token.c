/* See token.h. */
#include "access/token.h"

#include "base/id.h"
#include "base/magic.h"

#include <sodium.h>
#include <string.h>

enum { PREFIX = 3 };

static const struct {
	const char *prefix, *name;
} kinds[TOKEN_KINDS + 1] = {
	[TOKEN_KEY] = {"tf_", "an API key"},
	[TOKEN_ACCESS] = {"ta_", "an access token"},
	[TOKEN_REFRESH] = {"tr_", "a refresh token"},
	[TOKEN_TICKET] = {"tt_", "a ticket"},
	[TOKEN_INVITATION] = {"ti_", "an invitation"},
	[TOKEN_RESET] = {"tp_", "a password reset token"},
	[TOKEN_KINDS] = {"", "no token"},
};

void token_new(enum token_kind kind, char text[TOKEN_TEXT])
{
	unsigned char bits[TOKEN_HASH_BYTES];
	CHECK(sodium_init() >= 0);
	randombytes_buf(bits, sizeof bits);
	memcpy(text, kinds[kind].prefix, PREFIX);
	id_base32(text + PREFIX, bits, sizeof bits);
	sodium_memzero(bits, sizeof bits);
}

void token_hash(struct str text, unsigned char hash[TOKEN_HASH_BYTES])
{
	crypto_generichash(hash, TOKEN_HASH_BYTES, (const unsigned char *)text.p, text.n, NULL, 0);
}

enum token_kind token_kind_of(struct str text)
{
	enum token_kind kind = TOKEN_KEY;
	while (kind < TOKEN_KINDS && !str_starts(text, str_of(kinds[kind].prefix)))
		kind++;
	return kind;
}

const char *token_kind_name(enum token_kind kind)
{
	return kinds[kind].name;
}
