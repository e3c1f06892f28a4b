#include "publish/quorum_text.h"

#include <string.h>

#include "tlog/policy.h"

static bool counts(const struct node_entry *node, const struct node_entry *self)
{
    return node->witness_vkey[0] != '\0' && !policy_is_same_house(node->origin, self->origin);
}

/* Codes hold a '/': names of the file are numbers, and the key says whose it is. */
void quorum_text(const struct directory *directory, const struct node_entry *self,
                 struct buffer *text)
{
    size_t count = 0;

    buffer_print(text, "log %s\n", self->log_vkey);
    for (size_t i = 0; i < directory->node_count && count < POLICY_WITNESSES_MAX; i++) {
        if (counts(&directory->nodes[i], self)) {
            buffer_print(text, "witness w%zu %s\n", ++count, directory->nodes[i].witness_vkey);
        }
    }
    if (count == 0) {
        buffer_print(text, "quorum none\n");
        return;
    }
    buffer_print(text, "group others %zu", policy_least(count));
    for (size_t i = 1; i <= count; i++) {
        buffer_print(text, " w%zu", i);
    }
    buffer_print(text, "\nquorum others\n");
}
