/* Structs into JSON, and values for people: what comes out, and that it goes in again. */
#include "harness.h"

#include "json_kit/fill.h"
#include "spec/types.h"

#include <float.h>
#include <math.h>

/* Encodes and compares. */
static void assert_encodes(const struct json_type *t, const void *in, uint64_t skip, const char *wanted)
{
	struct buf b = BUF_INIT(0);

	json_encode(t, in, skip, &b);
	assert_string_equal(buf_cstr(&b), wanted);
	assert_int_equal(json_check(buf_str(&b), NULL), OK);
	buf_free(&b);
}

static void only_what_is_there_is_written(void **state)
{
	struct shape s = {.id = 33, .name = STR("box")};

	(void)state;
	assert_encodes(&type_nothing, &(struct nothing){0}, 0, "{}");
	assert_encodes(&type_point, &(struct point){.x = -5}, 0, "{\"x\":-5}");
	/* Nullable fields are always there, as null when they are not set. */
	assert_encodes(&type_shape, &s, 0,
		       "{\"id\":\"s_0000000000011\",\"name\":\"box\",\"made_at\":null,\"remark\":null,\"end\":null,"
		       "\"note\":null,\"edge\":null,\"stripes\":null}");
}

static void every_kind_is_written(void **state)
{
	struct str tags[] = {STR("a"), STR("b\n")};
	struct point path[] = {{.x = 1}, {.x = 2, .y = 3, .seen = BIT(point, y)}};
	struct json_pair labels[] = {{STR("k"), STR("v")}, {STR("\""), STR("")}};
	int stripes[] = {SHADE_GREEN, SHADE_RED};
	struct shape s = {.id = INT64_MAX};

	(void)state;
	PUT(&s, shape, filled, true);
	PUT(&s, shape, name, STR("n"));
	PUT(&s, shape, any, INT64_MIN);
	PUT(&s, shape, area, -0.125);
	PUT(&s, shape, shade, SHADE_DARK_BLUE);
	PUT(&s, shape, made_at, 1795230245678);
	PUT(&s, shape, lasts, 30000);
	PUT(&s, shape, extra, STR("{ \"a\" : 1 }"));
	PUT(&s, shape, center, ((struct point){.x = 4}));
	PUT(&s, shape, tags, tags);
	PUT(&s, shape, path, path);
	PUT(&s, shape, labels, labels);
	PUT(&s, shape, stripes, stripes);
	s.tags_count = s.path_count = s.labels_count = s.stripes_count = 2;
	assert_encodes(
		&type_shape, &s, BIT(shape, remark) | BIT(shape, end) | BIT(shape, note) | BIT(shape, edge),
		"{\"id\":\"s_7zzzzzzzzzzzz\",\"name\":\"n\",\"filled\":true,\"any\":-9223372036854775808,"
		"\"area\":-0.125,\"shade\":\"dark_blue\",\"made_at\":\"2026-11-21T03:04:05.678Z\",\"lasts\":30000,"
		"\"extra\":{ \"a\" : 1 },\"center\":{\"x\":4},\"tags\":[\"a\",\"b\\n\"],"
		"\"path\":[{\"x\":1},{\"x\":2,\"y\":3}],\"labels\":{\"k\":\"v\",\"\\\"\":\"\"},"
		"\"stripes\":[\"green\",\"red\"]}");
}

static void empty_lists_and_unfilled_values_are_still_json(void **state)
{
	struct shape s = {.id = 1, .area = (double)NAN};
	struct drawing d = {0};
	uint64_t skip =
		BIT(shape, remark) | BIT(shape, end) | BIT(shape, note) | BIT(shape, edge) | BIT(shape, made_at);

	(void)state;
	assert_encodes(&type_drawing, &d, 0, "{\"shapes\":[],\"cursor\":null}");
	s.seen = BIT(shape, area) | BIT(shape, tags) | BIT(shape, labels) | BIT(shape, extra) | BIT(shape, stripes);
	assert_encodes(&type_shape, &s, skip,
		       "{\"id\":\"s_0000000000001\",\"name\":\"\",\"area\":null,\"extra\":null,\"tags\":[],"
		       "\"labels\":{},\"stripes\":[]}");
}

static void skipped_fields_are_left_out(void **state)
{
	struct point p = {.x = 1, .y = 2, .seen = BIT(point, x) | BIT(point, y)};

	(void)state;
	assert_encodes(&type_point, &p, BIT(point, x), "{\"y\":2}");
	assert_encodes(&type_point, &p, BIT(point, y), "{\"x\":1}");
	assert_encodes(&type_point, &p, BIT(point, x) | BIT(point, y), "{}");
}

