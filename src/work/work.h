/*
 * The work queue as plain data and pure functions: no sockets, no SQL, no wall clock, no threads.
 *
 *              ┌── BLOCKED ───┐
 *   enqueue ──►│  SCHEDULED   │──► READY ──claim──► LEASED ──complete──► completed
 *              └──────────────┘      ▲               │ │
 *                      ▲             └───release─────┘ ├──fail, no attempts left, or retry false──► failed
 *                      └───────────────────────────────┴──fail or lapse, attempts left
 *
 *   from every live state: cancel ──► cancelled; deadline passed, a dependency failed ──► failed
 *   failed, cancelled ──revive──► as if enqueued again
 *
 * The table of moves is in item.c; a move that is not in it is impossible, not ignored. Live items (the four states
 * in capitals) are in memory; finished ones leave it when their batch is committed.
 *
 * Everything happens in a batch: work_begin, any number of commands, then work_commit when the rows are durable or
 * work_undo when they are not. A command that returns an error has changed nothing. What a batch touched is read
 * with work_next_change and work_happenings between the commands and the commit, each item once, in its last state.
 * Undo restores every item to the copy taken when the batch first touched it; the indexes (ready sets, timers,
 * keys, dependents, lists) are functions of the items, so they are undone by taking the item out and putting it in
 * again.
 *
 * Text that commands are given (results, errors) and bodies are borrowed until the batch ends. Pointers to items
 * are valid until the batch ends.
 */
#ifndef TENFOLD_WORK_WORK_H
#define TENFOLD_WORK_WORK_H

#include "base/arena.h"
#include "base/name.h"
#include "base/problem.h"
#include "base/rng.h"
#include "spec/types.h"

struct work;
struct work_waiter;

/* The items of one tenant, type and team. Never freed while the process lives. */
struct work_queue {
	int64_t id;
	int64_t tenant;
	struct name *type, *team; /* team NULL for none */
	unsigned slot;            /* top 10 bits of the hash of (tenant, type, team) */
	bool stored;              /* its row is committed */
	struct work_queue *next_unstored;
};

/* What is known of a live item, or of one that this batch finished. Read-only outside src/work/.
 * (Not `struct work_item`: that is the item as the API shows it, with its body.) */
struct item {
	int64_t id;
	struct work_queue *queue;
	int64_t ready_ms; /* the first time it was ready, 0 before */
	int64_t run_at_ms, deadline_ms, lease_until_ms;
	uint32_t shelf_place, timer_place; /* where the indexes have it: work/ only, as is what follows up to … */
	uint32_t touch;
	uint8_t shelved; /* … here */
	uint8_t state, priority, progress, backoff_kind;
	uint8_t outcome; /* of the last attempt: enum work_outcome + 1, 0 for none */
	uint16_t max_attempts;
	struct name *assignee, *created_by, *claimed_by;
	int64_t created_ms, changed_ms;
	uint64_t key_hash, token_random;
	uint32_t token_epoch, attempt, failures;
	uint32_t lease_ms, backoff_base_ms, backoff_max_ms;
	struct work_blob *history; /* see work_history_next */
	struct work_blob *depends; /* what it still waits for: see work_depends_next */
	struct work_blob *note;
};

struct work_blob {
	uint32_t length;
	char bytes[];
};

struct work_token {
	uint32_t attempt, epoch;
	uint64_t random;
};

enum { WORK_TOKEN_TEXT = 27 }; /* 26 Crockford characters and a NUL */
void work_token_format(const struct work_token *t, char out[WORK_TOKEN_TEXT]);
bool work_token_parse(struct str text, struct work_token *out);
bool work_token_eq(const struct work_token *a, const struct work_token *b);
struct work_token work_token_of(const struct item *item); /* of its last claim */

/* ---- life ---- */

struct work_env {
	void *ctx;
	struct rng *rng; /* tokens, jitter */
	uint32_t epoch;  /* of the ownership: goes into tokens */
	uint64_t max_live, max_waiting, max_queues;
	/* Is `key` the key of the item, whose key_hash matched? */
	bool (*key_is)(void *ctx, const struct item *item, struct str key);
	/* A waiting claim ended inside the batch: with items, or with none when its time was over. `who` is the
	 * caller's; the waiter is gone. When the batch is undone the claim failed with it; work_undo also ends,
	 * with none, the waits that began in the batch. So each wait ends in one call of this or in work_unwait.
	 * Called inside the command that caused it: read what you like (work_new_body), give no commands. */
	void (*served)(void *ctx, void *who, struct item *const *items, size_t count);
};

struct work *work_new(const struct work_env *env);
void work_destroy(struct work **w);

/* Start-up: queues first, then items in any order (the blobs are copied, `depends` only of blocked items matters),
 * then once work_loaded(). No lease lapses before now + its own lease_ms. highest_id: of all items ever stored. */
