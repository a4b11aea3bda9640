/* What is made of the bytes a command writes, of server-sent events, and of tables for a terminal. */
#include "harness.h"

#include "cli/print.h"
#include "cli/sse.h"
#include "cli/worker_output.h"

/* ---- commands ---- */

static struct output output;

static int begin_output(void **state)
{
	(void)state;
	output_init(&output);
	return 0;
}

static int end_output(void **state)
{
	(void)state;
	output_free(&output);
	return 0;
}

static void check_result(const char *expected)
{
	struct buf b = BUF_INIT(0);

	output_result(&output, &b);
	assert_string_equal(buf_cstr(&b), expected);
	buf_free(&b);
}

static void lines_of_progress_are_taken_out(void **state)
{
	(void)state;
	output_stdout(&output, STR("one\n::progress 40 compiling  \ntwo"));
	assert_true(output.has_progress);
	assert_int_equal(output.percent, 40);
	assert_str(buf_str(&output.note), "compiling");
	output_end(&output);
	check_result("{\"exit\":0,\"output\":\"one\\ntwo\"}");
}

static void progress_may_come_in_pieces_and_without_an_end(void **state)
{
	(void)state;
	output_stdout(&output, STR("::pro"));
	output_stdout(&output, STR("gress 1"));
	output_stdout(&output, STR("00"));
	assert_false(output.has_progress);
	output_end(&output);
	assert_true(output.has_progress);
	assert_int_equal(output.percent, 100);
	assert_int_equal(output.note.n, 0);
	check_result("{\"exit\":0,\"output\":\"\"}");
}

static void a_question_is_taken_out_where_one_may_be_asked(void **state)
{
	(void)state;
	output_stdout(&output, STR("::ask before?\n"));
	assert_int_equal(output.question.n, 0);
	output_take_questions(&output);
	output_stdout(&output, STR("one\n::as"));
	output_stdout(&output, STR("k  Which branch? \n::progress 4 x\n::ask\n::ask  \n::ask \xff\n"));
	assert_string_equal(buf_cstr(&output.question), "Which branch?");
	assert_true(output.has_progress);
	output_stdout(&output, STR("::ask Which tag?"));
	output_end(&output);
	assert_string_equal(buf_cstr(&output.question), "Which tag?");
	check_result("{\"exit\":0,\"output\":\"::ask before?\\none\\n::ask\\n::ask  \\n::ask \xef\xbf\xbd\\n\"}");
}

static void what_only_looks_like_progress_is_output(void **state)
{
	(void)state;
	output_stdout(&output, STR("::progress 101\n::progress x\n::progress\nx::progress 5\n"));
	assert_false(output.has_progress);
	check_result("{\"exit\":0,\"output\":\"::progress 101\\n::progress x\\n::progress\\nx::progress 5\\n\"}");
}

static void both_streams_are_kept_as_they_came(void **state)
{
	(void)state;
	output_stdout(&output, STR("a\n"));
	output_stderr(&output, STR("b\n"));
	output_stdout(&output, STR("c\n"));
	check_result("{\"exit\":0,\"output\":\"a\\nb\\nc\\n\"}");
}

static void only_the_end_is_kept(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	for (int i = 0; i < 100000; i++) {
		char line[16];
		int n = snprintf(line, sizeof(line), "%d\n", i);

		output_stdout(&output, (struct str){line, (size_t)n});
	}
	assert_true(output.all.text.n <= 2 * OUTPUT_KEPT);
	output_result(&output, &b);
	assert_non_null(strstr(buf_cstr(&b), "99998\\n99999\\n\"}"));
	assert_true(b.n > OUTPUT_KEPT && b.n < OUTPUT_KEPT * 5 / 4);
	buf_free(&b);
}

static void a_result_is_never_over_its_limit(void **state)
{
	char ones[1000];
	struct buf b = BUF_INIT(0);

	(void)state;
	memset(ones, 1, sizeof(ones)); /* six bytes each in JSON */
	for (int i = 0; i < 100; i++)
		output_stdout(&output, (struct str){ones, sizeof(ones)});
	output_result(&output, &b);
	assert_true(b.n <= 262144);
	assert_int_equal(json_check(buf_str(&b), NULL), OK);
	buf_free(&b);
}

