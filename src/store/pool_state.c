/* See pool_state.h. */
#include "store/pool_state.h"

#include "base/magic.h"

#include <stdlib.h>

enum { NS_PER_MS = 1000000, OPEN_AGAIN_MS = 1000 };

static int64_t ns(int64_t ms)
{
	return ms * NS_PER_MS;
}

static unsigned seats_max(const struct pool_state *s)
{
	return s->limits.size + s->limits.overflow;
}

static void become(struct pool_state *s, int seat, enum seat_state to)
{
	s->count[s->seats[seat].state]--;
	s->seats[seat].state = to;
	s->count[to]++;
}

void pool_state_init(struct pool_state *s, const struct pool_limits *limits)
{
	CHECK(limits->size > 0 && limits->queue_max > 0);
	*s = (struct pool_state){.limits = *limits, .open_not_before_ns = INT64_MIN};
	s->last = &s->first;
	s->count[SEAT_EMPTY] = seats_max(s);
	s->seats = must_alloc(seats_max(s) * sizeof(s->seats[0]));
	s->idle = must_alloc(seats_max(s) * sizeof(s->idle[0]));
	become(s, 0, SEAT_AWAKE);
}

void pool_state_free(struct pool_state *s)
{
	free(s->seats);
	free(s->idle);
}

/* ---- tasks ---- */

enum err pool_state_post(struct pool_state *s, int64_t now_ns, struct task *t, int *call)
{
	*call = SEAT_NONE;
	if (s->stopping)
		return ERR_SHUTTING_DOWN;
	if (s->queued == s->limits.queue_max)
		return ERR_OVERLOADED;
	t->next = NULL;
	t->queued_ns = now_ns;
	*s->last = t;
	s->last = &t->next;
	s->queued++;
	if (s->count[SEAT_IDLE]) {
		*call = s->idle[s->count[SEAT_IDLE] - 1];
		become(s, *call, SEAT_AWAKE);
	}
	return OK;
}

static struct task *pop(struct pool_state *s)
{
	struct task *t = s->first;

	s->first = t->next;
	if (!s->first)
		s->last = &s->first;
	s->queued--;
	t->next = NULL;
	return t;
}

struct task *pool_state_take(struct pool_state *s, int seat)
{
	CHECK(s->seats[seat].state == SEAT_AWAKE);
	if (!s->first)
		return NULL;
	become(s, seat, SEAT_BUSY);
	return pop(s);
}

static int64_t overdue_ns(const struct pool_state *s)
{
	return s->first->queued_ns + ns(s->limits.wait_ms);
}

struct task *pool_state_overdue(struct pool_state *s, int64_t now_ns)
{
	return s->first && overdue_ns(s) <= now_ns ? pop(s) : NULL;
}

/* ---- seats ---- */

static bool wants_another(const struct pool_state *s)
{
	unsigned coming = s->count[SEAT_AWAKE] + s->count[SEAT_OPENING];

	return s->count[SEAT_EMPTY] && s->queued > coming && !s->stopping;
}

int pool_state_open(struct pool_state *s, int64_t now_ns)
{
	int seat = 0;

	if (!wants_another(s) || now_ns < s->open_not_before_ns)
		return SEAT_NONE;
	while (s->seats[seat].state != SEAT_EMPTY)
		seat++;
	become(s, seat, SEAT_OPENING);
	return seat;
}

bool pool_state_opened(struct pool_state *s, int seat, int64_t now_ns, bool good)
{
	CHECK(s->seats[seat].state == SEAT_OPENING);
	if (!good)
		s->open_not_before_ns = now_ns + ns(OPEN_AGAIN_MS);
	become(s, seat, good ? SEAT_AWAKE : SEAT_EMPTY);
	return good;
}

bool pool_state_rest(struct pool_state *s, int seat, int64_t now_ns)
{
	CHECK(s->seats[seat].state == SEAT_AWAKE || s->seats[seat].state == SEAT_BUSY);
	become(s, seat, s->first ? SEAT_AWAKE : SEAT_IDLE);
	if (s->first)
		return false;
	s->seats[seat].idle_since_ns = now_ns;
	s->idle[s->count[SEAT_IDLE] - 1] = seat;
	return true;
}

static bool more_than_kept(const struct pool_state *s)
{
	return s->count[SEAT_AWAKE] + s->count[SEAT_BUSY] + s->count[SEAT_IDLE] > s->limits.size;
}

static void take_out_of_idle(struct pool_state *s, int seat)
{
	unsigned i = 0;

	while (s->idle[i] != seat)
		i++;
	for (; i + 1 < s->count[SEAT_IDLE]; i++)
		s->idle[i] = s->idle[i + 1];
}

bool pool_state_leave(struct pool_state *s, int seat, int64_t now_ns)
{
	CHECK(s->seats[seat].state == SEAT_IDLE);
	if (now_ns < pool_state_leave_ns(s, seat))
		return false;
	take_out_of_idle(s, seat);
	become(s, seat, SEAT_EMPTY);
	return true;
}

/* ---- times ---- */

int64_t pool_state_due_ns(const struct pool_state *s)
{
	int64_t due = s->first ? overdue_ns(s) : INT64_MAX;

	return wants_another(s) && s->open_not_before_ns < due ? s->open_not_before_ns : due;
}

int64_t pool_state_leave_ns(const struct pool_state *s, int seat)
{
	return more_than_kept(s) ? s->seats[seat].idle_since_ns + ns(s->limits.idle_ms) : INT64_MAX;
}
