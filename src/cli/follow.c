/* See follow.h. */
#include "cli/follow.h"

enum { ARENA_MAX = 64 << 20 };

enum err follow_begin(struct follow *f, struct cli *cli, sse_event_fn *on_event)
{
	enum err e = cli_connect(cli, &f->client);

	if (e)
		return e;
	f->cli = cli;
	f->multi = curl_multi_init();
	f->arena = arena_new(ARENA_MAX);
	rng_system_init(&f->rng);
	stream_init(&f->stream, f->client, f->multi, on_event, f->ctx);
	return OK;
}

void follow_end(struct follow *f)
{
	stream_free(&f->stream);
	client_destroy(&f->client);
	arena_destroy(&f->arena);
	curl_multi_cleanup(f->multi);
}

bool follow_is_open(const struct follow *f)
{
	return client_request_status(&f->stream.request) == 200;
}

static void tell_trouble(struct follow *f, enum err e, const struct problem *why)
{
	struct buf text = BUF_INIT(0);

	buf_fmt(&text, "%s; %s", why->detail, client_waits_it_out(e));
	if (f->trouble)
		f->trouble(f->ctx, buf_cstr(&text));
	else
		fprintf(stderr, "tenfold: %s: %s\n", f->cli->verb->name, buf_cstr(&text));
	buf_free(&text);
}

static enum err on_end(struct follow *f, CURLcode code, int64_t now)
{
	struct problem why = {0};
	enum err e;

	f->is_over |= code == CURLE_OK && client_request_status(&f->stream.request) == 204;
	if (f->is_over) {
		stream_cut(&f->stream);
		return OK;
	}
	e = stream_ended(&f->stream, code, &f->rng, now, f->arena, &why);
	if (e != ERR_UNREACHABLE && !err_info(e)->retryable) {
		f->cli->problem = why;
		return e;
	}
	if (!f->trouble_told)
		tell_trouble(f, e, &why);
	f->trouble_told = true;
	return OK;
}

static enum err take_ends(struct follow *f, int64_t now)
{
	enum err e = OK;
	CURLMsg *m;
	int left;

	while (!e && (m = curl_multi_info_read(f->multi, &left))) {
		if (m->easy_handle == f->stream.request.easy)
			e = on_end(f, m->data.result, now);
		else
			f->ended(f->ctx, m->easy_handle, m->data.result);
	}
	if (e)
		return e;
	return stream_is_silent(&f->stream, now) ? on_end(f, CURLE_OPERATION_TIMEDOUT, now) : OK;
}

enum err follow_step(struct follow *f)
{
	int64_t now = stream_now_ms();
	int running;
	enum err e = OK;

	if (!f->is_over && stream_due(&f->stream, now))
		e = f->open(f->ctx, now);
	curl_multi_perform(f->multi, &running);
	fflush(stdout);
	if (!e)
		e = take_ends(f, stream_now_ms());
	if (follow_is_open(f))
		f->trouble_told = false;
	return e;
}

void follow_wait_for(struct follow *f, int64_t wait_ms, struct curl_waitfd *fds, unsigned count)
{
	int64_t due_ms = f->stream.backoff.until_ms - stream_now_ms();

	if (!f->stream.request.busy && !f->is_over && due_ms < wait_ms)
		wait_ms = due_ms;
	curl_multi_poll(f->multi, fds, count, (int)(wait_ms < 0 ? 0 : wait_ms), NULL);
}

void follow_wait(struct follow *f, int64_t wait_ms)
{
	follow_wait_for(f, wait_ms, NULL, 0);
}
