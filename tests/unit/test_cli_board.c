/* A squad's board under given events: what it shows, what it asks to be read, and that no order of stream and reading
 * changes where it ends. */
#include "harness.h"

#include "base/term.h"
#include "cli/board_priv.h"
#include "cli/print.h"

enum { T0 = 1000000, STEPS = 4, WIDEST = 130, HIGHEST = 40 };

static const int64_t EX = 11, OTHER = 12, PLAN = 21, BUILD = 22, TEST = 23, RELEASE = 24;

struct story {
	struct board *board;
	struct board_look look;
	struct buf screen;
	struct execution_step steps[STEPS];
	struct str needs[3];
	struct execution execution;
	struct board_action did;
};

/* ---- what a server would say ---- */

static struct execution_step step_of(int64_t id, const char *name, int kind, int state)
{
	return (struct execution_step){.id = id, .name = str_of(name), .kind = kind, .state = state};
}

static void need(struct execution_step *s, struct str *names, size_t count)
{
	PUT(s, execution_step, needs, names);
	s->needs_count = count;
}

static void fill_execution(struct story *s)
{
	s->needs[0] = STR("plan");
	s->needs[1] = STR("build");
	s->needs[2] = STR("test");
	s->steps[0] = step_of(PLAN, "plan", STEP_COMMAND, STEP_COMPLETED);
	s->steps[1] = step_of(BUILD, "build", STEP_COMMAND, STEP_READY);
	s->steps[2] = step_of(TEST, "test", STEP_COMMAND, STEP_PENDING);
	s->steps[3] = step_of(RELEASE, "release", STEP_APPROVAL, STEP_PENDING);
	need(&s->steps[1], &s->needs[0], 1);
	need(&s->steps[2], &s->needs[0], 1);
	need(&s->steps[3], &s->needs[1], 2);
	s->execution = (struct execution){.id = EX,
					  .squad = 1,
					  .name = STR("Rate limits"),
					  .state = EXECUTION_IN_PROGRESS,
					  .created_by = STR("ann"),
					  .last_event = 5};
	PUT(&s->execution, execution, started_at, T0);
	PUT(&s->execution, execution, steps, s->steps);
	s->execution.steps_count = STEPS;
}

static struct execution_event_shown event(int64_t execution, int64_t number, int kind)
{
	return (struct execution_event_shown){
		.execution = execution, .number = number, .kind = kind, .at = T0 + number * 1000};
}

static struct execution_event_shown moved(int64_t number, int64_t step, const char *from, const char *to)
{
	struct execution_event_shown e = event(EX, number, step ? FLOW_STEP_STATUS : FLOW_STATUS);

	PUT(&e, execution_event_shown, old_status, str_of(from));
	PUT(&e, execution_event_shown, new_status, str_of(to));
	if (step)
		PUT(&e, execution_event_shown, step, step);
	return e;
}

static struct execution_event_shown taken_by(struct execution_event_shown e, const char *agent)
{
	PUT(&e, execution_event_shown, agent, str_of(agent));
	return e;
}

static struct execution_event_shown said(int64_t number, int kind, int64_t step, const char *message)
{
	struct execution_event_shown e = event(EX, number, kind);

	PUT(&e, execution_event_shown, step, step);
	PUT(&e, execution_event_shown, message, str_of(message));
	return e;
}

static struct execution_event_shown at_percent(int64_t number, int64_t step, int64_t percent)
{
	struct execution_event_shown e = event(EX, number, FLOW_STEP_PROGRESS);

	PUT(&e, execution_event_shown, step, step);
	PUT(&e, execution_event_shown, progress, percent);
	return e;
}

/* ---- the story ---- */

static int begin(void **state)
{
	struct story *s = NEW(struct story);
	struct squad squad = {.name = STR("backend"), .status = SQUAD_ACTIVE};

	s->board = board_new();
	board_take_squad(s->board, &squad);
	fill_execution(s);
	s->look = (struct board_look){
		.width = 80, .height = 24, .has_keys = true, .now_ms = T0 + 72000, .news = "", .trouble = ""};
	s->screen = BUF_INIT(1 << 20);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct story *s = *state;

	board_destroy(&s->board);
	buf_free(&s->screen);
	free(s);
	return 0;
}

