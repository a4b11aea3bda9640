/*
 * Prices, use, and what follows from them.
 *
 * A model is looked for by the word it was asked for, then by what that word stands for; in the user's rows first.
 */
#include "roles/cost.h"

#include "roles/provider.h"

#include <string.h>

const struct price prices[] = {
#define PRICE(model, input, output, read, write, date, source) {model, input, output, read, write, date, source},
#define ALIAS(word, model, date, source)
#define DEFAULT(preset, model, date, source)
#include "roles/prices.def"
#undef PRICE
#undef ALIAS
#undef DEFAULT
};
const unsigned price_count = sizeof(prices) / sizeof(prices[0]);

const struct usage usages[] = {
#define USAGE(role, input, output, read, write, date, source) \
	{ROLE_##role, input, output, read, write, date, source},
#define EFFORT(effort, factor, date, source)
#include "roles/usage.def"
#undef USAGE
#undef EFFORT
};
const unsigned usage_count = sizeof(usages) / sizeof(usages[0]);

const struct effort_factor effort_factors[] = {
#define USAGE(role, input, output, read, write, date, source)
#define EFFORT(effort, factor, date, source) {EFFORT_##effort, factor, date, source},
#include "roles/usage.def"
#undef USAGE
#undef EFFORT
};
const unsigned effort_factor_count = sizeof(effort_factors) / sizeof(effort_factors[0]);

double effort_factor(enum effort e)
{
	for (unsigned i = 0; i < effort_factor_count; i++)
		if (effort_factors[i].effort == e)
			return effort_factors[i].factor;
	return 1;
}

/* ---- which model ---- */

struct meaning {
	const char *word, *model, *source;
};

static const struct meaning aliases[] = {
#define PRICE(model, input, output, read, write, date, source)
#define ALIAS(word, model, date, source) {word, model, source},
#define DEFAULT(preset, model, date, source)
#include "roles/prices.def"
#undef PRICE
#undef ALIAS
#undef DEFAULT
};

static const struct meaning defaults[] = {
#define PRICE(model, input, output, read, write, date, source)
#define ALIAS(word, model, date, source)
#define DEFAULT(preset, model, date, source) {preset, model, source},
#include "roles/prices.def"
#undef PRICE
#undef ALIAS
#undef DEFAULT
};

/* "anthropic/claude-…" of routers, "eu.anthropic.claude-…" of Bedrock. */
static struct str without_provider(struct str model)
{
	static const struct str vendor = {"anthropic.", 10};

	for (size_t i = model.n; i > 0; i--)
		if (model.p[i - 1] == '/')
			return without_provider((struct str){model.p + i, model.n - i});
	for (size_t i = 0; i + vendor.n < model.n; i++)
		if (str_starts((struct str){model.p + i, model.n - i}, vendor))
			return (struct str){model.p + i + vendor.n, model.n - i - vendor.n};
	return model;
}

/* What may follow a name without making it another model: a date, a stage, a size of context, a revision. */
static bool is_variant(struct str rest)
{
	static const char *const endings[] = {"[", "@", ":", "-20", "-preview", "-latest", "-v1", "-v2"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (str_starts(rest, str_of(endings[i])))
			return true;
	return rest.n == 0;
}

static bool is_model(struct str given, const char *name)
{
	struct str n = str_of(name);

	return str_starts(given, n) && is_variant((struct str){given.p + n.n, given.n - n.n});
}

struct str model_meant(struct str model, struct str preset, const char **why)
{
	const char *unused;

	why = why ? why : &unused;
	*why = NULL;
	for (size_t i = 0; model.n == 0 && i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (str_eqz(preset, defaults[i].word)) {
			*why = defaults[i].source;
			return str_of(defaults[i].model);
		}
	model = without_provider(model);
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (is_model(model, aliases[i].word)) {
			*why = aliases[i].source;
			return str_of(aliases[i].model);
		}
	return model;
}

/* ---- prices ---- */

static const struct price *find_price(const struct price *rows, size_t count, struct str model)
{
	for (size_t i = 0; model.n && i < count; i++)
		if (is_model(model, rows[i].model))
			return &rows[i];
	return NULL;
}

const struct price *price_in(const struct cost_tables *t, struct str model, struct str preset)
{
	struct str meant = model_meant(model, preset, NULL);
	const struct price *p = t ? find_price(t->prices, t->price_count, without_provider(model)) : NULL;

	if (!p && t)
		p = find_price(t->prices, t->price_count, meant);
	return p ? p : find_price(prices, price_count, meant);
}

static bool is_before(const struct price *p, const char *month)
{
	return !p->date || strcmp(p->date, month) < 0;
}

size_t prices_before(const struct cost_tables *t, const char *month, size_t *of)
{
	size_t own = t ? t->price_count : 0, old = 0;

	*of = own;
	for (size_t i = 0; i < own; i++)
		old += is_before(&t->prices[i], month);
	for (size_t i = 0; i < price_count; i++)
		if (!own || !find_price(t->prices, own, str_of(prices[i].model))) {
			old += is_before(&prices[i], month);
			++*of;
		}
	return old;
}

static double usd_of(const struct price *p, double input, double output, double cache_read, double cache_write)
{
	return (input * p->input + output * p->output + cache_read * p->cache_read + cache_write * p->cache_write) /
	       1e6;
}

/* ---- of a role ---- */

static const struct usage *find_usage(const struct usage *rows, size_t count, enum role role)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].role == role)
			return &rows[i];
	return NULL;
}

