/* See story.h. */
#include "story.h"

#include "base/buf.h"

static bool key_is(void *ctx, const struct item *item, struct str key)
{
	(void)ctx, (void)item, (void)key;
	return true;
}

static void served(void *ctx, void *who, struct item *const *items, size_t count)
{
	struct story *s = ctx;

	assert_true(s->served_count < STORY_SERVED && count <= 1);
	s->served_who[s->served_count] = who;
	s->served_id[s->served_count++] = count ? items[0]->id : 0;
}

struct work *story_work(struct story *s)
{
	struct work_env env = {.ctx = s,
			       .rng = &s->rng,
			       .epoch = ++s->epoch,
			       .max_live = s->max_live,
			       .max_waiting = s->max_waiting,
			       .max_queues = s->max_queues,
			       .key_is = key_is,
			       .served = served};

	return work_new(&env);
}

struct story *story_limited(uint64_t max_live, uint64_t max_waiting, uint64_t max_queues)
{
	struct story *s = test_calloc(1, sizeof(*s));

	s->max_live = max_live;
	s->max_waiting = max_waiting;
	s->max_queues = max_queues;
	rng_seeded_init(&s->rng, 1);
	s->now_ms = T0;
	s->w = story_work(s);
	work_begin(s->w, s->now_ms);
	return s;
}

struct story *story_new(void)
{
	return story_limited(1000000, 100, 1000);
}

static void assert_sound(const struct story *s)
{
	const char *fault = work_broken_invariant(s->w);

	if (fault)
		fail_msg("%s", fault);
}

void story_end(struct story **s)
{
	work_commit((*s)->w);
	assert_sound(*s);
	work_destroy(&(*s)->w);
	test_free(*s);
	*s = NULL;
}

void story_at(struct story *s, int64_t ms)
{
	assert_sound(s);
	work_commit(s->w);
	assert_sound(s);
	s->now_ms = T0 + ms;
	work_begin(s->w, s->now_ms);
}

void story_undo(struct story *s)
{
	work_undo(s->w);
	assert_sound(s);
	work_begin(s->w, s->now_ms);
}

void story_tick(struct story *s, int64_t ms)
{
	story_at(s, ms);
	assert_false(work_tick(s->w, 1000));
}

void story_swap(struct story *s, struct work *w)
{
	work_commit(s->w);
	work_destroy(&s->w);
	s->w = w;
	assert_sound(s);
	work_begin(w, s->now_ms);
}

struct work_spec a_spec(const char *type)
{
	return (struct work_spec){.tenant = 1,
				  .type = str_of(type),
				  .priority = PRIORITY_MEDIUM,
				  .max_attempts = 5,
				  .lease_ms = 60000,
				  .backoff_kind = BACKOFF_FIXED,
				  .backoff_base_ms = 1000,
				  .backoff_max_ms = 600000};
}

struct item *add(struct story *s, struct work_spec spec)
{
	struct item *item;
	bool existed;

	assert_int_equal(work_enqueue(s->w, &spec, &item, &existed, &s->problem), OK);
	return item;
}

struct item *add_type(struct story *s, const char *type)
{
	return add(s, a_spec(type));
}

enum err refuse_add(struct story *s, struct work_spec spec)
{
	struct item *item;
	bool existed;
	enum err err = work_enqueue(s->w, &spec, &item, &existed, &s->problem);

	assert_int_not_equal(err, OK);
	assert_int_equal(s->problem.err, err);
	return err;
}

struct item *add_after(struct story *s, const char *type, const struct item *dependency, int on_failure)
{
	struct work_spec_dependency d = {dependency->id, on_failure, DEPENDENCY_LIVE};
	struct work_spec spec = a_spec(type);

	spec.depends = &d;
	spec.depends_count = 1;
	return add(s, spec);
}

struct work_claim a_claim(const char *agent, const struct str *types, size_t types_count)
{
	return (struct work_claim){
		.tenant = 1, .agent = str_of(agent), .types = types, .types_count = types_count, .max = 1};
}

