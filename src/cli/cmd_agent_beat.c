/*
 * agent beat: once, or again and again until the process is stopped.
 *
 * Where an agent stands is printed when it changes, and with --json after every beat. A server that is away is waited
 * for: it counts silence from its own start.
 */
#include "cli/agent_key.h"
#include "cli/client.h"
#include "cli/stream.h"

struct beating {
	struct cli *cli;
	const struct agent_beat_args *args;
	struct client *client;
	struct arena *arena; /* of one beat */
	CURLM *pause;        /* waits */
	int status;          /* the last that was printed; -1: none */
	bool trouble_told;
};

static void print_beat(struct beating *b, const struct beat *beat)
{
	struct buf text = BUF_INIT(0);

	if (b->cli->globals.json) {
		json_encode(&type_beat, beat, 0, &text);
	} else if (beat->status != b->status) {
		json_show_field(&type_beat, beat__status, beat, &text);
		buf_z(&text, ", next beat due by ");
		json_show_field(&type_beat, beat__due_at, beat, &text);
	}
	b->status = beat->status;
	if (text.n)
		puts(buf_cstr(&text));
	fflush(stdout);
	buf_free(&text);
}

static enum err beat_once(struct beating *b)
{
	struct agent_ref in = {0};
	struct beat out;
	enum err e;

	arena_reset(b->arena);
	PUT(&in, agent_ref, id, b->args->id);
	e = client_call(b->client, ROUTE_agent_beat, &in, b->arena, &out, NULL, &b->cli->problem);
	if (!e)
		print_beat(b, &out);
	return e;
}

/* What passes by waiting is told once, and waited out. */
static enum err ride_out(struct beating *b, enum err e)
{
	if (!e && b->trouble_told)
		fputs("tenfold: agent beat: the server answers again\n", stderr);
	if (e && !err_info(e)->retryable)
		return e;
	if (e && !b->trouble_told)
		fprintf(stderr, "tenfold: agent beat: %s; %s\n", b->cli->problem.detail, client_waits_it_out(e));
	b->trouble_told = e != OK;
	return OK;
}

static void wait_until(const struct beating *b, int64_t due_ms)
{
	for (int64_t left = due_ms - stream_now_ms(); left > 0; left = due_ms - stream_now_ms())
		curl_multi_poll(b->pause, NULL, 0, (int)left, NULL);
}

static enum err beat_on(struct beating *b)
{
	int64_t due = stream_now_ms();
	enum err e = OK;

	while (!e) {
		e = ride_out(b, beat_once(b));
		due += b->args->every;
		if (due < stream_now_ms())
			due = stream_now_ms() + b->args->every;
		if (!e)
			wait_until(b, due);
	}
	return e;
}

enum err cmd_agent_beat(struct cli *cli, const void *args)
{
	struct beating b = {.cli = cli, .args = args, .status = -1};
	enum err e = agent_key_connect(cli, b.args->id, &b.client);

	if (e)
		return e;
	b.arena = arena_new(1 << 20);
	b.pause = curl_multi_init();
	e = HAS(b.args, agent_beat_args, every) ? beat_on(&b) : beat_once(&b);
	curl_multi_cleanup(b.pause);
	arena_destroy(&b.arena);
	client_destroy(&b.client);
	return e;
}
