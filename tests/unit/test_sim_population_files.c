/* Populations from files and back: what was written is read as the same, what is wrong is said with line and column. */
#include "harness.h"

#include "sim/scenario.h"

static const char scenario_text[] =
	"{\"tenfold_scenario\":1,\"name\":\"files\",\"population\":{\"attributes\":["
	"{\"name\":\"age\",\"kind\":\"number\",\"uniform\":{\"min\":18,\"max\":100}},"
	"{\"name\":\"happy\",\"kind\":\"bool\",\"chance\":0.5},"
	"{\"name\":\"income\",\"kind\":\"word\",\"weights\":[{\"word\":\"low\",\"weight\":1},{\"word\":\"high\","
	"\"weight\":1}]},"
	"{\"name\":\"likes\",\"kind\":\"words\",\"words\":[\"tea\",\"bread\",\"a, "
	"\\\"b\\\"\"],\"count\":{\"min\":0,\"max\":3}},"
	"{\"name\":\"story\",\"kind\":\"text\",\"expr\":\"concat('I am \\\"', agent.id, '\\\", ', text(agent.age), "
	"'\\n')\"}]},"
	"\"schedule\":{\"sessions_per_week\":1},"
	"\"outcomes\":[{\"name\":\"done\",\"kind\":\"completed\"},{\"name\":\"failed\",\"kind\":\"failed\"}],"
	"\"start\":\"only\",\"states\":[{\"name\":\"only\",\"end\":\"done\"}]}";

enum { AGE, HAPPY, INCOME, LIKES, STORY, SEED = 5 };

static struct scenario *scenario_new(void)
{
	struct problem p = {0};
	struct scenario *s;

	if (scenario_parse(str_of(scenario_text), STR("files.json"), &s, &p))
		fail_msg("%s", p.detail);
	return s;
}

static struct population *read_well(const struct scenario *s, enum population_format format, const char *text,
				    const char *left_out)
{
	struct buf left = BUF_INIT(0);
	struct problem problem = {0};
	struct population *p;

	if (population_read(s, SEED, str_of(text), format, &p, &left, &problem))
		fail_msg("%s", problem.detail);
	assert_string_equal(buf_cstr(&left), left_out);
	buf_free(&left);
	return p;
}

static struct value value_of(const struct population *p, uint32_t agent, unsigned attribute)
{
	static struct value room[POPULATION_WORDS_MAX];

	return population_value(p, agent, attribute, room);
}

static void assert_equal(const struct population *a, const struct population *b)
{
	assert_int_equal(population_count(a), population_count(b));
	for (uint32_t agent = 0; agent < population_count(a); agent++) {
		char one[POPULATION_ROOM], other[POPULATION_ROOM];

		assert_true(str_eq(population_id(a, agent, one), population_id(b, agent, other)));
		for (unsigned i = 0; i < population_attribute_count(a); i++) {
			struct value left[POPULATION_WORDS_MAX], right[POPULATION_WORDS_MAX];
			struct value x = population_value(a, agent, i, left),
				     y = population_value(b, agent, i, right);

			assert_true(value_equal(&x, &y));
		}
	}
}

/* ---- back and forth ---- */

static void what_is_written_is_read_as_the_same(void **state)
{
	struct scenario *s = scenario_new();
	struct problem problem = {0};
	struct population *p, *back;

	(void)state;
	assert_int_equal(population_generate(s, 9, 500, &p, &problem), OK);
	for (int format = POPULATION_CSV; format <= POPULATION_JSONL; format++) {
		struct buf b = BUF_INIT(0);

		population_write(p, (enum population_format)format, 0, 200, &b); /* in parts */
		population_write(p, (enum population_format)format, 200, 300, &b);
		back = read_well(s, (enum population_format)format, buf_cstr(&b), "");
		assert_equal(p, back);
		population_free(&back);
		buf_free(&b);
	}
	population_free(&p);
	scenario_free(&s);
}

