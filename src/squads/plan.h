/* Plans: how much a tenant may have. */
#ifndef TENFOLD_SQUADS_PLAN_H
#define TENFOLD_SQUADS_PLAN_H

#include "http/call.h"
#include "store/queries.h"

/* Of the caller's tenant. */
enum err plan_read(struct call *c, enum tenant_plan *out);

/* Active members that a squad may have. */
int64_t plan_active_members(enum tenant_plan plan);

#endif
