/*
 * worker run: the loop, and how it ends.
 *
 * A turn: begin the calls that are due, let curl work, take what has come back, take what the descriptors say, free
 * what is over. It sleeps in one poll, for as long as nothing is due.
 *
 * The end: SIGTERM or SIGINT (or nothing left, with --until-empty) drains: no more claims, what runs is finished
 * and settled. A second signal stops the commands and gives their items back; a third leaves at once. The exit code
 * is that of the signal, or of the error that made it drain.
 */
#include "cli/worker_agent.h"
#include "cli/worker_model.h"
#include "cli/worker_search.h"

#include "base/id.h"
#include "base/magic.h"
#include "cli/print.h"
#include "flow/flow.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	EVENTS_AT_ONCE = 64,
	TURN_ARENA = 512 << 20,
	STATUS_EVERY_MS = 200,
	LEAVE_AFTER_MS = 5000,
	NAME_MAX_BYTES = 128
};

/* ---- what people see ---- */

static bool shows_status(const struct worker *w)
{
	return !w->cli->globals.json && isatty(STDERR_FILENO);
}

static void clear_status(struct worker *w)
{
	if (w->status_shown)
		fputs("\r\033[K", stderr);
	w->status_shown = false;
}

void worker_say(struct worker *w, const char *fmt, ...)
{
	va_list args;

	clear_status(w);
	fputs("tenfold: worker run: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	w->status_ms = 0;
}

static void count_time(struct worker *w)
{
	struct worker_summary *s = &w->summary;
	double ended = (double)(s->completed + s->failed + s->retried);

	s->seconds = (double)(w->now_ms - w->began_ms) / 1000;
	s->items_per_s = s->seconds > 0 ? ended / s->seconds : 0;
}

static void show_status(struct worker *w)
{
	const struct worker_summary *s = &w->summary;

	if (w->now_ms < w->status_ms || !shows_status(w))
		return;
	count_time(w);
	fprintf(stderr, "\r\033[K%zu running, %lld completed, %lld failed, %.1f items/s%s", w->running,
		(long long)s->completed, (long long)s->failed, s->items_per_s, w->draining ? ", finishing" : "");
	w->status_shown = true;
	w->status_ms = w->now_ms + STATUS_EVERY_MS;
}

static void print_summary(struct worker *w)
{
	const struct worker_summary *s = &w->summary;
	struct buf b = BUF_INIT(0);

	clear_status(w);
	count_time(w);
	if (w->cli->globals.json)
		json_encode(&type_worker_summary, s, 0, &b);
	else
		buf_fmt(&b,
			"%lld completed, %lld failed, %lld retried, %lld released, %lld cancelled, %lld lost in "
			"%.1f s (%.1f items/s)",
			(long long)s->completed, (long long)s->failed, (long long)s->retried,
			(long long)s->released, (long long)s->cancelled, (long long)s->lost, s->seconds,
			s->items_per_s);
	puts(buf_cstr(&b));
	buf_free(&b);
}

/* ---- stopping ---- */

void worker_drain(struct worker *w)
{
	w->draining = true;
}

static void release_all(struct worker *w)
{
	for (struct job *j = w->jobs; j; j = j->next)
		job_stop(j, STOP_RELEASE);
	w->give_up_ms = w->now_ms + w->args->grace + LEAVE_AFTER_MS;
}

static void on_signal(void *owner)
{
	struct worker *w = owner;
	struct signalfd_siginfo info;

	if (read(w->signals.fd, &info, sizeof(info)) != sizeof(info))
		return;
	w->stops++;
	worker_drain(w);
	if (w->stops == 1) {
		w->stop_signal = (int)info.ssi_signo;
		if (w->running)
			worker_say(w, "finishing %zu item%s; a second signal gives them back", w->running,
				   w->running == 1 ? "" : "s");
	} else if (w->stops == 2) {
		release_all(w);
	} else {
		w->give_up_ms = w->now_ms;
	}
}

static void kill_what_is_left(struct worker *w)
{
	for (struct job *j = w->jobs; j; j = j->next) {
		if (j->pid > 0)
			kill(-j->pid, SIGKILL);
		j->state = JOB_GONE;
	}
}

static bool is_over(const struct worker *w)
{
	if (w->give_up_ms && w->now_ms >= w->give_up_ms)
		return true;
	return w->draining && w->running == 0 && w->unsettled == 0;
}

/* ---- the loop ---- */

static void take_events(struct worker *w)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n = epoll_wait(w->epoll, events, EVENTS_AT_ONCE, 0);

	for (int i = 0; i < n; i++) {
		struct watched *f = events[i].data.ptr;

		if (f->fd >= 0)
			f->ready(f->owner);
	}
}

