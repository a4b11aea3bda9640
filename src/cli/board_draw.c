/*
 * A board as lines: a title, the list, below it what is asked there, the log, and what the keys are for. On a low
 * screen the log goes first, then the question, then all but title, list and keys.
 */
#include "cli/board_screen.h"

enum { COUNTS_FROM = 8, LOG_FROM = 14 }; /* lines of a screen that has them */

/* ---- the head ---- */

static void put_title(struct screen *s)
{
	const struct board *b = s->b;
	struct buf left = BUF_INIT(LINE_MAX_BYTES), right = BUF_INIT(LINE_MAX_BYTES);

	buf_z(&left, "tenfold");
	if (b->squad.n)
		buf_fmt(&left, "  squad %.*s  %s", STRF(b->squad), enum_squad_status.values[b->squad_status].text);
	if (b->cost[0])
		buf_fmt(&left, "  %s this month", b->cost);
	buf_z(&right, s->look->trouble[0] ? "CUT OFF  " : "live  ");
	screen_time(&right, s->look->now_ms);
	screen_put_ends(s, s->look->trouble[0] || b->squad_status != SQUAD_ACTIVE ? STYLE_ALARM : STYLE_TITLE,
			&left, &right);
}

/* What matters most stands first: on a narrow screen the end is not seen. */
static void put_counts(struct screen *s)
{
	struct buf text = BUF_INIT(LINE_MAX_BYTES);
	unsigned standing[EXECUTION_CANCELLED + 1] = {0}, waiting = 0;

	for (size_t i = 0; i < s->b->all.n; i++) {
		standing[s->b->all.v[i]->state]++;
		waiting += board_waiting(s->b->all.v[i]);
	}
	if (waiting)
		buf_fmt(&text, "WAITING FOR YOU: %u  ", waiting);
	if (s->b->filter[0])
		buf_fmt(&text, "filter: %s  ", s->b->filter);
	for (int state = 0; state <= EXECUTION_CANCELLED; state++)
		if (standing[state])
			buf_fmt(&text, "%u %s  ", standing[state], enum_execution_state.values[state].text);
	if (!s->b->all.n)
		buf_z(&text, "no executions yet");
	screen_put_buf(s, waiting ? STYLE_ALARM : STYLE_PLAIN, &text);
}

/* ---- the log ---- */

static bool is_shown(const struct screen *s, const struct board_line *l)
{
	return s->b->all_lines || l->execution == board_chosen(s->b);
}

/* Where the last `count` lines that are shown begin. */
static size_t log_from(const struct screen *s, int count)
{
	size_t i = s->b->line_count;

	while (i > 0 && count > 0)
		count -= is_shown(s, board_line(s->b, --i));
	return i;
}

static void put_log_line(struct screen *s, const struct board_line *l)
{
	const struct board_execution *e = s->b->all_lines ? board_find(s->b, l->execution) : NULL;
	struct buf b = BUF_INIT(LINE_MAX_BYTES);

	screen_time(&b, l->at_ms);
	buf_c(&b, ' ');
	if (e)
		buf_fmt(&b, "%.*s | ", STRF(e->name));
	if (l->step)
		buf_fmt(&b, "%.*s: ", STRF(board_step_name(s->b, l->execution, l->step)));
	buf_z(&b, l->text);
	screen_put_buf(s, STYLE_PLAIN, &b);
}

static void add_name_and_why(const struct screen *s, const struct board_execution *e, struct buf *b)
{
	struct str why = {e->why.p, print_fits(e->why, (size_t)s->look->width)};

	buf_fmt(b, "%.*s%s%.*s", STRF(e->name), why.n ? ": " : "", STRF(why));
}

static void put_log(struct screen *s, int height)
{
	const struct board_execution *e = board_find(s->b, board_chosen(s->b));
	struct buf head = BUF_INIT(LINE_MAX_BYTES);
	int until = s->lines + height;

	buf_z(&head, "-- ");
	if (s->b->all_lines || !e)
		buf_z(&head, "all executions");
	else
		add_name_and_why(s, e, &head);
	screen_put_rule(s, STYLE_FAINT, &head);
	for (size_t i = log_from(s, height - 1); i < s->b->line_count; i++)
		if (is_shown(s, board_line(s->b, i)))
			put_log_line(s, board_line(s->b, i));
	while (s->lines < until && s->lines < s->look->height)
		screen_put(s, STYLE_PLAIN, (struct str){0});
}

/* ---- help ---- */

static void put_help(struct screen *s)
{
	static const char *const lines[] = {
		"arrows, j, k   move: the execution under the cursor shows its steps",
		"a, r           approve or reject what waits for it; a note is asked for",
		"w              write the answer to what a step asks",
		"c              cancel the execution, after a question",
		"p              pause the execution, or let it go on",
		"P              pause the squad, or let it go on",
		"f, /           show only executions with some text in name or state",
		"l              the log of all executions, and back",
		"q              quit; the squad goes on",
		"",
		"steps: . pending  o ready  * running  ? waits  + completed  x failed",
		"       - cancelled; below a step stands what needs it",
	};

	screen_put(s, STYLE_TITLE, STR("tenfold squad watch"));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) && s->lines < s->look->height - 1; i++)
		screen_put(s, STYLE_PLAIN, str_of(lines[i]));
	screen_put(s, STYLE_FAINT, STR("any key leads back"));
}

/* ---- together ---- */

static void put_board(struct screen *s)
{
	int height = s->look->height, foot = height >= COUNTS_FROM || s->b->mode != MODE_LOOK ? 2 : 1;
	int log = height >= LOG_FROM ? height / 3 : 0;

	if (height > 1)
		put_title(s);
	if (height >= COUNTS_FROM)
		put_counts(s);
	board_put_list_and_question(s, height - s->lines - log - foot);
	if (log)
		put_log(s, log);
	if (foot == 2)
		board_put_prompt(s);
	board_put_keys(s);
}

void board_draw(const struct board *b, const struct board_look *look, struct buf *out)
{
	struct screen s = {b, look, out, 0};

	if (b->mode == MODE_HELP)
		put_help(&s);
	else
		put_board(&s);
}
