/*
 * inbox: what waits for this system. Without --ack nothing is taken, and it comes again.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/attach.h"
#include "client/author.h"
#include "client/compose.h"
#include "client/profile.h"
#include "client/reading.h"
#include "client/receipt_file.h"
#include "client/spool.h"
#include "client/watch.h"
#include "crypto/digest.h"
#include "enlace/command.h"

#define WINDOW 256
#define ENTRY_ARENA_MAX ((size_t)8 << 20)

struct inbox_reader {
    struct attach_user user; /* first */
    struct cli *cli;
    struct attach *attach;
    struct arena *arena; /* of one delivery */
    bool takes;
    bool is_full;
    const char *save;
    json_t *list;
    size_t count;
    size_t refused;
    struct reading_keys keys;
};

static void inbox_reader_release(struct inbox_reader *reader)
{
    reading_keys_release(&reader->keys);
    arena_free(reader->arena);
    json_decref(reader->list);
}

/* ---- what stands in it ---- */

static json_t *fields_json(const struct reading_part *part)
{
    json_t *fields;
    size_t catalogue_size;

    if (!part->is_read) {
        return json_null();
    }
    fields = json_array();
    for (size_t i = 0; i < part->count; i++) {
        const struct field_value *value = &part->values[i];
        const struct field *field = &field_catalogue(&catalogue_size)[value->field];

        json_array_append_new(fields, json_pack("{s:s,s:s,s:i,s:s}", "path", field->path, "label",
                                                field->label, "entry", (int)value->entry, "text",
                                                value->text));
    }
    return fields;
}

static json_t *compartments_json(const struct inbox_reader *reader, const struct message *message)
{
    json_t *list = json_array();
    struct reading reading = {0};

    if (reading_open(message, &reader->keys, reader->arena, &reading) != RC_OK) {
        return list;
    }
    for (size_t i = 0; i < reading.count; i++) {
        const struct compartment *compartment = reading.parts[i].compartment;
        json_t *one = json_pack("{s:i,s:s,s:b}", "subject", (int)compartment_subject(compartment),
                                "type", compartment_name(compartment_type(compartment)), "sealed",
                                compartment->is_sealed);

        if (reader->is_full) {
            json_object_set_new(one, "fields", fields_json(&reading.parts[i]));
        }
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *items_json(const struct header *header)
{
    json_t *list = json_array();

    for (size_t i = 0; i < header->item_count; i++) {
        const struct item *item = &header->items[i];

        json_array_append_new(list, json_pack("{s:i,s:s,s:i,s:s}", "number", (int)item->number,
                                              "code", item->code, "count", (int)item->cadence_count,
                                              "ends_on", item->ends_on));
    }
    return list;
}

static json_t *delivery_json(const struct inbox_reader *reader, const struct delivery *delivery)
{
    const struct header *header = &delivery->message->header;
    char id[ID_TEXT_SIZE];
    char exchange[ID_TEXT_SIZE];
    json_t *object;

    id_format(&header->message_id, id);
    id_format(&header->exchange_id, exchange);
    object =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:b}", "message_id", id, "exchange_id",
                  exchange, "type", message_type_name(header->type), "from", header->from,
                  "from_system", header->from_system, "catalogue_code", header->catalogue_code,
                  "urgent", header->urgency == URGENCY_URGENT, "on_behalf_of", header->on_behalf_of,
                  "occurred_at", header->occurred_at, "redelivered", delivery->is_redelivered);
    json_object_set_new(object, "settled_before", json_boolean(delivery->was_settled));
    if (header->break_glass[0] != '\0') {
        json_object_set_new(object, "break_glass", json_string(header->break_glass));
    }
    if (header->type == MESSAGE_ACT) {
        json_object_set_new(object, "event", json_string(event_name(header->event)));
        json_object_set_new(object, "reason", json_string(header->reason));
    }
    json_object_set_new(object, "item", json_integer(header->item));
    json_object_set_new(object, "occurrence", json_integer(header->occurrence));
    json_object_set_new(object, "items", items_json(header));
    json_object_set_new(object, "compartments", compartments_json(reader, delivery->message));
    return object;
}

