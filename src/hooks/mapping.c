/* See mapping.h. */
#include "hooks/mapping.h"

#include "base/id.h"
#include "base/magic.h"
#include "webhooks/condition.h"
#include "json/pick.h"

#include <stdio.h>

enum { FIELD_TEXT = 48, TITLE_MAX = 256, NAME_MAX_CHARACTERS = 200, DESCRIPTION_MAX = 16384, MESSAGE_MAX = 8192 };

/* ---- rules ---- */

static bool is_pointer(struct str text)
{
	return text.n > 0 && text.p[0] == '/';
}

static enum err check_text(struct str text, size_t rule, const char *member, struct problem *p)
{
	char field[FIELD_TEXT];
	if (!is_pointer(text) || pick_pointer_valid(text))
		return OK;
	snprintf(field, sizeof field, "rules[%zu].%s", rule, member);
	return problem_field(p, ERR_INVALID, field, "'%.*s' is no JSON pointer (RFC 6901)", STRF(text));
}

static enum err check_payload(const struct hook_rule *rule, size_t n, struct problem *p)
{
	char field[FIELD_TEXT];
	if (!rule->payload.n || is_pointer(rule->payload))
		return check_text(rule->payload, n, "payload", p);
	snprintf(field, sizeof field, "rules[%zu].payload", n);
	return problem_field(p, ERR_INVALID, field,
			     "must be a JSON pointer such as /issue, or empty for all of it");
}

/* ---- what a rule makes ---- */

enum mapping_kind mapping_kind_of(const struct hook_rule *rule)
{
	if (rule->signal.n)
		return MAPPING_SIGNAL;
	if (rule->message.n)
		return MAPPING_MESSAGE;
	return rule->project || rule->squad ? MAPPING_TASK : MAPPING_ITEM;
}

bool mapping_begins(const struct hook_rule *rule)
{
	return rule->template.n || rule->steps_count;
}

static enum err refuse(size_t n, const char *member, const char *why, struct problem *p)
{
	char field[FIELD_TEXT];
	snprintf(field, sizeof field, "rules[%zu].%s", n, member);
	return problem_field(p, ERR_INVALID, field, "%s", why);
}

static bool tells(const struct hook_rule *rule)
{
	return rule->signal.n || rule->message.n;
}

/* A rule makes one kind of thing, and says nothing of the others. */
static enum err check_one_kind(const struct hook_rule *rule, size_t n, struct problem *p)
{
	enum mapping_kind kind = mapping_kind_of(rule);
	if (kind == MAPPING_ITEM && !rule->type.n)
		return refuse(n, "type", "give a type for a work item, a project or a squad, a signal or a message",
			      p);
	if (kind != MAPPING_ITEM && (rule->type.n || rule->team.n || rule->key.n))
		return refuse(n, "type", "type, team and key are of work items; the rule makes something else", p);
	if (kind == MAPPING_ITEM && mapping_begins(rule))
		return refuse(n, "squad", "an execution needs a squad, or a project", p);
	if (!tells(rule) && rule->execution.n)
		return refuse(n, "execution", "is of rules with a signal or a message", p);
	if (!rule->project && (rule->external_id.n || rule->description.n))
		return refuse(n, "project", "external_id and description need a project", p);
	return OK;
}

static enum err check_task(const struct hook_rule *rule, size_t n, struct problem *p)
{
	if (rule->project && rule->squad)
		return refuse(n, "squad", "is that of the project; give one of the two", p);
	if (rule->template.n && rule->steps_count)
		return refuse(n, "template", "give steps or a template, not both", p);
	if (rule->squad && !mapping_begins(rule))
		return refuse(n, "template", "give the steps of the execution, or a template", p);
	return OK;
}

/* Of a signal or message. */
static enum err check_told(const struct hook_rule *rule, size_t n, struct problem *p)
{
	if (rule->squad || mapping_begins(rule) || rule->description.n || rule->title.n)
		return refuse(n, rule->signal.n ? "signal" : "message",
			      "a rule that tells something begins nothing", p);
	if (rule->message.n && (rule->signal.n || rule->payload.n))
		return refuse(n, "message", "is all that is told; leave out signal and payload", p);
	if (rule->execution.n ? rule->project != 0 : !rule->project || !rule->external_id.n)
		return refuse(n, "execution", "give an execution, or project and external_id of its task", p);
	return OK;
}

static enum err check_kind(const struct hook_rule *rule, size_t n, struct problem *p)
{
	enum err err = check_one_kind(rule, n, p);
	if (err)
		return err;
	switch (mapping_kind_of(rule)) {
	case MAPPING_ITEM:
		return OK;
	case MAPPING_TASK:
		return check_task(rule, n, p);
	case MAPPING_SIGNAL:
	case MAPPING_MESSAGE:
		return check_told(rule, n, p);
	}
	UNREACHABLE();
}

