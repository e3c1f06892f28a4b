#include "model/order.h"

const char *order_phase_name(enum order_phase phase)
{
    static const char *const names[ORDER_PHASES] = {
        [ORDER_BLOCKING] = "blocking", [ORDER_REWRAPPING] = "rewrapping",
        [ORDER_BLOCKED] = "blocked",   [ORDER_ERASING] = "erasing",
        [ORDER_ERASED] = "erased",     [ORDER_HOLDING] = "holding",
        [ORDER_LIFTED] = "lifted",
    };

    return phase < ORDER_PHASES ? names[phase] : NULL;
}

bool order_is_officials(enum order_kind kind)
{
    return kind == ORDER_ERASE || kind == ORDER_PRUNE;
}
