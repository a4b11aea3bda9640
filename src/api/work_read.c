/*
 * The queue's calls that look. One item is read by its id from the rows, which are exactly what memory holds. A
 * list is put together from memory (live items, on the queue's thread) and from work_done (finished ones, on a
 * connection that reads), both by id, newest first; each half visits a bounded number of entries, so a page may be
 * short.
 */
#include "api/api.h"
#include "api/app.h"

#include "store/page.h"

#include <string.h>

enum { VISIT_MAX = 10000, VISIT_MAX_WORDS = 1000 };

/* What visit_done() answers to end the reading; no error of the store. */
#define PAGE_FULL ERR_TOO_MANY

static bool is_finished(int state)
{
	return state >= WORK_COMPLETED;
}

/* ---- one item ---- */

static void put_body(struct work_item *to, const struct work_body_row *b)
{
	if (b->title.n)
		PUT(to, work_item, title, b->title);
	if (b->description.n)
		PUT(to, work_item, description, b->description);
	if (b->payload.n)
		PUT(to, work_item, payload, b->payload);
	if (b->key.n)
		PUT(to, work_item, key, b->key);
	if (b->trace.n)
		PUT(to, work_item, trace, b->trace);
	if (b->labels.n)
		PUT(to, work_item, labels, b->labels);
	if (b->estimated_ms)
		PUT(to, work_item, estimated_ms, b->estimated_ms);
	if (b->points > 0)
		PUT(to, work_item, points, b->points);
}

static void put_people(struct work_item *to, struct str claimed_by, struct str assignee, struct str created_by,
		       struct str note)
{
	if (claimed_by.n)
		PUT(to, work_item, claimed_by, claimed_by);
	if (assignee.n)
		PUT(to, work_item, assignee, assignee);
	if (created_by.n)
		PUT(to, work_item, created_by, created_by);
	if (note.n)
		PUT(to, work_item, note, note);
}

static void put_times(struct work_item *to, int64_t run_at, int64_t ready, int64_t deadline, int64_t lease_until)
{
	if (run_at)
		PUT(to, work_item, run_at, run_at);
	if (ready)
		PUT(to, work_item, ready_at, ready);
	if (deadline)
		PUT(to, work_item, deadline, deadline);
	if (lease_until)
		PUT(to, work_item, lease_until, lease_until);
}

static void put_backoff(struct work_item *to, int64_t kind, int64_t base_ms, int64_t max_ms)
{
	struct work_backoff b = {.kind = (int)kind, .base_ms = base_ms, .max_ms = max_ms};
	b.seen = BIT(work_backoff, kind) | BIT(work_backoff, base_ms) | BIT(work_backoff, max_ms);
	PUT(to, work_item, backoff, b);
}

static size_t count_depends(struct str blob)
{
	struct work_depends_entry entry;
	size_t n = 0;
	while (work_depends_next(&blob, &entry))
		n++;
	return n;
}

static void put_depends(struct call *c, struct work_item *to, struct str blob)
{
	size_t n = count_depends(blob), i = 0;
	struct work_dependency *all = n ? ARENA_ARRAY(c->arena, struct work_dependency, n) : NULL;
	struct work_depends_entry entry;
	if (!all)
		return;
	for (; work_depends_next(&blob, &entry); i++) {
		PUT(&all[i], work_dependency, id, entry.id);
		PUT(&all[i], work_dependency, on_failure, entry.on_failure);
	}
	PUT(to, work_item, depends_on, all);
	to->depends_on_count = n;
}

static size_t count_history(struct str blob)
{
	struct work_history_entry entry;
	size_t n = 0;
	while (work_history_next(&blob, &entry))
		n++;
	return n;
}

static void put_history_entry(struct work_history_item *to, const struct work_history_entry *e)
{
	to->at = e->at_ms;
	to->kind = e->kind;
	if (e->attempt)
		PUT(to, work_history_item, attempt, e->attempt);
	if (e->agent.n)
		PUT(to, work_history_item, agent, e->agent);
	if (e->note.n)
		PUT(to, work_history_item, note, e->note);
	if (e->folded)
		PUT(to, work_history_item, folded, e->folded);
}

