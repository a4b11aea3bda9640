/* Several nodes that share their limits through a real Redis, and what they do without it. */
#include "redis_kit.h"

#include "limits/limits_priv.h"

enum { NODES = 3, KIND_KEY = 1, BURST = 100 };
enum { TIER_SLOW, TIER_FAST, TIERS };

/* Slow: a test is over before a token comes. Fast: 1,000 a second. */
static const struct limits_tier tiers[TIERS] = {
	[TIER_SLOW] = {.per_minute = 1, .burst = BURST},
	[TIER_FAST] = {.per_minute = 60000, .burst = BURST},
};

static struct redis_kit *kit;

static int group_setup(void **state)
{
	(void)state;
	kit = redis_kit_new();
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	redis_kit_free(kit);
	return 0;
}

struct node {
	struct limits *l;
	struct redis *r;
};

static struct node node_new(void)
{
	struct node n = {limits_new(&(struct limits_config){.tiers = tiers, .tier_count = TIERS, .seed = 3}),
			 redis_kit_client(kit)};
	struct problem p = {0};

	if (limits_share(n.l, n.r, STR("test"), &p) != OK)
		fail_msg("%s", p.detail);
	return n;
}

static void node_free(struct node *n)
{
	limits_destroy(&n->l);
	redis_destroy(&n->r);
}

static struct limits_stats stats_of(const struct node *n)
{
	struct limits_stats s;

	limits_stats_get(n->l, &s);
	return s;
}

/* Asks for the bucket, so that the next round is about it; whether one has ended since. */
static bool has_shared(const struct node *n, struct limits_key k, unsigned tier, uint64_t before)
{
	limits_take(n->l, kit_now_ms(), k, tier, 0);
	return stats_of(n).shared > before;
}

/* Until the node has told and heard all that was so until now: the second call from here began after it. */
static void hear(const struct node *n, struct limits_key k, unsigned tier)
{
	for (int call = 0; call < 2; call++) {
		uint64_t before = stats_of(n).shared;

		KIT_UNTIL(has_shared(n, k, tier, before));
	}
}

/* Whether the thread has taken all that there is to tell; it may be telling it still. */
static bool has_taken_all(const struct node *n)
{
	size_t asked = 0;

	for (size_t i = 0; i < LIMITS_SHARDS; i++) {
		pthread_mutex_lock(&n->l->shards[i].lock);
		asked += n->l->shards[i].asked;
		pthread_mutex_unlock(&n->l->shards[i].lock);
	}
	return asked == 0;
}

/* Takes what there is, one by one; how many that were. */
static int take_all(const struct node *n, struct limits_key k, unsigned tier)
{
	int taken = 0;

	while (limits_take(n->l, kit_now_ms(), k, tier, 1).allowed)
		taken++;
	return taken;
}

static void what_one_node_uses_the_others_do_not_have(void **state)
{
	struct node nodes[NODES];
	struct limits_key k = limits_id(KIND_KEY, 1);

	(void)state;
	for (int i = 0; i < NODES; i++)
		nodes[i] = node_new();
	assert_true(limits_take(nodes[0].l, kit_now_ms(), k, TIER_SLOW, 60).allowed);
	hear(&nodes[0], k, TIER_SLOW);
	hear(&nodes[1], k, TIER_SLOW);
	assert_int_equal(take_all(&nodes[1], k, TIER_SLOW), 40);
	hear(&nodes[1], k, TIER_SLOW);
	for (int i = 0; i < NODES; i++) {
		hear(&nodes[i], k, TIER_SLOW);
		assert_int_equal(take_all(&nodes[i], k, TIER_SLOW), 0);
	}
	for (int i = 0; i < NODES; i++)
		node_free(&nodes[i]);
}

/* For a while all nodes take whatever they get. Each may be ahead by a burst and what comes in between two rounds,
 * once; what is owed is paid back. */
static void together_they_admit_the_rate_and_little_more(void **state)
{
	enum { ROUNDS = 12, SLACK_MS = 300 };
	struct node nodes[NODES];
	struct limits_key k = limits_id(KIND_KEY, 2);
	int64_t from_ms = kit_now_ms(), passed_ms, rate = tiers[TIER_FAST].per_minute / 60;
	int taken = 0;

	(void)state;
	for (int i = 0; i < NODES; i++)
		nodes[i] = node_new();
	while (stats_of(&nodes[0]).shared < ROUNDS)
		for (int i = 0; i < NODES; i++)
			taken += limits_take(nodes[i].l, kit_now_ms(), k, TIER_FAST, 1).allowed;
	passed_ms = kit_now_ms() - from_ms;
	assert_true(taken <= BURST + rate * passed_ms / 1000 + NODES * (BURST + rate * SLACK_MS / 1000));
	assert_true(taken >= rate * passed_ms / 1000 / 2);
	for (int i = 0; i < NODES; i++)
		node_free(&nodes[i]);
}

