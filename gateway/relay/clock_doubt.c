#include "relay/clock_doubt.h"

#include "base/clock.h"
#include "relay/node.h"
#include "store/writer.h"

enum leaf_clock_state clock_doubt_state(const struct node *node)
{
    struct leaf_clock_verdict verdict;

    leaf_clock_look(writer_clock(node->writer), &verdict);
    return verdict.state;
}

bool clock_doubt_is(const struct node *node)
{
    return leaf_clock_is_doubted(clock_doubt_state(node));
}

int64_t clock_doubt_now_ms(const struct node *node)
{
    struct leaf_clock_verdict verdict;

    leaf_clock_look(writer_clock(node->writer), &verdict);
    return leaf_clock_is_doubted(verdict.state) ? verdict.now_s * 1000 : clock_now_ms();
}

void clock_doubt_hear(const struct node *node, const char *name, uint64_t heard_s)
{
    if (heard_s <= INT64_MAX / 1000) {
        leaf_clock_hear(writer_clock(node->writer), name, (int64_t)heard_s);
    }
}

enum rc clock_doubt_admit(const struct node *node, struct fault *fault)
{
    if (!clock_doubt_is(node)) {
        return RC_OK;
    }
    return refuse(
        fault, RC_UNAVAILABLE, "clock.doubt", "",
        "El reloj del nodo está en duda: lo ordinario espera y se reintentará; lo urgente "
        "sigue saliendo.");
}
