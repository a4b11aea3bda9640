/* See proof.h. */
#include "directory/proof.h"

#include "base/id.h"
#include "base/magic.h"

#include <sodium.h>
#include <string.h>

/* Which of libsodium's four spellings it would have to be. */
static int variant_of(struct str text)
{
	bool url = memchr(text.p, '-', text.n) || memchr(text.p, '_', text.n);
	bool padded = text.n > 0 && text.p[text.n - 1] == '=';
	if (url)
		return padded ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	return padded ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
}

/* libsodium 1.0.18 takes some bytes over 0x7f for digits. */
static bool is_ascii(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] > 0x7f)
			return false;
	return true;
}

bool proof_bytes(struct str text, void *out, size_t n)
{
	size_t got = 0;
	const char *end = NULL;
	if (text.n == 0 || !is_ascii(text))
		return false;
	int failed = sodium_base642bin(out, n, text.p, text.n, NULL, &got, &end, variant_of(text));
	return !failed && got == n && end == text.p + text.n;
}

struct str proof_text(struct arena *a, struct str bytes)
{
	size_t room = sodium_base64_encoded_len(bytes.n, sodium_base64_VARIANT_ORIGINAL);
	char *text = arena_alloc(a, room);
	if (!text)
		return (struct str){0};
	sodium_bin2base64(text, room, (const unsigned char *)bytes.p, bytes.n, sodium_base64_VARIANT_ORIGINAL);
	return (struct str){text, room - 1};
}

enum err proof_asked_key(struct str text, unsigned char out[PROOF_KEY], struct problem *p)
{
	if (proof_bytes(text, out, PROOF_KEY))
		return OK;
	return problem_field(p, ERR_INVALID, "public_key", "must be the 32 bytes of a public key in base64");
}

enum err proof_new_key(struct str text, unsigned char out[PROOF_KEY], struct problem *p)
{
	enum err err = proof_asked_key(text, out, p);
	if (!err && !crypto_core_ed25519_is_valid_point(out))
		return problem_field(p, ERR_INVALID, "public_key", "is no ed25519 public key");
	return err;
}

bool proof_verify(const unsigned char key[PROOF_KEY], struct str text, struct str signature)
{
	unsigned char bytes[PROOF_SIGNATURE];
	return proof_bytes(signature, bytes, sizeof bytes) &&
	       crypto_sign_verify_detached(bytes, (const unsigned char *)text.p, text.n, key) == 0;
}

struct str proof_challenge(const struct challenge_row *challenge, struct arena *a)
{
	char id[ID_TEXT];
	struct str nonce = proof_text(a, challenge->nonce), key = proof_text(a, challenge->public_key);
	id_format(id, "ch_", challenge->id);
	return arena_fmt(a, "tenfold.challenge.v1:%s:%.*s:%.*s", id, STRF(nonce), STRF(key));
}

static enum err used(struct problem *p)
{
	return problem_field(p, ERR_INVALID, "challenge_id",
			     "was used, has expired or never was; get one with POST /v1/agents/challenge");
}

enum err proof_use(struct db *db, struct arena *a, int64_t challenge_id, const unsigned char key[PROOF_KEY],
		   struct str signature, int64_t now_ms, struct problem *p)
{
	struct id_row id = {challenge_id}, taken;
	struct challenge_row row;
	enum err err = q_challenge_get(db, &id, a, &row);
	if (err == ERR_NOT_FOUND || (!err && row.expires_ms <= now_ms))
		return used(p);
	if (err)
		return err;
	if (row.public_key.n != PROOF_KEY || memcmp(row.public_key.p, key, PROOF_KEY) != 0)
		return problem_field(p, ERR_INVALID, "challenge_id", "is for another public key");
	if (!proof_verify(key, proof_challenge(&row, a), signature))
		return problem_field(p, ERR_INVALID, "signature",
				     "is not that of the challenge's text, made with this key, in base64");
	err = q_challenge_take(db, &id, a, &taken);
	return err == ERR_NOT_FOUND ? used(p) : err; /* somebody was faster */
}
