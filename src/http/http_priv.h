/*
 * What the files of src/http share.
 *
 *   server.c      the server: loops made, started, drained, destroyed
 *   listen.c      addresses, sockets, descriptors
 *   loop.c        one thread: its epoll set, finished calls, time
 *   connection.c  one TCP connection: limits, deadlines, hang-ups
 *   request.c     libmicrohttpd's callbacks: a request from its first line to its last byte
 *   headers.c     the headers we read
 *   input.c       path, query and body → `in`
 *   address.c     where a request comes from
 *   answer.c      `out`, text or problem → a response
 *   etag.c        entity tags: what a client has already, or believes to change
 *   refuse.c      answers to requests that are not read to their end
 *   sse.c         streams
 *   router.c      method and path → route
 *   params.c      query strings
 *   problem.c     errors → application/problem+json
 *   call.c        the calls themselves: made, reused; what handlers may do with them
 *
 * Everything here belongs to the thread of its loop unless it says otherwise. What other threads touch: the
 * finished list and the stage of a dispatched call (both under loop.lock), call.gone, loop.wake_streams, and the
 * atomics of struct http_server.
 */
#ifndef TENFOLD_HTTP_HTTP_PRIV_H
#define TENFOLD_HTTP_HTTP_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/magic.h"
#include "http/address.h"
#include "http/etag.h"
#include "http/http.h"
#include "http/router.h"
#include "json/json.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum {
	/* libmicrohttpd's memory of one connection: request line, headers and the answer's headers must fit. */
	CONNECTION_MEMORY = 16 << 10,
	ARENA_MAX = 64 << 20,
	ANSWER_MAX = 64 << 20,
	/* A refused body up to this size is read and dropped, so that the client sees the answer and may go on. */
	DISCARD_MAX = 1 << 20,
	/* Bodies beyond BODY_FREE draw on a budget of all connections together. */
	BODY_FREE = 16 << 10,
	BODY_BYTES_MAX = 512 << 20,
	/* Of who is not known yet. */
	BODY_UNIDENTIFIED = 64 << 10,
	/* Buffers that grew beyond this are given back when their call ends. */
	BUFFER_KEPT = 16 << 10,
	CALLS_KEPT = 1024,
	/* Connections over the limit that are told so with an answer before more are closed unheard. */
	CONNECTIONS_EXCESS = 64,
	SLOWEST_BYTES_PER_S = 4096,
	HEARTBEAT_MS = 15000,
	REQUEST_ID_MAX = 128,
	REQUEST_ID_MADE = 17,
	IDEMPOTENCY_KEY_MAX = 255,
};

enum { SERVER_MAGIC = 0x68747470, LOOP_MAGIC = 0x6c6f6f70, CONNECTION_MAGIC = 0x636f6e6e };

#define BODY_UNKNOWN UINT64_MAX /* declared length of a chunked body */

#define SEEN_COOKIE "tenfold_seen"

enum phase { PHASE_NEW, PHASE_SERVING, PHASE_DRAINING, PHASE_ENDING, PHASE_STOPPED };

struct http_server {
	unsigned magic;
	struct http_config config;
	struct router *router;
	struct loop *loops;
	unsigned loop_count;
	struct buf url;
	unsigned connections_hard; /* closed unheard beyond this */

	_Atomic unsigned connections;
	_Atomic int64_t body_bytes;
	_Atomic int phase;

	pthread_mutex_t lock; /* of quiet */
	pthread_cond_t quieter;
	unsigned quiet; /* loops that have nothing left to answer */
};

struct loop {
	unsigned magic;
	struct http_server *server;
	struct MHD_Daemon *daemon;
	int listener; /* closed when draining begins; -1 then */
	int set;      /* epoll: the daemon's own set, wake, and every connection's socket for its end */
	int wake;     /* eventfd, edge-triggered, never read */
	pthread_t thread;
	bool started;
	char complaint[160]; /* the last of libmicrohttpd's */

	pthread_mutex_t lock;
	struct call_private *finished, **finished_end; /* under lock */

	int64_t now_ns;
	int64_t swept_ns;
	int64_t ending_ns; /* since when nothing but sending is left to do */
	bool quiet;
	struct connection *connections;
	struct call_private *free_calls;
	unsigned free_count;
	unsigned unanswered; /* requests read to their end: drain waits for them, but not for streams */
	uint64_t next_request_id;

