/* What steps ask, on a squad's board: seen, read when it was asked before, and answered. */
#include "board_kit.h"

/* ---- what is asked ---- */

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

static void of_when_a_question_moves_on_the_latest_is_shown(void **state)
{
	struct story *s = *state;
	struct question again = listed(QUESTION, "Which database do we use?");

	ask_lead(s);
	again.level = 0;
	PUT(&again, question, role, MEMBER_TECH_LEAD);
	PUT(&again, question, due_at, s->look.now_ms + 500000);
	board_take_question(s->board, &again);
	shows(s, ", moves on in 0:08:20 --");
	PUT(&again, question, due_at, s->look.now_ms + 100000); /* from a store that lags */
	board_take_question(s->board, &again);
	shows(s, ", moves on in 0:08:20 --");
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
	board_take(s->board, &s->execution); /* it may wait since, and asks something else */
	assert_int_equal(board_due(s->board, BOARD_QUESTIONS, 0), EX);
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

static void a_question_of_wide_characters_fits_any_screen(void **state)
{
	struct story *s = *state;
	struct question q = listed(QUESTION, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");

	s->steps[1].state = STEP_WAITING;
	board_take(s->board, &s->execution);
	board_take_question(s->board, &q);
	shows(s, "\n\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\n");
	for (s->look.width = 1; s->look.width <= 8; s->look.width++)
		drawn_fits(screen(s), s->look.width, s->look.height);
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
	drawn_shows(board_question_here(s->board)->text + BOARD_QUESTION_BYTES - 4, "…");
	key(s, 'w');
	keys(s, line);
	for (s->look.width = 1; s->look.width <= WIDEST; s->look.width++)
		for (s->look.height = 1; s->look.height <= HIGHEST; s->look.height++)
			drawn_fits(screen(s), s->look.width, s->look.height);
}

/* ---- what is answered ---- */

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

/* Sends an answer; nothing has come of it yet. */
static struct board_action answer_lead(struct story *s)
{
	ask_lead(s);
	key(s, 'w');
	keys(s, "SQLite\r");
	return s->did;
}

static void what_is_written_again_is_not_thrown_away_when_it_is_done(void **state)
{
	struct story *s = *state;
	struct board_action answered = answer_lead(s);

	key(s, 'w');
	board_did(s->board, &answered, NULL, s->look.now_ms);
	shows(s, "Answer build: SQLite_");
}

static void a_newer_question_of_the_step_is_not_the_one_that_was_refused(void **state)
{
	struct story *s = *state;
	struct board_action answered = answer_lead(s);

	hear(s, asked(s, 9, FLOW_QUESTION, QUESTION + 1, "Which index?"));
	board_did(s->board, &answered, "the question is answered", s->look.now_ms);
	shows(s, "\nthe question is answered\n");
}

static void nothing_is_answered_where_nothing_is_asked(void **state)
{
	struct story *s = *state;

	board_take(s->board, &s->execution);
	key(s, 'w');
	assert_int_equal(s->did.does, BOARD_NOTHING);
	shows(s, "no question waits in this execution");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_step_that_asks_shows_its_question),
		STORY(a_question_that_is_asked_again_is_logged_in_words),
		STORY(of_when_a_question_moves_on_the_latest_is_shown),
		STORY(a_question_from_before_is_read_once),
		STORY(why_a_question_went_up_is_not_the_question),
		STORY(a_question_of_wide_characters_fits_any_screen),
		STORY(of_two_questions_that_under_the_cursor_is_shown_else_a_persons),
		STORY(what_is_told_of_a_question_leads_on_in_any_order),
		STORY(a_long_question_is_cut_between_words_and_leaves_room),
		STORY(w_writes_an_answer),
		STORY(an_answer_that_was_refused_is_not_lost),
		STORY(what_was_answered_meanwhile_promises_no_second_try),
		STORY(the_end_of_a_long_answer_is_seen),
		STORY(what_is_written_again_is_not_thrown_away_when_it_is_done),
		STORY(a_newer_question_of_the_step_is_not_the_one_that_was_refused),
		STORY(nothing_is_answered_where_nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
