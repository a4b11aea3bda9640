/* libstemmer behind two calls, and the list of stop words. */
#include "search/stem_priv.h"

#include "base/magic.h"
#include "base/vec.h"

#include <libstemmer.h>
#include <string.h>

enum { STEMMED_FROM = 3 }; /* letters: what is shorter is an abbreviation */

struct stemmer {
	struct sb_stemmer *snowball;
};

struct stemmer *stemmer_new(void)
{
	struct stemmer *s = NEW(struct stemmer);

	s->snowball = sb_stemmer_new("english", "UTF_8");
	CHECK(s->snowball != NULL);
	return s;
}

void stemmer_destroy(struct stemmer **s)
{
	if (!*s)
		return;
	sb_stemmer_delete((*s)->snowball);
	free(*s);
	*s = NULL;
}

static bool is_english(struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] < 'a' || word.p[i] > 'z')
			return false;
	return word.n >= STEMMED_FROM;
}

struct str stem_of(struct stemmer *s, struct str word)
{
	const sb_symbol *stem;
	int n;

	if (!is_english(word))
		return word;
	stem = sb_stemmer_stem(s->snowball, (const sb_symbol *)word.p, (int)word.n);
	CHECK(stem != NULL);
	n = sb_stemmer_length(s->snowball);
	return n > 0 ? (struct str){(const char *)stem, (size_t)n} : word;
}

bool is_stop_word(struct str word)
{
	/* Sorted. */
	static const char list[][8] = {
		"a",    "about", "an",   "and",  "any",  "are",   "as",  "at",   "be",   "by",    "can",  "do",
		"does", "for",   "from", "has",  "how",  "i",     "if",  "in",   "into", "is",    "it",   "its",
		"me",   "my",    "of",   "on",   "or",   "our",   "so",  "that", "the",  "their", "them", "then",
		"this", "to",    "was",  "what", "when", "which", "who", "will", "with", "you",   "your",
	};
	size_t low = 0, high = sizeof(list) / sizeof(list[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(word, str_of(list[middle]));

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
