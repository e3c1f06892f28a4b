/*
 * cmd_duty - who is woken and for what: the signed duty roster from draft to folder; the open calls
 * of one's institution, and the answer of a named official.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/duty_ask.h"
#include "client/profile.h"
#include "crypto/keyring.h"
#include "enlace/command.h"
#include "policy/directory_file.h"
#include "policy/duty_roster.h"
#include "policy/law_folder.h"
#include "tlog/note.h"

/* ---- the roster ---- */

static int new_roster(const struct cli *cli, const char *member)
{
    if (member == NULL) {
        return cli_usage(cli, "duty", "Se espera: new RED/CLAVE.");
    }
    printf("enlace-duty v1\nmember %s\nversion 1\nin-force 2027-01-01..2027-12-31\n\n"
           "# Quién contesta, en qué orden y por dónde se le avisa: smtp, webhook o command. La\n"
           "# semana completa queda cubierta; las horas son locales.\n"
           "shift dia\n  days mon..sun\n  hours 08:00-20:00\n"
           "  official CLAVE-1 smtp guardia@ejemplo.gob.mx\n"
           "  official CLAVE-2 webhook https://avisos.ejemplo.gob.mx/guardia\n\n"
           "shift noche\n  days mon..sun\n  hours 20:00-08:00\n"
           "  official CLAVE-3 command sms\n",
           member);
    return EXIT_DONE;
}

static struct bytes text_of(struct bytes bytes, struct note *note)
{
    return note_parse(bytes, note) == RC_OK ? note->text : bytes;
}

static int check_roster(const struct cli *cli, const char *path)
{
    struct duty_roster *roster = arena_alloc(cli->arena, sizeof *roster);
    OWN(buffer) bytes = {0};
    struct fault fault = {0};
    struct note note;

    if (path == NULL || roster == NULL) {
        return cli_usage(cli, "duty", "Se espera: check ARCHIVO.");
    }
    if (cli_read_file(path, NOTE_SIZE_MAX, &bytes, &fault) != RC_OK ||
        duty_roster_parse(text_of(buffer_bytes(&bytes), &note), roster, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:b,s:s,s:I,s:I}", "ok", 1, "member", roster->member, "version",
                            (json_int_t)roster->version, "shifts",
                            (json_int_t)roster->shift_count));
        return EXIT_DONE;
    }
    printf("Guardia de %s versión %llu: se entiende y cubre toda la semana (%zu turnos).\n",
           roster->member, (unsigned long long)roster->version, roster->shift_count);
    return EXIT_DONE;
}

