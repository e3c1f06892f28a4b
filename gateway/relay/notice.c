#include "relay/notice.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "crypto/digest.h"
#include "policy/member.h"
#include "policy/route.h"
#include "relay/backlog.h"
#include "relay/forward.h"
#include "relay/node.h"
#include "rpc/codec.h"
#include "store/outbox.h"

/* ---- who is told ---- */

static bool is_party(const struct exchange *exchange, const char *member)
{
    return strcmp(exchange->from, member) == 0 || strcmp(exchange->to, member) == 0;
}

/* The requester hears early of what the other node does not even hold. */
bool notice_is_for(const struct exchange *exchange, const char *holder, const struct term_due *due)
{
    const char *late = due->late == SIDE_EXECUTOR ? exchange->to : exchange->from;

    return strcmp(holder, late) == 0 || due->percent >= 75 || exchange->received_at_ms == 0;
}

size_t notice_recipients(const struct exchange *exchange, const struct route *route,
                         const char *holder, const struct term_due *due,
                         const char *recipients[NOTICE_RECIPIENTS_MAX])
{
    size_t count = 0;

    if (notice_is_for(exchange, holder, due)) {
        recipients[count++] = holder;
    }
    for (size_t i = 0; due->percent == 100 && i < route->ladder_count; i++) {
        if (!is_party(exchange, route->ladder[i])) {
            recipients[count++] = route->ladder[i];
        }
    }
    return count;
}

/* ---- the message ---- */

static void fill_header(const struct exchange *exchange, const struct route *route,
                        const struct aviso *aviso, const char *from, const char *to,
                        const struct term_due *due, int64_t now_ms, struct header *header)
{
    uint8_t random[10];

    random_fill(random, sizeof random);
    header_init(header);
    header->type = MESSAGE_NOTICE;
    header->message_id = id_v7(now_ms, random);
    header->exchange_id = exchange->id;
    header->regards = exchange->id;
    header->from = from;
    header->to = to;
    header->urgency = exchange->urgency;
    header->purpose = route->purpose;
    header->legal_basis = route->basis;
    header->aviso_id = aviso->id;
    header->aviso_version = aviso->version;
    header->aviso_sha256 = BYTES_OF(aviso->sha256);
    header->consent = CONSENT_NOT_NEEDED;
    header->created_at_ms = now_ms;
    header->item = due->item;
    header->notice_clock = due->clock;
    header->notice_percent = due->percent;
    header->notice_route = route->id;
    header->notice_late = due->late == SIDE_EXECUTOR ? exchange->to : exchange->from;
    header->notice_anchored_ms = due->anchored_ms;
    header->notice_due_ms = due->due_ms;
}

/* As it will travel, and read back as others will read it. */
static enum rc compose(const struct header *header, struct arena *arena, struct message **message)
{
    uint8_t blind[BLIND_SIZE];
    OWN(buffer) header_bytes = {0};
    OWN(buffer) bytes = {0};
    struct message *made = arena_alloc(arena, sizeof *made);
    struct fault fault = {0};
    struct bytes copy;

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    random_fill(blind, sizeof blind);
    codec_header_write(header, &header_bytes);
    made->header_bytes = buffer_bytes(&header_bytes);
    made->header_blind = BYTES_OF(blind);
    codec_message_write(made, &bytes);
    copy = arena_copy(arena, buffer_bytes(&bytes));
    if (header_bytes.is_failed || bytes.is_failed || copy.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    memset(made, 0, sizeof *made);
    TRY(codec_message_read(copy, arena, made, &fault));
    *message = made;
    return RC_OK;
}

static enum rc prepare_arrival(struct notice *notice, const struct node *node, int64_t now_ms)
{
    struct arrival *arrival = &notice->arrival;

    arrival->message = notice->message;
    arrival->directory = notice->sent.directory;
    arrival->as_of_ms = now_ms;
    memcpy(arrival->entry.commitment, notice->sent.commitment, HASH_SIZE);
    return arrival_prepare(arrival, node, node->self->uri);
}

enum rc notice_make(struct node *node, const struct directory *directory, const struct route *route,
                    const struct exchange *exchange, const char *holder, const char *to,
                    const struct term_due *due, int64_t now_ms, struct arena *arena,
                    struct notice *notice)
{
    const struct node_entry *host = node_of_member(directory, to, clock_local_day(now_ms));
    const struct aviso *aviso = route_aviso(directory, route);
    struct header header;

    memset(notice, 0, sizeof *notice);
    if (host == NULL || aviso == NULL) {
        return RC_NOT_FOUND;
    }
    snprintf(notice->node, sizeof notice->node, "%s", host->code);
    notice->is_local = node_is(host, node->self);
    fill_header(exchange, route, aviso, holder, to, due, now_ms, &header);
    TRY(compose(&header, arena, &notice->message));
    TRY(entry_commitment(notice->message, notice->sent.commitment));
    notice->sent.kind = RECORD_SENT;
    notice->sent.message = notice->message;
    notice->sent.directory = directory;
    notice->sent.route = route;
    notice->sent.holder = notice->message->header.from;
    notice->sent.actor = node->self->uri;
    TRY(entry_prepare(&notice->sent, node, NULL, 0));
    return notice->is_local ? prepare_arrival(notice, node, now_ms) : RC_OK;
}

/* ---- held and owed ---- */

enum rc notice_put(struct notice *notice, const struct node *node, struct txn *txn)
{
    char destination[FORWARD_DESTINATION_SIZE];

    TRY(entry_put(&notice->sent, node, txn));
    if (notice->is_local) {
        return arrival_put(&notice->arrival, node, txn, NULL);
    }
    forward_destination(notice->node, destination);
    return outbox_add(txn, destination, notice->message->header.urgency,
                      &(struct outbox_entry){.index = notice->sent.index});
}

void notice_announce(struct notice *notice, const struct node *node)
{
    char destination[FORWARD_DESTINATION_SIZE];

    entry_remember(&notice->sent, node);
    if (notice->is_local) {
        entry_remember(&notice->arrival.entry, node);
        arrival_announce(&notice->arrival, node);
        return;
    }
    forward_destination(notice->node, destination);
    backlog_count(node->backlog, destination, 1);
    links_owe(node->links, notice->node, notice->message->header.urgency, NULL, &notice->sent.leaf);
}

void notice_again(struct notice *notice)
{
    entry_again(&notice->sent);
    if (notice->is_local) {
        arrival_again(&notice->arrival);
    }
}

void notice_release(struct notice *notice, const struct node *node)
{
    entry_release(&notice->sent);
    if (notice->is_local) {
        arrival_release(&notice->arrival, node);
    }
}
