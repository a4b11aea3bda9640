/* Calls of a chat endpoint as bytes: what is asked, what answers come to, and every way in which they are none. */
#include "harness_arena.h"

#include "models/answer.h"

static struct arena *arena;

static struct chat_answer fresh(void)
{
	struct chat_answer a;

	chat_answer_init(&a);
	return a;
}

static enum err take(struct chat_answer *a, const char *data, struct problem *p)
{
	struct str delta;

	return chat_take_event(a, str_of(data), arena, &delta, p);
}

static void a_call_says_who_one_is_and_what_is_wanted(void **state)
{
	struct model_prompt prompt = {.system = STR("You plan."), .user = STR("Say \"hi\"")};
	struct buf b = BUF_INIT(0);

	(void)state;
	chat_request_write(STR("tiny"), &prompt, 0, &b);
	assert_str(buf_str(&b),
		   "{\"model\":\"tiny\",\"messages\":[{\"role\":\"system\",\"content\":\"You "
		   "plan.\"},{\"role\":\"user\","
		   "\"content\":\"Say \\\"hi\\\"\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
	buf_reset(&b);
	chat_request_write(STR("tiny"), &prompt, 5, &b);
	assert_non_null(strstr(buf_cstr(&b), "\"max_tokens\":5}"));
	buf_free(&b);
}

static void a_stream_comes_to_an_answer(void **state)
{
	struct chat_answer a = fresh();
	struct model_call call;
	struct problem p = {0};
	struct str delta;

	(void)state;
	assert_int_equal(
		take(&a,
		     "{\"model\":\"tiny-1\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}",
		     &p),
		OK);
	assert_int_equal(chat_take_event(&a, STR("{\"choices\":[{\"delta\":{\"content\":\"Tw\\u00f6\"}}]}"), arena,
					 &delta, &p),
			 OK);
	assert_str(delta, "Twö");
	assert_int_equal(
		chat_take_event(&a, STR("{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}"),
				arena, &delta, &p),
		OK);
	assert_true(a.done && !a.cut && delta.n == 0);
	assert_int_equal(
		take(&a,
		     "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"cost\":0.0000125,"
		     "\"prompt_tokens_details\":{\"cached_tokens\":4}}}",
		     &p),
		OK);
	assert_int_equal(take(&a, " [DONE] ", &p), OK);
	chat_call(&a, STR("here"), STR("tiny"), &call);
	assert_str(call.model, "tiny-1");
	assert_true(call.input_tokens == 9 && call.output_tokens == 2 && call.cached_tokens == 4 &&
		    call.micro_usd == 13);
	assert_str(buf_str(&a.text), "Twö");
	chat_answer_free(&a);
}

static void what_was_not_said_is_not_known(void **state)
{
	struct chat_answer a = fresh();
	struct model_call call;
	struct problem p = {0};

	(void)state;
	assert_int_equal(take(&a, "{\"choices\":[{\"delta\":{\"content\":\"x\"}}]}", &p), OK);
	assert_false(a.done);
	chat_call(&a, STR("here"), STR("tiny"), &call);
	assert_str(call.model, "tiny");
	assert_false(HAS(&call, model_call, input_tokens) || HAS(&call, model_call, output_tokens) ||
		     HAS(&call, model_call, cached_tokens) || HAS(&call, model_call, micro_usd));
	chat_answer_free(&a);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "{",
					  "nonsense",
					  "[1]",
					  "{\"choices\":{}}",
					  "{\"choices\":[{\"delta\":{\"content\":7}}]}",
					  "{\"usage\":{\"prompt_tokens\":-1}}",
					  "{\"choices\":[{\"delta\":{\"content\":\"\\ud800\"}}]}"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct chat_answer a = fresh();
		struct problem p = {0};

		assert_row(bad[i], take(&a, bad[i], &p) == ERR_MALFORMED);
		assert_row(bad[i],
			   strstr(p.detail, "is no answer of a model") || strstr(p.detail, "what is no answer"));
		chat_answer_free(&a);
	}
}

static void errors_are_told_in_the_words_of_the_endpoint(void **state)
{
	struct chat_answer a = fresh();
	struct problem p = {0};

	(void)state;
	assert_int_equal(take(&a, "{\"error\":{\"message\":\"too \\\"hot\\\"\"}}", &p), ERR_TARGET_FAILS);
	assert_string_equal(p.detail, "the endpoint says: too \"hot\"");
	assert_str(chat_refusal(STR("{\"error\":\"no\"}"), arena), "no");
	assert_str(chat_refusal(STR(" <html>oh</html>\n"), arena), "<html>oh</html>");
	assert_int_equal(chat_refusal(arena_fmt(arena, "%0400d", 1), arena).n, 300);
	chat_answer_free(&a);
}

static void an_answer_has_a_limit(void **state)
{
	struct chat_answer a = fresh();
	struct problem p = {0};
	struct str event = arena_fmt(arena, "{\"choices\":[{\"delta\":{\"content\":\"%0100000d\"}}]}", 1);

	(void)state;
	assert_int_equal(take(&a, event.p, &p), OK);
	assert_int_equal(take(&a, event.p, &p), ERR_TOO_LARGE);
	chat_answer_free(&a);
}

static void a_whole_answer_needs_choices(void **state)
{
	struct chat_answer a = fresh();
	struct problem p = {0};

	(void)state;
	assert_int_equal(chat_take_whole(&a, STR("{\"choices\":[]}"), arena, &p), ERR_MALFORMED);
	assert_int_equal(chat_take_whole(&a, STR("{\"choices\":[{\"message\":{\"content\":\"hi\"}}]}"), arena, &p),
			 OK);
	assert_true(a.done && str_eqz(buf_str(&a.text), "hi"));
	chat_answer_free(&a);
}

static void a_question_is_the_line_behind_its_mark(void **state)
{
	(void)state;
	assert_str(answer_question(STR("  ::ask  Which branch?  \nBecause …")), "Which branch?");
	assert_int_equal(answer_question(STR("I ::ask nothing")).n, 0);
	assert_int_equal(answer_question(STR("::ask ")).n, 0);
	assert_int_equal(answer_question(STR("")).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_says_who_one_is_and_what_is_wanted),
		ARENA_TEST(a_stream_comes_to_an_answer, arena),
		ARENA_TEST(what_was_not_said_is_not_known, arena),
		ARENA_TEST(what_is_no_answer_is_refused, arena),
		ARENA_TEST(errors_are_told_in_the_words_of_the_endpoint, arena),
		ARENA_TEST(an_answer_has_a_limit, arena),
		ARENA_TEST(a_whole_answer_needs_choices, arena),
		cmocka_unit_test(a_question_is_the_line_behind_its_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
