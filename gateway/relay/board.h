/*
 * board - service Watch's ListExchanges: a member's open exchanges, and those about one person.
 *
 * Walks the member's rows in the reading room's thread, in short transactions, BOARD_LOOK_MAX rows
 * of the table at a time: what is due first is for the reader to sort, and no commit keeps an index
 * for it. For systems and officials of the member; a coordinator may ask for each member that the
 * node hosts. What is shown counts against BOARD_ROWS_PER_HOUR of the reader
 * (relay/reading_rate): "audit.ceiling".
 */
#ifndef RELAY_BOARD_H
#define RELAY_BOARD_H

struct call;
struct rpc_service;

#define BOARD_LOOK_MAX 8192

void board_on_list(struct rpc_service *service, struct call *call);

#endif
