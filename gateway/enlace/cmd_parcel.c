/*
 * cmd_parcel - the link of last resort: what a node owes to another as a file, and back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/session.h"
#include "crypto/cert.h"
#include "enlace/command.h"
#include "rpc/channel.h"
#include "rpc/codec_parcel_file.h"

#define SERVICE "/enlace.v1.ParcelService/"
/* What was just accepted is guarded within a second or so. */
#define TRIES 5
#define TRY_AGAIN_MS 500

struct wishes {
    const char *file; /* in or out */
    const char *certificate;
    const char *answer;
};

static int read_wishes(const struct cli *cli, int argc, char **argv, int first,
                       struct wishes *wishes)
{
    for (int at = first; at + 1 < argc; at += 2) {
        if (strcmp(argv[at], "--certificate") == 0) {
            wishes->certificate = argv[at + 1];
        } else if (strcmp(argv[at], "-o") == 0) {
            wishes->answer = argv[at + 1];
        } else {
            return cli_usage(cli, "parcel", "No se entiende «%s».", argv[at]);
        }
    }
    return (argc - first) % 2 == 0 && wishes->certificate != NULL
               ? EXIT_DONE
               : cli_usage(cli, "parcel", "Falta --certificate ARCHIVO, el del otro nodo.");
}

static enum rc call(struct cli *cli, const char *method, const struct buffer *request,
                    struct bytes *response, struct fault *fault)
{
    OWN(buffer) answer = {0};

    TRY(channel_call(cli->session->channel, method, buffer_bytes(request), cli->session->timeout_ms,
                     &answer, fault));
    *response = arena_copy(cli->arena, buffer_bytes(&answer));
    return response->data != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static enum rc ask_export(struct cli *cli, const struct parcel_export *asked,
                          struct parcel_exported *exported, struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;
    enum rc rc = RC_NOT_FOUND;

    codec_parcel_export_write(asked, &request);
    for (int i = 0; i < TRIES && rc == RC_NOT_FOUND; i++) {
        clock_sleep_ms(i > 0 ? TRY_AGAIN_MS : 0);
        *fault = (struct fault){0};
        rc = call(cli, SERVICE "ExportParcel", &request, &response, fault);
        if (strcmp(fault->reason, "parcel.nothing") != 0) {
            break;
        }
    }
    TRY(rc);
    return codec_parcel_exported_read(response, cli->arena, exported, fault);
}

/* export NODO ARCHIVO --certificate C */
static int run_export(struct cli *cli, int argc, char **argv)
{
    struct wishes wishes = {0};
    struct parcel_exported exported = {0};
    OWN_PTR(cert) cert = NULL;
    struct fault fault = {0};
    int status = argc >= 4
                     ? read_wishes(cli, argc, argv, 4, &wishes)
                     : cli_usage(cli, "parcel", "Se espera: export NODO ARCHIVO --certificate C.");

    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (cert_load(wishes.certificate, &cert, &fault) != RC_OK ||
        ask_export(cli, &(struct parcel_export){.node = argv[2], .certificate = cert_der(cert)},
                   &exported, &fault) != RC_OK ||
        cli_write_file(argv[3], exported.file, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:I,s:b,s:b}", "file", argv[3], "entries",
                            (json_int_t)exported.entries, "urgent", exported.is_urgent, "has_more",
                            exported.has_more));
        return EXIT_DONE;
    }
    printf("%s: %u mensajes %s, cifrados para %s.\nLlévelo e impórtelo allá; lo que se debe sigue "
           "debiéndose hasta que importe aquí la respuesta.\n",
           argv[3], exported.entries, exported.is_urgent ? "urgentes" : "ordinarios", argv[2]);
    if (exported.has_more) {
        puts("Hay más: expórtelo cuando haya importado la respuesta.");
    }
    return EXIT_DONE;
}

static int say_imported(const struct cli *cli, const struct parcel_imported *imported,
                        const char *out)
{
    bool is_answer = imported->answer.size == 0;

    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:I,s:I,s:b,s:s}", "from", imported->from, "accepted",
                            (json_int_t)imported->accepted, "refused",
                            (json_int_t)imported->refused, "must_repeat", imported->must_repeat,
                            "answer", is_answer ? "" : out));
        return EXIT_DONE;
    }
    if (imported->must_repeat) {
        printf(is_answer ? "Respuesta de %s: exporte otra vez; ahora este nodo sabe desde dónde.\n"
                         : "Paquete de %s: no empieza donde este nodo va, y no se usó.\n",
               imported->from);
    } else {
        printf("%s de %s: %u recibidos, %u rechazados.\n", is_answer ? "Respuesta" : "Paquete",
               imported->from, imported->accepted, imported->refused);
    }
    if (!is_answer) {
        printf("La respuesta está en %s: llévela e impórtela allá.\n", out);
    }
    return EXIT_DONE;
}

/* import ARCHIVO --certificate C -o RESPUESTA */
static int run_import(struct cli *cli, int argc, char **argv)
{
    struct wishes wishes = {0};
    struct parcel_imported imported = {0};
    OWN_PTR(cert) cert = NULL;
    OWN(buffer) file = {0};
    OWN(buffer) request = {0};
    struct fault fault = {0};
    struct bytes response;
    int status = argc >= 3 ? read_wishes(cli, argc, argv, 3, &wishes)
                           : cli_usage(cli, "parcel",
                                       "Se espera: import ARCHIVO --certificate C -o RESPUESTA.");

    if (status == EXIT_DONE && wishes.answer == NULL) {
        return cli_usage(cli, "parcel", "Falta -o ARCHIVO, para la respuesta.");
    }
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (cert_load(wishes.certificate, &cert, &fault) != RC_OK ||
        cli_read_file(argv[2], PARCEL_FILE_MAX, &file, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    codec_parcel_import_write(
        &(struct parcel_import){.file = buffer_bytes(&file), .certificate = cert_der(cert)},
        &request);
    if (call(cli, SERVICE "ImportParcel", &request, &response, &fault) != RC_OK ||
        codec_parcel_imported_read(response, cli->arena, &imported, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (imported.answer.size > 0 &&
        cli_write_file(wishes.answer, imported.answer, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return say_imported(cli, &imported, wishes.answer);
}

int cmd_parcel(struct cli *cli, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";

    if (strcmp(verb, "export") == 0) {
        return run_export(cli, argc, argv);
    }
    if (strcmp(verb, "import") == 0) {
        return run_import(cli, argc, argv);
    }
    return cli_usage(cli, "parcel", "Se espera export o import.");
}
