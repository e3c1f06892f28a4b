/*
 * exchange_logs - the messages that two logs should both hold, out of their exports with records:
 * paired, one-sided, differing.
 *
 * A message that one log says went to, or came from, a member whom the other log serves has to
 * stand there, with the same content and parties. With an exchange id, everything of that exchange
 * has to stand in both. Findings: exchange.one_sided, exchange.differing, exchange.commitment (a
 * record names another content than its leaf commits to), exchange.none and exchange.records
 * (nothing to compare), and those of verifying each log.
 */
#ifndef ENLACE_EXCHANGE_LOGS_H
#define ENLACE_EXCHANGE_LOGS_H

struct id;
struct report;
struct trust;

/* exchange_id may be NULL: all messages. */
void exchange_logs_compare(const char *a, const char *b, const struct id *exchange_id,
                           const struct trust *trust, struct report *report);

#endif
