/*
 * stderr_pipe - for tests of log lines: standard error goes into a pipe while a test looks.
 *
 * A pipe, not a file: each read gives what was written, and a line is one write.
 */
#ifndef TESTS_STDERR_PIPE_H
#define TESTS_STDERR_PIPE_H

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct stderr_pipe {
    int kept; /* the real one */
    int from;
};

static inline struct stderr_pipe stderr_pipe_begin(void)
{
    struct stderr_pipe made;
    int ends[2];

    /* Packets: one read gives exactly what one write wrote. */
    if (pipe2(ends, O_DIRECT | O_CLOEXEC) != 0) {
        assert(!"no pipe");
    }
    fflush(stderr);
    made.kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    made.from = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    return made;
}

/* From now on the reader finds the end. */
static inline void stderr_pipe_end(struct stderr_pipe *captured)
{
    dup2(captured->kept, STDERR_FILENO);
    close(captured->kept);
}

/* One write, as a text; 0 at the end. */
static inline size_t stderr_pipe_read(const struct stderr_pipe *captured, char text[4097])
{
    ssize_t n = read(captured->from, text, 4096);

    assert(n >= 0);
    text[n] = '\0';
    return (size_t)n;
}

static inline void stderr_pipe_close(struct stderr_pipe *captured)
{
    close(captured->from);
}

#endif
