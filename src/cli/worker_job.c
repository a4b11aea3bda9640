/*
 * One command: started in a process group of its own, fed, listened to, and ended.
 *
 * Its end is the exit of the process itself: what it left running may keep the pipes open, so they are read until
 * they are empty and closed. The group is signalled before the process is reaped, while its number cannot belong to
 * anybody else. The command is asked to go (SIGTERM) when the worker dies without being able to stop it.
 */
#include "cli/worker_agent.h"
#include "cli/worker_aside.h"
#include "cli/worker_question.h"
#include "cli/worker_step.h"

#include "base/id.h"
#include "base/magic.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READ_BYTES = 64 << 10,
	LAST_READS = 32,
	ITEM_MAX = 16 << 20,
	EXIT_NO_COMMAND = 127,
	EXIT_RETRY = 75,
	NO_AGENT_REST_MS = 30000
};

extern char **environ;

/* ---- descriptors ---- */

bool watch_fd(struct worker *w, struct watched *f, int fd, uint32_t events, void (*ready)(void *), void *owner)
{
	struct epoll_event ev = {.events = events, .data.ptr = f};

	*f = (struct watched){.fd = fd, .ready = ready, .owner = owner};
	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

void unwatch_fd(struct worker *w, struct watched *f)
{
	if (f->fd < 0)
		return;
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, f->fd, NULL); /* closing is not enough: a child may hold a copy */
	close(f->fd);
	f->fd = -1;
}

/* ---- feeding and listening ---- */

static void feed(void *owner)
{
	struct job *j = owner;
	size_t left = j->input.n - j->input_written;
	ssize_t n = left ? write(j->in.fd, j->input.p + j->input_written, left) : 0;

	if (n > 0)
		j->input_written += (size_t)n;
	/* A command that does not want its payload closes the pipe: no fault. */
	if (j->input_written == j->input.n || (n < 0 && errno != EAGAIN && errno != EINTR))
		unwatch_fd(j->worker, &j->in);
}

typedef void take_fn(struct output *o, struct str bytes);

/* Reads once; false when there is nothing more for now, or at all. */
static bool listen_once(struct job *j, struct watched *f, take_fn *take)
{
	char bytes[READ_BYTES];
	ssize_t n = f->fd >= 0 ? read(f->fd, bytes, sizeof(bytes)) : -1;

	if (n > 0)
		take(&j->output, (struct str){bytes, (size_t)n});
	if (n > 0 && j->step)
		notes_add_output(&j->step->notes, f == &j->err, (struct str){bytes, (size_t)n}, j->worker->now_ms);
	if (n == 0)
		unwatch_fd(j->worker, f);
	return n > 0;
}

static void listen_stdout(void *owner)
{
	struct job *j = owner;

	listen_once(j, &j->out, output_stdout);
}

static void listen_stderr(void *owner)
{
	struct job *j = owner;

	listen_once(j, &j->err, output_stderr);
}

/* ---- the end ---- */

static void signal_group(const struct job *j, int signal)
{
	if (j->pid > 0)
		kill(-j->pid, signal);
}

void job_stop(struct job *j, enum job_stop why)
{
	if (j->state == JOB_SETTLING)
		return;
	/* A reason not to settle stays one. */
	if (j->stop == STOP_NOT || j->stop == STOP_RELEASE)
		j->stop = why;
	if (j->state == JOB_STOPPING)
		return;
	j->state = JOB_STOPPING;
	j->kill_ms = j->worker->now_ms + j->worker->args->grace;
	signal_group(j, SIGTERM);
	signal_group(j, SIGCONT); /* one that is stopped would not hear it */
}

static void end_without_process(struct job *j);

void job_stop_if_due(struct job *j)
{
	if (j->state != JOB_STOPPING)
		return;
	if (j->pid == 0) {
		end_without_process(j);
	} else if (j->kill_ms && j->worker->now_ms >= j->kill_ms) {
		signal_group(j, SIGKILL);
		j->kill_ms = 0;
	}
}

static struct str keep(struct job *j, struct buf *b)
{
	struct str s = arena_str(j->arena, buf_str(b));

	buf_free(b);
	return s;
}

