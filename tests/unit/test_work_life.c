/* The life of one item: claims, leases, tokens, endings, and what may not be. */
#include "work_kit/story.h"

static void an_item_lives_and_completes(void **state)
{
	struct story *s = story_new();
	struct work_spec spec = a_spec("build");
	struct item *item;
	struct work_change c;
	int64_t id;

	(void)state;
	spec.created_by = STR("ada");
	spec.body = "the body";
	item = add(s, spec);
	id = item->id;
	assert_int_equal(item->state, WORK_READY);
	assert_int_equal(item->created_ms, T0);
	assert_int_equal(item->ready_ms, T0);
	assert_null(item->history);
	assert_happened(s, "enqueued");
	c = change_of(s, id);
	assert_true(!c.was_live && !c.was_finished && c.is_live && c.body == spec.body);

	story_at(s, 5);
	assert_ptr_equal(claim(s, "grace", "build"), item);
	assert_int_equal(item->state, WORK_LEASED);
	assert_int_equal(item->attempt, 1);
	assert_int_equal(item->lease_until_ms, T0 + 5 + 60000);
	assert_str(name_str(item->claimed_by), "grace");
	c = change_of(s, id);
	assert_true(c.was_live && c.is_live && !c.body);

	story_at(s, 9);
	complete(s, item);
	assert_null(work_find(s->w, id));
	assert_ptr_equal(work_finished_now(s->w, id, &c), item);
	assert_true(c.was_live && !c.is_live && c.finished_ms == T0 + 9);
	assert_int_equal(item->progress, 100);
	assert_history(item, "claimed completed");
	assert_happened(s, "completed");
	story_at(s, 10);
	assert_null(work_finished_now(s->w, id, NULL));
	story_end(&s);
}

static void a_failure_is_retried_after_its_backoff_until_attempts_run_out(void **state)
{
	struct story *s = story_new();
	struct work_spec spec = a_spec("build");
	struct item *item;
	struct work_change c;

	(void)state;
	spec.max_attempts = 2;
	item = add(s, spec);
	claim(s, "grace", NULL);
	assert_int_equal(settle(s, item, work_token_of(item), OUTCOME_FAILED), OK);
	assert_int_equal(item->state, WORK_SCHEDULED);
	assert_int_equal(item->failures, 1);
	assert_int_equal(item->run_at_ms, T0 + 1000);
	assert_int_equal(item->lease_until_ms, 0);
	assert_str(last_entry(item).note, "broken");
	assert_int_equal(work_next_due_ms(s->w), T0 + 1000);
	story_tick(s, 999);
	assert_int_equal(item->state, WORK_SCHEDULED);
	story_tick(s, 1000);
	assert_int_equal(item->state, WORK_READY);
	assert_int_equal(item->ready_ms, T0); /* its place in the queue is the old one */
	claim(s, "ada", NULL);
	assert_int_equal(settle(s, item, work_token_of(item), OUTCOME_FAILED), OK);
	c = change_of(s, item->id);
	assert_int_equal(item->state, WORK_FAILED);
	assert_int_equal(item->attempt, 2);
	assert_str(c.error, "broken");
	assert_str(last_entry(item).note, "no attempts left: broken");
	assert_history(item, "claimed retrying ready claimed failed");
	story_end(&s);
}

static void a_failure_without_retry_is_final(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build");

	(void)state;
	claim(s, "grace", NULL);
	assert_int_equal(fail_for_good(s, item, "no such branch"), OK);
	assert_int_equal(item->state, WORK_FAILED);
	assert_str(change_of(s, item->id).error, "no such branch");
	assert_str(last_entry(item).note, "no such branch");
	story_end(&s);
}

