/* The real tables: that each row makes sense, and that each type comes back from its own JSON. */
#include "harness.h"

#include "json_kit/fill.h"
#include "spec/types.h"

#include <ctype.h>

/* Members of formats that are not ours are spelled as theirs are. */
static bool is_of_others(const struct json_type *t)
{
	return strncmp(t->name, "mcp_", 4) == 0 || strncmp(t->name, "a2a_", 4) == 0 ||
	       strncmp(t->name, "external_metric", 15) == 0;
}

static bool is_word_of(const struct json_type *t, unsigned char c)
{
	return islower(c) || isdigit(c) || c == '_' || (isupper(c) && is_of_others(t));
}

static void names_are_words_and_distinct(void **state)
{
	(void)state;
	for (unsigned i = 0; i < spec_type_count; i++) {
		const struct json_type *t = spec_types[i];

		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(t->name, spec_types[k]->name);
		for (uint32_t k = 0; k < t->field_count; k++) {
			const struct json_field *f = &t->fields[k];

			for (const char *c = f->name; *c; c++)
				assert_true(is_word_of(t, (unsigned char)*c));
			assert_ptr_equal(json_field_by_name(t, str_of(f->name)), f);
		}
	}
}

static void the_ready_made_key_is_the_quoted_name(void **state)
{
	char wanted[128];

	(void)state;
	for (unsigned i = 0; i < spec_type_count; i++)
		for (uint32_t k = 0; k < spec_types[i]->field_count; k++) {
			const struct json_field *f = &spec_types[i]->fields[k];

			snprintf(wanted, sizeof(wanted), ",\"%s\":", f->name);
			assert_string_equal(f->key, wanted);
			assert_int_equal(f->name_length, strlen(f->name));
			assert_int_equal(strlen(f->key), f->name_length + 4);
		}
}

static void everything_is_documented(void **state)
{
	(void)state;
	for (unsigned i = 0; i < spec_type_count; i++) {
		const struct json_type *t = spec_types[i];

		assert_true(strlen(t->doc) > 0);
		for (uint32_t k = 0; k < t->field_count; k++)
			if (!t->fields[k].doc || !*t->fields[k].doc)
				fail_msg("%s.%s has no doc", t->name, t->fields[k].name);
	}
}

/* A fallback that its own row refuses would stop the program at the first request (json_finish() checks). */
static void fallbacks_are_values_of_their_rows(void **state)
{
	char room[4096];

	(void)state;
	for (unsigned i = 0; i < spec_type_count; i++) {
		struct problem p = {0};
		enum err e;

		assert_true(spec_types[i]->size <= sizeof(room));
		memset(room, 0, sizeof(room));
		e = json_finish(spec_types[i], 0, room, &p);
		assert_true(e == OK || e == ERR_MISSING_FIELD);
	}
}

static void every_type_comes_back_from_its_json(void **state)
{
	struct rng r = test_seed();
	struct arena *a = arena_new(256 << 20);
	struct buf first = BUF_INIT(0), again = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < spec_type_count; i++)
		for (int times = 0; times < 100; times++) {
			const struct json_type *t = spec_types[i];
			void *before = arena_alloc(a, t->size), *after = arena_alloc(a, t->size);
			struct problem p = {0};

			fill_random(t, &r, a, before);
			json_encode(t, before, 0, &first);
			assert_true(buf_ok(&first));
			if (json_decode(t, buf_str(&first), 0, a, after, &p))
				fail_msg("%s: %s (%d:%d)", t->name, p.detail, p.line, p.column);
			json_encode(t, after, 0, &again);
			assert_string_equal(buf_cstr(&again), buf_cstr(&first));
			buf_reset(&first);
			buf_reset(&again);
			arena_reset(a);
		}
	buf_free(&first);
	buf_free(&again);
	arena_destroy(&a);
}

static void every_schema_is_json(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	for (unsigned i = 0; i < spec_type_count; i++) {
		json_schema(spec_types[i], 0, &b);
		assert_int_equal(json_check(buf_str(&b), NULL), OK);
		buf_reset(&b);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_words_and_distinct),
		cmocka_unit_test(the_ready_made_key_is_the_quoted_name),
		cmocka_unit_test(everything_is_documented),
		cmocka_unit_test(fallbacks_are_values_of_their_rows),
		cmocka_unit_test(every_type_comes_back_from_its_json),
		cmocka_unit_test(every_schema_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
