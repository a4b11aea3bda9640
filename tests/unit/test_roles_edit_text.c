/*
 * A change to a file is that change and nothing else: by examples, and by what holds for any document.
 */
#include "harness_arena.h"

#include "base/buf.h"
#include "roles_kit/any_document.h"
#include "roles_kit/edits.h"
#include "roles_kit/memory_files.h"

static struct arena *arena;

static struct doc parsed(struct str text)
{
	struct doc d = {.path = STR("f.json")};
	struct problem p = {0};

	if (text.n && doc_parse(STR("f.json"), text, arena, &d, &p))
		fail_msg("%.*s\n%s", STRF(text), p.detail);
	return d;
}

/* value NULL: unset */
static enum err change(struct str text, const struct way *w, const char *value, struct str *out, struct problem *p)
{
	struct doc d = parsed(text);

	return value ? edit_set(&d, w->keys, w->depth, str_of(value), arena, out, p)
		     : edit_unset(&d, w->keys, w->depth, arena, out, p);
}

static struct str changed(struct str text, const struct way *w, const char *value)
{
	struct problem p = {0};
	struct str out;

	if (change(text, w, value, &out, &p))
		fail_msg("%.*s\n%s", STRF(text), p.detail);
	return out;
}

struct example {
	const char *before, *way, *value, *after; /* after NULL: as before */
};

static void try_examples(const struct example *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct way w = way_of(str_of(v[i].way));
		struct str out = changed(str_of(v[i].before), &w, v[i].value);
		const char *wanted = v[i].after ? v[i].after : v[i].before;

		if (!str_eqz(out, wanted))
			fail_msg("%s = %s in\n%s\ngives\n%.*s\nwanted\n%s", v[i].way,
				 v[i].value ? v[i].value : "nothing", v[i].before, STRF(out), wanted);
	}
}

/* ---- examples ---- */

static void a_value_is_replaced_where_it_counts(void **state)
{
	static const struct example examples[] = {
		{"{\n  \"role_agents\": {\n    \"witness\": \"claude\",\n    \"polecat\": \"codex\"\n  }\n}\n",
		 "role_agents/:witness", "\"gemini\"",
		 "{\n  \"role_agents\": {\n    \"witness\": \"gemini\",\n    \"polecat\": \"codex\"\n  }\n}\n"},
		{"{\"default_agent\" :\t\"a\" , \"x\":1}", "default_agent", "\"b\"",
		 "{\"default_agent\" :\t\"b\" , \"x\":1}"},
		{"{\"Default_Agent\": \"a\"}", "default_agent", "\"b\"", "{\"Default_Agent\": \"b\"}"},
		{"{\"default\\u005fagent\": \"a\"}", "default_agent", "\"b\"", "{\"default\\u005fagent\": \"b\"}"},
		{"{\"agent\": 1, \"AGENT\": 2}", "agent", "3", "{\"agent\": 1, \"AGENT\": 3}"},
		{"{\"agent\": 1, \"agent\": null}", "agent", "3", "{\"agent\": 1, \"agent\": 3}"},
		/* keys of a map keep their case */
		{"{\"role_agents\": {\"Witness\": \"a\"}}", "role_agents/:witness", "\"b\"",
		 "{\"role_agents\": {\"Witness\": \"a\", \"witness\": \"b\"}}"},
		/* maps that are merged */
		{"{\"role_agents\": {\"witness\": \"a\"}, \"ROLE_AGENTS\": {\"mayor\": \"a\"}}",
		 "role_agents/:witness", "\"b\"",
		 "{\"role_agents\": {\"witness\": \"b\"}, \"ROLE_AGENTS\": {\"mayor\": \"a\"}}"},
		{"{\"role_agents\": {\"witness\": \"a\"}, \"role_agents\": {\"witness\": \"b\"}}",
		 "role_agents/:witness", "\"c\"",
		 "{\"role_agents\": {\"witness\": \"a\"}, \"role_agents\": {\"witness\": \"c\"}}"},
		/* entries that are replaced: the first x is not read */
		{"{\"agents\": {\"x\": {\"command\": \"a\"}, \"x\": {}}}", "agents/:x/command", "\"b\"",
		 "{\"agents\": {\"x\": {\"command\": \"a\"}, \"x\": {\"command\": \"b\"}}}"},
		/* null has forgotten what stood before it */
		{"{\"role_agents\": {\"witness\": \"a\"}, \"role_agents\": null}", "role_agents/:witness", "\"b\"",
		 "{\"role_agents\": {\"witness\": \"a\"}, \"role_agents\": null, \"role_agents\": {\"witness\": "
		 "\"b\"}}"},
		{"{\"agents\": {\"x\": {\"args\": []}, \"x\": null}}", "agents/:x/command", "\"b\"",
		 "{\"agents\": {\"x\": {\"args\": []}, \"x\": {\"command\": \"b\"}}}"},
		{"{\"role_agents\": {\"witness\": \"a\"}, \"role_agents\": null, \"role_agents\": {}}",
		 "role_agents/:witness", "\"b\"",
		 "{\"role_agents\": {\"witness\": \"a\"}, \"role_agents\": null, \"role_agents\": {\"witness\": "
		 "\"b\"}}"},
		/* an object would be merged with an earlier one, and a null would leave an earlier text */
		{"{\"runtime\": {\"command\": \"a\"}, \"x\": 1, \"Runtime\": {\"args\": []}}", "runtime",
		 "{\"env\": {}}", "{\"x\": 1, \"Runtime\": {\"env\": {}}}"},
		{"{\"agent\": \"a\", \"agent\": \"b\"}", "agent", "null", "{\"agent\": null}"},
		{"{\"agents\": {\"x\": 1, \"x\": 2}}", "agents/:x", "{}", "{\"agents\": {\"x\": 1, \"x\": {}}}"},
	};

	(void)state;
	try_examples(examples, COUNT_OF(examples));
}

