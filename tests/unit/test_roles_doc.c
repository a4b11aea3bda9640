/*
 * A file that a person wrote: where everything stands, what is wrong with it and where, and which member counts.
 *
 * The rows about members were measured with encoding/json of go1.26.
 */
#include "harness_arena.h"

#include "roles/doc.h"
#include "roles_kit/any_document.h"
#ifdef HAS_JANSSON
#include "json_kit/mutant.h"
#include "roles_kit/doc_oracle.h"
#endif

static struct arena *arena;

/* The text stands at the end of its memory, so that the sanitizers see a byte read too many. */
static struct str exactly(struct str text)
{
	char *p = arena_alloc(arena, text.n ? text.n : 1);

	if (text.n)
		memcpy(p, text.p, text.n);
	return (struct str){p, text.n};
}

static struct doc parsed(struct str text)
{
	struct problem p = {0};
	struct doc d;

	if (doc_parse(STR("f.json"), exactly(text), arena, &d, &p))
		fail_msg("'%.*s': %s", STRF(text), p.detail);
	return d;
}

static void assert_place(struct place place, int line, int column)
{
	assert_int_equal(place.line, line);
	assert_int_equal(place.column, column);
}

static struct str bytes_of(const struct doc *d, const struct node *n)
{
	return (struct str){d->text.p + n->from, n->to - n->from};
}

/* ---- places ---- */

static void everything_has_its_place(void **state)
{
	struct doc d = parsed(STR("\r\n{\r\n"
				  "  \"agents\": {\"caf\xc3\xa9\": { \"args\": [\"-v\", null , 12.5e3],\r\n"
				  "\t\"env\":{}}},\n"
				  "  \"k\\u0065y\" :true}\n"));
	const struct node *agents = node_member(d.root, STR("agents"));
	const struct node *agent = node_entry(agents, STR("caf\xc3\xa9"));
	const struct node *args = node_member(agent, STR("args")), *env = node_member(agent, STR("env"));
	const struct node *key = node_member(d.root, STR("key"));

	(void)state;
	assert_place(doc_place(&d, d.root), 2, 1);
	assert_place(doc_key_place(&d, agents), 3, 3);
	assert_place(doc_place(&d, agents), 3, 13);
	assert_place(doc_key_place(&d, agent), 3, 14);
	assert_place(doc_place(&d, agent), 3, 23); /* bytes, not characters */
	assert_place(doc_place(&d, args), 3, 33);
	assert_place(doc_place(&d, args->first->next->next), 3, 47);
	assert_place(doc_key_place(&d, env), 4, 2);
	assert_place(doc_place(&d, env), 4, 8);
	assert_place(doc_key_place(&d, key), 5, 3);
	assert_place(doc_place(&d, key), 5, 15);
	assert_str(bytes_of(&d, agent), "{ \"args\": [\"-v\", null , 12.5e3],\r\n\t\"env\":{}}");
	assert_str(bytes_of(&d, args->first->next->next), "12.5e3");
	assert_str(bytes_of(&d, env), "{}");
	assert_str(bytes_of(&d, key), "true");
	assert_int_equal(d.root->count, 2);
	assert_int_equal(args->count, 3);
	assert_int_equal(env->count, 0);
	assert_null(d.root->parent);
	assert_ptr_equal(env->parent, agent);
}

static void kinds_and_texts_come_out(void **state)
{
	struct doc d = parsed(STR("[null, false, -0.5E+2, \"a\\n\\\"\", [], {}]"));
	const struct node *n = d.root->first;

	(void)state;
	assert_int_equal(d.root->kind, NODE_ARRAY);
	assert_int_equal(n->kind, NODE_NULL);
	n = n->next;
	assert_int_equal(n->kind, NODE_BOOL);
	assert_str(n->text, "false");
	n = n->next;
	assert_int_equal(n->kind, NODE_NUMBER);
	assert_str(n->text, "-0.5E+2");
	n = n->next;
	assert_int_equal(n->kind, NODE_STRING);
	assert_str(n->text, "a\n\"");
	n = n->next;
	assert_int_equal(n->kind, NODE_ARRAY);
	n = n->next;
	assert_int_equal(n->kind, NODE_OBJECT);
	assert_null(n->next);
}