static void print_fields(json_t *compartments)
{
    json_t *compartment;
    json_t *field;
    size_t i;
    size_t j;

    json_array_foreach(compartments, i, compartment)
    {
        json_t *fields = json_object_get(compartment, "fields");

        printf("      %s%s%s\n", json_string_value(json_object_get(compartment, "type")),
               json_is_true(json_object_get(compartment, "sealed")) ? " (sellado)" : "",
               json_is_null(fields) ? ": no se puede abrir con este perfil" : "");
        json_array_foreach(fields, j, field)
        {
            printf("        %s: %s\n", json_string_value(json_object_get(field, "label")),
                   json_string_value(json_object_get(field, "text")));
        }
    }
}

static void print_delivery(const struct delivery *delivery, json_t *object)
{
    const struct header *header = &delivery->message->header;
    char id[ID_TEXT_SIZE];

    id_format(&header->message_id, id);
    printf("%s  %s%s %s", id, header->urgency == URGENCY_URGENT ? "URGENTE " : "",
           message_type_name(header->type),
           header->type == MESSAGE_ACT ? event_name(header->event) : header->catalogue_code);
    if (header->item != 0) {
        printf(" medida %u", header->item);
    }
    if (header->occurrence != 0) {
        printf(" ocurrencia %u", header->occurrence);
    }
    if (header->occurred_at[0] != '\0') {
        printf(" el %.10s", header->occurred_at);
    }
    printf("  de %s%s\n", header->from,
           delivery->was_settled      ? "  (repetido a petición: ya se había tomado)"
           : delivery->is_redelivered ? "  (repetido)"
                                      : "");
    if (header->break_glass[0] != '\0') {
        printf("      SIN ESPERAR lo que faltaba, por %s: %s\n", header->on_behalf_of,
               header->break_glass);
    }
    for (size_t i = 0; i < header->item_count; i++) {
        printf("      %2u  %s\n", header->items[i].number, header->items[i].code);
    }
    print_fields(json_object_get(object, "compartments"));
    fflush(stdout);
}

/* ---- taking it ---- */

/* R2. */
static enum rc take_custody(struct inbox_reader *reader, const struct message *message)
{
    struct cli *cli = reader->cli;
    const struct author author = {cli->profile, cli->session, cli->spool, false};
    OWN(composed) composed = {0};
    struct spool_entry entries[2];
    OWN(buffer) bytes = {0};
    struct fault fault = {0};

    TRY(author_custody(&author, message, &composed, &fault));
    codec_message_write(message, &bytes);
    entries[0] =
        (struct spool_entry){SPOOL_INBOX, message->header.message_id, buffer_bytes(&bytes)};
    entries[1] =
        (struct spool_entry){SPOOL_OUTBOX, composed.message_id, buffer_bytes(&composed.request)};
    TRY(spool_store(cli->spool, entries, 2));
    return attach_submit(reader->attach, buffer_bytes(&composed.request));
}

/* What proves that it came, or was said, outlives it. */
static enum rc keep_receipts(struct inbox_reader *reader, const struct id *id,
                             const uint8_t commitment[HASH_SIZE], const struct receipt *receipts,
                             size_t count)
{
    struct receipt_file file = {.message_id = *id, .count = count};
    struct spool_entry entry = {SPOOL_RECEIPTS, *id, {0}};
    OWN(buffer) text = {0};

    memcpy(file.commitment, commitment, HASH_SIZE);
    memcpy(file.receipts, receipts, count * sizeof *receipts);
    receipt_file_write(&file, &text);
    entry.bytes = buffer_bytes(&text);
    return text.is_failed ? RC_RESOURCE_EXHAUSTED : spool_store(reader->cli->spool, &entry, 1);
}

