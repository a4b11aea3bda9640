/* What senders put into their headers: the examples that GitHub and Stripe publish, every kind's faults, times, ids. */
#include "harness.h"

#include "hooks/verify.h"

#include <stdlib.h>

enum { HEADERS_MAX = 6 };

/* A request whose headers are given as "Name: value". */
struct request {
	const char *headers[HEADERS_MAX];
	const char *body;
};

static struct str find(const void *ctx, struct str name)
{
	const struct request *r = ctx;
	for (size_t i = 0; i < HEADERS_MAX && r->headers[i]; i++) {
		struct str value, given = str_cut(str_of(r->headers[i]), ':', &value);
		if (str_eq_nocase(given, name))
			return str_trim(value);
	}
	return (struct str){0};
}

static struct arena *arena;

static enum err verify(const struct verify_hook *hook, const struct request *r, int64_t now_s,
		       struct verify_result *out, struct problem *p)
{
	struct verify_request request = {.body = str_of(r->body), .header = find, .ctx = r};
	arena_reset(arena);
	problem_clear(p);
	return verify_request(hook, &request, now_s * 1000, arena, out, p);
}

static bool is_good(const struct verify_hook *hook, const struct request *r, int64_t now_s)
{
	struct verify_result out;
	struct problem p;
	enum err err = verify(hook, r, now_s, &out, &p);
	assert_true(err == OK || err == ERR_UNAUTHENTICATED);
	assert_true(err == OK || p.detail[0]);
	return err == OK;
}

