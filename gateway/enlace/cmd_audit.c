/* audit: questions to a node's log, with a purpose that is opened at the end. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/audit_seen.h"
#include "client/petition.h"
#include "client/profile.h"
#include "client/session.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "enlace/audit_answers.h"
#include "enlace/audit_mine.h"
#include "enlace/audit_rescan.h"
#include "enlace/command.h"
#include "enlace/expediente.h"

#define HOUR_S ((int64_t)3600)
#define DAY_S (24 * HOUR_S)
/* Mexico City's midnight in UTC. */
#define MIDNIGHT_S (6 * HOUR_S)

struct asking {
    const char *verb;
    const char *file;   /* the first argument after the verb */
    const char *folder; /* the second */
    const char *purpose;
    const char *audit_path;
    const char *output;
    const char *law;    /* a copy of the directory's texts */
    const char *answer; /* of an authority of time stamps */
    const char *tsa;
    bool is_mine; /* `audit --mine` */
    struct audit_query query;
};

static int read_day(const struct cli *cli, const char *text, int64_t *time_s, bool is_end)
{
    int64_t instant_ms;
    int32_t day;

    if (clock_parse_date(bytes_text(text), &day) == RC_OK) {
        *time_s = day * DAY_S + MIDNIGHT_S + (is_end ? DAY_S : 0);
        return EXIT_DONE;
    }
    if (clock_parse(bytes_text(text), &instant_ms) == RC_OK) {
        *time_s = instant_ms / 1000;
        return EXIT_DONE;
    }
    return cli_usage(cli, "audit", "«%s» no es una fecha como 2026-11-23.", text);
}

static int read_kind(const struct cli *cli, const char *text, enum record_kind *kind)
{
    *kind = record_kind_from_name(text);
    return *kind != RECORD_NONE ? EXIT_DONE
                                : cli_usage(cli, "audit",
                                            "«%s» no es una clase: sent, received, refused, "
                                            "reading, reading-ended, audit-closed …",
                                            text);
}

static int read_option(const struct cli *cli, int choice, struct asking *asking)
{
    struct audit_query *query = &asking->query;

    switch (choice) {
    case 'p':
        asking->purpose = optarg;
        return EXIT_DONE;
    case 'a':
        asking->audit_path = optarg;
        return EXIT_DONE;
    case 'o':
        asking->output = optarg;
        return EXIT_DONE;
    case 'f':
        return read_day(cli, optarg, &query->from_s, false);
    case 't':
        return read_day(cli, optarg, &query->to_s, true);
    case 'm':
        query->member = optarg;
        return EXIT_DONE;
    case 'r':
        query->route = optarg;
        return EXIT_DONE;
    case 'k':
        return read_kind(cli, optarg, &query->kind);
    case 'x':
        return cli_id(cli, "audit", optarg, &query->exchange_id);
    case 'P':
        return cli_id(cli, "audit", optarg, &query->person);
    case 'H':
        query->holder = optarg;
        return EXIT_DONE;
    case 'w':
        asking->law = optarg;
        return EXIT_DONE;
    case 's':
        asking->answer = optarg;
        return EXIT_DONE;
    case 'T':
        asking->tsa = optarg;
        return EXIT_DONE;
    case 'K':
        query->wants_tag_key = true;
        return EXIT_DONE;
    case 'M':
        asking->is_mine = true;
        return EXIT_DONE;
    default:
        return cli_usage(cli, "audit", "No se entiende una opción.");
    }
}

