/* Signatures: the example that Standard Webhooks publishes, what is none, secrets in rotation. */
#include "harness.h"

#include "webhooks/sign.h"

/* From the specification's own libraries. */
#define SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SIGNATURE "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static const struct sign_message example = {
	.id = {"msg_p5jXN8AQM9LWM0D4loKWxJek", 28}, .body = {"{\"test\": 2432232314}", 20}, .at_s = 1614265330};

static struct sign_secret secret_of(const char *text)
{
	struct sign_secret secret;
	assert_true(sign_secret_read(str_of(text), &secret));
	return secret;
}

static void the_published_example(void **state)
{
	struct sign_secret secret = secret_of(SECRET), bare = secret_of(&SECRET[6]);
	struct buf list = BUF_INIT(0);
	(void)state;
	sign_add(&list, &secret, &example);
	assert_str(buf_str(&list), "v1," SIGNATURE);
	assert_true(sign_is_listed(buf_str(&list), &bare, &example));
	buf_free(&list);
}

static void one_of_several_is_enough(void **state)
{
	struct sign_secret secret = secret_of(SECRET);
	(void)state;
	assert_true(sign_is_listed(STR("v1,AAAA v1a,x v1," SIGNATURE), &secret, &example));
	assert_true(sign_is_listed(STR("v1," SIGNATURE " v1,AAAA"), &secret, &example));
}

static void what_is_no_signature_of_it(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		",",
		"v1",
		"v1,",
		SIGNATURE,
		"v2," SIGNATURE,
		"v1, " SIGNATURE,
		"v1," SIGNATURE "A",
		"v1,G0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O",
		"v1;" SIGNATURE,
	};
	struct sign_secret secret = secret_of(SECRET);
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_row(bad[i], !sign_is_listed(str_of(bad[i]), &secret, &example));
}

static void every_part_is_signed(void **state)
{
	struct sign_secret secret = secret_of(SECRET), other = secret_of("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	struct str list = STR("v1," SIGNATURE);
	struct sign_message id = example, body = example, at = example;
	(void)state;
	id.id.n--;
	body.body.n--;
	at.at_s++;
	assert_false(sign_is_listed(list, &secret, &id));
	assert_false(sign_is_listed(list, &secret, &body));
	assert_false(sign_is_listed(list, &secret, &at));
	assert_false(sign_is_listed(list, &other, &example));
}

static void secrets_have_24_to_64_bytes(void **state)
{
	struct sign_secret secret;
	struct arena *a = arena_new(1 << 16);
	struct str one = sign_secret_new(a), two = sign_secret_new(a);
	(void)state;
	assert_true(sign_secret_read(one, &secret) && secret.n == SIGN_SECRET_NEW);
	assert_false(str_eq(one, two));
	assert_false(sign_secret_read(STR(""), &secret));
	assert_false(sign_secret_read(STR("whsec_"), &secret));
	assert_false(sign_secret_read(STR("whsec_not base64!"), &secret));
	assert_false(sign_secret_read(STR("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), &secret)); /* 23 */
	assert_true(sign_secret_read(STR("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &secret));  /* 24 */
	assert_false(sign_secret_read(arena_fmt(a, "%088d", 0), &secret));                      /* 66 */
	arena_destroy(&a);
}

/* The example of GitHub's documentation; docs.github.com/en/webhooks, "Validating webhook deliveries". */
static void hmac_as_github_publishes_it(void **state)
{
	static const char hex[] = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
	struct str pieces[] = {STR("Hello, "), STR(""), STR("World!")};
	unsigned char signature[SIGN_BYTES];
	(void)state;
	sign_hmac(STR("It's a Secret to Everybody"), pieces, 3, signature);
	assert_true(sign_is_hex(str_of(hex), signature));
	assert_true(
		sign_is_hex(STR("757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17"), signature));
	assert_false(sign_is_hex((struct str){hex, 63}, signature));
	assert_false(sign_is_hex((struct str){hex, 62}, signature));
	assert_false(sign_is_hex(STR(""), signature));
	assert_false(
		sign_is_hex(STR("757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18"), signature));
	assert_false(
		sign_is_hex(STR("757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e1700"), signature));
	assert_true(sign_is_base64(STR("dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc="), signature));
}

static void the_same_or_not(void **state)
{
	(void)state;
	assert_true(sign_same(STR(""), (struct str){0}) && sign_same(STR("abc"), STR("abc")));
	assert_false(sign_same(STR("abc"), STR("abd")) || sign_same(STR("abc"), STR("ab")) ||
		     sign_same(STR(""), STR("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_example),
		cmocka_unit_test(one_of_several_is_enough),
		cmocka_unit_test(what_is_no_signature_of_it),
		cmocka_unit_test(every_part_is_signed),
		cmocka_unit_test(secrets_have_24_to_64_bytes),
		cmocka_unit_test(hmac_as_github_publishes_it),
		cmocka_unit_test(the_same_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