/* How long after the n-th failure it runs again, at least and at most. */
static void backoffs_grow_as_told(void **state)
{
	static const struct {
		int kind;
		int64_t base, max;
		uint32_t failure;
		int64_t least, most;
	} cases[] = {
		{BACKOFF_FIXED, 500, 100, 1, 500, 500},
		{BACKOFF_FIXED, 500, 100, 9, 500, 500},
		{BACKOFF_LINEAR, 500, 1800, 1, 500, 500},
		{BACKOFF_LINEAR, 500, 1800, 3, 1500, 1500},
		{BACKOFF_LINEAR, 500, 1800, 4, 1800, 1800},
		{BACKOFF_LINEAR, UINT32_MAX, UINT32_MAX, 30, UINT32_MAX, UINT32_MAX},
		{BACKOFF_EXPONENTIAL, 100, 10000, 1, 0, 100},
		{BACKOFF_EXPONENTIAL, 100, 10000, 4, 0, 800},
		{BACKOFF_EXPONENTIAL, 100, 10000, 8, 0, 10000},
		{BACKOFF_EXPONENTIAL, 1, UINT32_MAX, 200, 0, UINT32_MAX},
		{BACKOFF_EXPONENTIAL, UINT32_MAX, UINT32_MAX, 200, 0, UINT32_MAX},
		{BACKOFF_EXPONENTIAL, 0, 10000, 5, 0, 0},
		{BACKOFF_EXPONENTIAL, 500, 0, 5, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct story *s = story_new();
		struct work_spec spec = a_spec("build");
		int64_t now = 0, wait = 0;
		struct item *item;

		spec.backoff_kind = cases[i].kind;
		spec.backoff_base_ms = cases[i].base;
		spec.backoff_max_ms = cases[i].max;
		spec.max_attempts = 1000;
		item = add(s, spec);
		for (uint32_t n = 1; n <= cases[i].failure; n++) {
			assert_ptr_equal(claim(s, "grace", NULL), item);
			assert_int_equal(settle(s, item, work_token_of(item), OUTCOME_FAILED), OK);
			wait = item->run_at_ms - s->now_ms;
			story_tick(s, now += wait);
		}
		assert_in_range(wait, cases[i].least, cases[i].most);
		story_end(&s);
	}
}

static void jitter_spreads_over_the_whole_wait(void **state)
{
	struct story *s = story_new();
	struct work_spec spec = a_spec("build");
	int64_t shortest = INT64_MAX, longest = 0;

	(void)state;
	spec.backoff_kind = BACKOFF_EXPONENTIAL;
	for (int i = 0; i < 500; i++) {
		struct item *item = add(s, spec);

		claim(s, "grace", NULL);
		settle(s, item, work_token_of(item), OUTCOME_FAILED);
		shortest = item->run_at_ms < shortest ? item->run_at_ms : shortest;
		longest = item->run_at_ms > longest ? item->run_at_ms : longest;
	}
	assert_in_range(shortest, T0, T0 + 50);
	assert_in_range(longest, T0 + 950, T0 + 1000);
	story_end(&s);
}

static void a_lapse_is_decided_only_when_its_time_is_applied(void **state)
{
	struct story *s = story_new();
	struct item *late = add_type(s, "build"), *lapsed = add_type(s, "test");
	struct work_token stale;

	(void)state;
	claim(s, "grace", "build");
	claim(s, "grace", "test");
	stale = work_token_of(lapsed);
	story_at(s, 70000); /* both leases ended at 60000 */
	complete(s, late);
	assert_int_equal(late->state, WORK_COMPLETED);
	assert_false(work_tick(s->w, 10));
	assert_int_equal(lapsed->state, WORK_SCHEDULED);
	assert_int_equal(lapsed->failures, 1);
	assert_int_equal(lapsed->outcome, 0);
	assert_int_equal(settle(s, lapsed, stale, OUTCOME_COMPLETED), ERR_STALE_TOKEN);
	assert_happened(s, "completed lapsed");
	story_end(&s);
}

static void the_last_lapse_fails_it_and_says_so(void **state)
{
	struct story *s = story_new();
	struct work_spec spec = a_spec("build");
	struct item *item;

	(void)state;
	spec.max_attempts = 1;
	item = add(s, spec);
	claim(s, "grace", NULL);
	story_tick(s, 60000);
	assert_int_equal(item->state, WORK_FAILED);
	assert_str(change_of(s, item->id).error, "lease lapsed, no attempts left: 1 of 1 failed");
	assert_str(last_entry(item).agent, "grace");
	story_end(&s);
}

static void a_deadline_fails_it_in_every_state(void **state)
{
	struct story *s = story_new();
	struct item *dependency = add_type(s, "first"), *items[4];
	struct work_spec_dependency d = {dependency->id, ON_FAILURE_FAIL, DEPENDENCY_LIVE};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct work_spec spec = a_spec("build");

		spec.deadline_ms = T0 + 100;
		spec.run_at_ms = i == WORK_SCHEDULED ? T0 + 100 : 0;
		spec.depends = i == WORK_BLOCKED ? &d : NULL;
		spec.depends_count = i == WORK_BLOCKED;
		spec.assignee = i == WORK_LEASED ? STR("grace") : (struct str){0};
		spec.lease_ms = 100;
		items[i] = add(s, spec);
	}
	while (items[WORK_LEASED]->state != WORK_LEASED)
		claim(s, "grace", "build");
	if (items[WORK_READY]->state == WORK_LEASED)
		settle(s, items[WORK_READY], work_token_of(items[WORK_READY]), OUTCOME_RELEASED);
	for (int i = 0; i < 4; i++)
		assert_int_equal(items[i]->state, i);
	story_tick(s, 100);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(items[i]->state, WORK_FAILED);
		assert_int_equal(items[i]->failures, 0);
		assert_str(change_of(s, items[i]->id).error, "deadline passed");
	}
	story_end(&s);
}

