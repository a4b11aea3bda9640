/* JSON into structs by rows: every kind, every fault, and what is pointed into the text. */
#include "harness.h"

#include "base/magic.h"
#include "json_kit/fill.h"
#include "spec/types.h"

#include <inttypes.h>

struct fixture {
	struct arena *arena;
	struct problem problem;
	struct shape shape;
};

static int setup(void **state)
{
	struct fixture *f = NEW(struct fixture);

	f->arena = arena_new(1 << 20);
	memset(&f->shape, 0xa5, sizeof(f->shape)); /* json_decode() needs no cleared struct */
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_destroy(&f->arena);
	free(f);
	return 0;
}

static enum err decode_str(struct fixture *f, struct str text)
{
	f->problem = (struct problem){0};
	return json_decode(&type_shape, text, 0, f->arena, &f->shape, &f->problem);
}

static enum err decode(struct fixture *f, const char *text)
{
	return decode_str(f, str_of(text));
}

/* Decodes the required members and the given ones. */
static enum err decode_with(struct fixture *f, const char *members)
{
	return decode_str(f, arena_fmt(f->arena, "{\"id\":\"s_0000000000001\",\"name\":\"n\",%s}", members));
}

#define SMALLEST "{\"id\":\"s_0000000000001\",\"name\":\"n\"}"

/* ---- values ---- */

static void every_kind_is_decoded(void **state)
{
	struct fixture *f = *state;
	const struct shape *s = &f->shape;

	assert_int_equal(
		decode(f, "{\"id\":\"s_0000000000011\",\"name\":\"box\",\"filled\":false,\"corners\":4,\"any\":-5,"
			  "\"area\":2.5e1,\"shade\":\"dark_blue\",\"made_at\":\"2026-11-21T03:04:05.678Z\","
			  "\"lasts\":1500,"
			  "\"extra\":{\"a\": [1]},\"remark\":\"r\",\"center\":{\"x\":1,\"y\":2},\"end\":{\"x\":3},"
			  "\"tags\":[\"a\",\"b\"],\"path\":[{\"x\":5},{\"x\":6,\"y\":8}],"
			  "\"labels\":{\"k\":\"v\",\"l\":\"\"},\"note\":\"\",\"code\":\"abcd\",\"edge\":\"red\","
			  "\"stripes\":[\"dark_blue\",\"red\"]}"),
		OK);
	assert_int_equal(s->id, 33);
	assert_str(s->name, "box");
	assert_false(s->filled);
	assert_int_equal(s->corners, 4);
	assert_int_equal(s->any, -5);
	assert_true(s->area == 25.0);
	assert_int_equal(s->shade, SHADE_DARK_BLUE);
	assert_int_equal(s->made_at, 1795230245678);
	assert_int_equal(s->lasts, 1500);
	assert_str(s->extra, "{\"a\": [1]}");
	assert_str(s->remark, "\"r\"");
	assert_true(s->center.x == 1 && s->center.y == 2);
	assert_true(s->end.x == 3 && s->end.y == 7);
	assert_int_equal(s->tags_count, 2);
	assert_str(s->tags[1], "b");
	assert_int_equal(s->path_count, 2);
	assert_true(s->path[0].x == 5 && s->path[0].y == 7 && s->path[1].y == 8);
	assert_int_equal(s->labels_count, 2);
	assert_str(s->labels[0].key, "k");
	assert_str(s->labels[0].value, "v");
	assert_str(s->labels[1].value, "");
	assert_str(s->note, "");
	assert_str(s->code, "abcd");
	assert_int_equal(s->edge, SHADE_RED);
	assert_int_equal(s->stripes_count, 2);
	assert_int_equal(s->stripes[0], SHADE_DARK_BLUE);
	assert_int_equal(s->stripes[1], SHADE_RED);
	assert_int_equal(s->seen, (UINT64_C(1) << shape__COUNT) - 1);
	assert_int_equal(s->nulls, 0);
	assert_int_equal(f->problem.err, OK);
}

static void members_come_in_any_order_with_any_space(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		decode(f, " \t\r\n{ \"name\" : \"n\" ,\r\n\"any\"\t:1, \"tags\" : [ \"a\" , \"b\" ] , \"id\" "
			  ":\"s_0000000000001\" , \"path\":[ ] , \"labels\": { } , \"center\":{ \"x\": 1 } } \n"),
		OK);
	assert_str(f->shape.name, "n");
	assert_int_equal(f->shape.any, 1);
	assert_int_equal(f->shape.tags_count, 2);
	assert_int_equal(f->shape.path_count, 0);
	assert_int_equal(f->shape.labels_count, 0);
	assert_true(HAS(&f->shape, shape, path) && HAS(&f->shape, shape, labels));
	assert_int_equal(f->shape.center.x, 1);
}

static void absent_null_and_present_are_told_apart(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(decode_with(f, "\"note\":null,\"end\":null,\"remark\":null,\"extra\":null"), OK);
	assert_true(IS_NULL(&f->shape, shape, note) && !HAS(&f->shape, shape, note));
	assert_true(IS_NULL(&f->shape, shape, end) && !HAS(&f->shape, shape, end));
	assert_true(IS_NULL(&f->shape, shape, remark) && !HAS(&f->shape, shape, remark));
	assert_false(IS_NULL(&f->shape, shape, made_at) || HAS(&f->shape, shape, made_at));
	/* A raw value that may not be null holds null as it holds anything. */
	assert_true(HAS(&f->shape, shape, extra) && !IS_NULL(&f->shape, shape, extra));
	assert_str(f->shape.extra, "null");
	assert_true(HAS(&f->shape, shape, id));
}

