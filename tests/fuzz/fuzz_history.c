/*
 * The queue's compact columns, read from a store that may hold anything.
 *
 * As `depends`: what reads is written back as the same bytes. As `history`: entries end, their texts lie inside,
 * and an item loaded with it lives on: every change is found in it again, or counted as folded.
 */
#include "base/buf.h"
#include "base/magic.h"
#include "work/work.h"

enum { CHANGES = 70, KEPT = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_depends(struct str blob)
{
	struct buf again = BUF_INIT(0);
	struct str rest = blob;
	struct work_depends_entry e;

	while (work_depends_next(&rest, &e)) {
		CHECK(e.id >= 0 && (e.on_failure == ON_FAILURE_FAIL || e.on_failure == ON_FAILURE_IGNORE));
		work_depends_add(&again, e.id, e.on_failure);
	}
	CHECK(str_eq(buf_str(&again), (struct str){blob.p, blob.n - rest.n}));
	buf_free(&again);
}

static bool lies_in(struct str inner, struct str outer)
{
	return inner.n == 0 || (inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n);
}

/* Returns how many changes it tells of, folded ones included; *whole when it reads to its end. */
static uint64_t check_history(struct str blob, size_t *entries, bool *whole)
{
	struct str rest = blob;
	struct work_history_entry e;
	uint64_t changes = 0;

	for (*entries = 0; work_history_next(&rest, &e); ++*entries) {
		CHECK(e.kind >= EVENT_ENQUEUED && e.kind <= EVENT_REVIVED && e.at_ms >= 0);
		CHECK(lies_in(e.agent, blob) && lies_in(e.note, blob));
		CHECK(*entries < blob.n);
		changes += 1 + (uint64_t)e.folded;
	}
	*whole = rest.n == 0;
	return changes;
}

static void live_on(struct work *w, uint64_t changes, size_t entries)
{
	struct work_claim c = {.tenant = 1, .agent = STR("grace"), .max = 1};
	struct work_ending released = {.outcome = OUTCOME_RELEASED};
	size_t kept;
	bool whole;

	for (size_t i = 1; i <= CHANGES; i++) {
		struct item *item;
		struct work_token t;
		uint64_t now;

		work_begin(w, 1000);
		CHECK(work_claim(w, &c, &item) == 1);
		t = work_token_of(item);
		CHECK(work_settle(w, 1, item->id, &t, &released, &item) == OK);
		work_commit(w);
		now = check_history(work_blob_str(item->history), &kept, &whole);
		CHECK(whole && kept == (entries + 2 * i < KEPT ? entries + 2 * i : KEPT));
		CHECK(now == changes + 2 * i || now >= UINT32_MAX);
	}
}

static void load(struct str history, uint64_t changes, size_t entries, bool whole)
{
	struct rng rng;
	struct work_env env = {.rng = &rng, .epoch = 1, .max_live = 10, .max_waiting = 10, .max_queues = 10};
	struct work *w = work_new(&env);
	struct work_loading row = {.id = 1,
				   .tenant = 1,
				   .queue = 1,
				   .ready_ms = 1,
				   .lease_ms = 1000,
				   .max_attempts = 1,
				   .history = history};
	enum err err;

	rng_seeded_init(&rng, 1);
	row.state = WORK_READY;
	work_load_queue(w, 1, 1, STR("build"), (struct str){0});
	err = work_load(w, &row, 1000, NULL);
	work_loaded(w, 1);
	CHECK(err == (whole ? OK : ERR_INVALID));
	if (!err)
		live_on(w, changes, entries);
	work_destroy(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str blob = {(const char *)data, size};
	uint64_t changes;
	size_t entries;
	bool whole;

	check_depends(blob);
	changes = check_history(blob, &entries, &whole);
	load(blob, changes, entries, whole);
	return 0;
}
