/* What an agent is told about its item: every part in its place, and nothing of the item's before words of ours. */
#include "harness.h"

#include "base/id.h"
#include "base/magic.h"
#include "cli/worker_prompt.h"

static struct str prompt_of(struct arena *a, const struct work_claimed *item)
{
	struct texts labels = labels_of_item(item, a);

	return prompt_of_item(item, &labels, a);
}

static void every_part_in_its_place(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct work_claimed item = {.id = 5,
				    .type = STR("feature"),
				    .team = STR("blue"),
				    .title = STR("Mend the roof"),
				    .description = STR("It leaks.\nBadly."),
				    .payload = STR("{\"room\":3}"),
				    .labels = STR("{\"area\":\"house\",\"urgent\":\"\"}")};
	char id[ID_TEXT];

	(void)state;
	id_format(id, "w_", item.id);
	assert_str(
		prompt_of(a, &item),
		arena_fmt(a,
			  "Work item %s: Mend the roof\nType: feature\nTeam: blue\nLabels: area=house, urgent\n\n"
			  "It leaks.\nBadly.\n\nPayload (JSON):\n{\"room\":3}\n",
			  id)
			.p);
	item = (struct work_claimed){.id = 5, .type = STR("feature")};
	assert_str(prompt_of(a, &item), arena_fmt(a, "Work item %s: feature\nType: feature\n", id).p);
	arena_destroy(&a);
}

static void a_large_payload_is_not_in_it(void **state)
{
	struct arena *a = arena_new(1 << 20);
	char *bytes = must_alloc(40000);
	struct work_claimed item = {.type = STR("x"), .payload = {bytes, 40000}};
	struct str prompt;

	(void)state;
	memset(bytes, '1', 40000);
	assert_false(prompt_has_payload(&item));
	prompt = prompt_of(a, &item);
	assert_true(prompt.n < 200);
	assert_non_null(strstr(prompt.p, "40000 bytes of JSON, is on standard input"));
	item.payload.n = 1000;
	assert_true(prompt_has_payload(&item));
	assert_true(prompt_of(a, &item).n > 1000);
	free(bytes);
	arena_destroy(&a);
}

/* An older server sends none, and nobody promised their order or that they are texts only. */
static void labels_that_are_none_are_left_out(void **state)
{
	static const char *const none[] = {"", "{}", "{\"a\":", "[\"a\"]", "null"};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		struct work_claimed item = {.labels = str_of(none[i])};

		assert_int_equal(labels_of_item(&item, a).n, 0);
	}
	arena_destroy(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_in_its_place),
		cmocka_unit_test(a_large_payload_is_not_in_it),
		cmocka_unit_test(labels_that_are_none_are_left_out),
	};

	return cmocka_run_group_tests_name("cli_worker_prompt", tests, NULL, NULL);
}
