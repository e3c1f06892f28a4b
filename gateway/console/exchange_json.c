#include "console/exchange_json.h"

#include <string.h>

#include "client/json_facts.h"
#include "client/reading.h"
#include "client/send.h"
#include "model/lifecycle.h"
#include "policy/catalogue.h"

static void add_instant(json_t *object, const char *name, int64_t instant_ms)
{
    if (instant_ms != 0) {
        json_object_set_new(object, name, json_integer(instant_ms / 1000));
    }
}

static void add_number(json_t *object, const char *name, uint32_t number)
{
    if (number != 0) {
        json_object_set_new(object, name, json_integer(number));
    }
}

const char *exchange_phrase(const char *code)
{
    const struct catalogue_entry *entry = catalogue_find(code);

    return entry != NULL ? entry->phrase : code;
}

json_t *exchange_header_json(const struct header *header)
{
    json_t *object = json_pack("{s:s,s:b}", "type", message_type_name(header->type), "urgent",
                               header->urgency == URGENCY_URGENT);

    json_add_id(object, "message_id", &header->message_id);
    json_add_id(object, "exchange_id", &header->exchange_id);
    json_add_id(object, "regards", &header->regards);
    json_add_text(object, "from", header->from);
    json_add_text(object, "to", header->to);
    json_add_text(object, "official", header->on_behalf_of);
    json_add_text(object, "catalogue_code", header->catalogue_code);
    json_add_text(object, "phrase", exchange_phrase(header->catalogue_code));
    json_add_text(object, "purpose", header->purpose);
    json_add_text(object, "legal_basis", header->legal_basis);
    json_add_text(object, "plan", header->has_plan ? header->plan_id : "");
    json_add_text(object, "event", header->event != EVENT_NONE ? event_name(header->event) : "");
    json_add_text(object, "reason", header->reason);
    json_add_text(object, "competent", header->competent);
    json_add_text(object, "occurred_at", header->occurred_at);
    add_number(object, "item", header->item);
    add_number(object, "occurrence", header->occurrence);
    add_instant(object, "created_at", header->created_at_ms);
    return object;
}

/* ---- how far it is ---- */

static json_t *items_json(const struct track *track)
{
    json_t *items = json_array();

    for (size_t i = 0; i < track->item_count; i++) {
        const struct item_state *item = &track->items[i];

        json_array_append_new(
            items, json_pack("{s:i,s:s,s:s,s:s,s:i,s:I}", "number", (int)item->number, "code",
                             item->code, "phrase", exchange_phrase(item->code), "state",
                             state_name(item->state), "occurrences", (int)item->occurrences,
                             "changed_at", (json_int_t)(item->changed_at_ms / 1000)));
    }
    return items;
}

static json_t *clocks_json(const struct track *track)
{
    json_t *clocks = json_array();

    for (size_t i = 0; i < track->clock_count; i++) {
        const struct clock_state *clock = &track->clocks[i];
        json_t *one =
            json_pack("{s:s,s:s,s:s,s:i,s:b,s:s}", "id", clock->id, "anchor", clock->anchor, "stop",
                      clock->stop, "percent_left", (int)clock->percent_left, "overdue",
                      clock->is_overdue, "late", clock->late);

        add_number(one, "item", clock->item);
        add_instant(one, "due_at", clock->due_at_ms);
        add_instant(one, "stopped_at", clock->stopped.occurred_at_ms);
        json_array_append_new(clocks, one);
    }
    return clocks;
}

static bool may_do(const struct track *track, enum event event, enum side side)
{
    for (size_t i = 0; i < track->item_count; i++) {
        if (lifecycle_step(track->items[i].state, event, side) != NULL) {
            return true;
        }
    }
    return false;
}

/* Custody is the system's own doing. */
static json_t *steps_json(const struct track *track, enum side side)
{
    json_t *steps = json_array();

    for (int event = EVENT_ACCEPT; event < EVENTS; event++) {
        if (may_do(track, (enum event)event, side)) {
            json_array_append_new(steps,
                                  json_pack("{s:s,s:b}", "event", event_name((enum event)event),
                                            "signed", event_is_signed((enum event)event)));
        }
    }
    return steps;
}

void exchange_add_track(json_t *object, const struct track *track, const char *member)
{
    bool is_ours = strcmp(track->from, member) == 0;

    json_object_set_new(object, "items", items_json(track));
    json_object_set_new(object, "clocks", clocks_json(track));
    json_object_set_new(object, "steps",
                        steps_json(track, is_ours ? SIDE_REQUESTER : SIDE_EXECUTOR));
    json_object_set_new(object, "ours", json_boolean(is_ours));
    add_instant(object, "received_at", track->received_at_ms);
    add_instant(object, "now", track->now_ms);
    json_add_id(object, "parent_exchange_id", &track->parent_exchange_id);
}

json_t *exchange_sent_json(const struct sent *sent)
{
    char id[ID_TEXT_SIZE];

    id_format(&sent->file.message_id, id);
    return json_pack("{s:s,s:s,s:I,s:I}", "message_id", id, "log", sent->facts.origin, "index",
                     (json_int_t)sent->facts.index, "time",
                     (json_int_t)(sent->facts.time_ms / 1000));
}

json_t *exchange_part_json(const struct reading_part *part)
{
    json_t *fields = json_array();
    size_t catalogue_size;
    const struct field *catalogue = field_catalogue(&catalogue_size);

    for (size_t i = 0; part->is_read && i < part->count; i++) {
        json_array_append_new(fields, json_pack("{s:s,s:s,s:s}", "path",
                                                catalogue[part->values[i].field].path, "label",
                                                catalogue[part->values[i].field].label, "text",
                                                part->values[i].text));
    }
    return json_pack("{s:s,s:b,s:b,s:s,s:o}", "type",
                     compartment_name(compartment_type(part->compartment)), "sealed",
                     part->compartment->is_sealed, "readable", part->is_read, "remedy",
                     part->fault.remedy, "fields", fields);
}
