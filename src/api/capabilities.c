/* Capabilities: see directory/capability.h. */
#include "api/api.h"
#include "api/app.h"
#include "api/kept.h"

#include "directory/agent_list.h"
#include "directory/capability.h"
#include "directory/changes.h"

enum err api_capability_add(struct call *c, const struct capability_new *in, struct capability *out)
{
	struct capability_row row;
	enum err err = capability_add(c, app_new_id(call_app(c)), in, &row);
	if (err)
		return err;
	capability_show(&row, out);
	struct change_fact fact = {.tenant = row.tenant,
				   .entity = ENTITY_CAPABILITY,
				   .op = OP_PUT,
				   .ref = row.id,
				   .version = 1,
				   .at_ms = c->now_ms};
	return change_add(call_app(c)->feed, c, &fact, 1);
}

enum err api_capability_list(struct call *c, const struct capability_list_in *in, struct capability_list_out *out)
{
	struct kept k;
	if (kept_begin(c, &k))
		return OK;
	enum err err = capability_list(c, in, out);
	if (err)
		return kept_not(&k, err);
	kept_put(c, &k, 0, c->caller.tenant, VISIBLE_TENANT);
	return OK;
}

enum err api_capability_show(struct call *c, const struct capability_ref *in, struct capability *out)
{
	struct capability_row row;
	enum err err = capability_read(c, in->slug, &row);
	if (!err)
		capability_show(&row, out);
	return err;
}

enum err api_capability_agents(struct call *c, const struct capability_agents_in *in, struct agent_list_out *out)
{
	struct capability_row row;
	enum err err = capability_read(c, in->slug, &row);
	return err ? err : agent_list_with(c, row.id, in, out);
}