static void a_new_member_looks_like_its_neighbours(void **state)
{
	static const struct example examples[] = {
		{"{\n\t\"a\": 1\n}", "b", "2", "{\n\t\"a\": 1,\n\t\"b\": 2\n}"},
		{"{\n    \"a\" : 1\n}", "b", "2", "{\n    \"a\" : 1,\n    \"b\" : 2\n}"},
		{"{\r\n  \"a\": 1\r\n}\r\n", "b", "2", "{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}\r\n"},
		{"{\n  \"a\": 1,\n\n  \"b\": 2\n\n}", "c", "3", "{\n  \"a\": 1,\n\n  \"b\": 2,\n  \"c\": 3\n\n}"},
		{"{\n\"a\": 1\n}", "b", "2", "{\n\"a\": 1,\n\"b\": 2\n}"},
		/* on one line */
		{"{\"a\":1}", "b", "2", "{\"a\":1,\"b\":2}"},
		{"{\"a\": 1}", "b", "2", "{\"a\": 1, \"b\": 2}"},
		{"{ \"a\": 1,\"b\": 2 }", "c", "3", "{ \"a\": 1,\"b\": 2,\"c\": 3 }"},
		{"{\n  \"a\": 1, \"b\": 2\n}", "c", "3", "{\n  \"a\": 1, \"b\": 2, \"c\": 3\n}"},
		{"{\n  \"a\": { \"b\": 1 },\n  \"c\": 2\n}", "a/d", "3",
		 "{\n  \"a\": { \"b\": 1, \"d\": 3 },\n  \"c\": 2\n}"},
		/* aligned colons are not copied */
		{"{\"a\"     : 1}", "b", "2", "{\"a\"     : 1, \"b\": 2}"},
		{"{\"a\":\n1}", "b", "2", "{\"a\":\n1, \"b\": 2}"},
		/* into empty objects */
		{"{}", "b", "2", "{\n  \"b\": 2\n}"},
		{"{ }\n", "b", "2", "{\n  \"b\": 2\n}\n"},
		{"{\r\n}", "b", "2", "{\r\n  \"b\": 2\r\n}"},
		{"{\n\t\"a\": {}\n}", "a/b", "2", "{\n\t\"a\": {\n\t\t\"b\": 2\n\t}\n}"},
		{"{\n\t\"a\": {\n\t}\n}", "a/b", "2", "{\n\t\"a\": {\n\t\t\"b\": 2\n\t}\n}"},
		{"{\n\t\"a\": 1, \"b\": {\n\t}\n}", "b/c", "2", "{\n\t\"a\": 1, \"b\": {\n\t\t\"c\": 2\n\t}\n}"},
		{"{\"a\": {}}", "a/b", "2", "{\"a\": {\"b\": 2}}"},
		{"{\"a\":{ }}", "a/b", "2", "{\"a\":{\"b\":2}}"},
		/* objects on the way */
		{"{\n  \"a\": 1\n}", "role_agents/:witness", "\"x\"",
		 "{\n  \"a\": 1,\n  \"role_agents\": {\n    \"witness\": \"x\"\n  }\n}"},
		{"{\r\n\t\"a\": 1\r\n}", "rigs/:alpha/role_agents/:witness", "\"x\"",
		 "{\r\n\t\"a\": 1,\r\n\t\"rigs\": {\r\n\t\t\"alpha\": {\r\n\t\t\t\"role_agents\": "
		 "{\r\n\t\t\t\t\"witness\": "
		 "\"x\"\r\n\t\t\t}\r\n\t\t}\r\n\t}\r\n}"},
		{"{\"a\":1}", "role_agents/:witness", "\"x\"", "{\"a\":1,\"role_agents\":{\"witness\":\"x\"}}"},
		{"{\n  \"role_agents\": null\n}", "role_agents/:witness", "\"x\"",
		 "{\n  \"role_agents\": {\n    \"witness\": \"x\"\n  }\n}"},
		{"{\"role_agents\": null}", "role_agents/:witness", "\"x\"",
		 "{\"role_agents\": {\"witness\": \"x\"}}"},
		/* names are written so that they are read back */
		{"{\"a\": 1}", ":q\"uo\\te\n", "2", "{\"a\": 1, \"q\\\"uo\\\\te\\n\": 2}"},
	};

	(void)state;
	try_examples(examples, COUNT_OF(examples));
}

