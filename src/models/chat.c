/* See chat.h. */
#include "models/chat.h"

#include "json/pick.h"

enum { REFUSAL_CHARACTERS = 300, CALL_MODEL_CHARACTERS = 128, MICRO = 1000000 };

/* ---- asking ---- */

void chat_request_write(struct str model, const struct model_prompt *prompt, int64_t max_tokens, struct buf *json)
{
	struct chat_message messages[] = {{.role = STR("system"), .content = prompt->system},
					  {.role = STR("user"), .content = prompt->user}};
	struct chat_request request = {.model = model,
				       .messages = messages,
				       .messages_count = 2,
				       .stream = true,
				       .stream_options = {true}};

	if (max_tokens)
		PUT(&request, chat_request, max_tokens, max_tokens);
	json_encode(&type_chat_request, &request, 0, json);
}

/* ---- what comes back ---- */

void chat_answer_init(struct chat_answer *a)
{
	*a = (struct chat_answer){.text = BUF_INIT(CHAT_ANSWER_MAX),
				  .input_tokens = -1,
				  .cached_tokens = -1,
				  .output_tokens = -1,
				  .micro_usd = -1};
}

void chat_answer_free(struct chat_answer *a)
{
	buf_free(&a->text);
	buf_free(&a->model);
}

static void take_usage(struct chat_answer *a, const struct chat_usage *u)
{
	if (HAS(u, chat_usage, prompt_tokens))
		a->input_tokens = u->prompt_tokens;
	if (HAS(u, chat_usage, completion_tokens))
		a->output_tokens = u->completion_tokens;
	if (HAS(u, chat_usage, prompt_tokens_details) &&
	    HAS(&u->prompt_tokens_details, chat_token_details, cached_tokens))
		a->cached_tokens = u->prompt_tokens_details.cached_tokens;
	if (HAS(u, chat_usage, cost))
		a->micro_usd = (int64_t)(u->cost * MICRO + 0.5);
}

static void take_finish(struct chat_answer *a, struct str reason)
{
	a->done = a->done || reason.n > 0;
	a->cut = a->cut || str_eqz(reason, "length");
	a->filtered = a->filtered || str_eqz(reason, "content_filter");
}

static enum err add_text(struct chat_answer *a, struct str text, struct problem *p)
{
	buf_str_add(&a->text, text);
	return buf_ok(&a->text) ? OK
				: problem_set(p, ERR_TOO_LARGE, "the answer is over %d bytes", CHAT_ANSWER_MAX);
}

/* The message of an object, or a text. */
static struct str message_of(struct str error, struct arena *arena)
{
	struct str text = error;
	char *room;

	pick_member(error, STR("message"), &text);
	if (text.n < 2 || text.p[0] != '"')
		return str_clip(text, REFUSAL_CHARACTERS);
	room = arena_alloc(arena, text.n);
	if (!room)
		return (struct str){0};
	text = (struct str){room, pick_unescape((struct str){text.p + 1, text.n - 2}, room)};
	return str_clip(text, REFUSAL_CHARACTERS);
}

static enum err take_chunk(struct chat_answer *a, const struct chat_chunk *chunk, struct arena *arena,
			   struct problem *p)
{
	const struct chat_choice *choice = chunk->choices_count ? &chunk->choices[0] : NULL;
	struct str message;

	if (HAS(chunk, chat_chunk, error) && !str_eqz(chunk->error, "null")) {
		message = message_of(chunk->error, arena);
		return problem_set(p, ERR_TARGET_FAILS, "the endpoint says: %.*s", STRF(message));
	}
	if (HAS(chunk, chat_chunk, model) && a->model.n == 0)
		buf_str_add(&a->model, str_clip(chunk->model, CALL_MODEL_CHARACTERS));
	if (HAS(chunk, chat_chunk, usage))
		take_usage(a, &chunk->usage);
	if (!choice)
		return OK;
	take_finish(a, choice->finish_reason);
	return add_text(a, choice->delta.content.n ? choice->delta.content : choice->message.content, p);
}

static enum err take(struct chat_answer *a, struct str json, struct arena *arena, struct problem *p)
{
	struct chat_chunk chunk = {0};
	struct problem why = {0};
	struct str beginning = str_clip(json, 80);

	if (json_decode_answer(&type_chat_chunk, json, arena, &chunk, &why) != OK)
		return problem_set(p, ERR_MALFORMED, "the endpoint sent what is no answer of a model: '%.*s' (%s)",
				   STRF(beginning), why.detail);
	return take_chunk(a, &chunk, arena, p);
}

enum err chat_take_event(struct chat_answer *a, struct str data, struct arena *arena, struct str *delta,
			 struct problem *p)
{
	size_t before = a->text.n;
	enum err e;

	*delta = (struct str){0};
	if (str_eqz(str_trim(data), "[DONE]")) {
		a->done = true;
		return OK;
	}
	e = take(a, data, arena, p);
	if (!e && a->text.n > before)
		*delta = (struct str){a->text.p + before, a->text.n - before};
	return e;
}

enum err chat_take_whole(struct chat_answer *a, struct str body, struct arena *arena, struct problem *p)
{
	enum err e = take(a, body, arena, p);

	if (!e && a->text.n == 0 && !a->done)
		return problem_set(p, ERR_MALFORMED, "the endpoint's answer has no choices");
	a->done = a->done || !e;
	return e;
}

struct str chat_refusal(struct str body, struct arena *arena)
{
	struct chat_chunk chunk = {0};

	if (json_decode_answer(&type_chat_chunk, body, arena, &chunk, NULL) == OK && HAS(&chunk, chat_chunk, error))
		return message_of(chunk.error, arena);
	return str_clip(str_trim(body), REFUSAL_CHARACTERS);
}

/* ---- what it used ---- */

void chat_call(const struct chat_answer *a, struct str provider, struct str asked_model, struct model_call *out)
{
	*out = (struct model_call){.provider = provider, .model = a->model.n ? buf_str(&a->model) : asked_model};
	if (a->input_tokens >= 0)
		PUT(out, model_call, input_tokens, a->input_tokens);
	if (a->cached_tokens >= 0)
		PUT(out, model_call, cached_tokens, a->cached_tokens);
	if (a->output_tokens >= 0)
		PUT(out, model_call, output_tokens, a->output_tokens);
	if (a->micro_usd >= 0)
		PUT(out, model_call, micro_usd, a->micro_usd);
}
