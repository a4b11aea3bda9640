/* The rules of routing as they are given, kept and listed; see routing.h. Lists of words are kept as lines. */
#include "squads/routing.h"

#include "base/id.h"
#include "flow/flow.h"
#include "squads/squad.h"
#include "store/page.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- lists of words ---- */

static struct str lines_of(struct arena *a, const struct str *words, size_t count)
{
	struct buf b = BUF_INIT(0);
	struct str lines;

	for (size_t i = 0; i < count; i++) {
		buf_z(&b, i ? "\n" : "");
		buf_str_add(&b, words[i]);
	}
	lines = arena_str(a, buf_str(&b));
	buf_free(&b);
	return lines.n ? lines : STR("");
}

static size_t words_of(struct arena *a, struct str lines, size_t most, struct str **out)
{
	size_t count = 0;

	*out = ARENA_ARRAY(a, struct str, most);
	while (*out && lines.n > 0 && count < most)
		(*out)[count++] = arena_str(a, str_cut(lines, '\n', &lines));
	return count;
}

/* ---- showing ---- */

static void show(struct arena *a, const struct routing_rule_row *row, struct routing_rule *out)
{
	*out = (struct routing_rule){.id = row->id,
				     .kind = row->kind,
				     .on_silence = (int)row->on_silence,
				     .priority = row->priority,
				     .active = row->active,
				     .version = row->version,
				     .created_at = row->created_ms,
				     .updated_at = row->updated_ms};
	out->keywords_count =
		words_of(a, row->keywords, (size_t)type_routing_rule.fields[routing_rule__keywords].max_count,
			 &out->keywords);
	out->to_count = words_of(a, row->goes_to, FLOW_LEVELS_MAX, &out->to);
	if (row->squad)
		PUT(out, routing_rule, squad, row->squad);
	if (row->from_role >= 0)
		PUT(out, routing_rule, from_role, (int)row->from_role);
}

static void answer(struct call *c, const struct routing_rule_row *row, struct routing_rule *out)
{
	show(c->arena, row, out);
	c->etag = arena_fmt(c->arena, "%" PRId64, row->version);
}

/* ---- checking ---- */

static enum err fault(struct call *c, const char *list, size_t i, struct str word, const char *what)
{
	char field[32];

	snprintf(field, sizeof(field), "%s[%zu]", list, i);
	return problem_field(&c->problem, ERR_INVALID, field, "'%.*s' %s", STRF(word), what);
}

static bool is_slug(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_' ||
		      s.p[i] == '-'))
			return false;
	return s.n > 0;
}

static enum err check_kind(struct call *c, struct str kind)
{
	if (is_slug(kind))
		return OK;
	return problem_field(&c->problem, ERR_INVALID, "kind", "must be of a to z, 0 to 9, '_' and '-'");
}

static enum err check_keywords(struct call *c, const struct str *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < words[i].n; k++)
			if ((unsigned char)words[i].p[k] < ' ')
				return fault(c, "keywords", i, words[i], "must be of one line");
	return OK;
}

static int plain_role(int role)
{
	return role == MEMBER_QA_TESTER ? MEMBER_TESTER : role;
}

/* -1: it is none. */
static int role_called(struct str word)
{
	for (int i = 0; i < enum_member_role.count; i++)
		if (str_eqz(word, enum_member_role.values[i].text))
			return plain_role(i);
	return -1;
}

static enum err check_member(struct call *c, const struct routing_rule_row *row, const struct str *words, size_t i,
			     int64_t id)
{
	struct squad_member_row member;
	enum err err;

	if (!row->squad)
		return fault(c, "to", i, words[i], "names a member; only a rule for a squad can");
	err = q_squad_member_get(c->db, &(struct id_row){id}, c->arena, &member);
	if (err == ERR_NOT_FOUND || (!err && member.squad != row->squad))
		return fault(c, "to", i, words[i], "is no member of the squad");
	return err;
}

/* Asked in circles, a question would never get anywhere. */
static enum err check_circle(struct call *c, const struct routing_rule_row *row, const struct str *words, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(words[k], words[i]))
			return fault(c, "to", i, words[i],
				     "stands there twice: a question would come back to who did not answer");
	if (row->from_role >= 0 && role_called(words[i]) == row->from_role)
		return fault(c, "to", i, words[i], "is the role that asks: a question would come back to it");
	return OK;
}

