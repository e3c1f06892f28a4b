/*
 * duty_settings - what the settings say of alerts, as relay and http want it.
 */
#ifndef ENLACED_DUTY_SETTINGS_H
#define ENLACED_DUTY_SETTINGS_H

#include "base/rc.h"
#include "http/alert.h"

struct node;
struct settings;

/* RC_INVALID_ARGUMENT: `error` names the setting and what is expected. */
MUST_CHECK enum rc duty_settings_check(const struct settings *settings, char error[512]);
/* The last to start: from here on somebody is woken (node->waker). */
MUST_CHECK enum rc duty_start(const struct settings *settings, struct node *node);

#endif
