#include "base/precedence.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

#define FIRST (-10)
#define LAST 19

static void be(int nice)
{
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), nice) != 0) {
        log_debug("thread.precedence", "cause=%s", strerror(errno));
    }
}

void precedence_take(void)
{
    be(FIRST);
}

void precedence_yield(void)
{
    be(LAST);
}
