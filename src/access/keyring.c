/*
 * The keyring: see keyring.h. Keys are found by the first eight bytes of their hash, then compared whole; equal
 * first bytes are chained. Nothing is ever removed but by keyring_load(), which builds a new set beside the old
 * one; it is called when many keys are here that the store has no more.
 *
 * `loading` keeps loading and following apart, so that what is followed is never put into a set that is about to go.
 */
#include "access/keyring.h"

#include "base/id.h"
#include "base/log.h"
#include "base/magic.h"
#include "base/map.h"
#include "base/vec.h"
#include "store/queries.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
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
	pthread_mutex_t loading; /* taken before the lock; guards the next two */
	struct arena *arena;     /* of a statement */
	unsigned gone;           /* keys that are here and no longer in the store */
	pthread_rwlock_t lock;
	struct ring *ring;
	_Atomic uint64_t revision; /* told after the change */
};

enum { RING_MAX_BYTES = 1 << 30, ARENA_BYTES = 1 << 12, GONE_MAX = 10000 };

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

static uint64_t hash_start(const unsigned char hash[TOKEN_HASH_BYTES])
{
	uint64_t start;
	memcpy(&start, hash, sizeof start);
	return start;
}

static void ring_put_tenant(struct ring *r, const struct keyring_tenant *tenant)
{
	if (map_get(&r->tenants, (uint64_t)tenant->id))
		return; /* reloaded meanwhile: names do not change */
	struct tenant_node *node = ARENA_NEW(r->arena, struct tenant_node);
	CHECK(node);
	node->tenant = *tenant;
	node->tenant.name = arena_str(r->arena, tenant->name);
	map_put(&r->tenants, (uint64_t)tenant->id, node);
	node->same = map_put(&r->tenants_by_name, str_hash(tenant->name), node);
}

/* One that is here already is as new: what became of it since it was read or made, the feed has told or will tell. */
static void ring_put_key(struct ring *r, const struct keyring_key *key)
{
	if (map_get(&r->keys_by_id, (uint64_t)key->id))
		return;
	struct key_node *node = ARENA_NEW(r->arena, struct key_node);
	CHECK(node);
	node->key = *key;
	node->key.name = arena_str(r->arena, key->name);
	map_put(&r->keys_by_id, (uint64_t)key->id, node);
	node->same = map_put(&r->keys, hash_start(key->hash), node);
}

static void end_key(struct keyring_key *key, int64_t expires_ms)
{
	if (key->expires_ms == 0 || key->expires_ms > expires_ms)
		key->expires_ms = expires_ms;
}

/* As the feed tells of it. The row may have been read before this process revoked it or shortened its time, and no key
 * comes back from that. */
static void ring_change_key(struct ring *r, const struct keyring_key *key)
{
	struct key_node *node = map_get(&r->keys_by_id, (uint64_t)key->id);
	if (!node) {
		ring_put_key(r, key);
		return;
	}
	if (node->key.revoked_ms == 0)
		node->key.revoked_ms = key->revoked_ms;
	if (key->expires_ms)
		end_key(&node->key, key->expires_ms);
	node->key.tier = key->tier;
}

static const struct keyring_key *ring_find_key(const struct ring *r, const unsigned char hash[TOKEN_HASH_BYTES])
{
	for (struct key_node *n = map_get(&r->keys, hash_start(hash)); n; n = n->same)
		if (sodium_memcmp(n->key.hash, hash, TOKEN_HASH_BYTES) == 0)
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

/* False for a row that no version of this program wrote. */
static bool key_of(const struct key_row *row, struct keyring_key *out)
{
	*out = (struct keyring_key){.id = row->id,
				    .tenant = row->tenant,
				    .created_ms = row->created_ms,
				    .expires_ms = row->expires_ms,
				    .revoked_ms = row->revoked_ms,
				    .agent = row->agent,
				    .user = row->user_id,
				    .sign_in = row->sign_in,
				    .role = (enum user_role)row->role,
				    .scope = (enum scope)row->scope,
				    .tier = (enum limit_tier)row->tier,
				    .name = row->name};
	if (row->hash.n != TOKEN_HASH_BYTES || row->scope < SCOPE_NONE || row->scope > SCOPE_ADMIN ||
	    row->tier < TIER_UNLIMITED || row->tier > TIER_PARTNER || row->role < USER_MEMBER ||
	    row->role > USER_OWNER) {
		LOG_W("keyring.bad_row", "key=%lld", (long long)row->id);
		return false;
	}
	memcpy(out->hash, row->hash.p, TOKEN_HASH_BYTES);
	return true;
}

static enum err load_key(void *ctx, const void *row)
{
	struct keyring_key key;
	if (key_of(row, &key))
		ring_put_key(ctx, &key);
	return OK;
}

static void told(struct keyring *k)
{
	atomic_fetch_add_explicit(&k->revision, 1, memory_order_release);
}

static enum err load(struct keyring *k, struct db *db)
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
		told(k);
		k->gone = 0;
	}
	ring_destroy(&fresh);
	return err;
}

