/*
 * subprocess - runs one program to its end, for at most so long: no shell, no arguments, a text on
 * its standard input.
 *
 * The child gets the path as its only argument, an environment of PATH alone, default signals, and
 * nothing of ours open but its three standard descriptors; what it prints goes nowhere. When time
 * is up it is killed with all that it started (it leads a group of its own). Blocking; any thread.
 */
#ifndef BASE_SUBPROCESS_H
#define BASE_SUBPROCESS_H

#include "base/bytes.h"

/*
 * RC_OK: it ended with status 0. RC_NOT_FOUND: it cannot be started. RC_DEADLINE_EXCEEDED: it was
 * killed. RC_ABORTED: another status, or a signal. Nothing is logged. Asserts an input of at most
 * SUBPROCESS_INPUT_MAX bytes: a pipe takes them at once.
 */
#define SUBPROCESS_INPUT_MAX 4096
MUST_CHECK enum rc subprocess_run(const char *path, struct bytes input, int timeout_ms);

#endif
