/*
 * See agent_list.h. Two sources, each along its index: agents of the caller's tenant, and public ones. The narrowest
 * index is taken, the rest of the filter is looked at row by row.
 */
#include "directory/agent_list.h"

#include "store/page.h"

/* The ids kept of one source, newest first. */
struct found {
	struct call *c;
	const struct agent_list_in *in;
	bool others; /* only of other tenants */
	int64_t capability;
	int64_t *ids;
	size_t count;
	int64_t complete_to;
};

static bool found_new(struct found *f, struct call *c, size_t enough)
{
	f->c = c;
	f->ids = ARENA_ARRAY(c->arena, int64_t, enough);
	return f->ids != NULL;
}

/* ---- the sources ---- */

static enum err read_own(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct found *f = ctx;
	const struct agent_list_in *in = f->in;
	struct db *db = f->c->db;
	int64_t tenant = f->c->caller.tenant;
	if (HAS(in, agent_list_in, name))
		return q_agent_page_of_name(db, &(struct agent_page_of_name_in){tenant, in->name, below, visit},
					    each, each_ctx);
	if (HAS(in, agent_list_in, status))
		return q_agent_page_of_status(
			db, &(struct agent_page_of_status_in){tenant, in->status, below, visit}, each, each_ctx);
	if (HAS(in, agent_list_in, type))
		return q_agent_page_of_type(db, &(struct agent_page_of_type_in){tenant, in->type, below, visit},
					    each, each_ctx);
	return q_agent_page(db, &(struct agent_page_in){tenant, below, visit}, each, each_ctx);
}

static enum err read_public(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct found *f = ctx;
	const struct agent_list_in *in = f->in;
	if (HAS(in, agent_list_in, type))
		return q_agent_page_public_of_type(
			f->c->db, &(struct agent_page_public_of_type_in){in->type, below, visit}, each, each_ctx);
	return q_agent_page_public(f->c->db, &(struct agent_page_public_in){below, visit}, each, each_ctx);
}

static bool fits(const struct agent_list_in *in, int64_t type, int64_t status, struct str name)
{
	return (!HAS(in, agent_list_in, type) || type == in->type) &&
	       (!HAS(in, agent_list_in, status) || status == in->status) &&
	       (!HAS(in, agent_list_in, name) || str_eq(name, in->name));
}

static bool keep(void *ctx, const void *row)
{
	struct found *f = ctx;
	const struct agent_page_row *r = row;
	if ((f->others && r->tenant == f->c->caller.tenant) || !fits(f->in, r->type, r->status, r->name))
		return false;
	f->ids[f->count++] = r->id;
	return true;
}

static enum err read_holders(void *ctx, int64_t below, int64_t visit, db_row_fn *each, void *each_ctx)
{
	const struct found *f = ctx;
	return q_capability_holders(f->c->db, &(struct capability_holders_in){f->capability, below, visit}, each,
				    each_ctx);
}

static bool keep_holder(void *ctx, const void *row)
{
	struct found *f = ctx;
	const struct capability_holders_out *r = row;
	if (!agent_is_readable(&f->c->caller, r->tenant, r->visibility))
		return false;
	f->ids[f->count++] = r->id;
	return true;
}

/* ---- the page ---- */

struct showing {
	struct call *c;
	const struct agent_list_in *in; /* NULL: of any kind */
	struct agent_list_out *out;
};

/* It may have been changed since its id was read. */
static bool is_still_listed(const struct showing *s, const struct agent_full_row *r)
{
	return !r->deleted_ms && agent_is_readable(&s->c->caller, r->tenant, r->visibility) &&
	       (!s->in || fits(s->in, r->type, r->status, r->name));
}

static enum err show(void *ctx, size_t i, const void *row)
{
	struct showing *s = ctx;
	const struct agent_full_row *read = row;
	(void)i;
	if (!read || !is_still_listed(s, read))
		return OK;
	return directory_agent_keep(read, s->c->arena, &s->out->items[s->out->items_count++]);
}

