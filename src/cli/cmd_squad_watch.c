/*
 * squad watch and execution watch: a board (board.h) on a stream of events and on the terminal; in a pipe, or where
 * nobody can draw, a line an event.
 *
 * A turn: take what the stream brought, make the one call that is next, draw, take keys, wait. Beside the stream there
 * is one call on its way at a time, on the same multi handle, so that a server that hangs holds up nobody's keys: what
 * a person asked for goes first, then what the board does not know yet. What could not be read is asked for again; what
 * a person asked for is told to have failed, and is not made again.
 */
#include "cli/board.h"
#include "cli/follow.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/magic.h"
#include "base/term.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	TICK_MS = 200,   /* the size of the terminal is looked at */
	CLOCK_MS = 1000, /* drawn at least so often … */
	FRAME_MS = 50,   /* … and at most */
	AGAIN_MS = 1000, /* what could not be read */
	COST_MS = 500,   /* costs of executions are read no more often */
	CALL_MS = 15000,
	LISTED = 50,
	QUESTIONS = 200,
	TROUBLE_BYTES = 1100,
	ANSWER_MAX = 64 << 20,
};

/* What is read before the board is whole, in this order. */
enum reading { READ_SQUAD, READ_MEMBERS, READ_NEWEST, READ_LIVE, READ_COST, READ_DONE };

enum asked { ASKED_NOTHING, ASKED_PART, ASKED_EXECUTION, ASKED_QUESTIONS, ASKED_COST, ASKED_ACTION };

struct watching {
	struct follow follow;
	struct cli *cli;
	int64_t squad, execution; /* one of them is 0 */
	struct squad_events_in of_squad;
	struct execution_events_in of_execution;
	struct board *board;
	int64_t last_kind; /* of the last event */

	struct request request; /* the one call */
	struct arena *answer;
	enum asked asked;
	int64_t asked_id;
	enum reading reading;
	int live_state; /* of READ_LIVE */
	struct str cursor;
	char cursor_text[80];
	struct board_action todo;
	int64_t ask_ms, cost_ms; /* not before */

	struct term *term; /* NULL: lines */
	struct clock *clock;
	int signals;
	int64_t drawn_ms;
	bool is_due, done;
	int stop_signal;
	char trouble[TROUBLE_BYTES];
};

static void say(struct watching *w, const char *text)
{
	board_say(w->board, text, clock_now_ms(w->clock));
	w->is_due = true;
}

static void end_action(struct watching *w, const char *why)
{
	board_did(w->board, &w->todo, why, clock_now_ms(w->clock));
	w->todo = (struct board_action){0};
	w->is_due = true;
}

/* ---- events ---- */

static void print_event(const struct execution_event_shown *e)
{
	char at[CLOCK_TEXT], id[ID_TEXT];
	struct buf b = BUF_INIT(0), clean = BUF_INIT(0);

	clock_format(e->at, at);
	id_format(id, "ex_", e->execution);
	board_event_text(e, &b);
	json_show_text(buf_str(&b), &clean);
	printf("%s %s %s %s\n", at, id, enum_execution_event_kind.values[e->kind].text, buf_cstr(&clean));
	buf_free(&b);
	buf_free(&clean);
}

static bool is_end(int kind)
{
	return kind == FLOW_COMPLETED || kind == FLOW_ERROR || kind == FLOW_CANCELLED;
}

static void hear(struct watching *w, const struct execution_event_shown *e)
{
	if (!board_hear(w->board, e))
		return;
	w->is_due = true;
	w->last_kind = e->kind;
	if (w->execution && is_end(e->kind))
		w->follow.is_over = true;
	if (!w->term && !w->cli->globals.json)
		print_event(e);
}

/* The place is no longer kept: what is, is read anew. */
static void on_reset(struct watching *w)
{
	board_missed(w->board);
	w->reading = READ_SQUAD;
	if (w->term)
		say(w, "some events were missed, they are no longer kept");
	else
		fprintf(stderr,
			"tenfold: %s: some events were missed, they are no longer kept; going on with those "
			"that are\n",
			w->cli->verb->name);
}