enum err keyring_load(struct keyring *k, struct db *db)
{
	pthread_mutex_lock(&k->loading);
	enum err err = load(k, db);
	pthread_mutex_unlock(&k->loading);
	return err;
}

/* ---- what others change ---- */

static enum err put_tenant(void *ctx, const void *row)
{
	const struct tenant_row *t = row;
	keyring_put_tenant(ctx,
			   &(struct keyring_tenant){.id = t->id, .created_ms = t->created_ms, .name = t->name});
	return OK;
}

static enum err find_new_tenants(struct keyring *k, struct db *db)
{
	struct tenant_count_out stored;
	arena_reset(k->arena);
	enum err err = q_tenant_count(db, k->arena, &stored);
	if (err)
		return err;
	pthread_rwlock_rdlock(&k->lock);
	bool all_known = (uint64_t)stored.count == k->ring->tenants.count;
	pthread_rwlock_unlock(&k->lock);
	return all_known ? OK : q_tenant_all(db, put_tenant, k);
}

enum err keyring_find_new_tenants(struct keyring *k, struct db *db)
{
	pthread_mutex_lock(&k->loading);
	enum err err = find_new_tenants(k, db);
	pthread_mutex_unlock(&k->loading);
	return err;
}

/* The keys of some rows of the feed, while they are read anew. */
struct reading {
	struct keyring *keyring;
	VEC(struct id_row) keys;
	bool new_tenants;
};

static bool knows_tenant(struct keyring *k, int64_t id)
{
	pthread_rwlock_rdlock(&k->lock);
	bool known = map_get(&k->ring->tenants, (uint64_t)id) != NULL;
	pthread_rwlock_unlock(&k->lock);
	return known;
}

static void change_key(struct keyring *k, const struct keyring_key *key)
{
	pthread_rwlock_wrlock(&k->lock);
	ring_change_key(k->ring, key);
	pthread_rwlock_unlock(&k->lock);
}

static enum err take_key(void *ctx, size_t i, const void *row)
{
	struct reading *r = ctx;
	struct keyring_key key;
	if (!row) {
		r->keyring->gone++;
		keyring_revoke(r->keyring, r->keys.v[i].id, 1);
	} else if (key_of(row, &key)) {
		change_key(r->keyring, &key);
		if (key.revoked_ms || (key.expires_ms && !key.user)) /* those of people expire as they were made */
			told(r->keyring);
		r->new_tenants = r->new_tenants || !knows_tenant(r->keyring, key.tenant);
	}
	return OK;
}

static enum err read_keys(struct reading *r, struct db *db)
{
	if (r->keys.n == 0)
		return OK;
	enum err err = q_key_get_each(db, r->keys.v, r->keys.n, take_key, r);
	if (!err && r->new_tenants)
		err = q_tenant_all(db, put_tenant, r->keyring);
	return !err && r->keyring->gone > GONE_MAX ? load(r->keyring, db) : err;
}

static enum err follow(struct keyring *k, struct db *db, const struct change_row *rows, size_t count)
{
	struct reading r = {.keyring = k};
	for (size_t i = 0; i < count; i++)
		if (rows[i].entity == ENTITY_KEY)
			VEC_PUSH(&r.keys)->id = rows[i].ref;
	enum err err = read_keys(&r, db);
	VEC_FREE(&r.keys);
	return err;
}

enum err keyring_follow(void *ctx, struct db *db, const struct change_row *rows, size_t count)
{
	struct keyring *k = ctx;
	pthread_mutex_lock(&k->loading);
	enum err err = count ? follow(k, db, rows, count) : load(k, db);
	pthread_mutex_unlock(&k->loading);
	return err;
}

static enum err put_row(struct keyring *k, struct db *db, const struct key_row *row)
{
	struct keyring_key key;
	if (!key_of(row, &key))
		return ERR_NOT_FOUND;
	keyring_put_key(k, &key);
	return knows_tenant(k, key.tenant) ? OK : keyring_find_new_tenants(k, db);
}

