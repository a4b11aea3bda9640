/*
 * The engine: a population going through cycles. Clock, transport and sink are handed in (sim/ports.h), so the same
 * code runs mocked, for real, and under the virtual time of a test.
 *
 *   BEGIN ─► RUNNING ─(all have ended and are written, its time is over)─► BETWEEN ─► RUNNING …
 *              │  ▲                                                           │
 *        pause │  │ resume                                                    ├─ checkpoint when it is due or asked for
 *              ▼  │                                                           └─ last cycle, or stop: ENDED
 *            PAUSED (calls under way end; nothing new begins; run time stands. So while the breaker is open, or
 *                    the recorder cannot write)
 *
 * Threads: one shard each, agent a in shard a % threads; a shard has a wheel, a transport, a journey room and counts
 * of its own. The caller's thread drives shard 0 and the steps between cycles, when the others wait. Limiter,
 * breaker and the state above are shared.
 *
 * Models. POPULATION: in each cycle each admitted agent begins a session with the probability of its eagerness, and
 * the others may visit; all begin at the cycle's beginning, or spread over it if the scenario says so. CLOSED: each
 * admitted agent begins again as soon as its session has ended, until the cycle's time is over. ARRIVALS: sessions
 * arrive as planned, whoever is ready; one that finds no agent ready is dropped and counted.
 *
 * Time. With a time scale a cycle takes 3600 / scale seconds of run time (sim/runclock.h), waits are as much shorter,
 * and end with their hour at the latest. One that takes longer slips: the next begins when it has ended, and no hour
 * is left out. Without a scale (flat out) waits take no time and the next cycle begins at once; each agent has one
 * turn in a cycle, CLOSED too, and mocked requests go by no limiter.
 */
#ifndef TENFOLD_SIM_ENGINE_H
#define TENFOLD_SIM_ENGINE_H

#include "base/clock.h"
#include "sim/arrivals.h"
#include "sim/breaker.h"
#include "sim/checkpoint.h"
#include "sim/population.h"
#include "sim/ports.h"
#include "sim/scenario.h"

enum { ENGINE_THREADS_MAX = 64, ENGINE_CAUSES = 8 };

struct engine;

enum engine_model { MODEL_POPULATION, MODEL_CLOSED, MODEL_ARRIVALS };
enum engine_state { ENGINE_BEGIN, ENGINE_RUNNING, ENGINE_BETWEEN, ENGINE_PAUSED, ENGINE_ENDED };
enum engine_pause { PAUSE_NONE = 0, PAUSE_ASKED = 1, PAUSE_BREAKER = 2, PAUSE_RECORDER = 4 }; /* bits */
enum engine_on_open { ON_OPEN_WAIT, ON_OPEN_EXIT, ON_OPEN_COOLDOWN };
enum engine_end { ENDED_NOT, ENDED_CYCLES, ENDED_TIME, ENDED_STOPPED, ENDED_BREAKER };

/* What happens, one line each: for the log, the dashboard and alerts. */
enum engine_news {
	NEWS_PAUSED,
	NEWS_RESUMED,
	NEWS_BREAKER, /* it opened */
	NEWS_CHECKPOINT,
	NEWS_SLIPPED,
	NEWS_HELD,    /* by a 429 */
	NEWS_TROUBLE, /* the recorder or a checkpoint cannot be written; it is tried again */
	NEWS_ENDING,
};

