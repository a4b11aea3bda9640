/* Signed requests: the RFC's own example, both schemes, and everything that must not pass. */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/magic.h"
#include "directory/signed.h"

#include <sodium.h>

enum { HEADERS = 8, NOW_S = 1800000000 };

struct header {
	const char *name, *value;
};

struct request {
	struct signed_request r;
	struct header headers[HEADERS];
};

static struct arena *arena;
static unsigned char public_key[PROOF_KEY], private_key[64];

static struct str find_header(const void *ctx, struct str name)
{
	const struct request *q = ctx;

	for (size_t i = 0; i < HEADERS && q->headers[i].name; i++)
		if (str_eqz(name, q->headers[i].name))
			return str_of(q->headers[i].value);
	return (struct str){0};
}

static void request(struct request *q, const char *method, const char *path, const char *query, const char *body)
{
	*q = (struct request){.r = {.method = str_of(method),
				    .path = str_of(path),
				    .query = str_of(query),
				    .body = str_of(body),
				    .header = find_header,
				    .ctx = q}};
}

static void set(struct request *q, const char *name, const char *value)
{
	size_t i = 0;

	while (q->headers[i].name && strcmp(q->headers[i].name, name) != 0)
		i++;
	assert_true(i < HEADERS);
	q->headers[i] = (struct header){value ? name : NULL, value};
}

static const char *base64(const void *bytes, size_t n)
{
	return proof_text(arena, (struct str){bytes, n}).p;
}

static const char *sign(struct str text)
{
	unsigned char signature[PROOF_SIGNATURE];

	crypto_sign_detached(signature, NULL, (const unsigned char *)text.p, text.n, private_key);
	return base64(signature, sizeof signature);
}

