/*
 * See term.h. What gives the terminal back is called by signal handlers too, so it does nothing but write() and
 * tcsetattr(). A handler of a crash restores what the signal meant before, and raises it again.
 */
#include "base/term.h"

#include "base/buf.h"
#include "base/magic.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { KEYS_MAX = 64, STACK_BYTES = 64 << 10 };

/* The other screen, without cursor and without wrapping; and back. */
static const char enter_text[] = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
static const char leave_text[] = "\x1b[?7h\x1b[?25h\x1b[?1049l";

static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGHUP, SIGXCPU};
enum { DEADLY = sizeof(deadly) / sizeof(deadly[0]) };

struct term {
	bool has_keys;
	atomic_bool is_ours;
	struct termios before;
	struct sigaction deaths[DEADLY], stop, go_on; /* what signals meant before */
	stack_t stack;                                /* what is wrong may be the stack */
	struct term_size size;
	int keys[KEYS_MAX];
	int key_count, key_at;
};

/* For handlers and exit(). */
static struct term *_Atomic the_term;
static volatile sig_atomic_t stop_asked, went_on;

/* ---- taking and giving back ---- */

static void write_all(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, p, n);

		if (done < 0 && errno != EINTR)
			return;
		p += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
}

static void give_back(struct term *t)
{
	if (!atomic_exchange(&t->is_ours, false))
		return;
	write_all(leave_text, sizeof(leave_text) - 1);
	if (!t->has_keys)
		return;
	tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
	tcflush(STDIN_FILENO, TCIFLUSH); /* keys that were meant for us are not for the shell */
}

static void take(struct term *t)
{
	struct termios ours = t->before;

	ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
	ours.c_iflag &= ~(tcflag_t)(IXON | ICRNL); /* Ctrl-S must not hold a run */
	ours.c_cc[VMIN] = 0;
	ours.c_cc[VTIME] = 0;
	if (t->has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &ours);
	atomic_store(&t->is_ours, true);
	write_all(enter_text, sizeof(enter_text) - 1);
}

static void give_back_at_exit(void)
{
	struct term *t = atomic_load(&the_term);

	if (t)
		give_back(t);
}

/* ---- signals ---- */

static void died(int signal)
{
	struct term *t = atomic_load(&the_term);

	give_back(t);
	for (int i = 0; i < DEADLY; i++)
		if (deadly[i] == signal)
			sigaction(signal, &t->deaths[i], NULL);
	raise(signal);
}

static void asked_to_stop(int signal)
{
	(void)signal;
	stop_asked = 1;
}

static void went_on_again(int signal)
{
	(void)signal;
	went_on = 1;
}

static void on(int signal, void (*handler)(int), int flags, struct sigaction *before)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&action.sa_mask);
	sigaction(signal, &action, before);
}

static void watch_signals(struct term *t)
{
	t->stack = (stack_t){.ss_sp = must_alloc(STACK_BYTES), .ss_size = STACK_BYTES};
	sigaltstack(&t->stack, NULL);
	for (int i = 0; i < DEADLY; i++)
		on(deadly[i], died, SA_ONSTACK, &t->deaths[i]);
	on(SIGTSTP, asked_to_stop, SA_RESTART, &t->stop);
	on(SIGCONT, went_on_again, SA_RESTART, &t->go_on);
}

static void forget_signals(struct term *t)
{
	for (int i = 0; i < DEADLY; i++)
		sigaction(deadly[i], &t->deaths[i], NULL);
	sigaction(SIGTSTP, &t->stop, NULL);
	sigaction(SIGCONT, &t->go_on, NULL);
	t->stack.ss_flags = SS_DISABLE;
	sigaltstack(&t->stack, NULL);
	free(t->stack.ss_sp);
}

/* ---- life ---- */

bool term_can_draw(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDOUT_FILENO) && kind && *kind && strcmp(kind, "dumb") != 0;
}

bool term_can_colour(void)
{
	const char *unwanted = getenv("NO_COLOR");

	return !unwanted || !*unwanted;
}

/* A process in the background that touched the terminal would be stopped. One that is not ours to be stopped by has
 * neither front nor background. */
static bool is_in_front(void)
{
	pid_t front = tcgetpgrp(STDOUT_FILENO);

	return front == -1 || front == getpgrp();
}

struct term *term_open(void)
{
	struct term *t;