static void hear(struct story *s, struct execution_event_shown e)
{
	assert_true(board_hear(s->board, &e));
}

static void key(struct story *s, int k)
{
	board_key(s->board, k, &s->did);
}

static void keys(struct story *s, const char *text)
{
	for (; *text; text++)
		key(s, (unsigned char)*text);
}

static const char *screen(struct story *s)
{
	buf_reset(&s->screen);
	board_draw(s->board, &s->look, &s->screen);
	assert_true(buf_ok(&s->screen));
	return buf_cstr(&s->screen);
}

static void is(struct story *s, const char *agreed)
{
	const char *seen = screen(s);

	if (strcmp(seen, agreed) != 0)
		fail_msg("it looks so:\n%s", seen);
}

static void shows(struct story *s, const char *text)
{
	const char *seen = screen(s);

	if (!strstr(seen, text))
		fail_msg("\"%s\" is not there:\n%s", text, seen);
}

static void hides(struct story *s, const char *text)
{
	const char *seen = screen(s);

	if (strstr(seen, text))
		fail_msg("\"%s\" is there:\n%s", text, seen);
}

/* The execution as it is read, with a build under way, a log and what a model says. */
static void work(struct story *s)
{
	board_take(s->board, &s->execution);
	hear(s, taken_by(moved(6, BUILD, "ready", "running"), "ada"));
	hear(s, at_percent(7, BUILD, 40));
	hear(s, said(8, FLOW_LOG, BUILD, "{\"level\":\"info\",\"text\":\"12 files\"}"));
	hear(s, said(9, FLOW_TOKENS, BUILD, "{\"text\":\"It \"}"));
	hear(s, said(10, FLOW_TOKENS, BUILD, "{\"text\":\"works\"}"));
}

/* ---- as agreed ---- */

static void a_screen_of_80_by_24(void **state)
{
	struct story *s = *state;

	work(s);
	is(s, "tenfold  squad backend  active                                    live  00:17:52\n"
	      "1 in_progress\n"
	      "> in_progress Rate limits                           1/4     0:01:12\n"
	      "    + plan                             completed\n"
	      "    |- * build                         running     40%  ada           0:01:06\n"
	      "    |  `- . release (needs 2)          pending\n"
	      "    `- . test                          pending\n"
	      "\n"
	      "\n"
	      "\n"
	      "\n"
	      "\n"
	      "\n"
	      "\n"
	      "-- Rate limits -----------------------------------------------------------------\n"
	      "00:16:46 build: ready -> running by ada\n"
	      "00:16:47 build: 40%\n"
	      "00:16:48 build: 12 files\n"
	      "00:16:49 build: It works\n"
	      "\n"
	      "\n"
	      "\n"
	      "\n"
	      "a approve  r reject  c cancel  p pause  P squad  f filter  l log  ? help  q quit");
}

/* ---- what is known, whatever comes first ---- */

static void an_event_up_to_what_was_read_changes_nothing(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	hear(s, taken_by(moved(5, PLAN, "ready", "running"), "eve"));
	shows(s, "+ plan");
	hides(s, "* plan");
	assert_int_equal(board_stale(s->board, 0), 0);
}

static void one_heard_twice_is_told_once(void **state)
{
	struct story *s = *state;
	struct execution_event_shown again = moved(6, BUILD, "ready", "running");

	board_take(s->board, &s->execution);
	hear(s, again);
	assert_false(board_hear(s->board, &again));
	assert_int_equal(s->board->line_count, 1);
}

static void a_gap_is_read_until_nothing_is_missing(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	hear(s, moved(8, BUILD, "running", "completed"));
	assert_int_equal(board_stale(s->board, 0), EX);
	board_take(s->board, &s->execution); /* from a store that lags */
	assert_int_equal(board_stale(s->board, 0), EX);
	s->steps[1].state = STEP_COMPLETED;
	s->execution.last_event = 8;
	board_take(s->board, &s->execution);
	assert_int_equal(board_stale(s->board, 0), 0);
	shows(s, "+ build");
}

