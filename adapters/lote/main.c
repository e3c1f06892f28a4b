/*
 * enlace-lote - an adapter for institutions that exchange signed batches of rows in a folder or
 * over SFTP: the Seguro de Desempleo, DIF, SIBISO and others. README.md says what they see.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "lote/lote.h"

#define TEXT(field, fallback, least, what)                                                         \
    {                                                                                              \
#field, CONF_TEXT, offsetof(struct lote_settings, field), fallback, least, 0, what         \
    }

static const struct conf_row rows[] = {
    PROGRAM_ROWS,
    TEXT(outgoing, NULL, 1, "carpeta de lo que va a la institución"),
    TEXT(incoming, NULL, 1, "carpeta de lo que viene de ella"),
    TEXT(sign_certificate, NULL, 1, "certificado con el que se firman los lotes"),
    TEXT(sign_key, NULL, 1, "su llave"),
    TEXT(signers, NULL, 1, "certificados de la institución que pueden firmar los suyos"),
    TEXT(prefix, "ENLACE", 1, "con lo que empieza el nombre de un lote"),
    {"every_s", CONF_INTEGER, offsetof(struct lote_settings, every_s), "60", 1, 86400,
     "cada cuánto se hace un lote; lo urgente sale enseguida"},
    {"rest_ms", CONF_INTEGER, offsetof(struct lote_settings, rest_ms), "0", 0, 600000,
     "reposo antes de leer un archivo, si la institución no puede renombrar"},
    TEXT(sftp, "", 0, "servidor SFTP de la institución, servidor:puerto; vacío: solo carpetas"),
    TEXT(sftp_user, "", 0, "usuario en ese servidor"),
    TEXT(sftp_key, "", 0, "llave privada con la que se entra"),
    TEXT(sftp_known_hosts, "", 0, "archivo known_hosts con la llave del servidor"),
    TEXT(sftp_outgoing, "", 0, "carpeta del servidor adonde va lo nuestro"),
    TEXT(sftp_incoming, "", 0, "carpeta del servidor de donde viene lo suyo"),
    {"sftp_every_ms", CONF_INTEGER, offsetof(struct lote_settings, sftp_every_ms), "5000", 100,
     600000, "cada cuánto se visita ese servidor; si no contesta, cada vez más espaciado"},
    {.name = NULL},
};

static enum rc on_message(struct adapter_user *user, struct adapter *adapter,
                          const struct message *message)
{
    return lote_on_message((struct lote *)user, adapter, message);
}

static void on_tick(struct adapter_user *user, struct adapter *adapter)
{
    struct lote *lote = (struct lote *)user;
    enum rc rc = lote_flush(lote, clock_monotonic_ms());

    if (rc != RC_OK) {
        log_warn("batch.later", "rc=%s", rc_name(rc));
    }
    lote_read(lote, adapter);
}

static enum rc check(struct program *program, struct program_context *context,
                     struct sandbox *sandbox, struct fault *fault)
{
    struct lote *lote = (struct lote *)program->user;
    struct lote_settings *settings = &lote->settings;
    char *const paths[] = {
        settings->outgoing, settings->incoming, settings->sign_certificate, settings->sign_key,
        settings->signers,  settings->sftp_key, settings->sftp_known_hosts};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        TRY(program_path(context, paths[i], fault));
    }
    if (context->mapping == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.mapping", "mapping",
                      "Hace falta el archivo de equivalencias.");
    }
    lote->context = context;
    sandbox_may_write(sandbox, settings->outgoing);
    sandbox_may_write(sandbox, settings->incoming);
    sandbox_may_read(sandbox, settings->sftp_key);
    sandbox_may_read(sandbox, settings->sftp_known_hosts);
    if (settings->sftp[0] != '\0') {
        const char *colon = strrchr(settings->sftp, ':');

        sandbox_may_connect(sandbox, colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : 22);
    }
    TRY(filesigner_load(settings->sign_certificate, settings->sign_key, &lote->signer, fault));
    TRY(filesigners_load(settings->signers, &lote->signers, fault));
    TRY(dropfolder_open(settings->outgoing, 0, &lote->outgoing, fault));
    return dropfolder_open(settings->incoming, settings->rest_ms, &lote->incoming, fault);
}

static enum rc start(struct program *program, struct program_context *context, struct fault *fault)
{
    struct lote *lote = (struct lote *)program->user;
    const char *folder = adapter_folder(context->adapter);

    if (book_open(folder, "sent", &lote->sent) != RC_OK ||
        book_open(folder, "read", &lote->read) != RC_OK ||
        book_open(folder, "batches", &lote->batches) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "spool.damaged", folder,
                      "No se pudo leer lo guardado; la bitácora de operación dice qué archivo.");
    }
    return lote_sftp_start(lote, fault);
}

static void stop(struct program *program, struct program_context *context)
{
    struct lote *lote = (struct lote *)program->user;

    (void)context;
    lote_sftp_stop(lote->sftp);
    lote_pending_free(lote);
    book_free(lote->sent);
    book_free(lote->read);
    book_free(lote->batches);
}

int main(int argc, char **argv)
{
    static struct lote lote;
    static const struct mapping_words words = {.settings = lote_settings_words,
                                               .in = lote_words_in,
                                               .tables = lote_tables,
                                               .has_out = true,
                                               .takes_fields = true};
    struct program program = {
        .name = "enlace-lote",
        .purpose = "lotes firmados de renglones para una institución que intercambia archivos.",
        .rows = rows,
        .settings = &lote.settings.common,
        .words = &words,
        .user = &lote.user,
        .check = check,
        .start = start,
        .stop = stop,
    };
    int status;

    lote.user = (struct adapter_user){.on_message = on_message, .on_tick = on_tick};
    status = program_main(&program, argc, argv);
    filesigner_free(lote.signer);
    filesigners_free(lote.signers);
    dropfolder_free(lote.outgoing);
    dropfolder_free(lote.incoming);
    return status;
}
