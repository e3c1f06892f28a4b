/* Nueva solicitud: forms from what the routes allow, reviewed line by line before they are sent. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/draft_json.h"
#include "client/profile.h"
#include "client/send.h"
#include "console/exchange_json.h"
#include "console/mailbox.h"
#include "console/request_form.h"
#include "console/routes.h"
#include "policy/directory_file.h"
#include "policy/explain.h"

enum rc page_request_forms(const struct asked *asked, json_t **answer, struct fault *fault)
{
    const struct console *console = asked->console;
    OWN_PTR(directory) directory = NULL;

    TRY(desk_directory(console, &directory, fault));
    *answer = json_pack("{s:o}", "forms",
                        request_forms(directory, console->profile->member,
                                      clock_local_day(clock_now_ms()), console->seals));
    return RC_OK;
}

/* The form as a draft; its texts live in the arena. */
static enum rc read_form(const struct asked *asked, const struct directory *directory,
                         struct draft_file *file, struct fault *fault)
{
    const struct console *console = asked->console;
    json_t *draft = NULL;
    char *text;
    enum rc rc;

    TRY(request_draft(directory, console->profile->member, clock_local_day(clock_now_ms()),
                      console->seals, asked->body, &draft, fault));
    text = json_dumps(draft, JSON_COMPACT);
    json_decref(draft);
    if (text == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    rc = draft_json_read(bytes_text(text), asked->arena, file, fault);
    explicit_bzero(text, strlen(text));
    free(text);
    return rc;
}

/* What the message would be, for the checks that a node makes. */
static void message_of(const struct profile *profile, const struct draft *draft,
                       struct message *message)
{
    *message = (struct message){.header = draft->header};
    message->header.from = profile->member;
    message->compartment_count = draft->compartment_count;
    for (size_t i = 0; i < draft->compartment_count; i++) {
        const struct draft_compartment *part = &draft->compartments[i];

        if (part->is_sealed) {
            message->sealed_types |= 1u << part->type;
            continue;
        }
        message->clear_types |= 1u << part->type;
        for (size_t j = 0; j < part->value_count; j++) {
            field_set_add(&message->fields, part->values[j].field);
        }
    }
}

static json_t *checks_json(const struct explanation *explanation)
{
    json_t *checks = json_array();

    for (size_t i = 0; i < explanation->count; i++) {
        const struct explain_check *check = &explanation->checks[i];

        json_array_append_new(checks, json_pack("{s:s,s:b,s:i,s:s}", "check", check->name, "ok",
                                                check->is_kept, "line", (int)check->line, "remedy",
                                                check->remedy));
    }
    return checks;
}

enum rc page_request_review(const struct asked *asked, json_t **answer, struct fault *fault)
{
    OWN_PTR(directory) directory = NULL;
    OWN(draft_file) file = {0};
    struct message *message = arena_alloc(asked->arena, sizeof *message);
    struct explanation *explanation = arena_alloc(asked->arena, sizeof *explanation);
    struct fault found = {0};
    enum rc rc;

    if (message == NULL || explanation == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    TRY(desk_directory(asked->console, &directory, fault));
    TRY(read_form(asked, directory, &file, fault));
    message_of(asked->console->profile, &file.draft, message);
    rc = explain_opening(directory, message, clock_local_day(clock_now_ms()), explanation, &found);
    *answer = json_pack("{s:b,s:o}", "allowed", rc == RC_OK, "checks", checks_json(explanation));
    return RC_OK;
}

enum rc page_request_send(const struct asked *asked, json_t **answer, struct fault *fault)
{
    OWN_PTR(directory) directory = NULL;
    OWN(draft_file) file = {0};
    OWN(sent) sent = {0};
    struct mailbox *mailbox;

    TRY(desk_directory(asked->console, &directory, fault));
    TRY(read_form(asked, directory, &file, fault));
    TRY(desk_mailbox(asked->console, &mailbox, fault));
    TRY(mailbox_send(mailbox, &file.draft, asked->arena, &sent, fault));
    *answer = exchange_sent_json(&sent);
    return RC_OK;
}
