/* What a patch makes of an agent's row: given, null and absent members, checks, metadata; and what the API says of
 * it. */
#include "harness.h"

#include "directory/agent.h"

struct desk {
	struct arena *arena;
	struct agent_full_row row;
	struct problem problem;
};

static int open_desk(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	d->arena = arena_new(1 << 20);
	d->row = (struct agent_full_row){.id = 5,
					 .tenant = 1,
					 .handle = STR("old"),
					 .name = STR("Old"),
					 .description = STR("d"),
					 .endpoint = STR("http://e"),
					 .operator= STR("o"),
					 .tags = STR("[\"t\"]"),
					 .metadata = STR("{\"a\":1,\"b\":{\"c\":2}}"),
					 .protocols = 1 << PROTOCOL_MCP,
					 .capabilities = STR("[]"),
					 .version = 3};
	*state = d;
	return 0;
}

static int close_desk(void **state)
{
	struct desk *d = *state;
	arena_destroy(&d->arena);
	free(d);
	return 0;
}

/* As a PATCH call does it. */
static enum err patched(struct desk *d, const char *json)
{
	struct agent_patch patch;
	problem_clear(&d->problem);
	assert_int_equal(
		json_decode(&type_agent_patch, str_of(json), BIT(agent_patch, id), d->arena, &patch, &d->problem),
		OK);
	enum err err = agent_merge_metadata(&d->row, &patch, d->arena, &d->problem);
	return err ? err : agent_row_patch(&d->row, &patch, d->arena, &d->problem);
}

static void nothing_given_nothing_changed(void **state)
{
	struct desk *d = *state;
	struct agent_full_row before = d->row;
	assert_int_equal(patched(d, "{}"), OK);
	assert_true(agent_row_same(&before, &d->row));
}

static void null_takes_away(void **state)
{
	struct desk *d = *state;
	assert_int_equal(patched(d, "{\"description\":null,\"endpoint\":null,\"operator\":null,\"tags\":null,"
				    "\"protocols\":null,"
				    "\"metadata\":null}"),
			 OK);
	assert_true(!d->row.description.p && !d->row.endpoint.p && !d->row.operator.p && !d->row.metadata.p);
	assert_str(d->row.tags, "[]");
	assert_int_equal(d->row.protocols, 0);
	assert_str(d->row.name, "Old");
}

static void what_is_given_stands(void **state)
{
	struct desk *d = *state;
	assert_int_equal(
		patched(d,
			"{\"handle\":\"new-one\",\"name\":\"N\",\"type\":\"tool\",\"visibility\":\"public\","
			"\"tags\":"
			"[\"x\",\"\\u0022y\\u0022\",\"x\"],\"protocols\":[\"grpc\",\"a2a\"],\"description\":\"\","
			"\"homepage\":\"HTTPS://H\"}"),
		OK);
	assert_str(d->row.handle, "new-one");
	assert_str(d->row.tags, "[\"x\",\"\\\"y\\\"\"]");
	assert_int_equal(d->row.protocols, 1 << PROTOCOL_GRPC | 1 << PROTOCOL_A2A);
	assert_int_equal(d->row.type, AGENT_TOOL);
	assert_int_equal(d->row.visibility, VISIBLE_PUBLIC);
	assert_true(d->row.description.p && d->row.description.n == 0); /* empty is not absent */
	assert_str(d->row.homepage, "HTTPS://H");
}

static void metadata_is_merged(void **state)
{
	struct desk *d = *state;
	assert_int_equal(patched(d, "{\"metadata\":{\"a\":null,\"b\":{\"d\":[null]}}}"), OK);
	assert_str(d->row.metadata, "{\"b\":{\"c\":2,\"d\":[null]}}");
	assert_int_equal(patched(d, "{\"metadata\":7}"), OK);
	assert_str(d->row.metadata, "7");
	assert_int_equal(patched(d, "{\"metadata\":{\"x\":null,\"y\":1}}"), OK);
	assert_str(d->row.metadata, "{\"y\":1}");
	d->row.metadata = (struct str){0};
	assert_int_equal(patched(d, "{\"metadata\":{\"x\":null,\"y\":2}}"), OK);
	assert_str(d->row.metadata, "{\"y\":2}");
}

