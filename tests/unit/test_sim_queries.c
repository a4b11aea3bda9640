/* The SQL of simulated runs (sql/sim/), on each store: as "sqlite", "postgres" or "pooler". */
#include "store_kit.h"

#include "base/log.h"
#include "sim/queries.h"
#include "sim/schema.h"

static const char *url; /* of PostgreSQL */

static int empty_place(void **state)
{
	*state = kit_new_at(url, NULL);
	return 0;
}

static int done(void **state)
{
	kit_free(*state);
	return 0;
}

static void every_query_is_understood(void **state)
{
	struct kit *k = *state;

	kit_open_as(k, &SIM_SCHEMA);
	for (unsigned i = 0; i < SIM_QUERY_COUNT; i++)
		if (db_prepare(k->db, SIM_QUERIES[i]) != OK)
			fail_msg("%s", SIM_QUERIES[i]->name);
}

static void refuses(struct kit *k, const struct schema *schema, const char *theirs)
{
	struct problem p = {0};

	assert_int_equal(store_migrate(k->store, schema, &p), ERR_SCHEMA);
	if (!strstr(p.detail, theirs) || !strstr(p.detail, "for another use"))
		fail_msg("%s", p.detail);
}

static void the_store_of_a_server_is_refused(void **state)
{
	struct kit *k = *state;

	kit_open(k);
	refuses(k, &SIM_SCHEMA, "is \"foundation\" and here it is \"sim\"");
}

static void a_server_refuses_the_store_of_runs(void **state)
{
	struct kit *k = *state;

	kit_open_as(k, &SIM_SCHEMA);
	refuses(k, &STORE_SCHEMA, "is \"sim\" and here it is \"foundation\"");
}

#define ON(test) cmocka_unit_test_setup_teardown(test, empty_place, done)

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "sqlite";
	static const struct CMUnitTest tests[] = {
		ON(every_query_is_understood),
		ON(the_store_of_a_server_is_refused),
		ON(a_server_refuses_the_store_of_runs),
	};

	log_set_level(LOG_ERROR);
	url = kit_url_of(which);
	return cmocka_run_group_tests_name(which, tests, NULL, NULL);
}
