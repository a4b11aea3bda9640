/* See capability.h. */
#include "directory/capability.h"

#include "directory/handle.h"

enum { COMMON = 0 /* the tenant of the common ones */ };

void capability_show(const struct capability_row *row, struct capability *out)
{
	*out = (struct capability){.id = row->id,
				   .slug = row->slug,
				   .common = row->tenant == COMMON,
				   .description = row->description,
				   .version = row->version,
				   .created_at = row->created_ms};
	if (row->input_schema.p)
		PUT(out, capability, input_schema, row->input_schema);
	if (row->output_schema.p)
		PUT(out, capability, output_schema, row->output_schema);
}

enum err capability_read(struct call *c, struct str slug, struct capability_row *out)
{
	enum err err = q_capability_get(c->db, &(struct capability_get_in){c->caller.tenant, slug}, c->arena, out);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "there is no capability '%.*s' here; 'tenfold capability list' shows them",
				 STRF(slug));
	return err;
}

static enum err put_id(void *ctx, size_t i, const void *row)
{
	int64_t *ids = ctx;
	const struct capability_find_out *found = row;
	ids[i] = found ? found->id : 0;
	return OK;
}

enum err capability_ids(struct db *db, const struct capability_find_in *slugs, size_t count, int64_t *ids)
{
	return count ? q_capability_find_each(db, slugs, count, put_id, ids) : OK;
}

/* ---- a new one ---- */

static enum err check_new(struct call *c, const struct capability_new *in)
{
	if (!slug_is_good(in->slug))
		return problem_field(&c->problem, ERR_INVALID, "slug",
				     "%d to %d of a to z, 0 to 9 and '-', which stands at neither end", SLUG_MIN,
				     SLUG_MAX);
	struct capability_row there;
	enum err err =
		q_capability_get(c->db, &(struct capability_get_in){c->caller.tenant, in->slug}, c->arena, &there);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (!err)
		return call_fail(c, ERR_ALREADY_EXISTS, "slug: %s '%.*s'",
				 there.tenant == COMMON ? "a common capability is called"
							: "this tenant has a capability",
				 STRF(in->slug));
	return err;
}

enum err capability_add(struct call *c, int64_t id, const struct capability_new *in, struct capability_row *out)
{
	enum err err = check_new(c, in);
	if (err)
		return err;
	*out = (struct capability_row){.id = id,
				       .tenant = c->caller.tenant,
				       .slug = in->slug,
				       .description = in->description,
				       .version = in->version,
				       .created_ms = c->now_ms};
	if (HAS(in, capability_new, input_schema))
		out->input_schema = in->input_schema;
	if (HAS(in, capability_new, output_schema))
		out->output_schema = in->output_schema;
	struct capability_insert_out inserted;
	err = q_capability_insert(c->db, out, c->arena, &inserted);
	return err == ERR_NOT_FOUND ? ERR_STORE_BUSY : err; /* somebody was faster: run again, it is found above */
}

/* ---- lists ---- */

/* A page of one tenant, and one more. */
struct slugs {
	struct arena *arena;
	struct capability *items;
	size_t count;
};

static enum err take(void *ctx, const void *row)
{
	struct slugs *s = ctx;
	struct capability_row r = *(const struct capability_row *)row;
	r.slug = arena_str(s->arena, r.slug);
	r.description = arena_str(s->arena, r.description);
	r.version = arena_str(s->arena, r.version);
	r.input_schema = arena_kept(s->arena, r.input_schema);
	r.output_schema = arena_kept(s->arena, r.output_schema);
	capability_show(&r, &s->items[s->count++]);
	return OK;
}

static enum err read_slugs(struct call *c, int64_t tenant, struct str above, size_t visit, struct slugs *out)
{
	out->arena = c->arena;
	out->items = ARENA_ARRAY(c->arena, struct capability, visit);
	if (!out->items)
		return ERR_INTERNAL;
	return q_capability_page(c->db, &(struct capability_page_in){tenant, above, (int64_t)visit}, take, out);
}

static void merge(const struct slugs *a, const struct slugs *b, size_t limit, struct capability_list_out *out)
{
	size_t i = 0, k = 0;
	while (out->items_count < limit && (i < a->count || k < b->count)) {
		bool from_a = k == b->count || (i < a->count && str_cmp(a->items[i].slug, b->items[k].slug) < 0);
		out->items[out->items_count++] = from_a ? a->items[i++] : b->items[k++];
	}
	if (i < a->count || k < b->count)
		PUT(out, capability_list_out, next_cursor, out->items[limit - 1].slug);
}

enum err capability_list(struct call *c, const struct capability_list_in *in, struct capability_list_out *out)
{
	size_t limit = (size_t)in->limit;
	bool given = HAS(in, capability_list_in, cursor);
	struct slugs common = {0}, own = {0};
	if (given && !slug_is_good(in->cursor))
		return problem_field(&c->problem, ERR_INVALID, "cursor", "must be the next_cursor of a page");
	struct str above = given ? in->cursor : STR("");
	out->items = ARENA_ARRAY(c->arena, struct capability, limit);
	enum err err = out->items ? read_slugs(c, COMMON, above, limit + 1, &common) : ERR_INTERNAL;
	if (!err && c->caller.tenant != COMMON)
		err = read_slugs(c, c->caller.tenant, above, limit + 1, &own);
	if (!err)
		merge(&common, &own, limit, out);
	return err;
}
