/* Bitácora: what the log of the node holds, as far as this reader may see it. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/record_json.h"
#include "client/session.h"
#include "console/proof_json.h"
#include "console/records.h"
#include "console/proof_steps.h"
#include "console/routes.h"
#include "console/search_text.h"

#define ROWS_DEFAULT 60

/* ---- the audit ---- */

static json_t *state_json(const struct records *records)
{
    const struct checkpoint *seen = records_seen(records);

    return json_pack("{s:s,s:s,s:I,s:s}", "purpose", records_purpose(records), "file",
                     records_path(records), "seen", (json_int_t)seen->size, "log", seen->origin);
}

enum rc page_records_state(const struct asked *asked, json_t **answer, struct fault *fault)
{
    (void)fault;
    *answer = state_json(asked->console->records);
    return RC_OK;
}

enum rc page_records_open(const struct asked *asked, json_t **answer, struct fault *fault)
{
    const char *purpose;

    TRY(asked_text(asked, "purpose", &purpose, fault));
    TRY(records_open(asked->console->records, purpose, fault));
    *answer = state_json(asked->console->records);
    return RC_OK;
}

enum rc page_records_close(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct audit_closed closed;
    struct session *session;

    TRY(desk_reader(asked->console, &session, fault));
    TRY(records_close(asked->console->records, session, &closed, fault));
    *answer = json_pack("{s:I,s:I,s:I}", "index", (json_int_t)closed.index, "sessions",
                        (json_int_t)closed.sessions, "records", (json_int_t)closed.records);
    return RC_OK;
}

/* ---- searching ---- */

/* "cdmx" of "cdmx/ssc". */
static void network_of(const char *member, char out[MESSAGE_CODE_MAX + 1])
{
    snprintf(out, MESSAGE_CODE_MAX + 1, "%.*s", (int)strcspn(member, "/"), member);
}

static enum rc begin(const struct asked *asked, const char *text, struct fault *fault)
{
    struct console *console = asked->console;
    struct audit_query query = {.member = "", .route = "", .holder = ""};
    char network[MESSAGE_CODE_MAX + 1];
    const struct search_home home = {network, clock_now_ms()};
    struct session *session;
    struct ping ping;

    network_of(console->profile->member, network);
    TRY(search_text_parse(text, &home, asked->arena, &query, fault));
    TRY(desk_reader(console, &session, fault));
    TRY(ask_ping(session, asked->arena, &ping, fault));
    return records_search(console->records, session, &query, ping.you, fault);
}

static json_t *rows_json(const struct audit_rows *rows, bool has_evidence)
{
    json_t *list = json_array();

    for (size_t i = 0; i < rows->count; i++) {
        json_t *row = record_json(&rows->items[i]->leaf, &rows->items[i]->record);

        if (has_evidence) {
            json_object_set_new(row, "evidence",
                                proof_json(rows->items[i]->leaf.index, &rows->items[i]->entry,
                                           rows->items[i]->note));
        }
        json_array_append_new(list, row);
    }
    return list;
}

/* The next rows of the running search, all of them proven. */
static enum rc more(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct records *records = asked->console->records;
    const struct audit_back *back = records_progress(records);
    int64_t began_us = clock_monotonic_us();
    struct audit_rows rows;
    int64_t wanted;

    TRY(asked_number(asked, "rows", ROWS_DEFAULT, &wanted, fault));
    if (wanted < 1 || wanted > AUDIT_PAGE_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "form.field", "rows", "De 1 a %d registros.",
                      AUDIT_PAGE_MAX);
    }
    TRY(records_more(records, (size_t)wanted, asked->arena, &rows, fault));
    *answer = json_pack("{s:I,s:s,s:I,s:I,s:f,s:o}", "search",
                        (json_int_t)records_search_number(records), "log", back->head.origin,
                        "size", (json_int_t)back->head.size, "below", (json_int_t)back->below,
                        "took_ms", (double)(clock_monotonic_us() - began_us) / 1000, "rows",
                        rows_json(&rows, json_is_true(json_object_get(asked->body, "evidence"))));
    return RC_OK;
}

enum rc page_records_search(const struct asked *asked, json_t **answer, struct fault *fault)
{
    const char *text;

    TRY(asked_text(asked, "text", &text, fault));
    TRY(begin(asked, text, fault));
    return more(asked, answer, fault);
}

enum rc page_records_more(const struct asked *asked, json_t **answer, struct fault *fault)
{
    int64_t search;

    TRY(asked_number(asked, "search", 0, &search, fault));
    if (search <= 0 || (uint64_t)search != records_search_number(asked->console->records)) {
        return refuse(fault, RC_ABORTED, "records.other_search", "search",
                      "Esa búsqueda ya terminó: búsquelo de nuevo.");
    }
    return more(asked, answer, fault);
}

/* ---- one leaf ---- */

enum rc page_records_leaf(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct console *console = asked->console;
    struct audit_query_page page;
    struct fault lie = {0};
    int64_t index;

    TRY(asked_number(asked, "index", -1, &index, fault));
    if (index < 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "form.field", "index",
                      "Una hoja se nombra por su número, desde 0.");
    }
    if (records_search_number(console->records) == 0) {
        TRY(begin(asked, "", fault));
    }
    TRY(records_leaf(console->records, (uint64_t)index, asked->arena, &page, fault));
    TRY(proof_steps_run(&(struct proof_steps){.index = (uint64_t)index,
                                              .page = &page,
                                              .logs = console->profile->logs,
                                              .log_count = console->profile->own_log_count,
                                              .seen = records_memory(console->records),
                                              .arena = asked->arena},
                        answer, &lie, fault));
    if (lie.rc != RC_OK) {
        desk_remember_lie(console, &lie);
    }
    return RC_OK;
}
