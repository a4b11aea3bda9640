/* The keyring follows what other processes do to keys and tenants, and reads no more for it than has changed. */
#include "store_kit.h"

#include "access/keyring.h"
#include "base/log.h"
#include "http/call.h"

enum { KEYS = 500, TENANT = 1, NOW = 1000000 };

struct ring_kit {
	struct kit *k;
	struct keyring *keyring;
	struct arena *arena;
};

/* The secret of key number i, and its row. */
static struct str secret_of(struct ring_kit *r, int64_t i)
{
	char text[32];

	snprintf(text, sizeof(text), "tf_%lld", (long long)i);
	return arena_str(r->arena, str_of(text));
}

static void insert_key(struct ring_kit *r, int64_t i, int64_t tenant)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct key_row row = {.id = i, .tenant = tenant, .name = STR("k"), .scope = SCOPE_WORKER};

	token_hash(secret_of(r, i), hash);
	row.hash = (struct str){(const char *)hash, sizeof(hash)};
	assert_int_equal(q_key_insert(r->k->db, &row, 1), OK);
}

static void insert_tenant(struct ring_kit *r, int64_t id, struct str name)
{
	struct tenant_insert_out out;

	assert_int_equal(
		q_tenant_insert(r->k->db, &(struct tenant_insert_in){.id = id, .name = name}, r->arena, &out), OK);
}

static enum err ask(struct ring_kit *r, int64_t i, struct caller *out)
{
	return keyring_authenticate(r->keyring, secret_of(r, i), STR(""), NOW, r->arena, out);
}

static void assert_works(struct ring_kit *r, int64_t i, enum err wanted)
{
	struct caller caller;

	assert_int_equal(ask(r, i, &caller), wanted);
}

static void follow(struct ring_kit *r, enum change_entity entity, int64_t key)
{
	struct change_row row = {.seq = 1, .entity = entity, .op = OP_PUT, .ref = key};

	assert_int_equal(keyring_follow(r->keyring, r->k->db, &row, 1), OK);
}

/* A keyring that has read KEYS keys of one tenant. */
static int begin(void **state)
{
	struct ring_kit *r = NEW(struct ring_kit);

	r->k = kit_new(STORE_SQLITE, "");
	kit_open(r->k);
	r->arena = arena_new(1 << 20);
	r->keyring = keyring_new();
	*state = r;
	insert_tenant(r, TENANT, STR("one"));
	assert_int_equal(db_begin(r->k->db), OK);
	for (int64_t i = 1; i <= KEYS; i++)
		insert_key(r, i, TENANT);
	assert_int_equal(db_commit(r->k->db), OK);
	assert_int_equal(keyring_load(r->keyring, r->k->db), OK);
	fault_arm(r->k->store); /* counts from here */
	return 0;
}

static int end(void **state)
{
	struct ring_kit *r = *state;

	keyring_destroy(&r->keyring);
	arena_destroy(&r->arena);
	kit_free(r->k);
	free(r);
	return 0;
}

static void a_new_key_is_known_by_its_change(void **state)
{
	struct ring_kit *r = *state;

	insert_key(r, 1000, TENANT);
	assert_works(r, 1000, ERR_UNAUTHENTICATED);
	follow(r, ENTITY_KEY, 1000);
	assert_works(r, 1000, OK);
	assert_works(r, KEYS, OK);
}

static void other_changes_read_nothing(void **state)
{
	struct ring_kit *r = *state;

	follow(r, ENTITY_AGENT, 1);
	assert_int_equal(fault_calls(r->k->store), 0);
}

static void a_change_reads_one_key_and_not_all(void **state)
{
	struct ring_kit *r = *state;

	follow(r, ENTITY_KEY, 1);
	assert_int_equal(fault_calls(r->k->store), 1);
}

static void a_revocation_arrives(void **state)
{
	struct ring_kit *r = *state;
	struct key_revoke_out out;

	assert_int_equal(q_key_revoke(r->k->db, &(struct key_revoke_in){7, TENANT, NOW}, r->arena, &out), OK);
	assert_works(r, 7, OK);
	follow(r, ENTITY_KEY, 7);
	assert_works(r, 7, ERR_UNAUTHENTICATED);
	assert_works(r, 8, OK);
}

/* The key of a new row, as who made it or looked it up puts it in. */
static struct keyring_key key_as_made(struct ring_kit *r, int64_t i)
{
	struct keyring_key key = {.id = i, .tenant = TENANT, .scope = SCOPE_WORKER, .name = STR("k")};

	insert_key(r, i, TENANT);
	token_hash(secret_of(r, i), key.hash);
	return key;
}

/* A thread that made a key slept between its commit and its keyring_put_key(): the key worked until the next start. */
static void who_puts_a_key_in_late_does_not_bring_it_back(void **state)
{
	struct ring_kit *r = *state;
	struct keyring_key made = key_as_made(r, 1000);
	struct key_revoke_out out;

	assert_int_equal(q_key_revoke(r->k->db, &(struct key_revoke_in){1000, TENANT, NOW}, r->arena, &out), OK);
	follow(r, ENTITY_KEY, 1000);
	keyring_put_key(r->keyring, &made);
	assert_works(r, 1000, ERR_UNAUTHENTICATED);
}

