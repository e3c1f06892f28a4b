#include "client/record_json.h"

#include <stdio.h>

#include "client/json_facts.h"
#include "tlog/leaf.h"

const char *record_kind_text(enum record_kind kind)
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
        "orden de supresión",
        "retención legal",
        "fin de retención legal",
        "conservación",
        "plazo",
    };

    return texts[kind] != NULL ? texts[kind] : record_kind_name(kind);
}

const char *record_type_name(const struct record *record)
{
    const char *name = message_type_name(record->type);

    return name != NULL ? name : "";
}

const char *record_transfer_text(enum transfer transfer)
{
    return transfer == TRANSFER_TRANSFERENCIA ? "transferencia"
           : transfer == TRANSFER_REMISION    ? "remisión"
                                              : "";
}

const char *record_consent_text(enum consent consent)
{
    static const char *const texts[] = {"", "otorgado", "impedida para otorgarlo",
                                        "no se requiere"};

    return consent <= CONSENT_NOT_NEEDED ? texts[consent] : "";
}

void record_sealed_text(uint32_t types, char *out, size_t size)
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

static void add_hash(json_t *object, const char *name, struct bytes hash)
{
    char hex[2 * HASH_SIZE + 1];

    if (hash.size == HASH_SIZE) {
        hex_encode(hash.data, HASH_SIZE, hex);
        json_object_set_new(object, name, json_string(hex));
    }
}

json_t *record_json(const struct leaf *leaf, const struct record *record)
{
    json_t *row = json_pack("{s:I,s:I,s:s}", "index", (json_int_t)leaf->index, "time",
                            (json_int_t)leaf->time_s, "kind", record_kind_name(record->kind));
    char fields[1024];
    char sealed[256];

    field_set_describe(record->fields_sent, fields, sizeof fields);
    record_sealed_text(record->sealed_types, sealed, sizeof sealed);
    json_add_id(row, "message_id", &record->message_id);
    json_add_id(row, "exchange_id", &record->exchange_id);
    json_add_id(row, "parent_exchange_id", &record->parent_exchange_id);
    json_add_text(row, "from", record->from);
    json_add_text(row, "to", record->to);
    json_add_text(row, "hosted_by", record->hosted_by);
    json_add_text(row, "actor", record->actor);
    json_add_text(row, "official", record->official);
    json_add_text(row, "approver", record->approver);
    json_add_text(row, "type", record_type_name(record));
    json_add_text(row, "catalogue_code", record->catalogue_code);
    json_add_text(row, "event", record->event != EVENT_NONE ? event_name(record->event) : "");
    json_add_text(row, "occurred_on", record->occurred_on);
    json_add_text(row, "purpose", record->purpose);
    json_add_text(row, "legal_basis", record->legal_basis);
    json_add_text(row, "aviso", record->aviso);
    json_add_text(row, "consent", record_consent_text(record->consent));
    json_add_text(row, "route", record->route);
    json_add_text(row, "fields", fields);
    field_set_describe(record->fields_withheld, fields, sizeof fields);
    json_add_text(row, "withheld", fields);
    json_add_text(row, "sealed", sealed);
    json_add_text(row, "transfer", record_transfer_text(record->transfer));
    json_add_text(row, "reason", record->reason);
    json_add_text(row, "reason_path", record->reason_path);
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