static void without_redis_each_limits_alone_and_goes_on_with_it(void **state)
{
	struct node nodes[2] = {node_new(), node_new()};
	struct limits_key k = limits_id(KIND_KEY, 3), other = limits_id(KIND_KEY, 4);
	uint64_t failures;

	(void)state;
	redis_kit_kill(kit);
	assert_int_equal(take_all(&nodes[0], k, TIER_SLOW), BURST);
	failures = stats_of(&nodes[0]).share_failures;
	KIT_UNTIL(stats_of(&nodes[0]).share_failures > failures);
	assert_int_equal(take_all(&nodes[0], k, TIER_SLOW), 0); /* failing to share opens nothing */
	assert_int_equal(take_all(&nodes[1], k, TIER_SLOW), BURST);
	redis_kit_start(kit);
	for (int i = 0; i < 2; i++)
		assert_true(redis_wait(nodes[i].r, KIT_PATIENCE_MS));
	assert_true(limits_take(nodes[0].l, kit_now_ms(), other, TIER_SLOW, BURST).allowed);
	hear(&nodes[0], other, TIER_SLOW);
	hear(&nodes[1], other, TIER_SLOW);
	assert_int_equal(take_all(&nodes[1], other, TIER_SLOW), 0);
	for (int i = 0; i < 2; i++)
		node_free(&nodes[i]);
}

/* What stands under our key and is no level counts as a full bucket, and is put right. */
static void what_is_no_level_locks_nobody_out(void **state)
{
	static const char *const lies[] = {
		"", "x", "-99999999999999999999 1", "1 99999999999999999999999", "nan inf", "5", "5 5 5"};
	struct node n = node_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lies); i++) {
		struct limits_key k = limits_id(KIND_KEY, 100 + (int64_t)i);
		char name[32];

		snprintf(name, sizeof(name), "test:l1:1:%lld", (long long)k.id);
		KIT_DO(n.r, "SET", name, lies[i]);
		assert_true(limits_take(n.l, kit_now_ms(), k, TIER_SLOW, 1).allowed);
		hear(&n, k, TIER_SLOW);
		assert_row(lies[i], take_all(&n, k, TIER_SLOW) <= BURST);
	}
	KIT_DO(n.r, "LPUSH", "test:l1:1:99", "a");
	assert_true(limits_take(n.l, kit_now_ms(), limits_id(KIND_KEY, 99), TIER_SLOW, 1).allowed);
	hear(&n, limits_id(KIND_KEY, 99), TIER_SLOW);
	assert_int_equal(take_all(&n, limits_id(KIND_KEY, 99), TIER_SLOW), BURST - 1);
	assert_int_equal(stats_of(&n).share_failures, 0);
	node_free(&n);
}

/* More than one call takes. */
static void many_at_once_are_all_told(void **state)
{
	enum { KEYS = 3000, FIRST = 1000 };
	struct node nodes[2] = {node_new(), node_new()};
	int wrong = 0;

	(void)state;
	for (int node = 0; node < 2; node++) {
		for (int64_t i = FIRST; i < FIRST + KEYS; i++)
			limits_take(nodes[node].l, kit_now_ms(), limits_id(KIND_KEY, i), TIER_SLOW,
				    node == 0 ? 50 : 0);
		KIT_UNTIL(has_taken_all(&nodes[node]));
		hear(&nodes[node], limits_id(KIND_KEY, 1), TIER_SLOW);
	}
	for (int64_t i = FIRST; i < FIRST + KEYS; i++)
		wrong +=
			limits_take(nodes[1].l, kit_now_ms(), limits_id(KIND_KEY, i), TIER_SLOW, 0).remaining != 50;
	assert_int_equal(wrong, 0);
	for (int i = 0; i < 2; i++)
		node_free(&nodes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_node_uses_the_others_do_not_have),
		cmocka_unit_test(together_they_admit_the_rate_and_little_more),
		cmocka_unit_test(without_redis_each_limits_alone_and_goes_on_with_it),
		cmocka_unit_test(what_is_no_level_locks_nobody_out),
		cmocka_unit_test(many_at_once_are_all_told),
	};

	kit_need_redis();
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
