/*
 * The queue's calls that change something: they run inside a batch on the queue's thread, on memory. What they
 * answer is copied into the call's arena, because it is encoded after the batch is gone.
 */
#include "api/api.h"
#include "api/costs.h"
#include "api/enqueue.h"
#include "api/lease.h"
#include "api/runner.h"
#include "api/sessions.h"

static struct work *work_of(struct call *c)
{
	return call_app(c)->persist->work;
}

/* ---- claim ---- */

enum { CLAIM_BODIES_MAX_BYTES = 4 << 20 };

static struct str token_text(struct call *c, const struct item *i)
{
	struct work_token t = work_token_of(i);
	char text[WORK_TOKEN_TEXT];
	work_token_format(&t, text);
	return arena_str(c->arena, str_of(text));
}

static void put_claimed(struct call *c, struct work_claimed *to, const struct item *i,
			const struct work_body_row *body)
{
	*to = (struct work_claimed){.id = i->id,
				    .type = arena_str(c->arena, name_str(i->queue->type)),
				    .attempt = i->attempt,
				    .token = token_text(c, i),
				    .lease_until = i->lease_until_ms};
	if (i->queue->team)
		PUT(to, work_claimed, team, arena_str(c->arena, name_str(i->queue->team)));
	if (body->title.n)
		PUT(to, work_claimed, title, arena_str(c->arena, body->title));
	if (body->description.n)
		PUT(to, work_claimed, description, arena_str(c->arena, body->description));
	if (body->payload.n)
		PUT(to, work_claimed, payload, arena_str(c->arena, body->payload));
	if (body->key.n)
		PUT(to, work_claimed, key, arena_str(c->arena, body->key));
	if (body->labels.n)
		PUT(to, work_claimed, labels, arena_str(c->arena, body->labels));
	if (body->trace.n)
		PUT(to, work_claimed, trace, arena_str(c->arena, body->trace));
}

static size_t body_bytes(const struct work_body_row *b)
{
	return b->title.n + b->description.n + b->payload.n + b->key.n + b->labels.n + b->trace.n;
}

/* The answer of a claim; what does not fit into it goes back as if it had not been claimed. */
static enum err put_claim(struct call *c, struct item *const *items, size_t count, struct work_claim_out *out)
{
	struct work_body_row *bodies = ARENA_ARRAY(c->arena, struct work_body_row, count);
	out->items = ARENA_ARRAY(c->arena, struct work_claimed, count);
	out->items_count = 0;
	enum err err =
		bodies && out->items ? persist_bodies(call_app(c)->persist, items, count, bodies) : ERR_INTERNAL;
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		bytes += err ? 0 : body_bytes(&bodies[i]);
		if (err || (i > 0 && bytes > CLAIM_BODIES_MAX_BYTES))
			runner_unclaim(c, items[i]);
		else
			put_claimed(c, &out->items[out->items_count++], items[i], &bodies[i]);
	}
	return err;
}

/* The session the claim names must be this tenant's and still connected. */
static enum err check_session(struct call *c, const struct work_claim_in *in)
{
	if (!HAS(in, work_claim_in, session) || sessions_has(call_app(c)->sessions, in->session, c->caller.tenant))
		return OK;
	return problem_field(&c->problem, ERR_INVALID, "session",
			     "is not connected; open GET /v1/work/session first");
}

static void hold_in_session(struct call *c, const struct work_claim_in *in, const struct work_claim_out *out)
{
	if (!HAS(in, work_claim_in, session))
		return;
	for (size_t i = 0; i < out->items_count; i++) {
		struct work_token token;
		CHECK(work_token_parse(out->items[i].token, &token));
		sessions_hold(call_app(c)->sessions, work_of(c), in->session, out->items[i].id, &token);
	}
}

static enum err answer_claim(struct call *c, struct item *const *items, size_t count)
{
	struct work_claim_out *out = c->out;
	enum err err = put_claim(c, items, count, out);
	if (!err)
		hold_in_session(c, c->in, out);
	return err;
}

