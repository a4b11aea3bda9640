/*
 * What the files of reports share.
 *
 *   report.c           finding a run; what its own file says
 *   report_records.c   what its records say
 *   report_cohorts.c   cohorts side by side
 *   report_realism.c   the run beside published figures
 *   report_words.c     the summary, and what to doubt
 *   report_page.c      what stands on the page, in whatever format
 *   report_plots.c     the pictures of the HTML page
 *   page.c             Markdown, HTML and CSV
 *   plot.c             axes, bars and lines as SVG
 */
#ifndef TENFOLD_SIM_REPORT_PRIV_H
#define TENFOLD_SIM_REPORT_PRIV_H

#include "sim/page.h"
#include "sim/report.h"
#include "sim/report_types.h"
#include "sim/words.h"
#include "store/store.h"

enum { REPORT_FAILURES_MAX = 50, REPORT_HOURS = 24, REPORT_DAYS = 7 };

/* What the records add up to. */
struct report_sums {
	int64_t cycles, agents, active, requests, took_ms;
	int64_t sessions, calls; /* of sessions alone */
};

/* Cycles, outcomes, failures, hours and weekdays. A run without a record stays as its file says. */
enum err report_read_records(struct db *db, int64_t run, struct arena *a, struct sim_report *r,
			     struct report_sums *sums);
/* Fills cohorts when there is more than one. */
enum err report_read_cohorts(struct db *db, int64_t run, const struct run_course *file, struct arena *a,
			     struct sim_report *r);
/* Nothing when the run names no profile, or one that is not here. */
enum err report_read_realism(struct db *db, int64_t run, struct arena *a, struct sim_report *r);

/* What was assumed beside what was measured. */
void report_put_assumptions(const struct run_course *file, const struct report_sums *sums, struct arena *a,
			    struct sim_report *r);

/* Fills summary and doubts from all the rest; `trouble` is why the records could not be read, or empty. */
void report_put_words(struct sim_report *r, const char *trouble, struct arena *a);

void report_realism_figures(const struct sim_report *r, struct page *p);
void report_realism_shapes(const struct sim_report *r, struct page *p);
void report_page(const struct sim_report *r, struct page *page);
void report_plots(const struct sim_report *r, struct buf *b);

#endif
