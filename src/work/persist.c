/*
 * See persist.h. Loading and ownership are in load.c; here is what happens in a batch.
 */
#include "work/persist.h"

#include "work/persist_priv.h"

#include "base/log.h"

enum { BATCH_ARENA_MAX = 1 << 30, IDEMPOTENCY_KEPT_MS = 86400000 };

/* What one batch writes, table by table; kept from batch to batch for their memory. */
struct persist_rows {
	VEC(struct queue_row) queues;
	VEC(struct work_live_row) live_new;
	VEC(struct work_change_row) live_changed;
	VEC(struct id_row) live_gone;
	VEC(struct work_body_row) bodies;
	VEC(struct work_done_row) done_new;
	VEC(struct id_row) done_gone;
};

/* ---- life ---- */

struct persist *persist_new(const struct persist_config *config)
{
	struct persist *p = NEW(struct persist);
	p->config = *config;
	p->arena = arena_new(BATCH_ARENA_MAX);
	p->bodies = bodies_new(PERSIST_BODIES_MAX_BYTES);
	p->rows = NEW(struct persist_rows);
	return p;
}

void persist_destroy(struct persist **pp)
{
	struct persist *p = *pp;
	if (!p)
		return;
	work_destroy(&p->work);
	bodies_destroy(&p->bodies);
	arena_destroy(&p->arena);
	VEC_FREE(&p->idempotency);
	VEC_FREE(&p->idempotency_expired);
	buf_free(&p->events);
	VEC_FREE(&p->rows->queues);
	VEC_FREE(&p->rows->live_new);
	VEC_FREE(&p->rows->live_changed);
	VEC_FREE(&p->rows->live_gone);
	VEC_FREE(&p->rows->bodies);
	VEC_FREE(&p->rows->done_new);
	VEC_FREE(&p->rows->done_gone);
	free(p->rows);
	free(p);
	*pp = NULL;
}

/* ---- items to rows ---- */

static struct work_live_row live_row(const struct item *i)
{
	return (struct work_live_row){.id = i->id,
				      .tenant = i->queue->tenant,
				      .queue = i->queue->id,
				      .state = i->state,
				      .priority = i->priority,
				      .created_ms = i->created_ms,
				      .changed_ms = i->changed_ms,
				      .run_at_ms = i->run_at_ms,
				      .ready_ms = i->ready_ms,
				      .deadline_ms = i->deadline_ms,
				      .lease_ms = i->lease_ms,
				      .lease_until_ms = i->lease_until_ms,
				      .attempt = i->attempt,
				      .failures = i->failures,
				      .max_attempts = i->max_attempts,
				      .backoff_kind = i->backoff_kind,
				      .backoff_base_ms = i->backoff_base_ms,
				      .backoff_max_ms = i->backoff_max_ms,
				      .progress = i->progress,
				      .token_epoch = i->token_epoch,
				      .token_random = (int64_t)i->token_random,
				      .key_hash = (int64_t)i->key_hash,
				      .outcome = i->outcome,
				      .assignee = name_str(i->assignee),
				      .created_by = name_str(i->created_by),
				      .claimed_by = name_str(i->claimed_by),
				      .note = work_blob_str(i->note),
				      .depends = work_blob_str(i->depends),
				      .history = work_blob_str(i->history)};
}

static struct work_change_row change_row(const struct item *i)
{
	return (struct work_change_row){.id = i->id,
					.state = i->state,
					.changed_ms = i->changed_ms,
					.run_at_ms = i->run_at_ms,
					.ready_ms = i->ready_ms,
					.lease_ms = i->lease_ms,
					.lease_until_ms = i->lease_until_ms,
					.attempt = i->attempt,
					.failures = i->failures,
					.progress = i->progress,
					.token_epoch = i->token_epoch,
					.token_random = (int64_t)i->token_random,
					.outcome = i->outcome,
					.claimed_by = name_str(i->claimed_by),
					.note = work_blob_str(i->note),
					.depends = work_blob_str(i->depends),
					.history = work_blob_str(i->history)};
}

static struct str felled_blob(struct persist *p, const struct work_change *c)
{
	if (c->felled_count == 0)
		return (struct str){0};
	struct buf b = BUF_INIT(0);
	for (size_t i = 0; i < c->felled_count; i++)
		buf_varint(&b, (uint64_t)c->felled[i]);
	struct str copy = arena_str(p->arena, buf_str(&b));
	buf_free(&b);
	return copy;
}

