/*
 * thread_mask - signals are for the main thread: what a thread that starts others brackets that
 * with.
 *
 *     thread_mask_begin(&before);
 *     error = pthread_create(...);
 *     thread_mask_end(&before);
 *
 * Faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) stay open: they belong to the thread that makes
 * them, and blocked they would end the process without a word.
 */
#ifndef BASE_THREAD_MASK_H
#define BASE_THREAD_MASK_H

#include <signal.h>

void thread_mask_begin(sigset_t *before);
void thread_mask_end(const sigset_t *before);

#endif
