/*
 * Has somebody who knows the secret sent this, and lately? What GitHub, GitLab, Jira, Stripe and those who follow
 * Standard Webhooks put into their headers, and an HMAC-SHA256 in a header of any name.
 *
 * Signatures are over the bytes of the body as they came, and compared in constant time. Where a time is signed, it
 * must be near. Where none is, what was signed once is good for ever, so `digest` tells the same body again.
 */
#ifndef TENFOLD_HOOKS_VERIFY_H
#define TENFOLD_HOOKS_VERIFY_H

#include "base/arena.h"
#include "base/problem.h"
#include "spec/types.h"

enum { VERIFY_SECRETS_MAX = 2, VERIFY_DIGEST = 32, VERIFY_ID_MAX = 128 };

struct verify_request {
	struct str body;
	/* The value of a header; p is NULL when it did not come, or came more than once. */
	struct str (*header)(const void *ctx, struct str name);
	const void *ctx;
};

/* What a hook expects. */
struct verify_hook {
	enum hook_kind kind;
	struct str secrets[VERIFY_SECRETS_MAX]; /* any of them */
	size_t secret_count;
	const struct hook_headers *headers; /* of HOOK_GENERIC */
	int64_t tolerance_ms;
};

struct verify_result {
	struct str delivery, event; /* in the arena; the event's name may be empty */
	struct str digest;          /* of a body whose time is not signed; else p is NULL */
};

/* ERR_UNAUTHENTICATED says which header is missing or wrong, or that the time is not near. ERR_INVALID: it is signed,
 * but its id or its event's name is no text of at most VERIFY_ID_MAX bytes. */
enum err verify_request(const struct verify_hook *hook, const struct verify_request *request, int64_t now_ms,
			struct arena *a, struct verify_result *out, struct problem *p);

/* Stripe-Signature: the time and the signatures it lists. */
enum { VERIFY_LISTED_MAX = 16 };
struct verify_timed {
	int64_t at_s;
	struct str signatures[VERIFY_LISTED_MAX];
	size_t count;
};
/* "t=1492774577,v1=5257…,v0=…": false without exactly one time or without a v1. */
bool verify_timed_read(struct str header, struct verify_timed *out);

#endif
