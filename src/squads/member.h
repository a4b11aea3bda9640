/*
 * Members of squads: agents in a role. How many of a squad may be active says the plan of its tenant, over all that is
 * changed at the same time: whoever changes a squad's members holds the squad until the end of the transaction.
 *
 * These run inside a handler, on its connection; memory is of the call's arena. Errors, with their sentences:
 * ERR_NOT_FOUND (no such squad or member in the tenant), ERR_CONFLICT (the squad is archived, or the plan allows no
 * more), ERR_INVALID and ERR_ALREADY_EXISTS naming the field, ERR_PRECONDITION (If-Match).
 */
#ifndef TENFOLD_SQUADS_MEMBER_H
#define TENFOLD_SQUADS_MEMBER_H

#include "http/call.h"
#include "store/queries.h"

enum { SQUAD_MEMBERS_MAX = 200 }; /* active or not */

enum err member_add(struct call *c, int64_t id, const struct squad_member_new *in, struct squad_member_row *out);
enum err member_read(struct call *c, int64_t id, struct squad_member_row *out);
enum err member_change(struct call *c, const struct squad_member_patch *in, struct squad_member_row *out);
enum err member_activate(struct call *c, const struct squad_member_ref *in, bool active,
			 struct squad_member_row *out);
enum err member_remove(struct call *c, const struct squad_member_ref *in);
enum err member_list(struct call *c, const struct squad_member_list_in *in, struct squad_member_list_out *out);

/* Texts are shared; the prompt is left out. */
void member_show(const struct squad_member_row *row, struct squad_member *out);
/* The one it was given, or that of its role. */
struct str member_prompt(const struct squad_member_row *row);

#endif