	_Atomic bool streams_woken; /* there are bits in woken */
	_Atomic uint64_t woken[HTTP_TOPICS / 64];
	_Atomic unsigned streams;
	unsigned fetching;                           /* streams */
	struct call_private *resting, **resting_end; /* streams with nothing to send, the longest first … */
	struct call_private *topics[HTTP_TOPICS];    /* … and by what they wait for */
	int64_t streams_next_ns;                     /* not asked again before this … */
	int64_t recheck_ns;                          /* … and at this: a resting one's caller may be no more */
	bool resumed;                                /* a connection, in this turn */
	int64_t resume_next_ns;                      /* none is resumed before this */
};

struct connection {
	unsigned magic;
	struct connection *next, **prev;
	struct loop *loop;
	struct MHD_Connection *mhd;
	int fd;
	bool hung_up;
	bool excess;               /* over the limit: answered 503 */
	struct call_private *call; /* the request it is busy with */
	uint64_t received;         /* of its body */
	char address[ADDRESS_TEXT];
	int64_t deadline_ns; /* what it is doing must be done by then */
};

/*
 * A call's life, seen from here:
 *
 *   RECEIVING ──► ANSWERED                       HERE, and everything refused in an orderly way
 *       │  ├────► DISPATCHED ──► FINISHED ──► ANSWERED
 *       │  └────► STREAMING (see sse.c)
 *       └───────► CUT                            answered past libmicrohttpd; the rest is dropped, then closed
 *
 * DISPATCHED → FINISHED happens under loop.lock on whatever thread calls http_finish().
 */
enum stage { STAGE_RECEIVING, STAGE_DISPATCHED, STAGE_FINISHED, STAGE_ANSWERED, STAGE_STREAMING, STAGE_CUT };

enum flow { FLOW_ACTIVE, FLOW_RESTING, FLOW_FETCHING };

/* The headers we read; all text is libmicrohttpd's and lives as long as the request. */
struct headers {
	struct str host, authorization, tenant, request_id, idempotency_key, last_event_id;
	struct str content_type, content_length, transfer_encoding, expect, if_match, if_none_match, forwarded_for;
	struct str forwarded, seen, cookie;
	struct str agent_id, agent_timestamp, agent_signature, signature_input, signature, content_digest, date;
	struct str simulated_time, shopping_session; /* of the demo shop */
};

struct call_private {
	struct call call; /* first, so that `own` is its address */
	struct loop *loop;
	struct connection *connection;
	struct call_private *next; /* in the free list, the finished list or the resting streams */
	enum stage stage;
	bool headers_seen, counted, dispatched;
	bool unidentified; /* who calls is asked for when the body is there … */
	bool identifying;  /* … and is being asked for */
	bool head, close;
	enum err refused; /* found before the body was read */
	struct str query;
	struct str id; /* what stood for {id} in the path */
	struct headers headers;
	struct json_pair *all_headers; /* of a SIGNED route */
	size_t all_headers_count;
	uint64_t declared; /* length of the body */
	uint64_t dropped;  /* of the body of a refused request */
	size_t charged;    /* to the budget of bodies */
	unsigned allowed;  /* methods, for Allow */
	int sent_status;
	int64_t began_ns;
	char made_id[REQUEST_ID_MADE];
	char made_etag[ETAG_OF_BYTES];
	char forwarded_address[ADDRESS_TEXT];
	struct rate rate;
	struct buf body, answer;

	enum flow flow; /* of a stream */
	struct call_private **resting_prev;
	struct call_private *topic_next, **topic_prev; /* those that rest with it */
	size_t stream_sent;                            /* of answer */
	bool stream_ended;
	int64_t rests_since_ns;
	int64_t recheck_ns; /* when its caller is to be asked for again; INT64_MAX: no need */
};

/* ---- call.c ---- */

struct call_private *call_take(struct loop *l);
void call_give_back(struct call_private *c);
void call_drop_body(struct call_private *c);
void calls_free(struct loop *l);

static inline struct call_private *call_own(struct call *c)
{
	CHECK_OBJ(c, CALL_MAGIC);
	return c->own;
}

