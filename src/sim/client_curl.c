/*
 * https over libcurl, on the same epoll set: a multi handle for each group, so that groups share no connections.
 *
 * libcurl says which sockets it waits for and when it wants to be called; it connects, speaks TLS, keeps connections
 * and sends a request again that a closed one has lost. HTTP/1.1 only, for it is a call on a connection that is
 * counted here. Handles of calls that are over are kept for those to come.
 */
#include "sim/client_priv.h"

#include "base/heap.h"
#include "base/magic.h"
#include "sim/client_http.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t MS_NS = 1000000;

struct curl_group {
	struct sim_client *client;
	struct client_group *group;
	CURLM *multi;
	int64_t due_ns; /* INT64_MAX: nothing */
};

/* A call on its way. */
struct transfer {
	struct client_call *call; /* NULL: it is spare */
	struct curl_group *group;
	CURL *easy;
	struct curl_slist *headers;
	struct buf url, method, body; /* body: of the answer */
	struct transfer *next;        /* among the spare */
	struct transfer *older;       /* among all */
	uint32_t place;               /* in wire->due, by due_ns, once it is sent */
	int64_t due_ns;
	bool too_large;
	char error[CURL_ERROR_SIZE];
};

/* A socket that libcurl waits for. */
struct curl_socket {
	struct watcher watcher; /* first */
	struct curl_group *group;
	curl_socket_t fd;
	struct curl_socket *next; /* among those that are done with */
};

struct curl_wire {
	struct curl_group *groups;
	struct transfer *all, *spare;
	struct curl_socket *dropped; /* freed when no event can name them any more */
	struct heap due;             /* libcurl sees to the time for connecting, we to that for the answer */
};

/* ---- what libcurl asks for ---- */

static void act(struct sim_client *c, struct curl_group *g, curl_socket_t fd, int what);

static void on_event(struct sim_client *c, struct watcher *w, uint32_t events)
{
	struct curl_socket *s = CONTAINER_OF(w, struct curl_socket, watcher);
	int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

	if (s->group)
		act(c, s->group, s->fd, what);
}

static void drop_socket(struct curl_group *g, struct curl_socket *s)
{
	struct curl_wire *w = g->client->wire;

	epoll_ctl(g->client->set, EPOLL_CTL_DEL, s->fd, NULL);
	s->group = NULL;
	s->next = w->dropped;
	w->dropped = s;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
	struct curl_group *g = ctx;
	struct curl_socket *s = of_socket;
	bool fresh = !s;
	struct epoll_event wanted = {.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) |
					       (what & CURL_POLL_OUT ? EPOLLOUT : 0u)};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			drop_socket(g, s);
		curl_multi_assign(g->multi, fd, NULL);
		return 0;
	}
	if (fresh) {
		s = NEW(struct curl_socket);
		*s = (struct curl_socket){.watcher = {on_event}, .group = g, .fd = fd};
		curl_multi_assign(g->multi, fd, s);
	}
	wanted.data.ptr = s;
	CHECK(epoll_ctl(g->client->set, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &wanted) == 0);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct curl_group *g = ctx;

	(void)multi;
	g->due_ns = timeout_ms < 0 ? INT64_MAX : clock_mono_ns() + timeout_ms * MS_NS;
	return 0;
}

static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct curl_group *g = ctx;
	curl_socket_t fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	g->group->open++;
	g->client->counts.open++;
	g->client->counts.connects++;
	return fd;
}

static int on_close(void *ctx, curl_socket_t fd)
{
	struct curl_group *g = ctx;

	g->group->open--;
	g->client->counts.open--;
	return close(fd);
}

static size_t on_body(char *bytes, size_t each, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t n = each * count;

	t->too_large = n > t->group->client->config.answer_bytes_max - t->body.n;
	if (t->too_large)
		return 0;
	buf_add(&t->body, bytes, n);
	CHECK(buf_ok(&t->body));
	return n;
}

/* ---- a transfer ---- */

static bool is_due_before(const void *a, const void *b)
{
	return ((const struct transfer *)a)->due_ns < ((const struct transfer *)b)->due_ns;
}

static void clear_due(struct curl_wire *w, struct transfer *t)
{
	if (t->place != HEAP_NOWHERE)
		heap_remove(&w->due, t);
}

/* It is connected, and sends now; again, if the connection turns out to be closed. */
static int on_sending(void *ctx, char *to, char *from, int to_port, int from_port)
{
	struct transfer *t = ctx;
	struct sim_client *c = t->group->client;
	struct curl_wire *w = c->wire;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	clear_due(w, t);
	t->call->sent_ns = clock_mono_ns();
	t->due_ns = t->call->sent_ns + client_answer_ms(c, t->call) * MS_NS;
	heap_push(&w->due, t);
	return CURL_PREREQFUNC_OK;
}

static struct transfer *transfer_take(struct curl_wire *w)
{
	struct transfer *t = w->spare;

