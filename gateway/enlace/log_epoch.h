/*
 * log_epoch - the operator's and the authorities' side of a log's new epoch: `enlace log succeed`,
 * `sign`, `statement`, `vkey`, `seen`, `gap`. All but `seen` work on files, without a node.
 */
#ifndef ENLACE_LOG_EPOCH_H
#define ENLACE_LOG_EPOCH_H

struct cli;

/* argv[0] is "succeed" and so on; an exit status of enlace. */
int log_succeed(struct cli *cli, int argc, char **argv);
int log_sign(struct cli *cli, int argc, char **argv);
int log_statement(struct cli *cli, int argc, char **argv);
int log_vkey(struct cli *cli, int argc, char **argv);
int log_seen(struct cli *cli, int argc, char **argv);
int log_gap(struct cli *cli, int argc, char **argv);

#endif
