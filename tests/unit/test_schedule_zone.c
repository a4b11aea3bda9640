/* Time zones: files that are well-formed and others, rules for ever, a folder of names, many threads. */
#include "harness.h"

#include "base/buf.h"
#include "base/clock.h"
#include "schedule/zone.h"

#include <pthread.h>

#define ZONES "/usr/share/zoneinfo"

enum { HOUR_S = 3600 };

/* ---- files made by hand ---- */

struct change {
	int64_t at_s;
	unsigned type;
};

static void put(struct buf *b, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0)
		buf_c(b, (char)(v >> 8 * bytes));
}

static void put_head(struct buf *b, char version, uint32_t leap, uint32_t changes, uint32_t types)
{
	buf_z(b, "TZif");
	buf_c(b, version);
	for (int i = 0; i < 15; i++)
		buf_c(b, 0);
	put(b, 0, 4), put(b, 0, 4), put(b, leap, 4), put(b, changes, 4), put(b, types, 4), put(b, 4, 4);
}

/* A file of version 2 with two kinds of local time, UTC+1 and UTC+2, and what follows its last change. */
static void make_file(struct buf *b, const struct change *changes, uint32_t count, const char *rule)
{
	put_head(b, '2', 0, 0, 0);
	for (int i = 0; i < 4; i++)
		buf_c(b, 0);
	put_head(b, '2', 0, count, 2);
	for (uint32_t i = 0; i < count; i++)
		put(b, (uint64_t)changes[i].at_s, 8);
	for (uint32_t i = 0; i < count; i++)
		put(b, changes[i].type, 1);
	put(b, HOUR_S, 4), put(b, 0, 2), put(b, 2 * HOUR_S, 4), put(b, 0x0100, 2);
	buf_add(b, "ABC", 4);
	buf_fmt(b, "\n%s\n", rule);
}

static struct zone *made(const struct change *changes, uint32_t count, const char *rule)
{
	struct buf b = BUF_INIT(0);
	struct zone *z = NULL;
	struct problem p = {0};
	make_file(&b, changes, count, rule);
	if (zone_parse(buf_str(&b), &z, &p))
		fail_msg("%s: %s", rule, p.detail);
	buf_free(&b);
	return z;
}

static void stretches_between_changes(void **state)
{
	static const struct change changes[] = {{1000, 1}, {2000, 1}, {3000, 0}};
	struct zone *z = made(changes, 3, "");
	struct zone_span s = zone_span_at(z, 999);
	(void)state;
	assert_true(s.from_s == INT64_MIN && s.until_s == 1000 && s.offset_s == HOUR_S && s.before_s == HOUR_S);
	s = zone_span_at(z, 1000);
	assert_true(s.from_s == 1000 && s.until_s == 3000 && s.offset_s == 2 * HOUR_S && s.before_s == HOUR_S);
	s = zone_span_at(z, 3000);
	assert_true(s.from_s == 3000 && s.until_s == INT64_MAX && s.offset_s == HOUR_S && s.before_s == 2 * HOUR_S);
	zone_destroy(&z);
}

/* ---- rules ---- */

static int64_t second(int year, int month, int day, int hour)
{
	return (clock_day(year, month, day) * 24 + hour) * HOUR_S;
}

static void assert_changes(const char *rule, int64_t from_s, int64_t first_s, int32_t to_first_s, int64_t second_s,
			   int32_t to_second_s)
{
	static const struct change one[] = {{1000, 0}};
	struct zone *z = made(one, 1, rule);
	struct zone_span s = zone_span_at(z, from_s), next;
	assert_row(rule, s.until_s == first_s);
	next = zone_span_at(z, s.until_s);
	assert_row(rule, next.offset_s == to_first_s && next.until_s == second_s);
	assert_row(rule, zone_span_at(z, second_s).offset_s == to_second_s);
	zone_destroy(&z);
}

static void a_rule_goes_on(void **state)
{
	(void)state;
	assert_changes("CET-1CEST,M3.5.0,M10.5.0/3", second(2026, 1, 1, 0), second(2026, 3, 29, 1), 7200,
		       second(2026, 10, 25, 1), 3600);
	assert_changes("CET-1CEST,M3.5.0,M10.5.0/3", second(2400, 1, 1, 0), second(2400, 3, 26, 1), 7200,
		       second(2400, 10, 29, 1), 3600);
	assert_changes("IST-1GMT0,M10.5.0,M3.5.0/1", second(2026, 1, 1, 0), second(2026, 3, 29, 1), 3600,
		       second(2026, 10, 25, 1), 0);
	assert_changes("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", second(2026, 1, 1, 0), second(2026, 3, 29, 1), -3600,
		       second(2026, 10, 25, 1), -7200);
	assert_changes("XYZ5ABC4:30,J60/0,364/24", second(2028, 2, 1, 0), second(2028, 3, 1, 5), -16200,
		       second(2028, 12, 31, 4) + 1800, -18000);
}

