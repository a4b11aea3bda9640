/*
 * Finding things in a document, and saying where they stand.
 *
 * Names are compared as encoding/json folds them. Fields are ASCII, and two characters beyond it fold onto ASCII
 * letters: the Kelvin sign onto k and the long s onto s. Everything else beyond ASCII is equal only to itself.
 */
#include "roles/doc.h"

/* Takes one character off *s, folded: a lower-case ASCII letter, or its first byte as it is. */
static unsigned char take_folded(struct str *s)
{
	static const struct str kelvin = {"\xe2\x84\xaa", 3}, long_s = {"\xc5\xbf", 2};
	unsigned char c = (unsigned char)s->p[0];
	size_t step = 1;

	if (str_starts(*s, kelvin))
		c = 'k', step = kelvin.n;
	else if (str_starts(*s, long_s))
		c = 's', step = long_s.n;
	else if (c >= 'A' && c <= 'Z')
		c = (unsigned char)(c - 'A' + 'a');
	*s = (struct str){s->p + step, s->n - step};
	return c;
}

static bool same_field(struct str a, struct str b)
{
	while (a.n && b.n)
		if (take_folded(&a) != take_folded(&b))
			return false;
	return a.n == b.n;
}

bool node_is_field(const struct node *member, struct str field)
{
	return same_field(member->key, field);
}

const struct node *node_member(const struct node *object, struct str key)
{
	const struct node *found = NULL;

	if (object && object->kind == NODE_OBJECT)
		for (const struct node *n = object->first; n; n = n->next)
			if (same_field(n->key, key))
				found = n;
	return found;
}

const struct node *node_entry(const struct node *object, struct str key)
{
	const struct node *found = NULL;

	if (object && object->kind == NODE_OBJECT)
		for (const struct node *n = object->first; n; n = n->next)
			if (str_eq(n->key, key))
				found = n;
	return found;
}

/* The last line that begins at or before `at`. */
static struct place place_at(const struct doc *d, uint32_t at)
{
	size_t low = 0, high = d->line_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		*(d->lines[middle] <= at ? &low : &high) = middle;
	}
	return (struct place){(int)low + 1, (int)(at - d->lines[low]) + 1};
}

struct place doc_place(const struct doc *d, const struct node *n)
{
	return place_at(d, n->from);
}

struct place doc_key_place(const struct doc *d, const struct node *n)
{
	return place_at(d, n->key_from);
}