static enum err check_rule(const struct hook_rule *rule, size_t n, struct problem *p)
{
	const struct {
		const char *member;
		struct str text;
	} texts[] = {{"type", rule->type},
		     {"team", rule->team},
		     {"key", rule->key},
		     {"title", rule->title},
		     {"external_id", rule->external_id},
		     {"description", rule->description},
		     {"signal", rule->signal},
		     {"message", rule->message},
		     {"execution", rule->execution}};
	char when[FIELD_TEXT];
	snprintf(when, sizeof when, "rules[%zu].when", n);
	enum err err = conditions_check(rule->when, rule->when_count, when, p);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0] && !err; i++)
		err = check_text(texts[i].text, n, texts[i].member, p);
	if (!err)
		err = check_payload(rule, n, p);
	return err ? err : check_kind(rule, n, p);
}

enum err mapping_check(const struct hook_rule *rules, size_t count, struct problem *p)
{
	enum err err = OK;
	for (size_t i = 0; i < count && !err; i++)
		err = check_rule(&rules[i], i, p);
	return err;
}

static bool names_event(const struct hook_rule *rule, struct str name)
{
	for (size_t i = 0; i < rule->events_count; i++)
		if (str_eq(rule->events[i], name))
			return true;
	return rule->events_count == 0;
}

const struct hook_rule *mapping_find(const struct hook_rule *rules, size_t count, const struct mapping_event *event)
{
	for (size_t i = 0; i < count; i++)
		if (names_event(&rules[i], event->name) &&
		    conditions_hold(rules[i].when, rules[i].when_count, event->body))
			return &rules[i];
	return NULL;
}

/* ---- items ---- */

/* One event and what is made of it. */
struct making {
	const struct mapping_event *event;
	struct arena *arena;
	struct problem *p;
};

static enum err value_at(const struct making *m, struct str pointer, const char *member, struct str *out)
{
	struct str value;
	if (!pick_pointer(m->event->body, pointer, &value))
		return problem_field(m->p, ERR_INVALID, member, "the event has nothing at %.*s", STRF(pointer));
	if (value.p[0] == '{' || value.p[0] == '[' || str_eqz(value, "null"))
		return problem_field(m->p, ERR_INVALID, member, "what the event has at %.*s is no text or number",
				     STRF(pointer));
	*out = value;
	if (value.p[0] != '"')
		return OK;
	char *text = arena_alloc(m->arena, value.n);
	if (!text)
		return ERR_TOO_LARGE;
	*out = (struct str){text, pick_unescape((struct str){value.p + 1, value.n - 2}, text)};
	return OK;
}

/* A text of a rule, or what its pointer leads to. */
static enum err text_of(const struct making *m, struct str given, const char *member, struct str *out)
{
	*out = given;
	return is_pointer(given) ? value_at(m, given, member, out) : OK;
}

static enum err payload_of(const struct making *m, const struct hook_rule *rule, struct str *out)
{
	if (!pick_pointer(m->event->body, rule->payload, out))
		return problem_field(m->p, ERR_INVALID, "payload", "the event has nothing at %.*s",
				     STRF(rule->payload));
	return OK;
}

static enum err put_payload(const struct making *m, const struct hook_rule *rule, struct work_new *item)
{
	struct str payload;
	enum err err = payload_of(m, rule, &payload);
	if (!err)
		PUT(item, work_new, payload, payload);
	return err;
}

static enum err title_of(const struct making *m, const struct hook_rule *rule, size_t max, struct str *out)
{
	const struct mapping_event *e = m->event;
	struct str title = arena_fmt(m->arena, "%.*s from %.*s", STRF(e->name), STRF(e->hook));
	enum err err = rule->title.n ? text_of(m, rule->title, "title", &title) : OK;
	*out = str_clip(title, max);
	return err;
}

static enum err put_title(const struct making *m, const struct hook_rule *rule, struct work_new *item)
{
	struct str title;
	enum err err = title_of(m, rule, TITLE_MAX, &title);
	if (!err)
		PUT(item, work_new, title, title);
	return err;
}

static enum err put_names(const struct making *m, const struct hook_rule *rule, struct work_new *item)
{
	enum err err = text_of(m, rule->type, "type", &item->type);
	if (!err && rule->team.n) {
		err = text_of(m, rule->team, "team", &item->team);
		PUT(item, work_new, team, item->team);
	}
	if (!err && rule->key.n) {
		err = text_of(m, rule->key, "key", &item->key);
		PUT(item, work_new, key, item->key);
	}
	return err;
}

static void put_labels(const struct making *m, struct work_new *item)
{
	struct json_pair *labels = ARENA_ARRAY(m->arena, struct json_pair, 2);
	if (!labels)
		return;
	labels[0] = (struct json_pair){STR("hook"), m->event->hook};
	labels[1] = (struct json_pair){STR("event"), m->event->name};
	PUT(item, work_new, labels, labels);
	item->labels_count = 2;
}

/* Written and read again, it is held to what is asked of any caller's. */
static enum err as_a_caller(const struct making *m, const struct json_type *type, const void *made, void *out)
{
	struct buf b = BUF_INIT(0);
	json_encode(type, made, 0, &b);
	struct str text = arena_str(m->arena, buf_str(&b));
	buf_free(&b);
	return text.n ? json_decode(type, text, 0, m->arena, out, m->p) : ERR_TOO_LARGE;
}

