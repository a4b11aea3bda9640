/*
 * What a process has of people's accounts, beside their rows: how long tokens count, who may sign up, how often may be
 * tried, and on SQLite the tickets that are out.
 *
 *   sign-up, sign-in ──► session (sign_ins) ──► refresh token ──used once──► next refresh token ──► …
 *                           │                        └► access token (keys)      └► access token
 *                           └ ended: by sign-out, another password, a refresh token that comes a second time, or time
 *
 * Tokens are opaque (docs/adr/0012); an access token is a key like any other, so what holds for keys holds for it.
 */
#ifndef TENFOLD_ACCOUNTS_ACCOUNTS_H
#define TENFOLD_ACCOUNTS_ACCOUNTS_H

#include "http/call.h"
#include "limits/limits.h"

struct tickets;

struct accounts_config {
	enum sign_up_policy sign_up;
	int64_t access_ms, refresh_ms, session_ms; /* lives of tokens and sessions */
	int64_t tries;                             /* to sign in to one account, at once; 0: no limit */
	uint64_t seed;
};

struct user_accounts {
	struct accounts_config config;
	struct limits *tries;
	struct tickets *tickets; /* of this process, on SQLite; else NULL */
};

struct user_accounts *accounts_new(const struct accounts_config *config, bool exclusive);
void accounts_destroy(struct user_accounts **a);

/* May somebody at this address try that account now? Name: the folded address of the account, or any text that is
 * always the same for it; empty: only the address counts. On a loop. ERR_RATE_LIMITED. */
enum err accounts_admit(struct user_accounts *a, struct call *c, struct str name);

/* What a role may do. */
enum scope accounts_scope(enum user_role role);

#endif
