/* See verify.h. */
#include "hooks/verify.h"

#include "base/magic.h"
#include "webhooks/sign.h"
#include "json/pick.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

enum { HEX_TEXT = 2 * VERIFY_DIGEST + 1, MS = 1000, STAMP_TEXT = 20 };

/* One call: what is asked, and what has been found. */
struct checking {
	const struct verify_hook *hook;
	const struct verify_request *request;
	int64_t now_ms;
	struct arena *arena;
	struct problem *p;
};

static struct str header(const struct checking *c, struct str name)
{
	return c->request->header(c->request->ctx, name);
}

static enum err missing(const struct checking *c, struct str name)
{
	return problem_set(c->p, ERR_UNAUTHENTICATED,
			   "the header %.*s is missing: it shows that who sends this knows the hook's secret",
			   STRF(name));
}

static enum err wrong(const struct checking *c, struct str name)
{
	return problem_set(c->p, ERR_UNAUTHENTICATED,
			   "%.*s is not that of this body with the hook's secret; the body must come as it was "
			   "signed, byte for byte",
			   STRF(name));
}

/* ---- times ---- */

static enum err check_time(const struct checking *c, struct str name, int64_t at_s)
{
	int64_t now_s = c->now_ms / MS, most_s = c->hook->tolerance_ms / MS;
	int64_t off_s = at_s > now_s ? at_s - now_s : now_s - at_s;
	if (off_s <= most_s)
		return OK;
	return problem_set(c->p, ERR_UNAUTHENTICATED,
			   "%.*s: signed %" PRId64 " s %s; more than %" PRId64
			   " s from the server's time is refused",
			   STRF(name), off_s, at_s > now_s ? "ahead" : "ago", most_s);
}

/* Seconds since 1970, of a size that can be reckoned with. */
static bool read_time(struct str text, int64_t *at_s)
{
	return text.n > 0 && text.n < 16 && str_to_i64(text, at_s) && *at_s >= 0;
}

/* ---- HMAC over the body, perhaps with a time before it ---- */

static struct str without_prefix(struct str text, struct str prefix)
{
	return str_starts(text, prefix) ? (struct str){text.p + prefix.n, text.n - prefix.n} : text;
}

typedef bool same_fn(struct str text, const unsigned char signature[SIGN_BYTES]);

static bool hex_or_base64(struct str text, const unsigned char signature[SIGN_BYTES])
{
	return sign_is_hex(text, signature) || sign_is_base64(text, signature);
}

/* `stamp` is what stands before the body. Each secret is tried, so that it shows in no time which it was. */
static bool is_signed(const struct checking *c, struct str stamp, struct str signature, same_fn *same)
{
	struct str pieces[] = {stamp, c->request->body};
	unsigned char made[SIGN_BYTES];
	bool good = false;
	for (size_t i = 0; i < c->hook->secret_count; i++) {
		sign_hmac(c->hook->secrets[i], pieces, 2, made);
		good |= same(signature, made);
	}
	return good;
}

static enum err check_hub(const struct checking *c, struct str name)
{
	struct str value = header(c, name);
	if (!value.p)
		return missing(c, name);
	if (!str_starts(value, STR("sha256=")))
		return problem_set(c->p, ERR_UNAUTHENTICATED, "%.*s must be sha256= and hexadecimal digits",
				   STRF(name));
	return is_signed(c, STR(""), without_prefix(value, STR("sha256=")), sign_is_hex) ? OK : wrong(c, name);
}

static enum err check_gitlab(const struct checking *c)
{
	struct str name = STR("X-Gitlab-Token"), token = header(c, name);
	bool good = false;
	if (!token.p)
		return missing(c, name);
	for (size_t i = 0; i < c->hook->secret_count; i++)
		good |= sign_same(token, c->hook->secrets[i]);
	return good ? OK : problem_set(c->p, ERR_UNAUTHENTICATED, "X-Gitlab-Token is not the hook's secret");
}

/* ---- Stripe ---- */

