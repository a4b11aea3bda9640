/* See scaler.h. */
#include "schedule/scaler.h"

#include "base/arena.h"

#include <math.h>

enum { SAMPLE_MS = 5000, WINDOW_MS = 60000, REASONS = 4 };

static const double target_use = 0.8; /* of a worker's time, and of what workers bear */

/* ---- hours ---- */

static struct str next_part(struct str *rest, char end)
{
	return str_trim(str_cut(*rest, end, rest));
}

static enum err parse_hours(struct str text, struct zones *zones, const char *field, struct autoscale_hours *out,
			    struct problem *p)
{
	struct problem why = {0};
	struct str begin = next_part(&text, ';'), end = next_part(&text, ';'), zone = next_part(&text, ';');
	enum err err = cron_parse(begin, &out->begin, &why);
	if (!err)
		err = cron_parse(end, &out->end, &why);
	if (!err)
		err = zones_get(zones, zone, "zone", &out->zone, &why);
	if (err)
		return problem_field(p, err, field, "%s", why.detail);
	if (!str_to_i64(str_trim(text), &out->workers) || out->workers < 1)
		return problem_field(p, ERR_INVALID, field,
				     "needs 'BEGIN; END; ZONE; WORKERS', such as '30 8 * * 1-5; 0 18 * * 1-5; "
				     "Europe/Berlin; 10'");
	return OK;
}

enum err scaler_hours_parse(struct str text, struct zones *zones, const char *field, struct scaler_config *out,
			    struct problem *p)
{
	out->hours_count = 0;
	while (text.n) {
		if (out->hours_count == SCALER_HOURS_MAX)
			return problem_field(p, ERR_INVALID, field, "has more than %d parts", SCALER_HOURS_MAX);
		struct str part = next_part(&text, '|');
		enum err err = parse_hours(part, zones, field, &out->hours[out->hours_count++], p);
		if (err)
			return err;
	}
	return OK;
}

/* ---- rates ---- */

void scaler_init(struct scaler *s, const struct scaler_config *config, int64_t now_ms)
{
	struct autoscale_rules rules = autoscale_defaults;
	rules.min = config->min;
	rules.max = config->max;
	*s = (struct scaler){.config = config, .begun_ms = now_ms, .band = autoscale_band_defaults};
	autoscale_init(&s->engine, &rules);
}

void scaler_free(struct scaler *s)
{
	autoscale_free(&s->engine);
}

static struct scaler_sample *sample_at(struct scaler *s, size_t n)
{
	return &s->samples[n % SCALER_SAMPLES];
}

static void take_sample(struct scaler *s, const struct scaler_figures *now, int64_t now_ms)
{
	if (s->sample_count && now_ms - sample_at(s, s->sample_count - 1)->at_ms < SAMPLE_MS)
		return;
	*sample_at(s, s->sample_count++) = (struct scaler_sample){now_ms, s->enqueued, s->ended, now->busy};
}

struct rates {
	bool known;
	double arrival, service;
	double busy; /* on average */
};

/* Over the last minute, or as long as it was watched. */
static struct rates rates_of(struct scaler *s, const struct scaler_figures *now, int64_t now_ms)
{
	size_t first = s->sample_count,
	       oldest = s->sample_count > SCALER_SAMPLES ? s->sample_count - SCALER_SAMPLES : 0;
	double busy = (double)now->busy, count = 1;
	while (first > oldest && (first == s->sample_count || sample_at(s, first)->at_ms > now_ms - WINDOW_MS)) {
		first--;
		busy += (double)sample_at(s, first)->busy;
		count++;
	}
	if (first == s->sample_count || now_ms - sample_at(s, first)->at_ms < SAMPLE_MS)
		return (struct rates){0};
	const struct scaler_sample *from = sample_at(s, first);
	double seconds = (double)(now_ms - from->at_ms) / 1000;
	return (struct rates){.known = true,
			      .arrival = (double)(s->enqueued - from->enqueued) / seconds,
			      .service = (double)(s->ended - from->ended) / seconds,
			      .busy = busy / count};
}

static bool capacity_of(const struct rates *r, double *out)
{
	*out = r->known && r->busy > 0 ? r->service / r->busy : 0;
	return *out > 0;
}

