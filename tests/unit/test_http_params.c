/*
 * Query strings against real `in` types, and escapes in paths.
 */
#include "tests/unit/harness_arena.h"

#include "base/buf.h"
#include "http/params.h"
#include "spec/types.h"

static struct arena *arena;

static enum err list(const char *query, struct work_list_in *out, struct problem *p)
{
	*out = (struct work_list_in){0};
	*p = (struct problem){0};
	return params_decode(&type_work_list_in, str_of(query), 0, arena, out, p);
}

static void expect_fault(const char *query, enum err e, const char *field)
{
	struct work_list_in in;
	struct problem p;

	assert_int_equal(list(query, &in, &p), e);
	assert_int_equal(p.err, e);
	assert_string_equal(p.fields[0].field, field);
}

static void values_are_taken_and_defaults_filled_in(void **state)
{
	struct work_list_in in;
	struct problem p;

	(void)state;
	assert_int_equal(list("type=a+b%20c%C3%A4&state=ready&limit=7", &in, &p), OK);
	assert_str(in.type, "a b c\xc3\xa4");
	assert_int_equal(in.state, WORK_READY);
	assert_int_equal(in.limit, 7);
	assert_true(HAS(&in, work_list_in, limit));
	assert_int_equal(list("", &in, &p), OK);
	assert_int_equal(in.limit, 50);
	assert_false(HAS(&in, work_list_in, limit));
}

static void empty_pieces_and_values_are_what_they_seem(void **state)
{
	struct work_list_in in;
	struct problem p;

	(void)state;
	assert_int_equal(list("&&type=&&team&", &in, &p), OK);
	assert_true(HAS(&in, work_list_in, type) && HAS(&in, work_list_in, team));
	assert_int_equal(in.type.n, 0);
	assert_int_equal(list("q=a=b=c", &in, &p), OK);
	assert_str(in.q, "a=b=c");
}

static void text_without_escapes_is_not_copied(void **state)
{
	const char *query = "type=plain";
	struct work_list_in in;
	struct problem p;

	(void)state;
	assert_int_equal(list(query, &in, &p), OK);
	assert_ptr_equal(in.type.p, query + 5);
}

static void a_name_there_is_not_is_named(void **state)
{
	(void)state;
	expect_fault("tpye=x", ERR_UNKNOWN_FIELD, "tpye");
	expect_fault("limit=1&=x", ERR_UNKNOWN_FIELD, "");
	expect_fault("%74%79pe%21=x", ERR_UNKNOWN_FIELD, "type!");
}

static void a_single_value_given_twice_is_refused(void **state)
{
	(void)state;
	expect_fault("limit=1&limit=1", ERR_INVALID, "limit");
	expect_fault("type=a&%74ype=b", ERR_INVALID, "type");
}

static void values_are_checked_by_their_rows(void **state)
{
	(void)state;
	expect_fault("limit=0", ERR_INVALID, "limit");
	expect_fault("limit=x", ERR_MISTYPED, "limit");
	expect_fault("state=done", ERR_INVALID, "state");
}

static void all_faults_are_told(void **state)
{
	struct work_list_in in;
	struct problem p;

	(void)state;
	assert_int_not_equal(list("limit=0&nope=1&state=x", &in, &p), OK);
	assert_int_equal(p.field_count, 3);
}

static void broken_escapes_are_malformed(void **state)
{
	static const char *const broken[] = {"type=%", "type=%4",  "type=%zz", "type=%00",
					     "%=1",    "type=%ff", "type=%c3("};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		struct work_list_in in;
		struct problem p;

		assert_int_equal(list(broken[i], &in, &p), ERR_MALFORMED);
		assert_true(p.detail[0]);
	}
}

/* A name of a thousand characters is cut where it is shown, not where it is compared. */
static void names_may_be_long(void **state)
{
	struct buf b = BUF_INIT(0);
	struct work_list_in in;
	struct problem p;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_z(&b, "%C3%A4");
	buf_z(&b, "=1");
	assert_int_equal(list(b.p, &in, &p), ERR_UNKNOWN_FIELD);
	assert_true(str_is_utf8(str_of(p.fields[0].field)));
	buf_free(&b);
}

static void members_of_the_path_are_not_parameters(void **state)
{
	struct work_id in = {0};
	struct problem p = {0};

	(void)state;
	assert_int_equal(params_decode(&type_work_id, STR("id=w_0000000000001"), BIT(work_id, id), arena, &in, &p),
			 ERR_UNKNOWN_FIELD);
	assert_int_equal(params_decode(&type_work_id, STR("id=w_0000000000001"), 0, arena, &in, &p), OK);
	assert_int_equal(in.id, 1);
}

static void what_is_required_must_be_there(void **state)
{
	struct work_session_in in = {0};
	struct problem p = {0};

	(void)state;
	assert_int_equal(params_decode(&type_work_session_in, STR(""), 0, arena, &in, &p), ERR_MISSING_FIELD);
	assert_string_equal(p.fields[0].field, "agent");
}

static void lists_may_be_given_more_than_once(void **state)
{
	struct work_claim_in in = {0};
	struct problem p = {0};

	(void)state;
	assert_int_equal(params_decode(&type_work_claim_in, STR("agent=a&types=x&types=y"), 0, arena, &in, &p), OK);
	assert_int_equal(in.types_count, 2);
	assert_str(in.types[1], "y");
}

static void memory_is_bounded(void **state)
{
	struct arena *small = arena_new(16);
	struct work_list_in in = {0};
	struct problem p = {0};

	(void)state;
	assert_int_not_equal(
		params_decode(&type_work_list_in, STR("type=%41aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 0, small, &in, &p),
		OK);
	arena_destroy(&small);
}

static void paths_keep_their_plus_and_their_slashes(void **state)
{
	struct str out;

	(void)state;
	assert_int_equal(url_decode_path(STR("/a+b/%63%20d"), arena, &out), OK);
	assert_str(out, "/a+b/c d");
	assert_int_equal(url_decode_path(STR("/a%2fb"), arena, &out), ERR_MALFORMED);
	assert_int_equal(url_decode_path(STR("/a%00"), arena, &out), ERR_MALFORMED);
	assert_int_equal(url_decode_path(STR("/a%"), arena, &out), ERR_MALFORMED);
	assert_int_equal(url_decode_path(STR(""), arena, &out), OK);
	assert_int_equal(out.n, 0);
}

#define EACH(test) ARENA_TEST(test, arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(values_are_taken_and_defaults_filled_in),
		EACH(empty_pieces_and_values_are_what_they_seem),
		EACH(text_without_escapes_is_not_copied),
		EACH(a_name_there_is_not_is_named),
		EACH(a_single_value_given_twice_is_refused),
		EACH(values_are_checked_by_their_rows),
		EACH(all_faults_are_told),
		EACH(broken_escapes_are_malformed),
		EACH(names_may_be_long),
		EACH(members_of_the_path_are_not_parameters),
		EACH(what_is_required_must_be_there),
		EACH(lists_may_be_given_more_than_once),
		EACH(memory_is_bounded),
		EACH(paths_keep_their_plus_and_their_slashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
