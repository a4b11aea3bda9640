/*
 * Claims that wait. One stands in a lane for each type it asks for, first come first served; an item that becomes
 * ready goes at once to whoever stood first in any of the four lanes it passes, an assigned one to the first
 * fitting wait of its agent. So outside a command nobody waits while there is something for them.
 *
 * A wait is no row: it does not come back when the batch that served it is undone, and one that began in an undone
 * batch ends with it.
 */
#include "work/work_priv.h"

bool waiter_before(const void *a, const void *b)
{
	const struct work_waiter *one = a, *other = b;

	if (one->until_ms != other->until_ms)
		return one->until_ms < other->until_ms;
	return one->number < other->number;
}

/* ---- standing in line ---- */

static void stand(struct ticket *t)
{
	t->before = t->lane->last;
	if (t->before)
		t->before->next = t;
	else
		t->lane->first = t;
	t->lane->last = t;
}

static void step_out(struct ticket *t)
{
	*(t->before ? &t->before->next : &t->lane->first) = t->next;
	*(t->next ? &t->next->before : &t->lane->last) = t->before;
}

static void sit_down(struct work_waiter *x)
{
	x->before = x->desk->last;
	if (x->before)
		x->before->next = x;
	else
		x->desk->first = x;
	x->desk->last = x;
}

static void get_up(struct work_waiter *x)
{
	*(x->before ? &x->before->next : &x->desk->first) = x->next;
	*(x->next ? &x->next->before : &x->desk->last) = x->before;
}

static void take_ticket(struct work *w, struct work_waiter *x, const struct work_claim *claim,
			const struct str *of_type)
{
	enum lane_kind kind = (of_type ? LANE_TYPE : 0) | (claim->team.p ? LANE_TEAM : 0);
	struct name *type = of_type ? name_get(&w->names, *of_type) : NULL;
	struct name *team = name_get(&w->names, claim->team);
	struct ticket *t = &x->tickets[x->ticket_count++];

	t->waiter = x;
	t->lane = lane_join(w, claim->tenant, kind, type, team);
	stand(t);
	name_drop(&w->names, &type);
	name_drop(&w->names, &team);
}

enum err work_wait(struct work *w, const struct work_claim *claim, int64_t until_ms, void *who,
		   struct work_waiter **out)
{
	struct work_waiter *x;
	struct name *agent;

	CHECK(w->batch.open && claim->agent.n > 0);
	if (w->waits.n >= w->env.max_waiting)
		return ERR_TOO_MANY;
	ready_begin(w, claim);
	CHECK(ready_next(w) == NULL); /* work_claim would have found it */
	x = must_alloc(sizeof(*x) + (claim->types_count ? claim->types_count : 1) * sizeof(x->tickets[0]));
	*x = (struct work_waiter){.number = ++w->waits_begun,
				  .batch = w->batch.number,
				  .who = who,
				  .until_ms = until_ms,
				  .lease_ms = claim->lease_ms,
				  .place = HEAP_NOWHERE};
	agent = name_get(&w->names, claim->agent);
	x->desk = desk_join(w, claim->tenant, agent);
	name_drop(&w->names, &agent);
	sit_down(x);
	if (claim->types_count == 0)
		take_ticket(w, x, claim, NULL);
	for (size_t i = 0; i < claim->types_count; i++)
		take_ticket(w, x, claim, &claim->types[i]);
	heap_push(&w->waits, x);
	*out = x;
	return OK;
}

static void leave(struct work *w, struct work_waiter *x)
{
	heap_remove(&w->waits, x);
	for (uint32_t i = 0; i < x->ticket_count; i++) {
		step_out(&x->tickets[i]);
		lane_quit(w, &x->tickets[i].lane);
	}
	get_up(x);
	desk_quit(w, &x->desk);
	free(x);
}

void work_unwait(struct work *w, struct work_waiter **waiter)
{
	struct work_waiter *x = *waiter;

	*waiter = NULL;
	if (x)
		leave(w, x);
}

/* ---- being served ---- */

static struct work_waiter *first_in_lanes(const struct queue *q)
{
	struct work_waiter *first = NULL;

	for (unsigned kind = 0; kind < LANE_KINDS; kind++) {
		const struct ticket *t = q->lanes[kind]->first;

		if (t && (!first || t->waiter->number < first->number))
			first = t->waiter;
	}
	return first;
}

static bool passes(const struct queue *q, const struct work_waiter *x)
{
	for (uint32_t i = 0; i < x->ticket_count; i++)
		if (q->lanes[x->tickets[i].lane->kind] == x->tickets[i].lane)
			return true;
	return false;
}

bool desk_overlooks(const struct desk *desk)
{
	for (const struct work_waiter *x = desk->first; x; x = x->next)
		for (const struct shelf *s = desk->shelves; s; s = s->next)
			if (passes(s->queue, x))
				return true;
	return false;
}

static struct work_waiter *first_at_desk(const struct work *w, const struct queue *q, const struct name *assignee)
{
	struct desk *desk = desk_find(w, q->pub.tenant, assignee);
	struct work_waiter *x = desk ? desk->first : NULL;

	while (x && !passes(q, x))
		x = x->next;
	return x;
}

void wait_offer(struct work *w, struct item *item)
{
	struct queue *q = queue_of(item->queue);
	struct work_waiter *x;
	void *who;

	if (w->waits.n == 0)
		return;
	x = item->assignee ? first_at_desk(w, q, item->assignee) : first_in_lanes(q);
	if (!x)
		return;
	item_is_leased(w, item, x->desk->agent, x->lease_ms);
	who = x->who;
	leave(w, x);
	w->env.served(w->env.ctx, who, &item, 1);
}

void wait_end(struct work *w, struct work_waiter *x)
{
	void *who = x->who;

	leave(w, x);
	w->env.served(w->env.ctx, who, NULL, 0);
}

void wait_undo(struct work *w)
{
	VEC(struct work_waiter *) began = {0};

	for (uint32_t i = 0; i < w->waits.n; i++) {
		struct work_waiter *x = w->waits.v[i];

		if (x->batch == w->batch.number)
			*VEC_PUSH(&began) = x;
	}
	for (size_t i = 0; i < began.n; i++)
		wait_end(w, began.v[i]);
	VEC_FREE(&began);
}

uint64_t work_waiting(const struct work *w)
{
	return w->waits.n;
}

uint64_t work_waiting_tenant(const struct work *w, int64_t tenant)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < w->waits.n; i++) {
		const struct work_waiter *x = w->waits.v[i];

		count += x->desk->tenant == tenant;
	}
	return count;
}

void waits_free(struct work *w)
{
	while (w->waits.n > 0)
		leave(w, heap_peek(&w->waits));
	heap_free(&w->waits);
}
