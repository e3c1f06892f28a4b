#include "rpc/codec_shape.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "enlace/v1/audit.pb-c.h"
#include "enlace/v1/duty.pb-c.h"
#include "enlace/v1/exchange.pb-c.h"
#include "enlace/v1/federation.pb-c.h"
#include "enlace/v1/message.pb-c.h"
#include "enlace/v1/operation.pb-c.h"
#include "enlace/v1/official.pb-c.h"
#include "enlace/v1/order.pb-c.h"
#include "enlace/v1/parcel.pb-c.h"
#include "enlace/v1/receipt.pb-c.h"
#include "enlace/v1/watch.pb-c.h"

#define SHAPES_MAX 256
#define RULES_MAX 1024

/* SubmitStreamRequest and the requests by one id have the bytes of the one that stands here. */
static const ProtobufCMessageDescriptor *const roots[SHAPE_ROOTS] = {
    [SHAPE_IDENTITY] = &enlace__v1__identity_compartment__descriptor,
    [SHAPE_CONTACT] = &enlace__v1__contact_compartment__descriptor,
    [SHAPE_LOCATION] = &enlace__v1__location_compartment__descriptor,
    [SHAPE_SCHEDULE] = &enlace__v1__schedule_compartment__descriptor,
    [SHAPE_RELATIVES] = &enlace__v1__relatives_compartment__descriptor,
    [SHAPE_HEALTH] = &enlace__v1__health_compartment__descriptor,
    [SHAPE_LEGAL] = &enlace__v1__legal_compartment__descriptor,
    [SHAPE_SOCIAL] = &enlace__v1__social_compartment__descriptor,
    [SHAPE_NARRATIVE] = &enlace__v1__narrative_compartment__descriptor,
    [SHAPE_ATTACHMENTS] = &enlace__v1__attachments_compartment__descriptor,
    [SHAPE_HEADER] = &enlace__v1__header__descriptor,
    [SHAPE_MESSAGE] = &enlace__v1__message__descriptor,
    [SHAPE_SUBMIT_REQUEST] = &enlace__v1__submit_request__descriptor,
    [SHAPE_SUBMIT_RESPONSE] = &enlace__v1__submit_response__descriptor,
    [SHAPE_SUBMIT_STREAM_RESPONSE] = &enlace__v1__submit_stream_response__descriptor,
    [SHAPE_AUDIT_RECORD] = &enlace__v1__audit_record__descriptor,
    [SHAPE_ATTACH_REQUEST] = &enlace__v1__attach_request__descriptor,
    [SHAPE_ATTACH_RESPONSE] = &enlace__v1__attach_response__descriptor,
    [SHAPE_ID_REQUEST] = &enlace__v1__track_request__descriptor,
    [SHAPE_TRACK_RESPONSE] = &enlace__v1__track_response__descriptor,
    [SHAPE_RECEIPTS_RESPONSE] = &enlace__v1__get_receipts_response__descriptor,
    [SHAPE_PING_RESPONSE] = &enlace__v1__ping_response__descriptor,
    [SHAPE_EXCHANGE_REQUEST] = &enlace__v1__exchange_request__descriptor,
    [SHAPE_EXCHANGE_RESPONSE] = &enlace__v1__exchange_response__descriptor,
    [SHAPE_ADD_CHECKPOINT_REQUEST] = &enlace__v1__add_checkpoint_request__descriptor,
    [SHAPE_ADD_CHECKPOINT_RESPONSE] = &enlace__v1__add_checkpoint_response__descriptor,
    [SHAPE_GET_CHECKPOINT_REQUEST] = &enlace__v1__get_checkpoint_request__descriptor,
    [SHAPE_GET_CHECKPOINT_RESPONSE] = &enlace__v1__get_checkpoint_response__descriptor,
    [SHAPE_PUT_ATTACHMENT_REQUEST] = &enlace__v1__put_attachment_request__descriptor,
    [SHAPE_PUT_ATTACHMENT_RESPONSE] = &enlace__v1__put_attachment_response__descriptor,
    [SHAPE_GET_ATTACHMENT_REQUEST] = &enlace__v1__get_attachment_request__descriptor,
    [SHAPE_GET_ATTACHMENT_RESPONSE] = &enlace__v1__get_attachment_response__descriptor,
    [SHAPE_REPLAY_REQUEST] = &enlace__v1__replay_request__descriptor,
    [SHAPE_REPLAY_RESPONSE] = &enlace__v1__replay_response__descriptor,
    [SHAPE_FOLLOW_REQUEST] = &enlace__v1__follow_request__descriptor,
    [SHAPE_FOLLOW_RESPONSE] = &enlace__v1__follow_response__descriptor,
    [SHAPE_GET_SEEN_REQUEST] = &enlace__v1__get_seen_request__descriptor,
    [SHAPE_GET_SEEN_RESPONSE] = &enlace__v1__get_seen_response__descriptor,
    [SHAPE_READ_RECORDS_REQUEST] = &enlace__v1__read_records_request__descriptor,
    [SHAPE_READ_RECORDS_RESPONSE] = &enlace__v1__read_records_response__descriptor,
    [SHAPE_ORDER] = &enlace__v1__order__descriptor,
    [SHAPE_GIVE_ORDER_REQUEST] = &enlace__v1__give_order_request__descriptor,
    [SHAPE_ORDER_ANSWER] = &enlace__v1__get_order_response__descriptor,
    [SHAPE_READ_BLOCKED_REQUEST] = &enlace__v1__read_blocked_request__descriptor,
    [SHAPE_READ_BLOCKED_RESPONSE] = &enlace__v1__read_blocked_response__descriptor,
    [SHAPE_OFFICIAL_ACT] = &enlace__v1__official_act__descriptor,
    [SHAPE_GIVE_ACT_REQUEST] = &enlace__v1__give_act_request__descriptor,
    [SHAPE_GIVE_ACT_RESPONSE] = &enlace__v1__give_act_response__descriptor,
    [SHAPE_LIST_AWAITING_RESPONSE] = &enlace__v1__list_awaiting_response__descriptor,
    [SHAPE_GET_WILL_RESPONSE] = &enlace__v1__get_will_response__descriptor,
    [SHAPE_GET_AWAITING_RESPONSE] = &enlace__v1__get_awaiting_response__descriptor,
    [SHAPE_FETCH_DIRECTORY_REQUEST] = &enlace__v1__fetch_directory_request__descriptor,
    [SHAPE_FETCH_DIRECTORY_RESPONSE] = &enlace__v1__fetch_directory_response__descriptor,
    [SHAPE_AUDIT_QUERY] = &enlace__v1__audit_query__descriptor,
    [SHAPE_QUERY_RECORDS_REQUEST] = &enlace__v1__query_records_request__descriptor,
    [SHAPE_QUERY_RECORDS_RESPONSE] = &enlace__v1__query_records_response__descriptor,
    [SHAPE_GIVE_TAG_KEY_REQUEST] = &enlace__v1__give_tag_key_request__descriptor,
    [SHAPE_GIVE_TAG_KEY_RESPONSE] = &enlace__v1__give_tag_key_response__descriptor,
    [SHAPE_CLOSE_AUDIT_REQUEST] = &enlace__v1__close_audit_request__descriptor,
    [SHAPE_CLOSE_AUDIT_RESPONSE] = &enlace__v1__close_audit_response__descriptor,
    [SHAPE_GIVE_AGAIN_REQUEST] = &enlace__v1__give_again_request__descriptor,
    [SHAPE_GIVE_AGAIN_RESPONSE] = &enlace__v1__give_again_response__descriptor,
    [SHAPE_REINDEX_REQUEST] = &enlace__v1__reindex_request__descriptor,
    [SHAPE_REINDEX_RESPONSE] = &enlace__v1__reindex_response__descriptor,
    [SHAPE_GET_CONDITION_REQUEST] = &enlace__v1__get_condition_request__descriptor,
    [SHAPE_GET_CONDITION_RESPONSE] = &enlace__v1__get_condition_response__descriptor,
    [SHAPE_LIST_DUTY_REQUEST] = &enlace__v1__list_duty_request__descriptor,
    [SHAPE_LIST_DUTY_RESPONSE] = &enlace__v1__list_duty_response__descriptor,
    [SHAPE_DUTY_ANSWER] = &enlace__v1__duty_answer__descriptor,
    [SHAPE_ANSWER_DUTY_REQUEST] = &enlace__v1__answer_duty_request__descriptor,
    [SHAPE_ANSWER_DUTY_RESPONSE] = &enlace__v1__answer_duty_response__descriptor,
    [SHAPE_WAKE_DUTY_REQUEST] = &enlace__v1__wake_duty_request__descriptor,
    [SHAPE_WAKE_DUTY_RESPONSE] = &enlace__v1__wake_duty_response__descriptor,
    [SHAPE_LIST_EXCHANGES_REQUEST] = &enlace__v1__list_exchanges_request__descriptor,
    [SHAPE_LIST_EXCHANGES_RESPONSE] = &enlace__v1__list_exchanges_response__descriptor,
    [SHAPE_TRACE_EXCHANGE_RESPONSE] = &enlace__v1__trace_exchange_response__descriptor,
    [SHAPE_REDELIVER_REQUEST] = &enlace__v1__redeliver_request__descriptor,
    [SHAPE_REDELIVER_RESPONSE] = &enlace__v1__redeliver_response__descriptor,
    [SHAPE_EXPORT_PARCEL_REQUEST] = &enlace__v1__export_parcel_request__descriptor,
    [SHAPE_EXPORT_PARCEL_RESPONSE] = &enlace__v1__export_parcel_response__descriptor,
    [SHAPE_IMPORT_PARCEL_REQUEST] = &enlace__v1__import_parcel_request__descriptor,
    [SHAPE_IMPORT_PARCEL_RESPONSE] = &enlace__v1__import_parcel_response__descriptor,
};

