/* Whom a question goes to; see routing.h. The rules themselves are in routing_rule.c. */
#include "squads/routing.h"

#include "base/id.h"
#include "base/vec.h"
#include "flow/flow.h"

#include <stdlib.h>

/* ---- matching ---- */

/* Of a word; other alphabets stand above ASCII. */
static bool is_letter(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u == '_';
}

static bool stands_alone(struct str text, size_t at, size_t n)
{
	return (at == 0 || !is_letter(text.p[at - 1])) && (at + n == text.n || !is_letter(text.p[at + n]));
}

bool routing_has_word(struct str text, struct str word)
{
	for (size_t i = 0; word.n > 0 && i + word.n <= text.n; i++)
		if (str_eq_nocase((struct str){text.p + i, word.n}, word) && stands_alone(text, i, word.n))
			return true;
	return false;
}

static bool has_one_of(struct str text, struct str lines)
{
	while (lines.n > 0)
		if (routing_has_word(text, str_cut(lines, '\n', &lines)))
			return true;
	return false;
}

bool routing_matches(const struct routing_rule_row *rule, struct str text, int from_role, const char **why)
{
	*why = NULL;
	if (!rule->active)
		*why = "it is not active";
	else if (rule->from_role >= 0 && rule->from_role != from_role)
		*why = "it is for what somebody in another role asks";
	else if (rule->keywords.n > 0 && !has_one_of(text, rule->keywords))
		*why = "none of its words stands in the question";
	return *why == NULL;
}

/* ---- deciding ---- */

struct member {
	int64_t id, role;
};

struct decision {
	struct call *c;
	const struct routing_asked *asked;
	struct squad_route *out;
	int from_role;
	VEC(struct routing_rule_row) rules; /* in their order, but for the kind */
	VEC(struct member) members;         /* active ones */
};

static enum err take_rule(void *ctx, const void *found)
{
	struct decision *d = ctx;
	struct routing_rule_row *row = VEC_PUSH(&d->rules);

	*row = *(const struct routing_rule_row *)found;
	row->kind = arena_str(d->c->arena, row->kind);
	row->keywords = arena_str(d->c->arena, row->keywords);
	row->goes_to = arena_str(d->c->arena, row->goes_to);
	return OK;
}

static enum err take_member(void *ctx, const void *found)
{
	struct decision *d = ctx;
	const struct squad_member_active_all_out *row = found;

	*VEC_PUSH(&d->members) = (struct member){row->id, row->role};
	if (row->id == d->asked->asker)
		d->from_role = (int)row->role;
	return OK;
}

static enum err read_all(struct decision *d)
{
	struct routing_rule_of_in of_squad = {d->c->caller.tenant, d->asked->squad};
	struct routing_rule_of_in of_tenant = {d->c->caller.tenant, 0};
	enum err err = q_squad_member_active_all(d->c->db, &(struct id_row){d->asked->squad}, take_member, d);

	if (!err)
		err = q_routing_rule_of(d->c->db, &of_squad, take_rule, d);
	return err ? err : q_routing_rule_of(d->c->db, &of_tenant, take_rule, d);
}

static void note(struct decision *d, const struct routing_rule_row *rule, bool matched, struct str why)
{
	struct squad_route_rule *to = &d->out->looked_at[d->out->looked_at_count++];

	*to = (struct squad_route_rule){.matched = matched, .why = why};
	if (rule)
		PUT(to, squad_route_rule, rule, rule->id);
	if (rule && rule->squad)
		PUT(to, squad_route_rule, squad, rule->squad);
}

static struct str why_it_counts(struct decision *d, const struct routing_rule_row *rule)
{
	return arena_fmt(d->c->arena, "the first %s rule for the kind %.*s that matches",
			 rule->squad ? "squad's" : "tenant's", STRF(rule->kind));
}

static const struct routing_rule_row *first_of_kind(struct decision *d, struct str kind)
{
	for (size_t i = 0; i < d->rules.n; i++) {
		const struct routing_rule_row *rule = &d->rules.v[i];
		const char *why;

		if (!str_eq(rule->kind, kind))
			continue;
		if (routing_matches(rule, d->asked->text, d->from_role, &why)) {
			note(d, rule, true, why_it_counts(d, rule));
			return rule;
		}
		note(d, rule, false, str_of(why));
	}
	return NULL;
}

