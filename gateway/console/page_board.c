/* Plazos: what is due, the most urgent first; one exchange as both logs tell it. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/hang_text.h"
#include "client/watch.h"
#include "console/exchange_json.h"
#include "console/routes.h"

/* Rows of one board: more are counted, not shown. */
#define ROWS_MAX 1024
#define PAGES_MAX 64

/* Late ones first, by how late; urgent before ordinary; what nothing is due of, last. */
static int compare(const void *left, const void *right)
{
    const struct exchange_summary *a = left;
    const struct exchange_summary *b = right;
    int64_t due_a = a->due_at_ms != 0 ? a->due_at_ms : INT64_MAX;
    int64_t due_b = b->due_at_ms != 0 ? b->due_at_ms : INT64_MAX;

    if (a->is_overdue != b->is_overdue) {
        return a->is_overdue ? -1 : 1;
    }
    if (a->urgency != b->urgency) {
        return a->urgency == URGENCY_URGENT ? -1 : 1;
    }
    if (due_a != due_b) {
        return due_a < due_b ? -1 : 1;
    }
    return memcmp(a->exchange_id.bytes, b->exchange_id.bytes, ID_SIZE);
}

struct board {
    struct exchange_summary *rows;
    size_t count;
    size_t omitted;
    struct watch_page head; /* of the first page */
};

static void take_page(struct board *board, const struct watch_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        if (board->count < ROWS_MAX) {
            board->rows[board->count++] = page->exchanges[i];
        } else {
            board->omitted++;
        }
    }
}

static enum rc gather(struct session *session, struct arena *arena, struct board *board,
                      struct fault *fault)
{
    struct watch_page page = {0};

    board->rows = arena_alloc(arena, ROWS_MAX * sizeof *board->rows);
    if (board->rows == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    for (size_t i = 0; i < PAGES_MAX && (i == 0 || page.next.size > 0); i++) {
        TRY(watch_open(session, "", page.next, arena, &page, fault));
        board->head = i == 0 ? page : board->head;
        take_page(board, &page);
    }
    qsort(board->rows, board->count, sizeof *board->rows, compare);
    return RC_OK;
}

enum rc page_board(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct session *session;
    struct board board = {0};
    json_t *rows;
    char id[ID_TEXT_SIZE];

    TRY(desk_reader(asked->console, &session, fault));
    TRY(gather(session, asked->arena, &board, fault));
    rows = json_array();
    for (size_t i = 0; i < board.count; i++) {
        json_t *row = summary_json(&board.rows[i]);

        json_object_set_new(row, "phrase", json_string(exchange_phrase(board.rows[i].code)));
        json_array_append_new(rows, row);
    }
    id_format(&board.head.oldest_exchange_id, id);
    *answer = json_pack("{s:I,s:i,s:I,s:s,s:i,s:o}", "now_ms", (json_int_t)board.head.now_ms,
                        "undelivered", (int)board.head.undelivered, "oldest_ms",
                        (json_int_t)board.head.oldest_ms, "oldest_exchange_id",
                        board.head.oldest_ms != 0 ? id : "", "omitted", (int)board.omitted,
                        "exchanges", rows);
    return RC_OK;
}

enum rc page_board_trace(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct trace *trace = arena_alloc(asked->arena, sizeof *trace);
    struct session *session;
    struct id id;

    if (trace == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    TRY(asked_id(asked, "id", &id, fault));
    TRY(desk_reader(asked->console, &session, fault));
    TRY(watch_trace(session, &id, asked->arena, trace, fault));
    *answer = trace_json(trace);
    json_object_set_new(*answer, "phrase", json_string(exchange_phrase(trace->summary.code)));
    return RC_OK;
}
