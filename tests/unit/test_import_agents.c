/* Agents out of files, by format: what becomes of an entry, what is refused, that the rest goes on, and real files. */
#include "harness.h"

#include "import_kit/collect.h"

static struct collected c;

static void begin(enum agent_format format)
{
	collect_begin(&c, &(struct agent_import_options){.format = format});
}

static int tear_down(void **state)
{
	(void)state;
	collect_end(&c);
	return 0;
}

static void import(enum agent_format format, const char *text)
{
	begin(format);
	collect_file(&c, str_of(text), SIZE_MAX);
}

static const struct agent_new *agent(size_t i)
{
	assert_true(i < c.agents.n);
	return &c.agents.v[i].agent;
}

static void assert_told(size_t i, size_t line, const char *text)
{
	assert_true(i < c.told.n);
	assert_int_equal(c.told.v[i].line, line);
	assert_true(c.told.v[i].refused);
	if (!str_eqz(c.told.v[i].text, text))
		fail_msg("told: %.*s", STRF(c.told.v[i].text));
}

static bool has_tag(const struct agent_new *a, const char *tag)
{
	for (size_t i = 0; i < a->tags_count; i++)
		if (str_eqz(a->tags[i], tag))
			return true;
	return false;
}

/* ---- JSON lines ---- */

static void lines_are_agents_and_a_name_is_enough(void **state)
{
	(void)state;
	import(AGENTS_JSONL, "\xef\xbb\xbf{\"name\":\"My Bot\"}\r\n"
			     "\n"
			     "{\"handle\":\"own-handle\",\"name\":\"x\",\"tags\":[\"a\",\"b\"]}\n"
			     "{\"name\":\"x\",\"colour\":1}\n"
			     "{\"name\":\"x\"\n"
			     "{\"name\":\"y\",\"handle\":\"Bad Handle\"}\n"
			     "{\"handle\":\"own-handle\",\"name\":\"again\"}\n"
			     "{\"name\":\"My Bot\"}\n"
			     "{\"name\":\"my bot\"}");
	assert_int_equal(c.agents.n, 3);
	assert_str(agent(0)->handle, "my-bot");
	assert_str(agent(1)->handle, "own-handle");
	assert_int_equal(agent(1)->tags_count, 2);
	assert_int_equal(c.told.n, 5);
	assert_told(0, 4, "colour: there is no such field");
	assert_told(1, 5, "expected ',' or '}', but the text ends (column 12)");
	assert_told(2, 6, "handle: 3 to 32 of a to z, 0 to 9 and '-', which stands at neither end");
	assert_told(3, 7, "handle: an entry before has 'own-handle' too");
	assert_told(4, 8, "an entry before has the same name; give both a handle");
	/* Another name that reads alike is another agent. */
	assert_int_equal(c.agents.v[2].line, 9);
	assert_true(str_starts(agent(2)->handle, STR("my-bot-")));
}

static void visibility_is_that_of_the_import_where_a_line_says_none(void **state)
{
	(void)state;
	collect_begin(&c, &(struct agent_import_options){
				  .format = AGENTS_JSONL, .says_visibility = true, .visibility = VISIBLE_PUBLIC});
	collect_file(&c, STR("{\"name\":\"one\"}\n{\"name\":\"two\",\"visibility\":\"tenant\"}\n"), SIZE_MAX);
	assert_int_equal(agent(0)->visibility, VISIBLE_PUBLIC);
	assert_int_equal(agent(1)->visibility, VISIBLE_TENANT);
}

static void an_entry_over_the_limit_is_refused_and_the_next_one_is_read(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	buf_z(&b, "{\"name\":\"");
	for (int i = 0; i < IMPORT_ENTRY_MAX; i++)
		buf_c(&b, 'x');
	buf_z(&b, "\"}\n{\"name\":\"next\"}\n");
	import(AGENTS_JSONL, buf_cstr(&b));
	buf_free(&b);
	assert_told(0, 1, "the entry is over 1048576 bytes");
	assert_int_equal(c.agents.n, 1);
	assert_int_equal(c.agents.v[0].line, 2);
}

static void a_sink_that_has_enough_ends_the_import(void **state)
{
	(void)state;
	begin(AGENTS_JSONL);
	c.most = 1;
	collect_file(&c, STR("{\"name\":\"one\"}\n{\"name\":\"two\"}\n{\"name\":\"three\"}\n"), SIZE_MAX);
	collect_file(&c, STR("{\"name\":\"four\"}\n"), SIZE_MAX);
	assert_int_equal(c.agents.n, 1);
}

