/*
 * From an event to what is made of it, by the rules of a hook: the first whose events and conditions fit is followed. A
 * text of a rule that begins with '/' is a JSON pointer into the event, and stands for the value there: a text as it is
 * meant, a number, true or false as it is spelled.
 *
 * What comes out is checked as what a caller gives; an error says what of the event does not do.
 */
#ifndef TENFOLD_HOOKS_MAPPING_H
#define TENFOLD_HOOKS_MAPPING_H

#include "base/arena.h"
#include "base/problem.h"
#include "spec/types.h"

struct mapping_event {
	struct str hook, name, body; /* of the hook; of the event; JSON */
};

enum mapping_kind {
	MAPPING_ITEM, /* a work item */
	MAPPING_TASK, /* a task, an execution, or a task and an execution of it */
	MAPPING_SIGNAL,
	MAPPING_MESSAGE
};

/* ERR_INVALID names the member of the rule that cannot be followed. What it refers to is not looked up. */
enum err mapping_check(const struct hook_rule *rules, size_t count, struct problem *p);

/* Which rule fits; NULL: none. */
const struct hook_rule *mapping_find(const struct hook_rule *rules, size_t count,
				     const struct mapping_event *event);

enum mapping_kind mapping_kind_of(const struct hook_rule *rule);
bool mapping_begins(const struct hook_rule *rule); /* of MAPPING_TASK: an execution? */

enum err mapping_work(const struct hook_rule *rule, const struct mapping_event *event, struct arena *a,
		      struct work_new *out, struct problem *p);
enum err mapping_task(const struct hook_rule *rule, const struct mapping_event *event, struct arena *a,
		      struct task_new *out, struct problem *p);
/* By `squad`; of `task`, unless that is 0. */
enum err mapping_execution(const struct hook_rule *rule, const struct mapping_event *event, int64_t squad,
			   int64_t task, struct arena *a, struct execution_new *out, struct problem *p);

/* Whom a signal or message is for: an execution, or 0 and the task with that id elsewhere. */
enum err mapping_addressee(const struct hook_rule *rule, const struct mapping_event *event, struct arena *a,
			   int64_t *execution, struct str *external, struct problem *p);
enum err mapping_signal(const struct hook_rule *rule, const struct mapping_event *event, int64_t execution,
			struct arena *a, struct execution_signal_in *out, struct problem *p);
enum err mapping_message(const struct hook_rule *rule, const struct mapping_event *event, int64_t execution,
			 struct arena *a, struct message_new *out, struct problem *p);

#endif