static void a_row_read_before_the_end_of_its_key_does_not_bring_it_back(void **state)
{
	struct ring_kit *r = *state;

	keyring_revoke(r->keyring, 7, NOW);
	keyring_expire(r->keyring, 8, NOW - 1);
	follow(r, ENTITY_KEY, 7);
	follow(r, ENTITY_KEY, 8);
	assert_works(r, 7, ERR_UNAUTHENTICATED);
	assert_works(r, 8, ERR_UNAUTHENTICATED);
	assert_works(r, 9, OK);
}

static void a_tier_that_came_with_the_feed_stays(void **state)
{
	struct ring_kit *r = *state;
	struct keyring_key made = key_as_made(r, 1000);
	struct caller caller;

	made.tier = TIER_PARTNER; /* as it was when somebody looked it up */
	follow(r, ENTITY_KEY, 1000);
	keyring_put_key(r->keyring, &made);
	assert_int_equal(ask(r, 1000, &caller), OK);
	assert_int_equal(caller.tier, TIER_UNLIMITED);
}

static enum err ignore_row(void *ctx, const void *row)
{
	(void)ctx, (void)row;
	return OK;
}

static void a_key_that_was_cleared_away_stops(void **state)
{
	struct ring_kit *r = *state;
	struct key_expire_of_agent_in expired = {.agent = 9, .expires_ms = 5};
	unsigned char hash[TOKEN_HASH_BYTES];
	struct key_row row = {.id = 2000, .tenant = TENANT, .name = STR("k"), .scope = SCOPE_WORKER, .agent = 9};

	token_hash(secret_of(r, 2000), hash);
	row.hash = (struct str){(const char *)hash, sizeof(hash)};
	assert_int_equal(q_key_insert(r->k->db, &row, 1), OK);
	follow(r, ENTITY_KEY, 2000);
	assert_works(r, 2000, OK);
	assert_int_equal(q_key_expire_of_agent(r->k->db, &expired, ignore_row, NULL), OK);
	assert_int_equal(q_key_clear(r->k->db, &(struct upkeep_in){100, 10}, ignore_row, NULL), OK);
	follow(r, ENTITY_KEY, 2000);
	assert_works(r, 2000, ERR_UNAUTHENTICATED);
}

static void a_key_brings_its_tenant(void **state)
{
	struct ring_kit *r = *state;
	struct caller caller;

	insert_tenant(r, 2, STR("two"));
	insert_key(r, 1000, 2);
	follow(r, ENTITY_KEY, 1000);
	assert_int_equal(ask(r, 1000, &caller), OK);
	assert_int_equal(caller.tenant, 2);
	assert_str(caller.tenant_name, "two");
}

static void tenants_are_looked_for_by_one_statement(void **state)
{
	struct ring_kit *r = *state;
	struct keyring_tenant found;

	assert_int_equal(keyring_find_new_tenants(r->keyring, r->k->db), OK);
	assert_int_equal(fault_calls(r->k->store), 1);
	insert_tenant(r, 2, STR("two"));
	assert_int_equal(keyring_find_new_tenants(r->keyring, r->k->db), OK);
	assert_true(keyring_find_tenant(r->keyring, STR("two"), r->arena, &found));
	assert_true(keyring_find_tenant(r->keyring, STR("one"), r->arena, &found));
}

static void after_missed_changes_everything_is_read_anew(void **state)
{
	struct ring_kit *r = *state;

	insert_tenant(r, 2, STR("two"));
	insert_key(r, 1000, 2);
	assert_int_equal(keyring_follow(r->keyring, r->k->db, NULL, 0), OK);
	assert_works(r, 1000, OK);
	assert_works(r, 1, OK);
}

static void a_failure_is_told_so_that_the_change_comes_again(void **state)
{
	struct kit *k = kit_new(STORE_SQLITE, "busy@*");
	struct keyring *keyring = keyring_new();
	struct change_row row = {.seq = 1, .entity = ENTITY_KEY, .ref = 1};

	(void)state;
	kit_open(k);
	fault_arm(k->store);
	assert_int_equal(keyring_follow(keyring, k->db, &row, 1), ERR_STORE_BUSY);
	assert_int_equal(keyring_follow(keyring, k->db, NULL, 0), ERR_STORE_BUSY);
	assert_int_equal(keyring_find_new_tenants(keyring, k->db), ERR_STORE_BUSY);
	keyring_destroy(&keyring);
	kit_free(k);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_new_key_is_known_by_its_change),
		STORY(other_changes_read_nothing),
		STORY(a_change_reads_one_key_and_not_all),
		STORY(a_revocation_arrives),
		STORY(who_puts_a_key_in_late_does_not_bring_it_back),
		STORY(a_row_read_before_the_end_of_its_key_does_not_bring_it_back),
		STORY(a_tier_that_came_with_the_feed_stays),
		STORY(a_key_that_was_cleared_away_stops),
		STORY(a_key_brings_its_tenant),
		STORY(tenants_are_looked_for_by_one_statement),
		STORY(after_missed_changes_everything_is_read_anew),
		cmocka_unit_test(a_failure_is_told_so_that_the_change_comes_again),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("access_keyring", tests, NULL, NULL);
}
