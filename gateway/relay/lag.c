#include "relay/lag.h"

int64_t lag_of(const struct lag_facts *facts)
{
    int64_t since_s;

    if (facts->size == 0) {
        return 0;
    }
    since_s = facts->size > facts->witnessed_size ? facts->open_leaf_s
                                                  : facts->quorum_s + facts->refresh_s;
    return facts->now_s > since_s ? facts->now_s - since_s : 0;
}

enum lag_state lag_judge(int64_t lag_s, const struct lag_limits *limits)
{
    if (limits->stop_s > 0 && lag_s > limits->stop_s) {
        return LAG_STOPPED;
    }
    return lag_s > limits->loud_s ? LAG_LOUD : LAG_FINE;
}
