/*
 * See trouble.h. The first words of troubles.def that are met count.
 */
#include "roles/trouble.h"

static const struct {
	enum trouble_kind kind;
	struct str words;
} troubles[] = {
#define TROUBLE(kind_, words_, source) {TROUBLE_##kind_, {words_, sizeof(words_) - 1}},
#include "roles/troubles.def"
#undef TROUBLE
};

/* Where in text; text.n: nowhere. */
static size_t find(struct str text, struct str words)
{
	for (size_t i = 0; i + words.n <= text.n; i++)
		if (str_eq_nocase((struct str){text.p + i, words.n}, words))
			return i;
	return text.n;
}

/* "usage limit reached|1763712000": seconds since 1970. */
static int64_t end_after(struct str rest)
{
	enum { DIGITS = 10 };
	int64_t seconds;

	if (rest.n < 1 + DIGITS || rest.p[0] != '|' || !str_to_i64((struct str){rest.p + 1, DIGITS}, &seconds))
		return 0;
	return seconds * 1000;
}

struct trouble trouble_in(struct str text)
{
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		struct str words = troubles[i].words;
		size_t at = find(text, words);

		if (at + words.n <= text.n)
			return (struct trouble){
				.kind = troubles[i].kind,
				.words = words,
				.until_ms = end_after((struct str){text.p + at + words.n, text.n - at - words.n})};
	}
	return (struct trouble){0};
}
