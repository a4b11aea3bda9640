/* See beats.h. */
#include "directory/beats.h"

#include "base/magic.h"
#include "directory/liveness.h"
#include "telemetry/metrics.h"

#include <inttypes.h>
#include <string.h>

enum { SWEPT_AT_ONCE = 1000 };

/* ---- flips ---- */

/* Flips to be written together; arrays with room for all of them, in an arena. */
struct flips {
	struct id_row *agents;
	struct liveness_flip_in *rows;
	struct liveness_log_row *log;
	struct agent_face_out *faces; /* id 0: there is no such agent */
	struct change_fact *facts;
	size_t count;
};

static enum err flips_room(struct flips *f, struct arena *a, size_t max)
{
	*f = (struct flips){.agents = ARENA_ARRAY(a, struct id_row, max),
			    .rows = ARENA_ARRAY(a, struct liveness_flip_in, max),
			    .log = ARENA_ARRAY(a, struct liveness_log_row, max),
			    .faces = ARENA_ARRAY(a, struct agent_face_out, max),
			    .facts = ARENA_ARRAY(a, struct change_fact, max)};
	return arena_overflowed(a) ? ERR_INTERNAL : OK;
}

static void flips_add(struct flips *f, const struct beats_config *config, const struct liveness_row *now,
		      int64_t was)
{
	size_t i = f->count++;
	f->agents[i] = (struct id_row){now->agent};
	f->rows[i] = (struct liveness_flip_in){.agent = now->agent,
					       .status = now->status,
					       .since_ms = now->since_ms,
					       .flips = now->flips,
					       .beat_ms = now->beat_ms,
					       .streak = now->streak,
					       .check_ms = now->check_ms};
	f->log[i] = (struct liveness_log_row){.id = config->new_id(config->ctx),
					      .agent = now->agent,
					      .was = was,
					      .status = now->status,
					      .at_ms = now->since_ms};
	f->facts[i] = (struct change_fact){.tenant = now->tenant,
					   .entity = ENTITY_LIVENESS,
					   .op = OP_PUT,
					   .ref = now->agent,
					   .version = now->flips,
					   .at_ms = now->since_ms};
}

static enum err keep_face(void *ctx, size_t i, const void *row)
{
	struct flips *f = ctx;
	if (row)
		f->faces[i] = *(const struct agent_face_out *)row;
	f->facts[i].public = f->faces[i].visibility == VISIBLE_PUBLIC;
	return OK;
}

/* Of whom each is, and whether everybody hears of it. */
static enum err flips_look(struct flips *f, struct db *db)
{
	if (!f->count)
		return OK;
	return q_agent_face_each(db, f->agents, f->count, keep_face, f);
}

static bool is_gone(const struct agent_face_out *face)
{
	return !face->id || face->deleted_ms;
}

/* Drops those of which there is no agent. */
static void flips_sift(struct flips *f)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->count; i++) {
		if (is_gone(&f->faces[i]))
			continue;
		f->rows[kept] = f->rows[i];
		f->log[kept] = f->log[i];
		f->facts[kept++] = f->facts[i];
	}
	f->count = kept;
}

static enum err flips_write(struct flips *f, struct db *db, struct metrics *m)
{
	flips_sift(f);
	if (!f->count)
		return OK;
	metrics_add(m, METRIC_agent_flips_total, f->count);
	enum err err = q_liveness_flip(db, f->rows, f->count);
	return err ? err : q_liveness_log_insert(db, f->log, f->count);
}

/* ---- beats ---- */

static enum err hold_one(void *ctx, size_t i, const void *row)
{
	struct beat_one *beats = ctx;
	beats[i].err = row ? OK : ERR_NOT_FOUND;
	if (row)
		beats[i].row = *(const struct liveness_row *)row;
	return OK;
}

static enum err hold(struct db *db, struct arena *a, struct beat_one *beats, size_t count)
{
	struct id_row *ids = ARENA_ARRAY(a, struct id_row, count);
	for (size_t i = 0; ids && i < count; i++)
		ids[i].id = beats[i].agent;
	return ids ? q_liveness_hold_each(db, ids, count, hold_one, beats) : ERR_INTERNAL;
}

/* What is to be written of beats: flips, and rows that only beat on. */
struct pulse {
	struct flips flips;
	struct beat_one **flipped; /* those of the flips */
	struct liveness_beat_in *rows;
	size_t row_count;
};

static enum err pulse_room(struct pulse *p, struct arena *a, size_t max)
{
	*p = (struct pulse){.flipped = ARENA_ARRAY(a, struct beat_one *, max),
			    .rows = ARENA_ARRAY(a, struct liveness_beat_in, max)};
	return flips_room(&p->flips, a, max);
}

static void pulse_add(struct pulse *p, const struct beats_config *config, struct beat_one *beat, int64_t was)
{
	const struct liveness_row *l = &beat->row;
	beat->flipped = l->status != was;
	if (beat->flipped) {
		p->flipped[p->flips.count] = beat;
		flips_add(&p->flips, config, l, was);
	} else {
		p->rows[p->row_count++] = (struct liveness_beat_in){l->agent, l->beat_ms, l->streak};
	}
}

/* A tombstone flips no more. */
static void pulse_tell(struct pulse *p)
{
	for (size_t i = 0; i < p->flips.count; i++) {
		struct beat_one *beat = p->flipped[i];
		beat->flipped = !is_gone(&p->flips.faces[i]);
		beat->err = beat->flipped ? OK : ERR_GONE;
		beat->fact = p->flips.facts[i];
	}
}

