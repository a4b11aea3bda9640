/*
 * Streams: GET /v1/work/events, and GET /v1/work/session, which a worker keeps open.
 *
 * A stream is a cursor into the event log and a filter. Events in memory are encoded on the loop that sends them;
 * older ones are fetched by a reading connection into `fetched` while the stream rests. A session's stream carries
 * only what its worker must know at once: that an item it holds was cancelled, lapsed or failed.
 */
#include "api/api.h"
#include "api/app.h"
#include "api/forward.h"
#include "api/sessions.h"

enum { CHUNK_BYTES = 64 << 10 };

struct events {
	struct app *app;
	struct event_cursor cursor;
	int64_t tenant, item, session; /* item, session: 0 for none */
	struct buf type, agent;        /* empty: any */
	struct buf fetched;            /* read from the store, not sent yet */
	bool greeted;
	bool gone; /* what follows the cursor is no longer kept */
	bool cut;  /* the store failed: the client comes again with the id it has */
};

/* What a callback of the log needs: whose stream, and where to. */
struct writing {
	struct events *stream;
	struct buf *out;
};

static bool is_wanted(const struct events *s, const struct event *e)
{
	if (e->tenant != s->tenant || (s->item && e->event.id != s->item))
		return false;
	if (s->type.n && !str_eq(buf_str(&s->type), e->event.type))
		return false;
	if (!s->session)
		return true;
	bool tells =
		e->event.kind == EVENT_CANCELLED || e->event.kind == EVENT_LAPSED || e->event.kind == EVENT_FAILED;
	return tells && str_eq(buf_str(&s->agent), e->holder);
}

static bool write_event(void *ctx, const struct event *e)
{
	struct writing *w = ctx;
	if (w->out->n >= CHUNK_BYTES)
		return false;
	if (!is_wanted(w->stream, e))
		return true;
	buf_z(w->out, "id: ");
	event_cursor_format(&e->at, w->out);
	buf_z(w->out, "\nevent: ");
	buf_z(w->out, enum_work_event_kind.values[e->event.kind].text);
	buf_z(w->out, "\ndata: ");
	json_encode(&type_work_event, &e->event, 0, w->out);
	buf_z(w->out, "\n\n");
	return true;
}

static void greet(struct events *s, struct buf *out)
{
	buf_z(out, "retry: 2000\n\n");
	if (s->session) {
		char id[ID_TEXT];
		id_format(id, "s_", s->session);
		buf_fmt(out, "event: session\ndata: {\"session\":\"%s\"}\n\n", id);
	}
	s->greeted = true;
}

static enum stream_next next(void *state, struct buf *out)
{
	struct events *s = state;
	struct writing w = {s, out};
	if (!s->greeted)
		greet(s, out);
	buf_str_add(out, buf_str(&s->fetched));
	buf_reset(&s->fetched);
	if (s->gone) {
		buf_z(out, "event: reset\ndata: {}\n\n");
		return STREAM_END;
	}
	if (s->cut)
		return STREAM_END;
	enum executor_state owner = executor_state(s->app->executor);
	if (owner == EXECUTOR_STANDBY || atomic_load(&s->app->stopping))
		return STREAM_END;
	enum eventlog_read read = eventlog_read(s->app->events, &s->cursor, write_event, &w);
	if (out->n > 0)
		return STREAM_DATA;
	return read == EVENTS_OLDER ? STREAM_FETCH : STREAM_WAIT;
}

static enum err fetch(void *state, struct db *db, enum err why)
{
	struct events *s = state;
	struct writing w = {s, &s->fetched};
	enum err err = why ? why : eventlog_fetch(s->app->events, db, &s->cursor, write_event, &w, &s->gone);
	s->cut = err != OK;
	return err;
}

static void close_stream(void *state)
{
	struct events *s = state;
	if (s->session)
		sessions_end(s->app, s->session);
	buf_free(&s->type);
	buf_free(&s->agent);
	buf_free(&s->fetched);
	free(s);
}

static const struct stream_ops events_ops = {.next = next, .fetch = fetch, .close = close_stream};

/* Events are told by the process that owns the queue. */
static enum err check_owner(struct call *c, bool *elsewhere)
{
	enum executor_state state = executor_state(call_app(c)->executor);
	*elsewhere = false;
	enum err err = call_app(c)->forward ? forward_wanted(c, elsewhere) : OK;
	if (err)
		return err;
	if (state == EXECUTOR_STARTING || state == EXECUTOR_STOPPED)
		return ERR_STORE_UNAVAILABLE;
	return OK;
}

static struct events *stream_new(struct call *c)
{
	struct events *s = NEW(struct events);
	s->app = call_app(c);
	s->tenant = c->caller.tenant;
	s->cursor = eventlog_end(s->app->events);
	s->type = s->agent = BUF_INIT(1024);
	return s;
}

/* Where to begin: Last-Event-ID, else `from`, else now. */
static enum err find_start(struct call *c, const struct work_events_in *in, struct event_cursor *out)
{
	bool resumes = c->last_event_id.n > 0;
	struct str from = resumes ? c->last_event_id : HAS(in, work_events_in, from) ? in->from : (struct str){0};
	if (from.n == 0)
		return OK;
	if (str_eqz(from, "start")) {
		*out = (struct event_cursor){0, -1};
		return OK;
	}
	if (event_cursor_parse(from, out))
		return OK;
	return problem_field(&c->problem, ERR_INVALID, resumes ? "Last-Event-ID" : "from",
			     "must be the id of an event, such as 12.0, or 'start'");
}

enum err api_work_events(struct call *c, const struct work_events_in *in, struct nothing *out)
{
	(void)out;
	bool elsewhere;
	enum err err = check_owner(c, &elsewhere);
	if (err)
		return err;
	struct event_cursor start = eventlog_end(call_app(c)->events);
	err = find_start(c, in, &start);
	if (err)
		return err;
	if (elsewhere)
		return forward_stream(c);
	struct events *s = stream_new(c);
	s->cursor = start;
	s->item = HAS(in, work_events_in, item) ? in->item : 0;
	buf_str_add(&s->type, in->type);
	call_stream(c, &events_ops, s);
	return OK;
}

enum err api_work_session(struct call *c, const struct work_session_in *in, struct nothing *out)
{
	(void)out;
	bool elsewhere;
	enum err err = check_owner(c, &elsewhere);
	if (err)
		return err;
	if (elsewhere)
		return forward_stream(c);
	struct events *s = stream_new(c);
	buf_str_add(&s->agent, in->agent);
	s->session = sessions_begin(s->app->sessions, app_new_id(s->app), s->tenant);
	call_stream(c, &events_ops, s);
	return OK;
}
