#include "store/locked.h"

#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

uint8_t *locked_new(size_t size)
{
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return NULL;
    }
    if (mlock(memory, size) != 0) {
        log_warn("memory.lock", "bytes=%zu remedy=\"LimitMEMLOCK\"", size);
    }
    if (madvise(memory, size, MADV_DONTDUMP) != 0) {
        log_warn("memory.dump", "bytes=%zu", size);
    }
    return memory;
}

void locked_free(uint8_t *memory, size_t size)
{
    if (memory != NULL) {
        explicit_bzero(memory, size);
        munmap(memory, size);
    }
}
