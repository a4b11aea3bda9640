/*
 * How a run goes and went, DIR/runs/RUN/course.json, in the types of api/sim/run.def; beside run.json, which is what it
 * was told. It is written when the run begins, at each checkpoint and at its end, whole or not at all; so what a killed
 * run leaves is of its last checkpoint. Reports read it, beside the records.
 */
#ifndef TENFOLD_SIM_COURSE_H
#define TENFOLD_SIM_COURSE_H

#include "base/arena.h"
#include "base/problem.h"

enum { COURSE_VERSION = 1, COURSE_BYTES_MAX = 256 << 20 };

struct run_course;

enum err course_save(struct str run_dir, const struct run_course *f, struct problem *p);

/* ERR_NOT_FOUND: there is none. ERR_MALFORMED: it is no such file, or of another version, and p says which. All is of
 * the arena. */
enum err course_load(struct str run_dir, struct arena *a, struct run_course *out, struct problem *p);

#endif
