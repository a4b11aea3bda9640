/*
 * Inside the queue: what the files of the core share. See docs/internals/work-core.md.
 *
 *   work.c      life, looking            item.c     states and moves         batch.c    touching, commit, undo
 *   enqueue.c   new and revived items    claim.c    leases given and back    settle.c   what holders of a lease do
 *   depends.c   who waits for whom       timers.c   what is due              rows.c     items from stored rows
 *   ready.c     what may be claimed      wait.c     who waits for it         lanes.c    where both meet
 *   index.c     queues, tenants, keys    list.c idmap.c line.c history.c token.c order.c invariants.c
 *
 * Indexes are functions of items: index_add() derives every place an item has from its fields, index_remove() takes
 * it out of them again. So fields that an index reads change only between the two.
 */
#ifndef TENFOLD_WORK_WORK_PRIV_H
#define TENFOLD_WORK_WORK_PRIV_H

#include "base/buf.h"
#include "base/heap.h"
#include "base/id.h"
#include "base/vec.h"
#include "work/idmap.h"
#include "work/line.h"
#include "work/work.h"

enum {
	LIVE_STATES = WORK_LEASED + 1,
	PRIORITIES = PRIORITY_LOW + 1,
	NOTE_MAX_BYTES = 200,
	HISTORY_NOTE_MAX_BYTES = 160,
	HISTORY_KEPT = 64,
};

#define NEVER_MS INT64_MAX

static inline bool is_live_state(unsigned state)
{
	return state <= WORK_LEASED;
}

/* ---- objects found by a hash: the first member of lanes, desks, shelves and queues (index.c) ---- */

struct link {
	struct link *next; /* with the same hash */
	uint64_t hash;
};

struct link *links_first(const struct map *m, uint64_t hash);
void links_add(struct map *m, struct link *l, uint64_t hash);
void links_remove(struct map *m, struct link *l);
/* All of a map, in no order, beginning with *i = 0 and before = NULL. */
struct link *links_next(const struct map *m, size_t *i, const struct link *before);
uint64_t hash_mix(uint64_t a, uint64_t b);

/* ---- who is there ---- */

struct tenancy {
	uint64_t counts[LIVE_STATES];
	struct idmap items; /* live ones */
};

/* A lane leads to the ready items of all queues it passes: those of one type and one team, of one type, of one
 * team, or of the whole tenant. The bits say what is fixed. */
enum lane_kind { LANE_ALL = 0, LANE_TYPE = 1, LANE_TEAM = 2, LANE_KINDS = 4 };

struct queue {
	struct link link;
	struct work_queue pub;
	struct tenancy *tenant;
	struct lane *lanes[LANE_KINDS];
	struct shelf *shelves[PRIORITIES]; /* of items anybody may take; made when first needed */
};

static inline struct queue *queue_of(struct work_queue *q)
{
	return CONTAINER_OF(q, struct queue, pub);
}

/* ---- a batch ---- */

/* What a batch did to an item. */
struct touch {
	struct item *item;
	struct item before; /* when it was first touched */
	bool was_live, was_finished, is_live;
	const void *body;
	struct str result, error, used;
	int64_t cause, finished_ms;
	int64_t *felled;
	size_t felled_count, felled_room;
};

struct batch {
	bool open;
	uint64_t number;
	int64_t now_ms;
	struct arena *arena;         /* texts, felled */
	VEC(struct touch *) touches; /* made, and kept from batch to batch … */
	size_t touched;              /* … these of them are of this one */
	VEC(struct work_happening) happenings;
	VEC(struct item *) finished; /* whose dependents have not been told yet … */
	size_t told;                 /* … from here on */
};

struct work {
	struct work_env env;
	struct batch batch;
	struct id_maker ids;
	struct name_table names;
	struct idmap by_id;             /* live items, and those this batch finished */
	struct map keys;                /* key_hash to item */
	VEC(struct item *) key_clashes; /* items whose key_hash is another item's too */
	struct map tenants, queues, queues_by_id;
	struct work_queue *unstored;
	uint64_t counts[LIVE_STATES];
	struct heap timers;
	struct map dependents;            /* id of a dependency to struct idmap of those that wait for it */
	struct map lanes, desks, shelves; /* shelves: the assigned ones */
	struct heap waits;                /* by their end */
	uint64_t waits_begun, claims_begun;
	uint64_t turns;             /* that shelves had in lanes of no certain team */
	VEC(struct source) sources; /* of the claim under way … */
	struct heap best_sources;   /* … in order */
	bool source_changed;        /* the first of them gave an item */
	VEC(struct item_slab *) slabs;
	VEC(struct item *) free_items;
	size_t slab_used; /* items ever taken from the newest slab */
	int64_t highest_loaded;
	size_t blob_bytes;
	struct buf scratch;
};