enum err api_work_claim(struct call *c, const struct work_claim_in *in, struct work_claim_out *out)
{
	(void)out;
	enum err err = check_session(c, in);
	if (err)
		return err;
	struct work_claim claim = {.tenant = c->caller.tenant,
				   .agent = in->agent,
				   .types = in->types,
				   .types_count = in->types_count,
				   .max = (size_t)in->max,
				   .lease_ms = HAS(in, work_claim_in, lease_ms) ? in->lease_ms : 0};
	if (HAS(in, work_claim_in, team))
		claim.team = in->team.n ? in->team : STR("");
	struct item **items = ARENA_ARRAY(c->arena, struct item *, claim.max);
	if (!items)
		return ERR_INTERNAL;
	size_t count = work_claim(work_of(c), &claim, items);
	if (count == 0 && in->wait_ms > 0)
		return runner_park(c, &claim, in->wait_ms);
	return count ? answer_claim(c, items, count) : OK;
}

void work_claim_serve(struct call *c, struct item *const *items, size_t count)
{
	struct work_claim_out *out = c->out;
	*out = (struct work_claim_out){0};
	c->outcome = count ? answer_claim(c, items, count) : OK;
}

void work_claim_stored(const struct work_claim_out *out, struct buf *b)
{
	struct work_claim_out bare = *out;
	struct work_claimed item;
	buf_z(b, "{\"items\":[");
	for (size_t i = 0; i < bare.items_count; i++) {
		item = out->items[i];
		item.seen = 0;
		if (i > 0)
			buf_c(b, ',');
		json_encode(&type_work_claimed, &item, 0, b);
	}
	buf_z(b, "]}");
}

enum err work_claim_replay(struct call *c, struct str stored)
{
	struct work_claim_out then;
	enum err err =
		json_decode(&type_work_claim_out, arena_str(c->arena, stored), 0, c->arena, &then, &c->problem);
	struct item **valid = err ? NULL : ARENA_ARRAY(c->arena, struct item *, then.items_count);
	if (err || !valid)
		return ERR_INTERNAL;
	size_t count = 0;
	for (size_t i = 0; i < then.items_count; i++) {
		struct item *item = work_find(work_of(c), then.items[i].id);
		if (item && item->state == WORK_LEASED && str_eq(token_text(c, item), then.items[i].token))
			valid[count++] = item;
	}
	return put_claim(c, valid, count, c->out);
}

/* ---- progress and extend ---- */

enum err api_work_progress(struct call *c, const struct work_progress_in *in, struct work_leased_ref *out)
{
	struct work_token token;
	struct item *item = NULL;
	int state;
	enum err err = lease_token(in->token, &token, &c->problem);
	if (!err)
		err = work_progress(work_of(c), c->caller.tenant, in->id, &token, (int)in->percent,
				    HAS(in, work_progress_in, note) ? in->note : (struct str){0},
				    HAS(in, work_progress_in, extend_ms) ? in->extend_ms : 0, &item);
	if (err == ERR_NOT_FOUND)
		err = lease_finished(c, in->id, &token, NULL, &state);
	if (err)
		return lease_problem(err, &c->problem);
	out->id = item->id;
	out->state = item->state;
	out->lease_until = item->lease_until_ms;
	return OK;
}

static struct error_item error_of(struct call *c, enum err err, struct str detail)
{
	const struct err_info *info = err_info(err);
	return (struct error_item){.code = str_of(info->code),
				   .detail = detail.n ? arena_str(c->arena, detail) : str_of(info->title)};
}

