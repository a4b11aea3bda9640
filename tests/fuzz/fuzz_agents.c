/*
 * Whatever a file of agents holds: the import ends; where it is cut into pieces makes no difference; what it hands out
 * has a good handle of its own, and is what the server would take.
 *
 * The first byte chooses the format and the second one the size of the pieces.
 */
#include "base/magic.h"
#include "import_kit/collect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(struct collected *c, enum agent_format format, struct str text, size_t chunk)
{
	static const struct str capabilities[] = {{"planning", 8}};
	const struct agent_import_options options = {
		.format = format, .capabilities = capabilities, .capability_count = 1};

	collect_begin(c, &options);
	collect_file(c, text, chunk);
	collect_file(c, text, chunk); /* all of it has been there before */
}

static void check_agents(const struct collected *c)
{
	for (size_t i = 0; i < c->agents.n; i++) {
		struct agent_new again;

		CHECK(c->agents.v[i].line > 0);
		CHECK(json_decode(&type_agent_new, c->agents.v[i].json, 0, c->arena, &again, NULL) == OK);
		CHECK(handle_check(again.handle, NULL) == OK);
		for (size_t k = 0; k < i && i < 100; k++)
			CHECK(!str_eq(c->agents.v[k].agent.handle, again.handle));
	}
}

static void check_same(const struct collected *a, const struct collected *b)
{
	CHECK(a->agents.n == b->agents.n && a->told.n == b->told.n);
	CHECK(agent_import_repeated(a->import) == agent_import_repeated(b->import));
	for (size_t i = 0; i < a->agents.n; i++)
		CHECK(str_eq(a->agents.v[i].json, b->agents.v[i].json) &&
		      a->agents.v[i].line == b->agents.v[i].line);
	for (size_t i = 0; i < a->told.n; i++)
		CHECK(str_eq(a->told.v[i].text, b->told.v[i].text) && a->told.v[i].line == b->told.v[i].line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct collected whole, pieces;
	enum agent_format format;
	struct str text;

	if (size < 2)
		return 0;
	format = (enum agent_format)(data[0] % (unsigned)enum_agent_format.count);
	text = (struct str){(const char *)data + 2, size - 2};
	run(&whole, format, text, SIZE_MAX);
	run(&pieces, format, text, 1 + (size_t)data[1]);
	check_agents(&whole);
	check_same(&whole, &pieces);
	collect_end(&whole);
	collect_end(&pieces);
	return 0;
}
