/*
 * A line of stdout is held back only while it may still be "::progress N note" or "::ask text"; so output that has no
 * line feeds flows through, and a tail never holds more than twice what is kept.
 */
#include "cli/worker_output.h"

#include "spec/types.h"

#include <string.h>
#include <sys/wait.h>

enum { MARKED_LINE_MAX = 1024, ERROR_LINES = 20 };

static const struct str mark = {"::progress ", 11}, ask_mark = {"::ask ", 6};

/* ---- tails ---- */

static struct str tail_str(const struct tail *t)
{
	size_t n = t->text.n < t->max ? t->text.n : t->max;

	return n ? (struct str){t->text.p + t->text.n - n, n} : STR("");
}

static void drop_front(struct tail *t)
{
	struct str kept = tail_str(t);

	if (kept.n)
		memmove(t->text.p, kept.p, kept.n);
	t->text.n = kept.n;
	t->text.p[kept.n] = '\0';
}

static void tail_add(struct tail *t, struct str s)
{
	if (s.n > t->max)
		s = (struct str){s.p + s.n - t->max, t->max};
	if (t->text.n + s.n > 2 * t->max)
		drop_front(t);
	for (size_t i = 0; i < s.n; i++)
		buf_c(&t->text, s.p[i] ? s.p[i] : '\xff');
}

/* A tail may begin inside a character. */
static struct str from_character(struct str s)
{
	for (int i = 0; i < 3 && s.n && ((unsigned char)s.p[0] & 0xc0) == 0x80; i++)
		s = (struct str){s.p + 1, s.n - 1};
	return s;
}

void output_init(struct output *o)
{
	*o = (struct output){.all = {.max = OUTPUT_KEPT}, .errors = {.max = OUTPUT_ERRORS_KEPT}};
}

void output_free(struct output *o)
{
	buf_free(&o->line);
	buf_free(&o->all.text);
	buf_free(&o->errors.text);
	buf_free(&o->plain.text);
	buf_free(&o->note);
	buf_free(&o->question);
}

void output_take_questions(struct output *o)
{
	o->may_ask = true;
}

void output_keep_stdout(struct output *o, size_t max)
{
	o->plain.max = max;
}

struct str output_stdout_kept(const struct output *o)
{
	return tail_str(&o->plain);
}

struct str output_stderr_kept(const struct output *o)
{
	return tail_str(&o->errors);
}

/* ---- progress ---- */

static bool take_progress(struct output *o, struct str line)
{
	struct str note, number;
	int64_t percent;

	if (!str_starts(line, mark))
		return false;
	line = str_trim((struct str){line.p + mark.n, line.n - mark.n});
	number = str_cut(line, ' ', &note);
	if (!str_to_i64(number, &percent) || percent < 0 || percent > 100)
		return false;
	o->has_progress = true;
	o->percent = (int)percent;
	note = str_clip(str_trim(note), OUTPUT_NOTE_MAX);
	buf_reset(&o->note);
	for (size_t i = 0; i < note.n; i++)
		buf_c(&o->note, note.p[i] ? note.p[i] : ' ');
	return true;
}

static bool take_question(struct output *o, struct str line)
{
	if (!o->may_ask || !str_starts(line, ask_mark))
		return false;
	line = str_trim((struct str){line.p + ask_mark.n, line.n - ask_mark.n});
	if (!line.n || !str_is_utf8(line) || memchr(line.p, '\0', line.n))
		return false;
	buf_reset(&o->question);
	buf_str_add(&o->question, line);
	return true;
}

static bool may_begin(struct str line, struct str with)
{
	size_t n = line.n < with.n ? line.n : with.n;

	return str_eq((struct str){line.p, n}, (struct str){with.p, n});
}

/* May these first bytes of a line become one that is taken? */
static bool may_be_marked(const struct output *o, struct str line)
{
	return line.n <= MARKED_LINE_MAX && (may_begin(line, mark) || (o->may_ask && may_begin(line, ask_mark)));
}

static void add_stdout(struct output *o, struct str s)
{
	tail_add(&o->all, s);
	if (o->plain.max)
		tail_add(&o->plain, s);
}

static void take_line(struct output *o, bool ended)
{
	struct str line = buf_str(&o->line);

	if (!o->passing && (take_progress(o, line) || take_question(o, line))) {
		buf_reset(&o->line);
		return;
	}
	add_stdout(o, line);
	if (ended)
		add_stdout(o, STR("\n"));
	buf_reset(&o->line);
}

/* A part of a line that does not end yet. */
static void take_part(struct output *o, struct str part)
{
	if (!o->passing) {
		buf_str_add(&o->line, part);
		o->passing = !may_be_marked(o, buf_str(&o->line));
		if (o->passing)
			take_line(o, false);
	} else {
		add_stdout(o, part);
	}
}

void output_stdout(struct output *o, struct str bytes)
{
	while (bytes.n) {
		struct str rest, part = str_cut(bytes, '\n', &rest);

		take_part(o, part);
		if (!rest.p)
			return;
		take_line(o, true);
		o->passing = false;
		bytes = rest;
	}
}

void output_stderr(struct output *o, struct str bytes)
{
	tail_add(&o->all, bytes);
	tail_add(&o->errors, bytes);
}

void output_end(struct output *o)
{
	if (o->line.n)
		take_line(o, false);
	o->passing = false;
}

/* ---- results ---- */

void output_result(const struct output *o, struct buf *json)
{
	size_t most = (size_t)type_work_settle_item.fields[work_settle_item__result].max;
	struct str text = tail_str(&o->all);

	for (;;) {
		buf_reset(json);
		buf_z(json, "{\"exit\":0,\"output\":");
		buf_json_text(json, from_character(text));
		buf_c(json, '}');
		if (json->n <= most)
			return;
		/* Control characters take six bytes each in JSON: keep the later half. */
		text = (struct str){text.p + text.n / 2, text.n - text.n / 2};
	}
}

/* At most so many lines from the end. */
static struct str last_lines(struct str s, int lines)
{
	size_t at = s.n;

	while (at > 0 && !(s.p[at - 1] == '\n' && --lines == 0))
		at--;
	return (struct str){s.p + at, s.n - at};
}

void output_error(const struct output *o, int wait_status, struct buf *text)
{
	struct str said = tail_str(o->errors.text.n ? &o->errors : &o->all);

	if (said.n > OUTPUT_ERRORS_KEPT)
		said = (struct str){said.p + said.n - OUTPUT_ERRORS_KEPT, OUTPUT_ERRORS_KEPT};
	said = last_lines(str_trim(from_character(said)), ERROR_LINES);
	if (WIFSIGNALED(wait_status))
		buf_fmt(text, "killed by signal %d (%s)", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else
		buf_fmt(text, "exit status %d", WEXITSTATUS(wait_status));
	if (said.n)
		buf_z(text, ": ");
	buf_str_add(text, said);
}
