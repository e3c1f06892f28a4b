/*
 * precedence - a thread that all others wait for goes first, one that nobody waits for last.
 *
 * Under load the writer wakes from the disk and finds every processor taken by threads that wait
 * for its answer: then a commit costs scheduling, not disk. Linux keeps a nice value per thread.
 */
#ifndef BASE_PRECEDENCE_H
#define BASE_PRECEDENCE_H

/*
 * For the calling thread. Best effort: without the right to it (root, CAP_SYS_NICE, or
 * LimitNICE= of the unit) nothing changes, and nothing depends on it but speed.
 */
void precedence_take(void);
/* The other way round: for a thread that nobody waits for. */
void precedence_yield(void);

#endif