static void one_agent_looks_like_this(void **state)
{
	static const char jsonl[] =
		"{\"id\":\"alice\",\"age\":42.5,\"happy\":true,\"income\":\"low\",\"likes\":[\"tea\","
		"\"a, \\\"b\\\"\"],\"story\":\" so\"}\n";
	static const char csv[] =
		"id,age,happy,income,likes,story\nalice,42.5,true,low,\"tea;a, \"\"b\"\"\",\" so\"\n";
	struct scenario *s = scenario_new();
	struct population *p = read_well(s, POPULATION_JSONL, jsonl, "");
	struct buf b = BUF_INIT(0);

	(void)state;
	population_write(p, POPULATION_JSONL, 0, 1, &b);
	assert_string_equal(buf_cstr(&b), jsonl);
	buf_reset(&b);
	population_write(p, POPULATION_CSV, 0, 1, &b);
	assert_string_equal(buf_cstr(&b), csv);
	buf_free(&b);
	population_free(&p);
	scenario_free(&s);
}

/* ---- reading ---- */

static void files_of_others_are_taken_as_they_come(void **state)
{
	/* A byte order mark, carriage returns, blank lines, another order, quotes, a column of their own, no end. */
	static const char csv[] = "\xef\xbb\xbfincome,\"id\", shoe_size ,age,happy\r\n\r\n"
				  "high,\"bob\",44, 37 ,true\r\n"
				  "\r\n"
				  "\"low\",eve,,\"29\",false";
	struct scenario *s = scenario_new();
	struct population *p = read_well(s, POPULATION_CSV, csv, "shoe_size\n");
	char room[POPULATION_ROOM];

	(void)state;
	assert_int_equal(population_count(p), 2);
	assert_str(population_id(p, 0, room), "bob");
	assert_true(value_of(p, 0, AGE).number == 37);
	assert_str(value_of(p, 1, INCOME).text, "low");
	assert_false(value_of(p, 1, HAPPY).boolean);
	population_free(&p);
	scenario_free(&s);
}

static void what_a_file_does_not_say_is_made_as_for_anybody(void **state)
{
	struct scenario *s = scenario_new();
	struct population *p = read_well(s, POPULATION_CSV, "age,likes\n20,\n,tea\n", ""), *made, *named;
	struct problem problem = {0};
	char room[POPULATION_ROOM];

	(void)state;
	assert_int_equal(population_generate(s, SEED, 2, &made, &problem), OK);
	assert_str(population_id(p, 1, room), "agent_002");
	assert_true(value_of(p, 0, AGE).number == 20);
	assert_true(value_of(p, 1, AGE).number == value_of(made, 1, AGE).number);
	assert_int_equal(value_of(p, 0, LIKES).count, 0); /* may be empty, and is said to be */
	assert_int_equal(value_of(p, 0, HAPPY).boolean, value_of(made, 0, HAPPY).boolean);
	assert_str(value_of(p, 0, STORY).text, "I am \"agent_001\", 20\n");
	named = read_well(s, POPULATION_JSONL,
			  "{\"id\":\"zoe\",\"age\":null}\n\n  {\"id\":\"yan\",\"shoes\":{\"a\":[1]}}", "shoes\n");
	assert_true(value_of(named, 0, AGE).number == value_of(made, 0, AGE).number);
	assert_int_equal(value_of(named, 1, LIKES).count, value_of(made, 1, LIKES).count);
	population_free(&named);
	population_free(&made);
	population_free(&p);
	scenario_free(&s);
}

static void a_column_that_is_nearly_an_attribute_is_left_out_with_a_hint(void **state)
{
	struct scenario *s = scenario_new();
	struct population *p;

	(void)state;
	p = read_well(s, POPULATION_CSV, "id,incom\na,low\n", "incom; did you mean \"income\"?\n");
	population_free(&p);
	p = read_well(s, POPULATION_JSONL, "{\"id\":\"a\",\"incom\":1}\n{\"id\":\"b\",\"incom\":2}\n",
		      "incom; did you mean \"income\"?\n"); /* once */
	population_free(&p);
	scenario_free(&s);
}

/* ---- faults ---- */