static void a_value_of_several_lines_takes_the_layout_of_its_place(void **state)
{
#define RUNTIME "{\n  \"command\": \"claude\",\n  \"args\": [\n    \"--model\",\n    \"a\\nb\"\n  ]\n}"
	static const struct example examples[] = {
		{"{\r\n\t\"agents\": {}\r\n}", "agents/:x", RUNTIME,
		 "{\r\n\t\"agents\": {\r\n\t\t\"x\": {\r\n\t\t\t\"command\": \"claude\",\r\n\t\t\t\"args\": "
		 "[\r\n\t\t\t\t"
		 "\"--model\",\r\n\t\t\t\t\"a\\nb\"\r\n\t\t\t]\r\n\t\t}\r\n\t}\r\n}"},
		{"{\"agents\": {}}", "agents/:x", RUNTIME,
		 "{\"agents\": {\"x\": {\"command\": \"claude\", \"args\": [\"--model\", \"a\\nb\"]}}}"},
		{"{\"agents\":{}}", "agents/:x", RUNTIME,
		 "{\"agents\":{\"x\":{\"command\": \"claude\",\"args\": [\"--model\",\"a\\nb\"]}}}"},
		{"", "agents/:x", "[\r\n  1,\r\n  2\r\n]",
		 "{\n  \"agents\": {\n    \"x\": [\n      1,\n      2\n    ]\n  }\n}\n"},
	};

	(void)state;
	try_examples(examples, COUNT_OF(examples));
}

static void what_is_missing_or_null_becomes_a_file(void **state)
{
	static const struct example examples[] = {
		{"", "role_agents/:witness", "\"x\"", "{\n  \"role_agents\": {\n    \"witness\": \"x\"\n  }\n}\n"},
		{"null", "a", "1", "{\n  \"a\": 1\n}"},
		{"\nnull\n", "a", "1", "\n{\n  \"a\": 1\n}\n"},
		{"null\r\n", "a", "1", "{\r\n  \"a\": 1\r\n}\r\n"},
		{"", "a/b", NULL, NULL},
		{"null", "a", NULL, NULL},
	};

	(void)state;
	try_examples(examples, COUNT_OF(examples));
}

