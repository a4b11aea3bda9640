/*
 * Agents: registration, reading, changing, their keys. What an agent is and who may do what is said in
 * directory/agent.h.
 */
#include "api/api.h"
#include "api/app.h"
#include "api/kept.h"
#include "api/keys.h"

#include "access/confirm.h"
#include "directory/agent_list.h"
#include "directory/capability.h"
#include "directory/changes.h"
#include "directory/proof.h"
#include "directory/register.h"

#include <sodium.h>

static enum err tell(struct call *c, const struct change_fact *facts, size_t count)
{
	return change_add(call_app(c)->feed, c, facts, count);
}

/* ---- registration ---- */

enum err api_agent_challenge(struct call *c, const struct agent_challenge_in *in, struct agent_challenge *out)
{
	unsigned char key[PROOF_KEY], nonce[PROOF_NONCE];
	enum err err = proof_new_key(in->public_key, key, &c->problem);
	if (err)
		return err;
	randombytes_buf(nonce, sizeof nonce);
	struct challenge_row row = {.id = app_new_id(call_app(c)),
				    .public_key = {(const char *)key, sizeof key},
				    .nonce = {(const char *)nonce, sizeof nonce},
				    .expires_ms = c->now_ms + PROOF_CHALLENGE_MS};
	err = q_challenge_insert(c->db, &row);
	*out = (struct agent_challenge){
		.challenge_id = row.id, .text = proof_challenge(&row, c->arena), .expires_at = row.expires_ms};
	return err;
}

static struct keyring_key key_of(struct call *c, const struct agent_full_row *row, enum limit_tier tier)
{
	return (struct keyring_key){.tenant = row->tenant,
				    .agent = row->id,
				    .scope = SCOPE_AGENT,
				    .tier = tier,
				    .name = arena_fmt(c->arena, "agent %.*s", STRF(row->handle))};
}

static enum err add_key(struct call *c, const struct agent_full_row *row, enum limit_tier tier,
			struct agent_key *out)
{
	struct keyring_key key = key_of(c, row, tier);
	enum err err = keys_add(c, &key, &out->secret);
	out->id = key.id;
	return err;
}

/* What is written for new agents beside their own rows. */
struct first_keys {
	struct key_row *rows;
	struct change_fact *facts; /* two for each */
	size_t count;
};

static enum err answer_new(struct call *c, const struct agent_entry *e, struct first_keys *keys)
{
	struct agent_registered *out = c->out;
	struct keyring_key key = key_of(c, &e->row, TIER_REGISTERED);
	size_t n = keys->count++;
	keys->facts[2 * n + 1] = agent_fact(&e->row, false, OP_PUT);
	enum err err = keys_make(c, &key, &out->key.secret, &keys->rows[n], &keys->facts[2 * n]);
	out->key.id = key.id;
	return err ? err : directory_agent_show(&e->row, c->arena, &out->agent);
}

static enum err answer_all(struct call *const *calls, enum err *outcomes, const struct agent_entry *entries,
			   size_t count)
{
	struct arena *a = calls[0]->arena;
	struct first_keys keys = {ARENA_ARRAY(a, struct key_row, count),
				  ARENA_ARRAY(a, struct change_fact, 2 * count), 0};
	struct call *one = NULL; /* of those that are done: with it the feed is rung */
	enum err err = keys.rows && keys.facts ? OK : ERR_INTERNAL;
	for (size_t i = 0; i < count && !err; i++) {
		outcomes[i] = entries[i].problem.err;
		calls[i]->problem = entries[i].problem;
		if (outcomes[i])
			continue;
		one = calls[i];
		err = answer_new(one, &entries[i], &keys);
	}
	if (!err && one)
		err = q_key_insert(one->db, keys.rows, keys.count);
	return err || !one ? err : tell(one, keys.facts, 2 * keys.count);
}