/* That it was enqueued is no entry of the row: its own columns tell. */
static void put_history(struct call *c, struct work_item *to, struct str blob)
{
	size_t n = count_history(blob) + 1, i = 1;
	struct work_history_item *all = ARENA_ARRAY(c->arena, struct work_history_item, n);
	struct work_history_entry entry;
	if (!all)
		return;
	all[0] = (struct work_history_item){.at = to->created_at, .kind = EVENT_ENQUEUED};
	if (HAS(to, work_item, created_by))
		PUT(&all[0], work_history_item, agent, to->created_by);
	for (; work_history_next(&blob, &entry); i++)
		put_history_entry(&all[i], &entry);
	PUT(to, work_item, history, all);
	to->history_count = n;
}

static enum err put_queue(struct call *c, int64_t queue, struct work_item *to)
{
	struct id_row in = {.id = queue};
	struct queue_row row;
	enum err err = q_queue_get(c->db, &in, c->arena, &row);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_INTERNAL : err;
	to->type = row.type;
	if (row.team.n)
		PUT(to, work_item, team, row.team);
	return OK;
}

/* Who held it last stays with an item; while it waits for the next one, nobody holds it. */
static bool is_held(int state)
{
	return state == WORK_LEASED;
}

static void put_live(struct call *c, struct work_item *to, const struct work_live_row *r)
{
	*to = (struct work_item){.id = r->id,
				 .state = (int)r->state,
				 .priority = (int)r->priority,
				 .progress = r->progress,
				 .attempt = r->attempt,
				 .failures = r->failures,
				 .max_attempts = r->max_attempts,
				 .created_at = r->created_ms,
				 .changed_at = r->changed_ms,
				 .lease_ms = r->lease_ms,
				 .slot = id_slot(r->id)};
	put_people(to, is_held(to->state) ? r->claimed_by : (struct str){0}, r->assignee, r->created_by, r->note);
	put_times(to, r->run_at_ms, r->ready_ms, r->deadline_ms, r->lease_until_ms);
	put_backoff(to, r->backoff_kind, r->backoff_base_ms, r->backoff_max_ms);
	put_depends(c, to, r->depends);
	put_history(c, to, r->history);
}

static void put_done(struct call *c, struct work_item *to, const struct work_done_row *r)
{
	*to = (struct work_item){.id = r->id,
				 .state = (int)r->state,
				 .priority = (int)r->priority,
				 .progress = r->progress,
				 .attempt = r->attempt,
				 .failures = r->failures,
				 .max_attempts = r->max_attempts,
				 .created_at = r->created_ms,
				 .changed_at = r->finished_ms,
				 .lease_ms = r->lease_ms,
				 .slot = id_slot(r->id)};
	put_people(to, r->claimed_by, r->assignee, r->created_by, r->note);
	put_times(to, r->run_at_ms, r->ready_ms, r->deadline_ms, 0);
	PUT(to, work_item, finished_at, r->finished_ms);
	put_backoff(to, r->backoff_kind, r->backoff_base_ms, r->backoff_max_ms);
	put_depends(c, to, r->depends);
	put_history(c, to, r->history);
	if (r->result.n)
		PUT(to, work_item, result, r->result);
	if (r->error.n)
		PUT(to, work_item, error, r->error);
	if (r->used.n)
		PUT(to, work_item, used, r->used);
	if (r->cause)
		PUT(to, work_item, cause, r->cause);
}

static enum err read_row(struct call *c, int64_t id, struct work_item *out, int64_t *queue)
{
	struct id_row in = {.id = id};
	struct work_live_row live;
	struct work_done_row done;
	enum err err = q_work_live_get(c->db, &in, c->arena, &live);
	if (!err && live.tenant == c->caller.tenant) {
		put_live(c, out, &live);
		*queue = live.queue;
		return OK;
	}
	if (err == ERR_NOT_FOUND) {
		err = q_work_done_get(c->db, &in, c->arena, &done);
		if (!err && done.tenant == c->caller.tenant) {
			put_done(c, out, &done);
			*queue = done.queue;
			return OK;
		}
	}
	return err ? err : ERR_NOT_FOUND;
}

