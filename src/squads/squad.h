/*
 * The squad that a call is about, or names in a field; squads themselves change on the queue's thread (flow/rows.h).
 *
 * These run inside a handler, on its connection; memory is of the call's arena. Errors, with their sentences:
 * ERR_NOT_FOUND (none of that id in the tenant), ERR_INVALID naming the field, ERR_CONFLICT (it is archived).
 */
#ifndef TENFOLD_SQUADS_SQUAD_H
#define TENFOLD_SQUADS_SQUAD_H

#include "http/call.h"
#include "store/queries.h"

enum err squad_read(struct call *c, int64_t id, struct squad_row *out);
/* The same for one that stands in a field: ERR_INVALID instead of ERR_NOT_FOUND. */
enum err squad_read_named(struct call *c, const char *field, int64_t id, struct squad_row *out);
/* ERR_CONFLICT: nothing is added to it any more. */
enum err squad_check_open(struct call *c, const struct squad_row *squad);

#endif