static enum rc take(struct inbox_reader *reader, const struct delivery *delivery,
                    const uint8_t commitment[HASH_SIZE])
{
    const struct message *message = delivery->message;
    const struct receipt both[] = {delivery->sender_receipt, delivery->receipt};

    TRY(keep_receipts(reader, &message->header.message_id, commitment, both, 2));
    if (message_opens(message)) {
        cli_keep_exchange(reader->cli, message);
    }
    if (message_wants_custody(message->header.type) && !delivery->was_settled) {
        return take_custody(reader, message);
    }
    return attach_acknowledge(reader->attach, &message->header.message_id);
}

static enum rc save(struct inbox_reader *reader, const struct message *message)
{
    char path[512];
    char id[ID_TEXT_SIZE];
    struct fault fault = {0};
    OWN(buffer) bytes = {0};

    id_format(&message->header.message_id, id);
    snprintf(path, sizeof path, "%s/%s.message", reader->save, id);
    codec_message_write(message, &bytes);
    return cli_write_file(path, buffer_bytes(&bytes), &fault);
}

static bool on_delivery(struct attach_user *user, const struct delivery *delivery,
                        const uint8_t commitment[HASH_SIZE])
{
    struct inbox_reader *reader = (struct inbox_reader *)user;
    json_t *object = delivery_json(reader, delivery);

    if (reader->cli->is_json) {
        json_array_append(reader->list, object);
    } else {
        print_delivery(delivery, object);
    }
    json_decref(object);
    arena_reset(reader->arena);
    reader->count++;
    if (reader->save != NULL && save(reader, delivery->message) != RC_OK) {
        return false;
    }
    return !reader->takes || take(reader, delivery, commitment) == RC_OK;
}

static void on_result(struct attach_user *user, const struct submit_result *result,
                      const uint8_t commitment[HASH_SIZE])
{
    struct inbox_reader *reader = (struct inbox_reader *)user;

    if (result->fault.rc != RC_OK) {
        reader->refused++;
        fprintf(stderr, "enlace: custodia no aceptada: %s (%s)\n", result->fault.remedy,
                result->fault.reason);
    }
    if (result->fault.rc == RC_OK &&
        keep_receipts(reader, &result->message_id, commitment, &result->receipt, 1) != RC_OK) {
        return; /* stays in the outbox: «resend» asks for its receipt */
    }
    spool_remove(reader->cli->spool, SPOOL_OUTBOX, &result->message_id);
}

/* ---- running ---- */

/* What had been taken already comes again, from a leaf or an instant on. */
static int order_again(struct cli *cli, struct redeliver again)
{
    struct fault fault = {0};
    unsigned long long count = 0;

    do {
        if (watch_redeliver(cli->session, &again, cli->arena, &fault) != RC_OK) {
            return cli_fault(cli, &fault);
        }
        count += again.count;
        again.from = again.next;
    } while (again.next != 0);
    if (!cli->is_json) {
        printf("Se entregan otra vez %llu mensajes.\n", count);
    }
    return EXIT_DONE;
}

static bool read_from(const char *text, struct redeliver *again)
{
    char *end;

    again->from = strtoull(text, &end, 10);
    return end != text && *end == '\0' && text[0] != '-';
}

