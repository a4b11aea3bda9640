/*
 * Whatever an endpoint sends: an answer stays within its limits, and a result that is made of it is JSON that fits. The
 * first byte chooses the kind of step and whether it comes as events, one a line, or whole.
 */
#include "base/magic.h"
#include "models/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct chat_answer *a)
{
	CHECK(a->text.n <= CHAT_ANSWER_MAX && str_is_utf8(buf_str(&a->text)));
	CHECK(a->input_tokens >= -1 && a->cached_tokens >= -1 && a->output_tokens >= -1 && a->micro_usd >= -1);
}

static void take_lines(struct chat_answer *a, struct str text, struct arena *arena)
{
	struct problem p = {0};
	struct str delta;
	enum err e = OK;

	while (text.n && !e) {
		e = chat_take_event(a, str_cut(text, '\n', &text), arena, &delta, &p);
		CHECK(!e || p.detail[0]);
	}
}

static void make_result(enum step_kind kind, const struct chat_answer *a, struct arena *arena)
{
	struct model_result from = {.provider = STR("fuzz"), .model = STR("fuzz")};
	struct buf json = BUF_INIT(0);
	struct problem p = {0};

	if (answer_result(kind, &from, a, arena, &json, &p) == OK)
		CHECK(json.n <= 262144 && json_check(buf_str(&json), NULL) == OK);
	else
		CHECK(p.detail[0]);
	buf_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum step_kind kinds[] = {STEP_MODEL, STEP_GENERATE, STEP_ANALYSE};
	struct arena *arena = arena_new(16 << 20);
	struct chat_answer a;
	struct problem p = {0};
	struct str text;

	chat_answer_init(&a);
	if (size > 0) {
		text = (struct str){(const char *)data + 1, size - 1};
		if (data[0] & 0x80)
			(void)chat_take_whole(&a, text, arena, &p);
		else
			take_lines(&a, text, arena);
		check_answer(&a);
		CHECK(answer_question(buf_str(&a.text)).n <= CHAT_ANSWER_MAX);
		make_result(kinds[data[0] % 3], &a, arena);
		(void)chat_refusal(text, arena);
	}
	chat_answer_free(&a);
	arena_destroy(&arena);
	return 0;
}