static int start(void **state)
{
	(void)state;
	arena = arena_new(1 << 20);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

/* docs.github.com/en/webhooks, "Testing the webhook payload validation". */
#define GITHUB_SIGNATURE "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

static const struct verify_hook github = {.kind = HOOK_GITHUB,
					  .secrets = {{"It's a Secret to Everybody", 26}},
					  .secret_count = 1,
					  .tolerance_ms = 300000};

static void what_github_publishes(void **state)
{
	struct request r = {.headers = {"x-hub-signature-256: sha256=" GITHUB_SIGNATURE, "X-GitHub-Delivery: one",
					"X-GitHub-Event: push"},
			    .body = "Hello, World!"};
	struct verify_result out;
	struct problem p;
	(void)state;
	assert_int_equal(verify(&github, &r, 0, &out, &p), OK);
	assert_str(out.delivery, "one");
	assert_str(out.event, "push");
	assert_int_equal(out.digest.n, VERIFY_DIGEST);
	r.headers[1] = NULL;
	assert_int_equal(verify(&github, &r, 0, &out, &p), OK);
	assert_str(out.delivery, "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f");
	assert_str(out.event, "");
}

static void what_is_no_signature_of_githubs(void **state)
{
	static const char *const bad[] = {
		"X-Hub-Signature-256: " GITHUB_SIGNATURE,
		"X-Hub-Signature-256: sha1=" GITHUB_SIGNATURE,
		"X-Hub-Signature-256: sha256=",
		"X-Hub-Signature-256: sha256=" GITHUB_SIGNATURE "00",
		"X-Hub-Signature-256: sha256=657107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		"X-Hub-Signature-256:",
		"X-Hub-Signature: sha256=" GITHUB_SIGNATURE,
		"X: y",
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct request r = {.headers = {bad[i]}, .body = "Hello, World!"};
		assert_row(bad[i], !is_good(&github, &r, 0));
	}
	struct request other = {.headers = {"X-Hub-Signature-256: sha256=" GITHUB_SIGNATURE},
				.body = "Hello, World! "};
	assert_false(is_good(&github, &other, 0));
}

static void either_of_two_secrets(void **state)
{
	struct verify_hook hook = github;
	struct request r = {.headers = {"X-Hub-Signature-256: sha256=" GITHUB_SIGNATURE}, .body = "Hello, World!"};
	(void)state;
	hook.secrets[1] = hook.secrets[0];
	hook.secrets[0] = STR("another");
	assert_false(is_good(&hook, &r, 0));
	hook.secret_count = 2;
	assert_true(is_good(&hook, &r, 0));
	hook.secret_count = 0;
	assert_false(is_good(&hook, &r, 0));
}

static void jira_signs_as_github_does(void **state)
{
	struct verify_hook jira = github;
	struct request r = {.headers = {"X-Hub-Signature: sha256=" GITHUB_SIGNATURE}, .body = "Hello, World!"};
	(void)state;
	jira.kind = HOOK_JIRA;
	assert_true(is_good(&jira, &r, 0));
	r.headers[0] = "X-Hub-Signature-256: sha256=" GITHUB_SIGNATURE;
	assert_false(is_good(&jira, &r, 0));
}

static void gitlab_sends_the_secret(void **state)
{
	struct verify_hook gitlab = {.kind = HOOK_GITLAB, .secrets = {STR("token-token")}, .secret_count = 1};
	struct request r = {.headers = {"X-Gitlab-Token: token-token", "X-Gitlab-Event: Push Hook",
					"X-Gitlab-Event-UUID: 13792a34"},
			    .body = "{}"};
	struct verify_result out;
	struct problem p;
	(void)state;
	assert_int_equal(verify(&gitlab, &r, 0, &out, &p), OK);
	assert_str(out.delivery, "13792a34");
	assert_null(out.digest.p);
	r.headers[0] = "X-Gitlab-Token: token-tokem";
	assert_false(is_good(&gitlab, &r, 0));
	r.headers[0] = "X-Gitlab-Token: token-toke";
	assert_false(is_good(&gitlab, &r, 0));
	r.headers[0] = "X-Gitlab-Token:";
	assert_false(is_good(&gitlab, &r, 0));
}

static void lists_of_stripe(void **state)
{
	/* The header that Stripe's documentation shows. */
	static const char published[] = "t=1492774577,"
					"v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd,"
					"v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39";
	static const char *const bad[] = {"",          "t=1",
					  "v1=aa",     "t=,v1=aa",
					  "t=1,v1=",   "t=x,v1=aa",
					  "t=-1,v1=a", "t=1,t=2,v1=aa",
					  "t=1 v1=aa", "t=9999999999999999,v1=aa",
					  "t=1,v0=aa"};
	struct verify_timed timed;
	(void)state;
	assert_true(verify_timed_read(str_of(published), &timed));
	assert_int_equal(timed.at_s, 1492774577);
	assert_int_equal(timed.count, 1);
	assert_int_equal(timed.signatures[0].n, 64);
	assert_true(verify_timed_read(STR(" v1=a, t=7 ,v1=b,x=y,"), &timed) && timed.count == 2 && timed.at_s == 7);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_row(bad[i], !verify_timed_read(str_of(bad[i]), &timed));
}

/* Reckoned by openssl: printf '1492774577.{"id":"evt_1","type":"x"}' | openssl dgst -sha256 -hmac whsec_test */
#define STRIPE_SIGNATURE "d31342a3baeb4b7aa51afa83ac24fa06b1c635e621c7ba3e4527b434850d877e"

static void times_of_stripe(void **state)
{
	struct verify_hook stripe = {
		.kind = HOOK_STRIPE, .secrets = {STR("whsec_test")}, .secret_count = 1, .tolerance_ms = 300000};
	struct request r = {.headers = {"Stripe-Signature: t=1492774577,v1=00,v1=" STRIPE_SIGNATURE},
			    .body = "{\"id\":\"evt_1\",\"type\":\"x\"}"};
	struct verify_result out;
	struct problem p;
	(void)state;
	assert_int_equal(verify(&stripe, &r, 1492774577, &out, &p), OK);
	assert_str(out.delivery, "evt_1");
	assert_str(out.event, "x");
	assert_null(out.digest.p);
	assert_true(is_good(&stripe, &r, 1492774577 + 300) && is_good(&stripe, &r, 1492774577 - 300));
	assert_false(is_good(&stripe, &r, 1492774577 + 301) || is_good(&stripe, &r, 1492774577 - 301));
	r.headers[0] = "Stripe-Signature: t=1492774578,v1=" STRIPE_SIGNATURE;
	assert_false(is_good(&stripe, &r, 1492774577));
}

static void standard_webhooks(void **state)
{
	struct verify_hook hook = {.kind = HOOK_STANDARD,
				   .secrets = {STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
				   .secret_count = 1,
				   .tolerance_ms = 300000};
	struct request r = {.headers = {"webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp: 1614265330",
					"webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
			    .body = "{\"test\": 2432232314}"};
	(void)state;
	assert_true(is_good(&hook, &r, 1614265330));
	assert_false(is_good(&hook, &r, 1614265330 + 301));
	r.headers[1] = "webhook-timestamp: 1614265331";
	assert_false(is_good(&hook, &r, 1614265330));
	r.headers[1] = "webhook-timestamp: soon";
	assert_false(is_good(&hook, &r, 1614265330));
}

static void of_any_name(void **state)
{
	struct hook_headers plain = {.signature = STR("X-Mine")};
	struct verify_hook hook = github;
	struct request r = {.headers = {"x-mine: " GITHUB_SIGNATURE}, .body = "Hello, World!"};
	(void)state;
	hook.kind = HOOK_GENERIC;
	hook.headers = &plain;
	assert_true(is_good(&hook, &r, 0));
	r.headers[0] = "X-Mine: sha256=" GITHUB_SIGNATURE;
	assert_true(is_good(&hook, &r, 0));
	r.headers[0] = "X-Mine: dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc=";
	assert_true(is_good(&hook, &r, 0));
	PUT(&plain, hook_headers, timestamp, STR("X-At"));
	assert_false(is_good(&hook, &r, 0));
	r.headers[1] = "X-At: 0";
	assert_false(is_good(&hook, &r, 0));
}

static void ids_are_short_texts(void **state)
{
	struct request r = {
		.headers = {"X-Hub-Signature-256: sha256=" GITHUB_SIGNATURE, "X-GitHub-Delivery: a\x01"},
		.body = "Hello, World!"};
	struct verify_result out;
	struct problem p;
	char longest[200] = "X-GitHub-Event: ";
	(void)state;
	assert_int_equal(verify(&github, &r, 0, &out, &p), ERR_INVALID);
	r.headers[1] = "X-GitHub-Delivery: a\xff";
	assert_int_equal(verify(&github, &r, 0, &out, &p), ERR_INVALID);
	memset(longest + 16, 'e', VERIFY_ID_MAX + 1);
	r.headers[1] = longest;
	assert_int_equal(verify(&github, &r, 0, &out, &p), ERR_INVALID);
	longest[16 + VERIFY_ID_MAX] = '\0';
	assert_int_equal(verify(&github, &r, 0, &out, &p), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_github_publishes),
		cmocka_unit_test(what_is_no_signature_of_githubs),
		cmocka_unit_test(either_of_two_secrets),
		cmocka_unit_test(jira_signs_as_github_does),
		cmocka_unit_test(gitlab_sends_the_secret),
		cmocka_unit_test(lists_of_stripe),
		cmocka_unit_test(times_of_stripe),
		cmocka_unit_test(standard_webhooks),
		cmocka_unit_test(of_any_name),
		cmocka_unit_test(ids_are_short_texts),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
