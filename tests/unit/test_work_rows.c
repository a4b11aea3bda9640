/* Batches and what is written of them; starting again from what was written. */
#include "work_kit/story.h"

/* ---- batches ---- */

static void a_batch_tells_each_item_once_in_its_last_state(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build");
	struct work_change c;
	size_t n = 0;

	(void)state;
	claim(s, "grace", NULL);
	complete(s, item);
	for (size_t i = 0; work_next_change(s->w, &i, &c); n++)
		assert_true(c.item == item && !c.was_live && !c.was_finished && !c.is_live);
	assert_int_equal(n, 1);
	assert_happened(s, "enqueued claimed completed");
	story_at(s, 1);
	assert_false(work_next_change(s->w, &n, &c));
	assert_happened(s, "");
	story_end(&s);
}

static void undo_brings_everything_back(void **state)
{
	struct story *s = story_new();
	struct item *leased = add_type(s, "build"), *ready = add_type(s, "test"), *blocked, *out;
	struct work_spec keyed = a_spec("keyed");
	struct work_token t;
	struct item before;
	struct item *key_holder;

	(void)state;
	keyed.key = STR("k");
	key_holder = add(s, keyed);
	blocked = add_after(s, "after", leased, ON_FAILURE_FAIL);
	claim(s, "grace", "build");
	t = work_token_of(leased);
	work_progress(s->w, 1, leased->id, &t, 30, STR("so far"), 0, &out);
	story_at(s, 10);
	before = *leased;
	work_progress(s->w, 1, leased->id, &t, 60, STR("further"), 1000, &out);
	work_progress(s->w, 1, leased->id, &t, 70, STR("and further"), 1000, &out);
	settle(s, leased, t, OUTCOME_RELEASED);
	claim(s, "ada", "build");
	fail_for_good(s, leased, "broken");
	assert_int_equal(blocked->state, WORK_FAILED);
	cancel(s, ready);
	cancel(s, key_holder);
	add(s, keyed);
	add_type(s, "new");
	story_undo(s);

	assert_int_equal(leased->state, WORK_LEASED);
	assert_str(name_str(leased->claimed_by), "grace");
	assert_str(work_blob_str(leased->note), "so far");
	assert_history(leased, "claimed");
	assert_int_equal(leased->lease_until_ms, before.lease_until_ms);
	assert_int_equal(leased->token_random, t.random);
	assert_int_equal(blocked->state, WORK_BLOCKED);
	assert_int_equal(ready->state, WORK_READY);
	assert_ptr_equal(work_find_key(s->w, 1, STR("keyed"), STR(""), STR("k")), key_holder);
	assert_null(claim(s, "ada", "new"));
	assert_ptr_equal(claim(s, "ada", "test"), ready);
	complete(s, leased);
	assert_int_equal(blocked->state, WORK_READY);
	story_end(&s);
}

static void a_command_that_fails_changes_nothing(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build"), *out;
	struct work_token none = {0};
	size_t happened;

	(void)state;
	story_at(s, 1);
	work_extend(s->w, 1, item->id, &none, 5, 5, &out);
	settle(s, item, none, OUTCOME_COMPLETED);
	work_unclaim(s->w, item->id, &none);
	assert_false(is_changed(s, item->id));
	work_happenings(s->w, &happened);
	assert_int_equal(happened, 0);
	story_end(&s);
}

static void a_queue_is_stored_with_the_first_batch_that_is(void **state)
{
	struct story *s = story_new();
	struct work_queue *q;

	(void)state;
	q = add_type(s, "build")->queue;
	assert_ptr_equal(work_unstored_queues(s->w), q);
	assert_false(q->stored);
	assert_str(name_str(q->type), "build");
	assert_null(q->team);
	story_undo(s);
	assert_ptr_equal(work_unstored_queues(s->w), q); /* still to be written */
	story_at(s, 1);
	assert_null(work_unstored_queues(s->w));
	assert_true(q->stored);
	assert_ptr_equal(add_type(s, "build")->queue, q);
	story_end(&s);
}

static void use_between_batches(void *arg)
{
	struct story *s = arg;

	work_commit(s->w);
	claim(s, "grace", NULL);
}