static const char *fmt(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *fmt(const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return arena_z(arena, str_of(text));
}

static enum err take(struct request *q, struct signed_claim *claim)
{
	struct problem p = {0};
	enum err e = signed_read(&q->r, (int64_t)NOW_S * 1000, arena, claim, &p);

	if (e)
		assert_true(e == ERR_UNAUTHENTICATED && p.detail[0]);
	return e;
}

static bool passes(struct request *q)
{
	struct signed_claim claim;

	return take(q, &claim) == OK && signed_by(&claim, public_key);
}

static const char good_params[] = ";created=1800000000;keyid=\"my-bot\"";

/* RFC 9421, B.2.6: its key, its request, its signature. */
static void the_example_of_the_rfc(void **state)
{
	struct request q;
	struct signed_claim claim;
	struct problem p = {0};
	unsigned char key[PROOF_KEY];

	(void)state;
	assert_true(proof_bytes(STR("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"), key, sizeof key));
	request(&q, "POST", "/foo", "", "");
	set(&q, "host", "example.com");
	set(&q, "date", "Tue, 20 Apr 2021 02:07:55 GMT");
	set(&q, "content-type", "application/json");
	set(&q, "content-length", "18");
	set(&q, "signature-input",
	    "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
	    "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"");
	set(&q, "signature",
	    "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBK"
	    "RCw==:");
	assert_int_equal(signed_read(&q.r, INT64_C(1618884473000), arena, &claim, &p), OK);
	assert_true(signed_by(&claim, key));
	assert_str(claim.agent, "test-key-ed25519");
	assert_int_equal(claim.created_ms, INT64_C(1618884473000));
	set(&q, "date", "Tue, 20 Apr 2021 02:07:56 GMT");
	assert_int_equal(signed_read(&q.r, INT64_C(1618884473000), arena, &claim, &p), OK);
	assert_false(signed_by(&claim, key));
}

/* ---- the plain scheme ---- */

static void plain(struct request *q, const char *method, const char *path, const char *body, int64_t at_s)
{
	const char *at = fmt("%lld000", (long long)at_s);

	request(q, method, path, "", body);
	set(q, "x-agent-id", "my-bot");
	set(q, "x-agent-timestamp", at);
	set(q, "x-agent-signature", sign(str_of(fmt("%s:%s:%s:%s", method, path, at, body))));
}

static void the_plain_scheme(void **state)
{
	struct request q;
	struct signed_claim claim;

	(void)state;
	plain(&q, "POST", "/v1/agents/my-bot/heartbeat", "{}", NOW_S);
	assert_true(signed_is(&q.r) && passes(&q));
	assert_int_equal(take(&q, &claim), OK);
	assert_str(claim.agent, "my-bot");
	assert_int_equal(claim.created_ms, (int64_t)NOW_S * 1000);
}

static void what_the_plain_scheme_signs_cannot_be_changed(void **state)
{
	static const struct {
		const char *method, *path, *body;
	} other[] = {{"PUT", "/a", "{}"}, {"POST", "/b", "{}"}, {"POST", "/a", "{ }"}};
	struct request q;

	(void)state;
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
		plain(&q, "POST", "/a", "{}", NOW_S);
		q.r.method = str_of(other[i].method);
		q.r.path = str_of(other[i].path);
		q.r.body = str_of(other[i].body);
		assert_false(passes(&q));
	}
	plain(&q, "POST", "/a", "{}", NOW_S);
	set(&q, "x-agent-timestamp", fmt("%d001", NOW_S));
	assert_false(passes(&q));
	plain(&q, "GET", "/a", "", NOW_S);
	q.r.query = STR("all=true");
	assert_false(passes(&q));
}

/* There was no header to take a label from, and it was counted in all the same. */
static void a_signature_input_without_a_signature(void **state)
{
	struct request q;

	(void)state;
	request(&q, "GET", "/a", "", "");
	set(&q, "signature-input", fmt("sig1=(\"@method\" \"@path\")%s", good_params));
	assert_false(passes(&q));
}

/* A NUL once ended what was taken to be signed, and anything could follow it. */
static void a_body_with_a_nul_is_signed_to_its_end(void **state)
{
	struct request q;

	(void)state;
	plain(&q, "POST", "/a", "{", NOW_S);
	assert_true(passes(&q));
	q.r.body = (struct str){"{\0}", 3};
	assert_false(passes(&q));
}

static void a_signature_is_good_for_five_minutes_either_way(void **state)
{
	struct request q;

	(void)state;
	for (int away = -301; away <= 301; away += 1) {
		plain(&q, "POST", "/a", "{}", NOW_S + away);
		assert_int_equal(passes(&q), away >= -300 && away <= 300);
	}
}

/* ---- RFC 9421 ---- */

struct message {
	const char *components; /* between the parentheses */
	const char *params;     /* after them */
	const char *base;       /* the lines before @signature-params */
};

static void message(struct request *q, const struct message *m)
{
	const char *params = fmt("(%s)%s", m->components, m->params);

	set(q, "signature-input", fmt("sig1=%s", params));
	set(q, "signature", fmt("sig1=:%s:", sign(str_of(fmt("%s\"@signature-params\": %s", m->base, params)))));
}

static void a_message_with_a_body(struct request *q)
{
	unsigned char digest[32];

	request(q, "POST", "/v1/agents/my-bot/status", "", "{\"status\":\"maintenance\"}");
	crypto_hash_sha256(digest, (const unsigned char *)q->r.body.p, q->r.body.n);
	set(q, "content-digest", fmt("sha-256=:%s:", base64(digest, sizeof digest)));
	message(q, &(struct message){
			   "\"@method\" \"@path\" \"content-digest\"", good_params,
			   fmt("\"@method\": POST\n\"@path\": /v1/agents/my-bot/status\n\"content-digest\": %s\n",
			       q->headers[0].value)});
}

static void a_message_that_covers_what_matters(void **state)
{
	struct request q;

	(void)state;
	a_message_with_a_body(&q);
	assert_true(signed_is(&q.r) && passes(&q));
	request(&q, "GET", "/v1/agents", "limit=1&type=tool", "");
	message(&q, &(struct message){"\"@method\" \"@path\" \"@query\"", good_params,
				      "\"@method\": GET\n\"@path\": /v1/agents\n\"@query\": ?limit=1&type=tool\n"});
	assert_true(passes(&q));
	message(&q, &(struct message){"\"@method\" \"@request-target\"", good_params,
				      "\"@method\": GET\n\"@request-target\": /v1/agents?limit=1&type=tool\n"});
	assert_true(passes(&q));
	q.r.query = STR("limit=2&type=tool");
	assert_false(passes(&q));
}

static void a_component_that_is_covered_twice(void **state)
{
	struct request q;

	(void)state;
	request(&q, "GET", "/a", "", "");
	message(&q, &(struct message){"\"@method\" \"@path\"", good_params, "\"@method\": GET\n\"@path\": /a\n"});
	assert_true(passes(&q));
	message(&q, &(struct message){"\"@method\" \"@path\" \"@path\"", good_params,
				      "\"@method\": GET\n\"@path\": /a\n\"@path\": /a\n"});
	assert_false(passes(&q));
}

static void a_body_that_does_not_fit_its_digest(void **state)
{
	struct request q;

	(void)state;
	a_message_with_a_body(&q);
	q.r.body = STR("{\"status\":\"offline\"}");
	assert_false(passes(&q));
	a_message_with_a_body(&q);
	set(&q, "content-digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:");
	assert_false(passes(&q));
}

static void what_is_not_covered_is_not_signed(void **state)
{
	static const struct {
		const char *query, *body;
		struct message m;
	} short_of[] = {
		{"", "", {"\"@path\"", good_params, "\"@path\": /a\n"}},
		{"", "", {"\"@method\"", good_params, "\"@method\": POST\n"}},
		{"", "", {"", good_params, ""}},
		{"x=1", "", {"\"@method\" \"@path\"", good_params, "\"@method\": POST\n\"@path\": /a\n"}},
		{"", "{}", {"\"@method\" \"@path\"", good_params, "\"@method\": POST\n\"@path\": /a\n"}},
		{"",
		 "",
		 {"\"@method\" \"@path\" \"x-none\"", good_params,
		  "\"@method\": POST\n\"@path\": /a\n\"x-none\": \n"}},
		{"",
		 "",
		 {"\"@method\" \"@path\" \"@status\"", good_params,
		  "\"@method\": POST\n\"@path\": /a\n\"@status\": \n"}},
		{"", "", {"\"@method\" \"@path\"", ";keyid=\"a\"", "\"@method\": POST\n\"@path\": /a\n"}},
		{"", "", {"\"@method\" \"@path\"", ";created=1800000000", "\"@method\": POST\n\"@path\": /a\n"}},
		{"",
		 "",
		 {"\"@method\" \"@path\"", ";created=1800000000;keyid=\"a\";alg=\"hmac-sha256\"",
		  "\"@method\": POST\n\"@path\": /a\n"}},
		{"",
		 "",
		 {"\"@method\" \"@path\"", ";created=1800000000;keyid=\"a\";expires=1799999999",
		  "\"@method\": POST\n\"@path\": /a\n"}},
		{"",
		 "",
		 {"\"@method\" \"@path\"", ";created=1799999699;keyid=\"a\"",
		  "\"@method\": POST\n\"@path\": /a\n"}},
		{"",
		 "",
		 {"\"@method\" \"@path\"", ";created=1800000000;keyid=\"a\";unknown=\"b\"",
		  "\"@method\": POST\n\"@path\": /a\n"}},
		{"", "", {"\"@method\";req \"@path\"", good_params, "\"@method\": POST\n\"@path\": /a\n"}},
	};
	struct request q;

	(void)state;
	for (size_t i = 0; i < sizeof short_of / sizeof short_of[0]; i++) {
		request(&q, "POST", "/a", short_of[i].query, short_of[i].body);
		message(&q, &short_of[i].m);
		assert_false(passes(&q));
	}
	request(&q, "POST", "/a", "", "");
	message(&q, &(struct message){"\"@method\" \"@path\"",
				      ";created=1800000000;keyid=\"a\";alg=\"ed25519\";nonce=\"b\"",
				      "\"@method\": POST\n\"@path\": /a\n"});
	assert_true(passes(&q));
}

static void headers_cut_short_or_changed_anywhere(void **state)
{
	static const char *const names[] = {"signature-input", "signature", "content-digest"};
	struct request q;

	(void)state;
	for (size_t h = 0; h < sizeof names / sizeof names[0]; h++) {
		struct str whole;

		a_message_with_a_body(&q);
		whole = find_header(&q, str_of(names[h]));
		for (size_t i = 0; i < whole.n; i++) {
			char *changed = arena_z(arena, whole);

			changed[i] ^= 1;
			set(&q, names[h], changed);
			assert_false(passes(&q));
			changed[i] = '\0';
			set(&q, names[h], changed);
			assert_false(passes(&q));
		}
		arena_reset(arena);
	}
}

static int setup(void **state)
{
	(void)state;
	arena = arena_new(64 << 20);
	crypto_sign_keypair(public_key, private_key);
	return sodium_init() < 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_rfc),
		cmocka_unit_test(the_plain_scheme),
		cmocka_unit_test(what_the_plain_scheme_signs_cannot_be_changed),
		cmocka_unit_test(a_signature_input_without_a_signature),
		cmocka_unit_test(a_body_with_a_nul_is_signed_to_its_end),
		cmocka_unit_test(a_signature_is_good_for_five_minutes_either_way),
		cmocka_unit_test(a_message_that_covers_what_matters),
		cmocka_unit_test(a_component_that_is_covered_twice),
		cmocka_unit_test(a_body_that_does_not_fit_its_digest),
		cmocka_unit_test(what_is_not_covered_is_not_signed),
		cmocka_unit_test(headers_cut_short_or_changed_anywhere),
	};

	return cmocka_run_group_tests_name("directory_signed", tests, setup, teardown);
}
