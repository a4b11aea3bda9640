/* See enqueue.h. Runs on the queue's thread, inside a batch. */
#include "api/enqueue.h"

#include "base/buf.h"
#include "base/vec.h"

enum { REVIVED_MAX = 10000 };

static struct persist *persist_of(struct call *c)
{
	return call_app(c)->persist;
}

static const char *id_text(struct call *c, int64_t id)
{
	char text[ID_TEXT];
	id_format(text, "w_", id);
	return arena_z(c->arena, str_of(text));
}

/* ---- dependencies ---- */

/* How an item that is not live counts for those that depend on it. */
static enum work_dependency_standing standing_of(int state, int on_failure)
{
	return state == WORK_COMPLETED || on_failure == ON_FAILURE_IGNORE ? DEPENDENCY_MET : DEPENDENCY_BROKEN;
}

static enum err depend_on_id(struct call *c, int64_t id, struct work_spec_dependency *d, const char *field,
			     struct problem *p)
{
	struct item *live = work_find(persist_of(c)->work, id);
	d->id = id;
	if (live && live->queue->tenant == c->caller.tenant) {
		d->standing = DEPENDENCY_LIVE;
		return OK;
	}
	struct work_done_row row;
	enum err err = persist_finished(persist_of(c), c->caller.tenant, id, &row);
	if (err == ERR_NOT_FOUND)
		return problem_field(p, ERR_INVALID, field, "there is no item %s here", id_text(c, id));
	if (!err)
		d->standing = (int)standing_of((int)row.state, d->on_failure);
	return err;
}

static enum err depend_on_key(struct call *c, const struct work_new *in, const struct work_dependency *dep,
			      const struct batch_entries *others, struct work_spec_dependency *d, const char *field,
			      struct problem *p)
{
	struct item *live = work_find_key(persist_of(c)->work, c->caller.tenant, in->type, in->team, dep->key);
	if (live)
		return depend_on_id(c, live->id, d, field, p);
	uint64_t hash = work_key_hash(c->caller.tenant, in->type, in->team, dep->key);
	size_t index = others ? (size_t)(uintptr_t)map_get(&others->by_key, hash) : 0;
	if (index == 0)
		return problem_field(p, ERR_INVALID, field, "no live item of this type and team has the key '%.*s'",
				     STRF(dep->key));
	if (others->results[index - 1].err)
		return problem_field(p, ERR_INVALID, field, "the entry with the key '%.*s' was refused",
				     STRF(dep->key));
	return depend_on_id(c, others->results[index - 1].id, d, field, p);
}

static enum err resolve(struct call *c, const struct work_new *in, const struct batch_entries *others,
			struct work_spec_dependency **out, struct problem *p)
{
	*out = ARENA_ARRAY(c->arena, struct work_spec_dependency, in->depends_on_count);
	if (!*out)
		return ERR_INTERNAL;
	for (size_t i = 0; i < in->depends_on_count; i++) {
		const struct work_dependency *dep = &in->depends_on[i];
		struct work_spec_dependency *d = &(*out)[i];
		const char *field = arena_fmt(c->arena, "depends_on[%zu]", i).p;
		bool by_id = HAS(dep, work_dependency, id), by_key = HAS(dep, work_dependency, key);
		d->on_failure = dep->on_failure;
		if (by_id == by_key)
			return problem_field(p, ERR_INVALID, field, "needs exactly one of id and key");
		enum err err = by_id ? depend_on_id(c, dep->id, d, field, p)
				     : depend_on_key(c, in, dep, others, d, field, p);
		if (err)
			return err;
	}
	return OK;
}

/* ---- one item ---- */

