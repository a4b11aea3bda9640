/*
 * A2A agent cards, of version 1 (supportedInterfaces) or 0.3 (url, additionalInterfaces). The card itself is kept byte
 * for byte.
 *
 * Tags of skills become tags; a skill whose id, or one of whose tags, is the slug of a capability becomes that too.
 */
#include "import/agents_priv.h"

#include <string.h>

static bool is_capability(const struct agent_import *im, struct str slug)
{
	for (size_t i = 0; i < im->options.capability_count; i++)
		if (str_eq(im->options.capabilities[i], slug))
			return true;
	return false;
}

static void add_skill(struct agent_import *im, struct agent_new *agent, const struct a2a_skill *skill)
{
	if (is_capability(im, skill->id))
		agent_add_capability(im, agent, skill->id);
	for (size_t i = 0; i < skill->tags_count; i++) {
		if (is_capability(im, skill->tags[i]))
			agent_add_capability(im, agent, skill->tags[i]);
		agent_add_tag(im, agent, skill->tags[i]);
	}
}

static void add_binding(struct agent_import *im, struct agent_new *agent, struct str binding)
{
	if (str_eq_nocase(binding, STR("GRPC")))
		agent_add_protocol(im, agent, PROTOCOL_GRPC);
	else if (str_eq_nocase(binding, STR("HTTP+JSON")))
		agent_add_protocol(im, agent, PROTOCOL_HTTP);
}

static void add_interfaces(struct agent_import *im, struct agent_new *agent, const struct a2a_interface *v,
			   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!HAS(agent, agent_new, endpoint))
			agent_put_url(agent, agent_new__endpoint, v[i].url);
		add_binding(im, agent, v[i].protocolBinding.n ? v[i].protocolBinding : v[i].transport);
	}
}

static void add_reach(struct agent_import *im, struct agent_new *agent, const struct a2a_card *card)
{
	agent_add_protocol(im, agent, PROTOCOL_A2A);
	agent_put_url(agent, agent_new__endpoint, card->url);
	add_binding(im, agent, card->preferredTransport);
	add_interfaces(im, agent, card->supportedInterfaces, card->supportedInterfaces_count);
	add_interfaces(im, agent, card->additionalInterfaces, card->additionalInterfaces_count);
}

static void give_card(struct agent_import *im, size_t line, const struct a2a_card *card, struct str json)
{
	struct agent_new agent = {0};
	struct agent_origin origin = {.line = line, .name = card->name};

	agent_put(&agent, agent_new__name, card->name);
	PUT(&agent, agent_new, type, AGENT_SERVICE);
	agent_put(&agent, agent_new__description, card->description);
	agent_put(&agent, agent_new__operator, card->provider.organization);
	agent_put_url(&agent, agent_new__homepage, card->documentationUrl);
	if (!HAS(&agent, agent_new, homepage))
		agent_put_url(&agent, agent_new__homepage, card->provider.url);
	agent_put_url(&agent, agent_new__avatar, card->iconUrl);
	add_reach(im, &agent, card);
	for (size_t i = 0; i < card->skills_count; i++)
		add_skill(im, &agent, &card->skills[i]);
	PUT(&agent, agent_new, card, str_trim(json));
	origin.identity = arena_fmt(im->arena, "%.*s\n%.*s\n%.*s", STRF(card->name), STRF(agent.operator),
				    STRF(agent.endpoint));
	agent_give(im, &origin, &agent);
}

static void take_card(struct agent_import *im, size_t line, struct str json)
{
	struct problem p = {0};
	struct a2a_card card;

	if (json_decode_answer(&type_a2a_card, json, im->arena, &card, &p) != OK)
		agent_refuse_problem(im, line, &p);
	else
		give_card(im, line, &card, json);
}

void agents_read_cards(struct agent_import *im)
{
	agent_values(im, NULL, take_card);
}
