/* See course.h. */
#include "sim/course.h"

#include "base/buf.h"
#include "sim/readfile.h"
#include "sim/run_types.h"
#include "sim/wholefile.h"

#define COURSE_FILE "course.json"

enum err course_save(struct str run_dir, const struct run_course *f, struct problem *p)
{
	struct buf b = BUF_INIT(COURSE_BYTES_MAX);
	enum err e;

	json_encode(&type_run_course, f, 0, &b);
	buf_c(&b, '\n');
	e = buf_ok(&b) ? wholefile_put(run_dir, COURSE_FILE, 0644, buf_str(&b), p)
		       : problem_set(p, ERR_TOO_LARGE, COURSE_FILE " would be over %d bytes", COURSE_BYTES_MAX);
	buf_free(&b);
	return e;
}

enum err course_load(struct str run_dir, struct arena *a, struct run_course *out, struct problem *p)
{
	struct problem why = {0};
	struct str text;
	enum err e = readfile(arena_fmt(a, "%.*s/" COURSE_FILE, STRF(run_dir)), "the course of the run",
			      COURSE_BYTES_MAX, a, &text, p);

	if (e)
		return e;
	e = json_decode(&type_run_course, text, 0, a, out, &why);
	if (e)
		return problem_set(p, ERR_MALFORMED, "%.*s/" COURSE_FILE " cannot be read: %s", STRF(run_dir),
				   why.detail);
	if (out->tenfold_course != COURSE_VERSION)
		return problem_set(p, ERR_MALFORMED,
				   "%.*s/" COURSE_FILE " is of version %lld, and this program reads %d",
				   STRF(run_dir), (long long)out->tenfold_course, COURSE_VERSION);
	return OK;
}