static void note_other_kinds(struct decision *d)
{
	for (size_t i = 0; i < d->rules.n; i++) {
		struct str kind = d->rules.v[i].kind;

		if (!str_eq(kind, d->asked->kind) && !str_eqz(kind, ROUTING_DEFAULT))
			note(d, &d->rules.v[i], false,
			     arena_fmt(d->c->arena, "it is for questions of the kind %.*s", STRF(kind)));
	}
}

static const struct routing_rule_row *find_rule(struct decision *d)
{
	const struct routing_rule_row *rule;

	note_other_kinds(d);
	rule = first_of_kind(d, d->asked->kind);
	if (!rule && !str_eqz(d->asked->kind, ROUTING_DEFAULT))
		rule = first_of_kind(d, STR(ROUTING_DEFAULT));
	return rule;
}

/* ---- the built-in ones ---- */

#define LINES(text)                       \
	{                                 \
		"" text, sizeof(text) - 1 \
	}

/* Who leads decides; questions of architecture go to who designs first. */
static const struct routing_rule_row *built_in(struct str kind)
{
	static const struct routing_rule_row architecture = {
		.goes_to = LINES("solution_architect\ntech_lead\nproject_manager\nai_ml_project_manager")};
	static const struct routing_rule_row others = {
		.goes_to = LINES("tech_lead\nsolution_architect\nproject_manager\nai_ml_project_manager")};

	return str_eqz(kind, "architecture") ? &architecture : &others;
}

/* ---- its levels ---- */

static void skip(struct decision *d, struct str who, const char *why)
{
	d->out->skipped[d->out->skipped_count++] = arena_fmt(d->c->arena, "%.*s: %s", STRF(who), why);
}

static bool is_asked_already(const struct squad_route *route, int64_t member)
{
	for (size_t i = 0; i < route->levels_count; i++)
		if (route->levels[i].member == member)
			return true;
	return false;
}

static void add_level(struct squad_route *route, const struct member *m)
{
	struct question_level *to = &route->levels[route->levels_count];

	*to = (struct question_level){.level = (int64_t)route->levels_count};
	if (m)
		PUT(to, question_level, role, (int)m->role);
	if (m)
		PUT(to, question_level, member, m->id);
	route->levels_count++;
}

static bool is_meant(const struct member *m, struct str word)
{
	int64_t id;

	return id_parse(word, "sm_", &id) ? m->id == id : str_eqz(word, enum_member_role.values[m->role].text);
}

static void add_word(struct decision *d, struct str word)
{
	const char *why = "nobody who is active is that";

	for (size_t i = 0; i < d->members.n; i++) {
		const struct member *m = &d->members.v[i];

		if (!is_meant(m, word))
			continue;
		if (m->id != d->asked->asker && !is_asked_already(d->out, m->id)) {
			add_level(d->out, m);
			return;
		}
		why = m->id == d->asked->asker ? "who asks is not asked" : "is asked already";
	}
	skip(d, word, why);
}

static void add_levels(struct decision *d, const struct routing_rule_row *rule)
{
	struct str rest = rule->goes_to;

	while (rest.n > 0)
		add_word(d, str_cut(rest, '\n', &rest));
	if (rule->on_silence == SILENCE_PERSON)
		add_level(d->out, NULL);
}

static enum err make_room(struct decision *d)
{
	struct arena *a = d->c->arena;

	d->out->levels = ARENA_ARRAY(a, struct question_level, FLOW_LEVELS_MAX);
	d->out->skipped = ARENA_ARRAY(a, struct str, FLOW_LEVELS_MAX);
	d->out->looked_at = ARENA_ARRAY(a, struct squad_route_rule, d->rules.n + 1);
	return d->out->levels && d->out->skipped && d->out->looked_at ? OK : ERR_INTERNAL;
}

static void decide(struct decision *d)
{
	const struct routing_rule_row *rule = find_rule(d);

	if (rule) {
		PUT(d->out, squad_route, rule, rule->id);
	} else {
		rule = built_in(d->asked->kind);
		note(d, NULL, true, STR("no rule matches, so the built-in one counts"));
	}
	d->out->why = d->out->looked_at[d->out->looked_at_count - 1].why;
	d->out->on_silence = (int)rule->on_silence;
	add_levels(d, rule);
}

enum err routing_decide(struct call *c, const struct routing_asked *asked, struct squad_route *out)
{
	struct decision d = {.c = c, .asked = asked, .out = out, .from_role = asked->from_role};
	enum err err = read_all(&d);

	*out = (struct squad_route){0};
	if (!err)
		err = make_room(&d);
	if (!err)
		decide(&d);
	VEC_FREE(&d.rules);
	VEC_FREE(&d.members);
	return err;
}
