/*
 * What expressions see of the agent, the time, the session and the last answer.
 */
#include "sim/journey_priv.h"

#include "base/clock.h"
#include "sim/expr_priv.h"
#include "json/pick.h"

#include <stdio.h>
#include <string.h>

enum { UUID_TEXT = 36 };
enum { NUMBER_OF_ID = 1 << 23, NUMBER_OF_CLEANUP = 1 << 22, NUMBER_OF_OFFERS = 1 << 22 };

struct draws journey_draws(const struct journey_run *run, const struct journey_start *start, bool for_id)
{
	uint32_t number = start->number | (for_id ? NUMBER_OF_ID : 0);
	enum draw_purpose purpose = DRAW_SESSION;
	struct draws d;

	switch (start->kind) {
	case JOURNEY_SESSION:
		break;
	case JOURNEY_IDLE:
		purpose = DRAW_IDLE;
		break;
	case JOURNEY_OFFERS:
		purpose = DRAW_OFFER;
		number |= NUMBER_OF_OFFERS;
		break;
	case JOURNEY_CLEANUP:
		purpose = DRAW_IDLE;
		number |= NUMBER_OF_CLEANUP;
		break;
	}
	draws_begin(&d, run->seed, purpose, start->agent, start->cycle, number);
	return d;
}

/* A random UUID, version 4, whose bits are this session's own draws; made anew for who asks. */
static struct value session_id(struct journey *j)
{
	struct draws d = journey_draws(j->run, &j->start, true);
	char *room = memory_take(&j->room->scratch, UUID_TEXT + 1);
	uint32_t w[4];

	if (!room)
		return (struct value){0};
	for (int i = 0; i < 4; i++)
		w[i] = draws_u32(&d);
	snprintf(room, UUID_TEXT + 1, "%08x-%04x-4%03x-%04x-%04x%08x", w[0], w[1] >> 16, w[1] & 0xfff,
		 0x8000 | (w[2] >> 16 & 0x3fff), w[2] & 0xffff, w[3]);
	return value_text((struct str){room, UUID_TEXT}, false);
}

static struct value now(struct journey *j)
{
	char *room = memory_take(&j->room->scratch, CLOCK_TEXT + 1);

	if (!room)
		return (struct value){0};
	clock_format(j->now_ms, room);
	return value_text(str_of(room), false);
}

static void find_columns(struct journey_room *r, const struct journey_run *run)
{
	r->scenario = run->scenario;
	r->population = run->population;
	for (unsigned i = 0; i < run->scenario->attribute_count; i++)
		r->columns[i] = population_find(run->population, run->scenario->attributes[i]);
}

static struct value attribute(struct journey *j, unsigned index)
{
	struct journey_room *r = j->room;
	struct value *words = NULL, v;

	if (r->scenario != j->run->scenario || r->population != j->run->population)
		find_columns(r, j->run);
	if (r->columns[index] < 0)
		return (struct value){0};
	if (j->run->scenario->plan_attributes[index].attribute.kind == ATTRIBUTE_WORDS)
		words = memory_take(&r->scratch, POPULATION_WORDS_MAX * sizeof(*words));
	v = population_value(j->run->population, j->start.agent, (unsigned)r->columns[index], words);
	v.lasting = v.kind == VALUE_TEXT;
	return v;
}

static struct value offers(struct journey *j)
{
	struct offers *o = &j->room->offers;
	struct value *items;

	offers_of(&j->run->scenario->offers, j->run->seed, j->start.agent, j->start.offer_period, o);
	items = memory_take(&j->room->scratch, o->count * sizeof(*items));
	if (!items)
		return (struct value){0};
	for (uint32_t i = 0; i < o->count; i++)
		items[i] = value_number(o->offer[i]);
	return value_list(items, o->count, false);
}

static struct value body(struct journey *j)
{
	struct str json;

	if (!j->body.n || !pick_value(j->body.p, j->body.p + j->body.n, &json))
		return (struct value){0};
	return value_of_json(json, false, &j->room->scratch);
}

struct value journey_fact(void *ctx, enum fact f, unsigned index)
{
	struct journey *j = ctx;

	switch ((int)f) {
	case FACT_AGENT_ID:
		return value_text(population_id(j->run->population, j->start.agent, j->room->agent_id), false);
	case FACT_AGENT_NUMBER:
		return value_number(j->start.agent);
	case FACT_HOUR:
		return value_number(j->start.moment->hour);
	case FACT_WEEKDAY:
		return value_number(j->start.moment->weekday);
	case FACT_MONTH:
		return value_number(j->start.moment->month);
	case FACT_DAY:
		return value_number(j->start.moment->day);
	case FACT_CYCLE:
		return value_number(j->start.cycle);
	case FACT_NOW:
		return now(j);
	case FACT_RUN:
		return value_text(j->run->run_id, true);
	case FACT_KEY:
		return value_text(j->run->key, true);
	case FACT_SESSION_ID:
		return session_id(j);
	case FACT_SESSION_NUMBER:
		return value_number(j->start.number);
	case FACT_OFFER_PERIOD:
		return value_number(j->start.offer_period);
	case FACT_OFFERS:
		return offers(j);
	case FACT_STATUS:
		return value_number(j->status);
	case FACT_BODY:
		return body(j);
	default:
		return attribute(j, index);
	}
}