static void fallbacks_stand_where_nothing_was_given(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(decode(f, SMALLEST), OK);
	assert_true(f->shape.filled && !HAS(&f->shape, shape, filled));
	assert_int_equal(f->shape.shade, SHADE_GREEN);
	assert_int_equal(f->shape.lasts, 30000);
	assert_int_equal(f->shape.corners, 0);
	assert_null(f->shape.tags);
	/* Also inside an object that is absent, but not inside one that is null. */
	assert_int_equal(f->shape.center.y, 7);
	assert_int_equal(decode_with(f, "\"end\":null"), OK);
	assert_int_equal(f->shape.end.y, 0);
}

static void numbers_at_their_edges(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(decode_with(f, "\"any\":-9223372036854775808,\"corners\":1000,\"area\":-1e3"), OK);
	assert_true(f->shape.any == INT64_MIN && f->shape.corners == 1000 && f->shape.area == -1000);
	assert_int_equal(decode_with(f, "\"any\":9223372036854775807,\"corners\":-0,\"area\":0.1"), OK);
	assert_true(f->shape.any == INT64_MAX && f->shape.corners == 0 && f->shape.area == 0.1);
	assert_int_equal(decode_with(f, "\"any\":9223372036854775808"), ERR_INVALID);
	assert_int_equal(decode_with(f, "\"any\":-9223372036854775809"), ERR_INVALID);
	assert_int_equal(decode_with(f, "\"any\":123456789012345678901234567890"), ERR_INVALID);
	assert_int_equal(decode_with(f, "\"area\":1e999"), ERR_INVALID);
	assert_int_equal(decode_with(f, "\"area\":1e-999"), OK);
	assert_true(f->shape.area == 0);
}

static void times_are_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} right[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01t00:00:00z", 0},
		{"1970-01-01T01:00:00+01:00", 0},
		{"1969-12-31T18:30:00.000-05:30", 0},
		{"1970-01-01T00:00:00.1Z", 100},
		{"1970-01-01T00:00:00.0019999Z", 1},
		{"2024-02-29T23:59:59Z", 1709251199000},
		{"2000-02-29T00:00:00Z", 951782400000},
		{"2016-12-31T23:59:60Z", 1483228800000}, /* a leap second */
		{"1969-12-31T23:59:59.999Z", -1},
		{"0000-01-01T00:00:00Z", -62167219200000},
		{"9999-12-31T23:59:59.999Z", 253402300799999},
	};
	static const char *const wrong[] = {
		"",
		"now",
		"2026-11-21",
		"2026-11-21T03:04Z",
		"2026-11-21 03:04:05Z",
		"2026-11-21T03:04:05",
		"2026-11-21T03:04:05.Z",
		"2026-11-21T03:04:05+1:00",
		"2026-11-21T03:04:05+0100",
		"2026-11-21T03:04:05+24:00",
		"2026-11-21T03:04:05+01:60",
		"2026-11-21T03:04:05Zx",
		"2026-11-21T03:04:05ZZ",
		"2026-11-21T24:00:00Z",
		"2026-11-21T23:60:00Z",
		"2026-11-21T23:59:61Z",
		"2026-11-31T00:00:00Z",
		"2025-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-1-01T00:00:00Z",
		"2026-01-01T-1:00:00Z",
		"2026-01-01T00:00:0-Z",
		"02026-01-01T00:00:00Z",
		"0000-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < COUNT_OF(right); i++) {
		struct str members = arena_fmt(f->arena, "\"made_at\":\"%s\"", right[i].text);

		assert_int_equal(decode_with(f, members.p), OK);
		assert_int_equal(f->shape.made_at, right[i].ms);
	}
	for (unsigned i = 0; i < COUNT_OF(wrong); i++) {
		struct str members = arena_fmt(f->arena, "\"made_at\":\"%s\"", wrong[i]);

		assert_int_equal(decode_with(f, members.p), ERR_INVALID);
	}
}

static void text_without_escapes_points_into_the_input(void **state)
{
	static const char text[] =
		"{\"id\":\"s_0000000000001\",\"name\":\"box\",\"note\":\"caf\\u00e9\",\"extra\":[1, 2]}";
	struct fixture *f = *state;

	assert_int_equal(decode(f, text), OK);
	assert_true(f->shape.name.p > text && f->shape.name.p < text + sizeof(text));
	assert_true(f->shape.extra.p > text && f->shape.extra.p < text + sizeof(text));
	assert_false(f->shape.note.p > text && f->shape.note.p < text + sizeof(text));
	assert_str(f->shape.note, "caf\xc3\xa9");
}

static void escapes_mean_what_they_say(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		decode_with(f, "\"note\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00E9\\u20ac\\ud83d\\uDE00 end\""),
		OK);
	assert_str(f->shape.note, "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 end");
	assert_int_equal(decode_with(f, "\"l\\u0061bels\":{\"\\u006b\":\"\\n\"},\"tags\":[\"\\t\"]"), OK);
	assert_str(f->shape.labels[0].key, "k");
	assert_str(f->shape.labels[0].value, "\n");
	assert_str(f->shape.tags[0], "\t");
}

static void lengths_are_counted_in_characters(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		decode_with(f, "\"code\":\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\""),
		OK);
	assert_int_equal(decode_with(f, "\"code\":\"\\ud83d\\ude00\\ud83d\\ude00\""), OK);
	assert_int_equal(decode_with(f, "\"code\":\"\xf0\x9f\x98\x80\""), ERR_INVALID);
	assert_int_equal(decode_with(f, "\"code\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\""), ERR_INVALID);
	assert_string_equal(f->problem.detail, "code: must have at most 4 characters, not 5");
}

static void raw_values_keep_their_bytes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(decode_with(f, "\"extra\": { \"b\" : 1.50 , \"a\":\"\\u0041\" } "), OK);
	assert_str(f->shape.extra, "{ \"b\" : 1.50 , \"a\":\"\\u0041\" }");
	assert_int_equal(decode_with(f, "\"extra\":[{\"a\":1},{\"a\":[]}]"), OK);
	assert_int_equal(
		decode_with(f, "\"extra\":\"12345678901234567890123456789012345678901234567890123456789012\""), OK);
	assert_int_equal(
		decode_with(f, "\"extra\":\"123456789012345678901234567890123456789012345678901234567890123\""),
		ERR_INVALID);
	assert_string_equal(f->problem.detail, "extra: must have at most 64 bytes, not 65");
}