static void a_released_item_keeps_its_place_and_counts_no_failure(void **state)
{
	struct story *s = story_new();
	struct item *first = add_type(s, "build");

	(void)state;
	story_at(s, 1);
	add_type(s, "build");
	claim(s, "grace", NULL);
	assert_int_equal(settle(s, first, work_token_of(first), OUTCOME_RELEASED), OK);
	assert_int_equal(first->state, WORK_READY);
	assert_int_equal(first->failures, 0);
	story_at(s, 2);
	assert_ptr_equal(claim(s, "ada", NULL), first);
	assert_int_equal(first->attempt, 2);
	story_end(&s);
}

static void a_claim_nobody_received_was_none(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build");
	struct work_token t, wrong;

	(void)state;
	claim(s, "grace", NULL);
	t = wrong = work_token_of(item);
	wrong.random++;
	work_unclaim(s->w, item->id, &wrong);
	assert_int_equal(item->state, WORK_LEASED);
	work_unclaim(s->w, item->id, &t);
	assert_int_equal(item->state, WORK_READY);
	assert_int_equal(item->attempt, 0);
	assert_null(item->claimed_by);
	assert_int_equal(settle(s, item, t, OUTCOME_COMPLETED), ERR_STALE_TOKEN);
	work_unclaim(s->w, item->id, &t);
	work_unclaim(s->w, 12345, &t);
	assert_int_equal(item->attempt, 0);
	assert_history(item, "claimed released");
	story_end(&s);
}

static void only_the_whole_token_opens(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build"), *out;
	struct work_token good, t;

	(void)state;
	claim(s, "grace", NULL);
	good = work_token_of(item);
	for (int part = 0; part < 3; part++) {
		t = good;
		t.attempt += part == 0;
		t.epoch += part == 1;
		t.random += part == 2;
		assert_int_equal(settle(s, item, t, OUTCOME_COMPLETED), ERR_STALE_TOKEN);
		assert_int_equal(work_extend(s->w, 1, item->id, &t, 5, -1, &out), ERR_STALE_TOKEN);
		assert_int_equal(work_progress(s->w, 1, item->id, &t, 5, STR("x"), 0, &out), ERR_STALE_TOKEN);
	}
	assert_int_equal(item->progress, 0);
	assert_int_equal(settle(s, item, good, OUTCOME_COMPLETED), OK);
	story_end(&s);
}