_Static_assert((int)SHAPE_IDENTITY == (int)COMPARTMENT_IDENTITY, "compartments stand first");
_Static_assert((int)SHAPE_ATTACHMENTS == (int)COMPARTMENT_ATTACHMENTS, "in their own order");

/* Written once, under pthread_once; constant afterwards. */
static struct shape shapes[SHAPES_MAX];
static struct rule rules[RULES_MAX];
static pthread_once_t compiled = PTHREAD_ONCE_INIT;

static const struct bound *bound_of(const char *message, const char *field)
{
    size_t count;
    const struct bound *table = codec_bounds(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].message, message) == 0 && strcmp(table[i].field, field) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static enum rule_kind kind_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
        return RULE_UINT32;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return RULE_INT64;
    case PROTOBUF_C_TYPE_BOOL:
        return RULE_BOOL;
    case PROTOBUF_C_TYPE_ENUM:
        return RULE_ENUM;
    case PROTOBUF_C_TYPE_STRING:
        return RULE_TEXT;
    case PROTOBUF_C_TYPE_BYTES:
        return RULE_BYTES;
    default:
        assert(type == PROTOBUF_C_TYPE_MESSAGE && "the schema uses no other types");
        return RULE_MESSAGE;
    }
}

static uint32_t size_max_of(enum rule_kind kind, const struct bound *bound)
{
    if (bound != NULL && bound->size_max > 0) {
        return bound->size_max;
    }
    assert(kind != RULE_BYTES && "every bytes field has a bound");
    return kind == RULE_TEXT ? MESSAGE_TEXT_MAX : UINT32_MAX;
}

