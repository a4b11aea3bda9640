/*
 * The steps of the job "archive"; see archiver.h. Each looks at the rows anew, does a bounded piece of what is to be
 * done next, and decides what the thread is to do; memory follows when the step is committed.
 */
#include "archive/archiver_priv.h"

#include "base/log.h"
#include "base/magic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 200, CLEARED_AT_ONCE = 1000, LOOK_AGAIN_MS = 15000 };

static const int64_t DAY_MS = 86400000;

/* One run of the job. */
struct run {
	struct archiver *archiver;
	struct db *db;
	struct job_run *job;
	struct archive_state_row row; /* the archive that is seen to */
};

/* ---- orders ---- */

static void give_order(const struct run *r, enum order_kind kind)
{
	struct order *o = &r->archiver->next_order;

	*o = (struct order){.kind = kind,
			    .archive = r->row.id,
			    .tenant = r->row.tenant,
			    .from_ms = r->row.from_ms,
			    .to_ms = r->row.to_ms,
			    .held_ms = r->row.held_ms};
	if (kind == ORDER_READ)
		snprintf(o->file, sizeof o->file, "%.*s", STRF(r->row.file));
}

/* What came of the order for this archive. False: nothing yet; the order is given if none is being carried out. */
static bool came_of(const struct run *r, enum order_kind kind, struct carried_out *out)
{
	struct archiver *a = r->archiver;
	bool done, busy;

	pthread_mutex_lock(&a->lock);
	*out = a->result;
	busy = a->order.kind != ORDER_NONE;
	pthread_mutex_unlock(&a->lock);
	done = out->order.kind == kind && out->order.archive == r->row.id;
	a->took = done;
	if (!done && !busy)
		give_order(r, kind);
	return done;
}

/* It is tried again after a while, and nothing else is done before: files go wrong for all of them. */
static void put_off(const struct run *r, const struct carried_out *result)
{
	r->job->again_ms = LOOK_AGAIN_MS;
	buf_fmt(&r->job->result, "%.150s", result->why);
}

/* ---- writing ---- */

static enum err take_written(const struct run *r, const struct carried_out *result)
{
	const struct archive_written *w = &result->written;
	struct archive_set_in now = {.id = r->row.id,
				     .state = ARCHIVE_MOVING,
				     .file = str_of(result->order.file),
				     .executions = w->executions,
				     .first = w->first,
				     .last = w->last,
				     .bytes = w->bytes,
				     .plain_bytes = w->plain_bytes};

	r->job->more = true;
	if (w->executions == 0)
		return q_archive_delete(r->db, &(struct id_row){r->row.id}, 1);
	buf_fmt(&r->job->result, "%" PRId64 " executions written to %s", w->executions, result->order.file);
	now.file = arena_str(r->job->arena, now.file);
	return q_archive_set(r->db, &now, 1);
}

static enum err step_writing(const struct run *r)
{
	struct carried_out result;

	if (!came_of(r, ORDER_WRITE, &result))
		return OK;
	if (!result.err)
		return take_written(r, &result);
	put_off(r, &result);
	return OK;
}

/* ---- moving, and back ---- */

/* The file of the archive, read through. */
static struct archive_file *file_of(const struct run *r)
{
	struct archiver *a = r->archiver;
	struct carried_out result;

	if (a->file && a->file->archive == r->row.id)
		return a->file;
	if (!came_of(r, ORDER_READ, &result))
		return NULL;
	a->takes_file = !result.err;
	r->job->more = !result.err;
	if (result.err)
		put_off(r, &result);
	return NULL;
}

static enum err become(const struct run *r, enum archive_state state)
{
	r->archiver->closes = true;
	r->job->more = true;
	return q_archive_set_state(r->db, &(struct archive_set_state_in){r->row.id, state}, 1);
}

/* Streams of squads that would tell of what leaves begin anew: they are told before it goes. */
static enum err tell_gone(const struct run *r)
{
	const struct archiver *a = r->archiver;
	enum err err = OK;

	for (size_t i = 0; i < a->gone.n && !err; i++)
		err = q_execution_events_gone_put(
			r->db, &(struct execution_events_gone_put_in){a->gone.v[i].squad, a->gone.v[i].seq});
	return err;
}

static enum err step_moving(const struct run *r)
{
	struct archiver *a = r->archiver;
	const struct archive_file *f = file_of(r);
	struct archive_gone_row gone[AT_ONCE];
	size_t n = 0;
	enum err err;

