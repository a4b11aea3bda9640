/*
 * Servers of the MCP registry: pages of its API ({"servers":[{"server":{…},"_meta":{…}}]}, v0.1), pages of its first
 * version ({"servers":[{…}]}), arrays of servers, and one server by itself (server.json).
 *
 * A server is known by its whole name, namespace/name. Its handle is the name without the namespace, and always a
 * hash of the whole: many servers are called mcp-server. What the registry says of it is kept in the metadata. Older
 * versions and what was deleted there are passed over.
 */
#include "import/agents_priv.h"

#include <string.h>

enum { METADATA_ROOM = 64 }; /* what stands around the server */

/* How the registry's own word on a server is called among the words of others. */
#define OFFICIAL "io.modelcontextprotocol.registry/official"

static struct str last_part(struct str name, struct str *space)
{
	size_t n = name.n;

	while (n > 0 && name.p[n - 1] != '/')
		n--;
	*space = (struct str){name.p, n ? n - 1 : 0};
	return (struct str){name.p + n, name.n - n};
}

/* Is it the newest version of something that is not deleted? Who does not say so is taken for it. */
static bool stands(struct agent_import *im, struct str meta)
{
	struct json_field field = type_mcp_meta.fields[mcp_meta__official];
	struct json_type type = type_mcp_meta;
	struct mcp_meta m;

	field.name = OFFICIAL;
	field.key = ",\"" OFFICIAL "\":";
	field.name_length = sizeof(OFFICIAL) - 1;
	type.fields = &field;
	if (json_decode_answer(&type, meta, im->arena, &m, NULL) != OK || !HAS(&m, mcp_meta, official))
		return true;
	return !str_eqz(m.official.status, "deleted") &&
	       (!HAS(&m.official, mcp_standing, isLatest) || m.official.isLatest);
}

/* {"mcp":SERVER}, byte for byte; only its name when that is more than metadata may hold. */
static struct str metadata(struct agent_import *im, const struct mcp_server *s, struct str json)
{
	struct buf b = BUF_INIT(0);
	struct str out;

	json = str_trim(json);
	buf_z(&b, "{\"mcp\":");
	if (json.n + METADATA_ROOM <= (size_t)type_agent_new.fields[agent_new__metadata].max) {
		buf_str_add(&b, json);
	} else {
		buf_z(&b, "{\"name\":");
		buf_json_text(&b, s->name);
		buf_c(&b, '}');
	}
	buf_c(&b, '}');
	out = arena_str(im->arena, buf_str(&b));
	buf_free(&b);
	return out;
}

static void add_lists(struct agent_import *im, struct agent_new *agent, const struct mcp_server *s)
{
	for (size_t i = 0; i < s->packages_count; i++) {
		const struct mcp_package *p = &s->packages[i];
		struct str kind = p->registryType.n ? p->registryType : p->registry_name;

		if (!str_eqz(kind, "unknown"))
			agent_add_tag(im, agent, kind);
	}
	for (size_t i = 0; i < s->remotes_count && !HAS(agent, agent_new, endpoint); i++)
		agent_put_url(agent, agent_new__endpoint, s->remotes[i].url);
	for (size_t i = 0; i < s->icons_count && !HAS(agent, agent_new, avatar); i++)
		agent_put_url(agent, agent_new__avatar, s->icons[i].src);
}

static void give_server(struct agent_import *im, size_t line, const struct mcp_server *s, struct str json)
{
	struct agent_new agent = {0};
	struct str space;
	const struct agent_origin origin = {
		.line = line,
		.name = last_part(s->name, &space),
		.identity = s->name,
		.marked = true,
	};

	agent_put(&agent, agent_new__name, str_trim(s->title).n ? s->title : s->name);
	PUT(&agent, agent_new, type, s->remotes_count ? AGENT_SERVICE : AGENT_TOOL);
	agent_put(&agent, agent_new__description, s->description);
	agent_put(&agent, agent_new__operator, space);
	agent_put_url(&agent, agent_new__homepage, s->websiteUrl);
	if (!HAS(&agent, agent_new, homepage))
		agent_put_url(&agent, agent_new__homepage, s->repository.url);
	agent_add_protocol(im, &agent, PROTOCOL_MCP);
	add_lists(im, &agent, s);
	PUT(&agent, agent_new, metadata, metadata(im, s, json));
	agent_give(im, &origin, &agent);
}

static void take_entry(struct agent_import *im, size_t line, struct str json)
{
	struct problem p = {0};
	struct mcp_entry entry;
	struct mcp_server server;
	enum err e = json_decode_answer(&type_mcp_entry, json, im->arena, &entry, &p);

	if (!e && HAS(&entry, mcp_entry, server))
		json = entry.server;
	if (!e)
		e = json_decode_answer(&type_mcp_server, json, im->arena, &server, &p);
	if (e)
		agent_refuse_problem(im, line, &p);
	else if (HAS(&server, mcp_server, skills))
		agent_refuse(im, line, "has skills, as A2A cards have: import it with --format a2a-card");
	else if (HAS(&entry, mcp_entry, _meta) && !stands(im, entry._meta))
		im->repeated++;
	else
		give_server(im, line, &server, json);
}

void agents_read_mcp(struct agent_import *im)
{
	agent_values(im, "servers", take_entry);
}