enum err api_work_show(struct call *c, const struct work_id *in, struct work_item *out)
{
	int64_t queue = 0;
	struct id_row id = {.id = in->id};
	struct work_body_row body;
	enum err err = read_row(c, in->id, out, &queue);
	if (err == ERR_NOT_FOUND) /* between the two reads it may have moved from one table to the other */
		err = read_row(c, in->id, out, &queue);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "there is no such item here");
	if (!err)
		err = put_queue(c, queue, out);
	if (!err)
		err = q_work_body_get(c->db, &id, c->arena, &body);
	if (!err)
		put_body(out, &body);
	return err;
}

/* ---- lists: the half from memory ---- */

/* What the first half leaves for the second. */
struct listing {
	int64_t below;       /* the cursor */
	bool live, finished; /* which halves are wanted */
	size_t visit_max;
	int64_t live_stopped; /* the live half is complete down to this id; 0: to the end */
	struct work_summary *live_items;
	size_t live_count;
};

static struct work_summary summary_of(struct call *c, const struct item *i)
{
	struct work_summary s = {.id = i->id,
				 .state = i->state,
				 .type = arena_str(c->arena, name_str(i->queue->type)),
				 .priority = i->priority,
				 .progress = i->progress,
				 .attempt = i->attempt,
				 .created_at = i->created_ms,
				 .changed_at = i->changed_ms};
	if (i->queue->team)
		PUT(&s, work_summary, team, arena_str(c->arena, name_str(i->queue->team)));
	if (i->claimed_by && is_held(i->state))
		PUT(&s, work_summary, claimed_by, arena_str(c->arena, name_str(i->claimed_by)));
	if (i->assignee)
		PUT(&s, work_summary, assignee, arena_str(c->arena, name_str(i->assignee)));
	return s;
}

static struct work_filter filter_of(const struct call *c, const struct work_list_in *in)
{
	struct work_filter f = {.tenant = c->caller.tenant, .state = -1, .priority = -1};
	if (HAS(in, work_list_in, state))
		f.state = in->state;
	if (HAS(in, work_list_in, type))
		f.type = in->type;
	if (HAS(in, work_list_in, team))
		f.team = in->team.n ? in->team : STR("");
	if (HAS(in, work_list_in, agent))
		f.agent = in->agent;
	if (HAS(in, work_list_in, priority))
		f.priority = in->priority;
	return f;
}

enum err api_work_list(struct call *c, const struct work_list_in *in, struct work_list_out *out)
{
	(void)out;
	struct listing *l = ARENA_NEW(c->arena, struct listing);
	enum err err = page_cursor_read(HAS(in, work_list_in, cursor), in->cursor, &l->below, &c->problem);
	if (err)
		return err;
	bool words = HAS(in, work_list_in, q);
	l->live = !HAS(in, work_list_in, state) || !is_finished(in->state);
	l->finished = !HAS(in, work_list_in, state) || is_finished(in->state);
	l->visit_max = words ? VISIT_MAX_WORDS : VISIT_MAX;
	/* With words, titles decide, and they are read later: take all that is visited. */
	size_t max = words ? l->visit_max : (size_t)in->limit;
	if (l->live) {
		struct work_filter f = filter_of(c, in);
		struct item **items = ARENA_ARRAY(c->arena, struct item *, max);
		l->live_items = ARENA_ARRAY(c->arena, struct work_summary, max);
		if (!items || !l->live_items)
			return ERR_INTERNAL;
		size_t n = work_list(call_app(c)->persist->work, &f, l->below, l->visit_max, max, items,
				     &l->live_stopped);
		for (; l->live_count < n; l->live_count++)
			l->live_items[l->live_count] = summary_of(c, items[l->live_count]);
	}
	c->found = l;
	return OK;
}