	if (!f)
		return OK;
	while (n < AT_ONCE && a->at + n < f->count) {
		gone[n] = (struct archive_gone_row){f->ids[a->at + n], r->row.tenant, r->row.from_ms, r->row.to_ms};
		n++;
	}
	err = a->at == 0 ? tell_gone(r) : OK;
	if (!err)
		err = q_archive_delete_steps(r->db, gone, n);
	if (!err)
		err = q_archive_delete_events(r->db, gone, n);
	if (!err)
		err = q_archive_delete_executions(r->db, gone, n);
	a->next_at = a->at + n;
	r->job->more = true;
	buf_fmt(&r->job->result, "%zu of %zu executions moved to a file", a->next_at, f->count);
	return err || a->next_at < f->count ? err : become(r, ARCHIVE_KEPT);
}

/* A block on its way back. */
struct putting_back {
	const struct run *run;
	bool leave; /* the execution is there already, or was brought back before */
	size_t count;
};

static enum err is_back(const struct run *r, int64_t execution, bool *out)
{
	struct archive_restored_get_out before;
	struct execution_name_out there;
	enum err err = q_archive_restored_get(r->db, &(struct archive_restored_get_in){execution, r->row.id},
					      r->job->arena, &before);

	if (err == ERR_NOT_FOUND)
		err = q_execution_name(r->db, &(struct id_row){execution}, r->job->arena, &there);
	*out = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err put_back_execution(struct putting_back *b, const struct execution_row *row)
{
	const struct run *r = b->run;
	struct archive_restored_row note = {row->id, r->row.id, r->job->now_ms};
	enum err err = is_back(r, row->id, &b->leave);

	if (err || b->leave)
		return err;
	b->count++;
	err = q_execution_insert(r->db, row, 1);
	return err ? err : q_archive_restored_insert(r->db, &note, 1);
}

static enum err put_back(void *ctx, const struct archive_row *row)
{
	struct putting_back *b = ctx;

	if (row->kind == ARCHIVE_EXECUTION)
		return put_back_execution(b, &row->execution_row);
	if (b->leave)
		return OK;
	return row->kind == ARCHIVE_STEP ? q_step_insert(b->run->db, &row->step_row, 1)
					 : q_execution_event_insert(b->run->db, &row->event_row, 1);
}

/* In memory of its own: a block may have more than a run of a job is given. */
static enum err put_block_back(struct archive_file *f, struct putting_back *b, struct problem *p)
{
	struct arena *block = arena_new(SIZE_MAX);
	enum err err = archive_block_each(f, b->run->archiver->at, 0, block, put_back, b, p);

	arena_destroy(&block);
	return err;
}

/* `at` counts blocks here. */
static enum err step_restoring(const struct run *r)
{
	struct archiver *a = r->archiver;
	struct archive_file *f = file_of(r);
	struct putting_back b = {.run = r};
	struct problem p = {0};
	enum err err;

	if (!f)
		return OK;
	err = a->at < f->blocks ? put_block_back(f, &b, &p) : OK;
	if (err == ERR_ARCHIVE) {
		buf_fmt(&r->job->result, "%.150s", p.detail);
		return OK;
	}
	a->next_at = a->at + 1;
	r->job->more = true;
	buf_fmt(&r->job->result, "%zu executions put back", b.count);
	return err || a->next_at < f->blocks ? err : become(r, ARCHIVE_EMPTIED);
}

/* The row says so until the file is gone. */
static enum err step_emptied(const struct run *r)
{
	struct buf path = BUF_INIT(0);
	char *file = arena_z(r->job->arena, r->row.file);

	(void)unlink(archive_path(r->archiver, file, &path)); /* one that is gone already is what we want */
	buf_free(&path);
	r->job->more = true;
	return q_archive_delete(r->db, &(struct id_row){r->row.id}, 1);
}

static enum err see_to(const struct run *r)
{
	switch ((enum archive_state)r->row.state) {
	case ARCHIVE_WRITING:
		return step_writing(r);
	case ARCHIVE_MOVING:
		return step_moving(r);
	case ARCHIVE_RESTORING:
		return step_restoring(r);
	case ARCHIVE_EMPTIED:
		return step_emptied(r);
	case ARCHIVE_KEPT:
		break;
	}
	UNREACHABLE();
}

/* ---- wishes ---- */

static int64_t day_of(int64_t ms)
{
	return ms - ms % DAY_MS;
}

/* Counts what ended in a tenant and is not counted yet. Nothing ends before now. */
static enum err count_days(const struct run *r, int64_t tenant, int64_t before_ms)
{
	struct squad_days_until_out until = {0};
	struct squad_days_counted_put_in counted = {tenant, before_ms};
	enum err err = q_squad_days_until(r->db, &(struct id_row){tenant}, r->job->arena, &until);

