/* See plot.h. */
#include "sim/plot.h"

#include "sim/page.h"

#include <math.h>

/* Pixels of the whole and of its margins; a plot of ranges has names in place of numbers, so a wider one. */
enum { WIDTH = 900, HEIGHT = 240, LEFT = 62, NAMES = 250, RIGHT = 28, TOP = 12, BOTTOM = 28, ROW = 26, TICKS = 5 };

/* ---- where things are ---- */

static int left_of(const struct plot *p)
{
	return p->rows ? NAMES : LEFT;
}

static int height_of(const struct plot *p)
{
	return p->rows ? TOP + p->rows * ROW + BOTTOM : HEIGHT;
}

static double place_x(const struct plot *p, double x)
{
	double from = p->x_from, to = p->x_to;

	if (p->rows) {
		x = log(fmax(x, from));
		from = log(from);
		to = log(to);
	}
	return left_of(p) + (WIDTH - left_of(p) - RIGHT) * (to > from ? (x - from) / (to - from) : 0.5);
}

static double place_y(const struct plot *p, double y)
{
	double share = p->log_y ? log(fmax(y, p->y_from) / p->y_from) / log(p->y_to / p->y_from) : y / p->y_to;

	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share;
}

/* ---- axes ---- */

/* 1, 2 or 5 times a power of ten, so that about TICKS of them reach `to`. */
static double step_of(double to)
{
	double raw = to / TICKS, power = pow(10, floor(log10(raw)));

	if (raw / power > 5)
		return 10 * power;
	if (raw / power > 2)
		return 5 * power;
	return raw / power > 1 ? 2 * power : power;
}

static void text_at(struct plot *p, double x, double y, const char *anchor, struct str text)
{
	buf_fmt(p->b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	page_escape(p->b, text);
	buf_z(p->b, "</text>");
}

static void number_at(struct plot *p, double x, double y, const char *anchor, double v, const char *unit)
{
	struct buf b = BUF_INIT(64);

	buf_fmt(&b, "%.10g%s", v, unit);
	text_at(p, x, y, anchor, buf_str(&b));
	buf_free(&b);
}

static void grid_y(struct plot *p, double v)
{
	double y = place_y(p, v);

	buf_fmt(p->b, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y, WIDTH - RIGHT);
	number_at(p, LEFT - 6, y + 4, "end", v, "");
}

static void axis_y(struct plot *p)
{
	double step = step_of(p->y_to);

	if (p->log_y)
		for (double v = p->y_from; v <= p->y_to * 1.01; v *= 10)
			grid_y(p, v);
	else
		for (int i = 0; i * step <= p->y_to * 1.001; i++)
			grid_y(p, i * step);
}

static void round_y(struct plot *p)
{
	double step;

	if (p->log_y) {
		p->y_from = pow(10, floor(log10(fmax(p->y_from, 1e-3))));
		p->y_to = pow(10, ceil(log10(fmax(p->y_to, p->y_from * 10))));
		return;
	}
	p->y_to = p->y_to > 0 ? p->y_to : 1;
	step = step_of(p->y_to);
	p->y_to = step * ceil(p->y_to / step);
}

static void caption_of(struct plot *p, const char *caption, const struct plot_key *keys, unsigned count)
{
	buf_z(p->b, "<figure><figcaption>");
	page_escape(p->b, str_of(caption));
	if (count > 0)
		buf_z(p->b, "<span class=\"key\">");
	for (unsigned i = 0; i < count; i++) {
		buf_fmt(p->b, "<i style=\"background:var(--%s)\"></i>", keys[i].color);
		page_escape(p->b, str_of(keys[i].name));
	}
	buf_z(p->b, count > 0 ? "</span></figcaption>\n" : "</figcaption>\n");
}

void plot_begin(struct plot *p, const char *caption, const struct plot_key *keys, unsigned count)
{
	caption_of(p, caption, keys, count);
	buf_fmt(p->b, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, height_of(p));
	page_escape(p->b, str_of(caption));
	buf_z(p->b, "\">");
	if (p->rows)
		return;
	round_y(p);
	axis_y(p);
}

void plot_end(struct plot *p)
{
	buf_z(p->b, "</svg></figure>\n");
}

void plot_x_label(struct plot *p, double x, struct str text)
{
	text_at(p, place_x(p, x), HEIGHT - 8, "middle", text);
}

/* ---- what is shown ---- */

static void title_of(struct plot *p, struct str title)
{
	buf_z(p->b, "<title>");
	page_escape(p->b, title);
	buf_z(p->b, "</title>");
}

void plot_bar(struct plot *p, double x, double x_end, double y, double y_end, const char *color, struct str title)
{
	double left = place_x(p, x), top = place_y(p, y_end);

	buf_fmt(p->b, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">", color, left, top,
		fmax(place_x(p, x_end) - left, 0.3), fmax(place_y(p, y) - top, 0));
	title_of(p, title);
	buf_z(p->b, "</rect>");
}

void plot_line(struct plot *p, const char *color, const double *x, const double *y, size_t count)
{
	bool on = false;

	buf_fmt(p->b, "<path class=\"%s\" d=\"", color);
	for (size_t i = 0; i < count; i++) {
		if (!isnan(y[i]))
			buf_fmt(p->b, "%c%.1f %.1f", on ? 'L' : 'M', place_x(p, x[i]), place_y(p, y[i]));
		on = !isnan(y[i]);
	}
	buf_z(p->b, "\"/>");
}

void plot_level(struct plot *p, const char *color, double y)
{
	buf_fmt(p->b, "<path class=\"%s\" d=\"M%d %.1fH%d\"/>", color, LEFT, place_y(p, y), WIDTH - RIGHT);
}

void plot_range(struct plot *p, int row, struct str name, double low, double middle, double high, double end,
		struct str title)
{
	double y = TOP + row * ROW + ROW / 2.0;

	text_at(p, NAMES - 10, y + 4, "end", str_clip(name, 36));
	buf_z(p->b, "<g>");
	title_of(p, title);
	buf_fmt(p->b, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", place_x(p, low), y, place_x(p, end));
	buf_fmt(p->b, "<path class=\"range\" d=\"M%.1f %.1fH%.1f\"/>", place_x(p, low), y, place_x(p, high));
	buf_fmt(p->b, "<circle class=\"middle\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", place_x(p, middle), y);
	buf_fmt(p->b, "<circle class=\"end\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/></g>", place_x(p, end), y);
}

void plot_range_axis(struct plot *p, const char *unit)
{
	int bottom = height_of(p) - BOTTOM;

	for (double v = p->x_from; v <= p->x_to * 1.01; v *= 10) {
		buf_fmt(p->b, "<path class=\"grid\" d=\"M%.1f %dV%d\"/>", place_x(p, v), TOP, bottom);
		number_at(p, place_x(p, v), bottom + 18, "middle", v, unit);
	}
}
