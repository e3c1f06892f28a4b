/*
 * empty_index - what a lying operator can do to an index: it says that it has come as far as before
 * and lists nothing, and its sums say the same. The node must be stopped.
 *
 *     empty_index FOLDER ORIGIN
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/index.h"

int main(int argc, char **argv)
{
    struct index_options options = {.epoch = 1};
    OWN_PTR(index) index = NULL;
    OWN_PTR(index_batch) nothing = index_batch_new();
    uint64_t up_to;

    log_open("empty_index", LOG_LEVEL_WARN);
    if (argc != 3 || nothing == NULL) {
        fputs("usage: empty_index FOLDER ORIGIN\n", stderr);
        return 2;
    }
    options.path = argv[1];
    options.origin = argv[2];
    if (index_open(&options, &index) != RC_OK) {
        return EXIT_FAILURE;
    }
    up_to = index_up_to(index);
    if (up_to == 0 || index_renew(index) != RC_OK || index_put(index, nothing, up_to) != RC_OK) {
        return EXIT_FAILURE;
    }
    printf("%llu leaves, no row\n", (unsigned long long)up_to);
    return EXIT_SUCCESS;
}
