/*
 * The load generator: drives a server that speaks tenfold's API, verifies every answer, and prints one line of
 * JSON.
 *
 *   load cycle --host 127.0.0.1:7010 --key-file admin.key --connections 64 --seconds 5
 *
 * It is one thread, because it shares a small machine with what it measures. Exit 0 with the figures; 1 with
 * {"fault": …} when any answer was not what it must be, because then the figures mean nothing; 2 for wrong usage.
 */
#include "load.h"

#include "base/clock.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t SECOND_NS = 1000000000;

/* Name, what it does, whether --items are enqueued before it. */
static const struct mode {
	const char *name;
	mode_fn *run;
	bool filled;
	const char *doc;
} modes[] = {
	{"cycle", mode_cycle, true, "closed loop of enqueue, claim and settle; --batch items at a time"},
	{"open", mode_open, true, "the same one at a time in an open loop, --rate cycles a second"},
	{"poll", mode_poll, false, "--agents wait for what is enqueued at --rate"},
	{"get", mode_get, false, "closed loop of GET --path"},
	{"calls", mode_calls, false, "closed loop of the calls in --calls, again and again; with --once each once"},
	{"fill", mode_fill, false, "enqueue --items"},
	{"flow", mode_flow, false, "executions of three steps of --squad, at most --in-flight at once or --paced"},
	{"fan", mode_fan, false, "--agents streams of --items executions of --squad, --rate events a second"},
	{"fair", mode_fair, false, "the latency of all keys but the last, while that one enqueues --items"},
};

/* ---- what modes call ---- */

void load_window(struct load *l)
{
	int64_t now_ns = clock_mono_ns();

	l->from_ns = now_ns + (int64_t)(l->options.warmup * 1e9);
	l->until_ns = l->from_ns + (int64_t)(l->options.seconds * 1e9);
}

bool load_counts(const struct load *l, int64_t at_ns)
{
	return at_ns >= l->from_ns && at_ns < l->until_ns;
}

void load_check_late(struct load *l)
{
	if (l->wire->now_ns >= l->until_ns + LATE_S * SECOND_NS)
		wire_fault(l->wire, "not over %d s after its end", LATE_S);
}

void load_open(struct load *l, struct http *h, unsigned nth)
{
	http_open(h, l->wire, &l->to, l->headers[nth % l->options.key_count]);
}

static void report_name(struct load *l, const char *name)
{
	buf_z(&l->result, l->result.n ? ", " : "");
	buf_json_text(&l->result, str_of(name));
	buf_z(&l->result, ": ");
}

void load_report(struct load *l, const char *name, double value)
{
	report_name(l, name);
	buf_fmt(&l->result, "%.6g", value);
}

static double us(uint64_t ns)
{
	return (double)ns / 1000;
}

void load_report_latency(struct load *l, const char *name, const struct histogram *h)
{
	report_name(l, name);
	buf_fmt(&l->result,
		"{\"n\": %llu, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p95_us\": %.1f, \"p99_us\": %.1f, ",
		(unsigned long long)h->count, us(histogram_at(h, 50)), us(histogram_at(h, 90)),
		us(histogram_at(h, 95)), us(histogram_at(h, 99)));
	buf_fmt(&l->result, "\"p999_us\": %.1f, \"max_us\": %.1f}", us(histogram_at(h, 99.9)), us(h->max));
}

/* ---- options ---- */

static void usage(void)
{
	fputs("usage: load MODE --host ADDRESS:PORT [OPTIONS]\n\nmodes\n", stderr);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		fprintf(stderr, "  %-8s%s\n", modes[i].name, modes[i].doc);
	fputs("\noptions, with what they are when left out\n"
	      "  --key-file FILE    secrets of keys, one a line; connections take them in turn\n"
	      "  --connections 64   --seconds 5       --warmup 1         --batch 1 (at most 1000)\n"
	      "  --rate 1000        --agents 1000     --wait-ms 10000    --idle 0\n"
	      "  --items 0          --payload 40      --type bench       --path /health/live\n"
	      "  --calls FILE       lines of GET PATH or POST PATH JSON          --once\n"
	      "  --squad ID         --in-flight 1000  --paced            --of-squad (streams of it, not of "
	      "executions)\n",
	      stderr);
}

static bool read_keys(struct options *o, const char *path)
{
	static char text[KEYS_MAX * 128];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	struct str rest = {text, n > 0 ? (size_t)n : 0};

	if (fd >= 0)
		close(fd);
	while (rest.n && o->key_count < KEYS_MAX) {
		struct str key = str_trim(str_cut(rest, '\n', &rest));

		if (key.n)
			o->keys[o->key_count++] = key;
	}
	return o->key_count > 0;
}

static bool to_unsigned(const char *text, unsigned most, unsigned *out)
{
	int64_t v;

	if (!str_to_i64(str_of(text), &v) || v < 0 || v > most)
		return false;
	*out = (unsigned)v;
	return true;
}

static bool to_u64(const char *text, uint64_t *out)
{
	int64_t v;

	if (!str_to_i64(str_of(text), &v) || v < 0)
		return false;
	*out = (uint64_t)v;
	return true;
}