	if (t) {
		w->spare = t->next;
		return t;
	}
	t = NEW(struct transfer);
	t->easy = curl_easy_init();
	CHECK(t->easy);
	t->place = HEAP_NOWHERE;
	t->older = w->all;
	w->all = t;
	return t;
}

static void transfer_give_back(struct curl_wire *w, struct transfer *t)
{
	clear_due(w, t);
	curl_multi_remove_handle(t->group->multi, t->easy);
	curl_slist_free_all(t->headers);
	t->headers = NULL;
	buf_free(&t->body);
	t->call = NULL;
	t->next = w->spare;
	w->spare = t;
}

static void add_header(struct transfer *t, const char *line)
{
	struct curl_slist *list = curl_slist_append(t->headers, line);

	CHECK(list);
	t->headers = list;
}

static bool gives_type(struct str lines)
{
	while (lines.n) {
		struct str rest, name = str_cut(str_cut(lines, '\n', &lines), ':', &rest);

		if (str_eq_nocase(name, STR("content-type")))
			return true;
	}
	return false;
}

/* libcurl takes "Name;" for a header without a value. */
static void add_headers(struct transfer *t, struct str lines)
{
	struct buf b = BUF_INIT(0);

	add_header(t, "Expect:"); /* else it waits for leave to send a large body */
	if (!gives_type(lines))
		add_header(t, "Content-Type:"); /* no guess of its own */
	while (lines.n) {
		struct str value, line = str_trim(str_cut(lines, '\n', &lines)), name = str_cut(line, ':', &value);

		buf_reset(&b);
		buf_str_add(&b, str_trim(value).n ? line : name);
		buf_z(&b, str_trim(value).n ? "" : ";");
		add_header(t, buf_cstr(&b));
	}
	buf_free(&b);
}

static void set_question(struct transfer *t)
{
	const struct client_call *call = t->call;
	CURL *e = t->easy;

	buf_reset(&t->method);
	buf_str_add(&t->method, call->method);
	if (str_eqz(call->method, "HEAD"))
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	if (call->body.n || (!str_eqz(call->method, "GET") && !str_eqz(call->method, "HEAD"))) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body.n ? call->body.p : "");
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, buf_cstr(&t->method));
}

static void set_options(struct sim_client *c, struct transfer *t)
{
	const struct client_config *config = &c->config;
	CURL *e = t->easy;

	curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_URL, buf_cstr(&t->url));
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t->group);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, t->group);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)config->connect_ms);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_sending);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
	if (config->ca_file.n)
		curl_easy_setopt(e, CURLOPT_CAINFO, config->ca_file.p);
	if (config->user_agent.n)
		curl_easy_setopt(e, CURLOPT_USERAGENT, config->user_agent.p);
	set_question(t);
}

static void begin_call(struct sim_client *c, struct client_call *call)
{
	struct curl_wire *w = c->wire;
	struct transfer *t = transfer_take(w);

	t->call = call;
	t->group = &w->groups[call->group];
	t->too_large = false;
	t->error[0] = '\0';
	t->body.max = (size_t)c->config.answer_bytes_max + 1;
	buf_reset(&t->url);
	buf_str_add(&t->url, c->target.url);
	buf_str_add(&t->url, call->path);
	add_headers(t, call->headers);
	set_options(c, t);
	call->connection = t;
	CHECK(curl_multi_add_handle(t->group->multi, t->easy) == CURLM_OK);
}

static void cancel_call(struct sim_client *c, struct client_call *call)
{
	transfer_give_back(c->wire, call->connection);
}

/* ---- how it went ---- */

static enum err err_of(const struct transfer *t, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return OK;
	case CURLE_COULDNT_CONNECT:
		return ERR_TARGET_REFUSED;
	case CURLE_COULDNT_RESOLVE_HOST:
		return ERR_TARGET_NAME;
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TARGET_TIMEOUT;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return ERR_TARGET_CLOSED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return ERR_TARGET_TLS;
	case CURLE_WRITE_ERROR:
		return t->too_large ? ERR_TARGET_TOO_LARGE : ERR_TARGET_GARBAGE;
	default:
		return ERR_TARGET_GARBAGE;
	}
}

/* A header is valid until the next is asked for. */
static int64_t retry_after_ms(struct sim_client *c, CURL *easy)
{
	struct curl_header *h;
	int64_t answered_s = -1;

	if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &h) == CURLHE_OK)
		answered_s = (int64_t)curl_getdate(h->value, NULL);
	if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return -1;
	return client_http_retry_value_ms(str_of(h->value), answered_s, clock_now_ms(c->config.clock));
}

static void take_answer(struct sim_client *c, struct transfer *t)
{
	struct client_call *call = t->call;
	char *leads_to = NULL;
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &leads_to);
	call->status = (int)status;
	call->answer = buf_str(&t->body);
	call->retry_after_ms = retry_after_ms(c, t->easy);
	if (leads_to)
		client_say(c, call, OK, "redirects to %s", leads_to);
}