struct work_queue *work_load_queue(struct work *w, int64_t id, int64_t tenant, struct str type, struct str team);
struct work_loading {
	int64_t id, tenant, queue;
	int64_t created_ms, changed_ms, run_at_ms, ready_ms, deadline_ms, lease_until_ms;
	int64_t lease_ms, attempt, failures, max_attempts, backoff_base_ms, backoff_max_ms;
	int64_t token_epoch;
	uint64_t token_random, key_hash;
	int state, priority, progress, backoff_kind, outcome;
	struct str assignee, created_by, claimed_by, note, depends, history;
};
enum err work_load(struct work *w, const struct work_loading *row, int64_t now_ms, struct problem *p);
void work_loaded(struct work *w, int64_t highest_id);

/* ---- batches ---- */

void work_begin(struct work *w, int64_t now_ms);
void work_commit(struct work *w);
void work_undo(struct work *w);

struct work_change {
	const struct item *item;     /* in its state at the end of the batch */
	bool was_live, was_finished; /* before the batch; both false: it is new */
	bool is_live;                /* else finished */
	const void *body;            /* of a new item: what work_enqueue was given */
	/* of a finished one: */
	struct str result, error, used;
	int64_t cause;         /* the dependency that failed it, 0 for none */
	const int64_t *felled; /* items that failed because of it … */
	size_t felled_count;
	int64_t finished_ms;
};

/* Each touched item once: for (size_t i = 0; work_next_change(w, &i, &change); ). */
bool work_next_change(struct work *w, size_t *i, struct work_change *out);
struct work_queue *work_unstored_queues(struct work *w); /* linked by next_unstored; they become stored at commit */
/* What work_enqueue was given as the body of an item of this batch; NULL for all others. */
const void *work_new_body(const struct work *w, const struct item *item);

struct work_happening {
	int64_t id, at_ms;
	const struct work_queue *queue;
	struct name *agent;  /* who did it; NULL for none */
	struct name *holder; /* who has, or last had, the item's lease; NULL for none */
	uint32_t attempt;
	uint8_t kind, state, progress; /* enum work_event_kind, enum work_state */
};
const struct work_happening *work_happenings(struct work *w, size_t *count); /* of this batch, in order */

/* ---- commands: only inside a batch ---- */

enum work_dependency_standing { DEPENDENCY_LIVE, DEPENDENCY_MET, DEPENDENCY_BROKEN };

struct work_spec_dependency {
	int64_t id;
	int on_failure; /* enum work_on_failure */
	int standing;   /* of an id that is not live: MET or BROKEN, as the caller found it. LIVE when it is
			 * not, or another tenant's: ERR_INVALID */
};

struct work_spec {
	int64_t tenant;
	struct str type, team;
	int priority;
	struct str key;      /* empty: none */
	int64_t run_at_ms;   /* 0: at once */
	int64_t deadline_ms; /* 0: none */
	int64_t max_attempts, lease_ms;
	int backoff_kind;
	int64_t backoff_base_ms, backoff_max_ms;
	struct str assignee, created_by;
	struct work_spec_dependency *depends;
	size_t depends_count;
	const void *body; /* handed back in work_change */
};

/* *out is the new item, or the live one with the same key (*existed). A new one may be leased already, to somebody
 * who waited, or failed, by a broken dependency. ERR_INVALID, ERR_TOO_MANY (max_live, max_queues). */
enum err work_enqueue(struct work *w, const struct work_spec *spec, struct item **out, bool *existed,
		      struct problem *p);

struct work_claim {
	int64_t tenant;
	struct str agent;
	const struct str *types;
	size_t types_count; /* 0: any */
	struct str team;    /* p == NULL: any; empty with p != NULL: items without a team */
	size_t max;
	int64_t lease_ms; /* 0: the item's own */
};

/* Takes up to max items, best first (priority, first time ready, id); returns how many. */
size_t work_claim(struct work *w, const struct work_claim *claim, struct item **out);
/* Waits for one: copied. First come first served. To be called right after a work_claim that found nothing.
 * ERR_TOO_MANY over max_waiting. */
enum err work_wait(struct work *w, const struct work_claim *claim, int64_t until_ms, void *who,
		   struct work_waiter **out);
void work_unwait(struct work *w, struct work_waiter **waiter); /* without serving it; also outside a batch */

/* Errors of all that take a token: ERR_NOT_FOUND (not in memory, or another tenant's), ERR_STALE_TOKEN,
 * ERR_CANCELLED. */
enum err work_progress(struct work *w, int64_t tenant, int64_t id, const struct work_token *t, int percent,
		       struct str note, int64_t extend_ms, struct item **out);
/* Does this token hold the item's lease? Changes nothing. */
enum err work_held(const struct work *w, int64_t tenant, int64_t id, const struct work_token *t, struct item **out);
enum err work_extend(struct work *w, int64_t tenant, int64_t id, const struct work_token *t, int64_t lease_ms,
		     int percent /* -1: leave */, struct item **out);

struct work_ending {
	enum work_outcome outcome;
	struct str result, error, used;
	bool retry;
};
/* Repeating the settle that was the last one gives OK again; another outcome ERR_ALREADY_SETTLED. Of an item that
 * is no longer in memory the caller reads the row and asks work_settled_before(). */
