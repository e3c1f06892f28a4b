#include "enlace/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/profile.h"
#include "client/session.h"
#include "client/spool.h"

/* Mexico City: daylight saving ended on 2022-10-30 (IANA America/Mexico_City). */
#define OFFSET_MS (-(int64_t)6 * 3600 * 1000)

static json_t *fault_json(const struct fault *fault)
{
    return json_pack("{s:{s:s,s:s,s:s,s:s}}", "error", "code", rc_name(fault->rc), "reason",
                     fault->reason, "path", fault->path, "remedy", fault->remedy);
}

/* What the caller wrote wrong is usage; what the node or the disk says is failure. */
static bool is_usage(const struct fault *fault)
{
    return strncmp(fault->reason, "usage", 5) == 0 || strncmp(fault->reason, "file.", 5) == 0 ||
           strncmp(fault->reason, "profile", 7) == 0;
}

/* The library's words are for whoever looks after the network: they go below ours. */
static void explain_network(const struct cli *cli, struct fault *fault, char detail[224])
{
    bool is_away = strcmp(fault->reason, "peer.unreachable") == 0 ||
                   strcmp(fault->reason, "peer.deadline") == 0;

    detail[0] = '\0';
    if (is_away && cli->profile != NULL) {
        snprintf(detail, 224, "%s", fault->remedy);
        snprintf(fault->remedy, sizeof fault->remedy,
                 "No hay respuesta del nodo en %.60s: revise la red, que el nodo esté arriba y que "
                 "los certificados del perfil estén vigentes.",
                 cli->profile->address);
    }
}

int cli_fault(const struct cli *cli, const struct fault *found)
{
    struct fault explained = *found;
    const struct fault *fault = &explained;
    char detail[224];

    explain_network(cli, &explained, detail);
    if (cli->is_json) {
        cli_print(fault_json(fault));
    } else {
        fprintf(stderr, "enlace: %s\n  razón: %s (%s)\n", fault->remedy, fault->reason,
                rc_name(fault->rc));
        if (fault->path[0] != '\0') {
            fprintf(stderr, "  dónde: %s\n", fault->path);
        }
        if (detail[0] != '\0') {
            fprintf(stderr, "  detalle: %s\n", detail);
        }
    }
    return is_usage(fault) ? EXIT_USAGE : EXIT_FAILED;
}

int cli_usage(const struct cli *cli, const char *command, const char *format, ...)
{
    struct fault fault = {0};
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)refuse(&fault, RC_INVALID_ARGUMENT, "usage", command, "%s Vea «enlace %s --help».", text,
                 command);
    return cli_fault(cli, &fault);
}

int cli_need_profile(struct cli *cli)
{
    char error[PROFILE_ERROR_SIZE];
    struct fault fault = {0};

    if (cli->profile != NULL) {
        return EXIT_DONE;
    }
    if (cli->profile_path == NULL) {
        (void)refuse(&fault, RC_INVALID_ARGUMENT, "profile", "",
                     "Falta --profile ARCHIVO (o la variable ENLACE_PROFILE).");
        return cli_fault(cli, &fault);
    }
    if (profile_read(cli->profile_path, &cli->profile, error) != RC_OK) {
        (void)refuse(&fault, RC_INVALID_ARGUMENT, "profile", cli->profile_path, "%s", error);
        return cli_fault(cli, &fault);
    }
    return EXIT_DONE;
}

int cli_need_session(struct cli *cli)
{
    struct fault fault = {0};
    int status = cli_need_profile(cli);

    if (status == EXIT_DONE && cli->session == NULL &&
        session_open(cli->profile, &cli->session, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return status;
}

/* Apart from an adapter's, which holds its own all the time. Another `enlace` ends soon. */
int cli_need_spool(struct cli *cli)
{
    char path[CONF_TEXT_SIZE + 16];
    struct fault fault = {0};
    int status = cli_need_profile(cli);

    if (status != EXIT_DONE || cli->spool != NULL) {
        return status;
    }
    if (cli->profile->spool[0] == '\0') {
        (void)refuse(&fault, RC_FAILED_PRECONDITION, "profile.spool", cli->profile->path,
                     "El perfil no tiene «spool», la carpeta donde se guarda lo que se envía; "
                     "agréguela.");
        return cli_fault(cli, &fault);
    }
    snprintf(path, sizeof path, "%s/enlace", cli->profile->spool);
    for (int tries = 0; tries < 100; tries++) {
        struct timespec step = {0, 50 * 1000 * 1000};

        fault = (struct fault){0};
        if (spool_open(path, &cli->spool, &fault) == RC_OK) {
            return EXIT_DONE;
        }
        if (strcmp(fault.reason, "spool.busy") != 0) {
            break;
        }
        (void)nanosleep(&step, NULL);
    }
    return cli_fault(cli, &fault);
}

int cli_id(const struct cli *cli, const char *command, const char *text, struct id *id)
{
    return id_parse(text, id) == RC_OK ? EXIT_DONE
                                       : cli_usage(cli, command,
                                                   "Se esperaba un identificador como "
                                                   "0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11.");
}

void cli_print(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', stdout);
    json_decref(object);
}

void cli_time(int64_t instant_ms, char out[CLI_TIME_SIZE])
{
    time_t seconds = (time_t)((instant_ms + OFFSET_MS) / 1000);
    struct tm local;

    gmtime_r(&seconds, &local);
    if (strftime(out, CLI_TIME_SIZE, "%d/%m/%Y %H:%M:%S", &local) == 0) {
        out[0] = '\0';
    }
}

static const char *cause(int error)
{
    switch (error) {
    case ENOENT:
        return "no existe";
    case EACCES:
    case EPERM:
        return "no hay permiso";
    case EISDIR:
        return "es una carpeta";
    case ENOSPC:
        return "no hay espacio en disco";
    default:
        return strerror(error);
    }
}

enum rc cli_read_file(const char *path, size_t max, struct buffer *into, struct fault *fault)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char chunk[16384];
    size_t n;
    bool is_bad;

    if (file == NULL) {
        return refuse(fault, RC_NOT_FOUND, "file.unreadable", path,
                      "No se puede leer el archivo: %s.", cause(errno));
    }
    buffer_clear(into);
    while (into->size <= max && (n = fread(chunk, 1, sizeof chunk, file)) > 0) {
        buffer_put(into, chunk, n);
    }
    is_bad = ferror(file) != 0;
    if (file != stdin) {
        fclose(file);
    }
    explicit_bzero(chunk, sizeof chunk);
    if (is_bad || into->is_failed || into->size > max) {
        return refuse(fault, RC_OUT_OF_RANGE, "file.unreadable", path,
                      "No se pudo leer completo, o pasa de %zu KiB.", max >> 10);
    }
    return RC_OK;
}

enum rc cli_write_file(const char *path, struct bytes bytes, struct fault *fault)
{
    FILE *file = fopen(path, "we");
    bool is_written = file != NULL && fwrite(bytes.data, 1, bytes.size, file) == bytes.size;

    if (file != NULL && fclose(file) != 0) {
        is_written = false;
    }
    return is_written ? RC_OK
                      : refuse(fault, RC_UNAVAILABLE, "file.unwritable", path,
                               "No se puede escribir el archivo: %s.", cause(errno));
}
