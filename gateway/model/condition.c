#include "model/condition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct metric_row rows[METRICS] = {
    [METRIC_NODE] = {"enlace_node_info", "Which node this is.", false, {"node", "origin"}},
    [METRIC_STARTED] = {"enlace_start_time_seconds", "When this process started.", false, {0}},
    [METRIC_LOG_LEAVES] = {"enlace_log_leaves_total", "Leaves of the log.", true, {0}},
    [METRIC_LOG_LAST] = {"enlace_log_last_leaf_time_seconds",
                         "Time of the newest leaf.",
                         false,
                         {0}},
    [METRIC_INDEX_LEAVES] = {"enlace_index_leaves", "Leaves that the index has.", false, {0}},
    [METRIC_MESSAGES] = {"enlace_messages_total",
                         "Messages logged since the start, by way and urgency.",
                         true,
                         {"way", "urgency"}},
    [METRIC_REFUSALS] = {"enlace_refusals_total", "Refusals by policy since the start.", true, {0}},
    [METRIC_WRITER_WAITING] = {"enlace_writer_waiting",
                               "Writes that wait for the next commit.",
                               false,
                               {0}},
    [METRIC_QUEUE] = {"enlace_queue_messages",
                      "Messages owed to a destination, counted to 10,000.",
                      false,
                      {"destination", "urgency"}},
    [METRIC_QUEUE_OLDEST] = {"enlace_queue_oldest_seconds",
                             "How long the oldest message has waited.",
                             false,
                             {"destination", "urgency"}},
    [METRIC_LINK_UP] = {"enlace_link_up",
                        "1: a stream to this peer is up.",
                        false,
                        {"peer", "urgency"}},
    [METRIC_LINK_FAILURES] = {"enlace_link_failures",
                              "Failed attempts since a stream to this peer was up.",
                              false,
                              {"peer", "urgency"}},
    [METRIC_ATTACHED] = {"enlace_attached_streams",
                         "Attached streams of a member's systems.",
                         false,
                         {"member", "urgency"}},
    [METRIC_WITNESSES] = {"enlace_witnesses", "Foreign witnesses that could count.", false, {0}},
    [METRIC_WITNESSES_COUNTED] = {"enlace_witnesses_counted",
                                  "Witnesses of the newest quorum.",
                                  false,
                                  {0}},
    [METRIC_WITNESSED_LEAVES] = {"enlace_witnessed_leaves",
                                 "Size of the newest checkpoint with a quorum.",
                                 false,
                                 {0}},
    [METRIC_WITNESS_LAG] = {"enlace_witness_lag_seconds",
                            "How far the witnesses are behind.",
                            false,
                            {0}},
    [METRIC_WITNESS_STATE] = {"enlace_witness_state",
                              "0 fine, 1 behind, 2 behind and ordinary messages wait.",
                              false,
                              {0}},
    [METRIC_CLOCK_STATE] = {"enlace_clock_state",
                            "0 believed; else this machine's clock is in doubt.",
                            false,
                            {0}},
    [METRIC_CERTIFICATE_ENDS] = {"enlace_certificate_expires_seconds",
                                 "When a certificate of this node ends.",
                                 false,
                                 {"certificate"}},
    [METRIC_DIRECTORY_ENDS] = {"enlace_directory_expires_seconds",
                               "When a text of the directory goes out of force.",
                               false,
                               {"subject"}},
    [METRIC_DIRECTORY_VERSION] = {"enlace_directory_version",
                                  "Version of a text of the directory.",
                                  false,
                                  {"subject"}},
    [METRIC_DISK_FREE] = {"enlace_disk_free_bytes", "Free space.", false, {"folder"}},
    [METRIC_DISK_FLOOR] = {"enlace_disk_floor_bytes",
                           "Free space below which nothing is accepted.",
                           false,
                           {0}},
    [METRIC_MEMORY] = {"enlace_resident_memory_bytes", "Resident memory.", false, {0}},
};

const struct metric_row *metric_row(enum metric metric)
{
    return &rows[metric];
}

enum metric metric_by_name(const char *name)
{
    enum metric metric = 0;

    while (metric < METRICS && strcmp(rows[metric].name, name) != 0) {
        metric++;
    }
    return metric;
}

void condition_add(struct condition *condition, enum metric metric, const char *label,
                   const char *second, int64_t value)
{
    struct sample *sample;

    if (condition->count == condition->max) {
        condition->is_cut = true;
        return;
    }
    sample = &condition->items[condition->count++];
    sample->metric = metric;
    sample->value = value;
    snprintf(sample->labels[0], SAMPLE_LABEL_SIZE, "%s", label != NULL ? label : "");
    snprintf(sample->labels[1], SAMPLE_LABEL_SIZE, "%s", second != NULL ? second : "");
}

const struct sample *condition_find(const struct condition *condition, enum metric metric,
                                    const char *label)
{
    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];

        if (sample->metric == metric && (label == NULL || strcmp(sample->labels[0], label) == 0)) {
            return sample;
        }
    }
    return NULL;
}

/* Codes hold nothing that would have to be escaped; whatever else came here shows as "?". */
static void print_label(struct buffer *out, const char *name, const char *value, char before)
{
    buffer_print(out, "%c%s=\"", before, name);
    for (const char *at = value; *at != '\0'; at++) {
        bool is_plain = *at >= ' ' && *at < 127 && *at != '"' && *at != '\\';

        buffer_put_u8(out, is_plain ? (uint8_t)*at : '?');
    }
    buffer_put_u8(out, '"');
}

static void print_sample(struct buffer *out, const struct sample *sample)
{
    const struct metric_row *row = &rows[sample->metric];
    bool has_labels = row->labels[0] != NULL;

    buffer_print(out, "%s", row->name);
    for (size_t i = 0; i < SAMPLE_LABELS_MAX && row->labels[i] != NULL; i++) {
        print_label(out, row->labels[i], sample->labels[i], i == 0 ? '{' : ',');
    }
    buffer_print(out, "%s %" PRId64 "\n", has_labels ? "}" : "", sample->value);
}

void condition_print(const struct condition *condition, struct buffer *out)
{
    enum metric last = METRICS;

    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];
        const struct metric_row *row = &rows[sample->metric];

        if (sample->metric != last) {
            last = sample->metric;
            buffer_print(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                         row->is_counter ? "counter" : "gauge");
        }
        print_sample(out, sample);
    }
}
