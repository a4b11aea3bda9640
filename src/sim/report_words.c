/*
 * A run in sentences: what came of it, for who reads nothing else; and what to know before the numbers are believed.
 */
#include "sim/report_priv.h"

enum { SENTENCES_MAX = 32, SENTENCE_MAX = 1000, REQUESTS_FOR_P99 = 1000, SESSIONS_FOR_SHARES = 400 };

static void count_of(struct buf *b, int64_t n, const char *one, const char *many)
{
	words_count(b, n);
	buf_fmt(b, " %s", n == 1 ? one : many);
}

/* once, twice, 3 times */
static void times_of(struct buf *b, int64_t n)
{
	if (n <= 2)
		buf_z(b, n == 1 ? "once" : "twice");
	else
		count_of(b, n, "time", "times");
}

/* ---- sentences ---- */

struct sentences {
	struct str *v;
	size_t n;
	struct buf b; /* the one that is being made */
	struct arena *arena;
};

static struct sentences begin(struct arena *a)
{
	return (struct sentences){
		.v = ARENA_ARRAY(a, struct str, SENTENCES_MAX), .b = BUF_INIT(SENTENCE_MAX), .arena = a};
}

static struct buf *sentence(struct sentences *s)
{
	buf_reset(&s->b);
	return &s->b;
}

static void put(struct sentences *s)
{
	if (s->v && s->n < SENTENCES_MAX && buf_ok(&s->b) && s->b.n > 0)
		s->v[s->n++] = arena_str(s->arena, buf_str(&s->b));
}

static void end(struct sentences *s, struct str **v, size_t *n)
{
	*v = s->v;
	*n = s->n;
	buf_free(&s->b);
}

/* ---- what came of it ---- */

static void say_span(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);

	count_of(b, r->agents, "agent", "agents");
	buf_z(b, " went through ");
	count_of(b, r->cycles_whole, "simulated hour", "simulated hours");
	if (r->start) {
		buf_z(b, ", from ");
		words_hour(b, r->start);
	}
	if (r->elapsed_ms > 0) {
		buf_z(b, ", in ");
		words_span(b, r->elapsed_ms);
		buf_z(b, " of real time");
	}
	buf_c(b, '.');
	put(s);
}

static void say_sessions(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);
	int64_t sessions = 0;
	bool first = true;

	for (size_t i = 0; i < r->outcomes_count; i++)
		sessions += r->outcomes[i].sessions;
	buf_z(b, "They had ");
	count_of(b, sessions, "session", "sessions");
	for (size_t i = 0; sessions > 0 && i < r->outcomes_count; i++) {
		if (r->outcomes[i].sessions == 0)
			continue;
		buf_z(b, first ? ": " : ", ");
		words_percent(b, r->outcomes[i].share);
		buf_fmt(b, " %.*s", STRF(r->outcomes[i].name));
		first = false;
	}
	buf_c(b, '.');
	put(s);
}

static void say_kept(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);
	bool first = true;

	for (size_t i = 0; i < r->kept_count; i++) {
		const struct checkpoint_kept *k = &r->kept[i];

		if (k->sessions == 0)
			continue;
		buf_fmt(b, "%s%.*s %.2f", first ? "Kept of a session, on average: " : ", ", STRF(k->name),
			k->sum / (double)k->sessions);
		first = false;
	}
	if (!first)
		buf_c(b, '.');
	put(s);
}

static void say_requests(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);

	if (r->response.count == 0)
		return;
	buf_z(b, "The target answered ");
	count_of(b, r->response.count, "request", "requests");
	buf_fmt(b, ", %.1f a second: half of them within ", r->rate_measured);
	words_ms(b, r->response.p50_ms);
	buf_z(b, ", 95 of a hundred within ");
	words_ms(b, r->response.p95_ms);
	buf_z(b, ", the slowest after ");
	words_ms(b, r->response.max_ms);
	buf_c(b, '.');
	put(s);
}

static void say_slowest(struct sentences *s, const struct sim_report *r)
{
	const struct report_endpoint *slowest = NULL;
	struct buf *b = sentence(s);

	for (size_t i = 0; i < r->endpoints_count; i++)
		if (r->endpoints[i].response.count > 0 &&
		    (!slowest || r->endpoints[i].response.p95_ms > slowest->response.p95_ms))
			slowest = &r->endpoints[i];
	if (!slowest || r->endpoints_count < 2)
		return;
	buf_fmt(b, "Slowest was %.*s: 95 of a hundred within ", STRF(str_clip(slowest->name, 200)));
	words_ms(b, slowest->response.p95_ms);
	buf_c(b, '.');
	put(s);
}