bool verify_timed_read(struct str list, struct verify_timed *out)
{
	size_t times = 0;
	*out = (struct verify_timed){0};
	while (list.n) {
		struct str value, name = str_trim(str_cut(str_cut(list, ',', &list), '=', &value));
		if (str_eqz(name, "t") && (!read_time(str_trim(value), &out->at_s) || ++times > 1))
			return false;
		if (str_eqz(name, "v1") && value.n && out->count < VERIFY_LISTED_MAX)
			out->signatures[out->count++] = str_trim(value);
	}
	return times == 1 && out->count > 0;
}

static enum err check_stripe(const struct checking *c)
{
	struct str name = STR("Stripe-Signature"), value = header(c, name);
	struct verify_timed timed;
	bool good = false;
	if (!value.p)
		return missing(c, name);
	if (!verify_timed_read(value, &timed))
		return problem_set(c->p, ERR_UNAUTHENTICATED, "Stripe-Signature must be t=SECONDS,v1=SIGNATURE");
	struct str stamp = arena_fmt(c->arena, "%" PRId64 ".", timed.at_s);
	for (size_t i = 0; i < timed.count; i++)
		good |= is_signed(c, stamp, timed.signatures[i], sign_is_hex);
	return good ? check_time(c, name, timed.at_s) : wrong(c, name);
}

/* ---- Standard Webhooks ---- */

static enum err check_standard(const struct checking *c)
{
	struct str id = header(c, STR("webhook-id")), at = header(c, STR("webhook-timestamp"));
	struct str list = header(c, STR("webhook-signature"));
	struct sign_message m = {.id = id, .body = c->request->body};
	bool good = false;
	if (!id.p || !at.p || !list.p)
		return missing(c, !id.p   ? STR("webhook-id")
				  : !at.p ? STR("webhook-timestamp")
					  : STR("webhook-signature"));
	if (!read_time(at, &m.at_s))
		return problem_set(c->p, ERR_UNAUTHENTICATED, "webhook-timestamp must be a number of seconds");
	for (size_t i = 0; i < c->hook->secret_count; i++) {
		struct sign_secret secret;
		if (sign_secret_read(c->hook->secrets[i], &secret))
			good |= sign_is_listed(list, &secret, &m);
	}
	return good ? check_time(c, STR("webhook-timestamp"), m.at_s) : wrong(c, STR("webhook-signature"));
}

/* ---- of any name ---- */

static enum err check_generic(const struct checking *c)
{
	const struct hook_headers *h = c->hook->headers;
	bool timed = HAS(h, hook_headers, timestamp);
	struct str value = header(c, h->signature), at = timed ? header(c, h->timestamp) : STR("");
	struct str stamp = {0};
	int64_t at_s = 0;
	if (!value.p || !at.p)
		return missing(c, !value.p ? h->signature : h->timestamp);
	if (timed && !read_time(at, &at_s))
		return problem_set(c->p, ERR_UNAUTHENTICATED, "%.*s must be a number of seconds",
				   STRF(h->timestamp));
	if (timed)
		stamp = arena_fmt(c->arena, "%.*s.", STRF(at));
	if (!is_signed(c, stamp, without_prefix(value, STR("sha256=")), hex_or_base64))
		return wrong(c, h->signature);
	return timed ? check_time(c, h->timestamp, at_s) : OK;
}

static enum err check(const struct checking *c)
{
	switch (c->hook->kind) {
	case HOOK_GITHUB:
		return check_hub(c, STR("X-Hub-Signature-256"));
	case HOOK_GITLAB:
		return check_gitlab(c);
	case HOOK_JIRA:
		return check_hub(c, STR("X-Hub-Signature"));
	case HOOK_STRIPE:
		return check_stripe(c);
	case HOOK_STANDARD:
		return check_standard(c);
	case HOOK_GENERIC:
		return check_generic(c);
	}
	UNREACHABLE();
}

/* ---- what it is ---- */

/* The text at a pointer into the body; empty when there is none. */
static struct str member(const struct checking *c, struct str pointer)
{
	struct str value;
	if (!pick_pointer(c->request->body, pointer, &value) || value.n < 2 || value.p[0] != '"')
		return (struct str){0};
	char *text = arena_alloc(c->arena, value.n);
	return text ? (struct str){text, pick_unescape((struct str){value.p + 1, value.n - 2}, text)}
		    : (struct str){0};
}