/* ---- CSV ---- */

static void records_are_agents(void **state)
{
	(void)state;
	import(AGENTS_CSV,
	       "name,handle,tags,protocols,description,metadata\r\n"
	       "One,the-one,a; b ;;c,mcp;http,\"says \"\"hi\"\", twice\r\non two lines\",\"{\"\"a\"\": 1}\"\r\n"
	       "\r\n"
	       "Two,,,,,\n"
	       "Three, padded-one ,,,,");
	assert_int_equal(c.told.n, 0);
	assert_int_equal(c.agents.n, 3);
	assert_str(agent(0)->handle, "the-one");
	assert_int_equal(agent(0)->tags_count, 3);
	assert_str(agent(0)->tags[1], "b");
	assert_int_equal(agent(0)->protocols_count, 2);
	assert_int_equal(agent(0)->protocols[1], PROTOCOL_HTTP);
	assert_str(agent(0)->description, "says \"hi\", twice\r\non two lines");
	assert_str(agent(0)->metadata, "{\"a\": 1}");
	assert_int_equal(c.agents.v[1].line, 5);
	assert_str(agent(1)->handle, "two");
	assert_false(HAS(agent(1), agent_new, description));
	assert_str(agent(2)->handle, "padded-one");
}

static void records_that_are_wrong_are_told_by_the_line_they_begin_in(void **state)
{
	(void)state;
	import(AGENTS_CSV, "name,type\n"
			   "a\"b,tool\n"
			   "\"two\nlines\" x,tool\n"
			   "x\n"
			   "x,tool,more\n"
			   "x,robot\n"
			   ",tool\n"
			   "good,tool\n"
			   "\"open,tool\n");
	assert_int_equal(c.agents.n, 1);
	assert_int_equal(c.agents.v[0].line, 9);
	assert_int_equal(c.told.n, 7);
	assert_told(
		0, 2,
		"a quote inside a field that does not begin with one; quote the field, and write its quotes twice");
	assert_told(1, 3, "something stands between a field's closing quote and the next comma");
	assert_told(2, 5, "the first line names 2 members, this has 1 fields");
	assert_told(3, 6, "the first line names 2 members, this has 3 fields");
	assert_told(4, 7, "type: must be one of assistant, autonomous, tool, service, not 'robot'");
	assert_told(5, 8, "name: is required");
	assert_told(6, 10, "a field's closing quote is missing");
}

static void a_first_line_that_names_no_members_ends_the_file(void **state)
{
	(void)state;
	import(AGENTS_CSV, "name,colour\nx,blue\n");
	assert_int_equal(c.agents.n, 0);
	assert_told(0, 1, "there is no member 'colour'; the first line names members of an agent, each once");
	collect_file(&c, STR("name,name\nx,y\n"), SIZE_MAX);
	assert_told(1, 1, "there are two columns 'name'; the first line names members of an agent, each once");
	collect_file(&c, STR(""), SIZE_MAX);
	assert_int_equal(c.told.n, 2);
}

/* ---- Debian ---- */

static void a_package_becomes_a_tool(void **state)
{
	(void)state;
	import(AGENTS_DEBIAN,
	       "Package: hello\nStatus: install ok installed\nSection: contrib/misc\nVersion: 2.10-3\n"
	       "Architecture: amd64\nMaintainer: A Person <a@b.example>\nHomepage: https://hello.example/\n"
	       "Tag: role::program, interface::commandline,\n use::entertaining\n"
	       "Description: says \"hello\"\n First line.\n .\n  Indented.\n\n"
	       "Package: gone\nStatus: deinstall ok config-files\n\n"
	       "Package: g++\nHomepage: not a URL\nDescription: compiler\n   \n"
	       "Package: after-spaces\nHomepage: wss://not-a-page.example/\n\n\n\n"
	       "Section: misc\n");
	assert_int_equal(c.agents.n, 3);
	assert_str(agent(0)->handle, "deb-hello");
	assert_str(agent(0)->name, "hello");
	assert_int_equal(agent(0)->type, AGENT_TOOL);
	assert_str(agent(0)->description, "says \"hello\"\n\nFirst line.\n\n Indented.");
	assert_str(agent(0)->homepage, "https://hello.example/");
	assert_int_equal(agent(0)->tags_count, 4);
	assert_true(has_tag(agent(0), "misc") && has_tag(agent(0), "use::entertaining"));
	assert_str(agent(0)->metadata,
		   "{\"debian\":{\"package\":\"hello\",\"version\":\"2.10-3\",\"architecture\":\"amd64\","
		   "\"maintainer\":\"A Person <a@b.example>\"}}");
	assert_true(str_starts(agent(1)->handle, STR("deb-g-")));
	assert_false(HAS(agent(1), agent_new, homepage));
	assert_int_equal(c.agents.v[2].line, 22);
	assert_false(HAS(agent(2), agent_new, homepage));
	assert_told(0, 27, "an entry without Package");
}

