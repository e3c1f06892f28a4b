/*
 * enlace-pgj - an adapter for a prosecutor's office: XML by pgj.xsd over HTTPS, write-mostly.
 */
#include <stddef.h>
#include <string.h>

#include "pgj/pgj.h"

#define ANSWER_MAX XML_BYTES_MAX

static const struct conf_row rows[] = {
    PROGRAM_ROWS,
    {"schema", CONF_TEXT, offsetof(struct pgj_settings, schema), NULL, 1, 0, "el esquema, pgj.xsd"},
    {"poll_ms", CONF_INTEGER, offsetof(struct pgj_settings, poll_ms), "5000", 200, 3600000,
     "cada cuánto se preguntan los estados"},
    {"poll_max_ms", CONF_INTEGER, offsetof(struct pgj_settings, poll_max_ms), "60000", 200, 3600000,
     "a lo más, cuando la institución falla"},
    {.name = NULL},
};

static enum rc on_message(struct adapter_user *user, struct adapter *adapter,
                          const struct message *message)
{
    const struct pgj *pgj = (const struct pgj *)user;
    struct handover_answer answer = {0};
    enum rc rc = handover_take(pgj->context->handover, message, &answer);

    return rc == RC_ABORTED
               ? adapter_reject(adapter, message, "rechazado-por-la-institucion", &answer.fault)
               : rc;
}

static enum rc check(struct program *program, struct program_context *context,
                     struct sandbox *sandbox, struct fault *fault)
{
    struct pgj *pgj = (struct pgj *)program->user;

    TRY(program_path(context, pgj->settings.schema, fault));
    sandbox_may_read(sandbox, pgj->settings.schema);
    pgj->context = context;
    if (context->mapping == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.mapping", "mapping",
                      "Hace falta el archivo de equivalencias.");
    }
    for (size_t i = 0; i < 3; i++) {
        TRY(xml_schema_load(pgj->settings.schema, &pgj->schemas[i], fault));
        TRY(program_https(context->settings, ANSWER_MAX, &pgj->lines[i], fault));
    }
    return RC_OK;
}

static enum rc start(struct program *program, struct program_context *context, struct fault *fault)
{
    struct pgj *pgj = (struct pgj *)program->user;

    if (book_open(adapter_folder(context->adapter), "position", &pgj->position) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "spool.damaged",
                      adapter_folder(context->adapter),
                      "No se pudo leer lo guardado; la bitácora de operación dice qué archivo.");
    }
    return poller_new(&pgj->poll, pgj->settings.poll_ms, pgj->settings.poll_max_ms, &pgj->poller) ==
                   RC_OK
               ? RC_OK
               : refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.thread", "",
                        "No se pudo crear un hilo.");
}

static void stop(struct program *program, struct program_context *context)
{
    struct pgj *pgj = (struct pgj *)program->user;

    (void)context;
    poller_free(pgj->poller);
    book_free(pgj->position);
}

int main(int argc, char **argv)
{
    static struct pgj pgj;
    static const struct mapping_words words = {
        .settings = pgj_settings_words, .tables = pgj_tables, .has_out = true};
    struct program program = {
        .name = "enlace-pgj",
        .purpose = "XML sobre HTTPS para una procuraduría o fiscalía.",
        .rows = rows,
        .settings = &pgj.settings.common,
        .words = &words,
        .user = &pgj.user,
        .handover_user = &pgj.handover,
        .check = check,
        .start = start,
        .stop = stop,
    };
    int status;

    pgj.user.on_message = on_message;
    pgj.handover.hand = pgj_hand;
    pgj.poll.poll = pgj_poll;
    status = program_main(&program, argc, argv);
    for (size_t i = 0; i < 3; i++) {
        xml_schema_free(pgj.schemas[i]);
        https_free(pgj.lines[i]);
    }
    return status;
}
