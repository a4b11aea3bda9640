/*
 * A ring of batches under one lock. A reader takes a counted reference to a batch under the lock and decodes it
 * outside, so that a slow reader holds nobody up.
 */
#include "work/eventlog.h"

#include "base/magic.h"
#include "store/queries.h"
#include "work/work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { FETCH_BATCHES = 256 };

struct chunk {
	int64_t seq;
	atomic_int users;
	size_t n;
	char bytes[];
};

struct eventlog {
	pthread_mutex_t lock;
	struct chunk **ring; /* by growing seq: count of them from `first` on; cap is a power of two */
	size_t first, count, cap;
	int64_t before; /* every batch above this seq is in memory */
	int64_t end;    /* the newest seq, in memory or not */
	size_t bytes, max_bytes;
};

/* ---- cursors ---- */

bool event_cursor_parse(struct str text, struct event_cursor *out)
{
	struct str rest;
	struct str seq = str_cut(text, '.', &rest);
	return rest.p && str_to_i64(seq, &out->seq) && str_to_i64(rest, &out->index) && out->seq > 0 &&
	       out->index >= 0;
}

void event_cursor_format(const struct event_cursor *c, struct buf *b)
{
	buf_i64(b, c->seq);
	buf_c(b, '.');
	buf_i64(b, c->index);
}

/* ---- the compact form ---- */

void eventlog_encode(struct buf *b, const struct work_happening *h)
{
	buf_varint(b, (uint64_t)h->id);
	buf_varint(b, (uint64_t)h->queue->tenant);
	buf_varint(b, (uint64_t)h->at_ms);
	buf_c(b, (char)h->kind);
	buf_c(b, (char)h->state);
	buf_c(b, (char)h->progress);
	buf_varint(b, h->attempt);
	buf_lenstr(b, name_str(h->queue->type));
	buf_lenstr(b, name_str(h->queue->team));
	buf_lenstr(b, name_str(h->agent));
	buf_lenstr(b, name_str(h->holder));
}

static bool take_byte(struct str *s, int *out)
{
	if (s->n == 0)
		return false;
	*out = (unsigned char)*s->p;
	s->p++;
	s->n--;
	return true;
}

static bool decode(struct str *s, struct event *e)
{
	uint64_t id, tenant, at, attempt;
	int progress;
	struct work_event *w = &e->event;
	*w = (struct work_event){0};
	struct str team, agent;
	if (!take_varint(s, &id) || !take_varint(s, &tenant) || !take_varint(s, &at) || !take_byte(s, &w->kind) ||
	    !take_byte(s, &w->state) || !take_byte(s, &progress) || !take_varint(s, &attempt) ||
	    !take_lenstr(s, &w->type) || !take_lenstr(s, &team) || !take_lenstr(s, &agent) ||
	    !take_lenstr(s, &e->holder))
		return false;
	e->tenant = (int64_t)tenant;
	w->id = (int64_t)id;
	w->at = (int64_t)at;
	w->attempt = (int64_t)attempt;
	if (w->kind == EVENT_PROGRESS)
		PUT(w, work_event, progress, progress);
	if (team.n)
		PUT(w, work_event, team, team);
	if (agent.n)
		PUT(w, work_event, agent, agent);
	return true;
}

/* Gives the events of one batch that stand behind *c; false when fn stopped. */
static bool give(int64_t seq, struct str bytes, struct event_cursor *c, event_fn *fn, void *ctx)
{
	struct event e = {.at = {seq, -1}};
	while (bytes.n > 0 && decode(&bytes, &e)) {
		e.at.index++;
		if (seq == c->seq && e.at.index <= c->index)
			continue;
		if (!fn(ctx, &e))
			return false;
		*c = e.at;
	}
	if (seq > c->seq)
		*c = (struct event_cursor){seq, -1};
	return true;
}

/* ---- the ring ---- */

struct eventlog *eventlog_new(size_t max_bytes)
{
	struct eventlog *l = NEW(struct eventlog);
	pthread_mutex_init(&l->lock, NULL);
	l->max_bytes = max_bytes;
	return l;
}

static void chunk_drop(struct chunk *c)
{
	if (atomic_fetch_sub(&c->users, 1) == 1)
		free(c);
}

static struct chunk *chunk_at(const struct eventlog *l, size_t i)
{
	return l->ring[(l->first + i) & (l->cap - 1)];
}

static void forget_first(struct eventlog *l)
{
	struct chunk *c = chunk_at(l, 0);
	l->first++;
	l->count--;
	l->before = c->seq;
	l->bytes -= sizeof *c + c->n;
	chunk_drop(c);
}

