/* The thread that writes files and reads them through; see archiver.h. */
#include "archive/archiver_priv.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/magic.h"
#include "base/rng.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARCHIVER_MAGIC = 0x41524348, DAY_TEXT = 10, EXECUTION_BYTES_MAX = 1 << 30 };

/* ---- writing ---- */

/* One file on its way: what ended, and the rows of the execution that is read. */
struct writing {
	struct archiver *archiver;
	const struct order *order;
	struct db *db;
	struct arena *arena; /* of one execution */
	struct archive_writer *writer;
	VEC(int64_t) ids;
	struct problem *p;
};

static enum err take_id(void *ctx, const void *row)
{
	struct writing *w = ctx;

	*VEC_PUSH(&w->ids) = ((const struct id_row *)row)->id;
	return OK;
}

static int by_id(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return (one > other) - (one < other);
}

static enum err put_step(void *ctx, const void *row)
{
	archive_put_step(((struct writing *)ctx)->writer, row);
	return OK;
}

static enum err put_event(void *ctx, const void *row)
{
	archive_put_event(((struct writing *)ctx)->writer, row);
	return OK;
}

static enum err put_execution(struct writing *w, int64_t id)
{
	const struct order *o = w->order;
	struct execution_event_from_in all = {id, 0, INT64_MAX};
	struct execution_row row;
	enum err err = q_execution_get(w->db, &(struct id_row){id}, w->arena, &row);

	if (err)
		return err;
	if (row.tenant != o->tenant || row.finished_ms < o->from_ms || row.finished_ms >= o->to_ms)
		return problem_set(w->p, ERR_INTERNAL, "an execution changed while it was archived");
	archive_put_execution(w->writer, &row);
	err = q_step_all_of(w->db, &(struct id_row){id}, put_step, w);
	if (!err)
		err = q_execution_event_from(w->db, &all, put_event, w);
	arena_reset(w->arena);
	return err ? err : archive_end_execution(w->writer, w->p);
}

static enum err put_all(struct writing *w)
{
	enum err err = OK;

	qsort(w->ids.v, w->ids.n, sizeof *w->ids.v, by_id);
	for (size_t i = 0; i < w->ids.n && !err; i++)
		err = atomic_load(&w->archiver->stopping) ? ERR_SHUTTING_DOWN : put_execution(w, w->ids.v[i]);
	return err;
}

/* TENANT/DAY-ARCHIVE-RANDOM.zst */
static void name_file(const struct order *o, char out[ARCHIVE_FILE_NAME])
{
	char tenant[ID_TEXT], archive[ID_TEXT], day[CLOCK_TEXT];

	id_format(tenant, "t_", o->tenant);
	id_format(archive, "ar_", o->archive);
	clock_format(o->from_ms, day);
	snprintf(out, ARCHIVE_FILE_NAME, "%s/%.*s-%s-%08" PRIx32 ".zst", tenant, DAY_TEXT, day, archive,
		 (uint32_t)rng_system_word());
}

const char *archive_path(const struct archiver *a, const char *file, struct buf *to)
{
	buf_reset(to);
	buf_z(to, a->config.folder);
	buf_c(to, '/');
	buf_z(to, file);
	return buf_cstr(to);
}

static enum err make_folder(const char *path, struct problem *p)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return OK;
	return problem_set(p, ERR_USAGE,
			   "cannot make the folder of archives %s: %s; give another with --archive-dir", path,
			   strerror(errno));
}

/* What a process that died, or lost the queue, has left of this archive. None is in use: the row names no file. */
static void remove_leftovers(const struct archiver *a, const struct order *o, const char *tenant)
{
	struct buf path = BUF_INIT(0);
	char archive[ID_TEXT];
	DIR *folder = opendir(archive_path(a, tenant, &path));

	id_format(archive, "ar_", o->archive);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (strstr(entry->d_name, archive))
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	buf_free(&path);
}

static enum err open_writer(struct writing *w, char file[ARCHIVE_FILE_NAME])
{
	const struct order *o = w->order;
	struct archiver *a = w->archiver;
	struct archive_head head = {.archive = o->archive,
				    .tenant = o->tenant,
				    .from = o->from_ms,
				    .to = o->to_ms,
				    .made_at = clock_now_ms(a->config.clock),
				    .program = str_of(a->config.version)};
	struct buf path = BUF_INIT(0);
	char tenant[ID_TEXT];
	enum err err;

	id_format(tenant, "t_", o->tenant);
	name_file(o, file);
	err = make_folder(archive_path(a, tenant, &path), w->p);
	remove_leftovers(a, o, tenant);
	if (!err)
		err = archive_writer_open(archive_path(a, file, &path), &head, o->archive, &w->writer, w->p);
	buf_free(&path);
	return err;
}

static enum err write_rows(struct writing *w, struct carried_out *out)
{
	enum err err = open_writer(w, out->order.file);

