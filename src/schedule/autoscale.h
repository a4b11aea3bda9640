/*
 * How many workers there should be.
 *
 * The algorithm is that of Kubernetes' HorizontalPodAutoscaler (pkg/controller/podautoscaler/horizontal.go and
 * replica_calculator.go): each metric proposes a number, the largest counts, the last minutes steady it, and it changes
 * by so many per cent in a period at most. Pure: figures and time are handed in, nothing is scaled here.
 */
#ifndef TENFOLD_SCHEDULE_AUTOSCALE_H
#define TENFOLD_SCHEDULE_AUTOSCALE_H

#include "base/vec.h"
#include "schedule/cron.h"

struct autoscale_rules {
	int64_t min, max;
	double tolerance;                     /* a ratio so near to 1 changes nothing */
	int64_t up_window_ms, down_window_ms; /* the least, or the most, proposed within counts */
	int64_t up_percent, down_percent;     /* of what there was at the beginning of a period */
	int64_t period_ms;
};

/* 2 to 20; tolerance 0.1; 60 s and 300 s; 50 % and 25 % in 60 s. */
extern const struct autoscale_rules autoscale_defaults;

/* ---- what a metric proposes ---- */

/* A total that the workers share, and how much of it is right for each. */
int64_t autoscale_by_total(double tolerance, double total, double target, int64_t current);

/* A queue that should be between two depths: above one for a while it proposes half as many more, below the other for a
 * while a quarter less, else what there is. */
struct autoscale_band {
	int64_t below, above;
	int64_t down_after_ms, up_after_ms;
	int64_t low_since_ms, high_since_ms; /* 0: it is not */
};
extern const struct autoscale_band autoscale_band_defaults; /* 20 for 300 s, 100 for 60 s */
int64_t autoscale_by_band(struct autoscale_band *b, int64_t depth, int64_t current, int64_t now_ms);

/* Hours in which there should be some before the load comes: from fires of one line to fires of another. */
struct autoscale_hours {
	struct cron begin, end;
	const struct zone *zone;
	int64_t workers;
};
/* The most that the hours of this time ask for; 0: it is none of them. */
int64_t autoscale_by_hours(const struct autoscale_hours *hours, size_t count, int64_t now_ms);

/* ---- what becomes of it ---- */

struct autoscale_note {
	int64_t at_ms, value;
};

struct autoscaler {
	struct autoscale_rules rules;
	VEC(struct autoscale_note) proposed; /* within the windows */
	VEC(struct autoscale_note) changes;  /* within the period; less than 0: fewer */
};
void autoscale_init(struct autoscaler *a, const struct autoscale_rules *rules);
void autoscale_free(struct autoscaler *a);

/* How many there should be. `failed`: a metric could not be asked, so there will not be fewer. */
int64_t autoscale_decide(struct autoscaler *a, int64_t proposed, bool failed, int64_t current, int64_t now_ms);
/* There are others now. */
void autoscale_changed(struct autoscaler *a, int64_t from, int64_t to, int64_t now_ms);

#endif