static enum err check_word(struct call *c, const struct routing_rule_row *row, struct str *words, size_t i)
{
	int role = role_called(words[i]);
	enum err err = OK;
	int64_t id;

	if (role >= 0)
		words[i] = str_of(enum_member_role.values[role].text);
	else if (id_parse(words[i], "sm_", &id))
		err = check_member(c, row, words, i, id);
	else
		err = fault(c, "to", i, words[i],
			    "is neither a role ('tenfold member add --help' lists them) nor an sm_ id");
	return err ? err : check_circle(c, row, words, i);
}

static enum err take_to(struct call *c, const struct str *to, size_t count, struct routing_rule_row *row)
{
	struct str *words = ARENA_ARRAY(c->arena, struct str, count);
	enum err err = words ? OK : ERR_INTERNAL;

	if (count == 0)
		return problem_field(&c->problem, ERR_INVALID, "to", "must name at least one role or member");
	for (size_t i = 0; i < count && !err; i++) {
		words[i] = to[i];
		err = check_word(c, row, words, i);
	}
	if (!err)
		row->goes_to = lines_of(c->arena, words, count);
	return err;
}

/* ---- new ones ---- */

static enum err find_squad(struct call *c, int64_t id)
{
	struct squad_row squad;
	enum err err = squad_read_named(c, "squad", id, &squad);
	return err ? err : squad_check_open(c, &squad);
}

static enum err check_room(struct call *c, int64_t squad)
{
	struct routing_hold_out held;
	struct routing_rule_count_out there;
	enum err err = q_routing_hold(c->db, &(struct id_row){c->caller.tenant}, c->arena, &held);

	if (!err)
		err = q_routing_rule_count(c->db, &(struct routing_rule_count_in){c->caller.tenant, squad},
					   c->arena, &there);
	if (!err && there.count >= ROUTING_RULES_MAX)
		return call_fail(c, ERR_CONFLICT, "there are %d rules for %s; remove one first", ROUTING_RULES_MAX,
				 squad ? "the squad" : "the tenant");
	return err;
}

enum err routing_rule_add(struct call *c, int64_t id, const struct routing_rule_new *in, struct routing_rule *out)
{
	struct routing_rule_row row = {.id = id,
				       .tenant = c->caller.tenant,
				       .squad = HAS(in, routing_rule_new, squad) ? in->squad : 0,
				       .kind = in->kind,
				       .from_role = HAS(in, routing_rule_new, from_role) ? plain_role(in->from_role)
											 : -1,
				       .keywords = lines_of(c->arena, in->keywords, in->keywords_count),
				       .on_silence = in->on_silence,
				       .priority = in->priority,
				       .active = in->active,
				       .version = 1,
				       .created_ms = c->now_ms,
				       .updated_ms = c->now_ms};
	enum err err = check_kind(c, in->kind);

	if (!err && row.squad)
		err = find_squad(c, row.squad);
	if (!err)
		err = check_keywords(c, in->keywords, in->keywords_count);
	if (!err)
		err = take_to(c, in->to, in->to_count, &row);
	if (!err)
		err = check_room(c, row.squad);
	if (!err)
		err = q_routing_rule_insert(c->db, &row, 1);
	if (!err)
		answer(c, &row, out);
	return err;
}

/* ---- one that is there ---- */

static enum err read_row(struct call *c, int64_t id, struct routing_rule_row *out)
{
	enum err err = q_routing_rule_get(c->db, &(struct id_row){id}, c->arena, out);

	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such rule here");
	return err;
}

enum err routing_rule_show(struct call *c, int64_t id, struct routing_rule *out)
{
	struct routing_rule_row row;
	enum err err = read_row(c, id, &row);

	if (!err)
		answer(c, &row, out);
	return err;
}

/* Read again, because somebody may have changed it before the rules were ours. */
static enum err hold(struct call *c, int64_t id, struct routing_rule_row *out)
{
	struct routing_hold_out held;
	enum err err = read_row(c, id, out);