static int wait_ms(const struct worker *w)
{
	int64_t next = worker_calls_next_ms(w);

	if (w->give_up_ms && w->give_up_ms < next)
		next = w->give_up_ms;
	if (w->status_shown && w->status_ms < next)
		next = w->status_ms;
	return next > w->now_ms ? (int)(next - w->now_ms) : 0;
}

static void turn(struct worker *w)
{
	struct curl_waitfd ours = {.fd = w->epoll, .events = CURL_WAIT_POLLIN};
	int running;

	arena_reset(w->arena);
	worker_calls_begin(w);
	curl_multi_perform(w->multi, &running);
	worker_calls_end(w);
	for (struct job *j = w->jobs; j; j = j->next)
		job_stop_if_due(j);
	jobs_free_gone(w);
	show_status(w);
	w->done = is_over(w);
	if (w->done)
		return;
	curl_multi_poll(w->multi, &ours, 1, wait_ms(w), NULL);
	w->now_ms = stream_now_ms();
	take_events(w);
	jobs_free_gone(w);
}

/* ---- the beginning ---- */

static enum err set_up_signals(struct worker *w)
{
	sigset_t stops;
	int fd;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	sigprocmask(SIG_BLOCK, &stops, NULL);
	signal(SIGPIPE, SIG_IGN); /* commands that do not read their payload, and servers that hang up */
	fd = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0 || w->epoll < 0 || !watch_fd(w, &w->signals, fd, EPOLLIN, on_signal, w))
		return problem_set(&w->cli->problem, ERR_INTERNAL,
				   "cannot set up its loop: %s; raise the limits of the system", strerror(errno));
	return OK;
}

/* Four descriptors for each command. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Better before the first claim than as a failure of every item. */
static enum err check_command(struct worker *w)
{
	struct str path = str_of(getenv("PATH") ? getenv("PATH") : "/usr/local/bin:/usr/bin:/bin");
	const char *command = w->command[0];

	if (strchr(command, '/') && access(command, X_OK) == 0)
		return OK;
	while (path.n && !strchr(command, '/')) {
		struct str dir = str_cut(path, ':', &path);
		struct str full = arena_fmt(w->cli->arena, "%.*s/%s", STRF(dir.n ? dir : STR(".")), command);

		if (full.p && access(full.p, X_OK) == 0)
			return OK;
	}
	return problem_set(&w->cli->problem, ERR_USAGE,
			   "there is no command '%s'; name one that can be run, with its path", command);
}

static enum err take_command(struct worker *w)
{
	char **argv = ARENA_ARRAY(w->cli->arena, char *, w->args->command_count + 1);

	if (w->args->command_count == 0 && (w->models || w->searches || w->agents))
		return OK;
	if (w->args->command_count == 0)
		return problem_set(
			&w->cli->problem, ERR_USAGE,
			"what is to be run for an item? Give -- COMMAND, --role for an agent of a town, or with "
			"--squad a --model");
	if (!argv)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < w->args->command_count; i++)
		argv[i] = arena_z(w->cli->arena, w->args->command[i]);
	w->command = argv;
	return check_command(w);
}

static void take_name(struct worker *w)
{
	char host[64] = "worker";

	w->name = w->args->name;
	if (w->name.n)
		return;
	gethostname(host, sizeof(host) - 1);
	w->name = arena_fmt(w->cli->arena, "%s-%d", host, (int)getpid());
}

/* Steps of a squad are items of its team. */
static enum err take_squad(struct worker *w)
{
	char id[ID_TEXT];
	struct str *types = ARENA_NEW(w->cli->arena, struct str), *team = ARENA_NEW(w->cli->arena, struct str);

