/* Bandeja: what came and what was sent, how far each is, and the acts of the official who sits
 * here. */
#include <string.h>

#include "base/arena.h"
#include "client/ask.h"
#include "client/author.h"
#include "client/compose.h"
#include "client/profile.h"
#include "client/reading.h"
#include "client/receipt_check.h"
#include "client/session.h"
#include "console/exchange_json.h"
#include "console/mailbox.h"
#include "console/routes.h"

/* The newest so many of each list. */
#define LIST_MAX 100

/* ---- the lists ---- */

static void add_state(const struct asked *asked, struct session *session, json_t *row,
                      const struct id *exchange_id)
{
    struct track *track = arena_alloc(asked->arena, sizeof *track);
    struct fault fault = {0};

    if (track != NULL && ask_track(session, exchange_id, asked->arena, track, &fault) == RC_OK) {
        exchange_add_track(row, track, asked->console->profile->member);
    } else {
        json_object_set_new(row, "unknown", json_string(fault.reason));
    }
}

/* Newest first: ids are UUIDv7. */
static json_t *list(const struct asked *asked, struct session *session, struct mailbox *mailbox,
                    enum spool_folder folder,
                    bool (*is_wanted)(const struct asked *asked, const struct message *message))
{
    struct spool_ids ids = {0};
    json_t *rows = json_array();

    if (mailbox_list(mailbox, folder, &ids) != RC_OK) {
        return rows;
    }
    for (size_t i = ids.count; i > 0 && json_array_size(rows) < LIST_MAX; i--) {
        struct message *message;
        json_t *row;

        if (mailbox_read(mailbox, folder, &ids.items[i - 1], asked->arena, &message) != RC_OK ||
            !is_wanted(asked, message)) {
            continue;
        }
        row = exchange_header_json(&message->header);
        if (message_opens(message)) {
            add_state(asked, session, row, &message->header.exchange_id);
        }
        json_array_append_new(rows, row);
    }
    spool_ids_release(&ids);
    return rows;
}

static bool is_opening(const struct asked *asked, const struct message *message)
{
    (void)asked;
    return message_opens(message);
}

static bool is_news(const struct asked *asked, const struct message *message)
{
    (void)asked;
    return !message_opens(message);
}

static bool is_own(const struct asked *asked, const struct message *message)
{
    return strcmp(message->header.from, asked->console->profile->member) == 0;
}

static json_t *unsent(const struct asked *asked, struct mailbox *mailbox)
{
    size_t left = 0;
    struct fault fault = {0};
    enum rc rc = mailbox_resend(mailbox, asked->arena, &left, &fault);

    return json_pack("{s:i,s:s}", "count", (int)left, "reason", rc == RC_OK ? "" : fault.reason);
}

enum rc page_inbox(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct mailbox *mailbox;
    struct session *session;

    TRY(desk_mailbox(asked->console, &mailbox, fault));
    TRY(desk_system(asked->console, &session, fault));
    TRY(mailbox_fault(mailbox, fault));
    *answer = json_pack("{s:I,s:o,s:o,s:o,s:o}", "changes", (json_int_t)mailbox_changes(mailbox),
                        "received", list(asked, session, mailbox, SPOOL_INBOX, is_opening), "news",
                        list(asked, session, mailbox, SPOOL_INBOX, is_news), "sent",
                        list(asked, session, mailbox, SPOOL_EXCHANGES, is_own), "unsent",
                        unsent(asked, mailbox));
    return RC_OK;
}

/* Cheap: a page asks it every few seconds. */
enum rc page_inbox_changes(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct mailbox *mailbox;

    TRY(desk_mailbox(asked->console, &mailbox, fault));
    *answer = json_pack("{s:I}", "changes", (json_int_t)mailbox_changes(mailbox));
    return RC_OK;
}

enum rc page_inbox_seen(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct mailbox *mailbox;
    struct id id;

    TRY(asked_id(asked, "id", &id, fault));
    TRY(desk_mailbox(asked->console, &mailbox, fault));
    mailbox_forget(mailbox, &id);
    *answer = json_object();
    return RC_OK;
}

/* ---- one exchange ---- */

static enum rc add_content(const struct asked *asked, const struct message *message, json_t *answer,
                           struct fault *fault)
{
    __attribute__((cleanup(reading_keys_release))) struct reading_keys keys = {0};
    struct reading *reading = arena_alloc(asked->arena, sizeof *reading);
    json_t *parts = json_array();

    json_object_set_new(answer, "parts", parts);
    TRY(reading_keys_load(asked->console->profile, &keys, fault));
    if (reading == NULL || reading_open(message, &keys, asked->arena, reading) != RC_OK) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    for (size_t i = 0; i < reading->count; i++) {
        json_array_append_new(parts, exchange_part_json(&reading->parts[i]));
    }
    return RC_OK;
}

