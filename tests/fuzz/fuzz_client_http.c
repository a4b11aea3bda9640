/*
 * An answer as a target may send it: what is understood does not depend on how the bytes are cut, a body is never
 * longer than allowed, and what was wrong is said in text that a terminal can take.
 *
 * The first byte says whether the question was HEAD (its lowest bit), and where the bytes are cut.
 */
#include "base/magic.h"
#include "sim/client_http.h"

#include <string.h>

enum { BODY_MAX = 4096 };

struct outcome {
	enum err err;
	bool whole;
	struct client_http http;
	struct buf body;
};

/* Pieces are copied to memory of their own, so that a sanitizer sees a byte read too many. */
static void read_in_pieces(struct outcome *o, struct str bytes, size_t piece, bool head_only)
{
	char *copy = must_alloc(piece);

	client_http_begin(&o->http, head_only, BODY_MAX);
	while (bytes.n && !o->err && !o->whole) {
		size_t n = bytes.n < piece ? bytes.n : piece;

		memcpy(copy, bytes.p, n);
		o->err = client_http_take(&o->http, (struct str){copy, n}, &o->whole);
		bytes = (struct str){bytes.p + n, bytes.n - n};
	}
	if (!o->err && !o->whole) {
		o->err = client_http_end(&o->http);
		o->whole = o->err == OK;
	}
	buf_str_add(&o->body, o->http.body);
	free(copy);
}

static void check_outcome(const struct outcome *o, bool head_only)
{
	CHECK(o->whole == (o->err == OK));
	CHECK(o->body.n <= BODY_MAX);
	for (const char *p = o->http.detail ? o->http.detail : ""; *p; p++)
		CHECK(*p >= 0x20 && *p < 0x7f);
	if (o->err) {
		CHECK(o->http.detail && o->http.detail[0]);
		return;
	}
	CHECK(o->http.status >= 200 && o->http.status <= 599);
	CHECK(!head_only || o->body.n == 0);
	CHECK(client_http_retry_after_ms(&o->http, 0) >= -1);
	CHECK(client_http_retry_after_ms(&o->http, 0) <= 86400000);
}

static void outcome_free(struct outcome *o)
{
	client_http_free(&o->http);
	buf_free(&o->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome at_once = {0}, cut = {0};
	struct str bytes = {(const char *)data + 1, size - 1};
	bool head_only;

	if (size < 2)
		return 0;
	head_only = data[0] & 1;
	read_in_pieces(&at_once, bytes, bytes.n, head_only);
	read_in_pieces(&cut, bytes, (size_t)(data[0] >> 1) + 1, head_only);
	check_outcome(&at_once, head_only);
	check_outcome(&cut, head_only);
	if (at_once.err == OK) {
		CHECK(cut.err == OK && cut.http.status == at_once.http.status &&
		      cut.http.keep == at_once.http.keep);
		CHECK(str_eq(buf_str(&cut.body), buf_str(&at_once.body)));
		CHECK(client_http_retry_after_ms(&cut.http, 0) == client_http_retry_after_ms(&at_once.http, 0));
	}
	outcome_free(&at_once);
	outcome_free(&cut);
	return 0;
}