static enum err pulse_write(struct pulse *p, const struct beats_config *config, struct db *db)
{
	enum err err = flips_look(&p->flips, db);
	if (err)
		return err;
	pulse_tell(p);
	err = q_liveness_beat(db, p->rows, p->row_count);
	return err ? err : flips_write(&p->flips, db, config->metrics);
}

/* One of the same agent is the same beat. */
static void repeat(struct beat_one *beats, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (beats[i].agent == beats[i - 1].agent) {
			beats[i].err = beats[i - 1].err;
			beats[i].row = beats[i - 1].row;
		}
}

enum err beats_take(const struct beats_config *config, struct db *db, struct arena *a, int64_t now_ms,
		    struct beat_one *beats, size_t count)
{
	struct pulse p;
	enum err err = pulse_room(&p, a, count);
	if (!err)
		err = hold(db, a, beats, count);
	for (size_t i = 0; !err && i < count; i++) {
		int64_t was = beats[i].row.status;
		if (beats[i].err || (i > 0 && beats[i].agent == beats[i - 1].agent))
			continue;
		liveness_beat(&beats[i].row, now_ms, config->silence_ms);
		pulse_add(&p, config, &beats[i], was);
	}
	if (!err)
		err = pulse_write(&p, config, db);
	repeat(beats, count);
	metrics_add(config->metrics, METRIC_agent_beats_total, count);
	return err;
}

enum err beats_say(const struct beats_config *config, struct db *db, struct arena *a, int64_t now_ms,
		   enum agent_away away, struct beat_one *beat)
{
	struct pulse p;
	enum err err = pulse_room(&p, a, 1);
	if (!err)
		err = hold(db, a, beat, 1);
	if (err || beat->err)
		return err;
	int64_t was = beat->row.status;
	liveness_say(&beat->row, away, now_ms, config->silence_ms);
	pulse_add(&p, config, beat, was);
	return pulse_write(&p, config, db);
}

/* ---- the sweep ---- */

struct sweep {
	struct liveness_row *due;
	struct liveness_move_in *moves;
	size_t count, move_count;
	size_t suspect, offline;
};

static enum err take_due(void *ctx, const void *row)
{
	struct sweep *s = ctx;
	s->due[s->count++] = *(const struct liveness_row *)row;
	return OK;
}

static enum err find_due(struct sweep *s, struct db *db, struct job_run *run)
{
	s->due = ARENA_ARRAY(run->arena, struct liveness_row, SWEPT_AT_ONCE);
	s->moves = ARENA_ARRAY(run->arena, struct liveness_move_in, SWEPT_AT_ONCE);
	if (!s->due || !s->moves)
		return ERR_INTERNAL;
	return q_liveness_due(db, &(struct liveness_due_in){run->now_ms, SWEPT_AT_ONCE}, take_due, s);
}

static void judge(struct sweep *s, struct flips *flips, const struct beats_config *config,
		  const struct job_run *run)
{
	for (size_t i = 0; i < s->count; i++) {
		struct liveness_row *l = &s->due[i];
		int64_t was = l->status;
		bool flipped = liveness_sweep(l, run->now_ms, run->watched_ms, config->silence_ms);
		if (flipped) {
			flips_add(flips, config, l, was);
			s->suspect += l->status == STATUS_SUSPECT;
			s->offline += l->status == STATUS_OFFLINE;
		} else {
			s->moves[s->move_count++] = (struct liveness_move_in){l->agent, l->check_ms};
		}
	}
}

/* One whose agent is gone is not looked at again. */
static void drop_the_gone(struct sweep *s, const struct flips *flips)
{
	for (size_t i = 0; i < flips->count; i++)
		if (is_gone(&flips->faces[i]))
			s->moves[s->move_count++] = (struct liveness_move_in){flips->agents[i].id, 0};
}

static enum err sweep(void *ctx, struct db *db, struct job_run *run)
{
	const struct beats_config *config = ctx;
	struct sweep s = {0};
	struct flips flips;
	enum err err = flips_room(&flips, run->arena, SWEPT_AT_ONCE);
	if (!err)
		err = find_due(&s, db, run);
	if (err)
		return err;
	judge(&s, &flips, config, run);
	err = flips_look(&flips, db);
	drop_the_gone(&s, &flips);
	if (!err)
		err = q_liveness_move(db, s.moves, s.move_count);
	if (!err)
		err = flips_write(&flips, db, config->metrics);
	if (!err)
		err = q_change_add(db, flips.facts, flips.count);
	run->more = s.count == SWEPT_AT_ONCE;
	buf_fmt(&run->result, "%zu agents looked at, %zu now suspect, %zu now offline", s.count, s.suspect,
		s.offline);
	return err;
}

static void swept(void *ctx)
{
	const struct beats_config *config = ctx;
	changes_ring(config->feed, CHANGES_COMMITTED);
}

void beats_sweep(const struct beats_config *config, struct jobs *jobs)
{
	struct job_spec spec = {.name = JOB_STALENESS,
				.period_ms = config->sweep_ms,
				.step = sweep,
				.committed = swept,
				.ctx = (void *)(uintptr_t)config};
	jobs_add(jobs, &spec);
}
