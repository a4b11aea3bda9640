/* See tail.h. A look every 20 ms while it is wanted; a lost store is asked for again every 200 ms. */
#include "flow/tail.h"

#include "base/cond.h"
#include "base/vec.h"
#include "store/queries.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { LOOK_MS = 20, REST_MS = 100, RETRY_MS = 200, ROWS = 4000, NS_PER_MS = 1000000, MS_PER_S = 1000 };

struct flow_tail {
	struct flow_tail_config config;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	bool stopping;

	struct db *db; /* of the thread, as is what follows */
	struct arena *arena;
	VEC(struct execution_event_row) rows;
	bool follows; /* the log goes on from where it ends */
};

/* ---- a look ---- */

static enum err take_row(void *ctx, const void *found)
{
	struct flow_tail *t = ctx;
	struct execution_event_row *row = VEC_PUSH(&t->rows);

	*row = *(const struct execution_event_row *)found;
	row->events = arena_str(t->arena, row->events);
	return OK;
}

static size_t batch_at(const struct flow_tail *t, size_t i)
{
	size_t n = 1;

	while (i + n < t->rows.n && t->rows.v[i + n].seq == t->rows.v[i].seq)
		n++;
	return n;
}

/* The last batch of a full page may go on behind it; it is read again, unless it is all there is in this one. */
static void append(struct flow_tail *t, size_t limit)
{
	for (size_t i = 0, n; i < t->rows.n; i += n) {
		n = batch_at(t, i);
		if (i + n == limit && i > 0)
			return;
		flow_log_append(t->config.log, t->rows.v[i].seq, &t->rows.v[i], n);
	}
}

/* A batch of more rows than that is read whole. */
static enum err read_rows(struct flow_tail *t, int64_t behind, size_t *limit)
{
	enum err err = OK;

	*limit = ROWS / 2;
	do {
		*limit *= 2;
		t->rows.n = 0;
		err = q_execution_event_since(t->db, &(struct execution_event_since_in){behind, (int64_t)*limit},
					      take_row, t);
	} while (!err && t->rows.n == *limit && batch_at(t, 0) == *limit);
	return err;
}

/* Nobody listened for a while: the log begins anew, and who wants what is older reads it from the table. */
static enum err begin(struct flow_tail *t)
{
	struct execution_event_last_out last;
	enum err err = q_execution_event_last(t->db, t->arena, &last);

	if (!err)
		flow_log_starts_at(t->config.log, last.seq);
	return err;
}

static enum err look(struct flow_tail *t)
{
	size_t limit;
	bool follows = t->follows;
	enum err err = follows ? OK : begin(t);

	if (!err)
		err = read_rows(t, flow_log_end(t->config.log), &limit);
	if (err || (follows && t->rows.n == 0))
		return err;
	append(t, limit);
	t->follows = true;
	if (!follows)
		t->config.began(t->config.ctx);
	return OK;
}

/* ---- the thread ---- */

static enum err connect(struct flow_tail *t)
{
	struct problem p;

	problem_clear(&p);
	if (t->db && !db_lost(t->db))
		return OK;
	return t->db ? db_reconnect(t->db, &p) : store_connect(t->config.store, DB_READ, &t->db, &p);
}

/* How long to rest after it. */
static int turn(struct flow_tail *t)
{
	enum err err;

	if (!t->config.is_wanted(t->config.ctx)) {
		t->follows = false;
		return REST_MS;
	}
	arena_reset(t->arena);
	err = connect(t);
	if (!err)
		err = look(t);
	return err ? RETRY_MS : LOOK_MS;
}

static void rest(struct flow_tail *t, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)ms * NS_PER_MS;
	until.tv_sec += until.tv_nsec / ((long)MS_PER_S * NS_PER_MS);
	until.tv_nsec %= (long)MS_PER_S * NS_PER_MS;
	pthread_mutex_lock(&t->lock);
	if (!t->stopping)
		pthread_cond_timedwait(&t->stopped, &t->lock, &until);
	pthread_mutex_unlock(&t->lock);
}

static bool is_stopping(struct flow_tail *t)
{
	bool stopping;

	pthread_mutex_lock(&t->lock);
	stopping = t->stopping;
	pthread_mutex_unlock(&t->lock);
	return stopping;
}

static void *tail_main(void *arg)
{
	struct flow_tail *t = arg;

	while (!is_stopping(t))
		rest(t, turn(t));
	return NULL;
}

/* ---- life ---- */

static void tail_free(struct flow_tail *t)
{
	db_close(&t->db);
	arena_destroy(&t->arena);
	VEC_FREE(&t->rows);
	pthread_cond_destroy(&t->stopped);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

enum err flow_tail_start(const struct flow_tail_config *config, struct flow_tail **out, struct problem *p)
{
	struct flow_tail *t = NEW(struct flow_tail);

	t->config = *config;
	t->arena = arena_new(SIZE_MAX);
	pthread_mutex_init(&t->lock, NULL);
	cond_mono_init(&t->stopped);
	if (pthread_create(&t->thread, NULL, tail_main, t) != 0) {
		tail_free(t);
		return problem_set(p, ERR_OVERLOADED, "no thread for following executions could be started");
	}
	*out = t;
	return OK;
}

void flow_tail_stop(struct flow_tail **pt)
{
	struct flow_tail *t = *pt;

	*pt = NULL;
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_signal(&t->stopped);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	tail_free(t);
}