static void what_no_event_tells_is_read(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	hear(s, moved(6, 0, "in_progress", "blocked"));
	assert_int_equal(board_stale(s->board, 0), EX);
	s->execution.state = EXECUTION_BLOCKED;
	PUT(&s->execution, execution, block, BLOCK_APPROVAL);
	s->execution.last_event = 6;
	board_take(s->board, &s->execution);
	shows(s, "0:01:12   approval");
	hear(s, event(EX, 7, FLOW_STEP_ADDED));
	assert_int_equal(board_stale(s->board, 0), EX);
}

static void after_missed_events_all_is_read_anew(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	assert_int_equal(board_stale(s->board, 0), 0);
	board_missed(s->board);
	assert_int_equal(board_stale(s->board, 0), EX);
}

/* A history of random moves; the stream and the readings come in any order, each as far as it may be by then. */
static void no_order_of_stream_and_readings_changes_the_end(void **state)
{
	struct story *s = *state;
	struct rng rng = test_seed();
	enum { EVENTS = 60 };
	int64_t steps[EVENTS + 1], heard = 0;
	int states[EVENTS + 1];

	for (int n = 1; n <= EVENTS; n++) {
		steps[n] = PLAN + (int64_t)rng_below(&rng, STEPS);
		states[n] = (int)rng_below(&rng, (uint64_t)enum_step_state.count);
	}
	for (int i = 0; i < STEPS; i++)
		s->steps[i].state = STEP_PENDING;
	while (heard < EVENTS || board_stale(s->board, 0)) {
		int64_t upto = heard == EVENTS ? EVENTS : (int64_t)rng_below(&rng, EVENTS + 1);

		if (heard < EVENTS && rng_below(&rng, 4) > 0) {
			heard++;
			hear(s, moved(heard, steps[heard], "ready", enum_step_state.values[states[heard]].text));
			continue;
		}
		for (int i = 0; i < STEPS; i++)
			s->steps[i].state = STEP_PENDING;
		for (int64_t n = 1; n <= upto; n++)
			s->steps[steps[n] - PLAN].state = states[n];
		s->execution.last_event = upto;
		board_take(s->board, &s->execution);
	}
	for (int64_t n = 1; n <= EVENTS; n++)
		s->steps[steps[n] - PLAN].state = states[n];
	for (int i = 0; i < STEPS; i++) {
		const struct board_execution *e = board_find(s->board, EX);

		for (size_t k = 0; k < e->steps_count; k++)
			if (e->steps[k].id == s->steps[i].id)
				assert_int_equal(e->steps[k].state, s->steps[i].state);
	}
	assert_int_equal(s->board->line_count, EVENTS);
}

/* ---- bounds ---- */

static void what_ended_longest_ago_leaves_first(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	for (int64_t id = 100; id < 100 + BOARD_EXECUTIONS; id++) {
		struct execution e = s->execution;

		e.id = id;
		e.state = EXECUTION_COMPLETED;
		PUT(&e, execution, finished_at, T0 + id);
		board_take_listed(s->board, &e);
	}
	assert_non_null(board_find(s->board, EX));
	assert_null(board_find(s->board, 100));
	assert_non_null(board_find(s->board, 101));
	assert_int_equal(s->board->all.n, BOARD_EXECUTIONS);
}

static void a_line_is_of_its_step_also_when_that_is_read_later(void **state)
{
	struct story *s = *state;

	hear(s, at_percent(5, BUILD, 40));
	board_take(s->board, &s->execution);
	shows(s, "build: 40%\n");
}

static void the_log_keeps_the_last_lines(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	for (int64_t n = 6; n < 6 + BOARD_LINES + 10; n++)
		hear(s, at_percent(n, BUILD, n % 100));
	assert_int_equal(s->board->line_count, BOARD_LINES);
	assert_int_equal(board_line(s->board, 0)->at_ms, T0 + 16 * 1000);
}