static void all_64_fields_of_a_type_are_its_own(void **state)
{
	struct fixture *f = *state;
	struct wide wide;

	assert_int_equal(wide__COUNT, 64);
	assert_int_equal(json_decode(&type_wide, STR("{\"h7\":9,\"a0\":1}"), 0, f->arena, &wide, &f->problem), OK);
	assert_true(HAS(&wide, wide, h7) && HAS(&wide, wide, a0) && !HAS(&wide, wide, h6));
	assert_true(wide.h7 == 9 && wide.a0 == 1);
	assert_int_equal(json_decode(&type_wide, STR("{}"), 0, f->arena, &wide, &f->problem), ERR_MISSING_FIELD);
	assert_int_equal(json_decode(&type_wide, STR("{\"h7\":1,\"h7\":2}"), 0, f->arena, &wide, &f->problem),
			 ERR_MALFORMED);
}

static void a_type_may_have_no_fields(void **state)
{
	struct fixture *f = *state;
	struct nothing nothing;

	assert_int_equal(json_decode(&type_nothing, STR(" { } "), 0, f->arena, &nothing, &f->problem), OK);
	assert_int_equal(json_decode(&type_nothing, STR("{\"a\":1}"), 0, f->arena, &nothing, &f->problem),
			 ERR_UNKNOWN_FIELD);
	assert_string_equal(f->problem.detail, "a: there is no such field");
}

/* ---- faults ---- */

static void each_fault_names_its_field(void **state)
{
	static const struct {
		const char *members;
		enum err err;
		const char *detail;
	} faults[] = {
		{"\"filled\":1", ERR_MISTYPED, "filled: must be true or false, not a number"},
		{"\"filled\":null", ERR_MISTYPED, "filled: must be true or false, not null"},
		{"\"corners\":\"4\"", ERR_MISTYPED, "corners: must be a whole number, not text"},
		{"\"corners\":4.0", ERR_MISTYPED, "corners: must be a number without fraction or exponent"},
		{"\"corners\":1e2", ERR_MISTYPED, "corners: must be a number without fraction or exponent"},
		{"\"corners\":1001", ERR_INVALID, "corners: must be from 0 to 1000, not 1001"},
		{"\"corners\":-1", ERR_INVALID, "corners: must be from 0 to 1000, not -1"},
		{"\"area\":[]", ERR_MISTYPED, "area: must be a number, not an array"},
		{"\"area\":1000.5", ERR_INVALID, "area: must be from -1000 to 1000, not 1000.5"},
		{"\"shade\":7", ERR_MISTYPED, "shade: must be text, not a number"},
		{"\"shade\":\"pink\"", ERR_INVALID, "shade: must be one of red, green, dark_blue, not 'pink'"},
		{"\"shade\":\"blue\"", ERR_INVALID,
		 "shade: must be one of red, green, dark_blue, not 'blue'; did you mean \"dark_blue\"?"},
		{"\"shade\":\"\"", ERR_INVALID, "shade: must be one of red, green, dark_blue, not ''"},
		{"\"shade\":\"gren\"", ERR_INVALID,
		 "shade: must be one of red, green, dark_blue, not 'gren'; did you mean \"green\"?"},
		{"\"made_at\":1", ERR_MISTYPED, "made_at: must be a time as text, not a number"},
		{"\"made_at\":\"now\"", ERR_INVALID,
		 "made_at: must be a time such as 2026-01-31T12:00:00Z, not 'now'"},
		{"\"lasts\":\"30s\"", ERR_MISTYPED, "lasts: must be a whole number, not text"},
		{"\"lasts\":86400001", ERR_INVALID, "lasts: must be from 0 to 86400000, not 86400001"},
		{"\"center\":[]", ERR_MISTYPED, "center: must be an object, not an array"},
		{"\"center\":{}", ERR_MISSING_FIELD, "center.x: is required"},
		{"\"center\":{\"x\":101}", ERR_INVALID, "center.x: must be from -100 to 100, not 101"},
		{"\"center\":{\"x\":1,\"z\":101}", ERR_UNKNOWN_FIELD, "center.z: there is no such field"},
		{"\"tags\":{}", ERR_MISTYPED, "tags: must be an array, not an object"},
		{"\"tags\":[\"a\",1]", ERR_MISTYPED, "tags[1]: must be text, not a number"},
		{"\"tags\":[\"\"]", ERR_INVALID, "tags[0]: may not be empty"},
		{"\"tags\":[\"123456\"]", ERR_INVALID, "tags[0]: must have at most 5 characters, not 6"},
		{"\"tags\":[\"a\",\"b\",\"c\",\"d\",\"e\"]", ERR_INVALID,
		 "tags: may have at most 3 entries, not 5"},
		{"\"path\":[{\"x\":1},{\"x\":true}]", ERR_MISTYPED, "path[1].x: must be a whole number, not true"},
		{"\"path\":[1]", ERR_MISTYPED, "path[0]: must be an object, not a number"},
		{"\"labels\":[]", ERR_MISTYPED, "labels: must be an object of texts, not an array"},
		{"\"labels\":{\"a\":1}", ERR_MISTYPED, "labels.a: must be text, not a number"},
		{"\"labels\":{\"a\":\"123456\"}", ERR_INVALID, "labels.a: must have at most 5 characters, not 6"},
		{"\"labels\":{\"\":\"1\"}", ERR_INVALID, "labels.: may not be empty"},
		{"\"labels\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":{}}", ERR_INVALID,
		 "labels: may have at most 3 entries, not 4"},
		{"\"stripes\":\"red\"", ERR_MISTYPED, "stripes: must be an array, not text"},
		{"\"stripes\":[\"red\",null]", ERR_MISTYPED, "stripes[1]: must be text, not null"},
		{"\"stripes\":[\"gren\"]", ERR_INVALID,
		 "stripes[0]: must be one of red, green, dark_blue, not 'gren'; did you mean \"green\"?"},
		{"\"stripes\":[\"green\",\"green\"]", ERR_INVALID, "stripes[1]: 'green' is there already"},
		{"\"stripes\":[\"blue\",\"red\"]", ERR_INVALID,
		 "stripes[0]: must be one of red, green, dark_blue, not 'blue'; did you mean \"dark_blue\"?"},
		{"\"stripes\":[\"green\",\"red\",\"dark_blue\"]", ERR_INVALID,
		 "stripes: may have at most 2 entries, not 3"},
		{"\"code\":\"a\"", ERR_INVALID, "code: must have at least 2 characters, not 1"},
		{"\"colour\":1", ERR_UNKNOWN_FIELD, "colour: there is no such field"},
		{"\"lables\":{}", ERR_UNKNOWN_FIELD, "lables: there is no such field; did you mean \"labels\"?"},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < COUNT_OF(faults); i++) {
		assert_int_equal(decode_with(f, faults[i].members), faults[i].err);
		assert_int_equal(f->problem.err, faults[i].err);
		assert_string_equal(f->problem.detail, faults[i].detail);
		assert_int_equal(f->problem.field_count, 1);
	}
}