static void what_is_wrong_is_named(void **state)
{
	static const char *const rows[][2] = {
		{"{\"handle\":\"ab-\"}", "handle"},
		{"{\"handle\":\"admin\"}", "handle"},
		{"{\"name\":\" \\t\"}", "name"},
		{"{\"endpoint\":\"file:///x\"}", "endpoint"},
		{"{\"endpoint\":\"http:x\"}", "endpoint"},
		{"{\"endpoint\":\"http://\"}", "endpoint"},
		{"{\"endpoint\":\"http://:80\"}", "endpoint"},
		{"{\"endpoint\":\"http://a\\u0020b\"}", "endpoint"},
		{"{\"endpoint\":\"http://a\\u000ab\"}", "endpoint"},
		{"{\"homepage\":\"ws://x\"}", "homepage"},
		{"{\"avatar\":\"grpc://x\"}", "avatar"},
		{"{\"tags\":[\"a\",\" \"]}", "tags"},
		{"{\"card\":[1]}", "card"},
		{"{\"card\":\"{}\"}", "card"},
	};
	struct desk *d = *state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i][0], patched(d, rows[i][0]) == ERR_INVALID);
		assert_row(rows[i][0],
			   d->problem.field_count == 1 && strcmp(d->problem.fields[0].field, rows[i][1]) == 0);
	}
}

static void what_the_api_says_of_a_row(void **state)
{
	struct desk *d = *state;
	struct agent shown;
	char key[32] = {9};
	d->row.capabilities = STR("[{\"capability\":\"weather\",\"endpoint\":\"http://w\"}, {\"capability\" : "
				  "\"news\",\"endpoint\":null}]");
	d->row.public_key = (struct str){key, sizeof key};
	d->row.key_proved_ms = 77;
	d->row.status = STATUS_SUSPECT;
	d->row.flips = 4;
	assert_int_equal(directory_agent_show(&d->row, d->arena, &shown), OK);
	assert_int_equal(shown.capabilities_count, 2);
	assert_str(shown.capabilities[0].capability, "news"); /* by slug, however the store gave them */
	assert_false(HAS(&shown.capabilities[0], agent_capability, endpoint));
	assert_str(shown.capabilities[1].endpoint, "http://w");
	assert_int_equal(shown.verification, VERIFICATION_CLAIMED);
	assert_int_equal(shown.proofs.key, 77);
	assert_str(shown.public_key, "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	assert_false(HAS(&shown, agent, status_since) || HAS(&shown, agent, homepage));
	assert_int_equal(shown.protocols_count, 1);
	assert_str(agent_etag(&(struct directory_agent){.row = d->row}, d->arena), "3-4");
	d->row.tags = STR("[7]");
	assert_int_equal(directory_agent_show(&d->row, d->arena, &shown), ERR_INTERNAL);
}

static void who_may_read(void **state)
{
	struct caller own = {.tenant = 1}, other = {.tenant = 2, .scope = SCOPE_ADMIN};
	(void)state;
	assert_true(agent_is_readable(&own, 1, VISIBLE_TENANT) && agent_is_readable(&own, 2, VISIBLE_PUBLIC));
	assert_false(agent_is_readable(&other, 1, VISIBLE_TENANT));
	assert_true(agent_is_readable(&other, 1, VISIBLE_PUBLIC));
}

static void the_feed_tells_everybody_that_a_public_agent_went_private(void **state)
{
	struct desk *d = *state;
	assert_false(agent_fact(&d->row, false, OP_PUT).public);
	assert_true(agent_fact(&d->row, true, OP_PUT).public);
	d->row.visibility = VISIBLE_PUBLIC;
	assert_true(agent_fact(&d->row, false, OP_PUT).public);
	assert_int_equal(agent_fact(&d->row, false, OP_DELETE).version, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_given_nothing_changed, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(null_takes_away, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(what_is_given_stands, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(metadata_is_merged, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_named, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(what_the_api_says_of_a_row, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(who_may_read, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(the_feed_tells_everybody_that_a_public_agent_went_private,
						open_desk, close_desk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
