/*
 * Pictures of numbers as SVG within an HTML page (sim/page.h has their colours): axes, bars, lines, ranges. Numbers are
 * put in their own units; who draws says which part of them is seen.
 */
#ifndef TENFOLD_SIM_PLOT_H
#define TENFOLD_SIM_PLOT_H

#include "base/buf.h"

struct plot {
	struct buf *b;
	double x_from, x_to;
	double y_to; /* what is highest; the axis begins at 0, or with log_y at y_from */
	double y_from;
	bool log_y;
	int rows; /* of a plot of ranges: so many instead of an axis */
};

struct plot_key {          /* of the legend */
	const char *color; /* one of the style's: good, idle, bad, first, second, third */
	const char *name;
};

/* Sets y_to, and with log_y y_from, so that their axis ends at a round number; y_to is what is to be seen. */
void plot_begin(struct plot *p, const char *caption, const struct plot_key *keys, unsigned count);
void plot_end(struct plot *p);

void plot_x_label(struct plot *p, double x, struct str text);
/* A bar between two values of x and of y; `title` is told when it is pointed at. */
void plot_bar(struct plot *p, double x, double x_end, double y, double y_end, const char *color, struct str title);

/* A line through points; NAN leaves a gap. */
void plot_line(struct plot *p, const char *color, const double *x, const double *y, size_t count);

/* A line at one height. */
void plot_level(struct plot *p, const char *color, double y);

/* A row of a plot of ranges, from above: x from `low` to `high` with marks at `middle` and `end`. x is logarithmic. */
void plot_range(struct plot *p, int row, struct str name, double low, double middle, double high, double end,
		struct str title);
void plot_range_axis(struct plot *p, const char *unit);

#endif