/* ---- batch.c ---- */

struct touch *batch_touch(struct work *w, struct item *item);     /* before its first change */
struct touch *batch_touch_new(struct work *w, struct item *item); /* made in this batch */
void batch_free(struct batch *b);
size_t batch_bytes(const struct batch *b);
struct touch *touch_of(const struct work *w, const struct item *item);
void batch_tell(struct work *w, const struct item *item, enum work_event_kind kind, struct name *agent);

/* ---- item.c ---- */

/* How an item ends. */
struct ending {
	enum work_state state;
	struct str result, error, used;
	struct str note; /* for its history */
	int64_t cause;
	struct name *agent;
};

struct item *item_alloc(struct work *w);
void item_free(struct work *w, struct item *item); /* with what it holds */
void items_free(struct work *w);
size_t items_bytes(const struct work *w);
/* Gives a new item, its fields filled in, its first state, and puts it into the indexes. */
void item_born(struct work *w, struct item *item, enum work_state state);

/* A move in two halves; between them the fields may be changed. */
void item_leaves(struct work *w, struct item *item, enum work_state to);
void item_arrives(struct work *w, struct item *item, enum work_event_kind kind, struct name *agent,
		  struct str note);

/* Whole moves. What becomes ready may be leased to somebody who waited when these return. */
void item_becomes_ready(struct work *w, struct item *item, enum work_event_kind kind, struct name *agent,
			struct str note);
void item_waits_until(struct work *w, struct item *item, int64_t run_at_ms, enum work_event_kind kind,
		      struct str note);
void item_is_leased(struct work *w, struct item *item, struct name *agent, int64_t lease_ms);
void item_finishes(struct work *w, struct item *item, const struct ending *e);

void item_set_claimed_by(struct work *w, struct item *item, struct name *agent);
void item_set_note(struct work *w, struct item *item, struct str note);
void item_set_depends(struct work *w, struct item *item, struct str depends);
void item_set_history(struct work *w, struct item *item, struct str history);
struct work_blob *blob_new(struct work *w, struct str bytes); /* empty: NULL */
void blob_free(struct work *w, struct work_blob **b);

/* Order inside a queue: priority, the first time ready, id. */
static inline bool item_before(const struct item *a, const struct item *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->ready_ms != b->ready_ms)
		return a->ready_ms < b->ready_ms;
	return a->id < b->id;
}

/* ---- index.c ---- */

struct tenancy *tenancy_get(struct work *w, int64_t id);
struct queue *queue_find(const struct work *w, int64_t tenant, struct str type, struct str team);
unsigned queue_slot(int64_t tenant, struct str type, struct str team);
struct queue *queue_make(struct work *w, int64_t id, int64_t tenant, struct str type, struct str team);
void queues_free(struct work *w);

/* By state: ready sets, timers, dependents, counts. */
void index_add(struct work *w, struct item *item);
void index_remove(struct work *w, struct item *item);
/* For as long as it lives: list and key. The map of ids keeps it until the batch ends. */
void index_enter(struct work *w, struct item *item);
void index_leave(struct work *w, struct item *item);

struct item *key_first(const struct work *w, uint64_t hash); /* any item with this key_hash */
struct item *key_find(const struct work *w, const struct work_queue *q, uint64_t hash, struct str key);

/* ---- lanes.c ---- */

struct lane {
	struct link link;
	enum lane_kind kind;
	int64_t tenant;
	struct name *type, *team;    /* NULL: not fixed, or no team */
	uint32_t users;              /* queues and tickets; the last one frees it */
	struct heap shelves;         /* those that are not empty, best head first */
	struct ticket *first, *last; /* who waits for its items, in order */
	uint64_t seen;               /* by the claim of this number */
};

/* What only one agent may take, and the agent's waits. */
struct desk {
	struct link link;
	int64_t tenant;
	struct name *agent;
	uint32_t users; /* shelves and waiters */
	struct shelf *shelves;
	struct work_waiter *first, *last;
};

struct lane *lane_find(const struct work *w, int64_t tenant, enum lane_kind kind, const struct name *type,
		       const struct name *team);
struct lane *lane_join(struct work *w, int64_t tenant, enum lane_kind kind, struct name *type, struct name *team);
void lane_quit(struct work *w, struct lane **lane);
struct desk *desk_find(const struct work *w, int64_t tenant, const struct name *agent);
struct desk *desk_join(struct work *w, int64_t tenant, struct name *agent);
void desk_quit(struct work *w, struct desk **desk);
void lanes_free(struct work *w);

