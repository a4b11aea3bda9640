/*
 * The keyring: see keyring.h. Keys are found by the first eight bytes of their hash, then compared whole; equal
 * first bytes are chained. Nothing is ever removed but by keyring_load(), which builds a new set beside the old
 * one.
 */
#include "access/keyring.h"

#include "base/id.h"
#include "base/log.h"
#include "base/magic.h"
#include "base/map.h"
#include "store/queries.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

struct key_node {
	struct keyring_key key;
	struct key_node *same; /* with the same first bytes of the hash */
};

struct tenant_node {
	struct keyring_tenant tenant;
	struct tenant_node *same; /* with the same hash of the name */
};

/* One consistent copy of the two tables. All memory is of its arena. */
struct ring {
	struct arena *arena;
	struct map keys, keys_by_id, tenants, tenants_by_name;
};

struct keyring {
	pthread_rwlock_t lock;
	struct ring *ring;
};

enum { RING_MAX_BYTES = 1 << 30 };

static struct ring *ring_new(void)
{
	struct ring *r = NEW(struct ring);
	r->arena = arena_new(RING_MAX_BYTES);
	return r;
}

static void ring_destroy(struct ring **r)
{
	map_free(&(*r)->keys);
	map_free(&(*r)->keys_by_id);
	map_free(&(*r)->tenants);
	map_free(&(*r)->tenants_by_name);
	arena_destroy(&(*r)->arena);
	free(*r);
	*r = NULL;
}

static uint64_t hash_start(const unsigned char hash[KEY_HASH_BYTES])
{
	uint64_t start;
	memcpy(&start, hash, sizeof start);
	return start;
}

static void ring_put_tenant(struct ring *r, const struct keyring_tenant *tenant)
{
	struct tenant_node *node = ARENA_NEW(r->arena, struct tenant_node);
	CHECK(node);
	node->tenant = *tenant;
	node->tenant.name = arena_str(r->arena, tenant->name);
	if (map_put(&r->tenants, (uint64_t)tenant->id, node))
		return; /* reloaded meanwhile: names do not change */
	node->same = map_put(&r->tenants_by_name, str_hash(tenant->name), node);
}

static void ring_put_key(struct ring *r, const struct keyring_key *key)
{
	struct key_node *node = map_get(&r->keys_by_id, (uint64_t)key->id);
	if (node) { /* reloaded meanwhile */
		node->key.revoked_ms = key->revoked_ms;
		node->key.expires_ms = key->expires_ms;
		node->key.tier = key->tier;
		return;
	}
	node = ARENA_NEW(r->arena, struct key_node);
	CHECK(node);
	node->key = *key;
	node->key.name = arena_str(r->arena, key->name);
	map_put(&r->keys_by_id, (uint64_t)key->id, node);
	node->same = map_put(&r->keys, hash_start(key->hash), node);
}

static const struct keyring_key *ring_find_key(const struct ring *r, const unsigned char hash[KEY_HASH_BYTES])
{
	for (struct key_node *n = map_get(&r->keys, hash_start(hash)); n; n = n->same)
		if (sodium_memcmp(n->key.hash, hash, KEY_HASH_BYTES) == 0)
			return &n->key;
	return NULL;
}

static const struct keyring_tenant *ring_find_tenant(const struct ring *r, struct str name_or_id)
{
	int64_t id;
	if (id_parse(name_or_id, "t_", &id)) {
		struct tenant_node *by_id = map_get(&r->tenants, (uint64_t)id);
		if (by_id)
			return &by_id->tenant;
	}
	for (struct tenant_node *n = map_get(&r->tenants_by_name, str_hash(name_or_id)); n; n = n->same)
		if (str_eq(n->tenant.name, name_or_id))
			return &n->tenant;
	return NULL;
}

/* ---- from the store ---- */

static enum err load_tenant(void *ctx, const void *row)
{
	const struct tenant_row *t = row;
	ring_put_tenant(ctx, &(struct keyring_tenant){.id = t->id, .created_ms = t->created_ms, .name = t->name});
	return OK;
}

static enum err load_key(void *ctx, const void *row)
{
	const struct key_row *k = row;
	struct keyring_key key = {.id = k->id,
				  .tenant = k->tenant,
				  .created_ms = k->created_ms,
				  .expires_ms = k->expires_ms,
				  .revoked_ms = k->revoked_ms,
				  .agent = k->agent,
				  .scope = (enum scope)k->scope,
				  .tier = (enum limit_tier)k->tier,
				  .name = k->name};
	if (k->hash.n != KEY_HASH_BYTES || k->scope < SCOPE_NONE || k->scope > SCOPE_ADMIN ||
	    k->tier < TIER_UNLIMITED || k->tier > TIER_PARTNER) {
		LOG_W("keyring.bad_row", "key=%lld", (long long)k->id);
		return OK;
	}
	memcpy(key.hash, k->hash.p, KEY_HASH_BYTES);
	ring_put_key(ctx, &key);
	return OK;
}

enum err keyring_load(struct keyring *k, struct db *db)
{
	struct ring *fresh = ring_new();
	enum err err = q_tenant_all(db, load_tenant, fresh);
	if (!err)
		err = q_key_all(db, load_key, fresh);
	if (!err) {
		pthread_rwlock_wrlock(&k->lock);
		struct ring *old = k->ring;
		k->ring = fresh;
		fresh = old;
		pthread_rwlock_unlock(&k->lock);
	}
	ring_destroy(&fresh);
	return err;
}

/* ---- secrets ---- */

void keyring_secret_new(char secret[KEY_SECRET_TEXT])
{
	unsigned char bits[KEY_HASH_BYTES];
	randombytes_buf(bits, sizeof bits);
	memcpy(secret, "tf_", 3);
	id_base32(secret + 3, bits, sizeof bits);
	sodium_memzero(bits, sizeof bits);
}

