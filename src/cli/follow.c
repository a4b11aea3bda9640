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

static enum err on_end(struct follow *f, CURLcode code, int64_t now)
{
	struct problem why = {0};
	enum err e = stream_ended(&f->stream, code, &f->rng, now, f->arena, &why);

	if (e != ERR_UNREACHABLE && !err_info(e)->retryable) {
		f->cli->problem = why;
		return e;
	}
	if (!f->trouble_told)
		fprintf(stderr, "tenfold: %s: %s; %s\n", f->cli->verb->name, why.detail, client_waits_it_out(e));
	f->trouble_told = true;
	return OK;
}

static enum err take_ends(struct follow *f, int64_t now)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(f->multi, &left)))
		if (m->msg == CURLMSG_DONE)
			return on_end(f, m->data.result, now);
	return stream_is_silent(&f->stream, now) ? on_end(f, CURLE_OPERATION_TIMEDOUT, now) : OK;
}

enum err follow_step(struct follow *f)
{
	int64_t now = stream_now_ms();
	int running;
	enum err e = OK;

	if (stream_due(&f->stream, now))
		e = f->open(f->ctx, now);
	curl_multi_perform(f->multi, &running);
	fflush(stdout);
	if (!e)
		e = take_ends(f, stream_now_ms());
	if (follow_is_open(f))
		f->trouble_told = false;
	return e;
}

void follow_wait(struct follow *f, int64_t wait_ms)
{
	if (!f->stream.request.busy)
		wait_ms = f->stream.backoff.until_ms - stream_now_ms();
	curl_multi_poll(f->multi, NULL, 0, (int)(wait_ms < 0 ? 0 : wait_ms), NULL);
}