static void begin_twice(void *arg)
{
	work_begin(((struct story *)arg)->w, T0);
}

static void commands_stand_in_batches(void **state)
{
	struct story *s = story_new();

	(void)state;
	assert_true(dies(use_between_batches, s));
	assert_true(dies(begin_twice, s));
	story_end(&s);
}

static void memory_is_told_and_given_back(void **state)
{
	struct story *s = story_new();
	size_t empty = work_bytes(s->w), full;

	(void)state;
	for (int i = 0; i < 10000; i++)
		add_type(s, "build");
	full = work_bytes(s->w);
	assert_in_range(full - empty, 10000 * 200, 10000 * 1000); /* the batch holds copies */
	story_at(s, 1);
	full = work_bytes(s->w);
	assert_in_range(full - empty, 10000 * 200, 10000 * 450);
	for (int round = 0; round < 10; round++)
		for (int i = 0; i < 10000; i++) {
			struct item *item = claim(s, "grace", NULL);

			complete(s, item);
			add_type(s, "build");
			if (i % 100 == 0)
				story_at(s, round);
		}
	story_at(s, 100);
	assert_true(work_bytes(s->w) < full + full / 4); /* it does not grow with time */
	story_end(&s);
}

/* ---- starting again ---- */

static struct work_loading a_row(int64_t id, int state)
{
	return (struct work_loading){.id = id,
				     .tenant = 1,
				     .queue = 7,
				     .created_ms = T0,
				     .changed_ms = T0,
				     .ready_ms = T0,
				     .lease_ms = 60000,
				     .attempt = 1,
				     .max_attempts = 5,
				     .state = state,
				     .priority = PRIORITY_MEDIUM,
				     .claimed_by = STR("grace")};
}

static struct work *begin_again(struct story *s)
{
	struct work *w = story_work(s);

	work_load_queue(w, 7, 1, STR("build"), (struct str){0});
	return w;
}

static void a_lease_gets_its_time_after_a_start(void **state)
{
	struct story *s = story_new();
	struct work *w = begin_again(s);
	struct work_loading lapsed = a_row(100, WORK_LEASED), long_one = a_row(200, WORK_LEASED),
			    extended = a_row(300, WORK_LEASED);

	(void)state;
	lapsed.changed_ms = T0 - 65000;
	lapsed.lease_until_ms = T0 - 5000;
	long_one.lease_until_ms = T0 + 99999;
	extended.changed_ms = T0 - 600000;
	extended.lease_until_ms = T0 + 1000;
	assert_int_equal(work_load(w, &long_one, T0, &s->problem), OK);
	assert_int_equal(work_load(w, &lapsed, T0, &s->problem), OK);
	assert_int_equal(work_load(w, &extended, T0, &s->problem), OK);
	work_loaded(w, 0);
	story_swap(s, w);
	assert_int_equal(work_find(s->w, 100)->lease_until_ms, T0 + 60000);
	assert_int_equal(work_find(s->w, 200)->lease_until_ms, T0 + 99999);
	assert_int_equal(work_find(s->w, 300)->lease_until_ms, T0 + 60000);
	assert_false(is_changed(s, 100));
	story_end(&s);
}

static void a_short_lease_is_not_held_for_the_items_own_after_a_start(void **state)
{
	struct story *s = story_new();
	struct work *w = begin_again(s);
	struct work_loading row = a_row(100, WORK_LEASED);

	(void)state;
	row.changed_ms = T0 - 20000;
	row.lease_until_ms = T0 - 17000;
	assert_int_equal(work_load(w, &row, T0, &s->problem), OK);
	work_loaded(w, 0);
	story_swap(s, w);
	assert_int_equal(work_find(s->w, 100)->lease_until_ms, T0 + 3000);
	story_end(&s);
}

static void ids_go_on_above_all_that_were_stored(void **state)
{
	struct story *s = story_new();
	struct work *w = begin_again(s);
	int64_t highest = INT64_C(1) << 62;
	struct item *item;

	(void)state;
	work_loaded(w, highest);
	story_swap(s, w);
	item = add_type(s, "build");
	assert_true(item->id > highest);
	assert_int_equal(item->queue->id, 7); /* the queue is the one that was loaded */
	story_end(&s);
}

