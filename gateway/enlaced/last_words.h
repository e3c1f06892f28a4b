/*
 * last_words - a node that touches memory which is not there says so, and stays down.
 *
 * The stores are files mapped into memory: where one was cut, or a page of it points to nowhere,
 * reading is a SIGBUS or a SIGSEGV. Then one line names the signal and the remedy, and the process
 * ends with DB_EXIT_STATUS, after which the service manager does not start it again before somebody
 * looked (`enlaced --check` finds the place).
 */
#ifndef ENLACED_LAST_WORDS_H
#define ENLACED_LAST_WORDS_H

/* Before the first thread. Handlers that stand already (a sanitizer's) are left alone. */
void last_words_prepare(void);

#endif
