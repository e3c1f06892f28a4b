/* settings - what the operator of a node decides, in one table (enlaced --help-settings). */
#ifndef ENLACED_SETTINGS_H
#define ENLACED_SETTINGS_H

#include "base/conf.h"

struct settings {
    char node[CONF_TEXT_SIZE];
    struct conf_list listen;
    char health_listen[CONF_TEXT_SIZE];
    char certificate[CONF_TEXT_SIZE];
    char key[CONF_TEXT_SIZE];
    char ca[CONF_TEXT_SIZE];
    char log_key[CONF_TEXT_SIZE];
    char directory[CONF_TEXT_SIZE];
    char data[CONF_TEXT_SIZE];
    char vault[CONF_TEXT_SIZE];
    char anchor[CONF_TEXT_SIZE];
    char backup[CONF_TEXT_SIZE];
    char follower[CONF_TEXT_SIZE];
    char mirror[CONF_TEXT_SIZE];
    char export[CONF_TEXT_SIZE];
    int64_t export_interval_s;
    char witness_key[CONF_TEXT_SIZE];
    char witness_logs[CONF_TEXT_SIZE];
    char witness_listen[CONF_TEXT_SIZE];
    char metrics_listen[CONF_TEXT_SIZE];
    char witness_policy[CONF_TEXT_SIZE];
    int64_t witness_interval_ms;
    int64_t witness_refresh_s;
    int64_t heartbeat_s;
    int64_t max_witness_lag_s;
    int64_t stop_witness_lag_s;
    int64_t recall_ms;
    char authorities[CONF_TEXT_SIZE];
    char succession[CONF_TEXT_SIZE];
    int64_t threads;
    int64_t queue_max;
    int64_t batch_max;
    int64_t outbox_max;
    int64_t disk_floor_mib;
    int64_t urgent_reserve_mib;
    int64_t urgent_messages;
    int64_t urgent_mib;
    char duty[CONF_TEXT_SIZE];
    int64_t duty_answer_s;
    int64_t duty_undelivered_s;
    char duty_smtp[CONF_TEXT_SIZE];
    char duty_smtp_from[CONF_TEXT_SIZE];
    char duty_smtp_user[CONF_TEXT_SIZE];
    char duty_smtp_password[CONF_TEXT_SIZE];
    char duty_webhook_secret[CONF_TEXT_SIZE];
    char duty_webhook_certificate[CONF_TEXT_SIZE];
    char duty_webhook_key[CONF_TEXT_SIZE];
    char duty_ca[CONF_TEXT_SIZE];
    struct conf_list duty_command;
    int64_t blocking_days;
    int64_t prune_after_days;
    int64_t stop_grace_ms;
    char log_level[CONF_TEXT_SIZE];
};

extern const struct conf_row settings_rows[];

#endif
