/*
 * A world for the engine whose time goes by itself: waiting in its transport moves its clock to what comes next. The
 * target answers each call after a latency, with what a test says; what was sent when is kept. The sink keeps every
 * record.
 */
#ifndef TENFOLD_TESTS_SIM_WORLD_H
#define TENFOLD_TESTS_SIM_WORLD_H

#include "base/vec.h"
#include "sim/engine.h"

enum { WORLD_MS = 1000000, WORLD_S = 1000000000 };

struct world_call {
	struct client_call *call;
	int64_t due_ns;
	uint32_t number; /* from 0 */
};

struct world_record {
	uint32_t agent, cycle, number, outcome;
	enum journey_kind kind;
	bool replay;
	int64_t started_ms, ended_ms;
	uint64_t hash; /* of all that was decided: kept values and events */
};

struct world {
	int64_t now_ns;
	int64_t start_ns;

	/* the target */
	int64_t latency_ns;
	/* Fills err, status, retry_after_ms of a call; NULL: 200. */
	void (*answers)(struct world *w, struct client_call *c, uint32_t number);
	void *answers_ctx;
	VEC(struct world_call) under_way;
	VEC(int64_t) sent; /* when each was sent */
	uint32_t peak;     /* calls under way at once */
	uint32_t overlaps; /* calls of an agent that had one under way */
	client_done_fn *done;
	void *done_ctx;

	/* the sink */
	pthread_mutex_t lock; /* of the records, for runs with threads */
	VEC(struct world_record) records;
	VEC(struct cycle_record) cycles;
	uint32_t room;       /* records that are taken; UINT32_MAX */
	const char *trouble; /* NULL: none */
	bool unsettled;

	/* what happened */
	VEC(enum engine_news) news;
	struct buf lines;
};

void world_init(struct world *w);
void world_free(struct world *w);

/* A configuration in that world: 372 agents of `scenario`, both cycles and time scale to be set by the test. */
void world_config(struct world *w, const struct scenario *s, const struct population *who,
		  struct engine_config *out);
/* The same with the clock of the machine, and mocks: for several threads. */
void world_config_flat(struct world *w, const struct scenario *s, const struct population *who,
		       struct engine_config *out);

struct engine *world_engine(const struct engine_config *c);
void world_run_until(struct world *w, struct engine *e, int64_t ns); /* of the world's clock, from its start */
void world_run(struct world *w, struct engine *e);                   /* to its end */
unsigned world_news(const struct world *w, enum engine_news what);   /* how often */
/* Sorted by cycle, agent, kind and number; one hash of all. */
uint64_t world_decisions(struct world *w);

#endif