static void what_a_model_says_goes_on_in_its_line_and_is_cut_into_lines(void **state)
{
	struct story *s = *state;
	char piece[BOARD_LINE_BYTES + 100];

	work(s);
	shows(s, "build: It works\n");
	hear(s, said(11, FLOW_TOKENS, BUILD, "{\"text\":\"!\\nNext\"}"));
	shows(s, "build: It works!\n");
	shows(s, "build: Next\n");
	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	hear(s, said(12, FLOW_TOKENS, BUILD, piece));
	assert_true(board_line(s->board, s->board->line_count - 1)->text[0] == 'x');
}

static void an_end_of_a_line_that_nothing_follows_leaves_no_empty_line(void **state)
{
	struct story *s = *state;
	size_t before;

	work(s);
	before = s->board->line_count;
	hear(s, said(11, FLOW_TOKENS, BUILD, "{\"text\":\" well.\\n\\n\"}"));
	assert_int_equal(s->board->line_count, before);
	shows(s, "build: It works well.\n");
	hides(s, "build:\n");
	hear(s, said(12, FLOW_TOKENS, BUILD, "{\"text\":\"\\nNext\"}"));
	assert_int_equal(s->board->line_count, before + 1);
	shows(s, "build: Next\n");
}

static void nothing_from_outside_moves_the_cursor(void **state)
{
	struct story *s = *state;

	s->steps[1].name = STR("bu\x1b[2Jild");
	s->execution.name = STR("Rate\nlimits\x07");
	board_take(s->board, &s->execution);
	hear(s, said(6, FLOW_LOG, BUILD, "a\rb\x1b[1;1H"));
	for (const char *p = screen(s); *p; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= ' ');
}

static void no_line_is_too_wide_and_no_screen_too_high(void **state)
{
	struct story *s = *state;

	work(s);
	for (s->look.width = 1; s->look.width <= WIDEST; s->look.width++)
		for (s->look.height = 1; s->look.height <= HIGHEST; s->look.height++) {
			struct str rest = str_of(screen(s));
			int lines = 0;

			while (rest.p) {
				struct str line = str_cut(rest, '\n', &rest);

				assert_in_range(print_columns(line), 0, s->look.width);
				lines++;
			}
			assert_in_range(lines, 1, s->look.height);
		}
}

static void colours_are_only_there_when_they_are_wanted(void **state)
{
	struct story *s = *state;

	work(s);
	hides(s, "\x1b");
	s->look.colours = true;
	shows(s, "\x1b[7m> in_progress");
}

/* ---- keys ---- */

static void wait_for_approval(struct story *s)
{
	s->steps[3].state = STEP_WAITING;
	s->execution.state = EXECUTION_BLOCKED;
	PUT(&s->execution, execution, block, BLOCK_APPROVAL);
	board_take(s->board, &s->execution);
}

static void an_approval_takes_a_note(void **state)
{
	struct story *s = *state;

	wait_for_approval(s);
	shows(s, "WAITING FOR YOU: 1");
	key(s, 'a');
	keys(s, "looks gooo");
	key(s, 0x7f);
	shows(s, "Approve release of Rate limits; note (may be empty): looks goo_");
	assert_int_equal(s->did.does, BOARD_NOTHING);
	key(s, 0x7f);
	key(s, 'd');
	key(s, '\r');
	assert_int_equal(s->did.does, BOARD_APPROVE);
	assert_int_equal(s->did.execution, EX);
	assert_int_equal(s->did.step, RELEASE);
	assert_string_equal(s->did.text, "looks god");
}

static void a_rejection_can_be_left(void **state)
{
	struct story *s = *state;

	wait_for_approval(s);
	key(s, 'r');
	keys(s, "q");
	key(s, TERM_ESCAPE);
	assert_int_equal(s->did.does, BOARD_NOTHING);
	assert_int_equal(s->board->mode, MODE_LOOK);
	key(s, 'r');
	key(s, '\r');
	assert_int_equal(s->did.does, BOARD_REJECT);
	assert_string_equal(s->did.text, "");
}

