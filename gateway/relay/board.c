#include "relay/board.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "relay/clock_doubt.h"
#include "relay/facts.h"
#include "relay/finder.h"
#include "relay/node.h"
#include "relay/summary.h"
#include "relay/waiting.h"
#include "relay/watching.h"
#include "rpc/call.h"
#include "store/commit_point.h"
#include "store/db.h"
#include "store/writer.h"

/* A page under way. */
struct board {
    struct watching *watching;
    struct waiting waiting;
    struct watch_page page;
    struct id after;
    int64_t now_ms;
};

static enum rc show(struct board *board, const struct exchange *exchange)
{
    struct exchange *kept = arena_alloc(board->watching->arena, sizeof *kept);

    if (kept == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *kept = *exchange;
    summary_fill(board->watching->node, kept, &board->waiting, board->now_ms,
                 &board->page.exchanges[board->page.count++]);
    return RC_OK;
}

/* ---- what is open ---- */

/* RC_NOT_FOUND: that was all. */
static enum rc look_on(struct board *board, struct txn *txn, struct exchange *exchange)
{
    for (size_t looked = 0; looked < BOARD_LOOK_MAX && board->page.count < WATCH_PAGE_MAX;
         looked++) {
        TRY(exchange_next(txn, board->watching->member, &board->after, exchange));
        board->after = exchange->id;
        if (summary_is_open(exchange)) {
            TRY(show(board, exchange));
        }
    }
    return RC_OK;
}

static enum rc list_open(struct board *board, struct txn *txn, struct exchange *exchange)
{
    struct bytes after = board->watching->request.after;
    enum rc rc;

    if (after.size == ID_SIZE) {
        memcpy(board->after.bytes, after.data, ID_SIZE);
    }
    rc = look_on(board, txn, exchange);
    if (rc == RC_OK) {
        board->page.next = BYTES(board->after.bytes, ID_SIZE);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- what is about the same persons ---- */

static bool is_shown(const struct board *board, const struct id *id)
{
    for (size_t i = 0; i < board->page.count; i++) {
        if (id_equal(&board->page.exchanges[i].exchange_id, id)) {
            return true;
        }
    }
    return false;
}

static enum rc show_begun(struct board *board, struct txn *txn, const struct id *id,
                          struct exchange *exchange)
{
    const char *member = board->watching->member;
    enum rc rc;

    if (board->page.count == WATCH_PAGE_MAX || is_shown(board, id)) {
        return RC_OK;
    }
    rc = exchange_get(txn, id, member, exchange);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && strcmp(exchange->from, member) != 0)) {
        return RC_OK;
    }
    TRY(rc);
    return show(board, exchange);
}

static enum rc show_leaf(struct board *board, struct txn *txn, uint64_t leaf,
                         struct exchange *exchange)
{
    struct facts facts;

    arena_reset(board->watching->scratch);
    TRY(facts_read(txn, leaf, board->watching->scratch, &facts));
    return facts.has_record && !id_is_zero(&facts.record.exchange_id)
               ? show_begun(board, txn, &facts.record.exchange_id, exchange)
               : RC_OK;
}

static enum rc show_person(struct board *board, struct txn *txn, const struct id *person,
                           struct exchange *exchange)
{
    struct watching *watching = board->watching;
    const struct finder_question question = {.member = "",
                                             .route = "",
                                             .person = *person,
                                             .kind = RECORD_SENT,
                                             .only_of = watching->member};
    struct commit_point *point = writer_latest(watching->node->writer);
    uint64_t size = commit_point_size(point);
    struct finder_place place = {0};
    uint64_t leaves[WATCH_PAGE_MAX];

    commit_point_release(point);
    while (place.next < size) {
        size_t count = 0;

        TRY(finder_find(watching->node, &question, size, WATCH_PAGE_MAX, watching->scratch, leaves,
                        &count, &place));
        for (size_t i = 0; i < count; i++) {
            TRY(show_leaf(board, txn, leaves[i], exchange));
        }
    }
    return RC_OK;
}

static enum rc show_children(struct board *board, struct txn *txn, struct exchange *exchange)
{
    struct id after = {{0}};
    enum rc rc;