/* ---- ready.c ---- */

/* Ready items of one queue, priority and assignee (NULL: anybody's), in order. */
struct shelf {
	struct link link; /* of assigned ones */
	struct queue *queue;
	struct name *assignee;
	unsigned priority;
	struct item *head;    /* the first of line and returned, NULL when empty */
	struct line line;     /* those that came in order: nearly all */
	struct heap returned; /* those that came back to an earlier place */
	uint32_t places[LANE_KINDS];
	uint64_t turns[LANE_TEAM];   /* by kind of lane: which turn was its last there; 0: none yet */
	struct desk *desk;           /* of assigned ones */
	struct shelf *next, *before; /* on the desk */
};

enum { NOT_SHELVED, IN_LINE, IN_RETURNED }; /* item.shelved */

static inline size_t shelf_count(const struct shelf *s)
{
	return s->line.count + s->returned.n;
}

void ready_init(struct work *w);
void ready_free(struct work *w);
size_t ready_bytes(const struct work *w);
void ready_add(struct work *w, struct item *item);
void ready_remove(struct work *w, struct item *item);
struct shelf *shelf_of(const struct work *w, const struct item *item); /* NULL when there is none */

/* The items a claim may take, best first. Each one given must leave the ready items before the next is asked for,
 * and nothing else may change them meanwhile. */
void ready_begin(struct work *w, const struct work_claim *claim);
struct item *ready_next(struct work *w); /* NULL: none left */

bool shelf_before_in_all(const void *a, const void *b); /* order in lanes, by their kind */
bool shelf_before_in_type(const void *a, const void *b);
bool shelf_before_in_team(const void *a, const void *b);
void shelf_free(struct shelf *s); /* what it holds of memory */

/* ---- wait.c ---- */

/* A waiting claim stands in one lane for each of its types. */
struct ticket {
	struct work_waiter *waiter;
	struct lane *lane;
	struct ticket *next, *before;
};

struct work_waiter {
	uint64_t number, batch; /* which one it is; in which batch it began */
	void *who;
	struct desk *desk;
	struct work_waiter *next, *before; /* at the desk */
	int64_t until_ms, lease_ms;
	uint32_t place;
	uint32_t ticket_count;
	struct ticket tickets[];
};

bool waiter_before(const void *a, const void *b);
/* A ready item goes to who has waited longest for one like it, if anybody has. */
void wait_offer(struct work *w, struct item *item);
void wait_end(struct work *w, struct work_waiter *waiter); /* with nothing */
void wait_undo(struct work *w);                            /* those that began in this batch */
bool desk_overlooks(const struct desk *desk);              /* for tests: a wait, and something for it */
void waits_free(struct work *w);

/* ---- depends.c ---- */

enum err depends_check(const struct work *w, int64_t tenant, const struct work_spec_dependency *depends,
		       size_t count, struct problem *p);
enum err depends_check_unbroken(const struct work *w, const struct work_spec_dependency *depends, size_t count,
				struct problem *p);
/* What of `depends` is still to be waited for becomes the item's `depends`; returns the first broken one, or 0. */
int64_t depends_begin(struct work *w, struct item *item, const struct work_spec_dependency *depends, size_t count);
void depends_link(struct work *w, struct item *item);
void depends_unlink(struct work *w, struct item *item);
void depends_fell(struct work *w, struct item *item, int64_t cause); /* fails it because of a dependency */
void depends_tell(struct work *w); /* those that wait for what was finished, and so on */
void depends_free(struct work *w);
size_t depends_bytes(const struct work *w);

/* ---- timers.c ---- */

void timer_add(struct work *w, struct item *item);
void timer_remove(struct work *w, struct item *item);
int64_t item_due_ms(const struct item *item); /* NEVER_MS: nothing is due */
bool timer_before(const void *a, const void *b);

/* ---- history.c ---- */

void history_add(struct work *w, struct item *item, enum work_event_kind kind, struct name *agent, struct str note);
struct str text_cut(struct str s, size_t max_bytes); /* at a character's end */

/* ---- token.c ---- */

static inline bool token_fits(const struct item *item, const struct work_token *t)
{
	struct work_token last = work_token_of(item);

	return work_token_eq(&last, t);
}

/* ---- settle.c ---- */

void attempt_lapsed(struct work *w, struct item *item);

/* ---- rows.c ---- */

enum err row_check(const struct work *w, const struct work_loading *row, struct problem *p);
/* A new item with the fields of the row that hold in every state; not in the indexes yet. */
struct item *item_from_row(struct work *w, const struct work_loading *row);

#endif