static void an_id_of_another_kind_is_a_fault_of_its_field(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(decode(f, "{\"id\":\"w_0000000000001\",\"name\":\"n\"}"), ERR_INVALID);
	assert_string_equal(f->problem.detail, "id: must be an id: s_ and 13 characters, not 'w_0000000000001'");
	assert_int_equal(decode(f, "{\"id\":\"s_000000000000\",\"name\":\"n\"}"), ERR_INVALID);
	assert_int_equal(decode(f, "{\"id\":1,\"name\":\"n\"}"), ERR_MISTYPED);
}

static void all_faults_come_at_once_and_the_most_basic_first(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		decode(f, "{\"name\":\"\",\"corners\":5000,\"filled\":\"yes\",\"colour\":1,\"center\":{\"y\":1}}"),
		ERR_UNKNOWN_FIELD);
	assert_int_equal(f->problem.err, ERR_UNKNOWN_FIELD);
	assert_string_equal(f->problem.detail, "colour: there is no such field");
	assert_int_equal(f->problem.field_count, 6);
	assert_string_equal(f->problem.fields[0].field, "name");
	assert_string_equal(f->problem.fields[1].field, "corners");
	assert_string_equal(f->problem.fields[2].field, "filled");
	assert_string_equal(f->problem.fields[3].field, "colour");
	assert_string_equal(f->problem.fields[4].field, "center.x");
	assert_string_equal(f->problem.fields[5].field, "id");
	assert_string_equal(f->problem.fields[5].detail, "is required");
}

static void beyond_the_faults_that_are_kept_only_a_more_basic_one_counts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		decode_with(f, "\"path\":[{\"x\":999},{\"x\":999},{\"x\":999},{\"x\":999},{\"x\":999},{\"x\":999}],"
			       "\"code\":\"\",\"any\":1,\"corners\":-1,\"area\":-2000,\"labels\":{\"\":\"\"},"
			       "\"nonesuch\":1,\"nonesuch2\":2"),
		ERR_UNKNOWN_FIELD);
	assert_int_equal(f->problem.field_count, PROBLEM_FIELDS_MAX);
	assert_string_equal(f->problem.fields[0].field, "path[0].x");
	assert_string_equal(f->problem.detail, "nonesuch: there is no such field");
	assert_int_equal(f->problem.err, ERR_UNKNOWN_FIELD);
}

static void faults_add_to_those_found_before(void **state)
{
	struct fixture *f = *state;

	f->problem = (struct problem){0};
	problem_field(&f->problem, ERR_INVALID, "limit", "must be from 1 to 1000");
	assert_int_equal(
		json_decode(&type_shape, STR("{\"id\":\"s_0000000000001\"}"), 0, f->arena, &f->shape, &f->problem),
		ERR_MISSING_FIELD);
	assert_int_equal(f->problem.field_count, 2);
	assert_string_equal(f->problem.detail, "name: is required");
}

static void a_fault_needs_no_problem_to_fill(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(json_decode(&type_shape, STR("{\"x\":1}"), 0, f->arena, &f->shape, NULL),
			 ERR_UNKNOWN_FIELD);
	assert_int_equal(json_decode(&type_shape, STR("{"), 0, f->arena, &f->shape, NULL), ERR_MALFORMED);
}

static void long_names_and_deep_paths_are_cut(void **state)
{
	struct fixture *f = *state;
	char name[3000];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(decode_str(f, arena_fmt(f->arena, "{\"%s\":1}", name)), ERR_UNKNOWN_FIELD);
	assert_int_equal(strlen(f->problem.fields[0].field), 64);
	assert_int_equal(decode_with(f, arena_fmt(f->arena, "\"labels\":{\"%s\":1}", name).p), ERR_MISTYPED);
	assert_int_equal(strlen(f->problem.fields[0].field), strlen("labels.") + 64);
	assert_int_equal(f->problem.fields[0].detail[0], 'm');
	/* Never inside a character, and a name that a terminal would obey stays as it was spelled. */
	memcpy(name + 62, "\xf0\x9f\x98\x80", 4);
	assert_int_equal(decode_str(f, arena_fmt(f->arena, "{\"%s\":1}", name)), ERR_UNKNOWN_FIELD);
	assert_int_equal(strlen(f->problem.fields[0].field), 62);
	assert_int_equal(decode(f, "{\"\\u001b[2J\":1}"), ERR_UNKNOWN_FIELD);
	assert_string_equal(f->problem.fields[0].field, "\\u001b[2J");
}

