#include "relay/follow.h"

#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "model/directory.h"
#include "relay/node.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_service.h"
#include "store/db.h"
#include "store/feed.h"
#include "store/writer.h"

_Static_assert(FOLLOW_FEED_SIZE == FEED_ID_SIZE && FOLLOW_WALK_MAX == FEED_WALK_MAX,
               "the wire carries what the store says");

static enum rc admit(const struct node *node, struct call *call, struct fault *fault)
{
    struct identity identity;

    TRY(who_is(node, call_peer(call), &identity, fault));
    if (node->follower == NULL || strcmp(identity.uri, node->follower) != 0) {
        log_warn("identity.refused", "uri=%s check=follower", identity.uri);
        return refuse(fault, RC_PERMISSION_DENIED, "identity.not_allowed", "",
                      "Solo el seguidor que nombran los ajustes del nodo recibe su bitácora.");
    }
    return RC_OK;
}

static enum rc read_page(const struct node *node, const struct follow_request *request,
                         struct feed_page *page, struct fault *fault)
{
    struct feed_position from = {
        .has_feed = request->feed.size > 0, .next = request->next, .walk = request->walk};
    enum rc rc;

    if (from.has_feed && request->feed.size != FEED_ID_SIZE) {
        return refuse(fault, RC_INVALID_ARGUMENT, "follow.feed", "feed", "No es un seguimiento.");
    }
    if (from.has_feed) {
        memcpy(from.feed, request->feed.data, FEED_ID_SIZE);
    }
    rc = feed_read(node->db, &from, page);
    if (rc == RC_NOT_FOUND) {
        return refuse(fault, RC_FAILED_PRECONDITION, "follow.begin_again", "next",
                      "El nodo ya no guarda los cambios desde ese punto; comience de nuevo.");
    }
    TRY(rc);
    if (from.has_feed) {
        db_confirm(node->db, from.next);
    }
    return RC_OK;
}

static enum rc write_page(const struct node *node, const struct feed_page *page, uint64_t offset,
                          struct buffer *response, struct fault *fault)
{
    struct commit_point *point;
    struct bytes rows = buffer_bytes(&page->rows);
    uint8_t digest[DIGEST_SIZE];
    struct follow_page out = {.feed = BYTES_OF(page->feed),
                              .next = page->next,
                              .walk = buffer_bytes(&page->walk),
                              .total = rows.size,
                              .sha256 = BYTES_OF(digest),
                              .is_complete = page->is_complete};

    if (offset > rows.size) {
        return refuse(fault, RC_OUT_OF_RANGE, "follow.offset", "offset",
                      "Pida la página desde su principio.");
    }
    digest_of(&rows, 1, digest);
    rows = BYTES(rows.data + offset, rows.size - (size_t)offset);
    rows.size = rows.size < FOLLOW_ROWS_MAX ? rows.size : FOLLOW_ROWS_MAX;
    out.rows = rows;
    point = writer_latest(node->writer); /* after the rows were read: not older than them */
    out.checkpoint = commit_point_note(point);
    codec_follow_page_write(&out, response);
    commit_point_release(point);
    return response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc answer(const struct node *node, struct call *call, struct buffer *response,
                      struct fault *fault)
{
    struct follow_request request;
    struct feed_page page = {0};
    enum rc rc;

    TRY(admit(node, call, fault));
    if (call_arena(call) == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_follow_request_read(call_request(call), call_arena(call), &request, fault));
    rc = read_page(node, &request, &page, fault);
    rc = rc == RC_OK ? write_page(node, &page, request.offset, response, fault) : rc;
    feed_page_release(&page);
    return rc;
}

void follow_on_call(struct rpc_service *service, struct call *call)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};
    enum rc rc = answer((struct node *)service, call, &response, &fault);

    if (rc != RC_OK) {
        refuse(&fault, rc, "node.unavailable", "", "El nodo no pudo atender; reintente.");
        call_refuse(call, &fault);
        return;
    }
    call_reply_buffer(call, &response);
}
