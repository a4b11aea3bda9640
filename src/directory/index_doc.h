/* What of an agent is searched: its texts and how much each counts, and the values it is narrowed by. */
#ifndef TENFOLD_DIRECTORY_INDEX_DOC_H
#define TENFOLD_DIRECTORY_INDEX_DOC_H

#include "base/arena.h"
#include "search/search.h"
#include "spec/types.h"

enum agent_field {
	AGENT_FIELD_NAME,
	AGENT_FIELD_HANDLE,
	AGENT_FIELD_CAPABILITIES,
	AGENT_FIELD_TAGS,
	AGENT_FIELD_DESCRIPTION,
	AGENT_FIELDS
};

/* The first is who may find it; the others follow enum facet_name. */
enum agent_dimension {
	AGENT_DIMENSION_REACH,
	AGENT_DIMENSION_TYPE,
	AGENT_DIMENSION_STATUS,
	AGENT_DIMENSION_PROTOCOL,
	AGENT_DIMENSION_CAPABILITY,
	AGENT_DIMENSION_TAG,
	AGENT_DIMENSION_VERIFICATION,
	AGENT_DIMENSIONS
};

extern const struct search_config agent_search_config;

/* Values of AGENT_DIMENSION_REACH: of everybody, and of a tenant. */
struct str agent_reach_public(void);
struct str agent_reach_tenant(struct arena *a, int64_t tenant);

/* In the arena, and of the agent's own texts. ERR_INTERNAL when the arena is full. */
enum err agent_doc(int64_t tenant, const struct agent *agent, struct arena *a, struct search_doc *out);

#endif