	if (w->args->type_count || HAS(w->args, worker_args, team))
		return problem_set(&w->cli->problem, ERR_USAGE,
				   "--squad takes the steps of a squad; leave it or --type and --team away");
	if (!types || !team)
		return ERR_TOO_LARGE;
	id_format(id, "sq_", w->args->squad);
	*types = STR(FLOW_ITEM_TYPE);
	*team = arena_str(w->cli->arena, str_of(id));
	w->types = types;
	w->types_count = 1;
	w->team = team;
	w->takes_steps = true;
	return OK;
}

static enum err take_items(struct worker *w)
{
	if (HAS(w->args, worker_args, squad))
		return take_squad(w);
	w->types = w->args->type;
	w->types_count = w->args->type_count;
	if (HAS(w->args, worker_args, team))
		w->team = &w->args->team;
	return OK;
}

/* What steps of a squad can be carried out with, beside a command. */
static enum err take_models(struct worker *w)
{
	enum err e = models_open(w, &w->models);

	return e ? e : searches_open(w, &w->searches);
}

/* One of the two, and nothing that would go unheard. */
static enum err take_agents(struct worker *w)
{
	if (w->args->command_count)
		return problem_set(&w->cli->problem, ERR_USAGE,
				   "--role starts an agent for each item; leave it or the command away");
	return worker_agents_open(w, &w->agents);
}

static enum err take_runners(struct worker *w)
{
	enum err e;

	if (HAS(w->args, worker_args, role))
		return take_agents(w);
	e = take_models(w);
	if (!e && HAS(w->args, worker_args, squad) && HAS(w->args, worker_args, town))
		e = worker_agents_open(w, &w->agents);
	return e ? e : take_command(w);
}

static void tell_stand(struct worker *w, const struct squad *squad)
{
	char id[ID_TEXT];

	id_format(id, "sq_", squad->id);
	if (squad->status == SQUAD_PAUSED)
		worker_say(w,
			   "the squad is paused: nothing of it is begun before 'tenfold squad resume %s'; 'tenfold "
			   "squad spending %s' says whether its budget is spent",
			   id, id);
	if (squad->status == SQUAD_ARCHIVED)
		worker_say(w, "the squad is archived: nothing of it is to be done");
}

/* Better now than waiting for steps of a squad that is not there. A server that is not there yet is waited for. */
static enum err look_at_squad(struct worker *w)
{
	struct squad_ref in = {.id = w->args->squad};
	struct squad squad;
	enum err e;

	if (!HAS(w->args, worker_args, squad))
		return OK;
	e = client_call(w->client, ROUTE_squad_show, &in, w->cli->arena, &squad, NULL, &w->cli->problem);
	if (e && !worker_is_passing(e))
		return e;
	if (!e)
		tell_stand(w, &squad);
	w->cli->problem = (struct problem){0};
	return OK;
}

static enum err set_up(struct worker *w)
{
	enum err e;

	w->arena = arena_new(TURN_ARENA);
	w->began_ms = w->now_ms = stream_now_ms();
	e = take_items(w);
	if (!e)
		e = take_runners(w);
	if (!e)
		e = cli_connect(w->cli, &w->client);
	if (e)
		return e;
	take_name(w);
	raise_descriptor_limit();
	rng_system_init(&w->rng);
	worker_calls_init(w);
	e = look_at_squad(w);
	return e ? e : set_up_signals(w);
}

static void tear_down(struct worker *w)
{
	kill_what_is_left(w);
	jobs_free_gone(w);
	worker_agents_close(&w->agents);
	models_close(&w->models);
	searches_close(&w->searches);
	arena_destroy(&w->arena);
	if (!w->client)
		return;
	worker_calls_free(w);
	unwatch_fd(w, &w->signals);
	if (w->epoll >= 0)
		close(w->epoll);
	client_destroy(&w->client);
}

enum err cmd_worker_run(struct cli *cli, const void *args)
{
	struct worker w = {.cli = cli, .args = args, .epoll = -1, .signals.fd = -1};
	enum err e = set_up(&w);

	while (!e && !w.done)
		turn(&w);
	if (!e && w.running + w.unsettled > 0)
		worker_say(&w, "left %zu items behind; they are released, or their leases end",
			   w.running + w.unsettled);
	if (!e)
		print_summary(&w);
	cli->exit_code = w.stop_signal ? 128 + w.stop_signal : 0;
	tear_down(&w);
	return e ? e : w.stop_signal ? OK : w.fatal;
}
