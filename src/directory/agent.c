/* See agent.h; what a caller gives is checked in agent_patch.c. */
#include "directory/agent.h"

#include "access/confirm.h"
#include "base/id.h"
#include "directory/proof.h"

#include <stdlib.h>
#include <string.h>

/* ---- from the row ---- */

static int by_slug(const void *a, const void *b)
{
	const struct agent_capability *x = a, *y = b;
	return str_cmp(x->capability, y->capability);
}

static struct str lists_of(const struct agent_full_row *row, struct arena *a)
{
	struct str tags = row->tags.p ? row->tags : STR("[]");
	return arena_fmt(a, "{\"tags\":%.*s,\"capabilities\":%.*s}", STRF(tags), STRF(row->capabilities));
}

static void show_protocols(int64_t bits, struct arena *a, struct agent *out)
{
	out->protocols = ARENA_ARRAY(a, int, (size_t)enum_agent_protocol.count);
	for (int i = 0; out->protocols && i < enum_agent_protocol.count; i++)
		if (bits >> i & 1)
			out->protocols[out->protocols_count++] = i;
}

static void show_texts(const struct agent_full_row *row, struct agent *out)
{
	if (row->description.p)
		PUT(out, agent, description, row->description);
	if (row->endpoint.p)
		PUT(out, agent, endpoint, row->endpoint);
	if (row->homepage.p)
		PUT(out, agent, homepage, row->homepage);
	if (row->avatar.p)
		PUT(out, agent, avatar, row->avatar);
	if (row->operator.p)
		PUT(out, agent, operator, row->operator);
	if (row->metadata.p)
		PUT(out, agent, metadata, row->metadata);
}

static void show_key(const struct agent_full_row *row, struct arena *a, struct agent *out)
{
	out->verification = VERIFICATION_NONE;
	if (!row->public_key.p)
		return;
	out->verification = VERIFICATION_CLAIMED;
	PUT(out, agent, public_key, proof_text(a, row->public_key));
	PUT(&out->proofs, agent_proofs, key, row->key_proved_ms);
}

enum err directory_agent_show(const struct agent_full_row *row, struct arena *a, struct agent *out)
{
	struct agent_lists lists;
	enum err err = json_decode(&type_agent_lists, lists_of(row, a), 0, a, &lists, NULL);
	if (err)
		return ERR_INTERNAL;
	if (lists.capabilities_count > 1)
		qsort(lists.capabilities, lists.capabilities_count, sizeof *lists.capabilities, by_slug);
	*out = (struct agent){.id = row->id,
			      .handle = row->handle,
			      .name = row->name,
			      .type = (int)row->type,
			      .tags = lists.tags,
			      .tags_count = lists.tags_count,
			      .capabilities = lists.capabilities,
			      .capabilities_count = lists.capabilities_count,
			      .visibility = (int)row->visibility,
			      .status = (int)row->status,
			      .version = row->version,
			      .created_at = row->created_ms,
			      .updated_at = row->updated_ms};
	if (row->since_ms)
		PUT(out, agent, status_since, row->since_ms);
	show_protocols(row->protocols, a, out);
	show_texts(row, out);
	show_key(row, a, out);
	return arena_overflowed(a) ? ERR_INTERNAL : OK;
}

enum err directory_agent_keep(const struct agent_full_row *row, struct arena *a, struct agent *out)
{
	struct agent_full_row own = *row;
	struct str *texts[] = {&own.handle, &own.name, &own.description, &own.endpoint, &own.homepage, &own.avatar,
			       &own.metadata, &own.tags, &own.capabilities, &own.operator};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i]->p)
			*texts[i] = arena_str(a, *texts[i]);
	return directory_agent_show(&own, a, out);
}

enum err directory_agent_load(struct db *db, int64_t id, struct arena *a, struct directory_agent *out)
{
	enum err err = q_agent_get(db, &(struct id_row){id}, a, &out->row);
	return err ? err : directory_agent_show(&out->row, a, &out->shown);
}

struct str agent_etag(const struct directory_agent *agent, struct arena *a)
{
	return arena_fmt(a, "%lld-%lld", (long long)agent->row.version, (long long)agent->row.flips);
}

/* ---- whose it is ---- */

enum err agent_resolve(struct db *db, struct str ref, struct arena *a, int64_t *id)
{
	struct agent_find_out found;
	if (id_parse(ref, "ag_", id))
		return OK;
	enum err err = q_agent_find(db, &(struct agent_find_in){ref}, a, &found);
	*id = err ? 0 : found.id;
	return err;
}

bool agent_is_readable(const struct caller *caller, int64_t tenant, int64_t visibility)
{
	return tenant == caller->tenant || visibility == VISIBLE_PUBLIC;
}

static bool may_change(const struct caller *caller, const struct agent_full_row *row)
{
	return row->tenant == caller->tenant && (caller->scope >= SCOPE_OPERATOR || caller->agent == row->id);
}

