/*
 * From an event to a work item, by the rules of a hook: the first whose events and conditions fit is followed. A text
 * of a rule that begins with '/' is a JSON pointer into the event, and stands for the value there: a text as it is
 * meant, a number, true or false as it is spelled.
 */
#ifndef TENFOLD_HOOKS_MAPPING_H
#define TENFOLD_HOOKS_MAPPING_H

#include "base/arena.h"
#include "base/problem.h"
#include "spec/types.h"

struct mapping_event {
	struct str hook, name, body; /* of the hook; of the event; JSON */
};

/* ERR_INVALID names the member of the rule that cannot be followed. */
enum err mapping_check(const struct hook_rule *rules, size_t count, struct problem *p);

/* Which rule fits; NULL: none. */
const struct hook_rule *mapping_find(const struct hook_rule *rules, size_t count,
				     const struct mapping_event *event);

/* The item, checked as one that a caller gives. An error says what of the event does not do. */
enum err mapping_work(const struct hook_rule *rule, const struct mapping_event *event, struct arena *a,
		      struct work_new *out, struct problem *p);

#endif
