/* The closed loop of calls read from a file, a line each: "GET PATH" or "POST PATH JSON". */
#include "base/clock.h"
#include "load.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct one_call {
	struct str path, body;
	bool posts;
};

struct calls;

struct caller {
	struct http http;
	struct calls *calls;
};

struct calls {
	struct load *load;
	VEC(struct one_call) list;
	struct str text;
	uint64_t next, counted, bytes;
	int64_t last_ns; /* when the last answer came */
	unsigned running;
	struct histogram *latency;
};

static bool read_line(struct calls *c, struct str line)
{
	struct str rest, method = str_cut(line, ' ', &rest);
	struct one_call one = {.path = str_cut(rest, ' ', &one.body)};

	one.posts = str_eqz(method, "POST");
	if (one.path.n == 0 || (!one.posts && !str_eqz(method, "GET")))
		return false;
	*VEC_PUSH(&c->list) = one;
	return true;
}

static bool read_calls(struct calls *c, struct str path)
{
	int fd = open(path.n ? path.p : "", O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool good = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0;
	void *text = good ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;

	if (fd >= 0)
		close(fd);
	if (text == MAP_FAILED)
		return false;
	c->text = (struct str){text, (size_t)st.st_size};
	for (struct str rest = c->text, line; good && rest.n;) {
		line = str_cut(rest, '\n', &rest);
		good = read_line(c, line);
	}
	return good;
}

static void next(struct caller *caller)
{
	struct calls *c = caller->calls;
	const struct options *o = &c->load->options;
	bool over = o->once ? c->next == c->list.n : clock_mono_ns() >= c->load->until_ns;
	const struct one_call *one;

	if (over) {
		if (--c->running == 0)
			c->load->wire->done = true;
		return;
	}
	one = &c->list.v[c->next++ % c->list.n];
	if (one->posts)
		http_post(&caller->http, one->path, one->body);
	else
		http_get(&caller->http, one->path);
}

static void answered(struct http *h, int status, struct str body)
{
	struct caller *caller = CONTAINER_OF(h, struct caller, http);
	struct calls *c = caller->calls;
	int64_t now_ns = clock_mono_ns();

	if (status < 200 || status > 299)
		wire_fault(c->load->wire, "%d %.*s", status, body.n < 300 ? (int)body.n : 300, body.p);
	if (c->load->options.once || load_counts(c->load, now_ns)) {
		histogram_add(c->latency, (uint64_t)(now_ns - h->sent_ns));
		c->bytes += body.n;
		c->last_ns = now_ns;
	}
	next(caller);
}

static int64_t tick(void *ctx)
{
	struct calls *c = ctx;

	if (c->load->options.once)
		return INT64_MAX; /* as long as it takes */
	load_check_late(c->load);
	return c->load->until_ns + (int64_t)LATE_S * 1000000000;
}

static void report(struct calls *c, int64_t began_ns)
{
	struct load *l = c->load;
	double took_s = l->options.once ? (double)(c->last_ns - began_ns) / 1e9 : l->options.seconds;

	load_report(l, "per_second", (double)c->latency->count / took_s);
	load_report(l, "bytes", (double)c->bytes / (double)(c->latency->count ? c->latency->count : 1));
	load_report_latency(l, "call", c->latency);
}

void mode_calls(struct load *l)
{
	unsigned n = l->options.connections;
	struct calls calls = {.load = l, .running = n, .latency = NEW(struct histogram)};
	struct caller *callers = must_alloc(n * sizeof *callers);
	int64_t began_ns;

	if (!read_calls(&calls, l->options.calls)) {
		wire_fault(l->wire, "--calls must name a file of lines GET PATH or POST PATH JSON");
		n = 0;
	}
	for (unsigned i = 0; i < n; i++) {
		callers[i] = (struct caller){.calls = &calls, .http.answered = answered};
		load_open(l, &callers[i].http, i);
	}
	load_window(l);
	began_ns = clock_mono_ns();
	for (unsigned i = 0; i < n; i++)
		next(&callers[i]);
	if (n)
		wire_run(l->wire, tick, &calls);
	report(&calls, began_ns);
	for (unsigned i = 0; i < n; i++)
		http_close(&callers[i].http);
	if (calls.text.p)
		munmap((void *)(uintptr_t)calls.text.p, calls.text.n);
	VEC_FREE(&calls.list);
	free(callers);
	free(calls.latency);
}
