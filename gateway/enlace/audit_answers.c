#include "enlace/audit_answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/session.h"
#include "enlace/command.h"
#include "tlog/leaf.h"

struct printing {
    struct audit_taker taker; /* first */
    struct cli *cli;
    const struct audit_query *query;
    json_t *rows; /* NULL: text */
    uint64_t disclosures;
};

const char *audit_kind_text(enum record_kind kind)
{
    static const char *const texts[RECORD_KINDS] = {
        "",
        "enviado",
        "recibido",
        "entregado",
        "rechazado",
        "rechazos contados",
        "lectura",
        "supresión",
        "vulneración",
        "directorio",
        "fin de lectura",
        "auditoría cerrada",
        "llave de etiquetas entregada",
        "latido",
        "época",
    };

    return texts[kind] != NULL ? texts[kind] : record_kind_name(kind);
}

static const char *type_text(const struct record *record)
{
    const char *name = message_type_name(record->type);

    return name != NULL ? name : "";
}

static const char *transfer_text(enum transfer transfer)
{
    return transfer == TRANSFER_TRANSFERENCIA ? "transferencia"
           : transfer == TRANSFER_REMISION    ? "remisión"
                                              : "";
}

static const char *consent_text(enum consent consent)
{
    static const char *const texts[] = {"", "otorgado", "impedida para otorgarlo",
                                        "no se requiere"};

    return consent <= CONSENT_NOT_NEEDED ? texts[consent] : "";
}

static void sealed_text(uint32_t types, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (int type = 1; type < COMPARTMENT_TYPES; type++) {
        if ((types >> type & 1) != 0 && used < size) {
            int count = snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
                                 compartment_name((enum compartment_type)type));

            used += count > 0 ? (size_t)count : 0;
        }
    }
}

static void add_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        json_object_set_new(object, name, json_string(text));
    }
}

static void add_id(json_t *object, const char *name, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    if (!id_is_zero(id)) {
        id_format(id, text);
        json_object_set_new(object, name, json_string(text));
    }
}

static void add_hash(json_t *object, const char *name, struct bytes hash)
{
    char hex[2 * HASH_SIZE + 1];

    if (hash.size == HASH_SIZE) {
        hex_encode(hash.data, HASH_SIZE, hex);
        json_object_set_new(object, name, json_string(hex));
    }
}

static json_t *record_json(const struct leaf *leaf, const struct record *record)
{
    json_t *row = json_pack("{s:I,s:I,s:s}", "index", (json_int_t)leaf->index, "time",
                            (json_int_t)leaf->time_s, "kind", record_kind_name(record->kind));
    char fields[1024];
    char sealed[256];

    field_set_describe(record->fields_sent, fields, sizeof fields);
    sealed_text(record->sealed_types, sealed, sizeof sealed);
    add_id(row, "message_id", &record->message_id);
    add_id(row, "exchange_id", &record->exchange_id);
    add_id(row, "parent_exchange_id", &record->parent_exchange_id);
    add_text(row, "from", record->from);
    add_text(row, "to", record->to);
    add_text(row, "hosted_by", record->hosted_by);
    add_text(row, "actor", record->actor);
    add_text(row, "official", record->official);
    add_text(row, "approver", record->approver);
    add_text(row, "type", type_text(record));
    add_text(row, "catalogue_code", record->catalogue_code);
    add_text(row, "event", record->event != EVENT_NONE ? event_name(record->event) : "");
    add_text(row, "occurred_on", record->occurred_on);
    add_text(row, "purpose", record->purpose);
    add_text(row, "legal_basis", record->legal_basis);
    add_text(row, "aviso", record->aviso);
    add_text(row, "consent", consent_text(record->consent));
    add_text(row, "route", record->route);
    add_text(row, "fields", fields);
    add_text(row, "sealed", sealed);
    add_text(row, "transfer", transfer_text(record->transfer));
    add_text(row, "reason", record->reason);
    add_text(row, "reason_path", record->reason_path);
    add_hash(row, "purpose_commitment", record->purpose_commitment);
    add_hash(row, "query_sha256", record->query_sha256);
    if (record->count > 0) {
        json_object_set_new(row, "count", json_integer(record->count));
    }
    if (record->urgency == URGENCY_URGENT) {
        json_object_set_new(row, "urgent", json_true());
    }
    return row;
}

