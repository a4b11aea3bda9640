/*
 * Bytes go to the event reader while the answer is a good one; those of an error are kept, to be read as a problem.
 */
#include "cli/stream.h"

#include "base/clock.h"
#include "base/magic.h"

int64_t stream_now_ms(void)
{
	return clock_mono_ns() / 1000000;
}

void stream_init(struct stream *s, struct client *c, CURLM *multi, sse_event_fn *on_event, void *ctx)
{
	*s = (struct stream){.multi = multi, .on_event = on_event, .ctx = ctx};
	client_request_init(&s->request, c);
}

void stream_free(struct stream *s)
{
	if (s->request.busy)
		stream_cut(s);
	client_request_free(&s->request);
	sse_free(&s->sse);
}

static size_t on_bytes(char *bytes, size_t each, size_t count, void *ctx)
{
	struct stream *s = ctx;
	struct str text = {bytes, each * count};

	s->heard_ms = stream_now_ms();
	if (client_request_status(&s->request) != 200) {
		buf_str_add(&s->request.reply, text);
		return text.n;
	}
	backoff_worked(&s->backoff);
	sse_feed(&s->sse, text, s->on_event, s->ctx);
	return text.n;
}

bool stream_due(const struct stream *s, int64_t now_ms)
{
	return !s->request.busy && now_ms >= s->backoff.until_ms;
}

enum err stream_open(struct stream *s, enum route_id route, const void *in, int64_t now_ms, struct problem *p)
{
	enum err e = client_request_begin(&s->request, route, in, 0, p);

	if (e)
		return e;
	sse_restart(&s->sse);
	s->heard_ms = now_ms;
	client_request_stream(&s->request, on_bytes, s, buf_str(&s->sse.id));
	CHECK(curl_multi_add_handle(s->multi, s->request.easy) == CURLM_OK);
	return OK;
}

enum err stream_ended(struct stream *s, CURLcode code, struct rng *rng, int64_t now_ms, struct arena *a,
		      struct problem *p)
{
	enum err e;

	stream_cut(s);
	e = client_request_end(&s->request, code, a, NULL, p);
	s->request.client->lost = true; /* who ends a stream is about to go, or has gone */
	backoff_failed(&s->backoff, rng, now_ms, s->request.retry_after_s);
	return e ? e : problem_set(p, ERR_UNREACHABLE, "%.*s ended the stream", STRF(s->request.client->url));
}

bool stream_is_silent(const struct stream *s, int64_t now_ms)
{
	return s->request.busy && now_ms - s->heard_ms > STREAM_SILENCE_MS;
}

void stream_cut(struct stream *s)
{
	curl_multi_remove_handle(s->multi, s->request.easy);
	s->request.busy = false;
}