static void on_event(void *ctx, const struct sse_event *e)
{
	struct watching *w = ctx;
	struct execution_event_shown shown;

	arena_reset(w->follow.arena);
	if (!w->term && w->cli->globals.json) {
		fwrite(e->data.p, 1, e->data.n, stdout);
		putchar('\n');
	}
	if (str_eqz(e->name, "reset"))
		on_reset(w);
	else if (json_decode_answer(&type_execution_event_shown, e->data, w->follow.arena, &shown, NULL) == OK)
		hear(w, &shown);
}

static enum err open_stream(void *ctx, int64_t now)
{
	struct watching *w = ctx;
	struct problem *p = &w->cli->problem;

	return w->squad ? stream_open(&w->follow.stream, ROUTE_squad_events, &w->of_squad, now, p)
			: stream_open(&w->follow.stream, ROUTE_execution_events, &w->of_execution, now, p);
}

static void on_trouble(void *ctx, const char *why)
{
	struct watching *w = ctx;

	snprintf(w->trouble, sizeof(w->trouble), "%s", why);
	w->is_due = true;
	if (!w->term)
		fprintf(stderr, "tenfold: %s: %s\n", w->cli->verb->name, why);
}

static bool is_open(const struct watching *w)
{
	return w->follow.is_over || (w->follow.stream.request.busy && follow_is_open(&w->follow));
}

/* ---- calls: going out ---- */

/* It is asked for again. */
static void not_read(struct watching *w, enum asked asked, const char *why)
{
	w->ask_ms = stream_now_ms() + AGAIN_MS;
	if (asked == ASKED_QUESTIONS || asked == ASKED_COST)
		board_is_due(w->board, asked == ASKED_COST ? BOARD_COST : BOARD_QUESTIONS, w->asked_id);
	say(w, why);
}

static void call(struct watching *w, enum asked asked, int64_t id, enum route_id route, const void *in)
{
	struct problem why = {0};

	w->asked_id = id;
	if (client_request_begin(&w->request, route, in, CALL_MS, &why)) {
		if (asked == ASKED_ACTION)
			end_action(w, why.detail);
		else
			not_read(w, asked, why.detail);
		return;
	}
	w->asked = asked;
	CHECK(curl_multi_add_handle(w->follow.multi, w->request.easy) == CURLM_OK);
}

static void call_verdict(struct watching *w, const struct board_action *a)
{
	struct execution_approve_in in = {.id = a->execution, .step = a->step, .approve = a->does == BOARD_APPROVE};

	if (a->text[0])
		PUT(&in, execution_approve_in, note, str_of(a->text));
	call(w, ASKED_ACTION, a->execution, ROUTE_execution_approve, &in);
}

static void call_answer(struct watching *w, const struct board_action *a)
{
	struct question_answer_in in = {.id = a->question, .answer = str_of(a->text)};

	call(w, ASKED_ACTION, a->execution, ROUTE_question_answer, &in);
}

static void call_action(struct watching *w)
{
	const struct board_action *a = &w->todo;
	struct execution_ref execution = {.id = a->execution};
	struct execution_cancel_in cancel = {.id = a->execution};
	struct squad_ref squad = {.id = w->squad};

	switch (a->does) {
	case BOARD_APPROVE:
	case BOARD_REJECT:
		call_verdict(w, a);
		return;
	case BOARD_ANSWER:
		call_answer(w, a);
		return;
	case BOARD_CANCEL:
		call(w, ASKED_ACTION, a->execution, ROUTE_execution_cancel, &cancel);
		return;
	case BOARD_PAUSE:
		call(w, ASKED_ACTION, a->execution, ROUTE_execution_pause, &execution);
		return;
	case BOARD_RESUME:
		call(w, ASKED_ACTION, a->execution, ROUTE_execution_resume, &execution);
		return;
	case BOARD_PAUSE_SQUAD:
		call(w, ASKED_ACTION, w->squad, ROUTE_squad_pause, &squad);
		return;
	case BOARD_RESUME_SQUAD:
		call(w, ASKED_ACTION, w->squad, ROUTE_squad_resume, &squad);
		return;
	case BOARD_NOTHING:
	case BOARD_QUIT:
		UNREACHABLE();
	}
}

static void call_list(struct watching *w, int state)
{
	struct execution_list_in in = {0};

	PUT(&in, execution_list_in, squad, w->squad);
	PUT(&in, execution_list_in, limit, LISTED);
	if (state >= 0)
		PUT(&in, execution_list_in, state, state);
	if (w->cursor.n)
		PUT(&in, execution_list_in, cursor, w->cursor);
	call(w, ASKED_PART, 0, ROUTE_execution_list, &in);
}

