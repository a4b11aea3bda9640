/*
 * Requests that an agent signs with its own key, in place of sending a secret. Two schemes, both ed25519:
 *
 *   X-Agent-Id, X-Agent-Timestamp (ms), X-Agent-Signature: base64 of the signature of METHOD:path:timestamp:body.
 *   A query is not covered, so a request with one is refused.
 *
 *   HTTP Message Signatures (RFC 9421): Signature-Input and Signature, the first label of each; keyid is the agent.
 *   `created` must be there, and @method, @path (or @request-target), @query where there is one, and Content-Digest
 *   (RFC 9530, sha-256 or sha-512) where there is a body must be covered, or it would not say who asks for what.
 *
 * Either may be 5 minutes old, or as much ahead of our clock. Who accepts one sees to it that it is not sent again.
 */
#ifndef TENFOLD_DIRECTORY_SIGNED_H
#define TENFOLD_DIRECTORY_SIGNED_H

#include "base/arena.h"
#include "base/problem.h"
#include "directory/proof.h"

enum { SIGNED_SKEW_MS = 300000 };

struct signed_request {
	struct str method, path, query, body; /* path and query as called, the query without its '?' */
	/* The value of a header, trimmed; p is NULL when there is none. The name is in lower case. */
	struct str (*header)(const void *ctx, struct str name);
	const void *ctx;
};

struct signed_claim {
	struct str agent; /* who says to have signed: ag_ id or handle */
	struct str text;  /* what was signed */
	unsigned char signature[PROOF_SIGNATURE];
	int64_t created_ms;
};

/* Does it carry a signature, good or not? */
bool signed_is(const struct signed_request *r);

/* Takes the headers apart. ERR_UNAUTHENTICATED: what is wrong with them. */
enum err signed_read(const struct signed_request *r, int64_t now_ms, struct arena *a, struct signed_claim *out,
		     struct problem *p);

bool signed_by(const struct signed_claim *claim, const unsigned char key[PROOF_KEY]);

#endif
