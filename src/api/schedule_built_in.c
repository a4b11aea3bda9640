/* What the schedules do that are built in: by their type. */
#include "api/schedules.h"
#include "archive/archiver.h"
#include "archive/archives.h"
#include "base/log.h"
#include "jobs/jobs.h"
#include "roles/cost.h"

#include <inttypes.h>

static const int64_t DAY_MS = 86400000, PRICES_HOLD_DAYS = 92;

static enum err ask(struct app *app, enum archive_wish wish, int64_t before_ms)
{
	archiver_wake(app->archiver);
	return archive_ask(app->persist->db, wish, 0, before_ms);
}

static struct str time_text(struct arena *a, const char *what, int64_t at_ms)
{
	char at[CLOCK_TEXT];
	clock_format(at_ms, at);
	return arena_fmt(a, "%s %s", what, at);
}

static enum err archive_old(struct app *app, struct arena *a, int64_t now_ms, struct fired *out)
{
	int64_t before_ms = now_ms - app->archive_after_ms;
	out->detail = time_text(a, "archives what ended before", before_ms);
	return ask(app, WISH_ARCHIVE, before_ms);
}

static enum err count_days(struct app *app, struct arena *a, int64_t now_ms, struct fired *out)
{
	int64_t before_ms = now_ms - now_ms % DAY_MS;
	out->detail = time_text(a, "counts what ended before", before_ms);
	return ask(app, WISH_COUNT, before_ms);
}

static enum err look_at_health(struct app *app, struct arena *a, struct fired *out)
{
	struct job_status jobs[JOBS_MAX];
	size_t count = jobs_list(app->jobs, a, jobs), late = 0;
	for (size_t i = 0; i < count; i++)
		late += jobs[i].late;
	if (late)
		LOG_W("health.late", "jobs=%zu late=%zu", count, late);
	out->detail = arena_fmt(a, "%zu jobs, %zu of them late; %" PRIu64 " executions and %" PRIu32 " calls wait",
				count, late, flow_count(app->flow->flow), executor_queued(app->executor));
	return OK;
}

static enum err remind_of_prices(struct app *app, struct arena *a, int64_t now_ms, struct fired *out)
{
	struct clock_date then = clock_date(now_ms - PRICES_HOLD_DAYS * DAY_MS);
	struct str month = arena_fmt(a, "%04" PRId64 "-%02d", then.year, then.month);
	size_t all, old = prices_before(app->prices, month.p, &all);
	if (old)
		LOG_W("prices.reminder", "old=%zu all=%zu before=%s", old, all, month.p);
	out->detail =
		arena_fmt(a, "%zu of %zu prices of models are of before %s, or have no date%s", old, all, month.p,
			  old ? ": look whether they still hold, and put those that do not into prices.json" : "");
	return OK;
}

enum err schedule_run_built_in(struct app *app, const struct fire *fire, struct arena *a, int64_t now_ms,
			       struct fired *out)
{
	struct str type = fire->given->type;
	if (str_eqz(type, "tf.archive"))
		return archive_old(app, a, now_ms, out);
	if (str_eqz(type, "tf.counts"))
		return count_days(app, a, now_ms, out);
	return str_eqz(type, "tf.health") ? look_at_health(app, a, out) : remind_of_prices(app, a, now_ms, out);
}
