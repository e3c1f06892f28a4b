#include "base/precedence.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

#define NICE (-10)

void precedence_take(void)
{
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), NICE) != 0) {
        log_debug("thread.precedence", "cause=%s", strerror(errno));
    }
}
