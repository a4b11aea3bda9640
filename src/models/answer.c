/* See answer.h. */
#include "models/answer.h"

#include <string.h>

enum { QUESTION_CHARACTERS = 8192 };

struct str answer_question(struct str text)
{
	struct str mark = STR(MODEL_ASKS), line = str_trim(text), rest;

	if (!str_starts(line, mark))
		return (struct str){0};
	line = str_cut((struct str){line.p + mark.n, line.n - mark.n}, '\n', &rest);
	return str_clip(str_trim(line), QUESTION_CHARACTERS);
}

/* From the first brace to the last: models like to explain, and to put JSON into fences. */
static struct str object_in(struct str text)
{
	const char *first = text.n ? memchr(text.p, '{', text.n) : NULL;
	const char *last = text.n ? memrchr(text.p, '}', text.n) : NULL;

	if (!first || !last || last < first)
		return (struct str){0};
	return (struct str){first, (size_t)(last - first) + 1};
}

static enum err decode(const struct json_type *type, struct str text, struct arena *a, void *out, struct problem *p)
{
	struct str object = object_in(text);
	struct problem why = {0};
	enum err e;

	if (!object.n)
		return problem_set(p, ERR_INVALID,
				   "the model's answer has no JSON object, which its step asks for");
	e = json_decode_answer(type, object, a, out, &why);
	return e ? problem_set(p, ERR_INVALID, "the model's answer is not what its step asks for: %s", why.detail)
		 : OK;
}

/* Whoever writes the files later must not be led out of the project. */
static bool stays_inside(struct str path)
{
	struct str part, rest = path;

	if (path.p[0] == '/' || memchr(path.p, '\\', path.n))
		return false;
	while (rest.p) {
		part = str_cut(rest, '/', &rest);
		if (!part.n || str_eqz(part, ".") || str_eqz(part, ".."))
			return false;
	}
	return true;
}

static enum err generated(const struct chat_answer *said, struct arena *a, struct model_result *out,
			  struct problem *p)
{
	struct generated made = {0};
	enum err e = decode(&type_generated, buf_str(&said->text), a, &made, p);

	for (size_t i = 0; i < made.files_count && !e; i++)
		if (!stays_inside(made.files[i].path))
			e = problem_set(p, ERR_INVALID,
					"the model's answer names a file outside of the project: '%.*s'",
					STRF(made.files[i].path));
	PUT(out, model_result, generated, made);
	return e;
}

static enum err analysed(const struct chat_answer *said, struct arena *a, struct model_result *out,
			 struct problem *p)
{
	struct analysed made = {0};
	enum err e = decode(&type_analysed, buf_str(&said->text), a, &made, p);

	PUT(out, model_result, analysed, made);
	return e;
}

static enum err plain(const struct chat_answer *said, struct model_result *out)
{
	PUT(out, model_result, text, buf_str(&said->text));
	if (said->cut)
		PUT(out, model_result, cut, true);
	return OK;
}

static enum err take(enum step_kind kind, const struct chat_answer *said, struct arena *a, struct model_result *out,
		     struct problem *p)
{
	if (said->filtered)
		return problem_set(p, ERR_INVALID, "the endpoint kept the answer to itself (content_filter)");
	if (kind != STEP_GENERATE && kind != STEP_ANALYSE)
		return plain(said, out);
	if (said->cut)
		return problem_set(p, ERR_INVALID,
				   "the answer was cut at its limit of tokens; raise --model-max-tokens");
	return kind == STEP_GENERATE ? generated(said, a, out, p) : analysed(said, a, out, p);
}

enum err answer_result(enum step_kind kind, const struct model_result *from, const struct chat_answer *said,
		       struct arena *a, struct buf *json, struct problem *p)
{
	size_t most = (size_t)type_work_settle_item.fields[work_settle_item__result].max;
	struct model_result result = *from;
	enum err e = take(kind, said, a, &result, p);

	if (e)
		return e;
	json_encode(&type_model_result, &result, 0, json);
	return buf_ok(json) && json->n <= most
		       ? OK
		       : problem_set(p, ERR_TOO_LARGE, "the answer is over the %zu bytes a result may have", most);
}
