/*
 * sim probe: each rate that was tried is a line on stderr as it ends, the rate to use goes to stdout.
 */
#include "cli/cli.h"

#include "base/clock.h"
#include "cli/print.h"
#include "sim/probe.h"

enum { MS_PER_S = 1000 };

static void print_step(void *ctx, const struct sim_probe_step *s)
{
	(void)ctx;
	fprintf(stderr, "%9.1f/s  %-7s  %lld calls, half within %.1f ms, 95 of 100 within %.1f ms", s->rate,
		enum_sim_probe_verdict.values[s->verdict].text, (long long)s->calls, s->p50_ms, s->p95_ms);
	if (s->limited)
		fprintf(stderr, "; %lld told to slow down", (long long)s->limited);
	if (HAS(s, sim_probe_step, retry_after_ms))
		fprintf(stderr, ", for %lld s", (long long)s->retry_after_ms / MS_PER_S);
	if (s->failed)
		fprintf(stderr, "; %lld failed, the last: %.*s", (long long)s->failed, STRF(s->said));
	if (s->refused)
		fprintf(stderr, "; %lld refused, the last: %.*s; is --path right?", (long long)s->refused,
			STRF(s->said));
	fputc('\n', stderr);
}

static void print_result(const struct sim_probe_out *out)
{
	printf("--rate %g\n", out->rate);
	fflush(stdout);
	if (out->verdict == SIM_PROBE_GOOD)
		fprintf(stderr, "The target bore %g requests a second, the highest rate that was tried (--max).\n",
			out->borne);
	else
		fprintf(stderr,
			"The target bore %.1f requests a second; above that it was %s. Nine tenths are safe.\n",
			out->borne, enum_sim_probe_verdict.values[out->verdict].text);
}

enum err cmd_sim_probe(struct cli *cli, const void *args)
{
	struct clock *clock = clock_system_new();
	struct sim_probe_out out;
	enum err e = sim_probe(args, clock, print_step, NULL, cli->arena, &out, &cli->problem);

	clock_system_destroy(&clock);
	if (!e && cli->globals.json)
		print_answer(cli, &type_sim_probe_out, &out, "");
	else if (!e)
		print_result(&out);
	return e;
}
