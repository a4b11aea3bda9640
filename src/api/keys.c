/* See keys.h. */
#include "api/keys.h"

#include "api/app.h"

#include "base/vec.h"
#include "directory/changes.h"

static struct change_fact fact_of(const struct call *c, int64_t tenant, int64_t key, enum change_op op)
{
	return (struct change_fact){
		.tenant = tenant, .entity = ENTITY_KEY, .op = op, .ref = key, .at_ms = c->now_ms};
}

/* ---- a new one ---- */

struct key_added {
	struct app *app;
	struct keyring_key key;
};

static void put_key(void *arg)
{
	struct key_added *added = arg;
	keyring_put_key(added->app->keyring, &added->key);
}

static struct key_row row_of(const struct keyring_key *key)
{
	return (struct key_row){.id = key->id,
				.tenant = key->tenant,
				.name = key->name,
				.scope = key->scope,
				.hash = {(const char *)key->hash, TOKEN_HASH_BYTES},
				.created_ms = key->created_ms,
				.expires_ms = key->expires_ms,
				.agent = key->agent,
				.tier = key->tier,
				.user_id = key->user,
				.sign_in = key->sign_in,
				.role = key->role};
}

enum err keys_make(struct call *c, struct keyring_key *key, struct str *secret, struct key_row *row,
		   struct change_fact *fact)
{
	struct app *app = call_app(c);
	char text[TOKEN_TEXT];
	struct key_added *added = ARENA_NEW(c->arena, struct key_added);
	if (!added)
		return ERR_INTERNAL;
	token_new(key->sign_in ? TOKEN_ACCESS : TOKEN_KEY, text);
	token_hash(str_of(text), key->hash);
	key->id = app_new_id(app);
	key->created_ms = c->now_ms;
	*added = (struct key_added){app, *key};
	*secret = arena_str(c->arena, str_of(text));
	*row = row_of(&added->key);
	*fact = fact_of(c, key->tenant, key->id, OP_PUT);
	call_after_commit(c, put_key, added);
	return OK;
}

enum err keys_add(struct call *c, struct keyring_key *key, struct str *secret)
{
	struct key_row row;
	struct change_fact fact;
	enum err err = keys_make(c, key, secret, &row, &fact);
	if (!err)
		err = q_key_insert(c->db, &row, 1);
	return err ? err : change_add(call_app(c)->feed, c, &fact, 1);
}

/* ---- what becomes of those there are ---- */

struct key_change {
	struct call *c;
	void (*apply)(struct keyring *k, const struct key_change *change);
	int64_t key, value;
};

static void revoke(struct keyring *k, const struct key_change *change)
{
	keyring_revoke(k, change->key, change->value);
}

static void expire(struct keyring *k, const struct key_change *change)
{
	keyring_expire(k, change->key, change->value);
}

static void set_tier(struct keyring *k, const struct key_change *change)
{
	keyring_set_tier(k, change->key, (enum limit_tier)change->value);
}

static void apply(void *arg)
{
	const struct key_change *change = arg;
	change->apply(call_app(change->c)->keyring, change);
}

/* The keys that a statement changed, while its rows come. */
struct key_changes {
	struct key_change each;
	VEC(struct key_place) keys;
};

/* Of the call's tenant. */
static enum err gather(void *ctx, const void *row)
{
	struct key_changes *all = ctx;
	int64_t id = ((const struct id_row *)row)->id;
	*VEC_PUSH(&all->keys) = (struct key_place){id, all->each.c->caller.tenant};
	return OK;
}

static enum err gather_place(void *ctx, const void *row)
{
	struct key_changes *all = ctx;
	*VEC_PUSH(&all->keys) = *(const struct key_place *)row;
	return OK;
}

static enum err change(struct call *c, const struct key_change *each, int64_t tenant, int64_t key,
		       enum change_op op)
{
	struct change_fact fact = fact_of(c, tenant, key, op);
	struct key_change *own = ARENA_NEW(c->arena, struct key_change);
	if (!own)
		return ERR_INTERNAL;
	*own = *each;
	own->key = key;
	call_after_commit(c, apply, own);
	return change_add(call_app(c)->feed, c, &fact, 1);
}

