/*
 * A ring of batches under one lock. A reader takes a counted reference to a batch under the lock and decodes it
 * outside. Beside it a table of the two newest batches by the hash of execution and of squad, read without the lock:
 * it tells of all batches since `started`, in memory or not, and a reader who has seen all but the newest of its own
 * goes there without looking into others.
 */
#include "flow/log.h"

#include "base/vec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 1 << 16 };

struct chunk {
	int64_t seq;
	atomic_int users;
	size_t bytes, count;
	struct execution_event_row rows[];
};

struct flow_log {
	pthread_mutex_t lock;
	struct chunk **ring; /* by growing seq: count of them from `first` on; cap is a power of two */
	size_t first, count, cap;
	int64_t before;          /* every batch above this one is in memory */
	_Atomic int64_t started; /* every batch above this one was appended */
	int64_t end;             /* the newest batch, in memory or not */
	size_t bytes, max_bytes;
	void (*news)(void *ctx, size_t place); /* NULL: nobody is told */
	void *news_ctx;
	_Atomic int64_t newest[PLACES], second[PLACES]; /* by hash_of() an execution or a squad */
};

/* ---- life ---- */

struct flow_log *flow_log_new(size_t max_bytes)
{
	struct flow_log *l = NEW(struct flow_log);

	pthread_mutex_init(&l->lock, NULL);
	l->max_bytes = max_bytes;
	return l;
}

void flow_log_tell(struct flow_log *l, void (*news)(void *ctx, size_t place), void *ctx)
{
	l->news = news;
	l->news_ctx = ctx;
}

static void drop(struct chunk *c)
{
	if (atomic_fetch_sub(&c->users, 1) == 1)
		free(c);
}

static struct chunk *at(const struct flow_log *l, size_t i)
{
	return l->ring[(l->first + i) & (l->cap - 1)];
}

static void drop_oldest(struct flow_log *l)
{
	struct chunk *c = at(l, 0);

	l->before = c->seq;
	l->bytes -= c->bytes;
	l->first = (l->first + 1) & (l->cap - 1);
	l->count--;
	drop(c);
}

void flow_log_destroy(struct flow_log **pl)
{
	struct flow_log *l = *pl;

	*pl = NULL;
	if (!l)
		return;
	while (l->count > 0)
		drop_oldest(l);
	pthread_mutex_destroy(&l->lock);
	free(l->ring);
	free(l);
}

/* ---- writing ---- */

static size_t hash_of(int64_t id)
{
	return (size_t)(((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15)) >> 48) & (PLACES - 1);
}

static void make_room(struct flow_log *l)
{
	size_t cap = l->cap ? 2 * l->cap : 64;
	struct chunk **ring;

	if (l->count < l->cap)
		return;
	ring = must_realloc(NULL, cap * sizeof(struct chunk *));
	for (size_t i = 0; i < l->count; i++)
		ring[i] = at(l, i);
	free(l->ring);
	l->ring = ring;
	l->first = 0;
	l->cap = cap;
}

static struct chunk *chunk_of(int64_t seq, const struct execution_event_row *rows, size_t count)
{
	size_t bytes = sizeof(struct chunk) + count * sizeof(*rows);
	struct chunk *c;
	char *text;

	for (size_t i = 0; i < count; i++)
		bytes += rows[i].events.n;
	c = must_realloc(NULL, bytes);
	c->seq = seq;
	atomic_init(&c->users, 1);
	c->bytes = bytes;
	c->count = count;
	text = (char *)&c->rows[count];
	for (size_t i = 0; i < count; i++) {
		c->rows[i] = rows[i];
		c->rows[i].events.p = memcpy(text, rows[i].events.p, rows[i].events.n);
		text += rows[i].events.n;
	}
	return c;
}

void flow_log_starts_at(struct flow_log *l, int64_t seq)
{
	pthread_mutex_lock(&l->lock);
	while (l->count > 0)
		drop_oldest(l);
	l->before = l->end = seq;
	atomic_store(&l->started, seq);
	pthread_mutex_unlock(&l->lock);
}

static void tell(struct flow_log *l, size_t place, int64_t seq)
{
	int64_t newest = atomic_load(&l->newest[place]);

	if (newest != seq) {
		atomic_store(&l->second[place], newest);
		atomic_store(&l->newest[place], seq);
	}
	if (l->news)
		l->news(l->news_ctx, place);
}

