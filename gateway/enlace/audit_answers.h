/*
 * audit_answers - what service Audit answered, for people and for programs; for `enlace audit`.
 *
 * A mark stands only before what was proven on this machine.
 */
#ifndef ENLACE_AUDIT_ANSWERS_H
#define ENLACE_AUDIT_ANSWERS_H

#include "client/audit_find.h"

struct cli;

/*
 * Records, a line each; or, of a question about a person, to whom her or his data went. seen_path:
 * where the newest checkpoint is kept from one reading to the next; NULL: nowhere.
 */
int audit_answer(struct cli *cli, const struct petition *petition, const char *seen_path);

#endif