enum err keyring_look_up(struct keyring *k, struct db *db, struct str secret, struct arena *a)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct key_row row;
	token_hash(secret, hash);
	struct key_of_hash_in in = {.hash = {(const char *)hash, sizeof hash}};
	enum err err = q_key_of_hash(db, &in, a, &row);
	return err ? err : put_row(k, db, &row);
}

enum err keyring_look_up_id(struct keyring *k, struct db *db, int64_t key, struct arena *a)
{
	struct key_row row;
	enum err err = q_key_get(db, &(struct id_row){key}, a, &row);
	return err ? err : put_row(k, db, &row);
}

/* ---- life and changes ---- */

struct keyring *keyring_new(void)
{
	CHECK(sodium_init() >= 0);
	struct keyring *k = NEW(struct keyring);
	pthread_mutex_init(&k->loading, NULL);
	k->arena = arena_new(ARENA_BYTES);
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
	pthread_mutex_destroy(&(*k)->loading);
	arena_destroy(&(*k)->arena);
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
	told(k);
}

void keyring_expire(struct keyring *k, int64_t key, int64_t expires_ms)
{
	pthread_rwlock_wrlock(&k->lock);
	struct key_node *node = map_get(&k->ring->keys_by_id, (uint64_t)key);
	if (node)
		end_key(&node->key, expires_ms);
	pthread_rwlock_unlock(&k->lock);
	told(k);
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

static enum key_stand stand_of(const struct keyring_key *key, int64_t now_ms)
{
	if (!key)
		return KEY_UNKNOWN;
	if (key->expires_ms && key->expires_ms <= now_ms)
		return KEY_EXPIRED;
	return key->revoked_ms ? KEY_REVOKED : KEY_IN_FORCE;
}

enum key_stand keyring_look(struct keyring *k, struct str secret, int64_t now_ms)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	token_hash(secret, hash);
	pthread_rwlock_rdlock(&k->lock);
	enum key_stand stand = stand_of(ring_find_key(k->ring, hash), now_ms);
	pthread_rwlock_unlock(&k->lock);
	return stand;
}

enum key_stand keyring_look_id(struct keyring *k, int64_t key, int64_t now_ms)
{
	pthread_rwlock_rdlock(&k->lock);
	const struct key_node *node = map_get(&k->ring->keys_by_id, (uint64_t)key);
	enum key_stand stand = stand_of(node ? &node->key : NULL, now_ms);
	pthread_rwlock_unlock(&k->lock);
	return stand;
}

uint64_t keyring_revision(struct keyring *k)
{
	return atomic_load_explicit(&k->revision, memory_order_acquire);
}

static void become(const struct keyring_key *key, const struct keyring_tenant *in, struct arena *a,
		   struct caller *out)
{
	*out = (struct caller){.tenant = in->id,
			       .key = key->id,
			       .agent = key->agent,
			       .user = key->user,
			       .sign_in = key->sign_in,
			       .role = key->role,
			       .scope = key->scope,
			       .tier = key->tier,
			       .expires_ms = key->expires_ms,
			       .key_name = arena_str(a, key->name),
			       .tenant_name = arena_str(a, in->name)};
}

enum err keyring_authenticate(struct keyring *k, struct str secret, struct str tenant, int64_t now_ms,
			      struct arena *a, struct caller *out)
{
	*out = (struct caller){.scope = SCOPE_NONE, .tier = TIER_ANONYMOUS};
	if (secret.n == 0)
		return OK;
	unsigned char hash[TOKEN_HASH_BYTES];
	token_hash(secret, hash);
	pthread_rwlock_rdlock(&k->lock);
	const struct keyring_key *key = ring_find_key(k->ring, hash);
	const struct keyring_tenant *in = NULL;
	enum err err = key_works(key, now_ms) ? select_tenant(k->ring, key, tenant, &in) : ERR_UNAUTHENTICATED;
	if (!err)
		become(key, in, a, out);
	pthread_rwlock_unlock(&k->lock);
	return err;
}

enum err keyring_authenticate_id(struct keyring *k, int64_t key, int64_t tenant, int64_t now_ms, struct arena *a,
				 struct caller *out)
{
	*out = (struct caller){.scope = SCOPE_NONE, .tier = TIER_ANONYMOUS};
	pthread_rwlock_rdlock(&k->lock);
	const struct key_node *node = map_get(&k->ring->keys_by_id, (uint64_t)key);
	const struct tenant_node *in = map_get(&k->ring->tenants, (uint64_t)tenant);
	enum err err = !node || !key_works(&node->key, now_ms) ? ERR_UNAUTHENTICATED : in ? OK : ERR_NOT_FOUND;
	if (!err)
		become(&node->key, &in->tenant, a, out);
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
