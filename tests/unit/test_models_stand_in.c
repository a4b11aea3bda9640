/* The stand-in: the same words for the same step, in the form that its kind asks for, and always saying what it is. */
#include "harness_arena.h"

#include "models/answer.h"
#include "models/stand_in.h"

static struct arena *arena;

static struct step_brief brief_of(enum step_kind kind, const char *name)
{
	return (struct step_brief){.kind = (int)kind, .name = str_of(name)};
}

static struct str said_to(const struct step_brief *brief)
{
	struct model_prompt prompt = model_prompt_of(brief, arena);

	return stand_in_text(brief, &prompt, arena);
}

static struct str result_of(const struct step_brief *brief)
{
	struct model_result from = {.provider = STR(STAND_IN), .model = STR(STAND_IN)};
	struct chat_answer answer;
	struct buf json = BUF_INIT(0);
	struct problem p = {0};
	struct str result;

	chat_answer_init(&answer);
	buf_str_add(&answer.text, said_to(brief));
	assert_int_equal(answer_result((enum step_kind)brief->kind, &from, &answer, arena, &json, &p), OK);
	result = arena_str(arena, buf_str(&json));
	chat_answer_free(&answer);
	buf_free(&json);
	return result;
}

static void what_it_says_follows_from_the_step(void **state)
{
	struct step_brief one = brief_of(STEP_GENERATE, "build"), other = one;

	(void)state;
	assert_true(str_eq(said_to(&one), said_to(&one)));
	PUT(&other, step_brief, task_title, STR("Mend the roof"));
	assert_false(str_eq(said_to(&one), said_to(&other)));
	other = one;
	PUT(&other, step_brief, execution_name, STR("Mend the roof"));
	assert_false(str_eq(said_to(&one), said_to(&other)));
}

static void each_kind_has_its_form_and_says_what_it_is(void **state)
{
	static const enum step_kind kinds[] = {STEP_MODEL, STEP_GENERATE, STEP_ANALYSE, STEP_COMMAND};
	char name[16];

	(void)state;
	for (int n = 0; n < 60; n++) {
		struct step_brief brief;
		struct str result;

		snprintf(name, sizeof(name), "step %d", n);
		brief = brief_of(kinds[n % 4], name);
		result = result_of(&brief);
		assert_row(name, json_check(result, NULL) == OK);
		assert_row(name, memmem(result.p, result.n, "no model was asked", 18) != NULL);
	}
}

static void it_asks_now_and_then_but_never_twice(void **state)
{
	struct question_given answered = {.question = STR("x"), .answer = STR("y")};
	int asked = 0;
	char name[16];

	(void)state;
	for (int n = 0; n < 120; n++) {
		struct step_brief brief;

		snprintf(name, sizeof(name), "step %d", n);
		brief = brief_of(STEP_MODEL, name);
		asked += answer_question(said_to(&brief)).n > 0;
		PUT(&brief, step_brief, questions, &answered);
		brief.questions_count = 1;
		assert_row(name, answer_question(said_to(&brief)).n == 0);
	}
	assert_in_range(asked, 5, 50);
}

static void its_pieces_are_its_text(void **state)
{
	struct step_brief brief = brief_of(STEP_ANALYSE, "review");
	struct str text = said_to(&brief), rest = text;
	struct buf b = BUF_INIT(0);

	(void)state;
	while (rest.n) {
		struct str piece = stand_in_piece(rest);

		assert_true(piece.n > 0);
		buf_str_add(&b, piece);
		rest = (struct str){rest.p + piece.n, rest.n - piece.n};
	}
	assert_true(str_eq(buf_str(&b), text));
	buf_free(&b);
}

static void a_prompt_says_what_was_cut_and_what_failed(void **state)
{
	struct step_need needs[] = {{.name = STR("look"), .kind = STEP_COMMAND, .state = STEP_COMPLETED},
				    {.name = STR("lint"), .kind = STEP_COMMAND, .state = STEP_FAILED}};
	struct step_brief brief = brief_of(STEP_MODEL, "plan");
	struct model_prompt prompt;

	(void)state;
	PUT(&needs[0], step_need, characters, 99999);
	PUT(&needs[0], step_need, beginning, STR("the begin"));
	PUT(&needs[1], step_need, error, STR("no such file"));
	PUT(&brief, step_brief, needs, needs);
	brief.needs_count = 2;
	assert_null(strstr(model_prompt_of(&brief, arena).user.p, "It belongs to"));
	PUT(&brief, step_brief, phase, PHASE_VALIDATION);
	prompt = model_prompt_of(&brief, arena);
	assert_non_null(strstr(prompt.user.p, "Your step: plan\nIt belongs to: validation\n"));
	assert_non_null(strstr(prompt.user.p, "It has 99999 characters, which is too long"));
	assert_non_null(strstr(prompt.user.p, "the begin"));
	assert_non_null(strstr(prompt.user.p, "## lint (command, failed)\nIt failed: no such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(what_it_says_follows_from_the_step, arena),
		ARENA_TEST(each_kind_has_its_form_and_says_what_it_is, arena),
		ARENA_TEST(it_asks_now_and_then_but_never_twice, arena),
		ARENA_TEST(its_pieces_are_its_text, arena),
		ARENA_TEST(a_prompt_says_what_was_cut_and_what_failed, arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