/* A million unknown members must not be a million edit distances. */
static void a_flood_of_faults_costs_little(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(0);

	buf_z(&b, "{\"first\":1");
	for (int i = 0; i < 1000000; i++)
		buf_fmt(&b, ",\"m%d\":1", i);
	buf_z(&b, "}");
	assert_int_equal(decode_str(f, buf_str(&b)), ERR_UNKNOWN_FIELD);
	assert_int_equal(f->problem.field_count, PROBLEM_FIELDS_MAX);
	buf_free(&b);
}

static void malformed_text_stops_and_tells_where(void **state)
{
	static const struct {
		const char *text;
		int line, column;
		const char *detail;
	} faults[] = {
		{"", 1, 1, "expected a value, but the text ends"},
		{"\n\n  ", 3, 3, "expected a value, but the text ends"},
		{"{\"name\":\"n\"", 1, 12, "expected ',' or '}', but the text ends"},
		{"{\"name\" \"n\"}", 1, 9, "expected ':', not a string"},
		{"{\n\t\"name\":\"n\",\n\t}", 3, 2, "expected a member name in double quotes, not '}'"},
		{"{name:1}", 1, 2, "expected a member name in double quotes, not 'n'"},
		{"{\"name\":'n'}", 1, 9, "expected a value, not '''"},
		{"{\"name\":nil}", 1, 9, "expected a value; did you mean null?"},
		{"{\"filled\":True}", 1, 11, "expected a value, not 'T'"},
		{"{\"filled\":tru}", 1, 11, "expected a value; did you mean true?"},
		{"{\"corners\":01}", 1, 12, "a number may not begin with 0"},
		{"{\"corners\":-}", 1, 13, "expected a digit, not '}'"},
		{"{\"tags\":[\"a\",]}", 1, 14, "expected a value, not ']'"},
		{"{\"tags\":[\"a\" \"b\"]}", 1, 14, "expected ',' or ']', not a string"},
		{"{\"name\":\"a\nb\"}", 1, 11, "a string may not contain byte 0x0a as it is; write \\u000a"},
		{"{\"name\":\"a", 1, 9, "this string has no end"},
		{"{\"name\":\"\\x\"}", 1, 10, "unknown escape; a backslash itself is written \\\\"},
		{"{\"name\":\"\\u00g0\"}", 1, 10, "\\u needs four hexadecimal digits"},
		{"{\"name\":\"a\\u0000\"}", 1, 11, "text may not contain \\u0000"},
		{"{\"name\":\"\\ud800\"}", 1, 10, "\\ud800 to \\udfff are only valid in pairs"},
		{"{\"name\":\"\xc3\xa9\xff\"}", 1, 12, "this is not UTF-8"},
		{SMALLEST " x", 1, 37, "expected nothing more, not 'x'"},
		{"{\"name\":\"a\",\"name\":\"b\"}", 1, 13, "member \"name\" stands twice in its object"},
		{"{\"name\":\"a\",\"n\\u0061me\":\"b\"}", 1, 13, "member \"name\" stands twice in its object"},
		{"{\"extra\":{\"a\":1,\n \"b\":{},\"\\u0061\":2}}", 2, 9, "this member stands twice in its object"},
		{"{\"extra\":0,\"what\":1,\"w\\u0068at\":2}", 1, 21, "this member stands twice in its object"},
		{"{\"labels\":{\"a\":\"1\",\"a\":\"2\"}}", 1, 20, "this member stands twice in its object"},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < COUNT_OF(faults); i++) {
		assert_int_equal(decode(f, faults[i].text), ERR_MALFORMED);
		assert_string_equal(f->problem.detail, faults[i].detail);
		assert_int_equal(f->problem.err, ERR_MALFORMED);
		assert_int_equal(f->problem.line, faults[i].line);
		assert_int_equal(f->problem.column, faults[i].column);
	}
}

static void malformed_text_outranks_the_faults_before_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(decode(f, "{\"colour\":1,\"corners\":]"), ERR_MALFORMED);
	assert_int_equal(f->problem.err, ERR_MALFORMED);
	assert_string_equal(f->problem.detail, "expected a value, not ']'");
	assert_int_equal(f->problem.column, 23);
	/* A list that was cut short is not also too long. */
	assert_int_equal(decode(f, "{\"tags\":[\"a\",\"b\",\"c\",\"d\",\"e\"x"), ERR_MALFORMED);
	assert_int_equal(f->problem.err, ERR_MALFORMED);
	assert_int_equal(f->problem.field_count, 0);
}

static void only_an_object_is_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(decode(f, "[]"), ERR_MISTYPED);
	assert_string_equal(f->problem.detail, "the value must be an object, not an array");
	assert_int_equal(f->problem.field_count, 0);
	assert_int_equal(decode(f, "null"), ERR_MISTYPED);
	assert_int_equal(decode(f, "[] 1"), ERR_MALFORMED);
}

static void a_full_arena_is_too_large(void **state)
{
	struct fixture *f = *state;
	struct arena *small = arena_new(64);

	f->problem = (struct problem){0};
	assert_int_equal(json_decode(&type_shape, STR("{\"path\":[{\"x\":1},{\"x\":2},{\"x\":3}]}"), 0, small,
				     &f->shape, &f->problem),
			 ERR_TOO_LARGE);
	assert_int_equal(f->problem.err, ERR_TOO_LARGE);
	arena_reset(small);
	assert_int_equal(
		json_decode(
			&type_shape,
			STR("{\"note\":\"\\n0123456789012345678901234567890123456789012345678901234567890123\"}"),
			0, small, &f->shape, NULL),
		ERR_TOO_LARGE);
	arena_destroy(&small);
}