static void text_is_escaped_where_it_must_be(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{"", "\"\""},
		{"plain text, longer than a word", "\"plain text, longer than a word\""},
		{"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
		{"\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
		{"caf\xc3\xa9 \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xf0\x9f\x98\x80\""},
		{"bad \xff\xc3( \xed\xa0\x80",
		 "\"bad \xef\xbf\xbd\xef\xbf\xbd( \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	struct drawing d = {.seen = BIT(drawing, cursor)};
	char wanted[200];

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		d.cursor = str_of(cases[i].text);
		snprintf(wanted, sizeof(wanted), "{\"cursor\":%s}", cases[i].json);
		assert_encodes(&type_drawing, &d, BIT(drawing, shapes), wanted);
	}
}

static void a_full_buffer_stays_failed(void **state)
{
	struct buf b = BUF_INIT(20);
	struct shape s = {.name = STR("a name that does not fit in there")};

	(void)state;
	json_encode(&type_shape, &s, 0, &b);
	assert_false(buf_ok(&b));
	buf_free(&b);
}

/* The area of a shape, encoded and decoded. */
static double there_and_back(double v, struct buf *b)
{
	struct shape s = {.area = v, .seen = BIT(shape, area)};
	double back;

	buf_reset(b);
	json_encode(&type_shape, &s, ~BIT(shape, area), b);
	assert_int_equal(json_check(buf_str(b), NULL), OK);
	assert_true(str_to_f64((struct str){b->p + strlen("{\"area\":"), b->n - strlen("{\"area\":}")}, &back));
	return back;
}

static void reals_come_back_exactly(void **state)
{
	static const double edges[] = {
		0.1, 1.0 / 3, 5e-324, DBL_MIN, DBL_MAX, 1e21, 123456789012345680.0, 0.30000000000000004};
	struct rng r = test_seed();
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(edges); i++)
		assert_true(there_and_back(edges[i], &b) == edges[i]);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = rng_u64(&r);
		double v;

		memcpy(&v, &bits, sizeof(v));
		if (isfinite(v))
			assert_true(there_and_back(v, &b) == v);
	}
	there_and_back(0.1, &b);
	assert_string_equal(buf_cstr(&b), "{\"area\":0.1}");
	there_and_back(100, &b);
	assert_string_equal(buf_cstr(&b), "{\"area\":100}");
	assert_true(signbit(there_and_back(-0.0, &b)));
	buf_free(&b);
}

static void reals_of_few_decimals_are_written_as_c_writes_them(void **state)
{
	struct rng r = test_seed();
	struct buf b = BUF_INIT(0);
	char wanted[64];

	(void)state;
	for (int i = 0; i < 50000; i++) {
		double v = (double)rng_below(&r, UINT64_C(1) << rng_below(&r, 45)) / (i % 3 ? 10000 : 1000);

		snprintf(wanted, sizeof(wanted), "{\"area\":%.15g}", v);
		assert_true(there_and_back(v, &b) == v);
		assert_string_equal(buf_cstr(&b), wanted);
	}
	buf_free(&b);
}

static void any_valid_struct_comes_back(void **state)
{
	struct rng r = test_seed();
	struct arena *a = arena_new(16 << 20);
	struct buf first = BUF_INIT(0), again = BUF_INIT(0);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct problem p = {0};
		struct drawing before, after;

		fill_random(&type_drawing, &r, a, &before);
		json_encode(&type_drawing, &before, 0, &first);
		if (json_decode(&type_drawing, buf_str(&first), 0, a, &after, &p))
			fail_msg("%s (%d:%d) in %s", p.detail, p.line, p.column, buf_cstr(&first));
		json_encode(&type_drawing, &after, 0, &again);
		assert_string_equal(buf_cstr(&again), buf_cstr(&first));
		buf_reset(&first);
		buf_reset(&again);
		arena_reset(a);
	}
	buf_free(&first);
	buf_free(&again);
	arena_destroy(&a);
}

/* ---- for people ---- */

static void assert_shows(const struct shape *s, uint32_t field, const char *wanted)
{
	struct buf b = BUF_INIT(0);

	json_show_field(&type_shape, field, s, &b);
	assert_string_equal(buf_cstr(&b), wanted);
	buf_free(&b);
}

