/*
 * card - what the person may take home about her request: folio, what is due when, how to complain.
 *
 * It says nothing else: no name, no institution that acts, no measure, no place. Whoever finds it
 * learns that somebody has a folio.
 */
#ifndef ENLACE_CARD_H
#define ENLACE_CARD_H

#include "enlace/command.h"

struct card_request {
    struct id id;
    const char *folio; /* as the institution's own papers have it; "": made from the id */
    const char *html;  /* file to write; NULL: none */
};

int card_print(struct cli *cli, const struct card_request *request);

#endif