/* The receipts of its opening, each verified here by the logs of the profile. */
static void add_receipts(const struct asked *asked, struct session *session, const struct id *id,
                         json_t *answer)
{
    const struct profile *profile = asked->console->profile;
    struct receipts *receipts = arena_alloc(asked->arena, sizeof *receipts);
    json_t *rows = json_array();
    struct fault fault = {0};

    json_object_set_new(answer, "receipts", rows);
    if (receipts == NULL || ask_receipts(session, id, asked->arena, receipts, &fault) != RC_OK ||
        receipts->message_commitment.size != HASH_SIZE) {
        return;
    }
    for (size_t i = 0; i < receipts->count; i++) {
        struct receipt_facts facts = {.origin = ""};
        struct fault lie = {0};
        enum rc rc = receipt_check(receipts->message_commitment.data, &receipts->items[i],
                                   profile->logs, profile->log_count, &facts, &lie);

        json_array_append_new(rows, json_pack("{s:s,s:s,s:b,s:s,s:s,s:I,s:I}", "level",
                                              receipt_level_name(receipts->items[i].level), "text",
                                              receipt_level_text(receipts->items[i].level),
                                              "verified", rc == RC_OK, "reason", lie.reason, "log",
                                              facts.origin, "index", (json_int_t)facts.index,
                                              "time", (json_int_t)(facts.time_ms / 1000)));
        if (rc == RC_DATA_LOSS) {
            desk_remember_lie(asked->console, &lie);
        }
    }
}

/* With its content where it was received here; its header alone where it was sent. */
static enum rc find(struct mailbox *mailbox, const struct id *id, struct arena *arena,
                    struct message **message, bool *has_content, struct fault *fault)
{
    *has_content = mailbox_read(mailbox, SPOOL_INBOX, id, arena, message) == RC_OK;
    return *has_content || mailbox_read(mailbox, SPOOL_EXCHANGES, id, arena, message) == RC_OK
               ? RC_OK
               : refuse(fault, RC_NOT_FOUND, "inbox.unknown", "id",
                        "Ese intercambio no pasó por esta consola.");
}

enum rc page_inbox_exchange(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct mailbox *mailbox;
    struct session *session;
    struct message *message;
    bool has_content;
    struct id id;

    TRY(asked_id(asked, "id", &id, fault));
    TRY(desk_mailbox(asked->console, &mailbox, fault));
    TRY(desk_system(asked->console, &session, fault));
    TRY(find(mailbox, &id, asked->arena, &message, &has_content, fault));
    *answer = exchange_header_json(&message->header);
    add_state(asked, session, *answer, &message->header.exchange_id);
    add_receipts(asked, session, &message->header.message_id, *answer);
    if (has_content && add_content(asked, message, *answer, fault) != RC_OK) {
        json_decref(*answer);
        return fault->rc;
    }
    return RC_OK;
}

/* ---- acts ---- */

static enum rc read_evidence(const struct asked *asked, uint8_t evidence[HASH_SIZE], bool *is_there,
                             struct fault *fault)
{
    const char *text;

    TRY(asked_text(asked, "evidence", &text, fault));
    *is_there = text[0] != '\0';
    return !*is_there ||
                   (strlen(text) == 2 * HASH_SIZE && hex_decode(text, evidence, HASH_SIZE) == RC_OK)
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "form.field", "evidence",
                        "La huella son 64 cifras hexadecimales en minúsculas.");
}

static enum rc read_act(const struct asked *asked, struct draft *draft, uint8_t evidence[HASH_SIZE],
                        struct fault *fault)
{
    struct header *header = &draft->header;
    const char *event;
    bool has_evidence;
    int64_t item;

    TRY(asked_text(asked, "event", &event, fault));
    TRY(asked_text(asked, "reason", &header->reason, fault));
    TRY(asked_text(asked, "competent", &header->competent, fault));
    TRY(asked_text(asked, "occurred_at", &header->occurred_at, fault));
    TRY(asked_number(asked, "item", 0, &item, fault));
    TRY(read_evidence(asked, evidence, &has_evidence, fault));
    header->type = MESSAGE_ACT;
    header->event = event_from_name(event);
    header->item = item > 0 && item <= MESSAGE_ITEMS_MAX ? (uint32_t)item : 0;
    if (has_evidence) {
        header->evidence_sha256 = BYTES(evidence, HASH_SIZE);
    }
    return header->event != EVENT_NONE ? RC_OK
                                       : refuse(fault, RC_INVALID_ARGUMENT, "form.field", "event",
                                                "No hay un acto de ese nombre.");
}

enum rc page_inbox_act(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct draft *draft = arena_alloc(asked->arena, sizeof *draft);
    uint8_t evidence[HASH_SIZE];
    OWN(sent) sent = {0};
    struct mailbox *mailbox;
    struct message *message;
    bool has_content;
    struct id id;

    if (draft == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    TRY(asked_id(asked, "id", &id, fault));
    TRY(desk_mailbox(asked->console, &mailbox, fault));
    TRY(find(mailbox, &id, asked->arena, &message, &has_content, fault));
    draft_init(draft);
    author_answer(asked->console->profile, &message->header, &draft->header);
    TRY(read_act(asked, draft, evidence, fault));
    draft->header.regards = message->header.message_id;
    TRY(mailbox_send(mailbox, draft, asked->arena, &sent, fault));
    *answer = exchange_sent_json(&sent);
    return RC_OK;
}