static void a_package_of_two_lists_is_one_agent_and_the_first_counts(void **state)
{
	(void)state;
	import(AGENTS_DEBIAN,
	       "Package: a\nVersion: 2\nDescription: newer\n\nPackage: a\nVersion: 1\nDescription: older\n");
	collect_file(&c, STR("Package: a\nVersion: 0\n"), SIZE_MAX);
	assert_int_equal(c.agents.n, 1);
	assert_str(agent(0)->description, "newer");
	assert_int_equal(agent_import_repeated(c.import), 2);
	assert_int_equal(c.told.n, 0);
}

static void a_translation_gives_what_a_list_leaves_out(void **state)
{
	(void)state;
	import(AGENTS_DEBIAN, "Package: a\nDescription-md5: 0123456789abcdef0123456789abcdef\n"
			      "Description-en: short\n Long.\n\n");
	collect_file(&c,
		     STR("Package: a\nDescription: short\nDescription-md5: 0123456789abcdef0123456789abcdef\n\n"
			 "Package: b\nDescription: other\nDescription-md5: ffffffffffffffffffffffffffffffff\n"),
		     SIZE_MAX);
	assert_int_equal(c.agents.n, 2);
	assert_str(agent(0)->description, "short\n\nLong.");
	assert_str(agent(1)->description, "other");
}

static void what_is_installed_has_long_descriptions_for_lists_too(void **state)
{
	(void)state;
	begin(AGENTS_DEBIAN);
	collect_details(&c,
			STR("Package: a\nStatus: install ok installed\nDescription: same\n Long.\n\n"
			    "Package: b\nStatus: install ok installed\nDescription: before\n Long.\n\nno field\n"));
	assert_int_equal(c.agents.n + c.told.n, 0);
	collect_file(&c, STR("Package: a\nDescription: same\nTag: x::y\n\nPackage: b\nDescription: since\n"),
		     SIZE_MAX);
	assert_int_equal(c.agents.n, 2);
	assert_str(agent(0)->description, "same\n\nLong.");
	assert_true(has_tag(agent(0), "x::y"));
	assert_str(agent(1)->description, "since");
}

static void oddities_of_a_stanza_are_remarks(void **state)
{
	(void)state;
	import(AGENTS_DEBIAN, "Package: a\nno field\nSection: x\nSection: y\n");
	assert_int_equal(c.agents.n, 1);
	assert_int_equal(c.told.n, 2);
	assert_false(c.told.v[0].refused || c.told.v[1].refused);
	assert_true(has_tag(agent(0), "x") && !has_tag(agent(0), "y"));
}

/* ---- MCP registry ---- */

#define MCP_OLD                                                                                                 \
	"{\"id\":\"4e9c\",\"name\":\"io.github.a/sheets\",\"description\":\"Reads "                             \
	"sheets\",\"repository\":{\"url\":"                                                                     \
	"\"https://git.example/a/sheets\"},\"packages\":[{\"registry_name\":\"npm\",\"name\":\"@a/x\"},{"       \
	"\"registry_name\":\"unknown\"}],\"remotes\":[{\"transport_type\":\"sse\",\"url\":\"https://a.example/" \
	"sse\"}]}"

static void check_sheets(const struct agent_new *a)
{
	assert_int_equal(c.told.n, 0);
	assert_true(str_starts(a->handle, STR("sheets-")));
	assert_str(a->name, "io.github.a/sheets");
	assert_str(a->operator, "io.github.a");
	assert_str(a->description, "Reads sheets");
	assert_str(a->endpoint, "https://a.example/sse");
	assert_str(a->homepage, "https://git.example/a/sheets");
	assert_int_equal(a->type, AGENT_SERVICE);
	assert_int_equal(a->protocols_count, 1);
	assert_int_equal(a->protocols[0], PROTOCOL_MCP);
	assert_int_equal(a->tags_count, 1);
	assert_true(has_tag(a, "npm"));
	assert_str(a->metadata, "{\"mcp\":" MCP_OLD "}");
}

