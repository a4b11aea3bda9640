/*
 * See secret.h. At the terminal, keys are read one by one with echo and signals off, so that whatever is pressed,
 * Ctrl-C included, comes here and the terminal is given back.
 */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { SECRET_MAX = 1024, CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, DELETE = 127 };

/* ---- the terminal ---- */

enum typed { TYPED, TYPED_ENOUGH, TYPED_CANCEL };

/* The last character, which may be several bytes. */
static size_t without_last(const char *text, size_t n)
{
	while (n > 0 && ((unsigned char)text[--n] & 0xc0) == 0x80)
		;
	return n;
}

static enum typed take_key(char key, char text[SECRET_MAX], size_t *n)
{
	switch (key) {
	case '\r':
	case '\n':
	case CTRL_D:
		return TYPED_ENOUGH;
	case CTRL_C:
		return TYPED_CANCEL;
	case BACKSPACE:
	case DELETE:
		*n = without_last(text, *n);
		return TYPED;
	case CTRL_U:
		*n = 0;
		return TYPED;
	default:
		if (*n < SECRET_MAX)
			text[(*n)++] = key;
		return TYPED;
	}
}

static enum typed read_keys(int tty, char text[SECRET_MAX], size_t *n)
{
	enum typed typed = TYPED;
	char key;

	*n = 0;
	while (typed == TYPED) {
		ssize_t got = read(tty, &key, 1);

		if (got == 1)
			typed = take_key(key, text, n);
		else if (got == 0 || errno != EINTR)
			typed = TYPED_CANCEL;
	}
	return typed;
}

static void say(int tty, const char *text)
{
	ssize_t ignored = write(tty, text, strlen(text));

	(void)ignored; /* a terminal that takes nothing shows nothing */
}

static enum typed ask_quietly(int tty, const char *prompt, char text[SECRET_MAX], size_t *n)
{
	struct termios before, quiet;
	enum typed typed;

	if (tcgetattr(tty, &before) != 0)
		return TYPED_CANCEL;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	tcsetattr(tty, TCSAFLUSH, &quiet);
	say(tty, prompt);
	say(tty, ": ");
	typed = read_keys(tty, text, n);
	tcsetattr(tty, TCSAFLUSH, &before);
	say(tty, "\n");
	return typed;
}

static enum err ask_once(struct cli *cli, int tty, const char *prompt, struct str *out)
{
	char text[SECRET_MAX];
	size_t n;

	if (ask_quietly(tty, prompt, text, &n) == TYPED_CANCEL) {
		cli->exit_code = 130;
		return problem_set(&cli->problem, ERR_USAGE, "cancelled");
	}
	*out = arena_str(cli->arena, (struct str){text, n});
	explicit_bzero(text, sizeof(text));
	return out->p ? OK : ERR_TOO_LARGE;
}

static enum err ask(struct cli *cli, const char *prompt, bool twice, struct str *out)
{
	struct str again, prompt_again = arena_fmt(cli->arena, "%s again", prompt);
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	enum err e;

	if (tty < 0)
		return problem_set(&cli->problem, ERR_USAGE,
				   "there is no terminal to ask for the password at; give --password-file FILE, or "
				   "--password-stdin");
	e = ask_once(cli, tty, prompt, out);
	if (!e && twice)
		e = ask_once(cli, tty, prompt_again.p, &again);
	close(tty);
	if (!e && twice && !str_eq(*out, again))
		e = problem_set(&cli->problem, ERR_USAGE, "the two are not the same");
	return e;
}

/* ---- files and pipes ---- */

/* Byte by byte: what follows is for the next secret. */
static struct str stdin_line(struct arena *a)
{
	char text[SECRET_MAX];
	size_t n = 0;

	while (n < SECRET_MAX && read(STDIN_FILENO, &text[n], 1) == 1 && text[n] != '\n')
		n++;
	return arena_str(a, (struct str){text, n});
}

static struct str without_return(struct str line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

enum err secret_read(struct cli *cli, const struct secret_source *from, const char *prompt, bool twice,
		     struct str *out)
{
	struct str text, rest;
	enum err e = OK;

	if (!from->file.n && !from->from_stdin)
		return ask(cli, prompt, twice, out);
	if (from->file.n)
		e = cli_read_file(from->file, SECRET_MAX, cli->arena, &text, &cli->problem);
	else
		text = stdin_line(cli->arena);
	if (e)
		return e;
	*out = without_return(str_cut(text, '\n', &rest));
	return out->n ? OK : problem_set(&cli->problem, ERR_USAGE, "%s: there is none to be read", prompt);
}
