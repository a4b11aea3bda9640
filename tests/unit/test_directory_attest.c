/* Attestations: what is signed of one, and which of its members do not fit each other or the time. */
#include "harness.h"

#include "directory/attest.h"

enum { NOW = 1790000000 };
static const int64_t now_ms = NOW * INT64_C(1000);

struct desk {
	struct arena *arena;
	struct attestation_new in;
	struct problem problem;
	struct str value;
	struct buf form;
};

static int open_desk(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	d->arena = arena_new(1 << 20);
	d->in = (struct attestation_new){.attester = 1,
					 .subject = 2,
					 .claim = CLAIM_BEHAVIOR,
					 .value = STR("50"),
					 .issued_at = now_ms,
					 .nonce = STR("nonce-1\xc3\xa9")};
	*state = d;
	return 0;
}

static int close_desk(void **state)
{
	struct desk *d = *state;
	buf_free(&d->form);
	arena_destroy(&d->arena);
	free(d);
	return 0;
}

static enum err canonical(struct desk *d)
{
	buf_reset(&d->form);
	problem_clear(&d->problem);
	return attest_canonical(&d->in, d->arena, &d->form, &d->value, &d->problem);
}

static void the_form_in_full(void **state)
{
	struct desk *d = *state;
	PUT(&d->in, attestation_new, capability, STR("memory"));
	PUT(&d->in, attestation_new, evidence, STR("\"seen\"\n"));
	PUT(&d->in, attestation_new, expires_at, now_ms + 1);
	assert_int_equal(canonical(d), OK);
	assert_str(buf_str(&d->form),
		   "{\"attester\":\"ag_0000000000001\",\"capability\":\"memory\",\"claim\":\"behavior\","
		   "\"evidence\":\"\\\"seen\\\"\\n\",\"expires_at\":\"2026-09-21T14:13:20.001Z\","
		   "\"issued_at\":\"2026-09-21T14:13:20.000Z\",\"nonce\":\"nonce-1\xc3\xa9\","
		   "\"subject\":\"ag_0000000000002\",\"type\":\"tenfold.attestation.v1\",\"value\":50}");
}

static void what_is_absent_is_left_out(void **state)
{
	struct desk *d = *state;
	assert_int_equal(canonical(d), OK);
	assert_str(buf_str(&d->form),
		   "{\"attester\":\"ag_0000000000001\",\"claim\":\"behavior\","
		   "\"issued_at\":\"2026-09-21T14:13:20.000Z\",\"nonce\":\"nonce-1\xc3\xa9\","
		   "\"subject\":\"ag_0000000000002\",\"type\":\"tenfold.attestation.v1\",\"value\":50}");
}

static void a_value_is_what_it_means(void **state)
{
	static const struct {
		enum claim_type claim;
		const char *given, *means; /* NULL: refused */
	} rows[] = {
		{CLAIM_BEHAVIOR, " 5.0e1 ", "50"},
		{CLAIM_BEHAVIOR, "-0", "0"},
		{CLAIM_BEHAVIOR, "100", "100"},
		{CLAIM_BEHAVIOR, "100.5", NULL},
		{CLAIM_BEHAVIOR, "101", NULL},
		{CLAIM_BEHAVIOR, "-1", NULL},
		{CLAIM_BEHAVIOR, "\"50\"", NULL},
		{CLAIM_BEHAVIOR, "1e400", NULL},
		{CLAIM_BEHAVIOR, "true", NULL},
		{CLAIM_CAPABILITY, "true", "true"},
		{CLAIM_CAPABILITY, "false", "false"},
		{CLAIM_CAPABILITY, "1", NULL},
		{CLAIM_CAPABILITY, "\"true\"", NULL},
		{CLAIM_CAPABILITY, "null", NULL},
		{CLAIM_IDENTITY, "\"\\u00e9\\/\"", "\"\xc3\xa9/\""},
		{CLAIM_IDENTITY, "\"\"", NULL},
		{CLAIM_IDENTITY, "[\"x\"]", NULL},
		{CLAIM_IDENTITY, "{}", NULL},
		{CLAIM_IDENTITY, "7", NULL},
	};
	struct desk *d = *state;
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		d->in.claim = (int)rows[i].claim;
		d->in.value = str_of(rows[i].given);
		enum err err = canonical(d);
		if (!rows[i].means)
			assert_row(rows[i].given,
				   err == ERR_INVALID && strcmp(d->problem.fields[0].field, "value") == 0);
		else
			assert_row(rows[i].given, err == OK && str_eqz(d->value, rows[i].means));
	}
}

static void refused(struct desk *d, const char *field)
{
	problem_clear(&d->problem);
	assert_row(field, attest_check(&d->in, now_ms, &d->problem) != OK);
	assert_string_equal(d->problem.fields[0].field, field);
}

static void members_that_do_not_fit(void **state)
{
	struct desk *d = *state;
	assert_int_equal(attest_check(&d->in, now_ms, &d->problem), OK);
	d->in.subject = 1;
	refused(d, "subject");
	d->in.subject = 2;
	d->in.claim = CLAIM_CAPABILITY;
	refused(d, "capability");
	d->in.claim = CLAIM_IDENTITY;
	PUT(&d->in, attestation_new, capability, STR("memory"));
	refused(d, "capability");
}

static void five_minutes_either_way(void **state)
{
	struct desk *d = *state;
	d->in.issued_at = now_ms - ATTEST_SKEW_MS;
	assert_int_equal(attest_check(&d->in, now_ms, &d->problem), OK);
	d->in.issued_at--;
	refused(d, "issued_at");
	d->in.issued_at = now_ms + ATTEST_SKEW_MS;
	assert_int_equal(attest_check(&d->in, now_ms, &d->problem), OK);
	d->in.issued_at++;
	refused(d, "issued_at");
}

static void an_end_lies_ahead(void **state)
{
	struct desk *d = *state;
	d->in.issued_at = now_ms - 10;
	PUT(&d->in, attestation_new, expires_at, now_ms);
	refused(d, "expires_at");
	d->in.expires_at = now_ms + 1;
	assert_int_equal(attest_check(&d->in, now_ms, &d->problem), OK);
	d->in.issued_at = now_ms + 1;
	refused(d, "expires_at");
}

static void who_sees_one(void **state)
{
	struct attestation_full_row row = {.tenant = 1, .subject_tenant = 2};
	struct caller of[4] = {{.tenant = 0}, {.tenant = 1}, {.tenant = 2}, {.tenant = 3, .scope = SCOPE_ADMIN}};
	(void)state;
	assert_true(attest_is_readable(&of[1], &row) && attest_is_readable(&of[2], &row));
	for (int attester = VISIBLE_TENANT; attester <= VISIBLE_PUBLIC; attester++)
		for (int subject = VISIBLE_TENANT; subject <= VISIBLE_PUBLIC; subject++) {
			row.attester_visibility = attester;
			row.subject_visibility = subject;
			assert_int_equal(attest_is_readable(&of[3], &row), attester && subject);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_form_in_full, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(what_is_absent_is_left_out, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(a_value_is_what_it_means, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(members_that_do_not_fit, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(five_minutes_either_way, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(an_end_lies_ahead, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(who_sees_one, open_desk, close_desk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
