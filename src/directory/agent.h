/*
 * Agents: from their rows to what the API says of them, and from what a caller gives to a row.
 *
 * An agent is addressed by its ag_ id or its handle. Who reads: keys of its tenant, and everybody when it is
 * public. Who changes: the agent itself, with a key of its own, and operators of its tenant. A deleted one is a
 * tombstone: gone to whoever could read it, and as if it had never been to others.
 *
 * These run inside a handler, on its connection; memory is of the call's arena. Those that change something need a
 * transaction and end with a fact for the feed.
 */
#ifndef TENFOLD_DIRECTORY_AGENT_H
#define TENFOLD_DIRECTORY_AGENT_H

#include "http/call.h"
#include "store/queries.h"

enum { AGENT_CAPABILITIES_MAX = 64 };

struct directory_agent {
	struct agent_full_row row; /* as the store has it */
	struct agent shown;        /* as the API says it */
};

/* By id, whosever it is, tombstones too: row.deleted_ms > 0. ERR_NOT_FOUND. */
enum err directory_agent_load(struct db *db, int64_t id, struct arena *a, struct directory_agent *out);

/* What the API says of a row. */
enum err directory_agent_show(const struct agent_full_row *row, struct arena *a, struct agent *out);
/* The same of a row that does not last: its texts are copied. */
enum err directory_agent_keep(const struct agent_full_row *row, struct arena *a, struct agent *out);

/* May the caller read it, tombstone or not? */
bool agent_is_readable(const struct caller *caller, int64_t tenant, int64_t visibility);

/* For a call that reads: ERR_NOT_FOUND or ERR_GONE, with their sentences. */
enum err agent_read(struct call *c, struct str ref, struct directory_agent *out);

/* For a call that changes it: held until the transaction ends. Also ERR_FORBIDDEN, when it is another's to change, and
 * ERR_UNAUTHENTICATED, when the caller's key has been revoked a moment ago. */
enum err agent_hold(struct call *c, struct str ref, struct directory_agent *out);

/* The id of what ref addresses; ERR_NOT_FOUND. It need not be readable. */
enum err agent_resolve(struct db *db, struct str ref, struct arena *a, int64_t *id);

/* The first part is the row's version, which If-Match compares; the second tells of its liveness. */
struct str agent_etag(const struct directory_agent *agent, struct arena *a);

/* ---- from a caller ---- */

/* A new agent as a patch of nothing. Lists and texts are shared. */
void agent_patch_of(const struct agent_new *in, struct agent_patch *out);

/* Puts what is given into the row, checked: a member that is null becomes absent. The card is no part of the row,
 * but checked. ERR_INVALID names the member. */
enum err agent_row_patch(struct agent_full_row *row, const struct agent_patch *patch, struct arena *a,
			 struct problem *p);

/* Before that, where a patch is one of metadata too (RFC 7396): makes of what it names all that is to be there. */
enum err agent_merge_metadata(const struct agent_full_row *row, struct agent_patch *patch, struct arena *a,
			      struct problem *p);

/* Is it a URL where an agent can be reached? ERR_INVALID, told of `endpoint`. */
enum err agent_endpoint_check(struct str url, struct problem *p);

/* Do the two rows say the same? Version and times aside. */
bool agent_row_same(const struct agent_full_row *a, const struct agent_full_row *b);

/* The rows to write. */
struct agent_row agent_row_new(const struct agent_full_row *row);
struct agent_change_row agent_row_change(const struct agent_full_row *row);

/* For the feed. A public agent that becomes private is told of once more to everybody. */
struct change_fact agent_fact(const struct agent_full_row *row, bool was_public, enum change_op op);

#endif
