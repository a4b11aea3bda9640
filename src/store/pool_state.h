/*
 * What a pool decides, without its threads and by no clock of its own: which task is next, whose time is over, how
 * many connections there are and which of them rests. pool.c lives by it; the test plays it through years.
 *
 *   EMPTY ──open──► OPENING ──opened──► AWAKE ◄──post── IDLE        EMPTY, IDLE: as it says, of a seat: the place
 * of ▲                │ failed          │  ▲            ▲ │        one thread and its connection │                │
 * take ▼  │ rest       │ │        AWAKE: on its way to a task └────────────────┴─────────────── BUSY ─────rest───┘
 * │        BUSY: it has one └─────────────────────leave──────────────────────────┘
 *
 * Tasks are taken in the order they came. What came last to rest is called first, so that what is not needed stays
 * idle. Whenever tasks wait there is a seat AWAKE or BUSY, or one may be opened; one seat is never given up.
 *
 * Times are those of clock_mono_ns(). One thread at a time.
 */
#ifndef TENFOLD_STORE_POOL_STATE_H
#define TENFOLD_STORE_POOL_STATE_H

#include "base/err.h"
#include "base/task.h"
#include "store/pool.h"

#include <stdint.h>

enum seat_state { SEAT_EMPTY, SEAT_OPENING, SEAT_AWAKE, SEAT_BUSY, SEAT_IDLE };

enum { SEAT_NONE = -1 };

struct seat {
	enum seat_state state;
	int64_t idle_since_ns;
};

struct pool_state {
	struct pool_limits limits;
	struct task *first, **last;
	unsigned queued;
	bool stopping;                 /* no more tasks, and no more seats */
	unsigned count[SEAT_IDLE + 1]; /* seats by state */
	int64_t open_not_before_ns;    /* after a failure to open one */
	struct seat *seats;            /* limits.size + limits.overflow */
	int *idle;                     /* those at rest, the last one to come on top */
};

/* Seat 0 is AWAKE: whoever makes a pool opens its connection. */
void pool_state_init(struct pool_state *s, const struct pool_limits *limits);
void pool_state_free(struct pool_state *s);

/* ERR_OVERLOADED when the queue is full, ERR_SHUTTING_DOWN when stopping. *call: the seat to be woken, or
 * SEAT_NONE. */
enum err pool_state_post(struct pool_state *s, int64_t now_ns, struct task *t, int *call);
/* The next task for a seat that is AWAKE; NULL when others were faster. */
struct task *pool_state_take(struct pool_state *s, int seat);
/* The first task, when its time is over; NULL when it is not. */
struct task *pool_state_overdue(struct pool_state *s, int64_t now_ns);

/* A seat that should be opened now, because more tasks wait than are on their way to one; or SEAT_NONE. */
int pool_state_open(struct pool_state *s, int64_t now_ns);
/* How that went; false when the seat is given up. */
bool pool_state_opened(struct pool_state *s, int seat, int64_t now_ns, bool good);
/* Whether the seat, AWAKE or BUSY so far, is IDLE now; it is AWAKE when there is a task. */
bool pool_state_rest(struct pool_state *s, int seat, int64_t now_ns);
/* Whether an IDLE seat is given up now: idle for long, and more than are kept. */
bool pool_state_leave(struct pool_state *s, int seat, int64_t now_ns);

/* When pool_state_overdue() or pool_state_open() may have something new to say, unless something happens before;
 * INT64_MAX: never. */
int64_t pool_state_due_ns(const struct pool_state *s);
/* When pool_state_leave() may. */
int64_t pool_state_leave_ns(const struct pool_state *s, int seat);

#endif