static void ring_push(struct eventlog *l, struct chunk *c)
{
	if (l->count == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 256;
		struct chunk **ring = must_alloc(cap * sizeof(struct chunk *));
		for (size_t i = 0; i < l->count; i++)
			ring[i] = chunk_at(l, i);
		free(l->ring);
		l->ring = ring;
		l->first = 0;
		l->cap = cap;
	}
	l->ring[(l->first + l->count++) & (l->cap - 1)] = c;
}

void eventlog_destroy(struct eventlog **l)
{
	if (!*l)
		return;
	while ((*l)->count)
		forget_first(*l);
	free((*l)->ring);
	pthread_mutex_destroy(&(*l)->lock);
	free(*l);
	*l = NULL;
}

void eventlog_append(struct eventlog *l, int64_t seq, struct str events)
{
	struct chunk *c = must_alloc(sizeof *c + events.n);
	c->seq = seq;
	c->n = events.n;
	atomic_init(&c->users, 1);
	memcpy(c->bytes, events.p, events.n);
	pthread_mutex_lock(&l->lock);
	CHECK(seq > l->end);
	ring_push(l, c);
	l->end = seq;
	l->bytes += sizeof *c + c->n;
	while (l->bytes > l->max_bytes && l->count > 1)
		forget_first(l);
	pthread_mutex_unlock(&l->lock);
}

void eventlog_starts_at(struct eventlog *l, int64_t seq)
{
	pthread_mutex_lock(&l->lock);
	while (l->count)
		forget_first(l);
	l->before = l->end = seq;
	pthread_mutex_unlock(&l->lock);
}

struct event_cursor eventlog_end(struct eventlog *l)
{
	pthread_mutex_lock(&l->lock);
	struct event_cursor c = {l->end, INT64_MAX};
	pthread_mutex_unlock(&l->lock);
	return c;
}

/* Index of the first batch that can have something behind the cursor. */
static size_t find_after(const struct eventlog *l, const struct event_cursor *c)
{
	int64_t wanted = c->index == INT64_MAX ? c->seq + 1 : c->seq;
	size_t low = 0, high = l->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (chunk_at(l, middle)->seq < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* That batch with a user more; NULL and *why when there is none. */
static struct chunk *chunk_after(struct eventlog *l, const struct event_cursor *c, enum eventlog_read *why)
{
	struct chunk *found = NULL;
	*why = EVENTS_END;
	pthread_mutex_lock(&l->lock);
	if (c->seq < l->before || (c->seq == l->before && c->index != INT64_MAX && l->before > 0)) {
		*why = EVENTS_OLDER;
	} else {
		size_t i = find_after(l, c);
		if (i < l->count) {
			found = chunk_at(l, i);
			atomic_fetch_add(&found->users, 1);
		}
	}
	pthread_mutex_unlock(&l->lock);
	return found;
}

enum eventlog_read eventlog_read(struct eventlog *l, struct event_cursor *c, event_fn *fn, void *ctx)
{
	for (;;) {
		enum eventlog_read why;
		struct chunk *chunk = chunk_after(l, c, &why);
		if (!chunk)
			return why;
		bool all = give(chunk->seq, (struct str){chunk->bytes, chunk->n}, c, fn, ctx);
		if (all)
			c->index = INT64_MAX;
		chunk_drop(chunk);
		if (!all)
			return EVENTS_READ;
	}
}

/* ---- from the table ---- */

struct fetching {
	struct event_cursor *cursor;
	event_fn *fn;
	void *ctx;
	bool any, gone, stopped;
};

/* The first row must be the one the cursor stands in, unless it asks for the start. */
static enum err fetch_row(void *ctx, const void *row)
{
	struct fetching *f = ctx;
	const struct event_row *r = row;
	f->gone = f->gone || (!f->any && f->cursor->seq != 0 && f->cursor->seq != r->seq);
	f->any = true;
	if (f->gone || f->stopped)
		return OK;
	f->stopped = !give(r->seq, r->events, f->cursor, f->fn, f->ctx);
	if (!f->stopped)
		f->cursor->index = INT64_MAX;
	return OK;
}

enum err eventlog_fetch(struct eventlog *l, struct db *db, struct event_cursor *c, event_fn *fn, void *ctx,
			bool *gone)
{
	struct fetching f = {.cursor = c, .fn = fn, .ctx = ctx};
	struct event_from_in in = {.from_seq = c->seq, .count = FETCH_BATCHES};
	enum err err = q_event_from(db, &in, fetch_row, &f);
	*gone = f.gone || (!err && !f.any && c->seq != 0);
	if (!err && !f.any && c->seq == 0)
		*c = eventlog_end(l); /* nothing is stored at all */
	return err;
}