static int read_arguments(const struct cli *cli, int argc, char **argv, struct asking *asking)
{
    static const struct option names[] = {
        {"purpose", required_argument, NULL, 'p'},
        {"audit", required_argument, NULL, 'a'},
        {"output", required_argument, NULL, 'o'},
        {"from", required_argument, NULL, 'f'},
        {"to", required_argument, NULL, 't'},
        {"member", required_argument, NULL, 'm'},
        {"route", required_argument, NULL, 'r'},
        {"kind", required_argument, NULL, 'k'},
        {"exchange", required_argument, NULL, 'x'},
        {"person", required_argument, NULL, 'P'},
        {"holder", required_argument, NULL, 'H'},
        {"tag-key", no_argument, NULL, 'K'},
        {"with", required_argument, NULL, 'w'},
        {"answer", required_argument, NULL, 's'},
        {"tsa", required_argument, NULL, 'T'},
        {"mine", no_argument, NULL, 'M'},
        {NULL, 0, NULL, 0},
    };
    int choice;

    *asking = (struct asking){.query = {.member = "", .route = "", .holder = ""}};
    opterr = 0;
    while ((choice = getopt_long(argc, argv, "o:", names, NULL)) != -1) {
        int status = read_option(cli, choice, asking);

        if (status != EXIT_DONE) {
            return status;
        }
    }
    if (asking->is_mine && optind == argc) {
        asking->verb = "mine";
        return EXIT_DONE;
    }
    if (optind == argc || argc - optind > 3) {
        return cli_usage(cli, "audit",
                         "Se esperaba --mine, open, query, bundle, stamp, request, approve, "
                         "person, rescan o close.");
    }
    asking->verb = argv[optind];
    asking->file = optind + 1 < argc ? argv[optind + 1] : NULL;
    asking->folder = optind + 2 < argc ? argv[optind + 2] : NULL;
    return EXIT_DONE;
}

/* ---- files: only their owner's, and never over another ---- */

static enum rc write_new(const char *path, struct bytes bytes, bool is_new, struct fault *fault)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (is_new ? O_EXCL : O_TRUNC), 0600);
    bool is_written = fd >= 0 && write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size;

    if (fd >= 0 && close(fd) != 0) {
        is_written = false;
    }
    return is_written ? RC_OK
                      : refuse(fault, RC_UNAVAILABLE, "file.unwritable", path,
                               "No se puede escribir el archivo: %s.",
                               errno == EEXIST ? "ya existe" : "revise carpeta y espacio");
}

static enum rc read_case(const char *path, struct audit_case *audit, struct fault *fault)
{
    OWN(buffer) text = {0};

    TRY(cli_read_file(path, AUDIT_CASE_SIZE_MAX, &text, fault));
    return audit_case_parse(buffer_bytes(&text), audit) == RC_OK
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "file.audit", path,
                        "Ese archivo no es una auditoría; ábrala con «enlace audit open».");
}

static enum rc read_petition(const struct cli *cli, const char *path, struct petition *petition,
                             struct fault *fault)
{
    OWN(buffer) text = {0};

    TRY(cli_read_file(path, PETITION_SIZE_MAX, &text, fault));
    return petition_parse(buffer_bytes(&text), cli->arena, petition) == RC_OK
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "file.petition", path,
                        "Ese archivo no es una petición; hágala con «enlace audit request».");
}

/* ---- verbs ---- */

static int verb_open(struct cli *cli, struct asking *asking)
{
    OWN(buffer) text = {0};
    struct audit_case audit;
    struct fault fault = {0};

    if (asking->purpose == NULL || asking->output == NULL) {
        return cli_usage(cli, "audit", "Faltan --purpose C y -o ARCHIVO.");
    }
    if (audit_case_make(asking->purpose, &audit, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    audit_case_write(&audit, &text);
    if (write_new(asking->output, buffer_bytes(&text), true, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:s}", "audit", asking->output, "purpose", audit.purpose));
    } else {
        printf("Auditoría «%s» en %s. Guárdela: hasta cerrarla, la bitácora sólo muestra un "
               "compromiso con su propósito.\n",
               audit.purpose, asking->output);
    }
    return EXIT_DONE;
}

/* Who asks, which log, under which purpose: the rest is the command line's. */
static enum rc complete(struct cli *cli, struct asking *asking, struct audit_case *audit,
                        struct petition *petition, struct fault *fault)
{
    struct audit_query *query = &asking->query;
    uint8_t commitment[HASH_SIZE];
    struct ping ping;

    if (asking->audit_path == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "usage", "--audit",
                      "Falta --audit ARCHIVO, el de «enlace audit open».");
    }
    if (cli->profile->own_log_count == 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "profile.node_log", cli->profile->path,
                      "El perfil no tiene la llave de la bitácora (node_log): nada se podría "
                      "verificar.");
    }
    TRY(read_case(asking->audit_path, audit, fault));
    TRY(ask_ping(cli->session, cli->arena, &ping, fault));
    audit_case_commitment(audit, commitment);
    random_fill(query->query_id.bytes, ID_SIZE);
    query->reader = ping.you;
    query->origin = cli->profile->logs[0].name;
    query->purpose_commitment = BYTES_OF(commitment);
    return petition_make(audit, query, cli->arena, petition);
}