/* ---- fields from elsewhere ---- */

/* A server may be newer than its client. */
static void an_answer_may_have_members_without_a_row(void **state)
{
	const struct str answer = STR("{\"id\":\"s_0000000000001\",\"new\":{\"a\":[1]},\"name\":\"n\","
				      "\"path\":[{\"x\":1,\"z\":\"\\n\"}],\"center\":{\"new\":0,\"x\":2}}");
	struct fixture *f = *state;

	assert_int_equal(json_decode_answer(&type_shape, answer, f->arena, &f->shape, &f->problem), OK);
	assert_int_equal(f->problem.field_count, 0);
	assert_str(f->shape.name, "n");
	assert_true(f->shape.path[0].x == 1 && f->shape.center.x == 2);
	assert_int_equal(decode_str(f, answer), ERR_UNKNOWN_FIELD);
	assert_int_equal(json_decode_answer(&type_shape, STR("{\"new\":1}"), f->arena, &f->shape, NULL),
			 ERR_MISSING_FIELD);
	assert_int_equal(json_decode_answer(&type_shape, STR("{\"new\":1,\"new\":2}"), f->arena, &f->shape, NULL),
			 ERR_MALFORMED);
	assert_int_equal(json_decode_answer(&type_shape, STR("{\"new\":x}"), f->arena, &f->shape, NULL),
			 ERR_MALFORMED);
}

static void skipped_fields_are_left_alone_and_unknown_to_the_text(void **state)
{
	struct fixture *f = *state;
	uint64_t skip = BIT(shape, id) | BIT(shape, tags) | BIT(shape, note);

	f->problem = (struct problem){0};
	PUT(&f->shape, shape, id, 77);
	f->shape.seen |= BIT(shape, any); /* left over: not to be believed */
	assert_int_equal(json_decode(&type_shape, STR("{\"name\":\"n\"}"), skip, f->arena, &f->shape, &f->problem),
			 OK);
	assert_true(f->shape.id == 77 && HAS(&f->shape, shape, id));
	assert_true(f->shape.any == 0 && !HAS(&f->shape, shape, any));
	assert_true(f->shape.filled && f->shape.corners == 0 && f->shape.path == NULL && f->shape.path_count == 0);
	assert_int_equal(json_decode(&type_shape, STR("{\"name\":\"n\",\"id\":\"s_0000000000001\"}"), skip,
				     f->arena, &f->shape, &f->problem),
			 ERR_UNKNOWN_FIELD);
	assert_string_equal(f->problem.detail, "id: is given in the path or query, not here");
	assert_int_equal(f->shape.id, 77);
}

/* ---- plain text ---- */

static enum err set(struct fixture *f, uint32_t field, const char *text)
{
	f->problem = (struct problem){0};
	return json_set_text(&type_shape, field, str_of(text), f->arena, &f->shape, &f->problem);
}

static void each_kind_can_be_set_from_plain_text(void **state)
{
	struct fixture *f = *state;
	const struct shape *s = &f->shape;

	f->shape = (struct shape){0};
	assert_int_equal(set(f, shape__id, "S_0000000000OIL"), OK);
	assert_int_equal(s->id, 33);
	assert_int_equal(set(f, shape__name, "a \"b\""), OK);
	assert_str(s->name, "a \"b\"");
	assert_int_equal(set(f, shape__filled, "true"), OK);
	assert_true(s->filled);
	assert_int_equal(set(f, shape__filled, "false"), OK);
	assert_false(s->filled);
	assert_int_equal(set(f, shape__corners, "12"), OK);
	assert_int_equal(s->corners, 12);
	assert_int_equal(set(f, shape__area, "-1.5"), OK);
	assert_true(s->area == -1.5);
	assert_int_equal(set(f, shape__shade, "red"), OK);
	assert_int_equal(s->shade, SHADE_RED);
	assert_int_equal(set(f, shape__made_at, "1970-01-01T00:00:01Z"), OK);
	assert_int_equal(s->made_at, 1000);
	assert_int_equal(set(f, shape__lasts, "2m"), OK);
	assert_int_equal(s->lasts, 120000);
	assert_int_equal(set(f, shape__extra, " {\"a\":1}"), OK);
	assert_str(s->extra, "{\"a\":1}");
	assert_true(HAS(s, shape, extra) && HAS(s, shape, lasts) && !HAS(s, shape, tags));
}

static void lists_and_maps_take_one_element_a_call(void **state)
{
	struct fixture *f = *state;
	const struct shape *s = &f->shape;

	f->shape = (struct shape){0};
	assert_int_equal(set(f, shape__tags, "a"), OK);
	assert_int_equal(set(f, shape__tags, "b,c"), OK);
	assert_int_equal(set(f, shape__tags, "d"), OK);
	assert_int_equal(set(f, shape__tags, "e"), ERR_INVALID);
	assert_string_equal(f->problem.detail, "tags: may have at most 3 entries");
	assert_int_equal(s->tags_count, 3);
	assert_str(s->tags[0], "a");
	assert_str(s->tags[1], "b,c");
	assert_int_equal(set(f, shape__labels, "k=v=w"), OK);
	assert_int_equal(set(f, shape__labels, "l="), OK);
	assert_int_equal(set(f, shape__labels, "k=x"), ERR_INVALID);
	assert_int_equal(set(f, shape__labels, "k"), ERR_MISTYPED);
	assert_int_equal(set(f, shape__labels, "=v"), ERR_INVALID);
	assert_int_equal(s->labels_count, 2);
	assert_str(s->labels[0].value, "v=w");
	assert_str(s->labels[1].value, "");
	assert_int_equal(set(f, shape__stripes, "dark_blue"), OK);
	assert_int_equal(set(f, shape__stripes, "dark_blue"), ERR_INVALID);
	assert_string_equal(f->problem.detail, "stripes: 'dark_blue' is there already");
	assert_int_equal(set(f, shape__stripes, "red,green"), ERR_INVALID);
	assert_int_equal(set(f, shape__stripes, "red"), OK);
	assert_int_equal(set(f, shape__stripes, "green"), ERR_INVALID);
	assert_string_equal(f->problem.detail, "stripes: may have at most 2 entries");
	assert_int_equal(s->stripes_count, 2);
	assert_true(s->stripes[0] == SHADE_DARK_BLUE && s->stripes[1] == SHADE_RED);
}

