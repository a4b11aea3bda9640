/*
 * Whatever a file of a population holds, it is refused or read, and what was read is written and read as the same.
 * The first byte chooses the format.
 */
#include "base/magic.h"
#include "sim/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char scenario_text[] =
	"{\"tenfold_scenario\":1,\"name\":\"fuzz\",\"population\":{\"attributes\":["
	"{\"name\":\"age\",\"kind\":\"number\",\"uniform\":{\"min\":18,\"max\":100}},"
	"{\"name\":\"happy\",\"kind\":\"bool\",\"chance\":0.5},"
	"{\"name\":\"income\",\"kind\":\"word\",\"weights\":[{\"word\":\"low\",\"weight\":1},{\"word\":\"high\","
	"\"weight\":1}]},"
	"{\"name\":\"likes\",\"kind\":\"words\",\"words\":[\"tea\",\"bread\"],\"count\":{\"min\":0,\"max\":2}},"
	"{\"name\":\"story\",\"kind\":\"text\",\"expr\":\"agent.id\"}]},\"schedule\":{\"sessions_per_week\":1},"
	"\"outcomes\":[{\"name\":\"done\",\"kind\":\"completed\"},{\"name\":\"failed\",\"kind\":\"failed\"}],"
	"\"start\":\"only\",\"states\":[{\"name\":\"only\",\"end\":\"done\"}]}";

static struct population *read_file(const struct scenario *s, struct str text, enum population_format format,
				    struct problem *p)
{
	struct buf left_out = BUF_INIT(0);
	struct population *read;
	enum err e = population_read(s, 1, text, format, &read, &left_out, p);

	CHECK((e == OK) == (read != NULL));
	CHECK(e == OK || p->detail[0]);
	buf_free(&left_out);
	return read;
}

static void write_file(const struct population *p, struct buf *b)
{
	population_write(p, POPULATION_JSONL, 0, population_count(p), b);
	CHECK(buf_ok(b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf written = BUF_INIT(0), again = BUF_INIT(0);
	struct population *first, *second;
	struct problem p = {0};
	struct scenario *s;

	if (size < 1 || scenario_parse(str_of(scenario_text), STR("fuzz.json"), &s, &p))
		return 0;
	first = read_file(s, (struct str){(const char *)data + 1, size - 1},
			  data[0] % 2 ? POPULATION_JSONL : POPULATION_CSV, &p);
	if (first) {
		write_file(first, &written);
		second = read_file(s, buf_str(&written), POPULATION_JSONL, &p);
		CHECK(second);
		write_file(second, &again);
		CHECK(str_eq(buf_str(&written), buf_str(&again)));
		population_free(&second);
	}
	population_free(&first);
	scenario_free(&s);
	buf_free(&written);
	buf_free(&again);
	return 0;
}
