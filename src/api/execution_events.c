/*
 * Streams of what happens in executions: of one, from its first event to its end, or of all of a squad.
 *
 *   handler (reads) ──► FETCH what is in the table ──► what is in memory ──► WAIT
 *                          ▲                             │
 *                          └──────── fell behind ────────┘
 *
 * A stream remembers the batch and the place in it up to which it has told. What the table held up to a batch that was
 * committed before it was read is told from there, and all above from memory: nothing twice, nothing left out.
 *
 * A stream of a squad begins with an id without an event, so that one that is cut before its first event resumes too.
 * Where events behind the place it asks for are deleted, it begins with a reset: where the executions stand, read after
 * the place from which it then goes on.
 */
#include "api/api.h"
#include "api/app.h"
#include "api/executions.h"

#include "archive/archiver.h"
#include "archive/archives.h"
#include "squads/squad.h"

#include <inttypes.h>
#include <string.h>

enum { CHUNK_BYTES = 64 << 10, FETCH_ROWS = 128 /* about a chunk of usual events */ };

struct happenings {
	struct app *app;
	struct flow_wanted wanted;
	int64_t number;     /* of an execution: the last event that was told */
	int64_t seq, place; /* the next batch, and what was told of it; seq 0: from the first on */
	struct buf fetched; /* read from the store or a file … */
	size_t given;       /* … and sent so far */
	bool greeted;
	bool is_read;  /* all that is in the table alone */
	bool is_ended; /* the execution's last event was told */
	bool cut;      /* the store failed: the client comes again with the id it has */
};

struct telling {
	struct happenings *stream;
	struct buf *out;
};

/* ---- one event ---- */

static const char *state_text(const struct execution_event *e, int state)
{
	return e->kind == FLOW_STATUS ? enum_execution_state.values[state].text
				      : enum_step_state.values[state].text;
}

static void show(const struct execution_event *e, struct execution_event_shown *out)
{
	*out = (struct execution_event_shown){
		.execution = e->execution, .number = e->number, .at = e->at_ms, .kind = e->kind};
	if (e->to >= 0) {
		PUT(out, execution_event_shown, old_status, str_of(state_text(e, e->from)));
		PUT(out, execution_event_shown, new_status, str_of(state_text(e, e->to)));
	}
	if (e->step)
		PUT(out, execution_event_shown, step, e->step);
	if (e->member)
		PUT(out, execution_event_shown, member, e->member);
	if (e->attempt)
		PUT(out, execution_event_shown, attempt, e->attempt);
	if (e->progress)
		PUT(out, execution_event_shown, progress, e->progress);
	if (e->agent.n)
		PUT(out, execution_event_shown, agent, e->agent);
	if (e->text.n)
		PUT(out, execution_event_shown, message, e->text);
}

static bool is_last(const struct execution_event *e)
{
	return e->kind == FLOW_COMPLETED || e->kind == FLOW_ERROR || e->kind == FLOW_CANCELLED;
}

/* Behind that place of a batch; -1: from its first event on. */
static void write_place(struct buf *out, int64_t seq, int64_t place)
{
	buf_fmt(out, "id: %" PRId64 ".%" PRId64 "\n", seq, place);
}

static void write_event(const struct happenings *s, const struct execution_event *e, struct buf *out)
{
	struct execution_event_shown shown;

	show(e, &shown);
	if (s->wanted.execution)
		buf_fmt(out, "id: %" PRId64 "\n", e->number);
	else
		write_place(out, e->seq, (int64_t)e->place);
	buf_fmt(out, "event: %s\ndata: ", enum_execution_event_kind.values[e->kind].text);
	json_encode(&type_execution_event_shown, &shown, 0, out);
	buf_z(out, "\n\n");
}

static bool tell(void *ctx, const struct execution_event *e)
{
	struct telling *t = ctx;
	struct happenings *s = t->stream;

	if (t->out->n >= CHUNK_BYTES)
		return false;
	if (s->wanted.execution && e->number <= s->number)
		return true;
	write_event(s, e, t->out);
	s->number = e->number;
	s->is_ended = s->wanted.execution && is_last(e);
	return true;
}

/* ---- from memory ---- */

static enum stream_next read_memory(struct happenings *s, struct buf *out)
{
	struct telling t = {s, out};
	enum flow_log_read read;

	if (out->n == 0 && !flow_log_has_news(s->app->happenings, &s->wanted, s->seq))
		return STREAM_WAIT;
	read = flow_log_read(s->app->happenings, &s->wanted, &s->seq, &s->place, tell, &t);
	if (out->n > 0)
		return STREAM_DATA;
	s->is_read = read != FLOW_LOG_OLDER;
	return s->is_read ? STREAM_WAIT : STREAM_FETCH;
}

/* Whole events, not many more bytes than a chunk has. True: there are more. */
static bool give_fetched(struct happenings *s, struct buf *out)
{
	struct str rest =
		s->fetched.n ? (struct str){s->fetched.p + s->given, s->fetched.n - s->given} : (struct str){0};
	const char *end =
		rest.n > CHUNK_BYTES ? memmem(rest.p + CHUNK_BYTES, rest.n - CHUNK_BYTES, "\n\n", 2) : NULL;

	if (end)
		rest.n = (size_t)(end - rest.p) + 2;
	buf_str_add(out, rest);
	s->given += rest.n;
	if (s->given < s->fetched.n)
		return true;
	buf_reset(&s->fetched);
	s->given = 0;
	return false;
}

