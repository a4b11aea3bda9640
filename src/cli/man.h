/*
 * What is written for other programs to read: the manual page for man(1), completion for shells.
 */
#ifndef TENFOLD_CLI_MAN_H
#define TENFOLD_CLI_MAN_H

#include "base/buf.h"

void man_print(const char *version, struct buf *b);
void completion_bash(struct buf *b);
void completion_zsh(struct buf *b);

#endif
