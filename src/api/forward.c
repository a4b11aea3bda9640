/*
 * See forward.h.
 *
 *   any thread ── order (under lock) ──► the driver's thread: START, CANCEL, RESUME, CUT, END_WAITS, GIVE_UP
 *
 * A transfer belongs to the driver. That of a call ends with its answer. That of a stream ends when the loop closes
 * the stream: what came from the owner and was not sent yet lies in `pending`, under the lock.
 */
#include "api/forward_priv.h"

#include "base/magic.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_KEPT = 256, HANDLES_KEPT = 64, POLL_MS = 1000 };

/* ---- orders ---- */

bool forward_order(struct forward *f, enum order_kind kind, struct transfer *t, uint64_t number)
{
	struct order *o = NEW(struct order);
	bool taken;

	*o = (struct order){.kind = kind, .transfer = t, .number = number};
	pthread_mutex_lock(&f->lock);
	taken = !f->stopped;
	if (taken) {
		*f->last = o;
		f->last = &o->next;
	}
	pthread_mutex_unlock(&f->lock);
	if (taken)
		curl_multi_wakeup(f->multi);
	else
		free(o);
	return taken;
}

static struct order *take_orders(struct forward *f, bool *stopping)
{
	struct order *all;

	pthread_mutex_lock(&f->lock);
	all = f->first;
	f->first = NULL;
	f->last = &f->first;
	*stopping = f->stopping;
	if (*stopping && !all)
		f->stopped = true;
	pthread_mutex_unlock(&f->lock);
	return all;
}

static void start(struct forward *f, struct transfer *t)
{
	t->easy = f->idle.n ? f->idle.v[--f->idle.n] : curl_easy_init();
	CHECK(t->easy);
	transfer_prepare(t);
	if (t->kind == OF_CALL)
		map_put(&f->calls, t->number, t);
	else
		*VEC_PUSH(&f->others) = t;
	CHECK(curl_multi_add_handle(f->multi, t->easy) == CURLM_OK);
}

/* ---- the end of a transfer ---- */

static void put_handle_back(struct transfer *t)
{
	struct forward *f = t->forward;

	if (!t->easy)
		return;
	curl_multi_remove_handle(f->multi, t->easy);
	if (f->idle.n < HANDLES_KEPT) {
		curl_easy_reset(t->easy);
		*VEC_PUSH(&f->idle) = t->easy;
	} else {
		curl_easy_cleanup(t->easy);
	}
	t->easy = NULL;
}

static void forget(struct transfer *t)
{
	struct forward *f = t->forward;

	put_handle_back(t);
	if (t->kind == OF_CALL)
		map_take(&f->calls, t->number);
	for (size_t i = 0; i < f->others.n; i++)
		if (f->others.v[i] == t)
			f->others.v[i--] = f->others.v[--f->others.n];
	transfer_free(t);
}

static void finish(struct transfer *t, enum err outcome)
{
	struct call *c = t->call;

	forget(t);
	c->outcome = outcome;
	c->wait = CALL_DONE;
	http_finish(c);
}

static void end_stream(struct transfer *t)
{
	struct forward *f = t->forward;

	put_handle_back(t);
	pthread_mutex_lock(&f->lock);
	t->ended = true;
	pthread_mutex_unlock(&f->lock);
	http_wake_streams(f->app->http);
}

static void ended(struct transfer *t, CURLcode code)
{
	switch (t->kind) {
	case OF_CALL:
		finish(t, code == CURLE_OK ? transfer_relay(t) : transfer_unanswered(t, curl_easy_strerror(code)));
		return;
	case OF_STREAM:
		end_stream(t);
		return;
	case OF_RELEASE:
		forget(t); /* if it did not work out, the lease runs out */
		return;
	}
	UNREACHABLE();
}

/* ---- the driver ---- */

static void cancel(struct forward *f, uint64_t number)
{
	struct transfer *t = map_get(&f->calls, number);

	if (t)
		finish(t, ERR_SHUTTING_DOWN); /* nobody reads it */
}

/* One of the calls that wait, or any; NULL: none. */
static struct transfer *some_call(struct forward *f, bool waiting)
{
	struct transfer *t;

