/*
 * How fast the simulator's client is on one core, and how much memory it takes: so many calls under way all the time.
 *
 *	client_bench URL CONNECTIONS SECONDS [GROUPS]
 *
 * URL has the path of the request. One line of JSON; a call that fails ends the run.
 */
#include "base/histogram.h"
#include "base/magic.h"
#include "sim/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CONNECT_MS = 30000, ANSWER_MS = 30000, BODY_MAX = 1 << 20, GROUPS = 10 };
static const int64_t SECOND_NS = 1000000000;

struct run {
	struct sim_client *client;
	struct histogram latency_us;
	uint64_t answered;
	bool ending;
	char fault[128];
};

static void on_done(void *ctx, struct client_call *call)
{
	struct run *r = ctx;

	if (call->err || call->status != 200) {
		snprintf(r->fault, sizeof(r->fault), "%d %s", call->status, call->detail);
		r->ending = true;
		return;
	}
	r->answered++;
	histogram_add(&r->latency_us, (uint64_t)(call->done_ns - call->sent_ns) / 1000);
	if (!r->ending)
		sim_client_start(r->client, call);
}

static double cpu_s(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static long peak_kib(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return used.ru_maxrss;
}

static void poll_until(struct run *r, int64_t end_ns)
{
	while (!r->ending && clock_mono_ns() < end_ns)
		sim_client_poll(r->client, end_ns - clock_mono_ns());
}

/* The first second, in which the connections are made, does not count. */
static void measure(struct run *r, int seconds)
{
	int64_t begun_ns;
	double cpu;

	poll_until(r, clock_mono_ns() + SECOND_NS);
	r->answered = 0;
	memset(&r->latency_us, 0, sizeof(r->latency_us));
	begun_ns = clock_mono_ns();
	cpu = cpu_s();
	poll_until(r, begun_ns + seconds * SECOND_NS);
	cpu = cpu_s() - cpu;
	double took_s = (double)(clock_mono_ns() - begun_ns) / 1e9;
	struct client_counts counts = sim_client_counts(r->client);

	printf("{\"requests_per_s\": %.0f, \"cpu_us_per_request\": %.2f, \"busy\": %.2f, \"p50_us\": %llu, "
	       "\"p99_us\": %llu, \"open\": %u, \"connects\": %llu, \"peak_mb\": %.1f}\n",
	       (double)r->answered / took_s, cpu * 1e6 / (double)(r->answered + !r->answered), cpu / took_s,
	       (unsigned long long)histogram_at(&r->latency_us, 50),
	       (unsigned long long)histogram_at(&r->latency_us, 99), (unsigned)counts.open,
	       (unsigned long long)counts.connects, (double)peak_kib() / 1024);
}

/* http://HOST[:PORT], and the path behind it. */
static struct str split(struct str *url)
{
	struct str rest = {url->p + sizeof("https://") - 1, url->n - sizeof("https://") + 1}, path;

	if (url->n < sizeof("https://"))
		return STR("/");
	str_cut(rest, '/', &path);
	if (!path.p)
		return STR("/");
	path = (struct str){path.p - 1, path.n + 1};
	url->n -= path.n;
	return path;
}

/* A number of the command line; 0: it is none. */
static uint32_t number(const char *text)
{
	int64_t n;

	return text && str_to_i64(str_of(text), &n) && n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

static void run(struct run *r, struct str path, uint32_t connections, uint32_t groups, int seconds)
{
	struct client_call *calls = must_alloc(connections * sizeof(*calls));

	for (uint32_t i = 0; i < connections; i++) {
		calls[i] = (struct client_call){.method = STR("GET"), .path = path, .group = i % groups};
		sim_client_start(r->client, &calls[i]);
	}
	measure(r, seconds);
	sim_client_free(&r->client);
	free(calls);
}

int main(int argc, char **argv)
{
	struct str url = str_of(argc > 1 ? argv[1] : ""), path = split(&url);
	uint32_t connections = number(argc > 2 ? argv[2] : NULL), seconds = number(argc > 3 ? argv[3] : NULL);
	struct client_config config = {.target = url,
				       .groups = argc > 4 ? number(argv[4]) : GROUPS,
				       .connections_max = connections,
				       .connect_ms = CONNECT_MS,
				       .answer_ms = ANSWER_MS,
				       .answer_bytes_max = BODY_MAX,
				       .user_agent = STR("client_bench"),
				       .clock = clock_system_new()};
	struct run *r = NEW(struct run);
	struct problem p = {0};

	if (connections == 0 || seconds == 0) {
		fprintf(stderr, "usage: client_bench URL CONNECTIONS SECONDS [GROUPS]\n");
		return 2;
	}
	if (sim_client_new(&config, on_done, r, &r->client, &p) != OK) {
		fprintf(stderr, "client_bench: %s\n", p.detail);
		return 1;
	}
	run(r, path, connections, config.groups, (int)seconds);
	clock_system_destroy(&config.clock);
	if (r->fault[0])
		fprintf(stderr, "client_bench: %s\n", r->fault);
	return r->fault[0] != '\0';
}