/* sign ARCHIVO --key LLAVE --name NOMBRE -o NOTA */
static int sign_roster(const struct cli *cli, int argc, char **argv)
{
    const char *key = NULL;
    const char *name = NULL;
    const char *out = NULL;
    OWN(buffer) bytes = {0};
    OWN(buffer) note = {0};
    OWN_PTR(keyring) keyring = NULL;
    struct fault fault = {0};

    for (int at = 3; at + 1 < argc; at += 2) {
        key = strcmp(argv[at], "--key") == 0 ? argv[at + 1] : key;
        name = strcmp(argv[at], "--name") == 0 ? argv[at + 1] : name;
        out = strcmp(argv[at], "-o") == 0 ? argv[at + 1] : out;
    }
    if (argc != 9 || key == NULL || name == NULL || out == NULL) {
        return cli_usage(cli, "duty", "Se espera: sign ARCHIVO --key LLAVE --name NOMBRE -o NOTA.");
    }
    if (check_roster(cli, argv[2]) != EXIT_DONE) {
        return EXIT_FAILED;
    }
    if (cli_read_file(argv[2], NOTE_SIZE_MAX, &bytes, &fault) != RC_OK ||
        keyring_load(key, &keyring, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (note_sign(buffer_bytes(&bytes), name, keyring, &note) != RC_OK) {
        refuse(&fault, RC_INVALID_ARGUMENT, "note.malformed", name,
               "El texto ya lleva firma, o el nombre no es de una llave C2SP.");
        return cli_fault(cli, &fault);
    }
    return cli_write_file(out, buffer_bytes(&note), &fault) == RC_OK ? EXIT_DONE
                                                                     : cli_fault(cli, &fault);
}

/* publish NOTA --with CARPETA --to CARPETA: what the node would refuse is refused here. */
static int publish_roster(const struct cli *cli, int argc, char **argv)
{
    struct duty_roster *roster = arena_alloc(cli->arena, sizeof *roster);
    OWN(buffer) bytes = {0};
    OWN_PTR(directory) directory = NULL;
    struct fault fault = {0};
    char name[CODE_SIZE + 16];
    const char *with = NULL;
    const char *to = NULL;

    for (int at = 3; at + 1 < argc; at += 2) {
        with = strcmp(argv[at], "--with") == 0 ? argv[at + 1] : with;
        to = strcmp(argv[at], "--to") == 0 ? argv[at + 1] : to;
    }
    if (argc != 7 || with == NULL || to == NULL || roster == NULL) {
        return cli_usage(cli, "duty", "Se espera: publish NOTA --with DIRECTORIO --to CARPETA.");
    }
    if (cli_read_file(argv[2], NOTE_SIZE_MAX, &bytes, &fault) != RC_OK ||
        cli_read_law(with, &directory, &fault) != RC_OK ||
        duty_roster_read(directory, buffer_bytes(&bytes), clock_local_day(clock_now_ms()), roster,
                         &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    snprintf(name, sizeof name, "%s.duty.note", roster->member);
    *strchr(name, '/') = '.';
    if (law_folder_put(to, name, buffer_bytes(&bytes)) != RC_OK) {
        refuse(&fault, RC_UNAVAILABLE, "cli.write", to, "No se puede escribir en la carpeta.");
        return cli_fault(cli, &fault);
    }
    printf("Publicada en %s/%s\n", to, name);
    return EXIT_DONE;
}

/* ---- the calls ---- */

static const char *words_of(const struct dutycall *call)
{
    static const char *const words[DUTYCALL_KINDS] = {"",
                                                      "plazo",
                                                      "nadie lo recibe",
                                                      "presupuesto de urgencias",
                                                      "disco del nodo",
                                                      "revisión",
                                                      "aviso de otra institución"};

    return words[call->key.kind];
}

static const char *state_words(const struct dutycall *call)
{
    static const char *const words[DUTYCALL_STATES] = {"",         "sin avisar aún",
                                                       "avisado",  "pasó a otra institución",
                                                       "atendido", "su causa desapareció"};

    return words[call->state];
}

static const char *name_of(const char *uri)
{
    const char *slash = strrchr(uri, '/');

    return slash != NULL ? slash + 1 : uri;
}

static json_t *call_json(const struct duty_shown *shown)
{
    const struct dutycall *call = &shown->call;
    char exchange[ID_TEXT_SIZE];
    char reference[2 * ID_SIZE + 1];

    id_format(&call->key.exchange, exchange);
    hex_encode(shown->reference.bytes, ID_SIZE, reference);
    return json_pack("{s:I,s:s,s:s,s:s,s:s,s:i,s:s,s:i,s:s,s:I,s:I,s:i,s:I,s:s,s:s,s:I,s:b}",
                     "number", (json_int_t)call->number, "reference", reference, "kind",
                     dutycall_kind_name(call->key.kind), "state", dutycall_state_name(call->state),
                     "exchange_id", exchange, "item", (int)call->key.item, "clock", call->key.clock,
                     "percent", (int)call->key.percent, "urgency",
                     call->urgency == URGENCY_URGENT ? "urgent" : "ordinary", "due_at_ms",
                     (json_int_t)call->due_ms, "made_at_ms", (json_int_t)call->made_at_ms, "told",
                     (int)call->told, "told_at_ms", (json_int_t)call->told_at_ms, "actor",
                     call->actor, "moved_to", call->moved_to, "over_at_ms",
                     (json_int_t)call->over_at_ms, "misuse", call->is_misuse);
}

static void print_call(const struct duty_shown *shown)
{
    const struct dutycall *call = &shown->call;
    char when[CLI_TIME_SIZE];
    char exchange[ID_TEXT_SIZE];

    printf("%6llu  %-9s %s", (unsigned long long)call->number,
           call->urgency == URGENCY_URGENT ? "urgente" : "ordinario", words_of(call));
    if (call->key.kind == DUTYCALL_CLOCK) {
        printf(" %s al %u %%", call->key.clock, call->key.percent);
    } else if (call->key.kind == DUTYCALL_BUDGET) {
        printf(" al %u %%", call->key.percent);
    } else if (call->key.kind == DUTYCALL_RELAYED) {
        printf(" (%s)", call->because);
    }
    if (call->due_ms > 0) {
        cli_time(call->due_ms, when);
        printf(", vence %s", when);
    }
    printf("\n        %s", state_words(call));
    if (call->state == DUTYCALL_MOVED) {
        printf(": %s", call->moved_to);
    } else if (call->actor[0] != '\0') {
        cli_time(dutycall_is_over(call->state) ? call->over_at_ms : call->told_at_ms, when);
        printf(": %s, %s%s", name_of(call->actor), when, call->is_misuse ? ", no era urgente" : "");
    }
    fputc('\n', stdout);
    if (call->key.kind == DUTYCALL_CLOCK || call->key.kind == DUTYCALL_UNDELIVERED ||
        call->key.kind == DUTYCALL_REVIEW) {
        id_format(&call->key.exchange, exchange);
        printf("        intercambio %s\n", exchange);
    }
}

static int get_list(struct cli *cli, bool is_over, struct duty_list *list)
{
    struct duty_list_request request = {.is_over = is_over};
    struct fault fault = {0};
    int status = cli_need_session(cli);

    if (status != EXIT_DONE) {
        return status;
    }
    return duty_ask_list(cli->session, &request, cli->arena, list, &fault) == RC_OK
               ? EXIT_DONE
               : cli_fault(cli, &fault);
}

static int list_calls(struct cli *cli, int argc, char **argv)
{
    struct duty_list *list = arena_alloc(cli->arena, sizeof *list);
    bool is_over = argc > 2 && strcmp(argv[2], "--over") == 0;
    json_t *rows;
    int status;

    if (list == NULL || argc > 3 || (argc == 3 && !is_over)) {
        return cli_usage(cli, "duty", "Se espera: list [--over].");
    }
    status = get_list(cli, is_over, list);
    if (status != EXIT_DONE) {
        return status;
    }
    if (cli->is_json) {
        rows = json_array();
        for (size_t i = 0; i < list->call_count; i++) {
            json_array_append_new(rows, call_json(&list->calls[i]));
        }
        cli_print(json_pack("{s:o}", "calls", rows));
        return EXIT_DONE;
    }
    for (size_t i = 0; i < list->call_count; i++) {
        print_call(&list->calls[i]);
    }
    if (list->call_count == 0) {
        puts(is_over ? "Ninguno terminado." : "Nada pendiente.");
    }
    return EXIT_DONE;
}

static int show_urgency(struct cli *cli)
{
    struct duty_list *list = arena_alloc(cli->arena, sizeof *list);
    json_t *rows = json_array();
    int status = list != NULL ? get_list(cli, false, list) : EXIT_FAILED;

    if (status != EXIT_DONE) {
        json_decref(rows);
        return status;
    }
    if (!cli->is_json) {
        puts("día (UTC)    urgentes      bytes  rechazados  con dispensa  no eran urgentes");
    }
    for (size_t i = 0; i < list->day_count; i++) {
        const struct urgency_day *day = &list->days[i];
        char date[CLOCK_TEXT_SIZE];

        clock_format_date(day->day, date);
        if (!cli->is_json) {
            printf("%s %10u %10llu %11u %13u %17u\n", date, day->messages,
                   (unsigned long long)day->bytes, day->refused, day->waived, day->misused);
        }
        json_array_append_new(
            rows, json_pack("{s:s,s:I,s:I,s:I,s:I,s:I}", "day", date, "messages",
                            (json_int_t)day->messages, "bytes", (json_int_t)day->bytes, "refused",
                            (json_int_t)day->refused, "waived", (json_int_t)day->waived, "misused",
                            (json_int_t)day->misused));
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:O}", "urgency", rows));
    }
    json_decref(rows);
    return EXIT_DONE;
}

/* The open call of that number, or a printed error. */
static int find_call(struct cli *cli, const char *text, struct duty_shown *found)
{
    struct duty_list *list = arena_alloc(cli->arena, sizeof *list);
    struct fault fault = {0};
    char *end = NULL;
    unsigned long long number = text != NULL ? strtoull(text, &end, 10) : 0;
    int status;

    if (list == NULL || number == 0 || *end != '\0') {
        return cli_usage(cli, "duty", "Falta el número del aviso; vea «enlace duty list».");
    }
    for (int is_over = 0; is_over < 2; is_over++) {
        status = get_list(cli, is_over != 0, list);
        if (status != EXIT_DONE) {
            return status;
        }
        for (size_t i = 0; i < list->call_count; i++) {
            if (list->calls[i].call.number == number) {
                *found = list->calls[i];
                return EXIT_DONE;
            }
        }
    }
    refuse(&fault, RC_NOT_FOUND, "duty.unknown", text,
           "No hay un aviso suyo con ese número; vea «enlace duty list».");
    return cli_fault(cli, &fault);
}

static int answer(struct cli *cli, const char *number, enum duty_outcome outcome)
{
    struct duty_shown shown;
    struct duty_answer made = {.outcome = outcome};
    struct fault fault = {0};
    int status = cli_need_profile(cli);

    status = status == EXIT_DONE ? find_call(cli, number, &shown) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    made.member = cli->profile->member;
    made.number = shown.call.number;
    made.reference = shown.reference;
    made.created_at_ms = clock_now_ms();
    if (duty_ask_answer(cli->session, &made, cli->arena, &shown, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(call_json(&shown));
    } else {
        print_call(&shown);
    }
    return EXIT_DONE;
}

static int review(struct cli *cli, int argc, char **argv)
{
    bool is_misuse = argc == 4 && strcmp(argv[3], "--misuse") == 0;

    if (argc != 4 || (!is_misuse && strcmp(argv[3], "--justified") != 0)) {
        return cli_usage(cli, "duty", "Se espera: review NÚMERO --justified o --misuse.");
    }
    return answer(cli, argv[2], is_misuse ? DUTY_MISUSE : DUTY_JUSTIFIED);
}

int cmd_duty(struct cli *cli, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    const char *first = argc > 2 ? argv[2] : NULL;

    if (strcmp(verb, "new") == 0) {
        return new_roster(cli, first);
    }
    if (strcmp(verb, "check") == 0) {
        return check_roster(cli, first);
    }
    if (strcmp(verb, "sign") == 0) {
        return sign_roster(cli, argc, argv);
    }
    if (strcmp(verb, "publish") == 0) {
        return publish_roster(cli, argc, argv);
    }
    if (strcmp(verb, "list") == 0) {
        return list_calls(cli, argc, argv);
    }
    if (strcmp(verb, "ack") == 0) {
        return answer(cli, first, DUTY_ATTENDED);
    }
    if (strcmp(verb, "review") == 0) {
        return review(cli, argc, argv);
    }
    if (strcmp(verb, "urgency") == 0) {
        return show_urgency(cli);
    }
    return cli_usage(cli, "duty",
                     "Se espera new, check, sign, publish, list, ack, review o urgency.");
}