enum err agent_add_all(struct call *const *calls, enum err *outcomes, size_t count)
{
	struct agent_entry *entries = ARENA_ARRAY(calls[0]->arena, struct agent_entry, count);
	if (!entries)
		return ERR_INTERNAL;
	enum err err = confirm_callers(calls, outcomes, count);
	for (size_t i = 0; i < count; i++)
		entries[i] = (struct agent_entry){.c = calls[i],
						  .in = calls[i]->in,
						  .id = app_new_id(call_app(calls[i])),
						  .problem = calls[i]->problem};
	if (!err)
		err = agents_register(EXISTING_REFUSE, entries, count);
	if (!err)
		err = answer_all(calls, outcomes, entries, count);
	return err == ERR_ALREADY_EXISTS ? ERR_STORE_BUSY : err; /* somebody was faster: run again, it is found */
}

enum err api_agent_add(struct call *c, const struct agent_new *in, struct agent_registered *out)
{
	(void)in, (void)out; /* they are the call's */
	enum err outcome = OK, err = agent_add_all(&c, &outcome, 1);
	return err ? err : outcome;
}

/* A handle is held until the end of the transaction that takes it. */
int64_t agent_add_key(const struct call *c)
{
	const struct agent_new *in = c->in;
	return (int64_t)(str_hash(in->handle) >> 1);
}

static void show_entry(struct call *c, const struct agent_entry *e, struct agent_batch_result *out)
{
	if (e->problem.err) {
		struct error_item error = {.code = str_of(err_info(e->problem.err)->code),
					   .detail = arena_str(c->arena, str_of(e->problem.detail))};
		PUT(out, agent_batch_result, error, error);
		return;
	}
	if (e->row.id)
		PUT(out, agent_batch_result, id, e->row.id);
	PUT(out, agent_batch_result, existed, e->existed);
	PUT(out, agent_batch_result, changed, e->changed);
}

enum err api_agent_batch(struct call *c, const struct agent_batch_in *in, struct agent_batch_out *out)
{
	size_t n = in->items_count, facts_count = 0;
	struct agent_entry *entries = ARENA_ARRAY(c->arena, struct agent_entry, n);
	struct change_fact *facts = ARENA_ARRAY(c->arena, struct change_fact, n);
	out->items = ARENA_ARRAY(c->arena, struct agent_batch_result, n);
	if (n == 0)
		return OK;
	if (!entries || !facts || !out->items)
		return ERR_INTERNAL;
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct agent_entry){.c = c, .in = &in->items[i], .id = app_new_id(call_app(c))};
	enum err err = agents_register((enum on_existing)in->on_existing, entries, n);
	for (; !err && out->items_count < n; out->items_count++) {
		struct agent_entry *e = &entries[out->items_count];
		show_entry(c, e, &out->items[out->items_count]);
		if (!e->problem.err && (!e->existed || e->changed))
			facts[facts_count++] = agent_fact(&e->row, e->was_public, OP_PUT);
	}
	return err || facts_count == 0 ? err : tell(c, facts, facts_count);
}

/* ---- reading ---- */

enum err api_agent_list(struct call *c, const struct agent_list_in *in, struct agent_list_out *out)
{
	struct kept k;
	if (kept_begin(c, &k))
		return OK;
	enum err err = agent_list(c, in, out);
	if (err)
		return kept_not(&k, err);
	kept_put(c, &k, 0, c->caller.tenant, VISIBLE_TENANT);
	return OK;
}

enum err api_agent_show(struct call *c, const struct agent_ref *in, struct agent *out)
{
	struct kept k;
	if (kept_begin(c, &k))
		return OK;
	struct directory_agent agent;
	enum err err = agent_read(c, in->id, &agent);
	if (err)
		return kept_not(&k, err);
	*out = agent.shown;
	c->etag = agent_etag(&agent, c->arena);
	c->is_public = agent.row.visibility == VISIBLE_PUBLIC;
	kept_put(c, &k, agent.row.version + agent.row.flips, agent.row.tenant, agent.row.visibility);
	return OK;
}

