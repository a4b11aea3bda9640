/*
 * A hash table of paths. A path with a member, /v1/work/{id}/cancel, is kept as what stands before and after it;
 * looking one up takes out the segment that some route has a member in, so a request costs one hash for the literal
 * path and one more for each depth at which members occur (today: one).
 */
#include "http/router.h"

#include "base/magic.h"

#include <string.h>

struct place {
	struct str before, after; /* after.p is NULL for a literal path */
	const struct route *by_method[METHOD_COUNT];
};

struct router {
	struct place *places; /* before.p NULL: free */
	size_t mask;
	uint32_t member_depths; /* bit n: some path has its member after the n-th slash */
};

static uint64_t hash(struct str before, struct str after)
{
	return str_hash_seed(after, str_hash(before));
}

static bool same_text(struct str a, struct str b)
{
	return (a.p == NULL) == (b.p == NULL) && str_eq(a, b);
}

/* Where the pair is, or the free place where it belongs. */
static struct place *find(const struct router *r, struct str before, struct str after)
{
	for (size_t i = hash(before, after);; i++) {
		struct place *p = &r->places[i & r->mask];

		if (!p->before.p || (same_text(p->before, before) && same_text(p->after, after)))
			return p;
	}
}

static unsigned slashes(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '/';
	return n;
}

static void add(struct router *r, const struct route *route)
{
	struct str before = str_of(route->path), after = {0};
	struct place *p;

	if (strchr(route->path, '{')) {
		before = str_cut(before, '{', &after);
		str_cut(after, '}', &after);
		if (!after.p)
			after = STR("");
		CHECK(slashes(before) < 32);
		r->member_depths |= UINT32_C(1) << slashes(before);
	}
	p = find(r, before, after);
	CHECK(!p->by_method[route->method]);
	p->before = before;
	p->after = after;
	p->by_method[route->method] = route;
}

struct router *router_new(const struct route *routes, unsigned count)
{
	struct router *r = NEW(struct router);
	size_t places = 16;

	while (places < 4 * (size_t)count)
		places *= 2;
	r->mask = places - 1;
	r->places = must_alloc(places * sizeof(*r->places));
	for (unsigned i = 0; i < count; i++)
		add(r, &routes[i]);
	return r;
}

void router_destroy(struct router **r)
{
	if (!*r)
		return;
	free((*r)->places);
	free(*r);
	*r = NULL;
}

/* The segment after the n-th slash, which may not be empty. */
static bool cut_segment(struct str path, unsigned n, struct str *before, struct str *segment, struct str *after)
{
	size_t start = 0, end;

	while (n > 0 && start < path.n)
		n -= path.p[start++] == '/';
	for (end = start; end < path.n && path.p[end] != '/';)
		end++;
	*before = (struct str){path.p, start};
	*segment = (struct str){path.p + start, end - start};
	*after = (struct str){path.p + end, path.n - end};
	return n == 0 && segment->n > 0;
}

static const struct place *find_with_member(const struct router *r, struct str path, struct str *member)
{
	for (uint32_t depths = r->member_depths; depths; depths &= depths - 1) {
		struct str before, after;
		const struct place *p;

		if (!cut_segment(path, (unsigned)__builtin_ctz(depths), &before, member, &after))
			continue;
		p = find(r, before, after);
		if (p->before.p)
			return p;
	}
	*member = (struct str){0};
	return NULL;
}

enum err router_find(const struct router *r, enum route_method method, struct str path, struct router_match *out)
{
	const struct place *p;

	*out = (struct router_match){0};
	if (!path.p)
		path = STR("");
	p = find(r, path, (struct str){0});
	if (!p->before.p)
		p = find_with_member(r, path, &out->id);
	if (!p)
		return ERR_NO_ROUTE;
	if (method < METHOD_COUNT)
		out->route = p->by_method[method];
	for (unsigned m = 0; m < METHOD_COUNT; m++)
		out->allowed |= p->by_method[m] ? 1u << m : 0;
	return out->route ? OK : ERR_METHOD;
}
