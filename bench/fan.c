/*
 * Streams of events with many readers: --agents streams are opened on --items executions, in turn, or, with --of-squad,
 * all on the one squad; then a worker reports progress of those executions at --rate a second in an open loop. What is
 * measured is from when a report was due until a stream has its event: a durable write, and the way to the reader.
 *
 * Every stream must hear every report of its execution, in order, each once: else the run gives no figure.
 */
#include "base/clock.h"
#include "load.h"

#include <string.h>

enum { REPORTERS = 32, ASKED_AT_ONCE = 128, DUES = 1024, STARTERS = 16 };

/* An execution of one step that a worker has, and when its reports were due. */
struct told {
	int64_t item;
	char token[TOKEN_MAX];
	char execution[ID_TEXT];
	int64_t due_ns[DUES]; /* a ring, by their number */
	uint64_t reports;
	bool busy; /* one is on its way */
};

struct fan;

struct reader {
	struct stream stream;
	struct fan *fan;
	struct told *told;
	uint64_t heard;
	struct buf text; /* of an event that is not complete */
	bool answered;
};

struct reporter {
	struct http http;
	struct fan *fan;
	struct told *told;
};

struct fan {
	struct load *load;
	struct told *all;
	struct reader *readers;
	struct reporter reporters[REPORTERS];
	VEC(struct reporter *) resting;
	unsigned count, made, claimed, opened, greeted, next;
	uint64_t reports, delivered, expected;
	double next_ns;
	struct histogram *delivery;
	bool began;
};

/* ---- executions ---- */

struct maker {
	struct http http;
	struct fan *fan;
	bool claims;
};

static void make_next(struct maker *m)
{
	struct fan *f = m->fan;
	struct buf *b = &f->load->body;

	buf_reset(b);
	if (f->made < f->count) {
		f->made++;
		buf_fmt(b, "{\"squad\":\"%.*s\",\"name\":\"benchmark execution\",\"steps\":[{\"name\":\"step\"}]}",
			STRF(f->load->options.squad));
		http_post(&m->http, STR("/v1/executions"), buf_str(b));
	} else if (f->claimed < f->count) {
		m->claims = true;
		ops_claim(f->load, &m->http, 100, 0);
	} else {
		f->load->wire->done = true;
	}
}

/* The text between `opening` and the next quote. */
static bool member(struct str text, const char *opening, char *out, size_t room)
{
	const char *at = memmem(text.p, text.n, opening, strlen(opening)), *end;

	if (!at)
		return false;
	at += strlen(opening);
	end = memchr(at, '"', (size_t)(text.p + text.n - at));
	if (!end || (size_t)(end - at) >= room)
		return false;
	memcpy(out, at, (size_t)(end - at));
	out[end - at] = '\0';
	return true;
}

static void take_claimed(struct fan *f, struct str body)
{
	static const char opening[] = "{\"id\":\"w_";
	const char *at = body.p, *end = body.p + body.n;

	while ((at = memmem(at, (size_t)(end - at), opening, sizeof opening - 1))) {
		const char *behind = memmem(at + 1, (size_t)(end - at - 1), opening, sizeof opening - 1);
		struct str one = {at, (size_t)((behind ? behind : end) - at)};
		struct told *t = &f->all[f->claimed];
		char id[ID_TEXT];

		if (f->claimed == f->count || !member(one, "\"id\":\"", id, sizeof id) ||
		    !id_parse(str_of(id), "w_", &t->item) || !member(one, "\"token\":\"", t->token, TOKEN_MAX) ||
		    !member(one, "\"execution\":\"", t->execution, ID_TEXT)) {
			wire_fault(f->load->wire, "a step that was not made here, or is not complete");
			return;
		}
		f->claimed++;
		at += one.n;
	}
}

static void made(struct http *h, int status, struct str body)
{
	struct maker *m = CONTAINER_OF(h, struct maker, http);

	if (status != 202 && status != 200)
		wire_fault(m->fan->load->wire, "%d %.*s", status, body.n < 160 ? (int)body.n : 160, body.p);
	else if (m->claims)
		take_claimed(m->fan, body);
	make_next(m);
}

static int64_t no_tick(void *ctx)
{
	(void)ctx;
	return INT64_MAX;
}

