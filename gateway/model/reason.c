#include "model/reason.h"

#include <string.h>

static const struct reason declines[] = {
    {REASON_NOT_COMPETENT, "no es competencia de esta institución"},
    {"fuera-de-territorio", "está fuera del territorio que atiende"},
    {"sin-capacidad", "no hay capacidad para atenderla en el plazo"},
    {"datos-insuficientes", "faltan datos para atenderla"},
    {"no-procede", "no procede conforme a sus reglas de operación"},
    {"ya-atendida", "la persona ya recibe esa atención"},
    {"duplicada", "repite otra solicitud"},
    {"no-acude", "la persona no acudió"},
    {"no-acepta", "la persona no acepta la atención"},
    {"no-localizada", "no fue posible localizar a la persona"},
    {"conflicto-de-interes", "hay conflicto de interés con la persona o su caso"},
};

#define DECLINES (sizeof declines / sizeof declines[0])

const struct reason *reason_declines(size_t *count)
{
    *count = DECLINES;
    return declines;
}

const struct reason *reason_of_decline(const char *code)
{
    for (size_t i = 0; i < DECLINES; i++) {
        if (strcmp(declines[i].code, code) == 0) {
            return &declines[i];
        }
    }
    return NULL;
}
