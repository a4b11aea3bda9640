/*
 * See prompt.h. What others wrote (input, results of other steps) stands behind words of ours that say what it is, so
 * that a model can tell it from what it is told to do; whether it does is up to the model.
 */
#include "models/prompt.h"

#include "base/buf.h"
#include "base/magic.h"

static const char *form_of(enum step_kind kind)
{
	switch (kind) {
	case STEP_GENERATE:
		return "Answer with one JSON object and nothing else: {\"summary\": \"what you did, and why so\", "
		       "\"files\": [{\"path\": \"relative to the project\", \"content\": \"all of the file\"}]}";
	case STEP_ANALYSE:
		return "Answer with one JSON object and nothing else: {\"verdict\": \"good\" or \"faulty\", "
		       "\"summary\": \"a few sentences\", \"findings\": [{\"severity\": \"high\", \"medium\" or "
		       "\"low\", \"where\": \"path:line\", \"text\": \"what it is, and how one sees it\"}]}";
	case STEP_MODEL:
	case STEP_COMMAND:
	case STEP_RETRIEVE:
	case STEP_WEBHOOK:
	case STEP_WAIT:
	case STEP_APPROVAL:
		return "Answer in plain text or Markdown.";
	}
	UNREACHABLE();
}

static struct str taken(struct buf *b, struct arena *a)
{
	struct str text = arena_str(a, buf_str(b));

	buf_free(b);
	return text;
}

static struct str system_of(const struct step_brief *brief, struct arena *a)
{
	struct buf b = BUF_INIT(0);

	if (HAS(brief, step_brief, system_prompt))
		buf_str_add(&b, brief->system_prompt);
	else
		buf_z(&b, "You carry out one step of a larger piece of work.");
	buf_fmt(&b, "\n\n%s", form_of((enum step_kind)brief->kind));
	buf_z(&b, "\n\nIf you cannot go on without an answer of somebody else, answer instead with one line that "
		  "begins "
		  "with \"" MODEL_ASKS "\" and has your question.");
	return taken(&b, a);
}

static void add_need(struct buf *b, const struct step_need *need)
{
	buf_fmt(b, "\n## %.*s (%s, %s)\n", STRF(need->name), enum_step_kind.values[need->kind].text,
		enum_step_state.values[need->state].text);
	if (HAS(need, step_need, result))
		buf_str_add(b, need->result);
	if (HAS(need, step_need, characters))
		buf_fmt(b, "It has %lld characters, which is too long; it is left out, but for its beginning:\n",
			(long long)need->characters);
	if (HAS(need, step_need, beginning))
		buf_str_add(b, need->beginning);
	if (HAS(need, step_need, error))
		buf_fmt(b, "It failed: %.*s", STRF(need->error));
	buf_c(b, '\n');
}

struct model_prompt model_prompt_of(const struct step_brief *brief, struct arena *a)
{
	struct buf b = BUF_INIT(0);

	if (HAS(brief, step_brief, execution_name))
		buf_fmt(&b, "Execution: %.*s\n", STRF(brief->execution_name));
	if (HAS(brief, step_brief, task_title))
		buf_fmt(&b, "Task: %.*s\n", STRF(brief->task_title));
	if (HAS(brief, step_brief, task_description))
		buf_fmt(&b, "%.*s\n", STRF(brief->task_description));
	buf_fmt(&b, "Your step: %.*s\n", STRF(brief->name));
	if (HAS(brief, step_brief, phase))
		buf_fmt(&b, "It belongs to: %s\n", enum_step_phase.values[brief->phase].text);
	if (HAS(brief, step_brief, input))
		buf_fmt(&b, "\nIts input (JSON):\n%.*s\n", STRF(brief->input));
	if (brief->needs_count)
		buf_z(&b, "\nWhat came of the steps before it:\n");
	for (size_t i = 0; i < brief->needs_count; i++)
		add_need(&b, &brief->needs[i]);
	if (brief->questions_count)
		buf_z(&b, "\nWhat you asked before:\n");
	for (size_t i = 0; i < brief->questions_count; i++)
		buf_fmt(&b, "\nYou asked: %.*s\nThe answer: %.*s\n", STRF(brief->questions[i].question),
			STRF(brief->questions[i].answer));
	return (struct model_prompt){.system = system_of(brief, a), .user = taken(&b, a)};
}