struct engine_config {
	const struct scenario *scenario;
	const struct population *population;
	uint64_t seed;
	struct str seed_text, run_id, key;
	int64_t start_ms; /* simulated; a whole hour */
	enum engine_model model;
	bool spread; /* over the hour; else all begin together */
	struct arrival_plan arrivals;
	double time_scale; /* simulated seconds in one of run time; 0: flat out; not 0 with ARRIVALS */
	uint32_t cycles;   /* 0: until it is told to stop, or run_ms is over */
	int64_t run_ms;    /* of run time, with what a resumed run has behind it; 0: no such end */
	uint32_t warmup_cycles, checkpoint_every;
	unsigned threads;
	bool idle_visits;
	double rate; /* requests a second; 0: no limit */
	uint32_t burst;
	double breaker_percent;
	uint32_t breaker_min, breaker_down_after;
	enum engine_on_open on_open;
	int64_t cooldown_ms;
	bool mock_api; /* requests are answered by the scenario's mocks; none is started */
	uint32_t groups;
	transport_make_fn *transport;
	const void *transport_how;
	uint32_t sessions_max; /* at once, when flat out; of all threads */
	struct sink sink;
	int64_t (*now_ns)(void *clock); /* monotonic; calls' sent_ns and done_ns are of the same */
	void *clock;
	struct clock *wall;
	struct str dir;                  /* of checkpoints, and of them alone; empty: none */
	const struct checkpoint *resume; /* NULL: from the beginning */
	uint32_t attempt;                /* 0; of a resume one more than of what it resumes */
	uint32_t seen_cycles;            /* those below this were seen before: what is run again is replay */
	/* On the caller's thread, at the end of a turn. */
	void (*happened)(void *ctx, enum engine_news what, const char *line);
	void *ctx;
};

/* ERR_INVALID when population or checkpoint do not fit; what the transport says. What config points to must stay. */
enum err engine_new(const struct engine_config *config, struct engine **out, struct problem *p);
void engine_free(struct engine **e);
/* Runs for at most so long (real), or until something happened. An error is the last checkpoint's, and ends the run. */
enum err engine_turn(struct engine *e, int64_t at_most_ns, struct problem *p);
enum engine_state engine_state(struct engine *e);

/* Who may have been in a session in that cycle, into `agents`, which has room for all: by the schedule; with CLOSED and
 * ARRIVALS all who were admitted. */
uint32_t engine_active_in(const struct engine *e, uint32_t cycle, uint32_t *agents);
/* Before the first turn: these clean up first. `agents` must stay. */
void engine_clean_up(struct engine *e, const uint32_t *agents, uint32_t count);

/* Asked for by a person or a script; any thread. */
void engine_pause(struct engine *e);
void engine_resume(struct engine *e);     /* also closes the breaker */
void engine_checkpoint(struct engine *e); /* at the end of this cycle */
/* Brings this cycle to its end without waiting for its time, makes a checkpoint and ends. While the run stands that
 * cannot be: then the cycle is given up, and the checkpoint is of the one before. at_once: neither. */
void engine_stop(struct engine *e, bool at_once);
void engine_wake(struct engine *e); /* something may have changed, as the recorder */

struct engine_cause { /* why sessions failed */
	char text[96];
	uint32_t count;
};

/* What a dashboard, a metrics page and a report show. Filled between turns, from all threads; what it points to stays
 * until the next look. */
struct engine_view {
	enum engine_state state;
	unsigned pause; /* enum engine_pause */
	enum engine_end end;
	uint32_t cycle, cycles; /* the one that runs, or is next; cycles: 0 when that is open */
	uint32_t agents, admitted;
	uint32_t under_way;           /* sessions and visits */
	uint32_t in_flight, queueing; /* of them: waiting for an answer; for the limiter */
	int64_t simulated_ms, elapsed_ms, cycle_elapsed_ms;
	int64_t cycle_planned_ms; /* 0: flat out */
	struct counts totals;     /* whole cycles and the one that runs */
	struct counts this_cycle;
	const struct latencies *endpoints, *recent; /* by endpoint, alike; of the last minute or two */
	unsigned endpoint_count;
	struct sim_breaker breaker;
	double rate, rate_measured; /* requests a second: allowed; of the last seconds */
	int64_t held_ms;            /* how long a 429 still holds everybody */
	struct client_counts client;
	struct recorder_counts recorder;
	uint64_t memory_bytes;                     /* resident */
	struct engine_cause causes[ENGINE_CAUSES]; /* of this cycle, most frequent first */
	char last_error[160];
	uint32_t slipped; /* cycles that took longer than their time */
	bool cut_off;     /* it ended in the middle of a cycle: sessions may have been under way */
	bool replay;
};
void engine_look(struct engine *e, struct engine_view *out);

#endif