static void blocked_rows_may_come_before_what_they_wait_for(void **state)
{
	struct story *s = story_new();
	struct work *w = begin_again(s);
	struct work_loading blocked = a_row(300, WORK_BLOCKED), first = a_row(400, WORK_READY);
	struct buf b = BUF_INIT(0);
	struct item *out;

	(void)state;
	work_depends_add(&b, 400, ON_FAILURE_IGNORE);
	blocked.depends = buf_str(&b);
	assert_int_equal(work_load(w, &blocked, T0, &s->problem), OK);
	assert_int_equal(work_load(w, &first, T0, &s->problem), OK);
	work_loaded(w, 400);
	buf_free(&b); /* it was copied */
	story_swap(s, w);
	assert_int_equal(work_cancel(s->w, 1, 400, STR(""), STR(""), &out), OK);
	assert_int_equal(work_find(s->w, 300)->state, WORK_READY);
	story_end(&s);
}

/* A row that this program cannot have written is refused, and the message names the item. */
static void rows_that_cannot_be_are_refused(void **state)
{
	enum { WIDE, NARROW };
	static const struct {
		int state;
		size_t offset;
		int size;
		int64_t value;
	} cases[] = {
		{WORK_READY, offsetof(struct work_loading, id), WIDE, 0},
		{WORK_READY, offsetof(struct work_loading, id), WIDE, 50}, /* is there */
		{WORK_READY, offsetof(struct work_loading, queue), WIDE, 8},
		{WORK_READY, offsetof(struct work_loading, tenant), WIDE, 2},
		{WORK_READY, offsetof(struct work_loading, state), NARROW, WORK_COMPLETED},
		{WORK_READY, offsetof(struct work_loading, state), NARROW, -1},
		{WORK_READY, offsetof(struct work_loading, state), NARROW, WORK_BLOCKED}, /* by nothing */
		{WORK_READY, offsetof(struct work_loading, priority), NARROW, 4},
		{WORK_READY, offsetof(struct work_loading, progress), NARROW, 101},
		{WORK_READY, offsetof(struct work_loading, outcome), NARROW, 4},
		{WORK_READY, offsetof(struct work_loading, backoff_kind), NARROW, 3},
		{WORK_READY, offsetof(struct work_loading, lease_ms), WIDE, 0},
		{WORK_READY, offsetof(struct work_loading, attempt), WIDE, -1},
		{WORK_READY, offsetof(struct work_loading, failures), WIDE, INT64_C(1) << 32},
		{WORK_READY, offsetof(struct work_loading, max_attempts), WIDE, 0},
		{WORK_READY, offsetof(struct work_loading, backoff_base_ms), WIDE, -1},
		{WORK_READY, offsetof(struct work_loading, backoff_max_ms), WIDE, -1},
		{WORK_READY, offsetof(struct work_loading, token_epoch), WIDE, -1},
		{WORK_READY, offsetof(struct work_loading, ready_ms), WIDE, 0},
		{WORK_READY, offsetof(struct work_loading, run_at_ms), WIDE, -1},
		{WORK_READY, offsetof(struct work_loading, deadline_ms), WIDE, -1},
		{WORK_LEASED, offsetof(struct work_loading, attempt), WIDE, 0},
		{WORK_LEASED, offsetof(struct work_loading, claimed_by), WIDE, 0},
	};
	struct story *s = story_new();
	struct work *w = begin_again(s);
	struct work_loading row = a_row(50, WORK_READY);

	(void)state;
	assert_int_equal(work_load(w, &row, T0, &s->problem), OK);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int narrow = (int)cases[i].value;

		row = a_row(60, cases[i].state);
		if (cases[i].offset == offsetof(struct work_loading, claimed_by))
			row.claimed_by = (struct str){0};
		else if (cases[i].size == WIDE)
			memcpy((char *)&row + cases[i].offset, &cases[i].value, sizeof(int64_t));
		else
			memcpy((char *)&row + cases[i].offset, &narrow, sizeof(narrow));
		s->problem = (struct problem){0};
		assert_int_equal(work_load(w, &row, T0, &s->problem), ERR_INVALID);
		assert_non_null(strstr(s->problem.detail, "item w_0"));
	}
	work_loaded(w, 0);
	story_swap(s, w);
	assert_int_equal(work_count(s->w, WORK_READY), 1);
	story_end(&s);
}

