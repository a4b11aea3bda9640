/* See stand_in.h. */
#include "models/stand_in.h"

#include "base/rng.h"

enum { BYTES_PER_TOKEN = 4, WORDS_IN_PIECE = 4, ASKS_ONE_OF = 6, FAULTY_ONE_OF = 5 };

#define MARK "[stand-in, no model was asked] "

/* ---- what it draws from ---- */

static struct rng seeded(const struct step_brief *brief, const struct model_prompt *prompt)
{
	struct rng r;

	rng_seeded_init(&r, str_hash_seed(prompt->user, str_hash_seed(prompt->system, str_hash(brief->name))));
	return r;
}

static const char *one_of(struct rng *r, const char *const *words, size_t count)
{
	return words[rng_below(r, count)];
}

#define ONE_OF(r, words) one_of((r), (words), sizeof(words) / sizeof((words)[0]))

/* What the step is about, in a line. */
static struct str subject_of(const struct step_brief *brief)
{
	if (HAS(brief, step_brief, task_title))
		return brief->task_title;
	return HAS(brief, step_brief, execution_name) ? brief->execution_name : brief->name;
}

/* "Limit requests" as limit_requests, for names in code. */
static struct str snake(struct arena *a, struct str text)
{
	char *z = arena_z(a, str_clip(text, 40));
	size_t n = 0;

	for (const char *p = z; p && *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
		bool capital = *p >= 'A' && *p <= 'Z';

		if (letter || capital)
			z[n++] = (char)(capital ? *p - 'A' + 'a' : *p);
		else if (n && z[n - 1] != '_')
			z[n++] = '_';
	}
	while (n && z[n - 1] == '_')
		n--;
	return n ? (struct str){z, n} : STR("change");
}

static struct str taken(struct buf *b, struct arena *a)
{
	struct str text = arena_str(a, buf_str(b));

	buf_free(b);
	return text;
}

/* ---- what it says ---- */

static struct str plan(const struct step_brief *brief, struct rng *r, struct arena *a)
{
	static const char *const firsts[] = {"Write down what must hold when it is done",
					     "Look at what there is, and what depends on it",
					     "Agree on how one sees that it works"};
	static const char *const seconds[] = {"Build the smallest part that is of use by itself",
					      "Build it behind a switch that is off",
					      "Build it, and leave what is around it as it is"};
	static const char *const thirds[] = {"Test limits, wrong input, and things done twice",
					     "Test what happens when something it needs is away",
					     "Test it against what was there before"};
	struct buf b = BUF_INIT(0);

	buf_fmt(&b, MARK "A plan for \"%.*s\":\n", STRF(subject_of(brief)));
	buf_fmt(&b, "1. %s.\n", ONE_OF(r, firsts));
	buf_fmt(&b, "2. %s.\n", ONE_OF(r, seconds));
	buf_fmt(&b, "3. %s.\n", ONE_OF(r, thirds));
	buf_fmt(&b, "4. Show it to a person, who says yes or no.\n");
	return taken(&b, a);
}

static struct str report(const struct step_brief *brief, struct rng *r, struct arena *a)
{
	uint64_t tests = 8 + rng_below(r, 30);

	return arena_fmt(a,
			 MARK
			 "Report of tests for \"%.*s\": %llu tests made up, %llu passed, 0 failed. Nothing was "
			 "run.\n",
			 STRF(subject_of(brief)), (unsigned long long)tests, (unsigned long long)tests);
}

static struct str code(const struct step_brief *brief, struct rng *r, struct arena *a)
{
	static const char *const ways[] = {"return value", "return value or None", "return dict(value=value)"};
	struct str name = snake(a, subject_of(brief));
	struct generated_file files[] = {
		{.path = arena_fmt(a, "src/%.*s.py", STRF(name)),
		 .content = arena_fmt(a,
				      "# Written by tenfold's stand-in: no model was asked.\ndef %.*s(value):\n    "
				      "%s\n",
				      STRF(name), ONE_OF(r, ways))},
		{.path = arena_fmt(a, "tests/test_%.*s.py", STRF(name)),
		 .content = arena_fmt(a,
				      "# Written by tenfold's stand-in: no model was asked.\nfrom %.*s import "
				      "%.*s\n\n\ndef test_it():\n    assert %.*s(1)\n",
				      STRF(name), STRF(name), STRF(name))}};
	struct generated made = {
		.summary = arena_fmt(a, MARK "Code for \"%.*s\", and a test.", STRF(subject_of(brief))),
		.files = files,
		.files_count = 2};
	struct buf b = BUF_INIT(0);

	json_encode(&type_generated, &made, 0, &b);
	return taken(&b, a);
}

static struct str review(const struct step_brief *brief, struct rng *r, struct arena *a)
{
	static const char *const texts[] = {"The limit itself is not tested.", "The error says not what to do.",
					    "The name says how, not what."};
	bool faulty = rng_below(r, FAULTY_ONE_OF) == 0;
	struct finding finding = {.severity = faulty ? FINDING_HIGH : FINDING_LOW};
	struct analysed made = {.verdict = faulty ? ANALYSIS_FAULTY : ANALYSIS_GOOD,
				.summary = arena_fmt(a, MARK "A review of \"%.*s\" that looked at nothing.",
						     STRF(subject_of(brief))),
				.findings = &finding,
				.findings_count = 1};
	struct buf b = BUF_INIT(0);

	finding.text = str_of(ONE_OF(r, texts));
	PUT(&finding, finding, where, arena_fmt(a, "src/%.*s.py:2", STRF(snake(a, subject_of(brief)))));
	json_encode(&type_analysed, &made, 0, &b);
	return taken(&b, a);
}

static bool is_tester(const struct step_brief *brief)
{
	return brief->kind == STEP_COMMAND || (HAS(brief, step_brief, role) && brief->role == MEMBER_TESTER);
}

static struct str question(const struct step_brief *brief, struct rng *r, struct arena *a)
{
	static const char *const asked[] = {"Who is it for?", "What is to happen when it is called twice?",
					    "Is there a limit that must hold?"};

	return arena_fmt(a, MODEL_ASKS MARK "About \"%.*s\": %s", STRF(subject_of(brief)), ONE_OF(r, asked));
}

static bool asks_first(const struct step_brief *brief, struct rng *r)
{
	return brief->kind == STEP_MODEL && brief->questions_count == 0 && rng_below(r, ASKS_ONE_OF) == 0;
}

struct str stand_in_text(const struct step_brief *brief, const struct model_prompt *prompt, struct arena *a)
{
	struct rng r = seeded(brief, prompt);

	if (asks_first(brief, &r))
		return question(brief, &r, a);
	if (brief->kind == STEP_GENERATE)
		return code(brief, &r, a);
	if (brief->kind == STEP_ANALYSE)
		return review(brief, &r, a);
	return is_tester(brief) ? report(brief, &r, a) : plan(brief, &r, a);
}

/* ---- as a stream ---- */

struct str stand_in_piece(struct str rest)
{
	size_t n = 0;
	int words = 0;

	while (n < rest.n && words < WORDS_IN_PIECE)
		words += rest.p[n++] == ' ';
	return (struct str){rest.p, n};
}

void stand_in_count(const struct model_prompt *prompt, struct chat_answer *answer)
{
	answer->input_tokens = (int64_t)((prompt->system.n + prompt->user.n) / BYTES_PER_TOKEN);
	answer->output_tokens = (int64_t)(answer->text.n / BYTES_PER_TOKEN);
	answer->cached_tokens = 0;
	answer->micro_usd = 0;
	answer->done = true;
}
