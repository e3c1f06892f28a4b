/*
 * freed - for tests of wiping: what a watched block holds at the moment it is given back.
 *
 * Memory must not be read after free, so free itself looks. One program includes this once.
 */
#ifndef TESTS_FREED_H
#define TESTS_FREED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct freed {
    const uint8_t *memory;
    size_t size;
    bool is_freed;
    bool is_wiped;
};

static struct freed freed;

/* The block may begin a little before what is watched: at its header. */
#define FREED_HEADER_MAX 64

static void freed_watch(const void *memory, size_t size)
{
    freed = (struct freed){.memory = memory, .size = size};
}

static void freed_look(const volatile void *memory)
{
    uintptr_t begin = (uintptr_t)memory;
    uintptr_t watched = (uintptr_t)freed.memory;

    if (memory == NULL || begin > watched || watched - begin > FREED_HEADER_MAX || freed.is_freed) {
        return;
    }
    freed.is_freed = true;
    freed.is_wiped = true;
    for (size_t i = 0; i < freed.size; i++) {
        freed.is_wiped = freed.is_wiped && freed.memory[i] == 0;
    }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* Of the sanitizers' runtime; Debian's gcc comes without its header. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void freed_ignore(const volatile void *memory, size_t size)
{
    (void)memory;
    (void)size;
}

__attribute__((constructor)) static void freed_start(void)
{
    if (__sanitizer_install_malloc_and_free_hooks(freed_ignore, freed_look) == 0) {
        abort();
    }
}
#else
void __libc_free(void *memory);

void free(void *memory)
{
    freed_look(memory);
    __libc_free(memory);
}
#endif

#endif