static enum stream_next next(void *state, struct buf *out)
{
	struct happenings *s = state;

	if (!s->greeted)
		buf_z(out, "retry: 2000\n");
	if (!s->greeted && s->wanted.squad && s->seq)
		write_place(out, s->seq, s->place);
	buf_z(out, s->greeted ? "" : "\n");
	s->greeted = true;
	if (give_fetched(s, out))
		return STREAM_DATA;
	if (s->is_ended || s->cut || atomic_load(&s->app->stopping))
		return STREAM_END;
	if (!s->is_read)
		return out->n > 0 ? STREAM_DATA : STREAM_FETCH;
	return read_memory(s, out);
}

/* ---- from the table ---- */

/* A page of rows, by batch; all of the arena. */
struct page {
	struct arena *arena;
	struct execution_event_row *rows;
	size_t count, limit;
};

static enum err take_row(void *ctx, const void *row)
{
	struct page *p = ctx;
	struct execution_event_row *to = &p->rows[p->count++];

	*to = *(const struct execution_event_row *)row;
	to->events = arena_str(p->arena, to->events);
	return OK;
}

/* The rows of the batch that begins at i. */
static size_t batch_at(const struct page *p, size_t i)
{
	size_t n = 1;

	while (i + n < p->count && p->rows[i + n].seq == p->rows[i].seq)
		n++;
	return n;
}

static enum err read_rows(const struct happenings *s, struct db *db, struct page *p)
{
	int64_t limit = (int64_t)p->limit;
	struct execution_event_from_in of_execution = {s->wanted.execution, s->number + 1, limit};
	struct execution_event_of_squad_in of_squad = {s->wanted.squad, s->seq, limit};

	p->count = 0;
	p->rows = ARENA_ARRAY(p->arena, struct execution_event_row, p->limit);
	if (!p->rows)
		return ERR_TOO_LARGE;
	return s->wanted.execution ? q_execution_event_from(db, &of_execution, take_row, p)
				   : q_execution_event_of_squad(db, &of_squad, take_row, p);
}

/* A batch of more rows than a page is read whole. */
static enum err read_page(const struct happenings *s, struct db *db, struct page *p)
{
	enum err err = read_rows(s, db, p);

	while (!err && p->count == p->limit && batch_at(p, 0) == p->limit) {
		p->limit *= 2;
		err = read_rows(s, db, p);
	}
	return err;
}

/* A batch that may go on behind a full page is read with the next. */
static void tell_page(struct happenings *s, const struct page *p)
{
	struct telling t = {s, &s->fetched};

	for (size_t i = 0, n; i < p->count; i += n) {
		n = batch_at(p, i);
		if (i + n == p->limit)
			return;
		if (p->rows[i].seq > s->seq)
			s->place = -1;
		s->seq = p->rows[i].seq;
		if (!flow_log_give(&p->rows[i], n, &s->wanted, &s->place, tell, &t))
			return;
		s->seq++;
		s->place = -1;
	}
}

static enum err fetch(void *state, struct db *db, enum err why)
{
	struct happenings *s = state;
	int64_t end = flow_log_end(s->app->happenings);
	struct page p = {.arena = arena_new(SIZE_MAX), .limit = FETCH_ROWS};
	enum err err = why;

	if (!err)
		err = read_page(s, db, &p);
	if (!err)
		tell_page(s, &p);
	if (!err && p.count < p.limit && s->fetched.n < CHUNK_BYTES) {
		s->is_read = true;
		if (s->seq <= end)
			s->seq = end + 1, s->place = -1;
	}
	s->cut = err != OK;
	arena_destroy(&p.arena);
	return err;
}

static void close_stream(void *state)
{
	struct happenings *s = state;

	atomic_fetch_sub(&s->app->listeners, 1);
	buf_free(&s->fetched);
	free(s);
}

static unsigned topic_of(void *state)
{
	const struct happenings *s = state;

	return http_topic(flow_log_place(&s->wanted));
}

static const struct stream_ops happenings_ops = {
	.next = next, .fetch = fetch, .close = close_stream, .topic = topic_of};

static struct happenings *stream_new(struct call *c)
{
	struct happenings *s = NEW(struct happenings);

	s->app = call_app(c);
	s->place = -1;
	atomic_fetch_add(&s->app->listeners, 1);
	return s;
}

/* ---- from a file ---- */

static enum err retell(void *ctx, const struct archive_row *row)
{
	struct happenings *s = ctx;
	struct execution_event_reader reader;
	struct execution_event e;

	if (row->kind != ARCHIVE_EVENT)
		return OK;
	execution_event_read(&reader, &row->event_row);
	while (execution_event_next(&reader, &e))
		if (e.number > s->number)
			write_event(s, &e, &s->fetched);
	return buf_ok(&s->fetched) ? OK : ERR_TOO_LARGE;
}

