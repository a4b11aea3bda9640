/*
 * Keys as handlers make and end them: rows inside the call's transaction, with what the feed tells of them, and the
 * key ring once that is committed.
 */
#ifndef TENFOLD_API_KEYS_H
#define TENFOLD_API_KEYS_H

#include "access/keyring.h"
#include "store/queries.h"

/* Makes a key for what `key` says of tenant, agent or person, scope, tier, expiry and name; fills the rest and the
 * secret. */
enum err keys_add(struct call *c, struct keyring_key *key, struct str *secret);

/* The same, but that row and fact are left to the caller to write, with those of others. */
enum err keys_make(struct call *c, struct keyring_key *key, struct str *secret, struct key_row *row,
		   struct change_fact *fact);

/* Ends all of an agent's keys, now or, but for the one to keep, at a time. */
enum err keys_revoke_of_agent(struct call *c, int64_t agent);
enum err keys_expire_of_agent(struct call *c, int64_t agent, int64_t keep, int64_t expires_ms);

/* Ends access tokens of a person: those of a session, of all sessions but one (0: of all), or all in the call's
 * tenant. */
enum err keys_revoke_of_sign_in(struct call *c, int64_t user, int64_t sign_in);
enum err keys_revoke_of_others(struct call *c, int64_t user, int64_t keep);
enum err keys_revoke_of_user(struct call *c, int64_t user);

/* The tier of all keys of an agent that work. ERR_CONFLICT when it has none. */
enum err keys_set_tier_of_agent(struct call *c, int64_t agent, enum limit_tier tier);

/* What a new key of the agent gets: that of its newest. */
enum err keys_tier_of_agent(struct call *c, int64_t agent, enum limit_tier *out);

/* One key of the caller's tenant. ERR_NOT_FOUND when none of that id is in force. */
enum err keys_revoke(struct call *c, int64_t key);

#endif
