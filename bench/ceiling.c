/*
 * The bare prototype of the hot path, kept as the ceiling of a run: how fast could this machine do it?
 *
 * libmicrohttpd on two loops of our own, connections suspended while they wait, one SQLite writer that makes one
 * transaction of everything that queued up while the last one was flushed. One row in one table: an insert, two
 * updates by key. No keys, limits, leases, tokens, timers, history, events or errors, and it takes apart only what
 * the load generator sends. Nothing is answered before its commit is durable (synchronous=FULL), as in the server.
 *
 *   ceiling FILE     a database to begin; prints its address and serves until it is killed
 */
#include "base/buf.h"
#include "base/id.h"
#include "base/magic.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOPS = 2, CONNECTIONS_MAX = 12000 };
enum state { READY, LEASED, COMPLETED };

struct item {
	enum state state;
	struct str payload; /* ours */
};

/* One request on its way to the writer and back. */
struct call {
	struct call *next;
	struct loop *loop;
	struct MHD_Connection *connection;
	struct str url;
	struct buf in, out;
	unsigned status;
	bool decided;
};

struct loop {
	struct ceiling *ceiling;
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;
	struct call *finished; /* by the writer, not resumed yet */
	int wake;
};

struct ceiling {
	struct loop loops[LOOPS];
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct call *queue, **queue_tail;
	/* The writer's own. An item's id is its place in the list; what is ready is claimed in that order. */
	sqlite3 *db;
	sqlite3_stmt *insert, *update;
	VEC(struct item) items;
	size_t first_ready;
};

/* ---- the rows ---- */

