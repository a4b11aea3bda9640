/* Which addresses may be sent to: the registries of special addresses, their edges, and what is allowed besides. */
#include "harness.h"

#include "base/buf.h"
#include "webhooks/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static bool allows(const struct reach *r, const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	bool host = reach_allows_host(r, str_of(text)), address = !host;
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		address = reach_allows(r, (const struct sockaddr *)&v4);
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		address = reach_allows(r, (const struct sockaddr *)&v6);
	else
		fail_msg("%s is no address", text);
	assert_row(text, host == address);
	return address;
}

static void what_is_not_global(void **state)
{
	static const char *const inside[] = {
		"0.0.0.0",
		"0.255.255.255",
		"10.0.0.0",
		"10.255.255.255",
		"100.64.0.0",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.0.0",
		"169.254.169.254",
		"172.16.0.0",
		"172.31.255.255",
		"192.0.0.8",
		"192.0.2.1",
		"192.88.99.1",
		"192.168.0.0",
		"192.168.255.255",
		"198.18.0.0",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::ffff:127.0.0.1",
		"::ffff:10.0.0.1",
		"::127.0.0.1",
		"64:ff9b::10.0.0.1",
		"64:ff9b:1::1",
		"100::1",
		"2001::1",
		"2001:1ff::1",
		"2001:db8::1",
		"2002:7f00:1::",
		"2002:a9fe:a9fe::",
		"3fff::1",
		"3fff:fff:ffff::1",
		"fc00::1",
		"fd00:ec2::254",
		"fdff:ffff::1",
		"fe80::1",
		"febf::1",
		"fec0::1",
		"ff02::1",
		"ffff::1",
		"5f00::1",
		"1fff::1",
	};
	struct reach none = {0};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(inside); i++)
		assert_row(inside[i], !allows(&none, inside[i]));
}

static void what_is_global(void **state)
{
	static const char *const outside[] = {
		"1.0.0.0",         "9.255.255.255",   "11.0.0.0",         "100.63.255.255", "100.128.0.0",
		"126.255.255.255", "128.0.0.0",       "169.253.255.255",  "169.255.0.0",    "172.15.255.255",
		"172.32.0.0",      "192.0.1.0",       "192.167.255.255",  "192.169.0.0",    "198.17.255.255",
		"198.20.0.0",      "223.255.255.255", "8.8.8.8",          "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
		"2000::1",         "2001:200::1",     "2001:db7:ffff::1", "2001:db9::1",    "2002:808:808::1",
		"2606:4700::1111", "3ffe:ffff::1",    "3fff:1000::1",
	};
	struct reach none = {0};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(outside); i++)
		assert_row(outside[i], allows(&none, outside[i]));
}

static void what_is_allowed_besides(void **state)
{
	struct reach r;
	struct problem p = {0};
	(void)state;
	assert_int_equal(reach_read(STR("127.0.0.1, 10.1.0.0/16,fd00::/8,::1,192.168.7.128/25"), &r, &p), OK);
	assert_true(allows(&r, "127.0.0.1") && !allows(&r, "127.0.0.2"));
	assert_true(allows(&r, "::ffff:127.0.0.1") && allows(&r, "::1") && !allows(&r, "::2"));
	assert_true(allows(&r, "10.1.255.255") && !allows(&r, "10.2.0.0") && !allows(&r, "10.0.255.255"));
	assert_true(allows(&r, "fdff::1") && !allows(&r, "fc00::1"));
	assert_true(allows(&r, "192.168.7.128") && !allows(&r, "192.168.7.127"));
	assert_true(allows(&r, "8.8.8.8"));
	assert_int_equal(reach_read(STR("0.0.0.0/0"), &r, &p), OK);
	assert_true(allows(&r, "127.0.0.1") && !allows(&r, "::1"));
}

static void what_is_no_range(void **state)
{
	static const char *const bad[] = {"x",        "10.0.0.0/33",  "10.0.0.0/-1", "10.0.0.0/",
					  "10.0.0/8", "::/129",       "1.1.1.1,",    "/8",
					  ",",        "10.0.0.0/8/8", "localhost",   " "};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct problem p = {0};
		struct reach r;
		bool last = str_eqz(str_of(bad[i]), "1.1.1.1,"); /* nothing follows the comma */
		assert_row(bad[i], (reach_read(str_of(bad[i]), &r, &p) == ERR_USAGE) != last);
		assert_row(bad[i], last || strstr(p.detail, "--webhook-allow"));
	}
}

static void too_many_ranges(void **state)
{
	struct buf list = BUF_INIT(0);
	struct problem p = {0};
	struct reach r;
	(void)state;
	for (int i = 0; i < REACH_RANGES_MAX; i++)
		buf_fmt(&list, "%s10.0.0.%d", i ? "," : "", i);
	assert_int_equal(reach_read(buf_str(&list), &r, &p), OK);
	buf_z(&list, ",::1");
	assert_int_equal(reach_read(buf_str(&list), &r, &p), ERR_USAGE);
	buf_free(&list);
}

static void names_are_for_later_and_other_families_for_nobody(void **state)
{
	struct reach none = {0};
	struct sockaddr other = {.sa_family = AF_UNIX};
	(void)state;
	assert_true(reach_allows_host(&none, STR("example.org")) && reach_allows_host(&none, STR("localhost")));
	assert_false(reach_allows_host(&none, STR("[::1]")));
	assert_true(reach_allows_host(&none, STR("[2606:4700::1111]")));
	assert_false(reach_allows(&none, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_global),
		cmocka_unit_test(what_is_global),
		cmocka_unit_test(what_is_allowed_besides),
		cmocka_unit_test(what_is_no_range),
		cmocka_unit_test(too_many_ranges),
		cmocka_unit_test(names_are_for_later_and_other_families_for_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
