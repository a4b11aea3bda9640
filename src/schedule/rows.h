/*
 * Schedules as rows: made, changed, paused, looked at. A schedule is of its tenant; to another it does not exist.
 */
#ifndef TENFOLD_SCHEDULE_ROWS_H
#define TENFOLD_SCHEDULE_ROWS_H

#include "http/call.h"
#include "schedule/plan.h"
#include "store/queries.h"

enum { SCHEDULES_MAX = 10000 }; /* of a tenant */

/* A row, read: what it was made of, and when it fires. The rule points into this and into the zones. */
struct schedule_plan {
	struct schedule_new given;
	struct cron cron;
	struct plan_rule rule;
};
enum err schedule_read_plan(const struct schedule_row *row, struct zones *zones, struct arena *a,
			    struct schedule_plan *out, struct problem *p);

/* The schedules of the server itself stand in one tenant; a fire does what its type says, and no item is enqueued.
 * Those that are missing are made. */
struct schedule_home {
	int64_t tenant;
	int64_t (*new_id)(void *ctx);
	void *ctx;
};
enum err schedule_add_built_in(struct db *db, struct zones *zones, const struct schedule_home *home,
			       struct arena *a, int64_t now_ms);
bool schedule_is_built_in(const struct schedule_new *given);

/* Inside a transaction. ERR_INVALID names the member; ERR_ALREADY_EXISTS: the name is taken. */
enum err schedule_add(struct call *c, struct zones *zones, int64_t id, const struct schedule_new *in,
		      struct schedule_row *out);
/* As a merge patch (RFC 7396); the next fire is reckoned from now. */
enum err schedule_change(struct call *c, struct zones *zones, int64_t id, struct str patch,
			 struct schedule_row *out);
/* One that is paused, or runs, already stays as it is. ERR_FORBIDDEN: it is built in, and the caller no admin. */
enum err schedule_set_paused(struct call *c, struct zones *zones, int64_t id, bool paused,
			     struct schedule_row *out);

/* ERR_CONFLICT: it is built in. */
enum err schedule_delete(struct call *c, int64_t id);

/* ERR_NOT_FOUND; also when it is another tenant's. */
enum err schedule_read(struct call *c, int64_t id, struct schedule_row *out);
enum err schedule_show(const struct schedule_row *row, struct arena *a, struct schedule *out);

enum err schedule_page(struct call *c, const struct schedule_list_in *in, struct schedule_list_out *out);
enum err schedule_fire_page(struct call *c, const struct schedule_fires_in *in, struct schedule_fires_out *out);
enum err schedule_look_ahead(struct call *c, struct zones *zones, const struct schedule_next_in *in,
			     struct schedule_next_out *out);

#endif