	if (!err)
		err = put_all(w);
	if (!err)
		err = archive_writer_finish(w->writer, &out->written, w->p);
	archive_writer_close(&w->writer);
	return err;
}

static enum err write_file(struct archiver *a, const struct order *o, struct carried_out *out, struct problem *p)
{
	struct writing w = {.archiver = a, .order = o, .arena = arena_new(EXECUTION_BYTES_MAX), .p = p};
	struct archive_ended_in ended = {o->tenant, o->from_ms, o->to_ms, o->held_ms};
	enum err err = store_connect(a->config.store, DB_READ, &w.db, p);

	if (!err)
		err = q_archive_ended(w.db, &ended, take_id, &w);
	if (!err && w.ids.n > 0)
		err = write_rows(&w, out);
	db_close(&w.db);
	VEC_FREE(&w.ids);
	arena_destroy(&w.arena);
	return err;
}

/* ---- reading ---- */

/* All of the file is read, and who will miss events of it is noted. */
static enum err note_gone(void *ctx, const struct archive_row *row)
{
	struct carried_out *out = ctx;
	const struct execution_event_row *e = &row->event_row;

	if (row->kind != ARCHIVE_EVENT)
		return OK;
	for (size_t i = 0; i < out->gone.n; i++)
		if (out->gone.v[i].squad == e->squad) {
			out->gone.v[i].seq = out->gone.v[i].seq > e->seq ? out->gone.v[i].seq : e->seq;
			return OK;
		}
	*VEC_PUSH(&out->gone) = (struct archive_gone){e->squad, e->seq};
	return OK;
}

static enum err read_file(struct archiver *a, const struct order *o, struct carried_out *out, struct problem *p)
{
	struct buf path = BUF_INIT(0);
	enum err err = archive_file_open(archive_path(a, o->file, &path), o->archive, &out->file, p);

	if (!err)
		err = archive_file_each(out->file, note_gone, out, p);
	if (err)
		archive_file_close(&out->file);
	buf_free(&path);
	return err;
}

/* ---- the thread ---- */

static void carry_out(struct archiver *a, const struct order *o, struct carried_out *out)
{
	struct problem p = {0};

	*out = (struct carried_out){.order = *o};
	out->err = o->kind == ORDER_WRITE ? write_file(a, o, out, &p) : read_file(a, o, out, &p);
	if (!out->err)
		return;
	snprintf(out->why, sizeof out->why, "%s", p.detail[0] ? p.detail : err_info(out->err)->title);
	LOG_W("archive.failed", "archive=%" PRId64 " why=\"%s\"", o->archive, out->why);
}

static void *archiver_main(void *arg)
{
	struct archiver *a = arg;
	struct carried_out result;

	pthread_mutex_lock(&a->lock);
	while (!atomic_load(&a->stopping)) {
		if (a->order.kind == ORDER_NONE) {
			pthread_cond_wait(&a->changed, &a->lock);
			continue;
		}
		pthread_mutex_unlock(&a->lock);
		carry_out(a, &a->order, &result); /* it stands still until it is carried out */
		pthread_mutex_lock(&a->lock);
		archive_file_close(&a->result.file);
		VEC_FREE(&a->result.gone);
		a->result = result;
		a->order.kind = ORDER_NONE;
		archiver_wake(a);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

void archiver_wake(struct archiver *a)
{
	jobs_wake(a->config.jobs, JOB_ARCHIVE);
}

/* ---- life ---- */

const char *archiver_folder(const struct archiver *a)
{
	return a->config.folder;
}

enum err archiver_new(const struct archiver_config *config, struct archiver **out, struct problem *p)
{
	struct archiver *a = NEW(struct archiver);

	*out = a;
	a->magic = ARCHIVER_MAGIC;
	a->config = *config;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	jobs_add(config->jobs, &(struct job_spec){JOB_ARCHIVE, config->look_ms, archive_step,
						  archive_step_committed, a, .on_queue = true});
	return make_folder(config->folder, p);
}

enum err archiver_start(struct archiver *a, struct problem *p)
{
	CHECK_OBJ(a, ARCHIVER_MAGIC);
	if (pthread_create(&a->thread, NULL, archiver_main, a) != 0)
		return problem_set(p, ERR_OVERLOADED, "no thread for archives could be started");
	a->has_thread = true;
	return OK;
}

void archiver_destroy(struct archiver **pa)
{
	struct archiver *a = *pa;

	*pa = NULL;
	if (!a)
		return;
	CHECK_OBJ(a, ARCHIVER_MAGIC);
	pthread_mutex_lock(&a->lock);
	atomic_store(&a->stopping, true);
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	if (a->has_thread)
		pthread_join(a->thread, NULL);
	archive_file_close(&a->result.file);
	archive_file_close(&a->file);
	VEC_FREE(&a->result.gone);
	VEC_FREE(&a->gone);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	a->magic = 0;
	free(a);
}
