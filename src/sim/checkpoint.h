/*
 * What a run needs to go on after it was killed: one JSON file per checkpoint, of a cycle's end, and beside it one of
 * what each agent remembers.
 *
 *   DIR/checkpoint_<YYYY-MM-DD_HH-MM-SS>_cycle_<N>.json     fields: api/sim/checkpoint.def
 *   DIR/checkpoint_<YYYY-MM-DD_HH-MM-SS>_cycle_<N>.agents   little-endian, 12 bytes an agent
 *
 * Each is written under a temporary name in the same folder, fsynced, renamed, and the folder fsynced; the one of the
 * agents first. So whoever is killed leaves the checkpoint before or this one, never half of one. The JSON holds its
 * own checksum and that of the other file. Five are kept, by cycle number, the one just made always among them.
 * Loading takes the one of the highest cycle that is whole, and says which it passed over and why.
 *
 * One process at a time: rundir.h sees to that. DIR holds those of one run: see checkpoint_set_aside().
 */
#ifndef TENFOLD_SIM_CHECKPOINT_H
#define TENFOLD_SIM_CHECKPOINT_H

#include "base/arena.h"
#include "base/problem.h"
#include "sim/stats.h"

enum { CHECKPOINT_VERSION = 1, CHECKPOINTS_KEPT = 5, CHECKPOINT_AGENTS_MAX = 4000000 };

/* What each agent remembers between its sessions; cycle numbers + 1, 0: never. */
struct memory_of_agent {
	uint32_t last_session, last_completed;
	uint32_t sessions : 31;
	uint32_t lacks_offers : 1; /* the last round of them failed */
};

struct checkpoint {
	struct str run_id, scenario_name, seed_text;
	uint64_t seed, scenario_hash;
	uint32_t agents, cycle; /* the last one that is whole */
	uint32_t attempt;
	int64_t start_ms, simulated_ms, saved_ms, real_elapsed_ms;
	struct counts totals;
	const struct str *outcomes, *kept, *endpoint_names; /* the scenario's words for what is counted */
	unsigned outcome_count, kept_count, endpoint_count;
	struct latencies *endpoints; /* of the whole run */
	const struct memory_of_agent *memory;
};

/* ERR_STORE_FULL when the disk is: those that are there stay as they are. *path is of the arena. */
enum err checkpoint_save(struct str dir, const struct checkpoint *c, struct arena *a, struct str *path,
			 struct problem *p);

/* `file` empty: the newest whole one of dir, and what was passed over is told to `note`, a line each. Else that file,
 * or an error that says what is wrong with it. ERR_NOT_FOUND: there is none. now_ms is for noticing one that says it
 * was saved later than that, which is told too. All is of the arena but the latencies: checkpoint_release(). */
typedef void checkpoint_note_fn(void *ctx, const char *line);
enum err checkpoint_load(struct str dir, struct str file, int64_t now_ms, struct arena *a, struct checkpoint *out,
			 checkpoint_note_fn *note, void *ctx, struct problem *p);
void checkpoint_release(struct checkpoint *c);

/* Whether a run of that scenario can go on from it; ERR_CONFLICT says what differs. */
enum err checkpoint_fits(const struct checkpoint *c, struct str scenario_name, uint64_t scenario_hash,
			 struct problem *p);

/* Moves checkpoints of cycles from `first` on to another folder, which must be there: all of them when another run
 * begins, those after the one a run is resumed from when it is not the newest. */
enum err checkpoint_set_aside(struct str dir, uint32_t first, struct str to, struct problem *p);

#endif
