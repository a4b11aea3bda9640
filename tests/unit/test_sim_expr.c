/* Expressions of a scenario: what they give, and what is said of those that are wrong. */
#include "harness.h"

#include "sim_kit/expr_env.h"

static void check(const char *text, const char *expected)
{
	struct buf out = BUF_INIT(1 << 20);
	struct kit k;

	kit_begin(&k);
	kit_says(&k, str_of(text), &out);
	if (strcmp(buf_cstr(&out), expected) != 0)
		fail_msg("%s gives %s, not %s", text, buf_cstr(&out), expected);
	buf_free(&out);
	kit_end(&k);
}

struct row {
	const char *text, *expected;
};

static void check_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(rows[i].text, rows[i].expected);
}

static void operators_bind_as_in_other_languages(void **state)
{
	static const struct row rows[] = {
		{"1 + 2 * 3", "7"},
		{"(1 + 2) * 3", "9"},
		{"10 - 4 - 3", "3"},
		{"2 * 3 % 4", "2"},
		{"-2 * -3", "6"},
		{"- - 2", "2"},
		{"1 < 2 == true", "true"},
		{"1 + 1 < 3 && 2 >= 2", "true"},
		{"false || false && true", "false"},
		{"true || 1 / 1 > 0", "true"},
		{"!0 + 1", "2"},
		{"1 ? 2 : 0 ? 3 : 4", "2"},
		{"0 ? 2 : 0 ? 3 : 4", "4"},
		{"'b' > 'a'", "true"},
		{"'a' in ['b', 'a']", "true"},
		{"'at' in 'cat' == true", "true"},
		{"1.5e2 / 3", "50"},
		{"-7 % 3", "-1"},
		{"true * 0.15", "0.15"},
	};

	(void)state;
	check_all(rows, COUNT_OF(rows));
}

static void names_mean_what_was_declared(void **state)
{
	static const struct row rows[] = {
		{"base * rate", "30"},
		{"total", "12.5"},
		{"cart[1].price", "4.5"},
		{"cart[3]", "null"},
		{"cart[3].price.more", "null"},
		{"product.price", "9.99"},
		{"product.name", "\"é\""},
		{"product['category']", "\"Tea\""},
		{"agent.age + 1", "43"},
		{"agent.income == 'high'", "true"},
		{"agent.id", "\"agent_007\""},
		{"hour + session.number > 0", "true"},
		{"table.products[0].tags", "[\"x\",\"y\"]"},
		{"{a: total, 'b c': [1, name]}", "{\"a\":12.5,\"b c\":[1,\"Ann\"]}"},
		{"{a: {b: 2}}.a.b", "2"},
		{"{}", "{}"},
	};

	(void)state;
	check_all(rows, COUNT_OF(rows));
}

static void functions_give_what_their_rows_say(void **state)
{
	static const struct row rows[] = {
		{"min(3, 1, 2)", "1"},
		{"max([3, 1, 2])", "3"},
		{"abs(-2.5) + floor(2.7) + ceil(2.1)", "7.5"},
		{"round(2.5)", "3"},
		{"round(-2.5)", "-3"},
		{"round(0.123, 0.01)", "0.12"},
		{"round(312.839, 0.01)", "312.84"},
		{"round(17.3, 0.3)", "17.4"},
		{"round(1234, 50)", "1250"},
		{"clamp(12, 3, 10)", "10"},
		{"sqrt(9) + exp(0) + log(1) + pow(2, 3)", "12"},
		{"length(cart) + length('abc') + length(null)", "6"},
		{"contains(['a'], 'a') && !contains('abc', 'd')", "true"},
		{"lower('AbC') == 'abc' && upper('AbC') == 'ABC'", "true"},
		{"concat('n=', 1.5, ' ', true, null, [1])", "\"n=1.5 true[1]\""},
		{"number('1.5e1') + number(true)", "16"},
		{"text(3)", "\"3\""},
		{"first([1, 2, 3], 2)", "[1,2]"},
		{"first([1], 5)", "[1]"},
		{"join([1], 2, [3, 4], [])", "[1,2,3,4]"},
		{"choose(agent.income, 'low', 1, 'high', 2, 3)", "2"},
		{"choose('x', 'low', 1, 3)", "3"},
		{"choose('x', 'low', 1)", "null"},
		{"hash('a', 10) == hash('a', 10) && hash('a', 1) == 0", "true"},
		{"sum(cart, c -> c.price)", "9.5"},
		{"sum([1, 2, 3])", "6"},
		{"filter(cart, c -> c.price > 2.5)[1].id", "\"b\""},
		{"map(cart, c -> c.price * 2)", "[6,9,4]"},
		{"any(cart, c -> c.id == 'b') && !all(cart, c -> c.id == 'b')", "true"},
		{"best(cart, c -> c.price).id", "\"b\""},
		{"best([], c -> 1)", "null"},
		{"sum(cart, c -> sum(cart, d -> c.price * d.price))", "90.25"},
		{"length(shuffle(cart)) == 3 && length(sample(cart, 2)) == 2", "true"},
		{"pick([]) == null && pick([5]) == 5", "true"},
		{"integer(3, 3) == 3 && uniform(2, 2) == 2 && normal(1, 0) == 1", "true"},
		{"!chance(0) && chance(1)", "true"},
	};

	(void)state;
	check_all(rows, COUNT_OF(rows));
}

