/*
 * The parts of the engine, and who may touch what.
 *
 *	engine.c    what it is told to do, its states, one turn after another
 *	cycle.c     a cycle begins, a cycle ends; the checkpoint
 *	plan.c      who begins when in a cycle
 *	shard.c     one thread's agents: what is due, waiting, the thread
 *	session.c   one agent's way through a journey
 *	breaking.c  standing still, going on, and why
 *	look.c      what is shown
 *
 * A shard belongs to its thread while a round is on, and to the caller's between rounds. Of what it counts, others
 * read while it runs: that is under its lock, which the thread holds for one step at a time and never while it waits.
 * What the engine says here to be shared is under its own lock or atomic. A shard's lock may be held when the
 * engine's is taken, not the other way round.
 */
#ifndef TENFOLD_SIM_ENGINE_PRIV_H
#define TENFOLD_SIM_ENGINE_PRIV_H

#include "base/magic.h"
#include "base/vec.h"
#include "sim/engine.h"
#include "sim/journey.h"
#include "sim/limiter.h"
#include "sim/ramp.h"
#include "sim/runclock.h"
#include "sim/wheel.h"

#include <pthread.h>

enum {
	NS_PER_MS = 1000000,
	NS_PER_TICK = 1000, /* of a wheel */
	NEWS_MAX = 32,      /* lines that wait to be told; more are dropped */
};

/* A session that is to begin. */
struct begin {
	uint32_t agent, number;
	uint32_t at_ms; /* into the hour */
	uint32_t order; /* among those of one time: drawn, so that it is not always the first of the list */
	enum journey_kind kind;
};

enum session_does { SESSION_WAITS, SESSION_QUEUES, SESSION_CALLS, SESSION_UNWRITTEN };

struct session {
	struct timer timer; /* while it waits or queues */
	struct client_call call;
	struct shard *shard;
	struct session *next, **at; /* in its shard's list: live or free */
	struct journey *journey;
	enum session_does does;
	enum journey_kind kind;
	uint32_t agent, number;
	int64_t began_ms, now_ms; /* simulated */
	int64_t began_ns;         /* run time */
	int64_t due_ns;           /* run time: when its next request should be sent, had nothing been slow */
	int64_t queued_ns;        /* run time: since when it waits for the limiter */
	int64_t throttled_ns;     /* how long it waited for it, with this request */
	int64_t late_ns;          /* how late this request was sent, without that */
	int64_t started_ns;       /* by the clock: when the call was started */
	struct slot slot;
	uint32_t holds; /* answers 429 to this request */
};

/* What an agent is to remember of a cycle, when that is whole. */
struct remembered {
	uint32_t sessions : 29;
	uint32_t completed : 1; /* one of them */
	uint32_t offered : 1, offers_failed : 1;
};

struct shard {
	struct engine *engine;
	unsigned index;
	pthread_t thread; /* not of shard 0 */
	uint32_t round;   /* the last it took part in */
	bool hurries;     /* has woken who waits, to bring the cycle to its end */
	struct transport transport;
	struct journey_room *room;
	struct wheel wheel;
	struct session *live, *free;
	uint32_t live_count, unwritten_count;
	int64_t now_ns; /* run time, at the beginning of this step */

	/* the plan of this cycle */
	VEC(struct begin) begins;
	size_t begun;
	uint32_t planned_to; /* agents up to here are in the plan */
	bool planned;        /* all of them are */
	struct arrivals arrivals;
	uint8_t *busy, *failed;        /* a bit for each agent of the shard; NULL with POPULATION */
	struct remembered *remembered; /* by agent, its own ones */

	pthread_mutex_t lock;
	struct counts counts; /* of this cycle */
	uint32_t calling, queueing;
	struct client_counts client;               /* as of the last step */
	struct latencies *endpoints;               /* of this cycle */
	struct latencies *minute[2];               /* of this minute and the one before */
	struct engine_cause causes[ENGINE_CAUSES]; /* of this cycle */
};

/* SETTLE: waits for records; CLOSE: for the cycle's own; WAIT: for the next cycle's time. */
enum phase { PHASE_NEW, PHASE_CLEANUP, PHASE_CYCLE, PHASE_SETTLE, PHASE_CLOSE, PHASE_WAIT, PHASE_ENDED };

struct engine {
	unsigned magic;
	struct engine_config config;
	struct journey_run run;
	struct calendar calendar;
	struct ramp ramp;
	struct limiter limiter;
	struct runclock clock;
	struct eagerness *eagerness; /* by agent */
	float most_eager;
	struct memory_of_agent *memory; /* as of the last whole cycle */
	unsigned endpoint_count, cohort_count;
	bool has_idle;
	const struct offer_rules *offers; /* NULL: none */