static void run_sql(sqlite3 *db, const char *sql)
{
	CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void step(sqlite3_stmt *s)
{
	CHECK(sqlite3_step(s) == SQLITE_DONE);
	sqlite3_reset(s);
}

static void open_database(struct ceiling *c, const char *path)
{
	CHECK(sqlite3_open(path, &c->db) == SQLITE_OK);
	run_sql(c->db,
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;"
		"CREATE TABLE work (id INTEGER PRIMARY KEY, state INT, payload BLOB, lease INT, attempt INT)");
	CHECK(sqlite3_prepare_v2(c->db, "INSERT INTO work VALUES (?1, 0, ?2, 0, 0)", -1, &c->insert, NULL) ==
	      SQLITE_OK);
	CHECK(sqlite3_prepare_v2(c->db, "UPDATE work SET state=?2, lease=?3, attempt=attempt+1 WHERE id=?1", -1,
				 &c->update, NULL) == SQLITE_OK);
}

static void set_state(struct ceiling *c, size_t id, enum state state)
{
	c->items.v[id].state = state;
	sqlite3_bind_int64(c->update, 1, (sqlite3_int64)id);
	sqlite3_bind_int(c->update, 2, (int)state);
	sqlite3_bind_int64(c->update, 3, 1234567890123);
	step(c->update);
}

/* ---- the calls ---- */

static struct str after(struct str text, struct str opening)
{
	const char *at = text.n ? memmem(text.p, text.n, opening.p, opening.n) : NULL;

	if (!at)
		return (struct str){0};
	at += opening.n;
	return (struct str){at, (size_t)(text.p + text.n - at)};
}

static void add_ref(struct buf *out, size_t id, const char *state)
{
	char text[ID_TEXT];

	id_format(text, "w_", (int64_t)id);
	buf_z(out, "{\"id\":\"");
	buf_z(out, text);
	buf_z(out, "\",\"state\":\"");
	buf_z(out, state);
	buf_z(out, "\"}");
}

/* A payload of the load generator is an object without objects in it. */
static struct str enqueue_next(struct ceiling *c, struct buf *out, struct str text)
{
	struct str rest, payload = str_cut(text, '}', &rest);
	size_t id = c->items.n;
	char *kept = must_alloc(payload.n + 1);

	memcpy(kept, payload.p, payload.n);
	kept[payload.n] = '}';
	*VEC_PUSH(&c->items) = (struct item){READY, {kept, payload.n + 1}};
	sqlite3_bind_int64(c->insert, 1, (sqlite3_int64)id);
	sqlite3_bind_blob(c->insert, 2, kept, (int)payload.n + 1, SQLITE_STATIC);
	step(c->insert);
	add_ref(out, id, "ready");
	return rest;
}

static void enqueue_many(struct ceiling *c, struct call *call)
{
	struct str text = buf_str(&call->in);

	buf_z(&call->out, "{\"items\":[");
	while ((text = after(text, STR("\"payload\":"))).n) {
		text = enqueue_next(c, &call->out, text);
		buf_c(&call->out, ',');
	}
	call->out.p[call->out.n - 1] = ']';
	buf_c(&call->out, '}');
}

static void add_claimed(struct ceiling *c, struct buf *out, size_t id)
{
	char text[ID_TEXT];

	id_format(text, "w_", (int64_t)id);
	buf_z(out, "{\"id\":\"");
	buf_z(out, text);
	buf_z(out, "\",\"type\":\"bench\",\"title\":\"benchmark item\",\"payload\":");
	buf_str_add(out, c->items.v[id].payload);
	buf_z(out, ",\"attempt\":1,\"token\":\"01234567890123456789012345\"}");
}

static void claim(struct ceiling *c, struct call *call)
{
	int64_t max = 1;
	struct str rest;

	str_to_i64(str_cut(after(buf_str(&call->in), STR("\"max\":")), ',', &rest), &max);
	buf_z(&call->out, "{\"items\":[");
	for (int64_t i = 0; i < max && c->first_ready < c->items.n; i++) {
		buf_z(&call->out, i ? "," : "");
		add_claimed(c, &call->out, c->first_ready);
		set_state(c, c->first_ready++, LEASED);
	}
	buf_z(&call->out, "]}");
}

static void settle(struct ceiling *c, struct call *call, struct str id_text)
{
	int64_t id;

	if (!id_parse(id_text, "w_", &id) || (size_t)id >= c->items.n || c->items.v[id].state != LEASED) {
		call->status = 409;
		return;
	}
	set_state(c, (size_t)id, COMPLETED);
	free((char *)(uintptr_t)c->items.v[id].payload.p);
	c->items.v[id].payload = (struct str){0};
	add_ref(&call->out, (size_t)id, "completed");
}

static void settle_many(struct ceiling *c, struct call *call)
{
	struct str text = buf_str(&call->in), rest;

	buf_z(&call->out, "{\"items\":[");
	while ((text = after(text, STR("\"id\":\""))).n) {
		settle(c, call, str_cut(text, '"', &rest));
		buf_c(&call->out, ',');
	}
	call->out.p[call->out.n - 1] = ']';
	buf_c(&call->out, '}');
}

static void apply(struct ceiling *c, struct call *call)
{
	struct str tail = after(call->url, STR("/v1/work")), rest;

	call->status = 200;
	if (tail.n == 0) {
		enqueue_next(c, &call->out, after(buf_str(&call->in), STR("\"payload\":")));
		call->status = 201;
	} else if (str_eqz(tail, "/batch")) {
		enqueue_many(c, call);
		call->status = 201;
	} else if (str_eqz(tail, "/claim")) {
		claim(c, call);
	} else if (str_eqz(tail, "/settle")) {
		settle_many(c, call);
	} else {
		settle(c, call, str_cut((struct str){tail.p + 1, tail.n - 1}, '/', &rest));
	}
}

/* ---- the writer ---- */

static struct call *take_queue(struct ceiling *c)
{
	pthread_mutex_lock(&c->lock);
	while (!c->queue)
		pthread_cond_wait(&c->filled, &c->lock);
	struct call *all = c->queue;
	c->queue = NULL;
	c->queue_tail = &c->queue;
	pthread_mutex_unlock(&c->lock);
	return all;
}

static void hand_back(struct call *call)
{
	struct loop *loop = call->loop;

	pthread_mutex_lock(&loop->lock);
	bool was_empty = loop->finished == NULL;
	call->next = loop->finished;
	loop->finished = call;
	pthread_mutex_unlock(&loop->lock);
	if (was_empty)
		eventfd_write(loop->wake, 1);
}

static void *writer(void *ctx)
{
	struct ceiling *c = ctx;

	for (;;) {
		struct call *batch = take_queue(c);

		run_sql(c->db, "BEGIN");
		for (struct call *call = batch; call; call = call->next)
			apply(c, call);
		run_sql(c->db, "COMMIT");
		for (struct call *next; batch; batch = next) {
			next = batch->next;
			hand_back(batch);
		}
	}
	return NULL;
}

static void hand_to_writer(struct ceiling *c, struct call *call)
{
	pthread_mutex_lock(&c->lock);
	*c->queue_tail = call;
	c->queue_tail = &call->next;
	pthread_cond_signal(&c->filled);
	pthread_mutex_unlock(&c->lock);
}

/* ---- the loops ---- */

static enum MHD_Result answer(struct call *call)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(call->out.n, call->out.p, MHD_RESPMEM_PERSISTENT);

	MHD_add_response_header(r, "Content-Type", "application/json");
	enum MHD_Result queued = MHD_queue_response(call->connection, call->status, r);
	MHD_destroy_response(r);
	return queued;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct call *call = *state;

	(void)version;
	if (!call) {
		*state = call = NEW(struct call);
		call->connection = connection;
		call->loop = cls;
		call->url = str_of(url);
		return MHD_YES;
	}
	if (*upload_size) {
		buf_add(&call->in, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	if (!call->decided && strcmp(method, "GET") == 0) {
		buf_z(&call->out, "{\"status\":\"ok\"}");
		call->status = 200;
	} else if (!call->decided) {
		call->decided = true;
		MHD_suspend_connection(connection);
		hand_to_writer(call->loop->ceiling, call);
		return MHD_YES;
	}
	return answer(call);
}

static void on_over(void *cls, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
	struct call *call = *state;

	(void)cls, (void)connection, (void)why;
	if (!call)
		return;
	buf_free(&call->in);
	buf_free(&call->out);
	free(call);
	*state = NULL;
}

static void resume_finished(struct loop *loop)
{
	eventfd_t n;

	eventfd_read(loop->wake, &n);
	pthread_mutex_lock(&loop->lock);
	struct call *call = loop->finished;
	loop->finished = NULL;
	pthread_mutex_unlock(&loop->lock);
	for (struct call *next; call; call = next) {
		next = call->next;
		MHD_resume_connection(call->connection);
	}
}

static void *run_loop(void *ctx)
{
	struct loop *loop = ctx;
	struct epoll_event wanted = {.events = EPOLLIN}, got[2];
	int set = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(set, EPOLL_CTL_ADD, MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
		  &wanted);
	epoll_ctl(set, EPOLL_CTL_ADD, loop->wake, &wanted);
	for (;;) {
		MHD_UNSIGNED_LONG_LONG ms;

		epoll_wait(set, got, 2, MHD_get_timeout(loop->daemon, &ms) == MHD_YES ? (int)ms : -1);
		resume_finished(loop);
		MHD_run(loop->daemon);
	}
	return NULL;
}

/* A socket that is bound and never listens finds a free port and keeps it ours. */
static struct sockaddr_in free_address(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
	      getsockname(fd, (struct sockaddr *)&at, &size) == 0);
	return at;
}

static void start_loop(struct ceiling *c, struct loop *loop, const struct sockaddr_in *at)
{
	pthread_t thread;

	loop->ceiling = c;
	loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&loop->lock, NULL);
	loop->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL, on_request, loop,
		MHD_OPTION_NOTIFY_COMPLETED, on_over, NULL, MHD_OPTION_SOCK_ADDR, at, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	CHECK(loop->daemon);
	CHECK(pthread_create(&thread, NULL, run_loop, loop) == 0);
}

int main(int argc, char **argv)
{
	struct ceiling *c = NEW(struct ceiling);
	struct sockaddr_in at = free_address();

	if (argc != 2) {
		fputs("usage: ceiling FILE\n", stderr);
		return 2;
	}
	c->queue_tail = &c->queue;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->filled, NULL);
	open_database(c, argv[1]);
	*VEC_PUSH(&c->items) = (struct item){.state = COMPLETED}; /* 0 is no id */
	c->first_ready = 1;
	for (int i = 0; i < LOOPS; i++)
		start_loop(c, &c->loops[i], &at);
	printf("127.0.0.1:%d\n", ntohs(at.sin_port));
	fflush(stdout);
	writer(c);
	return 0;
}