static void blobs_that_do_not_read_are_refused(void **state)
{
	static const struct {
		const char *history, *depends;
		size_t history_n, depends_n;
	} cases[] = {
		{"\x0b", "\x03", 1, 1},         /* no such kind */
		{"\x82\x01\x01", "\x03", 3, 1}, /* another layout */
		{"\x02\x01", "\x03", 2, 1},     /* ends early */
		{"\x22\x01\x01\x05xx", "\x03", 6, 1},
		{"", "\x03\x80", 0, 2},
		{"", "\x05\x03", 0, 2}, /* not in order */
		{"", "\x01", 0, 1},     /* no id */
	};
	struct story *s = story_new();
	struct work *w = begin_again(s);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct work_loading row = a_row(60, WORK_BLOCKED);

		row.history = (struct str){cases[i].history, cases[i].history_n};
		row.depends = (struct str){cases[i].depends, cases[i].depends_n};
		assert_int_equal(work_load(w, &row, T0, &s->problem), ERR_INVALID);
	}
	work_loaded(w, 0);
	story_swap(s, w);
	story_end(&s);
}

/* Two keys with one hash: as good as impossible, so rows have to say so. */
static bool first_has_key(void *ctx, const struct item *item, struct str key)
{
	(void)ctx;
	return str_eqz(key, item->id == 100 ? "one" : item->id == 200 ? "two" : "three");
}

static void keys_with_one_hash_are_told_apart(void **state)
{
	struct rng rng;
	struct work_env env = {.rng = &rng,
			       .epoch = 1,
			       .max_live = 10,
			       .max_waiting = 10,
			       .max_queues = 10,
			       .key_is = first_has_key};
	uint64_t hash = work_key_hash(1, STR("build"), STR(""), STR("one"));

	(void)state;
	for (int order = 0; order < 3; order++) {
		struct work *w = work_new(&env);
		struct item *out;

		rng_seeded_init(&rng, 1);
		work_load_queue(w, 7, 1, STR("build"), (struct str){0});
		for (int64_t id = 100; id <= 300; id += 100) {
			struct work_loading row = a_row(id, WORK_READY);

			row.key_hash = hash;
			assert_int_equal(work_load(w, &row, T0, NULL), OK);
		}
		work_loaded(w, 300);
		assert_int_equal(work_find_key(w, 1, STR("build"), STR(""), STR("one"))->id, 100);
		work_begin(w, T0);
		for (int n = 0; n < 3; n++) {
			int64_t id = 100 + 100 * ((order + n) % 3);

			assert_int_equal(work_cancel(w, 1, id, STR(""), STR(""), &out), OK);
			assert_null(work_broken_invariant(w));
			if (id == 100)
				assert_null(work_find_key(w, 1, STR("build"), STR(""), STR("one")));
		}
		work_undo(w);
		assert_int_equal(work_find_key(w, 1, STR("build"), STR(""), STR("one"))->id, 100);
		assert_null(work_broken_invariant(w));
		work_destroy(&w);
		assert_null(w);
		work_destroy(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_tells_each_item_once_in_its_last_state),
		cmocka_unit_test(undo_brings_everything_back),
		cmocka_unit_test(a_command_that_fails_changes_nothing),
		cmocka_unit_test(a_queue_is_stored_with_the_first_batch_that_is),
		cmocka_unit_test(commands_stand_in_batches),
		cmocka_unit_test(memory_is_told_and_given_back),
		cmocka_unit_test(a_lease_gets_its_time_after_a_start),
		cmocka_unit_test(a_short_lease_is_not_held_for_the_items_own_after_a_start),
		cmocka_unit_test(ids_go_on_above_all_that_were_stored),
		cmocka_unit_test(blocked_rows_may_come_before_what_they_wait_for),
		cmocka_unit_test(rows_that_cannot_be_are_refused),
		cmocka_unit_test(blobs_that_do_not_read_are_refused),
		cmocka_unit_test(keys_with_one_hash_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