static int verb_query(struct cli *cli, struct asking *asking)
{
    struct petition petition;
    struct audit_case audit;
    struct fault fault = {0};
    char seen_path[AUDIT_SEEN_PATH_MAX];

    if (!id_is_zero(&asking->query.person) || asking->query.holder[0] != '\0') {
        return cli_usage(cli, "audit", "Lo de una persona se pide con «audit request».");
    }
    if (complete(cli, asking, &audit, &petition, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    snprintf(seen_path, sizeof seen_path, "%.*s.sello", (int)sizeof seen_path - 7,
             asking->audit_path);
    return audit_answer(cli, &petition, seen_path);
}

static int verb_request(struct cli *cli, struct asking *asking)
{
    OWN(buffer) text = {0};
    struct petition petition;
    struct audit_case audit;
    struct fault fault = {0};

    if (id_is_zero(&asking->query.person) || asking->query.holder[0] == '\0' ||
        asking->output == NULL) {
        return cli_usage(cli, "audit", "Faltan --person ID, --holder MIEMBRO o -o ARCHIVO.");
    }
    asking->query.expires_s = clock_now_ms() / 1000 + DAY_S - HOUR_S;
    if (complete(cli, asking, &audit, &petition, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    petition_write(&petition, &text);
    if (write_new(asking->output, buffer_bytes(&text), true, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s}", "petition", asking->output));
    } else {
        printf("Petición en %s. La aprueba otra persona de su institución: «enlace audit approve "
               "%s», en el curso de un día.\n",
               asking->output, asking->output);
    }
    return EXIT_DONE;
}

static void print_petition(const struct petition *petition)
{
    char person[ID_TEXT_SIZE];
    char until[CLI_TIME_SIZE];

    id_format(&petition->query.person, person);
    cli_time(petition->query.expires_s * 1000, until);
    printf("Aprueba usted que\n    %s\n  lea en la bitácora %s\n  los registros de %s sobre la "
           "persona %s%s\n  con el propósito «%s», a más tardar el %s.\n",
           petition->query.reader, petition->query.origin, petition->query.holder, person,
           petition->query.wants_tag_key ? ", y reciba la llave de sus etiquetas" : "",
           petition->audit.purpose, until);
}

/* As the profile's official; without one, with the certificate that it connects with. */
static enum rc approve(const struct cli *cli, struct petition *petition, struct fault *fault)
{
    const struct profile *profile = cli->profile;
    bool is_official = profile->official_certificate[0] != '\0';
    OWN_PTR(cert) cert = NULL;
    OWN_PTR(actkey) key = NULL;

    if (cert_load(is_official ? profile->official_certificate : profile->certificate, &cert,
                  NULL) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "profile.certificate", profile->path,
                      "No se pudo leer el certificado de quien aprueba.");
    }
    TRY(actkey_load(is_official ? profile->official_key : profile->key, &key, fault));
    return petition_approve(petition, cert, key, cli->arena) == RC_OK
               ? RC_OK
               : refuse(fault, RC_INTERNAL, "audit.unsigned", "", "No se pudo firmar.");
}

static int verb_approve(struct cli *cli, struct asking *asking)
{
    OWN(buffer) text = {0};
    struct petition petition;
    struct fault fault = {0};

    if (read_petition(cli, asking->file, &petition, &fault) != RC_OK ||
        approve(cli, &petition, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    petition_write(&petition, &text);
    if (write_new(asking->output != NULL ? asking->output : asking->file, buffer_bytes(&text),
                  asking->output != NULL, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:b}", "petition",
                            asking->output != NULL ? asking->output : asking->file, "approved", 1));
    } else {
        print_petition(&petition);
        puts("Firmada.");
    }
    return EXIT_DONE;
}

static int verb_person(struct cli *cli, struct asking *asking)
{
    struct petition petition;
    struct fault fault = {0};

    if (read_petition(cli, asking->file, &petition, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return audit_answer(cli, &petition, NULL);
}

static int verb_rescan(struct cli *cli, struct asking *asking)
{
    struct petition petition;
    struct fault fault = {0};

    if (asking->folder == NULL) {
        return cli_usage(cli, "audit", "Falta la carpeta de «log export --entries».");
    }
    if (read_petition(cli, asking->file, &petition, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return audit_rescan(cli, &petition, asking->folder);
}

static int verb_bundle(struct cli *cli, struct asking *asking)
{
    struct expediente_options options = {.folder = asking->output, .law = asking->law};
    struct audit_case audit;
    struct fault fault = {0};

    if (id_is_zero(&asking->query.exchange_id) || asking->output == NULL) {
        return cli_usage(cli, "audit", "Faltan --exchange ID o -o CARPETA.");
    }
    if (complete(cli, asking, &audit, &options.petition, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return expediente_make(cli, &options);
}

static int verb_stamp(struct cli *cli, struct asking *asking)
{
    if (asking->answer == NULL || asking->tsa == NULL) {
        return cli_usage(cli, "audit", "Faltan --answer RESPUESTA.tsr o --tsa PEM.");
    }
    return expediente_stamp(cli, asking->file, asking->answer, asking->tsa);
}

static int verb_close(struct cli *cli, struct asking *asking)
{
    struct audit_closed closed;
    struct audit_case audit;
    struct fault fault = {0};

    if (read_case(asking->file, &audit, &fault) != RC_OK ||
        audit_case_close(cli->session, &audit, &closed, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:I,s:I,s:I}", "purpose", audit.purpose, "index",
                            (json_int_t)closed.index, "sessions", (json_int_t)closed.sessions,
                            "records", (json_int_t)closed.records));
    } else {
        printf("Auditoría «%s» cerrada en la hoja %" PRIu64 ": %" PRIu32 " lecturas, %" PRIu64
               " registros mostrados.\n",
               audit.purpose, closed.index, closed.sessions, closed.records);
    }
    return EXIT_DONE;
}

static int verb_mine(struct cli *cli, struct asking *asking)
{
    (void)asking;
    return audit_mine(cli);
}

int cmd_audit(struct cli *cli, int argc, char **argv)
{
    static const struct {
        const char *name;
        bool needs_node;
        bool needs_file;
        int (*run)(struct cli *cli, struct asking *asking);
    } verbs[] = {
        {"open", false, false, verb_open},      {"query", true, false, verb_query},
        {"request", true, false, verb_request}, {"approve", false, true, verb_approve},
        {"person", true, true, verb_person},    {"rescan", true, true, verb_rescan},
        {"bundle", true, false, verb_bundle},   {"stamp", false, true, verb_stamp},
        {"close", true, true, verb_close},      {"mine", true, false, verb_mine},
    };
    struct asking asking;
    int status = read_arguments(cli, argc, argv, &asking);

    for (size_t i = 0; status == EXIT_DONE && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, asking.verb) != 0) {
            continue;
        }
        if (verbs[i].needs_file && asking.file == NULL) {
            return cli_usage(cli, "audit", "Falta el archivo.");
        }
        if (strcmp(asking.verb, "open") != 0 && strcmp(asking.verb, "stamp") != 0) {
            status = verbs[i].needs_node ? cli_need_session(cli) : cli_need_profile(cli);
        }
        return status == EXIT_DONE ? verbs[i].run(cli, &asking) : status;
    }
    return status != EXIT_DONE ? status
                               : cli_usage(cli, "audit", "No hay «audit %s».", asking.verb);
}
