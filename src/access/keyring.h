/*
 * Who may call: tenants and keys, all in memory, looked up on every request.
 *
 * Of a key's secret only the hash is kept (access/token.h). An access token of a person is a key too, one that
 * belongs to a session and expires soon. The keyring is a copy of the tables `tenants` and `keys`: changes made
 * by this process are put in after their commit, those of other processes arrive one by one with the feed of
 * changes (keyring_follow()), tenants by looking for them. One read-write lock, held for the time of a hash
 * lookup.
 */
#ifndef TENFOLD_ACCESS_KEYRING_H
#define TENFOLD_ACCESS_KEYRING_H

#include "access/token.h"
#include "http/call.h"
#include "store/store.h"

struct change_row;
struct keyring;

struct keyring_key {
	int64_t id, tenant, created_ms, expires_ms, revoked_ms; /* 0: never, not */
	int64_t agent;                                          /* 0: no agent's */
	int64_t user, sign_in;                                  /* 0: no person's */
	enum user_role role;                                    /* of the person, in the tenant */
	enum scope scope;
	enum limit_tier tier;
	struct str name;
	unsigned char hash[TOKEN_HASH_BYTES];
};

struct keyring_tenant {
	int64_t id, created_ms;
	struct str name;
};

struct keyring *keyring_new(void);
void keyring_destroy(struct keyring **k);

/* Replaces everything by what the store holds. What keyring_put_… put in meanwhile may be gone after it, unless the
 * feed of changes tells of it later. */
enum err keyring_load(struct keyring *k, struct db *db);

/* A listener of the feed (directory/follower.h), with the keyring as ctx: reads the keys anew that the rows tell of. */
enum err keyring_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count);

/* Looks for tenants that are not known here: as long as there are none, one small statement. */
enum err keyring_find_new_tenants(struct keyring *k, struct db *db);

/* One key that another process has made a moment ago, by its secret; with its tenant. ERR_NOT_FOUND. */
enum err keyring_look_up(struct keyring *k, struct db *db, struct str secret, struct arena *a);
enum err keyring_look_up_id(struct keyring *k, struct db *db, int64_t key, struct arena *a);

/* Copies what is given; what is here already stays as it is. */
void keyring_put_tenant(struct keyring *k, const struct keyring_tenant *tenant);
void keyring_put_key(struct keyring *k, const struct keyring_key *key);
void keyring_revoke(struct keyring *k, int64_t key, int64_t now_ms);
void keyring_expire(struct keyring *k, int64_t key, int64_t expires_ms);
void keyring_set_tier(struct keyring *k, int64_t key, enum limit_tier tier);

/* How a key stands here. */
enum key_stand { KEY_UNKNOWN, KEY_IN_FORCE, KEY_EXPIRED, KEY_REVOKED };
enum key_stand keyring_look(struct keyring *k, struct str secret, int64_t now_ms);
enum key_stand keyring_look_id(struct keyring *k, int64_t key, int64_t now_ms);

/* Changes whenever a key that was in force may be so no more. */
uint64_t keyring_revision(struct keyring *k);

/* Secret and X-Tenant ("" for none) → *out, its names copied into the arena. No secret gives scope none and no
 * tenant. ERR_UNAUTHENTICATED: unknown, expired or revoked. ERR_FORBIDDEN: X-Tenant without an admin key.
 * ERR_NOT_FOUND: no such tenant. */
enum err keyring_authenticate(struct keyring *k, struct str secret, struct str tenant, int64_t now_ms,
			      struct arena *a, struct caller *out);

/* The same by the id of a key, for who has shown it before; tenant is an id. ERR_UNAUTHENTICATED, ERR_NOT_FOUND. */
enum err keyring_authenticate_id(struct keyring *k, int64_t key, int64_t tenant, int64_t now_ms, struct arena *a,
				 struct caller *out);

/* By name or t_ id; false when there is none. */
bool keyring_find_tenant(struct keyring *k, struct str name_or_id, struct arena *a, struct keyring_tenant *out);

/* All, oldest first, copied into the arena. */
size_t keyring_tenants(struct keyring *k, struct arena *a, struct keyring_tenant **out);

#endif
