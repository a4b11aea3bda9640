/*
 * Capabilities: what agents can do, named by slugs. The common ones came with the store and are every tenant's; a
 * tenant may add its own, under other slugs.
 */
#ifndef TENFOLD_DIRECTORY_CAPABILITY_H
#define TENFOLD_DIRECTORY_CAPABILITY_H

#include "http/call.h"
#include "store/queries.h"

void capability_show(const struct capability_row *row, struct capability *out);

/* Of the caller's tenant, or a common one. ERR_NOT_FOUND, with its sentence. */
enum err capability_read(struct call *c, struct str slug, struct capability_row *out);

/* The ids of slugs, 0 where a tenant has no such capability. */
enum err capability_ids(struct db *db, const struct capability_find_in *slugs, size_t count, int64_t *ids);

enum err capability_add(struct call *c, int64_t id, const struct capability_new *in, struct capability_row *out);

/* Those of the tenant and the common ones as one list by slug. */
enum err capability_list(struct call *c, const struct capability_list_in *in, struct capability_list_out *out);

#endif