void keyring_secret_hash(struct str secret, unsigned char hash[KEY_HASH_BYTES])
{
	crypto_generichash(hash, KEY_HASH_BYTES, (const unsigned char *)secret.p, secret.n, NULL, 0);
}

/* ---- life and changes ---- */

struct keyring *keyring_new(void)
{
	CHECK(sodium_init() >= 0);
	struct keyring *k = NEW(struct keyring);
	pthread_rwlock_init(&k->lock, NULL);
	k->ring = ring_new();
	return k;
}

void keyring_destroy(struct keyring **k)
{
	if (!*k)
		return;
	ring_destroy(&(*k)->ring);
	pthread_rwlock_destroy(&(*k)->lock);
	free(*k);
	*k = NULL;
}

void keyring_put_tenant(struct keyring *k, const struct keyring_tenant *tenant)
{
	pthread_rwlock_wrlock(&k->lock);
	ring_put_tenant(k->ring, tenant);
	pthread_rwlock_unlock(&k->lock);
}

void keyring_put_key(struct keyring *k, const struct keyring_key *key)
{
	pthread_rwlock_wrlock(&k->lock);
	ring_put_key(k->ring, key);
	pthread_rwlock_unlock(&k->lock);
}

void keyring_revoke(struct keyring *k, int64_t key, int64_t now_ms)
{
	pthread_rwlock_wrlock(&k->lock);
	struct key_node *node = map_get(&k->ring->keys_by_id, (uint64_t)key);
	if (node && node->key.revoked_ms == 0)
		node->key.revoked_ms = now_ms;
	pthread_rwlock_unlock(&k->lock);
}

void keyring_expire(struct keyring *k, int64_t key, int64_t expires_ms)
{
	pthread_rwlock_wrlock(&k->lock);
	struct key_node *node = map_get(&k->ring->keys_by_id, (uint64_t)key);
	if (node && (node->key.expires_ms == 0 || node->key.expires_ms > expires_ms))
		node->key.expires_ms = expires_ms;
	pthread_rwlock_unlock(&k->lock);
}

void keyring_set_tier(struct keyring *k, int64_t key, enum limit_tier tier)
{
	pthread_rwlock_wrlock(&k->lock);
	struct key_node *node = map_get(&k->ring->keys_by_id, (uint64_t)key);
	if (node)
		node->key.tier = tier;
	pthread_rwlock_unlock(&k->lock);
}

/* ---- lookups ---- */

static bool key_works(const struct keyring_key *key, int64_t now_ms)
{
	return key && key->revoked_ms == 0 && (key->expires_ms == 0 || key->expires_ms > now_ms);
}

static enum err select_tenant(const struct ring *r, const struct keyring_key *key, struct str wanted,
			      const struct keyring_tenant **out)
{
	struct tenant_node *own = map_get(&r->tenants, (uint64_t)key->tenant);
	if (!own)
		return ERR_UNAUTHENTICATED;
	*out = &own->tenant;
	if (wanted.n == 0)
		return OK;
	const struct keyring_tenant *other = ring_find_tenant(r, wanted);
	if (key->scope != SCOPE_ADMIN)
		return other == *out ? OK : ERR_FORBIDDEN;
	if (!other)
		return ERR_NOT_FOUND;
	*out = other;
	return OK;
}

enum err keyring_authenticate(struct keyring *k, struct str secret, struct str tenant, int64_t now_ms,
			      struct arena *a, struct caller *out)
{
	*out = (struct caller){.scope = SCOPE_NONE, .tier = TIER_ANONYMOUS};
	if (secret.n == 0)
		return OK;
	unsigned char hash[KEY_HASH_BYTES];
	keyring_secret_hash(secret, hash);
	pthread_rwlock_rdlock(&k->lock);
	const struct keyring_key *key = ring_find_key(k->ring, hash);
	const struct keyring_tenant *in = NULL;
	enum err err = key_works(key, now_ms) ? select_tenant(k->ring, key, tenant, &in) : ERR_UNAUTHENTICATED;
	if (!err)
		*out = (struct caller){.tenant = in->id,
				       .key = key->id,
				       .agent = key->agent,
				       .scope = key->scope,
				       .tier = key->tier,
				       .expires_ms = key->expires_ms,
				       .key_name = arena_str(a, key->name),
				       .tenant_name = arena_str(a, in->name)};
	pthread_rwlock_unlock(&k->lock);
	return err;
}

bool keyring_find_tenant(struct keyring *k, struct str name_or_id, struct arena *a, struct keyring_tenant *out)
{
	pthread_rwlock_rdlock(&k->lock);
	const struct keyring_tenant *found = ring_find_tenant(k->ring, name_or_id);
	if (found) {
		*out = *found;
		out->name = arena_str(a, found->name);
	}
	pthread_rwlock_unlock(&k->lock);
	return found != NULL;
}

static int tenant_by_id(const void *a, const void *b)
{
	const struct keyring_tenant *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

size_t keyring_tenants(struct keyring *k, struct arena *a, struct keyring_tenant **out)
{
	pthread_rwlock_rdlock(&k->lock);
	size_t n = 0;
	*out = ARENA_ARRAY(a, struct keyring_tenant, k->ring->tenants.count);
	const struct tenant_node *node;
	for (size_t i = 0; *out && (node = map_next(&k->ring->tenants, &i));) {
		(*out)[n] = node->tenant;
		(*out)[n++].name = arena_str(a, node->tenant.name);
	}
	pthread_rwlock_unlock(&k->lock);
	if (n > 1)
		qsort(*out, n, sizeof **out, tenant_by_id);
	return n;
}
