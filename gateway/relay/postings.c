#include "relay/postings.h"

#include <pthread.h>
#include <stdlib.h>

#include "relay/facts.h"

#define ROOM_FIRST 1024

struct list {
    struct posting *items;
    size_t count;
    size_t capacity;
};

struct postings {
    pthread_mutex_t lock; /* over what is put */
    struct list put;
    /* The indexer's. */
    struct list taken;
    size_t at;
};

void posting_make(const struct record *record, const struct content_persons *persons,
                  struct posting *posting)
{
    struct index_term terms[FACTS_TERMS_MAX];
    uint8_t kind[1 + FACTS_STEP_SIZE];
    size_t count = facts_terms_of(record, persons, kind, terms);

    posting->count = 0;
    if (count > POSTING_TERMS_MAX) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        index_prefix(&terms[i], posting->prefixes[i]);
    }
    posting->count = (uint32_t)count;
}

struct postings *postings_new(void)
{
    struct postings *postings = calloc(1, sizeof *postings);

    if (postings != NULL) {
        pthread_mutex_init(&postings->lock, NULL);
    }
    return postings;
}

void postings_free(struct postings *postings)
{
    if (postings != NULL) {
        pthread_mutex_destroy(&postings->lock);
        free(postings->put.items);
        free(postings->taken.items);
        free(postings);
    }
}

static bool has_room(struct list *list)
{
    size_t capacity = list->capacity == 0 ? ROOM_FIRST : 2 * list->capacity;
    struct posting *items;

    if (list->count < list->capacity) {
        return true;
    }
    if (capacity > POSTINGS_MAX) {
        return false;
    }
    items = realloc(list->items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->capacity = capacity;
    return true;
}

void postings_put(struct postings *postings, const struct posting *posting, uint64_t leaf)
{
    struct list *put = &postings->put;

    if (posting->count == 0) {
        return;
    }
    pthread_mutex_lock(&postings->lock);
    if (has_room(put)) {
        put->items[put->count] = *posting;
        put->items[put->count].leaf = leaf;
        put->count++;
    }
    pthread_mutex_unlock(&postings->lock);
}

/* What was put since, in the place of what is used up. */
static void take(struct postings *postings)
{
    struct list empty = postings->taken;

    empty.count = 0;
    pthread_mutex_lock(&postings->lock);
    postings->taken = postings->put;
    postings->put = empty;
    pthread_mutex_unlock(&postings->lock);
    postings->at = 0;
}

/* The first one that is taken and not of a leaf before; NULL: none. */
static const struct posting *skip_to(struct postings *postings, uint64_t leaf)
{
    while (postings->at < postings->taken.count &&
           postings->taken.items[postings->at].leaf < leaf) {
        postings->at++;
    }
    return postings->at < postings->taken.count ? &postings->taken.items[postings->at] : NULL;
}

const struct posting *postings_find(struct postings *postings, uint64_t leaf)
{
    const struct posting *found = skip_to(postings, leaf);

    if (found == NULL) {
        take(postings);
        found = skip_to(postings, leaf);
    }
    return found != NULL && found->leaf == leaf ? found : NULL;
}