struct item *claim(struct story *s, const char *agent, const char *type)
{
	struct str types[1] = {str_of(type)};
	struct work_claim c = a_claim(agent, types, type ? 1 : 0);
	struct item *item = NULL;

	return work_claim(s->w, &c, &item) ? item : NULL;
}

struct work_waiter *wait_for(struct story *s, const struct work_claim *c, int64_t until_ms, void *who)
{
	struct work_waiter *waiter;
	struct item *item;

	assert_int_equal(work_claim(s->w, c, &item), 0);
	assert_int_equal(work_wait(s->w, c, T0 + until_ms, who, &waiter), OK);
	return waiter;
}

enum err settle(struct story *s, const struct item *item, struct work_token t, enum work_outcome outcome)
{
	struct work_ending e = {.outcome = outcome, .error = STR("broken"), .retry = true};
	struct item *out;

	return work_settle(s->w, item->queue->tenant, item->id, &t, &e, &out);
}

enum err fail_for_good(struct story *s, const struct item *item, const char *error)
{
	struct work_ending e = {.outcome = OUTCOME_FAILED, .error = str_of(error)};
	struct work_token t = work_token_of(item);
	struct item *out;

	return work_settle(s->w, item->queue->tenant, item->id, &t, &e, &out);
}

void complete(struct story *s, const struct item *item)
{
	assert_int_equal(settle(s, item, work_token_of(item), OUTCOME_COMPLETED), OK);
}

void cancel(struct story *s, const struct item *item)
{
	struct item *out;

	assert_int_equal(
		work_cancel(s->w, item->queue->tenant, item->id, STR("boss"), STR("no longer wanted"), &out), OK);
	assert_ptr_equal(out, item);
}

bool is_changed(struct story *s, int64_t id)
{
	struct work_change c;

	for (size_t i = 0; work_next_change(s->w, &i, &c);)
		if (c.item->id == id)
			return true;
	return false;
}

struct work_change change_of(struct story *s, int64_t id)
{
	struct work_change c;

	for (size_t i = 0; work_next_change(s->w, &i, &c);)
		if (c.item->id == id)
			return c;
	fail_msg("item %lld was not touched", (long long)id);
	return c;
}

static const char *const kinds[] = {
	[EVENT_ENQUEUED] = "enqueued",   [EVENT_READY] = "ready",         [EVENT_CLAIMED] = "claimed",
	[EVENT_PROGRESS] = "progress",   [EVENT_COMPLETED] = "completed", [EVENT_RETRYING] = "retrying",
	[EVENT_LAPSED] = "lapsed",       [EVENT_RELEASED] = "released",   [EVENT_FAILED] = "failed",
	[EVENT_CANCELLED] = "cancelled", [EVENT_REVIVED] = "revived",
};

static void assert_words(struct buf *b, const char *expected)
{
	assert_string_equal(buf_cstr(b), expected);
	buf_free(b);
}

static void add_word(struct buf *b, int kind)
{
	if (b->n)
		buf_c(b, ' ');
	buf_z(b, kinds[kind]);
}

void assert_happened(struct story *s, const char *expected)
{
	struct buf b = BUF_INIT(0);
	size_t n;
	const struct work_happening *h = work_happenings(s->w, &n);

	for (size_t i = 0; i < n; i++)
		add_word(&b, h[i].kind);
	assert_words(&b, expected);
}

void assert_history(const struct item *item, const char *expected)
{
	struct buf b = BUF_INIT(0);
	struct str blob = work_blob_str(item->history);
	struct work_history_entry e;

	while (work_history_next(&blob, &e))
		add_word(&b, e.kind);
	assert_int_equal(blob.n, 0);
	assert_words(&b, expected);
}

struct work_history_entry last_entry(const struct item *item)
{
	struct str blob = work_blob_str(item->history);
	struct work_history_entry e = {0}, next;

	while (work_history_next(&blob, &next))
		e = next;
	return e;
}
