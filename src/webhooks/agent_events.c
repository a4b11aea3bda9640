/* See agent_events.h. */
#include "webhooks/agent_events.h"

#include "base/arena.h"
#include "base/id.h"
#include "directory/agent.h"

bool agent_event_is(const struct change_row *change)
{
	return change->entity == ENTITY_AGENT || change->entity == ENTITY_LIVENESS;
}

static enum webhook_event type_of(const struct change_row *change)
{
	if (change->entity == ENTITY_LIVENESS)
		return EVENT_AGENT_STATUS;
	if (change->op == OP_DELETE)
		return EVENT_AGENT_DELETED;
	return change->version == 1 ? EVENT_AGENT_REGISTERED : EVENT_AGENT_CHANGED;
}

static enum err put_capabilities(const struct agent *agent, struct arena *a, struct webhook_agent_data *out)
{
	struct str *slugs = ARENA_ARRAY(a, struct str, agent->capabilities_count);
	for (size_t i = 0; slugs && i < agent->capabilities_count; i++)
		slugs[i] = agent->capabilities[i].capability;
	out->capabilities = slugs;
	out->capabilities_count = agent->capabilities_count;
	out->seen |= BIT(webhook_agent_data, capabilities);
	return slugs || !agent->capabilities_count ? OK : ERR_INTERNAL;
}

static enum err put_agent(const struct agent *agent, struct arena *a, struct webhook_agent_data *out)
{
	PUT(out, webhook_agent_data, handle, agent->handle);
	PUT(out, webhook_agent_data, name, agent->name);
	PUT(out, webhook_agent_data, type, agent->type);
	PUT(out, webhook_agent_data, visibility, agent->visibility);
	PUT(out, webhook_agent_data, status, agent->status);
	PUT(out, webhook_agent_data, tags, agent->tags);
	out->tags_count = agent->tags_count;
	return put_capabilities(agent, a, out);
}

static enum err put_flip(struct db *db, struct arena *a, const struct change_row *change,
			 struct webhook_agent_data *out)
{
	struct webhook_flip_out flip;
	enum err err = q_webhook_flip(db, &(struct webhook_flip_in){change->ref, change->at_ms}, a, &flip);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err; /* cleared away by now */
	PUT(out, webhook_agent_data, status, (int)flip.status);
	PUT(out, webhook_agent_data, was, (int)flip.was);
	return OK;
}

static struct str encoded(const struct webhook_agent_data *data, struct arena *a)
{
	struct buf b = BUF_INIT(0);
	json_encode(&type_webhook_agent_data, data, 0, &b);
	struct str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

enum err agent_event_of(struct db *db, struct arena *a, const struct change_row *change,
			struct webhook_event_row *out)
{
	struct webhook_agent_data data = {.agent = change->ref, .version = change->version};
	struct directory_agent agent;
	char id[ID_TEXT];
	enum err err = directory_agent_load(db, change->ref, a, &agent);
	if (err && err != ERR_NOT_FOUND)
		return err;
	err = err ? OK : put_agent(&agent.shown, a, &data);
	if (!err && change->entity == ENTITY_LIVENESS)
		err = put_flip(db, a, change, &data);
	id_format(id, "ag_", change->ref);
	*out = (struct webhook_event_row){.tenant = change->tenant,
					  .type = type_of(change),
					  .subject = arena_str(a, str_of(id)),
					  .data = encoded(&data, a),
					  .at_ms = change->at_ms};
	return err || out->data.n ? err : ERR_INTERNAL;
}