static void a_successor_makes_the_old_token_stale(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build"), *out;
	struct work_token old;

	(void)state;
	claim(s, "sleepy", NULL);
	old = work_token_of(item);
	story_tick(s, 60000);
	story_tick(s, 61000);
	assert_ptr_equal(claim(s, "grace", NULL), item);
	assert_int_equal(settle(s, item, old, OUTCOME_COMPLETED), ERR_STALE_TOKEN);
	assert_int_equal(work_extend(s->w, 1, item->id, &old, 1000, -1, &out), ERR_STALE_TOKEN);
	assert_str(name_str(item->claimed_by), "grace");
	complete(s, item);
	story_end(&s);
}

/* The last settle may be repeated, while the item lives and after; nothing else. */
static void a_settle_may_be_repeated(void **state)
{
	static const struct {
		enum work_outcome first, again;
		enum err expected;
	} cases[] = {
		{OUTCOME_COMPLETED, OUTCOME_COMPLETED, OK},
		{OUTCOME_COMPLETED, OUTCOME_FAILED, ERR_ALREADY_SETTLED},
		{OUTCOME_FAILED, OUTCOME_FAILED, OK},
		{OUTCOME_FAILED, OUTCOME_COMPLETED, ERR_ALREADY_SETTLED},
		{OUTCOME_RELEASED, OUTCOME_RELEASED, OK},
		{OUTCOME_RELEASED, OUTCOME_FAILED, ERR_ALREADY_SETTLED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct story *s = story_new();
		struct item *item = add_type(s, "build");
		struct work_token t;
		uint32_t failures;

		claim(s, "grace", NULL);
		t = work_token_of(item);
		assert_int_equal(settle(s, item, t, cases[i].first), OK);
		failures = item->failures;
		assert_int_equal(settle(s, item, t, cases[i].again), cases[i].expected);
		assert_int_equal(item->failures, failures);
		if (item->state < WORK_COMPLETED)
			story_at(s, 1);
		assert_int_equal(settle(s, item, t, cases[i].again), cases[i].expected);
		t.random++;
		assert_int_equal(settle(s, item, t, cases[i].first), ERR_STALE_TOKEN);
		story_end(&s);
	}
}

/* What handlers ask about rows of finished items. */
static void the_verdict_on_finished_items(void **state)
{
	static const struct work_token last = {3, 1, 77}, other = {2, 1, 66}, none = {0, 0, 0};
	static const struct {
		int state, outcome;
		const struct work_token *last, *given;
		enum work_outcome asked;
		enum err expected;
	} cases[] = {
		{WORK_COMPLETED, OUTCOME_COMPLETED + 1, &last, &last, OUTCOME_COMPLETED, OK},
		{WORK_COMPLETED, OUTCOME_COMPLETED + 1, &last, &last, OUTCOME_FAILED, ERR_ALREADY_SETTLED},
		{WORK_COMPLETED, OUTCOME_COMPLETED + 1, &last, &other, OUTCOME_COMPLETED, ERR_STALE_TOKEN},
		{WORK_FAILED, 0, &last, &last, OUTCOME_COMPLETED, ERR_STALE_TOKEN},
		{WORK_CANCELLED, 0, &last, &last, OUTCOME_COMPLETED, ERR_CANCELLED},
		{WORK_CANCELLED, 0, &last, &other, OUTCOME_COMPLETED, ERR_CANCELLED},
		{WORK_CANCELLED, OUTCOME_RELEASED + 1, &last, &last, OUTCOME_RELEASED, OK},
		{WORK_CANCELLED, 0, &none, &none, OUTCOME_COMPLETED, ERR_CANCELLED},
		{WORK_FAILED, 0, &none, &none, OUTCOME_COMPLETED, ERR_STALE_TOKEN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(work_settled_before(cases[i].state, cases[i].outcome, cases[i].last,
						     cases[i].given, cases[i].asked),
				 cases[i].expected);
}

static void whichever_of_cancel_and_settle_comes_first_wins(void **state)
{
	struct story *s = story_new();
	struct item *cancelled = add_type(s, "build"), *completed = add_type(s, "test"), *out;

	(void)state;
	claim(s, "grace", "build");
	claim(s, "grace", "test");
	story_at(s, 1);
	cancel(s, cancelled);
	assert_int_equal(settle(s, cancelled, work_token_of(cancelled), OUTCOME_COMPLETED), ERR_CANCELLED);
	assert_int_equal(work_extend(s->w, 1, cancelled->id, &(struct work_token){0}, 5, -1, &out), ERR_CANCELLED);
	cancel(s, cancelled); /* once more is fine */
	assert_str(change_of(s, cancelled->id).error, "no longer wanted");
	assert_str(last_entry(cancelled).agent, "boss");
	assert_str(last_entry(cancelled).note, "no longer wanted");
	complete(s, completed);
	assert_int_equal(work_cancel(s->w, 1, completed->id, STR("boss"), STR(""), &out), ERR_CONFLICT);
	story_at(s, 2);
	assert_int_equal(work_cancel(s->w, 1, 12345, STR("boss"), STR(""), &out), ERR_NOT_FOUND);
	story_end(&s);
}

static void another_tenant_finds_nothing(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build"), *out;
	struct work_ending e = {.outcome = OUTCOME_COMPLETED};
	struct work_claim c = a_claim("grace", NULL, 0);
	struct work_spec_dependency d = {item->id, ON_FAILURE_FAIL, DEPENDENCY_LIVE};
	struct work_spec spec = a_spec("build");
	struct work_token t;

	(void)state;
	c.tenant = spec.tenant = 2;
	assert_int_equal(work_claim(s->w, &c, &out), 0);
	claim(s, "grace", NULL);
	t = work_token_of(item);
	assert_int_equal(work_settle(s->w, 2, item->id, &t, &e, &out), ERR_NOT_FOUND);
	assert_int_equal(work_progress(s->w, 2, item->id, &t, 1, STR(""), 0, &out), ERR_NOT_FOUND);
	assert_int_equal(work_extend(s->w, 2, item->id, &t, 1, 1, &out), ERR_NOT_FOUND);
	assert_int_equal(work_cancel(s->w, 2, item->id, STR(""), STR(""), &out), ERR_NOT_FOUND);
	spec.depends = &d;
	spec.depends_count = 1;
	assert_int_equal(refuse_add(s, spec), ERR_INVALID);
	assert_string_equal(s->problem.fields[0].field, "depends_on[0]");
	assert_int_equal(work_count_tenant(s->w, 1, WORK_LEASED), 1);
	assert_int_equal(work_count_tenant(s->w, 2, WORK_LEASED), 0);
	story_end(&s);
}

static void progress_is_kept_and_the_lease_extended(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build"), *out;
	struct work_token t;

	(void)state;
	claim(s, "grace", NULL);
	t = work_token_of(item);
	story_at(s, 50000);
	assert_int_equal(work_progress(s->w, 1, item->id, &t, 40, STR("compiling"), 60000, &out), OK);
	assert_ptr_equal(out, item);
	assert_int_equal(item->progress, 40);
	assert_str(work_blob_str(item->note), "compiling");
	assert_int_equal(item->lease_until_ms, T0 + 110000);
	assert_happened(s, "progress");
	story_tick(s, 109999);
	assert_int_equal(item->state, WORK_LEASED);
	assert_int_equal(work_progress(s->w, 1, item->id, &t, 50, (struct str){0}, 0, &out), OK);
	assert_str(work_blob_str(item->note), "compiling"); /* none given: the last stays */
	assert_int_equal(work_extend(s->w, 1, item->id, &t, 1000, -1, &out), OK);
	assert_int_equal(item->progress, 50);
	assert_int_equal(item->lease_until_ms, T0 + 110999);
	assert_int_equal(work_extend(s->w, 1, item->id, &t, 10, 60, &out), OK);
	assert_int_equal(item->progress, 60);
	assert_happened(s, "progress progress"); /* an extension alone is no news */
	assert_history(item, "claimed");
	story_tick(s, 110009);
	assert_int_equal(item->state, WORK_SCHEDULED);
	story_tick(s, 120000);
	claim(s, "ada", NULL); /* a new attempt begins from nothing */
	assert_int_equal(item->progress, 0);
	assert_null(item->note);
	story_end(&s);
}

static void texts_are_cut_between_characters(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build"), *out;
	struct work_token t;
	char text[301];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + 158, "\xe2\x82\xac", 3); /* a euro over byte 160 */
	memcpy(text + 198, "\xe2\x82\xac", 3); /* and over byte 200 */
	claim(s, "grace", NULL);
	t = work_token_of(item);
	assert_int_equal(work_progress(s->w, 1, item->id, &t, 1, (struct str){text, 300}, 0, &out), OK);
	assert_int_equal(item->note->length, 198);
	text[300] = '\0';
	assert_int_equal(fail_for_good(s, item, text), OK);
	assert_int_equal(last_entry(item).note.n, 158);
	assert_int_equal(change_of(s, item->id).error.n, 300);
	story_end(&s);
}

static void a_claim_may_bring_its_own_lease(void **state)
{
	struct story *s = story_new();
	struct item *item = add_type(s, "build"), *out;
	struct work_claim c = a_claim("grace", NULL, 0);

	(void)state;
	c.lease_ms = 5000;
	assert_int_equal(work_claim(s->w, &c, &out), 1);
	assert_int_equal(item->lease_until_ms, T0 + 5000);
	assert_int_equal(item->lease_ms, 60000); /* the item's own stays for the next one */
	story_end(&s);
}

static void one_key_is_one_live_item(void **state)
{
	struct story *s = story_new();
	struct work_spec spec = a_spec("build");
	struct item *first, *other, *again;
	bool existed;

	(void)state;
	spec.key = STR("nightly");
	first = add(s, spec);
	spec.priority = 99; /* what else is asked for does not matter then, not even whether it is allowed */
	assert_int_equal(work_enqueue(s->w, &spec, &again, &existed, &s->problem), OK);
	assert_true(existed && again == first);
	spec.priority = PRIORITY_HIGH;
	spec.team = STR("core"); /* another queue, another key */
	other = add(s, spec);
	assert_ptr_not_equal(other, first);
	assert_ptr_equal(work_find_key(s->w, 1, STR("build"), STR("core"), STR("nightly")), other);
	assert_ptr_equal(work_find_key(s->w, 1, STR("build"), STR(""), STR("nightly")), first);
	assert_null(work_find_key(s->w, 1, STR("test"), STR(""), STR("nightly")));
	assert_null(work_find_key(s->w, 2, STR("build"), STR(""), STR("nightly")));
	cancel(s, first);
	assert_null(work_find_key(s->w, 1, STR("build"), STR(""), STR("nightly")));
	spec.team = (struct str){0};
	again = add(s, spec); /* free again, in the same batch */
	assert_ptr_not_equal(again, first);
	story_undo(s);
	assert_null(work_find_key(s->w, 1, STR("build"), STR(""), STR("nightly")));
	story_end(&s);
}

static void what_is_out_of_range_is_refused_by_name(void **state)
{
	static const struct {
		const char *field;
		size_t offset;
		bool wide; /* int64_t, else int */
		int64_t value;
	} cases[] = {
		{"priority", offsetof(struct work_spec, priority), false, 4},
		{"priority", offsetof(struct work_spec, priority), false, -1},
		{"max_attempts", offsetof(struct work_spec, max_attempts), true, 0},
		{"max_attempts", offsetof(struct work_spec, max_attempts), true, 65536},
		{"lease_ms", offsetof(struct work_spec, lease_ms), true, 0},
		{"lease_ms", offsetof(struct work_spec, lease_ms), true, (int64_t)UINT32_MAX + 1},
		{"backoff.kind", offsetof(struct work_spec, backoff_kind), false, 3},
		{"backoff.base_ms", offsetof(struct work_spec, backoff_base_ms), true, -1},
		{"backoff.max_ms", offsetof(struct work_spec, backoff_max_ms), true, (int64_t)UINT32_MAX + 1},
		{"run_at", offsetof(struct work_spec, run_at_ms), true, -1},
		{"deadline", offsetof(struct work_spec, deadline_ms), true, -1},
	};
	struct story *s = story_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct work_spec spec = a_spec("build");
		int narrow = (int)cases[i].value;

		memcpy((char *)&spec + cases[i].offset, cases[i].wide ? (const void *)&cases[i].value : &narrow,
		       cases[i].wide ? sizeof(int64_t) : sizeof(int));
		s->problem = (struct problem){0};
		assert_int_equal(refuse_add(s, spec), ERR_INVALID);
		assert_string_equal(s->problem.fields[0].field, cases[i].field);
	}
	s->problem = (struct problem){0};
	assert_int_equal(refuse_add(s, a_spec("")), ERR_INVALID);
	assert_string_equal(s->problem.fields[0].field, "type");
	assert_null(work_unstored_queues(s->w)); /* a refusal changes nothing */
	story_end(&s);
}

static void limits_are_kept(void **state)
{
	struct story *s = story_limited(3, 100, 2);
	struct item *item = add_type(s, "one");

	(void)state;
	add_type(s, "two");
	assert_int_equal(refuse_add(s, a_spec("three")), ERR_TOO_MANY); /* queues */
	add_type(s, "two");
	assert_int_equal(refuse_add(s, a_spec("two")), ERR_TOO_MANY); /* items */
	cancel(s, item);
	add_type(s, "two"); /* a finished one makes room */
	story_end(&s);
}

static void a_delayed_item_waits_for_its_time(void **state)
{
	struct story *s = story_new();
	struct work_spec spec = a_spec("build");
	struct item *item;

	(void)state;
	spec.run_at_ms = T0 + 500;
	item = add(s, spec);
	assert_int_equal(item->state, WORK_SCHEDULED);
	assert_null(claim(s, "grace", NULL));
	assert_int_equal(work_next_due_ms(s->w), T0 + 500);
	story_tick(s, 500);
	assert_int_equal(item->state, WORK_READY);
	assert_int_equal(item->ready_ms, T0 + 500);
	assert_history(item, "ready");
	assert_int_equal(work_next_due_ms(s->w), INT64_MAX);
	story_end(&s);
}

static void a_tick_does_no_more_than_asked(void **state)
{
	struct story *s = story_new();
	struct work_spec spec = a_spec("build");

	(void)state;
	spec.run_at_ms = T0 + 500;
	for (int i = 0; i < 5; i++)
		add(s, spec);
	story_at(s, 600);
	assert_true(work_tick(s->w, 3));
	assert_int_equal(work_count(s->w, WORK_READY), 3);
	assert_false(work_tick(s->w, 3));
	assert_int_equal(work_count(s->w, WORK_READY), 5);
	story_end(&s);
}

static void a_finished_item_comes_back(void **state)
{
	struct story *s = story_new();
	struct work_spec spec = a_spec("build");
	struct work_loading row;
	struct item *item;
	struct work_change c;

	(void)state;
	spec.max_attempts = 1;
	spec.deadline_ms = T0 + 100;
	item = add(s, spec);
	claim(s, "grace", NULL);
	fail_for_good(s, item, "broken");
	row = (struct work_loading){.id = item->id,
				    .tenant = 1,
				    .queue = item->queue->id,
				    .created_ms = T0,
				    .ready_ms = T0,
				    .deadline_ms = T0 + 100,
				    .lease_ms = 60000,
				    .attempt = 1,
				    .failures = 1,
				    .max_attempts = 1,
				    .token_epoch = 1,
				    .token_random = item->token_random,
				    .state = WORK_FAILED,
				    .priority = PRIORITY_MEDIUM,
				    .outcome = OUTCOME_FAILED + 1,
				    .claimed_by = STR("grace")};
	assert_int_equal(work_revive(s->w, &row, NULL, 0, STR("boss"), &item, &s->problem), ERR_CONFLICT);
	story_at(s, 200);
	row.state = WORK_COMPLETED;
	assert_int_equal(work_revive(s->w, &row, NULL, 0, STR("boss"), &item, &s->problem), ERR_CONFLICT);
	row.state = WORK_FAILED;
	assert_int_equal(work_revive(s->w, &row, NULL, 0, STR("boss"), &item, &s->problem), OK);
	assert_int_equal(work_revive(s->w, &row, NULL, 0, STR("boss"), &item, &s->problem), ERR_CONFLICT);
	c = change_of(s, row.id);
	assert_true(!c.was_live && c.was_finished && c.is_live);
	assert_int_equal(item->state, WORK_READY);
	assert_int_equal(item->failures, 0);
	assert_int_equal(item->attempt, 1);
	assert_int_equal(item->deadline_ms, 0); /* it has passed, and would fail it at once */
	assert_int_equal(item->ready_ms, T0);
	assert_history(item, "revived");
	assert_int_equal(settle(s, item, work_token_of(item), OUTCOME_FAILED), OK); /* still known */
	story_undo(s);
	assert_null(work_find(s->w, row.id));
	story_end(&s);
}

static void a_revival_gives_way_to_a_successor_with_its_key(void **state)
{
	struct story *s = story_new();
	struct work_spec spec = a_spec("build");
	struct work_loading row;
	struct item *item;

	(void)state;
	spec.key = STR("nightly");
	item = add(s, spec);
	row = (struct work_loading){.id = item->id,
				    .tenant = 1,
				    .queue = item->queue->id,
				    .lease_ms = 60000,
				    .max_attempts = 1,
				    .state = WORK_CANCELLED,
				    .key_hash = item->key_hash};
	cancel(s, item);
	story_at(s, 1);
	add(s, spec);
	assert_int_equal(work_revive(s->w, &row, NULL, 0, STR("boss"), &item, &s->problem), ERR_CONFLICT);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_lives_and_completes),
		cmocka_unit_test(a_failure_is_retried_after_its_backoff_until_attempts_run_out),
		cmocka_unit_test(a_failure_without_retry_is_final),
		cmocka_unit_test(backoffs_grow_as_told),
		cmocka_unit_test(jitter_spreads_over_the_whole_wait),
		cmocka_unit_test(a_lapse_is_decided_only_when_its_time_is_applied),
		cmocka_unit_test(the_last_lapse_fails_it_and_says_so),
		cmocka_unit_test(a_deadline_fails_it_in_every_state),
		cmocka_unit_test(a_released_item_keeps_its_place_and_counts_no_failure),
		cmocka_unit_test(a_claim_nobody_received_was_none),
		cmocka_unit_test(only_the_whole_token_opens),
		cmocka_unit_test(a_successor_makes_the_old_token_stale),
		cmocka_unit_test(a_settle_may_be_repeated),
		cmocka_unit_test(the_verdict_on_finished_items),
		cmocka_unit_test(whichever_of_cancel_and_settle_comes_first_wins),
		cmocka_unit_test(another_tenant_finds_nothing),
		cmocka_unit_test(progress_is_kept_and_the_lease_extended),
		cmocka_unit_test(texts_are_cut_between_characters),
		cmocka_unit_test(a_claim_may_bring_its_own_lease),
		cmocka_unit_test(one_key_is_one_live_item),
		cmocka_unit_test(what_is_out_of_range_is_refused_by_name),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(a_delayed_item_waits_for_its_time),
		cmocka_unit_test(a_tick_does_no_more_than_asked),
		cmocka_unit_test(a_finished_item_comes_back),
		cmocka_unit_test(a_revival_gives_way_to_a_successor_with_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
