#include "base/thread_mask.h"

void thread_mask_begin(sigset_t *before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    sigset_t all;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        sigdelset(&all, faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void thread_mask_end(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}
