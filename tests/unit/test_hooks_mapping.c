/* Rules of hooks: which one fits, what is made of an event by it, and what cannot be. */
#include "harness.h"

#include "hooks/mapping.h"

static const char body[] =
	"{\"action\":\"opened\",\"issue\":{\"id\":17,\"title\":\"D\\u00e9j\\u00e0 vu\",\"open\":true,"
	"\"none\":null,\"labels\":[\"a\"]},\"kind\":\"build\"}";

static const struct mapping_event event = {
	.hook = {"my-repo", 7}, .name = {"issues", 6}, .body = {body, sizeof body - 1}};

static struct arena *arena;

static int start(void **state)
{
	(void)state;
	arena = arena_new(1 << 20);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static struct hook_rules rules_of(const char *json)
{
	struct hook_rules rules;
	struct problem p = {0};
	assert_int_equal(json_decode(&type_hook_rules, str_of(json), 0, arena, &rules, &p), OK);
	return rules;
}

static enum err make(const char *json, struct work_new *out, struct problem *p)
{
	struct hook_rules rules = rules_of(json);
	problem_clear(p);
	assert_int_equal(mapping_check(rules.rules, rules.rules_count, p), OK);
	const struct hook_rule *rule = mapping_find(rules.rules, rules.rules_count, &event);
	assert_non_null(rule);
	return mapping_work(rule, &event, arena, out, p);
}

static void the_first_that_fits(void **state)
{
	struct hook_rules rules =
		rules_of("{\"rules\":["
			 "{\"type\":\"a\",\"events\":[\"push\"]},"
			 "{\"type\":\"b\",\"when\":[\"/action=closed\"]},"
			 "{\"type\":\"c\",\"events\":[\"push\",\"issues\"],\"when\":[\"/action=opened\"]},"
			 "{\"type\":\"d\"}]}");
	struct mapping_event other = {.name = STR("ping"), .body = STR("{}")};
	(void)state;
	assert_ptr_equal(mapping_find(rules.rules, 4, &event), &rules.rules[2]);
	assert_ptr_equal(mapping_find(rules.rules, 4, &other), &rules.rules[3]);
	assert_null(mapping_find(rules.rules, 3, &other));
	assert_null(mapping_find(NULL, 0, &event));
}

static void what_is_made(void **state)
{
	struct work_new item;
	struct problem p;
	(void)state;
	assert_int_equal(make("{\"rules\":[{\"type\":\"/kind\",\"team\":\"core\",\"key\":\"/issue/"
			      "id\",\"title\":\"/issue/title\","
			      "\"priority\":\"high\",\"payload\":\"/issue/labels\"}]}",
			      &item, &p),
			 OK);
	assert_str(item.type, "build");
	assert_str(item.team, "core");
	assert_str(item.key, "17");
	assert_str(item.title, "D\xc3\xa9j\xc3\xa0 vu");
	assert_str(item.payload, "[\"a\"]");
	assert_str(item.created_by, "hook my-repo");
	assert_int_equal(item.labels_count, 2);
	assert_int_equal(item.max_attempts, 5);
}

static void what_is_left_out(void **state)
{
	struct work_new item;
	struct problem p;
	(void)state;
	assert_int_equal(make("{\"rules\":[{\"type\":\"x\"}]}", &item, &p), OK);
	assert_str(item.title, "issues from my-repo");
	assert_str(item.payload, body);
	assert_false(HAS(&item, work_new, key) || HAS(&item, work_new, team));
}

static void what_cannot_be_made(void **state)
{
	static const struct {
		const char *rules, *says;
	} bad[] = {
		{"{\"rules\":[{\"type\":\"/nothing\"}]}", "/nothing"},
		{"{\"rules\":[{\"type\":\"/issue\"}]}", "/issue is no text"},
		{"{\"rules\":[{\"type\":\"x\",\"key\":\"/issue/none\"}]}", "/issue/none is no text"},
		{"{\"rules\":[{\"type\":\"x\",\"payload\":\"/issue/body\"}]}", "/issue/body"},
		{"{\"rules\":[{\"type\":"
		 "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}]}",
		 "type"},
	};
	struct work_new item;
	struct problem p;
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_row(bad[i].rules, make(bad[i].rules, &item, &p) == ERR_INVALID);
		assert_row(bad[i].rules, strstr(p.detail, bad[i].says) != NULL);
	}
}

static void rules_that_cannot_be_followed(void **state)
{
	static const struct {
		const char *rules, *field;
	} bad[] = {
		{"{\"rules\":[{\"type\":\"/a~\"}]}", "rules[0].type"},
		{"{\"rules\":[{\"type\":\"x\"},{\"type\":\"x\",\"team\":\"/~2\"}]}", "rules[1].team"},
		{"{\"rules\":[{\"type\":\"x\",\"title\":\"/~2\"}]}", "rules[0].title"},
		{"{\"rules\":[{\"type\":\"x\",\"payload\":\"issue\"}]}", "rules[0].payload"},
		{"{\"rules\":[{\"type\":\"x\",\"when\":[\"issue\"]}]}", "rules[0].when"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct hook_rules rules = rules_of(bad[i].rules);
		struct problem p = {0};
		assert_row(bad[i].rules, mapping_check(rules.rules, rules.rules_count, &p) == ERR_INVALID);
		assert_row(bad[i].rules, strcmp(p.fields[0].field, bad[i].field) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_fits),
		cmocka_unit_test(what_is_made),
		cmocka_unit_test(what_is_left_out),
		cmocka_unit_test(what_cannot_be_made),
		cmocka_unit_test(rules_that_cannot_be_followed),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
