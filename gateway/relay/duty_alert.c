#include "relay/duty_alert.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/subprocess.h"
#include "policy/member.h"

/* ---- words ---- */

void duty_words_add(struct duty_words *words, const struct dutycall *call)
{
    if (call->key.kind == DUTYCALL_REVIEW) {
        words->reviews++;
    } else if (call->urgency == URGENCY_URGENT) {
        words->urgent++;
    } else {
        words->ordinary++;
    }
    if (call->due_ms > 0 && (words->due_ms == 0 || call->due_ms < words->due_ms)) {
        words->due_ms = call->due_ms;
    }
}

static void add_count(char *out, unsigned count, const char *one, const char *many)
{
    size_t size = strlen(out);

    if (count > 0) {
        snprintf(out + size, ALERT_TEXT_MAX - size, "%s%u %s", size > 0 ? " y " : "", count,
                 count == 1 ? one : many);
    }
}

void duty_words_write(const struct duty_words *words, int64_t now_ms, char out[ALERT_TEXT_MAX])
{
    char local[CLOCK_TEXT_SIZE];
    const char *verb = words->due_ms > now_ms ? "vence" : "venció";
    size_t size;

    out[0] = '\0';
    add_count(out, words->urgent, "urgente", "urgentes");
    add_count(out, words->ordinary, "ordinario", "ordinarios");
    add_count(out, words->reviews, "revisión", "revisiones");
    size = strlen(out);
    if (words->due_ms == 0) {
        return;
    }
    clock_format_local(words->due_ms, local); /* 2026-11-23T13:32:30-06:00 */
    if (clock_local_day(words->due_ms) == clock_local_day(now_ms)) {
        snprintf(out + size, ALERT_TEXT_MAX - size, ", %s %.5s", verb, local + 11);
    } else {
        snprintf(out + size, ALERT_TEXT_MAX - size, ", %s %.2s/%.2s %.5s", verb, local + 8,
                 local + 5, local + 11);
    }
}

/* ---- sending ---- */

/* The program's path of a line NAME=PATH, or NULL. */
static const char *command_named(const struct conf_list *commands, const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < commands->count; i++) {
        if (strncmp(commands->items[i], name, size) == 0 && commands->items[i][size] == '=') {
            return commands->items[i] + size + 1;
        }
    }
    return NULL;
}

enum rc duty_commands_check(const struct conf_list *commands, struct fault *fault)
{
    for (size_t i = 0; i < commands->count; i++) {
        const char *line = commands->items[i];
        size_t size = strcspn(line, "=");
        char name[CODE_SIZE] = "";

        snprintf(name, sizeof name, "%.*s", (int)(size < 63 ? size : 63), line);
        if (!member_label_is_valid(name) || line[size] != '=' || line[size + 1] != '/' ||
            access(line + size + 1, X_OK) != 0 ||
            command_named(commands, name) != line + size + 1) {
            return refuse(fault, RC_INVALID_ARGUMENT, "alert.settings", "duty_command",
                          "se espera NOMBRE=/ruta de un programa que se pueda ejecutar, cada "
                          "nombre una vez");
        }
    }
    return RC_OK;
}

static enum rc run_command(const struct conf_list *commands, const char *name, const char *text,
                           struct fault *fault)
{
    const char *path = command_named(commands, name);
    char line[ALERT_TEXT_MAX + 1];
    enum rc rc;

    if (path == NULL) {
        return refuse(fault, RC_FAILED_PRECONDITION, "alert.no_channel", "",
                      "El nodo no tiene un duty_command con ese nombre.");
    }
    snprintf(line, sizeof line, "%s\n", text);
    rc = subprocess_run(path, bytes_text(line), DUTY_COMMAND_TIMEOUT_MS);
    return rc == RC_OK
               ? rc
               : refuse(fault, rc, rc == RC_DEADLINE_EXCEEDED ? "alert.timeout" : "alert.command",
                        "", "El programa de aviso no terminó bien.");
}

enum rc duty_alert_send(const struct alert_config *config, const struct conf_list *commands,
                        const struct duty_official *official, const char *text, struct fault *fault)
{
    switch (official->channel) {
    case DUTY_SMTP:
        return alert_by_mail(config, official->target, text, fault);
    case DUTY_WEBHOOK:
        return alert_by_webhook(config, official->target, text, fault);
    default:
        return run_command(commands, official->target, text, fault);
    }
}
