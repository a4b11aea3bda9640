/*
 * Lists of keys and values, and of mappings: short ones, searched from end to end.
 */
#include "roles/fill_priv.h"

#include <string.h>

static struct pair *find(const struct pairs *p, struct str key)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].key, key))
			return &p->v[i];
	return NULL;
}

const struct pair *pairs_find(const struct pairs *p, struct str key)
{
	return find(p, key);
}

void pairs_make_room(struct pairs *p, size_t more, struct arena *a)
{
	struct pair *v = ARENA_ARRAY(a, struct pair, p->n + more);

	if (v && p->n)
		memcpy(v, p->v, p->n * sizeof(*v));
	if (!v)
		p->n = 0;
	p->v = v;
}

void pairs_put(struct pairs *p, struct pair one)
{
	struct pair *was = find(p, one.key);

	if (was)
		*was = one;
	else if (p->v)
		p->v[p->n++] = one;
}

void pairs_set(struct pairs *p, struct str key, struct str value, struct arena *a)
{
	pairs_make_room(p, 1, a);
	pairs_put(p, (struct pair){.key = key, .value = value});
}

const struct mapping *mappings_find(const struct mappings *m, struct str key)
{
	for (size_t i = m->n; i-- > 0;)
		if (str_eq(m->v[i].key, key))
			return &m->v[i];
	return NULL;
}

struct str mappings_value(const struct mappings *m, struct str key)
{
	const struct mapping *one = mappings_find(m, key);

	return one ? one->value : (struct str){0};
}