static void no_byte_spoils_the_json(void **state)
{
	struct rng rng = test_seed();
	struct buf b = BUF_INIT(0);

	(void)state;
	for (int round = 0; round < 2000; round++) {
		char bytes[64];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)rng_below(&rng, 256);
		output_stdout(&output, (struct str){bytes, rng_below(&rng, sizeof(bytes))});
	}
	output_end(&output);
	output_result(&output, &b);
	assert_int_equal(json_check(buf_str(&b), NULL), OK);
	buf_free(&b);
}

static void errors_say_how_it_ended_and_what_was_said_last(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	output_stdout(&output, STR("out\n"));
	output_error(&output, 3 << 8, &b);
	assert_string_equal(buf_cstr(&b), "exit status 3: out");
	for (int i = 0; i < 30; i++)
		output_stderr(&output, STR("line\n"));
	output_stderr(&output, STR("last\n\n"));
	buf_reset(&b);
	output_error(&output, SIGKILL, &b);
	assert_non_null(strstr(buf_cstr(&b), "killed by signal 9 (Killed): line\nline"));
	assert_non_null(strstr(buf_cstr(&b), "line\nlast"));
	assert_true(b.n < 20 * 5 + 40);
	buf_free(&b);
}

/* ---- events ---- */

struct heard {
	struct buf text;
};

static void hear(void *ctx, const struct sse_event *e)
{
	struct heard *h = ctx;

	buf_fmt(&h->text, "[%.*s|%.*s|%.*s]", STRF(e->name), STRF(e->data), STRF(e->id));
}

static void check_events(const char *stream, const char *expected)
{
	for (size_t piece = 1; piece < 9; piece++) {
		struct heard h = {0};
		struct sse s = {0};
		struct str rest = str_of(stream);

		while (rest.n) {
			size_t n = rest.n < piece ? rest.n : piece;

			sse_feed(&s, (struct str){rest.p, n}, hear, &h);
			rest = (struct str){rest.p + n, rest.n - n};
		}
		assert_string_equal(buf_cstr(&h.text), expected);
		buf_free(&h.text);
		sse_free(&s);
	}
}

static void events_are_read_in_pieces_of_any_size(void **state)
{
	(void)state;
	check_events("id: 1\nevent: a\ndata: x\n\n", "[a|x|1]");
	check_events("data: x\r\ndata:y\r\rdata: z\n\n", "[message|x\ny|][message|z|]");
	check_events(": a comment\n\nretry: 5\nevent: none\n\ndata\n\n", "[message||]");
	check_events("id: 7\ndata: a\n\ndata: b\n\n", "[message|a|7][message|b|7]");
	check_events("data: not ended\n", "");
}

/* ---- tables ---- */

static void tables_fit_the_terminal(void **state)
{
	struct work_summary items[2] = {{0}};
	struct work_list_out list = {.items = items, .items_count = 2};
	struct buf b = BUF_INIT(0);
	struct str rest, line;

	(void)state;
	items[0].id = items[1].id = 1;
	PUT(&items[0], work_summary, title,
	    STR("A title that is much longer than what a narrow terminal has room for"));
	PUT(&items[1], work_summary, title,
	    STR("\xe4\xb8\xad\xe6\x96\x87 with \x1b[31m control characters in it and more text"));
	items[0].type = items[1].type = STR("build");
	print_object(&type_work_list_out, &list, "id state title", 60, &b);
	for (rest = buf_str(&b); rest.n;) {
		line = str_cut(rest, '\n', &rest);
		assert_true(print_columns(line) <= 60);
	}
	assert_null(strchr(buf_cstr(&b), '\x1b'));
	assert_non_null(strstr(buf_cstr(&b), "…"));
	buf_reset(&b);
	print_object(&type_work_list_out, &list, "id title", 0, &b);
	assert_non_null(strstr(buf_cstr(&b), "has room for\n")); /* a pipe gets it all */
	buf_reset(&b);
	list.items_count = 0;
	print_object(&type_work_list_out, &list, "id title", 0, &b);
	assert_string_equal(buf_cstr(&b), "(none)\n");
	buf_free(&b);
}

static void single_things_are_names_and_values(void **state)
{
	struct work_item item = {.id = 1, .type = STR("t")};
	struct buf b = BUF_INIT(0);

	(void)state;
	PUT(&item, work_item, description, STR("one\n\ntwo"));
	print_object(&type_work_item, &item, "type description error", 0, &b);
	assert_string_equal(buf_cstr(&b), "type         t\ndescription  one\n\n             two\n");
	buf_free(&b);
}

