/* See outbox.h. */
#include "webhooks/outbox.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "spec/types.h"
#include "webhooks/agent_events.h"
#include "webhooks/condition.h"

#include <inttypes.h>

enum { PENDING_AT_ONCE = 200, CHANGES_AT_ONCE = 500 };

/* ---- who listens ---- */

struct reading {
	struct arena *arena;
	VEC(struct listener) found;
};

static enum err take_listener(void *ctx, const void *row)
{
	struct reading *r = ctx;
	const struct webhook_listeners_out *l = row;
	struct webhook_conditions conditions;
	enum err err = json_decode(&type_webhook_conditions, arena_str(r->arena, l->conditions), 0, r->arena,
				   &conditions, NULL);
	if (!err)
		*VEC_PUSH(&r->found) = (struct listener){.id = l->id,
							 .events = l->events,
							 .since = l->since,
							 .waiting = l->waiting,
							 .when = conditions.when,
							 .when_count = conditions.when_count};
	return err;
}

enum err listeners_of(struct db *db, struct arena *a, int64_t tenant, struct listeners *out)
{
	struct reading r = {.arena = a};
	enum err err = q_webhook_listeners(db, &(struct webhook_listeners_in){tenant}, take_listener, &r);
	*out = (struct listeners){ARENA_ARRAY(a, struct listener, r.found.n), r.found.n};
	for (size_t i = 0; out->v && i < out->n; i++)
		out->v[i] = r.found.v[i];
	VEC_FREE(&r.found);
	return err ? err : out->v || out->n == 0 ? OK : ERR_INTERNAL;
}

static bool wants_type(int64_t events, int64_t type)
{
	return events == 0 || (events >> type & 1);
}

bool listener_wants(const struct listener *l, int64_t type, struct str data)
{
	return wants_type(l->events, type) && conditions_hold(l->when, l->when_count, data);
}

/* ---- deliveries ---- */

enum err outbox_deliver(struct outbox *o, const struct webhook_event_row *event, int64_t webhook, int64_t *id)
{
	*id = o->new_id(o->ctx);
	struct webhook_delivery_insert_in delivery = {.id = *id,
						      .tenant = event->tenant,
						      .webhook = webhook,
						      .event = event->id,
						      .due_ms = o->now_ms,
						      .created_ms = event->at_ms};
	enum err err = q_webhook_delivery_insert(o->db, &delivery, 1);
	o->deliveries++;
	return err ? err : q_webhook_queued(o->db, &(struct webhook_queued_in){webhook, o->now_ms, 1}, 1);
}

static enum err overflow(struct outbox *o, const struct listener *l)
{
	struct webhook_disable_in in = {l->id, STR("too many deliveries wait for the receiver"), o->now_ms};
	LOG_W("webhook.disabled", "webhook=%" PRId64 " waiting=%" PRId64, l->id, l->waiting);
	return q_webhook_disable(o->db, &in);
}

/* To all of a tenant's who want it; those that began to listen behind `seq` do not hear of it. */
static enum err give(struct outbox *o, const struct webhook_event_row *event, const struct listeners *listeners,
		     int64_t seq, size_t *given)
{
	enum err err = OK;
	int64_t id;
	*given = 0;
	for (size_t i = 0; i < listeners->n && !err; i++) {
		struct listener *l = &listeners->v[i];
		if (l->since >= seq || l->waiting > WAITING_MAX || !listener_wants(l, event->type, event->data))
			continue;
		err = ++l->waiting > WAITING_MAX ? overflow(o, l) : outbox_deliver(o, event, l->id, &id);
		*given += l->waiting <= WAITING_MAX;
	}
	return err;
}

/* ---- tenants ---- */

struct tenants {
	struct outbox *outbox;
	struct map known; /* tenant to struct listeners */
};

static enum err find_listeners(struct tenants *t, int64_t tenant, const struct listeners **out)
{
	struct listeners *found = map_get(&t->known, (uint64_t)tenant);
	*out = found;
	if (found)
		return OK;
	found = ARENA_NEW(t->outbox->arena, struct listeners);
	if (!found)
		return ERR_INTERNAL;
	*out = found;
	map_put(&t->known, (uint64_t)tenant, found);
	return listeners_of(t->outbox->db, t->outbox->arena, tenant, found);
}

/* ---- pending events ---- */