/* ---- lists: the half from the rows ---- */

struct page {
	struct call *c;
	const struct work_list_in *in;
	struct listing *l;
	struct map queues;          /* id to struct queue_row, of this page */
	struct work_summary *items; /* finished ones, newest first … */
	int64_t *queue_of;          /* … and their queues */
	size_t count, visited;
	size_t enough; /* stop when so many were found */
	bool stopped_early;
	int64_t done_stopped; /* the last one visited */
};

static bool done_matches(struct page *p, const struct work_done_summary *r)
{
	const struct work_list_in *in = p->in;
	if (r->tenant != p->c->caller.tenant || (HAS(in, work_list_in, state) && r->state != in->state) ||
	    (HAS(in, work_list_in, priority) && r->priority != in->priority))
		return false;
	return !HAS(in, work_list_in, agent) || str_eq(r->claimed_by, in->agent) || str_eq(r->assignee, in->agent);
}

static enum err visit_done(void *ctx, const void *found)
{
	struct page *p = ctx;
	const struct work_done_summary *r = found;
	p->visited++;
	p->done_stopped = r->id;
	if (!done_matches(p, r))
		return OK;
	struct work_summary *s = &p->items[p->count++];
	*s = (struct work_summary){.id = r->id,
				   .state = (int)r->state,
				   .priority = (int)r->priority,
				   .progress = r->progress,
				   .attempt = r->attempt,
				   .created_at = r->created_ms,
				   .changed_at = r->finished_ms};
	p->queue_of[p->count - 1] = r->queue;
	if (r->claimed_by.n)
		PUT(s, work_summary, claimed_by, arena_str(p->c->arena, r->claimed_by));
	if (r->assignee.n)
		PUT(s, work_summary, assignee, arena_str(p->c->arena, r->assignee));
	if (r->error.n)
		PUT(s, work_summary, error, arena_str(p->c->arena, r->error));
	return p->count >= p->enough ? PAGE_FULL : OK;
}

/* Finished items of this tenant that fit all of the filter but type and team, which only the queue's row tells. */
static enum err read_done(struct page *p)
{
	struct work_done_page_in in = {.below = p->l->below, .visit = (int64_t)p->l->visit_max};
	p->items = ARENA_ARRAY(p->c->arena, struct work_summary, p->l->visit_max);
	p->queue_of = ARENA_ARRAY(p->c->arena, int64_t, p->l->visit_max);
	if (!p->items || !p->queue_of)
		return ERR_INTERNAL;
	bool filtered_later =
		HAS(p->in, work_list_in, type) || HAS(p->in, work_list_in, team) || HAS(p->in, work_list_in, q);
	p->enough = filtered_later ? SIZE_MAX : (size_t)p->in->limit + 1;
	enum err err = q_work_done_page(p->c->db, &in, visit_done, p);
	p->stopped_early = err == PAGE_FULL;
	return p->stopped_early ? OK : err;
}

static enum err queue_by_id(struct page *p, int64_t id, const struct queue_row **out)
{
	struct queue_row *row = map_get(&p->queues, (uint64_t)id);
	*out = row;
	if (row)
		return OK;
	struct id_row in = {.id = id};
	row = ARENA_NEW(p->c->arena, struct queue_row);
	enum err err = row ? q_queue_get(p->c->db, &in, p->c->arena, row) : ERR_INTERNAL;
	if (err)
		return err;
	map_put(&p->queues, (uint64_t)id, row);
	*out = row;
	return OK;
}

/* Names the type and team of what was read, and drops what is of another. */
static enum err name_queues(struct page *p)
{
	const struct work_list_in *in = p->in;
	size_t kept = 0;
	for (size_t i = 0; i < p->count; i++) {
		const struct queue_row *queue;
		enum err err = queue_by_id(p, p->queue_of[i], &queue);
		if (err)
			return err;
		if ((HAS(in, work_list_in, type) && !str_eq(queue->type, in->type)) ||
		    (HAS(in, work_list_in, team) && !str_eq(queue->team, in->team)))
			continue;
		p->items[kept] = p->items[i];
		p->items[kept].type = queue->type;
		if (queue->team.n)
			PUT(&p->items[kept], work_summary, team, queue->team);
		kept++;
	}
	p->count = kept;
	return OK;
}