static void people_see_values_without_quotes(void **state)
{
	struct str tags[] = {STR("a"), STR("b\n")};
	struct point path[] = {{.x = 1}};
	struct json_pair labels[] = {{STR("k"), STR("v")}, {STR("l"), STR("")}};
	int stripes[] = {SHADE_GREEN, SHADE_DARK_BLUE};
	struct shape s = {
		.id = 33, .name = STR("a \"b\""), .any = -7, .area = 0.5, .shade = SHADE_RED, .seen = UINT64_MAX};

	(void)state;
	s.extra = STR("{\"a\": 1}");
	s.tags = tags;
	s.path = path;
	s.labels = labels;
	s.stripes = stripes;
	s.tags_count = s.labels_count = s.stripes_count = 2;
	s.path_count = 1;
	assert_shows(&s, shape__id, "s_0000000000011");
	assert_shows(&s, shape__name, "a \"b\"");
	assert_shows(&s, shape__filled, "false");
	assert_shows(&s, shape__any, "-7");
	assert_shows(&s, shape__area, "0.5");
	assert_shows(&s, shape__shade, "red");
	assert_shows(&s, shape__made_at, "1970-01-01T00:00:00.000Z");
	assert_shows(&s, shape__extra, "{\"a\": 1}");
	assert_shows(&s, shape__center, "x=0");
	assert_shows(&s, shape__tags, "a,b\\n");
	assert_shows(&s, shape__path, "[{\"x\":1}]");
	assert_shows(&s, shape__labels, "k=v,l=");
	assert_shows(&s, shape__stripes, "green,dark_blue");
}

static void durations_are_shown_in_their_largest_unit(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "0ms"},     {1, "1ms"},      {1500, "1500ms"}, {1000, "1s"},      {90000, "90s"},
		     {120000, "2m"}, {7200000, "2h"}, {86400000, "1d"}, {90000000, "25h"}, {172800000, "2d"}};
	struct shape s = {.seen = BIT(shape, lasts)};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		int64_t back;

		s.lasts = cases[i].ms;
		assert_shows(&s, shape__lasts, cases[i].text);
		assert_true(str_to_ms(str_of(cases[i].text), &back) && back == cases[i].ms);
	}
}

static void what_is_not_there_is_shown_as_a_dash(void **state)
{
	struct shape s = {.corners = 3};

	(void)state;
	assert_shows(&s, shape__corners, "-");
	assert_shows(&s, shape__note, "-");
	assert_shows(&s, shape__tags, "-");
	assert_shows(&s, shape__name, "-"); /* required, but empty */
	s.seen = BIT(shape, tags) | BIT(shape, note);
	assert_shows(&s, shape__tags, "-");
	assert_shows(&s, shape__note, "-");
}

static void a_text_and_a_duration_are_shown_without_a_struct(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	json_show_text(STR("a\tb"), &b);
	json_show_text(STR(""), &b);
	buf_c(&b, ' ');
	json_show_duration(90000, &b);
	assert_string_equal(buf_cstr(&b), "a\\tb 90s");
	buf_free(&b);
}

static void the_value_of_a_text_is_given_as_it_is(void **state)
{
	struct shape s = {.name = STR("a\tb"), .note = STR("absent all the same")};

	(void)state;
	assert_str(json_text(&type_shape, shape__name, &s), "a\tb");
	assert_int_equal(json_text(&type_shape, shape__note, &s).n, 0);
	s.seen = BIT(shape, note);
	assert_str(json_text(&type_shape, shape__note, &s), "absent all the same");
}

/* Anybody can put an escape sequence into a title; a terminal must not obey it. */
static void control_characters_do_not_reach_a_terminal(void **state)
{
	struct shape s = {.name = STR("a\x1b[2J\r\n\tb\x7f\xc2\x9b"
				      "31m \xc2\xa0\xff\xe2\x82\xac")};

	(void)state;
	assert_shows(&s, shape__name,
		     "a\\u001b[2J\\u000d\\n\\tb\\u007f\\u009b31m \xc2\xa0\xef\xbf\xbd\xe2\x82\xac");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_there_is_written),
		cmocka_unit_test(every_kind_is_written),
		cmocka_unit_test(empty_lists_and_unfilled_values_are_still_json),
		cmocka_unit_test(skipped_fields_are_left_out),
		cmocka_unit_test(text_is_escaped_where_it_must_be),
		cmocka_unit_test(a_full_buffer_stays_failed),
		cmocka_unit_test(reals_come_back_exactly),
		cmocka_unit_test(reals_of_few_decimals_are_written_as_c_writes_them),
		cmocka_unit_test(any_valid_struct_comes_back),
		cmocka_unit_test(people_see_values_without_quotes),
		cmocka_unit_test(durations_are_shown_in_their_largest_unit),
		cmocka_unit_test(what_is_not_there_is_shown_as_a_dash),
		cmocka_unit_test(a_text_and_a_duration_are_shown_without_a_struct),
		cmocka_unit_test(the_value_of_a_text_is_given_as_it_is),
		cmocka_unit_test(control_characters_do_not_reach_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
