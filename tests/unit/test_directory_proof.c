/* Keys and signatures: base64 of all spellings and no other, keys that are none, challenges that count once. */
#include "store_kit.h"

#include "directory/proof.h"

#include <sodium.h>

struct person {
	unsigned char key[PROOF_KEY], secret[crypto_sign_SECRETKEYBYTES];
};

static struct person person_new(void)
{
	struct person p;
	crypto_sign_keypair(p.key, p.secret);
	return p;
}

static struct str signed_by(const struct person *p, struct str text, struct arena *a)
{
	unsigned char bytes[PROOF_SIGNATURE];
	crypto_sign_detached(bytes, NULL, (const unsigned char *)text.p, text.n, p->secret);
	return proof_text(a, (struct str){(const char *)bytes, sizeof bytes});
}

/* ---- base64 ---- */

static void base64_in_four_spellings(void **state)
{
	static const char *const same[] = {"+/+/AQ==", "+/+/AQ", "-_-_AQ==", "-_-_AQ"};
	static const unsigned char bytes[] = {0xfb, 0xff, 0xbf, 0x01};
	unsigned char got[sizeof bytes];
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(same); i++) {
		memset(got, 0, sizeof got);
		assert_row(same[i], proof_bytes(str_of(same[i]), got, sizeof got));
		assert_row(same[i], memcmp(got, bytes, sizeof got) == 0);
	}
}

static void what_is_no_base64_of_so_many_bytes(void **state)
{
	static const char *const bad[] = {
		"",         "+/+/AQ=",  "+/-_AQ==", "+/+/AR==",    "+/+/AQ== ", " +/+/AQ==",
		"+/+/AQ\n", "+/+/",     "+/+/AQID", "+/+/AQ===",   "====",      "+/+/A",
		"+/+/A===", "+/+/A*==", "+/+=AQ==", "\xe1/+/AQ==",
	};
	unsigned char got[4];
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(bad); i++)
		assert_row(bad[i], !proof_bytes(str_of(bad[i]), got, sizeof got));
	assert_false(proof_bytes((struct str){"+/+/\0A==", 8}, got, sizeof got));
}

static void bytes_there_and_back(void **state)
{
	struct rng r = test_seed();
	struct arena *a = arena_new(1 << 16);
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		unsigned char bytes[PROOF_SIGNATURE], got[PROOF_SIGNATURE];
		size_t n = 1 + rng_below(&r, sizeof bytes);
		for (size_t k = 0; k < n; k++)
			bytes[k] = (unsigned char)rng_below(&r, 256);
		assert_true(proof_bytes(proof_text(a, (struct str){(const char *)bytes, n}), got, n));
		assert_memory_equal(bytes, got, n);
		arena_reset(a);
	}
	arena_destroy(&a);
}

/* ---- keys ---- */

static void keys_that_are_none(void **state)
{
	unsigned char bytes[PROOF_KEY] = {0}, got[PROOF_KEY];
	struct arena *a = arena_new(1 << 16);
	struct problem p = {0};
	(void)state;
	for (int first = 0; first < 2; first++) { /* of small order: anybody could sign for them */
		bytes[0] = (unsigned char)first;
		assert_int_equal(
			proof_new_key(proof_text(a, (struct str){(const char *)bytes, sizeof bytes}), got, &p),
			ERR_INVALID);
	}
	assert_string_equal(p.fields[0].field, "public_key");
	assert_string_equal(p.fields[0].detail, "is no ed25519 public key");
	struct person one = person_new();
	assert_int_equal(proof_new_key(proof_text(a, (struct str){(const char *)one.key, PROOF_KEY}), got, NULL),
			 OK);
	assert_memory_equal(got, one.key, PROOF_KEY);
	arena_destroy(&a);
}

/* The first test vector of RFC 8032, section 7.1, and the second. */
static void signatures_of_rfc_8032(void **state)
{
	static const struct {
		const char *key, *text, *signature;
	} rows[] = {
		{"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "",
		 "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc-bRr0lv18FlbviRlUUFDjnoQCw"},
		{"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw", "\x72",
		 "kqAJqfDUyrhyDoILX2QlQKKye1QWUD-Ps3YiI-vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA"},
	};
	unsigned char key[PROOF_KEY];
	(void)state;
	assert_true(proof_bytes(str_of(rows[0].key), key, sizeof key));
	assert_true(proof_verify(key, str_of(rows[0].text), str_of(rows[0].signature)));
	assert_false(proof_verify(key, STR("x"), str_of(rows[0].signature)));
	assert_false(proof_verify(key, str_of(rows[0].text), str_of(rows[1].signature)));
	assert_false(proof_verify(key, str_of(rows[0].text), STR("")));
}

/* ---- challenges ---- */

static struct challenge_row asked(struct kit *k, const struct person *who, int64_t id)
{
	static const char nonce[PROOF_NONCE] = "a nonce of 24 bytes, yes";
	struct challenge_row row = {.id = id,
				    .public_key = {(const char *)who->key, PROOF_KEY},
				    .nonce = {nonce, sizeof nonce},
				    .expires_ms = 1000};
	assert_int_equal(q_challenge_insert(k->db, &row), OK);
	return row;
}

/* In a transaction of its own, which is kept only when it goes well, as a call does. */
static enum err use(struct kit *k, int64_t id, const struct person *who, struct str signature, int64_t now_ms,
		    struct problem *p)
{
	problem_clear(p);
	assert_int_equal(db_begin(k->db), OK);
	return kit_commit(k->db, proof_use(k->db, k->arena, id, who->key, signature, now_ms, p));
}

static void a_challenge_counts_once_for_its_key_and_in_time(void **state)
{
	struct kit *k = kit_new(STORE_SQLITE, NULL);
	struct person one = person_new(), other = person_new();
	kit_open(k);
	struct challenge_row row = asked(k, &one, 7);
	struct str text = proof_challenge(&row, k->arena), good = signed_by(&one, text, k->arena);
	struct problem p;
	(void)state;
	assert_true(str_starts(text, STR("tenfold.challenge.v1:ch_")) && text.n <= 256);
	assert_int_equal(use(k, 8, &one, good, 999, &p), ERR_INVALID);
	assert_string_equal(p.fields[0].field, "challenge_id");
	assert_int_equal(use(k, 7, &other, signed_by(&other, text, k->arena), 999, &p), ERR_INVALID);
	assert_string_equal(p.fields[0].detail, "is for another public key");
	assert_int_equal(use(k, 7, &one, signed_by(&other, text, k->arena), 999, &p), ERR_INVALID);
	assert_string_equal(p.fields[0].field, "signature");
	assert_int_equal(use(k, 7, &one, good, 1000, &p), ERR_INVALID);
	assert_int_equal(use(k, 7, &one, good, 999, &p), OK);
	assert_int_equal(use(k, 7, &one, good, 999, &p), ERR_INVALID);
	assert_string_equal(p.fields[0].field, "challenge_id");
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_in_four_spellings),
		cmocka_unit_test(what_is_no_base64_of_so_many_bytes),
		cmocka_unit_test(bytes_there_and_back),
		cmocka_unit_test(keys_that_are_none),
		cmocka_unit_test(signatures_of_rfc_8032),
		cmocka_unit_test(a_challenge_counts_once_for_its_key_and_in_time),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