void flow_log_append(struct flow_log *l, int64_t seq, const struct execution_event_row *rows, size_t count)
{
	struct chunk *c = chunk_of(seq, rows, count);

	pthread_mutex_lock(&l->lock);
	if (seq <= l->end) {
		pthread_mutex_unlock(&l->lock);
		free(c);
		return;
	}
	make_room(l);
	l->ring[(l->first + l->count++) & (l->cap - 1)] = c;
	l->bytes += c->bytes;
	l->end = seq;
	while (l->bytes > l->max_bytes && l->count > 1)
		drop_oldest(l);
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < count; i++) {
		tell(l, hash_of(rows[i].execution), seq);
		tell(l, hash_of(rows[i].squad), seq);
	}
}

/* ---- reading ---- */

int64_t flow_log_end(struct flow_log *l)
{
	int64_t end;

	pthread_mutex_lock(&l->lock);
	end = l->end;
	pthread_mutex_unlock(&l->lock);
	return end;
}

size_t flow_log_place(const struct flow_wanted *w)
{
	return hash_of(w->execution ? w->execution : w->squad);
}

bool flow_log_has_news(const struct flow_log *l, const struct flow_wanted *w, int64_t seq)
{
	size_t place = flow_log_place(w);

	return atomic_load(&l->newest[place]) >= seq || atomic_load(&l->started) >= seq;
}

/* Over batches that have nothing of what is wanted. A batch that is appended between the two loads makes the second
 * one newer, and nothing is skipped. */
static void skip(const struct flow_log *l, const struct flow_wanted *w, int64_t *seq, int64_t *place)
{
	size_t i = flow_log_place(w);
	int64_t newest = atomic_load(&l->newest[i]), second = atomic_load(&l->second[i]);

	if (*seq > atomic_load(&l->started) && second < *seq && newest > *seq) {
		*seq = newest;
		*place = -1;
	}
}

/* The first batch at or above seq; count when there is none. */
static size_t find(const struct flow_log *l, int64_t seq)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (at(l, middle)->seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* With a user more; NULL: none. */
static struct chunk *take(struct flow_log *l, int64_t seq, bool *older)
{
	struct chunk *c = NULL;
	size_t i;

	pthread_mutex_lock(&l->lock);
	*older = seq <= l->before;
	i = find(l, seq);
	if (!*older && i < l->count) {
		c = at(l, i);
		atomic_fetch_add(&c->users, 1);
	}
	pthread_mutex_unlock(&l->lock);
	return c;
}

static bool is_wanted(const struct execution_event_row *row, const struct flow_wanted *w)
{
	return w->execution ? row->execution == w->execution : row->squad == w->squad;
}

static int by_place(const void *a, const void *b)
{
	const struct execution_event *one = a, *other = b;

	return (one->place > other->place) - (one->place < other->place);
}

/* Events of several executions of a squad stand one behind the other by their place in the batch. */
bool flow_log_give(const struct execution_event_row *rows, size_t count, const struct flow_wanted *w,
		   int64_t *place, flow_log_fn *fn, void *ctx)
{
	VEC(struct execution_event) events = {0};
	struct execution_event_reader reader;
	struct execution_event event;
	bool all = true;

	for (size_t i = 0; i < count; i++) {
		execution_event_read(&reader, &rows[i]);
		while (is_wanted(&rows[i], w) && execution_event_next(&reader, &event))
			if ((int64_t)event.place > *place)
				*VEC_PUSH(&events) = event;
	}
	if (events.n > 1)
		qsort(events.v, events.n, sizeof(*events.v), by_place);
	for (size_t i = 0; i < events.n && all; i++) {
		all = fn(ctx, &events.v[i]);
		if (all)
			*place = (int64_t)events.v[i].place;
	}
	VEC_FREE(&events);
	return all;
}

enum flow_log_read flow_log_read(struct flow_log *l, const struct flow_wanted *w, int64_t *seq, int64_t *place,
				 flow_log_fn *fn, void *ctx)
{
	bool older = false, all = true;
	struct chunk *c;

	skip(l, w, seq, place);
	while (all && flow_log_has_news(l, w, *seq) && (c = take(l, *seq, &older))) {
		if (c->seq > *seq)
			*place = -1;
		*seq = c->seq;
		all = flow_log_give(c->rows, c->count, w, place, fn, ctx);
		drop(c);
		if (all) {
			(*seq)++;
			*place = -1;
		}
	}
	return older ? FLOW_LOG_OLDER : all ? FLOW_LOG_END : FLOW_LOG_STOPPED;
}
