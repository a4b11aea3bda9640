/* See rows.h. The columns are those of sql/queries/work.sql. */
#include "rows.h"

#include <string.h>

static struct str own(struct str s)
{
	char *p;

	if (!s.n)
		return (struct str){0};
	p = must_alloc(s.n);
	memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

static void replace(struct str *slot, struct str s)
{
	struct str fresh = own(s);

	free((void *)(uintptr_t)slot->p);
	*slot = fresh;
}

static void row_free(struct row *row)
{
	struct str *texts[] = {&row->l.assignee, &row->l.created_by, &row->l.claimed_by,
			       &row->l.note,     &row->l.depends,    &row->l.history};

	for (size_t i = 0; row && i < sizeof(texts) / sizeof(texts[0]); i++)
		replace(texts[i], (struct str){0});
	free(row);
}

/* What work_live_update writes. */
static void update(struct row *row, const struct item *i)
{
	struct work_loading *l = &row->l;

	l->state = i->state;
	l->changed_ms = i->changed_ms;
	l->run_at_ms = i->run_at_ms;
	l->ready_ms = i->ready_ms;
	l->lease_ms = i->lease_ms;
	l->lease_until_ms = i->lease_until_ms;
	l->attempt = i->attempt;
	l->failures = i->failures;
	l->progress = i->progress;
	l->token_epoch = i->token_epoch;
	l->token_random = i->token_random;
	l->outcome = i->outcome;
	replace(&l->claimed_by, name_str(i->claimed_by));
	replace(&l->note, work_blob_str(i->note));
	replace(&l->depends, work_blob_str(i->depends));
	replace(&l->history, work_blob_str(i->history));
}

static struct row *row_of(const struct item *i)
{
	struct row *row = NEW(struct row);

