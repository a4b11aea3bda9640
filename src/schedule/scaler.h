/*
 * The load of one queue over time, and how many workers it takes: what autoscale.h says, made of our own figures.
 * Pure: figures and time are handed in. Nothing is scaled; what is decided is told.
 */
#ifndef TENFOLD_SCHEDULE_SCALER_H
#define TENFOLD_SCHEDULE_SCALER_H

#include "schedule/autoscale.h"
#include "spec/types.h"

enum { SCALER_SAMPLES = 16, SCALER_HOURS_MAX = 16, SCALER_DECIDE_MS = 15000 };

struct scaler_config {
	int64_t min, max;
	struct autoscale_hours hours[SCALER_HOURS_MAX];
	size_t hours_count;
};
/* "BEGIN; END; ZONE; WORKERS", several with | between them. ERR_INVALID, of the field. */
enum err scaler_hours_parse(struct str text, struct zones *zones, const char *field, struct scaler_config *out,
			    struct problem *p);

/* What is so now. */
struct scaler_figures {
	int64_t depth, scheduled, blocked, busy, idle;
	int64_t oldest_age_ms; /* 0: nothing is ready */
};

struct scaler_sample {
	int64_t at_ms, enqueued, ended, busy;
};

struct scaler {
	const struct scaler_config *config;
	int64_t begun_ms;
	int64_t enqueued, ended; /* since then; the owner counts */
	struct scaler_sample samples[SCALER_SAMPLES];
	size_t sample_count; /* ever taken */
	struct autoscaler engine;
	struct autoscale_band band;
	int64_t workers, desired, decided_ms; /* at the last decision */
};

void scaler_init(struct scaler *s, const struct scaler_config *config, int64_t now_ms);
void scaler_free(struct scaler *s);

/* Is it time to be asked? */
bool scaler_is_due(const struct scaler *s, int64_t now_ms);
/* Fills all of *out, and decides when that is due: then true. */
bool scaler_show(struct scaler *s, const struct scaler_figures *now, int64_t now_ms, struct arena *a,
		 struct autoscale *out);

#endif