static void escapes_are_read_as_go_reads_them(void **state)
{
	static const struct {
		const char *written, *read;
	} rows[] = {
		{"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
		{"\\u0041\\u00E9\\u20ac", "A\xc3\xa9\xe2\x82\xac"},
		{"\\ud83d\\ude00!", "\xf0\x9f\x98\x80!"},
		{"\\ud83d", "\xef\xbf\xbd"},
		{"\\ude00x", "\xef\xbf\xbdx"},
		{"\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
		{"\\ude00\\ude00", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\\ud83d\\u0041", "\xef\xbf\xbd\x41"},
		{"\\ud83d\\n", "\xef\xbf\xbd\n"},
		{"\\\\u0041", "\\u0041"},
		{"\x7f", "\x7f"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		struct doc d = parsed(arena_fmt(arena, "\"%s\"", rows[i].written));

		assert_row(rows[i].written, str_eqz(d.root->text, rows[i].read));
	}
}

/* ---- mistakes ---- */

#define TEXT(literal)                           \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	} /* STR() is no constant initializer */
static const struct {
	struct str text;
	const char *said;
} mistakes[] = {
	{TEXT(""), "1:1: the file is empty; write {} into it, or remove it"},
	{TEXT(" \r\n\t"), "1:1: the file is empty; write {} into it, or remove it"},
	{TEXT("\xef\xbb\xbf{}"), "1:1: a byte order mark; save the file as UTF-8 without one"},
	{TEXT("\xff\xfe{\0}\0"), "1:1: this is UTF-16; save the file as UTF-8"},
	{TEXT("{\n \"a\": \"\xe9\"}"), "2:8: a byte that is not UTF-8 (0xe9); save the file as UTF-8"},
	{TEXT("{\"a\":\n1,\0\"b\":2}"), "2:3: a NUL byte; the file is damaged, or no text"},
	/* comments */
	{TEXT("// town\n{}"), "1:1: a comment; JSON has none: take it away, or make it a member \"_comment\""},
	{TEXT("{\n  \"a\": 1, /* one */\n}"),
	 "2:11: a comment; JSON has none: take it away, or make it a member \"_comment\""},
	{TEXT("{\"a\": 1 # one\n}"),
	 "1:9: a comment; JSON has none: take it away, or make it a member \"_comment\""},
	{TEXT("{} // end"), "1:4: a comment; JSON has none: take it away, or make it a member \"_comment\""},
	/* commas and colons */
	{TEXT("{\"a\": 1,\n}"), "1:8: a comma before }; take it away"},
	{TEXT("[1, 2 , ]"), "1:7: a comma before ]; take it away"},
	{TEXT("{\n\"a\": 1,\n,\"b\": 2}"), "3:1: a comma too many; take it away"},
	{TEXT("{,}"), "1:2: a comma too many; take it away"},
	{TEXT("[1,,2]"), "1:4: a comma too many, or a value is missing before it"},
	{TEXT("{\"a\":,}"), "1:6: a comma too many, or a value is missing before it"},
	{TEXT("{\n  \"a\": {}\n  \"b\": 2\n}"), "2:10: a comma is missing behind this"},
	{TEXT("[1 2]"), "1:3: a comma is missing behind this"},
	{TEXT("[\"a\" \"b\"]"), "1:5: a comma is missing behind this"},
	{TEXT("{\"a\":1 b: 2}"), "1:7: a comma is missing behind this"},
	{TEXT("{\"a\" 1}"), "1:6: a colon is missing after \"a\""},
	{TEXT("{\"a\"}"), "1:5: a colon is missing after \"a\""},
	{TEXT("{\"a\" = 1}"), "1:6: a colon is missing after \"a\""},
	{TEXT("{\"a\":1; \"b\":2}"), "1:7: a ; where a comma or } belongs"},
	{TEXT("[1; 2]"), "1:3: a ; where a comma or ] belongs"},
	{TEXT("{\"a\":}"), "1:6: a value is missing before this }"},
	{TEXT("{\"a\"::1}"), "1:6: a : where a value belongs"},
	/* quotes */
	{TEXT("{'a': 1}"), "1:2: a quote that is none in JSON; text and names stand in \"double quotes\""},
	{TEXT("{\"a\": 'b'}"), "1:7: a quote that is none in JSON; text and names stand in \"double quotes\""},
	{TEXT("{\"a\": \xe2\x80\x9c"
	      "b\xe2\x80\x9d}"),
	 "1:7: a quote that is none in JSON; text and names stand in \"double quotes\""},
	{TEXT("{witness: 1}"), "1:2: witness without quotes; text and names stand in double quotes"},
	{TEXT("{\"a\": claude-sonnet}"),
	 "1:7: claude-sonnet without quotes; text and names stand in double quotes"},
	{TEXT("{\"a\": nemo}"), "1:7: nemo without quotes; text and names stand in double quotes"},
	{TEXT("{\"a\": True}"), "1:7: True is no JSON; did you mean true?"},
	{TEXT("{\"a\": None}"), "1:7: None is no JSON; did you mean null?"},
	{TEXT("{\"a\": nil}"), "1:7: nil is no JSON; did you mean null?"},
	{TEXT("{\"a\": no}"), "1:7: no is no JSON; did you mean false?"},
	{TEXT("{\"a\": \"b\n}"), "1:7: this text does not end on its line; close it with a \", or write \\n"},
	{TEXT("{\"a\": \"b\r\n}"), "1:7: this text does not end on its line; close it with a \", or write \\n"},
	{TEXT("{\"a\": \"b}"), "1:7: this text has no end; is the file cut off?"},
	{TEXT("{\"a\": \"b\\"), "1:7: this text has no end; is the file cut off?"},
	{TEXT("\"\t\""), "1:2: a tab inside a text; write \\t"},
	{TEXT("\"\x1b[0m\""), "1:2: a control character inside a text; write \\u001b"},
	{TEXT("\"C:\\work\""), "1:4: \\w means nothing; a backslash itself is written \\\\"},
	{TEXT("\"\\\xc3\xa9\""), "1:2: \\\xc3\xa9 means nothing; a backslash itself is written \\\\"},
	{TEXT("\"\\\n\""), "1:2: \\ means nothing; a backslash itself is written \\\\"},
	{TEXT("\"\\u12x4\""), "1:2: \\u needs four hexadecimal digits"},
	{TEXT("\"\\u12"), "1:2: \\u needs four hexadecimal digits"},
	{TEXT("\"a\\u0000\""), "1:3: \\u0000 can be handed to no program; take it out"},
	/* numbers */
	{TEXT("[01]"), "1:2: a number may not begin with 0"},
	{TEXT("[-]"), "1:3: a digit is missing in this number"},
	{TEXT("[1.]"), "1:4: a digit is missing in this number"},
	{TEXT("[1e+]"), "1:5: a digit is missing in this number"},
	{TEXT("[.5]"), "1:2: a . where a value belongs"},
	{TEXT("[+1]"), "1:2: a + where a value belongs"},
	{TEXT("[0x1f]"), "1:3: a comma is missing behind this"},
	/* ends and brackets */
	{TEXT("{\n  \"a\": {\n    \"b\": 1"),
	 "3:11: the file ends inside the object that begins at 2:8; is it cut off, or a } missing?"},
	{TEXT("[1, "), "1:5: the file ends inside the array that begins at 1:1; is it cut off, or a ] missing?"},
	{TEXT("{"), "1:2: the file ends inside the object that begins at 1:1; is it cut off, or a } missing?"},
	{TEXT("{\"a\":"),
	 "1:6: the file ends inside the object that begins at 1:1; is it cut off, or a } missing?"},
	{TEXT("{\"a\""), "1:5: the file ends inside the object that begins at 1:1; is it cut off, or a } missing?"},
	{TEXT("{\"a\": [1}"), "1:9: a } where a ] belongs: the array begins at 1:7"},
	{TEXT("{\"a\": 1]"), "1:8: a ] where a } belongs: the object begins at 1:1"},
	{TEXT("{]"), "1:2: a ] where a } belongs: the object begins at 1:1"},
	{TEXT("{}}"), "1:3: a } too many; take it away"},
	{TEXT("{},"), "1:3: a comma behind the last bracket; take it away"},
	{TEXT("{}\n{}"), "2:1: text behind the end of the value; take it away"},
	{TEXT("}"), "1:1: a value is missing before this }"},
	{TEXT("\x01"), "1:1: a control character (0x01) where a value belongs; take it away"},
	{TEXT("{\xc3\xa9: 1}"), "1:2: a \xc3\xa9 where a name in double quotes belongs"},
	{TEXT("{1: 2}"), "1:2: a 1 where a name in double quotes belongs"},
};

static void mistakes_are_told_with_their_place_and_the_remedy(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(mistakes); i++) {
		struct str said = arena_fmt(arena, "f.json:%s", mistakes[i].said);
		struct problem p = {0};
		struct doc d;
		int line, column;

		assert_int_equal(doc_parse(STR("f.json"), exactly(mistakes[i].text), arena, &d, &p), ERR_MALFORMED);
		if (!str_eqz(said, p.detail))
			fail_msg("'%.*s'\n  says   %s\n  wanted %s", STRF(mistakes[i].text), p.detail, said.p);
		assert_int_equal(sscanf(mistakes[i].said, "%d:%d", &line, &column), 2);
		assert_int_equal(p.line, line);
		assert_int_equal(p.column, column);
		assert_int_equal(p.err, ERR_MALFORMED);
		assert_null(d.root);
	}
}

static void a_long_word_does_not_fill_the_sentence(void **state)
{
	struct problem p = {0};
	struct str many = arena_fmt(arena, "%0500d", 0);
	struct doc d;

	(void)state;
	doc_parse(STR("f.json"), arena_fmt(arena, "{\"%s\" 1}", many.p), arena, &d, &p);
	assert_string_equal(p.detail, "f.json:1:505: a colon is missing after this name");
	doc_parse(STR("f.json"), arena_fmt(arena, "{a%s: 1}", many.p), arena, &d, &p);
	assert_true(strlen(p.detail) < 120 && strstr(p.detail, "without quotes; text and names"));
}

static struct str nested(unsigned depth)
{
	char *p = arena_alloc(arena, (size_t)2 * depth);

	memset(p, '[', depth);
	memset(p + depth, ']', depth);
	return (struct str){p, (size_t)2 * depth};
}

static void depth_and_size_have_bounds(void **state)
{
	static char large[DOC_MAX_BYTES + 1];
	struct problem p = {0};
	struct doc d;

	(void)state;
	parsed(nested(DOC_DEPTH_MAX));
	assert_int_equal(doc_parse(STR("f.json"), nested(DOC_DEPTH_MAX + 1), arena, &d, &p), ERR_MALFORMED);
	assert_string_equal(p.detail, "f.json:1:65: nested deeper than 64");
	memset(large, ' ', sizeof(large));
	memcpy(large, "{}", 2);
	assert_int_equal(doc_parse(STR("f.json"), (struct str){large, DOC_MAX_BYTES}, arena, &d, &p), OK);
	assert_int_equal(doc_parse(STR("f.json"), (struct str){large, sizeof(large)}, arena, &d, &p),
			 ERR_TOO_LARGE);
	assert_string_equal(p.detail, "f.json: has 8388609 bytes; 8388608 are the most");
}

static void a_full_arena_is_an_error_wherever_it_happens(void **state)
{
	struct str text = STR("{\"a\": [1, {\"b\\n\": \"c\\n\"}],\n\"d\": {}}");
	struct problem p = {0};
	unsigned failures = 0;
	enum err e = ERR_TOO_LARGE;
	struct doc d;

	(void)state;
	for (size_t room = 0; e != OK; room += 8) {
		struct arena *small = arena_new(room);

		e = doc_parse(STR("f.json"), text, small, &d, &p);
		assert_true(e == OK || (e == ERR_TOO_LARGE && !d.root && p.err == e));
		failures += e != OK;
		arena_destroy(&small);
		assert_true(room < 4096);
	}
	assert_true(failures > 10);
}

/* ---- which member counts ---- */

static void a_field_is_found_in_any_case_and_the_last_one_counts(void **state)
{
	static const struct {
		const char *text, *field, *value; /* value NULL: not found */
	} rows[] = {
		{"{\"default_agent\": 1, \"DEFAULT_AGENT\": 2}", "default_agent", "2"},
		{"{\"DEFAULT_AGENT\": 1, \"default_agent\": 2}", "default_agent", "2"},
		{"{\"default_agent\": 1, \"default_agent\": 2}", "default_agent", "2"},
		{"{\"default\\u005fagent\": 1}", "default_agent", "1"},
		{"{\"arg\xc5\xbf\": 1}", "args", "1"},        /* long s */
		{"{\"wor\xe2\x84\xaa\": 1}", "work", "1"},    /* Kelvin */
		{"{\"\xe2\x84\xaa\xc5\xbf\": 1}", "ks", "1"}, /* nothing else */
		{"{\"agent\": 1, \"agents_\": 2}", "agents", NULL},
		{"{\"agent\": 1}", "agen", NULL},
		{"{\"agen\": 1}", "agent", NULL},
		{"{\"caf\xc3\x89\": 1}", "caf\xc3\xa9", NULL}, /* no field has such letters: not folded */
		{"{\"[\": 1}", "{", NULL},                     /* 0x20 apart, but no letters */
		{"{\"@\": 1}", "`", NULL},
		{"{}", "a", NULL},
		{"[1]", "", NULL},
		{"null", "a", NULL},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		struct doc d = parsed(str_of(rows[i].text));
		const struct node *n = node_member(d.root, str_of(rows[i].field));

		assert_row(rows[i].text, rows[i].value ? n && str_eqz(n->text, rows[i].value) : !n);
	}
	assert_null(node_member(NULL, STR("a")));
}

static void keys_of_a_map_keep_their_case(void **state)
{
	struct doc d = parsed(STR("{\"witness\": 1, \"Witness\": 2, \"witness\": 3, \"arg\xc5\xbf\": 4}"));

	(void)state;
	assert_str(node_entry(d.root, STR("witness"))->text, "3");
	assert_str(node_entry(d.root, STR("Witness"))->text, "2");
	assert_null(node_entry(d.root, STR("WITNESS")));
	assert_null(node_entry(d.root, STR("args")));
	assert_null(node_entry(NULL, STR("a")));
	assert_null(node_entry(parsed(STR("[1]")).root, (struct str){0}));
}

/* ---- random documents ---- */

static void assert_spans(const struct doc *d, const struct node *n, uint32_t from, uint32_t to)
{
	uint32_t at = n->from;

	assert_true(from <= n->from && n->from < n->to && n->to <= to);
	assert_int_equal(doc_place(d, n).column, n->from - d->lines[doc_place(d, n).line - 1] + 1);
	for (const struct node *child = n->first; child; child = child->next) {
		if (n->kind == NODE_OBJECT) {
			assert_true(at < child->key_from && child->key_from < child->key_to);
			assert_true(child->key_to < child->from && d->text.p[child->key_from] == '"' &&
				    d->text.p[child->key_to - 1] == '"');
		}
		assert_spans(d, child, at + 1, n->to - 1);
		at = child->to;
	}
}

/* What stands between from and to of any value is that value. */
static void assert_each_value_stands_alone(const struct node *n, const struct doc *d)
{
	struct doc again;

	assert_int_equal(doc_parse(STR("g"), bytes_of(d, n), arena, &again, NULL), OK);
	assert_int_equal(again.root->kind, n->kind);
	assert_true(str_eq(again.root->text, n->text) && again.root->count == n->count);
	for (const struct node *child = n->first; child; child = child->next)
		assert_each_value_stands_alone(child, d);
}

static void spans_nest_and_hold_their_values(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		struct doc d = parsed(any_document(&r, arena));

		assert_spans(&d, d.root, 0, (uint32_t)d.text.n);
		assert_each_value_stands_alone(d.root, &d);
		arena_reset(arena);
	}
}

#ifdef HAS_JANSSON
enum { DOCUMENTS = 4000, CHANGES = 8 };

static void compare(struct str text, unsigned *valid, unsigned *invalid)
{
	struct problem p = {0};
	const char *differ;
	struct doc d;

	text = exactly(text);
	doc_parse(STR("f"), text, arena, &d, &p);
	differ = doc_oracle(&d, &p);
	if (differ)
		fail_msg("%s, we say '%s': %.*s", differ, d.root ? "valid" : p.detail, STRF(text));
	*valid += d.root != NULL;
	*invalid += d.root == NULL;
}

static void jansson_takes_the_same_documents_and_reads_the_same_values(void **state)
{
	struct rng r = test_seed();
	unsigned valid = 0, invalid = 0;

	(void)state;
	for (unsigned i = 0; i < DOCUMENTS; i++) {
		struct str text = any_document(&r, arena);
		struct mutant m = {.n = text.n < MUTANT_MAX ? text.n : MUTANT_MAX};

		compare(text, &valid, &invalid);
		memcpy(m.bytes, text.p, m.n);
		for (unsigned k = 0; k < CHANGES; k++) {
			mutant_change(&m, &r);
			compare((struct str){m.bytes, m.n}, &valid, &invalid);
		}
		arena_reset(arena);
	}
	printf("# %u valid, %u invalid\n", valid, invalid);
	assert_true(valid > DOCUMENTS && invalid > DOCUMENTS); /* both sides of the line are explored */
}
#endif

int main(void)
{
#define TEST(name) ARENA_TEST(name, arena)
	const struct CMUnitTest tests[] = {
		TEST(everything_has_its_place),
		TEST(kinds_and_texts_come_out),
		TEST(escapes_are_read_as_go_reads_them),
		TEST(mistakes_are_told_with_their_place_and_the_remedy),
		TEST(a_long_word_does_not_fill_the_sentence),
		TEST(depth_and_size_have_bounds),
		TEST(a_full_arena_is_an_error_wherever_it_happens),
		TEST(a_field_is_found_in_any_case_and_the_last_one_counts),
		TEST(keys_of_a_map_keep_their_case),
		TEST(spans_nest_and_hold_their_values),
#ifdef HAS_JANSSON
		TEST(jansson_takes_the_same_documents_and_reads_the_same_values),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
