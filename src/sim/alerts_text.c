/* What an alert says, for programs, for Slack and as a mail. See alerts_priv.h. */
#include "sim/alerts_priv.h"

enum { DAY_MS = 86400000, DAYS_OF_WEEK = 7, EPOCH_WEEKDAY = 4 /* a Thursday, from Sunday */ };

void alert_plain(const struct sim_alert *alert, struct buf *b)
{
	json_encode(&type_sim_alert, alert, 0, b);
}

/* Slack reads <…> as links, and &…; as characters. */
static void add_for_slack(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '<')
			buf_z(b, "&lt;");
		else if (s.p[i] == '>')
			buf_z(b, "&gt;");
		else if (s.p[i] == '&')
			buf_z(b, "&amp;");
		else
			buf_c(b, s.p[i]);
	}
}

void alert_slack(const struct sim_alert *alert, struct buf *b)
{
	struct buf text = BUF_INIT(0);
	struct sim_slack_message message = {0};

	buf_z(&text, "tenfold: ");
	add_for_slack(&text, alert->text);
	buf_z(&text, "\nrun ");
	add_for_slack(&text, alert->run);
	buf_z(&text, " of scenario ");
	add_for_slack(&text, alert->scenario);
	buf_z(&text, " against ");
	add_for_slack(&text, alert->target.n ? alert->target : STR("no target"));
	buf_fmt(&text, ", cycle %lld", (long long)alert->cycle);
	PUT(&message, sim_slack_message, text, buf_str(&text));
	json_encode(&type_sim_slack_message, &message, 0, b);
	buf_free(&text);
}

/* ---- as a mail ---- */

/* What a target said may hold anything; a line it stays. */
static void add_line(struct buf *b, const char *name, struct str s)
{
	buf_fmt(b, "%-10s ", name);
	for (size_t i = 0; i < s.n; i++)
		buf_c(b, (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i]);
	buf_z(b, "\r\n");
}

static void add_number(struct buf *b, const char *name, int64_t n)
{
	buf_fmt(b, "%-10s %lld\r\n", name, (long long)n);
}

void alert_mail_text(const struct sim_alert *alert, struct buf *b)
{
	char simulated[CLOCK_TEXT], at[CLOCK_TEXT];

	clock_format(alert->simulated, simulated);
	clock_format(alert->at, at);
	add_line(b, "what", alert->text);
	add_line(b, "when", str_of(at));
	add_line(b, "run", alert->run);
	add_line(b, "scenario", alert->scenario);
	add_line(b, "target", alert->target.n ? alert->target : STR("none"));
	add_number(b, "cycle", alert->cycle);
	add_line(b, "simulated", str_of(simulated));
	add_number(b, "agents", alert->agents);
	add_number(b, "failed", alert->failures);
	add_number(b, "trips", alert->trips);
	add_line(b, "folder", alert->dir);
	buf_z(b, "\r\nHow it goes: tenfold sim ctl DIR status; once the cause is mended: tenfold sim ctl DIR "
		 "resume\r\n");
}

void alert_mail_subject(const struct sim_alert *alert, struct buf *b)
{
	buf_fmt(b, "tenfold: the breaker of %.*s is open", STRF(alert->run));
}

void alert_mail_date(int64_t ms, struct buf *b)
{
	static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct clock_date d = clock_date(ms);
	char text[CLOCK_TEXT];

	clock_format(ms, text); /* 2026-11-21T03:04:05.678Z */
	buf_fmt(b, "%s, %d %s %lld %.8s +0000", weekdays[(ms / DAY_MS + EPOCH_WEEKDAY) % DAYS_OF_WEEK], d.day,
		months[d.month - 1], (long long)d.year, text + 11);
}
