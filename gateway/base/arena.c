#include "base/arena.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)16 << 10)
#define ALIGN alignof(max_align_t)

struct block {
    struct block *next;
    size_t capacity;
    size_t used;
    alignas(max_align_t) uint8_t data[];
};

struct arena {
    struct block *blocks; /* the newest first; the last one holds the arena itself */
    size_t used;
    size_t max;
};

/*
 * Each thread keeps some wiped blocks: calls come and go by the thousand, and a block that was
 * wiped need not be zeroed again. Blocks are always zero from `used` on. Under ASan none are kept,
 * so that use after free shows.
 */
#ifdef __SANITIZE_ADDRESS__
#define SPARE_MAX 0
#else
#define SPARE_MAX 64
#endif

struct spare {
    struct block *first;
    size_t count;
};

static _Thread_local struct spare spare;
static pthread_key_t spare_key;
static pthread_once_t spare_once = PTHREAD_ONCE_INIT;

static void free_spare(void *unused)
{
    (void)unused;
    while (spare.first != NULL) {
        struct block *block = spare.first;

        spare.first = block->next;
        free(block);
    }
    spare.count = 0;
}

static void make_key(void)
{
    pthread_key_create(&spare_key, free_spare);
}

static struct block *block_new(size_t capacity)
{
    struct block *block = spare.first;

    if (capacity == BLOCK_SIZE && block != NULL) {
        spare.first = block->next;
        spare.count--;
        block->next = NULL;
        return block;
    }
    block = calloc(1, sizeof *block + capacity);
    if (block != NULL) {
        block->capacity = capacity;
    }
    return block;
}

static void block_wipe(struct block *block, size_t from)
{
    explicit_bzero(block->data + from, block->used - from);
    block->used = from;
}

static void block_free(struct block *block)
{
    block_wipe(block, 0);
    if (block->capacity != BLOCK_SIZE || spare.count == SPARE_MAX) {
        free(block);
        return;
    }
    if (spare.count == 0) {
        pthread_once(&spare_once, make_key);
        pthread_setspecific(spare_key, &spare); /* so that the thread's end frees them */
    }
    block->next = spare.first;
    spare.first = block;
    spare.count++;
}

static size_t round_up(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

struct arena *arena_new(size_t max)
{
    struct block *first = block_new(BLOCK_SIZE);
    struct arena *arena;

    if (first == NULL) {
        return NULL;
    }
    arena = (struct arena *)first->data;
    first->used = round_up(sizeof *arena);
    arena->blocks = first;
    arena->used = 0;
    arena->max = max;
    return arena;
}

void arena_reset(struct arena *arena)
{
    while (arena->blocks->next != NULL) {
        struct block *block = arena->blocks;

        arena->blocks = block->next;
        block_free(block);
    }
    block_wipe(arena->blocks, round_up(sizeof *arena));
    arena->used = 0;
}

void arena_free(struct arena *arena)
{
    if (arena != NULL) {
        struct block *first;

        arena_reset(arena);
        first = arena->blocks;
        block_free(first);
    }
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct block *block = arena->blocks;
    size_t rounded = round_up(size == 0 ? 1 : size);
    void *memory;

    if (size > arena->max || rounded > arena->max - arena->used) {
        return NULL;
    }
    if (rounded > block->capacity - block->used) {
        size_t capacity = rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE;

        block = block_new(capacity);
        if (block == NULL) {
            return NULL;
        }
        block->next = arena->blocks;
        arena->blocks = block;
    }
    memory = block->data + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memory;
}

char *arena_text(struct arena *arena, struct bytes text)
{
    char *copy = arena_alloc(arena, text.size + 1);

    if (copy != NULL && text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    return copy;
}

struct bytes arena_copy(struct arena *arena, struct bytes bytes)
{
    uint8_t *copy = arena_alloc(arena, bytes.size);

    if (copy == NULL) {
        return (struct bytes){0};
    }
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return BYTES(copy, bytes.size);
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