	if (!err)
		err = q_routing_hold(c->db, &(struct id_row){c->caller.tenant}, c->arena, &held);
	if (!err)
		err = read_row(c, id, out);
	if (!err && out->squad)
		err = find_squad(c, out->squad);
	return err ? err : call_if_match(c, out->version);
}

static void patch_plain(const struct routing_rule_patch *in, struct routing_rule_row *row)
{
	if (HAS(in, routing_rule_patch, kind))
		row->kind = in->kind;
	if (HAS(in, routing_rule_patch, from_role))
		row->from_role = plain_role(in->from_role);
	if (IS_NULL(in, routing_rule_patch, from_role))
		row->from_role = -1;
	if (HAS(in, routing_rule_patch, on_silence))
		row->on_silence = in->on_silence;
	if (HAS(in, routing_rule_patch, priority))
		row->priority = in->priority;
	if (HAS(in, routing_rule_patch, active))
		row->active = in->active;
}

/* Who is asked is looked at also when only who asks was given: the two may not go together. */
static enum err patch_to(struct call *c, const struct routing_rule_patch *in, struct routing_rule_row *row)
{
	struct str *words;
	size_t count;

	if (HAS(in, routing_rule_patch, to))
		return take_to(c, in->to, in->to_count, row);
	if (!HAS(in, routing_rule_patch, from_role))
		return OK;
	count = words_of(c->arena, row->goes_to, FLOW_LEVELS_MAX, &words);
	return take_to(c, words, count, row);
}

static enum err patch(struct call *c, const struct routing_rule_patch *in, struct routing_rule_row *row)
{
	enum err err;

	patch_plain(in, row);
	err = check_kind(c, row->kind);
	if (!err && HAS(in, routing_rule_patch, keywords))
		err = check_keywords(c, in->keywords, in->keywords_count);
	if (!err && HAS(in, routing_rule_patch, keywords))
		row->keywords = lines_of(c->arena, in->keywords, in->keywords_count);
	return err ? err : patch_to(c, in, row);
}

enum err routing_rule_change(struct call *c, const struct routing_rule_patch *in, struct routing_rule *out)
{
	struct routing_rule_row row;
	enum err err = hold(c, in->id, &row);

	if (!err)
		err = patch(c, in, &row);
	if (err)
		return err;
	row.version++;
	row.updated_ms = c->now_ms;
	answer(c, &row, out);
	struct routing_rule_update_in now = {.id = row.id,
					     .kind = row.kind,
					     .from_role = row.from_role,
					     .keywords = row.keywords,
					     .goes_to = row.goes_to,
					     .on_silence = row.on_silence,
					     .priority = row.priority,
					     .active = row.active,
					     .version = row.version,
					     .updated_ms = row.updated_ms};
	return q_routing_rule_update(c->db, &now, 1);
}

enum err routing_rule_remove(struct call *c, int64_t id)
{
	struct routing_rule_row row;
	enum err err = hold(c, id, &row);

	return err ? err : q_routing_rule_delete(c->db, &(struct id_row){id}, 1);
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	const struct routing_rule_list_in *in;
	struct routing_rule *items;
	size_t count;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	struct routing_rule_page_in in = {l->c->caller.tenant, below, visit};

	return q_routing_rule_page(l->c->db, &in, each, each_ctx);
}

static bool keep(void *ctx, const void *found)
{
	struct listing *l = ctx;
	struct routing_rule_row row = *(const struct routing_rule_row *)found;

	if (HAS(l->in, routing_rule_list_in, squad) && row.squad != l->in->squad)
		return false;
	row.kind = arena_str(l->c->arena, row.kind);
	show(l->c->arena, &row, &l->items[l->count++]);
	return true;
}

enum err routing_rule_list(struct call *c, const struct routing_rule_list_in *in, struct routing_rule_list_out *out)
{
	struct listing l = {.c = c, .in = in, .items = ARENA_ARRAY(c->arena, struct routing_rule, PAGE_ROOM(in))};
	struct page_source source = {read_page, keep, &l};
	struct page_end end;
	enum err err = page_take(&source, PAGE_WANT(in, routing_rule_list_in), c->arena, &c->problem, &end);

	if (err)
		return err;
	out->items = l.items;
	PAGE_PUT(out, routing_rule_list_out, end);
	return OK;
}
