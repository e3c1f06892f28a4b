/*
 * enlace-sedesa - an adapter for a health secretariat's hospital: HL7 FHIR R4 over HTTPS.
 */
#include <stddef.h>
#include <string.h>

#include "sedesa/sedesa.h"

static const struct conf_row rows[] = {
    PROGRAM_ROWS,
    {"poll_ms", CONF_INTEGER, offsetof(struct sedesa_settings, poll_ms), "5000", 200, 3600000,
     "cada cuánto se preguntan los Task y las solicitudes propias"},
    {"poll_max_ms", CONF_INTEGER, offsetof(struct sedesa_settings, poll_max_ms), "60000", 200,
     3600000, "a lo más, cuando la institución falla"},
    {.name = NULL},
};

static enum rc on_message(struct adapter_user *user, struct adapter *adapter,
                          const struct message *message)
{
    const struct sedesa *sedesa = (const struct sedesa *)user;
    struct handover_answer answer = {0};
    enum rc rc = handover_take(sedesa->context->handover, message, &answer);

    return rc == RC_ABORTED
               ? adapter_reject(adapter, message, "rechazado-por-la-institucion", &answer.fault)
               : rc;
}

static enum rc check(struct program *program, struct program_context *context,
                     struct sandbox *sandbox, struct fault *fault)
{
    struct sedesa *sedesa = (struct sedesa *)program->user;

    (void)sandbox;
    sedesa->context = context;
    if (context->mapping == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.mapping", "mapping",
                      "Hace falta el archivo de equivalencias.");
    }
    for (size_t i = 0; i < SEDESA_LINES; i++) {
        TRY(program_https(context->settings, FHIR_BYTES_MAX, &sedesa->lines[i], fault));
    }
    return RC_OK;
}

static enum rc start(struct program *program, struct program_context *context, struct fault *fault)
{
    struct sedesa *sedesa = (struct sedesa *)program->user;
    const char *folder = adapter_folder(context->adapter);

    if (book_open(folder, "position", &sedesa->position) != RC_OK ||
        book_open(folder, "tasks", &sedesa->tasks) != RC_OK ||
        book_open(folder, "referred", &sedesa->referred) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "spool.damaged", folder,
                      "No se pudo leer lo guardado; la bitácora de operación dice qué archivo.");
    }
    return poller_new(&sedesa->poll, sedesa->settings.poll_ms, sedesa->settings.poll_max_ms,
                      &sedesa->poller) == RC_OK
               ? RC_OK
               : refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.thread", "",
                        "No se pudo crear un hilo.");
}

static void stop(struct program *program, struct program_context *context)
{
    struct sedesa *sedesa = (struct sedesa *)program->user;

    (void)context;
    poller_free(sedesa->poller);
    book_free(sedesa->position);
    book_free(sedesa->tasks);
    book_free(sedesa->referred);
}

int main(int argc, char **argv)
{
    static struct sedesa sedesa;
    static const struct mapping_words words = {.settings = sedesa_settings_words,
                                               .in = sedesa_in_words,
                                               .tables = sedesa_tables,
                                               .has_out = true,
                                               .takes_fields = true};
    struct program program = {
        .name = "enlace-sedesa",
        .purpose = "HL7 FHIR R4 sobre HTTPS para una secretaría de salud.",
        .rows = rows,
        .settings = &sedesa.settings.common,
        .words = &words,
        .user = &sedesa.user,
        .handover_user = &sedesa.handover,
        .check = check,
        .start = start,
        .stop = stop,
    };
    int status;

    sedesa.user.on_message = on_message;
    sedesa.handover.hand = sedesa_hand;
    sedesa.poll.poll = sedesa_poll;
    status = program_main(&program, argc, argv);
    for (size_t i = 0; i < SEDESA_LINES; i++) {
        https_free(sedesa.lines[i]);
    }
    return status;
}
