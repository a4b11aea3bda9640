/* Lists of schedules and of their fires; see rows.h. */
#include "schedule/rows.h"

#include "base/clock.h"
#include "base/magic.h"
#include "store/page.h"

/* ---- schedules ---- */

struct listing {
	struct call *c;
	struct schedule_list_out *out;
	enum err err; /* of showing one */
};

static enum err read_page(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct listing *l = ctx;
	return q_schedule_page(l->c->db, &(struct schedule_page_in){l->c->caller.tenant, below, visit}, each,
			       each_ctx);
}

static bool keep(void *ctx, const void *row)
{
	struct listing *l = ctx;
	struct schedule_row own = *(const struct schedule_row *)row;
	own.name = arena_str(l->c->arena, own.name);
	own.definition = arena_str(l->c->arena, own.definition);
	enum err err = schedule_show(&own, l->c->arena, &l->out->items[l->out->items_count++]);
	l->err = l->err ? l->err : err;
	return true;
}

enum err schedule_page(struct call *c, const struct schedule_list_in *in, struct schedule_list_out *out)
{
	struct listing l = {.c = c, .out = out};
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct schedule, PAGE_ROOM(in));
	enum err err = page_take(&(struct page_source){read_page, keep, &l}, PAGE_WANT(in, schedule_list_in),
				 c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, schedule_list_out, end);
	return err ? err : l.err;
}

/* ---- fires that were ---- */

struct past {
	struct call *c;
	int64_t schedule;
	struct schedule_fires_out *out;
};

/* Their moments are their ids. */
static enum err read_fires(void *ctx, int64_t before_ms, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct past *past = ctx;
	return q_schedule_fire_page(past->c->db, &(struct schedule_fire_page_in){past->schedule, before_ms, visit},
				    each, each_ctx);
}

static bool keep_fire(void *ctx, const void *row)
{
	struct past *past = ctx;
	const struct schedule_fire_page_out *r = row;
	struct schedule_fire *fire = &past->out->items[past->out->items_count++];
	*fire = (struct schedule_fire){.at = r->at_ms, .done_at = r->done_ms, .state = (int)r->state};
	if (r->since_ms < r->at_ms)
		PUT(fire, schedule_fire, since, r->since_ms);
	if (r->item)
		PUT(fire, schedule_fire, item, r->item);
	if (r->execution)
		PUT(fire, schedule_fire, execution, r->execution);
	if (r->detail.p)
		PUT(fire, schedule_fire, detail, arena_str(past->c->arena, r->detail));
	return true;
}

enum err schedule_fire_page(struct call *c, const struct schedule_fires_in *in, struct schedule_fires_out *out)
{
	struct past past = {c, in->id, out};
	struct schedule_row row;
	struct page_end end;
	out->items = ARENA_ARRAY(c->arena, struct schedule_fire, PAGE_ROOM(in));
	enum err err = schedule_read(c, in->id, &row);
	if (!err)
		err = page_take(&(struct page_source){read_fires, keep_fire, &past},
				PAGE_WANT(in, schedule_fires_in), c->arena, &c->problem, &end);
	if (!err)
		PAGE_PUT(out, schedule_fires_out, end);
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
