/*
 * work watch: server-sent events as lines.
 *
 * The stream is opened anew whenever it ends, resuming after the last event (follow.h). With --until-empty the queue is
 * asked whether anything is left, but only when the stream has been quiet for QUIET_MS since the last event: then
 * everything that led to the answer has been printed.
 */
#include "cli/follow.h"

#include <string.h>

enum { QUIET_MS = 400, POLL_MS = 10000, PAGES_MAX = 100000 };

struct watch {
	struct follow follow;
	const struct watch_args *args;
	struct str from;  /* where to begin while no event has come; empty: now */
	int64_t event_ms; /* the last event, or the opening of the stream */
	bool check_due;   /* something happened since the queue was asked */
	bool done;
};

/* ---- events ---- */

static void print_event(const struct work_event *ev)
{
	static const struct {
		uint32_t field;
		const char *before;
	} parts[] = {{work_event__at, ""}, {work_event__kind, " "}, {work_event__type, " "}, {work_event__id, " "}};
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		buf_z(&b, parts[i].before);
		json_show_field(&type_work_event, parts[i].field, ev, &b);
	}
	if (ev->kind == EVENT_PROGRESS && HAS(ev, work_event, progress))
		buf_fmt(&b, " %d%%", (int)ev->progress);
	if (HAS(ev, work_event, agent)) {
		buf_z(&b, " by ");
		json_show_text(ev->agent, &b);
	}
	puts(buf_cstr(&b));
	buf_free(&b);
}

/* The place is no longer kept. What came before the oldest event that is has been printed, so beginning there
 * prints nothing twice. */
static void on_reset(struct watch *w)
{
	fprintf(stderr, "tenfold: work watch: some events were missed, they are no longer kept; going on with "
			"those that are\n");
	buf_reset(&w->follow.stream.sse.id);
	w->from = STR("start");
}

static void on_event(void *ctx, const struct sse_event *e)
{
	struct watch *w = ctx;
	struct work_event ev;

	w->event_ms = stream_now_ms();
	w->check_due = true;
	arena_reset(w->follow.arena);
	if (str_eqz(e->name, "reset")) {
		on_reset(w);
		return;
	}
	if (w->follow.cli->globals.json) {
		fwrite(e->data.p, 1, e->data.n, stdout);
		putchar('\n');
	} else if (json_decode_answer(&type_work_event, e->data, w->follow.arena, &ev, NULL) == OK) {
		print_event(&ev);
	}
}

/* ---- is anything left? ---- */

static bool is_live(int state)
{
	return state == WORK_BLOCKED || state == WORK_SCHEDULED || state == WORK_READY || state == WORK_LEASED;
}

static enum err item_left(struct watch *w, bool *left)
{
	struct work_id in = {0};
	struct work_item out;
	enum err e;

	PUT(&in, work_id, id, w->args->item);
	e = client_call(w->follow.client, ROUTE_work_show, &in, w->follow.arena, &out, NULL,
			&w->follow.cli->problem);
	*left = !e && is_live(out.state);
	return e;
}

/* A page may be empty and still have a next one. */
static enum err any_in_state(struct watch *w, int state, bool *left)
{
	struct work_list_in in = {0};
	struct work_list_out out;
	enum err e = OK;

	PUT(&in, work_list_in, state, state);
	PUT(&in, work_list_in, limit, 1);
	if (HAS(w->args, watch_args, type))
		PUT(&in, work_list_in, type, w->args->type);
	for (int page = 0; page < PAGES_MAX && !e && !*left; page++) {
		e = client_call(w->follow.client, ROUTE_work_list, &in, w->follow.arena, &out, NULL,
				&w->follow.cli->problem);
		*left = !e && out.items_count > 0;
		if (e || !HAS(&out, work_list_out, next_cursor))
			break;
		PUT(&in, work_list_in, cursor, arena_str(w->follow.arena, out.next_cursor));
	}
	return e;
}

static enum err anything_left(struct watch *w, bool *left)
{
	enum err e = OK;

	*left = false;
	arena_reset(w->follow.arena);
	if (HAS(w->args, watch_args, item))
		return item_left(w, left);
	for (int state = 0; state < enum_work_state.count && !e && !*left; state++)
		if (is_live(state))
			e = any_in_state(w, state, left);
	return e;
}

static enum err check(struct watch *w)
{
	bool left;
	enum err e = anything_left(w, &left);

	w->check_due = false;
	w->done = !e && !left;
	/* The stream tells when the server is back, and then it is asked again. */
	return e == ERR_UNREACHABLE || (e && err_info(e)->retryable) ? OK : e;
}

/* ---- the loop ---- */

static enum err open_stream(void *ctx, int64_t now)
{
	struct watch *w = ctx;
	struct work_events_in in = {0};

	if (HAS(w->args, watch_args, type))
		PUT(&in, work_events_in, type, w->args->type);
	if (HAS(w->args, watch_args, item))
		PUT(&in, work_events_in, item, w->args->item);
	if (w->from.n && w->follow.stream.sse.id.n == 0)
		PUT(&in, work_events_in, from, w->from);
	w->event_ms = now;
	w->check_due = true;
	return stream_open(&w->follow.stream, ROUTE_work_events, &in, now, &w->follow.cli->problem);
}

static bool may_check(const struct watch *w)
{
	return w->args->until_empty && w->check_due && follow_is_open(&w->follow);
}

static int64_t wait_ms(const struct watch *w)
{
	return may_check(w) ? w->event_ms + QUIET_MS - stream_now_ms() : POLL_MS;
}

static enum err turn(struct watch *w)
{
	enum err e = follow_step(&w->follow);

	if (!e && may_check(w) && stream_now_ms() - w->event_ms >= QUIET_MS)
		e = check(w);
	if (!e && !w->done)
		follow_wait(&w->follow, wait_ms(w));
	return e;
}

enum err cmd_work_watch(struct cli *cli, const void *args)
{
	struct watch w = {.args = args};
	enum err e;

	w.from = w.args->from;
	w.follow.open = open_stream;
	w.follow.ctx = &w;
	e = follow_begin(&w.follow, cli, on_event);
	if (e)
		return e;
	while (!e && !w.done)
		e = turn(&w);
	follow_end(&w.follow);
	return e;
}