static int read_urgency(struct inbox_reader *reader, enum urgency urgency, int quiet_ms)
{
    struct attach_config config = {.session = reader->cli->session,
                                   .user = &reader->user,
                                   .urgency = urgency,
                                   .window = WINDOW,
                                   .submissions_max = 2 * WINDOW};
    OWN_PTR(attach) attach = attach_new(&config);
    struct fault fault = {0};

    if (attach == NULL) {
        return EXIT_FAILED;
    }
    reader->attach = attach;
    if (attach_run(attach, quiet_ms, &fault) != RC_OK) {
        return cli_fault(reader->cli, &fault);
    }
    return attach_figures(attach).unproven == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int load_seal(struct inbox_reader *reader)
{
    struct fault fault = {0};

    return !reader->is_full ||
                   reading_keys_load(reader->cli->profile, &reader->keys, &fault) == RC_OK
               ? EXIT_DONE
               : cli_fault(reader->cli, &fault);
}

static int run(struct inbox_reader *reader, bool is_urgent, bool is_ordinary, int quiet_ms)
{
    int status = EXIT_DONE;

    if (is_urgent) {
        status = read_urgency(reader, URGENCY_URGENT, quiet_ms);
    }
    if (is_ordinary && status == EXIT_DONE) {
        status = read_urgency(reader, URGENCY_ORDINARY, quiet_ms);
    }
    if (reader->cli->is_json && status == EXIT_DONE) {
        cli_print(json_pack("{s:O}", "deliveries", reader->list));
    } else if (reader->count == 0 && status == EXIT_DONE) {
        puts("No hay nada pendiente.");
    }
    return status == EXIT_DONE && reader->refused > 0 ? EXIT_FAILED : status;
}

int cmd_inbox(struct cli *cli, int argc, char **argv)
{
    static const struct option names[] = {
        {"ack", no_argument, NULL, 'a'},        {"urgent", no_argument, NULL, 'u'},
        {"ordinary", no_argument, NULL, 'o'},   {"full", no_argument, NULL, 'f'},
        {"from", required_argument, NULL, '0'}, {"since", required_argument, NULL, '1'},
        {"follow", no_argument, NULL, 'F'},     {"wait", required_argument, NULL, 'w'},
        {"save", required_argument, NULL, 's'}, {NULL, 0, NULL, 0},
    };
    OWN(inbox_reader) reader = {.user = {on_delivery, on_result}, .cli = cli, .list = json_array()};
    bool is_urgent = false;
    bool is_ordinary = false;
    struct redeliver again = {0};
    bool wants_again = false;
    bool is_understood = true;
    int quiet_ms = 1000;
    int choice;
    int status;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (choice) {
        case 'a':
            reader.takes = true;
            break;
        case 'u':
            is_urgent = true;
            break;
        case 'o':
            is_ordinary = true;
            break;
        case 'f':
            reader.is_full = true;
            break;
        case 'F':
            quiet_ms = -1;
            break;
        case 'w':
            quiet_ms = atoi(optarg);
            break;
        case 's':
            reader.save = optarg;
            break;
        case '0':
            is_understood = is_understood && read_from(optarg, &again);
            wants_again = true;
            break;
        case '1':
            is_understood =
                is_understood && clock_parse(bytes_text(optarg), &again.from_ms) == RC_OK;
            wants_again = true;
            break;
        default:
            return cli_usage(cli, "inbox", "No se entiende una opción.");
        }
    }
    if (!is_understood) {
        return cli_usage(cli, "inbox",
                         "--from es el número de una hoja; --since, un instante con "
                         "zona: 2026-11-24T03:10:00-06:00.");
    }
    if (optind != argc || (quiet_ms < 0 && is_urgent == is_ordinary)) {
        return cli_usage(cli, "inbox", "--follow es de una sola urgencia: --urgent o --ordinary.");
    }
    reader.arena = arena_new(ENTRY_ARENA_MAX);
    status = cli_need_session(cli);
    status = status == EXIT_DONE && reader.takes ? cli_need_spool(cli) : status;
    status = status == EXIT_DONE ? load_seal(&reader) : status;
    status = status == EXIT_DONE && wants_again ? order_again(cli, again) : status;
    if (status != EXIT_DONE || reader.arena == NULL) {
        return status != EXIT_DONE ? status : EXIT_FAILED;
    }
    if (!is_urgent && !is_ordinary) {
        is_urgent = is_ordinary = true;
    }
    return run(&reader, is_urgent, is_ordinary, quiet_ms);
}