static void a_member_goes_with_its_comma_and_its_lines(void **state)
{
	static const struct example examples[] = {
		{"{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", "a", NULL, "{\n  \"b\": 2,\n  \"c\": 3\n}"},
		{"{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", "b", NULL, "{\n  \"a\": 1,\n  \"c\": 3\n}"},
		{"{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", "c", NULL, "{\n  \"a\": 1,\n  \"b\": 2\n}"},
		{"{\r\n\t\"a\": {\r\n\t\t\"x\": 1\r\n\t},\r\n\t\"b\": 2\r\n}\r\n", "a", NULL,
		 "{\r\n\t\"b\": 2\r\n}\r\n"},
		{"{\n  \"a\": 1,\n\n  \"b\": 2,\n\n  \"c\": 3\n}", "b", NULL, "{\n  \"a\": 1,\n\n  \"c\": 3\n}"},
		{"{\n  \"a\": {\n    \"x\": 1\n  }\n}", "a/x", NULL, "{\n  \"a\": {\n  }\n}"},
		/* on one line */
		{"{\"a\": 1, \"b\": 2, \"c\": 3}", "a", NULL, "{\"b\": 2, \"c\": 3}"},
		{"{\"a\": 1, \"b\": 2, \"c\": 3}", "b", NULL, "{\"a\": 1, \"c\": 3}"},
		{"{\"a\": 1, \"b\": 2, \"c\": 3}", "c", NULL, "{\"a\": 1, \"b\": 2}"},
		{"{ \"a\": 1 , \"b\": 2 }", "a", NULL, "{ \"b\": 2 }"},
		{"{ \"a\": 1 , \"b\": 2 }", "b", NULL, "{ \"a\": 1 }"},
		{"{\"a\": 1}", "a", NULL, "{}"},
		{"{\n  \"a\": 1, \"b\": 2\n}", "a", NULL, "{\n  \"b\": 2\n}"},
		{"{\"a\": 1,\n \"b\": 2}", "a", NULL, "{\n \"b\": 2}"},
		/* every one that would be read */
		{"{\"agent\": 1, \"x\": 0, \"AGENT\": 2, \"agent\": 3}", "agent", NULL, "{\"x\": 0}"},
		{"{\"agent\": 1, \"AGENT\": 2}", "agent", NULL, "{}"},
		{"{\"agent\": 1, \"AGENT\": 2, \"x\": 0}", "agent", NULL, "{\"x\": 0}"},
		{"{\"x\": 0, \"agent\": 1, \"AGENT\": 2, \"y\": 0}", "agent", NULL, "{\"x\": 0, \"y\": 0}"},
		{"{\"r\": {\"a\": 1, \"b\": 2}, \"R\": null, \"r\": {\"a\": 3}}", "r/:a", NULL,
		 "{\"r\": {\"b\": 2}, \"R\": null, \"r\": {}}"},
		/* and no other */
		{"{\"r\": {\"witness\": 1, \"Witness\": 2}}", "r/:Witness", NULL, "{\"r\": {\"witness\": 1}}"},
		{"{\"r\": {\"x\": {\"a\": 1}, \"x\": {\"a\": 2}}}", "r/:x/a", NULL,
		 "{\"r\": {\"x\": {\"a\": 1}, \"x\": {}}}"},
		{"{\"r\": {\"a\": 1}}", "r/:b", NULL, NULL},
		{"{\"r\": [1]}", "r/:b", NULL, NULL},
		{"{\"r\": null}", "r/:b/c", NULL, NULL},
		{"[{\"r\": 1}]", "r", NULL, NULL},
		{"[1]", "", NULL, NULL}, /* an element is no member without a name */
		{"{\"r\": 1}", "\xff", NULL, NULL},
	};

	(void)state;
	try_examples(examples, COUNT_OF(examples));
}

