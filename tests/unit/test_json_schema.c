/* Rows as JSON Schema: each kind as OpenAPI 3.1 readers take it. */
#include "harness.h"

#include "spec/types.h"

static void assert_schema_of(const char *field, const char *wanted)
{
	const struct json_field *f = json_field_by_name(&type_shape, str_of(field));
	struct buf b = BUF_INIT(0);

	assert_non_null(f);
	json_schema_field(f, &b);
	assert_string_equal(buf_cstr(&b), wanted);
	assert_int_equal(json_check(buf_str(&b), NULL), OK);
	buf_free(&b);
}

static void each_kind_has_its_schema(void **state)
{
	(void)state;
	assert_schema_of(
		"id",
		"{\"type\":\"string\",\"pattern\":\"^s_[0-9A-TV-Za-tv-z]{13}$\",\"description\":\"Its id.\"}");
	assert_schema_of("name",
			 "{\"type\":\"string\",\"minLength\":1,\"maxLength\":8,\"description\":\"Its name.\"}");
	assert_schema_of("filled", "{\"type\":\"boolean\",\"default\":true,\"description\":\"Is it filled?\"}");
	assert_schema_of("corners", "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0,\"maximum\":1000,"
				    "\"description\":\"How many corners.\"}");
	assert_schema_of("any", "{\"type\":\"integer\",\"format\":\"int64\",\"description\":\"Any number.\"}");
	assert_schema_of("area",
			 "{\"type\":\"number\",\"minimum\":-1000,\"maximum\":1000,\"description\":\"Its area.\"}");
	assert_schema_of("shade",
			 "{\"type\":\"string\",\"enum\":[\"red\",\"green\",\"dark_blue\"],\"x-enum-descriptions\":"
			 "[\"As a rose.\",\"As grass.\",\"As \\\"night\\\".\"],\"default\":\"green\","
			 "\"description\":\"Its colour.\"}");
	assert_schema_of("lasts", "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0,\"maximum\":86400000,"
				  "\"default\":30000,\"description\":\"How long it stays.\"}");
	assert_schema_of("extra", "{\"x-max-bytes\":64,\"description\":\"Anything.\"}");
	assert_schema_of("center", "{\"$ref\":\"#/components/schemas/point\",\"description\":\"Its middle.\"}");
	assert_schema_of("tags",
			 "{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"string\",\"minLength\":1,"
			 "\"maxLength\":5},\"description\":\"Words.\"}");
	assert_schema_of("path",
			 "{\"type\":\"array\",\"maxItems\":6,\"items\":{\"$ref\":\"#/components/schemas/point\"},"
			 "\"description\":\"Its points.\"}");
	assert_schema_of("labels",
			 "{\"type\":\"object\",\"maxProperties\":3,\"propertyNames\":{\"minLength\":1,"
			 "\"maxLength\":5},\"additionalProperties\":{\"type\":\"string\",\"maxLength\":5},"
			 "\"description\":\"Names and values.\"}");
}

static void nullable_fields_say_so(void **state)
{
	(void)state;
	assert_schema_of("made_at", "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\","
				    "\"description\":\"When it was drawn.\"}");
	assert_schema_of("note", "{\"type\":[\"string\",\"null\"],\"maxLength\":300,\"description\":\"A note.\"}");
	assert_schema_of("end", "{\"anyOf\":[{\"$ref\":\"#/components/schemas/point\"},{\"type\":\"null\"}],"
				"\"description\":\"Where it ends.\"}");
	assert_schema_of(
		"edge", "{\"type\":[\"string\",\"null\"],\"enum\":[\"red\",\"green\",\"dark_blue\",null],"
			"\"x-enum-descriptions\":[\"As a rose.\",\"As grass.\",\"As \\\"night\\\".\",\"Not set.\"],"
			"\"description\":\"The colour of its edge.\"}");
	assert_schema_of("stripes", "{\"type\":[\"array\",\"null\"],\"maxItems\":2,\"uniqueItems\":true,\"items\":{"
				    "\"type\":\"string\",\"enum\":[\"red\",\"green\",\"dark_blue\"],"
				    "\"x-enum-descriptions\":[\"As a rose.\",\"As grass.\",\"As \\\"night\\\".\"]},"
				    "\"description\":\"Its other colours.\"}");
}

static void assert_schema(const struct json_type *t, uint64_t skip, const char *wanted)
{
	struct buf b = BUF_INIT(0);

	json_schema(t, skip, &b);
	assert_string_equal(buf_cstr(&b), wanted);
	buf_free(&b);
}

static void a_type_lists_what_it_requires_and_allows_nothing_else(void **state)
{
	static const char y[] = "\"y\":{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":-100,\"maximum\":100,"
				"\"default\":7,\"description\":\"Upwards.\"}";
	char wanted[600];

	(void)state;
	snprintf(wanted, sizeof(wanted),
		 "{\"type\":\"object\",\"description\":\"A "
		 "place.\",\"required\":[\"x\"],\"properties\":{\"x\":{\"type\":"
		 "\"integer\",\"format\":\"int64\",\"minimum\":-100,\"maximum\":100,\"description\":\"To the "
		 "right.\"},%s},"
		 "\"additionalProperties\":false}",
		 y);
	assert_schema(&type_point, 0, wanted);
	snprintf(wanted, sizeof(wanted),
		 "{\"type\":\"object\",\"description\":\"A "
		 "place.\",\"properties\":{%s},\"additionalProperties\":false}",
		 y);
	assert_schema(&type_point, BIT(point, x), wanted);
	assert_schema(&type_nothing, 0,
		      "{\"type\":\"object\",\"description\":\"No members.\",\"properties\":{},"
		      "\"additionalProperties\":false}");
}

static void every_schema_is_json(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < spec_type_count; i++) {
		json_schema(spec_types[i], 0, &b);
		assert_int_equal(json_check(buf_str(&b), NULL), OK);
		buf_reset(&b);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_schema),
		cmocka_unit_test(nullable_fields_say_so),
		cmocka_unit_test(a_type_lists_what_it_requires_and_allows_nothing_else),
		cmocka_unit_test(every_schema_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
