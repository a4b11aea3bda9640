/* Lists of schedules and of their fires; see rows.h. */
#include "schedule/rows.h"

#include "base/clock.h"
#include "base/magic.h"
#include "directory/page.h"

/* ---- schedules ---- */

struct listing {
	struct call *c;
	struct schedule *items;
	size_t count;
};

static enum err list_one(void *ctx, const void *row)
{
	struct listing *l = ctx;
	struct schedule_row own = *(const struct schedule_row *)row;
	own.name = arena_str(l->c->arena, own.name);
	own.definition = arena_str(l->c->arena, own.definition);
	return schedule_show(&own, l->c->arena, &l->items[l->count++]);
}

enum err schedule_page(struct call *c, const struct schedule_list_in *in, struct schedule_list_out *out)
{
	size_t limit = (size_t)in->limit;
	struct listing l = {.c = c, .items = ARENA_ARRAY(c->arena, struct schedule, limit + 1)};
	int64_t below;
	enum err err = page_cursor_read(HAS(in, schedule_list_in, cursor), in->cursor, &below, &c->problem);
	if (err || !l.items)
		return err ? err : ERR_INTERNAL;
	struct schedule_page_in page = {c->caller.tenant, below, in->limit + 1};
	err = q_schedule_page(c->db, &page, list_one, &l);
	out->items = l.items;
	out->items_count = l.count > limit ? limit : l.count;
	if (!err && l.count > limit)
		PUT(out, schedule_list_out, next_cursor, page_cursor(c->arena, l.items[limit - 1].id));
	return err;
}

/* ---- fires that were ---- */

struct past {
	struct arena *arena;
	struct schedule_fire *items;
	size_t count;
};

static enum err list_fire(void *ctx, const void *row)
{
	struct past *past = ctx;
	const struct schedule_fire_row *r = row;
	struct schedule_fire *fire = &past->items[past->count++];
	*fire = (struct schedule_fire){.at = r->at_ms, .done_at = r->done_ms, .state = (int)r->state};
	if (r->since_ms < r->at_ms)
		PUT(fire, schedule_fire, since, r->since_ms);
	if (r->item)
		PUT(fire, schedule_fire, item, r->item);
	if (r->detail.p)
		PUT(fire, schedule_fire, detail, arena_str(past->arena, r->detail));
	return OK;
}

enum err schedule_fire_page(struct call *c, const struct schedule_fires_in *in, struct schedule_fires_out *out)
{
	size_t limit = (size_t)in->limit;
	struct past past = {.arena = c->arena, .items = ARENA_ARRAY(c->arena, struct schedule_fire, limit + 1)};
	struct schedule_row row;
	int64_t before_ms;
	enum err err = page_cursor_read(HAS(in, schedule_fires_in, cursor), in->cursor, &before_ms, &c->problem);
	if (!err)
		err = schedule_read(c, in->id, &row);
	if (err || !past.items)
		return err ? err : ERR_INTERNAL;
	struct schedule_fire_page_in page = {in->id, before_ms, in->limit + 1};
	err = q_schedule_fire_page(c->db, &page, list_fire, &past);
	out->items = past.items;
	out->items_count = past.count > limit ? limit : past.count;
	if (!err && past.count > limit)
		PUT(out, schedule_fires_out, next_cursor, page_cursor(c->arena, past.items[limit - 1].at));
	return err;
}

/* ---- fires to come ---- */

/* As a clock there shows it, with its distance from UTC: 2026-11-21T09:30+01:00. */
static struct str local_text(const struct zone *zone, int64_t at_ms, struct arena *a)
{
	char text[CLOCK_TEXT];
	int offset_s = zone_span_at(zone, at_ms / 1000).offset_s,
	    minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
	clock_format(at_ms + (int64_t)offset_s * 1000, text);
	return arena_fmt(a, "%.16s%c%02d:%02d", text, offset_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

enum err schedule_look_ahead(struct call *c, struct zones *zones, const struct schedule_next_in *in,
			     struct schedule_next_out *out)
{
	struct schedule_plan plan;
	struct schedule_row row;
	enum err err = schedule_read(c, in->id, &row);
	if (!err)
		err = schedule_read_plan(&row, zones, c->arena, &plan, &c->problem);
	out->items = ARENA_ARRAY(c->arena, struct schedule_coming, (size_t)in->limit);
	if (err || !out->items)
		return err ? err : ERR_INTERNAL;
	int64_t at_ms = row.next_ms ? row.next_ms : cron_next_ms(&plan.cron, plan.rule.zone, c->now_ms);
	for (; out->items_count < (size_t)in->limit; at_ms = cron_next_ms(&plan.cron, plan.rule.zone, at_ms))
		out->items[out->items_count++] =
			(struct schedule_coming){.at = at_ms,
						 .due_at = plan_due_ms(&plan.rule, at_ms),
						 .local = local_text(plan.rule.zone, at_ms, c->arena)};
	return OK;
}
