/* See mapping.h. */
#include "hooks/mapping.h"

#include "webhooks/condition.h"
#include "json/pick.h"

#include <stdio.h>

enum { FIELD_TEXT = 48, TITLE_MAX = 256 };

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

static enum err check_rule(const struct hook_rule *rule, size_t n, struct problem *p)
{
	char when[FIELD_TEXT];
	snprintf(when, sizeof when, "rules[%zu].when", n);
	enum err err = conditions_check(rule->when, rule->when_count, when, p);
	if (!err)
		err = check_text(rule->type, n, "type", p);
	if (!err)
		err = check_text(rule->team, n, "team", p);
	if (!err)
		err = check_text(rule->key, n, "key", p);
	if (!err)
		err = check_text(rule->title, n, "title", p);
	return err ? err : check_payload(rule, n, p);
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

static enum err put_payload(const struct making *m, const struct hook_rule *rule, struct work_new *item)
{
	struct str payload;
	if (!pick_pointer(m->event->body, rule->payload, &payload))
		return problem_field(m->p, ERR_INVALID, "payload", "the event has nothing at %.*s",
				     STRF(rule->payload));
	PUT(item, work_new, payload, payload);
	return OK;
}

static enum err put_title(const struct making *m, const struct hook_rule *rule, struct work_new *item)
{
	const struct mapping_event *e = m->event;
	struct str title = arena_fmt(m->arena, "%.*s from %.*s", STRF(e->name), STRF(e->hook));
	enum err err = rule->title.n ? text_of(m, rule->title, "title", &title) : OK;
	PUT(item, work_new, title, str_clip(title, TITLE_MAX));
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

/* Written and read again, it is held to what is asked of any item. */
static enum err as_a_caller(const struct making *m, const struct work_new *item, struct work_new *out)
{
	struct buf b = BUF_INIT(0);
	json_encode(&type_work_new, item, 0, &b);
	struct str text = arena_str(m->arena, buf_str(&b));
	buf_free(&b);
	return text.n ? json_decode(&type_work_new, text, 0, m->arena, out, m->p) : ERR_TOO_LARGE;
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
	return err ? err : as_a_caller(&m, &item, out);
}