enum err api_agent_card(struct call *c, const struct agent_ref *in, struct nothing *out)
{
	(void)out;
	struct directory_agent agent;
	struct agent_card_get_out card;
	enum err err = agent_read(c, in->id, &agent);
	if (err)
		return err;
	struct agent_card_get_in wanted = {agent.row.id, c->caller.tenant};
	err = q_agent_card_get(c->db, &wanted, c->arena, &card);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "this agent came without a card");
	c->text = card.card;
	c->content_type = "application/json";
	c->is_public = card.visibility == VISIBLE_PUBLIC;
	return err;
}

/* ---- changing ---- */

/* Writes the row as it now is, under its next version, and tells of it. */
static enum err write_change(struct call *c, struct directory_agent *agent, bool was_public, enum change_op op)
{
	agent->row.version++;
	agent->row.updated_ms = c->now_ms;
	struct agent_change_row row = agent_row_change(&agent->row);
	struct change_fact fact = agent_fact(&agent->row, was_public, op);
	enum err err = q_agent_update(c->db, &row, 1);
	return err ? err : tell(c, &fact, 1);
}

static enum err take_handle(struct call *c, const struct agent_patch *in, const struct agent_full_row *row)
{
	struct agent_find_out found;
	if (!HAS(in, agent_patch, handle) || str_eq(in->handle, row->handle))
		return OK;
	enum err err = q_agent_find(c->db, &(struct agent_find_in){in->handle}, c->arena, &found);
	if (err == ERR_NOT_FOUND)
		return OK;
	return err ? err : agent_handle_taken(c->db, in->handle, &c->problem);
}

static enum err put_card(struct call *c, const struct agent_patch *in, int64_t agent)
{
	if (HAS(in, agent_patch, card))
		return q_agent_card_put(c->db, &(struct agent_card_row){agent, in->card}, 1);
	if (IS_NULL(in, agent_patch, card))
		return q_agent_card_delete(c->db, &(struct id_row){agent}, 1);
	return OK;
}

enum err api_agent_change(struct call *c, const struct agent_patch *in, struct agent *out)
{
	struct directory_agent agent;
	struct agent_patch patch = *in;
	enum err err = agent_hold(c, in->id, &agent);
	bool was_public = !err && agent.row.visibility == VISIBLE_PUBLIC;
	if (!err)
		err = call_if_match(c, agent.row.version);
	if (!err)
		err = take_handle(c, in, &agent.row);
	if (!err)
		err = agent_merge_metadata(&agent.row, &patch, c->arena, &c->problem);
	if (!err)
		err = agent_row_patch(&agent.row, &patch, c->arena, &c->problem);
	if (!err)
		err = put_card(c, in, agent.row.id);
	if (!err)
		err = write_change(c, &agent, was_public, OP_PUT);
	if (!err)
		err = directory_agent_show(&agent.row, c->arena, out);
	if (!err)
		c->etag = agent_etag(&agent, c->arena);
	return err;
}

/* The row stays for 30 days as a tombstone, and its handle with it. */
enum err api_agent_delete(struct call *c, const struct agent_ref *in, struct nothing *out)
{
	(void)out;
	struct directory_agent agent;
	enum err err = agent_hold(c, in->id, &agent);
	if (!err)
		err = call_if_match(c, agent.row.version);
	struct id_row id = {agent.row.id};
	if (!err)
		err = keys_revoke_of_agent(c, id.id);
	if (!err)
		err = q_agent_liveness_stop(c->db, &id);
	if (!err)
		err = q_agent_capability_delete_all(c->db, &id, 1);
	if (!err)
		err = q_agent_card_delete(c->db, &id, 1);
	if (err)
		return err;
	agent.row.deleted_ms = c->now_ms;
	return write_change(c, &agent, false, OP_DELETE);
}

static bool has_capability(const struct agent *agent, struct str slug)
{
	for (size_t i = 0; i < agent->capabilities_count; i++)
		if (str_eq(agent->capabilities[i].capability, slug))
			return true;
	return false;
}

