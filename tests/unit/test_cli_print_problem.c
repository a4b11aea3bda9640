/* What went wrong, as the one line that people see. */
#include "harness.h"

#include "cli/parse.h"
#include "cli/print.h"

static const struct cli_verb *verb_named(const char *name)
{
	unsigned i = 0;

	while (i < cli_verb_count && strcmp(cli_verbs[i].name, name) != 0)
		i++;
	assert_true(i < cli_verb_count);
	return &cli_verbs[i];
}

static void says(const char *verb, const struct problem *p, const char *line)
{
	struct buf b = BUF_INIT(0);

	print_problem(verb ? verb_named(verb) : NULL, p->err, p, &b);
	assert_string_equal(buf_cstr(&b), line);
	buf_free(&b);
}

static void check(const char *verb, enum err e, const char *detail, const char *line)
{
	struct problem p = {0};

	problem_set(&p, e, "%s", detail);
	says(verb, &p, line);
}

static void it_says_what_and_what_to_do(void **state)
{
	(void)state;
	check("whoami", ERR_TOO_MANY, "100 claims wait", "whoami: 100 claims wait; try again in a moment");
	check("whoami", ERR_TOO_MANY, "100 claims wait; end one", "whoami: 100 claims wait; end one");
	check("whoami", ERR_TOO_MANY, "",
	      "whoami: too many requests of this kind are waiting; try again in a moment");
	check(NULL, ERR_USAGE, "there is no verb 'x'; see 'tenfold --help'",
	      "there is no verb 'x'; see 'tenfold --help'");
}

static void what_stands_in_brackets_is_no_advice(void **state)
{
	(void)state;
	check("whoami", ERR_TOO_MANY, "it waits (once; twice)",
	      "whoami: it waits (once; twice); try again in a moment");
}

static void only_sentences_lose_their_capital(void **state)
{
	(void)state;
	check("whoami", ERR_TOO_MANY, "The disk is full.", "whoami: the disk is full; try again in a moment");
	check("whoami", ERR_TOO_MANY, "A disk is full", "whoami: a disk is full; try again in a moment");
	check("whoami", ERR_TOO_MANY, "PostgreSQL is gone", "whoami: PostgreSQL is gone; try again in a moment");
	check("whoami", ERR_TOO_MANY, "Content-Length is odd",
	      "whoami: Content-Length is odd; try again in a moment");
	check("whoami", ERR_TOO_MANY, "TENFOLD_URL: odd", "whoami: TENFOLD_URL: odd; try again in a moment");
	check("whoami", ERR_UNAUTHENTICATED, "",
	      "whoami: a valid key is needed; give a valid key with --key or TENFOLD_KEY");
}

static void a_question_ends_a_sentence(void **state)
{
	(void)state;
	check("whoami", ERR_TOO_MANY, "is it there?", "whoami: is it there? Try again in a moment");
	check("whoami", ERR_TOO_MANY, "is it there? Look again", "whoami: is it there? Look again");
}

static void fields_are_named_as_they_were_given(void **state)
{
	struct problem p = {0};

	(void)state;
	problem_field(&p, ERR_INVALID, "depends_on[3]", "there is no item w_1");
	problem_field(&p, ERR_INVALID, "backoff.base_ms", "must be a number");
	problem_field(&p, ERR_INVALID, "type", "may not be empty");
	problem_field(&p, ERR_INVALID, "Idempotency-Key", "Too long.");
	says("work add", &p,
	     "work add: --depends-on: there is no item w_1, --backoff.base_ms: must be a number, type: may not be "
	     "empty, Idempotency-Key: Too long; correct it and try again");
	check("work add", ERR_INVALID, "depends_on[3", "work add: depends_on[3; correct it and try again");
	check("work add", ERR_INVALID, "key taken", "work add: key taken; correct it and try again");
	check("work watch", ERR_INVALID, "from: is odd", "work watch: from: is odd; correct it and try again");
}

static void it_is_one_line_and_moves_no_cursor(void **state)
{
	(void)state;
	check("work add", ERR_INVALID, "a\nb\x1b[2J\n", "work add: a b [2J; correct it and try again");
	check("work add", ERR_INVALID, "priority: not a\nb",
	      "work add: --priority: not a b; correct it and try again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_and_what_to_do),
		cmocka_unit_test(what_stands_in_brackets_is_no_advice),
		cmocka_unit_test(only_sentences_lose_their_capital),
		cmocka_unit_test(a_question_ends_a_sentence),
		cmocka_unit_test(fields_are_named_as_they_were_given),
		cmocka_unit_test(it_is_one_line_and_moves_no_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