/* One after the other on a few connections; the last of them claims what the others have made. */
static void make_executions(struct fan *f)
{
	struct maker makers[STARTERS];

	for (unsigned i = 0; i < STARTERS; i++) {
		makers[i] = (struct maker){.fan = f, .http.answered = made};
		load_open(f->load, &makers[i].http, i);
		make_next(&makers[i]);
	}
	wire_run(f->load->wire, no_tick, f);
	for (unsigned i = 0; i < STARTERS; i++)
		http_close(&makers[i].http);
}

/* ---- readers ---- */

static void hear(struct reader *r, struct str event)
{
	struct fan *f = r->fan;
	const struct told *t = r->told;
	int64_t due_ns;

	if (!memmem(event.p, event.n, "event: progress\n", 16))
		return;
	if (r->heard == t->reports) {
		wire_fault(f->load->wire, "a stream told what was not reported");
		return;
	}
	due_ns = t->due_ns[r->heard++ % DUES];
	f->delivered++;
	if (load_counts(f->load, due_ns))
		histogram_add(f->delivery, (uint64_t)(clock_mono_ns() - due_ns));
}

static void take_text(struct reader *r, struct str text)
{
	const char *end;
	size_t used = 0;

	buf_str_add(&r->text, text);
	while ((end = memmem(r->text.p + used, r->text.n - used, "\n\n", 2))) {
		hear(r, (struct str){r->text.p + used, (size_t)(end + 2 - r->text.p) - used});
		used = (size_t)(end + 2 - r->text.p);
	}
	memmove(r->text.p, r->text.p + used, r->text.n - used);
	r->text.n -= used;
	if (r->text.n == 0)
		buf_free(&r->text); /* ten thousand that rest hold nothing */
}

