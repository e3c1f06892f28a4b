/*
 * spanish - dates, hours and numbers as Mexican documents write them, in figures and in words.
 *
 * Instants are shown in Mexico City's time. Each function appends to the text. Pure; any thread.
 */
#ifndef PAPER_SPANISH_H
#define PAPER_SPANISH_H

#include "base/bytes.h"
#include "base/own.h"

#define SPANISH_NUMBER_MAX 9999

/* "dos mil veintiséis", up to SPANISH_NUMBER_MAX (asserted). */
void spanish_number(unsigned number, struct buffer *out);
/* "27 de noviembre de 2026" */
void spanish_date(int64_t instant_ms, struct buffer *out);
/* "27 de noviembre de 2026, 13:32 horas" */
void spanish_instant(int64_t instant_ms, struct buffer *out);
/* "veintisiete de noviembre de dos mil veintiséis, trece horas con treinta y dos minutos" */
void spanish_instant_words(int64_t instant_ms, struct buffer *out);

#endif
