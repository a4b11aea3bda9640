/* A population keeps what it was given, says null for what it was not, and takes no more room than it says. */
#include "harness.h"

#include "sim/population_priv.h"

static const struct str moods[] = {{"calm", 4}, {"hurried", 7}}, likes[] = {{"tea", 3}, {"bread", 5}, {"soap", 4}};

enum { AGE, HAPPY, MOOD, LIKES, STORY, ATTRIBUTES };

static const struct attribute attributes[ATTRIBUTES] = {
	[AGE] = {.name = {"age", 3}, .kind = ATTRIBUTE_NUMBER},
	[HAPPY] = {.name = {"happy", 5}, .kind = ATTRIBUTE_BOOL},
	[MOOD] = {.name = {"mood", 4}, .kind = ATTRIBUTE_WORD, .words = moods, .word_count = 2},
	[LIKES] = {.name = {"likes", 5}, .kind = ATTRIBUTE_WORDS, .words = likes, .word_count = 3},
	[STORY] = {.name = {"story", 5}, .kind = ATTRIBUTE_TEXT},
};

static struct str id_of(const struct population *p, uint32_t agent)
{
	static char room[POPULATION_ROOM];

	return population_id(p, agent, room);
}

static void what_is_set_is_there_and_what_is_not_is_null(void **state)
{
	struct population *p = population_new(attributes, ATTRIBUTES, 3);
	struct value room[POPULATION_WORDS_MAX], v;

	(void)state;
	population_set_number(p, 1, AGE, 0.07);
	population_set_bool(p, 1, HAPPY, false);
	population_set_word(p, 1, MOOD, 1);
	population_set_words(p, 1, LIKES, 5);
	assert_true(population_set_text(p, 1, STORY, STR("Once.")));
	assert_true(population_value(p, 1, AGE, room).number == 0.07);
	assert_int_equal(population_value(p, 1, HAPPY, room).kind, VALUE_BOOL);
	assert_false(population_value(p, 1, HAPPY, room).boolean);
	assert_str(population_value(p, 1, MOOD, room).text, "hurried");
	assert_str(population_value(p, 1, STORY, room).text, "Once.");
	v = population_value(p, 1, LIKES, room);
	assert_int_equal(v.count, 2);
	assert_str(v.items[0].text, "tea");
	assert_str(v.items[1].text, "soap");
	for (unsigned i = 0; i < ATTRIBUTES; i++) {
		assert_true(population_is_absent(p, 0, i) && population_is_absent(p, 2, i));
		assert_false(population_is_absent(p, 1, i));
		assert_int_equal(population_value(p, 2, i, room).kind, i == LIKES ? VALUE_LIST : VALUE_NULL);
	}
	population_free(&p);
	assert_null(p);
}

static void attributes_are_found_by_name_and_words_by_text(void **state)
{
	struct population *p = population_new(attributes, ATTRIBUTES, 1);

	(void)state;
	assert_int_equal(population_find(p, STR("mood")), MOOD);
	assert_int_equal(population_find(p, STR("moods")), -1);
	assert_int_equal(attribute_word(population_attribute(p, MOOD), STR("hurried")), 1);
	assert_int_equal(attribute_word(population_attribute(p, MOOD), STR("angry")), -1);
	population_free(&p);
}

static void made_up_ids_have_as_many_digits_as_the_last_one_needs(void **state)
{
	static const struct {
		uint32_t count, agent;
		const char *id;
	} cases[] = {{1, 0, "agent_001"},
		     {372, 0, "agent_001"},
		     {372, 371, "agent_372"},
		     {999, 998, "agent_999"},
		     {1000, 0, "agent_0001"},
		     {1000000, 41, "agent_0000042"},
		     {1000000, 999999, "agent_1000000"}};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct population *p = population_new(NULL, 0, cases[i].count);

		assert_str(id_of(p, cases[i].agent), cases[i].id);
		population_free(&p);
	}
}

static void ids_that_are_given_stay(void **state)
{
	struct population *p = population_new(NULL, 0, 2);

	(void)state;
	assert_true(population_set_id(p, 1, STR("ag_01h2k3m4n5p6q")));
	assert_str(id_of(p, 0), "agent_001");
	assert_str(id_of(p, 1), "ag_01h2k3m4n5p6q");
	population_free(&p);
}

/* Texts fill chunk after chunk; those that were handed out before do not move. */
static void texts_stay_where_they_are_while_others_come(void **state)
{
	enum { AGENTS = 1000 };
	struct population *p = population_new(attributes, ATTRIBUTES, AGENTS);
	char text[POPULATION_TEXT_MAX];
	struct value first, room[POPULATION_WORDS_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (uint32_t i = 0; i < AGENTS; i++) {
		memcpy(text, &i, sizeof(i));
		assert_true(population_set_text(p, i, STORY, (struct str){text, i == 7 ? 0 : sizeof(text) - i}));
		if (i == 0)
			first = population_value(p, 0, STORY, room);
	}
	for (uint32_t i = 0; i < AGENTS; i++) {
		struct str kept = population_value(p, i, STORY, room).text;

		assert_int_equal(kept.n, i == 7 ? 0 : sizeof(text) - i);
		assert_true(i == 7 || memcmp(kept.p, &i, sizeof(i)) == 0);
	}
	assert_ptr_equal(population_value(p, 0, STORY, room).text.p, first.text.p);
	population_free(&p);
}

/* Twelve numbers, four words and a list, as the built-in scenario has: far from 256 bytes an agent. */
static void a_shopper_takes_little_more_than_its_numbers(void **state)
{
	struct attribute shopper[17];
	struct population *p;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(shopper); i++)
		shopper[i] = attributes[i < 12 ? AGE : i < 16 ? MOOD : LIKES];
	p = population_new(shopper, COUNT_OF(shopper), 100000);
	assert_in_range(population_bytes(p), 100000 * (12 * 8 + 4 + 8), 100000 * (12 * 8 + 4 + 8) + 8192);
	population_free(&p);
}

static void set_another_kind(void *p)
{
	population_set_number(p, 0, MOOD, 1);
}

static void set_no_word(void *p)
{
	population_set_words(p, 0, LIKES, 8);
}

static void a_value_of_another_kind_is_a_bug(void **state)
{
	struct population *p = population_new(attributes, ATTRIBUTES, 1);

	(void)state;
	assert_true(dies(set_another_kind, p));
	assert_true(dies(set_no_word, p));
	population_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_is_there_and_what_is_not_is_null),
		cmocka_unit_test(attributes_are_found_by_name_and_words_by_text),
		cmocka_unit_test(made_up_ids_have_as_many_digits_as_the_last_one_needs),
		cmocka_unit_test(ids_that_are_given_stay),
		cmocka_unit_test(texts_stay_where_they_are_while_others_come),
		cmocka_unit_test(a_shopper_takes_little_more_than_its_numbers),
		cmocka_unit_test(a_value_of_another_kind_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