	for (size_t i = 0; (t = map_next(&f->calls, &i));)
		if (!waiting || t->waits)
			return t;
	return NULL;
}

static void end_waits(struct forward *f)
{
	for (struct transfer *t; (t = some_call(f, true));)
		finish(t, OK); /* out is empty */
}

/* The owner is another one now. */
static void give_up(struct forward *f)
{
	for (struct transfer *t; (t = some_call(f, false));)
		finish(t, transfer_unanswered(t, "the queue has another owner now"));
	for (size_t i = 0; i < f->others.n; i++)
		if (f->others.v[i]->kind == OF_STREAM)
			end_stream(f->others.v[i]);
}

static void resume(struct transfer *t)
{
	if (t->easy)
		curl_easy_pause(t->easy, CURLPAUSE_CONT);
}

static void follow(struct forward *f, const struct order *o)
{
	switch (o->kind) {
	case START:
		start(f, o->transfer);
		return;
	case CANCEL:
		cancel(f, o->number);
		return;
	case RESUME:
		resume(o->transfer);
		return;
	case CUT:
		forget(o->transfer);
		return;
	case END_WAITS:
		end_waits(f);
		return;
	case GIVE_UP:
		give_up(f);
		return;
	}
	UNREACHABLE();
}

static bool follow_orders(struct forward *f)
{
	bool stopping;
	struct order *o = take_orders(f, &stopping);

	if (stopping && !o)
		return false;
	while (o) {
		struct order *next = o->next;

		follow(f, o);
		free(o);
		o = next;
	}
	return true;
}

static void read_ends(struct forward *f)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(f->multi, &left))) {
		struct transfer *t;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		ended(t, code);
	}
}

static void *drive(void *arg)
{
	struct forward *f = arg;
	int running;

	while (follow_orders(f)) {
		curl_multi_perform(f->multi, &running);
		read_ends(f);
		curl_multi_poll(f->multi, NULL, 0, POLL_MS, NULL);
	}
	for (struct transfer *t; (t = some_call(f, false));)
		finish(t, ERR_SHUTTING_DOWN);
	return NULL;
}

/* ---- for the others ---- */

enum err forward_new(struct app *app, struct forward **out, struct problem *p)
{
	struct forward *f = NEW(struct forward);
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	f->app = app;
	f->last = &f->first;
	f->multi = curl_multi_init();
	CHECK(f->multi);
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	pthread_mutex_init(&f->lock, NULL);
	*out = f;
	failed = pthread_create(&f->thread, NULL, drive, f);
	f->started = !failed;
	return failed ? problem_set(p, ERR_OVERLOADED, "no thread could be started: %s", strerror(failed)) : OK;
}

void forward_stop(struct forward *f)
{
	if (!f || !f->started)
		return;
	pthread_mutex_lock(&f->lock);
	f->stopping = true;
	pthread_mutex_unlock(&f->lock);
	curl_multi_wakeup(f->multi);
	pthread_join(f->thread, NULL);
	f->started = false;
}

void forward_destroy(struct forward **out)
{
	struct forward *f = *out;

	if (!f)
		return;
	forward_stop(f);
	while (f->others.n)
		forget(f->others.v[0]);
	for (size_t i = 0; i < f->idle.n; i++)
		curl_easy_cleanup(f->idle.v[i]);
	curl_multi_cleanup(f->multi);
	VEC_FREE(&f->others);
	VEC_FREE(&f->idle);
	map_free(&f->calls);
	buf_free(&f->url);
	pthread_mutex_destroy(&f->lock);
	free(f);
	*out = NULL;
}

void forward_owner(struct forward *f, struct str url, int64_t epoch)
{
	bool changed;

	pthread_mutex_lock(&f->lock);
	changed = f->epoch != epoch || !str_eq(buf_str(&f->url), url);
	buf_reset(&f->url);
	buf_str_add(&f->url, url);
	f->epoch = epoch;
	pthread_mutex_unlock(&f->lock);
	if (changed)
		forward_order(f, GIVE_UP, NULL, 0);
}

bool forward_has_owner(struct forward *f)
{
	bool has;

	pthread_mutex_lock(&f->lock);
	has = f->url.n > 0;
	pthread_mutex_unlock(&f->lock);
	return has;
}