/* Bytes of one whole chunk; 0: it is not there yet. */
static size_t take_chunk(struct reader *r, struct str bytes)
{
	size_t head = 0, size = 0;

	for (; head < bytes.n && bytes.p[head] != '\r'; head++) {
		char c = bytes.p[head];

		size = size * 16 + (size_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	if (head + 2 + size + 2 > bytes.n)
		return 0;
	take_text(r, (struct str){bytes.p + head + 2, size});
	return head + 2 + size + 2;
}

static size_t take_head(struct reader *r, struct str bytes)
{
	const char *end = memmem(bytes.p, bytes.n, "\r\n\r\n", 4);

	if (!end)
		return 0;
	if (bytes.n < 12 || memcmp(bytes.p + 9, "200", 3) != 0)
		wire_fault(r->fan->load->wire, "a stream was refused: %.*s", (int)(end - bytes.p), bytes.p);
	r->answered = true;
	r->fan->greeted++;
	return (size_t)(end + 4 - bytes.p);
}

static size_t arrived(struct stream *s, struct str bytes)
{
	struct reader *r = CONTAINER_OF(s, struct reader, stream);
	size_t used = r->answered ? 0 : take_head(r, bytes), n = 1;

	while (r->answered && used < bytes.n && n && !s->wire->done) {
		n = take_chunk(r, (struct str){bytes.p + used, bytes.n - used});
		used += n;
	}
	return used;
}

static void open_reader(struct fan *f, struct reader *r, unsigned nth)
{
	struct buf *out = &r->stream.out;

	*r = (struct reader){.fan = f, .told = &f->all[nth % f->count], .stream.arrived = arrived};
	stream_open(&r->stream, f->load->wire, &f->load->to);
	if (f->load->options.of_squad)
		buf_fmt(out, "GET /v1/squads/%.*s/events", STRF(f->load->options.squad));
	else
		buf_fmt(out, "GET /v1/executions/%s/events", r->told->execution);
	buf_fmt(out, " HTTP/1.1\r\n%.*s\r\n", STRF(f->load->headers[nth % f->load->options.key_count]));
	stream_flush(&r->stream);
}

static int64_t open_more(void *ctx)
{
	struct fan *f = ctx;

	while (f->opened < f->load->options.agents && f->opened - f->greeted < ASKED_AT_ONCE &&
	       !f->load->wire->done) {
		open_reader(f, &f->readers[f->opened], f->opened);
		f->opened++;
	}
	if (f->greeted == f->load->options.agents)
		f->load->wire->done = true;
	return INT64_MAX;
}

/* ---- reports ---- */

static unsigned readers_of(const struct fan *f, const struct told *t)
{
	unsigned nth = (unsigned)(t - f->all), all = f->load->options.agents;

	return f->load->options.of_squad ? all : all / f->count + (nth < all % f->count);
}

static void report_progress(struct fan *f, struct reporter *r, struct told *t, int64_t due_ns)
{
	struct buf *b = &f->load->body;
	char path[64] = "/v1/work/";
	size_t n = strlen(path);

	n += id_format(path + n, "w_", t->item);
	memcpy(path + n, "/progress", sizeof "/progress");
	buf_reset(b);
	buf_fmt(b, "{\"token\":\"%s\",\"percent\":%d}", t->token, (int)(t->reports % 99) + 1);
	t->due_ns[t->reports++ % DUES] = due_ns;
	t->busy = true;
	r->told = t;
	f->reports++;
	f->expected += readers_of(f, t);
	http_post(&r->http, str_of(path), buf_str(b));
}

/* In turn, so that no two reports of one execution are on their way at once. */
static void report_due(struct fan *f)
{
	while (f->resting.n && f->next_ns <= (double)f->load->wire->now_ns &&
	       f->next_ns < (double)f->load->until_ns && !f->load->wire->done) {
		struct told *t = &f->all[f->next % f->count];

		if (t->busy)
			return;
		f->next++;
		report_progress(f, f->resting.v[--f->resting.n], t, (int64_t)f->next_ns);
		f->next_ns += 1e9 / f->load->options.rate;
	}
}

static void reported(struct http *h, int status, struct str body)
{
	struct reporter *r = CONTAINER_OF(h, struct reporter, http);
	struct fan *f = r->fan;

	if (status != 200)
		wire_fault(f->load->wire, "progress: %d %.*s", status, body.n < 160 ? (int)body.n : 160, body.p);
	r->told->busy = false;
	*VEC_PUSH(&f->resting) = r;
	report_due(f);
}

static int64_t tick(void *ctx)
{
	struct fan *f = ctx;
	struct load *l = f->load;

	if (!f->began) {
		load_window(l);
		f->next_ns = (double)clock_mono_ns();
		f->began = true;
	}
	load_check_late(l);
	report_due(f);
	if (f->next_ns < (double)l->until_ns)
		return (int64_t)f->next_ns > l->wire->now_ns ? (int64_t)f->next_ns : l->wire->now_ns + 1000000;
	if (f->delivered == f->expected && f->resting.n == REPORTERS)
		l->wire->done = true;
	return l->wire->now_ns + 1000000;
}

/* ---- a run ---- */

static void open_reporters(struct fan *f)
{
	for (unsigned i = 0; i < REPORTERS; i++) {
		f->reporters[i] = (struct reporter){.fan = f, .http.answered = reported};
		load_open(f->load, &f->reporters[i].http, i);
		*VEC_PUSH(&f->resting) = &f->reporters[i];
	}
}

static void release(struct fan *f)
{
	for (unsigned i = 0; i < f->opened; i++) {
		stream_close(&f->readers[i].stream);
		buf_free(&f->readers[i].text);
	}
	for (unsigned i = 0; i < REPORTERS; i++)
		http_close(&f->reporters[i].http);
	VEC_FREE(&f->resting);
	free(f->readers);
	free(f->all);
	free(f->delivery);
}

void mode_fan(struct load *l)
{
	unsigned streams = l->options.agents, count = l->options.items ? (unsigned)l->options.items : 1;
	struct fan f = {.load = l,
			.count = count,
			.all = must_alloc(count * sizeof *f.all),
			.readers = must_alloc((streams + 1) * sizeof *f.readers),
			.delivery = NEW(struct histogram)};

	wire_allow_descriptors(streams + REPORTERS + STARTERS);
	make_executions(&f);
	if (!l->wire->fault[0])
		wire_run(l->wire, open_more, &f);
	open_reporters(&f);
	if (!l->wire->fault[0])
		wire_run(l->wire, tick, &f);
	load_report(l, "streams", streams);
	load_report(l, "reports", (double)f.reports);
	load_report(l, "per_second", (double)f.delivery->count / l->options.seconds);
	load_report_latency(l, "delivery", f.delivery);
	release(&f);
}