enum err mapping_work(const struct hook_rule *rule, const struct mapping_event *event, struct arena *a,
		      struct work_new *out, struct problem *p)
{
	struct making m = {.event = event, .arena = a, .p = p};
	struct work_new item = {0};
	PUT(&item, work_new, priority, rule->priority);
	PUT(&item, work_new, created_by, arena_fmt(a, "hook %.*s", STRF(event->hook)));
	put_labels(&m, &item);
	enum err err = put_names(&m, rule, &item);
	if (!err)
		err = put_title(&m, rule, &item);
	if (!err)
		err = put_payload(&m, rule, &item);
	return err ? err : as_a_caller(&m, &type_work_new, &item, out);
}

/* ---- tasks and executions ---- */

static enum err put_description(const struct making *m, const struct hook_rule *rule, struct task_new *task)
{
	struct str text;
	if (!rule->description.n)
		return OK;
	if (is_pointer(rule->description) && pick_pointer(m->event->body, rule->description, &text) &&
	    str_eqz(text, "null"))
		return OK; /* an issue without a text has null there */
	enum err err = text_of(m, rule->description, "description", &text);
	if (!err)
		PUT(task, task_new, description, str_clip(text, DESCRIPTION_MAX));
	return err;
}

static enum err put_external(const struct making *m, const struct hook_rule *rule, struct task_new *task)
{
	struct str text;
	enum err err = rule->external_id.n ? text_of(m, rule->external_id, "external_id", &text) : OK;
	if (!err && rule->external_id.n)
		PUT(task, task_new, external_id, text);
	return err;
}

enum err mapping_task(const struct hook_rule *rule, const struct mapping_event *event, struct arena *a,
		      struct task_new *out, struct problem *p)
{
	struct making m = {.event = event, .arena = a, .p = p};
	struct task_new task = {0};
	PUT(&task, task_new, project, rule->project);
	PUT(&task, task_new, priority, rule->priority);
	enum err err = title_of(&m, rule, NAME_MAX_CHARACTERS, &task.title);
	PUT(&task, task_new, title, task.title);
	if (!err)
		err = put_description(&m, rule, &task);
	if (!err)
		err = put_external(&m, rule, &task);
	return err ? err : as_a_caller(&m, &type_task_new, &task, out);
}

enum err mapping_execution(const struct hook_rule *rule, const struct mapping_event *event, int64_t squad,
			   int64_t task, struct arena *a, struct execution_new *out, struct problem *p)
{
	struct making m = {.event = event, .arena = a, .p = p};
	struct execution_new made = {0};
	PUT(&made, execution_new, squad, squad);
	PUT(&made, execution_new, priority, rule->priority);
	if (task)
		PUT(&made, execution_new, task, task);
	if (rule->template.n)
		PUT(&made, execution_new, template, rule->template);
	if (rule->steps_count)
		PUT(&made, execution_new, steps, rule->steps);
	made.steps_count = rule->steps_count;
	enum err err = title_of(&m, rule, NAME_MAX_CHARACTERS, &made.name);
	PUT(&made, execution_new, name, made.name);
	if (!err)
		err = payload_of(&m, rule, &made.input);
	PUT(&made, execution_new, input, made.input);
	return err ? err : as_a_caller(&m, &type_execution_new, &made, out);
}

/* ---- signals and messages ---- */

enum err mapping_addressee(const struct hook_rule *rule, const struct mapping_event *event, struct arena *a,
			   int64_t *execution, struct str *external, struct problem *p)
{
	struct making m = {.event = event, .arena = a, .p = p};
	struct str text;
	*execution = 0;
	if (!rule->execution.n)
		return text_of(&m, rule->external_id, "external_id", external);
	enum err err = text_of(&m, rule->execution, "execution", &text);
	if (!err && !id_parse(text, "ex_", execution))
		return problem_field(p, ERR_INVALID, "execution", "'%.*s' is no id of an execution", STRF(text));
	return err;
}

enum err mapping_signal(const struct hook_rule *rule, const struct mapping_event *event, int64_t execution,
			struct arena *a, struct execution_signal_in *out, struct problem *p)
{
	struct making m = {.event = event, .arena = a, .p = p};
	struct execution_signal_in made = {0};
	PUT(&made, execution_signal_in, id, execution);
	enum err err = text_of(&m, rule->signal, "signal", &made.event);
	PUT(&made, execution_signal_in, event, made.event);
	if (!err)
		err = payload_of(&m, rule, &made.data);
	PUT(&made, execution_signal_in, data, made.data);
	return err ? err : as_a_caller(&m, &type_execution_signal_in, &made, out);
}

enum err mapping_message(const struct hook_rule *rule, const struct mapping_event *event, int64_t execution,
			 struct arena *a, struct message_new *out, struct problem *p)
{
	struct making m = {.event = event, .arena = a, .p = p};
	struct message_new made = {0};
	PUT(&made, message_new, id, execution);
	enum err err = text_of(&m, rule->message, "message", &made.text);
	PUT(&made, message_new, text, str_clip(made.text, MESSAGE_MAX));
	return err ? err : as_a_caller(&m, &type_message_new, &made, out);
}
