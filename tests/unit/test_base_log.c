/* The log: one line per event, whatever is in the values. */
#include "harness.h"

#include "base/log.h"

static int saved_stderr, read_end;

/* Cmocka's setup: what goes to stderr comes out of read_end. */
static int capture(void **state)
{
	int ends[2];

	(void)state;
	if (pipe(ends) < 0)
		return -1;
	read_end = ends[0];
	saved_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	return 0;
}

static int release(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(read_end);
	log_set_level(LOG_INFO);
	return 0;
}

/* What was logged since the last call; the line itself without its timestamp. Valid until the next call. */
static const char *logged(void)
{
	static char line[16384];
	ssize_t n;

	fcntl(read_end, F_SETFL, O_NONBLOCK);
	n = read(read_end, line, sizeof(line) - 1);
	if (n <= 0)
		return "";
	line[n] = '\0';
	assert_true(n > 25);
	assert_int_equal(line[10], 'T');
	assert_int_equal(line[23], 'Z');
	assert_int_equal(line[24], ' ');
	return line + 25;
}

static void a_line_is_time_level_event_and_pairs(void **state)
{
	(void)state;
	LOG_W("store.slow", "ms=%d rows=%ld", 12, 3L);
	assert_string_equal(logged(), "warn store.slow ms=12 rows=3\n");
	LOG_E("store.full", "path=%s", "/var/lib");
	assert_string_equal(logged(), "error store.full path=/var/lib\n");
	LOG_I("ready", " ");
	assert_string_equal(logged(), "info ready\n");
}

static void only_what_the_level_lets_through_is_written(void **state)
{
	(void)state;
	LOG_D("quiet", "a=%d", 1);
	assert_string_equal(logged(), "");
	log_set_level(LOG_DEBUG);
	LOG_D("loud", "a=%d", 1);
	assert_string_equal(logged(), "debug loud a=1\n");
	log_set_level(LOG_ERROR);
	LOG_W("quiet", "a=%d", 1);
	assert_string_equal(logged(), "");
}

static void values_are_quoted_when_they_must_be(void **state)
{
	(void)state;
	LOG_I("e", "a=%s b=%s c=%s d=%s", "two words", "", "k=v", "q\"\\");
	assert_string_equal(logged(), "info e a=\"two words\" b=\"\" c=\"k=v\" d=\"q\\\"\\\\\"\n");
	LOG_I("e", "name=%s size=% d word", "\xc3\xa9t\xc3\xa9", 5);
	assert_string_equal(logged(), "info e name=\xc3\xa9t\xc3\xa9 size=\" 5\" word\n");
}

static void no_value_can_forge_a_pair_or_a_line(void **state)
{
	(void)state;
	LOG_I("e", "user=%s ok=%d", "x admin=1\nerror forged", 0);
	assert_string_equal(logged(), "info e user=\"x admin=1\\nerror forged\" ok=0\n");
	LOG_I("e", "user=%s ok=%d",
	      "x\x1f"
	      "admin=1",
	      0);
	assert_string_equal(logged(), "info e text=\"user=x admin=1 ok=0\"\n");
	LOG_I("e", "user=%s", "\xff\x7f");
	assert_string_equal(logged(), "info e user=\"\xef\xbf\xbd\x7f\"\n");
}

static void a_line_too_long_is_cut_but_still_one_line(void **state)
{
	static char spaces[4000], controls[4000];
	const char *line;

	(void)state;
	memset(spaces, 'x', sizeof(spaces) - 1);
	LOG_I("e", "a=%s b=%d", spaces, 1);
	line = logged();
	assert_memory_equal(line, "info e text=\"a=xxx", 18);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);

	memset(controls, 1, sizeof(controls) - 1); /* six characters each when escaped */
	LOG_I("e", "a=%s", controls);
	line = logged();
	assert_in_range(strlen(line), 6000, 8192);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

#define logged_test(test) cmocka_unit_test_setup_teardown(test, capture, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		logged_test(a_line_is_time_level_event_and_pairs),
		logged_test(only_what_the_level_lets_through_is_written),
		logged_test(values_are_quoted_when_they_must_be),
		logged_test(no_value_can_forge_a_pair_or_a_line),
		logged_test(a_line_too_long_is_cut_but_still_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
