/* A squad's board under given events: what it shows, what it asks to be read, and that no order of stream and reading
 * changes where it ends. What steps ask is in test_cli_board_questions.c. */
#include "board_kit.h"

/* ---- as agreed ---- */

static void a_screen_of_80_by_24(void **state)
{
	struct story *s = *state;

	work(s);
	drawn_is(screen(s), "tenfold  squad backend  active                                    live  00:17:52\n"
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
			    "c cancel  p pause  P squad  f filter  l log  ? help  q quit");
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

static void what_two_steps_say_stands_in_lines_of_their_own(void **state)
{
	struct story *s = *state;

	work(s);
	key(s, 'k'); /* the cursor stays where it is */
	hear(s, event(OTHER, 1, FLOW_STARTED));
	hear(s, said(11, FLOW_TOKENS, BUILD, "{\"text\":\" well\"}"));
	shows(s, "build: It works well\n");
	hear(s, said(12, FLOW_TOKENS, TEST, "{\"text\":\"All green\"}"));
	shows(s, "build: It works well\n00:16:52 test: All green\n");
}

static void who_had_a_step_before_is_not_shown_with_it(void **state)
{
	struct story *s = *state;

	work(s);
	shows(s, "ada           0:01:06\n");
	hear(s, moved(11, BUILD, "running", "ready"));
	hides(s, "ada  ");
}

static void a_second_try_is_told(void **state)
{
	struct story *s = *state;
	struct execution_event_shown first = moved(6, BUILD, "ready", "running"),
				     second = moved(7, BUILD, "ready", "running");

	PUT(&first, execution_event_shown, attempt, 1);
	PUT(&second, execution_event_shown, attempt, 2);
	board_take(s->board, &s->execution);
	hear(s, first);
	shows(s, "build: ready -> running\n");
	hear(s, second);
	shows(s, "build: ready -> running, try 2\n");
}

/* Another one of the squad, without steps. */
static struct execution nightly(const struct story *s)
{
	struct execution other = s->execution;

	other.id = OTHER;
	other.name = STR("Nightly");
	other.steps_count = 0;
	return other;
}

static void l_shows_the_log_of_all_executions_and_back(void **state)
{
	struct story *s = *state;
	struct execution other = nightly(s);

	board_take(s->board, &s->execution);
	board_take(s->board, &other);
	hear(s, at_percent(6, BUILD, 40));
	shows(s, "-- Nightly ---");
	hides(s, "build: 40%");
	key(s, 'l');
	shows(s, "-- all executions ---");
	shows(s, "Rate limits | build: 40%\n");
	key(s, 'l');
	hides(s, "build: 40%");
}

static void what_keeps_events_and_keys_away_is_said(void **state)
{
	struct story *s = *state;

	work(s);
	s->look.trouble = "no answer from the server";
	s->look.has_keys = false;
	shows(s, "CUT OFF  00:17:52\n");
	shows(s, "\nno answer from the server\nno keys: standard input is no terminal");
}

static void nothing_from_outside_moves_the_cursor(void **state)
{
	struct story *s = *state;

	s->steps[1].name = STR("bu\x1b[2Jild");
	s->execution.name = STR("Rate\nlimits\x07");
	board_take(s->board, &s->execution);
	hear(s, said(6, FLOW_LOG, BUILD, "a\rb\x1b[1;1H"));
	drawn_is_plain(screen(s));
}

static void no_line_is_too_wide_and_no_screen_too_high(void **state)
{
	struct story *s = *state;

	work(s);
	for (s->look.width = 1; s->look.width <= WIDEST; s->look.width++)
		for (s->look.height = 1; s->look.height <= HIGHEST; s->look.height++)
			drawn_fits(screen(s), s->look.width, s->look.height);
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

static void an_approval_takes_a_note(void **state)
{
	struct story *s = *state;

	wait_for_approval(s);
	shows(s, "\nWAITING FOR YOU: 1  1 blocked\n");
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

static void a_note_has_a_limit_and_control_u_clears_it(void **state)
{
	struct story *s = *state;

	wait_for_approval(s);
	key(s, 'a');
	for (int i = 0; i < 1100; i++)
		key(s, 'x');
	assert_int_equal(strlen(s->board->draft.text), 1024);
	key(s, 0x15);
	shows(s, "note (may be empty): _\n");
}

static void of_two_approvals_that_under_the_cursor_is_meant_else_the_first(void **state)
{
	struct story *s = *state;

	s->steps[0].kind = STEP_APPROVAL;
	s->steps[0].state = STEP_WAITING;
	wait_for_approval(s);
	key(s, 'a');
	shows(s, "Approve plan of");
	key(s, TERM_ESCAPE);
	for (int i = 0; i < 3; i++)
		key(s, TERM_DOWN);
	shows(s, ">   |  `- ? release");
	key(s, 'a');
	shows(s, "Approve release of");
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
	assert_int_equal(s->did.does, BOARD_NOTHING);
	shows(s, "no approval waits in this execution");
}

static void cancelling_is_confirmed(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	key(s, 'c');
	shows(s, "Cancel Rate limits? y cancels");
	key(s, 'n');
	assert_int_equal(s->did.does, BOARD_NOTHING);
	shows(s, "not cancelled");
	key(s, 'c');
	key(s, 'y');
	assert_int_equal(s->did.does, BOARD_CANCEL);
	hear(s, event(EX, 6, FLOW_CANCELLED));
	key(s, 'c');
	shows(s, "this execution has ended");
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

static void a_squad_that_is_archived_or_not_watched_is_not_paused(void **state)
{
	struct story *s = *state;

	s->board->squad_status = SQUAD_ARCHIVED;
	key(s, 'P');
	assert_int_equal(s->did.does, BOARD_NOTHING);
	shows(s, "the squad is archived\n");
	s->board->squad = (struct str){0};
	key(s, 'P');
	assert_int_equal(s->did.does, BOARD_NOTHING);
	shows(s, "its squad is not watched here\n");
}

static void the_cursor_stays_on_what_it_stands_on(void **state)
{
	struct story *s = *state;
	struct execution other = nightly(s);

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

/* ---- costs ---- */

/* Below 0: nothing of it is known. */
static struct cost_sum spent(const char *text, int64_t micro_usd, int64_t unknown)
{
	struct cost_sum cost = {.cost = str_of(text), .calls = 4, .unknown = unknown};

	if (micro_usd >= 0)
		PUT(&cost, cost_sum, micro_usd, micro_usd);
	return cost;
}

static void a_cost_is_seen_where_there_is_one(void **state)
{
	struct story *s = *state;
	struct cost_sum none = spent("USD 0.000000", 0, 0), some = spent("at least USD 0.012300", 12300, 1),
			free_so_far = spent("at least USD 0.000000", 0, 1), unknown = spent("unknown", -1, 4);

	board_take(s->board, &s->execution);
	board_take_cost(s->board, EX, &none);
	board_take_squad_cost(s->board, &none);
	hides(s, "USD");
	board_take_cost(s->board, EX, &some);
	board_take_squad_cost(s->board, &some);
	shows(s, "squad backend  active  at least USD 0.012300 this month");
	shows(s, "Rate limits     1/4     0:01:12   at least USD 0.012300\n");
	board_take_cost(s->board, EX, &free_so_far);
	shows(s, "0:01:12   at least USD 0.000000\n");
	board_take_cost(s->board, EX, &unknown);
	shows(s, "0:01:12   cost unknown\n");
	s->look.width = 60;
	hides(s, "cost unknown");
}

static void a_cost_is_due_when_an_attempt_has_ended(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	assert_int_equal(board_due(s->board, BOARD_COST, 0), EX);
	assert_int_equal(board_due(s->board, BOARD_COST, EX), 0);
	hear(s, moved(6, BUILD, "ready", "running"));
	assert_int_equal(board_due(s->board, BOARD_COST, 0), 0);
	assert_false(board_has_spent(s->board));
	hear(s, moved(7, BUILD, "running", "completed"));
	assert_int_equal(board_due(s->board, BOARD_COST, 0), EX);
	assert_true(board_has_spent(s->board));
	assert_false(board_has_spent(s->board));
	board_missed(s->board);
	assert_int_equal(board_due(s->board, BOARD_COST, 0), EX);
}

static void a_cost_is_due_of_what_began_and_first_of_what_is_wanted(void **state)
{
	struct story *s = *state;
	struct execution other = s->execution, queued = s->execution;

	other.id = OTHER;
	queued.id = OTHER + 1;
	queued.state = EXECUTION_QUEUED;
	board_take(s->board, &s->execution);
	board_take(s->board, &other);
	board_take(s->board, &queued);
	assert_int_equal(board_due(s->board, BOARD_COST, EX), EX);
	assert_int_equal(board_due(s->board, BOARD_COST, EX), OTHER);
	assert_int_equal(board_due(s->board, BOARD_COST, EX), 0);
}

/* ---- what is not seen ---- */

static void what_is_said_goes_with_the_next_key_or_after_some_seconds(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	board_say(s->board, "approved", s->look.now_ms);
	shows(s, "\napproved\n");
	key(s, 'j');
	hides(s, "\napproved\n");
	board_say(s->board, "approved", s->look.now_ms);
	s->look.now_ms += BOARD_NEWS_MS - 1;
	shows(s, "\napproved\n");
	s->look.now_ms++;
	hides(s, "\napproved\n");
}

static void what_failed_out_of_sight_is_told(void **state)
{
	struct story *s = *state;

	for (int64_t id = 100; id < 130; id++) {
		struct execution e = s->execution;

		e.id = id;
		e.name = id == 101 ? STR("Nightly") : e.name;
		e.steps_count = 0;
		e.state = id == 101 ? EXECUTION_FAILED : EXECUTION_COMPLETED;
		PUT(&e, execution, why, id == 101 ? STR("the step build failed: no compiler") : STR(""));
		board_take(s->board, &e);
	}
	shows(s, "\n  ... 19 more below, 1 failed\n");
	wait_for_approval(s);
	for (int i = 0; i < 5; i++)
		key(s, TERM_PAGE_DOWN);
	shows(s, " more above, 1 waiting for you\n");
	key(s, 'k');
	shows(s, "> failed      Nightly");
	shows(s, "\n-- Nightly: the step build failed: no compiler ---");
	hides(s, "below");
}

/* Its own line and that of its step are both above: one waits, not two. */
static void what_waits_out_of_sight_is_counted_once_and_no_row_is_left_empty(void **state)
{
	struct story *s = *state;

	s->steps[0].kind = STEP_APPROVAL;
	s->steps[0].state = STEP_WAITING;
	board_take(s->board, &s->execution);
	s->look.height = 8;
	key(s, TERM_PAGE_DOWN);
	shows(s, "\n  ... 2 more above, 1 waiting for you\n");
}

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
		STORY(what_two_steps_say_stands_in_lines_of_their_own),
		STORY(who_had_a_step_before_is_not_shown_with_it),
		STORY(a_second_try_is_told),
		STORY(l_shows_the_log_of_all_executions_and_back),
		STORY(what_keeps_events_and_keys_away_is_said),
		STORY(nothing_from_outside_moves_the_cursor),
		STORY(no_line_is_too_wide_and_no_screen_too_high),
		STORY(colours_are_only_there_when_they_are_wanted),
		STORY(an_approval_takes_a_note),
		STORY(a_note_has_a_limit_and_control_u_clears_it),
		STORY(of_two_approvals_that_under_the_cursor_is_meant_else_the_first),
		STORY(a_rejection_can_be_left),
		STORY(nothing_is_approved_where_nothing_waits),
		STORY(cancelling_is_confirmed),
		STORY(p_pauses_and_lets_go_on),
		STORY(a_squad_that_is_archived_or_not_watched_is_not_paused),
		STORY(the_cursor_stays_on_what_it_stands_on),
		STORY(a_filter_shows_only_what_has_it),
		STORY(help_tells_every_key),
		STORY(a_cost_is_seen_where_there_is_one),
		STORY(a_cost_is_due_when_an_attempt_has_ended),
		STORY(a_cost_is_due_of_what_began_and_first_of_what_is_wanted),
		STORY(what_is_said_goes_with_the_next_key_or_after_some_seconds),
		STORY(what_failed_out_of_sight_is_told),
		STORY(what_waits_out_of_sight_is_counted_once_and_no_row_is_left_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
