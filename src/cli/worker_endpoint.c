/*
 * One call of an OpenAI-compatible endpoint, and what its end means:
 *
 *   answered to its end                             the step's result
 *   cut, silent, unreachable, 5xx, 408, garbage     failed, to be tried again
 *   429                                             goes back, with no failure; claims rest as long as it says
 *   401, 403, a redirection                         goes back, and the worker ends: its settings are wrong
 *   any other refusal                               failed for good
 */
#include "cli/worker_model_priv.h"

#include "base/magic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	CONNECT_MS = 10000,
	STREAM_BYTES_MAX = 16 << 20, /* frames included */
	REPLY_BYTES_MAX = 1 << 20,
	RETRY_AFTER_MAX_S = 3600,
	QUOTED = 200
};

/* ---- listening ---- */

static void on_event(void *ctx, const struct sse_event *e)
{
	struct job *j = ctx;
	struct model_run *run = j->step->model;
	struct str delta;

	if (run->trouble.err)
		return;
	if (chat_take_event(&run->answer, e->data, j->worker->arena, &delta, &run->trouble) == OK && delta.n)
		notes_add(&j->step->notes, NOTE_TOKENS, delta, j->worker->now_ms);
}

static bool is_stream(const struct request *r)
{
	char *type = NULL;

	curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type);
	return str_starts(str_of(type), STR("text/event-stream"));
}

/* 0 ends the transfer. */
static size_t on_bytes(char *bytes, size_t each, size_t count, void *ctx)
{
	struct job *j = ctx;
	struct model_run *run = j->step->model;
	struct str text = {bytes, each * count};

	run->heard_ms = stream_now_ms();
	run->bytes += text.n;
	run->streams = client_request_status(&run->call) == 200 && is_stream(&run->call);
	if (run->streams)
		sse_feed(&run->sse, text, on_event, j);
	else
		buf_str_add(&run->call.reply, text);
	if (!run->trouble.err && (run->bytes > STREAM_BYTES_MAX || !buf_ok(&run->call.reply)))
		problem_set(&run->trouble, ERR_TOO_LARGE, "the endpoint sent more than an answer can have");
	return run->trouble.err ? 0 : text.n;
}

/* ---- what its end means ---- */

/* Claims rest: another step would meet the same. */
static void rest(struct job *j, int64_t retry_after_s)
{
	struct worker *w = j->worker;
	struct backoff *b = &w->models->backoff;

	backoff_failed(b, &w->rng, w->now_ms,
		       (int)(retry_after_s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : retry_after_s));
	if (b->until_ms > w->claim_rest_ms)
		w->claim_rest_ms = b->until_ms;
}