/* Whole agents for the ids of a page, and where the next begins. */
static enum err fill(struct call *c, const struct agent_list_in *in, const int64_t *ids, const struct page_end *end,
		     struct agent_list_out *out)
{
	struct id_row *wanted = ARENA_ARRAY(c->arena, struct id_row, end->count + 1);
	struct showing s = {c, in, out};
	out->items = ARENA_ARRAY(c->arena, struct agent, end->count + 1);
	if (!wanted || !out->items)
		return ERR_INTERNAL;
	for (size_t i = 0; i < end->count; i++)
		wanted[i].id = ids[i];
	if (end->next.p)
		PUT(out, agent_list_out, next_cursor, end->next);
	return end->count ? q_agent_get_each(c->db, wanted, end->count, show, &s) : OK;
}

/* Both as one, newest first, as far down as both are complete. */
static size_t merge(const struct found *a, const struct found *b, int64_t complete_to, int64_t *out)
{
	size_t i = 0, k = 0, n = 0;
	while (i < a->count || k < b->count) {
		bool from_a = k == b->count || (i < a->count && a->ids[i] > b->ids[k]);
		int64_t id = from_a ? a->ids[i++] : b->ids[k++];
		if (id >= complete_to)
			out[n++] = id;
	}
	return n;
}

static struct agent_count_in counted(const struct call *c, const struct agent_list_in *in)
{
	struct agent_count_in count = {
		.tenant = c->caller.tenant, .name = STR(""), .type = -1, .visibility = -1, .status = -1};
	if (HAS(in, agent_list_in, name))
		count.name = in->name;
	if (HAS(in, agent_list_in, type))
		count.type = in->type;
	if (HAS(in, agent_list_in, status))
		count.status = in->status;
	if (HAS(in, agent_list_in, visibility) && in->visibility == VISIBLE_PUBLIC)
		count.visibility = VISIBLE_PUBLIC;
	return count;
}

static enum err count_all(struct call *c, const struct agent_list_in *in, bool others, struct agent_list_out *out)
{
	struct agent_count_in count = counted(c, in);
	struct agent_count_out own;
	struct agent_count_public_out public = {0};
	enum err err = q_agent_count(c->db, &count, c->arena, &own);
	if (!err && others)
		err = q_agent_count_public(c->db, &count, c->arena, &public);
	if (!err)
		PUT(out, agent_list_out, count, own.count + public.count);
	return err;
}

enum err agent_list(struct call *c, const struct agent_list_in *in, struct agent_list_out *out)
{
	size_t limit = (size_t)in->limit;
	bool filtered = HAS(in, agent_list_in, visibility);
	bool own = !filtered || in->visibility == VISIBLE_TENANT, public = !filtered || !own;
	struct found mine = {.in = in}, theirs = {.in = in, .others = own};
	int64_t below, *ids = ARENA_ARRAY(c->arena, int64_t, 2 * (limit + 1));
	enum err err = page_cursor_read(HAS(in, agent_list_in, cursor), in->cursor, &below, &c->problem);
	if (err)
		return err;
	if (!ids || !found_new(&mine, c, limit + 1) || !found_new(&theirs, c, limit + 1))
		return ERR_INTERNAL;
	if (own)
		err = page_fill(&(struct page_source){read_own, keep, &mine}, below, limit + 1, PAGE_VISIT_MAX / 2,
				&mine.complete_to);
	if (!err && public)
		err = page_fill(&(struct page_source){read_public, keep, &theirs}, below, limit + 1,
				PAGE_VISIT_MAX / 2, &theirs.complete_to);
	if (err)
		return err;
	int64_t complete_to = mine.complete_to > theirs.complete_to ? mine.complete_to : theirs.complete_to;
	size_t n = merge(&mine, &theirs, complete_to, ids);
	struct page_end end = page_cut(c->arena, n, limit, n > limit ? ids[limit - 1] : complete_to);
	err = fill(c, in, ids, &end, out);
	return err || !in->count ? err : count_all(c, in, public, out);
}

enum err agent_list_with(struct call *c, int64_t capability, const struct capability_agents_in *in,
			 struct agent_list_out *out)
{
	struct found f = {.capability = capability};
	struct page_end end;
	if (!found_new(&f, c, PAGE_ROOM(in)))
		return ERR_INTERNAL;
	enum err err = page_take(&(struct page_source){read_holders, keep_holder, &f},
				 PAGE_WANT(in, capability_agents_in), c->arena, &c->problem, &end);
	return err ? err : fill(c, NULL, f.ids, &end, out);
}
