/* See worker_notes.h. */
#include "cli/worker_step.h"

#include "base/magic.h"

#include <stdlib.h>
#include <string.h>

enum {
	NOTES_EVERY_MS = 40,
	NOTE_BYTES = 16384, /* as many characters as a note may have, or fewer */
	NOTES_IN_CALL = 100,
	LINE_BYTES = 1000,
	LINES_MAX = 1000,
	NOTES_CALL_MS = 30000
};

/* ---- gathering ---- */

static bool goes_on(const struct notes *n, enum note_kind kind, size_t bytes)
{
	const struct note_span *last = n->spans.n ? &n->spans.v[n->spans.n - 1] : NULL;

	return last && n->spans.n > n->sent && kind == NOTE_TOKENS && last->kind == NOTE_TOKENS &&
	       last->bytes + bytes <= NOTE_BYTES;
}

static void add_one(struct notes *n, enum note_kind kind, struct str text)
{
	buf_str_add(&n->text, text);
	if (goes_on(n, kind, text.n))
		n->spans.v[n->spans.n - 1].bytes += text.n;
	else
		*VEC_PUSH(&n->spans) = (struct note_span){kind, text.n};
}

void notes_add(struct notes *n, enum note_kind kind, struct str text, int64_t now_ms)
{
	if (n->unwanted)
		return;
	if (n->spans.n == n->sent && n->due_ms < now_ms)
		n->due_ms = now_ms + NOTES_EVERY_MS;
	while (text.n) {
		struct str part = str_clip(text, NOTE_BYTES / 4);

		add_one(n, kind, part);
		text = (struct str){text.p + part.n, text.n - part.n};
	}
}

static void end_line(struct notes *n, struct buf *line, int64_t now_ms)
{
	if (!line->n)
		return;
	if (n->lines++ < LINES_MAX)
		notes_add(n, NOTE_LOG, buf_str(line), now_ms);
	else if (n->lines == LINES_MAX + 1)
		notes_add(n, NOTE_LOG, STR("… what it writes from here on is not shown"), now_ms);
	buf_reset(line);
}

void notes_add_output(struct notes *n, bool is_error, struct str bytes, int64_t now_ms)
{
	struct buf *line = &n->line[is_error];

	for (size_t i = 0; i < bytes.n && n->lines <= LINES_MAX && !n->unwanted; i++) {
		if (bytes.p[i] == '\n')
			end_line(n, line, now_ms);
		else if (line->n < LINE_BYTES && bytes.p[i] != '\0' && bytes.p[i] != '\r')
			buf_c(line, bytes.p[i]);
	}
}

bool notes_are_left(const struct notes *n)
{
	return n->spans.n > 0;
}

void notes_free(struct notes *n)
{
	VEC_FREE(&n->spans);
	buf_free(&n->text);
	buf_free(&n->line[0]);
	buf_free(&n->line[1]);
	if (n->request.easy)
		client_request_free(&n->request);
}

/* ---- sending ---- */

/* The first `count` spans are told, or not wanted. */
static void drop(struct notes *n, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += n->spans.v[i].bytes;
	memmove(n->spans.v, n->spans.v + count, (n->spans.n - count) * sizeof(*n->spans.v));
	n->spans.n -= count;
	memmove(n->text.p, n->text.p + bytes, n->text.n - bytes);
	n->text.n -= bytes;
}

static void give_up(struct notes *n)
{
	n->unwanted = true;
	drop(n, n->spans.n);
}

static void on_done(struct request *r, CURLcode code)
{
	struct notes *n = CONTAINER_OF(r, struct notes, request);
	struct job *j = r->owner;
	struct execution_noted out;
	struct problem p = {0};
	enum err e = client_request_end(r, code, j->worker->arena, &out, &p);
	size_t sent = n->sent;

	n->sent = 0;
	n->due_ms = j->worker->now_ms + NOTES_EVERY_MS;
	if (e && worker_is_passing(e)) {
		backoff_failed(&n->backoff, &j->worker->rng, j->worker->now_ms, p.retry_after_s);
		return;
	}
	backoff_worked(&n->backoff);
	if (!e) {
		drop(n, sent);
		return;
	}
	give_up(n);
	if (err_info(e)->status == 409)
		worker_lease_refused(j, e);
}

static size_t put_notes(struct notes *n, struct execution_note *to)
{
	size_t count = n->spans.n < NOTES_IN_CALL ? n->spans.n : NOTES_IN_CALL;
	const char *at = n->text.p;

	for (size_t i = 0; i < count; at += n->spans.v[i++].bytes) {
		PUT(&to[i], execution_note, kind, (int)n->spans.v[i].kind);
		PUT(&to[i], execution_note, text, ((struct str){at, n->spans.v[i].bytes}));
	}
	return count;
}

static bool may_tell(const struct job *j)
{
	return j->state == JOB_RUNNING || j->state == JOB_SETTLING;
}

void notes_begin(struct job *j)
{
	struct worker *w = j->worker;
	struct notes *n = &j->step->notes;
	struct execution_notes_in in = {0};

	if (!notes_are_left(n) || n->request.busy || !may_tell(j) || w->now_ms < n->backoff.until_ms)
		return;
	if (w->now_ms < n->due_ms && j->state != JOB_SETTLING)
		return;
	if (!n->request.easy) {
		client_request_init(&n->request, w->client);
		n->request.owner = j;
		n->request.done = on_done;
	}
	in.notes = ARENA_ARRAY(w->arena, struct execution_note, NOTES_IN_CALL);
	if (!in.notes)
		return;
	PUT(&in, execution_notes_in, id, j->step->execution);
	PUT(&in, execution_notes_in, item, j->item.id);
	PUT(&in, execution_notes_in, token, j->item.token);
	in.notes_count = n->sent = put_notes(n, in.notes);
	worker_request_begin(w, &n->request, ROUTE_execution_notes, &in, NOTES_CALL_MS);
}

int64_t notes_next_ms(const struct notes *n)
{
	if (!notes_are_left(n) || n->request.busy)
		return INT64_MAX;
	return n->due_ms > n->backoff.until_ms ? n->due_ms : n->backoff.until_ms;
}
