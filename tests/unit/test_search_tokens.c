/* Text into words, script by script, and the promise that any bytes give an answer. */
#include "harness.h"

#include "search/tokens_priv.h"
#include "search/unicode_priv.h"

#include "base/buf.h"
#include "base/rng.h"

struct row {
	const char *text, *tokens;
};

/* Word, part, whole, inner letters, pair, single: how a token is shown. */
static const char marks[] = {'.', '-', '=', '~', ':', '\''};

static void show(const struct tokens *t, struct buf *b)
{
	buf_reset(b);
	for (size_t i = 0; i < t->list.n; i++) {
		buf_str_add(b, token_text(t, &t->list.v[i]));
		buf_c(b, marks[t->list.v[i].kind]);
		buf_c(b, ' ');
	}
}

static void assert_rows(const struct row *rows, size_t n)
{
	struct tokens t = {0};
	struct buf b = BUF_INIT(0);

	for (size_t i = 0; i < n; i++) {
		tokens_split(&t, str_of(rows[i].text));
		show(&t, &b);
		if (!str_eqz(str_trim(buf_str(&b)), rows[i].tokens))
			fail_msg("%s: %s, expected %s", rows[i].text, buf_cstr(&b), rows[i].tokens);
	}
	buf_free(&b);
	tokens_free(&t);
}

static void names_are_found_whole_and_in_parts(void **state)
{
	static const struct row rows[] = {
		{"kubernetes-mcp-server", "kubernetes- mcp- server- kubernetesmcpserver="},
		{"readFile", "read- file- readfile="},
		{"read_file", "read- file- readfile="},
		{"HTTPServer", "http- server- httpserver="},
		{"parseHTTPResponse2", "parse- http- response2- response~ parsehttpresponse2="},
		{"PDFs", "pdfs."},
		{"node.js", "node- js- nodejs="},
		{"python3", "python3. python~"},
		{"k8s", "k8s."},
		{"utf-8", "utf- 8- utf8="},
		{"1.2.3", "1. 2. 3."},
		{"c++ C# g++ notepad++", "c++. c#. g++. notepad."},
		{"__init__ -x- e.", "init. x. e."},
		{"a/b", "a. b."},
		{"@21st-dev/magic", "21st- st~ dev- 21stdev= magic."},
		{"a-b-c-d-e-f-g-h-i", "a. b. c. d. e. f. g. h. i."},
		{"the user's, don't, we're", "the. user. dont. we. re."},
	};

	(void)state;
	assert_rows(rows, COUNT_OF(rows));
}

static void scripts_are_cut_as_their_readers_would(void **state)
{
	static const struct row rows[] = {
		{"Größe NAÏVE Ærøskøbing Łódź İstanbul ﬁne", "grosse. naive. aeroskobing. lodz. istanbul. fine."},
		{"cafe\xcc\x81", "cafe."}, /* the accent as a character of its own */
		{"ΆΛΦΑ Σίσυφος", "αλφα. σισυφοσ."},
		{"Ёлка МИР Йод", "елка. мир. йод."},
		{"日本語", "日' 本' 日本: 語' 本語:"},
		{"中", "中."},
		{"한국어", "한' 국' 한국: 어' 국어:"},
		{"ﾊﾝ", "ハ' ン' ハン:"},
		{"Linux日本", "linux. 日' 本' 日本:"},
		{"שָׁלוֹם مَرْحَبًا", "שלום. مرحبا."},
		{"हिन्दी", "हिन्दी."},
		{"ไทย", "ไ' ท' ไท: ย' ทย:"},
		{"３ ٣ ² ½ Ａ", "3. 3. 2. 12. a."},
		{"🚀 👍🏽 a🚀b", "🚀. 👍. a. 🚀. b."},
		{"soft\xc2\xadhyphen zero\xe2\x80\x8dwidth", "softhyphen. zerowidth."},
		{"“quoted”—dashed…", "quoted. dashed."},
		{"𝐇𝐞𝐥𝐥𝐨", "hello."},
	};

	(void)state;
	assert_rows(rows, COUNT_OF(rows));
}

static void what_has_no_words_gives_none(void **state)
{
	static const struct row rows[] = {
		{"", ""}, {" \t\n", ""}, {"!?.,;-_/\\", ""}, {"\xff\xfe", ""}, {"\xe2\x82", ""}, {"'s", "s."},
	};

	(void)state;
	assert_rows(rows, COUNT_OF(rows));
}

static void a_nul_separates_like_any_other_sign(void **state)
{
	struct tokens t = {0};
	struct buf b = BUF_INIT(0);

	(void)state;
	tokens_split(&t, (struct str){"one\0two", 7});
	show(&t, &b);
	assert_str(buf_str(&b), "one. two. ");
	buf_free(&b);
	tokens_free(&t);
}

static void a_word_without_end_is_cut_between_characters(void **state)
{
	struct tokens t = {0};
	struct buf b = BUF_INIT(0);

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_z(&b, "мы");
	tokens_split(&t, buf_str(&b));
	assert_int_equal(t.list.n, 1);
	assert_true(t.list.v[0].n <= TERM_BYTES_MAX && t.list.v[0].n > TERM_BYTES_MAX - 4);
	assert_true(str_is_utf8(token_text(&t, &t.list.v[0])));
	buf_free(&b);
	tokens_free(&t);
}

static void folding_is_done_when_it_is_done(void **state)
{
	char once[FOLD_BYTES_MAX], twice[FOLD_BYTES_MAX * 4];

	(void)state;
	for (uint32_t c = 1; c < 0x20000; c++) {
		size_t n;
		struct tokens t = {0};

		if (c >= 0xd800 && c < 0xe000)
			continue;
		n = unicode_fold(c, once);
		assert_true(n > 0 && str_is_utf8((struct str){once, n}));
		if (unicode_kind(c) == CHAR_LOWER || unicode_kind(c) == CHAR_UPPER) {
			size_t m;

			tokens_split(&t, (struct str){once, n});
			if (tokens_joined(&t, twice, &m) && (m != n || memcmp(once, twice, n) != 0))
				fail_msg("U+%04X folds to what folds again", c);
		}
		tokens_free(&t);
	}
}

static void any_bytes_give_terms_that_may_be_terms(void **state)
{
	struct rng r = test_seed();
	struct tokens t = {0};

	(void)state;
	for (int round = 0; round < 2000; round++) {
		char bytes[200];
		size_t n = rng_below(&r, sizeof(bytes));

		for (size_t i = 0; i < n; i++)
			bytes[i] = rng_below(&r, 2) ? (char)('A' + (int)rng_below(&r, 60)) : (char)rng_u64(&r);
		tokens_split(&t, (struct str){bytes, n});
		for (size_t i = 0; i < t.list.n; i++)
			assert_true(t.list.v[i].n > 0 && t.list.v[i].n <= TERM_BYTES_MAX &&
				    str_is_utf8(token_text(&t, &t.list.v[i])));
	}
	tokens_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_whole_and_in_parts),
		cmocka_unit_test(scripts_are_cut_as_their_readers_would),
		cmocka_unit_test(what_has_no_words_gives_none),
		cmocka_unit_test(a_nul_separates_like_any_other_sign),
		cmocka_unit_test(a_word_without_end_is_cut_between_characters),
		cmocka_unit_test(folding_is_done_when_it_is_done),
		cmocka_unit_test(any_bytes_give_terms_that_may_be_terms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
