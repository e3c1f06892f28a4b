/*
 * erase, hold and `log prune`: an order is made, signed by each on his or her own machine, and
 * sent. blocked: the authority reads what is blocked.
 *
 * The file that goes from hand to hand is a GiveOrderRequest (proto/enlace/v1/order.proto).
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/order_ask.h"
#include "client/profile.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "enlace/command.h"
#include "tlog/commit.h"
#include "tlog/control.h"
#include "tlog/text.h"

#define FILE_MAX ((size_t)64 << 10)

/* ---- the file ---- */

static enum rc load(const struct cli *cli, const char *path, struct order_signed *order,
                    struct fault *fault)
{
    OWN(buffer) bytes = {0};
    struct bytes copy;

    TRY(cli_read_file(path, FILE_MAX, &bytes, fault));
    copy = arena_copy(cli->arena, buffer_bytes(&bytes));
    if (copy.data == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "order.file", path, "El archivo está vacío.");
    }
    return codec_order_signed_read(copy, cli->arena, order, fault);
}

static enum rc store(const char *path, const struct order_signed *order, struct fault *fault)
{
    OWN(buffer) bytes = {0};

    codec_order_signed_write(order, &bytes);
    return bytes.is_failed
               ? refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.")
               : cli_write_file(path, buffer_bytes(&bytes), fault);
}

/* What one signs should be read before. */
static void show(const struct order_signed *signed_order)
{
    static const char *const kinds[] = {"", "supresión", "retención legal", "fin de una retención",
                                        "depuración de la bitácora"};
    const struct order *order = &signed_order->order;
    const struct order_target *target = &order->target;
    char id[ID_TEXT_SIZE];

    id_format(&order->id, id);
    printf("Orden %s: %s\n  institución %s, fundamento %s, motivo %s\n", id, kinds[order->kind],
           order->member, order->basis, order->reason);
    if (!id_is_zero(&target->message_id)) {
        id_format(&target->message_id, id);
        printf("  mensaje %s", id);
        printf(target->part != 0 ? ", parte %u (%s)\n" : "\n", target->part,
               compartment_name((enum compartment_type)(target->part % 256)));
    }
    if (!id_is_zero(&target->exchange_id)) {
        id_format(&target->exchange_id, id);
        printf("  intercambio %s\n", id);
    }
    for (size_t i = 0; i < target->subject_count; i++) {
        id_format(&target->subjects[i], id);
        printf("  persona %s\n", id);
    }
    for (size_t i = 0; i < target->attachment_count; i++) {
        id_format(&target->attachments[i], id);
        printf("  anexo %s\n", id);
    }
    if (order->kind == ORDER_RELEASE) {
        id_format(&order->lifts, id);
        printf("  levanta %s\n", id);
    }
    if (order->before_index > 0) {
        printf("  registros de las hojas anteriores a la %" PRIu64 "\n", order->before_index);
    } else if (order->kind == ORDER_PRUNE) {
        char before[CLI_TIME_SIZE];

        cli_time(order->before_ms, before);
        printf("  registros anteriores al %s\n", before);
    }
    printf("  firmas: %zu\n", signed_order->signature_count);
}

/* ---- new ---- */

struct wishes {
    struct order order;
    const char *path;
    enum compartment_type type;
    uint32_t subject;
};

static int add_id(const struct cli *cli, const char *command, struct id *ids, size_t *count)
{
    if (*count == ORDER_IDS_MAX) {
        return cli_usage(cli, command, "Son demasiados identificadores para una orden.");
    }
    return cli_id(cli, command, optarg, &ids[(*count)++]);
}

static int read_compartment(const struct cli *cli, const char *command, struct wishes *wishes)
{
    for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
        if (strcmp(optarg, compartment_name((enum compartment_type)type)) == 0) {
            wishes->type = (enum compartment_type)type;
            return EXIT_DONE;
        }
    }
    return cli_usage(cli, command, "No hay un compartimento «%s».", optarg);
}

static int read_subject(const struct cli *cli, const char *command, struct wishes *wishes)
{
    char *end;
    unsigned long value = strtoul(optarg, &end, 10);

    if (end == optarg || *end != '\0' || optarg[0] == '-' || value >= MESSAGE_SUBJECTS_MAX) {
        return cli_usage(cli, command,
                         "Se esperaba el lugar de la persona en el mensaje, desde 0.");
    }
    wishes->subject = (uint32_t)value;
    return EXIT_DONE;
}