	/* the caller's thread, read by shards while a round is on */
	enum phase phase;
	enum engine_end end;
	bool cut_off;   /* ended in the middle of a cycle */
	uint32_t cycle; /* the one that runs, or is next */
	uint32_t admitted;
	bool cleaned; /* the cleanups have been begun */
	const uint32_t *cleanups;
	uint32_t cleanup_count;
	bool replay;
	struct moment moment;
	int64_t planned_ns;            /* run time of a cycle; 0: flat out */
	int64_t began_ns, ends_ns;     /* run time: this cycle */
	int64_t took_from_ns;          /* by the clock: when it began */
	int64_t arrivals_from_ns;      /* run time: the first arrivals of this cycle */
	int64_t before_ns;             /* run time of the process that was resumed */
	struct counts totals;          /* whole cycles */
	struct latencies *endpoints;   /* whole cycles */
	uint32_t slipped, saved_cycle; /* + 1: the last cycle that a checkpoint has */
	int64_t opened_ns;             /* by the clock: when the breaker opened */
	int64_t minute_ns;             /* by the clock: when the minute began */
	struct latencies *shown, *shown_recent;
	int64_t rate_from_ns;
	uint64_t rate_from;
	double rate_measured;

	struct shard *shards; /* config.threads */

	_Atomic bool hurry, cut; /* bring the cycle to its end; give it up */
	_Atomic bool stop, stop_at_once, save;
	_Atomic bool nobody; /* the last call found nobody there */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t round, shards_busy;
	bool quit;
	unsigned pause; /* enum engine_pause */
	struct sim_breaker breaker;
	char last_error[160];
	struct {
		enum engine_news what;
		char line[256];
	} news[NEWS_MAX];
	unsigned news_count;
};

/* ---- session.c: all under the shard's lock ---- */

void session_begin(struct shard *s, const struct begin *b, int64_t due_ns);
void session_expired(struct session *t);
void session_hurry(struct session *t);
bool session_put_again(struct session *t); /* false: the recorder has no room yet */
void session_cut(struct session *t);
void session_answered(void *shard, struct client_call *c); /* client_done_fn; takes the lock */

/* ---- plan.c ---- */

void plan_cycle(struct shard *s); /* forgets the last one */
void plan_cleanups(struct shard *s);
bool plan_is_active(const struct engine *e, uint32_t agent, uint32_t cycle, const struct moment *moment,
		    struct draws *d); /* of those admitted; leaves the draws where the rest of the turn begins */
void plan_more(struct shard *s);      /* until there is a session to begin, or `planned` */
/* The next arrival that is this shard's and due by now; false: there is none. */
bool plan_arrival(struct shard *s, struct begin *out, int64_t *due_ns);
int64_t plan_next_arrival_ns(const struct shard *s); /* run time; may be another shard's */
uint32_t plan_offer_period(const struct engine *e, uint32_t cycle);

static inline bool shard_bit(const uint8_t *bits, uint32_t own)
{
	return bits[own / 8] >> own % 8 & 1;
}

/* ---- shard.c ---- */

enum err shard_open(struct shard *s, struct engine *e, unsigned index, struct problem *p);
void shard_close(struct shard *s);
/* Runs until the round is over for it (true), or the clock is at until_ns. */
bool shard_turn(struct shard *s, int64_t until_ns);
void shard_begin(struct shard *s); /* a round: plans it */
void *shard_thread(void *shard);
uint32_t shard_agents(const struct shard *s); /* how many are its own */
void shard_forget(struct shard *s);           /* what its agents were to remember */

/* ---- cycle.c ---- */

void cycle_begin(struct engine *e);
void cycle_close(struct engine *e);                       /* all is written: gives the cycle's own row */
enum err cycle_end(struct engine *e, struct problem *p);  /* that is written too: counts, remembers, saves */
enum err cycle_save(struct engine *e, struct problem *p); /* a checkpoint of the last whole cycle, if it has none */
bool cycle_is_last(const struct engine *e);               /* after the one that has just ended */
void round_begin(struct engine *e);                       /* lets all shards run */
int64_t cycle_simulated_ms(struct engine *e, int64_t run_ns); /* with a time scale */

/* ---- breaking.c: any thread ---- */

void engine_halt(struct engine *e, enum engine_pause why);
void engine_go(struct engine *e, unsigned why);
void engine_wake_shards(struct engine *e);
void engine_failed(struct engine *e, struct str why);
void engine_call_ended(struct engine *e, const struct client_call *c);
void engine_tell(struct engine *e, enum engine_news what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void engine_watch_recorder(struct engine *e); /* pauses while it is in trouble; the caller's thread */
void engine_watch_breaker(struct engine *e);  /* its cooldown; the caller's thread */

#endif