static enum err extend_one(struct call *c, const struct work_token_ref *ref, const struct work_extend_in *in,
			   struct item **item, struct problem *p)
{
	struct work_token token;
	int state;
	enum err err = lease_token(ref->token, &token, p);
	int percent = HAS(in, work_extend_in, percent) ? (int)in->percent : -1;
	if (!err)
		err = work_extend(work_of(c), c->caller.tenant, ref->id, &token, in->lease_ms, percent, item);
	if (err == ERR_NOT_FOUND)
		err = lease_finished(c, ref->id, &token, NULL, &state);
	return err;
}

enum err api_work_extend(struct call *c, const struct work_extend_in *in, struct work_extend_out *out)
{
	struct part part = runner_part(c);
	if (part.from == 0)
		out->items = ARENA_ARRAY(c->arena, struct work_extend_result, in->items_count);
	if (!out->items)
		return ERR_INTERNAL;
	for (size_t i = part.from; i < part.to; i++) {
		struct work_extend_result *r = &out->items[i];
		struct problem p = {0};
		struct item *item = NULL;
		enum err err = part.refused ? part.refused : extend_one(c, &in->items[i], in, &item, &p);
		*r = (struct work_extend_result){0};
		r->id = in->items[i].id;
		if (err)
			PUT(r, work_extend_result, error, error_of(c, lease_problem(err, &p), str_of(p.detail)));
		else
			PUT(r, work_extend_result, lease_until, item->lease_until_ms);
	}
	out->items_count = part.to;
	return OK;
}

/* ---- settle ---- */