enum err work_settle(struct work *w, int64_t tenant, int64_t id, const struct work_token *t,
		     const struct work_ending *ending, struct item **out);
/* The verdict on settling an attempt that is over, by what its item (live or finished) remembers: OK,
 * ERR_ALREADY_SETTLED, ERR_STALE_TOKEN, ERR_CANCELLED. `outcome` as in struct item. */
enum err work_settled_before(int state, int outcome, const struct work_token *last, const struct work_token *t,
			     enum work_outcome asked);
/* A claim whose answer never arrived: as if it had not been made, attempt included; only the history keeps both the
 * claim and its return. Silent when the token is stale. */
void work_unclaim(struct work *w, int64_t id, const struct work_token *t);

/* OK also for what this batch has cancelled already. ERR_NOT_FOUND, ERR_CONFLICT when finished otherwise. */
enum err work_cancel(struct work *w, int64_t tenant, int64_t id, struct str by, struct str reason,
		     struct item **out);

/* A finished item, read from the store, back to life with failures at 0: blocked, scheduled or ready. It keeps its
 * place in the queue; a deadline that has passed is dropped. Those it felled are revived by further calls, after
 * it. `depends` with their standing now; a broken one is ERR_CONFLICT, and so are a completed item, one that is
 * live or was finished in this batch, and one whose key another live item has by now. ERR_TOO_MANY (max_live). */
enum err work_revive(struct work *w, const struct work_loading *row, const struct work_spec_dependency *depends,
		     size_t depends_count, struct str by, struct item **out, struct problem *p);

/* Applies what is due: leases lapse, delays and backoffs end, deadlines pass, waits end. At most max; true when
 * more is due. */
bool work_tick(struct work *w, size_t max);
int64_t work_next_due_ms(const struct work *w); /* INT64_MAX: nothing */

/* ---- looking ---- */

struct item *work_find(const struct work *w, int64_t id); /* live ones */
/* Finished in this batch: NULL when not. */
const struct item *work_finished_now(const struct work *w, int64_t id, struct work_change *out);
struct item *work_find_key(const struct work *w, int64_t tenant, struct str type, struct str team, struct str key);
uint64_t work_key_hash(int64_t tenant, struct str type, struct str team, struct str key); /* never 0 */

struct work_filter {
	int64_t tenant;
	int state;                    /* -1: any; a finished one finds nothing here */
	struct str type, team, agent; /* p == NULL: any */
	int priority;                 /* -1: any */
};
/* Live items of a tenant below an id, newest first: visits at most visit_max, fills at most max, tells the id it
 * stopped at (0: reached the end). */
size_t work_list(const struct work *w, const struct work_filter *f, int64_t below_id, size_t visit_max, size_t max,
		 struct item **out, int64_t *stopped_at);

uint64_t work_count(const struct work *w, enum work_state state); /* live states */
uint64_t work_count_tenant(const struct work *w, int64_t tenant, enum work_state state);
uint64_t work_waiting(const struct work *w);
uint64_t work_waiting_tenant(const struct work *w, int64_t tenant);
/* First time ready of the oldest ready item, of a tenant or, with 0, of all; 0: none. Looks at every queue. */
int64_t work_oldest_ready_ms(const struct work *w, int64_t tenant);
size_t work_bytes(const struct work *w); /* for tests: memory held */

/* History, oldest first; at most 64 entries are kept, the first says how many were folded away. Changes of state
 * only: that it was enqueued is told by created_ms and created_by, and progress is not history. */
struct work_history_entry {
	int64_t at_ms;
	int kind; /* enum work_event_kind */
	uint32_t attempt, folded;
	struct str agent, note;
};
bool work_history_next(struct str *blob, struct work_history_entry *out);

struct work_depends_entry {
	int64_t id;
	int on_failure;
};
bool work_depends_next(struct str *blob, struct work_depends_entry *out);
void work_depends_add(struct buf *blob, int64_t id, int on_failure);

struct str work_blob_str(const struct work_blob *b); /* NULL gives the empty text with p == NULL */

/* ---- many at once ---- */

/* Orders the entries of POST /v1/work/batch so that each stands after those it depends on by key. order[] receives
 * indexes; faults[i] is ERR_CYCLE (problems[i] names the path of keys), ERR_TOO_LARGE (the arena is full), or OK.
 * An entry that only depends on such a one is OK here. Keys that are no entry's are left to the caller. */
struct work_batch_node {
	uint64_t key_hash;     /* 0: none */
	const uint64_t *needs; /* key hashes */
	size_t needs_count;
	struct str name; /* for the path of a cycle */
};
void work_batch_order(const struct work_batch_node *nodes, size_t count, struct arena *a, size_t *order,
		      enum err *faults, struct problem *problems);

/* For tests: every invariant, or which one is broken (NULL when all hold). */
const char *work_broken_invariant(const struct work *w);

#endif