static const struct usage *usage_in(const struct cost_tables *t, enum role role)
{
	const struct usage *u = t ? find_usage(t->usages, t->usage_count, role) : NULL;

	return u ? u : find_usage(usages, usage_count, role);
}

static struct str preset_of(const struct role_answer *answer)
{
	const struct provider *p = provider_of(&answer->runtime);

	return p ? str_of(p->name) : answer->runtime.provider;
}

struct role_cost role_cost_in(const struct cost_tables *t, const struct role_answer *answer)
{
	struct str preset = preset_of(answer);
	struct role_cost c = {
		.usd_per_day = -1,
		.price = price_in(t, answer->model, preset),
		.usage = usage_in(t, answer->role),
		.factor = effort_factor(answer->effort),
	};

	c.model = model_meant(answer->model, preset, &c.model_source);
	if (c.price && c.usage)
		c.usd_per_day = c.factor * usd_of(c.price, c.usage->input, c.usage->output, c.usage->cache_read,
						  c.usage->cache_write);
	return c;
}

struct role_cost role_cost_of(const struct role_answer *answer)
{
	return role_cost_in(NULL, answer);
}

/* ---- of a run ---- */

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static void take_report(const struct cost_tables *t, const struct role_answer *answer, const struct usage_report *r,
			struct spent *s)
{
	const struct price *p = price_in(t, s->model, preset_of(answer));

	s->input = r->input;
	s->output = r->output;
	s->cache_read = r->cache_read;
	s->cache_write = r->cache_write;
	if (r->usd >= 0)
		s->usd = r->usd;
	else if (p)
		s->usd = usd_of(p, (double)r->input, (double)r->output, (double)r->cache_read,
				(double)r->cache_write);
}

static void take_guess(const struct role_cost *c, double share, struct spent *s)
{
	double factor = share * c->factor;

	if (!c->usage)
		return;
	s->input = (int64_t)(factor * c->usage->input);
	s->output = (int64_t)(factor * c->usage->output);
	s->cache_read = (int64_t)(factor * c->usage->cache_read);
	s->cache_write = (int64_t)(factor * c->usage->cache_write);
	s->usd = s->guessed_usd = c->usd_per_day > 0 ? share * c->usd_per_day : 0;
}

/* A duration of a broken clock is no reason for a sum that nobody can pay. */
static double share_of_day(int64_t duration_ms)
{
	double share = (double)duration_ms / DAY_MS;

	return share < 0 ? 0 : share > TOWN_STATE_DAYS ? TOWN_STATE_DAYS : share;
}

struct spent spent_of_run(const struct cost_tables *t, const struct role_query *q, const struct role_answer *answer,
			  const struct usage_report *report, int64_t duration_ms)
{
	struct role_cost cost = role_cost_in(t, answer);
	struct spent s = {
		.rig = role_works_in_rig(answer->role) ? q->rig : (struct str){0},
		.role = str_of(answer->role < ROLE_COUNT ? role_texts[answer->role] : NULL),
		.agent = answer->runs,
		.model = report && report->model.n ? report->model : cost.model,
		.runs = 1,
	};

	if (report)
		take_report(t, answer, report, &s);
	else
		take_guess(&cost, share_of_day(duration_ms), &s);
	return s;
}
