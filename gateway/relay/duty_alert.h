/*
 * duty_alert - what is said to whoever is woken, and the saying of it.
 *
 * The text holds counts and the earliest instant alone, in local time: "1 urgente, vence 05:10",
 * "2 urgentes y 1 ordinario, vence 27/11 05:10". No folio, no name, no measure, no institution: a
 * phone that is intercepted, or lost, tells no more.
 */
#ifndef RELAY_DUTY_ALERT_H
#define RELAY_DUTY_ALERT_H

#include "base/conf.h"
#include "http/alert.h"
#include "model/duty.h"
#include "policy/duty_roster.h"

#define DUTY_COMMAND_TIMEOUT_MS 20000

struct duty_words {
    unsigned urgent;
    unsigned ordinary;
    unsigned reviews;
    int64_t due_ms; /* the earliest; 0: none */
};

void duty_words_add(struct duty_words *words, const struct dutycall *call);
void duty_words_write(const struct duty_words *words, int64_t now_ms, char out[ALERT_TEXT_MAX]);

/*
 * By the official's channel; blocks. `commands` are lines NAME=/path/of/program. The fault names
 * what failed, without text or place.
 */
MUST_CHECK enum rc duty_alert_send(const struct alert_config *config,
                                   const struct conf_list *commands,
                                   const struct duty_official *official, const char *text,
                                   struct fault *fault);
/* Each line is NAME=/absolute/path of a program that can be run. RC_INVALID_ARGUMENT. */
MUST_CHECK enum rc duty_commands_check(const struct conf_list *commands, struct fault *fault);

#endif
