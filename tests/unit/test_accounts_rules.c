/* Which addresses and passwords are taken, what is kept of a password, and the tickets that are out. */
#include "harness.h"

#include "access/token.h"
#include "accounts/email.h"
#include "accounts/password.h"
#include "accounts/ticket.h"
#include "base/clock.h"
#include "base/magic.h"

#include <pthread.h>
#include <string.h>

struct fixture {
	struct arena *arena;
	struct problem problem;
};

static int begin(void **state)
{
	struct fixture *f = NEW(struct fixture);

	f->arena = arena_new(1 << 20);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	arena_destroy(&f->arena);
	free(f);
	return 0;
}

/* ---- addresses ---- */

static void assert_address(struct fixture *f, const char *given, const char *folded)
{
	struct str out = {0};
	enum err e = email_fold(str_of(given), f->arena, &f->problem, &out);

	assert_int_equal(e, folded ? OK : ERR_INVALID);
	if (folded)
		assert_true(str_eqz(out, folded));
}

static void addresses_are_folded(void **state)
{
	assert_address(*state, "Ada@Example.ORG", "ada@example.org");
	assert_address(*state, "  a+b.c_d@x-1.co ", "a+b.c_d@x-1.co");
	assert_address(*state, "!#$%&'*+-/=?^_`{|}~@e.f", "!#$%&'*+-/=?^_`{|}~@e.f");
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"",          "@",          "a@",      "@b.c",         "a@b",          "a@b.",
		"a@.b",      "a@b..c",     ".a@b.c",  "a.@b.c",       "a..b@c.d",     "a b@c.d",
		"a@b c.d",   "a@b@c.d",    "a@b_c.d", "\xc3\xa4@b.c", "a@\xc3\xa4.c", "a\n@b.c",
		"\"a\"@b.c", "a@[1.2.3.4]"};
	char longest[400];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_address(*state, bad[i], NULL);
	snprintf(longest, sizeof(longest), "%.64s@b.c",
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_address(*state, longest, longest);
	snprintf(longest, sizeof(longest), "%.65s@b.c",
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_address(*state, longest, NULL);
}

/* ---- passwords ---- */

static void assert_password(struct fixture *f, const char *password, bool good)
{
	enum err e = password_check(str_of(password), STR("grace@example.org"), "password", &f->problem);

	if ((e == OK) != good)
		fail_msg("'%s' is %s", password, good ? "refused" : "taken");
}

static void what_is_tried_first_is_refused(void **state)
{
	static const char *const bad[] = {
		"aaaaaaaaaaaaaaa",     "ababababababababa", "abcdeabcdeabcdeabcde",      "012345678901234",
		"987654321098765",     "abcdefghijklmno",   "ponmlkjihgfedcba",          "qwertyuiopasdfg",
		"lkjhgfdsapoiuytrewq", "QWERTYUIOPASDFG",   "password1234567",           "1234567password",
		"P@ssw0rd!!!!!!!!!!",  "passwordpassword",  "...LetMeIn....2026",        "Administrator12",
		"tenfoldtenfold1",     "iloveyouiloveyou",  "correcthorsebatterystaple", "qazwsxedcrfvtgb",
		"grace is my name",    "my name is GRACE",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_password(*state, bad[i], false);
}

static void others_are_as_good_as_any(void **state)
{
	static const char *const good[] = {"correct horse battery",
					   "a password of my own",
					   "aaaaaaaaaaaaaab",
					   "1234567890 x 12",
					   "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f und viele andere",
					   "               .",
					   "qwertyuiopasdf!x"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_password(*state, good[i], true);
	assert_int_equal(password_check(STR("ada is three letters"), STR("ada@example.org"), "password", NULL), OK);
}

static void only_the_password_fits_its_hash(void **state)
{
	struct fixture *f = *state;
	struct str hash, again;

	assert_int_equal(password_hash(STR("correct horse battery"), f->arena, &hash, &f->problem), OK);
	assert_int_equal(password_hash(STR("correct horse battery"), f->arena, &again, &f->problem), OK);
	assert_false(str_eq(hash, again)); /* salted */
	assert_true(str_starts(hash, STR("$argon2id$v=19$m=65536,t=2,p=1$")));
	assert_true(password_fits(hash, STR("correct horse battery")));
	assert_false(password_fits(hash, STR("correct horse batterz")));
	assert_false(password_fits(hash, STR("")));
	assert_false(password_fits((struct str){0}, STR("correct horse battery")));
	assert_false(password_is_dated(hash));
	assert_true(password_is_dated(STR("$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
					  "S0Z1b2RlY295ZGVjb3lkZWNveWRlY295ZGVjb3lkZWM")));
	assert_true(password_is_dated(STR("x")));
}

/* The fastest of some, so that what else the machine does counts little. */
static int64_t verify_ns(struct str hash)
{
	int64_t best_ns = INT64_MAX;

	for (int i = 0; i < 5; i++) {
		int64_t began_ns = clock_mono_ns();

		assert_false(password_fits(hash, STR("not the password")));
		if (clock_mono_ns() - began_ns < best_ns)
			best_ns = clock_mono_ns() - began_ns;
	}
	return best_ns;
}

static void the_decoy_costs_as_much(void **state)
{
	struct fixture *f = *state;
	struct str hash;

	assert_int_equal(password_hash(STR("correct horse battery"), f->arena, &hash, &f->problem), OK);
	int64_t real_ns = verify_ns(hash), decoy_ns = verify_ns((struct str){0});
	assert_true(decoy_ns > real_ns / 2 && decoy_ns < real_ns * 2);
}

/* ---- tickets in memory ---- */

static const char path[] = "/v1/executions/ex_01h2k3m4n5p6q/events";

static struct call call_at(struct fixture *f, int64_t now_ms)
{
	return (struct call){.magic = CALL_MAGIC,
			     .arena = f->arena,
			     .now_ms = now_ms,
			     .path = str_of(path),
			     .caller = {.key = 7, .tenant = 8}};
}

static struct user_accounts *accounts_of_one(void)
{
	return accounts_new(&(struct accounts_config){.tries = 0}, true);
}

static struct str add(struct user_accounts *a, struct fixture *f, int64_t now_ms)
{
	struct call c = call_at(f, now_ms);
	struct stream_ticket out;

	assert_int_equal(ticket_add(a, &c, 1, str_of(path), &out), OK);
	call_run_hooks(&c);
	return out.ticket;
}

static enum err take(struct user_accounts *a, struct fixture *f, struct str ticket, const char *where,
		     int64_t now_ms)
{
	struct call c = call_at(f, now_ms);
	struct ticket_row row = {0};

	c.path = str_of(where);
	enum err e = ticket_take(a, &c, NULL, ticket, &row);
	assert_true(e || (row.key_id == 7 && row.tenant == 8));
	return e;
}

static void a_ticket_is_taken_once(void **state)
{
	struct fixture *f = *state;
	struct user_accounts *a = accounts_of_one();
	struct str ticket = add(a, f, 1000), other = add(a, f, 1000);

	assert_int_equal(take(a, f, ticket, path, 1001), OK);
	assert_int_equal(take(a, f, ticket, path, 1001), ERR_UNAUTHENTICATED);
	assert_int_equal(take(a, f, other, path, 1001), OK);
	accounts_destroy(&a);
}

static void a_ticket_is_for_its_path_and_time(void **state)
{
	struct fixture *f = *state;
	struct user_accounts *a = accounts_of_one();
	struct str elsewhere = add(a, f, 1000), late = add(a, f, 1000), last = add(a, f, 1000);

	assert_int_equal(take(a, f, elsewhere, "/v1/executions/ex_0000000000009/events", 1001),
			 ERR_UNAUTHENTICATED);
	assert_int_equal(take(a, f, elsewhere, path, 1001), ERR_UNAUTHENTICATED);
	assert_int_equal(take(a, f, last, path, 1000 + TICKET_LIFE_MS - 1), OK);
	assert_int_equal(take(a, f, late, path, 1000 + TICKET_LIFE_MS), ERR_UNAUTHENTICATED);
	accounts_destroy(&a);
}

static void what_has_expired_makes_room(void **state)
{
	struct fixture *f = *state;
	struct user_accounts *a = accounts_of_one();
	struct call c = call_at(f, 1000);
	struct stream_ticket out;
	struct arena *small = arena_new(64 << 20);

	f->arena = (arena_destroy(&f->arena), small);
	for (int i = 0; i < TICKETS_MAX; i++)
		add(a, f, 1000);
	c.arena = f->arena;
	assert_int_equal(ticket_add(a, &c, 1, str_of(path), &out), ERR_TOO_MANY);
	assert_int_equal(take(a, f, add(a, f, 1000 + TICKET_LIFE_MS), path, 1000 + TICKET_LIFE_MS), OK);
	accounts_destroy(&a);
}

static void only_streams_take_tickets(void **state)
{
	(void)state;
	assert_true(ticket_is_for(str_of(path)));
	assert_true(ticket_is_for(STR("/v1/squads/x/events")));
	assert_false(ticket_is_for(STR("/v1/squads//events")));
	assert_false(ticket_is_for(STR("/v1/squads/a/b/events")));
	assert_false(ticket_is_for(STR("/v1/squads/x/events?from=1")));
	assert_false(ticket_is_for(STR("/v1/work/events")));
	assert_false(ticket_is_for(STR("/v1/squads/events")));
	assert_false(ticket_is_for(STR("")));
}

/* ---- several threads ---- */

enum { THREADS = 4, EACH = 200 };

struct taker {
	pthread_t thread;
	struct user_accounts *accounts;
	const struct str *tickets;
	int taken;
};

static void *take_all(void *arg)
{
	struct taker *t = arg;
	struct fixture own = {.arena = arena_new(16 << 20)};

	for (int i = 0; i < EACH; i++)
		t->taken += take(t->accounts, &own, t->tickets[i], path, 1001) == OK;
	arena_destroy(&own.arena);
	return NULL;
}

static void of_several_threads_one_takes_it(void **state)
{
	struct fixture *f = *state;
	struct user_accounts *a = accounts_of_one();
	struct str tickets[EACH];
	struct taker takers[THREADS];
	int taken = 0;

	for (int i = 0; i < EACH; i++)
		tickets[i] = add(a, f, 1000);
	for (int i = 0; i < THREADS; i++) {
		takers[i] = (struct taker){.accounts = a, .tickets = tickets};
		assert_int_equal(pthread_create(&takers[i].thread, NULL, take_all, &takers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(takers[i].thread, NULL);
		taken += takers[i].taken;
	}
	assert_int_equal(taken, EACH);
	accounts_destroy(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses_are_folded, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_address_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(what_is_tried_first_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(others_are_as_good_as_any, begin, end),
		cmocka_unit_test_setup_teardown(only_the_password_fits_its_hash, begin, end),
		cmocka_unit_test_setup_teardown(the_decoy_costs_as_much, begin, end),
		cmocka_unit_test_setup_teardown(a_ticket_is_taken_once, begin, end),
		cmocka_unit_test_setup_teardown(a_ticket_is_for_its_path_and_time, begin, end),
		cmocka_unit_test_setup_teardown(what_has_expired_makes_room, begin, end),
		cmocka_unit_test_setup_teardown(only_streams_take_tickets, begin, end),
		cmocka_unit_test_setup_teardown(of_several_threads_one_takes_it, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