static void servers_of_any_age_become_agents(void **state)
{
	(void)state;
	import(AGENTS_MCP_REGISTRY, "[" MCP_OLD "]");
	check_sheets(agent(0));
	collect_end(&c);
	import(AGENTS_MCP_REGISTRY, "{\"servers\":[" MCP_OLD "],\"next\":null}");
	check_sheets(agent(0));
	collect_end(&c);
	import(AGENTS_MCP_REGISTRY, "{\"servers\":[{\"server\":" MCP_OLD ",\"_meta\":{\"x\":1}}],\"metadata\":{}}\n"
				    "{\"servers\":[]}");
	check_sheets(agent(0));
	collect_end(&c);
	import(AGENTS_MCP_REGISTRY, MCP_OLD);
	check_sheets(agent(0));
	assert_int_equal(c.told.n, 0);
}

static void members_of_today_are_known(void **state)
{
	(void)state;
	import(AGENTS_MCP_REGISTRY,
	       "{\"servers\":[{\"server\":{\"name\":\"ns/x\",\"title\":\"The "
	       "X\",\"description\":\"d\",\"websiteUrl\":"
	       "\"https://x.example\",\"icons\":[{\"src\":\"data:x\"},{\"src\":\"https://x.example/i.png\"}],"
	       "\"packages\":[{\"registryType\":\"oci\",\"identifier\":\"x\"}]}}]}");
	assert_str(agent(0)->name, "The X");
	assert_str(agent(0)->homepage, "https://x.example");
	assert_str(agent(0)->avatar, "https://x.example/i.png");
	assert_int_equal(agent(0)->type, AGENT_TOOL);
	assert_true(has_tag(agent(0), "oci"));
}

static void older_and_deleted_versions_are_passed_over(void **state)
{
	(void)state;
	import(AGENTS_MCP_REGISTRY,
	       "{\"servers\":["
	       "{\"server\":{\"name\":\"n/a\",\"description\":\"old\"},\"_meta\":{"
	       "\"io.modelcontextprotocol.registry/official\":{\"status\":\"active\",\"isLatest\":false}}},"
	       "{\"server\":{\"name\":\"n/a\",\"description\":\"new\"},\"_meta\":{\"other/"
	       "word\":{\"isLatest\":false},"
	       "\"io.modelcontextprotocol.registry/official\":{\"status\":\"active\",\"isLatest\":true}}},"
	       "{\"server\":{\"name\":\"n/b\"},\"_meta\":{"
	       "\"io.modelcontextprotocol.registry/official\":{\"status\":\"deleted\",\"isLatest\":true}}}"
	       "],\"metadata\":{\"nextCursor\":null,\"count\":3}}");
	assert_int_equal(c.agents.n, 1);
	assert_str(agent(0)->description, "new");
	assert_int_equal(agent_import_repeated(c.import), 2);
}

static void a_broken_server_is_told_and_the_others_go_on(void **state)
{
	(void)state;
	import(AGENTS_MCP_REGISTRY,
	       "[\n{\"name\":\"n/a\"},\n{\"name\":\"\"},\n{\"name\":\n  [01]},\n7,\n{\"name\":\"n/b\"}\n]");
	assert_int_equal(c.agents.n, 2);
	assert_int_equal(c.agents.v[1].line, 7);
	assert_told(0, 3, "name: may not be empty");
	assert_int_equal(c.told.v[1].line, 5);
	assert_int_equal(c.told.v[2].line, 6);
	assert_int_equal(c.told.n, 3);
}