static enum err load(struct call *c, int64_t id, struct directory_agent *out)
{
	enum err err = directory_agent_load(c->db, id, c->arena, out);
	if (err && err != ERR_NOT_FOUND)
		return err;
	if (err || !agent_is_readable(&c->caller, out->row.tenant, out->row.visibility))
		return call_fail(c, ERR_NOT_FOUND, "there is no such agent here");
	if (out->row.deleted_ms)
		return call_fail(c, ERR_GONE, "this agent was deleted");
	return OK;
}

static enum err resolve(struct call *c, struct str ref, int64_t *id)
{
	enum err err = agent_resolve(c->db, ref, c->arena, id);
	return err == ERR_NOT_FOUND ? call_fail(c, err, "there is no such agent here") : err;
}

enum err agent_read(struct call *c, struct str ref, struct directory_agent *out)
{
	int64_t id;
	enum err err = resolve(c, ref, &id);
	return err ? err : load(c, id, out);
}

/* It may have been given away since the caller was recognised. */
static enum err confirm(struct call *c, const struct agent_full_row *row)
{
	const struct caller *caller = &c->caller;
	if (!caller->key && caller->agent == row->id && caller->proved_ms != row->key_proved_ms)
		return call_fail(c, ERR_UNAUTHENTICATED, "the agent no longer has the key that signed this");
	return confirm_caller(c);
}

enum err agent_hold(struct call *c, struct str ref, struct directory_agent *out)
{
	int64_t id;
	struct id_row held;
	enum err err = resolve(c, ref, &id);
	if (!err)
		err = q_agent_lock(c->db, &(struct id_row){id}, c->arena, &held);
	if (err && err != ERR_NOT_FOUND)
		return err;
	err = load(c, id, out);
	if (!err && !may_change(&c->caller, &out->row))
		return call_fail(
			c, ERR_FORBIDDEN,
			"only the agent itself and operators of its tenant may change it; 'tenfold whoami' "
			"shows this key's scope");
	return err ? err : confirm(c, &out->row);
}

/* ---- rows to write ---- */

struct agent_row agent_row_new(const struct agent_full_row *row)
{
	return (struct agent_row){.id = row->id,
				  .tenant = row->tenant,
				  .handle = row->handle,
				  .name = row->name,
				  .type = row->type,
				  .visibility = row->visibility,
				  .protocols = row->protocols,
				  .description = row->description,
				  .endpoint = row->endpoint,
				  .homepage = row->homepage,
				  .avatar = row->avatar,
				  .operator= row->operator,
				  .tags = row->tags,
				  .metadata = row->metadata,
				  .public_key = row->public_key,
				  .key_proved_ms = row->key_proved_ms,
				  .version = row->version,
				  .created_ms = row->created_ms,
				  .updated_ms = row->updated_ms,
				  .deleted_ms = row->deleted_ms};
}

struct agent_change_row agent_row_change(const struct agent_full_row *row)
{
	return (struct agent_change_row){.id = row->id,
					 .handle = row->handle,
					 .name = row->name,
					 .type = row->type,
					 .visibility = row->visibility,
					 .protocols = row->protocols,
					 .description = row->description,
					 .endpoint = row->endpoint,
					 .homepage = row->homepage,
					 .avatar = row->avatar,
					 .operator= row->operator,
					 .tags = row->tags,
					 .metadata = row->metadata,
					 .public_key = row->public_key,
					 .key_proved_ms = row->key_proved_ms,
					 .version = row->version,
					 .updated_ms = row->updated_ms,
					 .deleted_ms = row->deleted_ms};
}

static bool same_text(struct str a, struct str b)
{
	return (a.p == NULL) == (b.p == NULL) && str_eq(a, b);
}

bool agent_row_same(const struct agent_full_row *a, const struct agent_full_row *b)
{
	return str_eq(a->handle, b->handle) && str_eq(a->name, b->name) && a->type == b->type &&
	       a->visibility == b->visibility && a->protocols == b->protocols &&
	       same_text(a->description, b->description) && same_text(a->endpoint, b->endpoint) &&
	       same_text(a->homepage, b->homepage) && same_text(a->avatar, b->avatar) &&
	       same_text(a->operator, b->operator) && same_text(a->tags, b->tags) &&
	       same_text(a->metadata, b->metadata) && same_text(a->public_key, b->public_key);
}

struct change_fact agent_fact(const struct agent_full_row *row, bool was_public, enum change_op op)
{
	return (struct change_fact){.tenant = row->tenant,
				    .entity = ENTITY_AGENT,
				    .op = op,
				    .ref = row->id,
				    .version = row->version,
				    .public = was_public || row->visibility == VISIBLE_PUBLIC,
				    .at_ms = row->updated_ms};
}