static void nothing_is_approved_where_nothing_waits(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	key(s, 'a');
	assert_int_equal(s->did.does, BOARD_SAY);
	assert_string_equal(s->did.text, "no approval waits in this execution");
}

static void cancelling_is_confirmed(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	key(s, 'c');
	shows(s, "Cancel Rate limits? y cancels");
	key(s, 'n');
	assert_int_equal(s->did.does, BOARD_SAY);
	key(s, 'c');
	key(s, 'y');
	assert_int_equal(s->did.does, BOARD_CANCEL);
	hear(s, event(EX, 6, FLOW_CANCELLED));
	key(s, 'c');
	assert_string_equal(s->did.text, "this execution has ended");
}

static void p_pauses_and_lets_go_on(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	key(s, 'p');
	assert_int_equal(s->did.does, BOARD_PAUSE);
	hear(s, event(EX, 6, FLOW_PAUSED));
	key(s, 'p');
	assert_int_equal(s->did.does, BOARD_RESUME);
	key(s, 'P');
	assert_int_equal(s->did.does, BOARD_PAUSE_SQUAD);
}

static void the_cursor_stays_on_what_it_stands_on(void **state)
{
	struct story *s = *state;
	struct execution other = s->execution;

	other.id = OTHER;
	other.name = STR("Nightly");
	other.steps_count = 0;
	board_take(s->board, &s->execution);
	key(s, TERM_DOWN);
	key(s, 'j');
	assert_int_equal(s->board->at_step, BUILD);
	board_take(s->board, &other); /* newer, so above it */
	assert_int_equal(board_chosen(s->board), EX);
	shows(s, ">   |- o build");
	key(s, TERM_PAGE_UP);
	assert_int_equal(board_chosen(s->board), OTHER);
	hides(s, "build  ");
	key(s, 'k');
	assert_int_equal(board_chosen(s->board), OTHER);
}

static void a_filter_shows_only_what_has_it(void **state)
{
	struct story *s = *state;
	struct execution other = s->execution;

	other.id = OTHER;
	other.name = STR("Nightly");
	board_take(s->board, &s->execution);
	board_take(s->board, &other);
	key(s, 'f');
	keys(s, "NIGHT");
	hides(s, "Rate limits");
	key(s, '\r');
	shows(s, "filter: NIGHT");
	key(s, TERM_ESCAPE);
	shows(s, "Rate limits");
}

static void help_tells_every_key(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	key(s, '?');
	shows(s, "approve or reject");
	key(s, 'q');
	assert_int_equal(s->did.does, BOARD_NOTHING);
	key(s, 'q');
	assert_int_equal(s->did.does, BOARD_QUIT);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_screen_of_80_by_24),
		STORY(an_event_up_to_what_was_read_changes_nothing),
		STORY(one_heard_twice_is_told_once),
		STORY(a_gap_is_read_until_nothing_is_missing),
		STORY(what_no_event_tells_is_read),
		STORY(after_missed_events_all_is_read_anew),
		STORY(no_order_of_stream_and_readings_changes_the_end),
		STORY(what_ended_longest_ago_leaves_first),
		STORY(a_line_is_of_its_step_also_when_that_is_read_later),
		STORY(the_log_keeps_the_last_lines),
		STORY(what_a_model_says_goes_on_in_its_line_and_is_cut_into_lines),
		STORY(an_end_of_a_line_that_nothing_follows_leaves_no_empty_line),
		STORY(nothing_from_outside_moves_the_cursor),
		STORY(no_line_is_too_wide_and_no_screen_too_high),
		STORY(colours_are_only_there_when_they_are_wanted),
		STORY(an_approval_takes_a_note),
		STORY(a_rejection_can_be_left),
		STORY(nothing_is_approved_where_nothing_waits),
		STORY(cancelling_is_confirmed),
		STORY(p_pauses_and_lets_go_on),
		STORY(the_cursor_stays_on_what_it_stands_on),
		STORY(a_filter_shows_only_what_has_it),
		STORY(help_tells_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
