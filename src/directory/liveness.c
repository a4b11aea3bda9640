/* See liveness.h. */
#include "directory/liveness.h"

#include "base/magic.h"

enum { STREAK_WELL = 2 };

/* When the sweep has to look at one with this status whose silence began then. */
static int64_t check_at(enum agent_status status, int64_t silent_since_ms, int64_t silence_ms)
{
	switch (status) {
	case STATUS_ONLINE:
		return silent_since_ms + silence_ms / 2 + 1;
	case STATUS_SUSPECT:
		return silent_since_ms + silence_ms + 1;
	case STATUS_UNKNOWN:
	case STATUS_OFFLINE:
	case STATUS_MAINTENANCE:
		return 0;
	}
	UNREACHABLE();
}

static bool become(struct liveness_row *l, enum agent_status status, int64_t now_ms, int64_t check_ms)
{
	if (l->status == (int64_t)status)
		return false;
	l->status = status;
	l->since_ms = now_ms;
	l->flips++;
	l->check_ms = check_ms;
	return true;
}

static bool become_after_a_beat(struct liveness_row *l, enum agent_status status, int64_t silence_ms)
{
	return become(l, status, l->beat_ms, check_at(status, l->beat_ms, silence_ms));
}

static void count_beat(struct liveness_row *l, int64_t now_ms, int64_t silence_ms)
{
	bool in_time = now_ms - l->beat_ms <= silence_ms / 2;
	if (l->streak < STREAK_WELL)
		l->streak = in_time ? l->streak + 1 : 1;
	if (now_ms > l->beat_ms)
		l->beat_ms = now_ms;
}

bool liveness_beat(struct liveness_row *l, int64_t now_ms, int64_t silence_ms)
{
	if (l->status == STATUS_UNKNOWN || l->status == STATUS_MAINTENANCE)
		l->streak = STREAK_WELL;
	count_beat(l, now_ms, silence_ms);
	bool is_well = l->streak == STREAK_WELL;
	return become_after_a_beat(l, is_well ? STATUS_ONLINE : STATUS_SUSPECT, silence_ms);
}

bool liveness_say(struct liveness_row *l, enum agent_away away, int64_t now_ms, int64_t silence_ms)
{
	switch (away) {
	case AWAY_ONLINE:
		l->streak = STREAK_WELL;
		count_beat(l, now_ms, silence_ms);
		return become_after_a_beat(l, STATUS_ONLINE, silence_ms);
	case AWAY_MAINTENANCE:
		return become(l, STATUS_MAINTENANCE, now_ms, 0);
	case AWAY_OFFLINE:
		l->streak = 0;
		return become(l, STATUS_OFFLINE, now_ms, 0);
	}
	UNREACHABLE();
}

bool liveness_sweep(struct liveness_row *l, int64_t now_ms, int64_t watched_ms, int64_t silence_ms)
{
	int64_t since_ms = l->beat_ms > watched_ms ? l->beat_ms : watched_ms;
	int64_t silent_ms = now_ms - since_ms;
	enum agent_status status = (enum agent_status)l->status;
	l->check_ms = check_at(status, since_ms, silence_ms);
	if (!l->check_ms) /* not one that is swept */
		return false;
	if (silent_ms > silence_ms) {
		l->streak = 0;
		return become(l, STATUS_OFFLINE, now_ms, 0);
	}
	if (silent_ms > silence_ms / 2)
		return become(l, STATUS_SUSPECT, now_ms, check_at(STATUS_SUSPECT, since_ms, silence_ms));
	return false;
}

int64_t liveness_due_ms(const struct liveness_row *l, int64_t silence_ms)
{
	return l->beat_ms + silence_ms / 2;
}

/* ---- uptime ---- */

void liveness_uptime_begin(struct liveness_uptime *u, int64_t from_ms, int64_t now_ms, enum agent_status status)
{
	*u = (struct liveness_uptime){.from_ms = from_ms, .now_ms = now_ms, .back_to_ms = now_ms, .status = status};
}

/* Goes back to at_ms, or to the beginning if that is later. */
static void go_back(struct liveness_uptime *u, int64_t at_ms)
{
	if (at_ms < u->from_ms)
		at_ms = u->from_ms;
	if (at_ms >= u->back_to_ms)
		return;
	if (u->status == STATUS_ONLINE)
		u->online_ms += u->back_to_ms - at_ms;
	if (u->status != STATUS_UNKNOWN) /* before that there was nothing */
		u->back_to_ms = at_ms;
}

void liveness_uptime_flip(struct liveness_uptime *u, const struct liveness_log_row *flip)
{
	go_back(u, flip->at_ms);
	u->status = (enum agent_status)flip->was;
}

bool liveness_uptime_end(struct liveness_uptime *u, double *share)
{
	go_back(u, u->from_ms);
	if (u->back_to_ms >= u->now_ms)
		return false;
	*share = (double)u->online_ms / (double)(u->now_ms - u->back_to_ms);
	return true;
}