/* A leaf's number, down to a whole step, or an instant. */
static int read_before(const struct cli *cli, const char *command, struct order *order)
{
    uint64_t index;

    if (text_decimal(bytes_text(optarg), &index) == RC_OK && index >= CONTROL_MINIMUM_STEP) {
        order->before_index = index - index % CONTROL_MINIMUM_STEP;
        return EXIT_DONE;
    }
    return clock_parse(bytes_text(optarg), &order->before_ms) == RC_OK
               ? EXIT_DONE
               : cli_usage(cli, command,
                           "Se esperaba el número de una hoja (desde %d, de 256 en 256) o una "
                           "fecha con zona (RFC 3339).",
                           CONTROL_MINIMUM_STEP);
}

static int read_option(const struct cli *cli, const char *command, int choice,
                       struct wishes *wishes)
{
    struct order *order = &wishes->order;
    struct order_target *target = &order->target;

    switch (choice) {
    case 'm':
        return cli_id(cli, command, optarg, &target->message_id);
    case 'x':
        return cli_id(cli, command, optarg, &target->exchange_id);
    case 'p':
        return add_id(cli, command, target->subjects, &target->subject_count);
    case 'a':
        return add_id(cli, command, target->attachments, &target->attachment_count);
    case 'c':
        return read_compartment(cli, command, wishes);
    case 's':
        return read_subject(cli, command, wishes);
    case 'b':
        order->basis = optarg;
        return EXIT_DONE;
    case 'r':
        order->reason = optarg;
        return EXIT_DONE;
    case 'i':
        order->member = optarg;
        return EXIT_DONE;
    case 'o':
        wishes->path = optarg;
        return EXIT_DONE;
    case 'B':
        return read_before(cli, command, order);
    default:
        return cli_usage(cli, command, "No se entiende una opción.");
    }
}

static int read_wishes(const struct cli *cli, const char *command, int argc, char **argv,
                       struct wishes *wishes)
{
    static const struct option names[] = {
        {"message", required_argument, NULL, 'm'},
        {"exchange", required_argument, NULL, 'x'},
        {"person", required_argument, NULL, 'p'},
        {"attachment", required_argument, NULL, 'a'},
        {"compartment", required_argument, NULL, 'c'},
        {"subject", required_argument, NULL, 's'},
        {"basis", required_argument, NULL, 'b'},
        {"reason", required_argument, NULL, 'r'},
        {"member", required_argument, NULL, 'i'},
        {"before", required_argument, NULL, 'B'},
        {NULL, 0, NULL, 0},
    };
    int status = EXIT_DONE;
    int choice;

    opterr = 0;
    while (status == EXIT_DONE && (choice = getopt_long(argc, argv, "o:", names, NULL)) != -1) {
        status = read_option(cli, command, choice, wishes);
    }
    if (status == EXIT_DONE && (wishes->path == NULL || wishes->order.basis[0] == '\0' ||
                                wishes->order.reason[0] == '\0')) {
        return cli_usage(cli, command, "Faltan --basis, --reason o -o ARCHIVO.");
    }
    return status;
}