static void faults_name_the_place_and_what_was_meant(void **state)
{
	static const struct row rows[] = {
		{"totel + 1", "fault: there is no \"totel\"; did you mean \"total\"? (at character 1)"},
		{"agent.agee", "fault: there is no agent.agee; did you mean \"age\"? (at character 7)"},
		{"age", "fault: there is no \"age\"; did you mean agent.age? (at character 1)"},
		{"products", "fault: there is no \"products\"; did you mean table.products? (at character 1)"},
		{"table.product", "fault: there is no table.product; did you mean \"products\"? (at character 7)"},
		{"flor(1)", "fault: there is no function flor(); did you mean \"floor\"? (at character 1)"},
		{"clamp(1, 2)", "fault: it is called as clamp(x, least, most) (at character 1)"},
		{"sum(cart, price)",
		 "fault: expected a name for the element and '->', as in sum(list) or sum(list, x -> number) "
		 "(at character 11)"},
		{"body.items", "fault: the body is there only in expect, set and event of a step with a request "
			       "(at character 1)"},
		{"1 +", "fault: a value is missing at the end (at character 4)"},
		{"1 2", "fault: an operator or the end is expected here (at character 3)"},
		{"total = 1", "fault: '=' stands for nothing here; did you mean '=='? (at character 7)"},
		{"(1", "fault: expected ')' to close the bracket (at character 3)"},
		{"'abc", "fault: this text has no end (at character 1)"},
		{"1 / 0", "fault: division by 0 (at character 3)"},
		{"log(-1)", "fault: log gives no finite number (at character 1)"},
		{"1 ? 2", "fault: expected ':' between the two values of '?' (at character 6)"},
		{"x -> 1", "fault: there is no \"x\" (at character 1)"},
		{"#", "fault: nothing can be made of this character (at character 1)"},
		{"", "fault: a value is missing at the end (at character 1)"},
		{"session.x", "fault: of a session there are session.id and session.number (at character 8)"},
	};

	(void)state;
	check_all(rows, COUNT_OF(rows));
}

static void failures_say_what_was_given(void **state)
{
	static const struct row rows[] = {
		{"total + name", "failure: + needs a number, not a text"},
		{"total / (total - 12.5)", "failure: division by 0"},
		{"cart.price", "failure: .price needs a record, not a list"},
		{"product.size * 2", "failure: * needs a number, not nothing"},
		{"number(name)", "failure: 'Ann' is no number"},
		{"exp(rate * 100)", "failure: exp gives no finite number"},
		{"filter(total, x -> x)", "failure: filter needs a list, not a number"},
		{"min(first(cart, 0))", "failure: min of an empty list"},
		{"total in total", "failure: in needs a list or a text, not a number"},
		{"clamp(total, 2, 1)", "failure: clamp has its ends the wrong way round"},
	};

	(void)state;
	check_all(rows, COUNT_OF(rows));
}

