#include "enlaced/duty_settings.h"

#include <stdio.h>

#include "enlaced/settings.h"
#include "relay/duty_alert.h"
#include "relay/node.h"
#include "relay/waker.h"

static struct alert_config config_of(const struct settings *settings)
{
    return (struct alert_config){
        .smtp_url = settings->duty_smtp,
        .smtp_from = settings->duty_smtp_from,
        .smtp_user = settings->duty_smtp_user,
        .smtp_password = settings->duty_smtp_password,
        .ca = settings->duty_ca,
        .secret = settings->duty_webhook_secret,
        .certificate = settings->duty_webhook_certificate,
        .key = settings->duty_webhook_key,
    };
}

enum rc duty_settings_check(const struct settings *settings, char error[512])
{
    const struct alert_config config = config_of(settings);
    struct fault fault = {0};

    if (alert_check(&config, &fault) != RC_OK ||
        duty_commands_check(&settings->duty_command, &fault) != RC_OK) {
        snprintf(error, 512, "%s: %s", fault.path, fault.remedy);
        return RC_INVALID_ARGUMENT;
    }
    return RC_OK;
}

enum rc duty_start(const struct settings *settings, struct node *node)
{
    const struct waker_options options = {
        .node = node,
        .folder = settings->duty,
        .answer_ms = settings->duty_answer_s * 1000,
        .undelivered_ms = settings->duty_undelivered_s * 1000,
        .alert = config_of(settings),
        .commands = &settings->duty_command,
    };

    return waker_start(&options, &node->waker);
}
