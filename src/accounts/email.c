/* See email.h. */
#include "accounts/email.h"

#include <string.h>

enum { LOCAL_MAX = 64, LABEL_MAX = 63, EMAIL_MAX = 254 };

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_local_char(char c)
{
	return is_letter_or_digit(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_domain_char(char c)
{
	return is_letter_or_digit(c) || c == '-';
}

/* One or more parts of such characters with a dot between each two. */
static bool is_dotted(struct str s, bool (*good)(char c), size_t part_max, size_t *parts)
{
	size_t part = 0;
	*parts = 1;
	for (size_t i = 0; i < s.n; i++) {
		bool dot = s.p[i] == '.';
		if (dot ? part == 0 : !good(s.p[i]) || part == part_max)
			return false;
		part = dot ? 0 : part + 1;
		*parts += dot;
	}
	return part > 0;
}

static bool is_address(struct str s)
{
	struct str domain, local = str_cut(s, '@', &domain);
	size_t parts;
	return s.n <= EMAIL_MAX && local.n <= LOCAL_MAX && is_dotted(local, is_local_char, LOCAL_MAX, &parts) &&
	       is_dotted(domain, is_domain_char, LABEL_MAX, &parts) && parts >= 2;
}

enum err email_fold(struct str given, struct arena *a, struct problem *p, struct str *out)
{
	struct str s = str_trim(given);
	if (!is_address(s))
		return problem_field(p, ERR_INVALID, "email",
				     "must be an address such as ada@example.org, in ASCII and without quotes");
	char *folded = arena_z(a, s);
	if (!folded)
		return ERR_INTERNAL;
	for (size_t i = 0; i < s.n; i++)
		if (folded[i] >= 'A' && folded[i] <= 'Z')
			folded[i] = (char)(folded[i] - 'A' + 'a');
	*out = (struct str){folded, s.n};
	return OK;
}

struct str email_local(struct str email)
{
	struct str domain;
	return str_cut(email, '@', &domain);
}
