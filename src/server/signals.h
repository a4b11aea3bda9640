/* Being told to stop: SIGINT and SIGTERM as something to read. */
#ifndef TENFOLD_SERVER_SIGNALS_H
#define TENFOLD_SERVER_SIGNALS_H

#include <stdbool.h>

/* A descriptor that can be read when one came; before any thread is made. SIGPIPE is ignored from then on. */
int signals_open(void);
/* The signal that came, 0 when none does within wait_ms (-1: for ever). */
int signals_wait(int signals, int wait_ms);

#endif