/* Everything a random shape holds, as the texts that make it again. */
static void set_again(const struct shape *from, uint32_t field, struct arena *a, struct shape *to)
{
	struct buf text = BUF_INIT(0);

	for (size_t i = 0; i < json_plain_count(&type_shape, field, from); i++) {
		buf_reset(&text);
		json_plain(&type_shape, field, i, from, &text);
		assert_int_equal(json_set_text(&type_shape, field, arena_str(a, buf_str(&text)), a, to, NULL), OK);
	}
	buf_free(&text);
}

static void what_was_set_from_plain_text_can_be_told_as_such(void **state)
{
	const uint64_t objects = BIT(shape, center) | BIT(shape, end) | BIT(shape, path);
	struct fixture *f = *state;
	struct rng r = test_seed();
	struct buf before = BUF_INIT(0), after = BUF_INIT(0);

	for (int times = 0; times < 2000; times++) {
		struct shape from, to = {0};

		fill_random(&type_shape, &r, f->arena, &from);
		for (uint32_t i = 0; i < type_shape.field_count; i++)
			if (!(objects >> i & 1))
				set_again(&from, i, f->arena, &to);
		json_encode(&type_shape, &from, objects, &before);
		json_encode(&type_shape, &to, objects, &after);
		if (!strstr(buf_cstr(&before), "[]") && !strstr(buf_cstr(&before), "{}")) /* no text sets none */
			assert_string_equal(buf_cstr(&after), buf_cstr(&before));
		buf_reset(&before);
		buf_reset(&after);
		arena_reset(f->arena);
	}
	buf_free(&before);
	buf_free(&after);
}

static void plain_text_has_the_faults_of_json(void **state)
{
	static const struct {
		uint32_t field;
		const char *text;
		enum err err;
		const char *detail;
	} faults[] = {
		{shape__filled, "yes", ERR_MISTYPED, "filled: must be true or false, not 'yes'"},
		{shape__corners, "", ERR_MISTYPED, "corners: must be a whole number, not ''"},
		{shape__corners, "1.0", ERR_MISTYPED, "corners: must be a whole number, not '1.0'"},
		{shape__corners, "1001", ERR_INVALID, "corners: must be from 0 to 1000, not 1001"},
		{shape__area, "nan", ERR_MISTYPED, "area: must be a number, not 'nan'"},
		{shape__area, "1001", ERR_INVALID, "area: must be from -1000 to 1000, not 1001"},
		{shape__lasts, "1y", ERR_MISTYPED, "lasts: must be a duration such as 250ms, 30s or 5m, not '1y'"},
		{shape__lasts, "2d", ERR_INVALID, "lasts: must be from 0ms to 1d, not '2d'"},
		{shape__name, "", ERR_INVALID, "name: may not be empty"},
		{shape__name, "\xff", ERR_MISTYPED, "name: must be UTF-8 text without NUL"},
		{shape__tags, "\xff", ERR_MISTYPED, "tags: must be UTF-8 text without NUL"},
		{shape__stripes, "\xff", ERR_MISTYPED, "stripes: must be UTF-8 text without NUL"},
		{shape__stripes, "reed", ERR_INVALID,
		 "stripes: must be one of red, green, dark_blue, not 'reed'; did you mean \"red\"?"},
		{shape__id, "s_1", ERR_INVALID, "id: must be an id: s_ and 13 characters, not 's_1'"},
		{shape__extra, "{\"a\"}", ERR_MALFORMED,
		 "extra: is not JSON: expected ':', not '}' (line 1, column 5)"},
		{shape__center, "{\"x\":1}", ERR_MISTYPED, "center: cannot be given as text"},
		{shape__path, "[]", ERR_MISTYPED, "path: cannot be given as text"},
	};
	struct fixture *f = *state;

	f->shape = (struct shape){0};
	for (unsigned i = 0; i < COUNT_OF(faults); i++) {
		assert_int_equal(set(f, faults[i].field, faults[i].text), faults[i].err);
		assert_string_equal(f->problem.detail, faults[i].detail);
	}
	assert_int_equal(f->shape.seen, 0);
}

static void of_what_was_given_instead_a_fault_shows_what_helps(void **state)
{
	struct fixture *f = *state;
	char digits[60];

	assert_int_equal(set(f, shape__corners, "a text of more than forty bytes is cut\xc3\xa9\xc3\xa9\xc3\xa9"),
			 ERR_MISTYPED);
	assert_string_equal(f->problem.detail,
			    "corners: must be a whole number, not 'a text of more than forty bytes "
			    "is cut\xc3\xa9…'");
	assert_int_equal(set(f, shape__corners, "a text of more than forty bytes is cut.\xc3\xa9"), ERR_MISTYPED);
	assert_string_equal(f->problem.detail,
			    "corners: must be a whole number, not 'a text of more than forty bytes "
			    "is cut.…'");
	assert_int_equal(set(f, shape__corners, "\xff\xc3"), ERR_MISTYPED);
	assert_string_equal(f->problem.detail, "corners: must be a whole number, not '\xef\xbf\xbd\xef\xbf\xbd'");
	memset(digits, '9', sizeof(digits));
	memcpy(digits, "\"area\":", 7);
	digits[sizeof(digits) - 1] = '\0';
	assert_int_equal(decode_with(f, digits), ERR_INVALID);
	assert_string_equal(f->problem.detail,
			    "area: must be from -1000 to 1000, not 9999999999999999999999999999999999"
			    "999999");
}