static void call_part(struct watching *w)
{
	struct squad_ref squad = {.id = w->squad};
	struct squad_member_list_in members = {.id = w->squad};
	struct squad_cost_in cost = {.id = w->squad};

	switch (w->reading) {
	case READ_SQUAD:
		call(w, ASKED_PART, 0, ROUTE_squad_show, &squad);
		return;
	case READ_MEMBERS:
		call(w, ASKED_PART, 0, ROUTE_squad_member_list, &members);
		return;
	case READ_NEWEST:
		call_list(w, -1);
		return;
	case READ_LIVE:
		call_list(w, w->live_state);
		return;
	case READ_COST:
		PUT(&cost, squad_cost_in, by, COST_BY_SQUAD);
		call(w, ASKED_PART, 0, ROUTE_squad_cost, &cost);
		return;
	case READ_DONE:
		return;
	}
}

/* False: there is none to be read. Likewise below. */
static bool call_execution(struct watching *w)
{
	struct execution_ref in = {.id = board_stale(w->board, board_chosen(w->board))};

	if (in.id)
		call(w, ASKED_EXECUTION, in.id, ROUTE_execution_show, &in);
	return in.id != 0;
}

static bool call_questions(struct watching *w)
{
	struct question_list_in in = {0};
	int64_t execution = board_due(w->board, BOARD_QUESTIONS, board_chosen(w->board));

	PUT(&in, question_list_in, execution, execution);
	PUT(&in, question_list_in, state, QUESTION_OPEN);
	PUT(&in, question_list_in, limit, QUESTIONS);
	if (execution)
		call(w, ASKED_QUESTIONS, execution, ROUTE_question_list, &in);
	return execution != 0;
}

static void call_cost(struct watching *w, int64_t now)
{
	struct execution_cost_in in = {0};

	if (now < w->cost_ms)
		return;
	in.id = board_due(w->board, BOARD_COST, board_chosen(w->board));
	if (!in.id)
		return;
	PUT(&in, execution_cost_in, entries, 0);
	w->cost_ms = now + COST_MS;
	call(w, ASKED_COST, in.id, ROUTE_execution_cost, &in);
}

static void drop_action(struct watching *w)
{
	if (w->todo.does != BOARD_NOTHING)
		end_action(w, "not done: the connection was lost before it was sent");
}

/* What is next; nothing while the server is away. */
static void ask(struct watching *w, int64_t now)
{
	if (w->asked != ASKED_NOTHING)
		return;
	if (!is_open(w)) {
		drop_action(w);
		return;
	}
	if (w->todo.does != BOARD_NOTHING)
		call_action(w);
	else if (now < w->ask_ms)
		return;
	else if (w->reading != READ_DONE)
		call_part(w);
	else if (!call_execution(w) && !call_questions(w))
		call_cost(w, now);
}

/* ---- calls: coming back ---- */

static bool is_live(int state)
{
	return state != EXECUTION_COMPLETED && state != EXECUTION_FAILED && state != EXECUTION_CANCELLED;
}

static void next_part(struct watching *w)
{
	w->cursor = (struct str){0};
	if (w->reading != READ_LIVE) {
		w->reading++;
		w->live_state = EXECUTION_PENDING;
		return;
	}
	do
		w->live_state++;
	while (w->live_state < enum_execution_state.count && !is_live(w->live_state));
	if (w->live_state == enum_execution_state.count)
		w->reading = READ_COST;
}

/* An empty page may have a next one. */
static void take_list(struct watching *w, const struct execution_list_out *list)
{
	for (size_t i = 0; i < list->items_count; i++)
		board_take_listed(w->board, &list->items[i]);
	if (list->items_count > 0 || !HAS(list, execution_list_out, next_cursor) || w->reading == READ_NEWEST) {
		next_part(w);
		return;
	}
	snprintf(w->cursor_text, sizeof(w->cursor_text), "%.*s", STRF(list->next_cursor));
	w->cursor = str_of(w->cursor_text);
}

