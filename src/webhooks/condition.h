/*
 * Conditions on an event: texts such as "/type=tool", a JSON pointer (RFC 6901) into the event, '=' and a value.
 *
 * A condition holds when a text that stands there is that value, or another value is spelled so; a list holds it when
 * one of its elements does. Of conditions with the same pointer one must hold, and so for every pointer.
 */
#ifndef TENFOLD_WEBHOOKS_CONDITION_H
#define TENFOLD_WEBHOOKS_CONDITION_H

#include "base/problem.h"
#include "base/str.h"

/* ERR_INVALID names `field` and the first that cannot be read. */
enum err conditions_check(const struct str *conditions, size_t count, const char *field, struct problem *p);
/* Do they hold of the event? It is JSON, and they have been checked. */
bool conditions_hold(const struct str *conditions, size_t count, struct str event);

#endif
