/* Answers of HTTP as servers send them, good and bad, whole and byte by byte. */
#include "harness.h"

#include "sim/client_http.h"

enum { BODY_MAX = 1000 };

struct reading {
	struct client_http http;
	enum err err;
	bool whole;
};

static void read_answer(struct reading *r, const char *answer, size_t piece, bool head_only)
{
	struct str bytes = str_of(answer);

	*r = (struct reading){0};
	client_http_begin(&r->http, head_only, BODY_MAX);
	while (bytes.n && !r->err && !r->whole) {
		size_t n = bytes.n < piece ? bytes.n : piece;

		r->err = client_http_take(&r->http, (struct str){bytes.p, n}, &r->whole);
		bytes = (struct str){bytes.p + n, bytes.n - n};
	}
	if (!r->err && !r->whole)
		r->err = client_http_end(&r->http);
}

static void good_answers_are_read_however_they_are_cut(void **state)
{
	static const struct {
		const char *answer;
		int status;
		const char *body;
		bool keep, head_only;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
		{"HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", 200, "hello", true},
		{"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 200, "hello", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", true},
		{"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
		{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
		{"HTTP/1.1 200 OK\r\n\r\nuntil it closes", 200, "until it closes", false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		 "Chunked\r\n\r\n3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\n\r\n",
		 200, "abc0123456789", true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
		 200, "a", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		 200, "a", false},
		{"HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\nHTTP/1.1 103 Early\r\n\r\n"
		 "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
		 201, "x", true},
		{"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n", 200, "", true, true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "", true, true},
		{"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", 404, "none", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t piece = 1; piece < 200; piece += 1 + piece / 4) {
			struct reading r;

			read_answer(&r, cases[i].answer, piece, cases[i].head_only);
			assert_row(cases[i].answer, r.err == OK);
			assert_row(cases[i].answer, r.http.status == cases[i].status);
			assert_row(cases[i].answer, r.http.keep == cases[i].keep);
			assert_row(cases[i].answer, str_eqz(r.http.body, cases[i].body));
			client_http_free(&r.http);
		}
}

static void bad_answers_say_what_is_wrong_with_them(void **state)
{
	static const struct {
		const char *answer;
		enum err err;
		const char *says;
	} cases[] = {
		{"", ERR_TARGET_CLOSED, "before an answer"},
		{"HTTP/1.1 200 OK\r\nContent-Le", ERR_TARGET_CLOSED, "middle of the head"},
		{"HTTP/1.1 100 Continue\r\n\r\n", ERR_TARGET_CLOSED, "middle of the head"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", ERR_TARGET_CLOSED, "4 bytes before"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ERR_TARGET_CLOSED,
		 "middle of the body"},
		{"SSH-2.0-OpenSSH_9.2p1\r\n", ERR_TARGET_GARBAGE, "no HTTP/1.1: SSH-2.0"},
		{"S", ERR_TARGET_GARBAGE, "no HTTP/1.1"},
		{"\x15\x03\x01", ERR_TARGET_GARBAGE, "no HTTP/1.1: ???"},
		{"HTTP/2 200 OK\r\n\r\n", ERR_TARGET_GARBAGE, "no HTTP/1.1"},
		{"HTTP/1.1 2x0 OK\r\n\r\n", ERR_TARGET_GARBAGE, "no status"},
		{"HTTP/1.1 2000 OK\r\n\r\n", ERR_TARGET_GARBAGE, "no status"},
		{"HTTP/1.1 99 Low\r\n\r\n", ERR_TARGET_GARBAGE, "no status"},
		{"HTTP/1.1 600 High\r\n\r\n", ERR_TARGET_GARBAGE, "no status"},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\n", ERR_TARGET_GARBAGE, "no status that"},
		{"HTTP/1.1 200 OK\r\nno field\r\n\r\n", ERR_TARGET_GARBAGE, "no field: no field"},
		{"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", ERR_TARGET_GARBAGE, "no field"},
		{"HTTP/1.1 200 OK\r\nA: b\r\n folded: c\r\n\r\n", ERR_TARGET_GARBAGE, "no field"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", ERR_TARGET_GARBAGE,
		 "a second Content-Length"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", ERR_TARGET_GARBAGE, "no number"},
		{"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", ERR_TARGET_GARBAGE, "no number"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", ERR_TARGET_GARBAGE,
		 "no number"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", ERR_TARGET_GARBAGE,
		 "not asked for"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", ERR_TARGET_GARBAGE,
		 "without a size: hello"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", ERR_TARGET_GARBAGE,
		 "without a size"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n", ERR_TARGET_GARBAGE,
		 "longer than its size"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", ERR_TARGET_GARBAGE, "more came"},
		{"HTTP/1.1 204 No Content\r\n\r\nhello", ERR_TARGET_GARBAGE, "more came"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", ERR_TARGET_TOO_LARGE, "over 1000 bytes"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", ERR_TARGET_TOO_LARGE, "over 1000"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n", ERR_TARGET_TOO_LARGE,
		 "over 1000"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n", ERR_TARGET_GARBAGE,
		 "without a size"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct reading r;

		read_answer(&r, cases[i].answer, 10000, false);
		assert_row(cases[i].answer, r.err == cases[i].err);
		assert_row(cases[i].answer, strstr(r.http.detail, cases[i].says));
		client_http_free(&r.http);
	}
}

static void heads_and_lines_without_end_are_given_up(void **state)
{
	struct buf many = BUF_INIT(0), lines = BUF_INIT(0), body = BUF_INIT(0);
	struct reading r;

	(void)state;
	buf_z(&many, "HTTP/1.1 200 OK\r\nX: ");
	for (int i = 0; i < 20000; i++)
		buf_c(&many, 'x');
	read_answer(&r, buf_cstr(&many), 100, false);
	assert_int_equal(r.err, ERR_TARGET_GARBAGE);
	assert_non_null(strstr(r.http.detail, "a line is too long"));
	client_http_free(&r.http);

	buf_z(&lines, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 20000; i++)
		buf_z(&lines, "X: y\r\n");
	read_answer(&r, buf_cstr(&lines), 100, false);
	assert_int_equal(r.err, ERR_TARGET_GARBAGE);
	assert_non_null(strstr(r.http.detail, "the head is too long"));
	client_http_free(&r.http);

	buf_z(&body, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 1001; i++)
		buf_c(&body, 'x');
	read_answer(&r, buf_cstr(&body), 100, false);
	assert_int_equal(r.err, ERR_TARGET_TOO_LARGE);
	client_http_free(&r.http);
	buf_free(&many);
	buf_free(&lines);
	buf_free(&body);
}

static void chunks_of_a_byte_may_be_many(void **state)
{
	struct buf b = BUF_INIT(0);
	struct reading r;

	(void)state;
	buf_z(&b, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < BODY_MAX; i++)
		buf_z(&b,
		      "1;some=extension;that=is;long=enough;to=pass;what=a;head=may;have=in;all=together\r\nx\r\n");
	buf_z(&b, "0\r\n\r\n");
	read_answer(&r, buf_cstr(&b), 7, false);
	assert_int_equal(r.err, OK);
	assert_int_equal(r.http.body.n, BODY_MAX);
	client_http_free(&r.http);
	buf_free(&b);
}

static void retry_after_is_seconds_or_any_date_of_http(void **state)
{
	static const char *const dated = "Date: Fri, 21 Nov 2025 12:00:00 GMT\r\n";
	static const struct {
		const char *value;
		int64_t ms;
	} cases[] = {
		{"7", 7000},
		{"0", 0},
		{" 120 ", 120000},
		{"99999999", 86400000},
		{"Fri, 21 Nov 2025 12:00:09 GMT", 9000},
		{"Friday, 21-Nov-25 12:00:09 GMT", 9000},
		{"Fri Nov 21 12:00:09 2025", 9000},
		{"Fri, 21 Nov 2025 11:59:00 GMT", 0},
		{"Fri, 21 Nov 2035 12:00:00 GMT", 86400000},
		{"soon", -1},
		{"-5", -1},
		{"1.5", -1},
		{"", -1},
		{"a date of which there is far too much to be one of those that HTTP knows", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf b = BUF_INIT(0);
		struct reading r;

		buf_fmt(&b, "HTTP/1.1 429 Slow down\r\n%sRetry-After: %s\r\nContent-Length: 0\r\n\r\n", dated,
			cases[i].value);
		read_answer(&r, buf_cstr(&b), 10000, false);
		assert_row(cases[i].value, r.err == OK);
		assert_row(cases[i].value, client_http_retry_after_ms(&r.http, 0) == cases[i].ms);
		client_http_free(&r.http);
		buf_free(&b);
	}
}

static void a_date_counts_from_our_clock_when_the_answer_has_none(void **state)
{
	static const int64_t noon_s = 1763726400; /* 21 Nov 2025 12:00 UTC */
	struct reading r;

	(void)state;
	read_answer(&r, "HTTP/1.1 503 x\r\nRetry-After: Fri, 21 Nov 2025 12:00:09 GMT\r\nContent-Length: 0\r\n\r\n",
		    10000, false);
	assert_int_equal(client_http_retry_after_ms(&r.http, (noon_s + 4) * 1000), 5000);
	client_http_free(&r.http);
	read_answer(&r, "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", 10000, false);
	assert_int_equal(client_http_retry_after_ms(&r.http, 0), -1);
	client_http_free(&r.http);
	assert_int_equal(client_http_retry_value_ms(STR("Fri, 21 Nov 2025 12:00:09 GMT"), noon_s, 0), 9000);
	assert_int_equal(client_http_retry_value_ms(STR("3"), -1, 0), 3000);
}

static void a_redirection_says_where_it_leads(void **state)
{
	struct reading r;

	(void)state;
	read_answer(&r,
		    "HTTP/1.1 301 Moved\r\nLocation: https://shop.example/\x1b[31m\r\nContent-Length: 0\r\n\r\n",
		    10000, false);
	assert_int_equal(r.err, OK);
	assert_string_equal(r.http.detail, "redirects to https://shop.example/?[31m");
	client_http_free(&r.http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_answers_are_read_however_they_are_cut),
		cmocka_unit_test(bad_answers_say_what_is_wrong_with_them),
		cmocka_unit_test(heads_and_lines_without_end_are_given_up),
		cmocka_unit_test(chunks_of_a_byte_may_be_many),
		cmocka_unit_test(retry_after_is_seconds_or_any_date_of_http),
		cmocka_unit_test(a_date_counts_from_our_clock_when_the_answer_has_none),
		cmocka_unit_test(a_redirection_says_where_it_leads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