static void say_failures(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);

	if (r->totals.requests_failed == 0) {
		buf_z(b, r->totals.requests > 0 ? "Every request got the answer that the scenario expects." : "");
	} else {
		count_of(b, r->totals.requests_failed, "request", "requests");
		buf_z(b, " (");
		words_percent(b, (double)r->totals.requests_failed / (double)r->totals.requests);
		buf_z(b, ") did not get the answer that the scenario expects.");
	}
	put(s);
}

static void say_breaker(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);

	if (r->trips == 0)
		return;
	buf_z(b, "The circuit breaker opened ");
	times_of(b, r->trips);
	buf_c(b, '.');
	put(s);
}

static void say_resumes(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);

	if (r->attempts == 0)
		return;
	buf_z(b, "The run was resumed ");
	times_of(b, r->attempts);
	if (r->cycles_replayed > 0) {
		buf_z(b, "; ");
		count_of(b, r->cycles_replayed, "cycle was run again, is marked as a replay and counts once",
			 "cycles were run again, are marked as replays and count once");
	}
	buf_c(b, '.');
	put(s);
}

static void say_thresholds(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);
	int64_t failed = 0;

	for (size_t i = 0; i < r->thresholds_count; i++)
		failed += r->thresholds[i].failed;
	if (r->thresholds_count == 0)
		return;
	if (failed == 0)
		buf_z(b, "All thresholds held.");
	else
		buf_fmt(b, "%lld of %zu thresholds did not hold.", (long long)failed, r->thresholds_count);
	put(s);
}

static void say_realism(struct sentences *s, const struct sim_report *r)
{
	int64_t counts[REALISM_UNKNOWN + 1] = {0};
	struct buf *b = sentence(s);

	for (size_t i = 0; i < r->realism.lines_count; i++)
		counts[r->realism.lines[i].verdict]++;
	for (size_t i = 0; i < r->realism.shapes_count; i++)
		counts[r->realism.shapes[i].verdict]++;
	if (!HAS(r, sim_report, realism))
		return;
	buf_fmt(b, "Beside what is published of such shoppers (%.*s) ", STRF(r->realism.profile));
	count_of(b, counts[REALISM_ALIKE], "figure is alike", "figures are alike");
	buf_fmt(b, ", %lld different", (long long)counts[REALISM_DIFFERENT]);
	if (counts[REALISM_OPEN] + counts[REALISM_UNKNOWN] > 0)
		buf_fmt(b, ", and of %lld this run cannot tell",
			(long long)(counts[REALISM_OPEN] + counts[REALISM_UNKNOWN]));
	buf_c(b, '.');
	put(s);
}

static void say_cohort(struct sentences *s, const struct report_cohort *c)
{
	static const double sure = 0.05;
	struct buf *b = sentence(s);
	const char *between = " by more than chance in ";

	buf_fmt(b, "Cohort %.*s differs from the first", STRF(c->name));
	for (size_t i = 0; i < c->values_count; i++) {
		const struct report_cohort_value *v = &c->values[i];

		if (!HAS(v, report_cohort_value, p_raised) || v->p_raised >= sure)
			continue;
		buf_fmt(b, "%s%.*s (%+.3g, p %.2g)", between, STRF(v->name), v->difference, v->p_raised);
		between = ", ";
	}
	buf_z(b, *between == ',' ? "." : " in nothing by more than chance.");
	put(s);
}

static void say_cohorts(struct sentences *s, const struct sim_report *r)
{
	for (size_t i = 1; i < r->cohorts_count; i++)
		say_cohort(s, &r->cohorts[i]);
}

/* ---- what to doubt ---- */

static void doubt_end(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);

	switch ((enum report_cut)r->cut) {
	case REPORT_ENDED:
		return;
	case REPORT_GOES_ON:
		buf_z(b, "The run is under way. This is how far it is");
		break;
	case REPORT_CUT_OFF:
		buf_z(b, "The run was cut off, and can be resumed. This is how far it got");
		break;
	}
	if (r->saved) {
		buf_z(b, "; totals and latencies are of ");
		words_hour(b, r->saved);
		buf_z(b, " UTC, when it last wrote them down");
	}
	buf_c(b, '.');
	put(s);
}

