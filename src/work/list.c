/* Pages of live items, newest first: by the tenant's ordered ids, so that a page costs what it visits. */
#include "work/work_priv.h"

/* A filter whose texts are looked up once; a name nobody uses matches nothing. */
struct sieve {
	const struct work_filter *f;
	const struct name *type, *team, *agent;
};

static bool look_up(const struct work *w, struct str text, const struct name **out)
{
	*out = name_find(&w->names, text);
	return text.n == 0 || *out;
}

static bool prepare(const struct work *w, const struct work_filter *f, struct sieve *s)
{
	s->f = f;
	return look_up(w, f->type, &s->type) && look_up(w, f->team, &s->team) && look_up(w, f->agent, &s->agent);
}

/* Held by that agent now, or meant for it. */
static bool is_of_agent(const struct item *item, const struct name *agent)
{
	return agent && ((item->state == WORK_LEASED && agent == item->claimed_by) || agent == item->assignee);
}

static bool passes(const struct sieve *s, const struct item *item)
{
	const struct work_filter *f = s->f;

	return (f->state < 0 || f->state == item->state) && (f->priority < 0 || f->priority == item->priority) &&
	       (!f->type.p || s->type == item->queue->type) && (!f->team.p || s->team == item->queue->team) &&
	       (!f->agent.p || is_of_agent(item, s->agent));
}

static bool has_more(const struct tenancy *t, struct idmap_cursor c)
{
	return idmap_next_down(&t->items, &c);
}

size_t work_list(const struct work *w, const struct work_filter *f, int64_t below_id, size_t visit_max, size_t max,
		 struct item **out, int64_t *stopped_at)
{
	const struct tenancy *t = map_get(&w->tenants, (uint64_t)f->tenant);
	struct idmap_cursor c;
	struct sieve s;
	size_t n = 0;

	*stopped_at = 0;
	if (!t || !prepare(w, f, &s))
		return 0;
	c = idmap_below(&t->items, below_id);
	for (size_t visited = 0; visited < visit_max && n < max; visited++) {
		struct item *item;

		if (!idmap_next_down(&t->items, &c))
			return n;
		item = idmap_get(&w->by_id, c.id);
		if (passes(&s, item))
			out[n++] = item;
	}
	*stopped_at = has_more(t, c) ? c.id : 0;
	return n;
}
