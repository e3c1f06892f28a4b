/*
 * doctor_say - says at which check a connection or a certificate fails, each with its remedy.
 */
#ifndef ENLACE_DOCTOR_SAY_H
#define ENLACE_DOCTOR_SAY_H

#include <stdbool.h>

struct cli;

/* "✔ what", or "✖ what" and the remedy below. Returns is_well. */
bool doctor_say(const char *what, bool is_well, const char *remedy);

/*
 * Will the next certificate be accepted? By the CA that peers trust, and by the directory in force:
 * what every node looks at, before the certificate is put in its place.
 */
int doctor_certificate(const struct cli *cli, const char *certificate, const char *authorities,
                       const char *law);

/* From the profile to an echo, step by step. law: a copy of the directory's texts, or NULL. */
int doctor_connection(struct cli *cli, const char *law);

#endif
