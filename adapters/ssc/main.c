/*
 * enlace-ssc - an adapter for police and emergency centres (ssc, c5): OASIS CAP 1.2 over HTTPS.
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/tlsserver.h"
#include "ssc/ssc.h"

#define ANSWER_MAX ((size_t)64 << 10)
#define MS_PER_S 1000
#define S_PER_HOUR 3600

#define PATH_ROW(name, meaning)                                                                    \
    {                                                                                              \
#name, CONF_TEXT, offsetof(struct ssc_settings, name), NULL, 1, 0, meaning                 \
    }

static const struct conf_row rows[] = {
    PROGRAM_ROWS,
    PATH_ROW(schema, "el esquema, cap.xsd"),
    PATH_ROW(detail_schema, "el esquema del detalle, detalle.xsd"),
    PATH_ROW(sender, "cómo se llama el adaptador en CAP"),
    PATH_ROW(addresses, "cómo se llama el sistema de la institución en CAP"),
    PATH_ROW(listen, "donde escucha el adaptador, 10.1.2.3:8443"),
    PATH_ROW(server_certificate, "con el que escucha; quien llega lo avala ca"),
    PATH_ROW(server_key, "su llave"),
    {"detail_seconds", CONF_INTEGER, offsetof(struct ssc_settings, detail_seconds), "900", 1,
     DETAILS_WINDOW_MAX_S, "tras recoger un detalle, cuánto se repite al mismo certificado"},
    {"detail_hours", CONF_INTEGER, offsetof(struct ssc_settings, detail_hours), "168", 1, 720,
     "cuánto espera un detalle que nadie recoge"},
    {"exercise", CONF_INTEGER, offsetof(struct ssc_settings, exercise), "0", 0, 1,
     "1: las alertas van como ejercicio"},
    {.name = NULL},
};

static enum rc on_message(struct adapter_user *user, struct adapter *adapter,
                          const struct message *message)
{
    const struct ssc *ssc = (const struct ssc *)user;
    struct handover_answer answer = {0};
    enum rc rc;

    if (message->header.type == MESSAGE_RECALL) {
        TRY(details_drop(ssc->details, &message->header.exchange_id));
    }
    rc = handover_take(ssc->context->handover, message, &answer);
    if (rc != RC_ABORTED) {
        return rc;
    }
    TRY(details_drop(ssc->details, &message->header.exchange_id));
    return adapter_reject(adapter, message, "rechazado-por-la-institucion", &answer.fault);
}

static void on_tick(struct adapter_user *user, struct adapter *adapter)
{
    (void)adapter;
    details_sweep(((const struct ssc *)user)->details, clock_now_ms());
}

static enum rc check_settings(struct ssc *ssc, struct program_context *context,
                              struct sandbox *sandbox, struct fault *fault)
{
    struct ssc_settings *settings = &ssc->settings;
    char *const paths[] = {settings->schema, settings->detail_schema, settings->server_certificate,
                           settings->server_key};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        TRY(program_path(context, paths[i], fault));
        sandbox_may_read(sandbox, paths[i]);
    }
    if (https_server_port(settings->listen) == 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "listen.address", "listen",
                      "Va como 10.1.2.3:8443 o [::1]:8443.");
    }
    sandbox_may_listen(sandbox, https_server_port(settings->listen));
    return context->mapping != NULL ? RC_OK
                                    : refuse(fault, RC_INVALID_ARGUMENT, "agency.mapping",
                                             "mapping", "Hace falta el archivo de equivalencias.");
}

static enum rc check(struct program *program, struct program_context *context,
                     struct sandbox *sandbox, struct fault *fault)
{
    struct ssc *ssc = (struct ssc *)program->user;
    const struct ssc_settings *settings = &ssc->settings;

    TRY(check_settings(ssc, context, sandbox, fault));
    ssc->context = context;
    ssc->terms = (struct cap_terms){.mapping = context->mapping,
                                    .sender = settings->sender,
                                    .addresses = settings->addresses,
                                    .is_exercise = settings->exercise != 0};
    for (size_t i = 0; i < SSC_LANES; i++) {
        TRY(xml_schema_load(settings->schema, &ssc->schemas[i], fault));
    }
    for (size_t i = 0; i < 2; i++) {
        TRY(program_https(context->settings, ANSWER_MAX, &ssc->lines[i], fault));
    }
    TRY(xml_schema_load(settings->detail_schema, &ssc->detail_schema, fault));
    return tlsserver_new(settings->server_certificate, settings->server_key, settings->common.ca,
                         &ssc->tls, fault);
}

/* Before the handover's threads: they need the books. */
static enum rc open_books(struct ssc *ssc, struct program_context *context, struct fault *fault)
{
    const char *folder = adapter_folder(context->adapter);

    if (book_open(folder, "alerts", &ssc->alerts) != RC_OK ||
        details_open(folder, ssc->settings.detail_seconds * MS_PER_S,
                     ssc->settings.detail_hours * S_PER_HOUR * MS_PER_S, &ssc->details) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "spool.damaged", folder,
                      "No se pudo leer lo guardado; la bitácora de operación dice qué archivo.");
    }
    return RC_OK;
}

static enum rc start(struct program *program, struct program_context *context, struct fault *fault)
{
    struct ssc *ssc = (struct ssc *)program->user;

    TRY(open_books(ssc, context, fault));
    return https_server_new(ssc->settings.listen, ssc->tls, &ssc->service, &ssc->server, fault);
}

/* Books stay until the handover's threads have ended, after this. */
static void stop(struct program *program, struct program_context *context)
{
    (void)context;
    https_server_free(((struct ssc *)program->user)->server);
}

static void release(struct ssc *ssc)
{
    for (size_t i = 0; i < SSC_LANES; i++) {
        xml_schema_free(ssc->schemas[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        https_free(ssc->lines[i]);
    }
    xml_schema_free(ssc->detail_schema);
    tlsserver_free(ssc->tls);
    details_free(ssc->details);
    book_free(ssc->alerts);
}

int main(int argc, char **argv)
{
    static struct ssc ssc;
    static const struct mapping_words words = {
        .settings = ssc_settings_words, .tables = ssc_tables, .has_out = true};
    struct program program = {
        .name = "enlace-ssc",
        .purpose = "alertas CAP 1.2 para la policía o un centro de emergencias.",
        .rows = rows,
        .settings = &ssc.settings.common,
        .words = &words,
        .user = &ssc.user,
        .handover_user = &ssc.handover,
        .check = check,
        .start = start,
        .stop = stop,
    };
    int status;

    ssc.user.on_message = on_message;
    ssc.user.on_tick = on_tick;
    ssc.handover.hand = ssc_hand;
    ssc.service.answer = ssc_answer;
    status = program_main(&program, argc, argv);
    release(&ssc);
    return status;
}
