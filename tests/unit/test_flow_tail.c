/* The log of a process that does not own the queue, read from the table, while the store fails now and then. */
#include "store_kit.h"

#include "flow/tail.h"

#include <poll.h>
#include <stdatomic.h>

enum { LOG_BYTES = 1 << 16, PATIENCE_MS = 10000, LOOK_AGAIN_MS = 5 };

static bool is_wanted(void *ctx)
{
	(void)ctx;
	return true;
}

static void began(void *ctx)
{
	atomic_fetch_add((atomic_int *)ctx, 1);
}

static void who_listened_is_asked_anew_though_the_first_look_failed(void **state)
{
	struct kit *k = kit_new(STORE_SQLITE, "busy@2");
	struct flow_log *log = flow_log_new(LOG_BYTES);
	atomic_int times = 0;
	struct flow_tail_config config = {
		.store = k->store, .log = log, .is_wanted = is_wanted, .began = began, .ctx = &times};
	struct flow_tail *tail;

	(void)state;
	kit_open(k);
	fault_arm(k->store);
	assert_int_equal(flow_tail_start(&config, &tail, NULL), OK);
	for (int ms = 0; atomic_load(&times) == 0 && ms < PATIENCE_MS; ms += LOOK_AGAIN_MS)
		poll(NULL, 0, LOOK_AGAIN_MS);
	flow_tail_stop(&tail);
	assert_true(fault_calls(k->store) > 2);
	assert_int_equal(atomic_load(&times), 1);
	flow_log_destroy(&log);
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_listened_is_asked_anew_though_the_first_look_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
