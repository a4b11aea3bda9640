/* The thread that numbers; see sequencer.h. */
#include "directory/sequencer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/magic.h"
#include "telemetry/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	LOT = 5000,         /* changes numbered in one transaction */
	LOOK_MS = 10,       /* between looks, unless the bell rings */
	BREATH_MS = 2,      /* between lots: what is written meanwhile goes together */
	ELSEWHERE_MS = 100, /* between looks whether this process is the one */
	RETRY_MS = 200,
	REPORT_MS = 5000, /* period of the job */
	NS_PER_MS = 1000000
};

struct sequencer {
	struct store *store;
	struct changes *feed;
	struct jobs *jobs;
	struct metrics *metrics;
	struct db *db; /* of the thread; NULL while the store cannot be reached */
	struct arena *arena;
	pthread_t thread;
	bool has_thread;
	_Atomic int64_t numbered;  /* since the last report */
	_Atomic int64_t waited_ms; /* the longest since then */
};

/* ---- its job: taking and keeping the lease, and telling how it goes ---- */

static enum err report(void *ctx, struct db *db, struct job_run *run)
{
	(void)db;
	struct sequencer *s = ctx;
	buf_fmt(&run->result, "%" PRId64 " changes numbered, none waited longer than %" PRId64 " ms",
		atomic_load(&s->numbered), atomic_load(&s->waited_ms));
	return OK;
}

static void reported(void *ctx)
{
	struct sequencer *s = ctx;
	atomic_store(&s->numbered, 0);
	atomic_store(&s->waited_ms, 0);
}

/* ---- the thread ---- */

static enum err connect(struct sequencer *s)
{
	struct problem p = {0};
	if (s->db)
		return db_lost(s->db) ? db_reconnect(s->db, &p) : OK;
	return store_connect(s->store, DB_WRITE, &s->db, &p);
}

static void count(struct sequencer *s, const struct change_number_out *lot)
{
	atomic_fetch_add(&s->numbered, lot->numbered);
	if (lot->waited_ms > atomic_load(&s->waited_ms))
		atomic_store(&s->waited_ms, lot->waited_ms);
	metrics_observe_ns(s->metrics, METRIC_changes_numbering_seconds, lot->waited_ms * NS_PER_MS);
}

/* Numbers one lot; how many changes it held. Whatever goes wrong, each change has either moved or stayed. */
static enum err number_lot(struct sequencer *s, int64_t *numbered)
{
	struct change_number_out lot;
	arena_reset(s->arena);
	enum err err = connect(s);
	if (!err)
		err = q_change_number(s->db, &(struct change_number_in){LOT}, s->arena, &lot);
	if (err) {
		metrics_add_at(s->metrics, METRIC_store_errors_total, (unsigned)err, 0, 1);
		return err;
	}
	*numbered = lot.numbered;
	if (lot.numbered > 0) {
		count(s, &lot);
		changes_ring(s->feed, CHANGES_NUMBERED);
	}
	return OK;
}

static void *sequencer_main(void *arg)
{
	struct sequencer *s = arg;
	uint64_t heard = 0;
	while (!changes_stopping(s->feed)) {
		int64_t numbered = 0;
		if (!jobs_held(s->jobs, JOB_SEQUENCER)) {
			changes_pause(s->feed, ELSEWHERE_MS);
		} else if (number_lot(s, &numbered) != OK) {
			changes_pause(s->feed, RETRY_MS);
		} else if (numbered > 0 && numbered < LOT) {
			changes_pause(s->feed, BREATH_MS);
		} else if (numbered == 0) {
			changes_wait(s->feed, CHANGES_COMMITTED, &heard, LOOK_MS);
		}
	}
	db_close(&s->db);
	return NULL;
}

/* ---- life ---- */

struct sequencer *sequencer_new(struct store *store, struct changes *feed, struct jobs *jobs,
				struct metrics *metrics)
{
	struct sequencer *s = NEW(struct sequencer);
	*s = (struct sequencer){.store = store, .feed = feed, .jobs = jobs, .metrics = metrics};
	s->arena = arena_new(1 << 16);
	struct job_spec spec = {
		.name = JOB_SEQUENCER, .period_ms = REPORT_MS, .step = report, .committed = reported, .ctx = s};
	jobs_add(jobs, &spec);
	return s;
}

enum err sequencer_start(struct sequencer *s, struct problem *p)
{
	if (pthread_create(&s->thread, NULL, sequencer_main, s) != 0)
		return problem_set(p, ERR_OVERLOADED, "no thread for numbering changes could be started");
	s->has_thread = true;
	return OK;
}

void sequencer_destroy(struct sequencer **s)
{
	struct sequencer *ending = *s;
	if (!ending)
		return;
	if (ending->has_thread) {
		CHECK(changes_stopping(ending->feed));
		pthread_join(ending->thread, NULL);
	}
	arena_destroy(&ending->arena);
	free(ending);
	*s = NULL;
}