static struct str labels_json(struct arena *a, const struct work_new *in)
{
	struct buf b = BUF_INIT(0);
	buf_c(&b, '{');
	for (size_t i = 0; i < in->labels_count; i++) {
		if (i > 0)
			buf_c(&b, ',');
		buf_json_text(&b, in->labels[i].key);
		buf_c(&b, ':');
		buf_json_text(&b, in->labels[i].value);
	}
	buf_c(&b, '}');
	struct str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

static struct work_body_row *body_of(struct arena *a, const struct work_new *in)
{
	struct work_body_row *body = ARENA_NEW(a, struct work_body_row);
	if (!body)
		return NULL;
	*body = (struct work_body_row){.key = in->key,
				       .title = in->title,
				       .description = in->description,
				       .payload = in->payload,
				       .trace = in->trace,
				       .estimated_ms = in->estimated_ms,
				       .points = in->points};
	if (in->labels_count)
		body->labels = labels_json(a, in);
	return body;
}

static enum err check(const struct call *c, const struct work_new *in, struct problem *p)
{
	if (str_starts(in->type, STR("tf.")))
		return problem_field(p, ERR_INVALID, "type", "types starting with tf. are the server's own");
	if (HAS(in, work_new, run_at) && HAS(in, work_new, delay_ms))
		return problem_field(p, ERR_INVALID, "delay_ms", "give run_at or delay_ms, not both");
	if (HAS(in, work_new, deadline) && in->deadline <= c->now_ms)
		return problem_field(p, ERR_INVALID, "deadline", "must lie in the future");
	return OK;
}

static int64_t run_at_of(int64_t now_ms, const struct work_new *in)
{
	if (HAS(in, work_new, delay_ms))
		return in->delay_ms > 0 ? now_ms + in->delay_ms : 0;
	return HAS(in, work_new, run_at) ? in->run_at : 0;
}

enum err enqueue_for(const struct enqueuer *by, const struct work_new *in, struct work_spec_dependency *depends,
		     size_t depends_count, struct item **out, bool *existed, struct problem *p)
{
	struct work_spec spec = {.tenant = by->tenant,
				 .type = in->type,
				 .team = in->team,
				 .priority = in->priority,
				 .key = in->key,
				 .run_at_ms = run_at_of(by->now_ms, in),
				 .deadline_ms = HAS(in, work_new, deadline) ? in->deadline : 0,
				 .max_attempts = in->max_attempts,
				 .lease_ms = in->lease_ms,
				 .backoff_kind = in->backoff.kind,
				 .backoff_base_ms = in->backoff.base_ms,
				 .backoff_max_ms = in->backoff.max_ms,
				 .assignee = in->assignee,
				 .created_by = in->created_by.n ? in->created_by : by->name,
				 .depends = depends,
				 .depends_count = depends_count};
	struct work_body_row *body = body_of(by->arena, in);
	return body ? persist_enqueue(by->persist, &spec, body, out, existed, p) : ERR_INTERNAL;
}

enum err enqueue_one(struct call *c, const struct work_new *in, const struct batch_entries *others,
		     struct item **out, bool *existed, struct problem *p)
{
	enum err err = check(c, in, p);
	if (err)
		return err;
	struct work_spec_dependency *depends = NULL;
	struct enqueuer by = {.persist = persist_of(c),
			      .arena = c->arena,
			      .tenant = c->caller.tenant,
			      .now_ms = c->now_ms,
			      .name = c->caller.key_name};
	if (in->depends_on_count)
		err = resolve(c, in, others, &depends, p);
	return err ? err : enqueue_for(&by, in, depends, in->depends_on_count, out, existed, p);
}

/* ---- a batch ---- */

static struct work_batch_node node_of(struct call *c, const struct work_new *in)
{
	struct work_batch_node node = {.name = in->key};
	if (in->key.n)
		node.key_hash = work_key_hash(c->caller.tenant, in->type, in->team, in->key);
	uint64_t *needs = ARENA_ARRAY(c->arena, uint64_t, in->depends_on_count);
	for (size_t i = 0; needs && i < in->depends_on_count; i++)
		if (HAS(&in->depends_on[i], work_dependency, key))
			needs[node.needs_count++] =
				work_key_hash(c->caller.tenant, in->type, in->team, in->depends_on[i].key);
	node.needs = needs;
	return node;
}

/* What c->found holds between the parts of a batch. */
struct plan {
	size_t *order;
	enum err *faults; /* of those on a cycle */
	struct enqueued *results;
	bool depends; /* some by key: the entries are to be found by theirs */
};

static bool depends_by_key(const struct work_new *in)
{
	for (size_t i = 0; i < in->depends_on_count; i++)
		if (HAS(&in->depends_on[i], work_dependency, key))
			return true;
	return false;
}

static struct str kept_detail(struct call *c, const struct problem *p)
{
	return p->detail[0] ? arena_str(c->arena, str_of(p->detail)) : (struct str){0};
}

static void put_in_order(struct call *c, const struct work_new *items, size_t count, struct plan *plan)
{
	struct work_batch_node *nodes = ARENA_ARRAY(c->arena, struct work_batch_node, count);
	struct problem *problems = ARENA_ARRAY(c->arena, struct problem, count);
	CHECK(nodes && problems);
	for (size_t i = 0; i < count; i++)
		nodes[i] = node_of(c, &items[i]);
	work_batch_order(nodes, count, c->arena, plan->order, plan->faults, problems);
	for (size_t i = 0; i < count; i++)
		if (plan->faults[i])
			plan->results[i] =
				(struct enqueued){.err = plan->faults[i], .detail = kept_detail(c, &problems[i])};
}

static struct plan *make_plan(struct call *c, const struct work_new *items, size_t count)
{
	struct plan *plan = ARENA_NEW(c->arena, struct plan);
	if (!plan)
		return NULL;
	plan->order = ARENA_ARRAY(c->arena, size_t, count);
	plan->faults = ARENA_ARRAY(c->arena, enum err, count);
	plan->results = ARENA_ARRAY(c->arena, struct enqueued, count);
	if (!plan->order || !plan->faults || !plan->results)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		plan->order[i] = i;
		plan->depends = plan->depends || depends_by_key(&items[i]);
	}
	if (plan->depends)
		put_in_order(c, items, count, plan);
	return plan;
}

