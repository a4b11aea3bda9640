/*
 * What of the OpenAPI document can be checked without a validator: it is JSON, nothing refers to what is not there,
 * nothing is there that nothing refers to, and each operation has what linters ask for. The API tests validate it.
 */
#include "tests/unit/harness.h"

#include "spec/routes.h"

static struct buf document;

static int start(void **state)
{
	(void)state;
	spec_openapi(&document, "1.2.3");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	buf_free(&document);
	return 0;
}

static unsigned occurrences(const char *text)
{
	unsigned n = 0;

	for (const char *p = document.p; (p = strstr(p, text)); p += strlen(text))
		n++;
	return n;
}

static void it_is_json(void **state)
{
	struct problem p = {0};

	(void)state;
	assert_true(buf_ok(&document));
	if (json_check(buf_str(&document), &p) != OK)
		fail_msg("%s", p.detail);
	assert_true(
		str_starts(buf_str(&document),
			   STR("{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"tenfold\",\"version\":\"1.2.3\"")));
}

static void each_route_is_one_operation(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUTE_COUNT; i++) {
		char id[128], path[128];

		snprintf(id, sizeof(id), "\"operationId\":\"%s\"", spec_routes[i].name);
		snprintf(path, sizeof(path), "\"%s\":{", spec_routes[i].path);
		assert_row(spec_routes[i].name, occurrences(id) == 1);
		assert_row(spec_routes[i].name, occurrences(path) == 1);
	}
	assert_int_equal(occurrences("\"operationId\""), ROUTE_COUNT);
}

/* Cuts the operation out of the document: from its id to the next one. */
static struct str operation(const struct route *r)
{
	char id[128];
	const char *from, *to;

	snprintf(id, sizeof(id), "\"operationId\":\"%s\"", r->name);
	from = strstr(document.p, id);
	to = strstr(from + 1, "\"operationId\"");
	if (!to)
		to = strstr(from, "\"components\"");
	return (struct str){from, (size_t)(to - from)};
}

static bool says(struct str text, const char *what)
{
	return memmem(text.p, text.n, what, strlen(what)) != NULL;
}

static void each_operation_has_what_linters_ask_for(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUTE_COUNT; i++) {
		const struct route *r = &spec_routes[i];
		struct str o = operation(r);

		assert_row(r->name, says(o, "\"summary\":\"") && says(o, "\"description\":\""));
		assert_row(r->name, says(o, "\"400\":") && says(o, "\"500\":"));
		assert_row(r->name, says(o, "\"security\":[]") == (r->scope == SCOPE_NONE));
		assert_row(r->name, says(o, "\"401\":") ==
					    (r->scope != SCOPE_NONE || (r->flags & (ROUTE_SIGNED | ROUTE_TRIES))));
	}
}

static void the_tag_and_the_scope_of_a_row_are_told(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUTE_COUNT; i++) {
		const struct route *r = &spec_routes[i];
		struct str o = operation(r);
		const unsigned keyless = ROUTE_PUBLIC | ROUTE_OPEN;
		char tag[128], scope[128];

		snprintf(tag, sizeof(tag), "\"tags\":[\"%s\"]", enum_tag.values[r->tag].text);
		snprintf(scope, sizeof(scope), "\"security\":[{\"bearer\":[\"%s\"]}]",
			 enum_scope.values[r->scope].text);
		assert_row(r->name, says(o, tag));
		assert_row(r->name, says(o, scope) == (r->scope != SCOPE_NONE && !(r->flags & keyless)));
		assert_row(r->name, says(o, "]},{}],") == ((r->flags & keyless) != 0));
	}
	for (int i = 0; i < enum_tag.count; i++) {
		char described[128];

		snprintf(described, sizeof(described), "{\"name\":\"%s\",\"description\":\"",
			 enum_tag.values[i].text);
		assert_row(enum_tag.values[i].text, occurrences(described) == 1);
	}
}

static void what_an_operation_takes_is_told(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUTE_COUNT; i++) {
		const struct route *r = &spec_routes[i];
		struct str o = operation(r);
		bool has_body = (r->flags & ROUTE_SIGNED) ||
				(!route_in_query(r) && r->in->field_count > (r->path_fields ? 1 : 0));

		assert_row(r->name, says(o, "\"requestBody\":") == has_body);
		assert_row(r->name, says(o, "\"413\":") == has_body);
		assert_row(r->name, says(o, "\"in\":\"path\"") == (r->path_fields != 0));
		assert_row(r->name, says(o, "parameters/IdempotencyKey") == ((r->flags & ROUTE_CREATES) != 0));
		assert_row(r->name, says(o, "text/event-stream") == (r->runs == RUNS_STREAM));
	}
}

/* Each "#/components/KIND/NAME" is there, as a member NAME somewhere; each schema is referred to. */
static void references_lead_somewhere(void **state)
{
	unsigned found = 0;

	(void)state;
	for (const char *p = document.p; (p = strstr(p, "\"#/components/")); p++, found++) {
		struct str kind, name = {p, strcspn(p + 1, "\"") + 1};
		char member[128];

		for (int slash = 0; slash < 2; slash++)
			str_cut(name, '/', &name);
		kind = str_cut(name, '/', &name);
		assert_true(kind.n > 0 && name.n > 0);
		snprintf(member, sizeof(member), "\"%.*s\":{", STRF(name));
		if (!strstr(document.p, member))
			fail_msg("there is no %s", member);
	}
	assert_true(found > ROUTE_COUNT);
}

static void only_types_that_are_used_are_described(void **state)
{
	(void)state;
	assert_int_equal(occurrences("\"serve_params\":{"), 0);
	assert_int_equal(occurrences("\"cli_globals\":{"), 0);
	for (unsigned i = 0; i < spec_type_count; i++) {
		char schema[128], use[128];

		snprintf(schema, sizeof(schema), "\"%s\":{\"type\":\"object\"", spec_types[i]->name);
		snprintf(use, sizeof(use), "\"#/components/schemas/%s\"", spec_types[i]->name);
		assert_int_equal(occurrences(schema) > 0, occurrences(use) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_json),
		cmocka_unit_test(each_route_is_one_operation),
		cmocka_unit_test(each_operation_has_what_linters_ask_for),
		cmocka_unit_test(the_tag_and_the_scope_of_a_row_are_told),
		cmocka_unit_test(what_an_operation_takes_is_told),
		cmocka_unit_test(references_lead_somewhere),
		cmocka_unit_test(only_types_that_are_used_are_described),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
