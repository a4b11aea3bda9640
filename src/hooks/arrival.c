/* What comes in at a hook; see hook.h. */
#include "hooks/hook.h"

#include "directory/changes.h"
#include "hooks/verify.h"
#include "store/page.h"

enum { PERIOD_MS = 15000, LATE_MS = 5000, CLEARED_AT_ONCE = 500 };

static const int64_t KEPT_MS = INT64_C(14) * 86400000;

/* ---- verifying ---- */

static enum err check_open(struct call *c, const struct hook_row *hook)
{
	if (hook->state == HOOK_DISABLED)
		return call_fail(c, ERR_FORBIDDEN, "the hook %.*s is disabled", STRF(hook->name));
	if (!hook->secret.p)
		return call_fail(
			c, ERR_FORBIDDEN,
			"the hook %.*s has no secret yet, so it takes nothing; 'tenfold hook secret' gives it "
			"one",
			STRF(hook->name));
	return OK;
}

static void put_secrets(const struct hook_row *hook, int64_t now_ms, struct verify_hook *out)
{
	out->secrets[out->secret_count++] = hook->secret;
	if (hook->old_secret.p && hook->old_until_ms > now_ms)
		out->secrets[out->secret_count++] = hook->old_secret;
}

/* GitHub sends forms unless it is told otherwise. */
static enum err check_json(struct call *c)
{
	if (str_starts(c->body, STR("payload=")))
		return problem_set(&c->problem, ERR_MALFORMED,
				   "the body is a form: where the events are sent from, choose the content type "
				   "application/json");
	return json_check(c->body, &c->problem);
}

enum err hook_verify(struct call *c, const struct hook_row *hook,
		     struct str (*header)(const void *ctx, struct str name), struct hook_arrival *out)
{
	struct hook_headers headers = {0};
	struct verify_hook expected = {
		.kind = (enum hook_kind)hook->kind, .headers = &headers, .tolerance_ms = hook->tolerance_ms};
	struct verify_request request = {.body = c->body, .header = header, .ctx = c};
	struct verify_result result;
	enum err err = check_open(c, hook);
	if (err)
		return err;
	put_secrets(hook, c->now_ms, &expected);
	if (hook->headers.p)
		err = json_decode(&type_hook_headers, hook->headers, 0, c->arena, &headers, NULL);
	if (!err)
		err = verify_request(&expected, &request, c->now_ms, c->arena, &result, &c->problem);
	if (!err)
		err = check_json(c);
	if (err)
		return err;
	*out = (struct hook_arrival){hook->id, hook->tenant, result.delivery, result.event, result.digest};
	return OK;
}

/* ---- storing ---- */

enum err hook_store(struct call *c, int64_t id, const struct hook_arrival *arrival, struct hook_received *out)
{
	struct hook_arrival_row row = {.id = id,
				       .tenant = arrival->tenant,
				       .hook = arrival->hook,
				       .delivery = arrival->delivery,
				       .digest = arrival->digest,
				       .event = arrival->event,
				       .body = c->body,
				       .received_ms = c->now_ms};
	struct hook_delivery_insert_out inserted;
	struct hook_delivery_same_in same = {arrival->hook, arrival->delivery, arrival->digest};
	struct hook_delivery_same_out found;
	enum err err = q_hook_delivery_insert(c->db, &row, c->arena, &inserted);
	*out = (struct hook_received){.id = id, .duplicate = err == ERR_NOT_FOUND};
	if (!out->duplicate)
		return err;
	err = q_hook_delivery_same(c->db, &same, c->arena, &found);
	out->id = found.id;
	return err == ERR_NOT_FOUND ? ERR_STORE_BUSY : err; /* cleared away just now: run again */
}

/* ---- looking ---- */

enum err hook_delivery_read(struct call *c, int64_t id, struct hook_delivery_row *out)
{
	enum err err = q_hook_delivery_get(c->db, &(struct id_row){id}, c->arena, out);
	if (err == ERR_NOT_FOUND || (!err && out->tenant != c->caller.tenant))
		return call_fail(c, ERR_NOT_FOUND, "there is no such delivery here");
	return err;
}