static struct enqueued enqueue_entry(struct call *c, const struct work_new *in, const struct batch_entries *others)
{
	struct problem p;
	struct item *item;
	bool existed;
	problem_clear(&p);
	enum err err = enqueue_one(c, in, others, &item, &existed, &p);
	if (err)
		return (struct enqueued){.err = err, .detail = kept_detail(c, &p)};
	return (struct enqueued){.id = item->id, .state = item->state, .existed = existed};
}

static void index_keys(struct call *c, const struct work_new *items, size_t count, struct map *by_key)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].key.n)
			map_put(by_key, work_key_hash(c->caller.tenant, items[i].type, items[i].team, items[i].key),
				(void *)(uintptr_t)(i + 1));
}

const struct enqueued *enqueue_batch(struct call *c, const struct work_new *items, size_t count,
				     const struct part *part)
{
	if (part->from == 0)
		c->found = make_plan(c, items, count);
	struct plan *plan = c->found;
	if (!plan)
		return NULL;
	struct batch_entries others = {.results = plan->results};
	if (plan->depends)
		index_keys(c, items, count, &others.by_key);
	for (size_t i = part->from; i < part->to; i++) {
		size_t n = plan->order[i];
		if (plan->faults[n])
			continue;
		if (part->refused)
			plan->results[n] = (struct enqueued){.err = part->refused};
		else
			plan->results[n] = enqueue_entry(c, &items[n], &others);
	}
	map_free(&others.by_key);
	return plan->results;
}

/* ---- back to life ---- */

static struct work_loading loading_of(const struct work_done_row *r)
{
	return (struct work_loading){.id = r->id,
				     .tenant = r->tenant,
				     .queue = r->queue,
				     .created_ms = r->created_ms,
				     .run_at_ms = 0,
				     .ready_ms = r->ready_ms,
				     .deadline_ms = 0, /* it would fail again at once */
				     .lease_ms = r->lease_ms,
				     .attempt = r->attempt,
				     .max_attempts = r->max_attempts,
				     .backoff_base_ms = r->backoff_base_ms,
				     .backoff_max_ms = r->backoff_max_ms,
				     .token_epoch = r->token_epoch,
				     .token_random = (uint64_t)r->token_random,
				     .key_hash = (uint64_t)r->key_hash,
				     .state = (int)r->state,
				     .priority = (int)r->priority,
				     .backoff_kind = (int)r->backoff_kind,
				     .assignee = r->assignee,
				     .created_by = r->created_by,
				     .claimed_by = r->claimed_by,
				     .history = r->history};
}

