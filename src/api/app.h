/*
 * The application: what the handlers of one process share. Made in src/server/, handed down in call->app; a test
 * can make two in one process.
 */
#ifndef TENFOLD_API_APP_H
#define TENFOLD_API_APP_H

#include "access/keyring.h"
#include "base/clock.h"
#include "base/id.h"
#include "directory/beats.h"
#include "directory/upkeep.h"
#include "flow/rows.h"
#include "schedule/firing.h"
#include "store/executor.h"
#include "store/pool.h"
#include "work/persist.h"

#include <pthread.h>
#include <stdatomic.h>

struct user_accounts;
struct agent_index;
struct archiver;
struct cache;
struct cost_tables;
struct changes;
struct flow_tail;
struct follower;
struct forward;
struct gather;
struct hook_work;
struct http_server;
struct jobs;
struct limits;
struct metrics;
struct reads;
struct redis;
struct replays;
struct runner;
struct scaling;
struct sequencer;
struct sessions;
struct town_desk;
struct webhooks;

enum { APP_MAGIC = 0x61707021 };

struct app {
	unsigned magic;
	struct clock *clock;
	struct store *store;
	struct keyring *keyring;
	uint64_t keys_told;      /* its revision at which streams were asked; of the follower's thread */
	struct replays *replays; /* signatures taken, on SQLite */
	int64_t started_ms;
	struct limits *limits;
	struct metrics *metrics;
	struct eventlog *events;
	struct changes *feed; /* what changes in the directory: directory/changes.h */
	struct follower *follower;
	struct redis *redis;         /* NULL: there is none */
	struct cache *cache;         /* of answers: api/kept.h */
	struct agent_index *index;   /* of agents, for searching */
	struct sequencer *sequencer; /* on PostgreSQL, else NULL */
	struct jobs *jobs;
	struct beats_config beats;
	struct upkeep_config upkeep;
	struct zones *zones;
	struct archiver *archiver; /* of executions that ended long ago */
	int64_t archive_after_ms;
	struct scaling *scaling;          /* of the queue's thread */
	struct firing firing;             /* of schedules: api/schedules.h */
	struct webhooks *webhooks;        /* what is told outside */
	struct hook_work *hook_work;      /* what is made of what comes in */
	struct executor *executor;        /* the queue's thread */
	struct persist *persist;          /* of that thread */
	struct flow_rows *flow;           /* likewise */
	struct flow_log *happenings;      /* in executions */
	struct flow_tail *tail;           /* of them, in a process that does not own the queue; NULL on SQLite */
	_Atomic int listeners;            /* streams of them */
	struct runner *runner;            /* likewise */
	struct pool *pool;                /* connections for READ, and on PostgreSQL for WRITE */
	struct reads *reads;              /* where READ goes when there are replicas; NULL: there are none */
	struct pool *compute;             /* threads for COMPUTE */
	struct pool *hashing;             /* threads with connections that read, for passwords */
	struct user_accounts *accounts;   /* of people */
	enum tenant_plan plan;            /* of tenants that are made */
	struct gather *bulk[ROUTE_COUNT]; /* on PostgreSQL, of BULK routes; else NULL */
	struct http_server *http;
	struct forward *forward; /* NULL: no other process can own the queue (SQLite) */
	_Atomic int64_t epoch;   /* under which this process owns the queue, 0: it does not */
	struct sessions *sessions;
	struct town_desk *town;           /* NULL: it serves none */
	const struct cost_tables *prices; /* the user's, before those that ship */
	struct str openapi;               /* the document, made once */
	const char *version;
	uint32_t max_waiting_per_key;
	atomic_bool stopping;
	_Atomic uint64_t calls; /* numbers given to calls */

	pthread_mutex_t ids_lock; /* ids of what has no slot */
	struct id_maker ids;
	unsigned process_number; /* 0 … 1023, in place of the slot */
};

int64_t app_new_id(struct app *app);

static inline struct app *call_app(const struct call *c)
{
	struct app *app = c->app;
	CHECK_OBJ(app, APP_MAGIC);
	return app;
}

#endif
