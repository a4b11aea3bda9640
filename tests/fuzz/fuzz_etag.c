/*
 * Lists of entity tags as anybody may send them: each tag that is found stands in the list in its quotes, the list
 * written anew has the same tags, and what If-None-Match and If-Match make of it is the same as well.
 */
#include "base/magic.h"
#include "http/call.h"
#include "http/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tag(struct str list, struct etag tag)
{
	CHECK(tag.text.p > list.p && tag.text.p + tag.text.n < list.p + list.n);
	CHECK(tag.text.p[-1] == '"' && tag.text.p[tag.text.n] == '"');
}

static void write_anew(struct str list, struct buf *b)
{
	struct str rest = list;
	struct etag tag;

	while (etag_next(&rest, &tag) == ETAG_FOUND) {
		check_tag(list, tag);
		buf_fmt(b, "%s%s\"%.*s\"", b->n ? "," : "", tag.weak ? "W/" : "", STRF(tag.text));
		CHECK(etag_is_listed(list, tag.text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str list = {(const char *)data, size};
	struct buf once = BUF_INIT(0), twice = BUF_INIT(0);
	struct call c = {.if_match = list};
	enum err e = call_if_match(&c, 7);

	write_anew(list, &once);
	write_anew(buf_str(&once), &twice);
	CHECK(str_eq(buf_str(&once), buf_str(&twice)));
	CHECK(e == OK || e == ERR_PRECONDITION || e == ERR_INVALID);
	c.if_match = buf_str(&once);
	if (e == OK && once.n)
		CHECK(call_if_match(&c, 7) == OK);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
