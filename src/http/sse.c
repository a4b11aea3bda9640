/*
 * Streams of server-sent events.
 *
 *              next: DATA                       news
 *   ACTIVE ◄──────────────► (sending)   RESTING ─────► ACTIVE
 *      │ next: WAIT ──────────────────────► ▲
 *      │ next: FETCH ──► FETCHING ──fetched─┴─► ACTIVE
 *      └ next: END, hang-up, stop ──► over
 *
 * While ACTIVE, libmicrohttpd calls stream_read() whenever the socket took what it had; so a slow reader holds up
 * only itself, and memory is bounded by what one `next` appends. RESTING and FETCHING are suspended connections.
 *
 * When there may be news of a topic, the streams that rest with it are asked while they stay suspended, and only
 * those that have some are resumed. A pass is not begun before ten times as long as the last one took has passed, so
 * that many subscribers cost at most a tenth of the loop. A stream that rested for heartbeat_ms is sent a comment, so
 * that a dead peer shows.
 *
 * Before a stream is asked, hooks.recheck says whether its caller may still see it, and when that is to be asked again;
 * when not, an event `unauthenticated` is its last.
 */
#include "http/http_priv.h"

#include "base/clock.h"
#include "telemetry/metrics.h"

#include <string.h>

enum { STREAM_BUFFER_MAX = 8 << 20, PASS_SHARE = 10, BLOCK = 4096 };

static int64_t heartbeat_ns(const struct loop *l)
{
	return l->server->config.heartbeat_ms * INT64_C(1000000);
}

static bool pending(const struct call_private *c)
{
	return c->stream_sent < c->answer.n;
}

/* The loop asks its resting streams when the first of them is due. */
static void note_recheck(struct call_private *c)
{
	if (c->recheck_ns < c->loop->recheck_ns)
		c->loop->recheck_ns = c->recheck_ns;
}

static void rest_with_topic(struct call_private *c)
{
	const struct stream_ops *ops = c->call.stream;
	struct call_private **first = &c->loop->topics[ops->topic ? ops->topic(c->call.stream_state) : 0];

	c->topic_next = *first;
	c->topic_prev = first;
	if (c->topic_next)
		c->topic_next->topic_prev = &c->topic_next;
	*first = c;
}

static void rest(struct call_private *c)
{
	struct loop *l = c->loop;

	c->flow = FLOW_RESTING;
	c->rests_since_ns = l->now_ns;
	note_recheck(c);
	c->next = NULL;
	c->resting_prev = l->resting_end;
	*l->resting_end = c;
	l->resting_end = &c->next;
	rest_with_topic(c);
}

static void rest_no_more(struct call_private *c)
{
	*c->resting_prev = c->next;
	if (c->next)
		c->next->resting_prev = c->resting_prev;
	else
		c->loop->resting_end = c->resting_prev;
	*c->topic_prev = c->topic_next;
	if (c->topic_next)
		c->topic_next->topic_prev = c->topic_prev;
}

static void set_flow(struct call_private *c, enum flow flow)
{
	if (c->flow == flow)
		return;
	if (c->flow == FLOW_RESTING)
		rest_no_more(c);
	c->flow = flow;
	if (flow == FLOW_RESTING)
		rest(c);
}

/* Back to stream_read(). */
static void resume(struct call_private *c)
{
	set_flow(c, FLOW_ACTIVE);
	loop_resume(c->loop, c->connection->mhd);
}

static bool fetch(struct call_private *c)
{
	set_flow(c, FLOW_FETCHING);
	c->loop->fetching++;
	if (c->loop->server->config.hooks.fetch(&c->call) == OK)
		return true;
	c->loop->fetching--;
	c->stream_ended = true;
	return false;
}

static void write_refusal(struct call_private *c, enum err e)
{
	struct error_item why = {.code = str_of(err_info(e)->code), .detail = str_of(c->call.problem.detail)};

	buf_fmt(&c->answer, "event: %s\ndata: ", err_info(e)->code);
	json_encode(&type_error_item, &why, 0, &c->answer);
	buf_z(&c->answer, "\n\n");
}

/* False: the answer is the last event. */
static bool may_go_on(struct call_private *c)
{
	const struct http_hooks *hooks = &c->loop->server->config.hooks;
	int64_t again_ms = 0;
	enum err e = hooks->recheck ? hooks->recheck(&c->call, &again_ms) : OK;

	c->recheck_ns = again_ms > 0 ? c->loop->now_ns + again_ms * INT64_C(1000000) : INT64_MAX;
	if (e)
		write_refusal(c, e);
	return !e;
}

/* Asks for more and follows the answer. False: nothing to do for now. */
static bool ask(struct call_private *c)
{
	if (c->stream_ended)
		return true;
	buf_reset(&c->answer);
	c->stream_sent = 0;
	if (!may_go_on(c)) {
		c->stream_ended = true;
		return true;
	}
	switch (c->call.stream->next(c->call.stream_state, &c->answer)) {
	case STREAM_DATA:
		CHECK(c->answer.n > 0);
		return true;
	case STREAM_END:
		c->stream_ended = true;
		return true;
	case STREAM_FETCH:
		return !fetch(c);
	case STREAM_WAIT:
		if (!pending(c))
			set_flow(c, FLOW_RESTING);
		return pending(c);
	}
	UNREACHABLE();
}

static bool stopping(const struct loop *l)
{
	return atomic_load_explicit(&l->server->phase, memory_order_acquire) >= PHASE_ENDING;
}