	if (!term_can_draw())
		return NULL;
	CHECK(!atomic_load(&the_term));
	t = NEW(struct term);
	t->has_keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &t->before) == 0;
	watch_signals(t);
	atomic_store(&the_term, t);
	atexit(give_back_at_exit);
	return t;
}

void term_close(struct term **term)
{
	struct term *t = *term;

	if (!t)
		return;
	give_back(t);
	forget_signals(t);
	atomic_store(&the_term, NULL);
	free(t);
	*term = NULL;
}

bool term_has_keys(const struct term *t)
{
	return t->has_keys;
}

/* ---- turns ---- */

struct term_size term_size(const struct term *t)
{
	struct winsize size = {0};

	(void)t;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	return (struct term_size){size.ws_col ? size.ws_col : 80, size.ws_row ? size.ws_row : 24};
}

enum term_turn term_turn(struct term *t)
{
	struct term_size size = term_size(t);
	bool resized = size.width != t->size.width || size.height != t->size.height;

	if (stop_asked) {
		stop_asked = 0;
		return TERM_STOP;
	}
	if (!is_in_front())
		return TERM_AWAY;
	if (!went_on && atomic_load(&t->is_ours) && !resized)
		return TERM_SAME;
	if (went_on || !atomic_load(&t->is_ours))
		take(t);
	went_on = 0;
	t->size = size;
	return TERM_ANEW;
}

void term_stop(struct term *t)
{
	give_back(t);
	on(SIGTSTP, SIG_DFL, 0, NULL);
	raise(SIGTSTP);
	on(SIGTSTP, asked_to_stop, SA_RESTART, NULL);
}

/* ---- keys ---- */

static bool lies_in(char c, char from, char to)
{
	return c >= from && c <= to;
}

/* How long the sequence is that s begins with: what an arrow or a function key sends (ECMA-48), whose letters are no
 * keys. */
static int escape_length(const char *s, int n)
{
	int i = 2;

	if (n < 2 || (s[1] != '[' && s[1] != 'O'))
		return n < 2 ? n : 2;
	while (i < n && lies_in(s[i], ' ', '?'))
		i++;
	return i < n ? i + 1 : n;
}

/* Of the sequences those that have a meaning here; 0: none. */
static int key_of(struct str sequence)
{
	static const struct {
		const char *sent;
		int key;
	} known[] = {{"\x1b", TERM_ESCAPE},      {"\x1b[A", TERM_UP},   {"\x1bOA", TERM_UP},
		     {"\x1b[B", TERM_DOWN},      {"\x1bOB", TERM_DOWN}, {"\x1b[5~", TERM_PAGE_UP},
		     {"\x1b[6~", TERM_PAGE_DOWN}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eqz(sequence, known[i].sent))
			return known[i].key;
	return 0;
}

static void read_keys(struct term *t)
{
	char read_in[KEYS_MAX];
	int n = (int)read(STDIN_FILENO, read_in, sizeof(read_in));

	t->key_at = t->key_count = 0;
	for (int i = 0, length; i < n; i += length) {
		bool escapes = read_in[i] == TERM_ESCAPE;
		int key;

		length = escapes ? escape_length(read_in + i, n - i) : 1;
		key = escapes ? key_of((struct str){read_in + i, (size_t)length}) : (unsigned char)read_in[i];
		if (key)
			t->keys[t->key_count++] = key;
	}
}

int term_key(struct term *t)
{
	if (!t->has_keys || !atomic_load(&t->is_ours))
		return 0;
	if (t->key_at == t->key_count)
		read_keys(t);
	return t->key_at < t->key_count ? t->keys[t->key_at++] : 0;
}

/* ---- drawing ---- */

void term_draw(struct term *t, struct str lines)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	struct buf b = BUF_INIT(0);
	struct str rest = lines;

	if (!atomic_load(&t->is_ours) || poll(&out, 1, 0) <= 0)
		return;
	buf_z(&b, "\x1b[H");
	while (rest.p) {
		struct str line = str_cut(rest, '\n', &rest);

		/* Cleared before it is written: behind a line as wide as the terminal its last character would go. */
		buf_z(&b, rest.p ? "\x1b[K" : "\x1b[J");
		buf_str_add(&b, line);
		buf_z(&b, rest.p ? "\r\n" : "");
	}
	if (buf_ok(&b))
		write_all(b.p, b.n);
	buf_free(&b);
}