static enum err depends_of(struct call *c, const struct work_done_row *row, struct work_spec_dependency **out,
			   size_t *count)
{
	struct str blob = row->depends;
	struct work_depends_entry entry;
	size_t max = blob.n; /* an entry takes more than a byte */
	*out = ARENA_ARRAY(c->arena, struct work_spec_dependency, max);
	*count = 0;
	while (*out && work_depends_next(&blob, &entry)) {
		struct work_spec_dependency *d = &(*out)[(*count)++];
		d->on_failure = entry.on_failure;
		enum err err = depend_on_id(c, entry.id, d, "depends_on", &c->problem);
		if (err)
			return err;
	}
	return *out ? OK : ERR_INTERNAL;
}

/* Another item may have taken the key meanwhile. */
static enum err check_key_free(struct call *c, const struct work_done_row *row)
{
	if (row->key_hash == 0)
		return OK;
	struct id_row queue_id = {.id = row->queue}, id = {.id = row->id};
	struct queue_row queue;
	struct work_body_row body;
	enum err err = q_queue_get(c->db, &queue_id, c->arena, &queue);
	if (!err)
		err = q_work_body_get(c->db, &id, c->arena, &body);
	if (err == ERR_NOT_FOUND)
		return OK; /* enqueued and finished in this very batch: its key is still its own */
	if (err)
		return err;
	struct item *other = work_find_key(persist_of(c)->work, row->tenant, queue.type, queue.team, body.key);
	if (!other)
		return OK;
	return call_fail(c, ERR_CONFLICT, "the live item %s has taken its key '%.*s'", id_text(c, other->id),
			 STRF(body.key));
}

static enum err revive_row(struct call *c, const struct work_done_row *row, struct item **out)
{
	struct work_spec_dependency *depends;
	size_t count;
	enum err err = check_key_free(c, row);
	if (!err)
		err = depends_of(c, row, &depends, &count);
	if (err)
		return err;
	struct work_loading loading = loading_of(row);
	return work_revive(persist_of(c)->work, &loading, depends, count, c->caller.key_name, out, &c->problem);
}

static enum err finished_row(struct call *c, int64_t id, struct work_done_row *row)
{
	enum err err = persist_finished(persist_of(c), c->caller.tenant, id, row);
	if (err != ERR_NOT_FOUND)
		return err;
	struct item *live = work_find(persist_of(c)->work, id);
	if (live && live->queue->tenant == c->caller.tenant)
		return call_fail(c, ERR_CONFLICT, "%s is not finished: it is %s", id_text(c, id),
				 enum_work_state.values[live->state].text);
	return call_fail(c, err, "there is no item %s here", id_text(c, id));
}

struct ids {
	VEC(int64_t) list;
};

static void add_felled(struct ids *ids, struct str blob)
{
	uint64_t id;
	while (ids->list.n < REVIVED_MAX && take_varint(&blob, &id))
		*VEC_PUSH(&ids->list) = (int64_t)id;
}

/* Those it felled, and those they felled. One that something else holds down stays as it is. */
static enum err revive_felled(struct call *c, struct ids *ids)
{
	for (size_t i = 0; i < ids->list.n; i++) {
		struct work_done_row row;
		struct item *item;
		enum err err = persist_finished(persist_of(c), c->caller.tenant, ids->list.v[i], &row);
		if (err == ERR_NOT_FOUND || (!err && (row.state != WORK_FAILED || row.cause == 0)))
			continue; /* revived by itself meanwhile */
		if (!err)
			err = revive_row(c, &row, &item);
		if (err == ERR_CONFLICT)
			continue;
		if (err)
			return err;
		add_felled(ids, row.felled);
	}
	return OK;
}

enum err revive_with_felled(struct call *c, int64_t id, struct item **out)
{
	struct work_done_row row;
	enum err err = finished_row(c, id, &row);
	if (err)
		return err;
	if (row.state == WORK_COMPLETED)
		return call_fail(c, ERR_CONFLICT,
				 "%s is completed; only failed and cancelled items can be put back",
				 id_text(c, id));
	err = revive_row(c, &row, out);
	if (err)
		return err;
	struct ids ids = {0};
	add_felled(&ids, row.felled);
	err = revive_felled(c, &ids);
	VEC_FREE(&ids.list);
	if (!err)
		problem_clear(&c->problem); /* of those that stayed as they are */
	return err;
}
