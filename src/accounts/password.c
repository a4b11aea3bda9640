/* See password.h. */
#include "accounts/password.h"

#include "base/magic.h"

#include <sodium.h>
#include <string.h>

enum { LEAST_NAME = 4, FOLDED_MAX = 512 };

/* Of a password that nobody has: who names no account waits as long as who does. */
static const char decoy[] = "$argon2id$v=19$m=65536,t=2,p=1$dGVuZm9sZCBkZWNveSBzYQ$"
			    "S0Z1b2RlY295ZGVjb3lkZWNveWRlY295ZGVjb3lkZWM";

/* ---- which are taken ---- */

/* What everybody tries first, in small letters, digits that stand for letters read as those. */
static const char *const common[] = {
	"password",
	"passwort",
	"passphrase",
	"motdepasse",
	"contrasena",
	"senha",
	"parola",
	"secret",
	"letmein",
	"welcome",
	"iloveyou",
	"sunshine",
	"princess",
	"football",
	"baseball",
	"basketball",
	"superman",
	"batman",
	"pokemon",
	"starwars",
	"dragon",
	"monkey",
	"shadow",
	"master",
	"michael",
	"jennifer",
	"jordan",
	"charlie",
	"whatever",
	"trustnoone",
	"correcthorsebatterystaple",
	"admin",
	"administrator",
	"root",
	"test",
	"testing",
	"guest",
	"user",
	"username",
	"login",
	"default",
	"changeme",
	"access",
	"computer",
	"internet",
	"tenfold",
	"squad",
	"hello",
	"helloworld",
	"abc",
};

/* Rows of keys, and what is counted up: any run of them, forwards or backwards, wherever it begins. */
static const char *const runs[] = {"abcdefghijklmnopqrstuvwxyz", "01234567890123456789012345678901234567890",
				   "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
				   "azertyuiopqsdfghjklmwxcvbn", "1q2w3e4r5t6y7u8i9o0p",
				   "qazwsxedcrfvtgbyhnujmikolp"};

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* The letter that a digit or sign is written for. */
static char meant(char c)
{
	static const char from[] = "013457@$!", to[] = "oleastasi";
	const char *at = c ? strchr(from, c) : NULL;
	return at ? to[at - from] : c;
}

static size_t fold(struct str s, char out[FOLDED_MAX])
{
	size_t n = s.n < FOLDED_MAX ? s.n : FOLDED_MAX;
	for (size_t i = 0; i < n; i++)
		out[i] = small(s.p[i]);
	return n;
}

/* Is it the word, once or several times over? */
static bool repeats(struct str s, struct str word)
{
	if (!word.n || s.n % word.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != word.p[i % word.n])
			return false;
	return s.n > 0;
}

/* Does it consist of a piece of at most five characters, over and over? */
static bool is_monotonous(struct str s)
{
	for (size_t piece = 1; piece <= 5; piece++) {
		size_t i = piece;
		while (i < s.n && s.p[i] == s.p[i - piece])
			i++;
		if (i == s.n && s.n > piece)
			return true;
	}
	return false;
}

static bool is_within(struct str s, const char *run, bool backwards)
{
	size_t n = strlen(run);
	for (size_t from = 0; from + s.n <= n; from++) {
		size_t i = 0;
		while (i < s.n && s.p[i] == run[backwards ? from + s.n - 1 - i : from + i])
			i++;
		if (i == s.n)
			return true;
	}
	return false;
}

static bool is_run(struct str s)
{
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++)
		if (is_within(s, runs[i], false) || is_within(s, runs[i], true))
			return true;
	return false;
}

/* Without what is no letter at both ends. */
static struct str core(struct str s)
{
	while (s.n && !is_letter(s.p[0]))
		s.p++, s.n--;
	while (s.n && !is_letter(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is_common_word(struct str s)
{
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		if (repeats(s, str_of(common[i])))
			return true;
	return s.n >= LEAST_NAME && is_run(s);
}

static bool is_common(struct str s)
{
	char letters[FOLDED_MAX];
	struct str word = core(s);
	if (is_monotonous(s) || is_run(s) || is_common_word(word))
		return true;
	for (size_t i = 0; i < word.n; i++)
		letters[i] = meant(word.p[i]);
	return is_common_word((struct str){letters, word.n});
}

static bool contains(struct str s, struct str piece)
{
	for (size_t i = 0; piece.n && i + piece.n <= s.n; i++)
		if (memcmp(s.p + i, piece.p, piece.n) == 0)
			return true;
	return false;
}

enum err password_check(struct str password, struct str email, const char *field, struct problem *p)
{
	char folded[FOLDED_MAX];
	struct str domain, local = str_cut(email, '@', &domain);
	struct str s = {folded, fold(password, folded)};
	bool names_account = local.n >= LEAST_NAME && contains(s, local);
	bool common_one = is_common(s);
	sodium_memzero(folded, sizeof folded);
	if (names_account)
		return problem_field(
			p, ERR_INVALID, field,
			"must not have the name of the address in it; four or five words of your own do well");
	if (common_one)
		return problem_field(p, ERR_INVALID, field,
				     "is one that is tried first; four or five words of your own do well");
	return OK;
}

/* ---- what is kept ---- */

enum err password_hash(struct str password, struct arena *a, struct str *out, struct problem *p)
{
	char text[crypto_pwhash_STRBYTES];
	CHECK(sodium_init() >= 0);
	if (crypto_pwhash_str(text, password.p, password.n, crypto_pwhash_OPSLIMIT_INTERACTIVE,
			      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		return problem_set(p, ERR_OVERLOADED, "there is no memory for the password's hash now");
	*out = arena_str(a, str_of(text));
	return out->p ? OK : ERR_INTERNAL;
}

bool password_fits(struct str hash, struct str password)
{
	char text[crypto_pwhash_STRBYTES] = {0};
	CHECK(sodium_init() >= 0);
	bool is_real = hash.p && hash.n < sizeof text;
	struct str against = is_real ? hash : str_of(decoy);
	memcpy(text, against.p, against.n);
	return crypto_pwhash_str_verify(text, password.p, password.n) == 0 && is_real;
}

bool password_is_dated(struct str hash)
{
	char text[crypto_pwhash_STRBYTES] = {0};
	if (hash.n >= sizeof text)
		return true;
	memcpy(text, hash.p, hash.n);
	return crypto_pwhash_str_needs_rehash(text, crypto_pwhash_OPSLIMIT_INTERACTIVE,
					      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0;
}