static ssize_t stream_read(void *cls, uint64_t position, char *to, size_t max)
{
	struct call_private *c = cls;
	size_t n;

	(void)position;
	CHECK_OBJ(&c->call, CALL_MAGIC);
	if (c->call.gone || !buf_ok(&c->answer))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (stopping(c->loop))
		c->stream_ended = true;
	if (!pending(c) && !ask(c)) {
		MHD_suspend_connection(c->connection->mhd);
		return 0;
	}
	set_flow(c, FLOW_ACTIVE);
	if (!pending(c))
		return MHD_CONTENT_READER_END_OF_STREAM;
	n = c->answer.n - c->stream_sent;
	n = n < max ? n : max;
	memcpy(to, c->answer.p + c->stream_sent, n);
	c->stream_sent += n;
	return (ssize_t)n;
}

static struct MHD_Response *make_response(struct call_private *c)
{
	struct MHD_Response *r =
		c->head ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT)
			: MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, stream_read, c, NULL);

	if (!r)
		return NULL;
	answer_headers(c, r, "text/event-stream");
	MHD_add_response_header(r, "X-Accel-Buffering", "no"); /* nginx would hold events back */
	return r;
}

enum MHD_Result stream_begin(struct call_private *c)
{
	struct MHD_Response *r = make_response(c);
	enum MHD_Result queued;

	CHECK(c->call.stream);
	c->stage = STAGE_STREAMING;
	c->sent_status = c->call.route->status;
	c->answer.max = STREAM_BUFFER_MAX;
	c->counted = false;
	c->loop->unanswered--;
	c->loop->streams++;
	metrics_move(c->loop->server->config.metrics, METRIC_event_stream_subscribers, 1);
	answer_count(c);
	if (!r)
		return MHD_NO;
	queued = MHD_queue_response(c->connection->mhd, (unsigned)c->sent_status, r);
	MHD_destroy_response(r);
	connection_may_wait(c->connection);
	return queued;
}

/* A fetch that runs is waited for: it uses the state. */
void stream_hung_up(struct call_private *c)
{
	__atomic_store_n(&c->call.gone, true, __ATOMIC_RELEASE);
	if (c->flow == FLOW_RESTING)
		resume(c);
}

void stream_fetched(struct call_private *c)
{
	CHECK(c->flow == FLOW_FETCHING);
	c->loop->fetching--;
	if (c->call.gone || stopping(c->loop) || ask(c))
		resume(c);
}

void stream_over(struct call_private *c)
{
	const struct stream_ops *ops = c->call.stream;

	c->call.stream = NULL;
	c->answer.max = ANSWER_MAX;
	if (c->stage == STAGE_STREAMING) {
		set_flow(c, FLOW_ACTIVE);
		c->loop->streams--;
		metrics_move(c->loop->server->config.metrics, METRIC_event_stream_subscribers, -1);
	}
	ops->close(c->call.stream_state);
}

static void ask_resting(struct call_private *c)
{
	if (ask(c))
		resume(c);
	else
		note_recheck(c);
}

static void ask_topic(const struct loop *l, unsigned topic)
{
	for (struct call_private *c = l->topics[topic], *next; c; c = next) {
		next = c->topic_next;
		ask_resting(c);
	}
}

static void ask_woken(struct loop *l)
{
	int64_t began_ns = clock_mono_ns();

	for (unsigned i = 0; i < HTTP_TOPICS / 64; i++)
		for (uint64_t bits = atomic_exchange(&l->woken[i], 0); bits; bits &= bits - 1)
			ask_topic(l, i * 64 + (unsigned)__builtin_ctzll(bits));
	l->streams_next_ns = began_ns + (clock_mono_ns() - began_ns) * PASS_SHARE;
}

/* Some caller may be no more. */
static void ask_all(struct loop *l)
{
	l->recheck_ns = INT64_MAX;
	for (struct call_private *c = l->resting, *next; c; c = next) {
		next = c->next;
		ask_resting(c);
	}
}

static void keep_alive(struct loop *l)
{
	struct call_private *c = l->resting;

	for (; c && l->now_ns - c->rests_since_ns >= heartbeat_ns(l); c = l->resting) {
		if (!ask(c) && c->flow == FLOW_RESTING)
			buf_z(&c->answer, ":\n\n");
		if (c->flow == FLOW_RESTING)
			resume(c);
	}
}

void streams_turn(struct loop *l)
{
	if (l->now_ns >= l->recheck_ns)
		ask_all(l);
	if (atomic_load(&l->streams_woken) && l->now_ns >= l->streams_next_ns) {
		atomic_store(&l->streams_woken, false); /* before asking: what comes later is news again */
		ask_woken(l);
	}
	keep_alive(l);
}

int64_t streams_due_ns(const struct loop *l)
{
	int64_t due_ns;

	if (!l->resting)
		return INT64_MAX;
	due_ns = atomic_load(&l->streams_woken) ? l->streams_next_ns : l->resting->rests_since_ns + heartbeat_ns(l);
	return due_ns < l->recheck_ns ? due_ns : l->recheck_ns;
}

void streams_end(struct loop *l)
{
	while (l->resting) {
		l->resting->stream_ended = true;
		resume(l->resting);
	}
}

void streams_abandon(struct loop *l)
{
	CHECK(l->fetching == 0);
	for (struct connection *conn = l->connections; conn; conn = conn->next)
		if (conn->call && conn->call->call.stream)
			stream_over(conn->call);
}
