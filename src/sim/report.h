/*
 * What came of a run, for people and for programs: gathered once into the types of api/sim/report.def, and shown as
 * Markdown, one HTML page, CSV, or the types themselves as JSON.
 *
 *   report_find()     which run is meant, and where its file and records are
 *   report_make()     course.json of the run (sim/course.h) and records (sql/sim/queries/report.sql) ─► sim_report
 *   report_write()    sim_report ─► text
 *
 * A run that goes on, or was killed, has a report too, which says so: its cycles are those that are whole in the
 * records, its totals and latencies those of its file, which is of its last checkpoint.
 */
#ifndef TENFOLD_SIM_REPORT_H
#define TENFOLD_SIM_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/problem.h"

struct sim_report;

enum report_format { REPORT_MARKDOWN, REPORT_HTML, REPORT_CSV, REPORT_JSON };

struct report_source {
	struct str dir, run_dir, run; /* the folder of runs, the run's own, its id */
	struct str store;             /* URL of the records; empty: DIR/sim.db */
	int64_t now_ms;
};

/* `what` is a run's id, its folder, or a folder of runs, of which the latest is taken; empty: the latest of `dir`.
 * ERR_NOT_FOUND says what to give. Fills all but store and now_ms; texts are of the arena. */
enum err report_find(struct str what, struct str dir, struct arena *a, struct report_source *out,
		     struct problem *p);

/* ERR_NOT_FOUND: the run left neither a file nor records. What cannot be read of its records is said in the report. */
enum err report_make(const struct report_source *from, struct arena *a, struct sim_report *out, struct problem *p);

/* `table` is of REPORT_CSV, which is one table: report_tables() has their names. False: there is none of that name. */
bool report_write(const struct sim_report *r, enum report_format format, struct str table, struct buf *b);
const char *const *report_tables(void); /* NULL past the last */

/* report.md, report.html and report.json into the run's own folder. */
enum err report_save(const struct sim_report *r, struct str run_dir, struct problem *p);

#endif