/* ---- what each metric proposes ---- */

static void add_reason(struct autoscale *out, enum autoscale_metric_name metric, double value, double target,
		       int64_t workers)
{
	struct autoscale_reason *r = &out->reasons[out->reasons_count++];
	*r = (struct autoscale_reason){.metric = (int)metric};
	PUT(r, autoscale_reason, value, value);
	PUT(r, autoscale_reason, target, target);
	PUT(r, autoscale_reason, workers, workers);
}

static void by_rate(const struct scaler *s, const struct rates *r, int64_t workers, struct autoscale *out)
{
	double capacity;
	if (capacity_of(r, &capacity)) {
		int64_t proposed =
			autoscale_by_total(s->engine.rules.tolerance, r->arrival, target_use * capacity, workers);
		add_reason(out, SCALE_BY_RATE, r->arrival, target_use * capacity, proposed);
	} else {
		out->reasons[out->reasons_count++] = (struct autoscale_reason){.metric = SCALE_BY_RATE};
	}
}

static void propose(struct scaler *s, const struct scaler_figures *now, const struct rates *r, int64_t now_ms,
		    struct autoscale *out)
{
	int64_t workers = now->busy + now->idle;
	int64_t hours = autoscale_by_hours(s->config->hours, s->config->hours_count, now_ms);
	add_reason(out, SCALE_BY_UTILISATION, (double)now->busy, target_use,
		   autoscale_by_total(s->engine.rules.tolerance, (double)now->busy, target_use, workers));
	add_reason(out, SCALE_BY_QUEUE, (double)now->depth, (double)s->band.above,
		   autoscale_by_band(&s->band, now->depth, workers, now_ms));
	by_rate(s, r, workers, out);
	if (s->config->hours_count)
		add_reason(out, SCALE_BY_HOURS, (double)hours, (double)hours, hours);
}

bool scaler_is_due(const struct scaler *s, int64_t now_ms)
{
	return s->decided_ms == 0 || now_ms - s->decided_ms >= SCALER_DECIDE_MS;
}

static void decide(struct scaler *s, const struct autoscale *load, int64_t now_ms)
{
	int64_t proposed = 0;
	bool failed = false;
	for (size_t i = 0; i < load->reasons_count; i++) {
		const struct autoscale_reason *r = &load->reasons[i];
		failed = failed || !HAS(r, autoscale_reason, workers);
		if (r->workers > proposed)
			proposed = r->workers;
	}
	autoscale_changed(&s->engine, s->decided_ms ? s->workers : load->workers, load->workers, now_ms);
	s->workers = load->workers;
	s->desired = autoscale_decide(&s->engine, proposed, failed, load->workers, now_ms);
	s->decided_ms = now_ms;
}

/* ---- all of it ---- */

static void show_rates(const struct rates *r, const struct scaler_figures *now, struct autoscale *out)
{
	double capacity;
	if (out->workers)
		PUT(out, autoscale, utilisation, (double)now->busy / (double)out->workers);
	if (r->known) {
		PUT(out, autoscale, arrival_rate, r->arrival);
		PUT(out, autoscale, service_rate, r->service);
	}
	if (capacity_of(r, &capacity))
		PUT(out, autoscale, capacity, capacity);
}

bool scaler_show(struct scaler *s, const struct scaler_figures *now, int64_t now_ms, struct arena *a,
		 struct autoscale *out)
{
	*out = (struct autoscale){.depth = now->depth,
				  .scheduled = now->scheduled,
				  .blocked = now->blocked,
				  .busy = now->busy,
				  .idle = now->idle,
				  .workers = now->busy + now->idle,
				  .oldest_age_ms = now->oldest_age_ms,
				  .watched_ms = now_ms - s->begun_ms,
				  .reasons = ARENA_ARRAY(a, struct autoscale_reason, REASONS)};
	CHECK(out->reasons);
	take_sample(s, now, now_ms);
	struct rates rates = rates_of(s, now, now_ms);
	show_rates(&rates, now, out);
	propose(s, now, &rates, now_ms, out);
	bool due = scaler_is_due(s, now_ms);
	if (due)
		decide(s, out, now_ms);
	out->desired = s->desired;
	return due;
}
