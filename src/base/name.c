/*
 * Names hang in lists by their hash; a list of two is rarer than a dead disk, but it must work all the same.
 */
#include "base/name.h"

#include "base/magic.h"

#include <string.h>

static struct name *find(const struct name_table *t, struct str text, uint64_t hash)
{
	struct name *n = map_get(&t->by_hash, hash);

	while (n && !str_eq(name_str(n), text))
		n = n->next;
	return n;
}

static struct name *make(struct name_table *t, struct str text, uint64_t hash)
{
	struct name *n;

	CHECK(text.n < UINT32_MAX);
	n = must_alloc(sizeof(*n) + text.n + 1);
	n->hash = hash;
	n->length = (uint32_t)text.n;
	memcpy(n->text, text.p, text.n);
	n->next = map_put(&t->by_hash, hash, n);
	return n;
}

struct name *name_get(struct name_table *t, struct str text)
{
	uint64_t hash = str_hash(text);
	struct name *n;

	if (text.n == 0)
		return NULL;
	n = find(t, text, hash);
	return name_keep(n ? n : make(t, text, hash));
}

struct name *name_find(const struct name_table *t, struct str text)
{
	return text.n ? find(t, text, str_hash(text)) : NULL;
}

struct name *name_keep(struct name *n)
{
	if (n)
		n->users++;
	return n;
}

static void forget(struct name_table *t, struct name *n)
{
	struct name *first = map_get(&t->by_hash, n->hash), *before = first;

	if (first == n) {
		if (n->next)
			map_put(&t->by_hash, n->hash, n->next);
		else
			map_take(&t->by_hash, n->hash);
		return;
	}
	while (before->next != n)
		before = before->next;
	before->next = n->next;
}

void name_drop(struct name_table *t, struct name **n)
{
	struct name *dropped = *n;

	*n = NULL;
	if (!dropped)
		return;
	CHECK(dropped->users > 0);
	if (--dropped->users > 0)
		return;
	forget(t, dropped);
	free(dropped);
}

void name_table_free(struct name_table *t)
{
	struct name *n;

	for (size_t i = 0; (n = map_next(&t->by_hash, &i));) {
		while (n) {
			struct name *next = n->next;

			free(n);
			n = next;
		}
	}
	map_free(&t->by_hash);
}
