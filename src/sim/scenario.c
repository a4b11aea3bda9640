/*
 * Loading scenarios, and what is asked of one as a whole.
 */
#include "sim/scenario_priv.h"

#include "base/magic.h"
#include "sim/nearest.h"
#include "sim/readfile.h"
#include "json/json.h"
#include "json/pick.h"

#include <string.h>

enum { VERSION = 1, FILE_MAX = 8 << 20, ARENA_MAX = 128 << 20 };

/* ---- reading ---- */

/* Built-in names that were probably meant, when it looks like none of a file. */
static enum err no_such(struct str name, struct problem *p)
{
	struct nearest n = nearest_to(name);
	struct buf known = BUF_INIT(1024);

	for (unsigned i = 0; scenario_built_in(i); i++) {
		nearest_consider(&n, str_of(scenario_built_in(i)->name));
		buf_fmt(&known, "%s%s", i ? ", " : "", scenario_built_in(i)->name);
	}
	problem_set(p, ERR_USAGE, "there is no scenario %.*s: no such file, and built in are %s%s",
		    STRF(str_clip(name, 100)), buf_cstr(&known), nearest_hint(&n).text);
	buf_free(&known);
	return ERR_USAGE;
}

static enum err read_file(struct scenario *s, struct problem *p)
{
	enum err e = readfile(s->from, "scenario", FILE_MAX, s->arena, &s->text, p);

	return e == ERR_NOT_FOUND ? no_such(s->from, p) : e;
}

static struct scenario *scenario_new(struct str from)
{
	struct scenario *s = NEW(struct scenario);

	s->arena = arena_new(ARENA_MAX);
	s->from = arena_str(s->arena, from);
	return s;
}

void scenario_free(struct scenario **s)
{
	if (!*s)
		return;
	arena_destroy(&(*s)->arena);
	free(*s);
	*s = NULL;
}

/* Said before anything else: what another version means is unknown here. */
static enum err check_version(struct str text, struct problem *p)
{
	struct str said;
	int64_t version;

	if (!pick_member(text, STR("tenfold_scenario"), &said) || !str_to_i64(said, &version) || version == VERSION)
		return OK;
	return problem_field(p, ERR_INVALID, "tenfold_scenario", "is %lld, and this tenfold reads version %d",
			     (long long)version, VERSION);
}

static enum err finish(struct scenario *s, struct scenario **out, struct problem *p)
{
	struct problem own = {0};
	enum err e = check_version(s->text, &own);

	if (!e)
		e = json_decode(&type_scenario_file, s->text, 0, s->arena, &s->file, &own);
	if (!e)
		e = scenario_compile(s, &own);
	if (e) {
		scenario_place_faults(&own, s->text, s->from);
		if (p)
			*p = own;
		scenario_free(&s);
		return e;
	}
	*out = s;
	return OK;
}

enum err scenario_parse(struct str text, struct str from, struct scenario **out, struct problem *p)
{
	struct scenario *s = scenario_new(from);

	*out = NULL;
	if (text.n > FILE_MAX) {
		scenario_free(&s);
		return problem_set(p, ERR_TOO_LARGE, "scenario %.*s has more than %d bytes", STRF(from), FILE_MAX);
	}
	s->text = arena_str(s->arena, text);
	return finish(s, out, p);
}

enum err scenario_load(struct str name_or_file, struct scenario **out, struct problem *p)
{
	struct scenario *s = scenario_new(name_or_file);
	enum err e = OK;

	*out = NULL;
	for (unsigned i = 0; !s->text.n && scenario_built_in(i); i++)
		if (str_eqz(name_or_file, scenario_built_in(i)->name))
			s->text = scenario_built_in(i)->text;
	if (!s->text.n)
		e = read_file(s, p);
	if (e) {
		scenario_free(&s);
		return e;
	}
	return finish(s, out, p);
}

/* ---- what is asked of one ---- */

struct str scenario_name(const struct scenario *s)
{
	return s->file.name;
}

struct str scenario_text_of(const struct scenario *s)
{
	return s->text;
}

uint64_t scenario_hash(const struct scenario *s)
{
	uint64_t hash = str_hash(s->text);

	for (unsigned i = 0; i < s->cohort_count; i++) {
		const struct cohort *c = &s->cohorts[i];
		struct str numbers = {(const char *)c->parameters, s->parameter_count * sizeof(double)};

		hash = str_hash_seed(c->name, hash);
		hash = str_hash_seed((struct str){(const char *)&c->share, sizeof(c->share)}, hash);
		hash = str_hash_seed(numbers, hash);
	}
	return hash;
}

unsigned scenario_state_count(const struct scenario *s)
{
	return (unsigned)s->file.states_count;
}

unsigned scenario_attribute_count(const struct scenario *s)
{
	return s->attribute_count;
}

unsigned scenario_parameter_count(const struct scenario *s)
{
	return s->parameter_count;
}

struct str scenario_parameter_name(const struct scenario *s, unsigned parameter)
{
	return s->parameters[parameter];
}

unsigned scenario_endpoint_count(const struct scenario *s)
{
	return s->endpoint_count;
}

struct str scenario_endpoint_name(const struct scenario *s, unsigned endpoint)
{
	return s->endpoints[endpoint];
}

unsigned scenario_outcome_count(const struct scenario *s)
{
	return (unsigned)s->file.outcomes_count;
}

struct str scenario_outcome_name(const struct scenario *s, unsigned outcome)
{
	return s->file.outcomes[outcome].name;
}

enum outcome_kind scenario_outcome_kind(const struct scenario *s, unsigned outcome)
{
	switch ((enum scenario_end)s->file.outcomes[outcome].kind) {
	case SCENARIO_COMPLETED:
		return END_COMPLETED;
	case SCENARIO_ABANDONED:
		return END_ABANDONED;
	case SCENARIO_FAILED:
		return END_FAILED;
	}
	return END_FAILED;
}

unsigned scenario_kept_count(const struct scenario *s)
{
	return (unsigned)s->file.keep_count;
}

struct str scenario_kept_name(const struct scenario *s, unsigned kept)
{
	return s->file.keep[kept].name;
}

struct scenario_assumed scenario_assumptions(const struct scenario *s)
{
	return (struct scenario_assumed){s->file.assumes.active_share, s->file.assumes.calls_per_agent};
}

bool scenario_is_closed(const struct scenario *s)
{
	return s->file.model == SCENARIO_CLOSED;
}

bool scenario_spreads(const struct scenario *s)
{
	return s->file.begin == SCENARIO_SPREAD;
}

bool scenario_has_idle(const struct scenario *s)
{
	return s->idle != NOWHERE;
}

const struct offer_rules *scenario_offers(const struct scenario *s)
{
	return s->offer_state == NOWHERE ? NULL : &s->offers;
}

bool scenario_has_cleanup(const struct scenario *s)
{
	return s->cleanup != NOWHERE;
}

struct str scenario_profile(const struct scenario *s)
{
	return s->file.profile;
}

/* ---- when agents come ---- */

void scenario_calendar(const struct scenario *s, int64_t start_ms, struct calendar *out)
{
	*out = s->schedule.calendar;
	out->start_ms = start_ms;
}