static void judge(struct job *j, int status)
{
	struct buf text = BUF_INIT(0);

	if (j->stop == STOP_RELEASE) {
		j->outcome = OUTCOME_RELEASED;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		j->outcome = OUTCOME_COMPLETED;
		output_result(&j->output, &text);
		j->result = keep(j, &text);
		j->question = arena_str(j->arena, buf_str(&j->output.question));
	} else {
		j->outcome = OUTCOME_FAILED;
		j->retry = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_RETRY;
		output_error(&j->output, status, &text);
		j->error = keep(j, &text);
	}
	output_free(&j->output);
	output_init(&j->output);
}

static void close_pipes(struct job *j)
{
	unwatch_fd(j->worker, &j->in);
	unwatch_fd(j->worker, &j->out);
	unwatch_fd(j->worker, &j->err);
	unwatch_fd(j->worker, &j->process);
}

/* Nobody is told how such a command ended, but who watches the worker should know why it did. */
static void taken_away(struct job *j)
{
	const char *why =
		j->stop == STOP_FAILED ? "its deadline passed, or its last lease ran out" : "its lease ran out";
	const char *what = j->step && !j->has_process ? "its model is asked no further" : "its command was stopped";
	struct worker *w = j->worker;
	char id[ID_TEXT];

	id_format(id, "w_", j->item.id);
	if (j->stop == STOP_CANCELLED) {
		w->summary.cancelled++;
		worker_say(w, "%s was cancelled; %s", id, what);
	} else {
		w->summary.lost++;
		worker_say(w, "%s is no longer ours (%s); %s", id, why, what);
	}
	job_forget(j);
}

/* The item is not to blame for a limit, so it goes back; for all else it is tried again, as often as it may. */
static void blame_provider(struct job *j, int status, const struct trouble *t)
{
	judge(j, status);
	j->retry = true;
	if (t->kind == TROUBLE_QUOTA)
		j->outcome = OUTCOME_RELEASED;
}

static void runs_no_more(struct job *j)
{
	j->worker->running--;
	aside_leave(j);
}

static void ended(struct job *j, int status)
{
	struct worker *w = j->worker;
	struct trouble t = {0};

	runs_no_more(j);
	if (j->agent)
		t = worker_agents_ended(w->agents, j, status, j->stop != STOP_NOT);
	if (j->stop != STOP_NOT && j->stop != STOP_RELEASE) {
		taken_away(j);
		return;
	}
	if (t.kind)
		blame_provider(j, status, &t);
	else
		judge(j, status);
	j->state = JOB_SETTLING;
	w->unsettled++;
}

/* ---- without a process ---- */

static void settles(struct job *j, enum work_outcome outcome)
{
	runs_no_more(j);
	j->worker->unsettled++;
	j->state = JOB_SETTLING;
	j->outcome = outcome;
}

void job_give_back(struct job *j)
{
	settles(j, OUTCOME_RELEASED);
}

void job_end(struct job *j, enum work_outcome outcome, bool retry, struct str said)
{
	settles(j, outcome);
	j->retry = retry;
	if (outcome == OUTCOME_COMPLETED)
		j->result = arena_str(j->arena, said);
	else
		j->error = arena_str(j->arena, said);
}

/* It was to stop: what it waits for is not waited for any more. */
static void end_without_process(struct job *j)
{
	step_cut(j);
	if (j->stop == STOP_RELEASE) {
		job_give_back(j);
		return;
	}
	runs_no_more(j);
	taken_away(j);
}

/* ---- its end ---- */

/* The process is there to be reaped. */
static void on_exit_of(void *owner)
{
	struct job *j = owner;
	int status = 0;

	/* Bounded: something it left behind may go on writing. */
	for (int i = 0; i < LAST_READS && listen_once(j, &j->out, output_stdout); i++)
		;
	for (int i = 0; i < LAST_READS && listen_once(j, &j->err, output_stderr); i++)
		;
	output_end(&j->output);
	for (int i = 0; i < 2 && j->step; i++) /* last lines without their ends */
		notes_add_output(&j->step->notes, i == 1, STR("\n"), j->worker->now_ms);
	if (j->state == JOB_STOPPING)
		signal_group(j, SIGKILL);
	while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR)
		;
	j->pid = 0;
	close_pipes(j);
	ended(j, status);
}

