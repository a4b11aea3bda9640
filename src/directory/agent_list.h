/* Lists of agents: see page.h. */
#ifndef TENFOLD_DIRECTORY_AGENT_LIST_H
#define TENFOLD_DIRECTORY_AGENT_LIST_H

#include "directory/agent.h"

/* Those of the caller's tenant and those that are public, as `in` filters them. */
enum err agent_list(struct call *c, const struct agent_list_in *in, struct agent_list_out *out);

/* Those who have a capability, of those the caller may see. */
enum err agent_list_with(struct call *c, int64_t capability, const struct capability_agents_in *in,
			 struct agent_list_out *out);

#endif
