/* Hooks themselves; see hook.h. What comes in is in arrival.c. */
#include "hooks/hook.h"

#include "base/id.h"
#include "directory/handle.h"
#include "hooks/mapping.h"
#include "squads/template.h"
#include "store/page.h"
#include "webhooks/sign.h"

#include <stdio.h>

/* ---- reading ---- */

enum err hook_find(struct db *db, struct str ref, struct arena *a, struct hook_row *out)
{
	struct hook_get_in in = {.name = STR("")};
	if (!id_parse(ref, "hk_", &in.id))
		in.name = ref;
	return q_hook_get(db, &in, a, out);
}

enum err hook_read(struct call *c, struct str ref, struct hook_row *out)
{
	enum err err = hook_find(c->db, ref, c->arena, out);
	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such hook here");
	return err;
}

enum err hook_show(const struct hook_row *row, int64_t now_ms, struct arena *a, struct hook *out)
{
	struct hook_rules rules;
	*out = (struct hook){.id = row->id,
			     .name = row->name,
			     .kind = (int)row->kind,
			     .state = (int)row->state,
			     .path = arena_fmt(a, "/v1/hooks/%.*s", STRF(row->name)),
			     .has_secret = row->secret.p != NULL,
			     .tolerance_ms = row->tolerance_ms,
			     .version = row->version,
			     .created_at = row->created_ms,
			     .updated_at = row->updated_ms};
	if (row->old_secret.p && row->old_until_ms > now_ms)
		PUT(out, hook, old_secret_until, row->old_until_ms);
	enum err err = json_decode(&type_hook_rules, row->rules, 0, a, &rules, NULL);
	if (err)
		return err;
	out->rules = rules.rules;
	out->rules_count = rules.rules_count;
	if (!row->headers.p)
		return OK;
	out->seen |= BIT(hook, headers);
	return json_decode(&type_hook_headers, row->headers, 0, a, &out->headers, NULL);
}

/* ---- what rules refer to ---- */

static enum err no_such(struct call *c, size_t rule, const char *member, const char *what)
{
	char field[48];
	snprintf(field, sizeof field, "rules[%zu].%s", rule, member);
	return problem_field(&c->problem, ERR_INVALID, field, "there is no such %s here", what);
}

static enum err check_project(struct call *c, int64_t id, size_t rule)
{
	struct project_row project;
	enum err err = id ? q_project_get(c->db, &(struct id_row){id}, c->arena, &project) : OK;
	if (err == ERR_NOT_FOUND || (!err && id && project.tenant != c->caller.tenant))
		return no_such(c, rule, "project", "project");
	return err;
}

static enum err check_squad(struct call *c, int64_t id, size_t rule)
{
	struct squad_row squad;
	enum err err = id ? q_squad_get(c->db, &(struct id_row){id}, c->arena, &squad) : OK;
	if (err == ERR_NOT_FOUND || (!err && id && squad.tenant != c->caller.tenant))
		return no_such(c, rule, "squad", "squad");
	return err;
}

static enum err check_references(struct call *c, const struct hook_rule *rules, size_t count)
{
	struct squad_template found;
	enum err err = OK;
	for (size_t i = 0; i < count && !err; i++) {
		err = check_project(c, rules[i].project, i);
		if (!err)
			err = check_squad(c, rules[i].squad, i);
		if (!err && rules[i].template.n && template_find(rules[i].template, c->arena, &found, NULL))
			err = no_such(c, i, "template", "template");
	}
	return err;
}

/* ---- writing ---- */

static enum err encoded(const struct json_type *t, const void *value, struct arena *a, struct str *out)
{
	struct buf b = BUF_INIT(0);
	json_encode(t, value, 0, &b);
	*out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return out->n ? OK : ERR_TOO_LARGE;
}

static enum err put_rules(struct call *c, struct hook_rule *rules, size_t count, struct hook_row *row)
{
	struct hook_rules kept = {.rules = rules, .rules_count = count};
	enum err err = mapping_check(rules, count, &c->problem);
	if (!err)
		err = check_references(c, rules, count);
	return err ? err : encoded(&type_hook_rules, &kept, c->arena, &row->rules);
}

static enum err put_headers(struct call *c, bool given, const struct hook_headers *headers, struct hook_row *row)
{
	struct hook_headers plain = {.signature = STR("X-Signature")};
	if (given && row->kind != HOOK_GENERIC)
		return problem_field(&c->problem, ERR_INVALID, "headers", "are of hooks of kind generic only");
	if (row->kind != HOOK_GENERIC)
		return OK;
	return encoded(&type_hook_headers, given ? headers : &plain, c->arena, &row->headers);
}

static enum err check_secret(struct call *c, int64_t kind, struct str secret)
{
	struct sign_secret unused;
	if (kind != HOOK_STANDARD || sign_secret_read(secret, &unused))
		return OK;
	return problem_field(&c->problem, ERR_INVALID, "secret",
			     "of kind standard must be whsec_ and the base64 of 24 to 64 bytes");
}