static void print_line(const struct leaf *leaf, const struct record *record)
{
    char when[CLI_TIME_SIZE];
    char id[ID_TEXT_SIZE] = "";

    cli_time((int64_t)leaf->time_s * 1000, when);
    if (!id_is_zero(&record->exchange_id)) {
        id_format(&record->exchange_id, id);
    }
    printf("✔ %8" PRIu64 "  %s  %-9s  %s%s%s  %s %s  %s%s%s\n", leaf->index, when,
           audit_kind_text(record->kind), record->from, record->to[0] != '\0' ? " → " : "",
           record->to, type_text(record), record->catalogue_code, record->reason, record->purpose,
           id);
}

/* What 45 CFR 164.528 counts, and the LGPDPPSO: when, to whom, what, why, on what basis. */
static void print_disclosure(const struct leaf *leaf, const struct record *record)
{
    char when[CLI_TIME_SIZE];
    char fields[1024];
    char sealed[256];

    cli_time((int64_t)leaf->time_s * 1000, when);
    field_set_describe(record->fields_sent, fields, sizeof fields);
    sealed_text(record->sealed_types, sealed, sizeof sealed);
    printf("✔ %s  hoja %" PRIu64 "\n", when, leaf->index);
    printf("    a quién      %s (de %s; %s)\n", record->to, record->from,
           transfer_text(record->transfer));
    printf("    qué          %s %s%s%s%s%s\n", type_text(record), record->catalogue_code,
           fields[0] != '\0' ? "; en claro: " : "", fields, sealed[0] != '\0' ? "; sellado: " : "",
           sealed);
    printf("    para qué     %s (ruta %s)\n", record->purpose, record->route);
    printf("    fundamento   %s; aviso %s; consentimiento %s\n", record->legal_basis, record->aviso,
           consent_text(record->consent));
    printf("    quién actuó  %s%s%s\n", record->actor, record->official[0] != '\0' ? " por " : "",
           record->official);
}

static bool is_disclosure(const struct record *record)
{
    return record->kind == RECORD_SENT || record->kind == RECORD_RECEIVED;
}

static enum rc take(struct audit_taker *taker, const struct audit_entry *entry,
                    const struct leaf *leaf, const struct record *record, struct fault *fault)
{
    struct printing *printing = (struct printing *)taker;
    bool is_person = !id_is_zero(&printing->query->person);

    (void)entry;
    (void)fault;
    printing->disclosures += is_disclosure(record);
    if (printing->rows != NULL) {
        json_array_append_new(printing->rows, record_json(leaf, record));
    } else if (is_person && is_disclosure(record)) {
        print_disclosure(leaf, record);
    } else {
        print_line(leaf, record);
    }
    return RC_OK;
}

static int print_end(const struct printing *printing, const struct audit_find_end *end)
{
    if (printing->rows != NULL) {
        cli_print(json_pack("{s:s,s:I,s:I,s:b,s:I,s:I,s:o}", "log", end->head.origin, "size",
                            (json_int_t)end->size, "indexed_to", (json_int_t)end->indexed_to,
                            "verified", 1, "found", (json_int_t)end->found, "disclosures",
                            (json_int_t)printing->disclosures, "records", printing->rows));
        return EXIT_DONE;
    }
    printf("%" PRIu64 " de %" PRIu64 " registros verificados bajo el sello de %s, hasta la hoja "
           "%" PRIu64 ".\n",
           end->found, end->found, end->head.origin, end->size);
    if (!id_is_zero(&printing->query->person)) {
        puts("Que no falte ninguno se comprueba con «enlace audit rescan».");
    }
    return EXIT_DONE;
}

int audit_answer(struct cli *cli, const struct petition *petition)
{
    struct printing printing = {.taker = {take},
                                .cli = cli,
                                .query = &petition->query,
                                .rows = cli->is_json ? json_array() : NULL};
    OWN_PTR(audit_find) find = NULL;
    struct audit_find_end end;
    struct fault fault = {0};

    if (audit_find_open(cli->session, petition, &find, &fault) != RC_OK ||
        audit_find_all(find, 0, &printing.taker, &end, &fault) != RC_OK) {
        json_decref(printing.rows);
        return cli_fault(cli, &fault);
    }
    return print_end(&printing, &end);
}
