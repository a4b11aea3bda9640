/*
 * Fills `in` from where the route says: the member in the path, the others from the query or the body.
 */
#include "http/http_priv.h"
#include "http/params.h"

/* An id that cannot be read is that of a thing there is not. */
static enum err from_path(struct call_private *c, void *in)
{
	const struct route *r = c->call.route;
	struct problem unused = {0};
	struct str id;

	if (!r->path_fields)
		return OK;
	if (url_decode_path(c->id, c->call.arena, &id) == OK &&
	    json_set_text(r->in, (uint32_t)__builtin_ctzll(r->path_fields), id, c->call.arena, in, &unused) == OK)
		return OK;
	return call_fail(&c->call, ERR_NOT_FOUND, "there is no \"%.*s\" here", c->id.n > 64 ? 64 : (int)c->id.n,
			 c->id.p);
}

static enum err from_body(struct call_private *c, void *in)
{
	const struct route *r = c->call.route;
	struct problem *p = &c->call.problem;
	struct arena *a = c->call.arena;
	char none[sizeof(struct nothing)];
	enum err e = params_decode(&type_nothing, c->query, 0, a, none, p);

	c->call.body = buf_str(&c->body);
	if (r->flags & ROUTE_SIGNED)
		return e;
	return e ? e : json_decode(r->in, c->call.body.n ? c->call.body : STR("{}"), r->path_fields, a, in, p);
}

enum err input_decode(struct call_private *c)
{
	const struct route *r = c->call.route;
	void *in = arena_alloc(c->call.arena, r->in->size);
	enum err e;

	c->call.in = in;
	c->call.out = arena_alloc(c->call.arena, r->out->size);
	CHECK(c->call.in && c->call.out);
	e = from_path(c, in);
	if (e)
		return e;
	if (route_in_query(r))
		return params_decode(r->in, c->query, r->path_fields, c->call.arena, in, &c->call.problem);
	return from_body(c, in);
}
