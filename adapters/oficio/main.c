/*
 * enlace-oficio - an adapter for an institution that has no system: oficios in PDF, answers in
 * signed forms. README.md says what its liaison officer sees.
 */
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "oficio/oficio.h"

#define TEXT(field, fallback, least, what)                                                         \
    {                                                                                              \
#field, CONF_TEXT, offsetof(struct oficio_settings, field), fallback, least, 0, what       \
    }

static const struct conf_row rows[] = {
    PROGRAM_ROWS,
    TEXT(wording, NULL, 1, "archivo de textos de los oficios"),
    TEXT(outgoing, NULL, 1, "carpeta donde se dejan los oficios"),
    TEXT(incoming, NULL, 1, "carpeta donde se entregan los acuses firmados"),
    TEXT(sign_certificate, NULL, 1, "certificado del sistema que firma los oficios"),
    TEXT(sign_key, NULL, 1, "su llave"),
    TEXT(signers, NULL, 1, "certificados de quienes pueden firmar acuses"),
    TEXT(prefix, NULL, 1, "con lo que empieza un folio, como CEAVI"),
    TEXT(fonts, PAPER_FONTS, 1, "carpeta de Linux Libertine y Linux Biolinum"),
    TEXT(fonts_more, PAPER_FONTS_MORE, 0, "carpeta de una letra con más alfabetos"),
    {"rest_ms", CONF_INTEGER, offsetof(struct oficio_settings, rest_ms), "0", 0, 600000,
     "reposo antes de leer un archivo, si se copia sin renombrar"},
    {.name = NULL},
};

static enum rc on_message(struct adapter_user *user, struct adapter *adapter,
                          const struct message *message)
{
    return oficio_on_message((struct oficio *)user, adapter, message);
}

static void on_tick(struct adapter_user *user, struct adapter *adapter)
{
    oficio_read((struct oficio *)user, adapter);
}

/* ---- settings ---- */

static enum rc read_wording(struct oficio *oficio, struct fault *fault)
{
    OWN(buffer) text = {0};
    struct wording_source words;
    char error[WORDING_ERROR_SIZE] = "no se puede leer";
    uint8_t chunk[4096];
    size_t n;
    FILE *file = fopen(oficio->settings.wording, "re");

    while (file != NULL && text.size <= WORDING_BYTES_MAX &&
           (n = fread(chunk, 1, sizeof chunk, file)) > 0) {
        buffer_put(&text, chunk, n);
    }
    if (file != NULL) {
        fclose(file);
    }
    sheet_words_init(&words);
    if (file == NULL ||
        wording_read(buffer_bytes(&text), &words, &oficio->wording, error) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.wording", oficio->settings.wording, "%s",
                      error);
    }
    return RC_OK;
}

static bool is_prefix(const char *prefix)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
    size_t length = strlen(prefix);

    return length <= 40 && strspn(prefix, allowed) == length;
}

static enum rc load(struct oficio *oficio, struct fault *fault)
{
    struct oficio_settings *settings = &oficio->settings;

    TRY(read_wording(oficio, fault));
    TRY(paper_fonts_open(settings->fonts, settings->fonts_more, &oficio->fonts, fault));
    TRY(filesigner_load(settings->sign_certificate, settings->sign_key, &oficio->signer, fault));
    TRY(cert_load(settings->sign_certificate, &oficio->cert, fault));
    TRY(actkey_load(settings->sign_key, &oficio->key, fault));
    TRY(filesigners_load(settings->signers, &oficio->signers, fault));
    TRY(dropfolder_open(settings->outgoing, 0, &oficio->outgoing, fault));
    return dropfolder_open(settings->incoming, settings->rest_ms, &oficio->incoming, fault);
}

static enum rc check(struct program *program, struct program_context *context,
                     struct sandbox *sandbox, struct fault *fault)
{
    struct oficio *oficio = (struct oficio *)program->user;
    struct oficio_settings *settings = &oficio->settings;
    char *const paths[] = {settings->wording,          settings->outgoing, settings->incoming,
                           settings->sign_certificate, settings->sign_key, settings->signers};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        TRY(program_path(context, paths[i], fault));
    }
    if (context->mapping == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.mapping", "mapping",
                      "Hace falta el archivo de equivalencias.");
    }
    if (!is_prefix(settings->prefix)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.prefix", "prefix",
                      "Hasta 40 letras sin acento, cifras, «.», «_», «-» y «/».");
    }
    oficio->context = context;
    sandbox_may_write(sandbox, settings->outgoing);
    sandbox_may_write(sandbox, settings->incoming);
    sandbox_may_read(sandbox, settings->fonts);
    sandbox_may_read(sandbox, settings->fonts_more);
    return load(oficio, fault);
}

static enum rc start(struct program *program, struct program_context *context, struct fault *fault)
{
    struct oficio *oficio = (struct oficio *)program->user;
    const char *folder = adapter_folder(context->adapter);

    if (book_open(folder, "folios", &oficio->folios) != RC_OK ||
        book_open(folder, "sent", &oficio->sent) != RC_OK ||
        book_open(folder, "read", &oficio->read) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "spool.damaged", folder,
                      "No se pudo leer lo guardado; la bitácora de operación dice qué archivo.");
    }
    return RC_OK;
}

static void stop(struct program *program, struct program_context *context)
{
    struct oficio *oficio = (struct oficio *)program->user;

    (void)context;
    book_free(oficio->folios);
    book_free(oficio->sent);
    book_free(oficio->read);
}

int main(int argc, char **argv)
{
    static struct oficio oficio;
    static const struct mapping_words words = {.settings = oficio_settings_words,
                                               .in = oficio_words_in,
                                               .tables = oficio_tables,
                                               .takes_fields = true};
    struct program program = {
        .name = "enlace-oficio",
        .purpose = "oficios en PDF y acuses firmados, para una institución sin sistema.",
        .rows = rows,
        .settings = &oficio.settings.common,
        .words = &words,
        .user = &oficio.user,
        .keeps_receipts = true,
        .check = check,
        .start = start,
        .stop = stop,
    };
    int status;

    oficio.user = (struct adapter_user){.on_message = on_message, .on_tick = on_tick};
    status = program_main(&program, argc, argv);
    wording_free(oficio.wording);
    paper_fonts_free(oficio.fonts);
    filesigner_free(oficio.signer);
    filesigners_free(oficio.signers);
    cert_free(oficio.cert);
    actkey_free(oficio.key);
    dropfolder_free(oficio.outgoing);
    dropfolder_free(oficio.incoming);
    return status;
}