static void take_part(struct watching *w, const void *out)
{
	const struct squad_member_list_out *members = out;

	switch (w->reading) {
	case READ_SQUAD:
		board_take_squad(w->board, out);
		next_part(w);
		return;
	case READ_MEMBERS:
		for (size_t i = 0; i < members->items_count; i++)
			board_take_member(w->board, &members->items[i]);
		next_part(w);
		return;
	case READ_NEWEST:
	case READ_LIVE:
		take_list(w, out);
		return;
	case READ_COST:
		board_take_squad_cost(w->board, &((const struct cost_report *)out)->total);
		next_part(w);
		return;
	case READ_DONE:
		return;
	}
}

static void take_action(struct watching *w, enum err e, const struct problem *why, const void *out)
{
	if (!e && w->request.route->out == &type_squad)
		board_take_squad(w->board, out);
	end_action(w, e ? why->detail : NULL);
}

static void take_questions(struct watching *w, const struct question_list_out *list)
{
	for (size_t i = 0; i < list->items_count; i++)
		board_take_question(w->board, &list->items[i]);
}

/* What an execution spent, its squad did. */
static void take_cost(struct watching *w, const struct cost_report *report)
{
	board_take_cost(w->board, w->asked_id, &report->total);
	if (w->squad && board_has_spent(w->board))
		w->reading = READ_COST;
}

static void take_answer(struct watching *w, enum asked asked, enum err e, const struct problem *why,
			const void *out)
{
	if (asked == ASKED_ACTION) {
		take_action(w, e, why, out);
	} else if (e == ERR_NOT_FOUND && asked == ASKED_EXECUTION) {
		board_forget(w->board, w->asked_id);
	} else if (e == ERR_NOT_FOUND && asked != ASKED_PART) {
		return; /* archived, or gone: its event tells */
	} else if (e) {
		not_read(w, asked, why->detail);
	} else if (asked == ASKED_EXECUTION) {
		board_take(w->board, out);
	} else if (asked == ASKED_QUESTIONS) {
		take_questions(w, out);
	} else if (asked == ASKED_COST) {
		take_cost(w, out);
	} else {
		take_part(w, out);
	}
}

static void on_answer(void *ctx, CURL *easy, CURLcode code)
{
	struct watching *w = ctx;
	struct problem why = {0};
	enum asked asked = w->asked;
	void *out;
	enum err e;

	curl_multi_remove_handle(w->follow.multi, easy);
	arena_reset(w->answer);
	out = arena_alloc(w->answer, w->request.route->out->size);
	CHECK(out);
	e = client_request_end(&w->request, code, w->answer, out, &why);
	w->asked = ASKED_NOTHING;
	w->is_due = true;
	take_answer(w, asked, e, &why, out);
}

/* ---- the terminal ---- */

static void draw(struct watching *w, int64_t now)
{
	struct term_size size = term_size(w->term);
	struct board_look look = {.width = size.width,
				  .height = size.height,
				  .colours = term_can_colour(),
				  .has_keys = term_has_keys(w->term),
				  .now_ms = clock_now_ms(w->clock),
				  .trouble = is_open(w)      ? ""
					     : w->trouble[0] ? w->trouble
							     : "connecting"};
	struct buf b = BUF_INIT(4 << 20);

	board_draw(w->board, &look, &b);
	if (buf_ok(&b))
		term_draw(w->term, buf_str(&b));
	buf_free(&b);
	w->drawn_ms = now;
	w->is_due = false;
}

static void act(struct watching *w, const struct board_action *a)
{
	w->is_due = true;
	switch (a->does) {
	case BOARD_NOTHING:
		return;
	case BOARD_QUIT:
		w->done = true;
		return;
	case BOARD_APPROVE:
	case BOARD_REJECT:
	case BOARD_ANSWER:
	case BOARD_CANCEL:
	case BOARD_PAUSE:
	case BOARD_RESUME:
	case BOARD_PAUSE_SQUAD:
	case BOARD_RESUME_SQUAD:
		break;
	}
	if (w->todo.does != BOARD_NOTHING || !is_open(w)) {
		board_did(w->board, a,
			  is_open(w) ? "not yet: what was asked for before is not answered"
				     : "not now: there is no connection",
			  clock_now_ms(w->clock));
		return;
	}
	w->todo = *a;
}

static void take_keys(struct watching *w)
{
	struct board_action action;

	for (int key = term_key(w->term); key && !w->done; key = term_key(w->term)) {
		board_key(w->board, key, clock_now_ms(w->clock), &action);
		act(w, &action);
	}
}