static void summer_for_ever_never_changes(void **state)
{
	static const struct change one[] = {{1000, 1}};
	struct zone *z = made(one, 1, "EST-1EDT,0/0,J365/25");
	(void)state;
	assert_int_equal(zone_span_at(z, second(2026, 7, 1, 0)).offset_s, 7200);
	assert_true(zone_span_at(z, second(2026, 7, 1, 0)).until_s > second(2500, 1, 1, 0));
	zone_destroy(&z);
}

static void rules_that_are_none(void **state)
{
	static const char *const rules[] = {"CET",
					    "C-1",
					    "CET-1CEST",
					    "CET-1CEST,M3.5.0",
					    "CET-1CEST,M13.5.0,M10.5.0",
					    "CET-1CEST,M3.6.0,M10.5.0",
					    "CET-1CEST,M3.5.7,M10.5.0",
					    "CET-1CEST,J0,J365",
					    "CET-1CEST,366,1",
					    "CET-25",
					    "<CET-1",
					    "CET-1CEST,M3.5.0,M10.5.0/168",
					    "CET-1CEST,M3.5.0,M10.5.0x"};
	struct zone *z = NULL;
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(rules); i++) {
		struct buf b = BUF_INIT(0);
		make_file(&b, NULL, 0, rules[i]);
		assert_row(rules[i], zone_parse(buf_str(&b), &z, NULL) == ERR_INVALID);
		buf_free(&b);
	}
}

/* ---- files ---- */

static void a_file_cut_anywhere_is_none(void **state)
{
	static const struct change changes[] = {{1000, 1}, {2000, 0}};
	struct buf b = BUF_INIT(0);
	struct zone *z = NULL;
	(void)state;
	make_file(&b, changes, 2, "CET-1");
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(zone_parse((struct str){b.p, n}, &z, NULL), ERR_INVALID);
	assert_int_equal(zone_parse(buf_str(&b), &z, NULL), OK);
	zone_destroy(&z);
	buf_free(&b);
}

static void changes_must_be_in_order_and_of_a_known_kind(void **state)
{
	static const struct change wrong[][2] = {
		{{2000, 1}, {1000, 0}}, {{1000, 1}, {1000, 0}}, {{1000, 1}, {2000, 2}}};
	struct zone *z = NULL;
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(wrong); i++) {
		struct buf b = BUF_INIT(0);
		make_file(&b, wrong[i], 2, "");
		assert_int_equal(zone_parse(buf_str(&b), &z, NULL), ERR_INVALID);
		buf_free(&b);
	}
}

/* ---- a folder ---- */

static void names_that_are_no_zone(void **state)
{
	static const char *const names[] = {
		"",
		"Mars/Olympus",
		"europe/berlin",
		"../../../etc/passwd",
		"/etc/passwd",
		"Europe",
		"zone.tab",
		"tzdata.zi",
		"leapseconds",
		"Europe/Berlin\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct zones *zones = zones_new(STR(ZONES));
	const struct zone *z;
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		struct problem p = {0};
		assert_row(names[i], zones_get(zones, str_of(names[i]), "timezone", &z, &p) == ERR_INVALID);
		assert_row(names[i], strcmp(p.fields[0].field, "timezone") == 0);
	}
	zones_destroy(&zones);
}

static void without_a_folder_it_says_what_to_install(void **state)
{
	struct zones *zones = zones_new(STR("/nowhere/zoneinfo"));
	struct problem p = {0};
	const struct zone *z;
	(void)state;
	assert_int_equal(zones_get(zones, STR("UTC"), "timezone", &z, &p), ERR_INVALID);
	assert_non_null(strstr(p.detail, "tzdata"));
	zones_destroy(&zones);
}

static void *look(void *arg)
{
	static const char *const names[] = {"Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"};
	struct zones *zones = arg;
	void *wrong = zones;
	for (int i = 0; i < 400; i++) {
		const struct zone *z;
		if (zones_get(zones, str_of(names[i % 4]), "timezone", &z, NULL))
			return wrong;
		zone_span_at(z, i * 86400);
	}
	return NULL;
}

static void many_threads_look_at_once(void **state)
{
	struct zones *zones = zones_new(STR(ZONES));
	pthread_t threads[4];
	void *said;
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look, zones), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &said);
		assert_null(said);
	}
	zones_destroy(&zones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stretches_between_changes),
		cmocka_unit_test(a_rule_goes_on),
		cmocka_unit_test(summer_for_ever_never_changes),
		cmocka_unit_test(rules_that_are_none),
		cmocka_unit_test(a_file_cut_anywhere_is_none),
		cmocka_unit_test(changes_must_be_in_order_and_of_a_known_kind),
		cmocka_unit_test(names_that_are_no_zone),
		cmocka_unit_test(without_a_folder_it_says_what_to_install),
		cmocka_unit_test(many_threads_look_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