struct pending {
	struct arena *arena;
	struct webhook_event_row rows[PENDING_AT_ONCE];
	struct id_row ids[PENDING_AT_ONCE];
	size_t n;
};

static enum err take_pending(void *ctx, const void *row)
{
	struct pending *p = ctx;
	struct webhook_event_row e = *(const struct webhook_event_row *)row;
	e.subject = arena_str(p->arena, e.subject);
	e.data = arena_str(p->arena, e.data);
	p->ids[p->n].id = e.id;
	p->rows[p->n++] = e;
	return OK;
}

enum err outbox_pending(struct outbox *o)
{
	struct tenants tenants = {.outbox = o};
	struct pending *p = ARENA_NEW(o->arena, struct pending);
	if (!p)
		return ERR_INTERNAL;
	p->arena = o->arena;
	enum err err = q_webhook_event_pending(o->db, &(struct webhook_event_pending_in){PENDING_AT_ONCE},
					       take_pending, p);
	for (size_t i = 0; i < p->n && !err; i++) {
		const struct listeners *listeners;
		size_t given;
		err = find_listeners(&tenants, p->rows[i].tenant, &listeners);
		if (!err)
			err = give(o, &p->rows[i], listeners, INT64_MAX, &given);
	}
	map_free(&tenants.known);
	o->more = o->more || p->n == PENDING_AT_ONCE;
	return err || !p->n ? err : q_webhook_event_told(o->db, p->ids, p->n);
}

/* ---- the feed ---- */

static enum err give_change(struct outbox *o, const struct change_row *change, const struct listeners *listeners)
{
	struct webhook_event_row event;
	size_t given;
	enum err err = agent_event_of(o->db, o->arena, change, &event);
	if (err)
		return err;
	event.id = o->new_id(o->ctx);
	err = give(o, &event, listeners, change->seq, &given);
	return err || !given ? err : q_webhook_event_insert(o->db, &event, 1);
}

struct lot {
	struct change_row rows[CHANGES_AT_ONCE];
	size_t n;
};

static enum err take_change(void *ctx, const void *row)
{
	struct lot *lot = ctx;
	lot->rows[lot->n++] = *(const struct change_row *)row;
	return OK;
}

static enum err give_lot(struct outbox *o, const struct lot *lot)
{
	struct tenants tenants = {.outbox = o};
	enum err err = OK;
	for (size_t i = 0; i < lot->n && !err; i++) {
		const struct change_row *change = &lot->rows[i];
		const struct listeners *listeners;
		if (!agent_event_is(change))
			continue;
		err = find_listeners(&tenants, change->tenant, &listeners);
		if (!err && listeners->n > 0)
			err = give_change(o, change, listeners);
	}
	map_free(&tenants.known);
	return err;
}

static enum err follow(struct outbox *o, int64_t position)
{
	struct lot *lot = ARENA_NEW(o->arena, struct lot);
	if (!lot)
		return ERR_INTERNAL;
	enum err err = q_change_from(o->db, &(struct change_from_in){position, CHANGES_AT_ONCE}, take_change, lot);
	if (err || !lot->n)
		return err;
	if (lot->rows[0].seq != position + 1)
		LOG_W("webhooks.missed", "behind=%" PRId64 " goes_on_at=%" PRId64, position, lot->rows[0].seq);
	err = give_lot(o, lot);
	o->more = o->more || lot->n == CHANGES_AT_ONCE;
	return err ? err
		   : q_webhook_position_set(o->db, &(struct webhook_position_set_in){lot->rows[lot->n - 1].seq});
}

/* While nobody listens there is nothing to look at. The end is looked up first: who begins to listen meanwhile is not
 * told of what was before it anyway. */
enum err outbox_changes(struct outbox *o)
{
	struct webhook_any_out any;
	struct change_ends_out ends;
	struct webhook_position_get_out position;
	enum err err = q_change_ends(o->db, o->arena, &ends);
	if (!err)
		err = q_webhook_position_get(o->db, o->arena, &position);
	if (!err)
		err = q_webhook_any(o->db, o->arena, &any);
	if (err)
		return err;
	o->listening = any.listening;
	if (ends.last <= position.seq)
		return OK;
	return any.listening ? follow(o, position.seq)
			     : q_webhook_position_set(o->db, &(struct webhook_position_set_in){ends.last});
}
