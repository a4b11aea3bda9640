/*
 * The feed of changes: a page of it, and as a stream.
 *
 * A caller sees what concerns its tenant and what is public; changes of keys, what concerns webhooks and hooks, only
 * admins see. What it may not see is left out, so numbers have gaps for it, and a page may be short, or empty, though
 * more comes behind it.
 */
#include "api/api.h"
#include "api/app.h"

#include "directory/follower.h"

#include <inttypes.h>

enum { VISITED_MAX = 10000, LOT = 512, CHUNK_BYTES = 64 << 10 };

/* Who looks. */
struct viewer {
	int64_t tenant;
	bool is_admin;
};

static struct viewer viewer_of(const struct caller *caller)
{
	return (struct viewer){.tenant = caller->tenant, .is_admin = caller->scope >= SCOPE_ADMIN};
}

static bool is_for_admins(const struct change_row *row)
{
	return row->entity == ENTITY_KEY || row->entity == ENTITY_WEBHOOK || row->entity == ENTITY_HOOK;
}

static bool may_see(const struct viewer *v, const struct change_row *row)
{
	if (is_for_admins(row) && !v->is_admin)
		return false;
	return row->tenant == v->tenant || row->public;
}

static const char *prefix_of(enum change_entity entity)
{
	switch (entity) {
	case ENTITY_AGENT:
	case ENTITY_LIVENESS:
		return "ag_";
	case ENTITY_CAPABILITY:
		return "cap_";
	case ENTITY_ATTESTATION:
		return "att_";
	case ENTITY_KEY:
		return "k_";
	case ENTITY_WEBHOOK:
		return "wh_";
	case ENTITY_HOOK:
		return "hk_";
	case ENTITY_SQUAD:
		return "sq_";
	case ENTITY_SQUAD_MEMBER:
		return "sm_";
	case ENTITY_PLAN:
		return "t_";
	}
	UNREACHABLE();
}

static void show_change(const struct change_row *row, char id[ID_TEXT], struct change *out)
{
	size_t n = id_format(id, prefix_of((enum change_entity)row->entity), row->ref);
	*out = (struct change){.seq = row->seq,
			       .entity = (int)row->entity,
			       .op = (int)row->op,
			       .id = {id, n},
			       .version = row->version,
			       .at = row->at_ms};
}

/* ---- a page ---- */

struct page {
	struct viewer viewer;
	struct arena *arena;
	struct changes_out *out;
	size_t max, visited;
};

static enum err take_row(void *ctx, const void *row)
{
	struct page *p = ctx;
	const struct change_row *change = row;
	if (p->out->items_count == p->max)
		return OK;
	p->out->next_since = change->seq;
	p->visited++;
	if (!may_see(&p->viewer, change))
		return OK;
	char *id = arena_alloc(p->arena, ID_TEXT);
	if (!id)
		return ERR_INTERNAL;
	show_change(change, id, &p->out->items[p->out->items_count++]);
	return OK;
}

/* Are all numbers behind `since` still there? */
static enum err check_kept(struct call *c, int64_t since)
{
	struct change_ends_out ends;
	enum err err = q_change_ends(c->db, c->arena, &ends);
	if (err || since == 0)
		return err;
	if (since > ends.last)
		return call_fail(c, ERR_GONE,
				 "there is no change %" PRId64 ", the last is %" PRId64
				 ": the store was put back to an older state. Read anew what you hold, then go "
				 "on with since=%" PRId64,
				 since, ends.last, ends.last);
	if (since + 1 < ends.first)
		return call_fail(c, ERR_GONE,
				 "changes before %" PRId64 " are no longer kept. Read anew what you hold, then go "
				 "on with since=%" PRId64,
				 ends.first, ends.last);
	return OK;
}

enum err api_change_list(struct call *c, const struct changes_in *in, struct changes_out *out)
{
	enum err err = check_kept(c, in->since);
	if (err)
		return err;
	struct page p = {.viewer = viewer_of(&c->caller), .arena = c->arena, .out = out, .max = (size_t)in->limit};
	out->next_since = in->since;
	out->items = ARENA_ARRAY(c->arena, struct change, p.max);
	if (!out->items)
		return ERR_INTERNAL;
	size_t before;
	do {
		before = p.visited;
		struct change_from_in from = {.since = out->next_since, .count = in->limit};
		err = q_change_from(c->db, &from, take_row, &p);
	} while (!err && out->items_count < p.max && p.visited > before && p.visited < VISITED_MAX);
	return err;
}

