/*
 * Budgets: which lines hold for a spawn, and where each stands today.
 */
#include "roles/cost.h"

/* What a line is about; empty is everything. */
struct scope {
	struct str rig, role;
	bool none; /* nothing: another rig, in a rig's file */
};

static struct scope scope_of(struct str key, struct str file_rig)
{
	struct str role, rig = str_cut(key, '/', &role);

	if (str_eqz(key, "*"))
		return (struct scope){.rig = file_rig};
	if (role_by_text(key) != ROLE_UNKNOWN)
		return (struct scope){.rig = file_rig, .role = key};
	return (struct scope){rig, role, file_rig.n && !str_eq(rig, file_rig)};
}

static bool covers(const struct scope *s, struct str rig, struct str role)
{
	return !s->none && (s->rig.n == 0 || str_eq(s->rig, rig)) && (s->role.n == 0 || str_eq(s->role, role));
}

static void add_recorded(const struct town_state *s, const struct scope *scope, const char *day, struct budget *out)
{
	for (size_t i = 0; s && i < town_state_spent_count(s); i++) {
		const struct spent *row = town_state_spent(s, i);

		if (!str_eqz(row->day, day) || !covers(scope, row->rig, row->role))
			continue;
		out->recorded = true;
		out->spent += row->usd;
		out->guessed += row->guessed_usd;
	}
}

static enum budget_standing standing_of(const struct budget *b)
{
	if (!b->recorded)
		return b->guessed > b->usd_per_day ? BUDGET_WARN : BUDGET_WITHIN;
	if (b->spent >= b->usd_per_day)
		return BUDGET_OVER;
	return b->spent >= b->warn_at * b->usd_per_day ? BUDGET_WARN : BUDGET_WITHIN;
}

static struct budget stand(const struct budget_line *line, const struct scope *scope, const struct town_state *s,
			   int64_t now_ms, double guess)
{
	struct budget b = {
		.key = line->key, .usd_per_day = line->usd_per_day, .warn_at = line->warn_at, .at = line->at};
	char day[DAY_TEXT];

	day_of_ms(now_ms, day);
	add_recorded(s, scope, day, &b);
	if (!b.recorded && guess > 0)
		b.guessed = guess;
	b.standing = standing_of(&b);
	return b;
}

/* How much of the budget is gone. */
static double used(const struct budget *b)
{
	double spent = b->recorded ? b->spent : b->guessed;

	return b->usd_per_day > 0 ? spent / b->usd_per_day : 1;
}

static bool is_tighter(const struct budget *a, const struct budget *b)
{
	return a->standing != b->standing ? a->standing > b->standing : used(a) > used(b);
}

static void tightest(const struct settings *settings, struct str file_rig, struct str rig, struct str role,
		     const struct town_state *s, int64_t now_ms, double guess, struct budget *out)
{
	for (size_t i = 0; settings && i < settings->budget_count; i++) {
		struct scope scope = scope_of(settings->budgets[i].key, file_rig);
		struct budget b;

		if (!covers(&scope, rig, role))
			continue;
		b = stand(&settings->budgets[i], &scope, s, now_ms, guess);
		if (is_tighter(&b, out))
			*out = b;
	}
}

struct budget role_budget(struct town *t, const struct role_query *q, const struct role_answer *answer,
			  const struct cost_tables *tables, const struct town_state *s)
{
	struct str rig = role_works_in_rig(answer->role) ? q->rig : (struct str){0};
	struct str role = str_of(answer->role < ROLE_COUNT ? role_texts[answer->role] : NULL);
	const struct rig *own = town_rig(t, rig);
	struct files *files = town_files(t);
	int64_t now_ms = files->now_ms(files);
	double guess = role_cost_in(tables, answer).usd_per_day;
	struct budget b = {.standing = BUDGET_NONE};

	tightest(town_settings(t), (struct str){0}, rig, role, s, now_ms, guess, &b);
	if (own)
		tightest(own->settings, rig, rig, role, s, now_ms, guess, &b);
	return b;
}

static size_t stand_all(const struct settings *settings, struct str file_rig, const struct town_state *s,
			int64_t now_ms, struct budget *out)
{
	for (size_t i = 0; settings && i < settings->budget_count; i++) {
		struct scope scope = scope_of(settings->budgets[i].key, file_rig);

		out[i] = stand(&settings->budgets[i], &scope, s, now_ms, 0);
	}
	return settings ? settings->budget_count : 0;
}

struct budget *role_budgets(struct town *t, struct str rig, const struct town_state *s, struct arena *a,
			    size_t *count)
{
	const struct settings *town = town_settings(t);
	const struct rig *own = town_rig(t, rig);
	const struct settings *of_rig = own ? own->settings : NULL;
	struct files *files = town_files(t);
	int64_t now_ms = files->now_ms(files);
	size_t most = (town ? town->budget_count : 0) + (of_rig ? of_rig->budget_count : 0);
	struct budget *out = ARENA_ARRAY(a, struct budget, most + 1);

	*count = 0;
	if (!out)
		return NULL;
	*count = stand_all(town, (struct str){0}, s, now_ms, out);
	*count += stand_all(of_rig, rig, s, now_ms, out + *count);
	return out;
}

struct str budget_text(const struct budget *b, struct arena *a)
{
	if (b->recorded)
		return arena_fmt(a, "%.*s: estimated USD %.2f of %.2f a day%s", STRF(b->key), b->spent,
				 b->usd_per_day, b->guessed > 0 ? ", some of it guessed from time" : "");
	return arena_fmt(a, "%.*s: nothing recorded today of USD %.2f; a session's day is estimated at %.2f",
			 STRF(b->key), b->usd_per_day, b->guessed);
}