static void what_cannot_be_done_is_told_and_nothing_comes_out(void **state)
{
	static const struct {
		const char *text, *way, *value, *said;
	} rows[] = {
		{"{\n  \"role_agents\": \"claude\"\n}", "role_agents/:witness", "\"x\"",
		 "f.json:2:18: role_agents is a text, not an object; correct it first"},
		{"{\"a\": {\"b\": []}}", "a/b/c", "1", "f.json:1:13: b is a list, not an object; correct it first"},
		{"[]", "a", "1", "f.json:1:1:  is a list, not an object; correct it first"},
		{"{}", "a", "gemini",
		 "the new value:1:1: gemini without quotes; text and names stand in double quotes"},
		{"{}", "a", "1, \"b\": 2", "the new value:1:2: a comma behind the last bracket; take it away"},
		{"{}", "a", "", "the new value:1:1: the file is empty; write {} into it, or remove it"},
		{"{}", "\xff", "1", "a name that is not UTF-8 cannot be written into a file"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct way w = way_of(str_of(rows[i].way));
		struct problem p = {0};
		struct str out = {0};

		assert_int_equal(change(str_of(rows[i].text), &w, rows[i].value, &out, &p), ERR_INVALID);
		assert_string_equal(p.detail, rows[i].said);
		assert_int_equal(p.err, ERR_INVALID);
	}
}

static void a_change_that_could_not_be_read_is_not_made(void **state)
{
	struct edit_key nul = {STR("a\0b"), true};
	struct doc d = parsed(STR("{}"));
	struct way deep = {.depth = WAY_STEPS};
	struct buf nested = BUF_INIT(0);
	struct problem p = {0};
	struct str out;

	(void)state;
	assert_int_equal(edit_set(&d, &nul, 1, STR("1"), arena, &out, &p), ERR_INVALID);
	assert_true(strstr(p.detail, "this change would spoil the file: f.json:2:5: \\u0000") != NULL);
	for (int i = 0; i < DOC_DEPTH_MAX - 1; i++)
		buf_z(&nested, "[");
	for (int i = 0; i < DOC_DEPTH_MAX - 1; i++)
		buf_z(&nested, "]");
	deep.depth = 1;
	assert_int_equal(change(STR("{}"), &deep, buf_cstr(&nested), &out, &p), OK);
	deep.depth = 2;
	assert_int_equal(change(STR("{}"), &deep, buf_cstr(&nested), &out, &p), ERR_INVALID);
	assert_true(strstr(p.detail, "nested deeper than 64") != NULL);
	buf_free(&nested);
}

static void a_full_arena_is_an_error(void **state)
{
	struct way w = way_of(STR("role_agents/:witness"));
	struct doc d = parsed(STR("{\"a\": 1}"));
	enum err e = ERR_TOO_LARGE;
	unsigned failures = 0;
	struct problem p;
	struct str out;

	(void)state;
	for (size_t room = 0; e != OK; room += 8, failures += e != OK) {
		struct arena *small = arena_new(room);

		e = edit_set(&d, w.keys, w.depth, STR("\"x\""), small, &out, &p);
		assert_true(e == OK || e == ERR_TOO_LARGE || e == ERR_INVALID);
		arena_destroy(&small);
		assert_true(room < 4096);
	}
	assert_true(failures > 2);
}

/* ---- what holds for any document ---- */

static void any_change_to_any_document_is_that_change_only(void **state)
{
	struct rng r = test_seed();
	unsigned set = 0, unset = 0;

	(void)state;
	for (unsigned i = 0; i < 6000; i++) {
		struct doc d = parsed(any_document(&r, arena));
		struct way w = any_way(&r, &d);
		struct str out;
		const char *wrong = judge_set(&d, &w, any_value(&r), arena, &out);

		if (wrong)
			fail_msg("%s:\n%.*s\nbecame\n%.*s", wrong, STRF(d.text), STRF(out));
		set += out.p != NULL;
		wrong = judge_unset(&d, &w, arena, &out);
		if (wrong)
			fail_msg("%s:\n%.*s\nbecame\n%.*s", wrong, STRF(d.text), STRF(out));
		unset += out.n < d.text.n;
		arena_reset(arena);
	}
	printf("# %u set, %u unset\n", set, unset);
	assert_true(set > 3000 && unset > 1000);
}

/* Into an object that has members; where there was none, white space between the brackets is not remembered. */
static void what_was_put_in_and_taken_out_leaves_no_trace(void **state)
{
	struct way w = way_of(STR("never_there"));
	struct rng r = test_seed();
	unsigned tried = 0;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct str text = any_document(&r, arena), value = any_value(&r);

		if (parsed(text).root->count) {
			struct str with = changed(text, &w, arena_z(arena, value));

			assert_false(str_eq(with, text));
			assert_true(str_eq(changed(with, &w, NULL), text));
			tried++;
		}
		arena_reset(arena);
	}
	assert_true(tried > 2000);
}