/* ---- a stream ---- */

struct changes_stream {
	struct app *app;
	struct viewer viewer;
	int64_t since;
	struct buf fetched; /* read from the store, not sent yet */
	bool greeted;
	bool looked; /* into the store */
	bool gone;   /* what follows is no longer kept */
	bool cut;    /* the store failed: the client comes again with the number it has */
};

static void write_change(struct changes_stream *s, const struct change_row *row, struct buf *out)
{
	char id[ID_TEXT];
	struct change change;
	s->since = row->seq;
	if (!may_see(&s->viewer, row))
		return;
	show_change(row, id, &change);
	buf_fmt(out, "id: %" PRId64 "\nevent: change\ndata: ", row->seq);
	json_encode(&type_change, &change, 0, out);
	buf_z(out, "\n\n");
}

/* What is in memory. False when the next one is no longer there. */
static bool write_newest(struct changes_stream *s, struct buf *out)
{
	struct change_row rows[LOT];
	size_t count;
	bool here;
	do {
		here = changes_read(s->app->feed, s->since, rows, LOT, &count);
		for (size_t i = 0; i < count; i++)
			write_change(s, &rows[i], out);
	} while (count == LOT && out->n < CHUNK_BYTES);
	return here;
}

/* The number was learnt from another process, which knows more; or, if that is not so, the store is another. */
static bool is_ahead(const struct changes_stream *s)
{
	return s->looked && s->since > follower_applied(s->app->follower);
}

static enum stream_next next(void *state, struct buf *out)
{
	struct changes_stream *s = state;
	if (!s->greeted)
		buf_z(out, "retry: 2000\n\n");
	s->greeted = true;
	buf_str_add(out, buf_str(&s->fetched));
	buf_reset(&s->fetched);
	if (s->gone) {
		buf_z(out, "event: reset\ndata: {}\n\n");
		return STREAM_END;
	}
	if (s->cut || atomic_load(&s->app->stopping))
		return STREAM_END;
	bool here = s->since == follower_applied(s->app->follower) || write_newest(s, out);
	if (out->n > 0)
		return STREAM_DATA;
	return here || is_ahead(s) ? STREAM_WAIT : STREAM_FETCH;
}

static enum err fetch_row(void *ctx, const void *row)
{
	struct changes_stream *s = ctx;
	const struct change_row *change = row;
	s->gone = s->gone || (s->since && change->seq != s->since + 1);
	if (!s->gone)
		write_change(s, change, &s->fetched);
	return OK;
}

static enum err fetch(void *state, struct db *db, enum err why)
{
	struct changes_stream *s = state;
	struct change_ends_out ends;
	struct arena *a = arena_new(CHUNK_BYTES);
	enum err err = why ? why : q_change_ends(db, a, &ends);
	arena_destroy(&a);
	if (!err)
		s->gone = s->since > ends.last;
	if (!err && !s->gone)
		err = q_change_from(db, &(struct change_from_in){s->since, LOT}, fetch_row, s);
	s->looked = true;
	s->cut = err != OK;
	return err;
}

static void close_stream(void *state)
{
	struct changes_stream *s = state;
	buf_free(&s->fetched);
	free(s);
}

static const struct stream_ops changes_ops = {.next = next, .fetch = fetch, .close = close_stream};

/* Behind which number it begins. */
static enum err find_start(struct call *c, const struct changes_follow_in *in, int64_t *since)
{
	bool resumes = c->last_event_id.n > 0;
	*since = HAS(in, changes_follow_in, since) ? in->since : follower_applied(call_app(c)->follower);
	if (resumes && (!str_to_i64(c->last_event_id, since) || *since < 0))
		return problem_field(&c->problem, ERR_INVALID, "Last-Event-ID",
				     "must be the id of an event: a number");
	return OK;
}

enum err api_change_stream(struct call *c, const struct changes_follow_in *in, struct nothing *out)
{
	(void)out;
	int64_t since;
	enum err err = find_start(c, in, &since);
	if (err)
		return err;
	struct changes_stream *s = NEW(struct changes_stream);
	*s = (struct changes_stream){
		.app = call_app(c), .viewer = viewer_of(&c->caller), .since = since, .fetched = BUF_INIT(0)};
	call_stream(c, &changes_ops, s);
	return OK;
}
