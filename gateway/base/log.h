/*
 * log - event lines for the operator: `event key=value ...` on standard error, one write each.
 *
 * Never personal data, never a field's value: ids and digests only. The audit log is a different
 * thing (tlog, store). Any thread may call; a line is at most 1,024 bytes, longer ones are cut.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,  /* service was given or refused */
    LOG_LEVEL_WARN,  /* odd, we coped */
    LOG_LEVEL_ERROR, /* something of ours failed */
    LOG_LEVEL_FATAL, /* cannot go on */
};

/* Before the first thread starts; the name stands in each line. */
void log_open(const char *program, enum log_level least);

__attribute__((format(printf, 3, 4))) void log_line(enum log_level level, const char *event,
                                                    const char *format, ...);

/* True when a line of this level would be printed: for lines whose facts cost something. */
int log_wants(enum log_level level);

#define log_debug(event, ...) log_line(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_line(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_line(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_line(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_fatal(event, ...) log_line(LOG_LEVEL_FATAL, event, __VA_ARGS__)

#endif
