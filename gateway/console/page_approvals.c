/* What waits for another official: a message for its approval, a broken glass for its review. */
#include <string.h>

#include "base/arena.h"
#include "client/official_ask.h"
#include "client/reading.h"
#include "console/exchange_json.h"
#include "console/routes.h"

static json_t *row_json(const struct awaiting *row)
{
    char message[ID_TEXT_SIZE];
    char exchange[ID_TEXT_SIZE];

    id_format(&row->message_id, message);
    id_format(&row->exchange_id, exchange);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:I,s:I}", "kind",
                     row->kind == AWAITING_REVIEW ? "review" : "approval", "message_id", message,
                     "exchange_id", exchange, "to", row->to, "official", row->official, "urgent",
                     row->urgency == URGENCY_URGENT, "since", (json_int_t)(row->since_ms / 1000),
                     "until", (json_int_t)(row->until_ms / 1000));
}

enum rc page_approvals(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct awaiting *rows = arena_alloc(asked->arena, OFFICIAL_AWAITING_MAX * sizeof *rows);
    struct session *session;
    json_t *list;
    size_t count = 0;

    if (rows == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    TRY(desk_reader(asked->console, &session, fault));
    TRY(official_list(session, asked->arena, rows, &count, fault));
    list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, row_json(&rows[i]));
    }
    *answer = json_pack("{s:o}", "awaiting", list);
    return RC_OK;
}

/* The sealed parts are the recipient's alone: whoever approves reads what leaves in clear. */
static json_t *parts_json(const struct message *message, struct arena *arena)
{
    const struct reading_keys keys = {NULL, NULL};
    struct reading *reading = arena_alloc(arena, sizeof *reading);
    json_t *parts = json_array();

    if (reading == NULL || reading_open(message, &keys, arena, reading) != RC_OK) {
        return parts;
    }
    for (size_t i = 0; i < reading->count; i++) {
        json_array_append_new(parts, exchange_part_json(&reading->parts[i]));
    }
    return parts;
}

enum rc page_approvals_read(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct message *message = arena_alloc(asked->arena, sizeof *message);
    struct session *session;
    struct id id;

    if (message == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    TRY(asked_id(asked, "id", &id, fault));
    TRY(desk_reader(asked->console, &session, fault));
    TRY(official_read(session, &id, asked->arena, message, fault));
    *answer = exchange_header_json(&message->header);
    json_object_set_new(*answer, "parts", parts_json(message, asked->arena));
    return RC_OK;
}

static const struct {
    const char *word;
    enum official_kind kind;
} decisions[] = {
    {"approve", OFFICIAL_APPROVE},
    {"reject", OFFICIAL_REJECT},
    {"review", OFFICIAL_CLOSE_REVIEW},
};

static enum rc read_decision(const struct asked *asked, struct official_act *act,
                             struct fault *fault)
{
    const char *word;

    *act = (struct official_act){.kind = OFFICIAL_NONE};
    TRY(asked_id(asked, "id", &act->message_id, fault));
    TRY(asked_text(asked, "decision", &word, fault));
    TRY(asked_text(asked, "reason", &act->reason, fault));
    for (size_t i = 0; i < sizeof decisions / sizeof decisions[0]; i++) {
        if (strcmp(decisions[i].word, word) == 0) {
            act->kind = decisions[i].kind;
        }
    }
    return act->kind != OFFICIAL_NONE ? RC_OK
                                      : refuse(fault, RC_INVALID_ARGUMENT, "form.field", "decision",
                                               "Se esperaba approve, reject o review.");
}

/* What is approved is read anew and signed as it is, not as a page showed it. */
enum rc page_approvals_give(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct message *message = arena_alloc(asked->arena, sizeof *message);
    struct session *session;
    struct official_act act;
    bool is_approval;

    if (message == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    TRY(read_decision(asked, &act, fault));
    TRY(desk_reader(asked->console, &session, fault));
    is_approval = act.kind == OFFICIAL_APPROVE;
    if (is_approval) {
        TRY(official_read(session, &act.message_id, asked->arena, message, fault));
    }
    TRY(official_give(session, asked->console->profile, &act, is_approval ? message : NULL,
                      asked->arena, fault));
    *answer = json_object();
    return RC_OK;
}