static void doubt_mocks(struct sentences *s, const struct sim_report *r, const char *trouble)
{
	if (r->target.n == 0) {
		buf_z(sentence(s),
		      "Answers were made up by the scenario (--mock-api): no request was sent, and what "
		      "depends on a target's answers is the scenario's guess.");
		put(s);
	}
	if (*trouble)
		buf_fmt(sentence(s),
			"The records could not be read (%s): cycles, failures and cohorts are missing.", trouble);
	else if (r->cycles_count == 0)
		buf_z(sentence(s), r->store.n
					   ? "There are no records of whole cycles here: cycles, failures and "
					     "cohorts are missing."
					   : "No records were kept (--mock-db): cycles, failures and cohorts are "
					     "missing.");
	else
		return;
	put(s);
}

static void doubt_counted(struct sentences *s, int64_t n, const char *one, const char *many)
{
	if (n == 0)
		return;
	count_of(sentence(s), n, one, many);
	put(s);
}

static void doubt_pace(struct sentences *s, const struct sim_report *r)
{
	doubt_counted(s, r->slipped,
		      "cycle took longer than its time: for what was asked of it, the target or the limit is too "
		      "slow at this time scale.",
		      "cycles took longer than their time: for what was asked of it, the target or the limit is "
		      "too slow at this time scale.");
	doubt_counted(s, r->totals.dropped_arrivals, "arrival found no agent ready and was dropped.",
		      "arrivals found no agent ready and were dropped.");
	doubt_counted(s, r->totals.late_arrivals, "arrival began late: this machine did not keep up.",
		      "arrivals began late: this machine did not keep up.");
	doubt_counted(
		s, r->totals.held_429,
		"answer was 429 and held everybody: the target's own limit is lower than the allowed rate.",
		"answers were 429 and held everybody: the target's own limit is lower than the allowed rate.");
	doubt_counted(s, r->totals.offers_short, "offer could not be given, for want of ones that are fresh.",
		      "offers could not be given, for want of ones that are fresh.");
}

static void doubt_throttle(struct sentences *s, const struct sim_report *r)
{
	struct buf *b = sentence(s);

	if (r->rate <= 0 || r->throttle.p95_ms < 1000)
		return;
	buf_fmt(b, "Requests waited for the limit of %g a second, 5 of a hundred longer than ", r->rate);
	words_ms(b, r->throttle.p95_ms);
	buf_z(b, "; that wait is in neither response nor service times.");
	put(s);
}

static void doubt_few(struct sentences *s, const struct sim_report *r)
{
	int64_t few = 0, sessions = 0;

	for (size_t i = 0; i < r->endpoints_count; i++)
		few += r->endpoints[i].response.count > 0 && r->endpoints[i].response.count < REQUESTS_FOR_P99;
	for (size_t i = 0; i < r->outcomes_count; i++)
		sessions += r->outcomes[i].sessions;
	doubt_counted(s, few, "endpoint had fewer than 1,000 requests: its p99 rests on less than ten of them.",
		      "endpoints had fewer than 1,000 requests: their p99 rests on less than ten of them.");
	if (sessions < SESSIONS_FOR_SHARES)
		doubt_counted(s, sessions, "session is too few for shares: look at their margins.",
			      "sessions are few for shares: look at their margins.");
}

void report_put_words(struct sim_report *r, const char *trouble, struct arena *a)
{
	struct sentences summary = begin(a), doubts = begin(a);

	say_span(&summary, r);
	say_sessions(&summary, r);
	say_kept(&summary, r);
	say_requests(&summary, r);
	say_slowest(&summary, r);
	say_failures(&summary, r);
	say_breaker(&summary, r);
	say_resumes(&summary, r);
	say_thresholds(&summary, r);
	say_realism(&summary, r);
	say_cohorts(&summary, r);
	end(&summary, &r->summary, &r->summary_count);
	doubt_end(&doubts, r);
	doubt_mocks(&doubts, r, trouble);
	doubt_pace(&doubts, r);
	doubt_throttle(&doubts, r);
	doubt_few(&doubts, r);
	end(&doubts, &r->doubts, &r->doubts_count);
}