static uint32_t value_max_of(const ProtobufCEnumDescriptor *values)
{
    assert(values->n_value_ranges == 1 && values->values[0].value == 0);
    return values->n_values - 1;
}

static struct rule compile_rule(const ProtobufCMessageDescriptor *message,
                                const ProtobufCFieldDescriptor *field)
{
    const struct bound *bound = bound_of(message->short_name, field->name);
    struct rule rule = {
        .id = field->id,
        .kind = kind_of(field->type),
        .is_repeated = field->label == PROTOBUF_C_LABEL_REPEATED,
        .is_in_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0,
        .is_several_lines = message == roots[SHAPE_NARRATIVE],
        .catalogue = -1,
        .count_max = bound != NULL ? bound->count_max : 0,
        .size_min = bound != NULL ? bound->size_min : 0,
        .field = field,
        .name = field->name,
    };

    rule.size_max = size_max_of(rule.kind, bound);
    rule.value_max = rule.kind == RULE_ENUM ? value_max_of(field->descriptor) : 0;
    assert(!rule.is_repeated || rule.count_max > 0);
    assert(!rule.is_repeated || rule.kind >= RULE_TEXT); /* no packed numbers */
    return rule;
}

/* What has to be there, and the oneof. */
static void compile_presence(struct shape *shape)
{
    for (unsigned i = 0; i < shape->rule_count; i++) {
        const struct rule *rule = &shape->rules[i];
        const struct bound *bound = bound_of(shape->descriptor->short_name, rule->name);
        bool is_required = bound != NULL && bound->is_required;

        if (rule->is_in_oneof) {
            shape->oneof |= (uint64_t)1 << i;
            shape->is_oneof_required = shape->is_oneof_required || is_required;
        } else if (is_required) {
            shape->required |= (uint64_t)1 << i;
        }
    }
}

