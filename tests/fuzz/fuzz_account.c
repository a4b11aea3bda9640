/*
 * Addresses and passwords as anybody may send them: an address that is taken is folded once and for all, and has the
 * parts it should; no password makes the check read beyond it.
 */
#include "accounts/email.h"
#include "accounts/password.h"
#include "base/magic.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(struct str given, struct arena *a)
{
	struct problem p = {0};
	struct str once, twice;

	if (email_fold(given, a, &p, &once) != OK)
		return;
	CHECK(email_fold(once, a, &p, &twice) == OK && str_eq(once, twice));
	CHECK(once.n <= given.n && memchr(once.p, '@', once.n));
	CHECK(email_local(once).n > 0 && email_local(once).n < once.n);
	for (size_t i = 0; i < once.n; i++)
		CHECK(once.p[i] > ' ' && once.p[i] <= '~' && !(once.p[i] >= 'A' && once.p[i] <= 'Z'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest, first = str_cut((struct str){(const char *)data, size}, '\n', &rest);
	struct arena *a = arena_new(1 << 20);
	struct problem p = {0};

	check_address(first, a);
	enum err e = password_check(rest, first, "password", &p);
	CHECK(e == OK || e == ERR_INVALID);
	arena_destroy(&a);
	return 0;
}