static void durations_name_their_unit_once_and_no_more_than_people_read(void **state)
{
	struct job_status items[2] = {{.period_ms = 60000}, {.period_ms = 1303}};
	struct job_list list = {.items = items, .items_count = 2};
	struct buf b = BUF_INIT(0);

	(void)state;
	PUT(&items[0], job_status, age_ms, 41076);
	print_object(&type_job_list, &list, "period_ms age_ms", 0, &b);
	assert_string_equal(buf_cstr(&b), "PERIOD  AGE\n1m      41s\n1303ms  -\n");
	buf_free(&b);
}

static void wide_and_combining_characters_are_counted(void **state)
{
	(void)state;
	assert_int_equal(print_columns(STR("abc")), 3);
	assert_int_equal(print_columns(STR("\xe4\xb8\xad")), 2);
	assert_int_equal(print_columns(STR("e\xcc\x81")), 1);
	assert_int_equal(print_columns(STR("\xf0\x9f\x98\x80")), 2);
	assert_int_equal(print_columns(STR("\xff")), 1);
}

/* ---- outlines ---- */

static void check_outline(struct str json, const char *expected)
{
	struct arena *a = arena_new(1 << 20);
	struct buf b = BUF_INIT(0);

	print_value(json, 2, a, &b);
	assert_string_equal(buf_cstr(&b), expected);
	buf_free(&b);
	arena_destroy(&a);
}

static void any_json_is_an_outline(void **state)
{
	(void)state;
	check_outline(STR("{\"exit\":0,\"output\":\"one\\n\\ttwo\\n\"}"),
		      "  exit: 0\n  output:\n    one\n    \ttwo\n");
	check_outline(STR("{\"files\": [ {\"path\":\"a\",\"lines\":[1,[2,3]]}, \"b\\nc\", {} ], \"none\":null, "
			  "\"e\":[]}"),
		      "  files:\n    - path: a\n      lines:\n        - 1\n        - - 2\n          - 3\n    - b\n "
		      "     c\n"
		      "    - {}\n  none: null\n  e: []\n");
	check_outline(STR(" \"looks right\""), "  looks right\n");
	check_outline(STR("\"\""), "  \n");
	check_outline(STR("12"), "  12\n");
}

static void a_result_cannot_move_the_cursor(void **state)
{
	(void)state;
	check_outline(STR("{\"a\\u001b[2J\":\"\\u001b[2J\\r\"}"), "  a\\u001b[2J: \\u001b[2J\\u000d\n");
}

static void what_is_no_json_does_no_harm(void **state)
{
	(void)state;
	check_outline((struct str){0}, "");
	check_outline(STR("{\"a\":"), "");
	check_outline(STR("[1,"), "");
}

int main(void)
{
#define OUTPUT_TEST(name) cmocka_unit_test_setup_teardown(name, begin_output, end_output)
	const struct CMUnitTest tests[] = {
		OUTPUT_TEST(lines_of_progress_are_taken_out),
		OUTPUT_TEST(progress_may_come_in_pieces_and_without_an_end),
		OUTPUT_TEST(a_question_is_taken_out_where_one_may_be_asked),
		OUTPUT_TEST(what_only_looks_like_progress_is_output),
		OUTPUT_TEST(both_streams_are_kept_as_they_came),
		OUTPUT_TEST(only_the_end_is_kept),
		OUTPUT_TEST(a_result_is_never_over_its_limit),
		OUTPUT_TEST(no_byte_spoils_the_json),
		OUTPUT_TEST(errors_say_how_it_ended_and_what_was_said_last),
		cmocka_unit_test(events_are_read_in_pieces_of_any_size),
		cmocka_unit_test(tables_fit_the_terminal),
		cmocka_unit_test(single_things_are_names_and_values),
		cmocka_unit_test(durations_name_their_unit_once_and_no_more_than_people_read),
		cmocka_unit_test(wide_and_combining_characters_are_counted),
		cmocka_unit_test(any_json_is_an_outline),
		cmocka_unit_test(a_result_cannot_move_the_cursor),
		cmocka_unit_test(what_is_no_json_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
