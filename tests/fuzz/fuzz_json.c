/*
 * Is it JSON? json_check() and jansson must agree, but for what they differ in on purpose: we refuse nesting deeper
 * than JSON_DEPTH_MAX, and jansson refuses numbers that no double holds.
 */
#include "base/magic.h"
#include "tests/unit/json_kit/oracle.h"
#include "json/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is wrong stands at a place of the text, or just behind it. */
static void check_place(struct str text, const struct problem *p)
{
	size_t line_start = 0;

	CHECK(p->line >= 1 && p->column >= 1);
	for (int line = 1; line < p->line; line++) {
		const char *end = memchr(text.p + line_start, '\n', text.n - line_start);

		CHECK(end);
		line_start = (size_t)(end - text.p) + 1;
	}
	CHECK(line_start + (size_t)p->column - 1 <= text.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct problem p = {0};
	enum oracle_says says = oracle_check(text);
	enum err e = json_check(text, &p);

	CHECK(e == OK || (e == ERR_MALFORMED && p.err == e && p.detail[0]));
	if (e)
		check_place(text, &p);
	if (says == ORACLE_INVALID)
		CHECK(e == ERR_MALFORMED);
	if (says == ORACLE_VALID)
		CHECK(e == OK || strstr(p.detail, "deeper"));
	return 0;
}
