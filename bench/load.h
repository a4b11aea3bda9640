/*
 * One run of the load generator: what it was asked for, what it counts, and the parts it is put together from.
 *
 * Time: a run begins, warms up, is measured from `from_ns` to `until_ns`, and then finishes what it has begun; only
 * what ends (closed loop) or was due (open loop) within the window is counted. Whatever is not over LATE_S after
 * that is a fault.
 */
#ifndef TENFOLD_BENCH_LOAD_H
#define TENFOLD_BENCH_LOAD_H

#include "base/histogram.h"
#include "base/id.h"
#include "base/vec.h"
#include "http.h"
#include "ledger.h"

enum { LATE_S = 30, BATCH_MAX = 1000, KEYS_MAX = 64, TOKEN_MAX = 72 };

struct options {
	struct str host;           /* address:port */
	struct str keys[KEYS_MAX]; /* secrets; connections take them in turn */
	unsigned key_count;
	struct str type;  /* of the items */
	struct str path;  /* of GET */
	struct str calls; /* name of a file of calls */
	bool once;        /* each of them, and then it is over */
	struct str squad; /* whose steps are claimed; empty: whatever is of the type */
	bool paced, of_squad;
	unsigned in_flight; /* executions */
	double seconds, warmup, rate;
	unsigned connections, batch, agents, idle, wait_ms;
	uint64_t payload; /* bytes of filler in each item */
	uint64_t items;   /* to enqueue beforehand, and to leave there */
};

/* A claim that is to be settled. */
struct held {
	int64_t id;
	char token[TOKEN_MAX];
};

struct load {
	struct wire *wire;
	struct options options;
	struct sockaddr_in to;
	struct str headers[KEYS_MAX];
	struct ledger ledger;
	struct histogram *latency[STEP_COUNT]; /* ns */
	int64_t from_ns, until_ns;
	uint64_t cycles; /* counted */
	struct str filler;
	struct buf body;   /* scratch for the next request */
	struct buf result; /* the line that is printed, less its braces */
};

/* ---- load.c ---- */
void load_window(struct load *l); /* the run begins now */
bool load_counts(const struct load *l, int64_t at_ns);
void load_check_late(struct load *l); /* faults when it takes too long */
void load_open(struct load *l, struct http *h, unsigned nth);
void load_report(struct load *l, const char *name, double value);
void load_report_latency(struct load *l, const char *name, const struct histogram *h);

/* ---- ops.c: the calls, and the answers taken apart ---- */
struct held_list {
	VEC(struct held) list;
};

/* count 1 is POST /v1/work with `at_ns` in the payload; more are a batch. */
void ops_enqueue(struct load *l, struct http *h, unsigned count, int64_t at_ns);
void ops_claim(struct load *l, struct http *h, unsigned max, unsigned wait_ms);
void ops_settle(struct load *l, struct http *h, const struct held *held, size_t count);

/* Each faults when the answer is not what it must be. */
void ops_enqueued(struct load *l, int status, struct str body, unsigned count);
size_t ops_claimed(struct load *l, int status, struct str body, struct held_list *out);
void ops_settled(struct load *l, int status, struct str body, const struct held *held, size_t count);
bool ops_member_i64(struct str *text, const char *opening, int64_t *out); /* opening such as "\"at\":" */

/* ---- parts that modes share ---- */
void fill_run(struct load *l, uint64_t items, unsigned batch, unsigned connections);
struct idle;
struct idle *idle_open(struct load *l, unsigned connections); /* NULL for none */
void idle_close(struct load *l, struct idle **idle);          /* each must still answer */

/* ---- modes: one file each ---- */
typedef void mode_fn(struct load *l);
mode_fn mode_cycle, mode_open, mode_poll, mode_get, mode_calls, mode_fill, mode_fair, mode_flow, mode_fan;

#endif
