/*
 * poller - a thread that asks the agency's system now and then what is new.
 *
 * After a failure it waits twice as long as before, up to most_ms, jittered. What was
 * found is said by adapter_call, which returns when it is durable; only then move a cursor.
 */
#ifndef SDK_POLLER_H
#define SDK_POLLER_H

#include "base/own.h"
#include "base/rc.h"

#include <stdint.h>

struct poller;

struct poller_user {
    /* On the poller's thread; may wait for the network. RC_OK: again after every_ms. */
    enum rc (*poll)(struct poller_user *user);
};

MUST_CHECK enum rc poller_new(struct poller_user *user, int64_t every_ms, int64_t most_ms,
                              struct poller **poller);
/* Waits for the poll that runs. After adapter_run. */
void poller_free(struct poller *poller);
OWN_PTR_DEFINE(poller)

#endif