/* ---- written ---- */

struct torn {
	struct memory_files *m;
	const char *before; /* NULL: there is no file */
	struct way way;
	struct str value, after; /* value p NULL: unset */
};

static void begin_torn(void *arg)
{
	const struct torn *t = arg;

	memory_files_remove(t->m, "config.json");
	if (t->before)
		memory_files_put(t->m, "config.json", t->before);
}

/* As role_set() does it: read, change, write when nobody else has. */
static void change_torn(void *arg)
{
	const struct torn *t = arg;
	struct files *f = &t->m->files;
	struct doc d = {.path = STR("config.json")};
	struct stamp was = {0};
	struct str text, out;

	if (f->read(f, "config.json", DOC_MAX_BYTES, arena, &text, &was, NULL) == OK)
		d = parsed(text);
	assert_int_equal(t->value.p ? edit_set(&d, t->way.keys, t->way.depth, t->value, arena, &out, NULL)
				    : edit_unset(&d, t->way.keys, t->way.depth, arena, &out, NULL),
			 OK);
	f->write(f, "config.json", out, &was, NULL);
}

static void look_at_torn(void *arg, bool done)
{
	const struct torn *t = arg;
	struct str text = memory_files_text(t->m, "config.json");
	bool is_old = t->before ? str_eqz(text, t->before) : !text.p;

	assert_true(str_eq(text, t->after) || (!done && is_old));
}

static void an_edit_cut_at_any_step_leaves_the_old_file_or_the_new_one(void **state)
{
	struct memory_files *m = memory_files_new();
	const struct torn changes[] = {
		{m, "{\n  \"a\": 1\n}", way_of(STR("b")), STR("2"), STR("{\n  \"a\": 1,\n  \"b\": 2\n}")},
		{m, "{\n  \"a\": 1\n}", way_of(STR("a")), STR("2"), STR("{\n  \"a\": 2\n}")},
		{m, "{\"a\": 1, \"b\": 2}", way_of(STR("a")), {0}, STR("{\"b\": 2}")},
		{m, NULL, way_of(STR("a")), STR("1"), STR("{\n  \"a\": 1\n}\n")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct torn t = changes[i];
		const struct memory_files_trial trial = {begin_torn, change_torn, look_at_torn, &t};

		assert_int_equal(memory_files_cut_everywhere(m, &trial), 2 * MEMORY_WRITE_STEPS);
	}
	memory_files_destroy(&m);
}

int main(void)
{
#define TEST(name) ARENA_TEST(name, arena)
	const struct CMUnitTest tests[] = {
		TEST(a_value_is_replaced_where_it_counts),
		TEST(a_new_member_looks_like_its_neighbours),
		TEST(a_value_of_several_lines_takes_the_layout_of_its_place),
		TEST(what_is_missing_or_null_becomes_a_file),
		TEST(a_member_goes_with_its_comma_and_its_lines),
		TEST(what_cannot_be_done_is_told_and_nothing_comes_out),
		TEST(a_change_that_could_not_be_read_is_not_made),
		TEST(a_full_arena_is_an_error),
		TEST(any_change_to_any_document_is_that_change_only),
		TEST(what_was_put_in_and_taken_out_leaves_no_trace),
		TEST(an_edit_cut_at_any_step_leaves_the_old_file_or_the_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
