/*
 * See index_doc.h. The weights were chosen by judged questions over real texts (tests/unit/test_directory_relevance.c):
 * a name says most, what somebody can do and tags say more than a sentence about it.
 */
#include "directory/index_doc.h"

#include <assert.h>

enum { AGENT_VALUES_OWN = 5 /* beside its lists: reach twice, type, status, verification */ };

static const struct search_field fields[AGENT_FIELDS] = {
	[AGENT_FIELD_NAME] = {"name", 4, 0.3, 4, true},
	[AGENT_FIELD_HANDLE] = {"handle", 1, 0.3, 4, true},
	[AGENT_FIELD_CAPABILITIES] = {"capabilities", 2, 0.5, 6, false},
	[AGENT_FIELD_TAGS] = {"tags", 1.5, 0.5, 6, false},
	[AGENT_FIELD_DESCRIPTION] = {"description", 1, 0.6, 10, false},
};

static const char *const dimensions[AGENT_DIMENSIONS] = {
	[AGENT_DIMENSION_REACH] = "reach",
	[AGENT_DIMENSION_TYPE] = "type",
	[AGENT_DIMENSION_STATUS] = "status",
	[AGENT_DIMENSION_PROTOCOL] = "protocol",
	[AGENT_DIMENSION_CAPABILITY] = "capability",
	[AGENT_DIMENSION_TAG] = "tag",
	[AGENT_DIMENSION_VERIFICATION] = "verification",
};
static_assert(AGENT_DIMENSION_TYPE + FACET_VERIFICATION == AGENT_DIMENSION_VERIFICATION, "facets follow the reach");

const struct search_config agent_search_config = {
	.fields = fields,
	.field_count = AGENT_FIELDS,
	.dimensions = dimensions,
	.dimension_count = AGENT_DIMENSIONS,
};

struct str agent_reach_public(void)
{
	return STR("public");
}

struct str agent_reach_tenant(struct arena *a, int64_t tenant)
{
	return arena_fmt(a, "%lld", (long long)tenant);
}

static struct str lines_of(struct arena *a, const struct str *texts, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += texts[i].n + 1;
	char *p = arena_alloc(a, n), *to = p;
	for (size_t i = 0; p && i < count; i++) {
		for (size_t k = 0; k < texts[i].n; k++)
			*to++ = texts[i].p[k];
		*to++ = '\n';
	}
	return (struct str){p, p ? n : 0};
}

static struct str *slugs_of(struct arena *a, const struct agent *agent)
{
	struct str *slugs = ARENA_ARRAY(a, struct str, agent->capabilities_count);
	for (size_t i = 0; slugs && i < agent->capabilities_count; i++)
		slugs[i] = agent->capabilities[i].capability;
	return slugs;
}

static struct search_value *put(struct search_value *v, enum agent_dimension dimension, struct str text)
{
	*v = (struct search_value){.dimension = dimension, .text = text};
	return v + 1;
}

static struct search_value *put_enum(struct search_value *v, enum agent_dimension dimension,
				     const struct json_enum *e, int value)
{
	return put(v, dimension, str_of(e->values[value].text));
}

static size_t put_values(struct search_value *v, struct str reach, const struct agent *agent,
			 const struct str *slugs)
{
	const struct search_value *first = v;
	v = put(v, AGENT_DIMENSION_REACH, reach);
	if (agent->visibility == VISIBLE_PUBLIC)
		v = put(v, AGENT_DIMENSION_REACH, agent_reach_public());
	v = put_enum(v, AGENT_DIMENSION_TYPE, &enum_agent_type, agent->type);
	v = put_enum(v, AGENT_DIMENSION_STATUS, &enum_agent_status, agent->status);
	v = put_enum(v, AGENT_DIMENSION_VERIFICATION, &enum_verification, agent->verification);
	for (size_t i = 0; i < agent->protocols_count; i++)
		v = put_enum(v, AGENT_DIMENSION_PROTOCOL, &enum_agent_protocol, agent->protocols[i]);
	for (size_t i = 0; i < agent->capabilities_count; i++)
		v = put(v, AGENT_DIMENSION_CAPABILITY, slugs[i]);
	for (size_t i = 0; i < agent->tags_count; i++)
		v = put(v, AGENT_DIMENSION_TAG, agent->tags[i]);
	return (size_t)(v - first);
}

enum err agent_doc(int64_t tenant, const struct agent *agent, struct arena *a, struct search_doc *out)
{
	size_t most = AGENT_VALUES_OWN + agent->protocols_count + agent->capabilities_count + agent->tags_count;
	struct str *texts = ARENA_ARRAY(a, struct str, AGENT_FIELDS), *slugs = slugs_of(a, agent);
	struct search_value *values = ARENA_ARRAY(a, struct search_value, most);
	if (!texts || !slugs || !values)
		return ERR_INTERNAL;
	texts[AGENT_FIELD_NAME] = agent->name;
	texts[AGENT_FIELD_HANDLE] = agent->handle;
	texts[AGENT_FIELD_CAPABILITIES] = lines_of(a, slugs, agent->capabilities_count);
	texts[AGENT_FIELD_TAGS] = lines_of(a, agent->tags, agent->tags_count);
	texts[AGENT_FIELD_DESCRIPTION] = agent->description;
	*out = (struct search_doc){.id = agent->id, .texts = texts, .values = values};
	out->value_count = put_values(values, agent_reach_tenant(a, tenant), agent, slugs);
	return arena_overflowed(a) ? ERR_INTERNAL : OK;
}
