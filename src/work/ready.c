/*
 * What may be claimed, in order, for any claim, without looking through it.
 *
 * Ready items lie on shelves: one for each queue, priority and assignee. A shelf knows its head. The shelves whose
 * items anybody may take stand in the heaps of their queue's four lanes, ordered by their heads; those of one agent
 * hang on its desk. A claim reads the best head of the lanes it names and of the agent's shelves that fit it.
 *
 * In a lane of no certain team the queues take turns: among shelves of one priority the one that gave a claim of this
 * lane an item longest ago stands first, so a team with a long queue does not make another wait for all of it.
 *
 * Invariants: a shelf is in its lanes if and only if it is not empty; an assigned shelf exists only while it is not
 * empty; a shelf's head is what item_before() puts first.
 */
#include "work/work_priv.h"

/* Something a claim takes from: a lane, or an assigned shelf. */
struct source {
	struct lane *lane;
	struct shelf *shelf;
	uint32_t place;
};

static bool returned_before(const void *a, const void *b)
{
	return item_before(a, b);
}

static bool shelf_before(const struct shelf *one, const struct shelf *other, enum lane_kind kind)
{
	if (one->priority == other->priority && one->turns[kind] != other->turns[kind])
		return one->turns[kind] < other->turns[kind];
	return item_before(one->head, other->head);
}

bool shelf_before_in_all(const void *a, const void *b)
{
	return shelf_before(a, b, LANE_ALL);
}

bool shelf_before_in_type(const void *a, const void *b)
{
	return shelf_before(a, b, LANE_TYPE);
}

bool shelf_before_in_team(const void *a, const void *b)
{
	return item_before(((const struct shelf *)a)->head, ((const struct shelf *)b)->head);
}

/* ---- shelves ---- */

static uint64_t shelf_hash(const struct queue *q, const struct name *assignee, unsigned priority)
{
	return hash_mix((uint64_t)q->pub.id * PRIORITIES + priority, assignee->hash);
}

static struct shelf *find_assigned(const struct work *w, const struct queue *q, const struct name *assignee,
				   unsigned priority)
{
	for (struct link *l = links_first(&w->shelves, shelf_hash(q, assignee, priority)); l; l = l->next) {
		struct shelf *s = CONTAINER_OF(l, struct shelf, link);

		if (s->queue == q && s->assignee == assignee && s->priority == priority)
			return s;
	}
	return NULL;
}

struct shelf *shelf_of(const struct work *w, const struct item *item)
{
	struct queue *q = queue_of(item->queue);

	return item->assignee ? find_assigned(w, q, item->assignee, item->priority) : q->shelves[item->priority];
}

static void put_on_desk(struct work *w, struct shelf *s)
{
	s->desk = desk_join(w, s->queue->pub.tenant, s->assignee);
	s->next = s->desk->shelves;
	if (s->next)
		s->next->before = s;
	s->desk->shelves = s;
}

static void take_off_desk(struct work *w, struct shelf *s)
{
	if (s->before)
		s->before->next = s->next;
	else
		s->desk->shelves = s->next;
	if (s->next)
		s->next->before = s->before;
	desk_quit(w, &s->desk);
}

static struct shelf *make_shelf(struct work *w, const struct item *item)
{
	struct shelf *s = NEW(struct shelf);

	s->queue = queue_of(item->queue);
	s->priority = item->priority;
	s->returned = HEAP_INIT(returned_before, struct item, shelf_place);
	for (unsigned kind = 0; kind < LANE_KINDS; kind++)
		s->places[kind] = HEAP_NOWHERE;
	if (!item->assignee)
		return s->queue->shelves[s->priority] = s;
	s->assignee = name_keep(item->assignee);
	links_add(&w->shelves, &s->link, shelf_hash(s->queue, s->assignee, s->priority));
	put_on_desk(w, s);
	return s;
}

void shelf_free(struct shelf *s)
{
	if (!s)
		return;
	line_free(&s->line);
	heap_free(&s->returned);
	free(s);
}

