/*
 * What is kept of a session and of a cycle: plain data that a journey fills and the recorder writes.
 */
#ifndef TENFOLD_SIM_RECORD_H
#define TENFOLD_SIM_RECORD_H

#include "base/str.h"

enum { RECORD_KEPT_MAX = 8 };

enum journey_kind { JOURNEY_SESSION, JOURNEY_IDLE, JOURNEY_OFFERS, JOURNEY_CLEANUP };
enum { JOURNEY_KINDS = JOURNEY_CLEANUP + 1 };

struct journey_event {
	struct str type;
	int64_t at_ms;      /* simulated */
	struct str payload; /* a JSON object */
};

/* What has become of a journey. */
struct journey_result {
	unsigned
		outcome; /* of the scenario's; of idle, offers and cleanup the first that is completed, or failed */
	uint32_t calls, failed_calls, retries; /* retries: calls made again because their step says so */
	struct str failure; /* why it failed, for people: "POST /api/orders: 503"; empty if it did not */
	const struct journey_event *events;
	uint32_t event_count;
	const double *kept;            /* RECORD_KEPT_MAX; NAN: not set */
	uint32_t offers, offers_short; /* of JOURNEY_OFFERS */
};

/* One journey of an agent, whole. */
struct session_record {
	uint32_t agent;
	struct str agent_id;
	enum journey_kind kind;
	unsigned cohort;
	uint32_t cycle, number; /* number: of the agent's journeys of that kind in this cycle */
	bool replay;
	int64_t started_ms, ended_ms; /* simulated */
	const struct journey_result *result;
};

/* A cycle, after all its sessions. */
struct cycle_record {
	uint32_t cycle;
	bool replay;
	int64_t began_ms, took_ms; /* simulated hour; real */
	uint32_t agents, active, failures;
	uint64_t requests;
};

#endif