static void faults_name_line_and_column(void **state)
{
	static const struct {
		enum population_format format;
		const char *text, *field, *says;
	} cases[] = {
		{POPULATION_CSV, "", NULL, "0 agents"},
		{POPULATION_CSV, "id,age\n", NULL, "0 agents"},
		{POPULATION_CSV, "shoe,size\n1,2\n", NULL, "names no attribute"},
		{POPULATION_CSV, "id,age,age\na,1,2\n", "line 1: age", "there are two columns"},
		{POPULATION_CSV, "id,age\na,1\n\nb,old\n", "line 4: age", "must be a number, not old"},
		{POPULATION_CSV, "id,age\na,nan\n", "line 2: age", "must be a number"},
		{POPULATION_CSV, "id,age\na,1e999\n", "line 2: age", "must be a number"},
		{POPULATION_CSV, "id,happy\na,yes\n", "line 2: happy", "must be true or false, not yes"},
		{POPULATION_CSV, "id,income\na,hihg\n", "line 2: income",
		 "\"hihg\" is none of its words; did you mean \"high\"?"},
		{POPULATION_CSV, "id,likes\na,tea;beer\n", "line 2: likes", "\"beer\" is none of its words"},
		{POPULATION_CSV, "id,age\na,1,2\n", "line 2: CSV", "has 3 fields, the first line names 2 columns"},
		{POPULATION_CSV, "id,age\na\n", "line 2: CSV", "has 1 fields"},
		{POPULATION_CSV, "id,age\na,\"1\n", "line 2: CSV", "a field's closing quote is missing"},
		{POPULATION_CSV, "id,age\na,\"1\"2\n", "line 2: CSV", "something stands between"},
		{POPULATION_CSV, "id,age\na,1\"\n", "line 2: CSV", "a quote inside a field"},
		{POPULATION_CSV, "id,story\nb,\"two\nlines\"\na b,x\n", "line 4: id", "must be 1 to 200"},
		{POPULATION_CSV, "id,age\na,1\na,2\n", "line 3: id", "there is an agent \"a\" already"},
		{POPULATION_CSV, "id,age\na,1\n,2\n", "line 3: id",
		 "is missing; either all agents have one, or none"},
		{POPULATION_CSV, "id,age\n,1\na,2\n", "line 3: id", "stands here and was missing before"},
		{POPULATION_CSV, "id,story\na,\xff\n", "line 2: story", "must be at most 8192 bytes of UTF-8"},
		{POPULATION_JSONL, "{\"id\":\"a\"}\n{\"id\":\n", "line 2: JSONL", "must be a JSON object: "},
		{POPULATION_JSONL, "[1]\n", "line 1: JSONL", "must be a JSON object"},
		{POPULATION_JSONL, "{\"age\":\"1\"}\n", "line 1: age", "must be a number, not \"1\""},
		{POPULATION_JSONL, "{\"age\":1,\"\\u0061ge\":2}\n", "line 1: JSONL", "this member stands twice"},
		{POPULATION_JSONL, "{\"happy\":1}\n", "line 1: happy", "must be true or false, not 1"},
		{POPULATION_JSONL, "{\"income\":3}\n", "line 1: income", "must be a word, not 3"},
		{POPULATION_JSONL, "{\"likes\":\"tea\"}\n", "line 1: likes", "must be a list of words"},
		{POPULATION_JSONL, "{\"likes\":[\"tea\",1]}\n", "line 1: likes", "must be a list of words"},
		{POPULATION_JSONL, "{\"likes\":[\"te\"]}\n", "line 1: likes",
		 "\"te\" is none of its words; did you mean \"tea\"?"},
		{POPULATION_JSONL, "{\"story\":1}\n", "line 1: story", "must be a text, not 1"},
		{POPULATION_JSONL, "{\"id\":7}\n", "line 1: id", "must be a text"},
		{POPULATION_JSONL, "{\"id\":\"a\",\"id\":\"b\"}\n", "line 1: JSONL", "this member stands twice"},
	};
	struct scenario *s = scenario_new();

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct buf left = BUF_INIT(0);
		struct problem problem = {0};
		struct population *p;
		const char *detail;

		assert_row(cases[i].text, population_read(s, SEED, str_of(cases[i].text), cases[i].format, &p,
							  &left, &problem) == ERR_INVALID);
		assert_null(p);
		detail = cases[i].field ? problem.fields[0].detail : problem.detail;
		if (!strstr(detail, cases[i].says) ||
		    (cases[i].field && strcmp(problem.fields[0].field, cases[i].field) != 0))
			fail_msg("%s: %s: %s", cases[i].text, problem.fields[0].field, detail);
		buf_free(&left);
	}
	scenario_free(&s);
}