static void what_would_take_too_long_or_too_much_ends(void **state)
{
	struct buf b = BUF_INIT(1 << 20);

	(void)state;
	check("length(map(map(map(cart, a -> join(cart, cart, cart, cart, cart, cart, cart, cart, cart, cart, "
	      "cart)), "
	      "a -> a[0]), a -> a.id))",
	      "3");
	/* 3 to the power of 7 lists of 24 */
	check("sum(cart, a -> sum(cart, b -> sum(cart, c -> sum(cart, d -> sum(cart, e -> sum(cart, f -> sum(cart, "
	      "g -> length(join(cart, cart, cart, cart, cart, cart, cart, cart)))))))))",
	      "failure: a list is too long: at most 10000 elements, and 1 MiB in all");
	for (int i = 0; i < 100; i++)
		buf_c(&b, '(');
	check(buf_cstr(&b), "fault: nested deeper than 64 (at character 65)");
	buf_reset(&b);
	for (int i = 0; i < 300; i++)
		buf_z(&b, "1+");
	check(buf_cstr(&b), "fault: more than 256 operators in a row (at character 514)");
	buf_free(&b);
}

static void nothing_is_drawn_where_nothing_may_be(void **state)
{
	struct expr_names names = kit_names;
	const struct expr *e;
	struct problem p = {0};
	struct kit k;

	(void)state;
	kit_begin(&k);
	names.draws = false;
	assert_int_equal(expr_compile(STR("1 + random()"), &names, k.arena, &e, &p), ERR_INVALID);
	assert_non_null(strstr(p.detail, "nothing can be drawn here"));
	kit_end(&k);
}

static void constants_are_known_when_compiled(void **state)
{
	const struct expr *e;
	struct kit k;

	(void)state;
	kit_begin(&k);
	assert_int_equal(expr_compile(STR("2 * (3 - max(1, 2))"), &kit_names, k.arena, &e, NULL), OK);
	assert_true(expr_is_constant(e) && expr_is_constant(e)->number == 2);
	assert_int_equal(expr_compile(STR("2 * total"), &kit_names, k.arena, &e, NULL), OK);
	assert_null(expr_is_constant(e));
	assert_int_equal(expr_compile(STR("2 * random()"), &kit_names, k.arena, &e, NULL), OK);
	assert_null(expr_is_constant(e));
	kit_end(&k);
}

static void a_part_ends_where_its_braces_do(void **state)
{
	struct str text = STR("/items/{{ {a: '}}'}.a }}/x");
	const struct expr *e;
	struct problem p = {0};
	size_t at = 9;
	struct kit k;

	(void)state;
	kit_begin(&k);
	assert_int_equal(expr_compile_part(text, &at, &kit_names, k.arena, &e, &p), OK);
	assert_true(at == text.n - 4 && strncmp(text.p + at, "}}/x", 4) == 0);
	at = 2;
	assert_int_equal(expr_compile_part(STR("{{total"), &at, &kit_names, k.arena, &e, &p), ERR_INVALID);
	kit_end(&k);
}

static void names_that_mean_something_are_taken(void **state)
{
	static const char *const wrong[] = {"", "1a", "a-b", "hour", "agent", "true", "in", "é"};
	static const char *const right[] = {"a", "_a1", "min", "Hour"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_row(wrong[i], expr_check_name(str_of(wrong[i]), NULL) == ERR_INVALID);
	for (size_t i = 0; i < COUNT_OF(right); i++)
		assert_row(right[i], expr_check_name(str_of(right[i]), NULL) == OK);
}

static void a_share_of_draws_is_what_was_asked_for(void **state)
{
	const struct expr *e;
	struct kit k;
	int hits = 0;

	(void)state;
	kit_begin(&k);
	assert_int_equal(expr_compile(STR("chance(0.3) && pick(cart).id == 'a'"), &kit_names, k.arena, &e, NULL),
			 OK);
	for (int i = 0; i < 30000; i++) {
		memory_clear(&k.memory);
		hits += expr_truth(e, &k.env);
	}
	/* 0.1 of 30,000; five standard errors are 260 */
	assert_in_range(hits, 2740, 3260);
	kit_end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_bind_as_in_other_languages),
		cmocka_unit_test(names_mean_what_was_declared),
		cmocka_unit_test(functions_give_what_their_rows_say),
		cmocka_unit_test(faults_name_the_place_and_what_was_meant),
		cmocka_unit_test(failures_say_what_was_given),
		cmocka_unit_test(what_would_take_too_long_or_too_much_ends),
		cmocka_unit_test(nothing_is_drawn_where_nothing_may_be),
		cmocka_unit_test(constants_are_known_when_compiled),
		cmocka_unit_test(a_part_ends_where_its_braces_do),
		cmocka_unit_test(names_that_mean_something_are_taken),
		cmocka_unit_test(a_share_of_draws_is_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