/* ---- the start ---- */

struct pipes {
	int in[2], out[2], err[2];
};

static bool open_pipes(struct pipes *p)
{
	*p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
	return pipe2(p->in, O_CLOEXEC) == 0 && pipe2(p->out, O_CLOEXEC) == 0 && pipe2(p->err, O_CLOEXEC) == 0 &&
	       fcntl(p->in[1], F_SETFL, O_NONBLOCK) == 0 && fcntl(p->out[0], F_SETFL, O_NONBLOCK) == 0 &&
	       fcntl(p->err[0], F_SETFL, O_NONBLOCK) == 0;
}

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
}

static char *variable(struct job *j, const char *name, struct str value)
{
	return (char *)(uintptr_t)arena_fmt(j->arena, "%s=%.*s", name, STRF(value)).p;
}

static char *assignment(struct job *j, const struct pair *v)
{
	return (char *)(uintptr_t)arena_fmt(j->arena, "%.*s=%.*s", STRF(v->key), STRF(v->value)).p;
}

static bool is_of_agent(const struct job *j, struct str name)
{
	for (size_t i = 0; i < j->variables.n; i++)
		if (str_eq(j->variables.v[i].key, name))
			return true;
	return false;
}

/* What another item left, what the agent has of its own, what would lead it to another provider's address, and the key
 * that is for models alone. */
static bool is_left_behind(const struct job *j, const char *assignment)
{
	struct str value, name = str_cut(str_of(assignment), '=', &value);

	return str_starts(name, STR("TENFOLD_WORK_")) || str_eqz(name, "TENFOLD_MODEL_KEY") ||
	       (j->agent && str_eqz(name, "ANTHROPIC_BASE_URL")) || is_of_agent(j, name);
}

/* The worker's own environment, the agent's and the item's. */
static char **make_environment(struct job *j)
{
	char id[ID_TEXT], **env;
	size_t n = 0;

	while (environ[n])
		n++;
	env = ARENA_ARRAY(j->arena, char *, n + j->variables.n + 8 + WORKER_STEP_VARIABLES);
	if (!env)
		return NULL;
	n = 0;
	for (char **e = environ; *e; e++)
		if (!is_left_behind(j, *e))
			env[n++] = *e;
	for (size_t i = 0; i < j->variables.n; i++)
		env[n++] = assignment(j, &j->variables.v[i]);
	id_format(id, "w_", j->item.id);
	env[n++] = variable(j, "TENFOLD_WORK_ID", str_of(id));
	env[n++] = variable(j, "TENFOLD_WORK_TYPE", j->item.type);
	env[n++] = variable(j, "TENFOLD_WORK_ATTEMPT", arena_fmt(j->arena, "%lld", (long long)j->item.attempt));
	env[n++] = variable(j, "TENFOLD_WORK_TITLE", j->item.title);
	env[n++] = variable(j, "TENFOLD_WORK_KEY", j->item.key);
	env[n++] = variable(j, "TENFOLD_WORK_TRACEPARENT", j->item.trace);
	n += worker_step_variables(j, env + n);
	return arena_overflowed(j->arena) ? NULL : env;
}

/* In the child, between fork and exec: only what is safe there. */
static _Noreturn void become_command(const struct job *j, const struct pipes *p, char **env, pid_t parent)
{
	static const char message[] = "tenfold: cannot run the command: ";
	const char *why;
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_NO_COMMAND); /* the worker died before prctl() */
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(p->in[0], STDIN_FILENO);
	dup2(p->out[1], STDOUT_FILENO);
	dup2(p->err[1], STDERR_FILENO);
	environ = env;
	execvp(j->argv[0], j->argv);
	why = strerror(errno);
	if (write(STDERR_FILENO, message, sizeof(message) - 1) > 0 && write(STDERR_FILENO, why, strlen(why)) > 0)
		_exit(EXIT_NO_COMMAND);
	_exit(EXIT_NO_COMMAND);
}