static struct str used_json(struct call *c, const struct work_used *used)
{
	struct buf b = BUF_INIT(0);
	json_encode(&type_work_used, used, 0, &b);
	struct str text = arena_str(c->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

static enum err settle_one(struct call *c, const struct work_settle_item *in, int *state, struct problem *p)
{
	struct work_token token;
	struct item *item = NULL;
	struct work_ending ending = {.outcome = (enum work_outcome)in->outcome, .retry = in->retry};
	if (HAS(in, work_settle_item, result))
		ending.result = in->result;
	if (HAS(in, work_settle_item, error))
		ending.error = in->error;
	if (HAS(in, work_settle_item, used))
		ending.used = used_json(c, &in->used);
	enum err err = lease_token(in->token, &token, p);
	/* One that repeats what was settled is answered as that was, and costs nothing more. */
	bool first = !err && work_held(work_of(c), c->caller.tenant, in->id, &token, &item) == OK;
	if (!err)
		err = work_settle(work_of(c), c->caller.tenant, in->id, &token, &ending, &item);
	if (!err && first)
		costs_note_item(c, item, &in->used);
	if (err == ERR_NOT_FOUND)
		err = lease_finished(c, in->id, &token, &ending.outcome, state);
	else if (!err)
		*state = item->state;
	return err ? lease_problem(err, p) : OK;
}

static enum err settle_single(struct call *c, const struct work_settle_item *in, struct work_ref *out)
{
	int state = 0;
	enum err err = settle_one(c, in, &state, &c->problem);
	if (err)
		return err;
	out->id = in->id;
	out->state = state;
	return OK;
}

enum err api_work_complete(struct call *c, const struct work_complete_in *in, struct work_ref *out)
{
	struct work_settle_item item = {.id = in->id, .token = in->token, .outcome = OUTCOME_COMPLETED};
	if (HAS(in, work_complete_in, result))
		PUT(&item, work_settle_item, result, in->result);
	if (HAS(in, work_complete_in, used))
		PUT(&item, work_settle_item, used, in->used);
	return settle_single(c, &item, out);
}

enum err api_work_fail(struct call *c, const struct work_fail_in *in, struct work_ref *out)
{
	struct work_settle_item item = {
		.id = in->id, .token = in->token, .outcome = OUTCOME_FAILED, .retry = in->retry};
	PUT(&item, work_settle_item, error, in->error);
	if (HAS(in, work_fail_in, used))
		PUT(&item, work_settle_item, used, in->used);
	return settle_single(c, &item, out);
}

enum err api_work_release(struct call *c, const struct work_release_in *in, struct work_ref *out)
{
	struct work_settle_item item = {.id = in->id, .token = in->token, .outcome = OUTCOME_RELEASED};
	return settle_single(c, &item, out);
}

enum err api_work_settle(struct call *c, const struct work_settle_in *in, struct work_settle_out *out)
{
	struct part part = runner_part(c);
	if (part.from == 0)
		out->items = ARENA_ARRAY(c->arena, struct work_settle_result, in->items_count);
	if (!out->items)
		return ERR_INTERNAL;
	for (size_t i = part.from; i < part.to; i++) {
		struct work_settle_result *r = &out->items[i];
		struct problem p = {0};
		int state = 0;
		enum err err = part.refused ? part.refused : settle_one(c, &in->items[i], &state, &p);
		*r = (struct work_settle_result){0};
		r->id = in->items[i].id;
		if (err)
			PUT(r, work_settle_result, error, error_of(c, err, str_of(p.detail)));
		else
			PUT(r, work_settle_result, state, state);
	}
	out->items_count = part.to;
	return OK;
}

/* ---- enqueue ---- */

static void put_ref(struct work_ref *out, const struct item *item)
{
	out->id = item->id;
	out->state = item->state;
}

enum err api_work_add(struct call *c, const struct work_new *in, struct work_ref *out)
{
	struct item *item;
	bool existed;
	enum err err = enqueue_one(c, in, NULL, &item, &existed, &c->problem);
	if (err)
		return err;
	if (existed)
		c->status = 200;
	put_ref(out, item);
	return OK;
}

enum err api_work_batch(struct call *c, const struct work_batch_in *in, struct work_batch_out *out)
{
	struct part part = runner_part(c);
	const struct enqueued *results = enqueue_batch(c, in->items, in->items_count, &part);
	if (!results)
		return ERR_INTERNAL;
	if (part.to < in->items_count)
		return OK;
	out->items = ARENA_ARRAY(c->arena, struct work_batch_result, in->items_count);
	if (!out->items)
		return ERR_INTERNAL;
	for (size_t i = 0; i < in->items_count; i++) {
		struct work_batch_result *r = &out->items[i];
		if (results[i].err) {
			PUT(r, work_batch_result, error, error_of(c, results[i].err, results[i].detail));
			continue;
		}
		PUT(r, work_batch_result, id, results[i].id);
		PUT(r, work_batch_result, state, results[i].state);
		PUT(r, work_batch_result, existed, results[i].existed);
	}
	out->items_count = in->items_count;
	return OK;
}

/* ---- cancel and retry ---- */

static enum err already(struct call *c, const struct work_done_row *row)
{
	char id[ID_TEXT];
	id_format(id, "w_", row->id);
	return call_fail(c, ERR_CONFLICT, "%s is %s already", id, enum_work_state.values[row->state].text);
}

enum err api_work_cancel(struct call *c, const struct work_cancel_in *in, struct work_ref *out)
{
	struct item *item = NULL;
	struct str reason = HAS(in, work_cancel_in, reason) ? in->reason : STR("");
	enum err err = work_cancel(work_of(c), c->caller.tenant, in->id, c->caller.key_name, reason, &item);
	if (!err) {
		put_ref(out, item);
		return OK;
	}
	struct work_done_row row;
	if (err == ERR_NOT_FOUND)
		err = persist_finished(call_app(c)->persist, c->caller.tenant, in->id, &row);
	if (err)
		return lease_problem(err, &c->problem);
	if (row.state != WORK_CANCELLED)
		return already(c, &row);
	out->id = row.id;
	out->state = (int)row.state;
	return OK;
}

enum err api_work_retry(struct call *c, const struct work_id *in, struct work_ref *out)
{
	struct item *item;
	enum err err = revive_with_felled(c, in->id, &item);
	if (err)
		return err;
	put_ref(out, item);
	return OK;
}
