/* Where a request comes from, and how much of what proxies say of it is believed. */
#include "harness.h"

#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void the_address_of_a_socket_is_told_as_text(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr other = {.sa_family = AF_UNIX};
	char out[ADDRESS_TEXT];

	(void)state;
	assert_str(address_of((const struct sockaddr *)&v4, out), "192.0.2.1");
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:0::7", &v6.sin6_addr), 1);
	assert_str(address_of((const struct sockaddr *)&v6, out), "2001:db8::7");
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.9", &v6.sin6_addr), 1);
	assert_str(address_of((const struct sockaddr *)&v6, out), "192.0.2.9"); /* a socket of both kinds */
	assert_int_equal(address_of(&other, out).n, 0);
}

static void proxies_are_believed_as_far_as_they_are_trusted(void **state)
{
	static const struct {
		const char *list;
		unsigned hops;
		const char *address;
	} cases[] = {
		{"192.0.2.1", 0, "socket"},
		{"", 1, "socket"},
		{"192.0.2.1", 1, "192.0.2.1"},
		{"198.51.100.9, 192.0.2.1", 1, "192.0.2.1"}, /* the client wrote the first itself */
		{"198.51.100.9, 192.0.2.1", 2, "198.51.100.9"},
		{"192.0.2.1", 2, "192.0.2.1"}, /* it came past the outer proxy */
		{"198.51.100.9,\t192.0.2.1 ", 2, "198.51.100.9"},
		{"unknown", 1, "socket"},
		{"198.51.100.9, unknown", 2, "socket"},
		{"198.51.100.9, unknown, 192.0.2.1", 3, "192.0.2.1"},
		{"198.51.100.9,, 192.0.2.1", 3, "192.0.2.1"},
		{",", 1, "socket"},
		{"192.0.2.1:4711", 1, "192.0.2.1"},
		{"2001:DB8::0:1", 1, "2001:db8::1"},
		{"[2001:db8::1]:4711", 1, "2001:db8::1"},
		{"[2001:db8::1]", 1, "2001:db8::1"},
		{"::ffff:192.0.2.1", 1, "192.0.2.1"},
		{"[2001:db8::1", 1, "2001:db8::1"},
		{"192.0.2", 1, "socket"},
		{"192.0.2.256", 1, "socket"},
		{"192.0.2.1 x", 1, "socket"},
		{"fe80::1%eth0", 1, "socket"},
		{"2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", 1, "socket"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[ADDRESS_TEXT];
		struct str a = address_forwarded(str_of(cases[i].list), cases[i].hops, STR("socket"), out);

		if (!str_eqz(a, cases[i].address))
			fail_msg("%s: %.*s", cases[i].list, STRF(a));
	}
}

/* Whatever a client puts in front, the answer stays that of what the trusted proxies added. */
static void nothing_in_front_changes_what_trusted_proxies_said(void **state)
{
	struct rng r = test_seed();

	(void)state;
	for (int times = 0; times < 5000; times++) {
		static const char bytes[] = "1.2:,[]abc \t";
		char list[96], out[ADDRESS_TEXT];
		size_t n = rng_below(&r, 40);

		for (size_t i = 0; i < n; i++)
			list[i] = bytes[rng_below(&r, sizeof(bytes) - 1)];
		snprintf(list + n, sizeof(list) - n, ", 203.0.113.5, 192.0.2.1");
		assert_str(address_forwarded(str_of(list), 2, STR("socket"), out), "203.0.113.5");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_address_of_a_socket_is_told_as_text),
		cmocka_unit_test(proxies_are_believed_as_far_as_they_are_trusted),
		cmocka_unit_test(nothing_in_front_changes_what_trusted_proxies_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