/* Does to each of them in memory what the statement, which answered `err`, did to its row. */
static enum err change_all(struct key_changes *all, enum change_op op, enum err err)
{
	for (size_t i = 0; i < all->keys.n && !err; i++)
		err = change(all->each.c, &all->each, all->keys.v[i].tenant, all->keys.v[i].id, op);
	VEC_FREE(&all->keys);
	return err;
}

enum err keys_revoke(struct call *c, int64_t key)
{
	struct key_change each = {.c = c, .apply = revoke, .value = c->now_ms};
	struct key_revoke_in in = {key, c->caller.tenant, c->now_ms};
	struct key_revoke_out revoked;
	enum err err = q_key_revoke(c->db, &in, c->arena, &revoked);
	return err ? err : change(c, &each, c->caller.tenant, key, OP_DELETE);
}

enum err keys_revoke_of_agent(struct call *c, int64_t agent)
{
	struct key_changes all = {.each = {.c = c, .apply = revoke, .value = c->now_ms}};
	struct key_revoke_of_agent_in in = {agent, c->now_ms};
	return change_all(&all, OP_DELETE, q_key_revoke_of_agent(c->db, &in, gather, &all));
}

enum err keys_revoke_of_sign_in(struct call *c, int64_t user, int64_t sign_in)
{
	struct key_changes all = {.each = {.c = c, .apply = revoke, .value = c->now_ms}};
	struct key_revoke_of_sign_in_in in = {user, sign_in, c->now_ms};
	return change_all(&all, OP_DELETE, q_key_revoke_of_sign_in(c->db, &in, gather_place, &all));
}

enum err keys_revoke_of_others(struct call *c, int64_t user, int64_t keep)
{
	struct key_changes all = {.each = {.c = c, .apply = revoke, .value = c->now_ms}};
	struct key_revoke_of_others_in in = {user, keep, c->now_ms};
	return change_all(&all, OP_DELETE, q_key_revoke_of_others(c->db, &in, gather_place, &all));
}

enum err keys_revoke_of_user(struct call *c, int64_t user)
{
	struct key_changes all = {.each = {.c = c, .apply = revoke, .value = c->now_ms}};
	struct key_revoke_of_user_in in = {user, c->caller.tenant, c->now_ms};
	return change_all(&all, OP_DELETE, q_key_revoke_of_user(c->db, &in, gather_place, &all));
}

enum err keys_expire_of_agent(struct call *c, int64_t agent, int64_t keep, int64_t expires_ms)
{
	struct key_changes all = {.each = {.c = c, .apply = expire, .value = expires_ms}};
	struct key_expire_of_agent_in in = {agent, keep, expires_ms};
	return change_all(&all, OP_PUT, q_key_expire_of_agent(c->db, &in, gather, &all));
}

enum err keys_set_tier_of_agent(struct call *c, int64_t agent, enum limit_tier tier)
{
	struct key_changes all = {.each = {.c = c, .apply = set_tier, .value = tier}};
	struct key_tier_of_agent_in in = {agent, tier, c->now_ms};
	enum err err = q_key_tier_of_agent(c->db, &in, gather, &all);
	if (!err && all.keys.n == 0)
		return call_fail(c, ERR_CONFLICT,
				 "the agent has no key that works; POST /v1/agents/{id}/keys makes one");
	return change_all(&all, OP_PUT, err);
}

enum err keys_tier_of_agent(struct call *c, int64_t agent, enum limit_tier *out)
{
	struct key_of_agent_out newest;
	enum err err = q_key_of_agent(c->db, &(struct key_of_agent_in){agent}, c->arena, &newest);
	*out = err ? TIER_REGISTERED : (enum limit_tier)newest.tier;
	return err == ERR_NOT_FOUND ? OK : err;
}