static enum err check_new(struct call *c, const struct hook_new *in)
{
	struct hook_count_out out;
	if (!slug_is_good(in->name))
		return problem_field(&c->problem, ERR_INVALID, "name",
				     "must be 2 to 64 of a to z, 0 to 9 and '-', with '-' at neither end");
	if (HAS(in, hook_new, secret) && check_secret(c, in->kind, in->secret))
		return ERR_INVALID;
	enum err err = q_hook_count(c->db, &(struct hook_count_in){c->caller.tenant}, c->arena, &out);
	if (!err && out.count >= HOOKS_PER_TENANT)
		return call_fail(c, ERR_CONFLICT, "a tenant has at most %d hooks", HOOKS_PER_TENANT);
	return err;
}

enum err hook_add(struct call *c, int64_t id, const struct hook_new *in, struct hook_row *out)
{
	struct hook_insert_out inserted;
	*out = (struct hook_row){.id = id,
				 .tenant = c->caller.tenant,
				 .name = in->name,
				 .kind = in->kind,
				 .state = HOOK_ENABLED,
				 .secret = in->secret,
				 .tolerance_ms = in->tolerance_ms,
				 .version = 1,
				 .created_ms = c->now_ms,
				 .updated_ms = c->now_ms};
	enum err err = check_new(c, in);
	if (!err)
		err = put_rules(c, in->rules, in->rules_count, out);
	if (!err)
		err = put_headers(c, HAS(in, hook_new, headers), &in->headers, out);
	if (!err)
		err = q_hook_insert(c->db, out, c->arena, &inserted);
	if (err == ERR_NOT_FOUND)
		return problem_field(&c->problem, ERR_ALREADY_EXISTS, "name", "is taken by another hook");
	return err;
}

/* ERR_STORE_BUSY: somebody was faster, the call is run again. */
static enum err write_change(struct call *c, struct hook_row *row)
{
	row->version++;
	row->updated_ms = c->now_ms;
	struct hook_update_in in = {.id = row->id,
				    .state = row->state,
				    .secret = row->secret,
				    .old_secret = row->old_secret,
				    .old_until_ms = row->old_until_ms,
				    .rules = row->rules,
				    .headers = row->headers,
				    .tolerance_ms = row->tolerance_ms,
				    .version = row->version,
				    .updated_ms = row->updated_ms};
	struct hook_update_out out;
	enum err err = q_hook_update(c->db, &in, c->arena, &out);
	return err == ERR_NOT_FOUND ? ERR_STORE_BUSY : err;
}

enum err hook_change(struct call *c, const struct hook_patch *in, struct hook_row *row)
{
	enum err err = OK;
	if (HAS(in, hook_patch, state))
		row->state = in->state;
	if (HAS(in, hook_patch, tolerance_ms))
		row->tolerance_ms = in->tolerance_ms;
	if (HAS(in, hook_patch, rules))
		err = put_rules(c, in->rules, in->rules_count, row);
	if (!err && HAS(in, hook_patch, headers))
		err = put_headers(c, true, &in->headers, row);
	return err ? err : write_change(c, row);
}

enum err hook_renew(struct call *c, const struct hook_secret_in *in, struct hook_row *row, struct str *made)
{
	bool given = HAS(in, hook_secret_in, secret), overlaps = row->secret.p && in->overlap_ms;
	enum err err = given ? check_secret(c, row->kind, in->secret) : OK;
	if (err)
		return err;
	*made = given ? (struct str){0} : sign_secret_new(c->arena);
	row->old_secret = overlaps ? row->secret : (struct str){0};
	row->old_until_ms = overlaps ? c->now_ms + in->overlap_ms : 0;
	row->secret = given ? in->secret : *made;
	return write_change(c, row);
}

/* ---- lists ---- */

struct listing {
	struct call *c;
	struct hook_list_out *out;
	enum err err; /* of showing one */
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	return q_hook_page(l->c->db, &(struct hook_page_in){l->c->caller.tenant, below, visit}, each, each_ctx);
}

static bool keep(void *ctx, const void *row)
{
	struct listing *l = ctx;
	struct arena *a = l->c->arena;
	struct hook_row r = *(const struct hook_row *)row;
	r.name = arena_str(a, r.name);
	r.rules = arena_str(a, r.rules);
	r.headers = arena_kept(a, r.headers);
	enum err err = hook_show(&r, l->c->now_ms, a, &l->out->items[l->out->items_count++]);
	l->err = l->err ? l->err : err;
	return true;
}

enum err hook_list(struct call *c, const struct hook_list_in *in, struct hook_list_out *out)
{
	struct listing l = {.c = c, .out = out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct hook, PAGE_ROOM(in));
	enum err err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, hook_list_in), c->arena,
				 &c->problem, &end);
	if (!err)
		PAGE_PUT(out, hook_list_out, end);
	return err ? err : l.err;
}
