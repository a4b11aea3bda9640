/* See words.h. */
#include "sim/words.h"

#include "base/clock.h"

void words_count(struct buf *b, int64_t n)
{
	if (n >= 1000) {
		words_count(b, n / 1000);
		buf_fmt(b, ",%03d", (int)(n % 1000));
	} else {
		buf_i64(b, n);
	}
}

void words_ms(struct buf *b, double ms)
{
	if (ms < 10)
		buf_fmt(b, "%.1f ms", ms);
	else if (ms < 1000)
		buf_fmt(b, "%.0f ms", ms);
	else if (ms < 60000)
		buf_fmt(b, "%.1f s", ms / 1000);
	else
		words_span(b, (int64_t)ms);
}

void words_span(struct buf *b, int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *name;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
	unsigned i = 0;

	while (i < 3 && ms < units[i].ms)
		i++;
	if (i == 3) {
		buf_fmt(b, "%.1f s", (double)ms / 1000);
		return;
	}
	buf_fmt(b, "%lld %s", (long long)(ms / units[i].ms), units[i].name);
	ms = ms % units[i].ms / units[i + 1].ms;
	if (ms > 0)
		buf_fmt(b, " %lld %s", (long long)ms, units[i + 1].name);
}

void words_hour(struct buf *b, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	buf_add(b, text, sizeof("2026-01-05") - 1);
	buf_c(b, ' ');
	buf_add(b, text + sizeof("2026-01-05T") - 1, sizeof("14:00") - 1);
}

/* As exact as it is worth: 57 %, 5.1 %, 0.03 %. */
void words_percent(struct buf *b, double share)
{
	double percent = share * 100;

	buf_fmt(b, "%.*f %%", percent == 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2, percent);
}

void words_clock(struct buf *b, int64_t ms)
{
	int64_t s = ms / 1000;

	buf_fmt(b, "%lld:%02lld:%02lld", (long long)(s / 3600), (long long)(s / 60 % 60), (long long)(s % 60));
}
