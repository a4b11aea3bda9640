/*
 * Any bytes as a scenario: faults that can be printed, each with a line that the file has; or one whose agents can
 * be made and go through it, whatever a target answers, to an end.
 *
 * What follows a NUL is the target's answer.
 */
#include "base/magic.h"
#include "sim/journey.h"

#include <math.h>
#include <string.h>

enum { AGENTS = 3, CALLS = 50 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_faults(enum err e, const struct problem *p, struct str text)
{
	int lines = 1;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	CHECK(p->err == e && p->detail[0] && str_is_utf8(str_of(p->detail)));
	CHECK(p->line >= 0 && p->line <= lines);
	for (unsigned i = 0; i < p->field_count; i++) {
		int line = scenario_fault_line(text, p->fields[i].field);

		CHECK(p->fields[i].detail[0] && str_is_utf8(str_of(p->fields[i].detail)));
		CHECK(line >= 1 && line <= lines);
	}
}

static void check_result(const struct scenario *s, const struct journey_result *r)
{
	CHECK(r->outcome < scenario_outcome_count(s));
	for (unsigned i = 0; i < scenario_kept_count(s); i++)
		CHECK(isnan(r->kept[i]) || isfinite(r->kept[i]));
}

/* The first calls are answered, the others mocked; one that asks for more than it may is let go. */
static void live(struct journey_room *room, const struct journey_run *run, const struct journey_start *start,
		 struct str answer)
{
	struct journey *j = journey_begin(room, run, start);
	enum journey_want want;
	int calls = 0;

	while ((want = journey_next(j, start->now_ms)) != WANT_NOTHING && calls < CALLS) {
		if (want == WANT_REQUEST && calls++ % 4 < 3)
			journey_answer(j, &(struct journey_reply){.status = 200, .body = answer});
		else if (want == WANT_REQUEST)
			journey_answer_mock(j);
		else
			CHECK(journey_wait_s(j) > 0 && isfinite(journey_wait_s(j)));
	}
	if (want == WANT_NOTHING)
		check_result(run->scenario, journey_result(j));
	journey_end(room, &j);
}

static void live_all(const struct scenario *s, struct str answer)
{
	static const enum journey_kind kinds[] = {JOURNEY_SESSION, JOURNEY_IDLE, JOURNEY_OFFERS, JOURNEY_CLEANUP};
	struct moment moment = {.hour = 9, .weekday = 2, .month = 5, .day = 4};
	struct journey_run run = {.scenario = s, .seed = 5, .run_id = STR("run_1"), .key = STR("k_1")};
	struct journey_room *room;
	struct population *who;
	struct problem p = {0};

	if (population_generate(s, 5, AGENTS, &who, &p)) {
		CHECK(p.detail[0]);
		return;
	}
	room = journey_room_new();
	run.population = who;
	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		struct journey_start start = {.kind = kinds[agent % 4], .agent = agent, .moment = &moment};
		struct eagerness eager;

		scenario_eagerness(s, who, agent, 5, &eager);
		CHECK(eager.weekly >= 0 && isfinite(eager.weekly));
		live(room, &run, &start, answer);
	}
	journey_room_free(&room);
	population_free(&who);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size}, answer = {0};
	const char *end = size ? memchr(data, 0, size) : NULL;
	struct scenario *s = NULL;
	struct problem p = {0};
	enum err e;

	if (end) {
		text.n = (size_t)(end - text.p);
		answer = (struct str){end + 1, size - text.n - 1};
	}
	e = scenario_parse(text, STR("f.json"), &s, &p);
	CHECK((e == OK) == (s != NULL));
	if (e)
		check_faults(e, &p, text);
	else
		live_all(s, answer);
	scenario_free(&s);
	return 0;
}