static void fails(struct job *j, enum err e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void fails(struct job *j, enum err e, const char *fmt, ...)
{
	struct problem p = {0};
	char text[sizeof(p.detail)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	problem_set(&p, e, "%s", text);
	rest(j, 0);
	model_failed(j, e != ERR_TOO_LARGE, &p);
}

static void is_refused(struct job *j, long status)
{
	struct model_run *run = j->step->model;
	struct str said = str_clip(chat_refusal(buf_str(&run->call.reply), j->arena), QUOTED);
	struct str host = j->worker->models->provider;
	int retry_after_s = run->call.retry_after_s;
	struct problem p = {0};

	if (status == 429) {
		problem_set(&p, ERR_RATE_LIMITED, "%.*s asks to wait%s (429: %.*s)", STRF(host),
			    retry_after_s ? "" : " and does not say how long", STRF(said));
		rest(j, retry_after_s);
		worker_say(j->worker, "%s", p.detail);
		model_not_to_blame(j, &p);
	} else if (status == 401 || status == 403) {
		problem_set(&p, ERR_USAGE,
			    "%.*s refuses the key (%ld: %.*s); give one with --model-key-file or "
			    "TENFOLD_MODEL_KEY",
			    STRF(host), status, STRF(said));
		model_settings_are_wrong(j, &p);
	} else if (status >= 300 && status < 400) {
		problem_set(&p, ERR_USAGE,
			    "%.*s answers with a redirection (%ld); give the final URL with --model-url",
			    STRF(host), status);
		model_settings_are_wrong(j, &p);
	} else {
		bool passing = status >= 500 || status == 408 || status == 409 || status == 425;

		problem_set(&p, ERR_TARGET_FAILS, "%.*s answered %ld: %.*s%s", STRF(host), status, STRF(said),
			    status == 404 ? "; is there the model, and does --model-url end in /v1?" : "");
		if (passing)
			rest(j, retry_after_s);
		model_failed(j, passing, &p);
	}
}

static void is_not_reached(struct job *j, CURLcode code)
{
	struct model_run *run = j->step->model;
	const char *why = run->call.error[0] ? run->call.error : curl_easy_strerror(code);
	struct str host = j->worker->models->provider;

	if (run->answer.text.n)
		fails(j, ERR_TARGET_CLOSED, "%.*s ended in the middle of its answer, after %zu bytes of it: %s",
		      STRF(host), run->answer.text.n, why);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		fails(j, ERR_TARGET_TIMEOUT, "%.*s did not answer in time: %s", STRF(host), why);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		fails(j, ERR_TARGET_TLS, "the certificate of %.*s is not trusted: %s", STRF(host), why);
	else
		fails(j, ERR_TARGET_REFUSED, "%.*s cannot be reached: %s", STRF(host), why);
}

static void is_answered(struct job *j)
{
	struct model_run *run = j->step->model;
	struct str host = j->worker->models->provider;

	run->was_answered = true;
	if (!run->streams &&
	    chat_take_whole(&run->answer, buf_str(&run->call.reply), j->arena, &run->trouble) == OK)
		notes_add(&j->step->notes, NOTE_TOKENS, buf_str(&run->answer.text), j->worker->now_ms);
	if (run->trouble.err)
		fails(j, run->trouble.err, "%.*s: %s", STRF(host), run->trouble.detail);
	else if (!run->answer.done)
		fails(j, ERR_TARGET_CLOSED, "%.*s ended in the middle of its answer, after %zu bytes of it",
		      STRF(host), run->answer.text.n);
	else
		model_answered(j);
}

static void on_done(struct request *r, CURLcode code)
{
	struct job *j = r->owner;
	struct model_run *run = j->step->model;
	long status = client_request_status(r);

	r->busy = false;
	if (j->state != JOB_RUNNING)
		return;
	if (run->trouble.err || (code == CURLE_OK && status == 200))
		is_answered(j);
	else if (code != CURLE_OK)
		is_not_reached(j, code);
	else
		is_refused(j, status);
}

/* ---- asking ---- */

static void set_headers(struct job *j, struct request *r)
{
	struct str key = j->worker->models->key;

	client_request_header(r, "Content-Type", STR("application/json"));
	client_request_header(r, "Accept", STR("text/event-stream, application/json"));
	client_request_header(r, "Expect", (struct str){0});
	if (key.n)
		client_request_header(r, "Authorization", arena_fmt(j->arena, "Bearer %.*s", STRF(key)));
}

void endpoint_ask(struct job *j)
{
	const struct worker_models *m = j->worker->models;
	struct model_run *run = j->step->model;
	struct request *r = &run->call;

	client_request_init(r, j->worker->client);
	r->reply.max = REPLY_BYTES_MAX;
	r->owner = j;
	r->done = on_done;
	buf_str_add(&r->url, m->url);
	chat_request_write(run->model, &run->prompt, m->max_tokens, &r->body);
	set_headers(j, r);
	client_request_post(r, m->timeout_ms);
	curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, j);
	run->heard_ms = j->worker->now_ms;
	CHECK(curl_multi_add_handle(j->worker->multi, r->easy) == CURLM_OK);
}

void endpoint_watch(struct job *j)
{
	struct model_run *run = j->step->model;

	if (!run->call.busy || j->worker->now_ms < endpoint_next_ms(j))
		return;
	endpoint_cut(j);
	run->was_answered = run->bytes > 0;
	fails(j, ERR_TARGET_TIMEOUT, "%.*s has sent nothing for %lld s, after %zu bytes of its answer",
	      STRF(j->worker->models->provider), (long long)(j->worker->models->silence_ms / 1000),
	      run->answer.text.n);
}

int64_t endpoint_next_ms(const struct job *j)
{
	const struct model_run *run = j->step->model;

	return run->call.busy ? run->heard_ms + j->worker->models->silence_ms : INT64_MAX;
}

void endpoint_cut(struct job *j)
{
	struct request *r = &j->step->model->call;

	if (r->busy)
		curl_multi_remove_handle(j->worker->multi, r->easy);
	r->busy = false;
}

void endpoint_free(struct model_run *run)
{
	if (run->call.easy)
		client_request_free(&run->call);
	sse_free(&run->sse);
}
