/*
 * See etag.h. A tag may hold anything but a quote, a space and control characters, commas too; so a list is read
 * and not cut at its commas.
 */
#include "http/etag.h"

#include "http/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void skip_between(struct str *list)
{
	while (list->n && strchr(" \t,", list->p[0]))
		*list = (struct str){list->p + 1, list->n - 1};
}

/* etagc of RFC 9110. */
static bool may_stand_in_a_tag(unsigned char c)
{
	return c > ' ' && c != '"' && c != 0x7f;
}

enum etag_step etag_next(struct str *list, struct etag *out)
{
	size_t n = 0;

	skip_between(list);
	if (list->n == 0)
		return ETAG_END;
	out->weak = str_starts(*list, STR("W/"));
	if (out->weak)
		*list = (struct str){list->p + 2, list->n - 2};
	if (list->n == 0 || list->p[0] != '"')
		return ETAG_BROKEN;
	out->text.p = list->p + 1;
	while (n + 1 < list->n && may_stand_in_a_tag((unsigned char)out->text.p[n]))
		n++;
	if (n + 1 == list->n || out->text.p[n] != '"')
		return ETAG_BROKEN;
	out->text.n = n;
	*list = (struct str){out->text.p + n + 1, list->n - n - 2};
	return ETAG_FOUND;
}

bool etag_is_listed(struct str list, struct str tag)
{
	struct etag one;

	if (str_eqz(list, "*"))
		return true;
	while (etag_next(&list, &one) == ETAG_FOUND)
		if (str_eq(one.text, tag))
			return true;
	return false;
}

struct str etag_of(struct str bytes, char out[ETAG_OF_BYTES])
{
	snprintf(out, ETAG_OF_BYTES, "%016" PRIx64, str_hash(bytes));
	return (struct str){out, ETAG_OF_BYTES - 1};
}

static bool is_version(struct etag tag, int64_t version)
{
	struct str rest;
	int64_t v;

	return !tag.weak && str_to_i64(str_cut(tag.text, '-', &rest), &v) && v == version;
}

enum err call_if_match(struct call *c, int64_t version)
{
	struct str list = c->if_match;
	enum etag_step step;
	struct etag tag;

	if (!list.n || str_eqz(list, "*"))
		return OK;
	while ((step = etag_next(&list, &tag)) == ETAG_FOUND)
		if (is_version(tag, version))
			return OK;
	if (step == ETAG_BROKEN)
		return problem_field(&c->problem, ERR_INVALID, "If-Match",
				     "must be * or tags in quotes, as the header ETag gave them");
	return call_fail(c, ERR_PRECONDITION, "it is at version %" PRId64 " now; read it again and decide",
			 version);
}