static void take_measures(struct sim_client *c, struct transfer *t)
{
	struct client_call *call = t->call;
	curl_off_t up = 0, down = 0;
	long connects = 0, asked = 0, head = 0;

	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &asked);
	curl_easy_getinfo(t->easy, CURLINFO_HEADER_SIZE, &head);
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	call->done_ns = clock_mono_ns();
	call->connected = connects > 0;
	c->counts.bytes_sent += (uint64_t)asked + (uint64_t)up;
	c->counts.bytes_read += (uint64_t)head + (uint64_t)down;
}

static void end_transfer(struct sim_client *c, struct transfer *t)
{
	struct client_call *call = t->call;
	struct buf body = t->body;

	take_measures(c, t);
	t->body = (struct buf){0};
	transfer_give_back(c->wire, t);
	client_end(c, call);
	buf_free(&body);
}

static void take_result(struct sim_client *c, struct transfer *t, CURLcode code)
{
	enum err e = err_of(t, code);

	if (e == OK)
		take_answer(c, t);
	else if (e == ERR_TARGET_TOO_LARGE)
		client_say(c, t->call, e, "the body is over %" PRIu32 " bytes", c->config.answer_bytes_max);
	else
		client_say(c, t->call, e, "%s", t->error[0] ? t->error : curl_easy_strerror(code));
	end_transfer(c, t);
}

static void time_out(struct sim_client *c, struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	client_say_late(c, t->call, status != 0);
	end_transfer(c, t);
}

/* What is over is taken one by one, for done() may cancel what would be next. */
static void take_ended(struct sim_client *c, struct curl_group *g)
{
	const CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(g->multi, &left))) {
		struct transfer *t;

		CHECK(m->msg == CURLMSG_DONE);
		CHECK(curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK);
		take_result(c, t, m->data.result);
	}
}

static void act(struct sim_client *c, struct curl_group *g, curl_socket_t fd, int what)
{
	int running;

	CHECK(curl_multi_socket_action(g->multi, fd, what, &running) == CURLM_OK);
	take_ended(c, g);
}

/* ---- time ---- */

static int64_t next_due(struct sim_client *c)
{
	struct curl_wire *w = c->wire;
	const struct transfer *t = heap_peek(&w->due);
	int64_t due_ns = t ? t->due_ns : INT64_MAX;

	for (uint32_t i = 0; i < c->config.groups; i++)
		if (w->groups[i].due_ns < due_ns)
			due_ns = w->groups[i].due_ns;
	return due_ns;
}

static void free_dropped(struct curl_wire *w)
{
	while (w->dropped) {
		struct curl_socket *s = w->dropped;

		w->dropped = s->next;
		free(s);
	}
}

static void end_turn(struct sim_client *c)
{
	struct curl_wire *w = c->wire;
	int64_t now_ns = clock_mono_ns();

	for (uint32_t i = 0; i < c->config.groups; i++) {
		struct curl_group *g = &w->groups[i];

		if (g->due_ns > now_ns)
			continue;
		g->due_ns = INT64_MAX;
		act(c, g, CURL_SOCKET_TIMEOUT, 0);
	}
	for (struct transfer *t = heap_peek(&w->due); t && t->due_ns <= now_ns; t = heap_peek(&w->due))
		time_out(c, t);
	free_dropped(w);
}

/* ---- making one ---- */

static void make_group(struct sim_client *c, uint32_t i)
{
	struct curl_wire *w = c->wire;
	struct curl_group *g = &w->groups[i];

	*g = (struct curl_group){c, &c->groups[i], curl_multi_init(), INT64_MAX};
	CHECK(g->multi);
	curl_multi_setopt(g->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(g->multi, CURLMOPT_SOCKETDATA, g);
	curl_multi_setopt(g->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(g->multi, CURLMOPT_TIMERDATA, g);
	curl_multi_setopt(g->multi, CURLMOPT_MAXCONNECTS, (long)g->group->limit);
}

static void *make(struct sim_client *c)
{
	struct curl_wire *w = NEW(struct curl_wire);

	CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	w->groups = must_alloc(c->config.groups * sizeof(*w->groups));
	w->due = HEAP_INIT(is_due_before, struct transfer, place);
	c->wire = w;
	for (uint32_t i = 0; i < c->config.groups; i++)
		make_group(c, i);
	return w;
}

static void destroy(struct sim_client *c)
{
	struct curl_wire *w = c->wire;

	while (w->all) {
		struct transfer *t = w->all;

		w->all = t->older;
		if (t->call)
			transfer_give_back(w, t);
		curl_easy_cleanup(t->easy);
		buf_free(&t->url);
		buf_free(&t->method);
		free(t);
	}
	for (uint32_t i = 0; i < c->config.groups; i++)
		curl_multi_cleanup(w->groups[i].multi);
	free_dropped(w);
	heap_free(&w->due);
	free(w->groups);
	free(w);
	c->wire = NULL;
}

const struct client_transport client_curl = {make, destroy, begin_call, cancel_call, next_due, end_turn};
