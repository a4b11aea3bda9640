/*
 * Keys and signatures: ed25519 (RFC 8032), in base64 of either alphabet, with its padding or without.
 *
 * Who registers a key shows that he has its private half: he asks for a challenge, signs its text as it is, and
 * gives the signature. A challenge is for one key, counts once and for five minutes.
 */
#ifndef TENFOLD_DIRECTORY_PROOF_H
#define TENFOLD_DIRECTORY_PROOF_H

#include "base/arena.h"
#include "base/problem.h"
#include "store/queries.h"

enum {
	PROOF_KEY = 32,
	PROOF_SIGNATURE = 64,
	PROOF_NONCE = 24,
	PROOF_CHALLENGE_MS = 300000,
};

/* The bytes that base64 text stands for; false unless it is exactly n of them, in the shortest spelling. */
bool proof_bytes(struct str text, void *out, size_t n);
/* Bytes as base64 of the usual alphabet, with padding. */
struct str proof_text(struct arena *a, struct str bytes);

/* A public key out of base64; ERR_INVALID, told of `public_key`. A new one is checked to be one, and no point for which
 * anybody could sign; one that a challenge was made for need not be again. */
enum err proof_new_key(struct str text, unsigned char out[PROOF_KEY], struct problem *p);
enum err proof_asked_key(struct str text, unsigned char out[PROOF_KEY], struct problem *p);

/* Is this the signature, in base64, of text with the key? */
bool proof_verify(const unsigned char key[PROOF_KEY], struct str text, struct str signature);

/* What is to be signed for a challenge. */
struct str proof_challenge(const struct challenge_row *challenge, struct arena *a);

/* Uses up a challenge, inside a transaction. ERR_INVALID, told of `challenge_id` or `signature`: used, expired, for
 * another key, signed wrong; then it is as it was. */
enum err proof_use(struct db *db, struct arena *a, int64_t challenge_id, const unsigned char key[PROOF_KEY],
		   struct str signature, int64_t now_ms, struct problem *p);

#endif