static bool set_option(struct options *o, int which, const char *value)
{
	switch (which) {
	case 'h':
		o->host = str_of(value);
		return true;
	case 'k':
		return read_keys(o, value);
	case 'c':
		return to_unsigned(value, 100000, &o->connections) && o->connections > 0;
	case 's':
		return str_to_f64(str_of(value), &o->seconds) && o->seconds > 0;
	case 'w':
		return str_to_f64(str_of(value), &o->warmup) && o->warmup >= 0;
	case 'b':
		return to_unsigned(value, BATCH_MAX, &o->batch) && o->batch > 0;
	case 'r':
		return str_to_f64(str_of(value), &o->rate) && o->rate > 0;
	case 'a':
		return to_unsigned(value, 100000, &o->agents) && o->agents > 0;
	case 'm':
		return to_unsigned(value, 30000, &o->wait_ms);
	case 'i':
		return to_unsigned(value, 100000, &o->idle);
	case 'n':
		return to_u64(value, &o->items);
	case 'p':
		return to_u64(value, &o->payload) && o->payload <= 65536;
	case 't':
		o->type = str_of(value);
		return true;
	case 'f':
		o->calls = str_of(value);
		return true;
	case 'o':
		o->once = true;
		return true;
	case 'q':
		o->squad = str_of(value);
		return true;
	case 'l':
		return to_unsigned(value, 1000000, &o->in_flight) && o->in_flight > 0;
	case 'd':
		o->paced = true;
		return true;
	case 'e':
		o->of_squad = true;
		return true;
	case 'g':
		o->path = str_of(value);
		return true;
	default:
		return false;
	}
}

static bool read_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{"host", 1, NULL, 'h'},    {"key-file", 1, NULL, 'k'}, {"connections", 1, NULL, 'c'},
		{"seconds", 1, NULL, 's'}, {"warmup", 1, NULL, 'w'},   {"batch", 1, NULL, 'b'},
		{"rate", 1, NULL, 'r'},    {"agents", 1, NULL, 'a'},   {"wait-ms", 1, NULL, 'm'},
		{"idle", 1, NULL, 'i'},    {"items", 1, NULL, 'n'},    {"payload", 1, NULL, 'p'},
		{"type", 1, NULL, 't'},    {"path", 1, NULL, 'g'},     {"calls", 1, NULL, 'f'},
		{"once", 0, NULL, 'o'},    {"squad", 1, NULL, 'q'},    {"in-flight", 1, NULL, 'l'},
		{"paced", 0, NULL, 'd'},   {"of-squad", 0, NULL, 'e'}, {0}};
	int which;

	*o = (struct options){.type = STR("bench"),
			      .path = STR("/health/live"),
			      .seconds = 5,
			      .warmup = 1,
			      .rate = 1000,
			      .connections = 64,
			      .batch = 1,
			      .agents = 1000,
			      .wait_ms = 10000,
			      .in_flight = 1000,
			      .payload = 40};
	while ((which = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (!set_option(o, which, optarg)) {
			if (which != '?')
				fprintf(stderr, "load: not a good value: %s\n", optarg);
			return false;
		}
	if (!o->key_count)
		o->keys[o->key_count++] = STR("none");
	return optind == argc;
}

/* ---- a run ---- */

static void prepare(struct load *l)
{
	char *filler = must_alloc(l->options.payload + 1);

	memset(filler, 'x', l->options.payload);
	l->filler = (struct str){filler, l->options.payload};
	for (unsigned i = 0; i < l->options.key_count; i++) {
		struct buf b = BUF_INIT(1024);

		buf_fmt(&b, "Host: %.*s\r\nAuthorization: Bearer %.*s\r\n", STRF(l->options.host),
			STRF(l->options.keys[i]));
		l->headers[i] = buf_str(&b);
	}
	for (int i = 0; i < STEP_COUNT; i++)
		l->latency[i] = NEW(struct histogram);
	wire_allow_descriptors(l->options.connections);
}

static void release(struct load *l)
{
	for (int i = 0; i < STEP_COUNT; i++)
		free(l->latency[i]);
	for (unsigned i = 0; i < l->options.key_count; i++)
		free((char *)(uintptr_t)l->headers[i].p);
	free((char *)(uintptr_t)l->filler.p);
	map_free(&l->ledger.items);
	buf_free(&l->body);
	buf_free(&l->result);
	wire_destroy(&l->wire);
}

static void run(struct load *l, const struct mode *mode)
{
	const uint64_t *steps = l->ledger.steps;

	if (mode->filled && l->options.items)
		fill_run(l, l->options.items, BATCH_MAX, 2);
	if (!l->wire->fault[0])
		mode->run(l);
	if (!l->wire->fault[0] && !ledger_sound(&l->ledger))
		wire_fault(l->wire, "items do not add up: %llu enqueued, %llu claimed, %llu settled, %zu left",
			   (unsigned long long)steps[STEP_ENQUEUE], (unsigned long long)steps[STEP_CLAIM],
			   (unsigned long long)steps[STEP_SETTLE], l->ledger.items.count);
}

static int print_result(struct load *l, const struct mode *mode)
{
	const struct options *o = &l->options;

	if (l->wire->fault[0]) {
		buf_reset(&l->result);
		buf_json_text(&l->result, str_of(l->wire->fault));
		printf("{\"mode\": \"%s\", \"fault\": %s}\n", mode->name, buf_cstr(&l->result));
		return 1;
	}
	printf("{\"mode\": \"%s\", \"connections\": %u, \"batch\": %u, \"payload\": %llu, \"live\": %zu, %s}\n",
	       mode->name, o->connections, o->batch, (unsigned long long)o->payload, l->ledger.items.count,
	       buf_cstr(&l->result));
	return 0;
}

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct load load = {0};
	const struct mode *mode = argc > 1 ? find_mode(argv[1]) : NULL;

	if (!mode || !read_options(&load.options, argc - 1, argv + 1) ||
	    !wire_address(load.options.host, &load.to)) {
		usage();
		return 2;
	}
	load.wire = wire_new();
	prepare(&load);
	run(&load, mode);
	int status = print_result(&load, mode);
	release(&load);
	return status;
}