static void a_refused_value_leaves_the_one_before(void **state)
{
	struct fixture *f = *state;

	f->shape = (struct shape){0};
	assert_int_equal(set(f, shape__corners, "12"), OK);
	assert_int_equal(set(f, shape__corners, "5000"), ERR_INVALID);
	assert_int_equal(f->shape.corners, 12);
	assert_int_equal(set(f, shape__corners, "13"), OK);
	assert_int_equal(f->shape.corners, 13);
	assert_int_equal(set(f, shape__shade, "red"), OK);
	assert_int_equal(set(f, shape__shade, "reed"), ERR_INVALID);
	assert_int_equal(f->shape.shade, SHADE_RED);
}

static void finishing_tells_what_is_missing_and_puts_fallbacks(void **state)
{
	struct fixture *f = *state;

	f->shape = (struct shape){0};
	f->problem = (struct problem){0};
	assert_int_equal(json_finish(&type_shape, 0, &f->shape, &f->problem), ERR_MISSING_FIELD);
	assert_int_equal(f->problem.field_count, 2);
	assert_string_equal(f->problem.fields[1].field, "name");
	assert_int_equal(json_finish(&type_shape, BIT(shape, name) | BIT(shape, id), &f->shape, &f->problem), OK);
	assert_int_equal(set(f, shape__id, "s_0000000000001"), OK);
	assert_int_equal(set(f, shape__name, "n"), OK);
	assert_int_equal(set(f, shape__lasts, "1s"), OK);
	assert_int_equal(json_finish(&type_shape, 0, &f->shape, &f->problem), OK);
	assert_int_equal(f->shape.lasts, 1000);
	assert_int_equal(f->shape.shade, SHADE_GREEN);
	assert_int_equal(f->shape.center.y, 7);
}

static void owning_leaves_nothing_in_the_old_text(void **state)
{
	static const char text[] =
		"{\"id\":\"s_0000000000001\",\"name\":\"box\",\"extra\":[1],\"remark\":null,\"tags\":[\"a\",\"b\"],"
		"\"labels\":{\"k\":\"v\"},\"path\":[],\"note\":\"x\",\"stripes\":[\"red\"]}";
	struct fixture *f = *state;
	struct arena *own = arena_new(1 << 16);
	char *copy = must_alloc(sizeof(text));
	struct buf before = BUF_INIT(0), after = BUF_INIT(0);

	memcpy(copy, text, sizeof(text));
	assert_int_equal(decode(f, copy), OK);
	json_encode(&type_shape, &f->shape, 0, &before);
	json_own(&type_shape, own, &f->shape);
	memset(copy, 'z', sizeof(text));
	free(copy);
	arena_reset(f->arena);
	json_encode(&type_shape, &f->shape, 0, &after);
	assert_string_equal(buf_cstr(&after), buf_cstr(&before));
	assert_str(f->shape.labels[0].value, "v");
	buf_free(&before);
	buf_free(&after);
	arena_destroy(&own);
}

static void names_are_looked_up(void **state)
{
	(void)state;
	assert_string_equal(json_field_by_name(&type_shape, STR("area"))->name, "area");
	assert_null(json_field_by_name(&type_shape, STR("are")));
	assert_null(json_field_by_name(&type_shape, STR("areas")));
	assert_null(json_field_by_name(&type_shape, (struct str){0}));
	assert_int_equal(json_enum_by_text(&enum_shade, STR("dark_blue")), SHADE_DARK_BLUE);
	assert_int_equal(json_enum_by_text(&enum_shade, STR("dark")), -1);
	assert_int_equal(json_enum_by_text(&enum_shade, STR("dark_blue2")), -1);
	assert_int_equal(json_enum_by_text(&enum_shade, (struct str){0}), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_kind_is_decoded),
		TEST(members_come_in_any_order_with_any_space),
		TEST(absent_null_and_present_are_told_apart),
		TEST(fallbacks_stand_where_nothing_was_given),
		TEST(numbers_at_their_edges),
		TEST(times_are_rfc_3339),
		TEST(text_without_escapes_points_into_the_input),
		TEST(escapes_mean_what_they_say),
		TEST(lengths_are_counted_in_characters),
		TEST(raw_values_keep_their_bytes),
		TEST(all_64_fields_of_a_type_are_its_own),
		TEST(a_type_may_have_no_fields),
		TEST(each_fault_names_its_field),
		TEST(an_id_of_another_kind_is_a_fault_of_its_field),
		TEST(all_faults_come_at_once_and_the_most_basic_first),
		TEST(beyond_the_faults_that_are_kept_only_a_more_basic_one_counts),
		TEST(faults_add_to_those_found_before),
		TEST(a_fault_needs_no_problem_to_fill),
		TEST(long_names_and_deep_paths_are_cut),
		TEST(a_flood_of_faults_costs_little),
		TEST(malformed_text_stops_and_tells_where),
		TEST(malformed_text_outranks_the_faults_before_it),
		TEST(only_an_object_is_one),
		TEST(a_full_arena_is_too_large),
		TEST(an_answer_may_have_members_without_a_row),
		TEST(skipped_fields_are_left_alone_and_unknown_to_the_text),
		TEST(each_kind_can_be_set_from_plain_text),
		TEST(lists_and_maps_take_one_element_a_call),
		TEST(what_was_set_from_plain_text_can_be_told_as_such),
		TEST(plain_text_has_the_faults_of_json),
		TEST(of_what_was_given_instead_a_fault_shows_what_helps),
		TEST(a_refused_value_leaves_the_one_before),
		TEST(finishing_tells_what_is_missing_and_puts_fallbacks),
		TEST(owning_leaves_nothing_in_the_old_text),
		TEST(names_are_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