static void remove_assigned(struct work *w, struct shelf *s)
{
	take_off_desk(w, s);
	links_remove(&w->shelves, &s->link);
	name_drop(&w->names, &s->assignee);
	shelf_free(s);
}

/* ---- heads ---- */

static struct item *first_of(const struct shelf *s)
{
	struct item *in_line = line_first(&s->line), *returned = heap_peek(&s->returned);

	if (!in_line || !returned)
		return in_line ? in_line : returned;
	return item_before(in_line, returned) ? in_line : returned;
}

static void follow_head(struct shelf *s)
{
	struct item *was = s->head;

	s->head = first_of(s);
	if (s->head == was || s->assignee)
		return;
	for (unsigned kind = 0; kind < LANE_KINDS; kind++) {
		struct heap *lane = &s->queue->lanes[kind]->shelves;

		if (!was)
			heap_push(lane, s);
		else if (!s->head)
			heap_remove(lane, s);
		else
			heap_moved(lane, s);
	}
}

void ready_add(struct work *w, struct item *item)
{
	struct shelf *s = shelf_of(w, item);

	if (!s)
		s = make_shelf(w, item);
	item->shelved = IN_LINE;
	if (!line_push(&s->line, item)) {
		item->shelved = IN_RETURNED;
		heap_push(&s->returned, item);
	}
	follow_head(s);
}

void ready_remove(struct work *w, struct item *item)
{
	struct shelf *s = shelf_of(w, item);

	if (item->shelved == IN_LINE)
		line_remove(&s->line, item);
	else
		heap_remove(&s->returned, item);
	item->shelved = NOT_SHELVED;
	follow_head(s);
	if (s->assignee && shelf_count(s) == 0)
		remove_assigned(w, s);
}

/* ---- claims ---- */

static struct item *head_of(const struct source *s)
{
	const struct shelf *best = s->shelf ? s->shelf : heap_peek(&s->lane->shelves);

	return best ? best->head : NULL;
}

static bool source_before(const void *a, const void *b)
{
	const struct item *one = head_of(a), *other = head_of(b);

	CHECK(one && other);
	return item_before(one, other);
}

static void add_lane(struct work *w, struct lane *lane)
{
	if (!lane || lane->seen == w->claims_begun || !heap_peek(&lane->shelves))
		return;
	lane->seen = w->claims_begun;
	*VEC_PUSH(&w->sources) = (struct source){.lane = lane, .place = HEAP_NOWHERE};
}

static bool shelf_fits(const struct shelf *s, const struct work_claim *claim)
{
	const struct work_queue *q = &s->queue->pub;
	bool fits = claim->types_count == 0;

	for (size_t i = 0; i < claim->types_count && !fits; i++)
		fits = str_eq(name_str(q->type), claim->types[i]);
	return fits && (!claim->team.p || str_eq(name_str(q->team), claim->team));
}

static void add_desk(struct work *w, const struct work_claim *claim)
{
	struct name *agent = name_find(&w->names, claim->agent);
	struct desk *desk = agent ? desk_find(w, claim->tenant, agent) : NULL;

	for (struct shelf *s = desk ? desk->shelves : NULL; s; s = s->next)
		if (shelf_fits(s, claim))
			*VEC_PUSH(&w->sources) = (struct source){.shelf = s, .place = HEAP_NOWHERE};
}

static void add_lanes(struct work *w, const struct work_claim *claim)
{
	enum lane_kind kind = claim->team.p ? LANE_TEAM : LANE_ALL;
	struct name *team = name_find(&w->names, claim->team), *type;

	if (claim->team.n > 0 && !team)
		return;
	if (claim->types_count == 0)
		add_lane(w, lane_find(w, claim->tenant, kind, NULL, team));
	for (size_t i = 0; i < claim->types_count; i++) {
		type = name_find(&w->names, claim->types[i]);
		if (type)
			add_lane(w, lane_find(w, claim->tenant, kind | LANE_TYPE, type, team));
	}
}