static struct str given_header(const struct checking *c, bool given, struct str name)
{
	return given ? header(c, name) : (struct str){0};
}

static struct str id_of(const struct checking *c)
{
	const struct hook_headers *h = c->hook->headers;
	struct str id;
	switch (c->hook->kind) {
	case HOOK_GITHUB:
		return header(c, STR("X-GitHub-Delivery"));
	case HOOK_GITLAB:
		id = header(c, STR("Idempotency-Key"));
		return id.n ? id : header(c, STR("X-Gitlab-Event-UUID"));
	case HOOK_JIRA:
		return header(c, STR("X-Atlassian-Webhook-Identifier"));
	case HOOK_STRIPE:
		return member(c, STR("/id"));
	case HOOK_STANDARD:
		return header(c, STR("webhook-id"));
	case HOOK_GENERIC:
		return given_header(c, HAS(h, hook_headers, id), h->id);
	}
	UNREACHABLE();
}

static struct str event_of(const struct checking *c)
{
	const struct hook_headers *h = c->hook->headers;
	struct str event;
	switch (c->hook->kind) {
	case HOOK_GITHUB:
		return header(c, STR("X-GitHub-Event"));
	case HOOK_GITLAB:
		return header(c, STR("X-Gitlab-Event"));
	case HOOK_JIRA:
		return member(c, STR("/webhookEvent"));
	case HOOK_STRIPE:
	case HOOK_STANDARD:
		return member(c, STR("/type"));
	case HOOK_GENERIC:
		event = given_header(c, HAS(h, hook_headers, event), h->event);
		return event.n ? event : member(c, STR("/type"));
	}
	UNREACHABLE();
}

/* Is the time of signing signed too, so that it cannot be sent again later? */
static bool is_timed(const struct verify_hook *hook)
{
	switch (hook->kind) {
	case HOOK_STRIPE:
	case HOOK_STANDARD:
		return true;
	case HOOK_GENERIC:
		return HAS(hook->headers, hook_headers, timestamp);
	case HOOK_GITHUB:
	case HOOK_GITLAB:
	case HOOK_JIRA:
		return false;
	}
	UNREACHABLE();
}

/* Up to 128 bytes of UTF-8 without control characters. */
static bool is_word(struct str text)
{
	if (text.n > VERIFY_ID_MAX || !str_is_utf8(text))
		return false;
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	return true;
}

static struct str hex_of(struct str digest, struct arena *a)
{
	char text[HEX_TEXT];
	sodium_bin2hex(text, sizeof text, (const unsigned char *)digest.p, digest.n);
	return arena_str(a, str_of(text));
}

/* A token is sent with whatever it is; only with a signature does the same body mean the same sending. */
static bool is_told_by_digest(const struct verify_hook *hook)
{
	return !is_timed(hook) && hook->kind != HOOK_GITLAB;
}

static enum err describe(const struct checking *c, struct verify_result *out)
{
	unsigned char *digest = arena_alloc(c->arena, VERIFY_DIGEST);
	if (!digest)
		return ERR_INTERNAL;
	crypto_hash_sha256(digest, (const unsigned char *)c->request->body.p, c->request->body.n);
	struct str sum = {(const char *)digest, VERIFY_DIGEST}, id = id_of(c), event = event_of(c);
	if (!is_word(id) || !is_word(event))
		return problem_set(c->p, ERR_INVALID,
				   "the delivery's id and the event's name must be texts of at most %d bytes",
				   VERIFY_ID_MAX);
	*out = (struct verify_result){.delivery = id.n ? arena_str(c->arena, id) : hex_of(sum, c->arena),
				      .event = arena_str(c->arena, event)};
	if (is_told_by_digest(c->hook))
		out->digest = sum;
	return OK;
}

enum err verify_request(const struct verify_hook *hook, const struct verify_request *request, int64_t now_ms,
			struct arena *a, struct verify_result *out, struct problem *p)
{
	struct checking c = {.hook = hook, .request = request, .now_ms = now_ms, .arena = a, .p = p};
	enum err err = check(&c);
	return err ? err : describe(&c, out);
}
