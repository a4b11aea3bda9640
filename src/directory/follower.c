/* The thread that follows; see follower.h. */
#include "directory/follower.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/magic.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	FOLLOWER_MAGIC = 0x464f4c57,
	LISTENERS_MAX = 8,
	LOT = 1000,
	LOOK_MS = 10,   /* between looks where another process may number */
	REST_MS = 250,  /* between looks where the bell tells: to know that the store is there */
	CHECK_MS = 200, /* how often it looks what waits for a number */
	RETRY_MS = 200,
	NS_PER_MS = 1000000
};

struct listener {
	follower_fn *fn;
	void *ctx;
};

struct follower {
	unsigned magic;
	struct follower_config config;
	struct listener listeners[LISTENERS_MAX];
	size_t listener_count;

	struct db *db; /* of the thread */
	struct arena *arena;
	struct change_row lot[LOT];
	size_t count;
	bool knows;  /* the listeners have read what there was */
	bool looked; /* on this connection */
	int64_t checked_ns;
	pthread_mutex_t lock; /* of place */
	struct log_place place;

	pthread_t thread;
	bool has_thread;
	_Atomic int64_t applied, current_ns;
};

/* ---- reading ---- */

static enum err take_row(void *ctx, const void *row)
{
	struct follower *f = ctx;
	f->lot[f->count++] = *(const struct change_row *)row;
	return OK;
}

static enum err read_lot(struct follower *f)
{
	struct change_from_in in = {.since = atomic_load(&f->applied), .count = LOT};
	f->count = 0;
	return q_change_from(f->db, &in, take_row, f);
}

static enum err tell(struct follower *f, const struct change_row *rows, size_t count)
{
	enum err err = OK;
	for (size_t i = 0; i < f->listener_count && !err; i++)
		err = f->listeners[i].fn(f->listeners[i].ctx, f->db, rows, count);
	return err;
}

/* Changes were missed: everybody reads everything anew, and it goes on behind `last`. */
static enum err start_over(struct follower *f, int64_t last)
{
	LOG_W("changes.missed", "behind=%" PRId64 " goes_on_behind=%" PRId64, atomic_load(&f->applied), last);
	enum err err = tell(f, NULL, 0);
	if (!err)
		atomic_store(&f->applied, last);
	return err;
}

static enum err apply(struct follower *f)
{
	enum err err = OK;
	if (f->lot[0].seq != atomic_load(&f->applied) + 1)
		err = start_over(f, f->lot[0].seq - 1);
	if (!err)
		err = tell(f, f->lot, f->count);
	if (err)
		return err;
	changes_keep(f->config.feed, f->lot, f->count);
	atomic_store(&f->applied, f->lot[f->count - 1].seq);
	f->config.applied(f->config.ctx);
	return OK;
}

/* ---- how current it is ---- */

/* A new connection may lead to a store that was put back to an older state. */
static enum err check_the_end(struct follower *f)
{
	struct change_ends_out ends;
	enum err err = f->looked ? OK : q_change_ends(f->db, f->arena, &ends);
	if (!err && !f->looked && ends.last < atomic_load(&f->applied))
		err = start_over(f, ends.last);
	f->looked = !err;
	return err;
}

/* Where everything stood before a look: what was committed by then, and does not wait for its number, has one. */
struct before {
	int64_t ns;
	bool checked;
	struct log_place_out log;
	struct change_waiting_out waiting;
};

static enum err check_before(struct follower *f, struct before *out)
{
	*out = (struct before){.ns = clock_mono_ns()};
	if (out->ns - f->checked_ns < CHECK_MS * NS_PER_MS)
		return OK;
	out->checked = true;
	enum err err = q_log_place(f->db, NULL, &out->log);
	return err ? err : q_change_waiting(f->db, NULL, &out->waiting);
}

/* All that had a number is applied; what has waited for one since a while counts as not known. */
static void note_current(struct follower *f, const struct before *b)
{
	if (!b->checked)
		return;
	f->checked_ns = b->ns;
	atomic_store(&f->current_ns, b->ns - (b->waiting.waiting ? b->waiting.waited_ms * NS_PER_MS : 0));
	if (b->waiting.waiting)
		return;
	pthread_mutex_lock(&f->lock);
	f->place = (struct log_place){b->log.timeline, b->log.lsn};
	pthread_mutex_unlock(&f->lock);
}