void ready_begin(struct work *w, const struct work_claim *claim)
{
	w->claims_begun++;
	w->sources.n = 0;
	w->best_sources.n = 0;
	w->source_changed = false;
	add_lanes(w, claim);
	add_desk(w, claim);
	for (size_t i = 0; i < w->sources.n; i++)
		heap_push(&w->best_sources, &w->sources.v[i]);
}

/* Its place in the lane is given anew when its item has left it. */
static void had_its_turn(struct work *w, const struct lane *lane)
{
	struct shelf *s = heap_peek(&lane->shelves);

	if (!(lane->kind & LANE_TEAM))
		s->turns[lane->kind] = ++w->turns;
}

struct item *ready_next(struct work *w)
{
	struct source *best = heap_peek(&w->best_sources);
	struct item *item;

	if (best && w->source_changed) {
		if (head_of(best))
			heap_moved(&w->best_sources, best);
		else
			heap_pop(&w->best_sources);
		best = heap_peek(&w->best_sources);
	}
	if (!best)
		return NULL;
	item = head_of(best);
	if (best->lane)
		had_its_turn(w, best->lane);
	w->source_changed = !best->shelf || shelf_count(best->shelf) > 1;
	if (!w->source_changed)
		heap_pop(&w->best_sources); /* the shelf goes with its last item */
	return item;
}

/* ---- life ---- */

void ready_init(struct work *w)
{
	w->best_sources = HEAP_INIT(source_before, struct source, place);
}

void ready_free(struct work *w)
{
	struct link *l;

	for (size_t i = 0; (l = map_next(&w->shelves, &i));) {
		for (struct link *next; l; l = next) {
			next = l->next;
			shelf_free(CONTAINER_OF(l, struct shelf, link));
		}
	}
	map_free(&w->shelves);
	VEC_FREE(&w->sources);
	heap_free(&w->best_sources);
}

static size_t shelf_bytes(const struct shelf *s)
{
	return s ? sizeof(*s) + (s->line.cap + s->returned.cap) * sizeof(struct item *) : 0;
}

size_t ready_bytes(const struct work *w)
{
	size_t bytes = map_bytes(&w->shelves) + map_bytes(&w->lanes) + map_bytes(&w->desks);
	struct queue *q;
	struct link *l = NULL;

	for (size_t i = 0; (q = map_next(&w->queues_by_id, &i));)
		for (unsigned priority = 0; priority < PRIORITIES; priority++)
			bytes += shelf_bytes(q->shelves[priority]);
	for (size_t i = 0; (l = links_next(&w->shelves, &i, l));)
		bytes += shelf_bytes(CONTAINER_OF(l, struct shelf, link));
	for (size_t i = 0; (l = links_next(&w->lanes, &i, l));)
		bytes += sizeof(struct lane) +
			 CONTAINER_OF(l, struct lane, link)->shelves.cap * sizeof(struct shelf *);
	return bytes + w->desks.count * sizeof(struct desk);
}

static int64_t oldest_on(const struct shelf *s, int64_t tenant, int64_t oldest)
{
	if (!s || !s->head || (tenant && s->queue->pub.tenant != tenant))
		return oldest;
	return s->head->ready_ms < oldest ? s->head->ready_ms : oldest;
}

int64_t work_oldest_ready_ms(const struct work *w, int64_t tenant)
{
	int64_t oldest = NEVER_MS;
	struct queue *q;
	struct link *l = NULL;

	for (size_t i = 0; (q = map_next(&w->queues_by_id, &i));)
		for (unsigned priority = 0; priority < PRIORITIES; priority++)
			oldest = oldest_on(q->shelves[priority], tenant, oldest);
	for (size_t i = 0; (l = links_next(&w->shelves, &i, l));)
		oldest = oldest_on(CONTAINER_OF(l, struct shelf, link), tenant, oldest);
	return oldest == NEVER_MS ? 0 : oldest;
}
