/*
 * The log: one line per event on stderr, "time level event key=value ...". Values are quoted when they must be.
 * Never a secret, never a payload. The level is process-wide and set once at start.
 */
#ifndef TENFOLD_BASE_LOG_H
#define TENFOLD_BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);

/* fmt gives the key=value part: LOG(LOG_WARN, "store.slow", "ms=%d", ms). */
void log_write(enum log_level level, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define LOG_E(...) log_write(LOG_ERROR, __VA_ARGS__)
#define LOG_W(...) log_write(LOG_WARN, __VA_ARGS__)
#define LOG_I(...) log_write(LOG_INFO, __VA_ARGS__)
#define LOG_D(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