    while ((rc = exchange_next(txn, board->watching->member, &after, exchange)) == RC_OK) {
        struct id id = exchange->id;

        after = id;
        if (id_equal(&exchange->parent_id, &board->watching->request.exchange_id)) {
            TRY(show_begun(board, txn, &id, exchange));
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc list_related(struct board *board, struct txn *txn, struct exchange *exchange)
{
    struct watching *watching = board->watching;
    const struct id *id = &watching->request.exchange_id;
    struct facts facts;

    TRY(exchange_get(txn, id, watching->member, exchange));
    arena_reset(watching->scratch);
    TRY(facts_read(txn, exchange->opening_index, watching->scratch, &facts));
    TRY(facts_read_persons(watching->node, txn, &facts));
    TRY(show_begun(board, txn, id, exchange));
    for (size_t i = 0; i < facts.persons.count; i++) {
        struct id person = facts.persons.ids[i];

        if (!id_is_zero(&person)) {
            TRY(show_person(board, txn, &person, exchange));
        }
    }
    return show_children(board, txn, exchange);
}

/* ---- a page ---- */

static void tell_waiting(struct board *board)
{
    const struct waiting_item *oldest = waiting_oldest(&board->waiting);

    board->page.undelivered = (uint32_t)board->waiting.count;
    if (oldest != NULL) {
        board->page.oldest_ms = oldest->time_ms;
        board->page.oldest_exchange_id = oldest->exchange_id;
    }
}

static enum rc list(struct watching *watching, struct txn *txn)
{
    struct board *board = arena_alloc(watching->arena, sizeof *board);
    struct exchange *exchange = arena_alloc(watching->arena, sizeof *exchange);

    if (board == NULL || exchange == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *board = (struct board){.watching = watching, .now_ms = clock_doubt_now_ms(watching->node)};
    board->page.now_ms = board->now_ms;
    board->page.exchanges =
        arena_alloc(watching->arena, WATCH_PAGE_MAX * sizeof *board->page.exchanges);
    if (board->page.exchanges == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(waiting_read(watching->node, txn, watching->member, watching->arena, watching->scratch,
                     &board->waiting));
    tell_waiting(board);
    TRY(watching->request.scope == WATCH_OPEN ? list_open(board, txn, exchange)
                                              : list_related(board, txn, exchange));
    TRY(watching_count(watching, board->page.count));
    codec_watch_page_write(&board->page, watching->arena, &watching->response);
    return RC_OK;
}

static enum rc look(struct watching *watching)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(watching->node->db, &txn));
    return list(watching, txn);
}

static enum rc prepare(struct watching *watching)
{
    const struct watch_request *request = &watching->request;

    TRY(codec_watch_request_read(call_request(watching->call), watching->arena, &watching->request,
                                 &watching->fault));
    if (request->after.size != 0 && request->after.size != ID_SIZE) {
        return refuse(&watching->fault, RC_INVALID_ARGUMENT, "board.place", "after",
                      "Continúe desde donde dijo la página anterior.");
    }
    if (request->scope == WATCH_RELATED && id_is_zero(&request->exchange_id)) {
        return refuse(&watching->fault, RC_INVALID_ARGUMENT, "board.exchange", "exchange_id",
                      "Señale el intercambio.");
    }
    return watching_of(watching, request->member);
}

void board_on_list(struct rpc_service *service, struct call *call)
{
    struct watching *watching = watching_begin((struct node *)service, call);

    if (watching == NULL) {
        return;
    }
    if (prepare(watching) != RC_OK) {
        watching_refuse(watching, RC_UNAVAILABLE);
        return;
    }
    watching_ask(watching, look);
}
