/* Records in the shape of their rows: one block each, its texts behind its events. */
#include "sim/recorder_priv.h"

#include "base/buf.h"
#include "base/magic.h"
#include "json/json.h"

#include <math.h>
#include <string.h>

static const char *const kinds[JOURNEY_KINDS] = {
	[JOURNEY_SESSION] = "session",
	[JOURNEY_IDLE] = "idle",
	[JOURNEY_OFFERS] = "offers",
	[JOURNEY_CLEANUP] = "cleanup",
};

/* A store refuses text with a NUL or that is not UTF-8, and a target may have sent such. */
static void clean(char *p, size_t n)
{
	struct str rest = {p, n};

	if (str_is_utf8(rest) && !memchr(p, '\0', n))
		return;
	for (size_t i = 0, step; i < n; i += step) {
		step = str_utf8_step((struct str){p + i, n - i});
		if (step == 0 || p[i] == '\0') {
			p[i] = '?';
			step = 1;
		}
	}
}

/* A copy at *at, which moves on. */
static struct str copy(struct str s, char **at)
{
	struct str made = {*at, s.n};

	if (s.n)
		memcpy(*at, s.p, s.n);
	clean(*at, s.n);
	*at += s.n;
	return made;
}

static void write_kept(const struct record_frame *frame, const struct journey_result *result, struct buf *b)
{
	const char *before = "{";

	for (unsigned i = 0; i < frame->kept_count; i++) {
		if (!isfinite(result->kept[i]))
			continue;
		buf_z(b, before);
		buf_json_text(b, frame->kept[i]);
		buf_c(b, ':');
		json_real(result->kept[i], b);
		before = ",";
	}
	buf_z(b, *before == '{' ? "{}" : "}");
}

static size_t text_bytes(const struct session_record *s, struct str kept)
{
	size_t n = s->agent_id.n + s->result->failure.n + kept.n;

	for (uint32_t i = 0; i < s->result->event_count; i++)
		n += s->result->events[i].type.n + s->result->events[i].payload.n;
	return n;
}

static void fill_session(const struct record_frame *frame, const struct session_record *s, struct str kept,
			 struct sim_session_row *row, char **texts)
{
	const struct journey_result *result = s->result;

	*row = (struct sim_session_row){
		.run = frame->run,
		.cycle = s->cycle,
		.attempt = frame->attempt,
		.agent = s->agent,
		.kind = str_of(kinds[s->kind]),
		.number = s->number,
		.replay = s->replay,
		.is_simulated = true,
		.agent_id = copy(s->agent_id, texts),
		.cohort = frame->cohorts[s->cohort],
		.outcome = frame->outcomes[result->outcome],
		.failure = result->failure.n ? copy(result->failure, texts) : (struct str){0},
		.started_ms = s->started_ms,
		.ended_ms = s->ended_ms,
		.calls = result->calls,
		.failed_calls = result->failed_calls,
		.kept = copy(kept, texts),
	};
}

static void fill_event(const struct sim_session_row *session, uint32_t seq, const struct journey_event *event,
		       struct sim_event_row *row, char **texts)
{
	*row = (struct sim_event_row){
		.run = session->run,
		.cycle = session->cycle,
		.attempt = session->attempt,
		.agent = session->agent,
		.kind = session->kind,
		.number = session->number,
		.seq = seq,
		.replay = session->replay,
		.is_simulated = true,
		.at_ms = event->at_ms,
		.type = copy(event->type, texts),
		.payload = copy(event->payload, texts),
	};
}

struct record *record_of_session(const struct record_frame *frame, const struct session_record *s)
{
	struct buf kept = BUF_INIT(0);
	size_t head = sizeof(struct record) + s->result->event_count * sizeof(struct sim_event_row), bytes;
	struct record *r;
	char *texts;

	CHECK(s->cohort < frame->cohort_count && s->result->outcome < frame->outcome_count);
	write_kept(frame, s->result, &kept);
	bytes = head + text_bytes(s, buf_str(&kept));
	r = must_alloc(bytes);
	r->bytes = bytes;
	r->event_count = s->result->event_count;
	texts = (char *)r + head;
	fill_session(frame, s, buf_str(&kept), &r->session, &texts);
	for (uint32_t i = 0; i < r->event_count; i++)
		fill_event(&r->session, i, &s->result->events[i], &r->events[i], &texts);
	CHECK(texts == (char *)r + bytes);
	buf_free(&kept);
	return r;
}

struct record *record_of_cycle(const struct record_frame *frame, const struct cycle_record *c)
{
	struct record *r = NEW(struct record);

	r->bytes = sizeof(*r);
	r->is_cycle = true;
	r->cycle = (struct sim_cycle_row){
		.run = frame->run,
		.cycle = c->cycle,
		.attempt = frame->attempt,
		.replay = c->replay,
		.is_simulated = true,
		.began_ms = c->began_ms,
		.took_ms = c->took_ms,
		.agents = c->agents,
		.active = c->active,
		.failures = c->failures,
		.requests = (int64_t)c->requests,
	};
	return r;
}

uint64_t record_rows(const struct session_record *s)
{
	return 1 + (uint64_t)s->result->event_count;
}

enum err record_write(struct db *db, const struct record *r)
{
	enum err e;

	if (r->is_cycle)
		return q_sim_cycle_insert(db, &r->cycle, 1);
	e = q_sim_session_insert(db, &r->session, 1);
	if (!e && r->event_count)
		e = q_sim_event_insert(db, r->events, r->event_count);
	return e;
}

/* ---- names ---- */

static const struct str *copy_names(const struct str *names, unsigned count, struct arena *a)
{
	struct str *copies = ARENA_ARRAY(a, struct str, count);

	CHECK(copies || !count);
	for (unsigned i = 0; i < count; i++)
		copies[i] = arena_str(a, names[i]);
	return copies;
}

void record_frame_names(const struct run_identity *id, struct arena *a, struct record_frame *frame)
{
	CHECK(id->kept_count <= RECORD_KEPT_MAX);
	frame->outcomes = copy_names(id->outcomes, id->outcome_count, a);
	frame->kept = copy_names(id->kept, id->kept_count, a);
	frame->cohorts = copy_names(id->cohorts, id->cohort_count, a);
	frame->outcome_count = id->outcome_count;
	frame->kept_count = id->kept_count;
	frame->cohort_count = id->cohort_count;
}
