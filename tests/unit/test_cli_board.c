/* A squad's board under given events: what it shows, what it asks to be read, and that no order of stream and reading
 * changes where it ends. */
#include "drawn.h"

#include "base/term.h"
#include "cli/board_priv.h"

enum { T0 = 1000000, STEPS = 4, WIDEST = 130, HIGHEST = 40 };

static const int64_t EX = 11, OTHER = 12, PLAN = 21, BUILD = 22, TEST = 23, RELEASE = 24, LEAD = 31, QUESTION = 41;

struct story {
	struct board *board;
	struct board_look look;
	struct buf screen;
	struct execution_step steps[STEPS];
	struct str needs[3];
	struct execution execution;
	struct board_action did;
	char message[1024]; /* of the last event about a question */
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
		.width = 80, .height = 24, .has_keys = true, .now_ms = T0 + 72000, .trouble = ""};
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
	board_key(s->board, k, s->look.now_ms, &s->did);
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
	return drawn(&s->screen);
}

static void shows(struct story *s, const char *text)
{
	drawn_shows(screen(s), text);
}

static void hides(struct story *s, const char *text)
{
	drawn_hides(screen(s), text);
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

/* ---- questions ---- */

/* What the server tells of one: with the lead until four minutes and twelve seconds from now, or with a person. */
static struct execution_event_shown asked(struct story *s, int64_t number, int kind, int64_t question,
					  const char *text)
{
	struct question_told told = {.question = question, .level = kind != FLOW_QUESTION};
	struct buf b = BUF_INIT(0);

	if (kind == FLOW_QUESTION) {
		PUT(&told, question_told, role, MEMBER_TECH_LEAD);
		PUT(&told, question_told, member, LEAD);
		PUT(&told, question_told, due_at, s->look.now_ms + 252000);
	}
	if (text)
		PUT(&told, question_told, text, str_of(text));
	json_encode(&type_question_told, &told, 0, &b);
	snprintf(s->message, sizeof(s->message), "%s", buf_cstr(&b));
	buf_free(&b);
	return said(number, kind, BUILD, s->message);
}

static void ask_lead(struct story *s)
{
	struct squad_member lead = {.id = LEAD, .name = STR("lead")};

	board_take_member(s->board, &lead);
	board_take(s->board, &s->execution);
	hear(s, taken_by(moved(6, BUILD, "ready", "running"), "ada"));
	hear(s, moved(7, BUILD, "running", "waiting"));
	hear(s, asked(s, 8, FLOW_QUESTION, QUESTION, "Which database do we use?"));
}

/* As a list has it, with a person. */
static struct question listed(int64_t id, const char *text)
{
	return (struct question){.id = id, .execution = EX, .step = BUILD, .level = 1, .text = str_of(text)};
}

static void a_step_that_asks_shows_its_question(void **state)
{
	struct story *s = *state;

	ask_lead(s);
	shows(s, "|- ? build                         asks ");
	shows(s, "\n-- build asks lead, tech_lead, level 0, moves on in 0:04:12 ----");
	shows(s, "\nWhich database do we use?\n");
	shows(s, "\nw answer  c cancel");
	hides(s, "WAITING FOR YOU");
	hear(s, asked(s, 9, FLOW_QUESTION_ESCALATED, QUESTION, "nobody answered in time"));
	shows(s, "|- ? build                         answer? ");
	shows(s, "WAITING FOR YOU: 1");
	shows(s, "\n-- build asks a person, level 1 ---");
	shows(s, "\nWhich database do we use?\n");
	hear(s, asked(s, 10, FLOW_QUESTION_ANSWERED, QUESTION, "SQLite"));
	hides(s, "build asks a person");
	hides(s, "w answer");
}

static void a_question_that_is_asked_again_is_logged_in_words(void **state)
{
	struct story *s = *state;

	ask_lead(s);
	hear(s, asked(s, 9, FLOW_QUESTION_AGAIN, QUESTION, NULL));
	shows(s, "build: question_asked: Which database do we use?\n");
	shows(s, "build: question_asked_again\n");
}

static void a_question_from_before_is_read_once(void **state)
{
	struct story *s = *state;
	struct question q = listed(QUESTION, "Which database?");

	s->steps[1].state = STEP_WAITING;
	board_take(s->board, &s->execution);
	assert_int_equal(board_due(s->board, BOARD_QUESTIONS, 0), EX);
	assert_int_equal(board_due(s->board, BOARD_QUESTIONS, 0), 0);
	board_is_due(s->board, BOARD_QUESTIONS, EX); /* it could not be */
	assert_int_equal(board_due(s->board, BOARD_QUESTIONS, EX), EX);
	board_take_question(s->board, &q);
	shows(s, "build asks a person, level 1");
	shows(s, "\nWhich database?\n");
}

static void why_a_question_went_up_is_not_the_question(void **state)
{
	struct story *s = *state;

	s->steps[1].state = STEP_WAITING;
	board_take(s->board, &s->execution);
	hear(s, asked(s, 6, FLOW_QUESTION_ESCALATED, QUESTION, "nobody answered in time"));
	hides(s, "build asks");
	assert_int_equal(board_due(s->board, BOARD_QUESTIONS, 0), EX);
}

static void of_two_questions_that_under_the_cursor_is_shown_else_a_persons(void **state)
{
	struct story *s = *state;
	struct question of_lead = listed(QUESTION, "Which database?"),
			of_person = listed(QUESTION + 1, "Which index?");

	PUT(&of_lead, question, role, MEMBER_TECH_LEAD);
	of_person.step = TEST;
	s->steps[1].state = s->steps[2].state = STEP_WAITING;
	board_take(s->board, &s->execution);
	board_take_question(s->board, &of_lead);
	board_take_question(s->board, &of_person);
	shows(s, "\nWhich index?\n");
	key(s, TERM_DOWN);
	key(s, TERM_DOWN);
	shows(s, ">   |- ? build");
	shows(s, "\nWhich database?\n");
	key(s, 'w');
	keys(s, "SQLite\r");
	assert_int_equal(s->did.question, QUESTION);
}

static void what_is_told_of_a_question_leads_on_in_any_order(void **state)
{
	struct story *s = *state;
	struct question before = listed(QUESTION, "Which database?"), after = listed(QUESTION + 1, "Which index?");

	ask_lead(s);
	hear(s, asked(s, 9, FLOW_QUESTION_ANSWERED, QUESTION, "SQLite"));
	board_take_question(s->board, &before); /* from a store that lags */
	hides(s, "build asks");
	board_take_question(s->board, &after);
	board_take_question(s->board, &before);
	shows(s, "\nWhich index?\n");
	hear(s, asked(s, 10, FLOW_QUESTION, QUESTION + 1, "Which index?"));
	shows(s, "build asks a person, level 1");
}

static void a_long_question_is_cut_between_words_and_leaves_room(void **state)
{
	struct story *s = *state;
	static const char line[] =
		"It is about the table of orders, and how it is read by day, by customer and by state.";
	char text[BOARD_QUESTION_BYTES * 2] = "";
	struct question q;

	for (size_t n = 0; n + sizeof(line) + 2 < sizeof(text); n = strlen(text))
		snprintf(text + n, sizeof(text) - n, "%s\n\n", line);
	s->steps[1].state = STEP_WAITING;
	board_take(s->board, &s->execution);
	q = listed(QUESTION, text);
	board_take_question(s->board, &q);
	shows(s, "\nIt is about the table of orders, and how it is read by day, by customer and by\nstate.\n");
	shows(s, " …\n-- Rate limits");
	shows(s, "> in_progress Rate limits");
	shows(s, "\n  ... 2 more below\n");
	key(s, 'w');
	keys(s, line);
	for (s->look.width = 1; s->look.width <= WIDEST; s->look.width++)
		for (s->look.height = 1; s->look.height <= HIGHEST; s->look.height++)
			drawn_fits(screen(s), s->look.width, s->look.height);
}

static void w_writes_an_answer(void **state)
{
	struct story *s = *state;

	ask_lead(s);
	key(s, 'w');
	shows(s, "\nAnswer build: _\nEnter sends it  Escape leaves it");
	key(s, '\r');
	assert_int_equal(s->did.does, BOARD_NOTHING);
	shows(s, "\nAnswer build: _\nan answer cannot be empty");
	keys(s, "SQLite");
	shows(s, "\nAnswer build: SQLite_\nEnter sends it");
	key(s, '\r');
	assert_int_equal(s->did.does, BOARD_ANSWER);
	assert_int_equal(s->did.execution, EX);
	assert_int_equal(s->did.question, QUESTION);
	assert_string_equal(s->did.text, "SQLite");
	board_did(s->board, &s->did, NULL, s->look.now_ms);
	shows(s, "\nanswered\n");
	key(s, 'w');
	shows(s, "Answer build: _");
}

static void an_answer_that_was_refused_is_not_lost(void **state)
{
	struct story *s = *state;

	ask_lead(s);
	key(s, 'w');
	keys(s, "SQLite\r");
	board_did(s->board, &s->did, "only an operator answers that", s->look.now_ms);
	shows(s, "\nw reopens it: only an operator answers that\n");
	key(s, 'w');
	keys(s, "!");
	shows(s, "Answer build: SQLite!_");
	key(s, TERM_ESCAPE);
	key(s, 'w');
	shows(s, "Answer build: _");
}

static void what_was_answered_meanwhile_promises_no_second_try(void **state)
{
	struct story *s = *state;

	ask_lead(s);
	key(s, 'w');
	keys(s, "SQLite\r");
	hear(s, asked(s, 9, FLOW_QUESTION_ANSWERED, QUESTION, "PostgreSQL"));
	board_did(s->board, &s->did, "the question does not wait any more", s->look.now_ms);
	shows(s, "\nthe question does not wait any more\n");
}

static void the_end_of_a_long_answer_is_seen(void **state)
{
	struct story *s = *state;

	ask_lead(s);
	s->look.width = 30;
	key(s, 'w');
	keys(s, "the quick brown fox jumps over the dog");
	shows(s, "\nAnswer build: …s over the dog_\n");
	keys(s, ", \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"); /* three wide ones */
	shows(s, "\nAnswer build: …he dog, \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e_\n");
	keys(s, ".........");
	shows(s, "\nAnswer build: …\xe6\x9c\xac\xe8\xaa\x9e........._\n");
	key(s, TERM_ESCAPE);
	s->execution.last_event = 8;
	wait_for_approval(s);
	key(s, 'a');
	keys(s, "well done");
	shows(s, "\nApprove relea…well done_\n");
}

static void nothing_is_answered_where_nothing_is_asked(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	key(s, 'w');
	assert_int_equal(s->did.does, BOARD_NOTHING);
	shows(s, "no question waits in this execution");
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
			unknown = spent("unknown", -1, 4);

	board_take(s->board, &s->execution);
	board_take_cost(s->board, EX, &none);
	board_take_squad_cost(s->board, &none);
	hides(s, "USD");
	board_take_cost(s->board, EX, &some);
	board_take_squad_cost(s->board, &some);
	shows(s, "squad backend  active  at least USD 0.012300 this month");
	shows(s, "Rate limits     1/4     0:01:12   at least USD 0.012300\n");
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
		STORY(a_step_that_asks_shows_its_question),
		STORY(a_question_that_is_asked_again_is_logged_in_words),
		STORY(a_question_from_before_is_read_once),
		STORY(why_a_question_went_up_is_not_the_question),
		STORY(of_two_questions_that_under_the_cursor_is_shown_else_a_persons),
		STORY(what_is_told_of_a_question_leads_on_in_any_order),
		STORY(a_long_question_is_cut_between_words_and_leaves_room),
		STORY(w_writes_an_answer),
		STORY(an_answer_that_was_refused_is_not_lost),
		STORY(what_was_answered_meanwhile_promises_no_second_try),
		STORY(the_end_of_a_long_answer_is_seen),
		STORY(nothing_is_answered_where_nothing_is_asked),
		STORY(a_cost_is_seen_where_there_is_one),
		STORY(a_cost_is_due_when_an_attempt_has_ended),
		STORY(what_is_said_goes_with_the_next_key_or_after_some_seconds),
		STORY(what_failed_out_of_sight_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
