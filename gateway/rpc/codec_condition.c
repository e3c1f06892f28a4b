#include "enlace/v1/operation.pb-c.h"
#include "model/condition.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_service.h"
#include "rpc/codec_strict.h"

enum rc codec_condition_request_read(struct bytes from, struct fault *fault)
{
    return strict_check(SHAPE_GET_CONDITION_REQUEST, from, "", NULL, fault);
}

/* Written as several responses with one sample each, which together are one (see codec_result). */
void codec_condition_write(const struct condition *condition, struct buffer *out)
{
    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];
        const struct metric_row *row = metric_row(sample->metric);
        Enlace__V1__GetConditionResponse wire;
        Enlace__V1__Sample one;
        Enlace__V1__Sample *at = &one;
        char *labels[SAMPLE_LABELS_MAX];

        enlace__v1__get_condition_response__init(&wire);
        enlace__v1__sample__init(&one);
        one.name = pb_text(row->name);
        while (one.n_labels < SAMPLE_LABELS_MAX && row->labels[one.n_labels] != NULL) {
            labels[one.n_labels] = pb_text(sample->labels[one.n_labels]);
            one.n_labels++;
        }
        one.labels = labels;
        one.value = sample->value;
        wire.n_samples = 1;
        wire.samples = &at;
        pb_write(&wire.base, out);
    }
}

enum rc codec_condition_read(struct bytes from, struct arena *arena, struct condition *condition,
                             struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GetConditionResponse *wire;
    void *memory;

    TRY(pb_read(SHAPE_GET_CONDITION_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GetConditionResponse *)read;
    TRY(pb_alloc(arena, (wire->n_samples + 1) * sizeof *condition->items, &memory, fault));
    *condition = (struct condition){.items = memory, .max = wire->n_samples};
    for (size_t i = 0; i < wire->n_samples; i++) {
        const Enlace__V1__Sample *one = wire->samples[i];
        enum metric metric = metric_by_name(one->name);

        if (metric < METRICS) {
            condition_add(condition, metric, one->n_labels > 0 ? one->labels[0] : NULL,
                          one->n_labels > 1 ? one->labels[1] : NULL, one->value);
        }
    }
    return RC_OK;
}
