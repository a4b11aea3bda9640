/* JSON lines: good lines go in, others are told by their number. */
#include "harness_arena.h"

#include "import/import.h"

static struct arena *arena;

static struct import_result import(struct str text, const char *type, const char *team)
{
	const struct import_options options = {.type = str_of(type), .team = str_of(team)};
	struct import_result r;

	assert_int_equal(import_jsonl(text, &options, arena, &r), OK);
	return r;
}

static void good_lines_go_in_and_corrupt_ones_are_told(void **state)
{
	struct import_result r = import(STR("{\"type\":\"build\",\"title\":\"one\"}\n"
					    "\n  \n"
					    "{\"type\":\"build\"\n"
					    "{\"type\":\"build\",\"priority\":\"soon\"}\r\n"
					    "{\"type\":\"build\",\"colour\":1}\n"
					    "{\"title\":\"no type\"}\n"
					    "[]\n"
					    "{\"type\":\"build\",\"payload\":{\"a\": 1 }}"),
					NULL, NULL);

	(void)state;
	assert_int_equal(r.item_count, 2);
	assert_str(r.items[0].work.title, "one");
	assert_int_equal(r.items[1].line, 9);
	assert_str(r.items[1].work.payload, "{\"a\": 1 }");
	assert_int_equal(r.items[1].work.priority, PRIORITY_MEDIUM);
	assert_int_equal(r.fault_count, 5);
	assert_int_equal(r.faults[0].line, 4);
	assert_int_equal(r.faults[1].line, 5);
	assert_str(r.faults[1].text, "priority: must be one of critical, high, medium, low, not 'soon'");
	assert_int_equal(r.faults[2].line, 6);
	assert_int_equal(r.faults[3].line, 7);
	assert_str(r.faults[3].text, "type: is missing; --type gives one to all lines without");
	for (size_t i = 0; i < r.fault_count; i++)
		assert_true(r.faults[i].refused);
}

static void options_fill_what_lines_leave_out(void **state)
{
	struct import_result r =
		import(STR("\xef\xbb\xbf{\"title\":\"x\"}\n{\"type\":\"own\",\"team\":\"b\"}\n"), "given", "a");

	(void)state;
	assert_int_equal(r.item_count, 2);
	assert_str(r.items[0].work.type, "given");
	assert_str(r.items[0].work.team, "a");
	assert_str(r.items[1].work.type, "own");
	assert_str(r.items[1].work.team, "b");
}

static void items_stand_after_what_they_wait_for(void **state)
{
	struct import_result r = import(
		STR("{\"type\":\"t\",\"key\":\"c\",\"depends_on\":[{\"key\":\"b\"},{\"key\":\"elsewhere\"}]}\n"
		    "{\"type\":\"t\",\"key\":\"b\",\"depends_on\":[{\"key\":\"a\"}]}\n"
		    "{\"type\":\"t\",\"key\":\"a\"}\n"
		    "{\"type\":\"u\",\"key\":\"self\",\"depends_on\":[{\"key\":\"self\"}]}\n"),
		NULL, NULL);

	(void)state;
	assert_int_equal(r.item_count, 4);
	assert_str(r.items[0].work.key, "a");
	assert_str(r.items[1].work.key, "b");
	assert_int_equal(r.items[1].waits_for[0], 0);
	assert_str(r.items[2].work.key, "c");
	assert_int_equal(r.items[2].waits_for[0], 1);
	assert_int_equal(r.items[2].waits_for[1], IMPORT_OUTSIDE);
	assert_int_equal(r.items[3].work.depends_on_count, 0);
	assert_int_equal(r.cycle_count, 1);
	assert_str(r.cycles[0].cuts, "self no longer waits for self");
}

static void a_key_means_the_item_of_its_own_queue_first(void **state)
{
	struct import_result r = import(STR("{\"type\":\"a\",\"key\":\"k\"}\n{\"type\":\"b\",\"key\":\"k\"}\n"
					    "{\"type\":\"b\",\"depends_on\":[{\"key\":\"k\"}]}\n"
					    "{\"type\":\"c\",\"depends_on\":[{\"key\":\"k\"}]}\n"),
					NULL, NULL);

	(void)state;
	assert_int_equal(r.items[2].waits_for[0], 1);
	assert_int_equal(r.items[3].waits_for[0], 0);
}

static void a_line_may_be_long_but_not_endless(void **state)
{
	struct buf b = BUF_INIT(0);
	struct import_result r;

	(void)state;
	buf_z(&b, "{\"type\":\"t\",");
	for (size_t i = 0; i < 1 << 20; i++)
		buf_c(&b, ' ');
	buf_z(&b, "\"title\":\"long\"}\n{\"type\":\"t\",");
	for (size_t i = 0; i < IMPORT_LINE_MAX; i++)
		buf_c(&b, ' ');
	buf_z(&b, "\"title\":\"too long\"}\n{\"type\":\"t\"}\n");
	r = import(buf_str(&b), NULL, NULL);
	assert_int_equal(r.item_count, 2);
	assert_str(r.items[0].work.title, "long");
	assert_int_equal(r.fault_count, 1);
	assert_int_equal(r.faults[0].line, 2);
	buf_free(&b);
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(import((struct str){0}, NULL, NULL).item_count, 0);
	assert_int_equal(import(STR("\n\n"), NULL, NULL).fault_count, 0);
}

int main(void)
{
#define TEST(name) ARENA_TEST(name, arena)
	const struct CMUnitTest tests[] = {
		TEST(good_lines_go_in_and_corrupt_ones_are_told), TEST(options_fill_what_lines_leave_out),
		TEST(items_stand_after_what_they_wait_for),       TEST(a_key_means_the_item_of_its_own_queue_first),
		TEST(a_line_may_be_long_but_not_endless),         TEST(nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