void hook_delivery_show(const struct hook_delivery_row *row, bool whole, struct hook_delivery *out)
{
	*out = (struct hook_delivery){.id = row->id,
				      .hook = row->hook,
				      .delivery = row->delivery,
				      .event = row->event,
				      .state = (int)row->state,
				      .received_at = row->received_ms};
	if (row->work)
		PUT(out, hook_delivery, work, row->work);
	if (row->task)
		PUT(out, hook_delivery, task, row->task);
	if (row->execution)
		PUT(out, hook_delivery, execution, row->execution);
	if (row->detail.p)
		PUT(out, hook_delivery, detail, row->detail);
	if (row->processed_ms)
		PUT(out, hook_delivery, processed_at, row->processed_ms);
	if (whole)
		PUT(out, hook_delivery, body, row->body);
}

struct listing {
	struct call *c;
	const struct hook_deliveries_in *in;
	struct hook_deliveries_out *out;
	int64_t hook;
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	return q_hook_delivery_page(l->c->db, &(struct hook_delivery_page_in){l->hook, below, visit}, each,
				    each_ctx);
}

static bool keep(void *ctx, const void *row)
{
	struct listing *l = ctx;
	struct arena *a = l->c->arena;
	struct hook_delivery_row r = *(const struct hook_delivery_row *)row;
	if (HAS(l->in, hook_deliveries_in, state) && l->in->state != (int)r.state)
		return false;
	r.delivery = arena_str(a, r.delivery);
	r.event = arena_str(a, r.event);
	r.detail = arena_kept(a, r.detail);
	hook_delivery_show(&r, false, &l->out->items[l->out->items_count++]);
	return true;
}

enum err hook_delivery_list(struct call *c, const struct hook_deliveries_in *in, struct hook_deliveries_out *out)
{
	struct listing l = {.c = c, .in = in, .out = out};
	struct hook_row hook;
	struct page_end end;
	enum err err = hook_read(c, in->id, &hook);
	if (err)
		return err;
	l.hook = hook.id;
	out->items = ARENA_ARRAY(c->arena, struct hook_delivery, PAGE_ROOM(in));
	err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, hook_deliveries_in), c->arena,
			&c->problem, &end);
	if (!err)
		PAGE_PUT(out, hook_deliveries_out, end);
	return err;
}

enum err hook_delivery_again(struct call *c, struct hook_delivery_row *row)
{
	struct hook_delivery_done_in waiting = {.id = row->id, .state = HOOK_DELIVERY_WAITING, .task = row->task};
	row->state = HOOK_DELIVERY_WAITING;
	row->work = row->execution = row->processed_ms = 0;
	row->detail = (struct str){0};
	return q_hook_delivery_done(c->db, &waiting, 1);
}

/* ---- upkeep ---- */

struct change_fact hook_fact(int64_t hook, int64_t tenant, int64_t now_ms)
{
	return (struct change_fact){
		.tenant = tenant, .entity = ENTITY_HOOK, .op = OP_PUT, .ref = hook, .at_ms = now_ms};
}

static enum err tell_of_late(void *ctx, const void *row)
{
	struct change_fact *fact = ctx;
	const struct hook_delivery_late_out *late = row;
	*fact = hook_fact(late->hook, late->tenant, 0);
	return OK;
}

static enum err step(void *ctx, struct db *db, struct job_run *run)
{
	struct change_fact late = {0};
	size_t cleared = 0;
	(void)ctx;
	enum err err =
		q_hook_delivery_clear(db, &(struct hook_delivery_clear_in){run->now_ms - KEPT_MS, CLEARED_AT_ONCE},
				      db_count_row, &cleared);
	if (!err)
		err = q_hook_delivery_late(db, &(struct hook_delivery_late_in){run->now_ms - LATE_MS}, tell_of_late,
					   &late);
	late.at_ms = run->now_ms;
	if (!err && late.ref)
		err = q_change_add(db, &late, 1);
	run->more = cleared == CLEARED_AT_ONCE;
	buf_fmt(&run->result, "%zu deliveries cleared away, %s waited too long", cleared,
		late.ref ? "one" : "none");
	return err;
}

static void told(void *ctx)
{
	changes_ring(ctx, CHANGES_COMMITTED);
}

void hook_upkeep(struct jobs *jobs, struct changes *feed)
{
	jobs_add(jobs, &(struct job_spec){JOB_HOOKS, PERIOD_MS, step, told, feed});
}
