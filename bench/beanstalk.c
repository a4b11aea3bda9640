/*
 * The same closed loop against beanstalkd: put, reserve and delete a job of about the same size, --depth at a time
 * on each connection (1 is a request and its answer; more are pipelined). Prints one line of JSON as load does.
 *
 *   beanstalk ADDRESS:PORT CONNECTIONS DEPTH SECONDS
 */
#include "wire.h"

#include "base/clock.h"
#include "base/histogram.h"
#include "base/magic.h"
#include "base/vec.h"

#include <stdio.h>
#include <string.h>

enum { WARMUP_MS = 1000, JOB_BYTES = 120, LATE_MS = 30000 };
enum step { PUT, RESERVE, DELETE };

struct run {
	struct wire *wire;
	unsigned depth, running;
	int64_t from_ns, until_ns;
	uint64_t cycles;
	struct histogram *cycle; /* ns, of all `depth` together */
	char job[JOB_BYTES];
};

struct worker {
	struct stream stream;
	struct run *run;
	enum step step;
	unsigned answers; /* of this step */
	int64_t began_ns;
	VEC(int64_t) jobs; /* reserved, to be deleted */
};

static void add_command(struct worker *w, unsigned nth)
{
	struct buf *out = &w->stream.out;

	if (w->step == PUT) {
		buf_fmt(out, "put 1024 0 600 %d\r\n", JOB_BYTES);
		buf_add(out, w->run->job, JOB_BYTES);
	} else if (w->step == RESERVE) {
		buf_z(out, "reserve");
	} else {
		buf_z(out, "delete ");
		buf_i64(out, w->jobs.v[nth]);
	}
	buf_z(out, "\r\n");
}

static void send_step(struct worker *w, enum step step)
{
	w->step = step;
	w->answers = 0;
	for (unsigned i = 0; i < w->run->depth; i++)
		add_command(w, i);
	stream_flush(&w->stream);
}

static void begin(struct worker *w)
{
	w->jobs.n = 0;
	w->began_ns = clock_mono_ns();
	if (w->began_ns < w->run->until_ns)
		send_step(w, PUT);
	else if (--w->run->running == 0)
		w->run->wire->done = true;
}

static void over(struct worker *w)
{
	struct run *run = w->run;
	int64_t now_ns = clock_mono_ns();

	if (now_ns >= run->from_ns && now_ns < run->until_ns) {
		run->cycles += run->depth;
		histogram_add(run->cycle, (uint64_t)(now_ns - w->began_ns));
	}
	begin(w);
}

static void step_over(struct worker *w)
{
	if (w->step == PUT)
		send_step(w, RESERVE);
	else if (w->step == RESERVE)
		send_step(w, DELETE);
	else
		over(w);
}

/* RESERVED id bytes, then the job: how many bytes in all, 0 when they are not there yet. */
static size_t take_job(struct worker *w, struct str id, size_t line_bytes, size_t there)
{
	size_t bytes = line_bytes + JOB_BYTES + 2;
	int64_t number;

	if (there < bytes)
		return 0;
	if (!str_to_i64(id, &number))
		wire_fault(w->run->wire, "a job without an id");
	*VEC_PUSH(&w->jobs) = number;
	return bytes;
}

static size_t take_answer(struct worker *w, struct str bytes)
{
	static const char *const expected[] = {[PUT] = "INSERTED", [RESERVE] = "RESERVED", [DELETE] = "DELETED"};
	struct str rest, word, line = str_cut(bytes, '\n', &rest);
	size_t used = line.n + 1;

	if (line.n == bytes.n)
		return 0;
	word = str_cut(str_trim(line), ' ', &rest);
	if (!str_eqz(word, expected[w->step])) {
		wire_fault(w->run->wire, "expected %s, got %.*s", expected[w->step], STRF(line));
		return 0;
	}
	if (w->step == RESERVE)
		used = take_job(w, str_cut(rest, ' ', &rest), used, bytes.n);
	w->answers += used > 0;
	return used;
}

static size_t arrived(struct stream *s, struct str bytes)
{
	struct worker *w = CONTAINER_OF(s, struct worker, stream);
	size_t used = 0, more = 1;

	while (used < bytes.n && more && w->answers < w->run->depth) {
		more = take_answer(w, (struct str){bytes.p + used, bytes.n - used});
		used += more;
	}
	if (w->answers == w->run->depth && used != bytes.n)
		wire_fault(w->run->wire, "more answers than commands");
	else if (w->answers == w->run->depth)
		step_over(w);
	return used;
}

static int64_t tick(void *ctx)
{
	struct run *run = ctx;
	int64_t late_ns = run->until_ns + (int64_t)LATE_MS * 1000000;

	if (run->wire->now_ns >= late_ns)
		wire_fault(run->wire, "not over %d ms after its end", LATE_MS);
	return late_ns;
}

static void drive(struct run *run, const struct sockaddr_in *to, unsigned connections)
{
	struct worker *workers = must_alloc(connections * sizeof *workers);

	run->running = connections;
	for (unsigned i = 0; i < connections; i++) {
		workers[i] = (struct worker){.run = run, .stream.arrived = arrived};
		stream_open(&workers[i].stream, run->wire, to);
	}
	for (unsigned i = 0; i < connections; i++)
		begin(&workers[i]);
	wire_run(run->wire, tick, run);
	for (unsigned i = 0; i < connections; i++) {
		stream_close(&workers[i].stream);
		VEC_FREE(&workers[i].jobs);
	}
	free(workers);
}

static int print_result(const struct run *run, int64_t connections, int64_t seconds)
{
	struct buf b = BUF_INIT(1024);

	if (run->wire->fault[0])
		buf_json_text(&b, str_of(run->wire->fault));
	if (run->wire->fault[0])
		printf("{\"mode\": \"beanstalk\", \"fault\": %s}\n", buf_cstr(&b));
	else
		printf("{\"mode\": \"beanstalk\", \"connections\": %lld, \"batch\": %u, \"cycles\": %llu, "
		       "\"per_second\": %.6g, \"cycle\": {\"p50_us\": %.1f, \"p99_us\": %.1f}}\n",
		       (long long)connections, run->depth, (unsigned long long)run->cycles,
		       (double)run->cycles / (double)seconds, (double)histogram_at(run->cycle, 50) / 1000,
		       (double)histogram_at(run->cycle, 99) / 1000);
	buf_free(&b);
	return run->wire->fault[0] ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct run run = {.cycle = NEW(struct histogram)};
	struct sockaddr_in to;
	int64_t connections, depth, seconds;

	if (argc != 5 || !wire_address(str_of(argv[1]), &to) || !str_to_i64(str_of(argv[2]), &connections) ||
	    !str_to_i64(str_of(argv[3]), &depth) || !str_to_i64(str_of(argv[4]), &seconds) || connections < 1 ||
	    connections > 1000 || depth < 1 || depth > 1000 || seconds < 1) {
		fputs("usage: beanstalk ADDRESS:PORT CONNECTIONS DEPTH SECONDS\n", stderr);
		return 2;
	}
	memset(run.job, 'x', sizeof run.job);
	run.wire = wire_new();
	run.depth = (unsigned)depth;
	run.from_ns = clock_mono_ns() + (int64_t)WARMUP_MS * 1000000;
	run.until_ns = run.from_ns + seconds * 1000000000;
	drive(&run, &to, (unsigned)connections);
	int status = print_result(&run, connections, seconds);
	wire_destroy(&run.wire);
	free(run.cycle);
	return status;
}