static struct work_done_row done_row(struct persist *p, const struct work_change *c)
{
	const struct item *i = c->item;
	return (struct work_done_row){.id = i->id,
				      .tenant = i->queue->tenant,
				      .queue = i->queue->id,
				      .state = i->state,
				      .priority = i->priority,
				      .created_ms = i->created_ms,
				      .finished_ms = c->finished_ms,
				      .run_at_ms = i->run_at_ms,
				      .ready_ms = i->ready_ms,
				      .deadline_ms = i->deadline_ms,
				      .lease_ms = i->lease_ms,
				      .attempt = i->attempt,
				      .failures = i->failures,
				      .max_attempts = i->max_attempts,
				      .backoff_kind = i->backoff_kind,
				      .backoff_base_ms = i->backoff_base_ms,
				      .backoff_max_ms = i->backoff_max_ms,
				      .progress = i->progress,
				      .token_epoch = i->token_epoch,
				      .token_random = (int64_t)i->token_random,
				      .key_hash = (int64_t)i->key_hash,
				      .outcome = i->outcome,
				      .cause = c->cause,
				      .assignee = name_str(i->assignee),
				      .created_by = name_str(i->created_by),
				      .claimed_by = name_str(i->claimed_by),
				      .note = work_blob_str(i->note),
				      .depends = work_blob_str(i->depends),
				      .felled = felled_blob(p, c),
				      .history = work_blob_str(i->history),
				      .error = c->error,
				      .used = c->used,
				      .result = c->result};
}

/* ---- a batch ---- */

void persist_begin(struct persist *p, struct db *db, int64_t now_ms)
{
	p->db = db;
	p->now_ms = now_ms;
	work_begin(p->work, now_ms);
}

bool persist_dirty(const struct persist *p)
{
	size_t i = 0, happened;
	struct work_change change;
	work_happenings(p->work, &happened);
	/* A queue made in a batch that was undone is still to be written: committing without would take it for
	 * stored. */
	return happened > 0 || p->idempotency.n > 0 || work_unstored_queues(p->work) != NULL ||
	       work_next_change(p->work, &i, &change);
}

enum err persist_open(struct persist *p, struct db *db)
{
	p->next_batch = p->batch + 1;
	struct owner_batch_in in = {.id = p->config.process_id,
				    .epoch = p->epoch,
				    .batch = p->next_batch,
				    .lease_ms = p->config.owner_lease_ms};
	return q_owner_batch(db, &in);
}

static void collect_change(struct persist *p, const struct work_change *c)
{
	struct persist_rows *r = p->rows;
	bool is_new = !c->was_live && !c->was_finished;
	if (c->is_live && c->was_live)
		*VEC_PUSH(&r->live_changed) = change_row(c->item);
	else if (c->is_live)
		*VEC_PUSH(&r->live_new) = live_row(c->item);
	else if (c->was_live)
		*VEC_PUSH(&r->live_gone) = (struct id_row){.id = c->item->id};
	if (!c->is_live)
		*VEC_PUSH(&r->done_new) = done_row(p, c);
	if (c->was_finished)
		*VEC_PUSH(&r->done_gone) = (struct id_row){.id = c->item->id};
	if (is_new && c->body)
		*VEC_PUSH(&r->bodies) = *(const struct work_body_row *)c->body;
}

static void collect(struct persist *p)
{
	struct persist_rows *r = p->rows;
	r->queues.n = r->live_new.n = r->live_changed.n = r->live_gone.n = 0;
	r->bodies.n = r->done_new.n = r->done_gone.n = 0;
	for (struct work_queue *q = work_unstored_queues(p->work); q; q = q->next_unstored)
		*VEC_PUSH(&r->queues) = (struct queue_row){
			.id = q->id, .tenant = q->tenant, .type = name_str(q->type), .team = name_str(q->team)};
	struct work_change change;
	for (size_t i = 0; work_next_change(p->work, &i, &change);)
		collect_change(p, &change);
}

static enum err write_events(struct persist *p, struct db *db)
{
	size_t count;
	const struct work_happening *h = work_happenings(p->work, &count);
	buf_reset(&p->events);
	for (size_t i = 0; i < count; i++)
		eventlog_encode(&p->events, &h[i]);
	if (count == 0)
		return OK;
	struct event_row row = {.seq = p->next_batch, .at_ms = p->now_ms, .events = buf_str(&p->events)};
	return q_event_insert(db, &row, 1);
}

static enum err forget(struct persist *p, struct db *db, int64_t now_ms)
{
	struct forget_before before = {.events_ms = now_ms - p->config.events_kept_ms,
				       .keys_ms = now_ms - IDEMPOTENCY_KEPT_MS};
	return forget_step(&p->forget, db, p->arena, now_ms, &before);
}

#define WRITE(query, vec) \
	if (!err)         \
	err = query(db, (vec).v, (vec).n)

enum err persist_flush(struct persist *p, struct db *db)
{
	struct persist_rows *r = p->rows;
	collect(p);
	enum err err = OK;
	WRITE(q_queue_insert, r->queues);
	WRITE(q_work_live_delete, r->live_gone);
	WRITE(q_work_done_delete, r->done_gone);
	WRITE(q_work_live_insert, r->live_new);
	WRITE(q_work_live_update, r->live_changed);
	WRITE(q_work_body_insert, r->bodies);
	WRITE(q_work_done_insert, r->done_new);
	WRITE(q_idempotency_delete, p->idempotency_expired);
	WRITE(q_idempotency_insert, p->idempotency);
	if (!err)
		err = write_events(p, db);
	if (!err && forget_is_due(&p->forget, p->now_ms, p->idempotency.n))
		err = forget(p, db, p->now_ms);
	return err;
}