/* Both halves as one, newest first, as far down as both are complete. */
static size_t merge(struct page *p, int64_t complete_to, struct work_summary *out)
{
	const struct listing *l = p->l;
	size_t live = 0, done = 0, n = 0;
	while (live < l->live_count || done < p->count) {
		bool from_live =
			done == p->count || (live < l->live_count && l->live_items[live].id > p->items[done].id);
		const struct work_summary *s = from_live ? &l->live_items[live++] : &p->items[done++];
		bool twice = n > 0 && out[n - 1].id == s->id; /* it finished between the halves */
		if (s->id >= complete_to && !twice)
			out[n++] = *s;
	}
	return n;
}

struct titling {
	struct call *c;
	struct work_summary *items;
};

static enum err put_title(void *ctx, size_t i, const void *row)
{
	struct titling *t = ctx;
	const struct work_body_row *body = row;
	if (body && body->title.n)
		PUT(&t->items[i], work_summary, title, arena_str(t->c->arena, body->title));
	if (body && body->key.n)
		PUT(&t->items[i], work_summary, key, arena_str(t->c->arena, body->key));
	return OK;
}

static enum err read_titles(struct call *c, struct work_summary *items, size_t count)
{
	struct id_row *ids = ARENA_ARRAY(c->arena, struct id_row, count);
	if (!ids)
		return ERR_INTERNAL;
	for (size_t i = 0; i < count; i++)
		ids[i].id = items[i].id;
	struct titling t = {c, items};
	return count ? q_work_body_get_each(c->db, ids, count, put_title, &t) : OK;
}

static bool has_word(struct str title, struct str word)
{
	for (size_t i = 0; i + word.n <= title.n; i++)
		if (str_eq_nocase((struct str){title.p + i, word.n}, word))
			return true;
	return false;
}

static bool has_words(struct str title, struct str words)
{
	while (words.p) {
		struct str word = str_cut(words, ' ', &words);
		if (word.n && !has_word(title, word))
			return false;
	}
	return true;
}

static size_t keep_with_words(struct work_summary *items, size_t count, struct str words)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (has_words(items[i].title, words))
			items[kept++] = items[i];
	return kept;
}

static enum err fill_page(struct page *p, struct work_list_out *out)
{
	struct listing *l = p->l;
	size_t limit = (size_t)p->in->limit;
	bool words = HAS(p->in, work_list_in, q);
	bool done_complete = !l->finished || (p->visited < l->visit_max && !p->stopped_early);
	int64_t complete_to = done_complete ? 0 : p->done_stopped;
	if (l->live_stopped > complete_to)
		complete_to = l->live_stopped;
	out->items = ARENA_ARRAY(p->c->arena, struct work_summary, l->live_count + p->count);
	if (!out->items)
		return ERR_INTERNAL;
	size_t n = merge(p, complete_to, out->items);
	if (!words && n > limit) /* titles of what is not shown are not read */
		n = limit + 1;
	enum err err = read_titles(p->c, out->items, n);
	if (err)
		return err;
	if (words)
		n = keep_with_words(out->items, n, p->in->q);
	struct page_end end = page_cut(p->c->arena, n, limit, n > limit ? out->items[limit - 1].id : complete_to);
	PAGE_PUT(out, work_list_out, end);
	return OK;
}

enum err api_work_list_read(struct call *c, const struct work_list_in *in, struct work_list_out *out)
{
	struct page p = {.c = c, .in = in, .l = c->found};
	enum err err = p.l->finished ? read_done(&p) : OK;
	if (!err)
		err = name_queues(&p);
	if (!err)
		err = fill_page(&p, out);
	map_free(&p.queues);
	return err;
}
