/*
 * The queue of this process and its rows: loads the core (work.h) from the store, writes what each batch changed,
 * and keeps the ownership of the slots. Runs on the executor's thread; the functions fit executor_ops.
 *
 * Each id is written at most once per batch, by primary key. The first statement of every transaction is the guard
 * on the owner row: when it touches no row, another process has taken over and the batch fails (ERR_NOT_FOUND).
 */
#ifndef TENFOLD_WORK_PERSIST_H
#define TENFOLD_WORK_PERSIST_H

#include "base/clock.h"
#include "base/vec.h"
#include "store/queries.h"
#include "work/bodies.h"
#include "work/eventlog.h"
#include "work/forget.h"
#include "work/work.h"

struct persist_config {
	int64_t process_id; /* of the data directory: a restart takes its own row back */
	const char *url;    /* where others reach this process */
	bool exclusive;     /* a lock outside the store keeps all others away (SQLite) */
	int64_t owner_lease_ms;
	int64_t events_kept_ms;
	struct clock *clock;
	struct rng *rng;
	struct eventlog *log;
	uint64_t max_live, max_waiting;
	/* As in struct work_env. */
	void (*served)(void *ctx, void *who, struct item *const *items, size_t count);
	/* Who owns the slots, as often as this process looks: the url of another one, or empty for this one. */
	void (*owner)(void *ctx, struct str url, int64_t epoch);
	void *ctx;
};

struct persist {
	struct persist_config config;
	struct work *work; /* NULL while this process does not own the slots */
	struct db *db;     /* of the thread, for looking keys up */
	int64_t epoch, batch, next_batch, now_ms;
	struct forget forget;
	struct arena *arena; /* of the batch */
	struct bodies *bodies;
	VEC(struct idempotency_row) idempotency; /* to be written with the batch */
	VEC(struct id_row) idempotency_expired;
	struct buf events;
	struct persist_rows *rows;
};

struct persist *persist_new(const struct persist_config *config);
void persist_destroy(struct persist **p);

enum err persist_acquire(struct persist *p, struct db *db, struct problem *problem);
void persist_release(struct persist *p, struct db *db); /* db NULL: without telling the store */

void persist_begin(struct persist *p, struct db *db, int64_t now_ms);
bool persist_dirty(const struct persist *p);
enum err persist_open(struct persist *p, struct db *db);
enum err persist_flush(struct persist *p, struct db *db);
void persist_end(struct persist *p, enum err outcome);
enum err persist_ask(struct persist *p, struct db *db, bool *committed);
void persist_idle(struct persist *p, struct db *db);

/* work_enqueue with the body that goes with it (id and tenant are filled in); borrowed until the batch ends. */
enum err persist_enqueue(struct persist *p, const struct work_spec *spec, struct work_body_row *body,
			 struct item **out, bool *existed, struct problem *problem);

/* The bodies of live items: rows[i] for items[i]; text valid until the batch ends. */
enum err persist_bodies(struct persist *p, struct item *const *items, size_t count, struct work_body_row *rows);

/* A finished item's row, also of this batch. ERR_NOT_FOUND; also when it is another tenant's. */
enum err persist_finished(struct persist *p, int64_t tenant, int64_t id, struct work_done_row *out);

#endif