static void all_bad_records_are_named_as_far_as_there_is_room(void **state)
{
	static const struct {
		enum population_format format;
		const char *text, *fields[PROBLEM_FIELDS_MAX];
		unsigned count;
	} cases[] = {
		{POPULATION_CSV,
		 "age,id\nx,a\n1,b\ny,\n2,\n3,b\n4,c,5\n",
		 {"line 2: age", "line 4: age", "line 5: id", "line 6: id", "line 7: CSV"},
		 5},
		{POPULATION_CSV,
		 "age\nx\n\"1\"2\ny\n",
		 {"line 2: age", "line 3: CSV"},
		 2}, /* records end nowhere now */
		{POPULATION_JSONL,
		 "{\"age\":true}\n{\n{\"age\":1}\n{\"happy\":0}\n",
		 {"line 1: age", "line 2: JSONL", "line 4: happy"},
		 3},
		{POPULATION_CSV, "age\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n", {"line 2: age"}, PROBLEM_FIELDS_MAX},
	};
	struct scenario *s = scenario_new();

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct buf left = BUF_INIT(0);
		struct problem problem = {0};
		struct population *p;

		assert_int_equal(
			population_read(s, SEED, str_of(cases[i].text), cases[i].format, &p, &left, &problem),
			ERR_INVALID);
		assert_int_equal(problem.field_count, cases[i].count);
		for (unsigned k = 0; k < cases[i].count && cases[i].fields[k]; k++)
			assert_string_equal(problem.fields[k].field, cases[i].fields[k]);
		buf_free(&left);
	}
	scenario_free(&s);
}

/* Cut off anywhere, a file is read or refused, and never as more agents than it had. */
static void a_file_that_is_cut_off_anywhere_does_no_harm(void **state)
{
	static const char *const texts[] = {
		"id,likes,story\r\na,\"tea;bread\",\"He said \"\"no\"\"\r\n\"\r\nb,,x\r\n",
		"{\"id\":\"a\",\"likes\":[\"tea\"],\"story\":\"\\u00e9\\n\"}\n{\"id\":\"b\",\"age\":1e3}\n",
	};
	struct scenario *s = scenario_new();

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(texts); i++)
		for (size_t n = 0; n <= strlen(texts[i]); n++) {
			char *copy = malloc(n + 1); /* so that a sanitizer sees its end */
			struct buf left = BUF_INIT(0);
			struct problem problem = {0};
			struct population *p;

			memcpy(copy, texts[i], n);
			if (!population_read(s, SEED, (struct str){copy, n}, (enum population_format)i, &p, &left,
					     &problem))
				assert_in_range(population_count(p), 1, 2);
			population_free(&p);
			buf_free(&left);
			free(copy);
		}
	scenario_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_as_the_same),
		cmocka_unit_test(one_agent_looks_like_this),
		cmocka_unit_test(files_of_others_are_taken_as_they_come),
		cmocka_unit_test(what_a_file_does_not_say_is_made_as_for_anybody),
		cmocka_unit_test(a_column_that_is_nearly_an_attribute_is_left_out_with_a_hint),
		cmocka_unit_test(faults_name_line_and_column),
		cmocka_unit_test(all_bad_records_are_named_as_far_as_there_is_room),
		cmocka_unit_test(a_file_that_is_cut_off_anywhere_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