static unsigned shapes_used;
static unsigned rules_used;

static const struct shape *compile(const ProtobufCMessageDescriptor *descriptor);

static void compile_into(struct shape *shape, const ProtobufCMessageDescriptor *descriptor)
{
    struct rule *mine = rules + rules_used;

    assert(descriptor->n_fields <= 64 && rules_used + descriptor->n_fields <= RULES_MAX);
    rules_used += descriptor->n_fields;
    *shape =
        (struct shape){.descriptor = descriptor, .rules = mine, .rule_count = descriptor->n_fields};
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        mine[i] = compile_rule(descriptor, &descriptor->fields[i]);
    }
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (mine[i].kind == RULE_MESSAGE) {
            mine[i].of = compile(descriptor->fields[i].descriptor);
        }
    }
    compile_presence(shape);
}

static const struct shape *compile(const ProtobufCMessageDescriptor *descriptor)
{
    struct shape *shape;

    for (unsigned i = 0; i < shapes_used; i++) {
        if (shapes[i].descriptor == descriptor) {
            return &shapes[i];
        }
    }
    assert(shapes_used < SHAPES_MAX);
    shape = &shapes[shapes_used++];
    compile_into(shape, descriptor);
    return shape;
}

/* Gives each field of a compartment its number in the catalogue; a field without one is a bug. */
static void number_fields(const struct shape *shape, const char *prefix)
{
    for (unsigned i = 0; i < shape->rule_count; i++) {
        struct rule *rule = &rules[shape->rules - rules + i];
        char path[64];

        snprintf(path, sizeof path, "%s.%s", prefix, rule->name);
        if (rule->kind == RULE_MESSAGE) {
            number_fields(rule->of, path);
        } else {
            rule->catalogue = (int8_t)field_number(path);
            assert(rule->catalogue >= 0);
        }
    }
}

static void compile_all(void)
{
    shapes_used = SHAPE_ROOTS; /* roots keep the places that their names give them */
    for (unsigned i = SHAPE_NONE + 1; i < SHAPE_ROOTS; i++) {
        shapes[i].descriptor = roots[i];
    }
    for (unsigned i = SHAPE_NONE + 1; i < SHAPE_ROOTS; i++) {
        compile_into(&shapes[i], roots[i]);
    }
    for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
        number_fields(&shapes[type], compartment_name((enum compartment_type)type));
    }
}

const struct shape *shape_get(enum shape_name name)
{
    pthread_once(&compiled, compile_all);
    assert(name > SHAPE_NONE && name < SHAPE_ROOTS);
    return &shapes[name];
}

enum shape_name shape_of_compartment(enum compartment_type type)
{
    return (enum shape_name)type;
}