static int make(struct cli *cli, const char *command, enum order_kind kind, int argc, char **argv)
{
    struct wishes wishes = {.order = {.kind = kind,
                                      .member = cli->profile->member,
                                      .basis = "",
                                      .reason = "",
                                      .created_at_ms = clock_now_ms()}};
    struct order_signed made = {0};
    OWN(buffer) bytes = {0};
    struct fault fault = {0};
    uint8_t random[10];
    int status = read_wishes(cli, command, argc, argv, &wishes);

    if (status == EXIT_DONE && kind == ORDER_RELEASE) {
        status = argc - optind == 1 ? cli_id(cli, command, argv[optind], &wishes.order.lifts)
                                    : cli_usage(cli, command, "Falta la retención que se levanta.");
    }
    if (status != EXIT_DONE) {
        return status;
    }
    random_fill(random, sizeof random);
    wishes.order.id = id_v7(wishes.order.created_at_ms, random);
    wishes.order.target.part =
        wishes.type == COMPARTMENT_NONE ? 0 : wishes.subject * 256 + (uint32_t)wishes.type;
    codec_order_write(&wishes.order, &bytes);
    made.bytes = buffer_bytes(&bytes);
    made.order = wishes.order;
    if (store(wishes.path, &made, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        char id[ID_TEXT_SIZE];

        id_format(&made.order.id, id);
        cli_print(json_pack("{s:s,s:s}", "order_id", id, "file", wishes.path));
        return EXIT_DONE;
    }
    show(&made);
    return EXIT_DONE;
}

/* ---- sign, send, status ---- */

static enum rc sign_with(struct cli *cli, struct order_signed *order, struct fault *fault)
{
    const struct profile *profile = cli->profile;
    struct signature *signature = &order->signatures[order->signature_count];
    OWN_PTR(actkey) key = NULL;
    OWN_PTR(cert) cert = NULL;
    uint8_t digest[DIGEST_SIZE];
    uint8_t der[ACTSIG_MAX];
    size_t size = 0;

    if (profile->official_key[0] == '\0' || order->signature_count == MESSAGE_SIGNATURES_MAX) {
        return refuse(fault, RC_FAILED_PRECONDITION, "profile.official", profile->path,
                      "Para firmar, agregue official_certificate y official_key a su perfil; "
                      "caben cuatro firmas.");
    }
    TRY(cert_load(profile->official_certificate, &cert, fault));
    TRY(actkey_load(profile->official_key, &key, fault));
    commit_order(order->bytes, digest);
    TRY(actkey_sign(key, digest, der, &size));
    signature->certificate = arena_copy(cli->arena, cert_der(cert));
    signature->signature = arena_copy(cli->arena, BYTES(der, size));
    order->signature_count++;
    return RC_OK;
}

static int sign(struct cli *cli, const char *command, int argc, char **argv)
{
    struct order_signed *order = arena_alloc(cli->arena, sizeof *order);
    struct fault fault = {0};

    if (argc != 2 || order == NULL) {
        return cli_usage(cli, command, "Falta el archivo de la orden.");
    }
    if (load(cli, argv[1], order, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (!cli->is_json) {
        show(order);
    }
    if (sign_with(cli, order, &fault) != RC_OK || store(argv[1], order, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (!cli->is_json) {
        printf("Firmada; lleva %zu firmas.\n", order->signature_count);
    }
    return EXIT_DONE;
}

static int print_pruning(const struct order_status *status, const char *id, const char *digest)
{
    static const char *const phases[ORDER_PHASES] = {
        [ORDER_BLOCKING] = "por comenzar",
        [ORDER_BLOCKED] = "asentada; se espera a los testigos",
        [ORDER_ERASING] = "se depura",
        [ORDER_ERASED] = "depurada",
    };

    printf("Orden %s: %s\n  huella %s\n  registros de las hojas anteriores a la %" PRIu64 "\n", id,
           phases[status->phase] != NULL ? phases[status->phase] : "", digest,
           status->before_index);
    if (status->held > 0) {
        printf("  una retención de la autoridad cubre %u de ellos: no se depura\n", status->held);
    }
    return EXIT_DONE;
}

static int print_answer(const struct cli *cli, const struct order_answer *answer)
{
    static const char *const phases[] = {"",
                                         "se bloquea",
                                         "se cambian las llaves de lo que queda",
                                         "bloqueada",
                                         "se suprime",
                                         "suprimida",
                                         "retención en vigor",
                                         "retención levantada"};
    const struct order_status *status = &answer->status;
    char id[ID_TEXT_SIZE];
    char due[CLI_TIME_SIZE] = "";
    char digest[2 * HASH_SIZE + 1];

    id_format(&status->id, id);
    hex_encode(status->digest.data, HASH_SIZE, digest);
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:s,s:s,s:i,s:i,s:I,s:I}", "order_id", id, "phase",
                            order_phase_name(status->phase), "digest", digest, "entries",
                            (int)status->entries, "held", (int)status->held, "due_at_ms",
                            (json_int_t)status->due_at_ms, "before_index",
                            (json_int_t)status->before_index));
        return EXIT_DONE;
    }
    if (status->before_index > 0) {
        return print_pruning(status, id, digest);
    }
    printf("Orden %s: %s\n  huella %s\n  mensajes: %u\n", id, phases[status->phase], digest,
           status->entries);
    if (status->held > 0) {
        printf("  una retención de la autoridad cubre %u de ellos: no se suprime\n", status->held);
    }
    if (status->phase == ORDER_BLOCKED) {
        cli_time(status->due_at_ms, due);
        printf("  se suprime a partir del %s\n", due);
    }
    return EXIT_DONE;
}

static int give(struct cli *cli, const char *command, int argc, char **argv)
{
    struct order_answer answer = {0};
    OWN(buffer) bytes = {0};
    struct fault fault = {0};
    int status = argc == 2 ? cli_need_session(cli)
                           : cli_usage(cli, command, "Falta el archivo de la orden.");

    if (status != EXIT_DONE) {
        return status;
    }
    if (cli_read_file(argv[1], FILE_MAX, &bytes, &fault) != RC_OK ||
        order_give(cli->session, buffer_bytes(&bytes), cli->arena, &answer, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return print_answer(cli, &answer);
}

static int ask_status(struct cli *cli, const char *command, int argc, char **argv)
{
    struct order_answer answer = {0};
    struct fault fault = {0};
    struct id id;
    int status = argc == 2 ? cli_id(cli, command, argv[1], &id)
                           : cli_usage(cli, command, "Falta el identificador de la orden.");

    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (order_get(cli->session, &id, cli->arena, &answer, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return print_answer(cli, &answer);
}

static int run(struct cli *cli, int argc, char **argv, enum order_kind kind)
{
    const char *command = argv[0];
    const char *verb = argc > 1 ? argv[1] : "";
    int status = cli_need_profile(cli);

    if (status != EXIT_DONE) {
        return status;
    }
    if (strcmp(verb, "new") == 0) {
        return make(cli, command, kind, argc - 1, argv + 1);
    }
    if (strcmp(verb, "lift") == 0 && kind == ORDER_HOLD) {
        return make(cli, command, ORDER_RELEASE, argc - 1, argv + 1);
    }
    if (strcmp(verb, "sign") == 0) {
        return sign(cli, command, argc - 1, argv + 1);
    }
    if (strcmp(verb, "send") == 0) {
        return give(cli, command, argc - 1, argv + 1);
    }
    if (strcmp(verb, "status") == 0) {
        return ask_status(cli, command, argc - 1, argv + 1);
    }
    return cli_usage(cli, command, "Diga qué: new, sign, send o status.");
}

int cmd_erase(struct cli *cli, int argc, char **argv)
{
    return run(cli, argc, argv, ORDER_ERASE);
}

int cmd_hold(struct cli *cli, int argc, char **argv)
{
    return run(cli, argc, argv, ORDER_HOLD);
}

int log_prune(struct cli *cli, int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == '-') { /* `log prune --before X -o FILE` is its `new` */
        int status = cli_need_profile(cli);

        return status == EXIT_DONE ? make(cli, "log", ORDER_PRUNE, argc, argv) : status;
    }
    return run(cli, argc, argv, ORDER_PRUNE);
}

/* ---- blocked ---- */

int cmd_blocked(struct cli *cli, int argc, char **argv)
{
    static const struct option names[] = {{"member", required_argument, NULL, 'i'},
                                          {"purpose", required_argument, NULL, 'p'},
                                          {NULL, 0, NULL, 0}};
    struct message *message = arena_alloc(cli->arena, sizeof *message);
    struct blocked_request request = {.member = "", .purpose = ""};
    OWN(buffer) bytes = {0};
    struct fault fault = {0};
    const char *path = NULL;
    int choice;
    int status;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "o:", names, NULL)) != -1) {
        switch (choice) {
        case 'i':
            request.member = optarg;
            break;
        case 'p':
            request.purpose = optarg;
            break;
        case 'o':
            path = optarg;
            break;
        default:
            return cli_usage(cli, "blocked", "No se entiende una opción.");
        }
    }
    if (argc - optind != 1 || path == NULL || message == NULL) {
        return cli_usage(cli, "blocked", "Faltan el identificador o -o ARCHIVO.");
    }
    status = cli_id(cli, "blocked", argv[optind], &request.message_id);
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (order_read_blocked(cli->session, &request, cli->arena, message, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    codec_message_write(message, &bytes);
    if (cli_write_file(path, buffer_bytes(&bytes), &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (!cli->is_json) {
        printf("Guardado en %s; la lectura quedó en la bitácora.\n", path);
    }
    return EXIT_DONE;
}
