/*
 * A screen that was drawn into lines with '\n' between, as tests look at it: `seen` is all of it, and stands in what is
 * said of a failure.
 */
#ifndef TENFOLD_TESTS_DRAWN_H
#define TENFOLD_TESTS_DRAWN_H

#include "harness.h"

#include "base/buf.h"

static inline const char *drawn(struct buf *screen)
{
	assert_true(buf_ok(screen));
	return buf_cstr(screen);
}

static inline void drawn_is(const char *seen, const char *agreed)
{
	if (strcmp(seen, agreed) != 0)
		fail_msg("it looks so:\n%s", seen);
}

static inline void drawn_shows(const char *seen, const char *text)
{
	if (!strstr(seen, text))
		fail_msg("\"%s\" is not there:\n%s", text, seen);
}

static inline void drawn_hides(const char *seen, const char *text)
{
	if (strstr(seen, text))
		fail_msg("\"%s\" is there:\n%s", text, seen);
}

/* Every character takes a column. */
static inline void drawn_fits(const char *seen, int width, int height)
{
	int lines = 1, columns = 0;

	for (; *seen; seen++) {
		columns = *seen == '\n' ? 0 : columns + ((*seen & 0xc0) != 0x80);
		lines += *seen == '\n';
		assert_in_range(columns, 0, width);
	}
	assert_in_range(lines, 1, height);
}

/* Nothing on it moves the cursor of a terminal. */
static inline void drawn_is_plain(const char *seen)
{
	for (; *seen; seen++)
		assert_true(*seen == '\n' || (unsigned char)*seen >= ' ');
}

#endif