	row->l = (struct work_loading){.id = i->id,
				       .tenant = i->queue->tenant,
				       .queue = i->queue->id,
				       .created_ms = i->created_ms,
				       .deadline_ms = i->deadline_ms,
				       .max_attempts = i->max_attempts,
				       .backoff_base_ms = i->backoff_base_ms,
				       .backoff_max_ms = i->backoff_max_ms,
				       .key_hash = i->key_hash,
				       .priority = i->priority,
				       .backoff_kind = i->backoff_kind,
				       .assignee = own(name_str(i->assignee)),
				       .created_by = own(name_str(i->created_by))};
	update(row, i);
	return row;
}

static const char *remove_from(struct map *m, int64_t id)
{
	struct row *row = map_take(m, (uint64_t)id);

	if (!row)
		return "a row that is not there was deleted";
	row_free(row);
	return NULL;
}

static const char *insert_into(struct map *m, struct row *row)
{
	return map_put(m, (uint64_t)row->l.id, row) ? "a row that is there was inserted" : NULL;
}

static const char *apply(struct rows *r, const struct work_change *c)
{
	const struct item *i = c->item;
	const char *fault = NULL;
	struct row *row;

	if (i->id > r->highest)
		r->highest = i->id;
	if (c->is_live && c->was_live) {
		row = map_get(&r->live, (uint64_t)i->id);
		if (!row)
			return "a row that is not there was updated";
		update(row, i);
		return NULL;
	}
	if (c->was_live)
		fault = remove_from(&r->live, i->id);
	if (!fault && c->was_finished)
		fault = remove_from(&r->done, i->id);
	if (fault)
		return fault;
	row = row_of(i);
	row->finished_ms = c->finished_ms;
	return insert_into(c->is_live ? &r->live : &r->done, row);
}

const char *rows_apply(struct rows *r, struct work *w)
{
	struct work_change c;
	const char *fault = NULL;

	for (struct work_queue *q = work_unstored_queues(w); q; q = q->next_unstored) {
		struct row_queue *row = VEC_PUSH(&r->queues);

		*row = (struct row_queue){.id = q->id, .tenant = q->tenant};
		memcpy(row->type, q->type->text, q->type->length);
		if (q->team)
			memcpy(row->team, q->team->text, q->team->length);
		if (q->id > r->highest)
			r->highest = q->id;
	}
	for (size_t i = 0; !fault && work_next_change(w, &i, &c);)
		fault = apply(r, &c);
	return fault;
}

#define SAME(column, value)       \
	if (l->column != (value)) \
	return #column
#define SAME_TEXT(column, value)         \
	if (!str_eq(l->column, (value))) \
	return #column

const char *rows_differ(const struct rows *r, const struct work *w, const struct item *i)
{
	const struct row *row = map_get(&r->live, (uint64_t)i->id);
	const struct work_loading *l;

	(void)w;
	if (!row)
		return "there is no row";
	l = &row->l;
	SAME(tenant, i->queue->tenant);
	SAME(queue, i->queue->id);
	SAME(state, i->state);
	SAME(priority, i->priority);
	SAME(created_ms, i->created_ms);
	SAME(changed_ms, i->changed_ms);
	SAME(run_at_ms, i->run_at_ms);
	SAME(ready_ms, i->ready_ms);
	SAME(deadline_ms, i->deadline_ms);
	SAME(lease_ms, i->lease_ms);
	SAME(lease_until_ms, i->lease_until_ms);
	SAME(attempt, i->attempt);
	SAME(failures, i->failures);
	SAME(max_attempts, i->max_attempts);
	SAME(backoff_kind, i->backoff_kind);
	SAME(backoff_base_ms, i->backoff_base_ms);
	SAME(backoff_max_ms, i->backoff_max_ms);
	SAME(progress, i->progress);
	SAME(token_epoch, i->token_epoch);
	SAME(token_random, i->token_random);
	SAME(key_hash, i->key_hash);
	SAME(outcome, i->outcome);
	SAME_TEXT(assignee, name_str(i->assignee));
	SAME_TEXT(created_by, name_str(i->created_by));
	SAME_TEXT(claimed_by, name_str(i->claimed_by));
	SAME_TEXT(note, work_blob_str(i->note));
	SAME_TEXT(depends, work_blob_str(i->depends));
	SAME_TEXT(history, work_blob_str(i->history));
	return NULL;
}

#undef SAME
#undef SAME_TEXT

void rows_forget_done(struct rows *r, int64_t id)
{
	remove_from(&r->done, id);
}

static enum err load_items(struct rows *r, struct work *w, int64_t now_ms, struct rng *rng, struct problem *p)
{
	VEC(struct row *) all = {0};
	struct row *row;
	enum err err = OK;

	for (size_t i = 0; (row = map_next(&r->live, &i));) {
		size_t k = rng_below(rng, all.n + 1);

		*VEC_PUSH(&all) = row;
		all.v[all.n - 1] = all.v[k];
		all.v[k] = row;
	}
	for (size_t i = 0; !err && i < all.n; i++) {
		err = work_load(w, &all.v[i]->l, now_ms, p);
		if (!err)
			all.v[i]->l.lease_until_ms = work_find(w, all.v[i]->l.id)->lease_until_ms;
	}
	VEC_FREE(&all);
	return err;
}

enum err rows_load(struct rows *r, struct work *w, int64_t now_ms, struct rng *rng, struct problem *p)
{
	enum err err;

	for (size_t i = 0; i < r->queues.n; i++)
		work_load_queue(w, r->queues.v[i].id, r->queues.v[i].tenant, str_of(r->queues.v[i].type),
				str_of(r->queues.v[i].team));
	err = load_items(r, w, now_ms, rng, p);
	work_loaded(w, r->highest);
	return err;
}

static void free_all(struct map *m)
{
	struct row *row;

	for (size_t i = 0; (row = map_next(m, &i));)
		row_free(row);
	map_free(m);
}

void rows_free(struct rows *r)
{
	free_all(&r->live);
	free_all(&r->done);
	VEC_FREE(&r->queues);
}