#undef WRITE

static void keep_bodies(struct persist *p)
{
	struct work_change c;
	for (size_t i = 0; work_next_change(p->work, &i, &c);) {
		if (!c.is_live)
			bodies_drop(p->bodies, c.item->id);
		else if (!c.was_live && !c.was_finished && c.body)
			bodies_put(p->bodies, c.body);
	}
}

void persist_end(struct persist *p, enum err outcome)
{
	size_t happened;
	work_happenings(p->work, &happened);
	if (!outcome) {
		keep_bodies(p);
		if (p->next_batch > p->batch) {
			p->batch = p->next_batch;
			if (happened > 0)
				eventlog_append(p->config.log, p->batch, buf_str(&p->events));
		}
		work_commit(p->work);
	} else {
		work_undo(p->work);
	}
	p->next_batch = 0;
	p->idempotency.n = p->idempotency_expired.n = 0;
	arena_reset(p->arena);
}

enum err persist_ask(struct persist *p, struct db *db, bool *committed)
{
	struct owner_outcome_in in = {.id = p->config.process_id};
	struct owner_outcome_out row;
	enum err err = q_owner_outcome(db, &in, p->arena, &row);
	if (err)
		return err;
	if (row.epoch != p->epoch)
		return ERR_NOT_FOUND;
	*committed = row.batch == p->next_batch;
	return OK;
}

void persist_idle(struct persist *p, struct db *db)
{
	if (db_begin(db) == OK && forget(p, db, clock_now_ms(p->config.clock)) == OK)
		db_commit(db);
	else
		db_rollback(db);
}

/* ---- for handlers ---- */

enum err persist_enqueue(struct persist *p, const struct work_spec *spec, struct work_body_row *body,
			 struct item **out, bool *existed, struct problem *problem)
{
	struct work_spec with_body = *spec;
	with_body.body = body;
	enum err err = work_enqueue(p->work, &with_body, out, existed, problem);
	if (err || *existed)
		return err;
	body->id = (*out)->id;
	body->tenant = spec->tenant;
	return OK;
}

struct body_reading {
	struct persist *p;
	struct work_body_row *rows;
	const size_t *places; /* of the missing ones among rows */
};

static enum err body_read(void *ctx, size_t i, const void *found)
{
	struct body_reading *r = ctx;
	struct arena *a = r->p->arena;
	const struct work_body_row *row = found;
	if (!row)
		return ERR_INTERNAL; /* a live item always has one */
	struct work_body_row *to = &r->rows[r->places[i]];
	*to = *row;
	to->key = arena_kept(a, row->key);
	to->title = arena_kept(a, row->title);
	to->description = arena_kept(a, row->description);
	to->payload = arena_kept(a, row->payload);
	to->labels = arena_kept(a, row->labels);
	to->trace = arena_kept(a, row->trace);
	return OK;
}

enum err persist_bodies(struct persist *p, struct item *const *items, size_t count, struct work_body_row *rows)
{
	struct id_row *missing = ARENA_ARRAY(p->arena, struct id_row, count);
	size_t *places = ARENA_ARRAY(p->arena, size_t, count);
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		const struct work_body_row *known = work_new_body(p->work, items[i]);
		if (!known)
			known = bodies_get(p->bodies, items[i]->id);
		if (known) {
			rows[i] = *known;
		} else {
			missing[n].id = items[i]->id;
			places[n++] = i;
		}
	}
	if (n == 0)
		return OK;
	struct body_reading r = {.p = p, .rows = rows, .places = places};
	return q_work_body_get_each(p->db, missing, n, body_read, &r);
}

enum err persist_finished(struct persist *p, int64_t tenant, int64_t id, struct work_done_row *out)
{
	struct work_change now;
	if (work_finished_now(p->work, id, &now)) {
		*out = done_row(p, &now);
	} else {
		struct id_row in = {.id = id};
		enum err err = q_work_done_get(p->db, &in, p->arena, out);
		if (err)
			return err;
	}
	return out->tenant == tenant ? OK : ERR_NOT_FOUND;
}

/* Is `key` the key of that item? The hashes are equal, so it nearly always is. */
bool persist_key_is(void *ctx, const struct item *item, struct str key)
{
	struct persist *p = ctx;
	struct item *one = work_find(p->work, item->id);
	struct work_body_row row;
	if (!one || persist_bodies(p, &one, 1, &row) != OK) {
		LOG_E("work.key_unreadable", "item=%lld", (long long)item->id);
		return true; /* the hash says so */
	}
	return str_eq(row.key, key);
}
