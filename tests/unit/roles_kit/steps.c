/* ptrace() and wait, stop by stop. */
#include "roles_kit/steps.h"

#include "base/magic.h"

#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void be_traced(int (*work)(void *arg), void *arg)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(255);
	raise(SIGSTOP);
	_exit(work(arg));
}

static bool begin(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	if (!WIFSTOPPED(status))
		return false;
	CHECK(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
	return true;
}

static bool is_step(pid_t child, struct step_at *step)
{
	struct __ptrace_syscall_info info = {0};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) <= 0)
		return false;
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY && info.op != PTRACE_SYSCALL_INFO_EXIT)
		return false;
	step->entering = info.op == PTRACE_SYSCALL_INFO_ENTRY;
	if (step->entering)
		step->call = (long)info.entry.nr;
	return true;
}

static int end(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	CHECK(waitpid(child, &status, 0) == child);
	return STEPS_KILLED;
}

int steps_run(int (*work)(void *arg), void *arg, bool (*at)(void *context, const struct step_at *step),
	      void *context)
{
	struct step_at step = {0};
	pid_t child = fork();
	int status, signal = 0;

	CHECK(child >= 0);
	if (child == 0)
		be_traced(work, arg);
	if (!begin(child))
		return STEPS_CANNOT;
	for (;;) {
		CHECK(ptrace(PTRACE_SYSCALL, child, NULL, signal) == 0);
		CHECK(waitpid(child, &status, 0) == child);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		CHECK(WIFSTOPPED(status));
		signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
		if (signal || !is_step(child, &step))
			continue;
		if (!at(context, &step))
			return end(child);
		step.stop++;
	}
}