/* ---- the thread ---- */

static enum err connect(struct follower *f)
{
	struct problem p = {0};
	if (f->db && !db_lost(f->db))
		return OK;
	f->looked = false;
	return f->db ? db_reconnect(f->db, &p) : store_connect(f->config.store, DB_READ, &f->db, &p);
}

/* All there was before the changes that are followed. */
static enum err begin(struct follower *f)
{
	enum err err = f->knows ? OK : tell(f, NULL, 0);
	f->knows = !err;
	return err;
}

/* One look; sets f->count to the changes applied. */
static enum err look(struct follower *f)
{
	struct before before = {0};
	arena_reset(f->arena);
	f->count = 0;
	enum err err = connect(f);
	if (!err)
		err = check_the_end(f);
	if (!err)
		err = begin(f);
	if (!err)
		err = check_before(f, &before);
	if (!err)
		err = read_lot(f);
	if (!err && f->count > 0)
		err = apply(f);
	if (!err && f->count < LOT)
		note_current(f, &before);
	return err;
}

static void *follower_main(void *arg)
{
	struct follower *f = arg;
	struct changes *feed = f->config.feed;
	uint64_t heard = 0;
	while (!changes_stopping(feed)) {
		if (look(f) != OK)
			changes_pause(feed, RETRY_MS);
		else if (f->count == 0)
			changes_wait(feed, CHANGES_NUMBERED, &heard,
				     f->config.numbers_here(f->config.ctx) ? REST_MS : LOOK_MS);
	}
	db_close(&f->db);
	return NULL;
}

/* ---- life ---- */

struct follower *follower_new(const struct follower_config *config)
{
	struct follower *f = NEW(struct follower);
	f->magic = FOLLOWER_MAGIC;
	f->config = *config;
	f->arena = arena_new(1 << 16);
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void follower_listen(struct follower *f, follower_fn *fn, void *ctx)
{
	CHECK(f->listener_count < LISTENERS_MAX && !f->has_thread);
	f->listeners[f->listener_count++] = (struct listener){fn, ctx};
}

static enum err find_the_end(struct follower *f, int64_t *last)
{
	struct change_ends_out ends;
	enum err err = q_change_ends(f->db, f->arena, &ends);
	*last = ends.last;
	return err;
}

enum err follower_start(struct follower *f, int64_t since, struct problem *p)
{
	CHECK_OBJ(f, FOLLOWER_MAGIC);
	enum err err = store_connect(f->config.store, DB_READ, &f->db, p);
	f->knows = since != FOLLOWER_FROM_NOW;
	if (!err && !f->knows)
		err = find_the_end(f, &since);
	if (err)
		return err;
	atomic_store(&f->applied, since);
	if (pthread_create(&f->thread, NULL, follower_main, f) != 0)
		return problem_set(p, ERR_OVERLOADED, "no thread for following changes could be started");
	f->has_thread = true;
	return OK;
}

void follower_destroy(struct follower **f)
{
	struct follower *ending = *f;
	if (!ending)
		return;
	CHECK_OBJ(ending, FOLLOWER_MAGIC);
	if (ending->has_thread) {
		CHECK(changes_stopping(ending->config.feed));
		pthread_join(ending->thread, NULL);
	}
	db_close(&ending->db);
	arena_destroy(&ending->arena);
	pthread_mutex_destroy(&ending->lock);
	ending->magic = 0;
	free(ending);
	*f = NULL;
}

int64_t follower_applied(const struct follower *f)
{
	return atomic_load(&f->applied);
}

int64_t follower_current_ns(const struct follower *f)
{
	return atomic_load(&f->current_ns);
}

struct log_place follower_place(struct follower *f)
{
	pthread_mutex_lock(&f->lock);
	struct log_place place = f->place;
	pthread_mutex_unlock(&f->lock);
	return place;
}
