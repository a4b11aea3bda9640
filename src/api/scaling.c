/* See scaling.h, and the calls that show a load. */
#include "api/scaling.h"

#include "api/api.h"
#include "api/app.h"
#include "base/id.h"
#include "base/log.h"

#include <inttypes.h>
#include <math.h>

enum { TICK_BYTES = 64 << 10 };

struct watched {
	int64_t tenant;
	struct scaler scaler;
};

struct scaling {
	struct scaler_config config;
	struct map by_tenant;
	int64_t ticked_ms;
	struct arena *arena; /* of a tick */
};

enum err scaling_new(const struct serve_params *params, struct zones *zones, struct scaling **out,
		     struct problem *p)
{
	struct scaling *s = NEW(struct scaling);
	s->config.min = params->autoscale_min;
	s->config.max = params->autoscale_max;
	s->arena = arena_new(TICK_BYTES);
	*out = s;
	if (s->config.min > s->config.max)
		return problem_set(p, ERR_USAGE, "--autoscale-min is more than --autoscale-max");
	return scaler_hours_parse(params->autoscale_hours, zones, "--autoscale-hours", &s->config, p);
}

void scaling_destroy(struct scaling **sp)
{
	struct scaling *s = *sp;
	struct watched *one;
	if (!s)
		return;
	for (size_t i = 0; (one = map_next(&s->by_tenant, &i));) {
		scaler_free(&one->scaler);
		free(one);
	}
	map_free(&s->by_tenant);
	arena_destroy(&s->arena);
	free(s);
	*sp = NULL;
}

/* ---- watching ---- */

void scaling_count(struct scaling *s, const struct work_happening *h)
{
	struct watched *one = s->by_tenant.count ? map_get(&s->by_tenant, (uint64_t)h->queue->tenant) : NULL;
	if (!one)
		return;
	one->scaler.enqueued += h->kind == EVENT_ENQUEUED;
	one->scaler.ended += h->kind == EVENT_COMPLETED || h->kind == EVENT_FAILED || h->kind == EVENT_RETRYING;
}

static struct scaler_figures figures_of(const struct work *w, int64_t tenant, int64_t now_ms)
{
	int64_t oldest_ms = work_oldest_ready_ms(w, tenant);
	return (struct scaler_figures){.depth = (int64_t)work_count_tenant(w, tenant, WORK_READY),
				       .scheduled = (int64_t)work_count_tenant(w, tenant, WORK_SCHEDULED),
				       .blocked = (int64_t)work_count_tenant(w, tenant, WORK_BLOCKED),
				       .busy = (int64_t)work_count_tenant(w, tenant, WORK_LEASED),
				       .idle = (int64_t)work_waiting_tenant(w, tenant),
				       .oldest_age_ms = oldest_ms && oldest_ms < now_ms ? now_ms - oldest_ms : 0};
}

static void look(struct watched *one, const struct work *w, int64_t now_ms, struct arena *a, struct autoscale *out)
{
	struct scaler_figures now = figures_of(w, one->tenant, now_ms);
	char tenant[ID_TEXT];
	if (!scaler_show(&one->scaler, &now, now_ms, a, out) || out->desired == out->workers)
		return;
	id_format(tenant, "t_", one->tenant);
	LOG_I("autoscale.would",
	      "tenant=%s workers=%" PRId64 " desired=%" PRId64 " depth=%" PRId64 " busy=%" PRId64, tenant,
	      out->workers, out->desired, out->depth, out->busy);
}

void scaling_tick(struct scaling *s, const struct work *w, int64_t now_ms)
{
	struct watched *one;
	struct autoscale load;
	if (!s->by_tenant.count || now_ms - s->ticked_ms < SCALER_DECIDE_MS / 3)
		return;
	s->ticked_ms = now_ms;
	for (size_t i = 0; (one = map_next(&s->by_tenant, &i));) {
		arena_reset(s->arena);
		look(one, w, now_ms, s->arena, &load);
	}
}

void scaling_show(struct scaling *s, const struct work *w, int64_t tenant, int64_t now_ms, struct arena *a,
		  struct autoscale *out)
{
	struct watched *one = map_get(&s->by_tenant, (uint64_t)tenant);
	if (!one) {
		one = NEW(struct watched);
		one->tenant = tenant;
		scaler_init(&one->scaler, &s->config, now_ms);
		map_put(&s->by_tenant, (uint64_t)tenant, one);
	}
	look(one, w, now_ms, a, out);
}

/* ---- calls ---- */

enum err api_autoscale(struct call *c, const struct nothing *in, struct autoscale *out)
{
	struct app *app = call_app(c);
	(void)in;
	scaling_show(app->scaling, app->persist->work, c->caller.tenant, c->now_ms, c->arena, out);
	return OK;
}

/* A number as Kubernetes writes quantities. */
static struct str quantity(double v, struct arena *a)
{
	double thousandths = round(v * 1000);
	if (fmod(thousandths, 1000) == 0)
		return arena_fmt(a, "%.0f", thousandths / 1000);
	return arena_fmt(a, "%.0fm", thousandths);
}

/* The value of a member that is a number; false when it is not known. */
static bool figure_of(const struct autoscale *load, uint32_t field, double *out)
{
	const struct json_field *f = &type_autoscale.fields[field];
	const char *at = (const char *)load + f->offset;
	*out = f->kind == JSON_REAL ? *(const double *)(const void *)at
				    : (double)*(const int64_t *)(const void *)at;
	return f->need == JSON_REQUIRED || (load->seen >> field & 1);
}

static bool is_figure(const struct json_field *f)
{
	return f->kind == JSON_INT || f->kind == JSON_REAL || f->kind == JSON_MS;
}

enum err api_autoscale_metric(struct call *c, const struct external_metric_in *in, struct external_metric_list *out)
{
	struct app *app = call_app(c);
	const struct json_field *f = json_field_by_name(&type_autoscale, in->metric);
	struct external_metric *item = ARENA_NEW(c->arena, struct external_metric);
	struct autoscale load;
	double value;
	if (!item)
		return ERR_INTERNAL;
	if (!f || !is_figure(f))
		return call_fail(c, ERR_NOT_FOUND, "there is no figure '%.*s' in GET /v1/autoscale",
				 STRF(in->metric));
	scaling_show(app->scaling, app->persist->work, c->caller.tenant, c->now_ms, c->arena, &load);
	out->kind = STR("ExternalMetricValueList");
	out->apiVersion = STR("external.metrics.k8s.io/v1beta1");
	out->items = item;
	if (!figure_of(&load, (uint32_t)(f - type_autoscale.fields), &value))
		return OK;
	*item = (struct external_metric){
		.metricName = in->metric, .timestamp = c->now_ms, .value = quantity(value, c->arena)};
	out->items_count = 1;
	return OK;
}