static void where_the_file_itself_is_broken_the_rest_is_left_out(void **state)
{
	static const struct {
		const char *text, *told;
		size_t line;
	} cases[] = {
		{"[{\"name\":\"n/a\"}\n{}]",
		 "expected a comma or the end of the array; the rest of the file is left out", 2},
		{"[{\"name\":\"n/a\"},\n",
		 "expected a value or the end of the array; the rest of the file is left out", 2},
		{"{\"servers\":[{\"name\":\"n/a\"}]\n\"x\"}",
		 "expected a comma or the end of the object; the rest of the file is left out", 2},
		{"{\"servers\" [", "expected a colon; the rest of the file is left out", 1},
		{"{1", "expected a member or the end of the object; the rest of the file is left out", 1},
		{"servers", "expected an array or an object; the rest of the file is left out", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		import(AGENTS_MCP_REGISTRY, cases[i].text);
		assert_int_equal(c.told.n, 1);
		assert_told(0, cases[i].line, cases[i].told);
		if (i + 1 < COUNT_OF(cases))
			collect_end(&c);
	}
}

/* ---- A2A cards ---- */

#define CARD_1                                                                                                  \
	"{\n\"name\":\"Recipe "                                                                                 \
	"Agent\",\"description\":\"Cooks\",\"version\":\"1\",\"supportedInterfaces\":[{\"url\":"                \
	"\"https://r.example/rpc\",\"protocolBinding\":\"JSONRPC\",\"protocolVersion\":\"1.0\"},{\"url\":"      \
	"\"https://r.example/grpc\",\"protocolBinding\":\"GRPC\"}],\"provider\":{\"organization\":\"Kitchen\"," \
	"\"url\":\"https://k.example\"},\"iconUrl\":\"https://r.example/"                                       \
	"i.png\",\"skills\":[{\"id\":\"translation\","                                                          \
	"\"name\":\"T\",\"description\":\"d\",\"tags\":[\"food\",\"planning\"]},{\"id\":\"juggling\"}],"        \
	"\"capabilities\":{}}"

static const struct str slugs[] = {{"planning", 8}, {"translation", 11}};

static void begin_cards(void)
{
	collect_begin(&c, &(struct agent_import_options){.format = AGENTS_A2A_CARD,
							 .capabilities = slugs,
							 .capability_count = COUNT_OF(slugs)});
}

static void a_card_becomes_an_agent_and_is_kept(void **state)
{
	(void)state;
	begin_cards();
	collect_file(&c, STR(CARD_1 "\n"), SIZE_MAX);
	assert_int_equal(c.told.n, 0);
	assert_str(agent(0)->handle, "recipe-agent");
	assert_str(agent(0)->card, CARD_1);
	assert_str(agent(0)->endpoint, "https://r.example/rpc");
	assert_str(agent(0)->operator, "Kitchen");
	assert_str(agent(0)->homepage, "https://k.example");
	assert_str(agent(0)->avatar, "https://r.example/i.png");
	assert_int_equal(agent(0)->protocols_count, 2);
	assert_int_equal(agent(0)->protocols[0], PROTOCOL_A2A);
	assert_int_equal(agent(0)->protocols[1], PROTOCOL_GRPC);
	assert_int_equal(agent(0)->capabilities_count, 2);
	assert_str(agent(0)->capabilities[0], "translation");
	assert_str(agent(0)->capabilities[1], "planning");
	assert_true(has_tag(agent(0), "food"));
}

static void a_card_is_no_server(void **state)
{
	(void)state;
	import(AGENTS_MCP_REGISTRY, CARD_1);
	assert_int_equal(c.agents.n, 0);
	assert_told(0, 1, "has skills, as A2A cards have: import it with --format a2a-card");
}

static void cards_of_0_3_are_read_too(void **state)
{
	(void)state;
	begin_cards();
	collect_file(&c,
		     STR("{\"name\":\"Old\",\"url\":\"https://o.example/\",\"preferredTransport\":\"HTTP+JSON\","
			 "\"protocolVersion\":\"0.3.0\",\"additionalInterfaces\":[{\"url\":\"https://o.example/g\","
			 "\"transport\":\"GRPC\"}],\"skills\":null}"),
		     SIZE_MAX);
	assert_str(agent(0)->endpoint, "https://o.example/");
	assert_int_equal(agent(0)->protocols_count, 3);
	assert_false(HAS(agent(0), agent_new, tags));
}

static void two_cards_of_one_name_are_two_agents(void **state)
{
	(void)state;
	begin_cards();
	collect_file(&c, STR("{\"name\":\"Helper\",\"url\":\"https://a.example/\"}"), SIZE_MAX);
	collect_file(&c, STR("{\"name\":\"Helper\",\"url\":\"https://b.example/\"}"), SIZE_MAX);
	collect_file(&c, STR("{\"name\":\"Helper\",\"url\":\"https://a.example/\"}"), SIZE_MAX);
	collect_file(&c, STR("{\"name\":7}"), SIZE_MAX);
	assert_int_equal(c.agents.n, 2);
	assert_str(agent(0)->handle, "helper");
	assert_true(str_starts(agent(1)->handle, STR("helper-")));
	assert_int_equal(agent_import_repeated(c.import), 1);
	assert_int_equal(c.told.n, 1);
}

/* ---- whatever the format ---- */

static void where_the_file_is_cut_into_pieces_makes_no_difference(void **state)
{
	static const struct {
		enum agent_format format;
		const char *text;
	} files[] = {
		{AGENTS_JSONL, "\xef\xbb\xbf{\"name\":\"one\"}\n{\"name\":\"two\"}"},
		{AGENTS_CSV, "name,tags\r\n\"a \"\"b\"\"\",x;y\r\nplain,\r\n"},
		{AGENTS_DEBIAN, "Package: a\nDescription: x\n y\n\nPackage: b\n"},
		{AGENTS_MCP_REGISTRY, "{\"servers\": [ " MCP_OLD " ,{\"name\":\"a\\\"]}b/c\"}]}"},
		{AGENTS_A2A_CARD, "[" CARD_1 ",{\"name\":\"x y\"}]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct collected whole;

		begin(files[i].format);
		collect_file(&c, str_of(files[i].text), SIZE_MAX);
		whole = c;
		assert_int_equal(whole.agents.n, 2);
		for (size_t chunk = 1; chunk < 9; chunk++) {
			begin(files[i].format);
			collect_file(&c, str_of(files[i].text), chunk);
			assert_int_equal(c.agents.n, 2);
			for (size_t k = 0; k < 2; k++)
				assert_true(str_eq(c.agents.v[k].json, whole.agents.v[k].json) &&
					    c.agents.v[k].line == whole.agents.v[k].line);
			collect_end(&c);
		}
		c = whole;
		if (i + 1 < COUNT_OF(files))
			collect_end(&c);
	}
}

/* ---- real files ---- */

static struct str read_real(const char *path)
{
	FILE *f = fopen(path, "r");
	static struct buf b;
	size_t n = 1;

	buf_free(&b);
	b = BUF_INIT(1 << 30);
	while (f && n > 0) {
		char *room = buf_room(&b, 1 << 20);

		assert_non_null(room);
		n = fread(room, 1, 1 << 20, f);
		buf_took(&b, n);
	}
	if (f)
		fclose(f);
	else
		printf("# %s is not here: not tried\n", path);
	return buf_str(&b);
}

/* 471 entries, of which 7 have no name. */
static void the_servers_of_a_real_registry_are_read(void **state)
{
	const char *given = getenv("TENFOLD_MCP_SERVERS");
	struct str text = read_real(given ? given : MCP_SERVERS);

	(void)state;
	begin(AGENTS_MCP_REGISTRY);
	if (text.n == 0)
		return;
	collect_file(&c, text, SIZE_MAX);
	assert_int_equal(c.agents.n, 464);
	assert_int_equal(c.told.n, 7);
	assert_int_equal(agent_import_repeated(c.import), 0);
}

/* Each installed package, once for all its architectures. */
static void the_packages_of_this_machine_are_read(void **state)
{
	struct str text = read_real("/var/lib/dpkg/status");

	(void)state;
	begin(AGENTS_DEBIAN);
	if (text.n == 0)
		return;
	collect_file(&c, text, SIZE_MAX);
	assert_true(c.agents.n > 50);
	for (size_t i = 0; i < c.told.n; i++)
		assert_false(c.told.v[i].refused);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(lines_are_agents_and_a_name_is_enough),
		TEST(visibility_is_that_of_the_import_where_a_line_says_none),
		TEST(an_entry_over_the_limit_is_refused_and_the_next_one_is_read),
		TEST(a_sink_that_has_enough_ends_the_import),
		TEST(records_are_agents),
		TEST(records_that_are_wrong_are_told_by_the_line_they_begin_in),
		TEST(a_first_line_that_names_no_members_ends_the_file),
		TEST(a_package_becomes_a_tool),
		TEST(a_package_of_two_lists_is_one_agent_and_the_first_counts),
		TEST(a_translation_gives_what_a_list_leaves_out),
		TEST(what_is_installed_has_long_descriptions_for_lists_too),
		TEST(oddities_of_a_stanza_are_remarks),
		TEST(servers_of_any_age_become_agents),
		TEST(members_of_today_are_known),
		TEST(older_and_deleted_versions_are_passed_over),
		TEST(a_broken_server_is_told_and_the_others_go_on),
		TEST(where_the_file_itself_is_broken_the_rest_is_left_out),
		TEST(a_card_becomes_an_agent_and_is_kept),
		TEST(a_card_is_no_server),
		TEST(cards_of_0_3_are_read_too),
		TEST(two_cards_of_one_name_are_two_agents),
		TEST(where_the_file_is_cut_into_pieces_makes_no_difference),
		TEST(the_servers_of_a_real_registry_are_read),
		TEST(the_packages_of_this_machine_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
