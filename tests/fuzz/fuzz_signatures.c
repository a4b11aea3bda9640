/*
 * Headers of signatures as anybody may send them: the first line says which kind, the second is what each header holds,
 * the rest is the body. Whatever they are, the answer is one of three, and what is listed lies inside the header.
 */
#include "base/magic.h"
#include "hooks/verify.h"
#include "webhooks/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str value_of(const void *ctx, struct str name)
{
	(void)name;
	return *(const struct str *)ctx;
}

static void check_timed(struct str header)
{
	struct verify_timed timed;
	if (!verify_timed_read(header, &timed))
		return;
	CHECK(timed.at_s >= 0 && timed.count >= 1 && timed.count <= VERIFY_LISTED_MAX);
	for (size_t i = 0; i < timed.count; i++)
		CHECK(timed.signatures[i].p >= header.p &&
		      timed.signatures[i].p + timed.signatures[i].n <= header.p + header.n);
}

/* With the header as a secret, what it signs is found. */
static void check_own(struct str header, struct str body)
{
	struct sign_secret secret;
	struct sign_message m = {.id = header, .body = body, .at_s = 7};
	struct buf list = BUF_INIT(0);
	if (!sign_secret_read(header, &secret))
		return;
	buf_z(&list, "v1,x");
	sign_add(&list, &secret, &m);
	CHECK(sign_is_listed(buf_str(&list), &secret, &m));
	buf_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str header, body, kind = str_cut((struct str){(const char *)data, size}, '\n', &header);
	header = str_cut(header, '\n', &body);
	struct hook_headers headers = {
		.signature = STR("X"), .timestamp = STR("X"), .id = STR("X"), .event = STR("X")};
	headers.seen = kind.n > 1 ? UINT64_MAX : BIT(hook_headers, signature);
	struct verify_hook hook = {
		.kind = (enum hook_kind)(kind.n ? (unsigned char)kind.p[0] % (HOOK_GENERIC + 1) : 0),
		.secrets = {STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), STR("another")},
		.secret_count = 2,
		.headers = &headers,
		.tolerance_ms = 300000};
	struct verify_request request = {.body = body, .header = value_of, .ctx = &header};
	struct arena *a = arena_new(1 << 20);
	struct verify_result result;
	struct problem p = {0};
	enum err err = verify_request(&hook, &request, 1614265330000, a, &result, &p);

	CHECK(err == OK || err == ERR_UNAUTHENTICATED || err == ERR_INVALID);
	CHECK(err == OK || p.detail[0]);
	CHECK(err || result.delivery.n <= 2 * VERIFY_DIGEST || result.delivery.n <= VERIFY_ID_MAX);
	check_timed(header);
	check_own(header, body);
	arena_destroy(&a);
	return 0;
}
