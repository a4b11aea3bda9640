/* Walks both trees side by side. */
#include "roles_kit/doc_oracle.h"

#include <jansson.h>
#include <string.h>

static bool same(const struct node *n, const json_t *j);

static bool same_text(struct str text, const json_t *j)
{
	return json_is_string(j) && str_eq(text, (struct str){json_string_value(j), json_string_length(j)});
}

static bool same_number(struct str text, const json_t *j)
{
	double v;

	return json_is_real(j) && str_to_f64(text, &v) && v >= json_real_value(j) && v <= json_real_value(j);
}

static bool same_array(const struct node *n, const json_t *j)
{
	const struct node *child = n->first;

	if (!json_is_array(j) || json_array_size(j) != n->count)
		return false;
	for (size_t i = 0; i < json_array_size(j); i++, child = child->next)
		if (!same(child, json_array_get(j, i)) || child->parent != n)
			return false;
	return child == NULL;
}

/* Of each name only the last one is in j; distinct names are counted by it. */
static bool same_object(const struct node *n, const json_t *j)
{
	size_t distinct = 0, count = 0;

	if (!json_is_object(j))
		return false;
	for (const struct node *child = n->first; child; child = child->next) {
		const json_t *value = json_object_getn(j, child->key.p, child->key.n);

		count++;
		if (child->parent != n || !value)
			return false;
		if (node_entry(n, child->key) != child)
			continue;
		distinct++;
		if (!same(child, value))
			return false;
	}
	return distinct == json_object_size(j) && count == n->count;
}

static bool same(const struct node *n, const json_t *j)
{
	switch (n->kind) {
	case NODE_NULL:
		return json_is_null(j);
	case NODE_BOOL:
		return json_is_boolean(j) && str_eqz(n->text, json_is_true(j) ? "true" : "false");
	case NODE_NUMBER:
		return same_number(n->text, j);
	case NODE_STRING:
		return same_text(n->text, j);
	case NODE_ARRAY:
		return same_array(n, j);
	case NODE_OBJECT:
		return same_object(n, j);
	}
	return false;
}

static bool has_half_a_pair(struct str text)
{
	for (size_t i = 0; i + 3 < text.n; i++)
		if (memcmp(text.p + i, "\\u", 2) == 0 && (text.p[i + 2] | 0x20) == 'd' &&
		    strchr("89abcdefABCDEF", text.p[i + 3]))
			return true;
	return false;
}

const char *doc_oracle(const struct doc *d, const struct problem *p)
{
	json_error_t error;
	json_t *value = json_loadb(d->text.p, d->text.n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
	const char *differ = NULL;

	if (value && memchr(d->text.p, '\0', d->text.n))
		differ = d->root ? "it has a NUL byte" : NULL; /* which jansson takes for the end of the text */
	else if (value && d->root)
		differ = same(d->root, value) ? NULL : "jansson reads other values";
	else if (value)
		differ = strstr(p->detail, "deeper") ? NULL : "jansson takes it";
	else if (d->root && json_error_code(&error) != json_error_numeric_overflow && !has_half_a_pair(d->text))
		differ = "jansson refuses it";
	json_decref(value);
	return differ;
}
