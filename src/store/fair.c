/* See fair.h. */
#include "store/fair.h"

#include "base/magic.h"

enum {
	QUANTUM = 64,        /* cost a tenant may use each round */
	MANY_MAX = 128,      /* of a contended batch: what tasks of several items may cost together */
	CONTENDED_MS = 1000, /* so long after one tenant came after another */
	LANES_KEPT = 1024,   /* of tenants without tasks, for reuse */
};

/* The tasks of one tenant. */
struct fair_lane {
	int64_t tenant;
	struct task *head, **tail;
	uint64_t deficit;
	struct fair_lane *next; /* in the ring, or among those that sit the rest of a batch out */
};

/* A batch on its way. */
struct filling {
	struct task **batch;
	size_t count, max;
	uint64_t cost, many;
	uint64_t many_max;
	bool divide;
};

static struct fair_lane *lane_of(struct fair *f, int64_t tenant)
{
	struct fair_lane *lane = map_get(&f->lanes, (uint64_t)tenant);
	if (lane)
		return lane;
	lane = NEW(struct fair_lane);
	lane->tenant = tenant;
	lane->tail = &lane->head;
	map_put(&f->lanes, (uint64_t)tenant, lane);
	return lane;
}

static void ring_append(struct fair *f, struct fair_lane *lane)
{
	lane->next = NULL;
	if (f->ring_last)
		f->ring_last->next = lane;
	else
		f->ring = lane;
	f->ring_last = lane;
}

static struct fair_lane *ring_shift(struct fair *f)
{
	struct fair_lane *lane = f->ring;
	f->ring = lane->next;
	if (!f->ring)
		f->ring_last = NULL;
	return lane;
}

static struct task *lane_shift(struct fair_lane *lane)
{
	struct task *t = lane->head;
	lane->head = t->next;
	if (!lane->head)
		lane->tail = &lane->head;
	t->next = NULL;
	return t;
}

static void lane_rest(struct fair *f, struct fair_lane *lane)
{
	lane->deficit = 0;
	if (f->lanes.count > LANES_KEPT) {
		map_take(&f->lanes, (uint64_t)lane->tenant);
		free(lane);
	}
}

void fair_put(struct fair *f, int64_t now_ms, struct task *t)
{
	if (t->tenant && f->last_tenant && t->tenant != f->last_tenant)
		f->contended_until_ms = now_ms + CONTENDED_MS;
	if (t->tenant)
		f->last_tenant = t->tenant;
	struct fair_lane *lane = lane_of(f, t->tenant);
	if (!lane->head)
		ring_append(f, lane);
	t->next = NULL;
	*lane->tail = t;
	lane->tail = &t->next;
}

/* ---- a batch ---- */

static bool has_room(const struct fair *f, const struct filling *b)
{
	return b->cost < f->cost_max && b->count < b->max;
}

static bool is_sated(const struct filling *b, const struct task *t)
{
	return t->cost > 1 && b->many >= b->many_max;
}

/* How much of the lane's first task goes into the batch now; 0: its deficit does not allow it yet. */
static uint32_t share_of(const struct filling *b, const struct fair_lane *lane)
{
	const struct task *t = lane->head;
	uint64_t share = t->cost;
	if (t->divisible && b->divide && share > b->many_max - b->many)
		share = b->many_max - b->many;
	return share <= lane->deficit ? (uint32_t)share : 0;
}

enum lane_turn { TURN_OVER, LANE_EMPTY, LANE_SITS_OUT, LANE_DIVIDED };

static enum lane_turn take_turn(struct fair *f, struct filling *b, struct fair_lane *lane)
{
	if (is_sated(b, lane->head))
		return LANE_SITS_OUT;
	lane->deficit += QUANTUM;
	while (lane->head && has_room(f, b)) {
		struct task *t = lane->head;
		if (is_sated(b, t))
			return LANE_SITS_OUT;
		uint32_t share = share_of(b, lane);
		if (share == 0)
			return TURN_OVER;
		t->share = share;
		lane->deficit -= share;
		b->cost += share;
		b->many += t->cost > 1 ? share : 0;
		b->batch[b->count++] = t;
		if (share < t->cost)
			return LANE_DIVIDED;
		lane_shift(lane);
	}
	return lane->head ? TURN_OVER : LANE_EMPTY;
}

size_t fair_take(struct fair *f, int64_t now_ms, struct task **batch, size_t max)
{
	bool contended = now_ms < f->contended_until_ms;
	struct filling b = {
		.batch = batch, .max = max, .many_max = contended ? MANY_MAX : f->cost_max, .divide = contended};
	struct fair_lane *out = NULL, **out_tail = &out;
	while (f->ring && has_room(f, &b)) {
		struct fair_lane *lane = ring_shift(f);
		switch (take_turn(f, &b, lane)) {
		case TURN_OVER:
			ring_append(f, lane);
			break;
		case LANE_EMPTY:
			lane_rest(f, lane);
			break;
		case LANE_SITS_OUT:
			lane->next = NULL;
			*out_tail = lane;
			out_tail = &lane->next;
			break;
		case LANE_DIVIDED:
			lane->next = f->divided;
			f->divided = lane;
			break;
		}
	}
	for (struct fair_lane *next; out; out = next) {
		next = out->next;
		ring_append(f, out);
	}
	return b.count;
}

void fair_ran(struct fair *f)
{
	for (struct fair_lane *lane; (lane = f->divided);) {
		f->divided = lane->next;
		lane->head->cost -= lane->head->share;
		ring_append(f, lane);
	}
}

struct task *fair_drop(struct fair *f)
{
	if (!f->ring)
		return NULL;
	struct fair_lane *lane = f->ring;
	struct task *t = lane_shift(lane);
	if (!lane->head)
		lane_rest(f, ring_shift(f));
	return t;
}

void fair_free(struct fair *f)
{
	struct fair_lane *lane;
	for (size_t i = 0; (lane = map_next(&f->lanes, &i));)
		free(lane);
	map_free(&f->lanes);
}