static int process_descriptor(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* From here on the child is ours to reap whatever happens. */
static bool watch_process(struct job *j, struct pipes *p)
{
	struct worker *w = j->worker;
	int fd = process_descriptor(j->pid);
	bool good = fd >= 0 && watch_fd(w, &j->process, fd, EPOLLIN, on_exit_of, j);

	good = watch_fd(w, &j->in, p->in[1], EPOLLOUT, feed, j) && good;
	good = watch_fd(w, &j->out, p->out[0], EPOLLIN, listen_stdout, j) && good;
	good = watch_fd(w, &j->err, p->err[0], EPOLLIN, listen_stderr, j) && good;
	close(p->in[0]);
	close(p->out[1]);
	close(p->err[1]);
	return good;
}

static void close_pairs(struct pipes *p)
{
	close_pair(p->in);
	close_pair(p->out);
	close_pair(p->err);
}

/* 0, or the errno that says why not. */
static int spawn(struct job *j)
{
	char **env = make_environment(j);
	pid_t parent = getpid();
	struct pipes p;
	int why;

	if (!open_pipes(&p) || !env || (j->pid = fork()) < 0) {
		why = env ? errno : ENOMEM;
		close_pairs(&p);
		j->pid = 0;
		return why;
	}
	if (j->pid == 0)
		become_command(j, &p, env, parent);
	setpgid(j->pid, j->pid); /* here and there, so that it is done whoever comes first */
	if (watch_process(j, &p))
		return 0;
	why = errno;
	signal_group(j, SIGKILL);
	waitpid(j->pid, NULL, 0);
	j->pid = 0;
	close_pipes(j);
	return why;
}

static struct job *job_new(struct worker *w, const struct work_claimed *item)
{
	struct job *j = NEW(struct job);

	j->worker = w;
	j->arena = arena_new(ITEM_MAX);
	j->item = *item;
	json_own(&type_work_claimed, j->arena, &j->item);
	j->argv = w->command;
	j->input = j->item.payload;
	j->in.fd = j->out.fd = j->err.fd = j->process.fd = -1;
	output_init(&j->output);
	if (worker_step_is(j))
		output_take_questions(&j->output);
	j->next = w->jobs;
	w->jobs = j;
	return j;
}

/* Claiming on would only take the same items again. One that works until nothing is left cannot get there. */
void job_cannot_run(struct job *j, enum err e, const struct problem *p)
{
	struct worker *w = j->worker;
	char id[ID_TEXT];

	id_format(id, "w_", j->item.id);
	if (w->args->until_empty)
		worker_give_up(w, e, p);
	worker_say(w, "%s goes back: %s", id, p->detail);
	w->claim_rest_ms = w->now_ms + NO_AGENT_REST_MS;
	job_give_back(j);
}

static void start(struct job *j)
{
	struct worker *w = j->worker;
	int why = spawn(j);

	if (why == 0)
		return;
	worker_say(w, "cannot start a command: %s; its item goes back, and it is tried again later", strerror(why));
	backoff_failed(&w->claim_backoff, &w->rng, w->now_ms, 0);
	job_give_back(j);
}

/* With both, the command has the steps of its kind. */
static bool by_agent(const struct job *j)
{
	return j->worker->agents && !(j->worker->command && j->step && j->step->brief.kind == STEP_COMMAND);
}

void job_run(struct job *j)
{
	struct problem p = {0};
	enum err e = by_agent(j) ? worker_agents_prepare(j->worker->agents, j, &p) : OK;

	j->has_process = true;
	if (e)
		job_cannot_run(j, e, &p);
	else
		start(j);
}

void job_start(struct worker *w, const struct work_claimed *item)
{
	struct job *j = job_new(w, item);

	w->running++;
	if (w->draining)
		job_give_back(j);
	else if (w->takes_steps)
		step_start(j);
	else
		job_run(j);
}

void job_forget(struct job *j)
{
	if (j->state == JOB_SETTLING)
		j->worker->unsettled--;
	j->state = JOB_GONE;
}

static void job_free(struct job *j)
{
	close_pipes(j);
	if (j->progress.easy) {
		curl_multi_remove_handle(j->worker->multi, j->progress.easy);
		client_request_free(&j->progress);
	}
	if (j->step)
		step_free(j);
	output_free(&j->output);
	arena_destroy(&j->arena);
	free(j);
}

void jobs_free_gone(struct worker *w)
{
	struct job **at = &w->jobs, *j;

	while ((j = *at)) {
		if (j->state != JOB_GONE) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		job_free(j);
	}
}