static enum err stream_archived(struct call *c, int64_t id, int64_t from)
{
	struct happenings *s = stream_new(c);
	enum err err;

	s->wanted.execution = id;
	s->number = from;
	err = archive_find(c, archiver_folder(call_app(c)->archiver), id, retell, s);
	if (err || s->fetched.n == 0) {
		close_stream(s);
		c->status = err ? 0 : 204;
	} else {
		s->is_ended = true;
		call_stream(c, &happenings_ops, s);
	}
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "there is no such execution here");
	return err;
}

/* ---- the calls ---- */

enum err api_execution_events(struct call *c, const struct execution_events_in *in, struct nothing *out)
{
	struct execution_row row;
	int64_t from = in->from;
	enum err err = OK;

	(void)out;
	if (c->last_event_id.n && !str_to_i64(c->last_event_id, &from))
		return problem_field(&c->problem, ERR_INVALID, "Last-Event-ID", "must be the number of an event");
	err = q_execution_get(c->db, &(struct id_row){in->id}, c->arena, &row);
	if (err == ERR_NOT_FOUND || (!err && row.tenant != c->caller.tenant))
		return stream_archived(c, in->id, from);
	if (err)
		return err;
	if (row.finished_ms && from >= row.last_event) {
		c->status = 204;
		return OK;
	}
	struct happenings *s = stream_new(c);
	s->wanted.execution = in->id;
	s->number = from;
	call_stream(c, &happenings_ops, s);
	return OK;
}

/* "seq.place" */
static bool parse_place(struct str text, int64_t *seq, int64_t *place)
{
	struct str rest, first = str_cut(text, '.', &rest);

	return rest.p && str_to_i64(first, seq) && str_to_i64(rest, place) && *seq > 0 && *place >= -1;
}

/* Behind what was committed before the call. A process that stands by may not have followed for a while. */
static enum err begin_now(struct call *c, struct happenings *s)
{
	struct execution_event_last_out last;
	int64_t end = flow_log_end(s->app->happenings);
	enum err err = q_execution_event_last(c->db, c->arena, &last);

	s->seq = (!err && last.seq > end ? last.seq : end) + 1;
	s->is_read = true;
	return err;
}

/* ---- what is no longer kept ---- */

enum { RESET_ROWS = 1000 };

struct standing {
	struct arena *arena;
	struct squad_reset reset;
};

static enum err take_standing(void *ctx, const void *found)
{
	struct standing *s = ctx;
	struct execution_row row = *(const struct execution_row *)found;

	if (row.finished_ms)
		return OK;
	row.name = arena_str(s->arena, row.name);
	row.created_by = arena_str(s->arena, row.created_by);
	row.why = arena_str(s->arena, row.why);
	execution_show(&row, false, &s->reset.executions[s->reset.executions_count++]);
	return OK;
}

static enum err begin_anew(struct call *c, int64_t squad, struct happenings *s)
{
	struct standing standing = {c->arena, {.squad = squad}};
	struct execution_page_of_squad_in in = {squad, INT64_MAX, RESET_ROWS};
	enum err err = begin_now(c, s);

	standing.reset.executions = ARENA_ARRAY(c->arena, struct execution, RESET_ROWS);
	if (!err && !standing.reset.executions)
		err = ERR_TOO_LARGE;
	if (!err)
		err = q_execution_page_of_squad(c->db, &in, take_standing, &standing);
	if (err)
		return err;
	s->place = -1;
	write_place(&s->fetched, s->seq, s->place);
	buf_z(&s->fetched, "event: reset\ndata: ");
	json_encode(&type_squad_reset, &standing.reset, 0, &s->fetched);
	buf_z(&s->fetched, "\n\n");
	return OK;
}

static enum err go_on(struct call *c, int64_t squad, struct happenings *s)
{
	struct execution_events_gone_get_out gone;
	enum err err = q_execution_events_gone_get(c->db, &(struct id_row){squad}, c->arena, &gone);

	if (err == ERR_NOT_FOUND)
		return OK;
	return !err && s->seq <= gone.seq ? begin_anew(c, squad, s) : err;
}

static enum err find_start(struct call *c, const struct squad_events_in *in, struct happenings *s)
{
	bool resumes = c->last_event_id.n > 0;
	struct str from = resumes ? c->last_event_id : in->from;

	if (!from.n)
		return begin_now(c, s);
	if (str_eqz(from, "start"))
		return OK;
	if (!parse_place(from, &s->seq, &s->place))
		return problem_field(&c->problem, ERR_INVALID, resumes ? "Last-Event-ID" : "from",
				     "must be the id of an event, such as 12.0, or 'start'");
	return go_on(c, in->id, s);
}

enum err api_squad_events(struct call *c, const struct squad_events_in *in, struct nothing *out)
{
	struct squad_row row;
	enum err err = squad_read(c, in->id, &row);

	(void)out;
	if (err)
		return err;
	struct happenings *s = stream_new(c);
	s->wanted.squad = in->id;
	err = find_start(c, in, s);
	if (err)
		close_stream(s);
	else
		call_stream(c, &happenings_ops, s);
	return err;
}