enum err api_agent_capability_add(struct call *c, const struct agent_capability_in *in, struct agent *out)
{
	struct directory_agent agent;
	struct capability_row capability;
	enum err err = agent_hold(c, in->id, &agent);
	if (!err)
		err = capability_read(c, in->capability, &capability);
	if (!err && HAS(in, agent_capability_in, endpoint))
		err = agent_endpoint_check(in->endpoint, &c->problem);
	if (err)
		return err;
	if (agent.shown.capabilities_count == AGENT_CAPABILITIES_MAX &&
	    !has_capability(&agent.shown, capability.slug))
		return call_fail(c, ERR_CONFLICT, "an agent has at most %d capabilities", AGENT_CAPABILITIES_MAX);
	struct agent_capability_row row = {.agent = agent.row.id,
					   .capability = capability.id,
					   .endpoint = in->endpoint,
					   .created_ms = c->now_ms};
	err = q_agent_capability_put(c->db, &row, 1);
	if (!err)
		err = directory_agent_load(c->db, agent.row.id, c->arena, &agent);
	if (!err)
		err = write_change(c, &agent, false, OP_PUT);
	if (!err)
		c->etag = agent_etag(&agent, c->arena);
	return err ? err : directory_agent_show(&agent.row, c->arena, out);
}

enum err api_agent_capability_remove(struct call *c, const struct agent_capability_in *in, struct nothing *out)
{
	(void)out;
	struct directory_agent agent;
	struct capability_row capability;
	struct agent_capability_delete_out gone;
	enum err err = agent_hold(c, in->id, &agent);
	if (!err)
		err = capability_read(c, in->capability, &capability);
	if (err)
		return err;
	err = q_agent_capability_delete(c->db, &(struct agent_capability_delete_in){agent.row.id, capability.id},
					c->arena, &gone);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "the agent does not have this capability");
	return err ? err : write_change(c, &agent, false, OP_PUT);
}

/* ---- its keys ---- */

enum err api_agent_transfer(struct call *c, const struct agent_transfer *in, struct agent_key *out)
{
	struct directory_agent agent;
	unsigned char key[PROOF_KEY];
	enum err err = agent_hold(c, in->id, &agent);
	if (!err)
		err = proof_asked_key(in->public_key, key, &c->problem);
	if (!err && str_eq(agent.row.public_key, (struct str){(const char *)key, sizeof key}))
		err = problem_field(&c->problem, ERR_CONFLICT, "public_key", "is the agent's already");
	if (!err)
		err = proof_use(c->db, c->arena, in->challenge_id, key, in->signature, c->now_ms, &c->problem);
	if (!err)
		err = keys_revoke_of_agent(c, agent.row.id);
	if (!err)
		err = add_key(c, &agent.row, TIER_REGISTERED, out);
	if (err)
		return err;
	agent.row.public_key = (struct str){(const char *)key, sizeof key};
	agent.row.key_proved_ms = c->now_ms;
	return write_change(c, &agent, false, OP_PUT);
}

enum err api_agent_key_add(struct call *c, const struct agent_key_new *in, struct agent_key *out)
{
	struct directory_agent agent;
	enum limit_tier tier;
	enum err err = agent_hold(c, in->id, &agent);
	if (!err)
		err = keys_tier_of_agent(c, agent.row.id, &tier);
	if (!err)
		err = add_key(c, &agent.row, tier, out);
	if (!err)
		err = keys_expire_of_agent(c, agent.row.id, out->id, c->now_ms + in->overlap_ms);
	return err;
}

enum err api_agent_tier(struct call *c, const struct agent_tier_in *in, struct nothing *out)
{
	(void)out;
	struct directory_agent agent;
	enum err err = agent_hold(c, in->id, &agent);
	if (!err && (in->tier == TIER_UNLIMITED || in->tier == TIER_ANONYMOUS))
		err = problem_field(&c->problem, ERR_INVALID, "tier", "registered, verified or partner");
	return err ? err : keys_set_tier_of_agent(c, agent.row.id, (enum limit_tier)in->tier);
}
