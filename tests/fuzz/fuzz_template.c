/*
 * Any text as one with expressions in it, for a path, a header and a body: what is written cannot end a header, nor
 * leave the path, and a body that is made is JSON.
 *
 * Each input is taken for all three; as a body only when it is JSON.
 */
#include "sim/template.h"
#include "tests/unit/sim_kit/expr_env.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(struct str s, const char *of)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || strchr(of, s.p[i]))
			return true;
	return false;
}

/* What stands between the expressions is the scenario's own and is checked with it; here it must be fit itself. */
static void check_written(struct str text, enum template_use use, struct str written)
{
	if (use == TEMPLATE_JSON)
		CHECK(json_check(written, NULL) == OK);
	else if (!has(text, "\r\n \t"))
		CHECK(!has(written, "\r\n") && (use == TEMPLATE_HEADER || !has(written, " \t")));
}

static void try(struct kit *k, struct str text, enum template_use use)
{
	struct buf out = BUF_INIT(1 << 20);
	struct template t = {0};
	struct problem p = {0};
	enum err e = use == TEMPLATE_JSON ? template_add_json(&t, text, &kit_names, k->arena, &p)
					  : template_add(&t, text, use, &kit_names, k->arena, &p);

	if (e) {
		CHECK(p.detail[0] && str_is_utf8(str_of(p.detail)));
		return;
	}
	memory_clear(&k->memory);
	k->env.failed = false;
	template_write(&t, &k->env, &out);
	if (!k->env.failed && buf_ok(&out))
		check_written(text, use, buf_str(&out));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct kit k;

	if (!str_is_utf8(text) || memchr(data, 0, size)) /* JSON, out of which templates come, has no others */
		return 0;
	kit_begin(&k);
	try(&k, text, TEMPLATE_PATH);
	try(&k, text, TEMPLATE_HEADER);
	if (json_check(text, NULL) == OK)
		try(&k, text, TEMPLATE_JSON);
	kit_end(&k);
	return 0;
}
