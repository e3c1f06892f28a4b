#include "client/audit_back.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

#define WIDTH_FIRST 256
#define ROWS_MAX (2 * AUDIT_PAGE_MAX)

/* What one window holds, ascending, behind what was found in the windows after it. */
struct gathering {
    struct audit_taker taker; /* first */
    struct arena *arena;
    struct audit_row **rows;
    size_t count;
    uint64_t end; /* exclusive; what lies beyond was given before */
    bool is_past_end;
};

void audit_back_init(struct audit_back *back, struct audit_find *find)
{
    *back = (struct audit_back){.find = find, .width = WIDTH_FIRST};
}

static enum rc take(struct audit_taker *taker, const struct audit_entry *entry,
                    const struct leaf *leaf, const struct record *record, struct fault *fault)
{
    struct gathering *gathering = (struct gathering *)taker;
    struct audit_row *row;

    if (leaf->index >= gathering->end) {
        gathering->is_past_end = true;
        return RC_OK;
    }
    row = gathering->count < ROWS_MAX ? arena_alloc(gathering->arena, sizeof *row) : NULL;
    if (row == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "", "Falta memoria.");
    }
    *row = (struct audit_row){.leaf = *leaf, .record = *record, .entry = *entry};
    gathering->rows[gathering->count++] = row;
    return RC_OK;
}

static void reverse(struct audit_row **rows, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct audit_row *row = rows[i];

        rows[i] = rows[count - 1 - i];
        rows[count - 1 - i] = row;
    }
}

/* The window's end was not reached with one page: it was too wide. */
static enum rc look(struct audit_back *back, uint64_t begin, struct gathering *gathering,
                    bool *is_whole, struct fault *fault)
{
    struct audit_find_page page;
    size_t before = gathering->count;

    gathering->is_past_end = false;
    TRY(audit_find_page(back->find, begin, AUDIT_PAGE_MAX, gathering->arena, &gathering->taker,
                        &page, fault));
    for (size_t i = before; i < gathering->count; i++) {
        gathering->rows[i]->note = page.note;
    }
    *is_whole = gathering->is_past_end || page.next >= back->below;
    return RC_OK;
}

/* A window of at most AUDIT_PAGE_MAX leaves that a page does not reach the end of: a node that
 * looks at nothing would keep us for ever. */
static enum rc narrow(struct audit_back *back, struct fault *fault)
{
    if (back->width <= 1) {
        return refuse(fault, RC_DATA_LOSS, "audit.next", "",
                      "El nodo no avanza por su bitácora. Guarde lo que tenga y avise.");
    }
    back->width = back->width > 4 ? back->width / 4 : 1;
    return RC_OK;
}

static enum rc look_back(struct audit_back *back, struct gathering *gathering, struct fault *fault)
{
    uint64_t begin = back->below > back->width ? back->below - back->width : 0;
    size_t before = gathering->count;
    size_t found;
    bool is_whole;

    gathering->end = back->below;
    TRY(look(back, begin, gathering, &is_whole, fault));
    if (!is_whole) {
        gathering->count = before;
        return narrow(back, fault);
    }
    found = gathering->count - before;
    reverse(gathering->rows + before, found);
    back->below = begin;
    if (found < AUDIT_PAGE_MAX / 4 && back->width < UINT64_MAX / 4) {
        back->width *= 4;
    }
    return RC_OK;
}

/* Past the end there is nothing: the answer is the newest checkpoint. */
static enum rc begin(struct audit_back *back, struct gathering *gathering, struct fault *fault)
{
    struct audit_find_page page;

    TRY(audit_find_page(back->find, INT64_MAX, 1, gathering->arena, &gathering->taker, &page,
                        fault));
    back->head = page.head;
    back->below = page.head.size;
    back->is_begun = true;
    return RC_OK;
}

enum rc audit_back_some(struct audit_back *back, size_t wanted, struct arena *arena,
                        struct audit_rows *rows, struct fault *fault)
{
    struct gathering gathering = {.taker = {take}, .arena = arena};
    int64_t until_ms = clock_monotonic_ms() + AUDIT_BACK_MS;

    gathering.rows = arena_alloc(arena, ROWS_MAX * sizeof(struct audit_row *));
    if (gathering.rows == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.memory", "", "Falta memoria.");
    }
    if (!back->is_begun) {
        TRY(begin(back, &gathering, fault));
    }
    while (back->below > 0 && gathering.count < wanted && clock_monotonic_ms() < until_ms) {
        TRY(look_back(back, &gathering, fault));
    }
    rows->items = gathering.rows;
    rows->count = gathering.count;
    return RC_OK;
}