	if (err && err != ERR_NOT_FOUND)
		return err;
	if (until.until_ms >= before_ms)
		return OK;
	err = q_squad_days_add(r->db, &(struct squad_days_add_in){tenant, until.until_ms, before_ms});
	return err ? err : q_squad_days_counted_put(r->db, &counted, 1);
}

/* What leaves the tables is counted before. */
static enum err begin_archive(const struct run *r, const struct archive_wish_row *wish,
			      const struct archive_oldest_out *oldest)
{
	int64_t day_ms = day_of(oldest->finished_ms);
	bool whole = day_ms + DAY_MS <= wish->before_ms;
	struct archive_state_row row = {.id = r->archiver->config.new_id(r->archiver->config.ctx),
					.tenant = oldest->tenant,
					.state = ARCHIVE_WRITING,
					.from_ms = day_ms,
					.to_ms = whole ? day_ms + DAY_MS : wish->before_ms,
					.held_ms = wish->before_ms,
					.created_ms = r->job->now_ms};
	enum err err = count_days(r, row.tenant, row.to_ms);

	r->job->more = true;
	return err ? err : q_archive_insert(r->db, &row, 1);
}

static enum err wish_to_archive(const struct run *r, const struct archive_wish_row *wish)
{
	struct archive_oldest_in in = {wish->tenant, wish->before_ms, wish->before_ms};
	struct archive_oldest_out oldest;
	enum err err = q_archive_oldest(r->db, &in, r->job->arena, &oldest);

	if (!err)
		return begin_archive(r, wish, &oldest);
	r->job->more = err == ERR_NOT_FOUND;
	return err == ERR_NOT_FOUND ? q_archive_wish_done(r->db, wish, 1) : err;
}

static enum err wish_to_count(const struct run *r, const struct archive_wish_row *wish)
{
	struct squad_days_due_out due;
	enum err err = q_squad_days_due(r->db, &(struct squad_days_due_in){wish->before_ms}, r->job->arena, &due);

	r->job->more = !err || err == ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		return q_archive_wish_done(r->db, wish, 1);
	return err ? err : count_days(r, due.tenant, wish->before_ms);
}

/* A wish may name a time that has not come: it is held to what has. */
static enum err next_wish(const struct run *r)
{
	struct archive_wish_row wish;
	enum err err = q_archive_wish_first(r->db, r->job->arena, &wish);

	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	if (wish.before_ms > r->job->now_ms)
		return OK;
	return wish.kind == WISH_ARCHIVE ? wish_to_archive(r, &wish) : wish_to_count(r, &wish);
}

/* ---- upkeep ---- */

static enum err clear_notes(const struct run *r)
{
	int64_t long_ago_ms = r->job->now_ms - 400 * DAY_MS;
	size_t cleared = 0;

	return q_archive_restored_clear(r->db, &(struct upkeep_in){long_ago_ms, CLEARED_AT_ONCE}, db_count_row,
					&cleared);
}

/* ---- the job ---- */

enum err archive_step(void *ctx, struct db *db, struct job_run *run)
{
	struct archiver *a = ctx;
	struct run r = {.archiver = a, .db = db, .job = run};
	enum err err;

	a->next_order.kind = ORDER_NONE;
	a->next_at = a->at;
	a->closes = a->took = a->takes_file = false;
	err = q_archive_open(db, run->arena, &r.row);
	if (!err) {
		err = see_to(&r);
		if (run->result.n == 0)
			buf_z(&run->result, "a file is under way");
		return err;
	}
	if (err == ERR_NOT_FOUND)
		err = next_wish(&r);
	if (run->result.n == 0)
		buf_z(&run->result,
		      run->more ? "executions are counted, or chosen for a file" : "no execution waits for a file");
	return err || run->more ? err : clear_notes(&r);
}

/* The result that was looked at, and its file unless the job has taken it. The lock is held. */
static void drop_result(struct archiver *a)
{
	if (a->takes_file) {
		archive_file_close(&a->file);
		VEC_FREE(&a->gone);
		a->file = a->result.file;
		a->gone.v = a->result.gone.v;
		a->gone.n = a->result.gone.n;
		a->gone.cap = a->result.gone.cap;
		a->result.file = NULL;
		a->result.gone.v = NULL;
		a->result.gone.n = a->result.gone.cap = 0;
		a->next_at = 0;
	}
	archive_file_close(&a->result.file);
	a->result.order.kind = ORDER_NONE;
}

void archive_step_committed(void *ctx)
{
	struct archiver *a = ctx;

	pthread_mutex_lock(&a->lock);
	if (a->took)
		drop_result(a);
	if (a->next_order.kind != ORDER_NONE) {
		a->order = a->next_order;
		pthread_cond_signal(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	a->at = a->next_at;
	if (a->closes) {
		archive_file_close(&a->file);
		a->at = 0;
	}
}