/* Which of the routes it is: a route_id. */
static inline size_t call_route_index(const struct call_private *c)
{
	return (size_t)(c->call.route - c->loop->server->config.routes);
}

/* ---- listen.c ---- */

/* One socket per loop on one port, of which no other process has a part; *url is the server's. */
enum err listen_on(const struct http_config *config, int *sockets, struct buf *url, struct problem *p);
/* Makes room for so many connections among the descriptors of the process. */
enum err listen_reserve(unsigned connections, struct problem *p);

/* ---- loop.c ---- */

/* The socket becomes the loop's, also when it fails. */
enum err loop_init(struct loop *l, struct http_server *s, int listener, struct problem *p);
enum err loop_start(struct loop *l, struct problem *p);
void loop_wake(struct loop *l);              /* any thread */
void loop_hand_back(struct call_private *c); /* any thread */
void loop_resume(struct loop *l, struct MHD_Connection *mhd);
void loop_destroy(struct loop *l); /* its thread has ended, or never began */

/* ---- connection.c ---- */

enum MHD_Result connection_admit(void *server, const struct sockaddr *from, socklen_t length);
void connection_changed(void *loop, struct MHD_Connection *mhd, void **context,
			enum MHD_ConnectionNotificationCode what);
void connection_may_wait(struct connection *conn); /* its request is suspended and wants to be told of a hang-up */
void connection_hung_up(struct connection *conn);
void connections_sweep(struct loop *l);
/* What it is doing from now on, for its deadline. */
void connection_await_request(struct connection *conn);
void connection_received(struct connection *conn, size_t bytes); /* of a body */
void connection_request_read(struct connection *conn);
void connection_await_reader(struct connection *conn, size_t bytes);

/* ---- request.c ---- */

void *request_begin(void *loop, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result request_continue(void *loop, struct MHD_Connection *mhd, const char *url, const char *method,
				 const char *version, const char *upload, size_t *upload_size, void **state);
void request_over(void *loop, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode why);
void request_identified(struct call_private *c); /* its suspended connection is resumed next */
void request_lost(struct call_private *c);       /* its connection closed without request_over() */
size_t request_keep_escapes(void *cls, struct MHD_Connection *mhd, char *text);

/* ---- headers.c ---- */

/* Reads them, and checks those that tell where the request ends. */
enum err headers_read(struct call_private *c, const char *version);
/* Checks the others, which the route gives a meaning. */
enum err headers_check(struct call_private *c);
/* The error of a body that is only taken of who is known. */
enum err headers_too_much_unidentified(struct call_private *c);
bool headers_is_bounded(const struct call_private *c);
enum err headers_credentials(struct call_private *c, struct str *secret);
void headers_request_id(struct call_private *c);
void headers_address(struct call_private *c);

/* ---- input.c ---- */

enum err input_decode(struct call_private *c);

/* ---- answer.c ---- */

/* Queues the answer of a call whose outcome is final. */
enum MHD_Result answer(struct call_private *c);
void answer_count(const struct call_private *c);                       /* sent_status is set */
void answer_methods(unsigned allowed, const char *get, struct buf *b); /* "GET, POST"; get: how GET is named */
void answer_headers(struct call_private *c, struct MHD_Response *r, const char *content_type);

/* ---- refuse.c ---- */

/* The call gets error e; its handler is not run, its body not kept. Before the end of the request only. */
enum MHD_Result refuse(struct call_private *c, enum err e);
enum MHD_Result refuse_drop(struct call_private *c, size_t bytes); /* more came of it */

/* ---- problem.c ---- */

void problem_encode(const struct call *c, enum err e, struct buf *b);
int problem_retry_after_s(const struct problem *p, enum err e); /* 0: none */

/* ---- sse.c ---- */

enum MHD_Result stream_begin(struct call_private *c);
void stream_hung_up(struct call_private *c);
void stream_fetched(struct call_private *c);
void stream_over(struct call_private *c);     /* the connection is done with it */
void streams_turn(struct loop *l);            /* asks resting streams for news and keeps them alive */
int64_t streams_due_ns(const struct loop *l); /* when to do so again; INT64_MAX: when woken */
void streams_end(struct loop *l);             /* sends the rest and ends them */
void streams_abandon(struct loop *l);         /* closes those whose readers are too slow for that */

#endif