/* False: the shell has the terminal. */
static bool turn_terminal(struct watching *w, int64_t now)
{
	switch (term_turn(w->term)) {
	case TERM_SAME:
		break;
	case TERM_ANEW:
		w->is_due = true;
		break;
	case TERM_AWAY:
		return false;
	case TERM_STOP:
		term_stop(w->term);
		return true;
	}
	take_keys(w);
	if (now - w->drawn_ms >= (w->is_due ? FRAME_MS : CLOCK_MS))
		draw(w, now);
	return true;
}

/* Only when there is something to see, so that what is wrong at once stands on the shell's screen. */
static void open_terminal(struct watching *w)
{
	if (w->term || w->cli->globals.json || !term_can_draw() || !is_open(w))
		return;
	w->term = term_open();
}

/* ---- the loop ---- */

static void take_signal(struct watching *w)
{
	struct signalfd_siginfo info;

	if (read(w->signals, &info, sizeof(info)) != sizeof(info))
		return;
	w->stop_signal = (int)info.ssi_signo;
	w->done = true;
}

static int64_t wait_ms(const struct watching *w, bool in_front, int64_t now)
{
	int64_t due_ms = w->drawn_ms + FRAME_MS - now;

	return in_front && w->is_due && due_ms < TICK_MS ? due_ms : TICK_MS;
}

static enum err turn(struct watching *w)
{
	struct curl_waitfd fds[] = {{.fd = w->signals, .events = CURL_WAIT_POLLIN},
				    {.fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN}};
	bool in_front = false;
	enum err e = follow_step(&w->follow);

	if (e)
		return e;
	open_terminal(w);
	if (w->term) {
		in_front = turn_terminal(w, stream_now_ms());
		ask(w, stream_now_ms());
	} else if (w->follow.is_over) {
		w->done = true;
	}
	if (!w->done)
		follow_wait_for(&w->follow, wait_ms(w, in_front, stream_now_ms()), fds,
				in_front && term_has_keys(w->term) ? 2 : 1);
	take_signal(w);
	return OK;
}

static enum err begin(struct watching *w)
{
	sigset_t stops;
	enum err e;

	w->follow.open = open_stream;
	w->follow.ended = on_answer;
	w->follow.trouble = on_trouble;
	w->follow.ctx = w;
	w->reading = w->squad ? READ_SQUAD : READ_DONE;
	e = follow_begin(&w->follow, w->cli, on_event);
	if (e)
		return e;
	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	sigprocmask(SIG_BLOCK, &stops, NULL);
	w->signals = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
	w->board = board_new();
	if (w->execution)
		board_expect(w->board, w->execution);
	w->answer = arena_new(ANSWER_MAX);
	w->clock = clock_system_new();
	client_request_init(&w->request, w->follow.client);
	if (w->signals < 0)
		e = problem_set(&w->cli->problem, ERR_INTERNAL,
				"cannot take signals: %s; raise the limits of the system", strerror(errno));
	return e;
}

static void end(struct watching *w)
{
	term_close(&w->term);
	if (w->asked != ASKED_NOTHING)
		curl_multi_remove_handle(w->follow.multi, w->request.easy);
	client_request_free(&w->request);
	follow_end(&w->follow);
	clock_system_destroy(&w->clock);
	arena_destroy(&w->answer);
	board_destroy(&w->board);
	if (w->signals >= 0)
		close(w->signals);
}

/* An execution that is known to have ended, and not well, is a check that failed. */
static int exit_code(const struct watching *w)
{
	if (w->stop_signal)
		return 128 + w->stop_signal;
	return w->execution && (w->last_kind == FLOW_ERROR || w->last_kind == FLOW_CANCELLED);
}

static enum err watch(struct watching *w)
{
	enum err e = begin(w);

	while (!e && !w->done)
		e = turn(w);
	w->cli->exit_code = exit_code(w);
	if (w->board)
		end(w);
	return e;
}

enum err cmd_squad_watch(struct cli *cli, const void *args)
{
	const struct squad_events_in *in = args;
	struct watching w = {.cli = cli, .squad = in->id, .of_squad = *in, .signals = -1};

	return watch(&w);
}

enum err cmd_execution_watch(struct cli *cli, const void *args)
{
	const struct execution_events_in *in = args;
	struct watching w = {.cli = cli, .execution = in->id, .of_execution = *in, .signals = -1};

	return watch(&w);
}
